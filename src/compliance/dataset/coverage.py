"""The stretch of time that a table covers, where its sources do not hold all of it: a return is of one year."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, timedelta

from duckdb import DuckDBPyConnection

TIMELESS = frozenset({"people", "workers", "teams"})
"""Tables whose rows say who there is: one that is missing tells of no event."""

CREATE = "CREATE TABLE coverage (table_name VARCHAR, authority VARCHAR, covers_from DATE, covers_to DATE)"


@dataclass(frozen=True, slots=True)
class Stretch:
    """The days from the first to the last; without a first, from the beginning, and without a last, to the day judged."""

    first: date | None = None
    last: date | None = None

    @property
    def is_all(self) -> bool:
        """Whether it has no bound, so that what is not there did not happen."""
        return self.first is None and self.last is None

    def words(self) -> str:
        """The stretch as a person reads it, such as `2020-04-01 to 2021-03-31`."""
        if self.first and self.last and self.last < self.first:
            return "no days that all sources cover"
        if self.last is None:
            return f"from {self.first}" if self.first else "all"
        return f"{self.first} to {self.last}" if self.first else f"to {self.last}"


def covering(table: str, first: date | None, last: date | None = None) -> Stretch:
    """The days that a source of this stretch covers of a table; all, where its rows are of no day."""
    return Stretch() if table in TIMELESS else Stretch(first, last)


ALL_TIME = Stretch()


@dataclass(frozen=True, slots=True)
class Coverage:
    """A council's table of which the sources hold one stretch of time only."""

    table: str
    authority: str
    stretch: Stretch


@dataclass(frozen=True, slots=True)
class Held:
    """A stretch of a table that one source holds whole, of a format and (None: every) council."""

    table: str
    format: str
    authority: str | None
    stretch: Stretch


def coverages(held: Iterable[Held], authorities: Sequence[str]) -> tuple[Coverage, ...]:
    """What each table covers in each council, where it is bounded.

    Returns of one format that follow one another are one stretch, as far back as there is no hole. Formats do not
    speak for each other's children, so the table covers what all of them do.
    """
    by_table: dict[tuple[str, str], dict[str, list[Stretch]]] = defaultdict(lambda: defaultdict(list))
    for each in held:
        for authority in authorities if each.authority is None else [each.authority]:
            by_table[each.table, authority][each.format].append(each.stretch)
    found = [
        Coverage(table, authority, common([run(stretches) for stretches in formats.values()]))
        for (table, authority), formats in sorted(by_table.items())
    ]
    return tuple(each for each in found if not each.stretch.is_all)


def run(stretches: Sequence[Stretch]) -> Stretch:
    """The newest of the stretches, and those before it that leave no hole."""
    ordered = sorted(stretches, key=lambda each: (each.last or date.max, each.first or date.min), reverse=True)
    first, last = ordered[0].first, ordered[0].last
    for each in ordered[1:]:
        if first is not None and (each.last is None or each.last >= first - timedelta(1)):
            first = min(first, each.first) if each.first else None
    return Stretch(first, last)


def common(stretches: Sequence[Stretch]) -> Stretch:
    """What all the stretches cover."""
    firsts = [each.first for each in stretches if each.first]
    lasts = [each.last for each in stretches if each.last]
    return Stretch(max(firsts, default=None), min(lasts, default=None))


def record(connection: DuckDBPyConnection, found: Sequence[Coverage]) -> None:
    """Fills the table `coverage`."""
    rows = [[each.table, each.authority, each.stretch.first, each.stretch.last] for each in found]
    if rows:
        connection.executemany("INSERT INTO coverage VALUES (?, ?, ?, ?)", rows)


def falls_short(found: Iterable[Coverage], tables: Iterable[str], first: date | None, last: date) -> str | None:
    """In words, which of the tables does not cover these days; None where all do. Without a first day, the last alone."""
    for each in found:
        early = first and each.stretch.first and each.stretch.first > first
        late = each.stretch.last and each.stretch.last < last
        if each.table in set(tables) and (early or late):
            days = f"{first} to {last}" if first else f"{last}"
            return f"{each.table} covers {each.stretch.words()}, and this is of {days}"
    return None
