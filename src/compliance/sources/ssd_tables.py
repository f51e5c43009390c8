"""The tables of the Standard Safeguarding Dataset wherever they are kept, each put into a relation of text.

A table is a CSV or Parquet file with its fields as headings, a table of a SQLite file, or one of a live database. Only the
fields that are asked for are read: names of children never leave the source.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass
from difflib import get_close_matches
from functools import cache
from itertools import count
from pathlib import Path
from typing import Any

import duckdb
from duckdb import DuckDBPyConnection

from compliance.dataset.ingest import Remark, shown
from compliance.dataset.values import name, quoted
from compliance.errors import DataError, UsageError
from compliance.sources import database
from compliance.sources.csv_text import load_csv, numbered
from compliance.sources.heads import csv_headings, kind_of, open_sqlite, sqlite_tables
from compliance.sources.limits import Limits
from compliance.sources.reader import HEAD_BYTES, Source, SourceFile
from compliance.sources.recognise import shown_url
from compliance.sources.text_table import TextTable, batches

FIRST_ROW = 2
"""The number of the first row of data, where the headings are row 1."""
FIELDS_NEEDED = 2

_SAFE: dict[str, str | bool | int | float | list[str]] = {
    "python_enable_replacements": "false",
    "autoinstall_known_extensions": "false",
    "autoload_known_extensions": "false",
}


@dataclass(frozen=True)
class SsdTable:
    """A table of the dataset: its key, the field that says whose a row is, all its fields, and other names for them."""

    name: str
    key: str
    person: str | None
    fields: tuple[str, ...]
    also: Mapping[str, str]

    def positions(self, headings: Sequence[str]) -> dict[str, int]:
        """Where each field is among the headings, refused where one is there twice."""
        found: dict[str, int] = {}
        for position, heading in enumerate(headings):
            field = self.field_of(heading)
            if field in found and field == _plain(heading):
                raise UsageError(f"{self.name}: the heading {field} comes twice", help="keep one of the columns")
            if field:
                found.setdefault(field, position)
        return found

    def field_of(self, heading: str) -> str | None:
        """The field that a heading names, None where it names none."""
        word = _plain(heading)
        return word if word in self.fields else self.also.get(word)

    def fits(self, headings: Sequence[str]) -> int:
        """How many of the headings are fields of the table by their own names."""
        return len({_plain(each) for each in headings} & set(self.fields))


@dataclass(frozen=True)
class Held:
    """A table as put into a relation: where it came from, the fields it holds, and what could not be read."""

    number: int
    table: SsdTable
    relation: str
    file: str
    sheet: str | None
    fields: tuple[str, ...]
    rows: int
    is_csv: bool
    refused: tuple[Remark, ...]
    notices: tuple[Remark, ...]

    @property
    def rows_of(self) -> str:
        """The relation with its row numbers."""
        return numbered(self.relation) if self.is_csv else self.relation

    def let_go(self, connection: DuckDBPyConnection) -> None:
        """Drops what was read."""
        if self.is_csv:
            connection.execute(f"DROP VIEW {numbered(self.relation)}")
        connection.execute(f"DROP TABLE {self.relation}")


@dataclass(frozen=True)
class Extract:
    """Everything of the dataset that one source holds: the tables that are read, and the names of those that are not needed."""

    held: tuple[Held, ...]
    unneeded: tuple[str, ...]


def table_of(tables: Mapping[str, SsdTable], headings: Sequence[str]) -> SsdTable | None:
    """The table whose fields the headings are, None where they are those of none."""
    fits, best = max(((each.fits(headings), each.name) for each in tables.values()), default=(0, ""))
    return tables[best] if fits >= FIELDS_NEEDED else None


def tables_in(tables: Mapping[str, SsdTable], columns: Mapping[str, Sequence[str]]) -> dict[str, SsdTable]:
    """The tables of a database, by their names there, that are named and shaped as tables of the dataset."""
    named = {each: tables.get(_plain(each)) for each in columns}
    return {word: each for word, each in named.items() if each and each.fits(columns[word]) >= FIELDS_NEEDED}


def parquet_columns(path: Path) -> list[str]:
    """The columns of a Parquet file, none where it cannot be read."""
    source = f"read_parquet({quoted(str(path))}, hive_partitioning=false)"
    try:
        with _looking().cursor() as cursor:
            return [each[0] for each in cursor.execute(f"SELECT * FROM {source} LIMIT 0").description]
    except duckdb.Error:
        return []


@cache
def _looking() -> DuckDBPyConnection:
    """A connection that holds nothing, to look at files with: to open one takes longer than to look at a hundred."""
    return duckdb.connect(config=_SAFE)


@dataclass(frozen=True)
class Reading:
    """One reading of a source: the tables that it may hold, and the fields of them that are wanted."""

    connection: DuckDBPyConnection
    source: Source
    tables: Mapping[str, SsdTable]
    wanted: frozenset[str]
    limits: Limits

    def extract(self) -> Extract:
        """The tables that are wanted, each put into a relation of its own."""
        numbers = count(1)
        found = list(self._database(self.source.url, numbers) if self.source.url else self._files(numbers))
        held = tuple(each for each in found if isinstance(each, Held))
        return Extract(held, tuple(dict.fromkeys(each for each in found if isinstance(each, str))))

    def _files(self, numbers: Iterator[int]) -> Iterator[Held | str]:
        for file in self.source.files:
            self.limits.hold(file.label, "file_bytes", file.path.stat().st_size)
            with file.path.open("rb") as stream:
                head = stream.read(HEAD_BYTES)
            match kind_of(head):
                case "sqlite":
                    yield from self._sqlite(file, numbers)
                case "parquet":
                    yield self._parquet(file, numbers)
                case _:
                    yield self._csv(file, csv_headings(head), numbers)

    def _csv(self, file: SourceFile, headings: Sequence[str], numbers: Iterator[int]) -> Held | str:
        table = self._table(file.label, headings)
        wanted = self._wanted(table, headings)
        if not wanted:
            return table.name
        number, relation = self._relation(table, numbers)
        loaded = load_csv(self.connection, relation, file.path, file.label, wanted, self.limits, strict=False)
        remarks = self._unknown(table, headings)
        return Held(number, table, relation, file.label, None, tuple(wanted), loaded.read, True, loaded.refused, remarks)

    def _parquet(self, file: SourceFile, numbers: Iterator[int]) -> Held | str:
        headings = parquet_columns(file.path)
        table = self._table(file.label, headings)
        wanted = self._wanted(table, headings)
        if not wanted:
            return table.name
        self.limits.hold(file.label, "columns", len(headings))
        number, relation = self._relation(table, numbers)
        columns = ", ".join(f"{name(headings[position])}::VARCHAR AS {name(field)}" for field, position in wanted.items())
        source = f"read_parquet({quoted(str(file.path))}, hive_partitioning=false, file_row_number=true)"
        try:
            rows = self._one(f"SELECT num_rows FROM parquet_file_metadata({quoted(str(file.path))})")
            self.limits.hold(file.label, "rows", rows)
            self.connection.execute(
                f"CREATE TABLE {relation} AS SELECT file_row_number + {FIRST_ROW} AS _row, {columns} FROM {source}"
            )
        except duckdb.Error as error:
            raise DataError(f"{file.label}: cannot be read as Parquet: {str(error).splitlines()[0]}") from None
        remarks = self._unknown(table, headings)
        return Held(number, table, relation, file.label, None, tuple(wanted), rows, False, (), remarks)

    def _sqlite(self, file: SourceFile, numbers: Iterator[int]) -> Iterator[Held | str]:
        columns = sqlite_tables(file.path)
        with closing(open_sqlite(file.path)) as opened:
            for word, table in tables_in(self.tables, columns).items():
                wanted = self._wanted(table, columns[word])
                if not wanted:
                    yield table.name
                    continue
                query = f"SELECT {', '.join(name(columns[word][position]) for position in wanted.values())} FROM {name(word)}"
                try:
                    rows = batches(opened.execute(query))
                    yield self._filled(table, file.label, word, columns[word], rows, numbers)
                except sqlite3.Error as error:
                    raise DataError(f"{file.label}: {word} cannot be read: {error}") from None

    def _database(self, url: str, numbers: Iterator[int]) -> Iterator[Held | str]:
        label = shown_url(url)
        with database.opened(url, label) as opened:
            found = opened.tables([*self.tables, *(f"#{each}" for each in self.tables)])
            columns = {each: each.columns for each in self._chosen(opened, found)}
            for there, headings in columns.items():
                table = self.tables[_plain(there.name)]
                wanted = self._wanted(table, headings)
                if not wanted:
                    yield table.name
                    continue
                key = next((each for each in headings if table.field_of(each) == table.key), None)
                rows = opened.rows(there, [headings[position] for position in wanted.values()], key)
                yield self._filled(table, label, there.name, headings, rows, numbers)

    def _chosen(self, opened: database.Database, found: Sequence[database.FoundTable]) -> list[database.FoundTable]:
        """The tables of the one schema that the dataset is in: the one asked for, the usual one, the default, or the only one."""
        fits = [each for each in found if self.tables[_plain(each.name)].fits(each.columns) >= FIELDS_NEEDED]
        schemas = {each.schema.lower(): each.schema for each in fits}
        asked = opened.schema.lower() if opened.schema else None
        if asked and asked not in schemas:
            raise UsageError(f"{opened.label}: no SSD tables in the schema {opened.schema}", help=_schemas(schemas))
        usual = [asked, *database.SCHEMAS, (opened.default_schema or "").lower()]
        chosen = next((each for each in usual if each in schemas), None)
        if chosen is None and len(schemas) > 1:
            raise UsageError(f"{opened.label}: several schemas hold SSD tables", help=_schemas(schemas))
        if not schemas:
            raise UsageError(
                f"{opened.label}: holds no SSD tables that may be read", help="they are named ssd_person, ssd_cin_episodes, …"
            )
        own = [each for each in fits if each.schema == schemas[chosen or next(iter(schemas))]]
        return list({_plain(each.name): each for each in sorted(own, key=lambda each: (each.name.islower(), each.name))}.values())

    def _filled(
        self,
        table: SsdTable,
        file: str,
        sheet: str,
        headings: Sequence[str],
        rows: Iterable[Sequence[Sequence[Any]]],
        numbers: Iterator[int],
    ) -> Held:
        """The table as filled from rows that come in batches."""
        self.limits.hold(f"{file} > {sheet}", "columns", len(headings))
        fields = tuple(self._wanted(table, headings))
        number, relation = self._relation(table, numbers)
        filled, first = TextTable.create(self.connection, relation, fields), FIRST_ROW
        for batch in rows:
            self.limits.hold(f"{file} > {sheet}", "rows", first + len(batch))
            filled.add([range(first, first + len(batch))], batch)
            first += len(batch)
        remarks = self._unknown(table, headings)
        return Held(number, table, relation, file, sheet, fields, first - FIRST_ROW, False, (), remarks)

    def _table(self, label: str, headings: Sequence[str]) -> SsdTable:
        table = table_of(self.tables, headings)
        if not table:
            raise DataError(f"{label}: changed while it was being read")
        return table

    def _wanted(self, table: SsdTable, headings: Sequence[str]) -> dict[str, int]:
        """Where each field that is wanted is among the headings; a table without any is not needed."""
        positions = table.positions(headings)
        return {field: position for field, position in positions.items() if field in self.wanted}

    def _unknown(self, table: SsdTable, headings: Sequence[str]) -> tuple[Remark, ...]:
        """What there is to say of headings that name no field, with the nearest that does and is not there."""
        left = [each for each in table.fields if each not in table.positions(headings)]
        remarks = []
        for heading in headings:
            if _plain(heading) and not table.field_of(heading):
                near = get_close_matches(_plain(heading), left, n=1)
                reason = f"not a field of {table.name}" + (f"; the nearest is {near[0]}" if near else "")
                remarks.append(Remark(1, shown(heading), None, reason))
        return tuple(remarks)

    def _relation(self, table: SsdTable, numbers: Iterator[int]) -> tuple[int, str]:
        number = next(numbers)
        return number, self.source.relation("ssd", number, table.name)

    def _one(self, sql: str) -> int:
        row = self.connection.execute(sql).fetchone()
        return int(row[0]) if row else 0


def _plain(word: str) -> str:
    return word.strip().lstrip("#").lower()


def _schemas(schemas: Mapping[str, str]) -> str:
    there = ", ".join(sorted(schemas.values()))
    return f"end the URL with ?schema= and one of: {there}" if there else "no schema that may be seen has them"
