"""Findings as comma-separated values that a spreadsheet can open safely."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING

from compliance.duties.findings import Finding

if TYPE_CHECKING:
    from compliance.outputs.published import Published

COLUMNS = (
    "id",
    "rule",
    "title",
    "theme",
    "standing",
    "severity",
    "status",
    "breach",
    "authority",
    "subject_type",
    "subject_id",
    "person_id",
    "worker_id",
    "team",
    "trigger_date",
    "due_date",
    "done_date",
    "days_over",
    "message",
    "source",
)
FORMULA_STARTS = ("=", "+", "-", "@", "\t", "\r")


def written(published: Published) -> bytes:
    """The findings as CSV."""
    return findings_csv(published.findings)


def findings_csv(found: Iterable[Finding]) -> bytes:
    """One line a finding, with a heading; no cell can be taken for a formula."""
    buffer = io.StringIO()
    writer = csv.writer(buffer)
    writer.writerow(COLUMNS)
    for one in found:
        writer.writerow([harmless(value) for value in _row(one)])
    return buffer.getvalue().encode("utf-8-sig")


def findings_rows(found: Iterable[Finding]) -> Iterator[list[object]]:
    """The values of each finding, in the order of COLUMNS."""
    for one in found:
        yield _row(one)


def _row(one: Finding) -> list[object]:
    last = one.evidence[-1].place() if one.evidence else ""
    return [
        one.id,
        one.rule.id,
        one.rule.title,
        one.rule.theme,
        one.rule.standing,
        one.rule.severity,
        one.status,
        one.breach,
        one.authority,
        one.subject_type,
        one.subject_id,
        one.person_id,
        one.worker_id,
        one.team,
        one.trigger_date,
        one.due_date,
        one.done_date,
        one.days_over,
        one.message(),
        last,
    ]


def harmless(value: object) -> object:
    """The value as a cell that no spreadsheet runs: text that looks like a formula is quoted."""
    if isinstance(value, str) and value.startswith(FORMULA_STARTS):
        return "'" + value
    return "" if value is None else value
