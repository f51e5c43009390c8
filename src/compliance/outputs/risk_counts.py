"""How many risks there are of each kind, at each point of the heat map and in all, as a document may say it.

In public a number of people's risks under six is left out, and as many others as keep it from being worked out: kinds add up to
the points they stand at, and points to the total. A risk of the whole council is about nobody: a reader knows them all, so nobody
hides behind them.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TypeVar

from compliance.outputs.disclosure import HIDDEN, SET_ASIDE, SMALL, counted
from compliance.register.suppression import hidden_places, is_safe, total_may_be_shown
from compliance.risks.assess import Risk

LIMIT = SMALL + 1
Point = tuple[int, int]
Key = TypeVar("Key")


@dataclass(frozen=True)
class RiskCounts:
    """The numbers in words: by the kind's rule, by likelihood and impact, and in all."""

    kinds: Mapping[str, str]
    points: Mapping[Point, str]
    total: str


def risk_counts(risks: Sequence[Risk], *, public: bool) -> RiskCounts:
    """The numbers of the risks; in public none from which a small one could be worked out."""
    kinds = Counter(one.rule.id for one in risks)
    points = Counter((one.likelihood, one.impact) for one in risks)
    if not public:
        return RiskCounts(_words(kinds), _words(points), counted(len(risks), public=False))
    people: dict[Point, Counter[str]] = {}
    for one in risks:
        if one.scope_type != "authority":
            people.setdefault((one.likelihood, one.impact), Counter())[one.rule.id] += 1
    covered, total = _covered(people)
    hidden = {rule for point in covered for rule in people[point]}
    for point in people.keys() - covered:
        rules = sorted(people[point])
        hidden |= {rules[place] for place in hidden_places([people[point][rule] for rule in rules], LIMIT)}
    return RiskCounts(
        {rule: _hidden(count) if rule in hidden else counted(count, public=True) for rule, count in kinds.items()},
        {point: _hidden(count) if point in covered else counted(count, public=True) for point, count in points.items()},
        counted(len(risks), public=False) if total else SET_ASIDE,
    )


def _covered(people: Mapping[Point, Counter[str]]) -> tuple[set[Point], bool]:
    """The points whose number is left out, and whether the total can be shown beside the others."""
    covered = {point for point, rules in people.items() if not total_may_be_shown(list(rules.values()), LIMIT)}
    others = sorted(people.keys() - covered, key=lambda point: (people[point].total(), point))
    while covered and not _is_safe(people, covered):
        if not others:
            return covered, False
        covered.add(others.pop(0))
    return covered, True


def _is_safe(people: Mapping[Point, Counter[str]], covered: set[Point]) -> bool:
    """Whether the kinds at the points left out keep their small numbers, for one who knows what they come to together."""
    counts = [count for point in covered for count in people[point].values()]
    small = frozenset(place for place, count in enumerate(counts) if count < LIMIT)
    return is_safe(counts, small, range(len(counts)), LIMIT)


def _words(counts: Mapping[Key, int]) -> dict[Key, str]:
    return {key: counted(count, public=False) for key, count in counts.items()}


def _hidden(count: int) -> str:
    return HIDDEN if count <= SMALL else SET_ASIDE
