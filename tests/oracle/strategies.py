"""Hypothesis strategies: small councils whose days lie on, just before and just after the days that decide."""

from __future__ import annotations

import datetime
from collections.abc import Callable, Sequence
from datetime import date, timedelta
from typing import Any

from hypothesis import strategies as st

from .days import add, back, birthday
from .evaluate import Dataset, Row

Draw = Callable[[st.SearchStrategy[Any]], Any]

AWKWARD = tuple(
    date(*day)
    for day in (
        (2012, 2, 29), (2013, 3, 29), (2015, 8, 31), (2016, 2, 29), (2017, 12, 20), (2018, 3, 28), (2019, 4, 15),
        (2019, 11, 30), (2019, 12, 31), (2020, 1, 31), (2020, 2, 28), (2020, 3, 20), (2020, 4, 23), (2020, 6, 15),
        (2020, 8, 31), (2020, 9, 25), (2020, 12, 18), (2021, 3, 31), (2021, 9, 30), (2022, 5, 27), (2022, 9, 16),
        (2022, 12, 23), (2023, 4, 5), (2023, 5, 5), (2023, 11, 30), (2024, 2, 29),
    )
)  # fmt: skip
"""Days near leap days, month ends, Easter, Christmas, jubilees and the relaxations of 2020."""

START = st.one_of(st.sampled_from(AWKWARD), st.dates(date(2012, 1, 1), date(2024, 6, 30)))
MAYBE = st.sampled_from((True, False, None))
MOSTLY_TRUE = st.sampled_from((True, True, True, None, False))
MOSTLY_NONE = st.sampled_from((None, None, None, True, False))
CHILDREN = ("C1", "C2")


def often(draw: Draw, times: int = 3) -> bool:
    """True `times` times out of `times + 1`."""
    return bool(draw(st.integers(0, times)))


def near(draw: Draw, anchor: date, periods: Sequence[str]) -> date:
    """A day at one of the periods after the anchor, or a day either side, or any day not long after."""
    if often(draw):
        return add(anchor, draw(st.sampled_from(periods))) + timedelta(days=draw(st.sampled_from((0, 0, 1, -1))))
    return anchor + timedelta(days=draw(st.integers(0, 60)))


def chain(draw: Draw, anchor: date, periods: Sequence[str], most: int = 6) -> list[date]:
    """Days one after the other, each near a period after the one before it; some the same, some before the anchor."""
    days = []
    day = anchor - timedelta(days=draw(st.sampled_from((0, 0, 0, 1, 30))))
    for _ in range(draw(st.integers(0, most))):
        day = near(draw, day, periods)
        days.append(day)
    return days


def end(draw: Draw, anchor: date, periods: Sequence[str], days: Sequence[date] = ()) -> date | None:
    """No end, or one on a day that matters: an event's, a boundary, the start itself, now and then before it."""
    kind = draw(st.integers(0, 9))
    if kind <= 4:
        return None
    if kind <= 6 and days:
        return draw(st.sampled_from(list(days)))
    if kind == 7:
        return anchor - timedelta(days=draw(st.integers(0, 1)))
    return near(draw, anchor, periods) + timedelta(days=draw(st.sampled_from((0, 0, 30, 200))))


def as_of(draw: Draw, days: Sequence[date | None], periods: Sequence[str]) -> date:
    """A day that decides for one of these days, or some time later."""
    anchor = draw(st.sampled_from([day for day in days if day is not None]))
    return near(draw, anchor, periods) + timedelta(days=draw(st.sampled_from((0, 0, 0, 0, 60, 400))))


def numbered(rows: list[Row], key: str, prefix: str) -> list[Row]:
    """The rows with ids of their own."""
    for number, row in enumerate(rows, 1):
        row[key] = f"{prefix}{number}"
    return rows


def council(draw: Draw, day: date, history: dict[str, str] | None = None, **tables: list[Row]) -> Dataset:
    """The dataset, its rows in either order."""
    turned = draw(st.booleans())
    return Dataset(day, {name: rows[::-1] if turned else rows for name, rows in tables.items()}, history or {})


def days_in(tables: Sequence[Row]) -> list[date]:
    """Every day in the rows."""
    values = [value for row in tables for value in row.values()]
    return [value.date() if isinstance(value, datetime.datetime) else value for value in values if isinstance(value, date)]


# ---------- the front door ----------


def _after(draw: Draw, anchor: date, periods: Sequence[str]) -> date | None:
    """Blank, or a day near a boundary, now and then before the anchor."""
    if draw(st.integers(0, 4)) == 0:
        return None
    return near(draw, anchor, periods) - timedelta(days=draw(st.sampled_from((0, 0, 0, 0, 0, 40))))


@st.composite
def referrals(draw: Draw) -> Dataset:
    rows, base = [], draw(START)
    for _ in range(draw(st.integers(1, 4))):
        day = base + timedelta(days=draw(st.integers(0, 9)))
        rows.append(
            {
                "person_id": draw(st.sampled_from(CHILDREN)),
                "referral_date": day,
                "decision_date": _after(draw, day, ["1 working day"]),
                "acknowledged_date": _after(draw, day, ["1 working day"]),
                "decision": draw(st.sampled_from((None, None, "assessment", "no_further_action"))),
                "needs_no_further_action": draw(MOSTLY_NONE),
                "closed_date": end(draw, day, ["1 working day"]),
            }
        )
    day = as_of(draw, [row["referral_date"] for row in rows], ["1 working day"])
    return council(draw, day, referrals=numbered(rows, "referral_id", "R"))


@st.composite
def contacts(draw: Draw) -> Dataset:
    rows, base = [], draw(START)
    for _ in range(draw(st.integers(1, 4))):
        received = _moment(draw, base)
        decided = None
        if often(draw):
            decided = _moment(draw, base + timedelta(days=draw(st.sampled_from((1, 1, 0, 2, 3)))))
        rows.append({"person_id": "C1", "received_at": received, "decided_at": decided})
    day = base + timedelta(days=draw(st.integers(0, 5)))
    return council(draw, day, contacts=numbered(rows, "contact_id", "K"))


def _moment(draw: Draw, day: date) -> datetime.datetime:
    clock = draw(st.sampled_from(("00:00", "00:01", "09:00", "09:01", "23:59")))
    return datetime.datetime.combine(day, datetime.time.fromisoformat(clock))


@st.composite
def strategy_discussions(draw: Draw) -> Dataset:
    rows, base = [], draw(START)
    for _ in range(draw(st.integers(1, 4))):
        rows.append(
            {
                "person_id": "C1",
                "meeting_kind": draw(st.sampled_from(("strategy_discussion", "strategy_discussion", "core_group"))),
                "concern_date": draw(st.sampled_from((base, base, base + timedelta(days=3), None))),
                "meeting_date": near(draw, base, ["1 working day"]),
            }
        )
    return council(draw, as_of(draw, [base], ["1 working day"]), meetings=numbered(rows, "meeting_id", "M"))


@st.composite
def assessments(draw: Draw) -> Dataset:
    periods = ["45 working days", "1 working day"]
    referral_rows, rows = [], []
    base = draw(st.one_of(START, st.dates(date(2013, 3, 1), date(2013, 4, 10))))
    for number in range(draw(st.integers(1, 4))):
        day = base + timedelta(days=7 * number)
        referral_rows.append({"referral_id": f"R{number}", "person_id": "C1", "referral_date": day})
        start = day + timedelta(days=draw(st.integers(0, 20)))
        rows.append(
            {
                "person_id": "C1",
                "start_date": start,
                "referral_id": draw(st.sampled_from((f"R{number}", f"R{number}", "R0", None, "R99"))),
                "authorised_date": _after(draw, draw(st.sampled_from((day, start))), periods),
                "child_was_seen": draw(MAYBE),
            }
        )
    day = as_of(draw, [row["start_date"] for row in rows], periods)
    return council(draw, day, referrals=referral_rows, assessments=numbered(rows, "assessment_id", "A"))


# ---------- child protection ----------


@st.composite
def enquiries(draw: Draw) -> Dataset:
    base, rows, held = draw(START), [], []
    for number in range(draw(st.integers(1, 4))):
        day = base + timedelta(days=draw(st.sampled_from((1, 7, 7, 20))) * number)
        rows.append(
            {
                "enquiry_id": f"E{number}",
                "person_id": draw(st.sampled_from(CHILDREN)),
                "start_date": day,
                "conference_is_not_required": draw(MOSTLY_NONE),
                "conference_decided_date": draw(st.sampled_from((None, None, None, day))),
                "conference_requested_date": draw(st.sampled_from((None, None, None, day + timedelta(days=2)))),
            }
        )
        for _ in range(draw(st.integers(0, 2))):
            held.append(
                {
                    "person_id": draw(st.sampled_from(CHILDREN)) if often(draw, 1) else rows[-1]["person_id"],
                    "conference_kind": draw(st.sampled_from(("initial", "initial", "initial", "transfer_in"))),
                    "enquiry_id": None,
                    "conference_date": near(draw, day, ["15 working days"]),
                }
            )
            if held[-1]["person_id"] == rows[-1]["person_id"] and often(draw, 1):
                held[-1]["enquiry_id"] = f"E{number}"
    day = as_of(draw, [row["start_date"] for row in rows], ["15 working days"])
    return council(draw, day, section_47_enquiries=rows, cp_conferences=numbered(held, "conference_id", "F"))


@st.composite
def conferences(draw: Draw) -> Dataset:
    base, rows = draw(START), []
    for _ in range(draw(st.integers(1, 4))):
        rows.append(
            {
                "person_id": "C1",
                "conference_kind": draw(st.sampled_from(("initial", "review", "transfer_in"))),
                "conference_date": base + timedelta(days=draw(st.integers(0, 5))),
                "is_quorate": draw(MAYBE),
                "agencies_attending": draw(st.sampled_from((None, 0, 1, 2, 3))),
            }
        )
    return council(draw, base + timedelta(days=3), cp_conferences=numbered(rows, "conference_id", "F"))


PLANS = ("P1", "P2")
CP_PERIODS = ["10 working days", "4 weeks", "3 months", "6 months", "24 months", "0 days"]


@st.composite
def protection_plans(draw: Draw, periods: Sequence[str] = CP_PERIODS) -> Dataset:
    first = draw(START)
    days = chain(draw, first, periods)
    plans = [_plan(draw, "P1", first, periods, days)]
    if often(draw, 1):
        second = near(draw, plans[0]["end_date"] or first, periods)
        days += chain(draw, second, periods, 3)
        plans.append(_plan(draw, "P2", second, periods, days))
        plans[-1]["person_id"] = draw(st.sampled_from(CHILDREN))
    held = _conferences(draw, plans, days)
    latest = {"cp_visits": "latest"} if draw(st.integers(0, 4)) == 0 else {}
    return council(
        draw,
        as_of(draw, days_in(plans) + days, periods),
        latest,
        cp_plans=plans,
        cp_conferences=numbered(held, "conference_id", "F"),
        cp_visits=numbered([_visit(draw, day, "cp_plan_id") for day in days], "visit_id", "V"),
        meetings=numbered([_meeting(draw, day) for day in days], "meeting_id", "M"),
    )


def _plan(draw: Draw, key: str, start: date, periods: Sequence[str], days: Sequence[date]) -> Row:
    ended = end(draw, start, periods, days)
    return {
        "cp_plan_id": key,
        "person_id": "C1",
        "start_date": start,
        "end_date": ended,
        "is_other_authority_plan": draw(st.sampled_from((None, None, False, True))),
    }


def _visit(draw: Draw, day: date, plan: str) -> Row:
    return {
        "person_id": "C1",
        "visit_date": day,
        "child_was_seen": draw(MOSTLY_TRUE),
        plan: draw(st.sampled_from((None, None, "P1", "P2"))),
    }


def _meeting(draw: Draw, day: date) -> Row:
    return {
        "person_id": "C1",
        "meeting_date": day,
        "meeting_kind": draw(st.sampled_from(("core_group", "core_group", "core_group", "cin_review"))),
        "cp_plan_id": draw(st.sampled_from((None, None, "P1", "P2"))),
    }


def _conferences(draw: Draw, plans: Sequence[Row], days: Sequence[date]) -> list[Row]:
    """Reviews on the days, and for each plan perhaps the conference that made it or one at which it moved here."""
    held: list[Row] = [
        {
            "person_id": "C1",
            "conference_kind": "review",
            "conference_date": day,
            "cp_plan_id": draw(st.sampled_from((None, None, "P1", "P2"))),
        }
        for day in days
    ]
    for plan in plans:
        kind = draw(st.sampled_from((None, None, "initial", "initial", "transfer_in")))
        if kind is not None:
            offset = draw(st.sampled_from((0, 0, 1, -3))) if kind == "initial" else draw(st.sampled_from((0, 5, -1)))
            named = plan["cp_plan_id"] if (offset and kind == "initial") or often(draw, 1) else None
            held.append(
                {
                    "person_id": plan["person_id"],
                    "conference_kind": kind,
                    "conference_date": plan["start_date"] + timedelta(days=offset),
                    "cp_plan_id": named,
                }
            )
    return held


# ---------- children in need ----------


@st.composite
def needs(draw: Draw) -> Dataset:
    """Assessments, and the plans, care and meetings that may follow them."""
    periods, base = ["10 working days", "0 days"], draw(START)
    assessed = [
        {
            "person_id": "C1",
            "start_date": base - timedelta(days=30),
            "authorised_date": draw(st.sampled_from((base, base, base + timedelta(days=14), None))),
            "services_are_needed": draw(MOSTLY_TRUE),
        }
        for _ in range(draw(st.integers(1, 3)))
    ]
    tables: dict[str, list[Row]] = {}
    for table, key in (("cin_plans", "cin_plan_id"), ("cp_plans", "cp_plan_id"), ("care_periods", "care_period_id")):
        rows = [_span(draw, base, periods) for _ in range(draw(st.integers(0, 1)))]
        tables[table] = numbered(rows, key, "S")
    met = [
        {
            "person_id": "C1",
            "meeting_kind": draw(st.sampled_from(("cin_planning_meeting", "cin_planning_meeting", "cin_review"))),
            "meeting_date": near(draw, base, periods) - timedelta(days=draw(st.sampled_from((0, 0, 20)))),
        }
        for _ in range(draw(st.integers(0, 3)))
    ]
    return council(
        draw,
        as_of(draw, [base], periods),
        assessments=numbered(assessed, "assessment_id", "A"),
        meetings=numbered(met, "meeting_id", "M"),
        **tables,
    )


def _span(draw: Draw, base: date, periods: Sequence[str]) -> Row:
    start = near(draw, base, periods) - timedelta(days=draw(st.sampled_from((0, 0, 100))))
    over = draw(st.sampled_from((None, None, 0, 30, 100)))
    return {"person_id": "C1", "start_date": start, "end_date": None if over is None else start + timedelta(days=over)}


@st.composite
def need_plans(draw: Draw) -> Dataset:
    periods = ["20 working days", "6 weeks", "0 days"]
    first = draw(START)
    days = chain(draw, first, periods)
    plans = [{"cin_plan_id": "P1", "person_id": "C1", "start_date": first, "end_date": end(draw, first, periods, days)}]
    if often(draw, 1):
        second = near(draw, plans[0]["end_date"] or first, periods)
        days += chain(draw, second, periods, 3)
        ended = end(draw, second, periods, days)
        plans.append({"cin_plan_id": "P2", "person_id": draw(st.sampled_from(CHILDREN)), "start_date": second, "end_date": ended})
    visits = [
        {
            "person_id": "C1",
            "visit_date": day,
            "child_was_seen": draw(MOSTLY_TRUE),
            "arrangement_id": draw(st.sampled_from((None, None, None, "PF1"))),
        }
        for day in days
    ]
    met = [
        {
            "person_id": "C1",
            "meeting_date": day,
            "meeting_kind": draw(st.sampled_from(("cin_review", "cin_review", "cin_review", "core_group"))),
            "cin_plan_id": draw(st.sampled_from((None, None, "P1", "P2"))),
        }
        for day in days
    ]
    return council(
        draw,
        as_of(draw, days_in(plans) + days, periods),
        {"cin_visits": "latest"} if draw(st.integers(0, 4)) == 0 else {},
        cin_plans=plans,
        cin_visits=numbered(visits, "visit_id", "V"),
        meetings=numbered(met, "meeting_id", "M"),
    )


def birth_for(draw: Draw, day: date, age: int) -> date:
    """A birth date that makes someone reach an age on or near the day; now and then 29 February."""
    birth = day.replace(day=min(day.day, 28), year=day.year - age) + timedelta(days=draw(st.integers(-3, 3)))
    return birth.replace(day=29) if birth.month == 2 and birth.day > 24 and birth.year % 4 == 0 else birth


# ---------- looked-after children ----------

CARE = ("M1", "M2")


def _periods(draw: Draw, periods: Sequence[str], days: list[date]) -> list[Row]:
    """One or two periods of care of one child, the second after the first, and events along them."""
    first = draw(START)
    days += chain(draw, first, periods)
    rows = [_care(draw, "M1", first, end(draw, first, periods, days))]
    if rows[0]["end_date"] is not None and rows[0]["end_date"] >= first and often(draw, 1):
        second = rows[0]["end_date"] + timedelta(days=draw(st.sampled_from((1, 20, 100))))
        days += chain(draw, second, periods, 3)
        rows.append(_care(draw, "M2", second, end(draw, second, periods, days)))
    return rows


def _care(draw: Draw, key: str, start: date, ended: date | None) -> Row:
    return {
        "care_period_id": key,
        "person_id": "C1",
        "start_date": start,
        "end_date": ended,
        "is_short_break_series": draw(st.sampled_from((None, None, False, True))),
    }


@st.composite
def reviews(draw: Draw) -> Dataset:
    periods = ["20 working days", "3 months", "6 months", "0 days"]
    days: list[date] = []
    care = _periods(draw, periods, days)
    rows = [
        {
            "person_id": "C1",
            "review_date": day,
            "review_kind": draw(st.sampled_from(("looked_after", "looked_after", "looked_after", "adoption", "short_break"))),
            "was_cancelled": draw(MOSTLY_NONE),
            "care_period_id": draw(st.sampled_from((None, None, None, *CARE))),
        }
        for day in days
    ]
    when = as_of(draw, days_in(care) + days, periods)
    return council(draw, when, care_periods=care, looked_after_reviews=numbered(rows, "review_id", "V"))


@st.composite
def health(draw: Draw) -> Dataset:
    periods = ["20 working days", "6 months", "12 months", "0 days"]
    days: list[date] = []
    care = _periods(draw, periods, days)
    days = [day - timedelta(days=draw(st.sampled_from((0, 0, 0, 89, 92)))) for day in days]
    kinds = ("initial_health_assessment", "review_health_assessment", "health_assessment", "dental_check", "dental_check")
    rows = [
        {
            "person_id": "C1",
            "check_date": day,
            "check_kind": draw(st.sampled_from(kinds)),
            "status": draw(st.sampled_from(("completed", "completed", "completed", "refused", "cancelled"))),
            "was_by_doctor": draw(MOSTLY_TRUE),
        }
        for day in days
    ]
    anchor = draw(st.sampled_from(days or [care[0]["start_date"]]))
    people = [{"person_id": "C1", "birth_date": birth_for(draw, anchor, 5) if often(draw, 5) else None}]
    when = as_of(draw, days_in(care) + days, periods)
    return council(draw, when, people=people, care_periods=care, health_checks=numbered(rows, "health_check_id", "H"))


@st.composite
def care_plans(draw: Draw) -> Dataset:
    """Periods of care, the placements in them, and plans before and after each."""
    periods = ["5 working days", "10 working days", "0 days"]
    days: list[date] = []
    care = _periods(draw, periods, days)
    placed = []
    for row in care:
        for _ in range(draw(st.integers(0, 2))):
            start = row["start_date"] + timedelta(days=draw(st.sampled_from((0, 0, 1, 12))))
            placed.append(_placement(draw, start, row["care_period_id"], periods))
    numbered(placed, "placement_id", "L")
    plans = [
        {
            "person_id": "C1",
            "plan_kind": draw(st.sampled_from(("care_plan", "placement_plan", "placement_plan"))),
            "plan_date": day,
            "care_period_id": draw(st.sampled_from((None, None, *CARE))),
            "placement_id": draw(st.sampled_from((None, "L1", "L2"))),
        }
        for day in days
    ]
    officers = [_officer(draw, draw(st.sampled_from(care)), periods) for _ in range(draw(st.integers(0, 3)))]
    return council(
        draw,
        as_of(draw, days_in(care) + days, periods),
        care_periods=care,
        placements=placed,
        care_plans=numbered(plans, "care_plan_id", "N"),
        allocations=numbered(officers, "allocation_id", "X"),
    )


def _placement(draw: Draw, start: date, care: str, periods: Sequence[str]) -> Row:
    return {
        "person_id": "C1",
        "care_period_id": care,
        "placement_type": draw(st.sampled_from(("U6", "U6", "K2", "A5", "P1"))),
        "placement_basis": draw(st.sampled_from((None, None, "approved_carer", "short_break", "other_person_responsible"))),
        "start_date": start,
        "end_date": end(draw, start, periods),
    }


def _officer(draw: Draw, care: Row, periods: Sequence[str]) -> Row:
    start = near(draw, care["start_date"], periods) - timedelta(days=draw(st.sampled_from((0, 0, 100))))
    lasts = draw(st.sampled_from((None, None, 0, 90, 100, 101)))
    return {
        "person_id": "C1",
        "role": draw(st.sampled_from(("independent_reviewing_officer", "independent_reviewing_officer", "social_worker"))),
        "worker_id": draw(st.sampled_from(("W1", "W1", "W1", None))),
        "start_date": start,
        "end_date": None if lasts is None else start + timedelta(days=lasts),
    }


VISIT_PERIODS = ["1 week", "1 week", "4 weeks", "6 weeks", "6 weeks", "3 months", "6 months", "0 days"]
BASES = (
    (None, "approved_carer", "outside_terms", "long_term_foster"),
    ("parents_before_assessment", "parents_after_assessment", None),
    ("temporary_connected_person",),
    ("other_person_responsible", "other_arrangements", "short_break", "for_adoption"),
)
TYPES = (("U1", "U4", "U6", "K2"), ("P1", "P1", "Z1"), ("U3", "U2"), ("R1", "H5", "A5", "K3"))


@st.composite
def visits(draw: Draw) -> Dataset:
    """A child placed once or twice, in every way that changes how often visits are owed."""
    first = draw(START)
    days = chain(draw, first, VISIT_PERIODS, 7)
    if often(draw, 1):
        days += chain(draw, add(first, "1 year") + timedelta(days=draw(st.sampled_from((0, -1, -30)))), VISIT_PERIODS, 4)
    placed = [_placed(draw, first, days)]
    if placed[0]["end_date"] is not None and placed[0]["end_date"] >= first and often(draw, 1):
        move = placed[0]["end_date"] + timedelta(days=draw(st.sampled_from((0, 0, 1))))
        days += chain(draw, move, VISIT_PERIODS, 4)
        placed.append(_placed(draw, move, days))
    numbered(placed, "placement_id", "L")
    latest = {"looked_after_visits": "latest"} if draw(st.integers(0, 5)) == 0 else {}
    return council(
        draw,
        as_of(draw, days_in(placed) + days, VISIT_PERIODS),
        latest,
        placements=placed,
        looked_after_visits=numbered([_visited(draw, day) for day in days], "visit_id", "V"),
        looked_after_reviews=numbered([_reviewed(draw, day) for day in days[::2]], "review_id", "W"),
        legal_statuses=numbered(_orders(draw, first, days), "legal_status_id", "O"),
        foster_carers=[{"carer_id": "F1", "household_id": "H1", "carer_kind": "connected_person"}],
        foster_carer_approvals=numbered(_approved(draw, first, days), "approval_id", "Z"),
    )


def _placed(draw: Draw, start: date, days: Sequence[date]) -> Row:
    family = draw(st.integers(0, 3))
    kind = draw(st.sampled_from(TYPES[family]))
    matched = draw(st.sampled_from((None, start, start + timedelta(days=300), start + timedelta(days=380))))
    return {
        "person_id": "C1",
        "household_id": draw(st.sampled_from(("H1", "H1", None))),
        "placement_type": kind,
        "placement_basis": draw(st.sampled_from(BASES[family])),
        "start_date": start,
        "end_date": end(draw, start, VISIT_PERIODS, days),
        "is_intended_to_last_to_18": draw(MAYBE),
        "long_term_match_date": matched,
        "reduced_visits_agreed_date": draw(st.sampled_from((None, matched, add(start, "1 year")))),
    }


def _visited(draw: Draw, day: date) -> Row:
    return {
        "person_id": "C1",
        "visit_date": day,
        "visit_kind": draw(st.sampled_from(("statutory", "statutory", "statutory", "statutory", "iro_contact"))),
        "visit_mode": draw(st.sampled_from((None, "in_person", "in_person", "video", "telephone"))),
        "child_was_seen": draw(MOSTLY_TRUE),
        "child_was_seen_alone": draw(MAYBE),
        "not_seen_alone_reason": draw(st.sampled_from((None, None, "baby"))),
        "placement_id": draw(st.sampled_from((None, None, None, "L1", "L2"))),
    }


def _reviewed(draw: Draw, day: date) -> Row:
    kind = draw(st.sampled_from(("looked_after", "looked_after", "looked_after", "adoption")))
    return {"person_id": "C1", "review_date": day, "review_kind": kind, "was_cancelled": draw(MOSTLY_NONE)}


def _orders(draw: Draw, first: date, days: Sequence[date]) -> list[Row]:
    """Orders one after the other, a day apart, on one day or one within another, from before the placement or during it."""
    rows: list[Row] = []
    day = first - timedelta(days=draw(st.sampled_from((0, 30, 400))))
    for _ in range(draw(st.integers(0, 3))):
        start = max(day, draw(st.sampled_from((day, near(draw, first, VISIT_PERIODS), *days))))
        lasts = draw(st.sampled_from((None, 0, 7, 40, 200)))
        ends = None if lasts is None else start + timedelta(days=lasts)
        status = draw(st.sampled_from(("C1", "C2", "C1", "C2", "V2", "E1", "D1")))
        rows.append({"person_id": "C1", "legal_status": status, "start_date": start, "end_date": ends})
        day = draw(st.sampled_from((start, ends or start, ends or start, (ends or start) + timedelta(days=1))))
    return rows


def _approved(draw: Draw, first: date, days: Sequence[date]) -> list[Row]:
    rows: list[Row] = []
    if often(draw, 1):
        rows.append({"carer_id": "F1", "approval_kind": "temporary_connected_person", "start_date": first})
    if often(draw, 1):
        day = draw(st.sampled_from((first, near(draw, first, VISIT_PERIODS), *days)))
        over = draw(st.sampled_from((None, None, first, first + timedelta(days=1), day)))
        ends = None if over is None or over < day else over
        rows.append({"carer_id": "F1", "approval_kind": "full", "start_date": day, "end_date": ends})
    return rows


# ---------- care leavers ----------


@st.composite
def eligible(draw: Draw) -> Dataset:
    """Young people who reach 14, 16 or 18 in or near care, with about 91 days of it."""
    start = draw(START)
    birth = birth_for(
        draw, start + timedelta(days=draw(st.sampled_from((0, 0, 91, -91, 200)))), draw(st.sampled_from((14, 16, 16, 17)))
    )
    care, day = [], start
    for number in range(draw(st.integers(1, 3))):
        lasts = draw(st.sampled_from((None, 0, 29, 44, 45, 89, 90, 91, 400, 700)))
        ended = None if lasts is None else day + timedelta(days=lasts)
        care.append(_care(draw, f"M{number}", day, ended))
        if ended is None:
            break
        day = ended + timedelta(days=draw(st.sampled_from((0, 1, 1, 60, 400))))
    sixteenth = max(birthday(birth, 16), start)
    anchors = [sixteenth, sixteenth + timedelta(days=90), birthday(birth, 18), start + timedelta(days=90)]
    done = [near(draw, draw(st.sampled_from(anchors)), ["3 months", "0 days"]) for _ in range(draw(st.integers(0, 2)))]
    assessed = [
        {
            "person_id": "C1",
            "assessment_kind": draw(st.sampled_from(("pathway", "pathway", "staying_close"))),
            "completed_date": draw(st.sampled_from((day, day, None))),
        }
        for day in done
    ]
    plans = [{"person_id": "C1", "plan_kind": draw(PLAN_KIND), "plan_date": day} for day in done]
    return council(
        draw,
        as_of(draw, anchors, ["3 months", "0 days"]),
        people=[{"person_id": "C1", "birth_date": birth if often(draw, 9) else None}],
        care_periods=care,
        pathway_needs_assessments=numbered(assessed, "needs_assessment_id", "B"),
        pathway_plans=numbered(plans, "pathway_plan_id", "Q"),
    )


PLAN_KIND = st.sampled_from(("first_plan", "review", "plan_or_review"))
STATUS_BEFORE_18 = st.sampled_from(("eligible", "relevant", "eligible", "relevant", "qualifying", "none", None))
STATUS_FROM_18 = st.sampled_from(("former_relevant", "former_relevant", "former_relevant", "none", None))


@st.composite
def leavers(draw: Draw) -> Dataset:
    """A young person whose status changes, near 21 or not, with plans and contacts before and after."""
    periods = ["6 months", "8 weeks", "0 days"]
    first = draw(START)
    days = chain(draw, first, periods)
    birth = birth_for(
        draw, draw(st.sampled_from((first, add(first, "6 months")))), draw(st.sampled_from((17, 18, 18, 19, 21, 21)))
    )
    statuses, day = _statuses(draw, first, birth, periods)
    person: Row = {"person_id": "C1", "birth_date": birth if often(draw, 9) else None}
    person["death_date"] = draw(st.sampled_from((None, None, None, None, day)))
    advisers = [_officer(draw, {"start_date": first}, periods) for _ in range(draw(st.integers(0, 2)))]
    for row in advisers:
        row["role"] = draw(st.sampled_from(("personal_adviser", "personal_adviser", "social_worker")))
    return council(
        draw,
        as_of(draw, [first, day, *days], periods),
        people=[person],
        care_leaver_statuses=numbered(statuses, "status_id", "S"),
        pathway_plans=numbered(
            [{"person_id": "C1", "plan_kind": draw(PLAN_KIND), "plan_date": day} for day in days], "pathway_plan_id", "Q"
        ),
        care_leaver_contacts=numbered([_contacted(draw, day) for day in days], "contact_id", "K"),
        allocations=numbered(advisers, "allocation_id", "X"),
    )


def _statuses(draw: Draw, first: date, birth: date, periods: Sequence[str]) -> tuple[list[Row], date]:
    """Records in an order that the law allows: former relevant from 18, and nothing after none."""
    rows, day, status = [], first, ""
    for _ in range(draw(st.integers(1, 4))):
        if day >= birthday(birth, 18):
            status = "none" if status == "none" and rows else draw(STATUS_FROM_18)
        else:
            status = draw(STATUS_BEFORE_18)
        rows.append({"person_id": "C1", "status_date": day, "status": status})
        day = max(day + timedelta(days=1), near(draw, day, periods))
    return rows, day


def _contacted(draw: Draw, day: date) -> Row:
    kinds = ("call", "message", "attempt", "visit_at_accommodation", "visit_at_accommodation", "visit_elsewhere", None)
    return {
        "person_id": "C1",
        "contact_date": day,
        "contact_kind": draw(st.sampled_from(kinds)),
        "was_two_way": draw(MOSTLY_TRUE),
    }


@st.composite
def homes(draw: Draw) -> Dataset:
    """Accommodation, provided by the council or not, with visits at it and reviews after it."""
    periods = ["7 days", "28 days", "2 months", "0 days"]
    first = draw(START)
    days = chain(draw, first, periods)
    rows = [_home(draw, "B1", first, end(draw, first, periods, days))]
    if often(draw, 1):
        second = near(draw, first, periods)
        days += chain(draw, second, periods, 3)
        rows.append(_home(draw, "B2", second, end(draw, second, periods, days)))
    named = st.sampled_from((None, None, "B1", "B2"))
    visited = [_contacted(draw, day) | {"was_two_way": None, "accommodation_id": draw(named)} for day in days]
    for row in visited:
        row["contact_kind"] = draw(st.sampled_from(("visit_at_accommodation", "visit_at_accommodation", row["contact_kind"])))
    plans = [{"person_id": "C1", "plan_kind": draw(PLAN_KIND), "plan_date": day, "accommodation_id": draw(named)} for day in days]
    return council(
        draw,
        as_of(draw, [first, *days], periods),
        care_leaver_accommodation=rows,
        care_leaver_contacts=numbered(visited, "contact_id", "K"),
        pathway_plans=numbered(plans, "pathway_plan_id", "Q"),
    )


def _home(draw: Draw, key: str, start: date, ended: date | None) -> Row:
    return {
        "accommodation_id": key,
        "person_id": "C1",
        "start_date": start if often(draw, 9) else None,
        "end_date": ended,
        "is_provided_by_authority": draw(MOSTLY_TRUE),
    }


# ---------- fostering ----------


@st.composite
def carers(draw: Draw) -> Dataset:
    """Foster carers approved in full, temporarily, or first the one and then the other."""
    periods = ["1 year", "12 months", "18 months", "0 days"]
    first = draw(START)
    days = chain(draw, first, periods, 4)
    kind = draw(st.sampled_from(("mainstream", "connected_person")))
    carer = {
        "carer_id": "F1",
        "household_id": "H1",
        "carer_kind": kind,
        "first_approval_date": first if often(draw, 7) else None,
        "approval_end_date": end(draw, first, periods, days),
        "resignation_received_date": draw(st.sampled_from((None, None, None, near(draw, first, periods)))),
    }
    approvals = _approvals(draw, first, days)
    trained = [
        {
            "holder_kind": "foster_carer",
            "holder_id": "F1",
            "item_kind": draw(
                st.sampled_from(("training_support_development_standards", "training_support_development_standards", "dbs"))
            ),
            "completed_date": day - timedelta(days=draw(st.sampled_from((0, 0, 400)))),
            "is_satisfactory": draw(MOSTLY_TRUE),
        }
        for day in days[:2]
    ]
    visited = [
        {
            "carer_id": "F1",
            "visit_date": day,
            "visit_kind": draw(st.sampled_from(("supervision", "supervision", "supervision", "telephone"))),
            "was_unannounced": draw(MOSTLY_TRUE),
        }
        for day in days
    ]
    reviewed = [
        {"carer_id": "F1", "review_date": day, "review_kind": draw(st.sampled_from(("first", "annual", "requested")))}
        for day in days
    ]
    return council(
        draw,
        as_of(draw, [first, *days], periods),
        foster_carers=[carer],
        foster_carer_approvals=numbered(approvals, "approval_id", "Z"),
        foster_carer_reviews=numbered(reviewed, "carer_review_id", "V"),
        foster_carer_visits=numbered(visited, "carer_visit_id", "V"),
        checks_and_training=numbered(trained, "record_id", "T"),
    )


def _approvals(draw: Draw, first: date, days: Sequence[date]) -> list[Row]:
    """None on record, full from the first day, or temporary and perhaps full later."""
    kind = draw(st.integers(0, 3))
    if kind == 0:
        return []
    if kind == 1:
        return [{"carer_id": "F1", "approval_kind": "full", "start_date": first}]
    rows = [{"carer_id": "F1", "approval_kind": "temporary_connected_person", "start_date": first}]
    if kind == 3:
        rows.append(
            {
                "carer_id": "F1",
                "approval_kind": "full",
                "start_date": draw(st.sampled_from([first + timedelta(days=100), *(day for day in days if day >= first)])),
            }
        )
    return rows


@st.composite
def panels(draw: Draw) -> Dataset:
    """Panel meetings, the cases before them and what was decided."""
    periods = ["7 working days", "2 working days", "5 working days", "0 days"]
    base = draw(START)
    meetings, cases = [], []
    for number in range(draw(st.integers(1, 2))):
        issued = None
        if often(draw):
            issued = working_back(base, draw(st.sampled_from((4, 5, 6)))) + timedelta(days=draw(st.sampled_from((0, 0, 1, 20))))
        panel = draw(st.sampled_from(("fostering", "fostering", "fostering", "adoption")))
        meetings.append({"panel_meeting_id": f"G{number}", "panel": panel, "meeting_date": base, "papers_issued_date": issued})
        for _ in range(draw(st.integers(0, 2))):
            cases.append(_case(draw, f"G{number}", base, periods))
    when = as_of(draw, [base, *days_in(cases)], periods)
    return council(draw, max(base, when), panel_meetings=meetings, panel_cases=numbered(cases, "panel_case_id", "J"))


def working_back(day: date, n: int) -> date:
    """The n-th working day before the day."""
    return back(day, f"{n} working days")


def _case(draw: Draw, meeting: str, base: date, periods: Sequence[str]) -> Row:
    minutes = base + timedelta(days=draw(st.integers(0, 10))) if often(draw, 5) else None
    decided = _after(draw, minutes or base, periods)
    said = draw(st.sampled_from(("approved", "approved", "not_approved", "deferred")))
    told = decided or base
    return {
        "panel_meeting_id": meeting,
        "case_kind": "approval",
        "recommendation": draw(
            st.sampled_from(("suitable", "suitable", "not_suitable", None, "deferred", "full_report_needed", "views_given"))
        ),
        "minutes_received_date": minutes,
        "decision": said,
        "decision_date": decided,
        "spoken_notice_date": _after(draw, told, periods),
        "written_notice_date": _after(draw, told, periods),
    }


@st.composite
def applications(draw: Draw) -> Dataset:
    periods = ["10 working days", "0 days"]
    base = draw(st.one_of(START, st.dates(date(2013, 6, 20), date(2013, 7, 10))))
    rows = []
    for number in range(draw(st.integers(1, 3))):
        completed = base + timedelta(days=number) if often(draw, 5) else None
        rows.append(
            {
                "carer_id": f"F{number}",
                "stage_1_completed_date": completed,
                "stage_1_notice_date": _after(draw, completed or base, periods),
                "outcome": draw(st.sampled_from((None, "not_approved", "not_approved", "approved", "withdrawn"))),
                "report_date": draw(st.sampled_from((None, None, base))),
            }
        )
    return council(draw, as_of(draw, [base], periods), foster_carer_applications=numbered(rows, "application_id", "Y"))


@st.composite
def temporary_approvals(draw: Draw) -> Dataset:
    """Temporary approvals with what may end them: an end, full approval, an extension, the child leaving."""
    periods = ["16 weeks", "24 weeks", "8 weeks", "0 days"]
    first = draw(START)
    expiry = add(first, "16 weeks")
    rows: list[Row] = [
        {
            "carer_id": "F1",
            "approval_kind": "temporary_connected_person",
            "person_id": "C1",
            "start_date": first,
            "expiry_date": draw(st.sampled_from((None, expiry))),
            "end_date": end(draw, first, periods) if often(draw, 1) else None,
        }
    ]
    if often(draw, 1):
        start = near(draw, expiry, ["0 days", "1 week"])
        ended = end(draw, start, ["8 weeks"]) if often(draw, 1) else None
        rows.append({"carer_id": "F1", "approval_kind": "extension", "person_id": "C1", "start_date": start, "end_date": ended})
    if draw(st.integers(0, 2)) == 0:
        rows.append({"carer_id": "F1", "approval_kind": "full", "start_date": near(draw, first, ["16 weeks", "24 weeks"])})
    placed = []
    for _ in range(draw(st.integers(0, 2))):
        start = first + timedelta(days=draw(st.sampled_from((0, 0, 30))))
        over = draw(st.sampled_from((None, None, 82, 112, 113, 140)))
        placed.append(
            {
                "person_id": draw(st.sampled_from(("C1", "C1", "C2"))),
                "household_id": draw(st.sampled_from(("H1", "H1", "H2"))),
                "placement_type": "U3",
                "start_date": start,
                "end_date": None if over is None else start + timedelta(days=over),
            }
        )
    left = draw(st.sampled_from((None, None, None, near(draw, first, periods))))
    return council(
        draw,
        as_of(draw, days_in(rows), periods),
        foster_carers=[{"carer_id": "F1", "household_id": "H1", "carer_kind": "connected_person", "approval_end_date": left}],
        foster_carer_approvals=numbered(rows, "approval_id", "Z"),
        placements=numbered(placed, "placement_id", "L"),
    )


@st.composite
def households(draw: Draw) -> Dataset:
    """A home with three to five children, of one family or several, some exempted, some gone, some grown up."""
    day = draw(START)
    turning = back(day, "18 years")
    placed, people, exempt = [], [], []
    for number in range(draw(st.integers(2, 6))):
        child = f"C{number}"
        born = draw(st.sampled_from((None, None, day, turning, turning + timedelta(days=1))))
        people.append({"person_id": child, "family_id": draw(st.sampled_from(("A", "A", "A", "B", None))), "birth_date": born})
        placed.append(
            {
                "person_id": child,
                "household_id": "H1",
                "placement_type": draw(st.sampled_from(("U6", "U6", "U6", "U1", "A5"))),
                "start_date": day - timedelta(days=draw(st.sampled_from((0, 1, 50, 50, -1)))),
                "end_date": draw(
                    st.sampled_from((None, None, None, None, day, day - timedelta(days=1), day + timedelta(days=1)))
                ),
            }
        )
        if placed[-1]["end_date"] is not None and placed[-1]["end_date"] < placed[-1]["start_date"]:
            placed[-1]["end_date"] = None
    numbered(placed, "placement_id", "L")
    for row in placed:
        if draw(st.integers(0, 4)) == 0:
            exempt.append(_exemption(draw, row, day))
    return council(
        draw,
        day,
        people=people,
        placements=placed,
        foster_households=[{"household_id": "H1"}],
        management_decisions=numbered(exempt, "management_decision_id", "D"),
    )


def _exemption(draw: Draw, placement: Row, day: date) -> Row:
    return {
        "person_id": placement["person_id"],
        "decision_kind": draw(st.sampled_from(("usual_fostering_limit_exemption",) * 3 + ("placement",))),
        "decision": draw(st.sampled_from(("agreed", "agreed", "agreed", "not_agreed"))),
        "decision_date": day - timedelta(days=draw(st.sampled_from((0, 10, -1)))),
        "placement_id": draw(st.sampled_from((placement["placement_id"], None, "L99"))),
        "expiry_date": draw(st.sampled_from((None, None, day, day - timedelta(days=1), day + timedelta(days=1)))),
    }


@st.composite
def panel_meetings(draw: Draw) -> Dataset:
    """Who came to a panel: five or six people, one thing wrong or blank at a time."""
    day = draw(START)
    roles = ["chair", "social_worker", "independent_member", "other_member", "other_member", "vice_chair"]
    members, attended = [], []
    for number, role in enumerate(roles[draw(st.sampled_from((0, 0, 1))) : draw(st.sampled_from((4, 5, 5, 6, 6)))]):
        key = f"N{number}"
        members.append(_member(draw, key, role, day))
        attended_as = draw(st.sampled_from((role,) * 8 + ("legal_adviser",)))
        attended.append({"panel_meeting_id": "G1", "panel_member_id": key, "attended_as": attended_as})
    if draw(st.integers(0, 9)) == 0:
        attended = []
    joint = draw(st.sampled_from((None, False, False, True)))
    meeting = {"panel_meeting_id": "G1", "panel": "fostering", "meeting_date": day, "is_joint_panel": joint}
    when = day + timedelta(days=draw(st.integers(0, 2)))
    return council(draw, when, panel_meetings=[meeting], panel_members=members, panel_attendance=attended)


def _member(draw: Draw, key: str, role: str, day: date) -> Row:
    is_worker = role == "social_worker"
    since = day.replace(year=day.year - 3, day=min(day.day, 28))
    return {
        "panel_member_id": key,
        "panel": draw(st.sampled_from(("fostering",) * 9 + ("adoption",))),
        "full_name": key,
        "member_role": role,
        "is_independent": draw(st.sampled_from((False, True, True, None))),
        "is_social_worker": draw(st.sampled_from((True, True, True, None))) if is_worker else False,
        "relevant_experience_start_date": draw(st.sampled_from((since, since, since + timedelta(days=40), None)))
        if is_worker
        else None,
        "added_date": day - timedelta(days=draw(st.sampled_from((0, 100, 100, -1)))),
        "removed_date": draw(st.sampled_from((None,) * 6 + (day, day - timedelta(days=1)))),
    }


# ---------- the workforce and the programme ----------


@st.composite
def supervised(draw: Draw) -> Dataset:
    """A worker, perhaps newly qualified, supervised near the days that decide, absent now and then."""
    periods = ["1 week", "2 weeks", "1 month", "6 weeks", "0 days"]
    first = draw(START)
    days = chain(draw, first, periods, 8)
    days += [add(first, "6 weeks") + timedelta(days=draw(st.integers(-1, 1))), add(first, "6 months")][: draw(st.integers(0, 2))]
    worker = {
        "worker_id": "W1",
        "role": draw(
            st.sampled_from(("social_worker", "senior_practitioner", "social_worker_without_cases", "family_support_worker"))
        ),
        "start_date": first if often(draw, 9) else None,
        "end_date": end(draw, first, periods, days) if often(draw, 1) else None,
    }
    if often(draw, 1):
        worker |= {"is_newly_qualified": True, "qualified_date": first - timedelta(days=30), "asye_start_date": first}
        worker["asye_end_date"] = draw(st.sampled_from((None, None, add(first, "1 year"), add(first, "6 months"))))
    sessions = [
        {
            "worker_id": "W1",
            "supervision_date": day,
            "supervision_kind": draw(st.sampled_from(("personal", "personal", "case", "case", "group", "appraisal"))),
        }
        for day in days
    ]
    away = []
    for _ in range(draw(st.sampled_from((0, 0, 1, 2)))):
        start = near(draw, first, periods)
        lasts = draw(st.sampled_from((None, 0, 1, 10, 40)))
        away.append(
            {"worker_id": "W1", "start_date": start, "end_date": None if lasts is None else start + timedelta(days=lasts)}
        )
    return council(
        draw,
        as_of(draw, [first, *days], periods),
        workers=[worker],
        supervisions=numbered(sessions, "supervision_id", "U"),
        absences=numbered(away, "absence_id", "A"),
    )


@st.composite
def cases(draw: Draw) -> Dataset:
    """Allocations of a child who goes in and out of a plan and of care, discussed or not."""
    periods = ["4 weeks", "6 weeks", "8 weeks", "0 days"]
    first = draw(START)
    days = chain(draw, first, periods)
    allocated = []
    for _ in range(draw(st.integers(1, 2))):
        start = near(draw, first, ["0 days", "4 weeks"])
        allocated.append(
            {
                "person_id": draw(st.sampled_from(("C1", "C1", None))),
                "worker_id": draw(st.sampled_from(("W1", "W2"))),
                "role": draw(st.sampled_from(("social_worker", "social_worker", "social_worker", "co_worker"))),
                "start_date": start,
                "end_date": end(draw, start, periods, days),
            }
        )
        if allocated[-1]["person_id"] is None:
            allocated[-1]["carer_id"] = "F1"
    spans = [_span(draw, draw(st.sampled_from([first, *days])), ["0 days", "4 weeks"]) for _ in range(draw(st.integers(0, 3)))]
    discussed = [
        {
            "worker_id": draw(st.sampled_from(("W1", "W2"))),
            "supervision_date": day,
            "supervision_kind": draw(st.sampled_from(("case", "case", "case", "personal"))),
            "person_id": draw(st.sampled_from(("C1", "C1", "C1", "C2"))),
        }
        for day in days
    ]
    return council(
        draw,
        as_of(draw, [first, *days], periods),
        allocations=numbered(allocated, "allocation_id", "X"),
        supervisions=numbered(discussed, "supervision_id", "U"),
        cp_plans=numbered([dict(span) for span in spans[:1]], "cp_plan_id", "P"),
        care_periods=numbered([dict(span) for span in spans[1:]], "care_period_id", "M"),
    )


@st.composite
def caseloads(draw: Draw) -> Dataset:
    """Two workers with children near their limits, part time, new, or gone."""
    day = draw(START)
    workers = []
    for key in ("W1", "W2"):
        workers.append(
            {
                "worker_id": key,
                "role": "social_worker",
                "fte": draw(st.sampled_from((1.0, 1.0, 0.5, 0.6, None))),
                "team_id": draw(st.sampled_from(("T1", "T2", None))),
                "start_date": day - timedelta(days=400),
                "end_date": draw(st.sampled_from((None, None, None, day - timedelta(days=5)))),
                "is_newly_qualified": draw(MAYBE),
                "manager_worker_id": draw(st.sampled_from(("W9", "W1", None))),
            }
        )
    workers += [
        {"worker_id": f"V{number}", "manager_worker_id": "W9", "start_date": day} for number in range(draw(st.integers(5, 8)))
    ]
    workers.append({"worker_id": "W9", "start_date": day - timedelta(days=500)})
    teams = [
        {"team_id": "T1", "name": "one", "caseload_limit": draw(st.sampled_from((5, 10, None)))},
        {"team_id": "T2", "name": "two"},
    ]
    rows = []
    for number in range(draw(st.sampled_from((3, 5, 6, 9, 10, 11, 18, 19, 20, 21)))):
        rows.append(
            {
                "person_id": f"C{number}",
                "worker_id": draw(st.sampled_from(("W1", "W1", "W1", "W1", "W2"))),
                "role": "social_worker",
                "start_date": day - timedelta(days=draw(st.sampled_from((0, 90)))),
                "end_date": draw(st.sampled_from((None,) * 9 + (day - timedelta(days=1), day + timedelta(days=1)))),
            }
        )
        if rows[-1]["end_date"] is not None and rows[-1]["end_date"] < rows[-1]["start_date"]:
            rows[-1]["start_date"] = rows[-1]["end_date"]
    rows += [dict(rows[0])] if draw(st.booleans()) else []
    return council(draw, day, workers=workers, teams=teams, allocations=numbered(rows, "allocation_id", "X"))


@st.composite
def open_cases(draw: Draw) -> Dataset:
    periods = ["1 working day", "0 days"]
    base, rows, allocated = draw(START), [], []
    for _ in range(draw(st.integers(1, 3))):
        rows.append(
            {
                "person_id": draw(st.sampled_from(CHILDREN)),
                "referral_date": base + timedelta(days=draw(st.integers(0, 3))),
                "closed_date": draw(st.sampled_from((None, None, None, base + timedelta(days=4)))),
                "needs_no_further_action": draw(MOSTLY_NONE),
            }
        )
    for _ in range(draw(st.integers(0, 3))):
        start = near(draw, base, periods)
        lasts = draw(st.sampled_from((None, 0, 1, 3, 30)))
        allocated.append(
            {
                "person_id": draw(st.sampled_from(CHILDREN)),
                "worker_id": draw(st.sampled_from(("W1", "W1", "W1", None))),
                "role": draw(st.sampled_from(("social_worker", "lead_practitioner", "co_worker"))),
                "start_date": start,
                "end_date": None if lasts is None else start + timedelta(days=lasts),
            }
        )
    day = as_of(draw, [base], periods)
    return council(draw, day, referrals=numbered(rows, "referral_id", "R"), allocations=numbered(allocated, "allocation_id", "X"))


@st.composite
def notices(draw: Draw) -> Dataset:
    periods = ["6 months", "0 days"]
    first = draw(START)
    days = chain(draw, first, periods)
    rows = [{"event_kind": "notice_received", "event_date": first}]
    rows += [{"event_kind": "progress_review", "event_date": day} for day in days]
    for kind in draw(
        st.lists(st.sampled_from(("notice_or_direction_lifted", "direction_received", "notice_received")), max_size=2)
    ):
        rows.append(
            {"event_kind": kind, "event_date": near(draw, first, periods) + timedelta(days=draw(st.sampled_from((1, 30, 400))))}
        )
    return council(draw, as_of(draw, [first, *days], periods), programme_events=numbered(rows, "event_id", "E"))
