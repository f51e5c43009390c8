"""The oracle for how placements and care itself begin and end: who approved them, what was reviewed, what was planned."""

from collections.abc import Iterable
from datetime import date

from compliance.synth import dates
from compliance.synth.oracle import Facts, on_or_after
from compliance.synth.world import Row

OFFICERS = ("nominated_officer", "director")
ELSEWHERE = ("out_of_area_placement", "distant_placement")
ENDED_BY_COUNCIL = ("LAREQ", "CARPL", "STAND")
OUTSIDE_REG_14 = ("parents_before_assessment", "outside_terms", "temporary_connected_person", "other_person_responsible")
CEASED = ("E4A", "E13", "E5", "E6", "E8")


def _is_short_break(facts: Facts, row: Row) -> bool:
    """Return whether a placement is one of a series of short breaks."""
    period = facts.one("care_periods", "care_period_id", row["care_period_id"])
    return row["placement_basis"] == "short_break" or (period is not None and period["is_short_break_series"] is True)


def _is_for_adoption(row: Row) -> bool:
    """Return whether a placement is for adoption."""
    return row["placement_basis"] == "for_adoption" or row["placement_type"] in ("A3", "A4", "A5", "A6")


def _decided(facts: Facts, person: str, kinds: Iterable[str], roles: Iterable[str] = OFFICERS) -> list[Row]:
    """Return the decisions of some kinds about a child that an officer of some roles agreed."""
    return [
        row
        for row in facts.by("management_decisions", "person_id", person)
        if row["decision_kind"] in kinds and row["decided_by_role"] in roles and row["decision"] not in ("not_agreed", "deferred")
    ]


def out_of_area(facts: Facts) -> None:
    """Record placements outside the area that a nominated officer, or at a distance the director, had not approved first."""
    for row in facts.all("placements"):
        is_outside = row["is_in_area"] is False and row["start_date"] >= date(2014, 1, 27)
        is_excepted = (
            row.get("is_emergency") is True
            or row["placement_basis"] == "temporary_connected_person"
            or _is_for_adoption(row)
            or _is_short_break(facts, row)
        )
        if not is_outside or is_excepted:
            continue
        _approved_first(facts, "LAC-OUT-OF-AREA-APPROVED", row, OFFICERS)
        if row["is_in_adjoining_area"] is False:
            _approved_first(facts, "LAC-DISTANT-APPROVED", row, ("director",))


def _approved_first(facts: Facts, rule: str, row: Row, roles: Iterable[str]) -> None:
    """Record a placement that officers of some roles had not approved by the day it started."""
    approved = [
        decision["decision_date"]
        for decision in _decided(facts, row["person_id"], ELSEWHERE, roles)
        if decision.get("placement_id") == row["placement_id"]
        or (decision.get("placement_id") is None and decision["decision_date"] >= dates.months_after(row["start_date"], -3))
    ]
    start = row["start_date"]
    facts.deadline(rule, row["placement_id"], row["person_id"], start, start, min(approved, default=None), row["end_date"])


def _reviews(facts: Facts, person: str, day: date, reason: str) -> list[date]:
    """Return the reviews that count for something done on a day: held for that reason in six months, or any in 28 days."""
    return [
        row["review_date"]
        for row in facts.by("looked_after_reviews", "person_id", person)
        if row["review_kind"] == "looked_after"
        and row["was_cancelled"] is not True
        and (
            (row.get("review_reason") == reason and row["review_date"] >= dates.months_after(day, -6))
            or row["review_date"] >= dates.days_after(day, -28)
        )
    ]


def endings(facts: Facts) -> None:
    """Record placements that the council ended, while care went on, without a review first."""
    for row in facts.all("placements"):
        end = row["end_date"]
        period = facts.one("care_periods", "care_period_id", row["care_period_id"]) or {"end_date": None}
        goes_on = end is not None and (period["end_date"] is None or period["end_date"] > end)
        if not goes_on or row["change_reason"] not in ENDED_BY_COUNCIL or row["placement_basis"] in OUTSIDE_REG_14:
            continue
        if not _is_short_break(facts, row) and not _is_for_adoption(row):
            reviewed = _reviews(facts, row["person_id"], end, "placement_ending")
            facts.beforehand("LAC-ENDING-REVIEWED", row["placement_id"], row["person_id"], end, reviewed)


def with_parents(facts: Facts) -> None:
    """Record placements of children in care with their parents not reviewed, planned and approved beforehand."""
    for row in facts.all("placements"):
        if not _is_with_parents(facts, row):
            continue
        start, person = row["start_date"], row["person_id"]
        reviewed = _reviews(facts, person, start, "placement_with_parents")
        approved = [
            decision["decision_date"]
            for decision in _decided(facts, person, ("placement_with_parents",))
            if decision.get("placement_id") == row["placement_id"]
            or (decision.get("placement_id") is None and decision["decision_date"] >= dates.months_after(start, -6))
        ]
        facts.beforehand("LAC-PARENTS-REVIEWED", row["placement_id"], person, start, reviewed, row["end_date"])
        facts.beforehand("LAC-PARENTS-APPROVED", row["placement_id"], person, start, approved, row["end_date"])
        if not dates.is_relaxed(start):
            planned = _placement_plans(facts, row)
            facts.beforehand("LAC-PARENTS-PLAN", row["placement_id"], person, start, planned, row["end_date"])


def _is_with_parents(facts: Facts, row: Row) -> bool:
    """Return whether a placement puts a child already in care under an order with parents who have been assessed."""
    period = facts.one("care_periods", "care_period_id", row["care_period_id"])
    is_first = period is not None and period["start_date"] >= row["start_date"]
    if is_first or (row["placement_type"] != "P1" and row["placement_basis"] != "parents_after_assessment"):
        return False
    return row["placement_basis"] != "parents_before_assessment" and any(
        order["legal_status"] in ("C1", "C2")
        and order["start_date"] <= row["start_date"]
        and (order["end_date"] is None or order["end_date"] > row["start_date"])
        for order in facts.by("legal_statuses", "person_id", row["person_id"])
    )


def _placement_plans(facts: Facts, row: Row) -> list[date]:
    """Return the days of the placement plans that name a placement, or name none and are of the 28 days before or later."""
    return [
        plan["plan_date"]
        for plan in facts.by("care_plans", "person_id", row["person_id"])
        if plan["plan_kind"] == "placement_plan"
        and (
            plan["placement_id"] == row["placement_id"]
            or (plan["placement_id"] is None and plan["plan_date"] >= dates.days_after(row["start_date"], -28))
        )
    ]


def section_20(facts: Facts) -> None:
    """Record accommodation under section 20 without each consent, or for three months without a look at it."""
    for row in facts.all("legal_statuses"):
        if row["legal_status"] != "V2":
            continue
        subject, person, start, end = row["legal_status_id"], row["person_id"], row["start_date"], row["end_date"]
        needed, recorded = row["consents_needed"], row["consents_recorded"]
        if needed is not None and recorded is not None and recorded < needed:
            facts.lacking("LAC-SECTION-20-CONSENT", subject, person, start, end)
        looked_at = [
            decision["decision_date"]
            for decision in facts.by("management_decisions", "person_id", person)
            if decision["decision_kind"] in ("section_20_review", "legal_planning")
            and start <= decision["decision_date"] <= (end or facts.as_of)
        ]
        due = dates.months_after(start, 3)
        facts.deadline("LAC-SECTION-20-REVIEWED", subject, person, start, due, min(looked_at, default=None), end)


def ceasing(facts: Facts) -> None:
    """Record children whose care of four weeks or more ended by the council's decision without an officer's approval."""
    for row in facts.all("care_periods"):
        end, person = row["end_date"], row["person_id"]
        if end is None or row["end_reason"] not in CEASED or row["is_short_break_series"] is True:
            continue
        if (end - row["start_date"]).days < 28 or end >= dates.years_after(facts.children[person]["birth_date"], 18):
            continue
        decided = [decision["decision_date"] for decision in _decided(facts, person, ("ceasing_to_look_after",))]
        approved = on_or_after(decided, dates.months_after(end, -6))
        facts.beforehand("LAC-CEASING-APPROVED", row["care_period_id"], person, end, approved)


RULES = {
    out_of_area: ["LAC-OUT-OF-AREA-APPROVED", "LAC-DISTANT-APPROVED"],
    endings: ["LAC-ENDING-REVIEWED"],
    with_parents: ["LAC-PARENTS-REVIEWED", "LAC-PARENTS-APPROVED", "LAC-PARENTS-PLAN"],
    section_20: ["LAC-SECTION-20-CONSENT", "LAC-SECTION-20-REVIEWED"],
    ceasing: ["LAC-CEASING-APPROVED"],
}
