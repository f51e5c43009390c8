"""A workbook of any spreadsheet program, or a CSV file, as plain sheets: each a CSV file whose n-th record is row n.

Workbooks are opened in a child process with bounded memory and time: what a file declares cannot exhaust the program.
"""

from __future__ import annotations

import csv
import json
import subprocess
import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import asdict, dataclass
from functools import lru_cache
from itertools import islice
from mmap import ACCESS_READ, mmap
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from compliance.errors import DataError, UsageError
from compliance.sources import archive
from compliance.sources.heads import encoding_of, kind_of
from compliance.sources.limits import DEFAULT_LIMITS, Limits

CHILD = Path(__file__).with_name("workbook_child.py")
HEAD_ROWS = 20
LARGE = 500_000
"""The bytes of a workbook beyond which two processes share its sheets."""
PARTS = 2
LONGEST_CELL = 1 << 20

_ODD_SPACES = (b"  ", b"\xc2\xa0", b"\xef\xbb\xbf", b"\t", b"\r", b"\xc3\xa2\xe2\x82\xac", b'"')

_IN_FORCE: ContextVar[Limits] = ContextVar("limits", default=DEFAULT_LIMITS)

csv.field_size_limit(LONGEST_CELL)


@dataclass(frozen=True, slots=True)
class Sheet:
    """A sheet as a CSV file, with its size."""

    name: str
    file: Path
    rows: int
    columns: int

    def has_odd_spaces(self) -> bool:
        """Whether any cell may hold a space that is not a single plain one, or a line end."""
        if not self.file.stat().st_size:
            return False
        with self.file.open("rb") as stream, mmap(stream.fileno(), 0, access=ACCESS_READ) as text:
            return any(text.find(sign) >= 0 for sign in _ODD_SPACES)

    def head(self, rows: int = HEAD_ROWS) -> list[list[str]]:
        """The first rows."""
        with self.file.open(encoding="utf-8", newline="") as stream:
            return list(islice(csv.reader(stream), rows))


@dataclass(frozen=True)
class Workbook:
    """The sheets of a workbook, kept in a private folder for as long as this lives."""

    sheets: tuple[Sheet, ...]
    unsaved: int
    dates_from_1904: bool
    folder: TemporaryDirectory[str]


def is_workbook(path: Path, head: bytes) -> bool:
    """Whether the file is a spreadsheet, by its content."""
    kind = kind_of(head)
    if kind == "ole":
        return True
    if kind != "zip":
        return False
    with archive.opened(path, path.name) as zipped:
        names = set(zipped.namelist())
        spreadsheet = b"application/vnd.oasis.opendocument.spreadsheet"
        return bool(names & {"xl/workbook.xml", "xl/workbook.bin"}) or (
            "mimetype" in names and zipped.getinfo("mimetype").file_size < 200 and zipped.read("mimetype").startswith(spreadsheet)
        )


def open_workbook(path: Path, limits: Limits | None = None) -> Workbook:
    """The workbook or CSV file as sheets; opened once for as long as the file does not change."""
    status = path.stat()
    return _opened(path.resolve(), status.st_mtime_ns, status.st_size, limits or _IN_FORCE.get())


@contextmanager
def opened_workbooks(limits: Limits) -> Iterator[None]:
    """A stretch with these limits in which each workbook is opened once; at its end the copies of its sheets are deleted."""
    before = _IN_FORCE.set(limits)
    try:
        yield
    finally:
        _IN_FORCE.reset(before)
        _opened.cache_clear()


@lru_cache(maxsize=64)
def _opened(path: Path, changed: int, size: int, limits: Limits) -> Workbook:
    with path.open("rb") as stream:
        head = stream.read(4096)
    folder = TemporaryDirectory(prefix="compliance-")
    if kind_of(head) in ("zip", "ole"):
        limits.hold(path.name, "workbook_bytes", size)
        return _spreadsheet(path, head, folder, limits)
    sheet = _csv_sheet(path, Path(folder.name) / "0.csv", limits)
    return Workbook((sheet,), 0, False, folder)


def _spreadsheet(path: Path, head: bytes, folder: TemporaryDirectory[str], limits: Limits) -> Workbook:
    if kind_of(head) == "zip":
        archive.members(path, path.name, limits)
    parts = PARTS if path.stat().st_size > LARGE else 1
    with ThreadPoolExecutor(parts) as threads:
        found = list(threads.map(lambda _: _ask_child(path, folder.name, limits), range(parts)))
    sheets = sorted((each for part in found for each in part["sheets"]), key=lambda each: int(each["number"]))
    facts = next(part for part in found if "unsaved" in part)
    return Workbook(tuple(_sheet(each, folder.name) for each in sheets), facts["unsaved"], facts["dates_from_1904"], folder)


def _sheet(written: dict[str, Any], folder: str) -> Sheet:
    return Sheet(written["name"], Path(folder) / f"{written['number']}.csv", written["rows"], written["columns"])


def _ask_child(path: Path, folder: str, limits: Limits) -> dict[str, Any]:
    """What the child says of the sheets that it took."""
    arguments = [str(path), folder, json.dumps(asdict(limits))]
    command = [sys.executable, "-I", str(CHILD), *arguments]
    try:
        done = subprocess.run(command, capture_output=True, timeout=limits.workbook_seconds, check=False)
    except subprocess.TimeoutExpired:
        raise DataError(f"{path.name}: took more than {limits.workbook_seconds} s to open") from None
    if done.returncode:
        raise DataError(f"{path.name}: cannot be opened within {limits.workbook_memory >> 20:,} MB of memory, or is damaged")
    found: dict[str, Any] = json.loads(done.stdout)
    _refuse(path, found, limits)
    return found


def _refuse(path: Path, found: dict[str, Any], limits: Limits) -> None:
    match found.get("error"):
        case "password":
            raise UsageError(f"{path.name}: is protected by a password", help="save a copy without one")
        case "limit":
            limits.hold(f"{path.name}: {found['what']}", found["limit"], found["found"])
        case "damaged":
            raise DataError(f"{path.name}: cannot be read as a workbook: {found['why']}")


def _csv_sheet(path: Path, copy: Path, limits: Limits) -> Sheet:
    """The CSV file as a sheet named for it, in UTF-8 and with every record as long as the longest of its head."""
    with path.open("rb") as stream:
        encoding = encoding_of(stream.read(1 << 16))
    rows = width = 0
    with copy.open("x", encoding="utf-8", newline="") as sink:
        writer = csv.writer(sink, lineterminator="\n")
        for record in _records(path, encoding, limits):
            width = max(width, len(record))
            rows += 1
            if rows % 1000 == 0 or width > limits.columns:
                limits.hold(path.name, "columns", width)
                limits.hold(path.name, "rows", rows)
            writer.writerow(record or [""])
    return Sheet(path.stem, copy, rows, width)


def _records(path: Path, encoding: str, limits: Limits) -> Iterator[list[str]]:
    with path.open(encoding=encoding, errors="replace", newline="") as stream:
        reader = csv.reader(limits.lines(stream, path.name), strict=True)
        try:
            for record in reader:
                if any("\0" in value for value in record):
                    raise DataError(f"{path.name}:{reader.line_num}: holds NUL bytes, so it is not plain text")
                yield record
        except csv.Error as error:
            raise DataError(f"{path.name}:{reader.line_num}: {error}", help="save it as CSV UTF-8") from None
