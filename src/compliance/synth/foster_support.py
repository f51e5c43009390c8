"""What foster carers get from the service: visits, calls, training, checks, and a safe home."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import date

from compliance.synth import dates
from compliance.synth.world import CLEAN_BEFORE, Pace, Row, World, paced

YEARLY = Pace(due=lambda last, _: dates.months_after(last, 12), late=0.2, overrun=(5, 90), earliest=0.85, first_earliest=0.85)
THREE_YEARLY = Pace(due=lambda last, _: dates.months_after(last, 36), late=0.0, earliest=0.85, first_earliest=0.85)
CALLS = Pace(due=lambda last, _: dates.days_after(last, 14), late=0.05, overrun=(2, 9), earliest=0.6, first_earliest=0.3)
MONTHLY = Pace(due=lambda last, _: dates.months_after(last, 1), late=0.1, overrun=(2, 20), earliest=0.7, first_earliest=0.3)


@dataclass(frozen=True)
class Approved:
    """Return a carer approved in full, with when that began and ended."""

    carer: Row
    start: date
    end: date | None


def support(world: World) -> None:
    """Add what every carer on the register was given, and what was seen of every home."""
    approved = _approved(world)
    for one in approved:
        _visit(world, one)
        _train(world, one)
        _check(world, one)
    for row in world.tables["foster_carer_approvals"]:
        if row["approval_kind"] == "temporary_connected_person":
            _support_for_a_time(world, row)
    for carers in _households(approved).values():
        _look_over(world, carers)


def _approved(world: World) -> list[Approved]:
    """Return every carer who is or was approved in full."""
    starts: dict[str, date] = {}
    for row in world.tables["foster_carer_approvals"]:
        if row["approval_kind"] == "full":
            starts[row["carer_id"]] = row["start_date"]
    return [
        Approved(row, starts[row["carer_id"]], row["approval_end_date"])
        for row in world.tables["foster_carers"]
        if row["carer_id"] in starts
    ]


def _households(approved: list[Approved]) -> dict[str, list[Approved]]:
    """Return the approved carers of each household."""
    found: dict[str, list[Approved]] = {}
    for one in approved:
        found.setdefault(one.carer["household_id"], []).append(one)
    return found


def _visit(world: World, one: Approved) -> None:
    """Add the visits of the supervising social worker, one in twenty late, and fortnightly calls in the first two months."""
    starts = sorted(row["start_date"] for row in world.placements if row["household_id"] == one.carer["household_id"])
    every = Pace(due=_next_visit(one.start, starts), late=0.05, overrun=(2, 25), earliest=0.75, first_earliest=0.3)
    for day in paced(world, one.start, one.end, every):
        carer_visit(world, one.carer, day, world.pick([False, None], [90, 10]))
    settled = min(dates.months_after(one.start, 2), one.end or date.max)
    for day in paced(world, one.start, settled, CALLS):
        carer_visit(world, one.carer, day, None, "telephone")


def _next_visit(approved: date, placed: list[date]) -> Callable[[date, int], date]:
    """Return when a carer is to be visited again: monthly for a year, then six-weekly with a child and twelve-weekly without."""

    def due(last: date, _: int) -> date:
        if last < dates.years_after(approved, 1):
            return dates.months_after(last, 1)
        soon, far = dates.days_after(last, 42), dates.days_after(last, 84)
        if placed and placed[0] <= last:
            return soon
        coming = min((day for day in placed if day > last), default=far)
        return min(far, max(coming, soon))

    return due


def carer_visit(world: World, carer: Row, day: date, unannounced: bool | None, kind: str = "supervision") -> None:
    """Add a visit or call to a carer."""
    world.add(
        "foster_carer_visits",
        carer_visit_id=world.new_id("FV"),
        carer_id=carer["carer_id"],
        visit_date=day,
        visit_kind=kind,
        was_unannounced=unannounced,
        worker_id=None,
    )


def _support_for_a_time(world: World, approval: Row) -> None:
    """Add monthly visits to a connected person approved for a time, and the policies they were given."""
    carer = next(row for row in world.tables["foster_carers"] if row["carer_id"] == approval["carer_id"])
    full = [
        row["start_date"]
        for row in world.tables["foster_carer_approvals"]
        if row["carer_id"] == approval["carer_id"] and row["approval_kind"] == "full"
    ]
    for day in paced(world, approval["start_date"], min(full, default=None), MONTHLY):
        carer_visit(world, carer, day, False)
    if not full:
        _give_policies(world, carer, approval["start_date"], None)


def _train(world: World, one: Approved) -> None:
    """Add induction, policies and training on allegations: in time, or since 2020 for some late or never."""
    inducted = dates.days_after(one.start, world.rng.randint(1, 20))
    _once(world, one, "induction", inducted, dates.days_after(one.start, world.rng.randint(25, 90)), 0.12)
    trained = dates.days_after(one.start, world.rng.randint(30, 340))
    _once(world, one, "safeguarding_training", trained, dates.days_after(one.start, world.rng.randint(380, 560)), 0.15)
    _give_policies(world, one.carer, one.start, one.end)


def _once(world: World, one: Approved, item: str, in_time: date, late: date, share: float) -> None:
    """Add something done once: in time, or for a share late, which for half of those means not yet."""
    day: date | None = in_time
    if one.start >= CLEAN_BEFORE and world.chance(share):
        day = late if world.chance(0.5) else None
    if day and day <= min(one.end or world.as_of, world.as_of):
        record(world, "foster_carer", one.carer["carer_id"], item, day)


def _give_policies(world: World, carer: Row, start: date, end: date | None) -> None:
    """Add a carer's acknowledgement of the policies and the children's guide, unless it was forgotten."""
    day = dates.days_after(start, world.rng.randint(0, 10))
    if start >= CLEAN_BEFORE and world.chance(0.12):
        return
    record(world, "foster_carer", carer["carer_id"], "policies_acknowledged", min(day, end or world.as_of, world.as_of))


def _check(world: World, one: Approved) -> None:
    """Add the medical and the check of the council's own records, before approval and every three years.

    One renewal in six of the last year has been forgotten.
    """
    for item in ("medical", "local_authority_check"):
        first = dates.on_or_before(dates.days_after(one.start, -world.rng.randint(20, 80)))
        for day in [first, *paced(world, first, one.end, THREE_YEARLY)]:
            if day < world.year or day == first or not world.quota(item, 16).take():
                record(world, "foster_carer", one.carer["carer_id"], item, day)


def _look_over(world: World, carers: list[Approved]) -> None:
    """Add a household's safety check before approval, the yearly inspections with another, and the look at its pets."""
    start, household = min(one.start for one in carers), carers[0].carer["household_id"]
    ends = [one.end for one in carers]
    end = None if None in ends else max(day for day in ends if day)
    first = dates.on_or_before(dates.days_after(start, -world.rng.randint(15, 60)))
    record(world, "household", household, "home_safety", first)
    for day in paced(world, first, end, YEARLY):
        record(world, "household", household, "home_safety", day)
        carer_visit(world, carers[0].carer, day, True, "home_inspection")
    row = next(row for row in world.tables["foster_households"] if row["household_id"] == household)
    if row["has_pets"] and not world.chance(0.1):
        record(world, "household", household, "pet_assessment", first)


def record(world: World, holder: str, holder_id: str, item: str, day: date, satisfactory: bool | None = True) -> None:
    """Add a check or training of a carer, a household, a panel member or a worker."""
    world.add(
        "checks_and_training",
        record_id=world.new_id("CT"),
        holder_kind=holder,
        holder_id=holder_id,
        item_kind=item,
        completed_date=day,
        is_satisfactory=satisfactory,
    )
