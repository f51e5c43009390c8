"""The common second half of every duty rule's SQL: what is found of each duty, and the duties as they are judged.

A rule's own SQL says what is found (`FOUND`). The status of all duties follows in one further step (`judged`).
"""

from __future__ import annotations

import re

from compliance.duties.coverage import LAST, ends
from compliance.duties.frame import NOTHING, Frame, Owed
from compliance.duties.sources import OWN, literal
from compliance.duties.status import COLUMNS, dated_status, days_over, trusted_status

FOUND = {
    "rule": "VARCHAR",
    "subject_type": "VARCHAR",
    "subject_id": "VARCHAR",
    "authority": "VARCHAR",
    "person_id": "VARCHAR",
    "carer_id": "VARCHAR",
    "worker_id": "VARCHAR",
    "team_id": "VARCHAR",
    "trigger_date": "DATE",
    "due_date": "DATE",
    "done_date": "DATE",
    "ceased_date": "DATE",
    "answer": "VARCHAR",
    "gap": "BIGINT",
    "value": "DOUBLE",
    "bound": "DOUBLE",
    "variant": "VARCHAR",
    "period": "VARCHAR",
    "version": "VARCHAR",
    "unknown_because": "VARCHAR",
    "unsure_because": "VARCHAR",
    "covers_to": "DATE",
    "note": "VARCHAR",
    "trigger_ref": "BIGINT",
    "evidence_ref": "BIGINT",
}
"""The columns of what is found, with their types. `answer` is the status where dates alone do not give it."""


def select_found(
    frame: Frame,
    owed: Owed,
    ctes: list[str],
    answer: str | None,
    *,
    trigger: str = "trigger_date",
    value: str = "NULL",
    bound: str = "NULL",
) -> str:
    """The rule's SELECT: `owed` and the CTEs that follow, the last called `timed`, and what is found of each duty.

    `timed` has subject_id, trigger_date, due_date, done_date, ceased_date, unknown_because, variant, version, note,
    trigger_ref, evidence_ref and whatever the answer needs.
    """
    made = {
        "rule": literal(frame.rule.id),
        "subject_type": literal(frame.body.subject or frame.source.subject),
        "authority": OWN + "authority",
        "person_id": _column(frame, "person_id"),
        "carer_id": _column(frame, "carer_id"),
        "worker_id": owed.carried("duty_worker"),
        "team_id": owed.carried("duty_team"),
        "trigger_date": trigger,
        "due_date": f"CASE WHEN {trigger} IS NOT NULL THEN due_date END",
        "answer": answer or NOTHING,
        "gap": "gap" if frame.rule.recurring else "CAST(NULL AS BIGINT)",
        "value": f"CAST({value} AS DOUBLE)",
        "bound": f"CAST({bound} AS DOUBLE)",
        "unsure_because": "unsure_because" if frame.cover.is_limited else NOTHING,
        "covers_to": LAST if frame.cover.is_limited else "CAST(NULL AS DATE)",
    }
    columns = ",\n  ".join(f"{made.get(name, name)} AS {name}" for name in FOUND)
    rest = ",\n  ".join(ctes) + f"\nSELECT {columns}\nFROM timed"
    return f"WITH {owed.sql(_own_columns(rest))},\n  {rest}"


def _own_columns(sql: str) -> set[str]:
    """The columns of the subject that the SQL reads, under the names that it reads them by."""
    return set(re.findall(rf"\b{OWN}\w+", sql))


def _column(frame: Frame, name: str) -> str:
    return OWN + name if name in frame.source.columns else NOTHING


def judged(found: str, today: str) -> str:
    """The SELECT of the duties, with the columns of the table `duties`, over a relation of what was found."""
    known = f"WHEN answer IS NOT NULL THEN answer ELSE {dated_status(today)}"
    decided = f"CASE WHEN unknown_because IS NOT NULL THEN 'unknown' {known} END"
    made = {"days_over": days_over(today), "note": _note(today)}
    columns = ",\n  ".join(f"{made.get(name, name)} AS {name}" for name in COLUMNS)
    return f"""SELECT {columns}
FROM (
  SELECT *, {trusted_status("decided")} AS status
  FROM (SELECT *, {decided} AS decided FROM {found}) AS decisions
) AS judgements"""


def _note(today: str) -> str:
    """SQL of the remarks; where the data end before the day, also that what came since is not known."""
    doubt = "CASE WHEN status <> decided THEN unsure_because END"
    since = f"CASE WHEN status IN ('overdue', 'due') AND {LAST} < {today} THEN {ends('what came since is not known')} END"
    return f"nullif(concat_ws('; ', unknown_because, {doubt}, {since}, nullif(note, '')), '')"
