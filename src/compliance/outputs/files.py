"""Files written whole or not at all, readable only by their owner."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Sequence
from contextlib import ExitStack
from pathlib import Path

from compliance.errors import UsageError


def write_private(path: Path, content: bytes) -> None:
    """Writes the file with mode 0600, in one step: a reader sees the old file or the new, never a part.

    Raises UsageError when the folder is not there or cannot be written to.
    """
    write_private_together([(path, content)])


def write_private_together(wanted: Sequence[tuple[Path, bytes]]) -> None:
    """Writes the files with mode 0600, every one whole: none is put in its place before all are on the disk.

    Raises UsageError when a folder is not there or cannot be written to, a path is a folder, or two are the same.
    """
    _refuse_impossible([path for path, _ in wanted])
    with ExitStack() as undo:
        staged = [(_staged(path, content, undo), path) for path, content in wanted]
        for made, path in staged:
            _put(made, path)


def _refuse_impossible(paths: Sequence[Path]) -> None:
    """Nothing, or what no writing could do."""
    for path in paths:
        if path.is_dir():
            raise UsageError(f"{path}: cannot write here: it is a folder")
        if sum(_same(path, other) for other in paths) > 1:
            raise UsageError(f"{path}: two outputs cannot be the same file")


def _same(path: Path, other: Path) -> bool:
    return path.absolute() == other.absolute()


def _staged(path: Path, content: bytes, undo: ExitStack) -> Path:
    """A file with the content beside the place it is meant for; taken away again unless it is put there."""
    try:
        handle, name = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
        undo.callback(Path(name).unlink, missing_ok=True)
        with os.fdopen(handle, "wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
    except OSError as error:
        raise UsageError(f"{path}: cannot write here: {error.strerror}") from error
    return Path(name)


def _put(made: Path, path: Path) -> None:
    try:
        made.replace(path)
    except OSError as error:
        raise UsageError(f"{path}: cannot write here: {error.strerror}") from error
