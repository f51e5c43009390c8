"""The canonical reader: a folder of `<table>.csv`, `<table>.parquet` or folders of Parquet, named as in the schema.

A folder named `authority=<code>` says which council the files below it belong to.
"""

from __future__ import annotations

import csv
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from hashlib import sha256
from itertools import islice
from pathlib import Path

import duckdb
from duckdb import DuckDBPyConnection

from compliance.dataset.config import DatasetConfig, nearest, read_config
from compliance.dataset.ingest import THREADS, History, Remark, Staged, shown
from compliance.dataset.schema import Schema, Table
from compliance.dataset.values import name, quoted
from compliance.errors import DataError, UsageError
from compliance.sources.folder import Scan, digest_of, files_in, scan
from compliance.sources.limits import DEFAULT_LIMITS, Limits

CONFIG_NAMES = ("dataset.yaml", "dataset.yml")
DECISIONS_NAME = "register.yaml"
"""What people decide about risks: no data, read by the register."""
STAGING = "staging"
BATCH = 20_000

_AUTHORITY_FOLDER = re.compile(r"authority=([^/]+)")


@dataclass(frozen=True, slots=True)
class Found:
    """A file that holds rows of a table."""

    table: str
    path: Path
    label: str
    authority: str | None


@dataclass(frozen=True)
class Folder:
    """A canonical dataset as it lies in a folder: its settings, its tables' files, and what was ignored."""

    root: Path
    config: DatasetConfig
    found: tuple[Found, ...]
    ignored: tuple[str, ...]
    digests: dict[str, str] = field(default_factory=dict)

    @property
    def digest(self) -> str:
        """The digest of every file that was read, by name and content."""
        lines = (f"{label} {digest}\n" for label, digest in sorted(self.digests.items()))
        return sha256("".join(lines).encode()).hexdigest()


def look(root: Path, schema: Schema) -> Folder:
    """What the folder holds, before any of it is read; refused where that is no canonical table."""
    folder = survey(root, schema)
    if not folder.found:
        raise nothing_found(root, folder.ignored, schema)
    return folder


def survey(root: Path, schema: Schema) -> Folder:
    """What the folder holds, by the names of its files; perhaps no canonical table."""
    config, found, ignored, digests = DatasetConfig(), [], [], {}
    for path in files_in(root):
        label = path.relative_to(root).as_posix()
        if label.lower() in CONFIG_NAMES:
            config, digests[label] = read_config(path, schema), digest_of(path)
        elif label == DECISIONS_NAME:
            continue
        elif table := table_of(path.relative_to(root), schema):
            authority = _AUTHORITY_FOLDER.search(label)
            found.append(Found(table, path, label, authority[1] if authority else None))
        else:
            ignored.append(label)
    return Folder(root, config, tuple(found), tuple(ignored), digests)


def stage(
    connection: DuckDBPyConnection,
    folder: Folder,
    schema: Schema,
    *,
    authority: str | None = None,
    progress: Callable[[str], None] | None = None,
    limits: Limits = DEFAULT_LIMITS,
) -> list[Staged]:
    """The folder's tables as staged relations; `authority` is the council of rows that name none."""
    connection.execute(f"CREATE SCHEMA IF NOT EXISTS {STAGING}")
    tables, staged = _by_table(folder, schema), []
    with ThreadPoolExecutor(THREADS) as threads:
        waiting = [
            threads.submit(_stage_table, connection.cursor(), folder, table, files, authority, limits) for table, files in tables
        ]
        for (table, _), each in zip(tables, waiting, strict=True):
            if progress:
                progress(f"reading {table.name}")
            staged += each.result()
    return staged


def _stage_table(
    connection: DuckDBPyConnection,
    folder: Folder,
    table: Table,
    files: Sequence[Found],
    authority: str | None,
    limits: Limits,
) -> list[Staged]:
    for file in files:
        limits.hold(file.label, "file_bytes", file.path.stat().st_size)
    history: History = folder.config.history.get(table.name, "full")
    staged = [_stage_csv(connection, folder, table, file, history, authority, limits) for file in files if _is_csv(file)]
    if parquet := [file for file in files if not _is_csv(file)]:
        staged.append(_stage_parquet(connection, folder, table, parquet, history, authority, limits))
    connection.close()
    return staged


def table_of(path: Path, schema: Schema) -> str | None:
    """The table that a file holds rows of, by its own name or, for Parquet, that of the folder it is in."""
    folders = [part.lower() for part in path.parts[:-1] if not _AUTHORITY_FOLDER.fullmatch(part)]
    suffix = path.suffix.lower()
    if suffix == ".parquet" and folders and folders[0] in schema.tables:
        return folders[0]
    stem = path.stem.lower()
    return stem if suffix in (".csv", ".parquet") and not folders and stem in schema.tables else None


def nothing_found(root: Path, ignored: Sequence[str], schema: Schema) -> UsageError:
    """Why a folder without a canonical table is refused, with the nearest name."""
    wanted = "looked for <table>.csv, <table>.parquet or a folder <table>/ of Parquet files, such as people.csv"
    for label in ignored:
        if found := nearest(Path(label).stem.lower(), schema.tables):
            return UsageError(f"{root} holds no canonical table: {label} is not one", help=f"{found}; {wanted}")
    return UsageError(f"{root} holds no canonical table" if ignored else f"{root} is empty", help=wanted)


def _by_table(folder: Folder, schema: Schema) -> list[tuple[Table, list[Found]]]:
    """Each table that the folder holds, in the order of the schema, with its files."""
    tables: dict[str, list[Found]] = {}
    for file in folder.found:
        tables.setdefault(file.table, []).append(file)
    return [(table, tables[table.name]) for table in schema.tables.values() if table.name in tables]


def _is_csv(file: Found) -> bool:
    return file.path.suffix.lower() == ".csv"


@dataclass(frozen=True, slots=True)
class Headings:
    """The headings of a file: which column of the table each position holds, and those that are not known."""

    count: int
    columns: Mapping[int, str]
    unknown: tuple[Remark, ...]

    @property
    def name_authority(self) -> bool:
        """Whether the rows say which council they belong to."""
        return "authority" in self.columns.values()

    def held(self, authority: str | None) -> frozenset[str]:
        """The columns of the staged relation, where the rows that name no council are of this one."""
        return frozenset({"_row", *self.columns.values(), *(["authority"] if authority else [])})

    @classmethod
    def of(cls, label: str, table: Table, headings: Sequence[str]) -> Headings:
        """The headings matched to the table, refused where none is its own or one comes twice."""
        columns: dict[int, str] = {}
        unknown: list[Remark] = []
        for position, heading in enumerate(headings):
            column = re.sub(r"[\s_-]+", "_", heading.strip().lower())
            if column in columns.values():
                raise UsageError(f"{label}: the heading {column} comes twice")
            if column in table.columns or column == "authority":
                columns[position] = column
            elif column:
                reason = "; ".join(filter(None, ["not a column of this table", nearest(column, table.columns)]))
                unknown.append(Remark(1, shown(heading), None, reason))
        if not set(columns.values()) - {"authority"}:
            wanted = ", ".join(table.columns)
            raise UsageError(f"{label}: no heading is a column of {table.name}", help=f"its columns are {wanted}")
        return cls(len(headings), columns, tuple(unknown))


def _stage_csv(
    connection: DuckDBPyConnection,
    folder: Folder,
    table: Table,
    file: Found,
    history: History,
    authority: str | None,
    limits: Limits,
) -> Staged:
    facts = scan(file.path)
    folder.digests[file.label] = facts.digest
    if facts.has_nul:
        raise DataError(f"{file.label}: holds NUL bytes, so it is not plain text", help="save it as CSV UTF-8")
    headings = Headings.of(file.label, table, _first_record(file, facts, limits))
    relation = f"{STAGING}.{name(f'text {file.path}')}"
    refused: list[Remark] = []
    rows, read = f"SELECT rowid + 2 AS _row, * FROM {relation}", None
    if facts.is_utf8 and not facts.has_blank_lines:
        read = _read_fast(connection, relation, file, headings)
    if read is None:
        rows, read = f"FROM {relation}", _read_exactly(connection, relation, file, facts, headings, refused, limits)
    limits.hold(file.label, "rows", read)
    view = f"(SELECT *{_said_authority(headings, file.authority or authority)} FROM ({rows}))"
    return Staged(
        table.name,
        view,
        file.label,
        None,
        history,
        read + len(refused),
        tuple(refused),
        headings.unknown,
        headings.held(file.authority or authority),
        facts.has_odd_spaces,
    )


def _read_fast(connection: DuckDBPyConnection, relation: str, file: Found, headings: Headings) -> int | None:
    """The number of rows read by DuckDB's own reader, None where it finds the file irregular."""
    kinds = ", ".join(f"'c{position}': 'VARCHAR'" for position in range(headings.count))
    columns = ", ".join(f"c{position} AS {name(column)}" for position, column in headings.columns.items())
    form = "auto_detect=false, header=true, delim=',', quote='\"', escape='\"'"
    source = f"read_csv({quoted(str(file.path))}, {form}, columns={{{kinds}}})"
    try:
        done = connection.execute(f"CREATE TABLE {relation} AS SELECT {columns} FROM {source}").fetchone()
    except duckdb.Error:
        return None
    return int(done[0]) if done else 0


def _read_exactly(
    connection: DuckDBPyConnection,
    relation: str,
    file: Found,
    facts: Scan,
    headings: Headings,
    refused: list[Remark],
    limits: Limits,
) -> int:
    """The number of rows read one by one, the lines with too few or too many values set aside in `refused`."""
    columns = ", ".join(f"{name(column)} VARCHAR" for column in headings.columns.values())
    connection.execute(f"CREATE TABLE {relation} (_row BIGINT, {columns})")
    marks = ", ".join(f"unnest(${n}::{'BIGINT' if n == 1 else 'VARCHAR'}[])" for n in range(1, len(headings.columns) + 2))
    rows, read = _regular_rows(file, facts, headings, refused, limits), 0
    while batch := list(islice(rows, BATCH)):
        lists = [list(column) for column in zip(*batch, strict=True)]
        connection.execute(f"INSERT INTO {relation} SELECT {marks}", lists)
        read += len(batch)
    return read


def _regular_rows(file: Found, facts: Scan, headings: Headings, refused: list[Remark], limits: Limits) -> Iterator[list[object]]:
    records = enumerate(_records(file, facts, limits), 1)
    next(records, None)
    for row, record in records:
        if len(record) == headings.count:
            yield [row, *(record[position] or None for position in headings.columns)]
        elif record:
            refused.append(Remark(row, None, None, f"{len(record)} values where the heading has {headings.count}"))


def _records(file: Found, facts: Scan, limits: Limits) -> Iterator[list[str]]:
    encoding = "utf-8-sig" if facts.is_utf8 else "cp1252"
    with file.path.open(encoding=encoding, errors="replace", newline="") as stream:
        reader = csv.reader(limits.lines(stream, file.label), strict=True)
        try:
            yield from reader
        except csv.Error as error:
            raise DataError(f"{file.label}:{reader.line_num}: {error}", help="save it as CSV UTF-8") from None


def _first_record(file: Found, facts: Scan, limits: Limits) -> list[str]:
    headings = next(_records(file, facts, limits), None)
    limits.hold(f"{file.label}: columns", "columns", len(headings or []))
    if not headings:
        raise UsageError(f"{file.label}: has no headings", help="its first line must name its columns")
    return headings


def _said_authority(headings: Headings, authority: str | None) -> str:
    """SQL for the column of the council, where the file's rows do not name theirs."""
    return f", {quoted(authority)} AS authority" if authority and not headings.name_authority else ""


def _stage_parquet(
    connection: DuckDBPyConnection,
    folder: Folder,
    table: Table,
    files: Sequence[Found],
    history: History,
    authority: str | None,
    limits: Limits,
) -> Staged:
    for file in files:
        folder.digests[file.label] = digest_of(file.path)
    label = files[0].label if len(files) == 1 else f"{table.name}/ ({len(files)} Parquet files)"
    try:
        return _parquet_rows(connection, table, files, label, history, authority, limits)
    except duckdb.Error as error:
        raise DataError(f"{label}: cannot be read as Parquet: {str(error).splitlines()[0]}") from None


def _parquet_rows(
    connection: DuckDBPyConnection,
    table: Table,
    files: Sequence[Found],
    label: str,
    history: History,
    authority: str | None,
    limits: Limits,
) -> Staged:
    paths = ", ".join(quoted(str(file.path)) for file in files)
    source = f"read_parquet([{paths}], union_by_name=true, hive_partitioning=false, filename=true, file_row_number=true)"
    shape = connection.execute(f"SELECT * EXCLUDE (filename, file_row_number) FROM {source} LIMIT 0").description
    limits.hold(f"{label}: columns", "columns", len(shape))
    headings = Headings.of(label, table, [column[0] for column in shape])
    starts, read = _starts(connection, files, authority)
    limits.hold(label, "rows", read)
    columns = ", ".join(f"{name(shape[n][0])}::VARCHAR AS {name(column)}" for n, column in headings.columns.items())
    council = next((said for file in files if (said := file.authority or authority)), None)
    own = ", f.authority" if council and not headings.name_authority else ""
    view = (
        f"(SELECT r.file_row_number + f.start + 2 AS _row, {columns}{own} "
        f"FROM {source} r JOIN ({starts}) f ON r.filename = f.filename)"
    )
    return Staged(table.name, view, label, None, history, read, (), headings.unknown, headings.held(council))


def _starts(connection: DuckDBPyConnection, files: Sequence[Found], authority: str | None) -> tuple[str, int]:
    """SQL of how many rows come before each file and of its council, and the number of rows in all."""
    paths = ", ".join(quoted(str(file.path)) for file in files)
    counts = dict(connection.execute(f"SELECT file_name, num_rows FROM parquet_file_metadata([{paths}])").fetchall())
    start, rows = 0, []
    for file in files:
        council = file.authority or authority
        rows.append(f"({quoted(str(file.path))}, {start}::BIGINT, {quoted(council) if council else 'NULL'}::VARCHAR)")
        start += counts[str(file.path)]
    return f"SELECT * FROM (VALUES {', '.join(rows)}) AS starts(filename, start, authority)", start
