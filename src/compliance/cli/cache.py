"""The rulebook and its SQL, kept between runs in the user's own cache folder: reading and compiling rules is most of a small run.

A kept file is named by a digest of every rule file and of the code that reads and compiles them, so a stale one is never used.
It holds SQL and text only, is written with mode 0600, and a damaged one is made anew.
"""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Callable, Iterator, Sequence
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

from compliance import __version__
from compliance.errors import ComplianceError

if TYPE_CHECKING:
    from compliance.dataset.schema import Schema
    from compliance.duties.pack import Pack
    from compliance.rulebook.load import Rulebook
    from compliance.run import Request

PACKAGE = Path(__file__).parents[1]
COMPILED_BY = ("calendar.py", "rulebook", "duties", "dataset/tables.yaml", "dataset/schema.py", "dataset/known.py")
NO_CACHE = "COMPLIANCE_NO_CACHE"
T = TypeVar("T")


def cache_folder() -> Path | None:
    """Where kept files go, or None where the user wants none or there is no home."""
    if os.environ.get(NO_CACHE):
        return None
    base = os.environ.get("XDG_CACHE_HOME") or str(Path("~/.cache").expanduser())
    return Path(base) / "compliance" if Path(base).is_absolute() else None


def kept_rulebook(folder: Path | None, local_rules: Sequence[Path]) -> Rulebook:
    """The rulebook, from the cache where its files have not changed. Raises RuleFileError with every problem in it."""
    from compliance.rulebook.load import load_rulebook, rule_paths, rules_folder
    from compliance.rulebook.plain import rulebook_from_json, rulebook_to_json

    base = folder or rules_folder()
    paths = rule_paths(base, local_rules)
    place = _place("rules", _digest([str(base), *map(str, paths)], [*_code_files(), *paths]))

    def made() -> tuple[Rulebook, str]:
        rulebook = load_rulebook(folder, local_rules)
        return rulebook, rulebook_to_json(rulebook)

    return _kept(place, rulebook_from_json, made)


def kept_schema() -> Schema:
    """The canonical tables, from the cache where their file has not changed."""
    from compliance.dataset.schema import TABLES_FILE, read_tables, schema_of

    def made() -> tuple[Schema, str]:
        document = read_tables()
        text = json.dumps(document)
        return schema_of(document), text

    return _kept(_place("schema", _digest([], [TABLES_FILE])), lambda text: schema_of(json.loads(text)), made)


def asked(
    paths: Sequence[Path],
    rulebook: Rulebook,
    as_of: date | None = None,
    only: frozenset[str] = frozenset(),
    *,
    with_risks: bool = True,
    progress: Callable[[str], None] | None = None,
) -> Request:
    """The request of a run that takes from the cache what was read and compiled before."""
    from compliance.run import Request

    return Request(paths, rulebook, as_of, only, with_risks, progress=progress, schema=kept_schema(), packs=kept_pack)


def kept_pack(schema: Schema, rulebook: Rulebook, latest_only: frozenset[str], limited: frozenset[str] = frozenset()) -> Pack:
    """The rulebook compiled, from the cache where nothing has changed."""
    from compliance.duties.pack import Pack, compile_pack

    names = [rulebook.digest, *sorted(latest_only), "|", *sorted(limited), "|", *sorted(rulebook.rules)]
    place = _place("pack", _digest(names, _code_files()))

    def made() -> tuple[Pack, str]:
        pack = compile_pack(schema, rulebook, latest_only, limited)
        return pack, pack.to_json()

    return _kept(place, Pack.from_json, made)


def _kept(place: Path | None, read: Callable[[str], T], made: Callable[[], tuple[T, str]]) -> T:
    """What the kept file holds; made anew, and its text kept, where there is none or it is damaged."""
    kept = _read(place)
    if kept is not None:
        try:
            return read(kept)
        except (ValueError, KeyError, TypeError, AttributeError):
            pass
    found, text = made()
    _write(place, text)
    return found


def _code_files() -> Iterator[Path]:
    for name in COMPILED_BY:
        place = PACKAGE / name
        yield from sorted(place.glob("*.py")) if place.is_dir() else [place]


def _digest(words: Sequence[str], files: Iterator[Path] | Sequence[Path]) -> str:
    digest = hashlib.sha256("\n".join([__version__, *words]).encode())
    for path in files:
        digest.update(f"\n{path}\n".encode())
        digest.update(path.read_bytes())
    return digest.hexdigest()[:32]


def _place(kind: str, digest: str) -> Path | None:
    folder = cache_folder()
    return folder / f"{kind}-{digest}.json" if folder else None


def _read(place: Path | None) -> str | None:
    try:
        return place.read_text("utf-8") if place and place.is_file() and not place.is_symlink() else None
    except (OSError, UnicodeDecodeError):
        return None


def _write(place: Path | None, text: str) -> None:
    """Keeps the text; a cache that cannot be written is no reason to fail."""
    from compliance.outputs.files import write_private

    if place is None:
        return
    try:
        place.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        for old in sorted(place.parent.glob("*.json"), key=lambda one: one.stat().st_mtime)[:-30]:
            old.unlink(missing_ok=True)
        write_private(place, text.encode())
    except (OSError, ComplianceError):
        return
