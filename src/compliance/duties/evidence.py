"""Finding the first event that meets a duty."""

from __future__ import annotations

from dataclasses import dataclass

from compliance.duties.expressions import bind
from compliance.duties.frame import OWED, Frame
from compliance.duties.sources import Source
from compliance.rulebook.model import Event

EVENT = "e"


@dataclass(frozen=True)
class EventColumns:
    """An event's day as SQL, its time where the column is a timestamp, and its source."""

    day: str
    at: str | None
    source: Source


def event_columns(frame: Frame, event: Event) -> EventColumns:
    """The day (and time) of an event of the rule."""
    source = frame.use(event.table)
    bound = bind(event.date, source, EVENT)
    frame.reads |= bound.reads
    if bound.type == "TIMESTAMP":
        return EventColumns(f"CAST({bound.sql} AS DATE)", bound.sql, source)
    return EventColumns(bound.sql, None, source)


def window(frame: Frame, event: Event, day: str, *, from_day: str) -> str:
    """SQL that keeps an event within the days that count, the last of which is the end of the duty."""
    parts = []
    if event.after is None:
        parts.append(f"{day} >= {from_day}")
    elif event.after.strip() != "any":
        parts.append(f"{day} >= {frame.as_date(event.after, OWED)}")
    if event.until is None:
        parts.append(f"({OWED}.ceased_date IS NULL OR {day} <= {OWED}.ceased_date)")
    elif event.until.strip() != "any":
        parts.append(f"{day} <= {frame.as_date(event.until, OWED)}")
    return " AND ".join(parts) or "TRUE"


def first_event(frame: Frame, event: Event, *, from_day: str = f"{OWED}.trigger_date") -> str:
    """The CTE `evidence`: for each owed row its first qualifying event, by day and then by row."""
    columns = event_columns(frame, event)
    at = columns.at or columns.day
    where = [frame.event_condition(event.where, columns.source, EVENT), window(frame, event, columns.day, from_day=from_day)]
    return f"""evidence AS (
    SELECT n, done_date, done_at, evidence_ref FROM (
      SELECT {OWED}.n, {columns.day} AS done_date, {at} AS done_at, {EVENT}.row_ref AS evidence_ref,
        row_number() OVER (PARTITION BY {OWED}.n ORDER BY {at}, {EVENT}.row_ref) AS place
      FROM owed AS {OWED}
      JOIN {columns.source.relation} AS {EVENT} ON {frame.matching(event, columns.source, EVENT)}
      WHERE {" AND ".join(f"({part})" for part in where if part != "TRUE") or "TRUE"}
    ) AS found WHERE place = 1
  )"""
