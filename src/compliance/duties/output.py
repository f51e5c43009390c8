"""The common second half of every duty rule's SQL: the columns of the table `duties`."""

from __future__ import annotations

from compliance.duties.coverage import LAST, ends
from compliance.duties.frame import Frame
from compliance.duties.sources import OWN, literal
from compliance.duties.status import COLUMNS, days_over, trusted_status


def select_duties(
    frame: Frame,
    ctes: list[str],
    status: str,
    *,
    trigger: str = "trigger_date",
    value: str = "NULL",
    bound: str = "NULL",
) -> str:
    """The rule's SELECT: the CTEs, ending in one called `timed`, and the duties that follow from them.

    `timed` has n, subject_id, trigger_date, due_date, done_date, ceased_date, unknown_because, variant, version, note,
    trigger_ref, evidence_ref and whatever the status needs.
    """
    source = frame.source
    made = {
        "rule": literal(frame.rule.id),
        "subject_type": literal(frame.body.subject or source.subject),
        "authority": OWN + "authority",
        "person_id": _column(frame, "person_id"),
        "carer_id": _column(frame, "carer_id"),
        "worker_id": "duty_worker",
        "team_id": "duty_team",
        "trigger_date": trigger,
        "due_date": f"CASE WHEN {trigger} IS NOT NULL THEN due_date END",
        "done_date": "done_date",
        "days_over": days_over(frame.context.today),
        "gap": "gap" if frame.rule.recurring else "CAST(NULL AS BIGINT)",
        "value": f"CAST({value} AS DOUBLE)",
        "bound": f"CAST({bound} AS DOUBLE)",
        "note": _note(frame),
    }
    columns = ",\n  ".join(f"{made.get(name, name)} AS {name}" for name in COLUMNS)
    body = ",\n  ".join([*ctes, *_judged(frame, status)])
    return f"WITH {body}\nSELECT {columns}\nFROM judged"


def _judged(frame: Frame, status: str) -> list[str]:
    """The CTE `judged`: each duty with its status, which is unknown where the data are too short to show a breach."""
    if not frame.cover.is_limited:
        return [f"judged AS (\n    SELECT *, {status} AS status\n    FROM timed\n  )"]
    return [
        f"decided AS (\n    SELECT *, {status} AS decided\n    FROM timed\n  )",
        f"judged AS (\n    SELECT *, {trusted_status('decided')} AS status\n    FROM decided\n  )",
    ]


def _note(frame: Frame) -> str:
    """SQL of the remarks; where the data end before the day, also that what came since is not known."""
    parts = ["unknown_because"]
    if frame.cover.is_limited:
        since = ends("what came since is not known")
        parts.append("CASE WHEN status <> decided THEN unsure_because END")
        parts.append(f"CASE WHEN status IN ('overdue', 'due') AND {LAST} < {frame.context.today} THEN {since} END")
    return f"nullif(concat_ws('; ', {', '.join(parts)}, nullif(note, '')), '')"


def _column(frame: Frame, name: str) -> str:
    return OWN + name if name in frame.source.columns else "CAST(NULL AS VARCHAR)"
