"""The front door: contacts, referrals, assessments, strategy discussions."""

from datetime import date, datetime, time, timedelta
from typing import Any

from compliance.synth import dates, people
from compliance.synth.world import CLEAN_BEFORE, Child, Row, World

SOURCES = ["1A", "1C", "2A", "2B", "3A", "3B", "3C", "3E", "4", "5A", "5B", "5D", "6", "7", "8", "9"]
SOURCE_WEIGHTS = [8, 1, 20, 3, 3, 5, 2, 4, 2, 6, 3, 6, 28, 3, 4, 2]
# How many visits in a hundred were written up more than two working days later.
LATE_NOTES = 2.0
NEEDS = ["N1", "N2", "N3", "N4", "N5", "N6", "N8"]
NEED_WEIGHTS = [56, 9, 4, 8, 17, 2, 4]


def clock(world: World, day: date, first_hour: int = 8, last_hour: int = 18) -> datetime:
    """Return a time on a day, never midnight."""
    return datetime.combine(day, time(world.rng.randint(first_hour, last_hour), world.rng.randint(1, 59)))


def written_up(world: World, day: date) -> datetime | None:
    """Return when an event was written up: within two working days but for a few since 2020; blank if that is not known yet."""
    late = LATE_NOTES if day >= CLEAN_BEFORE else 0
    after = world.pick([0, 1, 2, 3, 5, 8], [40, 35, 25, late * 0.5, late * 0.3, late * 0.2])
    when = clock(world, dates.working_days_after(day, after) if after else day)
    return when if when.date() <= world.as_of else None


def soon(world: World, day: date, late: float, longest: int = 6) -> date:
    """Return a day within one working day of another, or with a probability some days late."""
    if day >= CLEAN_BEFORE and world.chance(late):
        return dates.working_days_after(day, world.rng.randint(2, longest))
    return day if world.chance(0.55) else dates.working_days_after(day, 1)


def refer(world: World, child: Child, day: date, closed: date | None, decision: str, reason: str | None = None) -> Row:
    """Return a referral: decided and acknowledged, mostly in time, with the contact it came from."""
    known = closed or world.as_of
    decided, told = soon(world, day, 0.06), soon(world, day, 0.11)
    row = world.add(
        "referrals",
        referral_id=world.new_id("R"),
        person_id=child.person_id,
        referral_date=day,
        referral_source=world.pick(SOURCES, SOURCE_WEIGHTS),
        primary_need="N2" if child.row["is_disabled"] and world.chance(0.6) else world.pick(NEEDS, NEED_WEIGHTS),
        acknowledged_date=told if told <= known else (day if closed else None),
        decision_date=decided if decided <= known else day,
        decision=decision,
        needs_no_further_action=decision == "no_further_action",
        closed_date=closed,
        closure_reason=reason if closed else None,
        previous_referrals_12_months=None,
        current_status="closed" if closed else None,
        team_id="T-MASH-1",
    )
    if day >= world.window:
        contact(world, child, row)
    return row


def contact(world: World, child: Child, referral: Row) -> Row:
    """Return the contact that became a referral, decided within 24 hours more often than not."""
    decided = clock(world, referral["referral_date"], 12, 18)
    late = world.chance(0.1) and decided.date() > dates.days_after(CLEAN_BEFORE, 4)
    hours = world.rng.randint(25, 70) if late else world.rng.randint(1, 23)
    return world.add(
        "contacts",
        contact_id=world.new_id("K"),
        person_id=child.person_id,
        received_at=decided - timedelta(hours=hours),
        contact_source=referral["referral_source"],
        decided_at=decided,
        outcome="referral",
        referral_id=referral["referral_id"],
    )


def other_contact(world: World, child: Child, day: date) -> Row:
    """Return a contact that did not become a referral; one of the last two days may be undecided."""
    received = clock(world, day, 7, 20)
    late = day >= CLEAN_BEFORE and world.chance(0.08)
    decided: datetime | None = received + timedelta(hours=world.rng.randint(25, 90) if late else world.rng.randint(1, 23))
    if decided and decided.date() > world.as_of:
        decided = None
    return world.add(
        "contacts",
        contact_id=world.new_id("K"),
        person_id=child.person_id,
        received_at=received,
        contact_source=world.pick(SOURCES, SOURCE_WEIGHTS),
        decided_at=decided,
        outcome=world.pick(["early_help", "advice", "no_further_action", "other"], [25, 35, 35, 5]) if decided else None,
        referral_id=None,
    )


def assess(world: World, child: Child, referral: Row, authorised: date | None, services: bool | None) -> Row:
    """Return an assessment of a referral, complete if it has a day of authorisation."""
    referred = referral["referral_date"]
    start = min(dates.days_after(referred, world.pick([0, 0, 1, 2])), authorised or world.as_of)
    old = authorised is not None and authorised < CLEAN_BEFORE
    seen = world.pick([True, False, None], [100 if old else 95, 0 if old else 4, 1]) if authorised else None
    late = (authorised or world.as_of) > dates.working_days_after(referred, 45)
    return world.add(
        "assessments",
        assessment_id=world.new_id("A"),
        person_id=child.person_id,
        referral_id=referral["referral_id"],
        start_date=start,
        internal_review_date=_midway(world, start, authorised),
        authorised_date=authorised,
        child_was_seen=seen,
        child_was_seen_alone=seen,
        overrun_reason="capacity" if late and world.chance(1.0 if old else 0.8) else None,
        services_are_needed=services,
        team_id="T-ASSESS-1",
    )


def _midway(world: World, start: date, authorised: date | None) -> date | None:
    """Return the day of a manager's check point, where there was one."""
    day = dates.working_days_after(start, 10)
    return day if day <= (authorised or world.as_of) and world.chance(0.6) else None


def meet(world: World, child: Child, kind: str, day: date, **links: Any) -> Row:
    """Return a meeting about a child."""
    row = {"concern_date": None, "cin_plan_id": None, "cp_plan_id": None} | links
    return world.add(
        "meetings",
        meeting_id=world.new_id("M"),
        person_id=child.person_id,
        meeting_kind=kind,
        meeting_date=day,
        **row,
    )


def strategy(world: World, child: Child, day: date) -> Row:
    """Return a strategy discussion, held within a working day of the concern four times in five."""
    late = world.chance(0.2) and day > dates.days_after(CLEAN_BEFORE, 12)
    before = world.rng.randint(2, 5) if late else world.rng.randint(0, 1)
    concern = dates.working_days_before(day, before) if before else day
    return meet(world, child, "strategy_discussion", day, concern_date=concern)


def enquire(world: World, child: Child, referral: Row, day: date, **facts: Any) -> Row:
    """Return a child protection enquiry started by a strategy discussion that day."""
    discussion = strategy(world, child, day)
    row: dict[str, Any] = {"end_date": None, "conference_is_not_required": None, "conference_decided_date": None}
    return world.add(
        "section_47_enquiries",
        enquiry_id=world.new_id("E"),
        person_id=child.person_id,
        referral_id=referral["referral_id"],
        strategy_meeting_id=discussion["meeting_id"],
        start_date=day,
        **(row | facts),
        team_id="T-ASSESS-1",
    )


def other_contacts(world: World) -> None:
    """Add contacts, of children known to nobody else, that did not become referrals."""
    for _ in range(world.council.count(1500)):
        day = world.between(world.window, world.as_of)
        other_contact(world, people.new_child(world, people.any_birth(world, day)), day)
