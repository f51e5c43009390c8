"""Children in need: plans, visits, reviews, and the meeting that starts them."""

from datetime import date

from compliance.synth import dates
from compliance.synth.front_door import meet, written_up
from compliance.synth.world import CLEAN_BEFORE, Child, Pace, Row, World, paced

VISITS = Pace(due=lambda last, _: dates.working_days_after(last, 20), late=0.08, overrun=(1, 25))
REVIEWS = Pace(due=lambda last, _: dates.days_after(last, 42), late=0.09, overrun=(1, 35))


def plan(world: World, child: Child, referral: Row, start: date, end: date | None, planned: bool = True) -> Row:
    """Return a child in need plan with its visits and reviews."""
    row = world.add(
        "cin_plans",
        cin_plan_id=world.new_id("N"),
        person_id=child.person_id,
        referral_id=referral["referral_id"],
        start_date=start,
        end_date=end,
    )
    for day in paced(world, start, end, VISITS):
        visit(world, child, day, True)
        attempt(world, child, day)
    for day in paced(world, start, end, REVIEWS):
        meet(world, child, "cin_review", day, cin_plan_id=row["cin_plan_id"] if planned or world.chance(0.9) else None)
    return row


def visit(world: World, child: Child, day: date, seen: bool) -> Row:
    """Return a visit to a child in need; now and then the box for seen is left blank."""
    alone = world.pick([True, False], [80, 20]) if seen else None
    return world.add(
        "cin_visits",
        visit_id=world.new_id("CV"),
        person_id=child.person_id,
        visit_date=day,
        child_was_seen=None if seen and world.chance(0.01) else seen,
        child_was_seen_alone=alone,
        not_seen_alone_reason="too young" if alone is False else None,
        worker_id=None,
        recorded_at=written_up(world, day),
    )


def attempt(world: World, child: Child, visited: date) -> None:
    """Add, once in thirty visits, an attempt some days later at which the child was not seen."""
    day = dates.working_days_after(visited, world.rng.randint(2, 6))
    if world.chance(0.03) and day <= world.as_of:
        visit(world, child, day, False)


def first_meeting(world: World, child: Child, authorised: date, is_open: bool, late: float = 0.2) -> None:
    """Add the planning meeting owed after an assessment: in time, late or, in an open case, never."""
    day = dates.working_days_after(authorised, world.rng.randint(1, 10))
    if authorised >= CLEAN_BEFORE and world.chance(late):
        if is_open and world.chance(0.25):
            return
        day = dates.working_days_after(authorised, world.rng.randint(11, 30))
    if day > world.as_of:
        return
    meet(world, child, "cin_planning_meeting", day)
