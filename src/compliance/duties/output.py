"""The common second half of every duty rule's SQL: the columns of the table `duties`."""

from __future__ import annotations

from compliance.duties.frame import Frame
from compliance.duties.sources import OWN, literal
from compliance.duties.status import COLUMNS, days_over


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
        "note": "nullif(concat_ws('; ', unknown_because, nullif(note, '')), '')",
    }
    columns = ",\n  ".join(f"{made.get(name, name)} AS {name}" for name in COLUMNS)
    body = ",\n  ".join(ctes)
    judged = f"judged AS (\n    SELECT *, {status} AS status\n    FROM timed\n  )"
    return f"WITH {body},\n  {judged}\nSELECT {columns}\nFROM judged"


def _column(frame: Frame, name: str) -> str:
    return OWN + name if name in frame.source.columns else "CAST(NULL AS VARCHAR)"
