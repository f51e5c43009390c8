"""Mutants of a rule: copies of its model with one thing changed, each with words that say what.

A number moves by one unit, a unit becomes its neighbour, a comparison takes in or gives up its bound, a day moves by a
day, and a condition, exception, end or name is dropped. What examples do not answer for is left alone: measures' targets
and benchmarks, the values that named councils publish, and how likely and how grave an escalation says a risk is.
"""

from __future__ import annotations

import datetime
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from pydantic import BaseModel
from tests.mutant_text import edits, neighbours, squeezed

from compliance.calendar import Duration
from compliance.errors import ComplianceError
from compliance.rulebook.load import Rulebook
from compliance.rulebook.model import Compared, DatedValue, Definition, Escalation, FactPattern, Parameter, Rule, Same

Change = tuple[str, Any]
"""Words such as `where: a = 1 -> a <> 1`, and what stands there instead."""

CONDITIONS = frozenset({"where", "when", "holds", "numerator", "denominator"})
VALUES = frozenset({"trigger", "done", "ceases", "ends", "value", "date", "after", "until", "n"})
PERIODS = frozenset({"within", "before", "first", "second", "every", "lasting", "window", "counts_from_earlier"})
MAY_BE_DROPPED = frozenset({"where", "ceases", "names", "after", "until", "pauses", "lasting", "denominator"})
LISTS = frozenset({"exceptions", "unknown", "notes", "relaxed", "variants", "phases", "fields"})
FLAGS = frozenset({"beginning_with_the_day", "settled", "strictly", "starts_with_first_event", "counts_from_earlier"})
DAYS = frozenset({"from_", "to"})
LEFT_ALONE = frozenset({"target", "benchmarks", "councils", "likelihood", "impact"})
ALWAYS = datetime.date(1990, 1, 1)

OTHER_UNIT = {
    "working_days": "days",
    "days": "working_days",
    "clear_days": "days",
    "weeks": "months",
    "months": "weeks",
    "years": "months",
    "hours": "days",
}


@dataclass(frozen=True)
class Mutant:
    """A rule with one thing changed."""

    label: str
    rule: Rule


@dataclass(frozen=True)
class DefinitionMutant:
    """A definition with one thing changed in its query."""

    label: str
    definition: Definition


def mutants(rule: Rule, rulebook: Rulebook) -> Iterator[Mutant]:
    """Every mutant of a duty rule, a measure or an escalation rule, of its body and of the parameters it names."""
    body = rule.body
    for label, changed in _of_escalation(body) if isinstance(body, Escalation) else _of_model(body):
        yield Mutant(label, rule.model_copy(update={rule.kind: changed}))
    for name, parameter in _parameters(rule, rulebook).items():
        for label, changed in _of_values(parameter):
            yield Mutant(f"parameters.{name}{label}", rule.model_copy(update={"parameters": rule.parameters | {name: changed}}))


# --- the parts of a duty or a measure -----------------------------------------------------------------------------


def _of_model(model: BaseModel) -> Iterator[Change]:
    for name in type(model).model_fields:
        if name in LEFT_ALONE:
            continue
        value = getattr(model, name)
        for label, changed in _of_field(name, value):
            yield f"{name}{label}", model.model_copy(update={name: changed})


def _of_field(name: str, value: Any) -> Iterator[Change]:
    """The changes of one field: what it holds, changed; or the field itself, dropped."""
    if name in MAY_BE_DROPPED and value not in (None, [], {}, "true"):
        yield ": dropped", type(value)() if name == "names" else None
    if name in FLAGS and isinstance(value, bool):
        yield from _flag(name, value)
    elif isinstance(value, BaseModel):
        yield from ((f".{label}", changed) for label, changed in _of_model(value))
    elif isinstance(value, list):
        yield from _of_list(name, value)
    elif isinstance(value, str):
        yield from _of_text(name, value)
    elif isinstance(value, int | float) and not isinstance(value, bool):
        yield from ((f": {value:g} -> {value + by:g}", value + by) for by in (1, -1))
    elif name in DAYS and isinstance(value, datetime.date) and value > ALWAYS:
        yield from ((f": {value} -> {other}", other) for other in neighbours(value))


def _flag(name: str, value: bool) -> Iterator[Change]:
    """A flag that is set, cleared; one that is not set says nothing."""
    if value:
        yield f": {value} -> {not value}", not value


def _of_list(name: str, values: list[Any]) -> Iterator[Change]:
    for place, value in enumerate(values):
        if isinstance(value, BaseModel):
            for label, changed in _of_model(value):
                yield f"[{place}].{label}", [*values[:place], changed, *values[place + 1 :]]
        if name in LISTS and (len(values) > 1 or name not in ("fields", "phases")):
            yield f"[{place}]: dropped", [*values[:place], *values[place + 1 :]]


def _of_text(name: str, text: str) -> Iterator[Change]:
    changes: Iterator[str] = iter(())
    if name in PERIODS:
        changes = _of_period(text)
    elif name in CONDITIONS or name in VALUES:
        changes = (edit.applied(text) for edit in edits(text))
    yield from ((f": {squeezed(text)} -> {squeezed(other)}", other) for other in changes)


def _of_period(text: str) -> Iterator[str]:
    try:
        period = Duration.parse(text)
    except ComplianceError:
        return
    for n, unit in ((period.n + 1, period.unit), (period.n - 1, period.unit), (period.n, OTHER_UNIT[period.unit])):
        words = f"{n} {unit.replace('_', ' ')}"
        try:
            yield str(Duration.parse(words))
        except ComplianceError:
            continue


# --- parameters ---------------------------------------------------------------------------------------------------


def _parameters(rule: Rule, rulebook: Rulebook) -> dict[str, Parameter]:
    """The rule's own parameters and the shared ones that it names."""
    named = set(_texts(rule.body))
    return {name: one for name, one in rulebook.parameters.items() if name in named} | dict(rule.parameters)


def _texts(value: Any) -> Iterator[str]:
    if isinstance(value, BaseModel):
        value = [getattr(value, name) for name in type(value).model_fields]
    if isinstance(value, Mapping):
        value = list(value.values())
    if isinstance(value, str):
        yield value
    elif isinstance(value, list):
        for one in value:
            yield from _texts(one)


def _of_values(parameter: Parameter) -> Iterator[Change]:
    for place, value in enumerate(parameter.values):
        for label, changed in _of_dated(value):
            values = [*parameter.values[:place], changed, *parameter.values[place + 1 :]]
            yield f"[{place}]{label}", parameter.model_copy(update={"values": values})


def _of_dated(dated: DatedValue) -> Iterator[Change]:
    if isinstance(dated.value, str):
        changes: list[Any] = list(_of_period(dated.value))
    else:
        changes = [dated.value + 1, dated.value - 1]
    yield from ((f": {dated.value} -> {other}", dated.model_copy(update={"value": other})) for other in changes)
    for name in sorted(DAYS):
        for label, changed in _of_field(name, getattr(dated, name)):
            yield f".{name.rstrip('_')}{label}", dated.model_copy(update={name: changed})


# --- escalation rules ---------------------------------------------------------------------------------------------


def _of_escalation(body: Escalation) -> Iterator[Change]:
    for place, pattern in enumerate(body.when):
        before, after = body.when[:place], body.when[place + 1 :]
        for label, changed in _of_pattern(pattern):
            yield f"when[{place}].{label}", body.model_copy(update={"when": [*before, changed, *after]})
        if not _is_named(pattern.name, body, [*before, *after]):
            yield f"when[{place}]: dropped", body.model_copy(update={"when": [*before, *after]})


def _of_pattern(pattern: FactPattern) -> Iterator[Change]:
    for name, wanted in pattern.where.items():
        rest = {other: value for other, value in pattern.where.items() if other != name}
        yield f"where.{name}: dropped", pattern.model_copy(update={"where": rest})
        for label, changed in _of_wanted(wanted):
            yield f"where.{name}{label}", pattern.model_copy(update={"where": pattern.where | {name: changed}})


def _of_wanted(wanted: Any) -> Iterator[Change]:
    if isinstance(wanted, Compared):
        for name in ("at_least", "at_most"):
            bound = getattr(wanted, name)
            if isinstance(bound, int | float):
                for by in (1, -1):
                    yield f".{name}: {bound:g} -> {bound + by:g}", wanted.model_copy(update={name: bound + by})
    elif isinstance(wanted, list) and len(wanted) > 1:
        for value in wanted:
            yield f": without {value}", [other for other in wanted if other != value]
    elif isinstance(wanted, int):
        yield from ((f": {wanted} -> {wanted + by}", wanted + by) for by in (1, -1))


def _is_named(name: str, body: Escalation, others: Sequence[FactPattern]) -> bool:
    joins = [wanted.same_as for one in others for wanted in one.where.values() if isinstance(wanted, Same)]
    return not others or any(text.partition(".")[0] == name for text in [body.scope_id, *joins])


# --- definitions --------------------------------------------------------------------------------------------------


def definition_mutants(definition: Definition) -> Iterator[DefinitionMutant]:
    """Every mutant of a definition's query; where two changes read the same, the later ones are numbered."""
    seen: Counter[str] = Counter()
    for edit in edits(definition.sql):
        words = edit.words(definition.sql)
        seen[words] += 1
        label = words if seen[words] == 1 else f"{words} ({seen[words]})"
        yield DefinitionMutant(label, definition.model_copy(update={"sql": edit.applied(definition.sql)}))
