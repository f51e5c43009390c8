"""What is overdue and what falls due soon, for those who have to do it."""

from __future__ import annotations

import datetime
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any, Literal

from compliance.calendar import DAY, Duration, add
from compliance.duties.findings import Finding, Selection, findings
from compliance.rulebook.model import SEVERITIES
from compliance.run import Run

By = Literal["team", "worker", "child"]


@dataclass(frozen=True)
class Task:
    """One duty to do: overdue, or due by a day; the day after which it is a breach."""

    finding: Finding

    @property
    def due(self) -> datetime.date:
        """The last day that is in time."""
        assert self.finding.due_date is not None
        return self.finding.due_date

    @property
    def breach_date(self) -> datetime.date:
        """The day on which it is a breach if it is still not done."""
        return self.due + DAY

    @property
    def is_overdue(self) -> bool:
        """Whether it is a breach already."""
        return self.finding.status == "overdue"

    def owner(self, by: By) -> str:
        """Whose list it stands on."""
        one = self.finding
        match by:
            case "team":
                return one.team or "no team"
            case "worker":
                return one.worker_id or "no worker"
            case "child":
                return one.person_id or f"{one.subject_type} {one.subject_id}"


@dataclass(frozen=True)
class Worklist:
    """The tasks, by owner and day, up to a last day."""

    as_of: datetime.date
    working_days: int
    last: datetime.date
    by: By
    tasks: tuple[Task, ...]

    def groups(self) -> list[tuple[str, list[Task]]]:
        """The tasks of each owner, in the order of their names."""
        found: dict[str, list[Task]] = {}
        for task in self.tasks:
            found.setdefault(task.owner(self.by), []).append(task)
        return sorted(found.items())


def worklist(run: Run, working_days: int, selection: Selection) -> list[Finding]:
    """The duties overdue, and those due within so many working days of the as-of day, soonest first."""
    last = last_day(run.as_of, working_days)
    found = findings(run.evaluation, selection)
    kept = [one for one in found if one.due_date is not None and (one.status == "overdue" or one.due_date <= last)]
    return sorted(kept, key=lambda one: (one.due_date, -SEVERITIES.index(one.rule.severity), one.rule.id, one.id))


def last_day(as_of: datetime.date, working_days: int) -> datetime.date:
    """The last day looked ahead to: that many working days after the as-of day."""
    return add(as_of, Duration(working_days, "working_days")) if working_days else as_of


def as_worklist(run: Run, working_days: int, by: By, found: Sequence[Finding]) -> Worklist:
    """The findings as a list of work."""
    return Worklist(run.as_of, working_days, last_day(run.as_of, working_days), by, tuple(Task(one) for one in found))


def worklist_document(found: Worklist) -> dict[str, Any]:
    """What `worklist --format json` gives."""
    return {
        "schema_version": "1.0",
        "as_of": found.as_of,
        "working_days": found.working_days,
        "to": found.last,
        "by": found.by,
        "overdue": sum(one.is_overdue for one in found.tasks),
        "due": sum(not one.is_overdue for one in found.tasks),
        "groups": [
            {"name": name, "overdue": sum(one.is_overdue for one in tasks), "tasks": [_task(one) for one in tasks]}
            for name, tasks in found.groups()
        ],
    }


def _task(one: Task) -> dict[str, Any]:
    finding = one.finding
    return {
        "id": finding.id,
        "rule": finding.rule.id,
        "title": finding.rule.title,
        "severity": finding.rule.severity,
        "status": finding.status,
        "due_date": one.due,
        "breach_date": one.breach_date,
        "days_over": finding.days_over,
        "subject": {"type": finding.subject_type, "id": finding.subject_id},
        "person_id": finding.person_id,
        "worker_id": finding.worker_id,
        "team": finding.team,
        "message": finding.message(),
        "waived": {
            "reason": finding.waived.reason,
            "approver": finding.waived.approver,
            "expires": finding.waived.expires,
        }
        if finding.waived
        else None,
    }


def rows(found: Worklist) -> Iterable[tuple[object, ...]]:
    """The list as rows for a spreadsheet, after a heading."""
    yield (
        "list",
        "status",
        "due_date",
        "breach_date",
        "severity",
        "rule",
        "title",
        "subject_type",
        "subject_id",
        "child",
        "worker",
        "id",
    )
    for name, tasks in found.groups():
        for task in tasks:
            one = task.finding
            head = (name, one.status, task.due, task.breach_date, one.rule.severity, one.rule.id, one.rule.title)
            yield (*head, one.subject_type, one.subject_id, one.person_id, one.worker_id, one.id)
