"""Counting of days, done the slow way: one day at a time, from the words of the design."""

from __future__ import annotations

from datetime import date, timedelta
from functools import cache
from pathlib import Path

import compliance

DAY = timedelta(days=1)


@cache
def bank_holidays() -> frozenset[date]:
    """The bank holidays in England and Wales."""
    text = (Path(compliance.__file__).parent / "bank_holidays.txt").read_text("ascii")
    return frozenset(date.fromisoformat(line) for line in text.split())


def works(day: date) -> bool:
    """Whether people work that day: not a Saturday, not a Sunday, not a bank holiday."""
    return day.weekday() not in (5, 6) and day not in bank_holidays()


def working_days_on(day: date, n: int) -> date:
    """The n-th working day after a day."""
    while n > 0:
        day += DAY
        if works(day):
            n -= 1
    return day


def working_days_back(day: date, n: int) -> date:
    """The n-th working day before a day."""
    while n > 0:
        day -= DAY
        if works(day):
            n -= 1
    return day


def months_on(day: date, n: int) -> date:
    """The corresponding date n months on (or back), clipped to the month's end."""
    year, month = day.year, day.month
    for _ in range(abs(n)):
        month += 1 if n > 0 else -1
        if month == 13:
            year, month = year + 1, 1
        if month == 0:
            year, month = year - 1, 12
    day_of_month = day.day
    while True:
        try:
            return date(year, month, day_of_month)
        except ValueError:
            day_of_month -= 1


def birthday(birth: date, age: int) -> date:
    """The day someone reaches an age: so many years after birth, so of one born on 29 February the 28th of other years."""
    return months_on(birth, 12 * age)


def add(day: date, period: str) -> date:
    """The day that is a period after a day, the day itself being day 0."""
    n, unit = _read(period)
    if unit == "working day":
        return working_days_on(day, n)
    if unit in ("month", "year"):
        return months_on(day, n * (12 if unit == "year" else 1))
    return day + _fixed(n, unit)


def back(day: date, period: str) -> date:
    """The day that is a period before a day, the day itself being day 0."""
    n, unit = _read(period)
    if unit == "working day":
        return working_days_back(day, n)
    if unit in ("month", "year"):
        return months_on(day, -n * (12 if unit == "year" else 1))
    return day - _fixed(n, unit)


def _read(period: str) -> tuple[int, str]:
    number, unit = period.split(" ", 1)
    return int(number), unit.rstrip("s")


def _fixed(n: int, unit: str) -> timedelta:
    """How many days: `n clear days` leave out both ends; hours on dates run to the end of the day they reach."""
    lengths = {"day": n, "week": 7 * n, "clear day": n + 1, "hour": -(-n // 24)}
    return timedelta(days=lengths[unit])
