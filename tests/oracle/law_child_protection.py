"""Child protection: conferences, core groups, reviews, visits and the length of a plan."""

from __future__ import annotations

from datetime import date

from .days import add
from .evaluate import (
    Dataset,
    Owed,
    Row,
    deadline,
    first_on_or_after,
    holds,
    judge,
    names_this,
    recurring,
    unknown,
)


def initial_conference(data: Dataset) -> list[Owed]:
    """Reading 10: a conference that names no enquiry answers the child's earliest enquiry still waiting."""
    held = _conferences_held(data)
    answers = []
    for enquiry in data.rows("section_47_enquiries"):
        key, start = enquiry["enquiry_id"], enquiry["start_date"]
        if enquiry.get("conference_is_not_required") is True:
            continue
        if key not in held and not _was_needed(enquiry):
            answers.append(unknown(key, start))
            continue
        answers += deadline(key, start, "15 working days", held.get(key), data.as_of)
    return answers


def _was_needed(enquiry: Row) -> bool:
    """Whether anything says that a conference was needed."""
    said = [enquiry.get("conference_decided_date"), enquiry.get("conference_requested_date")]
    return enquiry.get("conference_is_not_required") is False or any(said)


def _conferences_held(data: Dataset) -> dict[str, date]:
    held: dict[str, date] = {}
    conferences = sorted(data.rows("cp_conferences", conference_kind="initial"), key=lambda row: row["conference_date"])
    for conference in conferences:
        if conference.get("enquiry_id") is not None:
            held.setdefault(conference["enquiry_id"], conference["conference_date"])
    named = set(held)
    for conference in conferences:
        if conference.get("enquiry_id") is None:
            waiting = _waiting(data, conference, held, named)
            if waiting:
                held[waiting[0]["enquiry_id"]] = conference["conference_date"]
    return held


def _waiting(data: Dataset, conference: Row, held: dict[str, date], named: set[str]) -> list[Row]:
    waiting = [
        enquiry
        for enquiry in data.rows("section_47_enquiries", person_id=conference["person_id"])
        if enquiry["start_date"] <= conference["conference_date"]
        and enquiry.get("conference_is_not_required") is not True
        and enquiry["enquiry_id"] not in held
        and enquiry["enquiry_id"] not in named
    ]
    return sorted(waiting, key=lambda row: (row["start_date"], row["enquiry_id"]))


def quorum(data: Dataset) -> list[Owed]:
    """Recorded as quorate, or two other agencies there; what neither column says is unknown."""
    answers = []
    for conference in data.rows("cp_conferences"):
        quorate, agencies = conference.get("is_quorate"), conference.get("agencies_attending")
        blank = quorate is None and agencies is None
        is_so = None if blank else quorate is True or (agencies or 0) >= 2
        answers.append(holds(conference["conference_id"], conference["conference_date"], is_so, data.as_of, settled=True))
    return answers


def _clock(plan: Row, data: Dataset) -> date:
    """Reading 11: the transfer-in conference, else the initial conference that made the plan, else the plan's start."""
    start: date = plan["start_date"]
    theirs = [row for row in data.rows("cp_conferences", person_id=plan["person_id"]) if _is_for(row, plan)]
    transfers = [row["conference_date"] for row in theirs if row["conference_kind"] == "transfer_in"]
    initial = [row["conference_date"] for row in theirs if row["conference_kind"] == "initial"]
    return max(transfers, default=min(initial, default=start))


def _is_for(conference: Row, plan: Row) -> bool:
    if conference.get("cp_plan_id") is not None:
        return bool(conference["cp_plan_id"] == plan["cp_plan_id"])
    if plan.get("initial_conference_id") == conference["conference_id"]:
        return True
    start, end, day = plan["start_date"], plan.get("end_date"), conference["conference_date"]
    if conference["conference_kind"] == "initial":
        return bool(day == start)
    return bool(day >= start and (end is None or day <= end))


def _meetings(data: Dataset, plan: Row) -> list[date]:
    rows = data.rows("meetings", person_id=plan["person_id"], meeting_kind="core_group")
    return [row["meeting_date"] for row in rows if names_this(row, "cp_plan_id", plan["cp_plan_id"])]


def core_group_first(data: Dataset) -> list[Owed]:
    """Ten working days from the conference that made the plan."""
    answers = []
    for plan in data.rows("cp_plans"):
        clock, end = _clock(plan, data), plan.get("end_date")
        first = first_on_or_after(_meetings(data, plan), clock, end)
        answers += deadline(plan["cp_plan_id"], clock, "10 working days", first, data.as_of, end)
    return answers


def core_group_later(data: Dataset) -> list[Owed]:
    """Four weeks (local) from core group to core group."""
    answers = []
    for plan in data.rows("cp_plans"):
        clock, end, days = _clock(plan, data), plan.get("end_date"), _meetings(data, plan)
        answers += recurring(plan["cp_plan_id"], clock, end, days, "4 weeks", data.as_of, from_first_event=True)
    return answers


def review_conference(data: Dataset) -> list[Owed]:
    """Three months to the first review, six from each review held to the next."""
    answers = []
    for plan in data.rows("cp_plans"):
        rows = data.rows("cp_conferences", person_id=plan["person_id"], conference_kind="review")
        days = [row["conference_date"] for row in rows if names_this(row, "cp_plan_id", plan["cp_plan_id"])]
        answers += recurring(
            plan["cp_plan_id"],
            _clock(plan, data),
            plan.get("end_date"),
            days,
            lambda opened, number: "6 months" if number else "3 months",
            data.as_of,
        )
    return answers


def visit(data: Dataset) -> list[Owed]:
    """Ten working days (local) between visits at which the child was not said to be unseen."""
    answers = []
    for plan in data.rows("cp_plans"):
        if plan.get("is_other_authority_plan") is True:
            continue
        days = [
            row["visit_date"]
            for row in data.rows("cp_visits", person_id=plan["person_id"])
            if row.get("child_was_seen") is not False and names_this(row, "cp_plan_id", plan["cp_plan_id"])
        ]
        answers += recurring(
            plan["cp_plan_id"],
            plan["start_date"],
            plan.get("end_date"),
            days,
            "10 working days",
            data.as_of,
            latest_only=data.history.get("cp_visits") == "latest",
        )
    return answers


def two_years(data: Dataset) -> list[Owed]:
    """A plan ends by the second anniversary of its start."""
    answers = []
    for plan in data.rows("cp_plans"):
        key, start, end = plan["cp_plan_id"], plan["start_date"], plan.get("end_date")
        if end is not None and end < start:
            answers.append(unknown(key, start))
        else:
            answers.append(judge(key, start, add(start, "24 months"), end, None, data.as_of))
    return answers


LAW = {
    "CP-INITIAL-CONFERENCE": initial_conference,
    "CP-QUORUM": quorum,
    "CP-CORE-GROUP-FIRST": core_group_first,
    "CP-CORE-GROUP-LATER": core_group_later,
    "CP-REVIEW-CONFERENCE": review_conference,
    "CP-VISIT": visit,
    "CP-PLAN-TWO-YEARS": two_years,
}
