"""The worked examples of a rule file, run as its tests."""

from __future__ import annotations

import datetime
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from typing import Any, NamedTuple

import duckdb

from compliance.dataset.ingest import create_tables
from compliance.dataset.schema import Column, Schema, Table
from compliance.dataset.values import name, quoted
from compliance.duties.compiler import Workbench, is_optional
from compliance.duties.evaluate import Available, Evaluation, NotEvaluated, evaluate, prepare
from compliance.duties.measures import compile_measure
from compliance.duties.pack import Pack
from compliance.errors import ComplianceError, UsageError
from compliance.rulebook.diagnostics import nearest_help
from compliance.rulebook.load import Rulebook
from compliance.rulebook.model import Example, Rule

ANSWER = ("subject_id", "trigger_date", "due_date", "done_date", "status", "days_over", "value", "variant", "note")


@dataclass(frozen=True)
class Outcome:
    """One example: what was expected and what came."""

    rule: str
    title: str
    expected: object
    found: object
    details: tuple[dict[str, Any], ...] = ()
    error: str | None = None

    @property
    def passed(self) -> bool:
        """Whether the answer is the one expected."""
        return self.error is None and self.expected == self.found


class HeldData(NamedTuple):
    """What sets the data of an example apart: the tables that hold only the latest event, and what is not held at all."""

    latest: frozenset[str]
    without: tuple[str, ...]


Numbered = tuple[int, Example]


def grouped(examples: Sequence[Example]) -> dict[tuple[datetime.date, HeldData], list[Numbered]]:
    """The examples, numbered, by as-of day and by what their data hold."""
    groups: dict[tuple[datetime.date, HeldData], list[Numbered]] = {}
    for number, example in enumerate(examples):
        latest = frozenset(table for table, history in example.history.items() if history == "latest")
        groups.setdefault((example.as_of, HeldData(latest, tuple(example.without))), []).append((number, example))
    return groups


@dataclass
class ExampleBench:
    """A database of empty canonical tables in which examples are run, each as a council of its own."""

    schema: Schema
    rulebook: Rulebook
    connection: duckdb.DuckDBPyConnection = field(default_factory=lambda: duckdb.connect(":memory:"))

    def __post_init__(self) -> None:
        self.connection.execute("SET threads = 1")
        create_tables(self.connection, self.schema)
        prepare(self.connection, self.schema, datetime.date(2021, 9, 30))
        self.everything = frozenset((table.name, column) for table in self.schema.tables.values() for column in table.columns)
        self._benches: dict[frozenset[str], Workbench] = {}
        self._packed: tuple[Rule, frozenset[str], Pack] | None = None

    def run(self, rule: Rule, examples: Sequence[Example] | None = None) -> list[Outcome]:
        """The outcome of each example of a duty rule or a measure."""
        found: dict[int, Outcome] = {}
        for (as_of, held), group in grouped(rule.examples if examples is None else examples).items():
            found |= self._run_group(rule, as_of, held, group)
        return [found[number] for number in sorted(found)]

    def _run_group(self, rule: Rule, as_of: datetime.date, held: HeldData, group: list[Numbered]) -> dict[int, Outcome]:
        self.connection.execute("BEGIN")
        try:
            self._load(group)
            evaluation = self._evaluate(rule, as_of, held)
            _raise_failure(evaluation.not_evaluated)
            answer = self._duties(rule) if rule.is_duty else self._measures(rule)
            return {number: _outcome(rule, example, answer.get(f"x{number}", [])) for number, example in group}
        except (ComplianceError, duckdb.Error) as error:
            words = getattr(error, "message", str(error))
            return {number: Outcome(rule.id, one.title, one.expect, None, error=words) for number, one in group}
        finally:
            self.connection.execute("ROLLBACK")

    @contextmanager
    def evaluated(self, rule: Rule, example: Example) -> Iterator[Evaluation]:
        """The evaluation of one example's rows, undone afterwards. Raises UsageError for rows that fit no table."""
        self.connection.execute("BEGIN")
        try:
            self._load([(0, example)])
            yield self._evaluate(rule, example.as_of, HeldData(frozenset(), tuple(example.without)))
        finally:
            self.connection.execute("ROLLBACK")

    @property
    def every_example(self) -> list[tuple[str, Example]]:
        """Each example of the rulebook with the id of its rule."""
        return [(rule.id, example) for rule in self.rulebook.rules.values() for example in rule.examples]

    @contextmanager
    def together(self, rules: Sequence[Rule], pack: Pack, as_of: datetime.date) -> Iterator[Evaluation]:
        """The duties that rules give on the rows of every example, each a council of its own, undone afterwards."""
        self.connection.execute("BEGIN")
        try:
            self._load(enumerate(example for _, example in self.every_example))
            rulebook = self.rulebook.only(rule.id for rule in rules)
            available = Available(self.everything)
            yield evaluate(self.connection, self.schema, rulebook, as_of, available, pack, at_once=1)
        finally:
            self.connection.execute("ROLLBACK")

    def _evaluate(self, rule: Rule, as_of: datetime.date, held: HeldData) -> Evaluation:
        names = {rule.id}
        if rule.measure is not None and rule.measure.of in self.rulebook.rules:
            names.add(rule.measure.of)
        rulebook = self.rulebook.only(names)
        if rule.id not in rulebook.rules or rulebook.rules[rule.id] is not rule:
            rulebook = _with(rulebook, rule)
        pack = self._pack(rule, rulebook, held.latest)
        return evaluate(self.connection, self.schema, rulebook, as_of, self._held(held), pack, at_once=1)

    def _held(self, held: HeldData) -> Available:
        """What the data of an example hold."""
        return Available(frozenset(need for need in self.everything if not is_optional(need, held.without)), held.latest)

    def _pack(self, rule: Rule, rulebook: Rulebook, latest: frozenset[str]) -> Pack:
        """The rule compiled, once for all its examples."""
        if self._packed is None or self._packed[0] is not rule or self._packed[1] != latest:
            bench = Workbench(self.schema, rulebook, latest, known=self._bench(latest))
            duties = {one.id: bench.compile(one) for one in rulebook.duties}
            measures = {one.id: compile_measure(bench, one) for one in rulebook.of_kind("measure")}
            for one in rulebook.of_kind("escalation"):
                bench.compile_facts(one)
            self._packed = rule, latest, Pack(duties, measures, bench.definitions)
        return self._packed[2]

    def _bench(self, latest: frozenset[str]) -> Workbench:
        if latest not in self._benches:
            self._benches[latest] = Workbench(self.schema, self.rulebook, latest)
        return self._benches[latest]

    def _load(self, group: Iterable[tuple[int, Example]]) -> None:
        """The rows of the examples, each example's ids made its own."""
        rows: dict[str, list[str]] = {}
        for number, example in group:
            self.connection.execute(f"INSERT INTO main.authorities VALUES ('x{number}', 'Example')")
            for table_name, given in example.tables.items():
                rows.setdefault(table_name, []).extend(self._rows(table_name, given, number))
        for table_name, values in rows.items():
            if values:
                self.connection.execute(f"INSERT INTO main.{name(table_name)} VALUES {', '.join(values)}")

    def _rows(self, table_name: str, given: list[dict[str, Any]], number: int) -> Iterator[str]:
        table = self.schema.tables.get(table_name)
        if table is None:
            raise UsageError(f"no table is called {table_name}", help=nearest_help(table_name, self.schema.tables, "table"))
        if not isinstance(given, list) or not all(isinstance(row, dict) for row in given):
            raise UsageError(f"{table_name}: rows are a list of mappings")
        for place, row in enumerate(given):
            ref = table.number * 2**36 + number * 1000 + place
            _check_columns(table, row)
            values = [self._value(column, row, number, place) for column in table.columns.values()]
            yield f"({', '.join(values)}, 'x{number}', {ref}, 0, {place + 2})"

    def _value(self, column: Column, row: dict[str, Any], number: int, place: int) -> str:
        value = row.get(column.name)
        if value is None:
            return quoted(f"x{number}/row{place}") if column.is_id and column.required and column.name not in row else "NULL"
        if column.code_set is not None and str(value) not in self.schema.code_sets[column.code_set]:
            codes = self.schema.code_sets[column.code_set]
            raise UsageError(f"{column.name}: {value} is not a code", help=nearest_help(str(value), codes, "code"))
        if column.is_id:
            return quoted(f"x{number}/{value}")
        if isinstance(value, bool):
            return "TRUE" if value else "FALSE"
        if column.is_dated:
            return f"CAST({quoted(str(value))} AS {column.sql_type})"
        return repr(value) if isinstance(value, int | float) and column.sql_type != "VARCHAR" else quoted(str(value))

    def _duties(self, rule: Rule) -> dict[str, list[dict[str, Any]]]:
        rows = self.connection.execute(
            f"SELECT authority, {', '.join(ANSWER)} FROM duties WHERE rule = ?"
            " ORDER BY subject_id, trigger_date, due_date, done_date, status",
            [rule.id],
        ).fetchall()
        return _by_authority(rows, ANSWER)

    def _measures(self, rule: Rule) -> dict[str, list[dict[str, Any]]]:
        columns = ("scope_type", "scope_id", "numerator", "denominator")
        rows = self.connection.execute(
            f"SELECT authority, {', '.join(columns)} FROM measures WHERE measure = ? ORDER BY scope_type, scope_id", [rule.id]
        ).fetchall()
        return _by_authority(rows, columns)


def _raise_failure(not_evaluated: Sequence[NotEvaluated]) -> None:
    for one in not_evaluated:
        raise UsageError(f"{one.rule}: {one.reason}")


def _with(rulebook: Rulebook, rule: Rule) -> Rulebook:
    return replace(rulebook, rules={**rulebook.rules, rule.id: rule})


def _check_columns(table: Table, row: dict[str, Any]) -> None:
    for given in row:
        if given not in table.columns:
            raise UsageError(f"{table.name} has no column {given}", help=nearest_help(given, table.columns, "column"))


def _by_authority(rows: list[tuple[Any, ...]], columns: Sequence[str]) -> dict[str, list[dict[str, Any]]]:
    answer: dict[str, list[dict[str, Any]]] = {}
    for authority, *values in rows:
        plain = [value.replace(f"{authority}/", "") if isinstance(value, str) else value for value in values]
        answer.setdefault(authority, []).append(dict(zip(columns, plain, strict=True)))
    return answer


def _outcome(rule: Rule, example: Example, rows: list[dict[str, Any]]) -> Outcome:
    if rule.is_duty:
        return _duty_outcome(rule, example, rows)
    whole = next((row for row in rows if row["scope_type"] == "authority"), None)
    expected = example.expect if isinstance(example.expect, dict) else {}
    found = {key: whole.get(key) if whole else None for key in expected}
    return Outcome(rule.id, example.title, expected, found, tuple(rows))


def _duty_outcome(rule: Rule, example: Example, rows: list[dict[str, Any]]) -> Outcome:
    expected = example.expect if isinstance(example.expect, list) else [example.expect] if example.expect else []
    found: list[Any] = []
    for place, row in enumerate(rows):
        wanted = expected[place] if place < len(expected) else None
        found.append({key: row.get(key) for key in wanted} if isinstance(wanted, dict) else row["status"])
    return Outcome(rule.id, example.title, expected, found, tuple(rows))
