"""What the first bytes of a file tell: its kind of container, its headings, its root element, its tables."""

from __future__ import annotations

import csv
import re
import sqlite3
from collections.abc import Sequence
from contextlib import closing
from datetime import date
from pathlib import Path
from typing import Literal
from urllib.parse import quote

from compliance.errors import DataError

Kind = Literal["zip", "ole", "sqlite", "duckdb", "parquet", "xml", "json", "text", "binary", "empty"]

ENCODINGS = ("utf-8-sig", "utf-16", "cp1252")
_BOMS = {b"\xff\xfe": "utf-16", b"\xfe\xff": "utf-16", b"\xef\xbb\xbf": "utf-8-sig"}
_ROOT = re.compile(r"<(?![?!])\s*(?:[\w.-]+:)?([\w.-]+)")
_PROLOGUE = re.compile(r"<!--.*?-->|<\?.*?\?>", re.DOTALL)


def kind_of(head: bytes) -> Kind:
    """The kind of container that a file is, by its first bytes."""
    if not head:
        return "empty"
    for sign, kind in _SIGNS:
        if head.startswith(sign):
            return kind
    if head[8:12] == b"DUCK":
        return "duckdb"
    text = text_of(head)
    if text is None:
        return "binary"
    start = text.lstrip()[:1]
    return "xml" if start == "<" else "json" if start in ("{", "[") else "text"


_SIGNS: tuple[tuple[bytes, Kind], ...] = (
    (b"PK\x03\x04", "zip"),
    (b"PK\x05\x06", "zip"),
    (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", "ole"),
    (b"SQLite format 3\0", "sqlite"),
    (b"PAR1", "parquet"),
)


def encoding_of(head: bytes) -> str:
    """The encoding that text beginning with these bytes is in."""
    for mark, encoding in _BOMS.items():
        if head.startswith(mark):
            return encoding
    try:
        head[:-4].decode("utf-8") if len(head) > 4 else head.decode("utf-8")
    except UnicodeDecodeError as error:
        return "utf-8" if error.start >= len(head) - 8 else "cp1252"
    return "utf-8"


def text_of(head: bytes) -> str | None:
    """The first bytes as text, None where they are not text."""
    encoding = encoding_of(head)
    text = head.decode(encoding, errors="replace")
    return None if "\0" in text else text


def csv_headings(head: bytes) -> list[str]:
    """The first record of a CSV file, trimmed; empty where the first bytes are not text or hold no whole record."""
    text = text_of(head)
    if text is None:
        return []
    try:
        record = next(csv.reader(text.splitlines(keepends=True)), [])
    except csv.Error:
        return []
    return [heading.strip(" \t\r\n\u00a0\ufeff") for heading in record]


def xml_root(head: bytes) -> str | None:
    """The local name of an XML file's root element, None where it has none; the file is not parsed."""
    text = text_of(head)
    if text is None or not text.lstrip("\ufeff \t\r\n").startswith("<"):
        return None
    found = _ROOT.search(_PROLOGUE.sub("", text))
    return found[1] if found else None


def open_sqlite(path: Path) -> sqlite3.Connection:
    """The SQLite file, opened read only: nothing is written beside it unless a program has it open for writing."""
    is_still = not path.with_name(f"{path.name}-wal").exists()
    address = f"file:{quote(str(path.resolve()))}?mode=ro{'&immutable=1' if is_still else ''}"
    connection = sqlite3.connect(address, uri=True)
    connection.execute("PRAGMA trusted_schema = OFF")
    connection.execute("PRAGMA cell_size_check = ON")
    return connection


def sqlite_tables(path: Path) -> dict[str, list[str]]:
    """The tables of a SQLite file, each with its columns; views, which could take any time, are left out."""
    try:
        with closing(open_sqlite(path)) as connection:
            found = connection.execute("SELECT name FROM sqlite_master WHERE type = 'table' AND sql NOT LIKE 'CREATE VIRTUAL%'")
            return {row[0]: _sqlite_columns(connection, row[0]) for row in found.fetchall()}
    except sqlite3.Error as error:
        raise DataError(f"{path.name}: cannot be read as SQLite: {error}") from None


def _sqlite_columns(connection: sqlite3.Connection, table: str) -> list[str]:
    return [row[0] for row in connection.execute("SELECT name FROM pragma_table_info(?)", [table])]


def share(wanted: Sequence[str], found: Sequence[str]) -> float:
    """How many of the wanted words are among those found, as a share; without regard to case."""
    words = {word.lower() for word in found}
    return sum(word.lower() in words for word in wanted) / len(wanted) if wanted else 0.0


_ISO_DAY = re.compile(r"(?<!\d)(20\d\d)[-_.]?(0[1-9]|1[0-2])[-_.]?(0[1-9]|[12]\d|3[01])(?!\d)")
_BRITISH_DAY = re.compile(r"(?<!\d)(0[1-9]|[12]\d|3[01])[-_.](0[1-9]|1[0-2])[-_.](20\d\d)(?!\d)")


def date_in(file_name: str) -> date | None:
    """The one day that a file's name says, None where it says none or several."""
    found = {tuple(map(int, day)) for day in _ISO_DAY.findall(file_name)}
    found |= {tuple(map(int, day[::-1])) for day in _BRITISH_DAY.findall(file_name)}
    try:
        return date(*found.pop()) if len(found) == 1 else None
    except ValueError:
        return None
