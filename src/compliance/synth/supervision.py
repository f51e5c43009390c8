"""Supervision: the sessions each social worker had, and the children discussed in them."""

from bisect import bisect_right
from collections import defaultdict
from dataclasses import replace
from datetime import date

from compliance.synth import dates
from compliance.synth.workforce import SUPERVISED, Workforce
from compliance.synth.world import CLEAN_BEFORE, Pace, Row, World, paced

# Sessions are meant to be at most four weeks apart, which is inside a month; paragraphs 16 to 18 say they often were not.
MISSED = 0.20


def supervise(world: World, force: Workforce) -> None:
    """Add every session of personal supervision and every case discussed in one."""
    away = _by_worker(world, "absences")
    held = _by_worker(world, "allocations")
    for worker in force.workers:
        if worker["role"] not in SUPERVISED:
            continue
        sessions = session_days(world, worker, away[worker["worker_id"]])
        for day in sessions:
            add(world, worker, "personal", day, None)
        for allocation in held[worker["worker_id"]]:
            if allocation["role"] == "social_worker":
                for day in discussions(world, allocation, sessions):
                    add(world, worker, "case", day, allocation["person_id"])
    _group_sessions(world, force)


def _by_worker(world: World, table: str) -> defaultdict[str, list[Row]]:
    """Return the rows of a table by worker."""
    found: defaultdict[str, list[Row]] = defaultdict(list)
    for row in world.tables[table]:
        if row["worker_id"]:
            found[row["worker_id"]].append(row)
    return found


def session_days(world: World, worker: Row, absences: list[Row]) -> list[date]:
    """Return the days of a worker's sessions, on both sides of any long absence."""
    long = [row for row in absences if row["end_date"] is None or (row["end_date"] - row["start_date"]).days > 20]
    short = [row for row in absences if row not in long]
    pace = _pace(worker, short)
    if not long:
        return paced(world, worker["start_date"], worker["end_date"], pace)
    away = long[0]
    days = paced(world, worker["start_date"], dates.days_after(away["start_date"], -3), replace(pace, late=0.1))
    last = dates.working_days_before(away["start_date"], 1)
    days += [last] if not days or days[-1] < dates.days_after(last, -6) else []
    if away["end_date"]:
        back = dates.working_days_after(away["end_date"], 3)
        days += [back, *paced(world, dates.days_after(back, 1), worker["end_date"], replace(pace, first_earliest=0.7))]
    return [day for day in sorted(set(days)) if day <= world.as_of]


def _pace(worker: Row, absences: list[Row]) -> Pace:
    """Return the pace of a worker's sessions: weekly, two-weekly, then four-weekly in the assessed and supported year."""
    start = worker["asye_start_date"]
    marks = [dates.days_after(start, 42), dates.months_after(start, 6)] if start else []

    def due(last: date, _: int) -> date:
        if start is None or last >= dates.months_after(start, 8):
            return dates.days_after(last, 28)
        return dates.days_after(last, 7 if last < marks[0] else 14)

    def clean(first: date, last: date) -> bool:
        until = dates.days_after(last, 30)
        if any(row["start_date"] <= until and row["end_date"] >= first for row in absences):
            return True
        if start is None:
            return False
        edges = [
            (dates.days_after(start, 165), dates.months_after(start, 8)),
            (dates.days_after(start, 320), dates.days_after(start, 400)),
        ]
        return any(low <= until and first <= high for low, high in edges)

    return Pace(due=due, late=MISSED, overrun=(4, 34), earliest=0.75, first_earliest=0.4, clean=clean, avoid=frozenset(marks))


def discussions(world: World, allocation: Row, sessions: list[date]) -> list[date]:
    """Return the sessions at which a child was discussed: when the next would be too late, and at some others."""
    stop = min(allocation["end_date"] or world.as_of, world.as_of)
    first = bisect_right(sessions, allocation["start_date"])
    last = allocation["start_date"]
    edges = world.boundaries[allocation["person_id"]]
    chosen: list[date] = []
    for index in range(first, len(sessions)):
        day = sessions[index]
        if day > stop:
            break
        following = sessions[index + 1] if index + 1 < len(sessions) else world.as_of
        needed = following > _discuss_by(world, allocation["person_id"], last)
        wanted = world.chance(0.95 if last >= date(2020, 1, 1) else 1.0) if needed else world.chance(0.3)
        if wanted and day not in edges:
            chosen.append(last := day)
    return chosen


def _discuss_by(world: World, person_id: str, last: date) -> date:
    """Return the day by which a child is to be discussed again: four weeks on a plan, eight in care, else six."""
    if any(start <= last < (end or date.max) for start, end in world.on_plan[person_id]):
        return dates.days_after(last, 28)
    if any(start <= last < (end or date.max) for start, end in world.in_care[person_id]):
        return dates.days_after(last, 56)
    return dates.days_after(last, 42)


def add(world: World, worker: Row, kind: str, day: date, person_id: str | None) -> Row:
    """Return a supervision session, or one child discussed in it; since 2020 some are shorter than 90 minutes or interrupted."""
    short = 3 if day >= CLEAN_BEFORE else 0
    return world.add(
        "supervisions",
        supervision_id=world.new_id("SV"),
        worker_id=worker["worker_id"],
        supervisor_worker_id=worker["manager_worker_id"],
        supervision_kind=kind,
        supervision_date=day,
        person_id=person_id,
        duration_minutes=world.pick([60, 75, 90, 100, 120], [short, short, 60, 25, 15]) if kind == "personal" else None,
        was_uninterrupted=world.pick([True, False, None], [100, 2 * short, 0.3]) if kind == "personal" else None,
    )


def _group_sessions(world: World, force: Workforce) -> None:
    """Add group supervision and appraisals, which do not count as the monthly session."""
    for index, worker in enumerate(force.now(*sorted(SUPERVISED))):
        if index % 3 == 0:
            day = world.working_day(max(world.year, worker["start_date"]), world.as_of)
            add(world, worker, "group" if index % 2 else "appraisal", day, None)
