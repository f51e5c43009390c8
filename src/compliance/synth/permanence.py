"""Plans for a permanent home: what was decided at reviews, and what was decided before a foster home was left."""

from datetime import date

from compliance.synth import dates
from compliance.synth.looked_after import Care
from compliance.synth.oversight import decide
from compliance.synth.world import CLEAN_BEFORE, Row, World

LONG_TERM = ("long_term_fostering", "family_or_friends")
CHOSEN = ("CARPL", "STAND", "OTHER")
"""Why a placement ended, where neither carer nor child nor an allegation brought it about."""


def settle(world: World, cares: list[Care]) -> None:
    """Add the decisions on plans for permanence, and those of managers that a child should leave a foster home."""
    plans = {row["care_period_id"]: row for row in world.tables["care_plans"] if row["plan_kind"] == "care_plan"}
    reviews = _reviews(world)
    for care in cares:
        _decide_plan(world, care, plans[care.row["care_period_id"]], reviews.get(care.child.person_id, []))
    for care in cares:
        _decide_moves(world, care, reviews.get(care.child.person_id, []))


def _reviews(world: World) -> dict[str, list[Row]]:
    """Return the reviews held of each child's case, in order."""
    held: dict[str, list[Row]] = {}
    for row in sorted(world.tables["looked_after_reviews"], key=lambda row: (row["review_date"], row["review_id"])):
        if not row["was_cancelled"] and row["review_kind"] == "looked_after":
            held.setdefault(row["person_id"], []).append(row)
    return held


def _decide_plan(world: World, care: Care, plan: Row, reviews: list[Row]) -> None:
    """Add the agreement of the plan that a care plan states, at the second review or the first one after it was written.

    Since 2020 one plan in ten states none, and is agreed, if at all, at the first review after the four months.
    """
    agreed, due = plan["permanence_plan"], dates.months_after(care.start, 4)
    day = plan["plan_date"]
    if care.start >= CLEAN_BEFORE and agreed not in LONG_TERM and world.quota("permanence", 10).take():
        plan["permanence_plan"], day = None, dates.days_after(due, 1)
    review = next((row for row in reviews[1:] if row["review_date"] >= day), None)
    if review is None:
        return
    world.add(
        "permanence_decisions",
        permanence_decision_id=world.new_id("PD"),
        person_id=care.child.person_id,
        decision_date=review["review_date"],
        permanence_plan=agreed,
        review_id=review["review_id"],
    )


def _decide_moves(world: World, care: Care, reviews: list[Row]) -> None:
    """Add a manager's decision to end a foster placement that no review was held about; since 2020 one in six is late or lacking.

    What the council should have reviewed first, and did not, it decided on late.
    """
    placements = [row for row in world.placements if row["care_period_id"] == care.row["care_period_id"]]
    for row in placements[:-1]:
        end, reason = row["end_date"], row["change_reason"]
        if not row["placement_type"].startswith("U") or reason not in CHOSEN or _is_reviewed(row, reviews):
            continue
        is_late = end >= CLEAN_BEFORE and (reason != "OTHER" or world.quota("unplanned", 17).take())
        if not is_late or reason != "OTHER" or world.quota("undecided", 50).take():
            day = dates.working_days_after(end, 2) if is_late else _shortly_before(row)
            decide(world, row["person_id"], "placement_ending", day, "team_manager", row["placement_id"])


def _is_reviewed(row: Row, reviews: list[Row]) -> bool:
    """Return whether a review was held about the ending of a placement while it lasted."""
    return any(
        held["review_reason"] == "placement_ending" and row["start_date"] < held["review_date"] <= row["end_date"]
        for held in reviews
    )


def _shortly_before(row: Row) -> date:
    """Return a day shortly before a placement ended, after it began."""
    return max(dates.working_days_before(row["end_date"], 3), dates.days_after(row["start_date"], 1))
