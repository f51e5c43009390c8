"""What managers decide: long plans, children not seen, accommodation, placements elsewhere, the end of care."""

from collections import defaultdict
from datetime import date

from compliance.synth import dates
from compliance.synth.looked_after import Care
from compliance.synth.world import CLEAN_BEFORE, Pace, Row, World, paced

LONG_PLANS = Pace(due=lambda last, _: dates.months_after(last, 6), late=0.12, overrun=(5, 90), earliest=0.85, first_earliest=0.85)
CEASED = ("E4A", "E13", "E5", "E6", "E8")


def decide(world: World, person_id: str, kind: str, day: date, role: str, placement_id: str | None = None) -> Row:
    """Return a manager's or officer's decision about a child."""
    return world.add(
        "management_decisions",
        management_decision_id=world.new_id("MD"),
        person_id=person_id,
        decision_kind=kind,
        decision_date=day,
        decision="agreed",
        decided_by_role=role,
        placement_id=placement_id,
    )


def oversee(world: World, cares: list[Care]) -> None:
    """Add the decisions owed about every child, each left out or late for some since 2020."""
    _long_plans_of_need(world)
    _long_plans_of_protection(world)
    _not_seen(world)
    _accommodated(world)
    for care in cares:
        _cease(world, care)
    for row in world.tables["placements"]:
        _approve_elsewhere(world, row)
        _approve_parents(world, row)


def _long_plans_of_need(world: World) -> None:
    """Add a manager's review of each long child in need plan, every six months."""
    for row in world.tables["cin_plans"]:
        if world.children[row["person_id"]].row["is_disabled"] is True:
            continue
        for day in paced(world, row["start_date"], row["end_date"], LONG_PLANS):
            decide(world, row["person_id"], "long_plan_review", day, "team_manager")


def _long_plans_of_protection(world: World) -> None:
    """Add the senior review of a protection plan by its fifteenth month, for two in three that last so long."""
    for row in world.tables["cp_plans"]:
        due = dates.months_after(row["start_date"], 15)
        if due <= (row["end_date"] or world.as_of) and world.quota("fifteen_months", 67).take():
            decide(world, row["person_id"], "long_plan_review", dates.on_or_before(dates.days_after(due, -10)), "service_manager")


def _not_seen(world: World) -> None:
    """Add what a manager decided about children on a plan not seen for four weeks, for three in four of them."""
    seen = _seen(world)
    for row in world.tables["cp_plans"]:
        stop = row["end_date"] or world.as_of
        days = sorted({row["start_date"], *(day for day in seen[row["person_id"]] if row["start_date"] <= day <= stop)})
        for last, following in zip(days, [*days[1:], stop], strict=True):
            due = dates.days_after(last, 28)
            if following > due and (last < CLEAN_BEFORE or world.quota("not_seen", 75).take()):
                decide(world, row["person_id"], "child_not_seen", dates.on_or_before(dates.days_after(due, -1)), "team_manager")


def _seen(world: World) -> defaultdict[str, list[date]]:
    """Return the days on which each child on a plan was seen."""
    seen: defaultdict[str, list[date]] = defaultdict(list)
    for row in world.tables["cp_visits"]:
        if row["child_was_seen"] is not False:
            seen[row["person_id"]].append(row["visit_date"])
    return seen


def _accommodated(world: World) -> None:
    """Add the look at accommodation under section 20 by its third month: none for one in six since 2020."""
    for row in world.tables["legal_statuses"]:
        if row["legal_status"] != "V2":
            continue
        due = dates.months_after(row["start_date"], 3)
        day = dates.on_or_before(dates.days_after(due, -world.rng.randint(1, 40)))
        is_left_out = row["start_date"] >= CLEAN_BEFORE and world.quota("section_20", 16).take()
        if not is_left_out and day <= min(row["end_date"] or world.as_of, world.as_of):
            decide(world, row["person_id"], "section_20_review", day, "service_manager")


def _cease(world: World, care: Care) -> None:
    """Add the officer's approval of an end to care that the council decided, for seven in eight before the day."""
    if care.end is None or care.end_reason not in CEASED:
        return
    late = care.end >= CLEAN_BEFORE and not dates.is_relaxed(care.end) and world.quota("ceasing", 12).take()
    if late and world.chance(0.5):
        return
    before = world.rng.randint(1, 12)
    day = dates.working_days_after(care.end, before) if late else dates.working_days_before(care.end, before)
    if day <= world.as_of:
        decide(world, care.child.person_id, "ceasing_to_look_after", day, "nominated_officer")


def _approve_elsewhere(world: World, row: Row) -> None:
    """Add the approval of a placement outside the area: by the director at a distance, before it starts but for one in nine."""
    if row["is_in_area"] or row["placement_basis"] == "temporary_connected_person" or row["placement_type"].startswith("A"):
        return
    start = row["start_date"]
    late = start >= CLEAN_BEFORE and not dates.is_relaxed(start) and world.quota("elsewhere", 11).take()
    if late and world.chance(0.4):
        return
    before = world.rng.randint(1, 8)
    day = dates.working_days_after(start, before) if late else dates.working_days_before(start, before)
    is_distant = not row["is_in_adjoining_area"]
    role = "nominated_officer" if not is_distant or (late and before < 3) else "director"
    if day <= min(row["end_date"] or world.as_of, world.as_of):
        kind = "distant_placement" if is_distant else "out_of_area_placement"
        decide(world, row["person_id"], kind, day, role, row["placement_id"])


def _approve_parents(world: World, row: Row) -> None:
    """Add the officer's approval of a placement with parents that changes where a child in care lives."""
    if row["placement_basis"] == "parents_after_assessment" and world.quota("with_parents", 85).take():
        day = dates.working_days_before(row["start_date"], world.rng.randint(1, 6))
        decide(world, row["person_id"], "placement_with_parents", day, "nominated_officer", row["placement_id"])
