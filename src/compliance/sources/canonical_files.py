"""Canonical tables kept in one file: a workbook with a sheet a table, a SQLite file or a DuckDB file.

A sheet or table is named as in the schema. In a workbook the headings are the row, of the first twenty, with most columns
of the table in it: rows above them may explain.
"""

from __future__ import annotations

import re
import sqlite3
from collections.abc import Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import duckdb
import yaml
from duckdb import DuckDBPyConnection
from pydantic import ValidationError

from compliance.dataset.config import DatasetConfig
from compliance.dataset.ingest import History, Remark, Staged, shown
from compliance.dataset.schema import Schema, Table, load_schema
from compliance.dataset.values import name, quoted
from compliance.errors import DataError, UsageError
from compliance.sources.canonical import BATCH, Headings
from compliance.sources.heads import kind_of, open_sqlite, sqlite_tables
from compliance.sources.limits import Limits
from compliance.sources.reader import Source, SourceFile
from compliance.sources.workbook import Sheet, is_workbook, open_workbook

FORMAT = "canonical_files"
SETTINGS = "dataset_yaml"
"""The table, of one column `text`, or sheet whose first cell holds what `dataset.yaml` holds for a folder."""

_SAFE: dict[str, str | bool | int | float | list[str]] = {
    "python_enable_replacements": "false",
    "autoinstall_known_extensions": "false",
    "autoload_known_extensions": "false",
    "enable_external_access": "false",
}


def recognise(path: Path, head: bytes) -> str | None:
    """Why the file holds canonical tables, None where it does not."""
    schema, kind = load_schema(), kind_of(head)
    if kind == "sqlite":
        return _why("a SQLite file", [each for each, columns in sqlite_tables(path).items() if _fits(schema, each, columns)])
    if kind == "duckdb":
        return _why("a DuckDB file", [each for each, columns in duckdb_tables(path).items() if _fits(schema, each, columns)])
    if is_workbook(path, head):
        return _why("a workbook", [sheet.name for sheet in open_workbook(path).sheets if _sheet_table(schema, sheet)])
    return None


def stage(connection: DuckDBPyConnection, source: Source, schema: Schema, limits: Limits) -> list[Staged]:
    """The tables of each file as staged relations."""
    staged: list[Staged] = []
    for number, file in enumerate(source.files):
        limits.hold(file.label, "file_bytes", file.path.stat().st_size)
        with file.path.open("rb") as stream:
            kind = kind_of(stream.read(4096))
        part = _Part(connection, source, schema, limits, file, number)
        staged += part.sqlite() if kind == "sqlite" else part.duckdb() if kind == "duckdb" else part.workbook()
    return staged


def settings(path: Path, head: bytes) -> DatasetConfig | None:
    """What the file itself says that `dataset.yaml` says for a folder, None where it says nothing."""
    text = _settings_text(path, head)
    if text is None:
        return None
    try:
        return DatasetConfig.model_validate(yaml.safe_load(text) or {})
    except (yaml.YAMLError, ValidationError) as error:
        raise UsageError(f"{path.name}: its {SETTINGS} cannot be read: {str(error).splitlines()[0]}") from None


def _settings_text(path: Path, head: bytes) -> str | None:
    kind, query = kind_of(head), f"SELECT text FROM {SETTINGS}"
    if kind == "sqlite" and SETTINGS in sqlite_tables(path):
        with closing(open_sqlite(path)) as database:
            row = database.execute(query).fetchone()
    elif kind == "duckdb" and SETTINGS in duckdb_tables(path):
        with duckdb.connect(str(path), read_only=True, config=_SAFE) as connection:
            row = connection.execute(query).fetchone()
    elif is_workbook(path, head):
        cells = [sheet.head(1) for sheet in open_workbook(path).sheets if sheet.name == SETTINGS and sheet.rows]
        row = cells[0][0] if cells else None
    else:
        return None
    return str(row[0]) if row and row[0] else None


def duckdb_tables(path: Path) -> dict[str, list[str]]:
    """The tables of a DuckDB file, each with its columns; views, which could read other files, are left out."""
    try:
        with duckdb.connect(str(path), read_only=True, config=_SAFE) as connection:
            rows = connection.execute(
                "SELECT t.table_name, c.column_name FROM duckdb_tables() t "
                "JOIN duckdb_columns() c USING (database_oid, schema_oid, table_name) "
                "WHERE NOT t.internal AND t.schema_name = 'main' ORDER BY t.table_name, c.column_index"
            ).fetchall()
    except duckdb.Error as error:
        raise DataError(f"{path.name}: cannot be read as DuckDB: {str(error).splitlines()[0]}") from None
    tables: dict[str, list[str]] = {}
    for table, column in rows:
        tables.setdefault(table, []).append(column)
    return tables


def _why(what: str, tables: Sequence[str]) -> str | None:
    if not tables:
        return None
    more = f" and {len(tables) - 5} more" if len(tables) > 5 else ""
    return f"{what} with the canonical tables {', '.join(tables[:5])}{more}"


def _table(schema: Schema, word: str) -> Table | None:
    return schema.tables.get(_plain(word))


def _plain(word: str) -> str:
    return re.sub(r"[\s_-]+", "_", word.strip().lower())


def _fits(schema: Schema, word: str, columns: Sequence[str]) -> bool:
    table = _table(schema, word)
    return bool(table and {_plain(each) for each in columns} & table.columns.keys())


def _sheet_table(schema: Schema, sheet: Sheet) -> tuple[Table, int, list[str]] | None:
    """The table that a sheet holds, the index of its heading row, and the headings; None where it holds none."""
    table = _table(schema, sheet.name)
    rows = sheet.head() if table else []
    counts = [len({_plain(cell) for cell in row} & table.columns.keys()) if table else 0 for row in rows]
    if not table or not counts or not max(counts):
        return None
    row = counts.index(max(counts))
    return table, row, rows[row]


@dataclass(frozen=True)
class _Part:
    """One file, on its way into staged relations."""

    connection: DuckDBPyConnection
    source: Source
    schema: Schema
    limits: Limits
    file: SourceFile
    number: int

    def relation(self, table: Table) -> str:
        return self.source.relation(self.number, table.name)

    def label(self, sheet: str) -> str:
        return f"{self.file.label} > {sheet}"

    def workbook(self) -> list[Staged]:
        """The sheets that hold a table; one with rows that explain above its headings and none below was not filled in."""
        sheets = open_workbook(self.file.path, self.limits).sheets
        found = [(sheet, _sheet_table(self.schema, sheet)) for sheet in sheets]
        staged = [(each[1], self._sheet(sheet, *each)) for sheet, each in found if each]
        return [each for heading_row, each in staged if each.read or not heading_row]

    def _sheet(self, sheet: Sheet, table: Table, row: int, cells: Sequence[str]) -> Staged:
        headings = Headings.of(self.label(sheet.name), table, cells)
        kinds = ", ".join(f"'c{position}': 'VARCHAR'" for position in range(sheet.columns))
        columns = ", ".join(f"c{position} AS {name(column)}" for position, column in headings.columns.items())
        form = "auto_detect=false, header=false, delim=',', quote='\"', escape='\"', null_padding=true, parallel=false"
        source = f"read_csv({quoted(str(sheet.file))}, {form}, max_line_size=16777216, columns={{{kinds}}})"
        relation = self.relation(table)
        self.connection.execute(f"CREATE TABLE {relation} AS SELECT {columns} FROM {source}")
        some = " OR ".join(f"trim({name(column)}) <> ''" for column in headings.columns.values())
        rows = f"(SELECT rowid + 1 AS _row, * FROM {relation} WHERE rowid > {row} AND ({some}))"
        return self._staged(table, rows, sheet.name, headings)

    def sqlite(self) -> list[Staged]:
        """The tables of a SQLite file, read in batches."""
        with closing(open_sqlite(self.file.path)) as database:
            try:
                found = sqlite_tables(self.file.path)
                return [
                    self._sqlite_table(database, each, found[each]) for each in found if _fits(self.schema, each, found[each])
                ]
            except sqlite3.Error as error:
                raise DataError(f"{self.file.label}: cannot be read as SQLite: {error}") from None

    def _sqlite_table(self, database: sqlite3.Connection, word: str, columns: Sequence[str]) -> Staged:
        table = self.schema.tables[_plain(word)]
        headings = Headings.of(self.label(word), table, columns)
        relation, held = self.relation(table), list(headings.columns.values())
        self.connection.execute(f"CREATE TABLE {relation} (_row BIGINT, {', '.join(f'{name(each)} VARCHAR' for each in held)})")
        wanted = ", ".join(name(columns[position]) for position in headings.columns)
        marks = ", ".join(f"unnest(${n}::{'BIGINT' if n == 1 else 'VARCHAR'}[])" for n in range(1, len(held) + 2))
        first = 2
        for batch in _batches(database.execute(f"SELECT {wanted} FROM {name(word)}")):
            self.limits.hold(self.label(word), "rows", first + len(batch))
            texts = [[_text(value) for value in column] for column in zip(*batch, strict=True)]
            self.connection.execute(f"INSERT INTO {relation} SELECT {marks}", [list(range(first, first + len(batch))), *texts])
            first += len(batch)
        return self._staged(table, relation, word, headings)

    def duckdb(self) -> list[Staged]:
        """The tables of a DuckDB file, copied over and let go of."""
        found = duckdb_tables(self.file.path)
        other = f"file_{self.source.number}_{self.number}"
        try:
            self.connection.execute(f"ATTACH {quoted(str(self.file.path))} AS {other} (READ_ONLY)")
            try:
                return [self._duckdb_table(other, each, found[each]) for each in found if _fits(self.schema, each, found[each])]
            finally:
                self.connection.execute(f"DETACH {other}")
        except duckdb.Error as error:
            raise DataError(f"{self.file.label}: cannot be read as DuckDB: {str(error).splitlines()[0]}") from None

    def _duckdb_table(self, other: str, word: str, columns: Sequence[str]) -> Staged:
        table = self.schema.tables[_plain(word)]
        headings = Headings.of(self.label(word), table, columns)
        rows = self.connection.execute(f"SELECT count(*) FROM {other}.main.{name(word)}").fetchone()
        self.limits.hold(self.label(word), "rows", rows[0] if rows else 0)
        texts = ", ".join(f"{name(columns[n])}::VARCHAR AS {name(column)}" for n, column in headings.columns.items())
        relation = self.relation(table)
        self.connection.execute(f"CREATE TABLE {relation} AS SELECT rowid + 2 AS _row, {texts} FROM {other}.main.{name(word)}")
        return self._staged(table, relation, word, headings)

    def _staged(self, table: Table, relation: str, sheet: str, headings: Headings) -> Staged:
        read = (self.connection.execute(f"SELECT count(*) FROM {relation}").fetchone() or (0,))[0]
        history: History = self.source.config.history.get(table.name, "full")
        day = self.source.extract_date
        return Staged(
            table.name,
            relation,
            self.file.label,
            sheet,
            history,
            read,
            notices=tuple(Remark(each.row, shown(each.column), each.value, each.reason) for each in headings.unknown),
            columns=headings.held(None),
            extract_date=day,
        )


def _batches(cursor: sqlite3.Cursor) -> Iterator[list[tuple[Any, ...]]]:
    while batch := cursor.fetchmany(BATCH):
        yield batch


def _text(value: Any) -> str | None:
    """The value as text; bytes, which no column holds, are read as what they spell."""
    if value is None or isinstance(value, str):
        return value
    return value.decode("utf-8", errors="replace") if isinstance(value, bytes) else str(value)
