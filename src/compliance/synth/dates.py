"""Working days, months and years as the generator counts them: written apart from the engine's calendar, to be an oracle."""

from bisect import bisect_left, bisect_right
from calendar import monthrange
from datetime import date, timedelta
from functools import cache

import holidays

FIRST_YEAR, LAST_YEAR = 2003, 2035

# Regulations made for coronavirus (SI 2020/445) relaxed the intervals of care planning and fostering rules between these
# days, in words ("as soon as reasonably practicable") that give no due date. No breach is ever planted there.
RELAXATION = (date(2020, 4, 24), date(2020, 9, 25))
# Six-monthly visits to a settled foster placement came with SI 2015/495.
REDUCED_VISITS_FROM = date(2015, 4, 1)
# Visits by video or telephone certainly counted between these days (SI 2020/909 as made).
VIRTUAL_VISITS = (date(2020, 9, 25), date(2021, 3, 31))


@cache
def _working_days() -> list[int]:
    """Return the ordinal of each working day of England and Wales."""
    bank = holidays.country_holidays("GB", subdiv="ENG", years=range(FIRST_YEAR, LAST_YEAR + 1))
    first, last = date(FIRST_YEAR, 1, 1).toordinal(), date(LAST_YEAR, 12, 31).toordinal()
    closed = {day.toordinal() for day in bank}
    return [day for day in range(first, last + 1) if (day - 1) % 7 < 5 and day not in closed]


def working_days_after(day: date, count: int) -> date:
    """Return the count-th working day after a day, the day itself being day 0."""
    days = _working_days()
    return date.fromordinal(days[bisect_right(days, day.toordinal()) + count - 1])


def working_days_before(day: date, count: int) -> date:
    """Return the count-th working day before a day."""
    days = _working_days()
    return date.fromordinal(days[bisect_left(days, day.toordinal()) - count])


def working_days_between(start: date, end: date) -> int:
    """Return how many working days follow start, up to and including end."""
    days = _working_days()
    return bisect_right(days, end.toordinal()) - bisect_right(days, start.toordinal())


def on_or_before(day: date) -> date:
    """Return the day itself if it is a working day, else the last one before it."""
    days = _working_days()
    return date.fromordinal(days[bisect_right(days, day.toordinal()) - 1])


def on_or_after(day: date) -> date:
    """Return the day itself if it is a working day, else the next one."""
    days = _working_days()
    return date.fromordinal(days[bisect_left(days, day.toordinal())])


def months_after(day: date, months: int) -> date:
    """Return the corresponding day so many months later, clipped to the end of the month."""
    year, month = divmod(day.year * 12 + day.month - 1 + months, 12)
    return date(year, month + 1, min(day.day, monthrange(year, month + 1)[1]))


def years_after(day: date, years: int) -> date:
    """Return the corresponding day so many years later; 29 February becomes the 28th."""
    return months_after(day, 12 * years)


def days_after(day: date, count: int) -> date:
    """Return the day so many days later."""
    return day + timedelta(days=count)


def age_on(birth: date, day: date) -> int:
    """Return the age in whole years, a child of 29 February ageing on 1 March."""
    return day.year - birth.year - ((day.month, day.day) < (birth.month, birth.day))


def is_relaxed(*days: date) -> bool:
    """Return whether any of the days falls in the general coronavirus relaxation."""
    return any(RELAXATION[0] <= day <= RELAXATION[1] for day in days)
