"""Files and folders written whole or not at all, readable only by their owner."""

from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from compliance.errors import UsageError


@contextmanager
def written_whole(path: Path, *, overwrite: bool = False) -> Iterator[Path]:
    """A path beside this one to write a file to, that becomes this one when the block ends well.

    Raises UsageError where there is a folder of that name, or a file that is not to be written over.
    """
    if path.is_dir():
        raise UsageError(f"{path} is a folder", help="name a file in it")
    if not overwrite and (path.exists() or path.is_symlink()):
        raise UsageError(f"{path} is there already", help="name another file, or say --overwrite")
    with _beside(path) as folder:
        temporary = folder / path.name
        yield temporary
        temporary.chmod(0o600)
        _sync(temporary)
        temporary.replace(path)


@contextmanager
def folder_written_whole(path: Path) -> Iterator[Path]:
    """A new folder beside this one, that becomes this one when the block ends well; this must not be there, or be empty."""
    if path.is_symlink() or (path.exists() and (not path.is_dir() or any(path.iterdir()))):
        raise UsageError(f"{path} is there already", help="name a new folder, or an empty one")
    with _beside(path) as folder:
        temporary = folder / path.name
        temporary.mkdir(mode=0o700)
        yield temporary
        for each in temporary.iterdir():
            each.chmod(0o600)
        temporary.replace(path)


@contextmanager
def _beside(path: Path) -> Iterator[Path]:
    try:
        folder = Path(tempfile.mkdtemp(dir=path.parent, prefix=f".{path.name}."))
    except OSError as error:
        raise UsageError(f"{path}: cannot write here: {error.strerror}") from error
    try:
        yield folder
    except OSError as error:
        raise UsageError(f"{path}: cannot write here: {error.strerror}") from error
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _sync(path: Path) -> None:
    with path.open("rb") as file:
        os.fsync(file.fileno())
