"""The canonical tables as frozen types, read once from `tables.yaml`."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache, cached_property
from pathlib import Path
from types import MappingProxyType
from typing import Any, Literal

import yaml

TABLES_FILE = Path(__file__).with_name("tables.yaml")

ColumnType = Literal["text", "date", "timestamp", "boolean", "integer", "number", "code"]

SQL_TYPES: Mapping[ColumnType, str] = MappingProxyType(
    {
        "text": "VARCHAR",
        "date": "DATE",
        "timestamp": "TIMESTAMP",
        "boolean": "BOOLEAN",
        "integer": "BIGINT",
        "number": "DOUBLE",
        "code": "VARCHAR",
    }
)

LINEAGE = ("authority", "row_ref", "source_id", "source_row")
"""The columns that every table has beside its own."""


@dataclass(frozen=True, slots=True)
class Column:
    """One column: what it holds and how it may be used."""

    name: str
    type: ColumnType
    means: str
    code_set: str | None = None
    required: bool = False
    refers_to: str | None = None
    planned: bool = False
    presence_only: bool = False
    is_id: bool = False

    @property
    def sql_type(self) -> str:
        """The DuckDB type of the column."""
        return SQL_TYPES[self.type]

    @property
    def is_dated(self) -> bool:
        """Whether the column holds a date or a time."""
        return self.type in ("date", "timestamp")


@dataclass(frozen=True, eq=False)
class Table:
    """One canonical table, named for what one row is."""

    name: str
    number: int
    describes: str
    section: str
    key: tuple[str, ...]
    natural_key: tuple[str, ...]
    columns: Mapping[str, Column]

    @cached_property
    def natural_key_is_private(self) -> bool:
        """Whether the natural key holds a name or an address."""
        return any(self.columns[name].presence_only for name in self.natural_key)

    @cached_property
    def main_date(self) -> Column | None:
        """The date that says when a row happened: the first required one, else the first that is not planned."""
        dated = [column for column in self.columns.values() if column.is_dated and not column.planned]
        return next((column for column in dated if column.required), dated[0] if dated else None)


@dataclass(frozen=True)
class Schema:
    """Every canonical table, the accepted codes and the useful groups of them."""

    tables: Mapping[str, Table]
    code_sets: Mapping[str, Mapping[str, str]]
    code_groups: Mapping[str, Mapping[str, tuple[str, ...]]]


@cache
def load_schema(path: Path = TABLES_FILE) -> Schema:
    """The schema that `tables.yaml` declares."""
    return schema_of(read_tables(path))


def read_tables(path: Path = TABLES_FILE) -> dict[str, Any]:
    """What the file says, as plain data."""
    document: dict[str, Any] = yaml.load(path.read_bytes(), getattr(yaml, "CSafeLoader", yaml.SafeLoader))
    return document


def schema_of(document: dict[str, Any]) -> Schema:
    """The schema that the plain data declare, which are used up."""
    tables = {name: _table(name, number, body) for number, (name, body) in enumerate(document["tables"].items(), 1)}
    groups = {name: {group: tuple(codes) for group, codes in body.items()} for name, body in document["code_groups"].items()}
    return Schema(MappingProxyType(tables), MappingProxyType(document["code_sets"]), MappingProxyType(groups))


def _table(name: str, number: int, body: dict[str, Any]) -> Table:
    key = tuple(body["key"])
    columns = {column: _column(column, facts, column in key) for column, facts in body["columns"].items()}
    return Table(name, number, body["describes"], body["section"], key, tuple(body["natural_key"]), MappingProxyType(columns))


def _column(name: str, facts: dict[str, Any], is_key: bool) -> Column:
    kind, _, code_set = facts.pop("type").partition(":")
    is_id = is_key or "refers_to" in facts or name.endswith("_id")
    return Column(name, kind, code_set=code_set or None, is_id=is_id, **facts)
