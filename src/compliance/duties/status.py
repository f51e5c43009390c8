"""The status of a duty, decided in one place for every rule kind (design section 3)."""

from __future__ import annotations

from collections.abc import Container

from compliance.duties.coverage import LAST, ends

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
COLUMNS = (
    "rule",
    "subject_type",
    "subject_id",
    "authority",
    "person_id",
    "carer_id",
    "worker_id",
    "team_id",
    "trigger_date",
    "due_date",
    "done_date",
    "ceased_date",
    "status",
    "days_over",
    "gap",
    "value",
    "bound",
    "variant",
    "period",
    "version",
    "note",
    "trigger_ref",
    "evidence_ref",
)
STATUSES = ("overdue", "missed", "late", "unknown", "due", "met", "lapsed")
BREACHES = {"overdue": "open", "missed": "closed", "late": "closed"}


def dated_status(today: str, *, in_time: str = "done_date <= due_date", past: str | None = None) -> str:
    """SQL of the status, where it can be decided, of a duty met by a dated event; wants due_date, done_date and ceased_date."""
    past = past or f"{today} > due_date"
    return (
        f"CASE WHEN done_date IS NOT NULL AND {in_time} THEN 'met'"
        " WHEN done_date IS NOT NULL THEN 'late'"
        " WHEN ceased_date > due_date THEN 'missed'"
        " WHEN ceased_date <= due_date THEN 'lapsed'"
        f" WHEN {past} THEN 'overdue'"
        " ELSE 'due' END"
    )


def stated_status(today: str, *, settled: bool) -> str:
    """SQL of the status, where it can be decided, of a duty met by a fact without a date (`is_so`).

    A settled one is decided on its day.
    """
    if settled:
        return "CASE WHEN is_so THEN 'met' ELSE 'missed' END"
    return (
        "CASE WHEN is_so THEN 'met'"
        " WHEN ceased_date > due_date THEN 'missed'"
        " WHEN ceased_date <= due_date THEN 'lapsed'"
        f" WHEN {today} > due_date THEN 'overdue'"
        " ELSE 'due' END"
    )


def trusted_status(decided: str) -> str:
    """SQL of the status where the data are of one stretch of time: a breach they cannot show (`unsure_because`) is unknown."""
    return f"CASE WHEN {decided} IN {tuple(BREACHES)} AND unsure_because IS NOT NULL THEN 'unknown' ELSE {decided} END"


def days_over(today: str) -> str:
    """SQL of how many days past the due date the duty was met, ended or stands; 0 where it is no breach, NULL where unknown."""
    return (
        "CASE status WHEN 'late' THEN date_diff('day', due_date, done_date)"
        " WHEN 'missed' THEN date_diff('day', due_date, coalesce(ceased_date, due_date))"
        f" WHEN 'overdue' THEN date_diff('day', due_date, {today})"
        " WHEN 'unknown' THEN NULL ELSE 0 END"
    )


def whole(found: str, columns: Container[str], alias: str = "whole") -> str:
    """SQL of a relation of what is found with every column: those that it does not have are blank."""
    blanks = [f"CAST(NULL AS {kind}) AS {name}" for name, kind in FOUND.items() if name not in columns]
    return f"(SELECT {', '.join(['*', *blanks])} FROM {found}) AS {alias}"


def judged(found: str, today: str) -> str:
    """The SELECT of the duties, with the columns of the table `duties`, over a relation of what was found."""
    decided = f"CASE WHEN unknown_because IS NOT NULL THEN 'unknown' ELSE coalesce(answer, {dated_status(today)}) END"
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
