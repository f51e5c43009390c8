"""Missing episodes, audits, special guardianship, gaps in registers, and children placed here by other councils."""

from datetime import date, datetime, time, timedelta

from compliance.synth import dates, people
from compliance.synth.child_protection import conference
from compliance.synth.front_door import assess, clock, meet, refer
from compliance.synth.looked_after import Care
from compliance.synth.world import CLEAN_BEFORE, Row, Spell, World

AUDIT_TO = date(2021, 6, 11)


def missing_episodes(world: World, cares: list[Care]) -> None:
    """Add the times that a share of the year's looked-after children went missing, one to four times each."""
    this_year = [
        care
        for care in cares
        if (care.end is None or care.end >= world.year) and dates.age_on(care.child.birth, world.as_of) >= 10
    ]
    wanted = round(
        sum(care.end is None or care.end >= world.year for care in cares) * world.council.looked_after["missing_percent"] / 100
    )
    for care in world.rng.sample(this_year, min(wanted, len(this_year))):
        for _ in range(world.pick([1, 2, 4], [60, 25, 15])):
            _missing(world, care)


def _missing(world: World, care: Care) -> None:
    """Add one missing episode and the return interview offered after it."""
    first, last = max(world.year, care.start), min(care.end or world.as_of, dates.days_after(world.as_of, -6))
    if first >= last:
        return
    began = clock(world, world.between(first, last), 17, 23)
    back = began + timedelta(hours=world.rng.randint(3, 60))
    accepted = world.chance(0.6)
    last_hour = datetime.combine(world.as_of, time(17, 30))
    world.add(
        "missing_episodes",
        missing_episode_id=world.new_id("MI"),
        person_id=care.child.person_id,
        missing_kind="missing",
        started_at=began,
        ended_at=back,
        interview_was_offered=world.pick([True, False, None], [80, 15, 5]),
        interview_was_accepted=accepted,
        interview_at=min(back + timedelta(hours=_waited(world)), last_hour) if accepted else None,
        interviewer_is_independent=True if accepted else None,
    )


def _waited(world: World) -> int:
    """Return how many hours passed before a return interview: over 72 for one in eight."""
    return world.rng.randint(80, 140) if world.quota("interview", 12).take() else world.rng.randint(10, 69)


def audits(world: World) -> None:
    """Add the audit of cases open on 11 June 2021: about half of them done, most found wanting."""
    until = min(AUDIT_TO, world.as_of)
    opened = [
        row
        for row in world.tables["referrals"]
        if row["referral_date"] <= until and (row["closed_date"] is None or row["closed_date"] > until)
    ]
    share = world.quota("audit", world.council.chosen["audited_percent"])
    for row in opened:
        if share.take():
            _audit(world, row, until)


def _audit(world: World, referral: Row, until: date) -> None:
    """Add the audit of one case."""
    world.add(
        "audits",
        audit_id=world.new_id("AU"),
        audit_kind="all_open_cases",
        audit_date=world.working_day(dates.days_after(until, 3), max(world.as_of, dates.days_after(until, 3))),
        person_id=referral["person_id"],
        grade=world.pick(["inadequate", "requires_improvement", "good", "outstanding"], [46, 44, 9, 1]),
        child_voice_is_evident=world.pick([True, False, None], [30, 65, 5]),
        management_oversight_is_evident=world.pick([True, False, None], [25, 70, 5]),
    )


def guardianship(world: World) -> None:
    """Add special guardianship cases, a third of them without a support plan."""
    for _ in range(world.council.count(world.council.chosen["guardianship_cases"])):
        child = people.new_child(world, people.birth_for(world, 1, 16, world.as_of))
        ordered = world.working_day(
            max(dates.days_after(child.birth, 200), dates.days_after(world.as_of, -1500)), dates.days_after(world.as_of, -20)
        )
        world.add(
            "special_guardianship_cases",
            guardianship_case_id=world.new_id("SG"),
            person_id=child.person_id,
            guardian_name="recorded",
            order_date=ordered,
            has_ongoing_support=world.pick([True, False, None], [60, 30, 10]),
            support_plan_date=dates.days_after(ordered, -10) if world.chance(0.65) else None,
        )


def childrens_register(world: World) -> None:
    """Leave the register of children placed without where some came from, or went to, since 2020."""
    for row in world.tables["episodes"]:
        if row["start_reason"] == "S" and row["start_date"] >= CLEAN_BEFORE and world.quota("came_from", 6).take():
            _blank_home(world, row["person_id"])
    for row in world.tables["placements"]:
        if row["end_date"] and row["end_date"] >= CLEAN_BEFORE and world.quota("went_to", 8).take():
            row["destination_postcode"] = None


def _blank_home(world: World, person_id: str) -> None:
    """Blank where a child lived before care, wherever it stands."""
    for row in world.tables["episodes"]:
        if row["person_id"] == person_id:
            row["home_postcode"] = None


def other_councils_plans(world: World) -> int:
    """Return how many open episodes were added for children here on another council's plan."""
    number = world.council.count(2)
    for index in range(number):
        start = dates.on_or_after(dates.days_after(world.as_of, -60 - 20 * index))
        child = people.new_child(world, people.birth_for(world, 3, 10, world.as_of))
        referral = refer(world, child, start, None, "other_agency")
        assess(world, child, referral, dates.working_days_after(start, 12), False)
        _their_plan(world, child.person_id, referral, start)
        for day in _clean_core_groups(world, start):
            meet(world, child, "core_group", day, cp_plan_id=world.tables["cp_plans"][-1]["cp_plan_id"])
        world.spells.append(Spell(child, start, None, "cp"))
        conference(
            world, child, "transfer_in", start, "plan_continues", cp_plan_id=world.tables["cp_plans"][-1]["cp_plan_id"]
        ).update(is_quorate=True, agencies_attending=3)
    return number


def _clean_core_groups(world: World, start: date) -> list[date]:
    """Return core groups every three weeks."""
    days = [dates.on_or_before(dates.days_after(start, 10 + 21 * number)) for number in range(30)]
    return [day for day in days if day <= world.as_of]


def _their_plan(world: World, person_id: str, referral: Row, start: date) -> None:
    """Add the plan of another council."""
    world.add(
        "cp_plans",
        cp_plan_id=world.new_id("P"),
        person_id=person_id,
        referral_id=referral["referral_id"],
        initial_conference_id=None,
        start_date=start,
        end_date=None,
        end_reason=None,
        initial_category="NEG",
        latest_category="NEG",
        is_other_authority_plan=True,
        previous_plan_count=0,
    )
