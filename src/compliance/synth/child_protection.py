"""Child protection: enquiries, conferences, plans, core groups, visits."""

from dataclasses import dataclass, replace
from datetime import date

from compliance.synth import child_in_need, dates
from compliance.synth.front_door import assess, enquire, meet, refer, written_up
from compliance.synth.world import CLEAN_BEFORE, Child, Pace, Row, World, paced

VISITS = Pace(due=lambda last, _: dates.working_days_after(last, 10), late=0.09, overrun=(1, 14))
CORE_GROUPS = Pace(due=lambda last, _: dates.days_after(last, 28), late=0.12, overrun=(1, 21), earliest=0.7)
REVIEWS = Pace(due=lambda last, count: dates.months_after(last, 6 if count else 3), late=0.0, earliest=0.8, first_earliest=0.8)
LATE_REVIEW = replace(REVIEWS, late=1.0, overrun=(2, 30))
CATEGORIES = ["NEG", "EMO", "PHY", "SAB", "MUL"]
CATEGORY_WEIGHTS = [48, 36, 8, 5, 3]


@dataclass(frozen=True)
class Protection:
    """Return what is decided about a child's plan before it is written."""

    start: date
    is_open: bool
    conference_late: bool = False
    review_late: bool = False
    assessed_late: bool = False
    is_second: bool = False
    wanted_days: int = 300


def case(world: World, child: Child, wanted: Protection, then: str = "close") -> tuple[Row, Row]:
    """Return the referral and plan of a child who came through the front door to a plan."""
    gap = world.rng.randint(16, 28) if wanted.conference_late else world.rng.randint(6, 15)
    strategy_day = dates.working_days_before(wanted.start, gap)
    authorised = max(dates.working_days_after(strategy_day, 1), dates.working_days_before(wanted.start, world.rng.randint(1, 8)))
    referred = _referred(world, strategy_day, authorised, wanted.assessed_late)
    referral = refer(world, child, referred, None, "strategy_discussion")
    if referred >= world.window:
        assess(world, child, referral, authorised, True)
        child_in_need.first_meeting(world, child, authorised, is_open=False, late=0.0)
    enquiry = enquire(
        world,
        child,
        referral,
        strategy_day,
        end_date=authorised,
        conference_is_not_required=False,
        conference_decided_date=dates.working_days_after(strategy_day, 2),
    )
    row = plan(world, child, referral, enquiry, wanted)
    if row["end_date"]:
        step_down(world, child, referral, row["end_date"], then)
    return referral, row


def _referred(world: World, strategy_day: date, authorised: date, late: bool) -> date:
    """Return the day of referral that makes the assessment late or in time."""
    if late:
        return min(strategy_day, dates.working_days_before(authorised, world.rng.randint(46, 66)))
    before = world.rng.randint(0, 18)
    day = dates.working_days_before(strategy_day, before) if before else strategy_day
    return max(day, min(strategy_day, dates.working_days_before(authorised, 45)))


def conference(world: World, child: Child, kind: str, day: date, outcome: str, **links: str | None) -> Row:
    """Return a conference; about one in twenty is without a quorum, and some do not say."""
    agencies = world.pick([1, 2, 3, 4, 5, None], [5, 25, 35, 25, 8, 2])
    quorate = world.pick([True, None], [80, 20]) if agencies is None or agencies > 1 else world.pick([False, None])
    if day < date(2020, 1, 1):
        agencies, quorate = 3, True
    row = {"enquiry_id": None, "cp_plan_id": None} | links
    age = dates.age_on(child.birth, day)
    return world.add(
        "cp_conferences",
        conference_id=world.new_id("CF"),
        person_id=child.person_id,
        conference_kind=kind,
        conference_date=day,
        outcome=outcome,
        agencies_attending=agencies,
        is_quorate=quorate,
        participation="PN0" if age < 4 else world.pick(["PN1", "PN2", "PN3", "PN5", "PN6", "PN7"], [10, 12, 15, 10, 38, 15]),
        **row,
    )


def plan(world: World, child: Child, referral: Row, enquiry: Row | None, wanted: Protection, kind: str = "initial") -> Row:
    """Return a plan made at a conference, with all that follows from it."""
    plan_id = world.new_id("P")
    made = conference(
        world, child, kind, wanted.start, "plan_made", cp_plan_id=plan_id, enquiry_id=enquiry["enquiry_id"] if enquiry else None
    )
    reviews = review_days(world, wanted)
    category = world.pick(CATEGORIES, CATEGORY_WEIGHTS)
    row = world.add(
        "cp_plans",
        cp_plan_id=plan_id,
        person_id=child.person_id,
        referral_id=referral["referral_id"],
        initial_conference_id=made["conference_id"],
        start_date=wanted.start,
        end_date=None if wanted.is_open else reviews[-1],
        end_reason=None if wanted.is_open else "review_conference",
        initial_category=category,
        latest_category=category if world.chance(0.85) else world.pick(CATEGORIES, CATEGORY_WEIGHTS),
        is_other_authority_plan=False,
        previous_plan_count=int(wanted.is_second),
    )
    for day in reviews:
        conference(world, child, "review", day, "plan_ends" if day == row["end_date"] else "plan_continues", cp_plan_id=plan_id)
    support(world, child, row)
    return row


def review_days(world: World, wanted: Protection) -> list[date]:
    """Return the days of review conferences; a plan that ends, ends at the first one after its wanted length."""
    if wanted.is_open:
        return _open_reviews(world, wanted)
    last = wanted.start
    days: list[date] = []
    while not days or (days[-1] - wanted.start).days < wanted.wanted_days:
        late = wanted.review_late and not days
        pace = LATE_REVIEW if late else REVIEWS
        due = pace.due(last, len(days))
        low = due if late else dates.days_after(due, -30)
        day = world.working_day(dates.days_after(low, 1), dates.days_after(due, 25 if late else 0))
        if day > world.as_of:
            break
        days.append(last := day)
    return days or [world.as_of]


def _open_reviews(world: World, wanted: Protection) -> list[date]:
    """Return the reviews so far of an open plan, one gap late (or none yet) if that was decided."""
    days: list[date] = []
    last = wanted.start
    late_at = 0 if wanted.review_late else -1
    while True:
        due = REVIEWS.due(last, len(days))
        is_late = len(days) == late_at
        first, final = (dates.days_after(due, 3), dates.days_after(due, 30)) if is_late else (dates.days_after(due, -25), due)
        day = world.working_day(first, final)
        if not is_late and due <= world.as_of:
            day = min(day, due)
        if day > world.as_of:
            return days
        days.append(last := day)


def support(world: World, child: Child, row: Row) -> None:
    """Add the core groups and visits of a plan."""
    start, end, plan_id = row["start_date"], row["end_date"], row["cp_plan_id"]
    for day in core_group_days(world, start, end):
        meet(world, child, "core_group", day, cp_plan_id=plan_id if world.chance(0.95) else None)
    days = paced(world, start, end, VISITS)
    for day in days:
        visit(world, child, day, plan_id, True)
        again = dates.working_days_after(day, world.rng.randint(2, 5))
        if world.chance(0.04) and again not in days and again <= min(end or world.as_of, world.as_of):
            visit(world, child, again, plan_id, False)


def core_group_days(world: World, start: date, end: date | None) -> list[date]:
    """Return the days of core groups: the first within ten working days nine times in ten."""
    late = start >= date(2020, 1, 1) and world.chance(0.1)
    first = dates.working_days_after(start, world.rng.randint(11, 18) if late else world.rng.randint(4, 10))
    stop = min(end or world.as_of, world.as_of)
    return [first, *paced(world, first, end, replace(CORE_GROUPS, first_earliest=0.7))] if first <= stop else []


def visit(world: World, child: Child, day: date, plan_id: str, seen: bool) -> Row:
    """Return a visit to a child on a plan; an attempt is not seen, a few do not say."""
    old = day < CLEAN_BEFORE
    alone = world.pick([True, False], [75, 0 if old else 25]) if seen else None
    return world.add(
        "cp_visits",
        visit_id=world.new_id("PV"),
        person_id=child.person_id,
        cp_plan_id=plan_id if world.chance(0.97) else None,
        visit_date=day,
        child_was_seen=None if seen and world.chance(0.01) else seen,
        child_was_seen_alone=alone,
        not_seen_alone_reason="refused" if alone is False and world.chance(0.6) else None,
        bedroom_was_seen=world.pick([True, False, None], [90, 0 if old else 10, 0.3]) if seen else None,
        worker_id=None,
        recorded_at=written_up(world, day),
    )


def step_down(world: World, child: Child, referral: Row, ended: date, then: str) -> None:
    """Add what follows a plan: a child in need plan of some months, open or closed, or closure at once."""
    if then == "care":
        return
    short = ended >= CLEAN_BEFORE and world.chance(0.08)
    end = dates.on_or_after(dates.days_after(ended, world.rng.randint(60, 85) if short else world.rng.randint(93, 150)))
    still_open = then == "open" or end > world.as_of
    if then == "close_now":
        close(world, referral, ended)
        return
    child_in_need.plan(world, child, referral, ended, None if still_open else end)
    if not still_open:
        close(world, referral, end)


def close(world: World, referral: Row, day: date, reason: str = "RC7") -> None:
    """Close a referral on a day."""
    referral.update(closed_date=day, closure_reason=reason, current_status="closed")
    told = referral["acknowledged_date"]
    referral["acknowledged_date"] = told if told and told <= day else referral["referral_date"]
