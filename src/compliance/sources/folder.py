"""What lies in a folder: its plain files, found without following a link out of it or opening a device."""

from __future__ import annotations

import hashlib
import stat
from codecs import IncrementalDecoder, getincrementaldecoder
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from compliance.errors import DataError, UsageError

CHUNK = 1 << 20


@dataclass(frozen=True, slots=True)
class Scan:
    """What one pass over a file's bytes tells: its digest, its encoding, and which bytes that need care it holds.

    `has_odd_spaces` is true where a value may begin or end with a space that is not a plain one.
    """

    digest: str
    is_utf8: bool
    has_nul: bool
    has_blank_lines: bool
    has_odd_spaces: bool


_NUL = (b"\0",)
_BLANK_LINES = (b"\n\n", b"\n\r\n")
_ODD_SPACES = (b"\t", b"\f", b"\v", b"\xa0", b"\xef\xbb\xbf", b'"\n', b'"\r', b'\n"', b"\r\r")


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


def digest_of(file: Path) -> str:
    """The digest of the file's bytes alone."""
    with file.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()


def scan(file: Path) -> Scan:
    """What is in the file, read once from its first byte to its last."""
    digest, decoder, is_utf8, tail = hashlib.sha256(), getincrementaldecoder("utf-8")(), True, b""
    seen = dict.fromkeys((_NUL, _BLANK_LINES, _ODD_SPACES), False)
    with file.open("rb") as stream:
        while chunk := stream.read(CHUNK):
            digest.update(chunk)
            window = tail + chunk
            seen = {signs: before or any(sign in window for sign in signs) for signs, before in seen.items()}
            is_utf8, tail = is_utf8 and _decodes(decoder, chunk), chunk[-2:]
    return Scan(digest.hexdigest(), is_utf8 and _decodes(decoder, b"", final=True), *seen.values())


def _walk(folder: Path, root: Path) -> Iterator[Path]:
    for entry in sorted(folder.iterdir()):
        if entry.name.startswith("."):
            continue
        if entry.is_symlink():
            _refuse_leaving(entry, root)
        if entry.is_dir():
            yield from _walk(entry, root)
        else:
            yield plain_file(entry)


def _refuse_leaving(link: Path, root: Path) -> None:
    try:
        target = link.resolve(strict=True)
    except (OSError, RuntimeError):
        raise DataError(f"{link} is a link that leads nowhere", help="put the file itself there") from None
    if not target.is_relative_to(root):
        raise DataError(f"{link} is a link out of the dataset's folder", help="put the file itself there")
    if target.is_dir():
        raise DataError(f"{link} is a link to a folder", help="put the folder itself there")


def plain_file(file: Path) -> Path:
    """The file, refused where it is a device, a pipe or anything else but a plain file."""
    if not stat.S_ISREG(file.stat().st_mode):
        raise DataError(f"{file} is not a plain file")
    return file


def _decodes(decoder: IncrementalDecoder, chunk: bytes, final: bool = False) -> bool:
    try:
        decoder.decode(chunk, final)
    except UnicodeDecodeError:
        return False
    return True
