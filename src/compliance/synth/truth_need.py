"""The oracle for children in need beyond visits and reviews: long plans, who leads them, and stepping down to one."""

from datetime import date

from compliance.synth import dates
from compliance.synth.oracle import Facts
from compliance.synth.world import Row

SOCIAL_WORK = ("social_worker", "senior_practitioner")
LEFT_US = ("moved_to_other_authority", "turned_18", "died")


def long_plans(facts: Facts) -> None:
    """Record plans of children without a disability that no manager reviewed for six months."""
    for plan in facts.all("cin_plans"):
        person = plan["person_id"]
        if facts.children[person]["is_disabled"] is True:
            continue
        reviewed = [
            row["decision_date"]
            for row in facts.by("management_decisions", "person_id", person)
            if row["decision_kind"] in ("long_plan_review", "case_oversight")
        ]
        facts.recurring(
            "CIN-LONG-PLAN-REVIEW",
            plan["cin_plan_id"],
            person,
            plan["start_date"],
            plan["end_date"],
            reviewed,
            lambda last, _: dates.months_after(last, 6),
        )


def leads(facts: Facts) -> None:
    """Record plans that no social worker leads: none named, registered or so employed, and none allocated."""
    for plan in facts.all("cin_plans"):
        lead = facts.one("workers", "worker_id", plan.get("lead_worker_id"))
        is_led = lead is not None and (lead["registration_number"] is not None or lead["role"] in SOCIAL_WORK)
        if not is_led and not _has_social_worker(facts, plan):
            facts.lacking("CIN-LEAD-SOCIAL-WORKER", plan["cin_plan_id"], plan["person_id"], plan["start_date"], plan["end_date"])


def _has_social_worker(facts: Facts, plan: Row) -> bool:
    """Return whether a social worker was allocated to the child during a plan."""
    return any(
        row["role"] == "social_worker"
        and row["worker_id"] is not None
        and (row["end_date"] is None or row["end_date"] > plan["start_date"])
        and row["start_date"] <= (plan["end_date"] or facts.as_of)
        for row in facts.by("allocations", "person_id", plan["person_id"])
    )


def stepping_down(facts: Facts) -> None:
    """Record ended protection plans with no child in need plan a working day later, or with less than three months of one."""
    for plan in facts.all("cp_plans"):
        end = plan["end_date"]
        if end is None or plan["is_other_authority_plan"] is True or plan["end_reason"] in LEFT_US:
            continue
        if end >= dates.years_after(facts.children[plan["person_id"]]["birth_date"], 18):
            continue
        subject, person, three_months = plan["cp_plan_id"], plan["person_id"], dates.months_after(end, 3)
        support = _support(facts, plan, three_months)
        began = min((max(row["start_date"], end) for row in support), default=None)
        again = _protected(facts, plan)
        facts.deadline("CIN-STEP-DOWN", subject, person, end, dates.working_days_after(end, 1), began, again)
        ends = [row["end_date"] for row in support]
        last = None if None in ends else max(ends, default=None)
        if last is not None and last < three_months and (again is None or again >= three_months):
            facts.add("CIN-STEP-DOWN-KEPT", subject, person, last, last, None, "missed")


def _support(facts: Facts, plan: Row, until: date) -> list[Row]:
    """Return the child in need plans in force after a protection plan that began within three months of its end."""
    return [
        row
        for row in facts.by("cin_plans", "person_id", plan["person_id"])
        if row["start_date"] < until and (row["end_date"] is None or row["end_date"] > plan["end_date"])
    ]


def _protected(facts: Facts, plan: Row) -> date | None:
    """Return the first day on or after a plan's end on which the child was on another plan, or in care."""
    end = plan["end_date"]
    plans = [
        row["start_date"]
        for row in facts.by("cp_plans", "person_id", plan["person_id"])
        if row["cp_plan_id"] != plan["cp_plan_id"] and row["start_date"] >= end
    ]
    care = [
        max(row["start_date"], end)
        for row in facts.by("care_periods", "person_id", plan["person_id"])
        if row["end_date"] is None or row["end_date"] > end
    ]
    return min(plans + care, default=None)


RULES = {
    long_plans: ["CIN-LONG-PLAN-REVIEW"],
    leads: ["CIN-LEAD-SOCIAL-WORKER"],
    stepping_down: ["CIN-STEP-DOWN", "CIN-STEP-DOWN-KEPT"],
}
