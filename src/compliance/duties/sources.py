"""What a rule can read: canonical tables as known on the day, and definitions."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from compliance.dataset.schema import Schema, Table
from compliance.duties.compiled import CodeNeed

LINEAGE = {"authority": "VARCHAR", "row_ref": "BIGINT"}
ALL_AUTHORITIES = "authorities"
OWN = "own_"
"""What the subject's columns are called after the first step of a rule's SQL, so that none is taken for the engine's own."""


def quoted(name: str) -> str:
    """An identifier that cannot be read as a word of SQL."""
    return '"' + name.replace('"', '""') + '"'


def literal(text: object) -> str:
    """A SQL literal of a text, number, truth value or nothing."""
    if text is None:
        return "NULL"
    if isinstance(text, bool):
        return "TRUE" if text else "FALSE"
    if isinstance(text, int | float):
        return repr(text)
    return "'" + str(text).replace("'", "''") + "'"


@dataclass(frozen=True)
class Source:
    """A table or definition that rules may name, with its columns' types, its key and what it reads underneath."""

    name: str
    relation: str
    columns: Mapping[str, str]
    key: tuple[str, ...]
    subject: str
    codes: Mapping[str, frozenset[str]] = field(default_factory=dict)
    is_table: bool = True
    reads: frozenset[tuple[str, str]] = frozenset()
    optional: frozenset[str] = frozenset()
    history_of: tuple[str, ...] = ()
    rests_on: tuple[str, ...] = ()
    code_needs: frozenset[CodeNeed] = frozenset()
    unsure_without: frozenset[str] = frozenset()
    may_be_later: frozenset[str] = frozenset()

    def reading(self, column: str) -> frozenset[tuple[str, str]]:
        """The (table, column) pairs that reading this column rests on."""
        if not self.is_table:
            return self.reads
        return frozenset() if column in LINEAGE else frozenset({(self.name, column)})


SINGULAR = {
    "people": "child",
    "foster_carers": "foster carer",
    "foster_households": "foster household",
    "care_leaver_accommodation": "accommodation",
    "panel_attendance": "panel attendance",
    "checks_and_training": "check or training",
    "feedback_and_requests": "feedback or request",
}


def singular(table: str) -> str:
    """What one row of a table is called: `cp_plans` gives `cp plan`."""
    if table in SINGULAR:
        return SINGULAR[table]
    words = table.replace("_", " ")
    if words.endswith("ies"):
        return words[:-3] + "y"
    if words.endswith("sses"):
        return words[:-2]
    return words[:-1] if words.endswith("s") else words


def table_source(table: Table, schema: Schema) -> Source:
    """The source that a canonical table gives, as known on the day."""
    columns = {name: column.sql_type for name, column in table.columns.items()}
    codes = {
        name: frozenset(schema.code_sets[column.code_set])
        for name, column in table.columns.items()
        if column.code_set is not None
    }
    return Source(
        name=table.name,
        relation=f"known.{quoted(table.name)}",
        columns={**columns, **LINEAGE},
        key=tuple(table.key),
        subject=singular(table.name),
        codes=codes,
        history_of=(table.name,),
        may_be_later=frozenset(
            name for name, column in table.columns.items() if column.is_dated and not column.planned and not column.required
        ),
    )


def authorities_source() -> Source:
    """One row for each council in the dataset: the subject of duties that the council itself owes."""
    return Source(
        name=ALL_AUTHORITIES,
        relation=f"known.{quoted(ALL_AUTHORITIES)}",
        columns={"authority": "VARCHAR", "name": "VARCHAR", "row_ref": "BIGINT"},
        key=("authority",),
        subject="authority",
    )
