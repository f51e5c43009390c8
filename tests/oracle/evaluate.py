"""What an answer means, in plain loops: section 3 of the design and the readings, one function for each kind of duty."""

from __future__ import annotations

import datetime
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from datetime import date
from typing import Any, NamedTuple

from .days import DAY, add

Row = dict[str, Any]
LONG_AGO = date(1900, 1, 1)


class Owed(NamedTuple):
    """One duty and its answer."""

    subject: str
    trigger: date | None
    due: date | None
    done: date | None
    status: str
    over: int | None = None


@dataclass(frozen=True)
class Dataset:
    """The tables of one council and the day on which they are judged."""

    as_of: date
    tables: dict[str, list[Row]] = field(default_factory=dict)
    history: dict[str, str] = field(default_factory=dict)

    def rows(self, table: str, **wanted: Any) -> list[Row]:
        """The rows known on the as-of day in which these columns have these values."""
        known = (known_on(self.as_of, table, row) for row in self.tables.get(table, []))
        return [row for row in known if row is not None and all(row.get(name) == value for name, value in wanted.items())]

    def row(self, table: str, **wanted: Any) -> Row | None:
        """The first such row, if there is one."""
        return next(iter(self.rows(table, **wanted)), None)

    def is_later(self, table: str, key: str, value: str, column: str) -> bool:
        """Whether a row's day is recorded but lies after the as-of day."""
        return any(row[key] == value and later(row.get(column), self.as_of) for row in self.tables[table])


HAPPENED = {
    "contacts": "received_at",
    "referrals": "referral_date",
    "meetings": "meeting_date",
    "cp_conferences": "conference_date",
    "care_plans": "plan_date",
    "pathway_plans": "plan_date",
    "looked_after_reviews": "review_date",
    "foster_carer_reviews": "review_date",
    "cp_visits": "visit_date",
    "cin_visits": "visit_date",
    "looked_after_visits": "visit_date",
    "foster_carer_visits": "visit_date",
    "care_leaver_statuses": "status_date",
    "care_leaver_contacts": "contact_date",
    "supervisions": "supervision_date",
    "panel_meetings": "meeting_date",
    "panel_members": "added_date",
    "management_decisions": "decision_date",
    "programme_events": "event_date",
    "health_checks": "check_date",
}


def known_on(as_of: date, table: str, row: Row) -> Row | None:
    """The row as it was known at the close of the day; None where it had not happened. Later days are blank."""
    if later(row.get(HAPPENED.get(table, "start_date")), as_of):
        return None
    return {name: None if later(value, as_of) else value for name, value in row.items()}


def later(value: Any, as_of: date) -> bool:
    """Whether a value is a day or time after the close of the as-of day."""
    if isinstance(value, datetime.datetime):
        return value.date() > as_of
    return isinstance(value, date) and value > as_of


def unknown(subject: str, trigger: date | None = None, done: date | None = None) -> Owed:
    """A duty that the data cannot decide, though something was done."""
    return Owed(subject, trigger, None, done, "unknown")


def judge(subject: str, trigger: date, due: date, done: date | None, ceased: date | None, as_of: date) -> Owed:
    """The status of one duty, row by row of the table in the design."""
    if done is not None and (done > as_of or (ceased is not None and done > ceased)):
        done = None
    if ceased is not None and ceased > as_of:
        ceased = None
    if done is not None:
        return _answer(subject, trigger, due, done, "met" if done <= due else "late", done)
    if ceased is not None:
        return _answer(subject, trigger, due, None, "lapsed" if ceased <= due else "missed", ceased)
    return _answer(subject, trigger, due, None, "overdue" if as_of > due else "due", as_of)


def _answer(subject: str, trigger: date, due: date, done: date | None, status: str, reached: date) -> Owed:
    over = (reached - due).days if status in ("late", "overdue", "missed") else None
    return Owed(subject, trigger, due, done, status, over)


def deadline(
    subject: str,
    trigger: date | None,
    within: str,
    done: date | None,
    as_of: date,
    ceased: date | None = None,
    *,
    may_come_before: bool = False,
) -> list[Owed]:
    """Something done within a period of a trigger. Done or ended before it began is impossible order."""
    if trigger is None:
        return [unknown(subject, None, done)]
    if trigger > as_of:
        return []
    if done is not None and done < trigger and not may_come_before:
        return [unknown(subject, trigger, done)]
    if ceased is not None and ceased < trigger:
        return [unknown(subject, trigger, done)]
    return [judge(subject, trigger, add(trigger, within), done, ceased, as_of)]


def first_on_or_after(days: Iterable[date], start: date, end: date | None = None) -> date | None:
    """The earliest of the days from the start to the end, both included."""
    found = None
    for day in days:
        if day >= start and (end is None or day <= end) and (found is None or day < found):
            found = day
    return found


Length = Callable[[date, int], str | None]


def recurring(
    subject: str,
    start: date | None,
    end: date | None,
    events: Iterable[date],
    length: str | Length,
    as_of: date,
    *,
    earlier: bool = False,
    from_first_event: bool = False,
    latest_only: bool = False,
    due_day: Callable[[date, str], date] = add,
) -> list[Owed]:
    """One duty for each gap, from the event that really happened; the gap's length is fixed by its first day and number.

    Gap 0 is the one that the trigger opens; those that events open are 1 and more.
    """
    if start is None:
        return [] if from_first_event else [unknown(subject)]
    if start > as_of:
        return []
    if end is not None and end > as_of:
        end = None
    if end is not None and end < start:
        owed = isinstance(length, str) or length(start, 0) is not None
        return [unknown(subject, start)] if owed and not from_first_event else []
    held = {day for day in events if day <= as_of}
    days = sorted(day for day in held if end is None or day <= end)
    opened, number, strict = start, 0, False
    before = [day for day in days if day < start]
    if earlier and before:
        opened, number, strict = before[-1], 1, True
    if from_first_event:
        first = first_on_or_after(days, start)
        if first is None or first == end:
            return []
        opened, number, strict = first, 1, True
    if latest_only:
        inside = [day for day in days if day >= opened]
        if inside:
            opened, number, strict = inside[-1], len(inside), True
            if opened == end:
                return []
    found = _gaps(subject, opened, end, days, length, as_of, due_day, number, strict)
    hides = latest_only and not days and bool(held)  # the one event that is held is from after the end: it hides any before it
    return [unknown(one.subject, one.trigger) if hides and one.status == "missed" else one for one in found]


def _gaps(
    subject: str,
    opened: date,
    end: date | None,
    days: list[date],
    length: str | Length,
    as_of: date,
    due_day: Callable[[date, str], date],
    number: int,
    strict: bool,
) -> list[Owed]:
    answers = []
    while True:
        closed = first_on_or_after(days, opened + DAY if strict else opened)
        allowed = length if isinstance(length, str) else length(opened, number)
        if allowed is not None:
            answers.append(judge(subject, opened, due_day(opened, allowed), closed, end, as_of))
        if closed is None or closed == end:
            return answers
        opened, number, strict = closed, number + 1, True


def holds(subject: str, day: date, is_so: bool | None, as_of: date, *, settled: bool, within: str | None = None) -> Owed:
    """Something that must be so on a day: true met, false a breach, None unknown. `settled`: the day itself decides."""
    if is_so is None:
        return unknown(subject, day)
    due = add(day, within) if within else day
    if is_so:
        return Owed(subject, day, due, None, "met")
    if settled:
        return Owed(subject, day, due, None, "missed", (as_of - due).days)
    return judge(subject, day, due, None, None, as_of)


def relaxed(due: date) -> date:
    """SI 2020/445: a duty that fell due from 24 April to 25 September 2020 is due by the last of those days."""
    return date(2020, 9, 25) if date(2020, 4, 24) <= due <= date(2020, 9, 25) else due


def names_this(row: Row, column: str, key: Any) -> bool:
    """Reading 6: a row that names another does not count; one that names none counts."""
    return row.get(column) is None or row[column] == key
