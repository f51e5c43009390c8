"""Who holds which child: allocations over time, and the visits and meetings that workers are named on."""

from bisect import bisect_right
from collections import defaultdict
from datetime import date
from heapq import heapreplace

from compliance.synth import dates
from compliance.synth.workforce import Workforce
from compliance.synth.world import CLEAN_BEFORE, Row, Spell, World

TEAMS_FOR = {
    "assessment": ["T-ASSESS"],
    "cp": ["T-CP"],
    "lac": ["T-CIC", "T-CIC", "T-LC", "T-CP"],
    "cin": ["T-CIN", "T-CP", "T-ASSESS", "T-LC", "T-CIC"],
    "disabled": ["T-CWD", "T-CIN"],
}
# Cases for each full-time equivalent at which a team passes the next one on to another.
FULL = 19.0
# Of the cases that no case holder holds, one in so many is led by a family support worker, the others by registered seniors.
UNQUALIFIED_LEADS = 13
REASONS = ["LEFTRL", "ORGRST", "MANAGE", "TSPROC", "OTHERS"]


def allocate(world: World, force: Workforce) -> None:
    """Add the allocations of every child: the published number to social workers who hold cases, others elsewhere."""
    closed = [spell for spell in world.spells if spell.end is not None]
    current = [spell for spell in world.spells if spell.end is None]
    unallocated = _unallocated(world, current)
    _share_out(world, force, [spell for spell in current if id(spell) not in unallocated])
    for spell in closed:
        _earlier(world, force, spell, spell.start, spell.end)
    _reviewing_officers(world, force)
    _advisers(world, force)
    _name_visitors(world)
    _name_leads(world)


def _unallocated(world: World, current: list[Spell]) -> set[int]:
    """Return the open cases that nobody holds: most never allocated, some whose worker left."""
    number = world.council.count(world.council.chosen["unallocated"])
    free = [spell for spell in current if spell.need in ("cin", "assessment")]
    chosen = world.rng.sample(free, min(number, len(free)))
    for index, spell in enumerate(chosen):
        if index % 4 == 0 and spell.start < dates.days_after(world.as_of, -120):
            ended = dates.on_or_before(dates.days_after(world.as_of, -world.rng.randint(8, 50)))
            add(world, spell.child.person_id, None, "lead_practitioner", spell.start, ended, "LEFTRL")
    return {id(spell) for spell in chosen}


def _share_out(world: World, force: Workforce, current: list[Spell]) -> None:
    """Give each open case a holder: social workers by weight until they hold the published number, then others."""
    rank = {"lac": 0, "cp": 0, "assessment": 1, "cin": 2, "disabled": 2}
    ordered = sorted(current, key=lambda spell: (rank[spell.need], world.rng.random()))
    cases = world.council.count(world.council.workforce["cases"])
    queue = Queue(world, force, force.case_holders())
    for spell in ordered[:cases]:
        _hold(world, force, spell, queue.next(spell.need), "social_worker")
    others = [*force.now("senior_practitioner"), *force.now("first_line_manager")]
    unqualified = force.now("family_support_worker")
    for index, spell in enumerate(ordered[cases:]):
        leads = unqualified if index % UNQUALIFIED_LEADS == 4 else others
        _hold(world, force, spell, leads[index % len(leads)], "lead_practitioner")


class Queue:
    """Return the social workers who hold cases, the least loaded for their hours first, by kind of need."""

    def __init__(self, world: World, force: Workforce, holders: list[Row]) -> None:
        self._workers = {row["worker_id"]: row for row in holders}
        self._weight = {row["worker_id"]: row["fte"] * _strength(world, row) for row in holders}
        self._held = dict.fromkeys(self._workers, 0)
        self._waiting: dict[str, list[tuple[float, str]]] = {"": [(0.0, worker_id) for worker_id in sorted(self._workers)]}
        for need, prefixes in TEAMS_FOR.items():
            teams = {team for prefix in prefixes for team in force.ids(prefix)}
            suited = [worker_id for worker_id, row in sorted(self._workers.items()) if row["team_id"] in teams]
            self._waiting[need] = [(0.0, worker_id) for worker_id in suited or sorted(self._workers)]

    def next(self, need: str) -> Row:
        """Return the worker who takes the next case of a kind: one of the right team, unless all of those are full."""
        load, worker_id = self._first(need)
        if load >= FULL:
            load, worker_id = self._first("")
        self._held[worker_id] += 1
        return self._workers[worker_id]

    def _first(self, need: str) -> tuple[float, str]:
        """Return the least loaded worker of a queue, after bringing the loads at its front up to date."""
        waiting = self._waiting[need]
        while True:
            load, worker_id = waiting[0]
            now = self._held[worker_id] / self._weight[worker_id]
            if now == load:
                return load, worker_id
            heapreplace(waiting, (now, worker_id))


def _strength(world: World, worker: Row) -> float:
    """Return how large a share of cases a worker carries for their hours: new ones less, but not always."""
    if worker["start_date"] > dates.days_after(world.as_of, -45):
        return 0.6
    return world.rng.uniform(0.85, 1.25) if worker["is_newly_qualified"] else world.rng.uniform(0.85, 1.35)


def _hold(world: World, force: Workforce, spell: Spell, worker: Row, role: str) -> None:
    """Add the current holder of a case from some day, and those who held it before."""
    first = max(spell.start, worker["start_date"])
    latest = dates.days_after(world.as_of, -2)
    moved = spell.transfer_at_16
    if moved and moved > first:
        start, reason = moved, "TSPROC"
    elif first == spell.start and (world.chance(0.75 if spell.need == "lac" else 0.45) or (latest - first).days < 40):
        start, reason = first, "FCONTA"
    else:
        start, reason = world.working_day(dates.days_after(first, 1), max(first, latest)), world.pick(REASONS)
    start = min(_off_edge(world, spell, max(start, first)), world.as_of)
    if start > spell.start:
        _earlier(world, force, spell, spell.start, start)
    add(world, spell.child.person_id, worker, role, start, None, reason)


def _off_edge(world: World, spell: Spell, day: date) -> date:
    """Return a day on which no plan or care of the child begins or ends, so that what applied that day is plain."""
    while day in world.boundaries[spell.child.person_id] and day != spell.start:
        day = dates.days_after(day, 1)
    return day


def _earlier(world: World, force: Workforce, spell: Spell, start: date, end: date | None) -> None:
    """Add the workers who held a case before, one or two of them, each employed for as long as they held it."""
    last = end or world.as_of
    if start >= last:
        return
    shared = (last - start).days > (360 if spell.need == "lac" else 200)
    middle = world.working_day(dates.days_after(start, 30), dates.days_after(last, -30)) if shared else None
    middle = _off_edge(world, spell, middle) if middle else None
    parts = [(start, middle), (middle, last)] if middle else [(start, last)]
    for first, final in parts:
        if first is None or final is None:
            continue
        worker = _then(world, force, first, final)
        role = "social_worker" if worker and worker["role"] == "social_worker" else "lead_practitioner"
        if worker:
            add(world, spell.child.person_id, worker, role, first, final, world.pick(REASONS))


def _then(world: World, force: Workforce, first: date, final: date) -> Row | None:
    """Return a social worker employed from first to final, else a manager who was."""
    workers = force.of("social_worker")
    for _ in range(60):
        row = world.pick(workers)
        if row["start_date"] <= first and (row["end_date"] or world.as_of) >= final:
            return row
    managers = [row for row in force.now("first_line_manager") if row["start_date"] <= first]
    return world.pick(managers) if managers else None


def add(world: World, person_id: str, worker: Row | None, role: str, start: date, end: date | None, reason: str) -> Row:
    """Return an allocation of a worker to a child."""
    return world.add(
        "allocations",
        allocation_id=world.new_id("AL"),
        person_id=person_id,
        carer_id=None,
        worker_id=worker["worker_id"] if worker else None,
        role=role,
        team_id=worker["team_id"] if worker else "T-CIN-1",
        start_date=start,
        end_date=end,
        change_reason=reason,
    )


def accompany(world: World, force: Workforce) -> None:
    """Add a senior beside each new social worker with a child on a plan or before the court; since 2020 not for one in eight."""
    risks, seniors = _risks(world), force.now("senior_practitioner")
    begun = {row["worker_id"]: row["asye_start_date"] for row in force.of("social_worker") if row["asye_start_date"]}
    held = [row for row in world.tables["allocations"] if row["role"] == "social_worker" and row["worker_id"] in begun]
    for row in held:
        start = row["start_date"]
        stop = min(row["end_date"] or world.as_of, dates.months_after(begun[row["worker_id"]], 6))
        is_risky = any(first <= stop and start <= last for first, last in risks[row["person_id"]])
        able = [senior for senior in seniors if senior["start_date"] <= start]
        if start > stop or not is_risky or not able or (start >= CLEAN_BEFORE and world.quota("alone", 12).take()):
            continue
        senior = able[len(world.tables["allocations"]) % len(able)]
        add(world, row["person_id"], senior, "co_worker", start, row["end_date"], "OTHERS")


def _risks(world: World) -> defaultdict[str, list[tuple[date, date]]]:
    """Return when each child was on a child protection plan, or before the court."""
    risks: defaultdict[str, list[tuple[date, date]]] = defaultdict(list)
    for table, first, last in (("cp_plans", "start_date", "end_date"), ("proceedings", "issue_date", "final_order_date")):
        for row in world.tables[table]:
            if row[first]:
                risks[row["person_id"]].append((row[first], row[last] or world.as_of))
    return risks


def _reviewing_officers(world: World, force: Workforce) -> None:
    """Name the reviewing officer on each of their allocations, all of them long in post."""
    officers = [row for row in force.now("independent_reviewing_officer") if not row["is_agency"]]
    wanted = [row for row in world.tables["allocations"] if row["role"] == "independent_reviewing_officer"]
    for index, row in enumerate(wanted):
        row["worker_id"] = officers[index % len(officers)]["worker_id"]


def _advisers(world: World, force: Workforce) -> None:
    """Name the personal adviser on each of their allocations and on the contacts they made."""
    advisers = force.now("personal_adviser")
    by_person = {}
    wanted = [row for row in world.tables["allocations"] if row["role"] == "personal_adviser"]
    for index, row in enumerate(wanted):
        row["worker_id"] = by_person[row["person_id"]] = advisers[index % len(advisers)]["worker_id"]
    for row in world.tables["care_leaver_contacts"]:
        row["worker_id"] = by_person.get(row["person_id"])


def _name_visitors(world: World) -> None:
    """Name on each visit the worker who held the case that day."""
    by_person = _holders(world)
    for table in ("cin_visits", "cp_visits", "looked_after_visits"):
        for row in world.tables[table]:
            held = by_person.get(row["person_id"], [])
            place = bisect_right(held, (row["visit_date"], "~")) - 1
            row["worker_id"] = held[place][1] if place >= 0 else None


def _holders(world: World) -> dict[str, list[tuple[date, str]]]:
    """Return who held each child's case and from when, in order."""
    by_person: dict[str, list[tuple[date, str]]] = defaultdict(list)
    for row in world.tables["allocations"]:
        if row["role"] in ("social_worker", "lead_practitioner") and row["person_id"] and row["worker_id"]:
            by_person[row["person_id"]].append((row["start_date"], row["worker_id"]))
    for held in by_person.values():
        held.sort()
    return by_person


def _name_leads(world: World) -> None:
    """Name on each child in need plan the worker who leads it: who held the case on its last day, or holds it now."""
    by_person = _holders(world)
    for row in world.tables["cin_plans"]:
        held = by_person.get(row["person_id"], [])
        place = bisect_right(held, (row["end_date"] or world.as_of, "~")) - 1
        row["lead_worker_id"] = held[max(place, 0)][1] if held else None
