"""The duties to expect in the coming weeks against what teams have done in past ones: plain arithmetic, with a range."""

from __future__ import annotations

import datetime
import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from compliance.errors import UsageError
from compliance.run import Run

WEEKS_AHEAD = 12
WEEKS_BACK = 26
Z = 1.96
METHOD = (
    "known: duties already begun that fall due in the week. expected: at least the known, and at least the mean of duties that"
    f" fell due a week over the last {WEEKS_BACK} weeks, that mean raised by the demand given. range: 1.96 standard deviations of"
    " those weekly counts (times the root of the number of weeks for the sum), never below the known. capacity: mean of duties"
    f" completed a week over the same {WEEKS_BACK} weeks. backlog at the end: overdue now, plus expected, less capacity, never"
    " below none. Only duties that an event on a day meets are counted (deadlines and recurring ones), each by itself, though one"
    " visit may meet several"
)


@dataclass(frozen=True)
class Week:
    """One week ahead: duties already known to fall due in it, and how many to expect in all, with a range."""

    first: datetime.date
    known: int
    expected: float
    low: float
    high: float


@dataclass(frozen=True)
class TeamForecast:
    """One team over the weeks ahead: what is to be expected, what it has been able to do, and what is left at the end."""

    team: str
    workers: float | None
    overdue: int
    capacity: float
    due_before: tuple[int, ...]
    weeks: tuple[Week, ...]

    @property
    def expected(self) -> float:
        """The duties to expect over all the weeks."""
        return sum(week.expected for week in self.weeks)

    @property
    def spread(self) -> float:
        """Half the width of the range of the sum."""
        return Z * deviation(self.due_before) * math.sqrt(len(self.weeks))

    @property
    def known(self) -> int:
        """The duties already known to fall due."""
        return sum(week.known for week in self.weeks)

    def backlog(self, duties: float) -> float:
        """What would be overdue at the end, were there so many duties."""
        return max(0.0, self.overdue + duties - self.capacity * len(self.weeks))

    @property
    def load(self) -> float | None:
        """The duties to expect as a share of what can be done, or None where nothing was."""
        able = self.capacity * len(self.weeks)
        return self.expected / able if able else None

    @property
    def expected_range(self) -> tuple[float, float]:
        """The range of the duties to expect over all the weeks."""
        return max(float(self.known), self.expected - self.spread), self.expected + self.spread


@dataclass(frozen=True)
class Forecast:
    """The forecast of every team, the whole council last."""

    as_of: datetime.date
    demand: float
    teams: tuple[TeamForecast, ...]


def deviation(values: Sequence[int]) -> float:
    """The standard deviation of a sample."""
    mean = sum(values) / len(values)
    return math.sqrt(sum((value - mean) ** 2 for value in values) / (len(values) - 1))


def parse_demand(text: str) -> float:
    """The factor that `+20%` or `-5%` names. Raises UsageError when it is neither."""
    number = text.strip().removesuffix("%")
    try:
        change = float(number)
    except ValueError:
        change = math.nan
    if not text.strip().endswith("%") or not -100 <= change <= 1000:
        raise UsageError(f"--demand {text}: not a percentage", help="write it as +20% or -5%")
    return 1 + change / 100


def forecast(run: Run, demand: float = 1.0, weeks: int = WEEKS_AHEAD) -> Forecast:
    """What each team must expect in the weeks after the as-of day; `demand` multiplies what is not yet known."""
    due = _weekly(run, "due_date", "('met', 'late', 'missed', 'overdue')")
    done = _weekly(run, "done_date", "('met', 'late')")
    known, overdue = _ahead(run, weeks), _overdue(run)
    workers = _workers(run)
    names = sorted(due.keys() | done.keys() | known.keys() | overdue.keys())
    teams = [
        _team(
            run,
            name,
            due.get(name, {}),
            done.get(name, {}),
            known.get(name, {}),
            overdue.get(name, 0),
            workers.get(name),
            demand,
            weeks,
        )
        for name in names
    ]
    whole = _whole(run, (due, done, known), overdue, workers, demand, weeks)
    return Forecast(run.as_of, demand, (*teams, whole))


Weekly = dict[str, dict[int, int]]
TEAM = "coalesce(team_name, replace(team_id, authority || '/', ''), 'no team')"


def _left_out(run: Run) -> list[str]:
    """The rules that are not met by an event on a day: no work falls due by them that could be counted as done."""
    return [rule.id for rule in run.rulebook.duties if rule.kind not in ("deadline", "recurring")]


def _weekly(run: Run, day: str, statuses: str) -> Weekly:
    """How many duties of each team have the day in each of the past weeks; week 0 ends on the as-of day."""
    rows = run.evaluation.connection.execute(
        f"SELECT {TEAM}, CAST(floor(date_diff('day', {day}, ?) / 7) AS INTEGER) AS week, count(*) FROM duties"
        f" WHERE status IN {statuses} AND {day} <= ? AND {day} > ? AND NOT list_contains(?::VARCHAR[], rule) GROUP BY ALL",
        [run.as_of, run.as_of, run.as_of - datetime.timedelta(weeks=WEEKS_BACK), _left_out(run)],
    ).fetchall()
    return _nested(rows)


def _ahead(run: Run, weeks: int) -> Weekly:
    """How many duties of each team are known to fall due in each week ahead."""
    rows = run.evaluation.connection.execute(
        f"SELECT {TEAM}, CAST(floor((date_diff('day', ?, due_date) - 1) / 7) AS INTEGER) AS week, count(*) FROM duties"
        " WHERE status = 'due' AND due_date > ? AND due_date <= ? AND NOT list_contains(?::VARCHAR[], rule) GROUP BY ALL",
        [run.as_of, run.as_of, run.as_of + datetime.timedelta(weeks=weeks), _left_out(run)],
    ).fetchall()
    return _nested(rows)


def _nested(rows: Iterable[tuple[str, int, int]]) -> Weekly:
    found: Weekly = {}
    for team, week, count in rows:
        found.setdefault(team, {})[week] = count
    return found


def _overdue(run: Run) -> dict[str, int]:
    rows = run.evaluation.connection.execute(
        f"SELECT {TEAM}, count(*) FROM duties WHERE status = 'overdue' AND NOT list_contains(?::VARCHAR[], rule) GROUP BY ALL",
        [_left_out(run)],
    ).fetchall()
    return dict(rows)


def _workers(run: Run) -> dict[str, float]:
    """The full-time equivalents of each team on the day."""
    rows = run.evaluation.connection.execute(
        "SELECT coalesce(t.name, replace(w.team_id, w.authority || '/', '')), sum(coalesce(w.fte, 1)) FROM known.workers AS w"
        " LEFT JOIN known.teams AS t ON t.team_id = w.team_id WHERE w.team_id IS NOT NULL AND w.end_date IS NULL GROUP BY ALL"
    ).fetchall()
    return {team: float(fte) for team, fte in rows}


def _team(
    run: Run,
    name: str,
    due: dict[int, int],
    done: dict[int, int],
    known: dict[int, int],
    overdue: int,
    workers: float | None,
    demand: float,
    weeks: int,
) -> TeamForecast:
    before = tuple(due.get(week, 0) for week in range(WEEKS_BACK))
    mean, reach = demand * sum(before) / WEEKS_BACK, Z * deviation(before)
    ahead = tuple(_week(run.as_of, week, known.get(week, 0), mean, reach) for week in range(weeks))
    return TeamForecast(name, workers, overdue, sum(done.values()) / WEEKS_BACK, before, ahead)


def _week(as_of: datetime.date, number: int, known: int, mean: float, reach: float) -> Week:
    expected = max(float(known), mean)
    first = as_of + datetime.timedelta(days=1 + 7 * number)
    return Week(first, known, expected, max(float(known), expected - reach), expected + reach)


def _whole(
    run: Run, counts: Sequence[Weekly], overdue: dict[str, int], workers: dict[str, float], demand: float, weeks: int
) -> TeamForecast:
    """All teams together, judged as one."""
    sums: list[dict[int, int]] = []
    for weekly in counts:
        total: dict[int, int] = {}
        for by_week in weekly.values():
            for week, count in by_week.items():
                total[week] = total.get(week, 0) + count
        sums.append(total)
    due, done, known = sums
    fte = sum(workers.values()) if workers else None
    return _team(run, "all teams", due, done, known, sum(overdue.values()), fte, demand, weeks)


def forecast_document(found: Forecast) -> dict[str, Any]:
    """What `forecast --format json` gives."""
    return {
        "schema_version": "1.0",
        "as_of": found.as_of,
        "demand": round(found.demand, 4),
        "method": METHOD,
        "teams": [_document(one) for one in found.teams],
    }


def _document(one: TeamForecast) -> dict[str, Any]:
    low, high = one.expected_range
    return {
        "team": one.team,
        "workers_fte": None if one.workers is None else round(one.workers, 2),
        "overdue": one.overdue,
        "capacity_a_week": round(one.capacity, 2),
        "known": one.known,
        "expected": {"value": round(one.expected, 1), "low": round(low, 1), "high": round(high, 1)},
        "load": None if one.load is None else round(one.load, 3),
        "backlog_at_end": {name: round(one.backlog(duties), 1) for name, duties in _named_range(one)},
        "weeks": [
            {
                "from": week.first,
                "known": week.known,
                "expected": round(week.expected, 1),
                "low": round(week.low, 1),
                "high": round(week.high, 1),
            }
            for week in one.weeks
        ],
    }


def _named_range(one: TeamForecast) -> list[tuple[str, float]]:
    low, high = one.expected_range
    return [("value", one.expected), ("low", low), ("high", high)]
