"""The oracle for the employer standards: length of supervision, supervisors, team limits, changes of worker, registration."""

from datetime import date

from compliance.synth import dates
from compliance.synth.oracle import Facts
from compliance.synth.truth_carers import done
from compliance.synth.truth_workforce import SUPERVISED
from compliance.synth.world import Row

LEAST_MINUTES = 90
MOST_WORKERS = 2
HOLDS_CASES = (
    "assessment",
    "child_protection_and_court",
    "children_in_need",
    "children_with_disabilities",
    "children_in_care",
    "care_leavers",
)
LIMITS_FROM = date(2014, 5, 1)


def sessions(facts: Facts) -> None:
    """Record personal supervision that was shorter than an hour and a half, or interrupted."""
    for row in facts.all("supervisions"):
        if row["supervision_kind"] != "personal":
            continue
        subject, day = row["supervision_id"], row["supervision_date"]
        if row["duration_minutes"] is not None and row["duration_minutes"] < LEAST_MINUTES:
            facts.add("WF-SUPERVISION-LENGTH", subject, None, day, day, None, "missed")
        if row["was_uninterrupted"] is False:
            facts.add("WF-SUPERVISION-UNINTERRUPTED", subject, None, day, day, None, "missed")


def supervisors(facts: Facts) -> None:
    """Record team managers without the practice supervisor standard."""
    for row in facts.all("workers"):
        is_lacking = not done(facts, "worker", row["worker_id"], "practice_supervisor_standard")
        if row["role"] == "first_line_manager" and is_lacking:
            facts.lacking("WF-SUPERVISOR-STANDARD", row["worker_id"], None, row["start_date"], row["end_date"])


def team_limits(facts: Facts) -> None:
    """Record teams that hold cases and have no limit."""
    for row in facts.all("teams"):
        if row["service"] in HOLDS_CASES and row["caseload_limit"] is None:
            facts.lacking("WF-BENCHMARK-TEAM", row["team_id"], None, LIMITS_FROM)


def changes(facts: Facts) -> None:
    """Record looked-after children who had more than two social workers in the twelve months to the as-of day."""
    since = dates.months_after(facts.as_of, -12)
    for row in facts.all("care_periods"):
        if row["end_date"] is not None or row["is_short_break_series"] is True:
            continue
        workers = {
            held["worker_id"]
            for held in facts.by("allocations", "person_id", row["person_id"])
            if held["role"] == "social_worker" and held["worker_id"] and (held["end_date"] is None or held["end_date"] > since)
        }
        if len(workers) > MOST_WORKERS:
            facts.lacking("WF-WORKER-CHANGES", row["person_id"], row["person_id"], row["start_date"])


def registration(facts: Facts) -> None:
    """Record social workers whose registration was not looked at for twelve months, counted from the last time."""
    for row in facts.all("workers"):
        if row["role"] not in SUPERVISED or row["start_date"] is None:
            continue
        facts.recurring(
            "WF-REGISTRATION-CHECK",
            row["worker_id"],
            None,
            row["start_date"],
            row["end_date"],
            done(facts, "worker", row["worker_id"], "registration"),
            lambda last, _: dates.months_after(last, 12),
            from_earlier=True,
        )


def alone(facts: Facts) -> None:
    """Record new social workers, six months in, who held a child on a plan or before the court with no co-worker."""
    for worker in facts.all("workers"):
        begun = worker["asye_start_date"]
        if begun is None or worker["start_date"] is None:
            continue
        for row in facts.by("allocations", "worker_id", worker["worker_id"]):
            times = _risky_times(facts, row, max(begun, worker["start_date"]))
            if row["role"] == "social_worker" and times:
                _without_co_worker(facts, row, min(start for start, _ in times), max(end for _, end in times))


def _risky_times(facts: Facts, row: Row, begun: date) -> list[tuple[date, date]]:
    """Return each time in which a child was held in a worker's first six months while on a plan or before the court."""
    last = dates.days_after(dates.months_after(begun, 6), -1)
    plans = [(each["start_date"], each["end_date"]) for each in facts.by("cp_plans", "person_id", row["person_id"])]
    court = [(each["issue_date"], each["final_order_date"]) for each in facts.by("proceedings", "person_id", row["person_id"])]
    times = [
        (max(row["start_date"], begun, start), min(day for day in (row["end_date"], end, last) if day is not None))
        for start, end in plans + court
        if start is not None
    ]
    return [(start, end) for start, end in times if start <= end]


def _without_co_worker(facts: Facts, row: Row, start: date, end: date) -> None:
    """Record an allocation of a child at risk beside which nobody else was a co-worker from its first day on."""
    is_shared = any(
        other["role"] == "co_worker"
        and other["worker_id"] not in (None, row["worker_id"])
        and (other["end_date"] is None or other["end_date"] >= start)
        for other in facts.by("allocations", "person_id", row["person_id"])
    )
    if not is_shared and start <= facts.as_of:
        ended = end if end <= facts.as_of else None
        facts.lacking("WF-ASYE-CO-WORKER", row["allocation_id"], row["person_id"], start, ended)


RULES = {
    sessions: ["WF-SUPERVISION-LENGTH", "WF-SUPERVISION-UNINTERRUPTED"],
    supervisors: ["WF-SUPERVISOR-STANDARD"],
    team_limits: ["WF-BENCHMARK-TEAM"],
    changes: ["WF-WORKER-CHANGES"],
    registration: ["WF-REGISTRATION-CHECK"],
    alone: ["WF-ASYE-CO-WORKER"],
}
