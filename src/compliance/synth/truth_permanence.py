"""The oracle for plans for a permanent home, and for foster homes that a child was taken from."""

from collections.abc import Iterable
from datetime import date

from compliance.synth import dates
from compliance.synth.oracle import Facts, names, on_or_after
from compliance.synth.world import Row

LONG_TERM = ("long_term_fostering", "family_or_friends")
GUIDANCE_FROM = date(2011, 4, 1)
PLANNED_REVIEWS = ("placement_ending", "care_plan_change")
PLANNED_DECISIONS = ("placement_ending", "placement", "care_plan_change")
NOT_THE_SERVICE = ("CREQB", "CREQO", "CHILD", "CLOSE", "APPRR", "ALLEG", "CUSTOD", "PLACE")


def _planned(facts: Facts, person: str, plans: Iterable[str] | None = None) -> list[date]:
    """Return the days on which a plan for permanence was agreed or written into the care plan: one of some plans, or any."""
    rows = [(row["decision_date"], row["permanence_plan"]) for row in facts.by("permanence_decisions", "person_id", person)]
    rows += [
        (row["plan_date"], row["permanence_plan"])
        for row in facts.by("care_plans", "person_id", person)
        if row["plan_kind"] == "care_plan"
    ]
    return [day for day, plan in rows if plan is not None and (plans is None or plan in plans)]


def permanence(facts: Facts) -> None:
    """Record children four months in care, when the second review is due at the latest, without a plan for permanence."""
    for row in facts.all("care_periods"):
        start, end, person = row["start_date"], row["end_date"], row["person_id"]
        if row["is_short_break_series"] is True or start < GUIDANCE_FROM:
            continue
        known = [day for day in on_or_after(_planned(facts, person), start) if day <= (end or facts.as_of)]
        due = dates.months_after(start, 4)
        facts.deadline("PERM-PLAN", row["care_period_id"], person, start, due, min(known, default=None), end)


def long_term_plans(facts: Facts) -> None:
    """Record long-term foster placements matched before the plan for permanence was long-term fostering."""
    for row in facts.all("placements"):
        basis = row["placement_basis"]
        is_long = basis == "long_term_foster" or (basis is None and row["placement_type"] in ("U1", "U4"))
        if not is_long or row["start_date"] < date(2015, 4, 1):
            continue
        period = facts.one("care_periods", "care_period_id", row["care_period_id"])
        planned = _planned(facts, row["person_id"], LONG_TERM)
        known = on_or_after(planned, period["start_date"]) if period else planned
        day = row["long_term_match_date"] or row["start_date"]
        facts.deadline(
            "PERM-LONG-TERM-PLAN", row["placement_id"], row["person_id"], day, day, min(known, default=None), row["end_date"]
        )


def moves(facts: Facts) -> None:
    """Record children taken from a foster home, by the service's choice, before care planning had decided on it."""
    for row in facts.all("placements"):
        end, decided = row["end_date"], _decided(facts, row)
        if not _is_fostered(row) or end is None or not _moved(facts, row) or row["change_reason"] in NOT_THE_SERVICE:
            continue
        if row["change_reason"] is not None or decided:
            facts.deadline("FOS-MOVE-PLANNED", row["placement_id"], row["person_id"], end, end, min(decided, default=None))


def _is_fostered(row: Row) -> bool:
    """Return whether a placement is with foster carers, other than for a short break."""
    is_foster = row["placement_type"].startswith("U") or row["household_id"] is not None
    return is_foster and row["placement_basis"] != "short_break"


def _moved(facts: Facts, row: Row) -> bool:
    """Return whether a child came to another home within a week of the end of a placement."""
    return any(
        row["end_date"] <= other["start_date"] <= dates.days_after(row["end_date"], 7)
        and (None in (row["household_id"], other["household_id"]) or row["household_id"] != other["household_id"])
        for other in facts.by("placements", "person_id", row["person_id"])
        if other["placement_id"] != row["placement_id"]
    )


def _decided(facts: Facts, row: Row) -> list[date]:
    """Return the days after a placement began on which a review or a manager decided about the move."""
    reviewed = [
        held["review_date"]
        for held in facts.by("looked_after_reviews", "person_id", row["person_id"])
        if held["was_cancelled"] is not True and held["review_reason"] in PLANNED_REVIEWS
    ]
    agreed = [
        made["decision_date"]
        for made in facts.by("management_decisions", "person_id", row["person_id"])
        if made["decision_kind"] in PLANNED_DECISIONS
        and made["decision"] in ("agreed", "noted", None)
        and names(made, "placement_id", row["placement_id"])
    ]
    return [day for day in reviewed + agreed if row["start_date"] < day <= facts.as_of]


RULES = {
    permanence: ["PERM-PLAN"],
    long_term_plans: ["PERM-LONG-TERM-PLAN"],
    moves: ["FOS-MOVE-PLANNED"],
}
