"""A list of work as a calendar that any diary can open (RFC 5545): ids and rules, never names."""

from __future__ import annotations

import datetime
from collections.abc import Iterator

from compliance.register.worklist import Task, Worklist
from compliance.rulebook.diagnostics import printable

LINE_BYTES = 75


def calendar_bytes(found: Worklist) -> bytes:
    """The calendar: one event a duty, on the last day that is in time; one that is overdue stands on the as-of day."""
    return "".join(f"{folded(line)}\r\n" for line in _lines(found)).encode()


def _lines(found: Worklist) -> Iterator[str]:
    yield from ("BEGIN:VCALENDAR", "VERSION:2.0", "PRODID:-//compliance//worklist//EN", "CALSCALE:GREGORIAN")
    for task in found.tasks:
        yield from _event(task, found.as_of)
    yield "END:VCALENDAR"


def _event(task: Task, as_of: datetime.date) -> Iterator[str]:
    one = task.finding
    day = as_of if task.is_overdue else task.due
    state = f"overdue since {task.breach_date}" if task.is_overdue else f"a breach from {task.breach_date}"
    subject = f"child {one.person_id}" if one.person_id else f"{one.subject_type} {one.subject_id}"
    yield "BEGIN:VEVENT"
    yield f"UID:{one.id}@compliance.invalid"
    yield f"DTSTAMP:{as_of:%Y%m%d}T000000Z"
    yield f"DTSTART;VALUE=DATE:{day:%Y%m%d}"
    yield f"DTEND;VALUE=DATE:{day + datetime.timedelta(days=1):%Y%m%d}"
    yield f"SUMMARY:{escaped(f'{one.rule.id} {subject}: {state}')}"
    yield f"DESCRIPTION:{escaped(f'{one.rule.title}. Due by {task.due}, {state}. Finding {one.id}.')}"
    yield f"CATEGORIES:{escaped(one.rule.severity)}"
    yield "TRANSP:TRANSPARENT"
    yield "END:VEVENT"


def escaped(text: str) -> str:
    """The text with what means something in a calendar escaped, and no control characters."""
    clean = printable(text)
    for mark in ("\\", ";", ","):
        clean = clean.replace(mark, f"\\{mark}")
    return clean


def folded(line: str) -> str:
    """The line in pieces of at most 75 bytes, each after the first begun with a space; no character is cut."""
    pieces, size = [""], 0
    for char in line:
        width = len(char.encode())
        if size + width > LINE_BYTES:
            pieces, size = [*pieces, ""], 1
        pieces[-1] += char
        size += width
    return "\r\n ".join(pieces)
