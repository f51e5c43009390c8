"""The workforce: teams, workers, posts and absences, in the numbers of the workforce census."""

from collections import defaultdict
from dataclasses import dataclass, field
from datetime import date
from typing import Any

from compliance.synth import dates
from compliance.synth.world import Row, World

# (team, service, how many of them at scale 1, caseload limit set locally)
TEAMS = [
    ("T-MASH", "Front door", "front_door", 1, None),
    ("T-ASSESS", "Assessment", "assessment", 3, 18.0),
    ("T-CP", "Child protection and court", "child_protection_and_court", 4, 16.0),
    ("T-CIN", "Children in need", "children_in_need", 2, None),
    ("T-CIC", "Children in care", "children_in_care", 3, 18.0),
    ("T-LC", "Care leavers 16+", "care_leavers", 1, None),
    ("T-CWD", "Children with disabilities", "children_with_disabilities", 1, 22.0),
    ("T-FOST", "Fostering", "fostering", 2, None),
    ("T-PERM", "Connected carers and special guardianship", "permanence", 1, None),
    ("T-REVIEW", "Safeguarding and review", "reviewing", 1, None),
    ("T-EDGE", "Edge of care", "children_in_need", 1, None),
    ("T-EH", "Early help", "early_help", 1, None),
    ("T-QA", "Quality assurance", "other", 1, None),
]
# role: (permanent heads, of whom part time at 0.7, agency heads, teams they work in)
ROLES: dict[str, tuple[int, int, int, list[str]]] = {
    "senior_manager": (2, 0, 2, []),
    "middle_manager": (7, 0, 1, []),
    "first_line_manager": (18, 0, 4, []),
    "senior_practitioner": (10, 5, 4, ["T-ASSESS", "T-CP", "T-CIC", "T-CIN", "T-QA"]),
    "independent_reviewing_officer": (8, 4, 1, ["T-REVIEW"]),
    "supervising_social_worker": (8, 4, 4, ["T-FOST", "T-FOST", "T-PERM"]),
    "social_worker_without_cases": (3, 2, 26, ["T-MASH", "T-MASH", "T-EDGE", "T-QA", "T-PERM"]),
    "social_worker": (56, 14, 8, ["T-ASSESS", "T-CP", "T-CP", "T-CIC", "T-CIC", "T-CIN", "T-LC", "T-CWD"]),
}
# Case holders, full time and part time, who screen at the front door and hold no case on the day: with them half of the
# permanent social workers are case holders by role, and without them 53.2 full-time equivalents hold the 889 cases.
SCREENING = (5, 2)
UNQUALIFIED = {
    "family_support_worker": (24, ["T-CIN", "T-EDGE", "T-EH"]),
    "personal_adviser": (8, ["T-LC"]),
    "other": (6, ["T-EH", "T-QA"]),
}
SUPERVISED = {
    "senior_practitioner",
    "social_worker",
    "social_worker_without_cases",
    "supervising_social_worker",
    "independent_reviewing_officer",
}


@dataclass
class Workforce:
    """Return the workers of a council, with who is free to hold which cases."""

    world: World
    teams: list[Row] = field(default_factory=list)
    workers: list[Row] = field(default_factory=list)
    by_role: dict[str, list[Row]] = field(default_factory=lambda: defaultdict(list))
    screening: set[str] = field(default_factory=set)

    def of(self, *roles: str) -> list[Row]:
        """Return the workers, past and present, with one of the roles."""
        return [row for role in roles for row in self.by_role[role]]

    def now(self, *roles: str) -> list[Row]:
        """Return the workers with one of the roles who are working on the as-of day."""
        return [row for row in self.of(*roles) if row["end_date"] is None]

    def case_holders(self) -> list[Row]:
        """Return the social workers who hold cases on the as-of day."""
        return [row for row in self.now("social_worker") if row["worker_id"] not in self.screening]

    def ids(self, prefix: str) -> list[str]:
        """Return the teams whose id starts with a prefix."""
        return [row["team_id"] for row in self.teams if row["team_id"].rsplit("-", 1)[0] == prefix]


def employ(world: World) -> Workforce:
    """Return the workforce, written to the tables."""
    force = Workforce(world)
    _make_teams(force)
    for role, (permanent, part_time, agency, prefixes) in ROLES.items():
        _recruit(force, role, permanent, part_time, prefixes)
        for index in range(world.council.count(agency)):
            _agency(force, role, prefixes, index)
    _agency_part_time(force)
    _screen(force)
    for role, (heads, prefixes) in UNQUALIFIED.items():
        for index in range(world.council.count(heads)):
            _hire(force, role, prefixes, _started(world, 150, 3000), 0.8 if index % 4 == 3 else 1.0, index=index)
    _leavers(force)
    _manage(force)
    _posts(force)
    _absences(force)
    return force


def _make_teams(force: Workforce) -> None:
    """Add the teams."""
    for prefix, name, service, number, limit in TEAMS:
        for index in range(force.world.council.count(number)):
            row = force.world.add(
                "teams",
                team_id=f"{prefix}-{index + 1}",
                name=f"{name} {index + 1}" if force.world.council.count(number) > 1 else name,
                parent_team_id=None,
                service=service,
                manager_worker_id=None,
                caseload_limit=limit,
            )
            force.teams.append(row)


def _started(world: World, low: int, high: int) -> date:
    """Return the working day, so many days ago, on which someone started."""
    return dates.on_or_after(dates.days_after(world.as_of, -world.rng.randint(low, high)))


def _hire(force: Workforce, role: str, prefixes: list[str], start: date, fte: float, index: int = 0, **facts: Any) -> Row:
    """Return a worker in one of the teams for a role."""
    world = force.world
    pool = [team for prefix in prefixes for team in force.ids(prefix)]
    qualified = role not in UNQUALIFIED
    worker_id = world.new_id("W")
    row: Row = {
        "worker_id": worker_id,
        "full_name": "recorded",
        "registration_number": f"SW{worker_id[1:]}" if qualified else None,
        "role": role,
        "team_id": pool[index % len(pool)] if pool else None,
        "manager_worker_id": None,
        "post_id": None,
        "fte": fte,
        "start_date": start,
        "end_date": None,
        "leaving_reason": None,
        "is_newly_qualified": False if qualified else None,
        "asye_start_date": None,
        "asye_end_date": None,
        "qualified_date": None,
        "is_agency": False,
        "notice_weeks": None,
    }
    row.update(facts)
    force.workers.append(world.add("workers", **row))
    force.by_role[role].append(force.workers[-1])
    return force.workers[-1]


def _recruit(force: Workforce, role: str, heads: int, part_time: int, prefixes: list[str]) -> None:
    """Add the permanent workers of a role; nearly half who hold cases qualified in the last two years."""
    world = force.world
    number, part = world.council.count(heads), round(part_time * world.council.scale)
    for index in range(number):
        fte = 0.7 if index >= number - part else 1.0
        if role == "social_worker" and index < number * 0.46:
            _newly_qualified(force, prefixes, index, fte, first_year=index < number * 0.3)
        else:
            start = _joined(world, role, is_new=role == "social_worker" and number - part <= index < number - part * 0.43)
            _hire(force, role, prefixes, start, fte, index, qualified_date=dates.days_after(start, -world.rng.randint(800, 5000)))


def _joined(world: World, role: str, is_new: bool) -> date:
    """Return when an experienced worker joined: reviewing officers long ago, a few others in the last year."""
    if role == "independent_reviewing_officer":
        return _started(world, 3700, 4000)
    return _started(world, 30, 350) if is_new else _started(world, 380, 3000)


def _newly_qualified(force: Workforce, prefixes: list[str], index: int, fte: float, first_year: bool) -> None:
    """Add a social worker in, or lately out of, the assessed and supported year."""
    start = _started(force.world, 20, 350) if first_year else _started(force.world, 372, 800)
    _hire(
        force,
        "social_worker",
        prefixes,
        start,
        fte,
        index,
        is_newly_qualified=first_year,
        asye_start_date=start,
        asye_end_date=None if first_year else dates.years_after(start, 1),
        qualified_date=dates.days_after(start, -60),
    )


def _agency(force: Workforce, role: str, prefixes: list[str], index: int) -> None:
    """Add an agency worker, on an assignment of some months."""
    start = _started(force.world, 14, 420)
    _hire(
        force,
        role,
        prefixes,
        start,
        1.0,
        index + 3,
        is_agency=True,
        notice_weeks=force.world.pick([1, 4], [40, 60]),
        qualified_date=dates.days_after(start, -force.world.rng.randint(900, 6000)),
    )


def _agency_part_time(force: Workforce) -> None:
    """Bring the agency total down to the published one: one case holder at four days a week for each fifty workers."""
    agency = [row for row in force.workers if row["is_agency"] and row["role"] == "social_worker"]
    for row in agency[: max(1, round(force.world.council.scale))]:
        row["fte"] = 0.8


def _screen(force: Workforce) -> None:
    """Put some experienced case holders at the front door for now, where they hold no cases."""
    free = [row for row in force.of("social_worker") if not row["is_agency"] and row["asye_start_date"] is None]
    teams = force.ids("T-MASH")
    for is_full, heads in zip((True, False), SCREENING, strict=True):
        fits = [row for row in free if (row["fte"] == 1.0) is is_full]
        for index, row in enumerate(fits[: force.world.council.count(heads)]):
            row["team_id"] = teams[index % len(teams)]
            force.screening.add(row["worker_id"])


def _leavers(force: Workforce) -> None:
    """Add those who left in the two years: as many a year as published, most of them social workers with cases."""
    world = force.world
    for first in (world.window, world.year):
        number = world.council.count(world.council.workforce["leavers_fte"] + 0.6)
        for index in range(number):
            end = world.working_day(dates.days_after(first, 5), dates.days_after(dates.years_after(first, 1), -8))
            start = dates.on_or_after(dates.days_after(end, -world.rng.randint(300, 1800)))
            role = "social_worker" if index % 5 else "social_worker_without_cases"
            _hire(
                force,
                role,
                ROLES[role][3],
                start,
                0.4 if index == 1 else 1.0,
                index,
                end_date=end,
                leaving_reason=world.pick(["resigned", "retired", "other"], [80, 10, 10]),
                qualified_date=dates.days_after(start, -900),
            )
        for index in range(world.council.count(10)):
            end = world.working_day(dates.days_after(first, 5), dates.days_after(dates.years_after(first, 1), -8))
            start = dates.on_or_after(dates.days_after(end, -world.rng.randint(120, 400)))
            _hire(
                force,
                "social_worker",
                ROLES["social_worker"][3],
                start,
                1.0,
                index,
                end_date=end,
                is_agency=True,
                notice_weeks=4,
                leaving_reason="assignment_ended",
                qualified_date=dates.days_after(start, -2000),
            )


def _manage(force: Workforce) -> None:
    """Give every team a manager and every worker a line manager; heads of service have too many managers each."""
    managers, heads = force.now("first_line_manager"), force.now("middle_manager")
    leaders = force.now("senior_manager")
    for index, team in enumerate(force.teams):
        team["manager_worker_id"] = managers[index % len(managers)]["worker_id"]
    teams = {team["team_id"]: team for team in force.teams}
    for index, row in enumerate(managers):
        row["manager_worker_id"] = heads[_head(index, len(heads))]["worker_id"]
        row["team_id"] = force.teams[index % len(force.teams)]["team_id"]
    for row in heads:
        row["manager_worker_id"] = leaders[0]["worker_id"]
    for row in leaders[1:]:
        row["manager_worker_id"] = leaders[0]["worker_id"]
    for row in force.workers:
        if row["manager_worker_id"] is None and row["team_id"] and row["role"] not in ("first_line_manager", "middle_manager"):
            row["manager_worker_id"] = teams[row["team_id"]]["manager_worker_id"]


def _head(index: int, number: int) -> int:
    """Return which head of service a team manager answers to: the first of every eight has nine of every 22."""
    block, place = divmod(index, 22)
    return min(block * 8 + (0 if place < 9 else 1 if place < 17 else 2 + (place - 17) % 5), number - 1)


def _posts(force: Workforce) -> None:
    """Add a post for each permanent worker and the vacant ones, twenty of them covered by agency workers."""
    world = force.world
    permanent = [row for row in force.workers if not row["is_agency"] and row["end_date"] is None and row["role"] in ROLES]
    for row in permanent:
        post = _post(world, row["team_id"], row["role"], row["fte"], None)
        post["filled_date"] = row["start_date"]
        row["post_id"] = post["post_id"]
    vacancy = world.council.workforce["vacancy_fte"] * world.council.scale
    sizes = [1.0] * int(vacancy) + ([round(vacancy - int(vacancy), 1)] if vacancy % 1 else [])
    cover = [row for row in force.now("social_worker", "social_worker_without_cases") if row["is_agency"] and row["fte"] == 1.0]
    covered = world.council.count(world.council.workforce["agency_covering_vacancies_fte"])
    for index, fte in enumerate(sizes):
        post = _post(world, f"T-CP-{1 + index % 4}", "social_worker", fte, _started(world, 30, 700))
        if index < covered and index < len(cover):
            cover[index]["post_id"] = post["post_id"]


def _post(world: World, team_id: str | None, role: str, fte: float, vacant_from: date | None) -> Row:
    """Return a post."""
    return world.add(
        "posts",
        post_id=world.new_id("PO"),
        team_id=team_id,
        role=role,
        fte=fte,
        start_date=dates.days_after(world.as_of, -4600 + len(world.tables["posts"])),
        end_date=None,
        vacant_from_date=vacant_from,
        filled_date=None,
    )


def _absences(force: Workforce) -> None:
    """Add absences: a few long ones, parental leave, and short spells up to the published days lost to sickness."""
    world = force.world
    in_post = [row for row in force.workers if not row["is_agency"] and row["end_date"] is None and row["role"] in ROLES]
    left = world.council.count(world.council.workforce["sickness_days"])
    long_term = [
        row
        for row in in_post
        if row["role"] in ("senior_practitioner", "social_worker_without_cases") and not row["is_newly_qualified"]
    ]
    long_term = [row for row in long_term if row["start_date"] < dates.days_after(world.year, -60)]
    for index, row in enumerate(long_term[: world.council.count(7)]):
        days = 40 if index % 7 < 5 else 90
        start = world.working_day(dates.days_after(world.year, 30), dates.days_after(world.as_of, -75))
        if days == 90:
            _absent(world, row, start, None if index % 7 == 6 else dates.working_days_after(start, 49), "parental_leave", None)
        else:
            _absent(world, row, start, dates.working_days_after(start, days - 1), "sickness", float(days))
            left -= days
    away = {row["worker_id"] for row in world.tables["absences"]}
    well = [row for row in in_post if row["worker_id"] not in away]
    while left > 0:
        row = world.pick(well)
        days = min(left, world.pick([1, 2, 3, 4, 5], [25, 25, 20, 15, 15]))
        start = world.working_day(max(world.year, dates.days_after(row["start_date"], 1)), dates.days_after(world.as_of, -12))
        if row["start_date"] < start < dates.days_after(world.as_of, -10):
            _absent(world, row, start, start if days == 1 else dates.working_days_after(start, days - 1), "sickness", float(days))
            left -= days


def blank_one_start(force: Workforce) -> None:
    """Blank the start of one agency worker who holds no cases: what is owed to them is then unknown."""
    row = next(row for row in force.now("senior_practitioner") if row["is_agency"])
    row["start_date"] = None


def _absent(world: World, worker: Row, start: date, end: date | None, reason: str, days: float | None) -> None:
    """Add an absence."""
    world.add(
        "absences",
        absence_id=world.new_id("AB"),
        worker_id=worker["worker_id"],
        start_date=start,
        end_date=end,
        absence_reason=reason,
        working_days_lost=days,
    )
