"""What is done for a looked-after child: visits, reviews, plans, health, teeth, a reviewing officer."""

from __future__ import annotations

import itertools
from dataclasses import replace
from datetime import date
from typing import TYPE_CHECKING

from compliance.synth import dates
from compliance.synth.front_door import written_up
from compliance.synth.world import CLEAN_BEFORE, Child, Pace, Row, World, paced

if TYPE_CHECKING:
    from compliance.synth.looked_after import Care


def review_due(start: date) -> Pace:
    """Return the pace of reviews of a period of care: 20 working days, three months, then six."""

    def due(last: date, count: int) -> date:
        return dates.working_days_after(start, 20) if count == 0 else dates.months_after(last, 3 if count == 1 else 6)

    return Pace(due=due, late=0.09, overrun=(1, 40), earliest=0.85, first_earliest=0.4, is_relaxable=True)


def support(world: World, care: Care, orders: list[Row], placements: list[Row]) -> None:
    """Add everything done for a child in a period of care."""
    reviews = review(world, care, placements)
    for row in placements:
        if not row["placement_type"].startswith("A"):
            visit_placement(world, care, row, orders, reviews)
        plan_placement(world, care, row)
    plan_care(world, care, any(row["long_term_match_date"] for row in placements))
    check_health(world, care)
    check_teeth(world, care)
    appoint(world, care)


def review(world: World, care: Care, placements: list[Row]) -> list[date]:
    """Return the days of the reviews held, written with a few that were cancelled."""
    days = paced(world, care.start, care.end, review_due(care.start))
    days = sorted({*days, *_before_moves(world, care, placements, days)})
    reasons = _reasons(placements, days)
    for day in days:
        add_review(world, care, day, world.pick([False, None], [95, 5]), reasons.get(day, "scheduled"))
        before = dates.working_days_before(day, 3)
        if world.chance(0.03) and before > care.start and before not in days:
            add_review(world, care, before, True, "scheduled")
    return days


def _before_moves(world: World, care: Care, placements: list[Row], days: list[date]) -> list[date]:
    """Return further reviews, before moves that the council decided and placements with parents; some were not held."""
    further = []
    for row, following in itertools.pairwise(placements):
        day = row["end_date"]
        if _reason(row, following) is None or any(dates.days_after(day, -28) <= held <= day for held in days):
            continue
        first = max(dates.days_after(day, -20), dates.days_after(care.start, 1))
        clean = day < CLEAN_BEFORE or dates.is_relaxed(day)
        if clean or not world.quota("moves", 14).take():
            further.append(world.working_day(first, dates.days_after(day, -2)))
    return [day for day in further if care.start < day <= min(care.end or world.as_of, world.as_of)]


def _reason(row: Row, following: Row) -> str | None:
    """Return why a move is reviewed beforehand: the council ended the placement, or the next one is with parents."""
    if row["change_reason"] in ("CARPL", "STAND"):
        return "placement_ending"
    return "placement_with_parents" if following["placement_type"] == "P1" else None


def _reasons(placements: list[Row], days: list[date]) -> dict[date, str]:
    """Return why each review was held that was the last one in the four weeks before a move."""
    reasons = {}
    for row, following in itertools.pairwise(placements):
        reason, day = _reason(row, following), row["end_date"]
        held = [each for each in days if dates.days_after(day, -28) <= each <= day]
        if reason and held:
            reasons[held[-1]] = reason
    return reasons


def add_review(world: World, care: Care, day: date, cancelled: bool | None, reason: str) -> Row:
    """Return a review of a looked-after child's case."""
    young = dates.age_on(care.child.birth, day) < 4
    return world.add(
        "looked_after_reviews",
        review_id=world.new_id("LR"),
        person_id=care.child.person_id,
        care_period_id=care.row["care_period_id"] if world.chance(0.97) else None,
        review_kind="looked_after",
        review_date=day,
        was_cancelled=cancelled,
        participation="PN0" if young else world.pick(["PN1", "PN2", "PN3", "PN5", "PN6", "PN7"], [30, 8, 12, 8, 34, 8]),
        review_reason=reason,
    )


def visit_placement(world: World, care: Care, row: Row, orders: list[Row], reviews: list[date]) -> None:
    """Add the visits to a placement, in each stretch at the interval that regulation 28 sets for it."""
    start, end = row["start_date"], row["end_date"]
    change = _change(world, care, row, orders)
    pace = _pace(care, row, orders, reviews)
    days = paced(world, start, end, pace) if change is None else _bridged(world, row, change, pace)
    for day in days:
        add_visit(world, care, row, day)
        attempt(world, care, row, day, days)


def _change(world: World, care: Care, row: Row, orders: list[Row]) -> date | None:
    """Return the day on which another paragraph of regulation 28 began to apply to a placement, if one did."""
    if care.temporary in ("approved", "approved_late"):
        weeks = 14 if care.temporary == "approved" else 19
        return dates.on_or_before(dates.days_after(row["start_date"], weeks * 7))
    if row["placement_type"] == "P1" and care.temporary is None:
        return next((order["start_date"] for order in orders[1:] if row["start_date"] < order["start_date"]), None)
    return None


def _pace(care: Care, row: Row, orders: list[Row], reviews: list[date]) -> Pace:
    """Return the pace of visits to a placement from its start."""
    status = [order["legal_status"] for order in orders if order["start_date"] <= row["start_date"]][-1]
    avoid = frozenset(reviews)
    if care.temporary and care.temporary != "before_assessment":
        return _weekly(reviews, 28, avoid)
    if row["placement_type"] == "P1":
        return _weekly(reviews, 28, avoid) if status == "C1" else _weekly(reviews, 42, avoid) if care.temporary else _six_weekly()
    return Pace(
        due=lambda last, count: _later(row, last) if count else dates.days_after(last, 7),
        late=0.09,
        overrun=(1, 30),
        is_relaxable=True,
    )


def _six_weekly() -> Pace:
    """Return a visit in the first week, then one in every six weeks."""
    return Pace(due=lambda last, count: dates.days_after(last, 42 if count else 7), late=0.09, is_relaxable=True)


def _weekly(reviews: list[date], then: int, avoid: frozenset[date]) -> Pace:
    """Return weekly visits until the first review, then at a longer interval."""

    def due(last: date, _: int) -> date:
        return dates.days_after(last, then if reviews and reviews[0] <= last else 7)

    return Pace(due=due, late=0.08, overrun=(1, 6), earliest=0.6, is_relaxable=True, avoid=avoid)


def _later(row: Row, last: date) -> date:
    """Return when the next visit is due after one on a day, by how settled the placement then is."""
    if last < dates.years_after(row["start_date"], 1):
        return dates.days_after(last, 42)
    agreed, match = row["reduced_visits_agreed_date"], row["long_term_match_date"]
    if agreed and match and max(agreed, match, dates.REDUCED_VISITS_FROM) <= last:
        return dates.months_after(last, 6)
    return dates.months_after(last, 3) if row["is_intended_to_last_to_18"] else dates.days_after(last, 42)


def _bridged(world: World, row: Row, change: date, pace: Pace) -> list[date]:
    """Return visit days on both sides of a change of paragraph, close enough to it to be in time however it is read."""
    days = paced(world, row["start_date"], dates.days_after(change, -2), pace)
    if not days or (change - days[-1]).days > 6:
        days.append(max(dates.days_after(change, -world.rng.randint(2, 4)), row["start_date"]))
    first = dates.days_after(change, world.rng.randint(1, 2))
    stop = min(row["end_date"] or world.as_of, world.as_of)
    if first > stop:
        return sorted(set(days))
    return sorted({*days, first, *paced(world, first, row["end_date"], replace(_six_weekly(), first_earliest=0.3))})


def add_visit(world: World, care: Care, row: Row, day: date, seen: bool = True) -> Row:
    """Return a statutory visit; in the winter of 2020-21 some were by video or telephone, as the law then allowed."""
    virtual = seen and dates.VIRTUAL_VISITS[0] < day < dates.VIRTUAL_VISITS[1] and world.chance(0.25)
    clean = day < CLEAN_BEFORE or not seen
    alone = world.pick([True, False, None], [91.7, 8, 0.3]) if seen else None
    reason = None
    if alone is False:
        reason = world.pick(["too young", "refused", None], [40, 25, 0 if clean else 35])
    if virtual:
        _approve_virtual(world, care.child, day)
    return world.add(
        "looked_after_visits",
        visit_id=world.new_id("LV"),
        person_id=care.child.person_id,
        placement_id=row["placement_id"],
        visit_kind="statutory",
        visit_date=day,
        visit_mode=world.pick(["video", "telephone"], [80, 20]) if virtual else world.pick(["in_person", None], [97, 3]),
        child_was_seen=seen,
        child_was_seen_alone=alone,
        not_seen_alone_reason=reason,
        worker_id=None,
        recorded_at=written_up(world, day),
    )


def _approve_virtual(world: World, child: Child, day: date) -> None:
    """Add the approval that a visit may be virtual."""
    world.add(
        "management_decisions",
        management_decision_id=world.new_id("MD"),
        person_id=child.person_id,
        decision_kind="virtual_visits",
        decision_date=dates.working_days_before(day, 1),
        decision="agreed",
        decided_by_role="nominated_officer",
    )


def attempt(world: World, care: Care, row: Row, visited: date, days: list[date]) -> None:
    """Add, now and then, an attempted visit, or one by telephone when that did not count."""
    day = dates.working_days_after(visited, world.rng.randint(2, 5))
    if day in days or day > min(row["end_date"] or world.as_of, world.as_of) or not world.chance(0.025):
        return
    extra = add_visit(world, care, row, day, seen=False)
    if date(2020, 1, 6) < day < date(2020, 4, 20) or day < date(2020, 1, 1):
        extra.update(child_was_seen=True, child_was_seen_alone=True, visit_mode="telephone")


def plan_placement(world: World, care: Care, row: Row) -> None:
    """Add the placement plan: mostly by the fifth working day, some late, a few not yet."""
    start, end = row["start_date"], row["end_date"]
    due = dates.working_days_after(start, 5)
    clean = start < CLEAN_BEFORE or dates.is_relaxed(start, due) or row["placement_type"][0] in "APRK"
    day = (
        max(dates.working_days_before(start, 2), care.start)
        if world.chance(_planned_before(row))
        else dates.working_days_after(start, world.rng.randint(1, 5))
    )
    if not clean and world.chance(0.15):
        if end is None and world.chance(0.25):
            return
        day = dates.working_days_after(start, world.rng.randint(6, 25))
    if day > min(end or world.as_of, world.as_of):
        day = start
    add_plan(world, care, "placement_plan", day, row["placement_id"])


def _planned_before(row: Row) -> float:
    """Return how likely a placement plan was made before the placement began, as one with parents should be."""
    if row["placement_type"] != "P1":
        return 0.5
    return 0.9 if row["start_date"] >= CLEAN_BEFORE else 1.0


def add_plan(
    world: World, care: Care, kind: str, day: date, placement_id: str | None = None, permanence: str | None = None
) -> Row:
    """Return a version of a plan for a looked-after child."""
    return world.add(
        "care_plans",
        care_plan_id=world.new_id("CPL"),
        person_id=care.child.person_id,
        care_period_id=care.row["care_period_id"],
        placement_id=placement_id,
        plan_kind=kind,
        plan_date=day,
        end_date=None,
        permanence_plan=permanence,
        has_health_plan=kind == "care_plan" or None,
    )


def plan_care(world: World, care: Care, is_matched: bool) -> None:
    """Add the care plan: one in nine late, but never where the period began with a care order.

    A child matched with long-term carers has the plan to stay, but for one in twelve who came into care since 2020.
    """
    late = care.start >= CLEAN_BEFORE and not dates.is_relaxed(care.start) and care.legal != "J1" and care.temporary is None
    day = dates.working_days_after(care.start, world.rng.randint(1, 10))
    if late and world.chance(0.12):
        day = dates.working_days_after(care.start, world.rng.randint(11, 30))
    if day > min(care.end or world.as_of, world.as_of):
        day = care.start
    add_plan(world, care, "care_plan", day, permanence=_permanence(world, care, is_matched))


def _permanence(world: World, care: Care, is_matched: bool) -> str:
    """Return the plan for a permanent home that a care plan states."""
    if is_matched and not (care.start >= CLEAN_BEFORE and world.quota("stay", 30).take()):
        return "long_term_fostering" if care.placement_type == "U4" else "family_or_friends"
    return world.pick(["return_home", "adoption", "special_guardianship_or_child_arrangements", "other"])


def check_health(world: World, care: Care) -> None:
    """Add health assessments: the first by a doctor before the first review is due, a third of them late since 2020."""
    due = dates.working_days_after(care.start, 20)
    late = care.start >= CLEAN_BEFORE and not dates.is_relaxed(care.start, due) and world.chance(0.35)
    first = (
        dates.working_days_after(due, world.rng.randint(1, 25))
        if late
        else world.working_day(dates.days_after(care.start, 3), due)
    )
    if not late and world.chance(0.08):
        first = dates.on_or_before(dates.days_after(care.start, -world.rng.randint(10, 60)))
        first = max(first, care.child.birth)
    if first > min(care.end or world.as_of, world.as_of):
        return
    add_check(world, care.child, "initial_health_assessment", first, world.pick([True, None], [96, 4]))
    for day in _later_health(world, care, first):
        add_check(world, care.child, "review_health_assessment", day, world.chance(0.3))


def _later_health(world: World, care: Care, first: date) -> list[date]:
    """Return the days of later assessments; two children in a hundred have none in the last year."""

    def due(last: date, _: int) -> date:
        return dates.months_after(last, 6 if last < dates.years_after(care.child.birth, 5) else 12)

    pace = Pace(due=due, late=0.10, overrun=(2, 45), earliest=0.85, first_earliest=0.85)
    days = paced(world, first, care.end, pace)
    if (
        care.end is None
        and care.start < world.year
        and not world.quota("health", world.council.looked_after["health_percent"]).take()
    ):
        kept = [day for day in days if day < dates.days_after(world.year, -30)]
        days = kept if max([first, *kept]) >= CLEAN_BEFORE else days
    return days


def check_teeth(world: World, care: Care) -> None:
    """Add dental checks at most a year apart; a quarter of the children have had none since the dentists closed."""
    pace = Pace(due=lambda last, _: dates.months_after(last, 12), late=0.0, earliest=0.75, first_earliest=0.3)
    days = paced(world, care.start, care.end, pace)
    if care.end is None and care.start < world.year:
        kept = [day for day in days if day < dates.days_after(world.year, -10)]
        anchor = kept[-1] if kept else care.start
        seen = world.quota("dental", world.council.looked_after["dental_percent"]).take()
        if not seen and anchor >= CLEAN_BEFORE:
            days = kept
        elif not seen:
            days = [*kept, dates.on_or_before(world.between(date(CLEAN_BEFORE.year, 1, 6), dates.months_after(anchor, 12)))]
    for day in sorted(set(days)):
        add_check(world, care.child, "dental_check", day, None)


def add_check(world: World, child: Child, kind: str, day: date, by_doctor: bool | None) -> Row:
    """Return a health or dental check that was done."""
    return world.add(
        "health_checks",
        health_check_id=world.new_id("H"),
        person_id=child.person_id,
        check_kind=kind,
        check_date=day,
        status="completed",
        was_by_doctor=by_doctor,
    )


def appoint(world: World, care: Care) -> None:
    """Add the allocation of a reviewing officer, some after the fifth working day."""
    late = care.start >= CLEAN_BEFORE and world.chance(0.1)
    day = dates.working_days_after(care.start, world.rng.randint(6, 15) if late else world.rng.randint(1, 5))
    if day > min(care.end or world.as_of, world.as_of):
        day = care.start
    world.add(
        "allocations",
        allocation_id=world.new_id("AL"),
        person_id=care.child.person_id,
        carer_id=None,
        worker_id=None,
        role="independent_reviewing_officer",
        team_id="T-REVIEW-1",
        start_date=day,
        end_date=care.end,
        change_reason=None,
    )
