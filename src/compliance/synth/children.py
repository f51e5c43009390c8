"""The children known to the service: open and closed episodes of need in the published numbers."""

from dataclasses import replace
from datetime import date

from compliance.synth import child_in_need, child_protection, dates, front_door, people
from compliance.synth.child_protection import Protection
from compliance.synth.looked_after import Care
from compliance.synth.world import CLEAN_BEFORE, Child, Row, Spell, World


def know(world: World, cares: list[Care], others: int = 0) -> None:
    """Add every child in need, on a plan or being assessed, so that the open episodes are as many as published."""
    plans = protect(world)
    stepped = sum(row["end_date"] is not None and referral["closed_date"] is None for referral, row in plans)
    open_plans = sum(row["end_date"] is None for _, row in plans)
    looked_after = sum(care.end is None for care in cares)
    need = world.council.need
    waiting = world.council.count(need["awaiting_assessment"])
    in_need = world.council.count(need["open_episodes"]) - open_plans - stepped - looked_after - waiting - others
    _planned(world, in_need, waiting)
    front_door.other_contacts(world)
    _count_earlier(world)


def protect(world: World) -> list[tuple[Row, Row]]:
    """Return the referral and plan of every child on a plan in the two years, oldest first."""
    wanted = sorted([*_open_plans(world), *_ended_plans(world)], key=lambda plan: plan.start)
    late = world.quota("conference", 100 - world.council.need["conferences_within_15_days_percent"])
    second = world.quota("second_plan", world.council.need["second_plans_percent"])
    assessed = world.quota("assessed", 100 - world.council.need["assessed_within_45_days_percent"])
    plans = []
    for index, plan in enumerate(wanted):
        plan = replace(plan, conference_late=late.take(), is_second=second.take(), assessed_late=assessed.take())
        if plan.start < dates.days_after(CLEAN_BEFORE, 130):
            plan = replace(plan, conference_late=False, assessed_late=False)
        plans.append(_protect(world, plan, index))
        if index % 28 == 27:
            _no_plan(world, plan.start, late.take() and plan.start > dates.days_after(CLEAN_BEFORE, 50))
    return plans


def _open_plans(world: World) -> list[Protection]:
    """Return the plans open on the as-of day, of the published lengths, 19% of those over three months reviewed late."""
    lengths = world.council.need["plans_open"]
    bands = {"under_3_months": (4, 88), "months_3_to_6": (97, 178), "months_6_to_12": (190, 355), "longer": (375, 690)}
    days: list[int] = []
    for band, (low, high) in bands.items():
        days += sorted(world.rng.randint(low, high) for _ in range(world.council.count(lengths[band])))
    days[-2:] = [735, 770]
    late = world.quota("review", 100 - world.council.need["reviews_in_time_percent"])
    return [
        Protection(dates.on_or_before(dates.days_after(world.as_of, -ago)), True, review_late=ago > 92 and late.take())
        for ago in days
    ]


def _ended_plans(world: World) -> list[Protection]:
    """Return plans that began in the two years and have ended, so that as many start each year as published."""
    started = world.council.count(world.council.need["plans_started_a_year"])
    open_this_year = sum(
        world.council.count(world.council.need["plans_open"][band])
        for band in ("under_3_months", "months_3_to_6", "months_6_to_12")
    )
    plans = []
    for first, last, number, longest in (
        (world.window, dates.days_after(world.year, -1), started - world.council.count(5), 290),
        (world.year, dates.days_after(world.as_of, -125), started - open_this_year, 130),
    ):
        for _ in range(number):
            start = world.working_day(first, last)
            late = start >= CLEAN_BEFORE and world.chance(0.15)
            plans.append(Protection(start, False, review_late=late, wanted_days=world.rng.randint(80, longest)))
    return plans


def _protect(world: World, plan: Protection, index: int) -> tuple[Row, Row]:
    """Return the referral and plan of one child; what follows an ended plan varies."""
    child = people.new_child(world, people.any_birth(world, dates.days_after(plan.start, -120)))
    then = "close_now" if index % 11 == 5 and plan.start >= CLEAN_BEFORE else "open" if index % 7 == 0 else "close"
    if plan.is_open and index % 40 == 39:
        referral = front_door.refer(world, child, dates.working_days_before(plan.start, 3), None, "strategy_discussion")
        row = child_protection.plan(world, child, referral, None, plan, kind="transfer_in")
    else:
        referral, row = child_protection.case(world, child, plan, then)
    world.boundaries[child.person_id].update(day for day in (row["start_date"], row["end_date"]) if day)
    world.spells.append(Spell(child, referral["referral_date"], referral["closed_date"], "cin" if row["end_date"] else "cp"))
    return referral, row


def _no_plan(world: World, day: date, late: bool) -> None:
    """Add a conference that made no plan; its child's episode closes soon after."""
    child = people.new_child(world, people.any_birth(world, dates.days_after(day, -60)))
    start = dates.working_days_before(day, 20 if late else 12)
    closed = dates.working_days_after(day, 8)
    if closed > world.as_of:
        return
    referral = front_door.refer(world, child, dates.working_days_before(start, 2), closed, "strategy_discussion", "RC8")
    front_door.assess(world, child, referral, dates.working_days_before(day, 2), False)
    enquiry = front_door.enquire(
        world, child, referral, start, end_date=dates.working_days_before(day, 2), conference_is_not_required=False
    )
    child_protection.conference(world, child, "initial", day, "no_plan", enquiry_id=enquiry["enquiry_id"])
    world.spells.append(Spell(child, referral["referral_date"], closed, "cin"))


def _planned(world: World, in_need: int, waiting: int) -> None:
    """Add the children in need and those being assessed, and enough closed episodes to make up the year's referrals."""
    old = round(in_need * 0.2)
    episodes = [(_ago(world, 150, 700) if index % 5 < 2 else _ago(world, 75, 364), "open") for index in range(in_need - old)]
    episodes += [(_ago(world, 735, 1500), "long") for _ in range(old)]
    episodes += [(_ago(world, 0, 62) if index % 6 else _ago(world, 68, 110), "waiting") for index in range(waiting)]
    for first in (world.window, world.year):
        episodes += _closed_dates(world, first, episodes)
    episodes.sort(key=lambda episode: episode[0])
    _write(world, episodes)


def _ago(world: World, low: int, high: int) -> date:
    """Return a working day between so many days before the as-of day."""
    return dates.on_or_before(dates.days_after(world.as_of, -world.rng.randint(low, high)))


def _closed_dates(world: World, first: date, episodes: list[tuple[date, str]]) -> list[tuple[date, str]]:
    """Return the days of referrals, since closed, that bring a year's referrals to the published number."""
    last = min(dates.days_after(dates.years_after(first, 1), -1), world.as_of)
    known = sum(first <= row["referral_date"] <= last for row in world.tables["referrals"])
    planned = sum(first <= day <= last for day, _ in episodes)
    number = max(0, world.council.count(world.council.need["referrals_a_year"]) - known - planned)
    none = world.council.count(world.council.need["no_further_action_a_year"])
    closing = min(last, dates.days_after(world.as_of, -115))
    days = [world.working_day(first, last if index < none else closing) for index in range(number)]
    return [(day, "nothing" if index < none else "plan" if index % 4 == 0 else "assessed") for index, day in enumerate(days)]


def _write(world: World, episodes: list[tuple[date, str]]) -> None:
    """Write episodes in order of date, one referral in nine for a child known in the year before."""
    again = world.quota("rereferral", world.council.need["rereferrals_percent"] * 1.19)
    enquiries = world.quota("enquiry", 30)
    known: list[tuple[date, date, Child]] = []
    for day, kind in episodes:
        back = _known_again(world, known, day) if kind != "long" and again.is_owed() else None
        child = back or people.new_child(world, people.any_birth(world, day))
        again.pay(back is not None)
        referral = _episode(world, child, day, kind)
        if kind in ("assessed", "plan", "open") and enquiries.take():
            _enquiry_without_conference(world, child, referral)
        if referral["closed_date"]:
            known.append((day, referral["closed_date"], child))


def _known_again(world: World, known: list[tuple[date, date, Child]], day: date) -> Child | None:
    """Return a child referred within the year whose case has closed, taken out of those who may return."""
    for _ in range(40 if known else 0):
        place = world.rng.randrange(len(known))
        referred, closed, child = known[place]
        if closed < day and referred > dates.days_after(day, -360):
            known[place] = known[-1]
            known.pop()
            return child
    return None


def _episode(world: World, child: Child, day: date, kind: str) -> Row:
    """Return the referral of one episode of need, written with what followed it."""
    late = world.quota("assessed", 0).take() if kind not in ("nothing", "long", "waiting") else False
    late = late and day >= CLEAN_BEFORE
    if kind == "nothing":
        closed = dates.working_days_after(day, 1)
        closed = min(closed, world.as_of)
        return front_door.refer(world, child, day, closed, "no_further_action", "RC8")
    if kind == "waiting":
        referral = front_door.refer(world, child, day, None, "assessment")
        front_door.assess(world, child, referral, None, None)
        world.spells.append(Spell(child, day, None, "assessment"))
        return referral
    if kind == "plan" and day > dates.days_after(world.as_of, -300):
        kind = "assessed"
    if kind == "long":
        return _long(world, child, day)
    longest = dates.working_days_between(day, world.as_of) - 12
    number = (
        world.rng.randint(46, max(47, min(75, longest)))
        if late and longest > 47
        else world.rng.choice([18, 25, 32, 37, 40, 42, 44, 45])
    )
    return _assessed(world, child, day, dates.working_days_after(day, number), kind)


def _assessed(world: World, child: Child, day: date, authorised: date, kind: str) -> Row:
    """Return the referral of an assessed child: closed at once, closed after a plan, or still open."""
    if kind == "assessed":
        closed = dates.working_days_after(authorised, world.rng.randint(0, 5))
        referral = front_door.refer(world, child, day, closed, "assessment", world.pick(["RC8", "RC9"], [55, 45]))
        front_door.assess(world, child, referral, authorised, False)
        world.spells.append(Spell(child, day, closed, "assessment"))
        return referral
    start = _plan_start(world, authorised)
    end: date | None = None
    if kind == "plan":
        wanted = dates.on_or_after(dates.days_after(start, world.rng.randint(60, 200)))
        end = min(wanted, dates.on_or_before(dates.days_after(world.as_of, -4)))
    no_plan = start > world.as_of or (kind == "open" and authorised >= dates.days_after(world.as_of, -400) and world.chance(0.04))
    ended = dates.working_days_after(end, 1) if end and not no_plan else None
    referral = front_door.refer(world, child, day, ended, "assessment", "RC7")
    front_door.assess(world, child, referral, authorised, True)
    child_in_need.first_meeting(world, child, authorised, is_open=ended is None)
    if not no_plan:
        child_in_need.plan(world, child, referral, start, end)
    world.spells.append(Spell(child, day, ended, "cin"))
    return referral


def _plan_start(world: World, authorised: date) -> date:
    """Return the day a plan started: within ten working days of the assessment five times in six."""
    late = authorised >= CLEAN_BEFORE and world.chance(0.16)
    return dates.working_days_after(authorised, world.rng.randint(11, 28) if late else world.rng.randint(1, 10))


def _long(world: World, child: Child, day: date) -> Row:
    """Return the referral of a child in need, often disabled, whose plan has lasted more than two years."""
    child.row["is_disabled"] = world.chance(0.7)
    referral = front_door.refer(world, child, day, None, "assessment")
    child_in_need.plan(world, child, referral, dates.working_days_after(day, 40), None)
    start = dates.days_after(world.as_of, -world.rng.randint(150, 540))
    world.spells.append(Spell(child, start, None, "disabled"))
    return referral


def _enquiry_without_conference(world: World, child: Child, referral: Row) -> None:
    """Add an enquiry that needed no conference; in a few it is not said whether one was needed."""
    day = dates.working_days_after(referral["referral_date"], world.rng.randint(0, 3) or 1)
    closed = referral["closed_date"] or world.as_of
    if day <= closed:
        end = min(dates.working_days_after(day, world.rng.randint(3, 12)), closed)
        front_door.enquire(
            world, child, referral, day, end_date=end, conference_is_not_required=world.pick([True, None], [97, 3])
        )


def _count_earlier(world: World) -> None:
    """Fill in how many referrals each child had in the twelve months before."""
    seen: dict[str, list[date]] = {}
    for row in sorted(world.tables["referrals"], key=lambda referral: referral["referral_date"]):
        day = row["referral_date"]
        earlier = seen.setdefault(row["person_id"], [])
        row["previous_referrals_12_months"] = sum(other >= dates.years_after(day, -1) for other in earlier)
        earlier.append(day)
