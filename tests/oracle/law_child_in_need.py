"""Children in need: the plan after an assessment, its first meeting, visits and reviews."""

from __future__ import annotations

from datetime import date

from .evaluate import Dataset, Owed, Row, deadline, first_on_or_after, names_this, recurring, unknown


def _found_in_need(data: Dataset) -> list[Row]:
    """Authorised assessments that found services are needed, or do not say."""
    rows = data.rows("assessments")
    return [row for row in rows if row.get("authorised_date") is not None and row.get("services_are_needed") is not False]


def plan(data: Dataset) -> list[Owed]:
    """A child in need plan, a protection plan or care in force on the day, or begun within ten working days (local)."""
    answers = []
    for assessment in _found_in_need(data):
        key, day = assessment["assessment_id"], assessment["authorised_date"]
        if assessment.get("services_are_needed") is None:
            answers.append(unknown(key, day))
        else:
            planned = _first_planned(data, assessment["person_id"], day)
            answers += deadline(key, day, "10 working days", planned, data.as_of)
    return answers


def _first_planned(data: Dataset, person: str, day: date) -> date | None:
    spans = [row for table in ("cin_plans", "cp_plans", "care_periods") for row in data.rows(table, person_id=person)]
    begun = [
        max(day, span["start_date"])
        for span in spans
        if span.get("end_date") is None or (span["end_date"] >= day and span["end_date"] >= span["start_date"])
    ]
    return min(begun, default=None)


def first_meeting(data: Dataset) -> list[Owed]:
    """The first planning meeting on or after the authorisation, within ten working days (local)."""
    answers = []
    for assessment in _found_in_need(data):
        key, day = assessment["assessment_id"], assessment["authorised_date"]
        if assessment.get("services_are_needed") is None:
            answers.append(unknown(key, day))
            continue
        rows = data.rows("meetings", person_id=assessment["person_id"], meeting_kind="cin_planning_meeting")
        met = first_on_or_after([row["meeting_date"] for row in rows], day)
        answers += deadline(key, day, "10 working days", met, data.as_of)
    return answers


def visit(data: Dataset) -> list[Owed]:
    """Twenty working days (local); a visit made for a private fostering arrangement is another's."""
    answers = []
    for plan in data.rows("cin_plans"):
        days = [
            row["visit_date"]
            for row in data.rows("cin_visits", person_id=plan["person_id"])
            if row.get("child_was_seen") is not False and row.get("arrangement_id") is None
        ]
        answers += recurring(
            plan["cin_plan_id"],
            plan["start_date"],
            plan.get("end_date"),
            days,
            "20 working days",
            data.as_of,
            latest_only=data.history.get("cin_visits") == "latest",
        )
    return answers


def review(data: Dataset) -> list[Owed]:
    """Six weeks (local) from the plan's start, and from review to review."""
    answers = []
    for plan in data.rows("cin_plans"):
        key = plan["cin_plan_id"]
        rows = data.rows("meetings", person_id=plan["person_id"], meeting_kind="cin_review")
        days = [row["meeting_date"] for row in rows if names_this(row, "cin_plan_id", key)]
        answers += recurring(key, plan["start_date"], plan.get("end_date"), days, "6 weeks", data.as_of)
    return answers


LAW = {
    "CIN-PLAN": plan,
    "CIN-FIRST-MEETING": first_meeting,
    "CIN-VISIT": visit,
    "CIN-REVIEW": review,
}
