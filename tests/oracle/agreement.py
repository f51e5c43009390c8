"""Engine against oracle: the same duties, statuses, days and ids, whatever their order."""

from __future__ import annotations

import hashlib
from collections import Counter, defaultdict
from collections.abc import Callable, Sequence
from typing import Any

from hypothesis import HealthCheck, given, settings
from hypothesis.strategies import SearchStrategy

from compliance.rulebook.model import Rule

from .engine import Found, engine_answers
from .evaluate import Dataset, Owed

COUNTED: defaultdict[str, Counter[str]] = defaultdict(Counter)
"""What was compared and agreed, by rule: how many datasets, and how many answers."""

Law = Callable[[Dataset], list[Owed]]
Told = Callable[[Owed], Owed]


def as_told(owed: Owed) -> Owed:
    """What must agree: all of it, except the days of a duty that cannot be decided and how far over the others are."""
    if owed.status == "unknown":
        return Owed(owed.subject, owed.trigger, None, None, "unknown")
    return owed._replace(over=owed.over if owed.status in ("late", "overdue", "missed") else None)


def as_settled(owed: Owed) -> Owed:
    """What must agree where the day itself decides: the duty, its day and its status."""
    return as_told(owed)._replace(done=None, over=None)


def as_state(owed: Owed) -> Owed:
    """What must agree of a state on the as-of day: whose it is and how it stands."""
    return Owed(owed.subject, None, None, None, owed.status)


def assert_agreement(rule: str | Rule, law: Law, datasets: Sequence[Dataset], told: Told = as_told) -> None:
    """The engine's answers on these datasets are those of the oracle."""
    for dataset, found in zip(datasets, engine_answers(rule, datasets), strict=True):
        expected = law(dataset)
        assert in_order([one.owed for one in found], told) == in_order(expected, told), dataset
        assert_identified(rule if isinstance(rule, str) else rule.id, found)
        count(rule if isinstance(rule, str) else f"any {rule.kind}", len(expected))


def count(rule: str, answers: int) -> None:
    """Counts a dataset on which engine and oracle agreed."""
    COUNTED[rule].update(datasets=1, answers=answers)


def assert_identified(rule: str, found: Sequence[Found]) -> None:
    """Each finding has an id of its own, the digest of what it is about."""
    assert len({one.id for one in found}) == len(found), "two findings have one id"
    for one in found:
        assert one.id in digests(rule, one.council, one.owed), one


def digests(rule: str, council: str, owed: Owed) -> set[str]:
    """The ids that a finding may have: a digest of rule, council, subject and trigger, or one marked as the first of that day."""
    words = [rule, council, owed.subject, owed.trigger.isoformat() if owed.trigger else ""]
    marked = (words, *([*words, mark] for mark in ("start", "2", "3")))
    return {hashlib.sha256("|".join(each).encode()).hexdigest()[:16] for each in marked}


def in_order(answers: Sequence[Owed], told: Told) -> list[str]:
    """The answers as text, sorted, so that a difference is read as lines."""
    return sorted(_line(told(answer)) for answer in answers)


def _line(owed: Owed) -> str:
    trigger, due, done = (day.isoformat() if day else "-" for day in (owed.trigger, owed.due, owed.done))
    return f"{owed.subject} from {trigger} due {due} done {done} {owed.status} {'' if owed.over is None else owed.over}"


def explore(check: Callable[[Any], None], cases: SearchStrategy[Any], soak: int | None, share: float, least: int) -> None:
    """Runs the check on a share of the datasets asked for; without a soak the same ones every time."""
    number = least if soak is None else max(least, round(soak * share))
    quiet = [HealthCheck.too_slow, HealthCheck.data_too_large, HealthCheck.filter_too_much]

    @settings(max_examples=number, derandomize=soak is None, database=None, deadline=None, suppress_health_check=quiet)
    @given(cases)
    def agree(case: Any) -> None:
        check(case)

    agree()
