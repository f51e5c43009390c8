"""The workforce: supervision of social workers, of the newly qualified and of each case; caseloads and span."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import date

from .days import DAY, add
from .evaluate import Dataset, Owed, Row, judge, recurring, unknown

SOCIAL_WORKERS = (
    "senior_practitioner",
    "social_worker",
    "social_worker_without_cases",
    "supervising_social_worker",
    "independent_reviewing_officer",
)
COUNTING = ("personal", "case")


def _workers(data: Dataset) -> Iterator[Row]:
    for worker in data.rows("workers"):
        if worker.get("role") in SOCIAL_WORKERS:
            yield worker


def _sessions(data: Dataset, worker: Row) -> list[date]:
    rows = data.rows("supervisions", worker_id=worker["worker_id"])
    return [row["supervision_date"] for row in rows if row["supervision_kind"] in COUNTING]


def _paused(data: Dataset, worker: Row) -> Callable[[date, str], date]:
    """The due day with the worker's recorded absences left out, a day at a time; one still going on has lasted until now."""
    away: set[date] = set()
    for row in data.rows("absences", worker_id=worker["worker_id"]):
        day = row.get("start_date")
        while day is not None and day <= (row.get("end_date") or data.as_of):
            away.add(day)
            day += DAY

    def due_day(opened: date, allowed: str) -> date:
        left, day = (add(opened, allowed) - opened).days, opened
        while left > 0:
            day += DAY
            left -= day not in away
        return day

    return due_day


def _early_months(worker: Row) -> tuple[date, date | None] | None:
    """The year in which a worker is newly qualified here: its first day and, where it is over, its last."""
    if worker.get("asye_start_date") is None:
        return None
    return worker.get("start_date") or worker["asye_start_date"], worker.get("asye_end_date")


def monthly(data: Dataset) -> list[Owed]:
    """Reading 28: a month from session to session, for whoever is past the year; nothing falls due before it ends."""
    answers = []
    for worker in _workers(data):
        year, end = _early_months(worker), worker.get("end_date")
        start, since = (year[1], year[0]) if year else (worker.get("start_date"), worker.get("start_date"))
        if year and (start is None or (end is not None and end <= start)):
            continue
        sessions = [day for day in _sessions(data, worker) if since is None or day >= since]
        paused = _paused(data, worker)

        def due_day(opened: date, allowed: str, start: date | None = start, paused: Callable[..., date] = paused) -> date:
            return max(paused(opened, allowed), start or opened)

        answers += recurring(worker["worker_id"], start, end, sessions, "1 month", data.as_of, earlier=True, due_day=due_day)
    return answers


def newly_qualified(data: Dataset) -> list[Owed]:
    """A week for six weeks, two weeks to six months, then a month, to the end of the year."""
    answers = []
    for worker in _workers(data):
        year = _early_months(worker)
        if year is None:
            continue
        start = year[0]

        def length(opened: date, number: int, start: date = start) -> str:
            if opened < add(start, "6 weeks"):
                return "1 week"
            return "2 weeks" if opened < add(start, "6 months") else "1 month"

        ends = min((day for day in (year[1], worker.get("end_date")) if day is not None), default=None)
        answers += recurring(
            worker["worker_id"], start, ends, _sessions(data, worker), length, data.as_of, due_day=_paused(data, worker)
        )
    return answers


def case(data: Dataset) -> list[Owed]:
    """Four, eight or six weeks (local) by what the child is on the day the gap starts."""
    answers = []
    for allocation in data.rows("allocations", role="social_worker"):
        child, key = allocation.get("person_id"), allocation["allocation_id"]
        if child is None:
            continue
        rows = data.rows("supervisions", person_id=child, supervision_kind="case")

        def length(opened: date, number: int, child: str = child) -> str:
            if _has(data, "cp_plans", child, opened):
                return "4 weeks"
            return "8 weeks" if _has(data, "care_periods", child, opened) else "6 weeks"

        days = [row["supervision_date"] for row in rows]
        answers += recurring(key, allocation["start_date"], allocation.get("end_date"), days, length, data.as_of)
    return answers


def _has(data: Dataset, table: str, child: str, day: date) -> bool:
    """A plan or care that ended that day has ended."""
    rows = data.rows(table, person_id=child)
    return any(row["start_date"] <= day and (row.get("end_date") is None or row["end_date"] > day) for row in rows)


def _held(data: Dataset) -> dict[str, set[str]]:
    """The children allocated to each worker as social worker on the day."""
    held: dict[str, set[str]] = {}
    for row in data.rows("allocations", role="social_worker"):
        if row.get("worker_id") and row.get("person_id") and (row.get("end_date") is None or row["end_date"] > data.as_of):
            held.setdefault(row["worker_id"], set()).add(row["person_id"])
    return held


def _limit(data: Dataset, worker: Row) -> float:
    team = data.row("teams", team_id=worker["team_id"]) if worker.get("team_id") else None
    limit = team.get("caseload_limit") if team else None
    return 20 if limit is None else limit


def caseload(data: Dataset) -> list[Owed]:
    """Children for one full-time worker: the team's limit, else twenty (local)."""
    return [_caseload(data, worker, children, 1.0) for worker, children in _holders(data)]


def caseload_newly_qualified(data: Dataset) -> list[Owed]:
    """Nine tenths of it in the assessed and supported year."""
    return [_caseload(data, worker, children, 0.9) for worker, children in _holders(data) if _is_in_year(worker)]


def _is_in_year(worker: Row) -> bool:
    is_new = worker.get("is_newly_qualified") is True or worker.get("asye_start_date") is not None
    return is_new and worker.get("asye_end_date") is None


def _holders(data: Dataset) -> Iterator[tuple[Row, int]]:
    held = _held(data)
    for worker in data.rows("workers"):
        if worker["worker_id"] in held and worker.get("end_date") is None:
            yield worker, len(held[worker["worker_id"]])


def _caseload(data: Dataset, worker: Row, children: int, share: float) -> Owed:
    if not worker.get("fte"):
        return Owed(worker["worker_id"], None, None, None, "unknown")
    over = children / worker["fte"] > _limit(data, worker) * share
    return Owed(worker["worker_id"], None, None, None, "overdue" if over else "met")


def span(data: Dataset) -> list[Owed]:
    """Workers in post who name the manager as theirs: seven at most (local)."""
    reports: dict[str, int] = {}
    for worker in data.rows("workers"):
        manager = worker.get("manager_worker_id")
        if manager not in (None, worker["worker_id"]) and worker.get("end_date") is None:
            reports[manager] = reports.get(manager, 0) + 1
    answers = []
    for manager, number in sorted(reports.items()):
        row = data.row("workers", worker_id=manager)
        if row is None or row.get("end_date") is None:
            answers.append(Owed(manager, None, None, None, "overdue" if number > 7 else "met"))
    return answers


def unallocated(data: Dataset) -> list[Owed]:
    """An open episode of need has a named worker a working day after the referral (local)."""
    answers = []
    for referral in data.rows("referrals"):
        if referral.get("closed_date") is not None or referral.get("needs_no_further_action") is True:
            continue
        key, start = referral["referral_id"], referral["referral_date"]
        due = add(start, "1 working day")
        if any(_holds(row, data.as_of) for row in data.rows("allocations", person_id=referral["person_id"])):
            answers.append(Owed(key, start, due, None, "met"))
        else:
            answers.append(judge(key, start, due, None, None, data.as_of))
    return answers


def _holds(row: Row, day: date) -> bool:
    in_role = row["role"] in ("social_worker", "lead_practitioner")
    return in_role and row.get("worker_id") is not None and (row.get("end_date") is None or row["end_date"] >= day)


def progress_review(data: Dataset) -> list[Owed]:
    """The notice: a review of progress every six months until it ends or another overtakes it."""
    answers = []
    notices = data.rows("programme_events", event_kind="notice_received")
    for notice in notices:
        if notice.get("event_date") is None:
            answers.append(unknown(notice["event_id"]))
            continue
        start = notice["event_date"]
        ending = ("notice_or_direction_lifted", "direction_received", "notice_received")
        ends = [
            row["event_date"]
            for row in data.rows("programme_events")
            if row["event_kind"] in ending and row.get("event_date") is not None and row["event_date"] > start
        ]
        rows = data.rows("programme_events", event_kind="progress_review")
        days = [row["event_date"] for row in rows if row.get("event_date") is not None]
        answers += recurring(notice["event_id"], start, min(ends, default=None), days, "6 months", data.as_of)
    return answers


LAW = {
    "WF-SUPERVISION-MONTHLY": monthly,
    "WF-SUPERVISION-NQSW": newly_qualified,
    "WF-SUPERVISION-CASE": case,
    "WF-CASELOAD": caseload,
    "WF-CASELOAD-NQSW": caseload_newly_qualified,
    "WF-SPAN": span,
    "WF-UNALLOCATED": unallocated,
    "IP-REVIEW-6M": progress_review,
}
