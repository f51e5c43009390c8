"""What can be part of a firing: the facts that pass the tests of a pattern and have a partner for each of its joins.

The rest are left out before either evaluator sees them: most breaches stand alone, and each fact costs time in both.
A later round adds facts of risks alone, so a pattern of a risk is taken to match anything.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import NamedTuple

from compliance.risks.patterns import Conjunction, Fact, Join, Pattern, Value, holds

DERIVED = "risk"
Matches = list[int] | None
"""The numbers of the facts that may fill a pattern; None where facts still to come may."""


class Relevant(NamedTuple):
    """The conjunctions that may fire, now or in a later round, and the places, in order, of the facts that they may fire on."""

    conjunctions: list[Conjunction]
    places: list[int]


def relevant(conjunctions: Iterable[Conjunction], facts: Sequence[Fact]) -> Relevant:
    """What of the conjunctions and the facts matters: the rest is of no firing."""
    given = tuple(conjunctions)
    index = _Index(given, facts)
    live: list[Conjunction] = []
    places: set[int] = set()
    for conjunction in given:
        matches = _partnered(conjunction, index)
        if all(each is None or each for each in matches):
            live.append(conjunction)
            places.update(*(each for each in matches if each))
    return Relevant(live, sorted(places))


class _Index:
    """The facts by kind, and by each property that some pattern asks to be equal to a constant."""

    def __init__(self, conjunctions: Iterable[Conjunction], facts: Sequence[Fact]) -> None:
        self.facts = facts
        self.by_kind: dict[Value, list[int]] = {}
        self.by_value: dict[tuple[Value, str, Value], list[int]] = {}
        asked: dict[str, set[str]] = {}
        for pattern in (pattern for conjunction in conjunctions for pattern in conjunction.patterns):
            asked.setdefault(pattern.kind, set()).update(test.property for test in pattern.tests if test.op == "=")
        for number, fact in enumerate(facts):
            kind = fact["kind"]
            self.by_kind.setdefault(kind, []).append(number)
            for name in asked.get(str(kind), ()):
                if name in fact:
                    self.by_value.setdefault((kind, name, fact[name]), []).append(number)

    def matching(self, pattern: Pattern) -> Matches:
        """The facts that pass the pattern's own tests."""
        if pattern.kind == DERIVED:
            return None
        lists = [self.by_value.get((pattern.kind, one.property, one.value), []) for one in pattern.tests if one.op == "="]
        shortest = min([self.by_kind.get(pattern.kind, []), *lists], key=len)
        return [number for number in shortest if self._passes(pattern, self.facts[number])]

    def _passes(self, pattern: Pattern, fact: Fact) -> bool:
        return all(holds(fact.get(test.property), test.op, test.value) for test in pattern.tests)


def _partnered(conjunction: Conjunction, index: _Index) -> list[Matches]:
    """The facts that match each pattern and have, for each join with another, a fact that matches that one."""
    matches = [index.matching(pattern) for pattern in conjunction.patterns]
    for position, pattern in enumerate(conjunction.patterns):
        for join in pattern.joins:
            _narrow(index.facts, matches, position, join)
    return matches


def _narrow(facts: Sequence[Fact], matches: list[Matches], position: int, join: Join) -> None:
    """Leaves of two joined patterns' facts those whose value the other has."""
    own, others = matches[position], matches[join.other]
    if own is None or others is None:
        return
    shared = {facts[number].get(join.property) for number in own} & {facts[number].get(join.other_property) for number in others}
    shared.discard(None)
    matches[position] = [number for number in own if facts[number].get(join.property) in shared]
    matches[join.other] = [number for number in others if facts[number].get(join.other_property) in shared]
