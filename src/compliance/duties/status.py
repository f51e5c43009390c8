"""The status of a duty, decided in one place for every rule kind (design section 3)."""

from __future__ import annotations

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
    """SQL of the status of a duty met by a dated event; wants trigger_date, due_date, done_date, ceased_date, unknown_because."""
    past = past or f"{today} > due_date"
    return (
        "CASE WHEN unknown_because IS NOT NULL THEN 'unknown'"
        f" WHEN done_date IS NOT NULL AND {in_time} THEN 'met'"
        " WHEN done_date IS NOT NULL THEN 'late'"
        " WHEN ceased_date > due_date THEN 'missed'"
        " WHEN ceased_date <= due_date THEN 'lapsed'"
        f" WHEN {past} THEN 'overdue'"
        " ELSE 'due' END"
    )


def stated_status(today: str, *, settled: bool) -> str:
    """SQL of the status of a duty met by a fact without a date (`is_so`); a settled one is decided on its day."""
    missed = "WHEN TRUE THEN 'missed' " if settled else ""
    return (
        "CASE WHEN unknown_because IS NOT NULL THEN 'unknown'"
        " WHEN is_so THEN 'met' "
        f"{missed}WHEN ceased_date > due_date THEN 'missed'"
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
