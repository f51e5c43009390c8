"""Escalation rules as conjunctions: the product of their value lists, with numbers for the parameters in force on the day."""

from __future__ import annotations

import datetime
from collections.abc import Mapping, Sequence
from itertools import product

from compliance.duties.parameters import number_on
from compliance.errors import RuleFileError
from compliance.risks.patterns import Conjunction, Join, Pattern, Test
from compliance.rulebook.load import Rulebook
from compliance.rulebook.model import Compared, Escalation, FactPattern, Rule, Same

TENTHS = frozenset({"value", "target", "change"})
"""Properties that hold tenths, so that 81.9 is 819: facts hold whole numbers only."""


def compile_escalation(rulebook: Rulebook, rule: Rule, day: datetime.date) -> list[Conjunction]:
    """The branches of one escalation rule. Raises RuleFileError when a join names no earlier pattern."""
    body = rule.body
    assert isinstance(body, Escalation)
    names = [pattern.name for pattern in body.when]
    choices = [_choices(pattern) for pattern in body.when]
    branches = []
    for number, chosen in enumerate(product(*choices)):
        patterns = [
            _pattern(rulebook, rule, pattern, dict(fixed), names[:place], day)
            for place, (pattern, fixed) in enumerate(zip(body.when, chosen, strict=True))
        ]
        branches.append(Conjunction(rule.id, number, tuple(patterns)))
    return branches


def compile_all(rulebook: Rulebook, day: datetime.date) -> list[Conjunction]:
    """The conjunctions of every escalation rule."""
    return [one for rule in rulebook.of_kind("escalation") for one in compile_escalation(rulebook, rule, day)]


def _choices(pattern: FactPattern) -> list[tuple[tuple[str, str | int], ...]]:
    """Each way to choose one value from every list of a pattern; lists of one property exclude each other."""
    lists = [[(name, value) for value in wanted] for name, wanted in sorted(pattern.where.items()) if isinstance(wanted, list)]
    return list(product(*lists))


def _pattern(
    rulebook: Rulebook,
    rule: Rule,
    pattern: FactPattern,
    fixed: Mapping[str, str | int],
    earlier: Sequence[str],
    day: datetime.date,
) -> Pattern:
    tests: list[Test] = [Test(name, "=", value) for name, value in sorted(fixed.items())]
    joins: list[Join] = []
    for name, wanted in sorted(pattern.where.items()):
        if isinstance(wanted, Same):
            joins.append(_join(rule, name, wanted, earlier))
        elif isinstance(wanted, Compared):
            tests += _compared(rulebook, rule, name, wanted, day)
        elif not isinstance(wanted, list):
            tests.append(Test(name, "=", _scaled(name, wanted)))
    return Pattern(pattern.fact, tuple(tests), tuple(joins))


def _join(rule: Rule, name: str, wanted: Same, earlier: Sequence[str]) -> Join:
    other, _, other_property = wanted.same_as.partition(".")
    if other not in earlier or not other_property:
        raise RuleFileError(
            f"{rule.id}: {wanted.same_as} names no earlier pattern and property",
            help=f"write name.property with a name of {', '.join(earlier) or 'an earlier pattern'}",
        )
    return Join(name, list(earlier).index(other), other_property)


def _compared(rulebook: Rulebook, rule: Rule, name: str, wanted: Compared, day: datetime.date) -> list[Test]:
    tests = []
    if wanted.at_least is not None:
        tests.append(Test(name, ">=", _scaled(name, number_on(rule, rulebook.parameters, wanted.at_least, day))))
    if wanted.at_most is not None:
        tests.append(Test(name, "<=", _scaled(name, number_on(rule, rulebook.parameters, wanted.at_most, day))))
    if wanted.not_ is not None:
        tests.append(Test(name, "!=", _scaled(name, wanted.not_)))
    return tests


def _scaled(name: str, value: str | float) -> str | int:
    if isinstance(value, str):
        return value
    return round(value * 10) if name in TENTHS else round(value)
