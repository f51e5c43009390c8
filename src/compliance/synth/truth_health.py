"""The oracle for the year's health of children in care, return interviews, officers' contact and short breaks."""

from datetime import date, timedelta

from compliance.synth import dates
from compliance.synth.oracle import Facts
from compliance.synth.world import Row

# Visits by video or telephone counted under the amendment of 2020 and its extension, from the relaxation's first day.
VIRTUAL = (date(2020, 4, 24), date(2021, 9, 30))


def _year_end(facts: Facts) -> date:
    """Return the latest 31 March."""
    day = date(facts.as_of.year, 3, 31)
    return day if day <= facts.as_of else date(facts.as_of.year - 1, 3, 31)


def year_end(facts: Facts) -> None:
    """Record children in care for the twelve months to 31 March without a score, immunisations or development checks."""
    day = _year_end(facts)
    for row in facts.all("care_periods"):
        is_in_care = row["end_date"] is None or row["end_date"] > day
        if row["is_short_break_series"] is True or not is_in_care or row["start_date"] > date(day.year - 1, 4, 1):
            continue
        age = dates.age_on(facts.children[row["person_id"]]["birth_date"], day)
        if 5 <= age <= 16 and not _has_score(facts, row["person_id"], day):
            _lacking(facts, "LAC-SDQ-YEARLY", row, day)
        if _is_done(facts, row["person_id"], "immunisations", date.min, day) is False:
            _lacking(facts, "LAC-IMMUNISATIONS", row, day)
        if age < 5 and _is_done(facts, row["person_id"], "development_check", dates.years_after(day, -1), day) is False:
            _lacking(facts, "LAC-DEVELOPMENT-CHECK", row, day)


def _lacking(facts: Facts, rule: str, row: Row, day: date) -> None:
    """Record what a child lacked at the year's end."""
    facts.add(rule, row["care_period_id"], row["person_id"], day, day, None, "missed")


def _checks(facts: Facts, person: str, kind: str, after: date, until: date) -> list[Row]:
    """Return the checks of a kind made after a day and by another, or reported for the year that ends on that."""
    return [
        row
        for row in facts.by("health_checks", "person_id", person)
        if row["check_kind"] == kind and (row.get("year_end_date") == until or after < row["check_date"] <= until)
    ]


def _has_score(facts: Facts, person: str, day: date) -> bool:
    """Return whether there is a score for the year, or the reason why there is none."""
    rows = _checks(facts, person, "sdq", dates.years_after(day, -1), day)
    return any(row.get("score") is not None or row.get("no_score_reason") is not None for row in rows)


def _is_done(facts: Facts, person: str, kind: str, after: date, until: date) -> bool | None:
    """Return whether a check was done, blank if nothing is recorded of it."""
    answers = [row["status"] == "completed" for row in _checks(facts, person, kind, after, until) if row["status"]]
    return any(answers) if answers else None


def returns(facts: Facts) -> None:
    """Record children back from being missing who were not offered an interview in three days, or had it after 72 hours."""
    for row in facts.all("missing_episodes"):
        if row["ended_at"] is None:
            continue
        subject, person, back = row["missing_episode_id"], row["person_id"], row["ended_at"].date()
        due, held = dates.days_after(back, 3), row["interview_at"]
        if row["interview_was_offered"] is False:
            facts.deadline("LAC-MISSING-OFFERED", subject, person, back, due, None)
        if held is not None and held > row["ended_at"] + timedelta(hours=72):
            facts.add("LAC-MISSING-INTERVIEW", subject, person, back, due, held.date(), "late")
        if held is None and row["interview_was_accepted"] is not False:
            facts.deadline("LAC-MISSING-INTERVIEW", subject, person, back, due, None, _missing_again(facts, row))


def _missing_again(facts: Facts, row: Row) -> date | None:
    """Return the day on which a child next went missing."""
    starts = [
        other["started_at"].date()
        for other in facts.by("missing_episodes", "person_id", row["person_id"])
        if other["started_at"] > row["ended_at"]
    ]
    return min(starts, default=None)


def officers_contact(facts: Facts) -> None:
    """Record children in care with whom the reviewing officer has not been in touch for six months since a review."""
    for row in facts.all("care_periods"):
        if row["end_date"] is not None or row["is_short_break_series"] is True:
            continue
        held = [
            review["review_date"]
            for review in facts.by("looked_after_reviews", "person_id", row["person_id"])
            if review["review_kind"] == "looked_after"
            and review["was_cancelled"] is not True
            and review["review_date"] >= row["start_date"]
        ]
        if held:
            _officer_in_touch(facts, row, max(held))


def _officer_in_touch(facts: Facts, row: Row, reviewed: date) -> None:
    """Record a child whose reviewing officer has not been in touch in time after a review."""
    met = [
        visit["visit_date"]
        for visit in facts.by("looked_after_visits", "person_id", row["person_id"])
        if visit["visit_kind"] == "iro_contact" and visit["visit_date"] > reviewed
    ]
    due = dates.months_after(reviewed, 6)
    facts.deadline("LAC-IRO-CONTACT", row["care_period_id"], row["person_id"], reviewed, due, min(met, default=None))


def short_breaks(facts: Facts) -> None:
    """Record series of short breaks without an agreed interval of visits, or visited too seldom."""
    for row in facts.all("care_periods"):
        stays = facts.by("placements", "care_period_id", row["care_period_id"])
        if row["is_short_break_series"] is not True or not stays:
            continue
        start, end = min(stay["start_date"] for stay in stays), row["end_date"]
        agreed = [plan["plan_date"] for plan in _agreed(facts, row["person_id"])]
        due = dates.days_after(start, -1)
        facts.deadline(
            "LAC-SHORT-BREAK-PLAN", row["care_period_id"], row["person_id"], start, due, min(agreed, default=None), end
        )
        _short_break_visits(facts, row, start, _visits_in_stays(facts, row["person_id"], stays))
        if agreed:
            _as_agreed(facts, row, start, _visits_in_stays(facts, row["person_id"], stays))


def _short_break_visits(facts: Facts, row: Row, start: date, visits: list[date]) -> None:
    """Record visits later than three months into a series, or then more than six months apart."""
    facts.recurring(
        "LAC-SHORT-BREAK-VISIT",
        row["care_period_id"],
        row["person_id"],
        start,
        row["end_date"],
        visits,
        lambda last, count: dates.months_after(last, 6 if count else 3),
    )


def _as_agreed(facts: Facts, row: Row, start: date, visits: list[date]) -> None:
    """Record visits further apart than the first plan for the short breaks agreed."""
    days = min(_agreed(facts, row["person_id"]), key=lambda plan: plan["plan_date"])["visit_interval_days"]
    facts.recurring(
        "LAC-SHORT-BREAK-VISIT-AGREED",
        row["care_period_id"],
        row["person_id"],
        start,
        row["end_date"],
        visits,
        lambda last, _: dates.days_after(last, days),
    )


def _agreed(facts: Facts, person: str) -> list[Row]:
    """Return the plans for a child's short breaks that say how often visits are made."""
    return [
        plan
        for plan in facts.by("care_plans", "person_id", person)
        if plan["plan_kind"] == "short_break_plan" and plan.get("visit_interval_days") is not None
    ]


def _visits_in_stays(facts: Facts, person: str, stays: list[Row]) -> list[date]:
    """Return the visits made on days on which the child was in fact placed."""
    return [
        visit["visit_date"]
        for visit in facts.by("looked_after_visits", "person_id", person)
        if visit["visit_kind"] == "statutory"
        and visit["child_was_seen"] is not False
        and (visit["visit_mode"] in (None, "in_person") or VIRTUAL[0] <= visit["visit_date"] <= VIRTUAL[1])
        and any(stay["start_date"] <= visit["visit_date"] <= (stay["end_date"] or date.max) for stay in stays)
    ]


RULES = {
    year_end: ["LAC-SDQ-YEARLY", "LAC-IMMUNISATIONS", "LAC-DEVELOPMENT-CHECK"],
    returns: ["LAC-MISSING-OFFERED", "LAC-MISSING-INTERVIEW"],
    officers_contact: ["LAC-IRO-CONTACT"],
    short_breaks: ["LAC-SHORT-BREAK-PLAN", "LAC-SHORT-BREAK-VISIT", "LAC-SHORT-BREAK-VISIT-AGREED"],
}
