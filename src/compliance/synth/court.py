"""Care proceedings: the application behind each interim care order, and each time the court extended the timetable."""

from datetime import date

from compliance.synth import dates
from compliance.synth.world import CLEAN_BEFORE, Row, World

LAW_FROM = date(2014, 4, 22)
"""Twenty-six weeks became law: Children and Families Act 2014, section 14."""
LAST_DAY = 26 * 7 - 1
"""Days after that of issue, which is the first of the twenty-six weeks."""
REASONS = ["further assessment of a relative", "expert report outstanding", "no court time for the final hearing"]


def go_to_court(world: World) -> None:
    """Add the proceedings of each child with an interim care order, and those thought of for children on a long plan."""
    for order in world.tables["legal_statuses"]:
        if order["legal_status"] == "C1":
            _extend(world, _apply(world, order))
    _before_proceedings(world)


def _add(world: World, person_id: str, gateway: date | None, issued: date | None, ended: date | None) -> Row:
    """Return the legal route of one child."""
    return world.add(
        "proceedings",
        proceedings_id=world.new_id("PR"),
        person_id=person_id,
        application_kind="care" if issued else None,
        gateway_decision_date=gateway,
        issue_date=issued,
        final_order_date=ended,
    )


def _apply(world: World, order: Row) -> Row:
    """Return the proceedings in which an interim order was made: issued some days before it, ended with it.

    A child of a few days was taken to court at once, without a decision to start pre-proceedings.
    """
    birth, number = world.children[order["person_id"]].birth, len(world.tables["proceedings"])
    issued = max(dates.working_days_before(order["start_date"], 1 + number % 4), dates.on_or_after(birth))
    issued = min(issued, order["start_date"])
    gateway = dates.working_days_before(issued, 30 + 7 * (number % 9))
    return _add(world, order["person_id"], gateway if gateway > birth else None, issued, order["end_date"])


def _extend(world: World, row: Row) -> None:
    """Add extensions of eight weeks until proceedings ended; since 2020 one application in five was left to run over."""
    end = dates.days_after(row["issue_date"], LAST_DAY)
    stop = row["final_order_date"] or world.as_of
    if row["issue_date"] < LAW_FROM or stop <= end:
        return
    if row["issue_date"] >= CLEAN_BEFORE and world.quota("timetable", 20).take():
        return
    while end < stop:
        end = _extension(world, row, end)


def _extension(world: World, row: Row, end: date) -> date:
    """Return the new end of a timetable; since 2020 a few extensions are too long, or give no reason."""
    heard = dates.on_or_before(dates.days_after(end, -5))
    weeks, number = 8, len(world.tables["court_hearings"])
    is_plain = heard < CLEAN_BEFORE
    if not is_plain and world.quota("extension", 7).take():
        weeks = 10
    has_reason = is_plain or not world.quota("extension_reason", 5).take()
    until = dates.days_after(end, 7 * weeks)
    world.add(
        "court_hearings",
        hearing_id=world.new_id("CH"),
        proceedings_id=row["proceedings_id"],
        person_id=row["person_id"],
        hearing_kind="extension",
        hearing_date=heard,
        extended_to_date=until,
        extension_reason=REASONS[number % len(REASONS)] if has_reason else None,
    )
    return until


def _before_proceedings(world: World) -> None:
    """Add the decision to start pre-proceedings, two weeks after the senior review of a long plan that still runs."""
    running = {row["person_id"]: row for row in world.tables["cp_plans"] if row["end_date"] is None}
    for decision in world.tables["management_decisions"]:
        plan, day = running.get(decision["person_id"]), dates.working_days_after(decision["decision_date"], 10)
        if plan is None or decision["decision_kind"] != "long_plan_review" or day > world.as_of:
            continue
        if decision["decision_date"] >= dates.months_after(plan["start_date"], 12):
            _add(world, plan["person_id"], day, None, None)
