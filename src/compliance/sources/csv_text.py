"""A CSV file put into a relation of text columns, whatever its encoding, line ends and blank lines."""

from __future__ import annotations

import csv
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import islice
from pathlib import Path

import duckdb
from duckdb import DuckDBPyConnection

from compliance.dataset.ingest import Remark
from compliance.dataset.values import name, quoted
from compliance.errors import DataError
from compliance.sources.folder import Scan, scan
from compliance.sources.heads import encoding_of
from compliance.sources.limits import Limits
from compliance.sources.reader import HEAD_BYTES

BATCH = 20_000


@dataclass(frozen=True)
class Loaded:
    """What became of a CSV file: its headings, its rows in the relation, and the lines that could not be read."""

    headings: tuple[str, ...]
    read: int
    refused: tuple[Remark, ...]
    has_odd_spaces: bool


def load_csv(
    connection: DuckDBPyConnection,
    relation: str,
    path: Path,
    label: str,
    columns: Mapping[str, int],
    limits: Limits,
    *,
    strict: bool = True,
) -> Loaded:
    """Makes the relation: `_row`, the line of the file, and each column from its position among the headings.

    A file with quotes out of place is refused, unless `strict` is false: then only its lines that do not fit are.
    """
    limits.hold(label, "file_bytes", path.stat().st_size)
    facts, encoding = scan(path), _encoding(path)
    encoding = "cp1252" if encoding == "utf-8" and not facts.is_utf8 else encoding
    if facts.has_nul and encoding != "utf-16":
        raise DataError(f"{label}: holds NUL bytes, so it is not plain text", help="save it as CSV UTF-8")
    headings = _headings(path, label, encoding, limits)
    refused: list[Remark] = []
    read = _read_fast(connection, relation, path, columns, len(headings)) if _is_plain(facts, encoding) else None
    if read is None:
        read = _read_exactly(connection, relation, path, label, encoding, columns, len(headings), refused, limits, strict)
    limits.hold(label, "rows", read)
    return Loaded(tuple(headings), read, tuple(refused), facts.has_odd_spaces or encoding == "utf-16")


def _is_plain(facts: Scan, encoding: str) -> bool:
    return encoding in ("utf-8", "utf-8-sig") and facts.is_utf8 and not facts.has_blank_lines


def _encoding(path: Path) -> str:
    with path.open("rb") as stream:
        return encoding_of(stream.read(HEAD_BYTES))


def _headings(path: Path, label: str, encoding: str, limits: Limits) -> list[str]:
    with path.open("rb") as stream:
        limits.hold(f"{label}: its first line", "text_bytes", len(stream.readline(limits.text_bytes + 1)))
    headings = next(_records(path, label, encoding, limits), None) or []
    limits.hold(f"{label}: columns", "columns", len(headings))
    return headings


def _read_fast(connection: DuckDBPyConnection, relation: str, path: Path, columns: Mapping[str, int], count: int) -> int | None:
    """The number of rows read by DuckDB's own reader, None where it finds the file irregular."""
    kinds = ", ".join(f"'c{position}': 'VARCHAR'" for position in range(count))
    held = ", ".join(f"c{position} AS {name(column)}" for column, position in columns.items())
    form = "auto_detect=false, header=true, delim=',', quote='\"', escape='\"'"
    source = f"read_csv({quoted(str(path))}, {form}, columns={{{kinds}}})"
    try:
        connection.execute(f"CREATE TABLE {relation} AS SELECT {held} FROM {source}")
    except duckdb.Error:
        return None
    connection.execute(f"CREATE VIEW {_view(relation)} AS SELECT rowid + 2 AS _row, * FROM {relation}")
    return int((connection.execute(f"SELECT count(*) FROM {relation}").fetchone() or (0,))[0])


def numbered(relation: str) -> str:
    """The name of the relation with its row numbers."""
    return _view(relation)


def _view(relation: str) -> str:
    schema, _, own = relation.partition(".")
    return f"{schema}.{name(own.strip(chr(34)) + ' numbered')}"


def _read_exactly(
    connection: DuckDBPyConnection,
    relation: str,
    path: Path,
    label: str,
    encoding: str,
    columns: Mapping[str, int],
    count: int,
    refused: list[Remark],
    limits: Limits,
    strict: bool,
) -> int:
    """The number of rows read one by one, the lines with too few or too many values set aside in `refused`."""
    held = ", ".join(f"{name(column)} VARCHAR" for column in columns)
    connection.execute(f"CREATE TABLE {relation} (_row BIGINT, {held})")
    connection.execute(f"CREATE VIEW {_view(relation)} AS FROM {relation}")
    marks = ", ".join(f"unnest(${n}::{'BIGINT' if n == 1 else 'VARCHAR'}[])" for n in range(1, len(columns) + 2))
    rows, read = _regular(_records(path, label, encoding, limits, strict), list(columns.values()), count, refused), 0
    while batch := list(islice(rows, BATCH)):
        connection.execute(f"INSERT INTO {relation} SELECT {marks}", [list(column) for column in zip(*batch, strict=True)])
        read += len(batch)
    return read


def _regular(records: Iterator[list[str]], positions: Sequence[int], count: int, refused: list[Remark]) -> Iterator[list[object]]:
    numbered_records = enumerate(records, 1)
    next(numbered_records, None)
    for row, record in numbered_records:
        if len(record) == count or (len(record) > count and not any(map(str.strip, record[count:]))):
            yield [row, *(record[position] or None for position in positions)]
        elif any(map(str.strip, record)):
            refused.append(Remark(row, None, None, f"{len(record)} values where the heading has {count}"))


def _records(path: Path, label: str, encoding: str, limits: Limits, strict: bool = True) -> Iterator[list[str]]:
    with path.open(encoding="utf-8-sig" if encoding == "utf-8" else encoding, errors="replace", newline="") as stream:
        reader = csv.reader(limits.lines(stream, label), strict=strict)
        try:
            yield from reader
        except csv.Error as error:
            raise DataError(f"{label}:{reader.line_num}: {error}", help="save it as CSV UTF-8") from None
