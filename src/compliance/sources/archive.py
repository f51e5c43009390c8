"""A zip looked through and unpacked: into a private folder, nothing outside it, nothing beyond the limits."""

from __future__ import annotations

import stat
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path, PurePosixPath

from compliance.errors import DataError, UsageError
from compliance.sources.limits import MEGABYTE, Limits

CHUNK = MEGABYTE
SMALL = 10 * MEGABYTE
"""What a zip may unpack to whatever its ratio."""

_ENCRYPTED = 1
_NOISE = ("__MACOSX", ".")


@contextmanager
def opened(path: Path, label: str) -> Iterator[zipfile.ZipFile]:
    """The zip, open for reading; what the library says is wrong with it becomes a message."""
    try:
        with zipfile.ZipFile(path) as archive:
            yield archive
    except (zipfile.BadZipFile, NotImplementedError, EOFError, OSError) as error:
        raise DataError(f"{label}: cannot be read as a zip: {error}") from None


def members(path: Path, label: str, limits: Limits) -> list[zipfile.ZipInfo]:
    """The plain files that the zip declares, refused where one is unsafe or they would unpack to too much."""
    with opened(path, label) as archive:
        found = [each for each in archive.infolist() if not each.is_dir()]
    limits.hold(label, "zip_members", len(found))
    _hold_sizes(label, found, limits)
    for each in found:
        _refuse_unsafe(label, each)
    return found


def unpack(path: Path, label: str, into: Path, limits: Limits) -> list[Path]:
    """The files of the zip, unpacked into a folder that only its owner may read; hidden ones are left out."""
    wanted = [each for each in members(path, label, limits) if not _is_noise(each.filename)]
    seen: set[str] = set()
    with opened(path, label) as archive:
        for each in wanted:
            if each.filename.lower() in seen:
                raise DataError(f"{label}: holds {each.filename!r} twice")
            seen.add(each.filename.lower())
            _unpack_one(archive, each, label, into / PurePosixPath(each.filename))
    return [into / each.filename for each in wanted]


def _hold_sizes(label: str, found: list[zipfile.ZipInfo], limits: Limits) -> None:
    unpacked, packed = sum(each.file_size for each in found), sum(each.compress_size for each in found)
    limits.hold(label, "unpacked_bytes", unpacked)
    if unpacked > SMALL:
        limits.hold(label, "zip_ratio", unpacked // max(packed, 1))


def _refuse_unsafe(label: str, member: zipfile.ZipInfo) -> None:
    name, mode = member.filename, member.external_attr >> 16
    path = PurePosixPath(name)
    if path.is_absolute() or ".." in path.parts or "\\" in name or ":" in path.parts[0] or not name.isprintable():
        raise DataError(f"{label}: a file in it is named {name!r}, which leads out of it")
    if stat.S_IFMT(mode) not in (0, stat.S_IFREG):
        raise DataError(f"{label}: {name} in it is a link or a device, not a plain file")
    if member.flag_bits & _ENCRYPTED:
        raise UsageError(f"{label}: {name} in it is protected by a password", help="unpack it first, and name the folder")


def _unpack_one(archive: zipfile.ZipFile, member: zipfile.ZipInfo, label: str, target: Path) -> None:
    target.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    written = 0
    with archive.open(member) as source, target.open("xb") as sink:
        while chunk := source.read(CHUNK):
            written += len(chunk)
            if written > member.file_size:
                raise DataError(f"{label}: {member.filename} in it is larger than it says")
            sink.write(chunk)


def _is_noise(name: str) -> bool:
    return any(part.startswith(_NOISE) for part in PurePosixPath(name).parts)
