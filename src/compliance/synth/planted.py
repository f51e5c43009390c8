"""Cases made by hand, one for each way of reading a date, with what the truth must say of each."""

from dataclasses import dataclass, field
from datetime import date, datetime, time
from typing import Any

from compliance.synth import dates, people
from compliance.synth.fostering import approval
from compliance.synth.front_door import written_up
from compliance.synth.oracle import TruthRow
from compliance.synth.world import Child, Row, Spell, World

EASTER = date(2021, 4, 1)  # a Thursday before Good Friday and Easter Monday


@dataclass
class Planted:
    """Return the breaches that the planted cases must show, and the duties of theirs that must not be breaches."""

    breaches: list[TruthRow] = field(default_factory=list)
    not_breaches: list[tuple[str, str]] = field(default_factory=list)

    def breach(self, rule: str, row: Row, key: str, trigger: date, due: date, done: date | None, status: str) -> None:
        """Note a breach."""
        self.breaches.append(TruthRow(rule, row[key], row.get("person_id"), trigger, due, done, status))

    def fine(self, rule: str, row: Row, key: str) -> None:
        """Note a duty that is not a breach."""
        self.not_breaches.append((rule, row[key]))


def plant(world: World) -> Planted:
    """Return what is expected of the planted cases, added to a council whose two years hold their dates."""
    planted = Planted()
    if not world.window < date(2020, 2, 1) < date(2021, 6, 1) < world.as_of:
        return planted
    _referrals(world, planted)
    _contacts(world, planted)
    _assessments(world, planted)
    _ended_periods(world, planted)
    _leap_day_carers(world, planted)
    for number in range(world.council.count(6)):
        _short_breaks(world, number)
    return planted


def _child(world: World, day: date = date(2021, 1, 4)) -> Child:
    """Return a child of eight."""
    return people.new_child(world, people.birth_for(world, 8, 8, day))


def _referral(world: World, child: Child, day: date, closed: date, **facts: Any) -> Row:
    """Return a closed referral, acknowledged at once and decided that day unless it says otherwise."""
    row = {
        "referral_id": world.new_id("R"),
        "person_id": child.person_id,
        "referral_date": day,
        "referral_source": "2A",
        "primary_need": "N5",
        "acknowledged_date": day,
        "decision_date": day,
        "decision": "no_further_action",
        "needs_no_further_action": True,
        "closed_date": closed,
        "closure_reason": "RC8",
        "previous_referrals_12_months": 0,
        "current_status": "closed",
        "team_id": "T-MASH-1",
    }
    return world.add("referrals", **(row | facts))


def _referrals(world: World, planted: Planted) -> None:
    """Add referrals over Easter: decided on the day due and the day after; closed undecided on each of those days."""
    due, after = date(2021, 4, 6), date(2021, 4, 7)
    rule = "FD-REFERRAL-DECISION"
    in_time = _referral(world, _child(world), EASTER, after, decision_date=due)
    planted.fine(rule, in_time, "referral_id")
    late = _referral(world, _child(world), EASTER, after, decision_date=after)
    planted.breach(rule, late, "referral_id", EASTER, due, after, "late")
    undecided = {"decision_date": None, "decision": None, "needs_no_further_action": None}
    planted.fine(rule, _referral(world, _child(world), EASTER, due, **undecided), "referral_id")
    missed = _referral(world, _child(world), EASTER, after, **undecided)
    planted.breach(rule, missed, "referral_id", EASTER, due, None, "missed")
    undated = _referral(world, _child(world), EASTER, after, decision_date=None)
    planted.fine(rule, undated, "referral_id")


def _contacts(world: World, planted: Planted) -> None:
    """Add contacts held as dates only: decided the next day, and the day after that."""
    for days, is_late in ((1, False), (2, True)):
        decided = dates.days_after(date(2021, 3, 3), days)
        row = world.add(
            "contacts",
            contact_id=world.new_id("K"),
            person_id=_child(world).person_id,
            received_at=datetime.combine(date(2021, 3, 3), time()),
            contact_source="6",
            decided_at=datetime.combine(decided, time()),
            outcome="advice",
            referral_id=None,
        )
        if is_late:
            planted.breach("FD-CONTACT-DECISION", row, "contact_id", date(2021, 3, 3), date(2021, 3, 4), decided, "late")
        else:
            planted.fine("FD-CONTACT-DECISION", row, "contact_id")


def _assessments(world: World, planted: Planted) -> None:
    """Add assessments that name no referral, judged from their own start: on the last day, and the day after."""
    start = date(2020, 11, 2)
    due = dates.working_days_after(start, 45)
    for day in (due, dates.working_days_after(due, 1)):
        child = _child(world)
        _referral(world, child, start, dates.working_days_after(day, 2), decision="assessment")
        row = world.add(
            "assessments",
            assessment_id=world.new_id("A"),
            person_id=child.person_id,
            referral_id=None,
            start_date=start,
            internal_review_date=None,
            authorised_date=day,
            child_was_seen=None,
            child_was_seen_alone=None,
            overrun_reason=None,
            services_are_needed=False,
            team_id="T-ASSESS-1",
        )
        planted.fine("FD-ASSESSMENT-CHILD-SEEN", row, "assessment_id")
        if day == due:
            planted.fine("FD-ASSESSMENT-45", row, "assessment_id")
        else:
            planted.breach("FD-ASSESSMENT-45", row, "assessment_id", start, due, day, "late")


def _ended_periods(world: World, planted: Planted) -> None:
    """Add periods of care without a review: one ends on the day it was due, one the day after."""
    start = date(2020, 12, 1)
    due = dates.working_days_after(start, 20)
    for end in (due, dates.days_after(due, 1)):
        row = _short_care(world, start, end)
        if end == due:
            planted.fine("LAC-REVIEW", row, "care_period_id")
        else:
            planted.breach("LAC-REVIEW", row, "care_period_id", start, due, None, "missed")


def _short_care(world: World, start: date, end: date) -> Row:
    """Return a short period of care in one foster placement, all done in time but the review."""
    child = _child(world)
    _referral(
        world, child, dates.working_days_before(start, 1), end, decision="immediate_protection", needs_no_further_action=False
    )
    period = _period(world, child, start, end, False)
    placement = _stay(world, child, period, start, end, "V2", "approved_carer")
    for kind, day in (("care_plan", start), ("placement_plan", start)):
        _plan(world, child, period, kind, day, placement)
    world.add(
        "looked_after_visits",
        visit_id=world.new_id("LV"),
        person_id=child.person_id,
        placement_id=placement["placement_id"],
        visit_kind="statutory",
        visit_date=dates.days_after(start, 7),
        visit_mode=None,
        child_was_seen=None,
        child_was_seen_alone=True,
        not_seen_alone_reason=None,
        worker_id=None,
        recorded_at=written_up(world, dates.days_after(start, 7)),
    )
    _checked(world, child, dates.days_after(start, 10), "initial_health_assessment")
    _officer(world, child, start, end)
    return period


def _period(world: World, child: Child, start: date, end: date | None, series: bool) -> Row:
    """Return a period of care."""
    return world.add(
        "care_periods",
        care_period_id=world.new_id("L"),
        person_id=child.person_id,
        start_date=start,
        end_date=end,
        end_reason="E4A" if end else None,
        is_short_break_series=series,
    )


def _stay(world: World, child: Child, period: Row, start: date, end: date | None, order: str, basis: str) -> Row:
    """Return a placement, with its legal status and episode."""
    placement = world.add(
        "placements",
        placement_id=world.new_id("PL"),
        person_id=child.person_id,
        care_period_id=period["care_period_id"],
        household_id=None,
        start_date=start,
        end_date=end,
        placement_type="U6",
        placement_basis=basis,
        placement_provider="PR4",
        change_reason="CARPL" if end else None,
        local_authority=world.council.name,
        is_in_area=True,
        is_in_adjoining_area=False,
        distance_miles=6.0,
        is_intended_to_last_to_18=None,
        long_term_match_date=None,
        reduced_visits_agreed_date=None,
        has_own_bedroom=True,
        postcode="recorded",
        destination_postcode="recorded" if end else None,
        is_emergency=False,
    )
    world.add(
        "legal_statuses",
        legal_status_id=world.new_id("LS"),
        person_id=child.person_id,
        legal_status=order,
        start_date=start,
        end_date=end,
        consents_needed=1,
        consents_recorded=1,
    )
    world.add(
        "episodes",
        episode_id=world.new_id("EP"),
        person_id=child.person_id,
        care_period_id=period["care_period_id"],
        placement_id=placement["placement_id"],
        start_date=start,
        start_reason="S",
        legal_status=order,
        end_date=end,
        end_reason="E4A" if end else None,
        home_postcode="recorded",
    )
    return placement


def _plan(world: World, child: Child, period: Row, kind: str, day: date, placement: Row) -> None:
    """Add a care plan or placement plan."""
    world.add(
        "care_plans",
        care_plan_id=world.new_id("CPL"),
        person_id=child.person_id,
        care_period_id=period["care_period_id"],
        placement_id=None if kind == "care_plan" else placement["placement_id"],
        plan_kind=kind,
        plan_date=day,
        end_date=None,
        permanence_plan=None,
        has_health_plan=None,
    )


def _checked(world: World, child: Child, day: date, kind: str) -> None:
    """Add a health or dental check; whether a doctor did it is left blank, which does not disqualify it."""
    world.add(
        "health_checks",
        health_check_id=world.new_id("H"),
        person_id=child.person_id,
        check_kind=kind,
        check_date=day,
        status="completed",
        was_by_doctor=None,
    )


def _officer(world: World, child: Child, start: date, end: date | None) -> None:
    """Add the allocation of a reviewing officer."""
    world.add(
        "allocations",
        allocation_id=world.new_id("AL"),
        person_id=child.person_id,
        carer_id=None,
        worker_id=None,
        role="independent_reviewing_officer",
        team_id="T-REVIEW-1",
        start_date=start,
        end_date=end,
        change_reason=None,
    )


def _short_breaks(world: World, number: int) -> None:
    """Add a child with short breaks: two nights every five weeks, reviewed as regulation 48 asks, not as 28 and 33 do."""
    child = people.new_child(world, people.birth_for(world, 6, 12, world.as_of))
    child.row["is_disabled"] = True
    start = dates.on_or_after(dates.days_after(date(2020, 10, 5), 9 * number))
    referral = _referral(
        world, child, dates.working_days_before(start, 20), start, decision="assessment", needs_no_further_action=False
    )
    end = dates.on_or_before(dates.days_after(world.as_of, -20 - number))
    referral.update(closed_date=end, closure_reason="RC7")
    period = _period(world, child, start, end, True)
    day = start
    while day < dates.days_after(end, -3):
        placement = _stay(world, child, period, day, dates.days_after(day, 2), "V4", "short_break")
        _plan(world, child, period, "placement_plan", day, placement)
        if day == start:
            _plan(world, child, period, "care_plan", day, placement)
        day = dates.days_after(day, 35)
    if number % 6:
        _agree_visits(world, child, period, dates.days_after(start, -7))
    for stay in ((4,), (1, 3, 5, 7, 9), (1, 4, 6, 8), (1, 3, 5, 7, 9))[min(number % 6, 3)]:
        _visit_in_a_stay(world, child, dates.days_after(start, 35 * stay + 1), end)
    for reviewed in (dates.days_after(start, 60), dates.days_after(start, 220)):
        world.add(
            "looked_after_reviews",
            review_id=world.new_id("LR"),
            person_id=child.person_id,
            care_period_id=period["care_period_id"],
            review_kind="short_break",
            review_date=reviewed,
            was_cancelled=False,
            participation="PN3",
            review_reason="scheduled",
        )
    _checked(world, child, dates.days_after(start, 14), "initial_health_assessment")
    _checked(world, child, dates.days_after(start, 90), "dental_check")
    _officer(world, child, start, end)
    world.spells.append(Spell(child, start, end, "disabled"))


def _agree_visits(world: World, child: Child, period: Row, day: date) -> None:
    """Add the plan that says how often a child in short breaks is visited."""
    world.add(
        "care_plans",
        care_plan_id=world.new_id("CPL"),
        person_id=child.person_id,
        care_period_id=period["care_period_id"],
        placement_id=None,
        plan_kind="short_break_plan",
        plan_date=day,
        end_date=None,
        permanence_plan=None,
        has_health_plan=None,
        visit_interval_days=90,
    )


def _visit_in_a_stay(world: World, child: Child, day: date, end: date) -> None:
    """Add a visit to a child on the second day of a short break."""
    if day < dates.days_after(end, -3):
        world.add(
            "looked_after_visits",
            visit_id=world.new_id("LV"),
            person_id=child.person_id,
            placement_id=None,
            visit_kind="statutory",
            visit_date=day,
            visit_mode="in_person",
            child_was_seen=True,
            child_was_seen_alone=True,
            not_seen_alone_reason=None,
            worker_id=None,
            recorded_at=written_up(world, day),
        )


def _leap_day_carers(world: World, planted: Planted) -> None:
    """Add carers approved on 29 February: the year ends on the 28th, so one review is in time and one a day late."""
    approved, due = date(2020, 2, 29), date(2021, 2, 28)
    for reviewed in (due, dates.days_after(due, 1)):
        household = world.add(
            "foster_households",
            household_id=world.new_id("HH"),
            address="recorded",
            local_authority=world.council.name,
            has_pets=False,
        )
        ended = dates.days_after(reviewed, 40)
        carer = world.add(
            "foster_carers",
            carer_id=world.new_id("FC"),
            household_id=household["household_id"],
            full_name="recorded",
            birth_date=date(1980, 2, 29),
            sex="F",
            ethnicity="WBRI",
            carer_kind="mainstream",
            first_approval_date=approved,
            resignation_received_date=dates.days_after(ended, -28),
            approval_end_date=ended,
            end_reason="resigned",
        )
        approval(world, carer, "full", approved, end=ended)
        world.add(
            "foster_carer_reviews",
            carer_review_id=world.new_id("FR"),
            carer_id=carer["carer_id"],
            review_kind="first",
            review_date=reviewed,
            report_date=reviewed,
            is_still_suitable=True,
        )
        world.add(
            "foster_carer_visits",
            carer_visit_id=world.new_id("FV"),
            carer_id=carer["carer_id"],
            visit_date=due,
            visit_kind="supervision",
            was_unannounced=True,
            worker_id=None,
        )
        world.add(
            "checks_and_training",
            record_id=world.new_id("CT"),
            holder_kind="foster_carer",
            holder_id=carer["carer_id"],
            item_kind="training_support_development_standards",
            completed_date=due,
            is_satisfactory=None,
        )
        if reviewed == due:
            planted.fine("FOS-REVIEW", carer, "carer_id")
        else:
            planted.breach("FOS-REVIEW", carer, "carer_id", approved, due, reviewed, "late")
