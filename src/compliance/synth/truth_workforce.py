"""The oracle for supervision, caseloads and spans of control, written from the employer standards and the readings."""

from collections import Counter
from collections.abc import Iterable
from datetime import date

from compliance.synth import dates
from compliance.synth.oracle import Facts, lasts
from compliance.synth.world import Row

SUPERVISED = {
    "senior_practitioner",
    "social_worker",
    "social_worker_without_cases",
    "supervising_social_worker",
    "independent_reviewing_officer",
}
DEFAULT_CASELOAD, DEFAULT_SPAN, NEWLY_QUALIFIED_SHARE = 20.0, 7, 0.9


def _sessions(facts: Facts, worker: Row) -> list[date]:
    """Return the days on which a worker had personal or case supervision."""
    rows = facts.by("supervisions", "worker_id", worker["worker_id"])
    return sorted({row["supervision_date"] for row in rows if row["supervision_kind"] in ("personal", "case")})


def monthly(facts: Facts) -> None:
    """Record months without supervision, the assessed and supported year apart; absence pauses the clock (reading 28)."""
    for worker in facts.all("workers"):
        if worker["role"] not in SUPERVISED or worker["start_date"] is None:
            continue
        start = worker["asye_end_date"] if worker["asye_start_date"] else worker["start_date"]
        if start is not None and start <= facts.as_of and (worker["end_date"] is None or start < worker["end_date"]):
            _monthly(facts, worker, start)


def _monthly(facts: Facts, worker: Row, start: date) -> None:
    """Record the over-long gaps of one worker from a day; the last session before it opens the first."""
    subject, end = worker["worker_id"], worker["end_date"]
    away = facts.by("absences", "worker_id", subject)
    held = _sessions(facts, worker)
    begun = max((day for day in held if day < start), default=start)

    def due(last: date, _: int) -> date:
        return max(start, _paused(away, last, dates.months_after(last, 1), facts.as_of))

    facts.recurring("WF-SUPERVISION-MONTHLY", subject, None, begun, end, [day for day in held if day >= start], due)


def _paused(absences: Iterable[Row], first: date, due: date, as_of: date) -> date:
    """Return the due day moved on by one for each day of absence after the first and up to the day itself."""
    spells = [(row["start_date"], row["end_date"] or as_of) for row in absences]
    day = dates.days_after(first, 1)
    while day <= due:
        if any(start <= day <= end for start, end in spells):
            due = dates.days_after(due, 1)
        day = dates.days_after(day, 1)
    return due


def newly_qualified(facts: Facts) -> None:
    """Record gaps in the supervision of newly qualified social workers: a week, two weeks, then a month."""
    for worker in facts.all("workers"):
        begun = worker["asye_start_date"]
        if begun is None:
            continue
        ends = [day for day in (worker["asye_end_date"], worker["end_date"]) if day]

        def due(last: date, _: int, begun: date = begun) -> date:
            if last < dates.days_after(begun, 42):
                return dates.days_after(last, 7)
            return dates.days_after(last, 14) if last < dates.months_after(begun, 6) else dates.months_after(last, 1)

        facts.recurring(
            "WF-SUPERVISION-NQSW", worker["worker_id"], None, begun, min(ends, default=None), _sessions(facts, worker), due
        )


def case_supervision(facts: Facts) -> None:
    """Record children not discussed in supervision for four weeks on a plan, eight in care, six otherwise."""
    discussed: dict[str, list[date]] = {}
    for row in facts.all("supervisions"):
        if row["supervision_kind"] == "case" and row["person_id"]:
            discussed.setdefault(row["person_id"], []).append(row["supervision_date"])
    for row in facts.all("allocations"):
        person = row["person_id"]
        if row["role"] != "social_worker" or person is None or row["worker_id"] is None:
            continue
        plans, care = facts.by("cp_plans", "person_id", person), facts.by("care_periods", "person_id", person)

        def due(last: date, _: int, plans: list[Row] = plans, care: list[Row] = care) -> date:
            weeks = 4 if any(lasts(plan, last) for plan in plans) else 8 if any(lasts(period, last) for period in care) else 6
            return dates.days_after(last, 7 * weeks)

        facts.recurring(
            "WF-SUPERVISION-CASE",
            row["allocation_id"],
            person,
            row["start_date"],
            row["end_date"],
            discussed.get(person, []),
            due,
        )


def caseloads(facts: Facts) -> None:
    """Record workers who hold more children, for their hours, than the limit of their team."""
    held: dict[str, set[str]] = {}
    for row in facts.all("allocations"):
        if row["role"] == "social_worker" and row["person_id"] and row["worker_id"] and lasts(row, facts.as_of):
            held.setdefault(row["worker_id"], set()).add(row["person_id"])
    for worker_id, children in sorted(held.items()):
        worker = facts.one("workers", "worker_id", worker_id)
        if worker is None or not worker["fte"]:
            continue
        team = facts.one("teams", "team_id", worker["team_id"]) or {}
        limit = team.get("caseload_limit") or DEFAULT_CASELOAD
        load = len(children) / worker["fte"]
        if load > limit + 1e-9:
            facts.add("WF-CASELOAD", worker_id, None, facts.as_of, facts.as_of, None, "overdue")
        if _in_first_year(worker, facts.as_of) and load > NEWLY_QUALIFIED_SHARE * limit + 1e-9:
            facts.add("WF-CASELOAD-NQSW", worker_id, None, facts.as_of, facts.as_of, None, "overdue")


def _in_first_year(worker: Row, day: date) -> bool:
    """Return whether a worker is in the assessed and supported year on a day."""
    begun, ended = worker["asye_start_date"], worker["asye_end_date"]
    return begun is not None and begun <= day and (ended is None or ended >= day)


def spans(facts: Facts) -> None:
    """Record managers with more than seven people answering to them."""
    current = [row for row in facts.all("workers") if row["end_date"] is None or row["end_date"] >= facts.as_of]
    reports = Counter(row["manager_worker_id"] for row in current if row["manager_worker_id"])
    for worker_id, number in sorted(reports.items()):
        if number > DEFAULT_SPAN:
            facts.add("WF-SPAN", worker_id, None, facts.as_of, facts.as_of, None, "overdue")


def unallocated(facts: Facts) -> None:
    """Record open referrals whose child has no social worker or lead practitioner."""
    for row in facts.all("referrals"):
        if row["closed_date"] is not None and row["closed_date"] <= facts.as_of:
            continue
        held = [
            each
            for each in facts.by("allocations", "person_id", row["person_id"])
            if each["role"] in ("social_worker", "lead_practitioner") and lasts(each, facts.as_of)
        ]
        due = dates.working_days_after(row["referral_date"], 1)
        if not held and facts.as_of > due:
            facts.add("WF-UNALLOCATED", row["referral_id"], row["person_id"], row["referral_date"], due, None, "overdue")


RULES = {
    monthly: ["WF-SUPERVISION-MONTHLY"],
    newly_qualified: ["WF-SUPERVISION-NQSW"],
    case_supervision: ["WF-SUPERVISION-CASE"],
    caseloads: ["WF-CASELOAD", "WF-CASELOAD-NQSW"],
    spans: ["WF-SPAN"],
    unallocated: ["WF-UNALLOCATED"],
}
