"""Durations, and the working days of England and Wales from 1990 to 2040, in Python and as a DuckDB table.

Days are counted as the design says: the trigger is day 0, months are clipped to the month's end, a working day is one
that is not a Saturday, a Sunday or a bank holiday. The bank holidays are generated into `bank_holidays.txt`:

    python -m compliance.calendar --write
"""

from __future__ import annotations

import argparse
import calendar as _months
import re
from bisect import bisect_right
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Literal, get_args

from compliance.errors import EngineError, UsageError

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection

Unit = Literal["days", "weeks", "months", "years", "working_days", "clear_days", "hours"]

FIRST_DAY = date(1990, 1, 1)
LAST_DAY = date(2040, 12, 31)
BANK_HOLIDAYS = Path(__file__).with_name("bank_holidays.txt")
DAY = timedelta(days=1)

_WORDS = re.compile(r"(\d{1,6}) +([a-z]+(?:[ _][a-z]+)?)")


@dataclass(frozen=True, slots=True)
class Duration:
    """A length of time as the law writes it: `45 working days`, `6 weeks`, `1 year`."""

    n: int
    unit: Unit

    def __post_init__(self) -> None:
        if self.unit not in get_args(Unit):
            raise UsageError(f"{self.unit!r} is not a unit of time", help=_units_help())
        if self.n < 0 or (self.n == 0 and self.unit == "working_days"):
            raise UsageError(f"a duration cannot be {self.n} {self.unit.replace('_', ' ')}")

    @classmethod
    def parse(cls, words: str) -> Duration:
        """The duration that the words name; singular and plural both serve."""
        match = _WORDS.fullmatch(words.strip().lower())
        unit = _unit(match[2]) if match else None
        if match is None or unit is None:
            raise UsageError(f"{words!r} is not a duration", help=_units_help())
        return cls(int(match[1]), unit)

    def __str__(self) -> str:
        words = self.unit.replace("_", " ")
        return f"{self.n} {words.removesuffix('s') if self.n == 1 else words}"

    @property
    def days(self) -> int | None:
        """The fixed number of days that the duration adds, or None where it depends on the calendar."""
        match self.unit:
            case "days":
                return self.n
            case "weeks":
                return 7 * self.n
            case "clear_days":
                return self.n + 1
            case "hours":
                return -(-self.n // 24)
            case _:
                return None

    @property
    def months(self) -> int | None:
        """The number of months in a duration of months or years, else None."""
        return {"months": self.n, "years": 12 * self.n}.get(self.unit)


def _unit(word: str) -> Unit | None:
    plural = word.replace(" ", "_").removesuffix("s") + "s"
    return next((unit for unit in get_args(Unit) if unit == plural), None)


def _units_help() -> str:
    units = ", ".join(unit.replace("_", " ") for unit in get_args(Unit))
    return f"write a whole number and one of: {units}; for example 45 working days"


def add(day: date, duration: Duration) -> date:
    """The day that is the duration after a day, that day being day 0."""
    return _move(day, duration, forward=True)


def subtract(day: date, duration: Duration) -> date:
    """The last day that is the duration before an event, the event's own day being day 0."""
    return _move(day, duration, forward=False)


def beginning_with(day: date, duration: Duration) -> date:
    """The last day of a period that counts its first day as day 1."""
    if duration.unit == "working_days":
        return add(day - DAY, duration)
    return add(day, duration) - DAY


def age_on(birth: date, day: date) -> int:
    """The age in whole years on a day; one born on 29 February has a birthday on 1 March in other years."""
    return day.year - birth.year - ((day.month, day.day) < (birth.month, birth.day))


def is_working_day(day: date) -> bool:
    """Whether the day is not a Saturday, a Sunday or a bank holiday in England and Wales."""
    return day.weekday() < 5 and _within(day) not in bank_holidays()


def working_day_number(day: date) -> int:
    """How many working days there are from 1 January 1990 up to and including the day."""
    return bisect_right(_working_days(), _within(day).toordinal())


@cache
def bank_holidays() -> frozenset[date]:
    """The bank holidays in England and Wales, 1990 to 2040."""
    return frozenset(map(date.fromisoformat, BANK_HOLIDAYS.read_text("ascii").split()))


def create_calendar_table(connection: DuckDBPyConnection) -> None:
    """Makes the table `calendar(day, is_working, working_day)`, one row a day from 1990 to 2040.

    The n-th working day after t is the working row whose `working_day` is that of t plus n.
    """
    closed = ", ".join(f"DATE '{day}'" for day in sorted(bank_holidays()))
    connection.execute(f"""
        CREATE OR REPLACE TABLE "calendar" AS
        SELECT "day", is_working,
               (sum(is_working::INTEGER) OVER (ORDER BY "day" ROWS UNBOUNDED PRECEDING))::INTEGER AS working_day
        FROM (SELECT "day"::DATE AS "day", isodow("day") < 6 AND "day"::DATE NOT IN ({closed}) AS is_working
              FROM generate_series(DATE '{FIRST_DAY}', DATE '{LAST_DAY}', INTERVAL 1 DAY) AS every("day"))
        ORDER BY "day"
    """)


def _move(day: date, duration: Duration, *, forward: bool) -> date:
    sign = 1 if forward else -1
    try:
        if duration.months is not None:
            return _add_months(day, sign * duration.months)
        if duration.days is not None:
            return day + timedelta(days=sign * duration.days)
    except (OverflowError, ValueError):
        raise EngineError(f"{duration} from {day} is a date that does not exist") from None
    return _add_working_days(day, duration.n) if forward else _subtract_working_days(day, duration.n)


def _add_months(day: date, months: int) -> date:
    year, month = divmod(12 * day.year + day.month - 1 + months, 12)
    if not date.min.year <= year <= date.max.year:
        raise ValueError(year)
    return date(year, month + 1, min(day.day, _months.monthrange(year, month + 1)[1]))


def _add_working_days(day: date, n: int) -> date:
    return _working_day(working_day_number(day) + n, f"{n} working days after {day}")


def _subtract_working_days(day: date, n: int) -> date:
    return _working_day(working_day_number(day) - is_working_day(day) - n + 1, f"{n} working days before {day}")


def _working_day(number: int, wanted: str) -> date:
    days = _working_days()
    if not 1 <= number <= len(days):
        raise EngineError(f"{wanted} is outside the calendar of working days ({FIRST_DAY} to {LAST_DAY})")
    return date.fromordinal(days[number - 1])


@cache
def _working_days() -> Sequence[int]:
    closed = {day.toordinal() for day in bank_holidays()}
    every_day = range(FIRST_DAY.toordinal(), LAST_DAY.toordinal() + 1)
    return [ordinal for ordinal in every_day if (ordinal + 6) % 7 < 5 and ordinal not in closed]


def _within(day: date) -> date:
    if not FIRST_DAY <= day <= LAST_DAY:
        raise EngineError(f"{day} is outside the calendar of working days ({FIRST_DAY} to {LAST_DAY})")
    return day


def generate_bank_holidays() -> str:
    """The text of `bank_holidays.txt`, made from the `holidays` library."""
    from holidays import country_holidays

    days = country_holidays("GB", subdiv="ENG", years=range(FIRST_DAY.year, LAST_DAY.year + 1))
    return "".join(f"{day}\n" for day in sorted(days))


def _main() -> None:
    parser = argparse.ArgumentParser(
        prog="python -m compliance.calendar", description="Bank holidays of England and Wales."
    )
    parser.add_argument("--write", action="store_true", required=True, help=f"write {BANK_HOLIDAYS.name} anew")
    parser.parse_args()
    BANK_HOLIDAYS.write_text(generate_bank_holidays(), "ascii")


if __name__ == "__main__":
    _main()
