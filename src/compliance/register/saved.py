"""A run kept in a folder: its findings, its register and its manifest, so that a later one can be compared with it."""

from __future__ import annotations

import datetime
import json
import shutil
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from compliance.errors import UsageError

FILES = ("check.json", "register.json", "manifest.json")


@dataclass(frozen=True)
class SavedRun:
    """What a run answered: the documents of `check` (all its breaches) and `register`, and its manifest."""

    name: str
    check: Mapping[str, Any]
    register: Mapping[str, Any]
    manifest: Mapping[str, Any]

    @property
    def as_of(self) -> datetime.date:
        """The day whose close was judged."""
        return datetime.date.fromisoformat(self.manifest["as_of"])


def save(folder: Path, documents: Mapping[str, bytes]) -> None:
    """Writes the run's files, mode 0600, in a folder of its own, whole or not at all.

    Raises UsageError when the folder is there already or cannot be made.
    """
    if folder.exists():
        raise UsageError(f"{folder}: is there already", help="a saved run is never overwritten: name a new folder")
    try:
        made = Path(tempfile.mkdtemp(dir=folder.parent, prefix=f".{folder.name}."))
    except OSError as error:
        raise UsageError(f"{folder}: cannot save here: {error.strerror}") from error
    try:
        _write(made, documents)
        made.rename(folder)
    except BaseException as error:
        shutil.rmtree(made, ignore_errors=True)
        if isinstance(error, OSError):
            raise UsageError(f"{folder}: cannot save here: {error.strerror}") from error
        raise


def _write(folder: Path, documents: Mapping[str, bytes]) -> None:
    for name, content in documents.items():
        path = folder / name
        path.touch(mode=0o600)
        path.write_bytes(content)


def is_saved(folder: Path) -> bool:
    """Whether the folder holds a saved run."""
    return all((folder / name).is_file() for name in FILES)


def read_saved(folder: Path) -> SavedRun:
    """The run saved in a folder. Raises UsageError when it holds none, or a damaged one."""
    if not is_saved(folder):
        raise UsageError(f"{folder}: no saved run here", help="keep one with `compliance check DATASET --save DIR`")
    check, register, manifest = (_read(folder / name) for name in FILES)
    if not {"findings", "run"} <= check.keys() or "risks" not in register or "as_of" not in manifest:
        raise UsageError(f"{folder}: the saved run is damaged", help="save it again with `compliance check DATASET --save DIR`")
    return SavedRun(str(folder), check, register, manifest)


def read_history(folder: Path) -> list[SavedRun]:
    """The run saved in a folder, or every run saved in the folders inside it, oldest first."""
    if is_saved(folder) or not folder.is_dir():
        return [read_saved(folder)]
    found = [read_saved(place) for place in sorted(folder.iterdir()) if place.is_dir() and is_saved(place)]
    if not found:
        return [read_saved(folder)]
    return sorted(found, key=lambda one: one.as_of)


def check_history(history: Sequence[SavedRun], manifest: Mapping[str, Any]) -> None:
    """Nothing, or a UsageError where an earlier run is of another council or under another key."""
    for one in history:
        if one.manifest["authorities"] != manifest["authorities"]:
            raise UsageError(f"{one.name}: the saved run is of another council", help="compare runs of one council")
        if one.manifest.get("pseudonyms") != manifest.get("pseudonyms"):
            raise UsageError(
                f"{one.name}: the ids in it were replaced under another key, or not at all",
                help="compare runs that were both made with the same --key, or both without",
            )


def _read(path: Path) -> dict[str, Any]:
    try:
        found = json.loads(path.read_bytes())
    except (OSError, ValueError, RecursionError) as error:
        raise UsageError(f"{path}: cannot be read: {type(error).__name__}") from error
    if not isinstance(found, dict):
        raise UsageError(f"{path}: not the document of a run")
    return found
