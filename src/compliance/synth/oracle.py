"""What the oracle's rules share: rows by key, the status of one duty, the gaps of a recurring one."""

from __future__ import annotations

from bisect import bisect_left
from collections import defaultdict
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from datetime import date, datetime
from functools import cached_property
from typing import NamedTuple

from compliance.synth.world import Row

Tables = dict[str, list[Row]]


class TruthRow(NamedTuple):
    """Return one breach: a duty late, overdue or missed."""

    rule: str
    subject_id: str
    person_id: str | None
    trigger_date: date | None
    due_date: date | None
    done_date: date | None
    status: str


@dataclass
class Facts:
    """Return the tables of a council as its oracle reads them, on an as-of day."""

    tables: Tables
    as_of: date
    authority: str
    breaches: list[TruthRow] = field(default_factory=list)
    rows_by: dict[tuple[str, str], defaultdict[str | None, list[Row]]] = field(default_factory=dict)

    def all(self, table: str) -> list[Row]:
        """Return every row of a table."""
        return self.tables.get(table, [])

    def by(self, table: str, column: str, value: str | None) -> list[Row]:
        """Return the rows of a table with a value in a column; none for a blank value."""
        if value is None:
            return []
        key = (table, column)
        if key not in self.rows_by:
            found: defaultdict[str | None, list[Row]] = defaultdict(list)
            for row in self.all(table):
                found[row.get(column)].append(row)
            self.rows_by[key] = found
        return self.rows_by[key].get(value, [])

    def one(self, table: str, column: str, value: str | None) -> Row | None:
        """Return the row of a table with a value in a column, if there is one."""
        return next(iter(self.by(table, column, value)), None)

    def add(
        self, rule: str, subject: str, person: str | None, trigger: date | None, due: date | None, done: date | None, status: str
    ) -> None:
        """Record a breach."""
        self.breaches.append(TruthRow(rule, subject, person, trigger, due, done, status))

    def deadline(
        self, rule: str, subject: str, person: str | None, trigger: date, due: date, done: date | None, ceased: date | None = None
    ) -> None:
        """Record the breach of a deadline, if it was not met in time."""
        status = outcome(due, done, ceased, self.as_of)
        if status in BREACHES:
            self.add(rule, subject, person, trigger, due, done, status)

    def recurring(
        self,
        rule: str,
        subject: str,
        person: str | None,
        start: date,
        end: date | None,
        events: Iterable[date],
        due: Callable[[date, int], date],
        from_earlier: bool = False,
    ) -> None:
        """Record the breach of each over-long gap of a period; the day it ends belongs to it and opens no gap.

        Where earlier events count, the last one before the start opens the first gap, which is never due before the start.
        """
        stop = min(end or self.as_of, self.as_of)
        days = sorted(set(events))
        held = [day for day in days if start <= day <= stop]
        before = [day for day in days if day < start] if from_earlier else []
        last = before[-1] if before else start
        for number in range(len(held) + 1):
            if end is not None and number and last >= end:
                return
            done = held[number] if number < len(held) else None
            limit = max(due(last, number), start) if from_earlier else due(last, number)
            self.deadline(rule, subject, person, last, limit, done, end)
            if done is None:
                return
            last = done

    def lacking(self, rule: str, subject: str, person: str | None, day: date, ceased: date | None = None) -> None:
        """Record that something owed from a day is not there: overdue, or missed once the duty has ended on a later day."""
        self.deadline(rule, subject, person, day, day, None, ceased)

    def beforehand(
        self, rule: str, subject: str, person: str | None, day: date, events: Iterable[date | None], ceased: date | None = None
    ) -> None:
        """Record that the first of some events, by the end of the duty, did not come on or before a day."""
        known = [event for event in events if event is not None and event <= min(ceased or self.as_of, self.as_of)]
        self.deadline(rule, subject, person, day, day, min(known, default=None), ceased)

    @cached_property
    def children(self) -> dict[str, Row]:
        """Return people by id."""
        return {row["person_id"]: row for row in self.all("people")}


BREACHES = ("late", "overdue", "missed")


def outcome(due: date, done: date | None, ceased: date | None, as_of: date) -> str:
    """Return the status of one duty."""
    if done is not None:
        return "met" if done <= due else "late"
    if ceased is not None and ceased <= as_of:
        return "lapsed" if ceased <= due else "missed"
    return "overdue" if as_of > due else "due"


def day_of(value: date | datetime | None) -> date | None:
    """Return the day of a date or a time."""
    return value.date() if isinstance(value, datetime) else value


def first_from(days: Iterable[date], start: date) -> date | None:
    """Return the first of some days on or after a start."""
    ordered = sorted(days)
    place = bisect_left(ordered, start)
    return ordered[place] if place < len(ordered) else None


def names(row: Row, column: str, wanted: str) -> bool:
    """Return whether an event names this one, or none at all (reading 6)."""
    return row.get(column) in (None, wanted)


def on_or_after(days: Iterable[date | None], first: date) -> list[date]:
    """Return the days of some that are known and not before the first."""
    return [day for day in days if day is not None and day >= first]


def lasts(row: Row, day: date) -> bool:
    """Return whether something with a start and an end is in force on a day."""
    return row["start_date"] <= day and (row["end_date"] is None or row["end_date"] >= day)
