"""Escalation rules read as they are written: every way to fill the patterns with different facts, tried one by one."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date
from typing import Any

from compliance.rulebook.model import Compared, Escalation, FactPattern, Parameter, Rule, Same

Fact = dict[str, Any]
Shared = dict[str, Parameter]


def scopes(rule: Rule, facts: list[Fact], day: date, shared: Shared) -> list[str]:
    """The ids of what a risk is raised about, each once."""
    body = rule.body
    assert isinstance(body, Escalation)
    name, _, wanted = body.scope_id.partition(".")
    return sorted({str(chosen[name][wanted]) for chosen in _arrangements(rule, list(body.when), facts, {}, day, shared)})


def _arrangements(
    rule: Rule, patterns: list[FactPattern], facts: list[Fact], chosen: dict[str, Fact], day: date, shared: Shared
) -> Iterator[dict[str, Fact]]:
    if not patterns:
        yield chosen
        return
    first, *rest = patterns
    for place, fact in enumerate(facts):
        if fact["fact"] == first.fact and all(
            _holds(fact.get(name), wanted, chosen, rule, day, shared) for name, wanted in first.where.items()
        ):
            others = facts[:place] + facts[place + 1 :]
            yield from _arrangements(rule, rest, others, {**chosen, first.name: fact}, day, shared)


def _holds(value: Any, wanted: Any, chosen: dict[str, Fact], rule: Rule, day: date, shared: Shared) -> bool:
    """Whether a property is what the pattern wants; a missing one satisfies nothing, and a word is never a number."""
    if value is None:
        return False
    if isinstance(wanted, Same):
        name, _, other = wanted.same_as.partition(".")
        return _same(value, chosen[name].get(other))
    if isinstance(wanted, Compared):
        return _is_within(value, wanted, rule, day, shared)
    return any(_same(value, each) for each in (wanted if isinstance(wanted, list) else [wanted]))


def _same(one: Any, other: Any) -> bool:
    return isinstance(one, str) == isinstance(other, str) and one == other


def _is_within(value: Any, wanted: Compared, rule: Rule, day: date, shared: Shared) -> bool:
    if wanted.not_ is not None and _same(value, wanted.not_):
        return False
    bounds = (wanted.at_least, wanted.at_most)
    if all(bound is None for bound in bounds):
        return True
    least, most = (None if bound is None else number(bound, rule, day, shared) for bound in bounds)
    return not isinstance(value, str) and (least is None or value >= least) and (most is None or value <= most)


def number(bound: str | float, rule: Rule, day: date, shared: Shared) -> float:
    """A number, or what the parameter it names is on the day."""
    if not isinstance(bound, str):
        return bound
    parameter = rule.parameters.get(bound) or shared[bound]
    in_force = [one for one in parameter.values if one.from_ <= day and (one.to is None or day <= one.to)]
    return float(max(in_force, key=lambda one: one.from_).value)
