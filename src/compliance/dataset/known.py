"""What is known at the close of a day: views in which later dates are blank and later rows are left out."""

from __future__ import annotations

import datetime
from collections.abc import Mapping

from duckdb import DuckDBPyConnection

from compliance.dataset.schema import Column, Schema, Table
from compliance.dataset.values import name, quoted

LATER = "__later"
CHOSEN_DAY = "getvariable('as_of')"


def known_views(connection: DuckDBPyConnection, schema: Schema, as_of: datetime.date, *, filled: bool = False) -> None:
    """Makes the schema `known`, once, and chooses the day: a view of each table, `known.run` and `known.authorities`.

    A date after the day is blank, unless its column is of planned dates; a row whose required date is after the day is
    left out. Beside each optional date column stands `<column>__later`, true where a date was blanked. Where the tables are
    `filled`, so that no row will come, a table without a date after the day is known as it is: that view costs less.
    """
    earlier = _chosen_day(connection)
    connection.execute(f"SET VARIABLE as_of = {day_literal(as_of)}")
    if earlier is None:
        plain = _plain_on(_latest_days(connection, schema), as_of) if filled else frozenset()
        views = [_view(table, table.name in plain) for table in schema.tables.values()]
        connection.execute(";\n".join(["CREATE SCHEMA IF NOT EXISTS known", *views, RUN, AUTHORITIES]))
    elif earlier != as_of and _has_latest_days(connection):
        latest = dict(connection.execute("SELECT table_name, day FROM latest_days").fetchall())
        plain = _plain_on(latest, as_of)
        for changed in sorted(plain ^ _plain_on(latest, earlier)):
            connection.execute(_view(schema.tables[changed], changed in plain))


RUN = f"CREATE VIEW known.run AS SELECT {CHOSEN_DAY} AS as_of"
AUTHORITIES = """
CREATE VIEW known.authorities AS SELECT code AS authority, name, CAST(0 AS BIGINT) AS row_ref FROM main.authorities"""


def _chosen_day(connection: DuckDBPyConnection) -> datetime.date | None:
    """The day that the views are of; None where there are none yet."""
    if not connection.execute("SELECT 1 FROM duckdb_views() WHERE schema_name = 'known' LIMIT 1").fetchone():
        return None
    row = connection.execute(f"SELECT {CHOSEN_DAY}").fetchone()
    return row[0] if row else None


def _latest_days(connection: DuckDBPyConnection, schema: Schema) -> dict[str, datetime.date | None]:
    """The last day that each table's dates name, planned ones aside; kept in the table `latest_days`."""
    selects = [
        f"SELECT {quoted(table.name)} AS table_name, {_last_of(table)} AS day FROM main.{name(table.name)}"
        for table in schema.tables.values()
    ]
    connection.execute(f"CREATE OR REPLACE TABLE latest_days AS {' UNION ALL '.join(selects)}")
    return dict(connection.execute("SELECT table_name, day FROM latest_days").fetchall())


def _last_of(table: Table) -> str:
    last = ", ".join(f"max({name(column.name)})" for column in table.columns.values() if _can_be_later(column))
    return f"CAST(greatest({last}) AS DATE)" if last else "CAST(NULL AS DATE)"


def _has_latest_days(connection: DuckDBPyConnection) -> bool:
    return connection.execute("SELECT 1 FROM duckdb_tables() WHERE table_name = 'latest_days'").fetchone() is not None


def _plain_on(latest: Mapping[str, datetime.date | None], as_of: datetime.date) -> frozenset[str]:
    """The tables that hold no date after the day."""
    return frozenset(table for table, day in latest.items() if day is None or day <= as_of)


def _view(table: Table, is_plain: bool) -> str:
    """The statement that makes the view of a table: with nothing to blank or leave out where it is plain."""
    flags = [f"FALSE AS {name(column.name + LATER)}" for column in table.columns.values() if _has_flag(column)]
    columns = [name(column) for column in (*table.columns, "authority", "row_ref")]
    select = f"SELECT {', '.join([*columns, *flags])} FROM main.{name(table.name)}" if is_plain else known_select(table)
    return f"CREATE OR REPLACE VIEW known.{name(table.name)} AS {select}"


def known_select(table: Table, day: str = CHOSEN_DAY, columns: frozenset[str] | None = None, *, of: str = "main") -> str:
    """The SELECT of a table as known at the close of a day, of all its columns or only those named."""
    kept = [column for column in table.columns.values() if columns is None or column.name in columns]
    later = [column for column in table.columns.values() if _has_flag(column)]
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


def _has_flag(column: Column) -> bool:
    """Whether a column beside it says that a date was blanked."""
    return _can_be_later(column) and not column.required


def _is_later(column: Column, day: str) -> str:
    """SQL that says a date, or a time of day, is after the close of the day."""
    return f"({name(column.name)} >= {day} + 1)"


def _blanked(column: Column, day: str) -> str:
    if not _has_flag(column):
        return name(column.name)
    return f"CASE WHEN NOT {_is_later(column, day)} THEN {name(column.name)} END AS {name(column.name)}"
