"""The same conjunctions as SQL joins in DuckDB: the second opinion on durable-rules, and the only one without it.

Facts are columns, a table a kind, in the temporary schema of a connection of its own. Each value is held as a code, one
for each distinct text and each distinct number, so that equality is of integers and `5` is never `"5"`; a property that
some rule orders is held as its number too. So no text of a fact or a rule is ever part of a statement.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import combinations
from typing import Self

import duckdb

from compliance.risks.patterns import Conjunction, Fact, Firing, Pattern, Test, Value, check_limits, properties_read

_A_STATEMENT = 20  # selects in one statement: fewer pay planning again and again, more are planned no faster


@dataclass(frozen=True, slots=True)
class _Table:
    """Where the facts of one kind are: the table, and the columns of each property that is read."""

    name: str
    codes: dict[str, str]
    numbers: dict[str, str]


class JoinReasoner:
    """The conjunctions as SQL over the facts so far; each round gives the firings that its facts complete."""

    def __init__(
        self, conjunctions: Sequence[Conjunction], connection: duckdb.DuckDBPyConnection | None = None
    ) -> None:
        check_limits(conjunctions)
        self._conjunctions = tuple(conjunctions)
        # A cursor is a connection of its own: its temporary tables are private, its transaction not the caller's.
        self._connection = connection.cursor() if connection else duckdb.connect()
        self._codes: dict[tuple[bool, Value], int] = {}
        self._tables = _tables(conjunctions)
        self._selects = [self._select(index, conjunction) for index, conjunction in enumerate(self._conjunctions)]
        for table in self._tables.values():
            columns = ", ".join(f"{name} BIGINT" for name in ("f", *table.codes.values(), *table.numbers.values()))
            self._connection.execute(f"CREATE TEMP TABLE {table.name} ({columns})")

    def round(self, facts: Sequence[Fact], first_number: int) -> list[Firing]:
        """The firings that these facts, numbered from the first, complete alone or with those of earlier rounds."""
        by_kind: dict[str, list[tuple[int, Fact]]] = {}
        for number, fact in enumerate(facts, first_number):
            by_kind.setdefault(str(fact["kind"]), []).append((number, fact))
        new = by_kind.keys() & self._tables.keys()
        for kind in new:
            self._insert(self._tables[kind], by_kind[kind])
        return list(self._fired(new, first_number))

    def close(self) -> None:
        """Nothing; the tables are gone."""
        self._connection.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *failure: object) -> None:
        self.close()

    def _code(self, value: Value) -> int:
        return self._codes.setdefault((isinstance(value, str), value), len(self._codes))

    def _insert(self, table: _Table, numbered: Sequence[tuple[int, Fact]]) -> None:
        columns: list[list[int | None]] = [[number for number, _ in numbered]]
        for name in table.codes:
            columns.append([self._code(fact[name]) if name in fact else None for _, fact in numbered])
        for name in table.numbers:
            columns.append([_number(fact.get(name)) for _, fact in numbered])
        values = ", ".join("""unnest(from_json(?, '["BIGINT"]'))""" for _ in columns)
        self._connection.execute(
            f"INSERT INTO {table.name} SELECT {values}", [json.dumps(column) for column in columns]
        )

    def _fired(self, new: Iterable[str], first_number: int) -> Iterator[Firing]:
        kinds = set(new)
        by_width: dict[int, list[str]] = {}
        for conjunction, select in zip(self._conjunctions, self._selects, strict=True):
            if any(pattern.kind in kinds for pattern in conjunction.patterns):
                by_width.setdefault(len(conjunction.patterns), []).append(select.format(first=int(first_number)))
        for selects in by_width.values():
            for start in range(0, len(selects), _A_STATEMENT):
                statement = " UNION ALL ".join(selects[start : start + _A_STATEMENT])
                for index, *facts in self._connection.execute(statement).fetchall():
                    conjunction = self._conjunctions[index]
                    yield Firing(conjunction.rule, conjunction.branch, tuple(facts))

    def _select(self, index: int, conjunction: Conjunction) -> str:
        patterns = conjunction.patterns
        facts = [f"a{position}.f" for position in range(len(patterns))]
        tables = ", ".join(
            f"{self._tables[pattern.kind].name} a{position}" for position, pattern in enumerate(patterns)
        )
        where = [f"greatest({', '.join(facts)}) >= {{first}}"]
        for position, pattern in enumerate(patterns):
            where += [self._test(f"a{position}", pattern, test) for test in pattern.tests]
            where += self._joins(conjunction, position)
        for one, other in combinations(range(len(patterns)), 2):
            if patterns[one].kind == patterns[other].kind:
                where.append(f"{facts[one]} <> {facts[other]}")
        return f"SELECT {index}, {', '.join(facts)} FROM {tables} WHERE {' AND '.join(where)}"

    def _test(self, place: str, pattern: Pattern, test: Test) -> str:
        table = self._tables[pattern.kind]
        if test.op in ("=", "!="):
            return f"{place}.{table.codes[test.property]} {'=' if test.op == '=' else '<>'} {self._code(test.value)}"
        return f"{place}.{table.numbers[test.property]} {test.op} {int(test.value)}"

    def _joins(self, conjunction: Conjunction, position: int) -> list[str]:
        own = self._tables[conjunction.patterns[position].kind].codes
        return [
            f"a{position}.{own[join.property]} = "
            f"a{join.other}.{self._tables[conjunction.patterns[join.other].kind].codes[join.other_property]}"
            for join in conjunction.patterns[position].joins
        ]


def _tables(conjunctions: Sequence[Conjunction]) -> dict[str, _Table]:
    ordered: dict[str, set[str]] = {}
    for conjunction in conjunctions:
        for pattern in conjunction.patterns:
            names = (test.property for test in pattern.tests if test.op not in ("=", "!="))
            ordered.setdefault(pattern.kind, set()).update(names)
    return {
        kind: _Table(
            name=f"facts_{index}",
            codes={name: f"c{column}" for column, name in enumerate(names)},
            numbers={name: f"n{column}" for column, name in enumerate(names) if name in ordered[kind]},
        )
        for index, (kind, names) in enumerate(sorted(properties_read(conjunctions).items()))
    }


def _number(value: Value | None) -> int | None:
    return value if isinstance(value, int) else None
