"""One run: every rule that the data allows, evaluated as of a day."""

from __future__ import annotations

import datetime
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from itertools import islice
from typing import TypeVar

import duckdb

from compliance.calendar import Duration, create_calendar_table, subtract
from compliance.dataset.coverage import Coverage, falls_short
from compliance.dataset.known import day_literal, known_views
from compliance.dataset.schema import Schema
from compliance.duties.compiled import (
    BUILT_IN_FACTS,
    FACT,
    NUMBERED,
    SUBJECT,
    CodeNeed,
    Compiled,
    CompiledMeasure,
    Need,
    filled,
)
from compliance.duties.cursors import Cursors, Task
from compliance.duties.held import doubted, wanted
from compliance.duties.owners import OWNERS, owned
from compliance.duties.pack import Pack
from compliance.duties.status import FOUND, judged
from compliance.duties.sums import COUNTED, summed
from compliance.errors import EngineError
from compliance.rulebook.load import Rulebook
from compliance.rulebook.model import Escalation, FactPattern, Measure

BATCH = 8
CALENDAR = "the calendar"
ROW_NUMBER = f"{SUBJECT}.rowid"
"""A definition is made a table here, and DuckDB has numbered the rows of a table already."""
Progress = Callable[[str], None]
T = TypeVar("T")


@dataclass(frozen=True)
class NotEvaluated:
    """A rule that could not be evaluated: the table.columns it needs, or what went wrong (`failed`)."""

    rule: str
    needs: tuple[str, ...]
    reason: str
    failed: bool = False


@dataclass(frozen=True)
class Available:
    """What the dataset holds: the tables and columns present, and the tables that hold only the latest event."""

    columns: frozenset[Need]
    latest_only: frozenset[str] = frozenset()
    kinds: Mapping[Need, frozenset[str]] = field(default_factory=dict)
    coverage: tuple[Coverage, ...] = ()

    @property
    def limited(self) -> frozenset[str]:
        """The tables that hold one stretch of time only."""
        return frozenset(each.table for each in self.coverage)

    def missing_for(self, one: Compiled | CompiledMeasure) -> tuple[str, ...]:
        """What a rule needs that the dataset does not hold, in words, in order."""
        return tuple(sorted({*self.missing(one.needs, one.codes), *filter(self.lacks, one.said)}))

    def lacks(self, said: str) -> bool:
        """Whether the dataset holds none of the tables, columns and codes of the words."""
        return not any(self._holds(*one) for one in wanted(said))

    def _holds(self, table: str, column: str | None, code: str | None) -> bool:
        if column is None:
            return any(table == held for held, _ in self.columns)
        kinds = self.kinds.get((table, column))
        return (table, column) in self.columns and (code is None or kinds is None or code in kinds)

    def missing(self, needs: Iterable[Need], codes: Iterable[CodeNeed] = ()) -> tuple[str, ...]:
        """The needs that the dataset does not hold, as `table.column` or `table.column = code`, in order."""
        absent = {f"{table}.{column}" for table, column in needs if (table, column) not in self.columns}
        for table, column, looked_for in codes:
            if (table, column) in self.kinds and not self.kinds[table, column] & set(looked_for):
                absent.add(f"{table}.{column} = {' or '.join(looked_for)}")
        return tuple(sorted(absent))


@dataclass
class Evaluation:
    """The answer of one run: `duties` and `measures` in the connection, and the rules that could not be evaluated."""

    connection: duckdb.DuckDBPyConnection
    rulebook: Rulebook
    schema: Schema
    as_of: datetime.date
    pack: Pack
    evaluated: list[str] = field(default_factory=list)
    not_evaluated: list[NotEvaluated] = field(default_factory=list)
    judged_without: dict[str, tuple[str, ...]] = field(default_factory=dict)
    """What the data lack that rules can do without, in words, each with the rules that read it as blank."""

    @property
    def failed(self) -> list[NotEvaluated]:
        """The rules that the engine itself could not evaluate: the result cannot be trusted."""
        return [one for one in self.not_evaluated if one.failed]


def evaluate(
    connection: duckdb.DuckDBPyConnection,
    schema: Schema,
    rulebook: Rulebook,
    as_of: datetime.date,
    available: Available,
    pack: Pack,
    *,
    progress: Progress | None = None,
    at_once: int = 2,
) -> Evaluation:
    """The duties and measures of every rule that the data allows; the pack is the rulebook compiled.

    `at_once` is how many statements run at a time; with 1 all run on the connection itself, inside its transaction.
    """
    tell = progress or (lambda _: None)
    result = Evaluation(connection, rulebook, schema, as_of, pack)
    ready = _ready([pack.duties[rule.id] for rule in rulebook.duties], available, result)
    measures = _ready_measures([pack.measures[rule.id] for rule in rulebook.of_kind("measure")], available, result)
    facts = _fact_definitions(pack, rulebook, available, result)
    known_views(connection, schema, as_of, filled=True)
    used = {name for one in ready for name in one.definitions} | {name for one in measures for name in one.definitions}
    with Cursors(connection, at_once) as cursors:
        tell(f"evaluating {len(ready)} rules")
        _run_duties(cursors, [*_beginnings(connection), *_definitions(pack, used | facts, as_of)], ready, result)
        tell(f"evaluating {len(measures)} measures")
        _run_measures(connection, cursors, measures, as_of, result)
    result.not_evaluated.sort(key=lambda one: one.rule)
    result.judged_without = _judged_without(result, available)
    return result


def _judged_without(result: Evaluation, available: Available) -> dict[str, tuple[str, ...]]:
    found: dict[str, list[str]] = {}
    for rule in sorted(result.evaluated):
        one = result.pack.duties.get(rule) or result.pack.measures[rule]
        for said in filter(available.lacks, one.optional):
            found.setdefault(said, []).append(rule)
    return {said: tuple(rules) for said, rules in sorted(found.items())}


def prepare(connection: duckdb.DuckDBPyConnection, schema: Schema, as_of: datetime.date) -> None:
    """The as-of views of tables that are still to be filled, the calendar, and who answers for whom."""
    known_views(connection, schema, as_of)
    for task in _beginnings(connection):
        task.work(connection)


def _beginnings(connection: duckdb.DuckDBPyConnection) -> Iterator[Task]:
    """What all else rests on: the calendar, where there is none yet, and who answers for whom."""
    connection.execute("CREATE SCHEMA IF NOT EXISTS defined")
    if not connection.execute("SELECT 1 FROM duckdb_tables() WHERE table_name = 'calendar'").fetchone():
        yield Task(create_calendar_table, makes=CALENDAR)
    for name, sql in OWNERS.items():
        yield Task(partial(_execute, sql=f"CREATE OR REPLACE TABLE {name} AS {sql}"))


def _execute(cursor: duckdb.DuckDBPyConnection, sql: str) -> None:
    cursor.execute(sql)


def _ready(compiled: Sequence[Compiled], available: Available, result: Evaluation) -> list[Compiled]:
    ready = []
    for one in compiled:
        missing = available.missing_for(one)
        if missing:
            result.not_evaluated.append(NotEvaluated(one.rule, missing, f"needs {', '.join(missing)}"))
        else:
            ready.append(doubted(one, available))
    return ready


def _ready_measures(compiled: Sequence[CompiledMeasure], available: Available, result: Evaluation) -> list[CompiledMeasure]:
    out = {one.rule for one in result.not_evaluated}
    ready = []
    for one in compiled:
        missing = available.missing_for(one) + _unsure_for_all(one, available, result)
        if missing:
            result.not_evaluated.append(NotEvaluated(one.rule, missing, f"needs {', '.join(missing)}"))
        elif one.withheld:
            result.not_evaluated.append(NotEvaluated(one.rule, (), one.withheld))
        elif short := _falls_short(one, available, result):
            result.not_evaluated.append(NotEvaluated(one.rule, (), short))
        elif one.of_rule in out:
            result.not_evaluated.append(NotEvaluated(one.rule, (), f"rests on {one.of_rule}, which is not evaluated"))
        else:
            ready.append(one)
    return ready


def _unsure_for_all(one: CompiledMeasure, available: Available, result: Evaluation) -> tuple[str, ...]:
    """What the data lack without which no duty that a measure counts could be a breach: the rest alone would mislead."""
    if one.of_rule is None:
        return ()
    return tuple(said for said, when, _ in result.pack.duties[one.of_rule].doubts if not when and available.lacks(said))


def _falls_short(one: CompiledMeasure, available: Available, result: Evaluation) -> str | None:
    """Why a measure that counts rows cannot be had: its window begins before the data do, or ends after them."""
    measure = result.rulebook.rules[one.rule].body
    assert isinstance(measure, Measure)
    window = measure.window if measure.date is not None and measure.window != "none" else None
    starts = [subtract(result.as_of, Duration.parse(each)) for each in (window, measure.looks_back) if each]
    first = min(starts) + datetime.timedelta(days=1) if starts else None
    return falls_short(available.coverage, one.counts, first, result.as_of)


def _fact_definitions(pack: Pack, rulebook: Rulebook, available: Available, result: Evaluation) -> set[str]:
    """The definitions `fact_<kind>` that escalation rules read; a rule whose facts cannot be had is not evaluated."""
    wanted: set[str] = set()
    out = {one.rule for one in result.not_evaluated}
    for rule in rulebook.of_kind("escalation"):
        body = rule.body
        assert isinstance(body, Escalation)
        names = {FACT + pattern.fact for pattern in body.when if pattern.fact not in BUILT_IN_FACTS}
        missing = available.missing(need for name in names for need in pack.definitions[name].reads)
        resting = sorted({one for pattern in body.when for one in rests_on(pattern) if one in out})
        if missing:
            result.not_evaluated.append(NotEvaluated(rule.id, missing, f"needs {', '.join(missing)}"))
        elif any(named and set(named) <= out for named in map(rests_on, body.when)):
            result.not_evaluated.append(NotEvaluated(rule.id, (), f"rests on {', '.join(resting)}, not evaluated"))
        else:
            wanted |= names
    return wanted


def rests_on(pattern: FactPattern) -> list[str]:
    """The rules or measures that a pattern names."""
    named = pattern.where.get("rule" if pattern.fact in ("breach", "risk") else "measure")
    if isinstance(named, str):
        return [named]
    return [one for one in named if isinstance(one, str)] if isinstance(named, list) else []


def _definitions(pack: Pack, names: Iterable[str], as_of: datetime.date) -> Iterator[Task]:
    """The definitions that the rules rest on, each made once, after what it rests on."""

    def make(cursor: duckdb.DuckDBPyConnection, name: str) -> None:
        try:
            cursor.execute(f'CREATE OR REPLACE TABLE defined."{name}" AS {filled(pack.definitions[name].sql, as_of)}')
        except duckdb.Error as error:
            raise EngineError(f"definition {name} failed: {_first_line(error)}") from error

    for name in pack.in_order(names):
        after = frozenset({CALENDAR, *pack.definitions[name].rests_on})
        yield Task(partial(make, name=name), makes=name, after=after)


def _run_duties(cursors: Cursors, before: Sequence[Task], ready: Sequence[Compiled], result: Evaluation) -> None:
    """Makes `duties` of the rules, once what comes before them is made."""
    connection, as_of = result.connection, result.as_of
    columns = ", ".join(f"{name} {kind}" for name, kind in FOUND.items())
    connection.execute(f"CREATE OR REPLACE TABLE found_duties ({columns})")

    def find(cursor: duckdb.DuckDBPyConnection, batch: Sequence[Compiled]) -> None:
        try:
            cursor.execute(_insert(batch, as_of))
            result.evaluated += [one.rule for one in batch]
        except duckdb.Error:
            for one in batch:
                _run_alone(cursor, one, as_of, result)

    rules = [
        Task(partial(find, batch=batch), after=frozenset({CALENDAR}.union(*(one.definitions for one in batch))))
        for batch in _batches(ready)
    ]
    cursors.each([*before, *rules])
    result.evaluated.sort()
    _judge(cursors, as_of)


def _judge(cursors: Cursors, as_of: datetime.date) -> None:
    """Makes `duties` of what was found, a part on each cursor; an id is worked out for those duties that are asked for it."""
    connection = cursors.connection

    def select(part: str) -> str:
        return owned(f"({judged(f'({part})', day_literal(as_of))})")

    found = "SELECT * FROM found_duties"
    connection.execute(f"CREATE OR REPLACE TABLE judged_duties AS {select(f'{found} LIMIT 0')}")
    parts = [f"{found} WHERE rowid % {cursors.number} = {part}" for part in range(cursors.number)]
    cursors.each(Task(partial(_execute, sql=f"INSERT INTO judged_duties {select(part)}")) for part in parts)
    connection.execute("DROP TABLE found_duties")
    connection.execute(f"CREATE OR REPLACE VIEW duties AS SELECT *, {IDENTITY} AS id FROM judged_duties AS d")


IDENTITY = (
    "left(sha256(concat_ws('|', d.rule, d.authority, replace(d.subject_id, d.authority || '/', ''),"
    " coalesce(CAST(d.trigger_date AS VARCHAR), ''),"
    " CASE WHEN d.gap = 0 OR (d.gap IS NULL AND d.status = 'met' AND d.done_date = d.trigger_date) THEN 'start'"
    " WHEN d.gap < 0 THEN CAST(-d.gap AS VARCHAR) END)), 16)"
)
"""A finding's id: a digest of rule, council, subject and trigger (or gap start), the same in every run.

The first gap is marked: an event on its very day opens a second gap that starts then too. So is any duty met on the day it began.
A gap of a later span that an event before an earlier one opened is numbered: it starts on the same day as that one's.
"""


def _insert(batch: Sequence[Compiled], as_of: datetime.date) -> str:
    selects = "\nUNION ALL BY NAME\n".join(f"(\n{one.on(as_of)}\n)" for one in batch)
    return f"INSERT INTO found_duties BY NAME\n{selects.replace(NUMBERED, ROW_NUMBER)}"


def _run_alone(connection: duckdb.DuckDBPyConnection, one: Compiled, as_of: datetime.date, result: Evaluation) -> None:
    try:
        connection.execute(_insert([one], as_of))
        result.evaluated.append(one.rule)
    except duckdb.Error as error:
        result.not_evaluated.append(NotEvaluated(one.rule, (), f"failed: {_first_line(error)}", failed=True))


def _run_measures(
    connection: duckdb.DuckDBPyConnection,
    cursors: Cursors,
    ready: Sequence[CompiledMeasure],
    as_of: datetime.date,
    result: Evaluation,
) -> None:
    connection.execute(f"CREATE OR REPLACE TABLE counted ({COUNTED})")

    def count(cursor: duckdb.DuckDBPyConnection, batch: Sequence[CompiledMeasure]) -> None:
        try:
            cursor.execute("INSERT INTO counted\n" + "\nUNION ALL\n".join(filled(one.sql, as_of) for one in batch))
            result.evaluated += [one.rule for one in batch]
        except duckdb.Error as error:
            if len(batch) == 1:
                result.not_evaluated.append(NotEvaluated(batch[0].rule, (), f"failed: {_first_line(error)}", failed=True))
            for one in batch if len(batch) > 1 else ():
                count(cursor, [one])

    cursors.each(Task(partial(count, batch=batch)) for batch in _batches(ready))
    by = {one.rule: one.by for one in ready}
    connection.execute(f"CREATE OR REPLACE TABLE measures AS\n{summed('counted', by)}; DROP TABLE counted")
    result.evaluated.sort()


def _batches(items: Sequence[T]) -> Iterable[list[T]]:
    rest = iter(items)
    while batch := list(islice(rest, BATCH)):
        yield batch


def _first_line(error: Exception) -> str:
    return str(error).splitlines()[0] if str(error) else type(error).__name__
