"""What lies in a folder: its plain files, found without following a link out of it or opening a device."""

from __future__ import annotations

import hashlib
import stat
from codecs import getincrementaldecoder
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from compliance.errors import DataError, UsageError

CHUNK = 1 << 20


@dataclass(frozen=True, slots=True)
class Scan:
    """What one pass over a file's bytes tells: its digest, its encoding, whether it has NULs or blank lines."""

    digest: str
    is_utf8: bool
    has_nul: bool
    has_blank_lines: bool


def files_in(folder: Path) -> Iterator[Path]:
    """The plain files of a folder and of those within it, in order of name; hidden ones are left out."""
    if not folder.exists():
        raise UsageError(f"{folder} does not exist", help="name a folder that holds a dataset")
    if not folder.is_dir():
        raise UsageError(f"{folder} is not a folder", help="name a folder that holds a dataset")
    try:
        yield from _walk(folder, folder.resolve())
    except PermissionError as error:
        raise UsageError(f"{error.filename or folder} may not be read") from None


def scan(file: Path) -> Scan:
    """What is in the file, read once from its first byte to its last."""
    digest, decode, is_utf8 = hashlib.sha256(), getincrementaldecoder("utf-8")(), True
    has_nul = has_blank_lines = False
    with file.open("rb") as stream:
        while chunk := stream.read(CHUNK):
            digest.update(chunk)
            has_nul = has_nul or b"\0" in chunk
            has_blank_lines = has_blank_lines or b"\n\n" in chunk or b"\n\r\n" in chunk
            is_utf8 = is_utf8 and _decodes(decode, chunk)
    return Scan(digest.hexdigest(), is_utf8 and _decodes(decode, b"", final=True), has_nul, has_blank_lines)


def _walk(folder: Path, root: Path) -> Iterator[Path]:
    for entry in sorted(folder.iterdir()):
        if entry.name.startswith("."):
            continue
        if entry.is_symlink():
            _refuse_leaving(entry, root)
        if entry.is_dir():
            yield from _walk(entry, root)
        else:
            yield _plain(entry)


def _refuse_leaving(link: Path, root: Path) -> None:
    target = link.resolve()
    if not target.is_relative_to(root):
        raise DataError(f"{link} is a link out of the dataset's folder", help="put the file itself there")
    if target.is_dir():
        raise DataError(f"{link} is a link to a folder", help="put the folder itself there")


def _plain(file: Path) -> Path:
    if not stat.S_ISREG(file.stat().st_mode):
        raise DataError(f"{file} is not a plain file")
    return file


def _decodes(decoder: object, chunk: bytes, final: bool = False) -> bool:
    try:
        decoder.decode(chunk, final)  # type: ignore[attr-defined]
    except UnicodeDecodeError:
        return False
    return True
