"""Due dates that the engine counts, against the calendar, on days where counting goes wrong."""

from __future__ import annotations

import datetime
import re
from collections.abc import Iterator
from typing import Any

import duckdb
import pytest
from tests.rulebooks import rulebook

from compliance.calendar import Duration, add, beginning_with, create_calendar_table, subtract
from compliance.duties.periods import Branch, Length, Periods, backward, forward, working_day_joins
from compliance.errors import ComplianceError
from compliance.rulebook.conditions import parse_scalar, to_sql
from compliance.rulebook.model import Computed, Deadline, Limit, Parameter, Presence, Recurring, Rule

HARD_DAYS = {
    "leap day": (datetime.date(2020, 2, 24), datetime.date(2020, 3, 4)),
    "end of February": (datetime.date(2021, 2, 24), datetime.date(2021, 3, 3)),
    "a leap year's anniversary": (datetime.date(2019, 2, 26), datetime.date(2019, 3, 2)),
    "month ends": (datetime.date(2021, 8, 28), datetime.date(2021, 9, 2)),
    "quarter end": (datetime.date(2021, 11, 28), datetime.date(2021, 12, 2)),
    "Easter": (datetime.date(2021, 3, 29), datetime.date(2021, 4, 8)),
    "early Easter over a month end": (datetime.date(2024, 3, 25), datetime.date(2024, 4, 3)),
    "Christmas on a Saturday": (datetime.date(2021, 12, 20), datetime.date(2022, 1, 5)),
    "Christmas on a Sunday": (datetime.date(2022, 12, 19), datetime.date(2023, 1, 4)),
    "the Platinum Jubilee": (datetime.date(2022, 5, 30), datetime.date(2022, 6, 7)),
    "the Diamond Jubilee": (datetime.date(2012, 6, 1), datetime.date(2012, 6, 7)),
    "the moved May bank holiday": (datetime.date(2020, 5, 4), datetime.date(2020, 5, 12)),
    "the Coronation": (datetime.date(2023, 4, 28), datetime.date(2023, 5, 10)),
}


WORD = re.compile(r"[A-Za-z_]\w*")
STEP = re.compile(r"\b(days|weeks|months|years)_after\([^()]*(?:\([^()]*\)[^()]*)*, (-?\d+)\)")


def days() -> Iterator[datetime.date]:
    """Every day of every hard stretch."""
    for first, last in HARD_DAYS.values():
        yield from (first + datetime.timedelta(n) for n in range((last - first).days + 1))


@pytest.fixture(scope="module")
def anchors() -> Iterator[duckdb.DuckDBPyConnection]:
    """A table of the hard days, and the calendar."""
    with duckdb.connect(":memory:") as connection:
        create_calendar_table(connection)
        connection.execute("CREATE TABLE anchors (anchor DATE)")
        connection.executemany("INSERT INTO anchors VALUES (?)", [[day] for day in days()])
        yield connection


# --- which periods the rules use ----------------------------------------------------------------------------------


def periods_of(rule: Rule) -> list[Duration]:
    """Every fixed period of a rule: written in it, or a dated value of a parameter that it names."""
    found = [period for text in _written(rule) for period in _durations(rule, text)]
    return sorted(set(found), key=str)


def _written(rule: Rule) -> list[str]:
    body = rule.body
    lengths: list[Any] = []
    if isinstance(body, Deadline):
        lengths = [body.within, body.before, *(variant.within for variant in body.variants)]
    elif isinstance(body, Limit):
        lengths = [body.within, *(variant.within for variant in body.variants)]
    elif isinstance(body, Recurring):
        lengths = [length for phase in body.phases for length in (phase.length, phase.lasting)]
        lengths += [body.counts_from_earlier] if isinstance(body.counts_from_earlier, str) else []
    elif isinstance(body, Presence):
        lengths = [body.within]
    return [one for one in lengths if isinstance(one, str) and not isinstance(one, Computed)]


def _durations(rule: Rule, text: str) -> Iterator[Duration]:
    parameter = rule.parameters.get(text) or rulebook().parameters.get(text)
    for words in values_of(parameter) if parameter else [text]:
        yield Duration.parse(str(words))


def values_of(parameter: Parameter) -> list[str | float]:
    """What a parameter ever was, and what named councils have it be."""
    return [*(one.value for one in parameter.values), *parameter.councils.values()]


def parameters_of(rule: Rule) -> dict[str, Parameter]:
    """The parameters that a rule states or names."""
    named = set(WORD.findall(str(rule.body)))
    return {**{name: one for name, one in rulebook().parameters.items() if name in named}, **rule.parameters}


def all_periods(*, before: bool, inclusive: bool) -> list[Duration]:
    """The periods that rules count forwards, forwards with the first day in them, or backwards."""
    rules = [rule for rule in rulebook().duties if _is_before(rule) is before and _is_inclusive(rule) is inclusive]
    return sorted({period for rule in rules for period in periods_of(rule)}, key=lambda one: (one.unit, one.n))


def _is_before(rule: Rule) -> bool:
    return isinstance(rule.body, Deadline) and rule.body.before is not None


def _is_inclusive(rule: Rule) -> bool:
    return isinstance(rule.body, Deadline) and rule.body.beginning_with_the_day


# --- the engine counts as the calendar does -----------------------------------------------------------------------


def counted(
    connection: duckdb.DuckDBPyConnection, length: Length, *, backwards: bool = False, inclusive: bool = False
) -> dict[datetime.date, datetime.date]:
    """The due day that the engine's SQL gives for each hard day."""
    periods = Periods((Branch(None, length, None, None),))
    joins = working_day_joins("anchor", periods, "0", backwards=backwards, inclusive=inclusive)
    due = backward("anchor", length) if backwards else forward("anchor", length, inclusive)
    return dict(connection.execute(f"SELECT anchor, CAST({due} AS DATE) FROM anchors {joins}").fetchall())


def has_period(rule: Rule) -> bool:
    """Whether the rule writes a period, or one that a column gives."""
    body = rule.body
    if isinstance(body, Deadline | Recurring):
        return True
    return isinstance(body, Limit | Presence) and body.within is not None


def computed(rule: Rule) -> list[Computed]:
    """The periods of the rule whose number a column gives, so that no fixed one need be written."""
    body = rule.body
    named = [getattr(body, "within", None), *(one.within for one in getattr(body, "variants", []))]
    return [one for one in [*named, *(one.length for one in getattr(body, "phases", []))] if isinstance(one, Computed)]


def test_every_rule_with_a_period_has_its_boundaries_tried() -> None:
    tried = {
        one for before in (True, False) for inclusive in (True, False) for one in all_periods(before=before, inclusive=inclusive)
    }
    rules = [rule for rule in rulebook().duties if has_period(rule)]
    assert len(rules) > 200
    untried = [rule.id for rule in rules if not set(periods_of(rule)) <= tried or not (periods_of(rule) or computed(rule))]
    assert untried == []


NUMBERS = {
    "CL-PATHWAY-BACKLOG.most",
    "CL-WORKER-KNOWN.months_known",
    "CP-BEDROOM-SEEN.in_a_row",
    "CP-VISIT-ALONE.in_a_row",
    "FOS-PANEL-VICE-CHAIRS.most",
    "FOS-REFEREES.fewest",
    "FOS-REFUSAL-28.time_to_answer",
    "FOS-RETAIN-APPROVED.keep_for",
    "FOS-RETAIN-CONNECTED.keep_for",
    "FOS-RETAIN-UNSUCCESSFUL.keep_for",
    "FOS-TERMINATION-28.time_to_answer",
    "FOS-USUAL-LIMIT.most",
    "LAC-IRO-CASELOAD.reviewing_officer_caseload",
    "WF-AGENCY-EXPERIENCE.least",
    "WF-AGENCY-NOTICE.least",
    "WF-CASELOAD.default_caseload_limit",
    "WF-CASELOAD-NQSW.default_caseload_limit",
    "WF-CASELOAD-NQSW.share",
    "WF-SPAN.most",
    "WF-SUPERVISION-LENGTH.least",
    "WF-WORKER-CHANGES.most",
}
"""The parameters that are bounds of a number: no day is counted from them; `days_between` and the like count what they bound."""


def test_every_parameter_of_a_duty_rule_is_a_period_that_is_tried_or_a_number() -> None:
    stated = {f"{rule.id}.{name}": (rule, one) for rule in rulebook().duties for name, one in parameters_of(rule).items()}
    numbers = {name for name, (_, one) in stated.items() if not any(isinstance(value, str) for value in values_of(one))}
    assert numbers == NUMBERS
    periods = {name: found for name, found in stated.items() if name not in numbers}
    assert len(periods) > 140
    for name, (rule, one) in periods.items():
        assert {Duration.parse(str(value)) for value in values_of(one)} <= set(periods_of(rule)), name


def computed_units() -> set[str]:
    """The units of the periods whose number is a column."""
    return {one.unit for rule in rulebook().duties for one in computed(rule)}


def test_some_periods_are_computed() -> None:
    assert computed_units() == {"days"}


@pytest.mark.parametrize("unit", sorted(computed_units()))
@pytest.mark.parametrize("n", [0, 1, 28])
def test_a_period_whose_number_is_a_column_is_counted_alike(anchors: duckdb.DuckDBPyConnection, unit: Any, n: int) -> None:
    assert counted(anchors, Length(unit, f"CAST({n} AS BIGINT)")) == {day: add(day, Duration(n, unit)) for day in days()}


def steps() -> list[tuple[str, int]]:
    """Every `months_after(day, n)` and the like, of a written number, in duty rules and definitions."""
    texts = [*(str(rule.body) for rule in rulebook().duties), *(one.sql for one in rulebook().definitions.values())]
    return sorted({(unit, int(n)) for text in texts for unit, n in STEP.findall(text)})


def test_rules_and_definitions_move_days_by_every_unit() -> None:
    assert {unit for unit, _ in steps()} == {"days", "weeks", "months", "years"}
    assert len(steps()) > 20


@pytest.mark.parametrize(("unit", "n"), steps())
def test_a_day_moved_in_a_condition_is_that_of_the_calendar(anchors: duckdb.DuckDBPyConnection, unit: Any, n: int) -> None:
    sql = to_sql(parse_scalar(f"{unit}_after(anchor, {n})", {"anchor": "DATE"}))
    moved = dict(anchors.execute(f"SELECT anchor, {sql} FROM anchors").fetchall())
    count = add if n >= 0 else subtract
    assert moved == {day: count(day, Duration(abs(n), unit)) for day in days()}


def test_every_window_of_a_measure_is_counted_back_as_the_calendar_does(anchors: duckdb.DuckDBPyConnection) -> None:
    windows = {rule.measure.window for rule in rulebook().of_kind("measure") if rule.measure and rule.measure.window != "none"}
    assert len(windows) > 1
    for window in windows:
        period = Duration.parse(window)
        assert counted(anchors, Length.of(period), backwards=True) == {day: subtract(day, period) for day in days()}


def test_rules_use_periods_of_every_unit() -> None:
    forwards = all_periods(before=False, inclusive=False)
    assert {period.unit for period in forwards} >= {"working_days", "days", "weeks", "months", "years", "hours"}
    assert len(forwards) > 30


@pytest.mark.parametrize("period", all_periods(before=False, inclusive=False), ids=str)
def test_due_days_are_those_of_the_calendar(anchors: duckdb.DuckDBPyConnection, period: Duration) -> None:
    assert counted(anchors, Length.of(period)) == {day: add(day, period) for day in days()}


@pytest.mark.parametrize("period", all_periods(before=False, inclusive=True), ids=str)
def test_a_period_that_begins_with_the_day_counts_it(anchors: duckdb.DuckDBPyConnection, period: Duration) -> None:
    assert counted(anchors, Length.of(period), inclusive=True) == {day: beginning_with(day, period) for day in days()}


@pytest.mark.parametrize("period", all_periods(before=True, inclusive=False), ids=str)
def test_a_period_before_a_day_is_counted_back(anchors: duckdb.DuckDBPyConnection, period: Duration) -> None:
    assert counted(anchors, Length.of(period), backwards=True) == {day: subtract(day, period) for day in days()}


@pytest.mark.parametrize(
    ("received", "period", "due"),
    [
        ("2020-02-29", "1 year", "2021-02-28"),
        ("2020-01-31", "1 month", "2020-02-29"),
        ("2021-01-31", "1 month", "2021-02-28"),
        ("2021-11-30", "3 months", "2022-02-28"),
        ("2021-03-29", "5 working days", "2021-04-07"),
        ("2021-12-20", "10 working days", "2022-01-06"),
        ("2022-05-30", "5 working days", "2022-06-08"),
        ("2012-06-01", "1 working day", "2012-06-06"),
        ("2023-05-05", "1 working day", "2023-05-09"),
    ],
)
def test_days_that_a_person_can_check(received: str, period: str, due: str) -> None:
    assert add(datetime.date.fromisoformat(received), Duration.parse(period)).isoformat() == due


def test_every_period_of_a_duty_rule_is_a_duration() -> None:
    for rule in rulebook().duties:
        for text in _written(rule):
            try:
                assert list(_durations(rule, text)), f"{rule.id}: {text}"
            except ComplianceError as error:
                pytest.fail(f"{rule.id}: {text}: {error.message}")
