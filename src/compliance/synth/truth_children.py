"""The oracle for the front door, child protection and children in need, written from the law and the readings."""

from datetime import date, timedelta

from compliance.synth import dates
from compliance.synth.oracle import Facts, names
from compliance.synth.world import Row


def referral_decision(facts: Facts) -> None:
    """Record referrals not decided within one working day."""
    for row in facts.all("referrals"):
        if row["decision_date"] is None and row["decision"] is not None:
            continue
        due = dates.working_days_after(row["referral_date"], 1)
        facts.deadline(
            "FD-REFERRAL-DECISION",
            row["referral_id"],
            row["person_id"],
            row["referral_date"],
            due,
            row["decision_date"],
            row["closed_date"],
        )


def referral_acknowledged(facts: Facts) -> None:
    """Record referrals not acknowledged within one working day."""
    for row in facts.all("referrals"):
        due = dates.working_days_after(row["referral_date"], 1)
        facts.deadline(
            "FD-REFERRAL-ACKNOWLEDGED", row["referral_id"], row["person_id"], row["referral_date"], due, row["acknowledged_date"]
        )


def contact_decision(facts: Facts) -> None:
    """Record contacts not decided within 24 hours; by the end of the next day where only dates are held."""
    for row in facts.all("contacts"):
        received, decided = row["received_at"], row["decided_at"]
        limit = received + timedelta(hours=24)
        due, day = limit.date(), received.date()
        if decided is None:
            is_late = facts.as_of > due
        elif received.time() == limit.min.time() or decided.time() == limit.min.time():
            is_late = decided.date() > due
        else:
            is_late = decided > limit
        if is_late:
            facts.add(
                "FD-CONTACT-DECISION",
                row["contact_id"],
                row["person_id"],
                day,
                due,
                decided.date() if decided else None,
                "late" if decided else "overdue",
            )


def strategy_discussion(facts: Facts) -> None:
    """Record strategy discussions held more than a working day after the concern."""
    for row in facts.all("meetings"):
        if row["meeting_kind"] == "strategy_discussion" and row["concern_date"]:
            due = dates.working_days_after(row["concern_date"], 1)
            facts.deadline(
                "FD-STRATEGY-DISCUSSION", row["meeting_id"], row["person_id"], row["concern_date"], due, row["meeting_date"]
            )


def assessment(facts: Facts) -> None:
    """Record assessments not authorised within 45 working days of the referral."""
    for row in facts.all("assessments"):
        referral = facts.one("referrals", "referral_id", row["referral_id"])
        if row["referral_id"] and referral is None:
            continue
        start = referral["referral_date"] if referral else row["start_date"]
        facts.deadline(
            "FD-ASSESSMENT-45",
            row["assessment_id"],
            row["person_id"],
            start,
            dates.working_days_after(start, 45),
            row["authorised_date"],
        )


def assessment_child_seen(facts: Facts) -> None:
    """Record authorised assessments in which the child was not seen."""
    for row in facts.all("assessments"):
        day = row["authorised_date"]
        if day and row["child_was_seen"] is False:
            facts.add("FD-ASSESSMENT-CHILD-SEEN", row["assessment_id"], row["person_id"], day, day, None, "missed")


def initial_conference(facts: Facts) -> None:
    """Record enquiries whose conference was not held within 15 working days of the strategy discussion."""
    answers = _answers(facts)
    for row in facts.all("section_47_enquiries"):
        held = answers.get(row["enquiry_id"])
        if row["conference_is_not_required"] is True or (held is None and row["conference_is_not_required"] is None):
            continue
        due = dates.working_days_after(row["start_date"], 15)
        facts.deadline("CP-INITIAL-CONFERENCE", row["enquiry_id"], row["person_id"], row["start_date"], due, held)


def _answers(facts: Facts) -> dict[str, date]:
    """Return the day of the initial conference that answers each enquiry (reading 10)."""
    initial = sorted(
        (row for row in facts.all("cp_conferences") if row["conference_kind"] == "initial"),
        key=lambda row: row["conference_date"],
    )
    answers: dict[str, date] = {}
    for row in initial:
        if row["enquiry_id"]:
            answers.setdefault(row["enquiry_id"], row["conference_date"])
    for row in initial:
        if row["enquiry_id"] is None:
            waiting = [
                enquiry
                for enquiry in facts.by("section_47_enquiries", "person_id", row["person_id"])
                if enquiry["enquiry_id"] not in answers
                and enquiry["start_date"] <= row["conference_date"]
                and enquiry["conference_is_not_required"] is not True
            ]
            if waiting:
                first = min(waiting, key=lambda enquiry: enquiry["start_date"])
                answers[first["enquiry_id"]] = row["conference_date"]
    return answers


def _conference_day(facts: Facts, plan: Row) -> date:
    """Return the day of the initial or transfer-in conference that made a plan, else the plan's start (reading 11)."""
    made = facts.one("cp_conferences", "conference_id", plan["initial_conference_id"])
    if made is None:
        made = next(
            (
                row
                for row in facts.by("cp_conferences", "cp_plan_id", plan["cp_plan_id"])
                if row["conference_kind"] in ("initial", "transfer_in")
            ),
            None,
        )
    day: date = made["conference_date"] if made else plan["start_date"]
    return day


def _meetings(facts: Facts, plan: Row, kind: str, column: str) -> list[date]:
    """Return the days of a plan's meetings of a kind."""
    key = "cin_plan_id" if column == "cin_plan_id" else "cp_plan_id"
    return [
        row["meeting_date"]
        for row in facts.by("meetings", "person_id", plan["person_id"])
        if row["meeting_kind"] == kind and names(row, key, plan[key])
    ]


def core_groups(facts: Facts) -> None:
    """Record core groups not held within ten working days of the conference, or later ones over four weeks apart."""
    for plan in facts.all("cp_plans"):
        start, end = _conference_day(facts, plan), plan["end_date"]
        stop = min(end or facts.as_of, facts.as_of)
        held = sorted(day for day in _meetings(facts, plan, "core_group", "cp_plan_id") if start <= day <= stop)
        first = held[0] if held else None
        subject, person = plan["cp_plan_id"], plan["person_id"]
        facts.deadline("CP-CORE-GROUP-FIRST", subject, person, start, dates.working_days_after(start, 10), first, end)
        if first is not None and first != end:
            later = [day for day in held if day > first]
            facts.recurring("CP-CORE-GROUP-LATER", subject, person, first, end, later, lambda last, _: dates.days_after(last, 28))


def review_conferences(facts: Facts) -> None:
    """Record review conferences not held within three months, then six."""
    for plan in facts.all("cp_plans"):
        held = [
            row["conference_date"]
            for row in facts.by("cp_conferences", "person_id", plan["person_id"])
            if row["conference_kind"] == "review" and names(row, "cp_plan_id", plan["cp_plan_id"])
        ]
        facts.recurring(
            "CP-REVIEW-CONFERENCE",
            plan["cp_plan_id"],
            plan["person_id"],
            _conference_day(facts, plan),
            plan["end_date"],
            held,
            lambda last, count: dates.months_after(last, 6 if count else 3),
        )


def protection_visits(facts: Facts) -> None:
    """Record gaps of more than ten working days between visits at which a child on a plan was seen."""
    for plan in facts.all("cp_plans"):
        if plan["is_other_authority_plan"] is True:
            continue
        seen = [
            row["visit_date"]
            for row in facts.by("cp_visits", "person_id", plan["person_id"])
            if row["child_was_seen"] is not False and names(row, "cp_plan_id", plan["cp_plan_id"])
        ]
        facts.recurring(
            "CP-VISIT",
            plan["cp_plan_id"],
            plan["person_id"],
            plan["start_date"],
            plan["end_date"],
            seen,
            lambda last, _: dates.working_days_after(last, 10),
        )


def quorum(facts: Facts) -> None:
    """Record conferences without a quorum."""
    for row in facts.all("cp_conferences"):
        quorate, agencies = row["is_quorate"], row["agencies_attending"]
        if quorate is True or (agencies or 0) >= 2 or (quorate is None and agencies is None):
            continue
        day = row["conference_date"]
        facts.add("CP-QUORUM", row["conference_id"], row["person_id"], day, day, None, "missed")


def two_years(facts: Facts) -> None:
    """Record plans that have lasted, or lasted, two years."""
    for plan in facts.all("cp_plans"):
        facts.deadline(
            "CP-PLAN-TWO-YEARS",
            plan["cp_plan_id"],
            plan["person_id"],
            plan["start_date"],
            dates.months_after(plan["start_date"], 24),
            plan["end_date"],
        )


def services(facts: Facts) -> None:
    """Record assessed children without a plan, or a planning meeting, within ten working days."""
    for row in facts.all("assessments"):
        day = row["authorised_date"]
        if day is None or row["services_are_needed"] is not True:
            continue
        due = dates.working_days_after(day, 10)
        facts.deadline("CIN-PLAN", row["assessment_id"], row["person_id"], day, due, _helped(facts, row["person_id"], day))
        met = [
            meeting["meeting_date"]
            for meeting in facts.by("meetings", "person_id", row["person_id"])
            if meeting["meeting_kind"] == "cin_planning_meeting" and meeting["meeting_date"] >= day
        ]
        facts.deadline("CIN-FIRST-MEETING", row["assessment_id"], row["person_id"], day, due, min(met, default=None))


def _helped(facts: Facts, person: str, day: date) -> date | None:
    """Return the first day on or after an assessment on which a plan or care was in force."""
    found = [
        max(row["start_date"], day)
        for table in ("cin_plans", "cp_plans", "care_periods")
        for row in facts.by(table, "person_id", person)
        if row["end_date"] is None or row["end_date"] >= day
    ]
    return min(found, default=None)


def need_visits(facts: Facts) -> None:
    """Record gaps of more than 20 working days between visits at which a child in need was seen."""
    for plan in facts.all("cin_plans"):
        seen = [
            row["visit_date"]
            for row in facts.by("cin_visits", "person_id", plan["person_id"])
            if row["child_was_seen"] is not False
        ]
        facts.recurring(
            "CIN-VISIT",
            plan["cin_plan_id"],
            plan["person_id"],
            plan["start_date"],
            plan["end_date"],
            seen,
            lambda last, _: dates.working_days_after(last, 20),
        )


def need_reviews(facts: Facts) -> None:
    """Record reviews of a child in need plan more than six weeks apart."""
    for plan in facts.all("cin_plans"):
        held = _meetings(facts, plan, "cin_review", "cin_plan_id")
        facts.recurring(
            "CIN-REVIEW",
            plan["cin_plan_id"],
            plan["person_id"],
            plan["start_date"],
            plan["end_date"],
            held,
            lambda last, _: dates.days_after(last, 42),
        )


RULES = {
    referral_decision: ["FD-REFERRAL-DECISION"],
    referral_acknowledged: ["FD-REFERRAL-ACKNOWLEDGED"],
    contact_decision: ["FD-CONTACT-DECISION"],
    strategy_discussion: ["FD-STRATEGY-DISCUSSION"],
    assessment: ["FD-ASSESSMENT-45"],
    assessment_child_seen: ["FD-ASSESSMENT-CHILD-SEEN"],
    initial_conference: ["CP-INITIAL-CONFERENCE"],
    core_groups: ["CP-CORE-GROUP-FIRST", "CP-CORE-GROUP-LATER"],
    review_conferences: ["CP-REVIEW-CONFERENCE"],
    protection_visits: ["CP-VISIT"],
    quorum: ["CP-QUORUM"],
    two_years: ["CP-PLAN-TWO-YEARS"],
    services: ["CIN-PLAN", "CIN-FIRST-MEETING"],
    need_visits: ["CIN-VISIT"],
    need_reviews: ["CIN-REVIEW"],
}
