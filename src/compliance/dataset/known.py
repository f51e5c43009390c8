"""What is known at the close of a day: views in which later dates are blank and later rows are left out."""

from __future__ import annotations

import datetime

from duckdb import DuckDBPyConnection

from compliance.dataset.schema import Column, Schema, Table
from compliance.dataset.values import name

LATER = "__later"
CHOSEN_DAY = "getvariable('as_of')"


def known_views(connection: DuckDBPyConnection, schema: Schema, as_of: datetime.date) -> None:
    """Makes the schema `known`, once, and chooses the day: a view of each table, `known.run` and `known.authorities`.

    A date after the day is blank, unless its column is of planned dates; a row whose required date is after the day is
    left out. Beside each optional date column stands `<column>__later`, true where a date was blanked.
    """
    connection.execute(f"SET VARIABLE as_of = {day_literal(as_of)}")
    if connection.execute("SELECT 1 FROM duckdb_views() WHERE schema_name = 'known' LIMIT 1").fetchone():
        return
    views = [f"CREATE VIEW known.{name(table.name)} AS {known_select(table)}" for table in schema.tables.values()]
    views += [
        f"CREATE VIEW known.run AS SELECT {CHOSEN_DAY} AS as_of",
        "CREATE VIEW known.authorities AS SELECT code AS authority, name, CAST(0 AS BIGINT) AS row_ref FROM main.authorities",
    ]
    connection.execute(";\n".join(["CREATE SCHEMA IF NOT EXISTS known", *views]))


def known_select(table: Table, day: str = CHOSEN_DAY, columns: frozenset[str] | None = None, *, of: str = "main") -> str:
    """The SELECT of a table as known at the close of a day, of all its columns or only those named."""
    kept = [column for column in table.columns.values() if columns is None or column.name in columns]
    later = [column for column in table.columns.values() if _can_be_later(column) and not column.required]
    flags = [column for column in later if columns is None or column.name + LATER in columns]
    parts = [_blanked(column, day) for column in kept]
    parts += [f"{_is_later(column, day)} AS {name(column.name + LATER)}" for column in flags]
    parts += [lineage for lineage in ("authority", "row_ref") if columns is None or lineage in columns]
    required = [column for column in table.columns.values() if _can_be_later(column) and column.required]
    where = " AND ".join(f"NOT {_is_later(column, day)}" for column in required)
    prefix = f"{name(of)}." if of else ""
    return f"SELECT {', '.join(parts)} FROM {prefix}{name(table.name)}" + (f" WHERE {where}" if where else "")


def day_literal(day: datetime.date) -> str:
    """The day as SQL."""
    return f"DATE '{day.isoformat()}'"


def _can_be_later(column: Column) -> bool:
    return column.is_dated and not column.planned


def _is_later(column: Column, day: str) -> str:
    """SQL that says a date, or a time of day, is after the close of the day."""
    return f"({name(column.name)} >= {day} + 1)"


def _blanked(column: Column, day: str) -> str:
    if not _can_be_later(column) or column.required:
        return name(column.name)
    return f"CASE WHEN NOT {_is_later(column, day)} THEN {name(column.name)} END AS {name(column.name)}"
