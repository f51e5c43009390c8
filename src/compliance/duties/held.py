"""What a rule says in words that it wants of the data, and what follows where the data do not hold it.

Words are `table`, `table.column` or `table.column = code`; `one or another` is held where either is.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import replace
from typing import TYPE_CHECKING, Protocol

from compliance.duties.sources import literal
from compliance.duties.status import FOUND, whole
from compliance.errors import RuleFileError
from compliance.rulebook.diagnostics import nearest_help

if TYPE_CHECKING:
    from compliance.dataset.schema import Schema
    from compliance.duties.compiled import Compiled

Doubt = tuple[str, str, str]
"""What is wanted, SQL of the duties found that cannot be called a breach without it, and the remark that they carry instead."""
Wanted = tuple[str, str | None, str | None]
DOUBTED = "d"
PLAIN_NOTE = "nullif(note, '')"


class Holding(Protocol):
    """Data that can say what it lacks."""

    def lacks(self, said: str) -> bool: ...


def wanted(said: str) -> Iterator[Wanted]:
    """Each table, column and code of the words; any one of them is enough."""
    for one in said.split(" or "):
        place, _, code = one.partition(" = ")
        table, _, column = place.strip().partition(".")
        yield table, column or None, code.strip() or None


class UnknownPlace(RuleFileError):
    """A rule wants what no table holds."""

    def __init__(self, said: str, word: str, known: Iterable[str], kind: str) -> None:
        super().__init__(f"no {kind} is called {word}", help=nearest_help(word, sorted(known), kind))
        self.name = said


def checked(said: Iterable[str], schema: Schema) -> tuple[str, ...]:
    """The words, in order. Raises UnknownPlace for a table, column or code that does not exist."""
    words = tuple(sorted(set(said)))
    for one in words:
        for place in wanted(one):
            _check(one, place, schema)
    return words


def _check(said: str, place: Wanted, schema: Schema) -> None:
    table, column, code = place
    if table not in schema.tables:
        raise UnknownPlace(said, table, schema.tables, "table")
    columns = schema.tables[table].columns
    if column is not None and column not in columns:
        raise UnknownPlace(said, column, columns, "column")
    codes = schema.code_sets.get(columns[column].code_set or "", ()) if column else ()
    if code is not None and code not in codes:
        raise UnknownPlace(said, code, codes, "code")


def doubted(one: Compiled, data: Holding) -> Compiled:
    """The rule, its breaches unsure, or with a remark, for want of what the data lack."""
    lacking = [doubt for doubt in one.doubts if data.lacks(doubt[0])]
    if not lacking:
        return one
    unsure = [f"CASE WHEN {when or 'TRUE'} THEN {literal(without(said))} END" for said, when, says in lacking if not says]
    remarks = [
        f"CASE WHEN {when} THEN {literal(f'{said} is not in the data: {says}')} END" for said, when, says in lacking if says
    ]
    made = {
        "unsure_because": f"coalesce({', '.join(['unsure_because', *unsure])}) AS unsure_because",
        "note": f"nullif(concat_ws('; ', {', '.join([PLAIN_NOTE, *remarks])}), '') AS note",
    }
    columns = ", ".join(made.get(name, name) for name in FOUND)
    return replace(one, sql=f"SELECT {columns}\nFROM {whole(f'({one.sql})', one.found, DOUBTED)}", found=tuple(FOUND))


def without(said: str) -> str:
    """The words of why a breach is none that is certain."""
    return f"{said} is not in the data and may decide it"
