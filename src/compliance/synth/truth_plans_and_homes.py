"""The oracle for what pathway plans hold, what they follow from, and the homes of care leavers."""

from datetime import date

from compliance.synth import dates
from compliance.synth.oracle import Facts, names, on_or_after
from compliance.synth.truth_leavers import eligible
from compliance.synth.world import Row

RISKY = ("R", "S", "V", "W")
OFFERS_FROM = date(2018, 4, 1)  # section 23CZB, from the Act of 2017


def contents(facts: Facts) -> None:
    """Record plans without the young person's views, and first plans without ten headings and a contingency."""
    for row in facts.all("pathway_plans"):
        subject, person, day = row["pathway_plan_id"], row["person_id"], row["plan_date"]
        if row["has_young_person_views"] is False:
            facts.lacking("CL-PATHWAY-VIEWS", subject, person, day)
        is_thin = row["headings_completed"] is not None and row["headings_completed"] < 10
        if row["plan_kind"] != "review" and (is_thin or row["has_contingency_plan"] is False):
            facts.lacking("CL-PATHWAY-CONTENT", subject, person, day)


def records(facts: Facts) -> None:
    """Record eligible children who are not recorded as such, and first plans made before the needs were assessed."""
    for person, (day, _) in eligible(facts).items():
        known = facts.by("care_leaver_statuses", "person_id", person)
        if not any(row["status"] in ("eligible", "relevant", "former_relevant") for row in known):
            facts.lacking("CL-ELIGIBLE-RECORDED", person, person, day, _no_longer_eligible(facts, person))
        assessed = [
            row["completed_date"]
            for row in facts.by("pathway_needs_assessments", "person_id", person)
            if row["assessment_kind"] == "pathway"
        ]
        for plan in facts.by("pathway_plans", "person_id", person):
            if plan["plan_kind"] == "first_plan":
                facts.beforehand("CL-PLAN-AFTER-ASSESSMENT", plan["pathway_plan_id"], person, plan["plan_date"], assessed)


def _no_longer_eligible(facts: Facts, person: str) -> date | None:
    """Return the day on which an eligible child left care or turned 18, if that has come."""
    ends: list[date | None] = [
        row["end_date"] for row in facts.by("care_periods", "person_id", person) if row["is_short_break_series"] is not True
    ]
    adult = dates.years_after(facts.children[person]["birth_date"], 18)
    last = max((day for day in ends if day is not None), default=None)
    if None not in ends and last is not None and last < adult:
        return last
    return adult if adult <= facts.as_of else None


def offers(facts: Facts) -> None:
    """Record young people former relevant at 21 who had no offer of support for twelve months, until 25."""
    for person in sorted({row["person_id"] for row in facts.all("care_leaver_statuses")}):
        birth = facts.children[person]["birth_date"]
        adult, last = dates.years_after(birth, 21), dates.years_after(birth, 25)
        rows = sorted(facts.by("care_leaver_statuses", "person_id", person), key=lambda row: row["status_date"])
        held = [row["status"] for row in rows if row["status_date"] <= adult]
        if adult > facts.as_of or not held or held[-1] != "former_relevant" or last <= OFFERS_FROM:
            continue
        offered = [
            row["contact_date"]
            for row in facts.by("care_leaver_contacts", "person_id", person)
            if row["contact_kind"] == "support_offer"
        ]
        start, end = max(adult, OFFERS_FROM), last if last <= facts.as_of else None
        facts.recurring("CL-SUPPORT-OFFER", person, person, start, end, offered, lambda day, _: dates.months_after(day, 12))


def homes(facts: Facts) -> None:
    """Record homes that are none, and what was not done in time in those that the council provides."""
    for row in facts.all("care_leaver_accommodation"):
        if row["end_date"] is None and row["accommodation_type"] in RISKY:
            facts.lacking("CL-ACCOMMODATION-RISK", row["accommodation_id"], row["person_id"], row["start_date"])
        if row["is_provided_by_authority"] is True:
            _provided(facts, row)


def _provided(facts: Facts, row: Row) -> None:
    """Record later reviews in a provided home more than three months apart, and a first one before a second visit."""
    home, person, start = row["accommodation_id"], row["person_id"], row["start_date"]
    stop = min(row["end_date"] or facts.as_of, facts.as_of)
    reviewed = sorted(
        {
            plan["plan_date"]
            for plan in facts.by("pathway_plans", "person_id", person)
            if plan["plan_kind"] != "first_plan" and names(plan, "accommodation_id", home) and start <= plan["plan_date"] <= stop
        }
    )
    if not reviewed:
        return
    rule = "CL-PATHWAY-REVIEW-ACCOMMODATION-LATER"
    if reviewed[0] != row["end_date"]:
        later = [day for day in reviewed if day > reviewed[0]]
        facts.recurring(rule, home, person, reviewed[0], row["end_date"], later, lambda day, _: dates.months_after(day, 3))
    visits = sorted(
        met["contact_date"]
        for met in facts.by("care_leaver_contacts", "person_id", person)
        if met["contact_kind"] == "visit_at_accommodation" and names(met, "accommodation_id", home)
    )
    here = on_or_after(visits, start)
    second = [day for day in here if day > here[0]] if here else []
    facts.beforehand("CL-ADVISER-VISIT-BEFORE-REVIEW", home, person, reviewed[0], second)


RULES = {
    contents: ["CL-PATHWAY-VIEWS", "CL-PATHWAY-CONTENT"],
    records: ["CL-ELIGIBLE-RECORDED", "CL-PLAN-AFTER-ASSESSMENT"],
    offers: ["CL-SUPPORT-OFFER"],
    homes: ["CL-ACCOMMODATION-RISK", "CL-PATHWAY-REVIEW-ACCOMMODATION-LATER", "CL-ADVISER-VISIT-BEFORE-REVIEW"],
}
