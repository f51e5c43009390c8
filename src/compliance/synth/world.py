"""The council being made: its tables, its ids, its dice, and how events are paced."""

from collections import defaultdict
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from datetime import date, timedelta
from random import Random
from typing import Any, TypeVar

from compliance.synth import dates
from compliance.synth.council import Council

Row = dict[str, Any]
Item = TypeVar("Item")

# Before this day every duty is met in time: rules whose standard began in January 2020 then give the same answer, and
# no breach is older than the story that the data tell.
CLEAN_BEFORE = date(2020, 1, 1)


@dataclass
class Child:
    """Return a child as the generators pass it round."""

    person_id: str
    birth: date
    row: Row


@dataclass
class Spell:
    """Return a time during which a child needs a worker, and what for."""

    child: Child
    start: date
    end: date | None
    need: str
    transfer_at_16: date | None = None


class Quota:
    """Return a source of yes and no that keeps as close to a share as whole numbers allow."""

    def __init__(self, percent: float) -> None:
        self._step = percent / 100
        self._owed = 0.5

    def take(self) -> bool:
        """Return the next answer."""
        answer = self.is_owed()
        self.pay(answer)
        return answer

    def is_owed(self) -> bool:
        """Return whether the next answer should be yes."""
        return self._owed + self._step >= 1

    def pay(self, answer: bool) -> None:
        """Note the answer that was given."""
        self._owed += self._step - int(answer)


@dataclass
class World:
    """Return a council under construction on an as-of day."""

    council: Council
    as_of: date
    rng: Random
    tables: dict[str, list[Row]] = field(default_factory=lambda: defaultdict(list))
    spells: list[Spell] = field(default_factory=list)
    placements: list[Row] = field(default_factory=list)
    children: dict[str, Child] = field(default_factory=dict)
    last_contact: dict[str, date] = field(default_factory=dict)
    last_plan: dict[str, date] = field(default_factory=dict)
    quotas: dict[str, Quota] = field(default_factory=dict)
    on_plan: dict[str, list[tuple[date, date | None]]] = field(default_factory=lambda: defaultdict(list))
    in_care: dict[str, list[tuple[date, date | None]]] = field(default_factory=lambda: defaultdict(list))
    boundaries: dict[str, set[date]] = field(default_factory=lambda: defaultdict(set))
    _last_id: dict[str, int] = field(default_factory=lambda: defaultdict(int))

    @property
    def window(self) -> date:
        """Return the first day of the two years of history."""
        return dates.days_after(dates.years_after(self.as_of, -2), 1)

    @property
    def year(self) -> date:
        """Return the first day of the twelve months to the as-of day."""
        return dates.days_after(dates.years_after(self.as_of, -1), 1)

    def new_id(self, prefix: str) -> str:
        """Return the next id with a prefix."""
        self._last_id[prefix] += 1
        return f"{prefix}{self._last_id[prefix]:05d}"

    def quota(self, name: str, percent: float) -> Quota:
        """Return the quota of a name, started the first time it is asked for."""
        return self.quotas.setdefault(name, Quota(percent))

    def add(self, table: str, **row: Any) -> Row:
        """Return the row, added to its table."""
        self.tables[table].append(row)
        return row

    def note_plans(self) -> None:
        """Note when each child was on a plan or in care, for those who must know it for a day."""
        for noted, table in ((self.on_plan, "cp_plans"), (self.in_care, "care_periods")):
            for row in self.tables[table]:
                noted[row["person_id"]].append((row["start_date"], row["end_date"]))
                self.boundaries[row["person_id"]].update(day for day in (row["start_date"], row["end_date"]) if day)

    def chance(self, probability: float) -> bool:
        """Return yes with a probability."""
        return self.rng.random() < probability

    def pick(self, items: Sequence[Item], weights: Sequence[float] | None = None) -> Item:
        """Return one of the items."""
        return self.rng.choices(items, weights)[0]

    def between(self, first: date, last: date) -> date:
        """Return a day from first to last, both included."""
        return first + timedelta(days=self.rng.randint(0, max(0, (last - first).days)))

    def working_day(self, first: date, last: date) -> date:
        """Return a working day from first to last if there is one, else the first after."""
        day = dates.on_or_before(self.between(first, last))
        return day if day >= first else dates.on_or_after(first)


@dataclass(frozen=True)
class Pace:
    """Return how events follow each other: the limit of each gap, how often it is overrun, and by how much."""

    due: Callable[[date, int], date]
    late: float = 0.1
    overrun: tuple[int, int] = (1, 28)
    earliest: float = 0.65
    first_earliest: float = 0.0
    is_relaxable: bool = False
    clean: Callable[[date, date], bool] | None = None
    avoid: frozenset[date] = frozenset()

    def must_be_clean(self, start: date, due: date) -> bool:
        """Return whether a gap must be met in time whatever the dice say."""
        if start < CLEAN_BEFORE or (self.is_relaxable and dates.is_relaxed(start, due)):
            return True
        return self.clean is not None and self.clean(start, due)


def paced(world: World, start: date, end: date | None, pace: Pace) -> list[date]:
    """Return the days of events from start to the end or the as-of day, each gap decided before its event is placed."""
    stop = min(end or world.as_of, world.as_of)
    events: list[date] = []
    last = start
    while (day := next_event(world, last, len(events), pace)) <= stop:
        events.append(day)
        last = day
    return events


def next_event(world: World, last: date, index: int, pace: Pace) -> date:
    """Return the day of the event that closes a gap, late or in time as the dice say."""
    due = pace.due(last, index)
    if not pace.must_be_clean(last, due) and world.chance(pace.late):
        return dates.on_or_after(due + timedelta(days=world.rng.randint(*pace.overrun)))
    span = (due - last).days
    share = pace.earliest if index else pace.first_earliest
    lowest = max(int(span * share), 1 if index else 0)
    day = dates.on_or_before(last + timedelta(days=world.rng.randint(lowest, span)))
    floor = last + timedelta(days=1 if index else 0)
    day = max(day, floor)
    return _avoiding(day, floor, due, pace.avoid)


def _avoiding(day: date, floor: date, due: date, avoid: Iterable[date]) -> date:
    """Return a day near the one given that is none of those to avoid, in the same gap where possible."""
    if day not in avoid:
        return day
    for candidate in (day - timedelta(days=1), day + timedelta(days=1), day - timedelta(days=2), day + timedelta(days=2)):
        if floor <= candidate <= due and candidate not in avoid:
            return candidate
    return day
