"""The fostering service: households, carers, approvals, reviews, visits, training."""

from dataclasses import dataclass, field
from datetime import date

from compliance.synth import dates, foster_support, fostering_panel, people
from compliance.synth.foster_support import carer_visit, record
from compliance.synth.looked_after import Care
from compliance.synth.workforce import Workforce
from compliance.synth.world import CLEAN_BEFORE, Pace, Row, World, paced

REVIEWS = Pace(
    due=lambda last, _: dates.years_after(last, 1),
    late=0.45,
    overrun=(5, 120),
    earliest=0.9,
    first_earliest=0.9,
    is_relaxable=True,
)
# Nobody now on the register was approved longer ago, in days: the panel sits since then.
OLDEST_APPROVAL = 3450
UNANNOUNCED = Pace(
    due=lambda last, _: dates.months_after(last, 12), late=0.35, overrun=(5, 150), earliest=0.6, first_earliest=0.4
)


@dataclass
class Household:
    """Return a foster household with the placements it holds and when its carers were approved."""

    row: Row
    approved: date | None
    kind: str
    ended: date | None = None
    placements: list[Row] = field(default_factory=list)
    carers: list[Row] = field(default_factory=list)


def foster(world: World, force: Workforce, cares: list[Care]) -> None:
    """Add the fostering service."""
    households = _households(world, cares)
    for household in households:
        _carers(world, household)
    panel = fostering_panel.sit(world, min(household.approved for household in households if household.approved))
    for household in households:
        for carer in household.carers:
            _approve(world, household, carer, panel)
            if household.approved:
                _review(world, household, carer)
                _visit(world, household, carer)
                _train(world, household, carer)
    fostering_panel.other_applications(world, panel)
    foster_support.support(world)
    _leave_gaps(world, households)
    _supervise(world, force, households)


def _households(world: World, cares: list[Care]) -> list[Household]:
    """Return every household: temporary, connected, mainstream with children, mainstream without, and those that left."""
    temporary = {
        care.child.person_id: care.temporary for care in cares if care.temporary and care.temporary != "before_assessment"
    }
    current = [
        row
        for row in world.placements
        if row["end_date"] is None and row["placement_provider"] == "PR1" and row["placement_type"].startswith("U")
    ]
    households = []
    usual = []
    for row in current:
        if row["person_id"] in temporary:
            households.append(_temporary(world, row, temporary[row["person_id"]]))
        elif row["placement_type"] in ("U1", "U3"):
            households.append(_filled(world, [row], "connected_person"))
        else:
            usual.append(row)
    households += _grouped(world, usual)
    wanted = world.council.count(world.council.chosen["foster_households"])
    households += [_filled(world, [], "mainstream") for _ in range(max(0, wanted - len(households)))]
    for _ in range(world.council.count(18)):
        household = _filled(world, [], "mainstream")
        household.ended = world.working_day(world.window, dates.days_after(world.as_of, -5))
        approved = household.approved or world.window
        household.approved = min(approved, dates.on_or_before(dates.days_after(household.ended, -200)))
        households.append(household)
    return households


def _household(world: World) -> Row:
    """Return a new household."""
    return world.add(
        "foster_households",
        household_id=world.new_id("HH"),
        address="recorded",
        local_authority=world.council.name,
        has_pets=world.chance(0.4),
    )


def _temporary(world: World, placement: Row, outcome: str | None) -> Household:
    """Return the household of a connected person approved for a time, and in some cases then in full."""
    approved = None
    if outcome in ("approved", "approved_late"):
        approved = dates.on_or_before(dates.days_after(placement["start_date"], (14 if outcome == "approved" else 19) * 7))
    household = Household(_household(world), approved, "connected_person", placements=[placement])
    placement["household_id"] = household.row["household_id"]
    household.row["outcome"] = outcome
    return household


def _filled(world: World, placements: list[Row], kind: str) -> Household:
    """Return a household approved before the first of the placements it holds."""
    first = min((row["start_date"] for row in placements), default=dates.days_after(world.as_of, -world.rng.randint(20, 400)))
    approved = dates.on_or_before(dates.days_after(first, -world.pick([0, 30, 90, 400, 900, 1800], [10, 20, 20, 20, 20, 10])))
    approved = max(approved, dates.on_or_after(dates.days_after(world.as_of, -OLDEST_APPROVAL)))
    household = Household(_household(world), approved, kind, placements=placements)
    for row in placements:
        row["household_id"] = household.row["household_id"]
    return household


def _grouped(world: World, usual: list[Row]) -> list[Household]:
    """Return mainstream households of one to three children, and a few with four: brothers and sisters, exempt, or neither."""
    free = sorted(usual, key=lambda row: (row["start_date"], row["placement_id"]))
    households = []
    for special in ("over", "over", "exempt", "siblings"):
        if len(free) < 20:
            break
        rows, free = free[:4], free[4:]
        household = _filled(world, rows, "mainstream")
        _allow_four(world, rows, special)
        households.append(household)
    while free:
        size = world.pick([1, 2, 3], [62, 28, 10])
        households.append(_filled(world, free[:size], "mainstream"))
        free = free[size:]
    return households


def _allow_four(world: World, rows: list[Row], special: str) -> None:
    """Make four children one family, or exempt their carer from the usual limit, or neither."""
    children = [world.children[row["person_id"]] for row in rows]
    for number, (child, row) in enumerate(zip(children, rows, strict=True)):
        child.row["family_id"] = children[0].row["family_id"] if special == "siblings" else f"{child.row['family_id']}-{number}"
        if special == "exempt":
            world.add(
                "management_decisions",
                management_decision_id=world.new_id("MD"),
                person_id=child.person_id,
                decision_kind="usual_fostering_limit_exemption",
                decision_date=max(each["start_date"] for each in rows),
                decision="agreed",
                decided_by_role="service_manager",
                placement_id=row["placement_id"],
            )


def _carers(world: World, household: Household) -> None:
    """Add the one or two carers of a household to the register."""
    first = household.approved
    if household.kind == "connected_person" and household.placements and first is None:
        first = household.placements[0]["start_date"]
    for number in range(2 if first and household.approved and world.chance(0.45) else 1):
        row = world.add(
            "foster_carers",
            carer_id=world.new_id("FC"),
            household_id=household.row["household_id"],
            full_name="recorded",
            birth_date=people.birth_for(world, 30, 68, world.as_of),
            sex=["F", "M"][number],
            ethnicity="WBRI",
            carer_kind=household.kind,
            first_approval_date=first,
            resignation_received_date=dates.days_after(household.ended, -28) if household.ended else None,
            approval_end_date=household.ended,
            end_reason="resigned" if household.ended else None,
        )
        household.carers.append(row)


def _approve(world: World, household: Household, carer: Row, panel: fostering_panel.Panel) -> None:
    """Add the approvals of a carer: temporary, extended, full."""
    outcome = household.row.get("outcome")
    if outcome:
        _approve_for_a_time(world, household, carer, outcome)
    if household.approved is None:
        return
    case = fostering_panel.approval_case(world, panel, carer, household.approved)
    approval(
        world,
        carer,
        "full",
        household.approved,
        end=household.ended,
        panel_case_id=case,
        children=max(world.rng.randint(1, 3), len(household.placements)),
    )


def _approve_for_a_time(world: World, household: Household, carer: Row, outcome: str) -> None:
    """Add the temporary approval of a connected person and, where there was one, its extension."""
    placement = household.placements[0]
    start = placement["start_date"]
    expiry = dates.days_after(start, 112)
    end = None
    if outcome in ("approved", "approved_late"):
        end = household.approved
    if outcome in ("extended", "extension_expired", "extended_after_expiry"):
        begun = dates.days_after(expiry, 10 if outcome == "extended_after_expiry" else -1)
        end = begun
        approval(world, carer, "extension", begun, expiry=dates.days_after(begun, 56), person_id=placement["person_id"])
    approval(world, carer, "temporary_connected_person", start, end=end, expiry=expiry, person_id=placement["person_id"])


def approval(
    world: World,
    carer: Row,
    kind: str,
    start: date,
    *,
    end: date | None = None,
    expiry: date | None = None,
    person_id: str | None = None,
    panel_case_id: str | None = None,
    children: int | None = None,
) -> Row:
    """Return an approval of a carer, with its terms."""
    return world.add(
        "foster_carer_approvals",
        approval_id=world.new_id("AP"),
        carer_id=carer["carer_id"],
        approval_kind=kind,
        person_id=person_id,
        start_date=start,
        expiry_date=expiry,
        end_date=end,
        max_children=children or 1,
        min_age=0,
        max_age=18,
        terms=None,
        panel_case_id=panel_case_id,
        approved_by_role="agency_decision_maker" if kind == "full" else "nominated_officer",
        suitability_assessed_date=_suitability(world, kind, start),
        full_assessment_started_date=_full_assessment(world, kind, start),
        panel_views_date=dates.working_days_before(start, 3) if kind == "extension" else None,
        iro_informed_date=dates.working_days_before(start, 2) if kind == "extension" else None,
        review_sought_date=None,
    )


def _suitability(world: World, kind: str, start: date) -> date | None:
    """Return the day on which the placement was judged the most appropriate one; one extension in four was given without."""
    if kind == "full" or (kind == "extension" and not world.quota("reconsidered", 75).take()):
        return None
    return dates.working_days_before(start, 1)


def _full_assessment(world: World, kind: str, start: date) -> date | None:
    """Return the day the full assessment of a connected person began: in five working days, or for one in five later."""
    if kind != "temporary_connected_person":
        return None
    late = world.quota("full_assessment", 20).take()
    day = dates.working_days_after(start, world.rng.randint(6, 12) if late else world.rng.randint(1, 5))
    return day if day <= world.as_of else None


def _review(world: World, household: Household, carer: Row) -> None:
    """Add the reviews of a carer: the first within a year of approval, then yearly, many of them late."""
    assert household.approved is not None
    for number, day in enumerate(paced(world, household.approved, household.ended, REVIEWS)):
        world.add(
            "foster_carer_reviews",
            carer_review_id=world.new_id("FR"),
            carer_id=carer["carer_id"],
            review_kind="annual" if number else "first",
            review_date=day,
            report_date=day,
            is_still_suitable=True,
        )


def _visit(world: World, household: Household, carer: Row) -> None:
    """Add the unannounced visits to a carer since approval."""
    assert household.approved is not None
    for day in paced(world, household.approved, household.ended, UNANNOUNCED):
        carer_visit(world, carer, day, True)


def _train(world: World, household: Household, carer: Row) -> None:
    """Add the training standards of a carer: due a year after approval, eighteen months for a connected person."""
    assert household.approved is not None
    due = dates.months_after(household.approved, 18 if household.kind == "connected_person" else 12)
    done: date | None = world.working_day(dates.days_after(household.approved, -30), due)
    if household.approved >= CLEAN_BEFORE and world.chance(0.5):
        done = dates.on_or_after(dates.days_after(due, world.rng.randint(5, 150))) if world.chance(0.5) else None
    stop = min(household.ended or world.as_of, world.as_of)
    if done and done <= stop:
        item = "training_support_development_standards"
        record(world, "foster_carer", carer["carer_id"], item, done, world.pick([True, None], [95, 5]))
    checked = max(dates.days_after(household.approved, -40), dates.days_after(stop, -700))
    record(world, "foster_carer", carer["carer_id"], "dbs", checked)


def _leave_gaps(world: World, households: list[Household]) -> None:
    """Leave the register as the cabinet report found it: one approved carer in four without a required particular."""
    approvals = {row["carer_id"]: row for row in world.tables["foster_carer_approvals"] if row["approval_kind"] == "full"}
    gap = world.quota("register", 24)
    for household in households:
        household.row.pop("outcome", None)
        if household.approved is None or household.ended:
            continue
        for carer in household.carers:
            if not gap.take():
                continue
            blank = world.pick(["full_name", "birth_date", "sex", "address", "terms"], [10, 25, 15, 10, 40])
            if blank == "address":
                household.row["address"] = None
            elif blank == "terms":
                approvals[carer["carer_id"]].update(max_children=None, min_age=None, max_age=None)
            else:
                carer[blank] = None


def _supervise(world: World, force: Workforce, households: list[Household]) -> None:
    """Give every carer a supervising social worker: all were allocated by September 2021."""
    workers = force.now("supervising_social_worker")
    by_carer: dict[str, str] = {}
    for number, household in enumerate(households):
        worker = workers[number % len(workers)]
        for carer in household.carers:
            begun = max(household.approved or carer["first_approval_date"], worker["start_date"])
            if household.ended and begun >= household.ended:
                continue
            by_carer[carer["carer_id"]] = worker["worker_id"]
            world.add(
                "allocations",
                allocation_id=world.new_id("AL"),
                person_id=None,
                carer_id=carer["carer_id"],
                worker_id=worker["worker_id"],
                role="supervising_social_worker",
                team_id=worker["team_id"],
                start_date=begun,
                end_date=household.ended,
                change_reason=None,
            )
    for number, row in enumerate(world.tables["foster_carer_applications"]):
        row["worker_id"] = workers[number % len(workers)]["worker_id"] if row["report_date"] else None
    for row in world.tables["foster_carer_visits"]:
        row["worker_id"] = by_carer.get(row["carer_id"])
