"""The worked examples that a duty rule cannot be without: met, a breach, the boundary pair, each variant and exception."""

from __future__ import annotations

import datetime
from collections.abc import Callable, Iterator, Sequence
from typing import Any

from compliance.duties.examples import Outcome
from compliance.duties.status import BREACHES
from compliance.rulebook.model import Deadline, Duty, Limit, Presence, Recurring, Rule

Row = tuple[datetime.date, dict[str, Any]]
Run = Callable[[Rule], Sequence[Outcome]]


def missing_examples(rule: Rule, outcomes: Sequence[Outcome], run: Run) -> list[str]:
    """What the examples of a rule do not show, in words; a measure or an escalation rule needs one example or more.

    `run` gives the outcomes of a rule's examples: the rule is run again without each of its exceptions.
    """
    if not rule.examples:
        return ["anything"]
    if not rule.is_duty:
        return []
    return [*_missing(rule, _shown(rule, outcomes)), *_without_effect(rule, outcomes, run)]


def _shown(rule: Rule, outcomes: Sequence[Outcome]) -> list[Row]:
    """The duties of the examples that hold, each with the as-of day of its example."""
    pairs = zip(rule.examples, outcomes, strict=True)
    return [(example.as_of, row) for example, outcome in pairs if outcome.passed for row in outcome.details]


def _missing(rule: Rule, shown: Sequence[Row]) -> Iterator[str]:
    if not any(row["status"] in _kept(rule) for _, row in shown):
        yield "a duty that is met"
    if not any(row["status"] in BREACHES for _, row in shown):
        yield "a breach"
    if _has_period(rule):
        if not any(_on_the_day(as_of, row) for as_of, row in shown):
            yield "a duty on its due day"
        if not any(_a_day_past(row) for _, row in shown):
            yield "a duty a day past it"
    for title in _titles(rule):
        if not any(row["variant"] == title for _, row in shown):
            yield f"a duty of the variant `{title}`"


def _kept(rule: Rule) -> tuple[str, ...]:
    """The statuses that show a rule kept: a state that may last so long is within its limit while it lasts."""
    return ("met", "due") if isinstance(rule.body, Limit) and rule.body.within is not None else ("met",)


def _has_period(rule: Rule) -> bool:
    """Whether time decides: a fact looked for on a day, and a measured value, have their bound in what is looked for."""
    if isinstance(rule.body, Limit | Presence):
        return rule.body.within is not None and not rule.body.settled
    return True


def _on_the_day(as_of: datetime.date, row: dict[str, Any]) -> bool:
    """Met on the last day, or not yet met at the close of it."""
    due = row["due_date"]
    return due is not None and ((row["status"] == "met" and row["done_date"] == due) or (row["status"] == "due" and as_of == due))


def _a_day_past(row: dict[str, Any]) -> bool:
    """Done, or still not done, a day past the due day, also where the rule says that such a duty is unknown."""
    done, due = row["done_date"], row["due_date"]
    return row["days_over"] == 1 or (done is not None and due is not None and (done - due).days == 1)


def _titles(rule: Rule) -> list[str]:
    """The names of the rule's variants or phases."""
    body = rule.body
    named = body.variants if isinstance(body, Deadline | Limit) else body.phases if isinstance(body, Recurring) else []
    return sorted({one.title for one in named if one.title})


def _without_effect(rule: Rule, outcomes: Sequence[Outcome], run: Run) -> Iterator[str]:
    """The exceptions, relaxations and pauses without which every example would be answered just the same."""
    for words, fewer in _lesser(rule):
        if [one.details for one in run(fewer)] == [one.details for one in outcomes]:
            yield words


def _lesser(rule: Rule) -> Iterator[tuple[str, Rule]]:
    """The rule without one of its exceptions, relaxations or pauses, and what an example of that would show."""
    body = rule.body
    assert isinstance(body, Duty)
    for exempt in body.exceptions:
        left = [one for one in body.exceptions if one is not exempt]
        yield f"the exception `{exempt.title}`", _changed(rule, exceptions=left)
    for stretch in body.relaxed:
        left_over = [one for one in body.relaxed if one is not stretch]
        yield f"the relaxation from {stretch.from_} to {stretch.to}", _changed(rule, relaxed=left_over)
    if isinstance(body, Recurring) and body.pauses is not None:
        yield "days that do not count", _changed(rule, pauses=None)


def _changed(rule: Rule, **changes: object) -> Rule:
    return rule.model_copy(update={rule.kind: rule.body.model_copy(update=changes)})
