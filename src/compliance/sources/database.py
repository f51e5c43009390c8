"""A live database read by SQLAlchemy URL: PostgreSQL, SQL Server or MySQL; nothing is ever written to it.

Everything is read in one transaction: read only where the database has such transactions (PostgreSQL, MySQL), and rolled
back in any case. Rows come through a cursor on the server, a batch at a time. SQLAlchemy and the drivers are imported
only when a database is opened.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any
from urllib.parse import unquote

from compliance.errors import DataError, UsageError
from compliance.sources.text_table import BATCH

if TYPE_CHECKING:
    from sqlalchemy import ColumnClause, Connection, Engine, Select
    from sqlalchemy.engine import URL

NAMES = {"postgresql": "PostgreSQL", "postgres": "PostgreSQL", "mysql": "MySQL", "mariadb": "MariaDB", "mssql": "SQL Server"}
DRIVERS = {
    "postgresql": ("psycopg", "pip install 'compliance[postgres]'"),
    "mysql": ("pymysql", "pip install pymysql"),
    "mariadb": ("pymysql", "pip install pymysql"),
    "mssql": ("pyodbc", "pip install pyodbc, and Microsoft's ODBC driver"),
}
TIMEOUT = {"psycopg": "connect_timeout", "psycopg2": "connect_timeout", "pymysql": "connect_timeout", "pyodbc": "timeout"}
SCHEMAS = ("ssd_development",)
"""Where a council's database team usually puts the tables."""
CONNECT_SECONDS = 15
LOCK_SECONDS = 60

_SETTINGS = {
    "postgresql": ("SET LOCAL datestyle = 'ISO, YMD'", f"SET LOCAL lock_timeout = '{LOCK_SECONDS}s'"),
    "mssql": (f"SET LOCK_TIMEOUT {LOCK_SECONDS * 1000}",),
}
_READ_ONLY = {"mysql": "SET SESSION TRANSACTION READ ONLY", "mariadb": "SET SESSION TRANSACTION READ ONLY"}
_USER_PART = re.compile(r"//[^\s]*@")
_SECRET_OPTION = re.compile(r"pass|pwd|secret|token|key|odbc_connect", re.IGNORECASE)
_ODBC_PASSWORD = re.compile(r"(?:pwd|password)=([^;&]+)", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class FoundTable:
    """A table or view of the database, with its columns as they are spelled there."""

    schema: str
    name: str
    columns: tuple[str, ...]


@dataclass(frozen=True)
class Database:
    """A database in a transaction that only reads."""

    connection: Connection
    label: str
    schema: str | None
    url: str

    @property
    def default_schema(self) -> str | None:
        """Where a table without a schema is looked for."""
        return self.connection.dialect.default_schema_name

    def tables(self, names: Sequence[str]) -> list[FoundTable]:
        """The tables and views with one of these names, without regard to case, in every schema that may be seen."""
        with _said(self, "its tables cannot be listed"):
            rows = self.connection.execute(listing(names, self.connection.dialect.name)).fetchall()
        found: dict[tuple[str, str], list[str]] = {}
        for schema, table, column in rows:
            found.setdefault((str(schema), str(table)), []).append(str(column))
        return [FoundTable(schema, table, tuple(columns)) for (schema, table), columns in sorted(found.items())]

    def rows(self, table: FoundTable, columns: Sequence[str], order: str | None) -> Iterator[Sequence[Sequence[Any]]]:
        """The rows of a table in batches, in the order of a column so that each reading numbers them alike."""
        query = reading(table, columns, order, self.connection.dialect.name)
        with _said(self, f"{table.name} cannot be read"):
            result = self.connection.execute(query, execution_options={"stream_results": True, "yield_per": BATCH})
            yield from result.partitions(BATCH)


def recognise_url(url: str) -> str | None:
    """What the database is, by its URL, None where it is not one of these; it is not opened."""
    return NAMES.get(_dialect(url))


@contextmanager
def opened(url: str, label: str) -> Iterator[Database]:
    """The database in a transaction that only reads, rolled back at the end; `label` is the URL as it may be shown."""
    engine, schema = _engine(url, label)
    try:
        connection = _connected(engine, url, label)
        try:
            yield Database(connection, label, schema, url)
        finally:
            connection.close()
    finally:
        engine.dispose()


def listing(names: Sequence[str], dialect: str) -> Select[Any]:
    """The query for the columns of every table with one of these names."""
    from sqlalchemy import func, select, table

    spelled = str.upper if dialect == "mssql" else str.lower
    words = ("table_schema", "table_name", "column_name", "ordinal_position")
    schema, name, field, position = [_column(spelled(each)) for each in words]
    columns = table(spelled("columns"), schema, name, field, position, schema=spelled("information_schema"))
    wanted = func.lower(name).in_([each.lower() for each in names])
    return select(schema, name, field).select_from(columns).where(wanted).order_by(schema, name, position)


def reading(found: FoundTable, columns: Sequence[str], order: str | None, dialect: str) -> Select[Any]:
    """The query for these columns of a table, as text where the database writes dates in the way of ISO."""
    from sqlalchemy import Text, cast, select, table
    from sqlalchemy.sql import quoted_name

    fields = [_column(quoted_name(each, quote=True)) for each in dict.fromkeys([*columns, *([order] if order else [])])]
    schema = quoted_name(found.schema, quote=True)
    source = table(quoted_name(found.name, quote=True), *fields, schema=schema).alias("t")
    as_text = dialect in ("postgresql", "mysql", "mariadb")
    query = select(*(cast(source.c[each], Text) if as_text else source.c[each] for each in columns))
    return query.order_by(source.c[order]) if order else query


def _column(name: str) -> ColumnClause[Any]:
    from sqlalchemy import column

    return column(name)


def _dialect(url: str) -> str:
    return url.partition("://")[0].partition("+")[0].lower()


def _engine(url: str, label: str) -> tuple[Engine, str | None]:
    """The engine, not yet connected, and the schema that the URL asks for with `?schema=`."""
    try:
        from sqlalchemy import create_engine
        from sqlalchemy.exc import ArgumentError, NoSuchModuleError
        from sqlalchemy.pool import NullPool
    except ModuleNotFoundError:
        raise UsageError(f"{label}: reading a database needs SQLAlchemy", help="pip install sqlalchemy") from None

    asked, schema = _asked(url, label)
    dialect = asked.get_backend_name()
    timeout = TIMEOUT.get(asked.get_driver_name())
    given = {timeout: CONNECT_SECONDS} if timeout and timeout not in asked.query else {}
    try:
        return create_engine(asked, poolclass=NullPool, hide_parameters=True, connect_args=given), schema
    except ModuleNotFoundError as error:
        raise UsageError(f"{label}: the driver {error.name} is not installed", help=DRIVERS[dialect][1]) from None
    except (ArgumentError, NoSuchModuleError):
        raise UsageError(f"{label}: names no driver that is known", help=f"use {dialect}+{DRIVERS[dialect][0]}://") from None


def _asked(url: str, label: str) -> tuple[URL, str | None]:
    """The URL with the driver that is used where it names none, and without `?schema=`, which it may hold."""
    from sqlalchemy.engine import make_url
    from sqlalchemy.exc import ArgumentError

    try:
        made = make_url(re.sub(r"^postgres(?=[+:])", "postgresql", url))
    except (ArgumentError, ValueError):
        help = "write user:password@host:port/database, with / @ : # ? and % of a password as %2F %40 %3A %23 %3F %25"
        raise UsageError(f"{label}: is not a URL that can be read", help=help) from None
    if "+" not in made.drivername:
        made = made.set(drivername=f"{made.drivername}+{DRIVERS[made.drivername][0]}")
    if made.get_driver_name() == "pyodbc" and "ApplicationIntent" not in made.query:
        made = made.update_query_dict({"ApplicationIntent": "ReadOnly"})
    schema = made.query.get("schema")
    return made.difference_update_query(["schema"]), str(schema) if schema else None


def _connected(engine: Engine, url: str, label: str) -> Connection:
    from sqlalchemy.exc import DBAPIError, SQLAlchemyError

    dialect = engine.dialect.name
    options: dict[str, Any] = {"isolation_level": "READ COMMITTED" if dialect == "mssql" else "REPEATABLE READ"}
    if dialect == "postgresql":
        options["postgresql_readonly"] = True
    try:
        connection = engine.connect().execution_options(**options)
        if dialect in _READ_ONLY:
            connection.exec_driver_sql(_READ_ONLY[dialect])
            connection.rollback()
        for statement in _SETTINGS.get(dialect, ()):
            connection.exec_driver_sql(statement)
    except (SQLAlchemyError, OSError, ValueError) as error:
        cause = error.orig if isinstance(error, DBAPIError) and error.orig else error
        raise UsageError(f"{label}: cannot be opened: {_plain(cause, url)}") from None
    return connection


@contextmanager
def _said(database: Database, what: str) -> Iterator[None]:
    """A stretch in which what the database refuses is said in one line."""
    from sqlalchemy.exc import DBAPIError, SQLAlchemyError

    try:
        yield
    except SQLAlchemyError as error:
        cause = error.orig if isinstance(error, DBAPIError) and error.orig else error
        raise DataError(f"{database.label}: {what}: {_plain(cause, database.url)}") from None


def _plain(error: BaseException, url: str) -> str:
    """The first line of what a driver says, without any secret of the URL."""
    said = str(error)
    for secret in sorted(_secrets(url), key=len, reverse=True):
        said = said.replace(secret, "***")
    lines = [line.strip() for line in _USER_PART.sub("//", said).splitlines() if line.strip()]
    return "".join(each if each.isprintable() else " " for each in lines[0])[:300] if lines else type(error).__name__


def _secrets(url: str) -> set[str]:
    """What of the URL is never shown: its password and each option that holds one, as written and as meant."""
    password = url.partition("://")[2].rpartition("@")[0].partition(":")[2]
    options = [each.partition("=") for each in url.partition("?")[2].split("&")]
    found = {password, *password.split("@"), *(value for key, _, value in options if _SECRET_OPTION.search(key))}
    found |= {each for secret in found for each in _ODBC_PASSWORD.findall(unquote(secret))}
    return {each for secret in found if secret for each in (secret, unquote(secret))}
