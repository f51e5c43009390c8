"""The Standard Safeguarding Dataset: a folder of CSV or Parquet, a SQLite file, or a live database by its URL.

Its tables and fields, what the codes are called and which fields fill which canonical table is in `ssd.yaml`.
Placeholder rows, and repeats of a row, are left out and said so. A table without rows says nothing of its subject: it
fills no canonical table, so that rules which need it are not evaluated.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path

from duckdb import DuckDBPyConnection

from compliance.dataset import values
from compliance.dataset.ingest import Remark, Staged
from compliance.dataset.schema import Schema
from compliance.sources import database
from compliance.sources.heads import csv_headings, kind_of, sqlite_tables
from compliance.sources.limits import Limits
from compliance.sources.reader import Source
from compliance.sources.ssd_cleaning import Cleaning, Kept, create_macros
from compliance.sources.ssd_filling import Staging
from compliance.sources.ssd_mapping import mapping
from compliance.sources.ssd_tables import Reading, parquet_columns, table_of, tables_in

FORMAT = "ssd"
NAMED = 3


def recognise(path: Path, head: bytes) -> str | None:
    """Why the file is of the dataset, None where it is not."""
    tables = mapping().tables
    match kind_of(head):
        case "text":
            found = table_of(tables, csv_headings(head))
            return f"{found.name}, by its headings" if found else None
        case "parquet":
            found = table_of(tables, parquet_columns(path))
            return f"{found.name}, by its columns" if found else None
        case "sqlite":
            names = sorted(each.name for each in tables_in(tables, sqlite_tables(path)).values())
            more = f" and {len(names) - NAMED} more" if len(names) > NAMED else ""
            return f"a SQLite file with the tables {', '.join(names[:NAMED])}{more}" if names else None
        case _:
            return None


def recognise_url(url: str) -> str | None:
    """Why the URL is of a database that can be opened, None where it is not; it is not opened yet."""
    kind = database.recognise_url(url)
    return f"a {kind} database, by its URL" if kind else None


def stage(connection: DuckDBPyConnection, source: Source, schema: Schema, limits: Limits) -> list[Staged]:
    """The canonical tables that the source's tables fill."""
    said = mapping()
    extract = Reading(connection, source, said.tables, said.wanted, limits).extract()
    connection.execute(values.create_macros())
    create_macros(connection, said.blanks)
    kept = [Cleaning(connection, source, each).kept() for each in extract.held]
    staged = Staging(connection, source, schema, tuple(each for each in kept if each.rows)).staged()
    connection.execute(values.drop_macros())
    remarks = [*_empty(kept), *_unneeded(extract.unneeded)]
    if staged and remarks:
        staged[0] = replace(staged[0], notices=(*staged[0].notices, *remarks))
    return staged


def _empty(kept: Sequence[Kept]) -> Iterator[Remark]:
    """What is said of the tables without rows: nothing is known of what they would hold."""
    filled = {each.held.table.name for each in kept if each.rows}
    for each in kept:
        table = each.held.table.name
        if table not in filled:
            yield from each.notices
            yield Remark(None, table, None, "holds no rows, so nothing is known of it")


def _unneeded(tables: Sequence[str]) -> Iterator[Remark]:
    if tables:
        yield Remark(None, None, None, f"not read, as no rule needs them: {', '.join(tables)}")
