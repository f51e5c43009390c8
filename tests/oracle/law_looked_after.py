"""Looked-after children: reviews, health, teeth, plans and the reviewing officer."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date

from .days import add, back, birthday
from .evaluate import Dataset, Owed, Row, deadline, first_on_or_after, judge, names_this, recurring, relaxed, unknown

ASSESSMENTS = ("initial_health_assessment", "review_health_assessment", "health_assessment")


def _periods(data: Dataset) -> Iterator[Row]:
    """Periods of care, series of short breaks apart."""
    for period in data.rows("care_periods"):
        if period.get("is_short_break_series") is not True:
            yield period


def review(data: Dataset) -> list[Owed]:
    """Regulation 33: 20 working days, three months, then six; from the review that was held (reading 19)."""
    answers = []
    for period in _periods(data):
        key = period["care_period_id"]
        days = [
            row["review_date"]
            for row in data.rows("looked_after_reviews", person_id=period["person_id"], review_kind="looked_after")
            if row.get("was_cancelled") is not True and names_this(row, "care_period_id", key)
        ]
        answers += recurring(
            key,
            period["start_date"],
            period.get("end_date"),
            days,
            lambda opened, number: ("20 working days", "3 months", "6 months")[min(number, 2)],
            data.as_of,
            due_day=lambda opened, allowed: relaxed(add(opened, allowed)),
        )
    return answers


def _checks(data: Dataset, person: str, kinds: tuple[str, ...], status: str) -> list[Row]:
    rows = data.rows("health_checks", person_id=person, status=status)
    return [row for row in rows if row["check_kind"] in kinds and row.get("check_date") is not None]


def _first_by_doctor(data: Dataset, period: Row) -> date | None:
    """Reading 20: by a doctor (a blank may be one), from three months before care began."""
    rows = _checks(data, period["person_id"], ASSESSMENTS, "completed")
    days = [row["check_date"] for row in rows if row.get("was_by_doctor") is not False]
    return first_on_or_after(days, back(period["start_date"], "3 months"), period.get("end_date"))


def health_first(data: Dataset) -> list[Owed]:
    """The first assessment by the day the first review is due; the child's refusal ends the duty."""
    answers = []
    for period in _periods(data):
        key, start, end = period["care_period_id"], period["start_date"], period.get("end_date")
        refused = [row["check_date"] for row in _checks(data, period["person_id"], ASSESSMENTS, "refused")]
        if end is not None and end < start:
            answers.append(unknown(key, start))
            continue
        refusal = first_on_or_after(refused, start, end)
        ceased = min((day for day in (refusal, end) if day is not None), default=None)
        done = _first_by_doctor(data, period)
        answers.append(judge(key, start, add(start, "20 working days"), done, ceased, data.as_of))
    return answers


def health_review(data: Dataset) -> list[Owed]:
    """Six months under five, else twelve, from assessment to assessment; a refusal answers its interval."""
    answers = []
    for period in _periods(data):
        first, person = _first_by_doctor(data, period), data.row("people", person_id=period["person_id"])
        if first is None:
            continue
        birth = person.get("birth_date") if person else None
        rows = [row for status in ("completed", "refused") for row in _checks(data, period["person_id"], ASSESSMENTS, status)]
        days = [row["check_date"] for row in rows]
        found = _intervals(data, period, first, birthday(birth, 5) if birth else first, days)
        answers += found if birth else [unknown(owed.subject, owed.trigger) for owed in found]
    return answers


def _intervals(data: Dataset, period: Row, first: date, fifth: date, days: list[date]) -> list[Owed]:
    later = [day for day in days if day > first]
    return recurring(
        period["care_period_id"],
        first,
        period.get("end_date"),
        [first, *later],
        lambda opened, number: "6 months" if opened < fifth else "12 months",
        data.as_of,
        from_first_event=True,
    )


def dental(data: Dataset) -> list[Owed]:
    """Twelve months from the start of care, then from check to check."""
    answers = []
    for period in _periods(data):
        days = [row["check_date"] for row in _checks(data, period["person_id"], ("dental_check",), "completed")]
        key, start, end = period["care_period_id"], period["start_date"], period.get("end_date")
        answers += recurring(key, start, end, days, "12 months", data.as_of)
    return answers


def care_plan(data: Dataset) -> list[Owed]:
    """A care plan made before the first placement, or within ten working days of its start."""
    answers = []
    for period in _periods(data):
        key, person = period["care_period_id"], period["person_id"]
        rows = data.rows("placements", person_id=person)
        placed = min((row["start_date"] for row in rows if _belongs(row, period)), default=None)
        plans = [
            row for row in data.rows("care_plans", person_id=person, plan_kind="care_plan") if _may_be_for(row, period, data)
        ]
        made = min((row["plan_date"] for row in plans), default=None)
        answers += deadline(key, placed, "10 working days", made, data.as_of, period.get("end_date"), may_come_before=True)
    return answers


def _belongs(row: Row, period: Row) -> bool:
    """Whether a placement is of this period: it says so, or says nothing and began in it."""
    if row.get("care_period_id") is not None:
        return bool(row["care_period_id"] == period["care_period_id"])
    end = period.get("end_date")
    return bool(row["start_date"] >= period["start_date"] and (end is None or row["start_date"] <= end))


def _may_be_for(plan: Row, period: Row, data: Dataset) -> bool:
    """A plan that names no period is for this one unless it was made before an earlier one ended."""
    if plan.get("care_period_id") is not None:
        return bool(plan["care_period_id"] == period["care_period_id"])
    earlier = [
        row["end_date"]
        for row in data.rows("care_periods", person_id=period["person_id"])
        if row.get("end_date") is not None and row["start_date"] < period["start_date"]
    ]
    return all(plan["plan_date"] > day for day in earlier)


def placement_plan(data: Dataset) -> list[Owed]:
    """Five working days from the start of each placement; one that names the placement may come before it."""
    answers = []
    for placement in data.rows("placements"):
        start, end, key = placement["start_date"], _placement_end(placement, data), placement["placement_id"]
        if _has_other_plan(placement, data):
            continue
        if end is not None and end < start:
            answers.append(unknown(key, start))
            continue
        rows = data.rows("care_plans", person_id=placement["person_id"], plan_kind="placement_plan")
        days = [
            row["plan_date"]
            for row in rows
            if row.get("placement_id") == key or (row.get("placement_id") is None and row["plan_date"] >= start)
        ]
        made = min(days, default=None)
        answers.append(judge(key, start, relaxed(add(start, "5 working days")), made, end, data.as_of))
    return answers


def _placement_end(placement: Row, data: Dataset) -> date | None:
    """The end recorded; else that of the period of care, since nobody is placed who is not looked after."""
    period = data.row("care_periods", care_period_id=placement.get("care_period_id"))
    if placement.get("end_date") is not None or period is None:
        return placement.get("end_date")
    return period.get("end_date")


def _has_other_plan(placement: Row, data: Dataset) -> bool:
    """Adoption placements have a plan of their own; short breaks and others' arrangements have none."""
    other = ("for_adoption", "short_break", "other_person_responsible")
    if placement["placement_type"] in ("A3", "A4", "A5", "A6") or placement.get("placement_basis") in other:
        return True
    period = data.row("care_periods", care_period_id=placement.get("care_period_id"))
    return bool(period and period.get("is_short_break_series") is True)


def reviewing_officer(data: Dataset) -> list[Owed]:
    """A named officer within five working days; one already appointed counts from the first day of care."""
    answers = []
    for period in data.rows("care_periods"):
        start, end = period["start_date"], period.get("end_date")
        rows = data.rows("allocations", person_id=period["person_id"], role="independent_reviewing_officer")
        days = [
            max(row["start_date"], start)
            for row in rows
            if row.get("worker_id") is not None
            and (row.get("end_date") is None or (row["end_date"] >= start and row["end_date"] >= row["start_date"]))
        ]
        done = first_on_or_after(days, start, end)
        answers += deadline(period["care_period_id"], start, "5 working days", done, data.as_of, end)
    return answers


LAW = {
    "LAC-REVIEW": review,
    "LAC-HEALTH-FIRST": health_first,
    "LAC-HEALTH-REVIEW": health_review,
    "LAC-DENTAL": dental,
    "LAC-CARE-PLAN": care_plan,
    "LAC-PLACEMENT-PLAN": placement_plan,
    "LAC-IRO-APPOINTED": reviewing_officer,
}
