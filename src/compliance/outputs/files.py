"""Files written whole or not at all, readable only by their owner."""

from __future__ import annotations

import os
import tempfile
from pathlib import Path

from compliance.errors import UsageError


def write_private(path: Path, content: bytes) -> None:
    """Writes the file with mode 0600, in one step: a reader sees the old file or the new, never a part.

    Raises UsageError when the folder is not there or cannot be written to.
    """
    try:
        handle, name = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
    except OSError as error:
        raise UsageError(f"{path}: cannot write here: {error.strerror}") from error
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        Path(name).replace(path)
    except BaseException as error:
        Path(name).unlink(missing_ok=True)
        if isinstance(error, OSError):
            raise UsageError(f"{path}: cannot write here: {error.strerror}") from error
        raise
