"""The items of the improvement programme and how each stands: done, in progress, overdue or rescheduled."""

from __future__ import annotations

import datetime
from dataclasses import dataclass

from compliance.outputs.wording import day, spoken
from compliance.run import Run


@dataclass(frozen=True)
class Item:
    """One item with its state in words and the date that goes with it."""

    id: str
    kind: str
    title: str
    status: str
    due: datetime.date | None
    completed: datetime.date | None
    planned: datetime.date | None
    as_of: datetime.date

    @property
    def state(self) -> str:
        """`done`, `in progress`, `overdue`, `rescheduled`, or what the data says of it."""
        if self.completed or self.status == "completed":
            return "done"
        if self.status == "cancelled":
            return "cancelled"
        if self.due and self.planned and self.planned > self.due:
            return "rescheduled"
        if self.due and self.due < self.as_of:
            return "overdue"
        return spoken(self.status)

    @property
    def when(self) -> str:
        """The date that matters: when it was done, is planned for, or is due."""
        if self.completed:
            return f"done {day(self.completed)}"
        if self.state == "done":
            return ""
        if self.state == "rescheduled":
            return f"due {day(self.due)}, now planned for {day(self.planned)}"
        return f"due {day(self.due)}" if self.due else "no date"


def items(run: Run, *kinds: str) -> list[Item]:
    """The items of these kinds in the order of the data."""
    rows = run.evaluation.connection.execute(
        "SELECT replace(i.item_id, i.authority || '/', ''), i.item_kind, i.title, i.status, i.due_date, i.completed_date,"
        " max(CASE WHEN e.event_date IS NULL THEN e.planned_date END)"
        " FROM known.programme_items AS i LEFT JOIN known.programme_events AS e"
        " ON e.item_id = i.item_id AND e.authority = i.authority"
        " WHERE list_contains(?::VARCHAR[], i.item_kind) GROUP BY ALL ORDER BY min(i.row_ref)",
        [list(kinds)],
    ).fetchall()
    return [
        Item(name, kind, title, status, due, done, planned, run.as_of) for name, kind, title, status, due, done, planned in rows
    ]
