"""Counting days as the law does: the day itself, the day after, leap days, bank holidays."""

from __future__ import annotations

from datetime import date, timedelta

import duckdb
import pytest
from hypothesis import given
from hypothesis import strategies as st

from compliance import calendar
from compliance.calendar import DAY, FIRST_DAY, LAST_DAY, Duration, add, age_on, beginning_with, subtract
from compliance.errors import EngineError, UsageError

days = st.dates(date(1991, 1, 1), date(2039, 12, 31))
EVERY_DAY = [FIRST_DAY + timedelta(days=n) for n in range((LAST_DAY - FIRST_DAY).days + 1)]


def day(text: str) -> date:
    return date.fromisoformat(text)


@pytest.fixture(scope="module")
def connection() -> duckdb.DuckDBPyConnection:
    connection = duckdb.connect()
    calendar.create_calendar_table(connection)
    return connection


@pytest.mark.parametrize(
    ("words", "duration", "again"),
    [
        ("45 working days", Duration(45, "working_days"), "45 working days"),
        ("1 working day", Duration(1, "working_days"), "1 working day"),
        ("5 clear days", Duration(5, "clear_days"), "5 clear days"),
        ("1 week", Duration(1, "weeks"), "1 week"),
        ("6 weeks", Duration(6, "weeks"), "6 weeks"),
        ("1 months", Duration(1, "months"), "1 month"),
        ("12 Month", Duration(12, "months"), "12 months"),
        ("1 year", Duration(1, "years"), "1 year"),
        (" 72  hours ", Duration(72, "hours"), "72 hours"),
        ("0 days", Duration(0, "days"), "0 days"),
    ],
)
def test_durations_are_read_and_written_as_words(words: str, duration: Duration, again: str) -> None:
    assert Duration.parse(words) == duration
    assert str(duration) == again


@pytest.mark.parametrize(
    "words", ["", "days", "-1 days", "1.5 days", "3 moons", "3", "3 working", "0 working days", "² days"]
)
def test_what_is_not_a_duration_is_refused(words: str) -> None:
    with pytest.raises(UsageError):
        Duration.parse(words)


@given(
    st.integers(1, 999), st.sampled_from(["days", "weeks", "months", "years", "working_days", "clear_days", "hours"])
)
def test_a_duration_survives_its_words(n: int, unit: calendar.Unit) -> None:
    assert Duration.parse(str(Duration(n, unit))) == Duration(n, unit)


@pytest.mark.parametrize(
    ("from_day", "words", "due"),
    [
        ("2024-01-01", "7 days", "2024-01-08"),
        ("2024-02-29", "1 week", "2024-03-07"),
        ("2024-01-31", "1 month", "2024-02-29"),
        ("2023-01-31", "1 month", "2023-02-28"),
        ("2024-02-29", "1 year", "2025-02-28"),
        ("2024-02-29", "4 years", "2028-02-29"),
        ("2023-11-30", "3 months", "2024-02-29"),
        ("2024-12-31", "2 months", "2025-02-28"),
        ("2024-03-28", "1 working day", "2024-04-02"),  # Good Friday and Easter Monday between
        ("2024-03-30", "1 working day", "2024-04-02"),  # from a Saturday
        ("2022-06-01", "1 working day", "2022-06-06"),  # the Platinum Jubilee
        ("2022-09-16", "1 working day", "2022-09-20"),  # the Queen's funeral
        ("2023-05-05", "1 working day", "2023-05-09"),  # the coronation
        ("2011-04-28", "1 working day", "2011-05-03"),  # a royal wedding, then May Day
        ("2020-05-07", "1 working day", "2020-05-11"),  # May Day moved to VE Day
        ("1995-05-01", "5 working days", "1995-05-09"),  # May Day moved in 1995 too
        ("2024-01-02", "45 working days", "2024-03-05"),
        ("2024-12-24", "10 working days", "2025-01-10"),
        ("2024-01-01", "1 hour", "2024-01-02"),
        ("2024-01-01", "24 hours", "2024-01-02"),
        ("2024-01-01", "25 hours", "2024-01-03"),
        ("2024-01-01", "72 hours", "2024-01-04"),
        ("2024-01-01", "5 clear days", "2024-01-07"),
    ],
)
def test_due_after(from_day: str, words: str, due: str) -> None:
    assert add(day(from_day), Duration.parse(words)) == day(due)


@pytest.mark.parametrize(
    ("event", "words", "latest"),
    [
        ("2024-01-08", "7 days", "2024-01-01"),
        ("2024-01-08", "5 clear days", "2024-01-02"),
        ("2024-03-31", "1 month", "2024-02-29"),
        ("2024-04-02", "1 working day", "2024-03-28"),  # the Tuesday after Easter
        ("2024-03-31", "1 working day", "2024-03-28"),  # Easter Sunday
        ("2024-01-12", "5 working days", "2024-01-05"),
        ("2024-01-12", "48 hours", "2024-01-10"),
    ],
)
def test_due_before_an_event(event: str, words: str, latest: str) -> None:
    assert subtract(day(event), Duration.parse(words)) == day(latest)


@pytest.mark.parametrize(
    ("first_day", "words", "last_day"),
    [
        ("2024-01-01", "7 days", "2024-01-07"),
        ("2024-01-01", "2 weeks", "2024-01-14"),
        ("2024-03-01", "1 month", "2024-03-31"),
        ("2024-01-15", "6 months", "2024-07-14"),
        ("2024-02-29", "1 year", "2025-02-27"),
        ("2024-01-02", "1 working day", "2024-01-02"),
        ("2024-01-02", "5 working days", "2024-01-08"),
        ("2024-01-06", "1 working day", "2024-01-08"),  # a Saturday is not day 1
    ],
)
def test_beginning_with_the_day(first_day: str, words: str, last_day: str) -> None:
    assert beginning_with(day(first_day), Duration.parse(words)) == day(last_day)


@pytest.mark.parametrize(
    ("birth", "on", "age"),
    [
        ("2010-05-10", "2026-05-09", 15),
        ("2010-05-10", "2026-05-10", 16),
        ("2008-02-29", "2026-02-28", 17),
        ("2008-02-29", "2026-03-01", 18),
        ("2008-02-29", "2024-02-29", 16),
    ],
)
def test_age(birth: str, on: str, age: int) -> None:
    assert age_on(day(birth), day(on)) == age


def test_days_outside_the_calendar_are_refused_by_name() -> None:
    for act in (calendar.is_working_day, calendar.working_day_number):
        with pytest.raises(EngineError, match="2041-01-01"):
            act(date(2041, 1, 1))
    with pytest.raises(EngineError, match="20 working days after 2040-12-20"):
        add(date(2040, 12, 20), Duration(20, "working_days"))
    with pytest.raises(EngineError, match="5 working days before 1990-01-03"):
        subtract(date(1990, 1, 3), Duration(5, "working_days"))
    with pytest.raises(EngineError, match="does not exist"):
        add(date(2024, 1, 1), Duration(9000, "years"))


def test_the_bank_holidays_are_those_of_the_library() -> None:
    assert calendar.BANK_HOLIDAYS.read_text("ascii") == calendar.generate_bank_holidays()


def test_python_and_sql_agree_on_every_day(connection: duckdb.DuckDBPyConnection) -> None:
    expected = [(day, calendar.is_working_day(day), calendar.working_day_number(day)) for day in EVERY_DAY]
    assert connection.execute('SELECT "day", is_working, working_day FROM "calendar" ORDER BY 1').fetchall() == expected


def test_the_working_days_are_counted_one_by_one() -> None:
    count = 0
    for each in EVERY_DAY:
        count += calendar.is_working_day(each)
        assert calendar.working_day_number(each) == count


@given(days, st.integers(1, 120))
def test_python_and_sql_agree_on_the_nth_working_day(
    connection: duckdb.DuckDBPyConnection, start: date, n: int
) -> None:
    found = connection.execute(
        'SELECT later."day" FROM "calendar" t, "calendar" later '
        'WHERE t."day" = ? AND later.is_working AND later.working_day = t.working_day + ?',
        [start, n],
    ).fetchall()
    assert found == [(add(start, Duration(n, "working_days")),)]


@given(days, st.integers(1, 120))
def test_before_undoes_after(start: date, n: int) -> None:
    length = Duration(n, "working_days")
    after = add(start, length)
    assert calendar.is_working_day(after)
    assert sum(calendar.is_working_day(start + DAY * k) for k in range(1, (after - start).days + 1)) == n
    if calendar.is_working_day(start):
        assert subtract(after, length) == start


@given(days, st.integers(0, 240))
def test_a_month_later_is_never_in_the_wrong_month(start: date, n: int) -> None:
    later = add(start, Duration(n, "months"))
    assert (later.year * 12 + later.month) - (start.year * 12 + start.month) == n
    assert later.day == start.day or (later + DAY).day == 1
