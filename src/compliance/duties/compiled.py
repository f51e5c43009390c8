"""What compiling gives: SQL with the as-of day left open, and what it needs of the data."""

from __future__ import annotations

import datetime
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

Need = tuple[str, str]
CodeNeed = tuple[str, str, tuple[str, ...]]
"""A table, a code column and the codes of it that are looked for: data that can hold none of them decide nothing."""
FACT = "fact_"
BUILT_IN_FACTS = frozenset({"breach", "tally", "measure", "risk"})
AS_OF_MARK = '"as-of day"'
SUBJECT = "s"
NUMBERED = f"row_number() OVER (ORDER BY {SUBJECT}.row_ref)"
"""SQL that numbers the rows of a definition."""


def filled(sql: str, as_of: datetime.date) -> str:
    """The SQL with the as-of day filled in."""
    return sql.replace(AS_OF_MARK, f"DATE '{as_of.isoformat()}'")


@dataclass(frozen=True)
class Compiled:
    """A duty rule as SQL, the data it needs, and the definitions it rests on."""

    rule: str
    sql: str
    needs: frozenset[Need]
    definitions: tuple[str, ...]
    codes: frozenset[CodeNeed] = frozenset()
    said: tuple[str, ...] = ()
    doubts: tuple[tuple[str, str, str], ...] = ()
    optional: tuple[str, ...] = ()
    found: tuple[str, ...] = ()
    """The columns of what is found that the SQL gives; the others are blank."""

    def on(self, as_of: datetime.date) -> str:
        """The SQL for one as-of day."""
        return filled(self.sql, as_of)


@dataclass(frozen=True)
class CompiledMeasure:
    """A measure as SQL of what it counts, what it needs of the data, and the rule or tables whose duties or rows it counts."""

    rule: str
    sql: str
    needs: frozenset[Need]
    definitions: tuple[str, ...]
    of_rule: str | None = None
    withheld: str | None = None
    counts: tuple[str, ...] = ()
    codes: frozenset[CodeNeed] = frozenset()
    by: tuple[str, ...] = ()
    said: tuple[str, ...] = ()
    optional: tuple[str, ...] = ()


@dataclass(frozen=True)
class CompiledDefinition:
    """A definition as SQL, the definitions it rests on, and what it reads of the tables."""

    name: str
    sql: str
    rests_on: tuple[str, ...]
    reads: frozenset[Need]


def definitions_in_order(definitions: Mapping[str, CompiledDefinition], names: Iterable[str]) -> tuple[str, ...]:
    """The definitions among the names, and those they rest on, each after what it rests on."""
    ordered: dict[str, None] = {}

    def visit(name: str) -> None:
        found = definitions.get(name)
        if found is None or name in ordered:
            return
        for under in found.rests_on:
            visit(under)
        ordered[name] = None

    for name in sorted(names):
        visit(name)
    return tuple(ordered)
