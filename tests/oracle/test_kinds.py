"""Engine and oracle agree on rules of every kind that nobody wrote: random periods, phases, names, exceptions and pauses."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date, timedelta
from typing import Any

import pytest
from hypothesis import strategies as st

from .agreement import Told, as_settled, as_told, assert_agreement, explore
from .days import add, back
from .evaluate import Dataset
from .strategies import CHILDREN, START, Draw, as_of, chain, council, end, near, numbered, often
from .synthetic import Case, Deadline, Lasts, Limit, Notice, Phase, Presence, Recurring, Sequence

UNITS = ("days", "weeks", "months", "years", "working days", "hours")
NEED = st.sampled_from(("N1", "N2", "N9", None))


@st.composite
def periods(draw: Draw, units: tuple[str, ...] = UNITS) -> str:
    unit = draw(st.sampled_from(units))
    most = {"days": 60, "weeks": 12, "months": 13, "years": 2, "working days": 45, "hours": 96, "clear days": 28}[unit]
    return f"{draw(st.integers(1, most))} {unit}"


@st.composite
def deadlines(draw: Draw) -> Case:
    other = draw(st.one_of(st.none(), periods()))
    spec = Deadline(
        within=draw(periods()),
        of_day=draw(st.booleans()),
        other=other,
        exempt=draw(st.booleans()),
        may_be_unknown=draw(st.booleans()),
        is_relaxed=draw(st.booleans()),
        by_event=draw(st.booleans()),
        any_day=draw(st.booleans()),
        ceases=draw(st.booleans()),
        later_period=draw(st.one_of(st.none(), periods())),
    )
    bounds = [period for period in (spec.within, other, spec.later_period, "0 days") if period]
    return Case(spec, referred(draw, bounds))


def referred(draw: Draw, bounds: list[str]) -> Dataset:
    base, rows, met = draw(START), [], []
    for _ in range(draw(st.integers(1, 3))):
        day = base + timedelta(days=draw(st.integers(0, 3)))
        person = draw(st.sampled_from(CHILDREN))
        some_day = near(draw, day, bounds) - timedelta(days=draw(st.sampled_from((0, 0, 0, 0, 40))))
        row = {"person_id": person, "referral_date": day, "primary_need": draw(NEED), "decision_date": None}
        row["acknowledged_date"] = draw(st.sampled_from((None, day, day - timedelta(days=1), day + timedelta(days=1))))
        row["closed_date"] = end(draw, day, bounds)
        rows.append(row | {"decision_date": some_day if often(draw, 2) else None})
        if often(draw, 1):
            met.append({"person_id": person, "meeting_kind": "core_group", "meeting_date": some_day})
    when = as_of(draw, [row["referral_date"] for row in rows], bounds)
    return council(draw, when, referrals=numbered(rows, "referral_id", "R"), meetings=numbered(met, "meeting_id", "M"))


@st.composite
def sequences(draw: Draw) -> Case:
    spec = Sequence(by_event=draw(st.booleans()), strictly=draw(st.booleans()))
    return Case(spec, referred(draw, ["0 days", "1 day"]))


@st.composite
def advance_notices(draw: Draw) -> Case:
    spec = Notice(draw(periods(("days", "weeks", "months", "working days", "clear days"))))
    held, rows = draw(START), []
    for _ in range(draw(st.integers(1, 3))):
        due = back(held, spec.before)
        issued = draw(
            st.sampled_from((None, due, due - timedelta(days=1), due + timedelta(days=1), held, held + timedelta(days=1)))
        )
        rows.append({"panel": "fostering", "meeting_date": held, "papers_issued_date": issued})
    when = held + timedelta(days=draw(st.integers(0, 3)))
    return Case(spec, council(draw, when, panel_meetings=numbered(rows, "panel_meeting_id", "G")))


@st.composite
def recurrings(draw: Draw) -> Case:
    pauses = draw(st.integers(0, 2)) == 0
    usual = ("days", "weeks", "months", "working days")
    phases = []
    if draw(st.booleans()):
        phases.append(Phase("first", draw(periods(usual))))
    if draw(st.booleans()):
        phases.append(Phase("second", draw(periods(usual))))
    if draw(st.booleans()):
        phases.append(Phase("every", draw(periods(usual)), lasting=draw(periods(("weeks", "months", "years")))))
    if draw(st.booleans()):
        phases.append(Phase("every", draw(periods(usual)), from_gap=draw(st.integers(0, 3))))
    if not phases or often(draw) or all(phase.which != "every" for phase in phases):
        phases.append(Phase("every", draw(periods(usual))))
    how = draw(st.sampled_from(("plain", "plain", "earlier", "within", "first")))
    spec = Recurring(
        phases=tuple(phases),
        earlier={"earlier": True, "within": draw(periods(("weeks", "months")))}.get(how, False),
        from_first=how == "first",
        by_meeting=draw(st.booleans()),
        pauses=pauses,
        is_relaxed=draw(st.integers(0, 2)) == 0,
    )
    return Case(spec, planned(draw, spec))


def planned(draw: Draw, spec: Recurring) -> Dataset:
    bounds = [phase.length for phase in spec.phases] + ["0 days"]
    first = draw(START)
    days = chain(draw, first, bounds, 7)
    if spec.earlier:
        length = spec.earlier if isinstance(spec.earlier, str) else bounds[0]
        days.append(back(first, length) + timedelta(days=draw(st.sampled_from((0, 1, -1, 20)))))
    plans = [{"cin_plan_id": "P1", "person_id": "C1", "start_date": first, "end_date": end(draw, first, bounds, days)}]
    plans[0]["lead_worker_id"] = draw(st.sampled_from(("W1", "W1", None)))
    if draw(st.integers(0, 2)) == 0:
        second = near(draw, first, bounds)
        plans.append({"cin_plan_id": "P2", "person_id": "C1", "start_date": second, "end_date": end(draw, second, bounds, days)})
    seen = st.sampled_from((True, True, None, False))
    named = st.sampled_from((None, None, "P1", "P2"))
    visits = [{"person_id": "C1", "visit_date": day, "child_was_seen": draw(seen)} for day in days]
    met = [{"person_id": "C1", "meeting_kind": "cin_review", "meeting_date": day, "cin_plan_id": draw(named)} for day in days]
    away = [absent(draw, near(draw, first, bounds)) for _ in range(draw(st.sampled_from((0, 1, 2))))] if spec.pauses else []
    simple = len(spec.phases) == 1 and not spec.earlier and not spec.from_first
    return council(
        draw,
        as_of(draw, [first, *days], bounds),
        {"meetings" if spec.by_meeting else "cin_visits": "latest"} if simple and draw(st.integers(0, 3)) == 0 else {},
        cin_plans=plans,
        cin_visits=numbered(visits, "visit_id", "V"),
        meetings=numbered(met, "meeting_id", "M"),
        absences=numbered(away, "absence_id", "A"),
    )


def absent(draw: Draw, start: date) -> dict[str, Any]:
    lasts = draw(st.sampled_from((None, 0, 1, 5, 30)))
    return {"worker_id": "W1", "start_date": start, "end_date": None if lasts is None else start + timedelta(days=lasts)}


def cared(draw: Draw, bounds: list[str]) -> Dataset:
    first, rows, placed = draw(START), [], []
    for number in range(draw(st.integers(1, 3))):
        start = first + timedelta(days=number)
        rows.append(
            {
                "care_period_id": f"M{number}",
                "person_id": draw(st.sampled_from(CHILDREN)),
                "start_date": start,
                "end_date": end(draw, start, bounds),
                "end_reason": draw(st.sampled_from((None, "E8"))),
                "placements_last_12_months": draw(st.sampled_from((None, 1, 2, 3))),
            }
        )
        if draw(st.booleans()):
            period = draw(st.sampled_from((None, "M0", "M1")))
            kind = draw(st.sampled_from(("U6", "U6", "K2")))
            placed.append({"person_id": "C1", "care_period_id": period, "placement_type": kind, "start_date": start})
    when = as_of(draw, [row["start_date"] for row in rows], bounds)
    return council(draw, when, care_periods=rows, placements=numbered(placed, "placement_id", "L"))


@st.composite
def limits(draw: Draw) -> Case:
    bound, most = draw(st.integers(1, 3)), draw(st.booleans())
    spec = Limit(bound if most else None, None if most else bound, draw(st.booleans()))
    return Case(spec, cared(draw, ["0 days", "1 day"]))


@st.composite
def lasting(draw: Draw) -> Case:
    spec = Lasts(draw(periods(UNITS[:5])))
    return Case(spec, cared(draw, [spec.within, "0 days"]))


@st.composite
def presences(draw: Draw) -> Case:
    settled = draw(st.booleans())
    within = None if settled else draw(st.one_of(st.none(), periods(UNITS[:5])))
    spec = Presence(draw(st.sampled_from(("fields", "holds", "exists"))), within, settled)
    return Case(spec, cared(draw, [within or "0 days", "0 days"]))


KINDS: dict[str, tuple[st.SearchStrategy[Case], Told]] = {
    "deadline": (deadlines(), as_told),
    "deadline before": (advance_notices(), as_told),
    "recurring": (recurrings(), as_told),
    "limit": (limits(), as_settled),
    "limit lasting": (lasting(), as_told),
    "presence": (presences(), as_settled),
    "sequence": (sequences(), as_told),
}
SHARES = {"deadline": 2, "recurring": 4}
LEAST = 20


@pytest.mark.parametrize("kind", KINDS)
def test_engine_and_oracle_agree(kind: str, soak: int | None) -> None:
    cases, told = KINDS[kind]
    check: Callable[[Case], None] = lambda case: assert_agreement(case.spec.rule(), case.spec.answers, [case.data], told)  # noqa: E731
    weight = SHARES.get(kind, 1)
    explore(check, cases, soak, 0.2 * weight / 11, LEAST * weight)


def test_a_period_runs_to_the_day_that_the_design_says() -> None:
    assert add(date(2020, 1, 31), "1 month") == date(2020, 2, 29)
    assert add(date(2021, 12, 23), "2 working days") == date(2021, 12, 29)
    assert back(date(2021, 6, 14), "28 clear days") == date(2021, 5, 16)
