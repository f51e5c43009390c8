"""Young people leaving care: statuses, needs assessments, pathway plans, advisers, contact and homes."""

from dataclasses import dataclass
from datetime import date

from compliance.synth import dates, people
from compliance.synth.front_door import written_up
from compliance.synth.looked_after import Care
from compliance.synth.world import CLEAN_BEFORE, Child, Pace, Row, World, paced

LEAVING = ("E17", "E5", "E6")
REVIEWS_AT_HOME = Pace(
    due=lambda last, _: dates.months_after(last, 3), late=0.12, overrun=(2, 40), earliest=0.8, first_earliest=0.8
)
OFFERS = Pace(due=lambda last, _: dates.months_after(last, 12), late=0.4, overrun=(10, 120), earliest=0.6, first_earliest=0.2)


@dataclass
class Leaver:
    """Return a young person with the days that decide what is owed to them."""

    child: Child
    eligible: date | None
    adult: date
    last: date
    forgotten: bool = False


def prepare(world: World, cares: list[Care]) -> None:
    """Add everything for eligible children and for those who have left care."""
    leavers = _eligible(world, cares)
    for leaver in leavers:
        _prepare_eligible(world, leaver)
    older = [leaver for leaver in leavers if leaver.adult <= world.as_of] + _earlier(world, leavers)
    for leaver in older:
        _after_18(world, leaver)
    for number in range(world.council.count(3)):
        _relevant(world, number)


def _eligible(world: World, cares: list[Care]) -> list[Leaver]:
    """Return the children who became eligible: thirteen weeks in care since 14, and some of it at 16."""
    found = []
    for care in cares:
        birthday = dates.years_after(care.child.birth, 16)
        since = max(care.start, dates.years_after(care.child.birth, 14))
        day = max(birthday, dates.days_after(since, 90))
        adult = dates.years_after(care.child.birth, 18)
        if day < min(care.end or world.as_of, world.as_of, adult):
            found.append(Leaver(care.child, day, adult, min(dates.years_after(care.child.birth, 21), world.as_of)))
    settled = [
        leaver
        for leaver in found
        if leaver.adult > world.as_of
        and leaver.eligible == dates.years_after(leaver.child.birth, 16)
        and CLEAN_BEFORE <= leaver.eligible < dates.days_after(world.as_of, -190)
    ]
    for leaver in settled[: world.council.count(6)]:
        leaver.forgotten = True
    return found


def _prepare_eligible(world: World, leaver: Leaver) -> None:
    """Add the status, assessment, first plan, its reviews, adviser and contact of an eligible child."""
    day = leaver.eligible
    assert day is not None
    if leaver.forgotten:
        return
    status(world, leaver.child, day, "eligible", "in_touch", None)
    late_entrant = day != dates.years_after(leaver.child.birth, 16)
    clean = day < CLEAN_BEFORE or late_entrant or (leaver.child.birth.month, leaver.child.birth.day) == (2, 29)
    assessed = _assess(world, leaver, day, clean)
    first = _first_plan(world, leaver, day, clean)
    first = max(first, assessed) if first and clean else first
    stop = min(leaver.adult, world.as_of)
    if first and first <= stop:
        pathway(world, leaver.child, first, "first_plan")
        for reviewed in _reviews(world, first, dates.days_after(leaver.adult, -1)):
            pathway(world, leaver.child, reviewed, "review", "scheduled")
    _adviser(world, leaver.child, day, missing=leaver.adult > world.as_of and world.chance(0.12))
    for met in paced(world, day, dates.days_after(leaver.adult, -1), _contact_pace(0.0)):
        contact(world, leaver.child, met, "visit_elsewhere", True)


def status(world: World, child: Child, day: date, kind: str, touch: str | None, activity: str | None) -> None:
    """Add a leaving-care status from a day."""
    world.add(
        "care_leaver_statuses",
        status_id=world.new_id("ST"),
        person_id=child.person_id,
        status_date=day,
        status=kind,
        in_touch=touch,
        activity=activity,
    )


def _assess(world: World, leaver: Leaver, day: date, clean: bool) -> date:
    """Return the day of the needs assessment, added: within three months of becoming eligible, or since 2020 often later."""
    due = dates.months_after(day, 3)
    done = world.working_day(dates.days_after(day, -20), dates.days_after(day, 60) if clean else due)
    if not clean and world.chance(0.4):
        done = dates.on_or_after(dates.days_after(due, world.rng.randint(3, 95)))
    if done > world.as_of:
        if done <= due:
            return done
        done_day = None
    else:
        done_day = done
    world.add(
        "pathway_needs_assessments",
        needs_assessment_id=world.new_id("NA"),
        person_id=leaver.child.person_id,
        assessment_kind="pathway",
        started_date=min(dates.days_after(done, -25), world.as_of),
        completed_date=done_day,
        has_young_person_views=world.pick([True, False, None], [60, 30, 10]) if done_day else None,
    )
    return done


def _first_plan(world: World, leaver: Leaver, day: date, clean: bool) -> date | None:
    """Return the day of the first pathway plan: three in five since 2020 were later than three months."""
    due = dates.months_after(day, 3)
    if not clean and world.chance(0.6):
        return dates.on_or_before(dates.days_after(due, world.rng.randint(5, 80)))
    return world.working_day(dates.days_after(day, 10), dates.days_after(day, 70) if clean else due)


def _reviews(world: World, first: date, end: date) -> list[date]:
    """Return the days of reviews after a first plan, many of them more than six months apart."""
    pace = Pace(
        due=lambda last, _: dates.months_after(last, 6),
        late=0.4,
        overrun=(3, 120),
        earliest=0.8,
        first_earliest=0.8,
        clean=lambda _, due: due > dates.days_after(end, -200),
    )
    return paced(world, first, end, pace)


def pathway(world: World, child: Child, day: date, kind: str, reason: str | None = None, home: str | None = None) -> Row:
    """Return a pathway plan or a review of it; most of the last year leave headings empty and aspirations out (paragraph 33)."""
    poor = _poor(world, day)
    world.last_plan[child.person_id] = max(day, world.last_plan.get(child.person_id, day))
    return world.add(
        "pathway_plans",
        pathway_plan_id=world.new_id("PP"),
        person_id=child.person_id,
        plan_kind=kind,
        plan_date=day,
        review_reason=reason,
        accommodation_id=home,
        headings_completed=world.rng.randint(4, 9) if world.chance(poor / 100) else 10,
        has_contingency_plan=world.pick([True, False, None], [100 - poor, poor, 0.5]),
        has_young_person_views=world.pick([True, False, None], [100 - poor, poor, 0.5]),
        worker_id=None,
    )


def _poor(world: World, day: date) -> float:
    """Return how many in a hundred plans of a day are thin."""
    if day < CLEAN_BEFORE:
        return 0.0
    return 52.0 if day >= world.year else 10.0


def _adviser(world: World, child: Child, day: date, missing: bool) -> None:
    """Add the allocation of a personal adviser, unless there is none."""
    if missing:
        return
    world.add(
        "allocations",
        allocation_id=world.new_id("AL"),
        person_id=child.person_id,
        carer_id=None,
        worker_id=None,
        role="personal_adviser",
        team_id="T-LC-1",
        start_date=max(day, dates.days_after(world.as_of, -1500)),
        end_date=None,
        change_reason=None,
    )


def _contact_pace(late: float, *edges: date) -> Pace:
    """Return contact at most eight weeks apart, never late near the days on which what is owed changes."""

    def clean(first: date, due: date) -> bool:
        return any(dates.days_after(first, -70) <= edge <= dates.days_after(due, 60) for edge in edges)

    return Pace(
        due=lambda last, _: dates.days_after(last, 56), late=late, overrun=(2, 45), earliest=0.5, first_earliest=0.2, clean=clean
    )


def contact(world: World, child: Child, day: date, kind: str, two_way: bool, home: str | None = None) -> None:
    """Add a contact by the personal adviser."""
    if two_way:
        world.last_contact[child.person_id] = max(day, world.last_contact.get(child.person_id, day))
    world.add(
        "care_leaver_contacts",
        contact_id=world.new_id("LC"),
        person_id=child.person_id,
        contact_date=day,
        contact_kind=kind,
        was_two_way=two_way,
        accommodation_id=home,
        worker_id=None,
        recorded_at=written_up(world, day),
    )


def _earlier(world: World, leavers: list[Leaver]) -> list[Leaver]:
    """Return those who left care before the two years, so that as many are 19 to 21 as published."""
    known = sum(19 <= dates.age_on(leaver.child.birth, world.as_of) <= 21 for leaver in leavers)
    wanted = world.council.count(world.council.care_leavers["aged_19_to_21"]) - known
    births = [people.birth_for(world, 20, 21, world.as_of) for _ in range(wanted)]
    births += [people.birth_for(world, 22, 24, world.as_of) for _ in range(world.council.count(12))]
    found = []
    for birth in births:
        child = people.new_child(world, birth)
        found.append(Leaver(child, None, dates.years_after(birth, 18), min(dates.years_after(birth, 21), world.as_of)))
    return found


def _after_18(world: World, leaver: Leaver) -> None:
    """Add the status, plans, adviser, contact and homes of a former relevant child."""
    child, start = leaver.child, leaver.adult
    out = world.quota("neet", world.council.care_leavers["not_in_work_or_learning_percent"])
    is_out = out.take() if 19 <= dates.age_on(child.birth, world.as_of) <= 21 else False
    activity = world.pick(["G5", "G4", "G6"], [60, 22, 18]) if is_out else world.pick(["F2", "F5", "P5", "F1", "F4"])
    touch = world.pick(["in_touch", "not_in_touch", "refuses_contact"], [92, 5, 3])
    status(world, child, start, "former_relevant", "in_touch", activity)
    again = world.between(dates.days_after(world.as_of, -150), dates.days_after(world.as_of, -5))
    if again > start:
        status(world, child, again, "former_relevant", touch, activity)
    adult_end = dates.years_after(child.birth, 21)
    _plans_after_18(world, leaver, adult_end)
    if leaver.eligible is None:
        _adviser(world, child, start, missing=adult_end > world.as_of and world.chance(0.1))
    met = world.last_contact.get(child.person_id, start)
    for day in paced(world, met, adult_end, _contact_pace(0.2, start, adult_end)):
        contact(world, child, day, world.pick(["visit_elsewhere", "call", "message"], [40, 35, 25]), True)
        tried = dates.days_after(day, world.rng.randint(5, 12))
        if world.chance(0.1) and tried <= world.as_of:
            contact(world, child, tried, "attempt", False)
    _homes(world, leaver, adult_end)
    if adult_end <= world.as_of:
        for day in paced(world, adult_end, dates.years_after(child.birth, 25), OFFERS):
            contact(world, child, day, "support_offer", False)


def _plans_after_18(world: World, leaver: Leaver, end: date) -> None:
    """Add the reviews of a pathway plan from 18 to 21, from the last one before 18 where there is one."""
    child = leaver.child
    last = world.last_plan.get(child.person_id)
    if last is None:
        last = dates.on_or_before(dates.days_after(leaver.adult, -world.rng.randint(5, 60)))
        pathway(world, child, last, "plan_or_review")
    for day in _reviews(world, last, end):
        pathway(world, child, day, "review", "scheduled")


def _homes(world: World, leaver: Leaver, adult_end: date) -> None:
    """Add where a young person has lived since 18; a third had a place provided by the council."""
    child = leaver.child
    suitable = world.quota("suitable", world.council.care_leavers["suitable_percent"])
    is_counted = 19 <= dates.age_on(child.birth, world.as_of) <= 21
    now_suitable = suitable.take() if is_counted else world.chance(0.9)
    start: date | None = leaver.adult
    if world.chance(0.5):
        first = max(dates.days_after(leaver.adult, 30), dates.days_after(CLEAN_BEFORE, 20))
        last = min(dates.days_after(adult_end, -240), dates.days_after(world.as_of, -30))
        if first < last:
            start = _provided(world, child, leaver.adult, world.working_day(first, last), adult_end, now_suitable)
    kind = (
        world.pick(["U", "B", "Z", "K"], [45, 20, 20, 15]) if now_suitable else world.pick(["S", "V", "X", "W"], [40, 20, 20, 20])
    )
    if start is not None:
        home(world, child, start, None, kind, False, now_suitable)


def _provided(world: World, child: Child, start: date, moved: date, adult_end: date, suitable: bool) -> date | None:
    """Return the day a provided home ended, if it has, having added it, the one before it, and what is owed there."""
    home(world, child, start, moved, "B", False, True)
    lasts = dates.on_or_before(dates.days_after(moved, world.rng.randint(25, 420)))
    end = min(lasts, dates.days_after(adult_end, -30))
    ended = end if end < dates.days_after(world.as_of, -2) else None
    row = home(world, child, moved, ended, world.pick(["D", "E", "T"]), True, suitable)
    first_review = _review_at_home(world, child, row)
    _visits_at_home(world, child, row, first_review)
    return ended


def _visits_at_home(world: World, child: Child, row: Row, reviewed: date | None) -> None:
    """Add the adviser's visits to a provided home: in the first week, before the review, then every two months, some late."""

    def due(last: date, count: int) -> date:
        return dates.months_after(last, 2) if count else dates.days_after(last, 7)

    days = paced(world, row["start_date"], row["end_date"], Pace(due=due, late=0.25, overrun=(1, 25)))
    if reviewed and days and days[0] < reviewed and world.chance(0.85):
        days = sorted({*days, world.working_day(dates.days_after(days[0], 1), reviewed)})
    for day in days:
        contact(world, child, day, "visit_at_accommodation", True, row["accommodation_id"])


def _review_at_home(world: World, child: Child, row: Row) -> date | None:
    """Return the day of the review owed within 28 days of a provided home: in time two times in three, else late or never.

    Those that follow are three months apart at most, but for one in eight.
    """
    stop = min(row["end_date"] or world.as_of, world.as_of)
    day = dates.on_or_before(dates.days_after(row["start_date"], world.rng.randint(10, 28)))
    if world.chance(0.35):
        if world.chance(0.3):
            return None
        day = dates.on_or_after(dates.days_after(row["start_date"], world.rng.randint(30, 70)))
    if day > stop:
        return None
    for reviewed in [day, *paced(world, day, row["end_date"], REVIEWS_AT_HOME)]:
        pathway(world, child, reviewed, "review", "new_accommodation", row["accommodation_id"])
    return day


def home(world: World, child: Child, start: date, end: date | None, kind: str, provided: bool, suitable: bool) -> Row:
    """Return a place where a care leaver lives or lived."""
    return world.add(
        "care_leaver_accommodation",
        accommodation_id=world.new_id("HO"),
        person_id=child.person_id,
        start_date=start,
        end_date=end,
        accommodation_type=kind,
        is_provided_by_authority=provided if provided or world.chance(0.8) else None,
        is_suitable=suitable,
        suitability_assessed_date=start,
        is_staying_put=kind == "Z",
    )


def _relevant(world: World, number: int) -> None:
    """Add a relevant child: 17, out of care, with a plan, an adviser and contact in time."""
    child = people.new_child(world, people.birth_for(world, 17, 17, world.as_of))
    start = dates.on_or_before(dates.days_after(world.as_of, -60 - 40 * number))
    status(world, child, start, "relevant", "in_touch", "F2")
    pathway(world, child, dates.days_after(start, -20), "plan_or_review")
    _adviser(world, child, start, missing=False)
    for day in paced(world, start, None, _contact_pace(0.0)):
        contact(world, child, day, "visit_elsewhere", True)


def name_authors(world: World) -> None:
    """Name as author of each first plan the worker who then held the case, and of each review the adviser."""
    held: dict[str, list[Row]] = {}
    for row in world.tables["allocations"]:
        if row["role"] in ("social_worker", "lead_practitioner") and row["person_id"] and row["worker_id"]:
            held.setdefault(row["person_id"], []).append(row)
    for row in world.tables["pathway_plans"]:
        if row["plan_kind"] == "first_plan":
            then = [
                each
                for each in held.get(row["person_id"], [])
                if each["start_date"] <= row["plan_date"] and (each["end_date"] is None or each["end_date"] > row["plan_date"])
            ]
            row["worker_id"] = then[-1]["worker_id"] if then else None
