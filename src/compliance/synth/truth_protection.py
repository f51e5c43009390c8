"""The oracle for how children on a plan are seen, and for plans that run long, from local procedures."""

from datetime import date

from compliance.synth import dates
from compliance.synth.oracle import Facts, names, on_or_after
from compliance.synth.world import Row


def _seen(facts: Facts, plan: Row) -> list[Row]:
    """Return the visits during a plan at which the child was seen, in order."""
    stop = min(plan["end_date"] or facts.as_of, facts.as_of)
    found = [
        row
        for row in facts.by("cp_visits", "person_id", plan["person_id"])
        if row["child_was_seen"] is not False
        and names(row, "cp_plan_id", plan["cp_plan_id"])
        and plan["start_date"] <= row["visit_date"] <= stop
    ]
    return sorted(found, key=lambda row: (row["visit_date"], row["visit_id"]))


def _own_plans(facts: Facts) -> list[Row]:
    """Return the plans that are this council's."""
    return [row for row in facts.all("cp_plans") if row["is_other_authority_plan"] is not True]


def every_other_visit(facts: Facts) -> None:
    """Record visits that were at least the second in a row without seeing the child alone, or the bedroom."""
    for plan in _own_plans(facts):
        visits = _seen(facts, plan)
        for row in _second_in_a_row(visits, [_alone(row) for row in visits]):
            if dates.age_on(facts.children[row["person_id"]]["birth_date"], row["visit_date"]) >= 4:
                _missed(facts, "CP-VISIT-ALONE", plan, row)
        for row in _second_in_a_row(visits, [row["bedroom_was_seen"] for row in visits]):
            _missed(facts, "CP-BEDROOM-SEEN", plan, row)


def _missed(facts: Facts, rule: str, plan: Row, row: Row) -> None:
    """Record a visit of a plan as a breach on the day itself."""
    day = row["visit_date"]
    facts.add(rule, f"{row['visit_id']}:{plan['cp_plan_id']}", row["person_id"], day, day, None, "missed")


def _alone(row: Row) -> bool | None:
    """Return whether a child was seen alone, or the reason why not was recorded; blank if it is not said."""
    if row["not_seen_alone_reason"] is not None:
        return True
    alone: bool | None = row["child_was_seen_alone"]
    return alone


def _second_in_a_row(visits: list[Row], answers: list[bool | None]) -> list[Row]:
    """Return the visits that follow another no with no yes and no blank between."""
    found, run, is_blank = [], 0, False
    for row, answer in zip(visits, answers, strict=True):
        if answer is True:
            run, is_blank = 0, False
            continue
        run, is_blank = run + 1, is_blank or answer is None
        if run > 1 and not is_blank:
            found.append(row)
    return found


def not_seen(facts: Facts) -> None:
    """Record children on a plan unseen for four weeks about whom no manager decided what to do."""
    for plan in _own_plans(facts):
        days = sorted({plan["start_date"], *(row["visit_date"] for row in _seen(facts, plan))})
        for last, following in zip(days, [*days[1:], plan["end_date"]], strict=True):
            if ((following or facts.as_of) - last).days >= 21:
                _unseen(facts, plan, last, following)


def _unseen(facts: Facts, plan: Row, last: date, end: date | None) -> None:
    """Record one long time unseen, unless a decision was made between two weeks and four after the child was last seen."""
    decided = [
        row["decision_date"]
        for row in facts.by("management_decisions", "person_id", plan["person_id"])
        if row["decision_kind"] == "child_not_seen"
        and dates.days_after(last, 14) <= row["decision_date"] <= min(end or facts.as_of, facts.as_of)
    ]
    due = dates.days_after(last, 28)
    facts.deadline("CP-NOT-SEEN-ESCALATED", plan["cp_plan_id"], plan["person_id"], last, due, min(decided, default=None), end)


def long_plans(facts: Facts) -> None:
    """Record plans that reached fifteen months without a senior review, legal planning or a start of pre-proceedings."""
    for plan in facts.all("cp_plans"):
        start, end = plan["start_date"], plan["end_date"]
        decided = [
            row["decision_date"]
            for row in facts.by("management_decisions", "person_id", plan["person_id"])
            if row["decision_kind"] in ("long_plan_review", "legal_planning")
        ]
        gateways = [row["gateway_decision_date"] for row in facts.by("proceedings", "person_id", plan["person_id"])]
        known = [day for day in on_or_after(decided + gateways, start) if day <= min(end or facts.as_of, facts.as_of)]
        due = dates.months_after(start, 15)
        facts.deadline(
            "CP-PLAN-LONG-REVIEWED", plan["cp_plan_id"], plan["person_id"], start, due, min(known, default=None), end
        )


RULES = {
    every_other_visit: ["CP-VISIT-ALONE", "CP-BEDROOM-SEEN"],
    not_seen: ["CP-NOT-SEEN-ESCALATED"],
    long_plans: ["CP-PLAN-LONG-REVIEWED"],
}
