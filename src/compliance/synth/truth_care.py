"""The oracle for looked-after children, written from the regulations of 2010 and the readings."""

from collections.abc import Callable
from datetime import date

from compliance.synth import dates
from compliance.synth.oracle import Facts, names
from compliance.synth.world import Row

FULL_HEALTH = ("initial_health_assessment", "review_health_assessment", "health_assessment")
# Visits by video or telephone counted from the amendment of reg 28 until its extension ran out.
SIX_MONTHLY_FROM = date(2015, 4, 1)  # SI 2015/495
VIRTUAL = (date(2020, 9, 25), date(2021, 9, 30))


def visits(facts: Facts) -> None:
    """Record the over-long gaps between visits to each placement, stretch by stretch."""
    for row in facts.all("placements"):
        if _is_outside_reg_28(facts, row):
            continue
        seen = [
            visit["visit_date"] for visit in facts.by("looked_after_visits", "person_id", row["person_id"]) if _counts(visit, row)
        ]
        reviews = [day for day in _reviews(facts, row["person_id"]) if day >= row["start_date"]]
        for start, end, paragraph in stretches(facts, row):
            facts.recurring(
                "LAC-VISIT",
                row["placement_id"],
                row["person_id"],
                start,
                end,
                seen,
                _intervals(row, paragraph, min(reviews, default=None)),
            )


def _is_outside_reg_28(facts: Facts, row: Row) -> bool:
    """Return whether a placement is for adoption or one of a series of short breaks."""
    period = facts.one("care_periods", "care_period_id", row["care_period_id"])
    series = period is not None and period["is_short_break_series"] is True
    return series or row["placement_type"].startswith("A") or row["placement_basis"] in ("for_adoption", "short_break")


def _counts(visit: Row, placement: Row) -> bool:
    """Return whether a visit is one that regulation 28 asks for."""
    if visit["visit_kind"] != "statutory" or visit["child_was_seen"] is False:
        return False
    if visit["visit_mode"] in ("video", "telephone") and not VIRTUAL[0] <= visit["visit_date"] <= VIRTUAL[1]:
        return False
    return names(visit, "placement_id", placement["placement_id"])


def _reviews(facts: Facts, person: str) -> list[date]:
    """Return the days of the reviews of a child's case that were held under Part 6."""
    return sorted(
        row["review_date"]
        for row in facts.by("looked_after_reviews", "person_id", person)
        if row["review_kind"] == "looked_after" and row["was_cancelled"] is not True
    )


def stretches(facts: Facts, row: Row) -> list[tuple[date, date | None, str]]:
    """Return the stretches of a placement, each with the paragraph of regulation 28 that applies."""
    start, end = row["start_date"], row["end_date"]
    changes = {start}
    orders = facts.by("legal_statuses", "person_id", row["person_id"])
    approved = _full_approval(facts, row)
    changes |= {order["start_date"] for order in orders if order["start_date"] > start}
    changes |= {approved} if approved else set()
    days = sorted(day for day in changes if day == start or day < min(end or date.max, dates.days_after(facts.as_of, 1)))
    found: list[tuple[date, str]] = []
    for day in days:
        paragraph = _paragraph(row, orders, approved, day)
        if not found or found[-1][1] != paragraph:
            found.append((day, paragraph))
    closing = [*(day for day, _ in found[1:]), end]
    return [(day, last, paragraph) for (day, paragraph), last in zip(found, closing, strict=True)]


def _full_approval(facts: Facts, row: Row) -> date | None:
    """Return when a carer of the household of a temporary placement was approved in full."""
    if row["placement_basis"] != "temporary_connected_person":
        return None
    days = [
        approval["start_date"]
        for carer in facts.by("foster_carers", "household_id", row["household_id"])
        for approval in facts.by("foster_carer_approvals", "carer_id", carer["carer_id"])
        if approval["approval_kind"] == "full"
    ]
    return min(days, default=None)


def _paragraph(row: Row, orders: list[Row], approved: date | None, day: date) -> str:
    """Return the paragraph that applies to a placement on a day (reading 15)."""
    held = [
        order["legal_status"]
        for order in orders
        if order["start_date"] <= day and (order["end_date"] is None or order["end_date"] > day)
    ]
    if row["placement_basis"] == "temporary_connected_person" and (approved is None or approved > day):
        return "temporary"
    if row["placement_type"] == "P1" or str(row["placement_basis"]).startswith("parents"):
        if "C1" in held:
            return "interim order with parents"
        if row["placement_basis"] == "parents_before_assessment":
            return "parents before assessment"
        return "care order with parents" if "C2" in held else "usual"
    return "usual"


def _intervals(row: Row, paragraph: str, first_review: date | None) -> Callable[[date, int], date]:
    """Return how long each gap may be, by the facts on the day it starts."""

    def due(last: date, count: int) -> date:
        if paragraph in ("temporary", "interim order with parents", "parents before assessment"):
            reviewed = first_review is not None and first_review <= last
            return dates.days_after(last, 7 if not reviewed else 42 if paragraph == "parents before assessment" else 28)
        if count == 0:
            return dates.days_after(last, 7)
        if paragraph == "care order with parents" or last < dates.years_after(row["start_date"], 1):
            return dates.days_after(last, 42)
        return _settled(row, last)

    return due


def _settled(row: Row, last: date) -> date:
    """Return the due day of a gap that starts after the first year (reading 17)."""
    match, agreed = row["long_term_match_date"], row["reduced_visits_agreed_date"]
    is_settled = match is not None and agreed is not None and max(match, agreed, SIX_MONTHLY_FROM) <= last
    if is_settled and row["placement_type"].startswith("U"):
        return dates.months_after(last, 6)
    return dates.months_after(last, 3) if row["is_intended_to_last_to_18"] is True else dates.days_after(last, 42)


def visits_alone(facts: Facts) -> None:
    """Record visits at which the child was not seen alone and no reason is given."""
    for row in facts.all("looked_after_visits"):
        was_seen = row["visit_kind"] == "statutory" and row["child_was_seen"] is True
        if was_seen and row["child_was_seen_alone"] is False and row["not_seen_alone_reason"] is None:
            day = row["visit_date"]
            facts.add("LAC-VISIT-ALONE", row["visit_id"], row["person_id"], day, day, None, "missed")


def reviews(facts: Facts) -> None:
    """Record reviews later than 20 working days, then three months, then six."""
    for row in _periods(facts):
        held = [
            review["review_date"]
            for review in facts.by("looked_after_reviews", "person_id", row["person_id"])
            if review["review_kind"] == "looked_after"
            and review["was_cancelled"] is not True
            and names(review, "care_period_id", row["care_period_id"])
        ]
        facts.recurring(
            "LAC-REVIEW", row["care_period_id"], row["person_id"], row["start_date"], row["end_date"], held, _review_due
        )


def _review_due(last: date, count: int) -> date:
    """Return when a review is due."""
    return dates.working_days_after(last, 20) if count == 0 else dates.months_after(last, 3 if count == 1 else 6)


def _periods(facts: Facts) -> list[Row]:
    """Return the periods of care that are not a series of short breaks."""
    return [row for row in facts.all("care_periods") if row["is_short_break_series"] is not True]


def _first_health(facts: Facts, row: Row) -> date | None:
    """Return the day of the first health assessment by a doctor, in care or in the three months before."""
    stop = min(row["end_date"] or facts.as_of, facts.as_of)
    days = [
        check["check_date"]
        for check in facts.by("health_checks", "person_id", row["person_id"])
        if check["check_kind"] in FULL_HEALTH
        and check["status"] == "completed"
        and check["was_by_doctor"] is not False
        and dates.months_after(row["start_date"], -3) <= check["check_date"] <= stop
    ]
    return min(days, default=None)


def health(facts: Facts) -> None:
    """Record first health assessments later than the first review is due, and later ones too far apart."""
    for row in _periods(facts):
        period, person, start, end = row["care_period_id"], row["person_id"], row["start_date"], row["end_date"]
        first = _first_health(facts, row)
        facts.deadline("LAC-HEALTH-FIRST", period, person, start, dates.working_days_after(start, 20), first, end)
        if first is None or first == end:
            continue
        fifth = dates.years_after(facts.children[person]["birth_date"], 5)
        later = [
            check["check_date"]
            for check in facts.by("health_checks", "person_id", person)
            if check["check_kind"] in FULL_HEALTH and check["status"] == "completed" and check["check_date"] > first
        ]

        def due(last: date, _: int, fifth: date = fifth) -> date:
            return dates.months_after(last, 6 if last < fifth else 12)

        facts.recurring("LAC-HEALTH-REVIEW", period, person, first, end, later, due)


def teeth(facts: Facts) -> None:
    """Record dental checks more than twelve months apart."""
    for row in _periods(facts):
        done = [
            check["check_date"]
            for check in facts.by("health_checks", "person_id", row["person_id"])
            if check["check_kind"] == "dental_check" and check["status"] == "completed"
        ]
        facts.recurring(
            "LAC-DENTAL",
            row["care_period_id"],
            row["person_id"],
            row["start_date"],
            row["end_date"],
            done,
            lambda last, _: dates.months_after(last, 12),
        )


def care_plans(facts: Facts) -> None:
    """Record care plans not made by ten working days after the first placement began."""
    for row in _periods(facts):
        start = min(
            (placement["start_date"] for placement in facts.by("placements", "care_period_id", row["care_period_id"])),
            default=None,
        )
        if start is None:
            continue
        made = [
            plan["plan_date"]
            for plan in facts.by("care_plans", "care_period_id", row["care_period_id"])
            if plan["plan_kind"] == "care_plan"
        ]
        facts.deadline(
            "LAC-CARE-PLAN",
            row["care_period_id"],
            row["person_id"],
            start,
            dates.working_days_after(start, 10),
            min(made, default=None),
            row["end_date"],
        )


def placement_plans(facts: Facts) -> None:
    """Record placement plans not made by five working days after the placement began."""
    for row in facts.all("placements"):
        made = [
            plan["plan_date"]
            for plan in facts.by("care_plans", "placement_id", row["placement_id"])
            if plan["plan_kind"] == "placement_plan"
        ]
        facts.deadline(
            "LAC-PLACEMENT-PLAN",
            row["placement_id"],
            row["person_id"],
            row["start_date"],
            dates.working_days_after(row["start_date"], 5),
            min(made, default=None),
            row["end_date"],
        )


def reviewing_officer(facts: Facts) -> None:
    """Record children without a reviewing officer by the fifth working day."""
    for row in facts.all("care_periods"):
        stop = min(row["end_date"] or facts.as_of, facts.as_of)
        named = [
            max(held["start_date"], row["start_date"])
            for held in facts.by("allocations", "person_id", row["person_id"])
            if held["role"] == "independent_reviewing_officer"
            and held["start_date"] <= stop
            and (held["end_date"] is None or held["end_date"] >= row["start_date"])
        ]
        facts.deadline(
            "LAC-IRO-APPOINTED",
            row["care_period_id"],
            row["person_id"],
            row["start_date"],
            dates.working_days_after(row["start_date"], 5),
            min(named, default=None),
            row["end_date"],
        )


def in_care_days(facts: Facts, person: str, first: date, last: date) -> int:
    """Return how many days from first to last a child was looked after, short breaks apart."""
    days = 0
    for row in facts.by("care_periods", "person_id", person):
        if row["is_short_break_series"] is not True:
            start, end = max(row["start_date"], first), min(row["end_date"] or last, last)
            days += max(0, (end - start).days + 1)
    return days


RULES = {
    visits: ["LAC-VISIT"],
    visits_alone: ["LAC-VISIT-ALONE"],
    reviews: ["LAC-REVIEW"],
    health: ["LAC-HEALTH-FIRST", "LAC-HEALTH-REVIEW"],
    teeth: ["LAC-DENTAL"],
    care_plans: ["LAC-CARE-PLAN"],
    placement_plans: ["LAC-PLACEMENT-PLAN"],
    reviewing_officer: ["LAC-IRO-APPOINTED"],
}
