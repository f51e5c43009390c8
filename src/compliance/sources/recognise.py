"""What each path is: worked out from its content, said with the reason, and handed to the reader that knows it.

A path is a folder, a zip, a file, or the URL of a database. Everything that one path holds is one dataset: its
canonical tables, and for each reader the files that it recognised.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from functools import cache
from hashlib import sha256
from importlib import import_module
from importlib.util import find_spec
from itertools import count
from pathlib import Path
from typing import cast

from compliance.dataset.config import DatasetConfig, merge_configs
from compliance.dataset.schema import Schema
from compliance.errors import DataError, UsageError
from compliance.sources import archive, canonical
from compliance.sources.canonical import Folder, Found
from compliance.sources.folder import digest_of, plain_file
from compliance.sources.heads import csv_headings, kind_of
from compliance.sources.limits import Limits
from compliance.sources.reader import HEAD_BYTES, ConfiguredReader, DatabaseReader, Reader, Source, SourceFile, SuggestingReader
from compliance.sources.workbook import is_workbook

READERS = ("annex_a", "ssda903", "cin_census", "csww", "ssd", "dfe_api", "canonical_files")
COMPANIONS = ("README.md", "truth.csv", "truth.yaml")
"""What a made dataset has beside its tables: no reader is asked, so none has to be imported."""
"""The modules of this package that read a format, in the order in which they are asked; the first to say why has the file."""

FORMATS = {
    "annex_a": "Ofsted Annex A",
    "canonical": "canonical tables",
    "cin_census": "CIN census",
    "csww": "social work workforce census",
    "dfe_api": "DfE API payload",
    "ssd": "Standard Safeguarding Dataset",
    "ssda903": "SSDA903",
}

_URL_PARTS = re.compile(
    r"^([a-z][a-z0-9+]+)://(?:[^:/@?#]*(?::[^@?#]*)?@)?(\[[^]@]*\]|[^/:@?#]*)(:\d+)?(/[^?#@]*)?(?:[?#][^@]*)?$", re.DOTALL
)
_URL = re.compile(r"^([a-z][a-z0-9+]+):/(?!/)|^([a-z][a-z0-9+]+)://")


@dataclass(frozen=True, slots=True)
class Recognised:
    """A file or database, the format that it is, and why; `reader` is None for canonical CSV and Parquet."""

    path: Path
    label: str
    format: str
    why: str
    reader: Reader | None

    def __str__(self) -> str:
        return f"{self.label}: {FORMATS.get(self.format, self.format)} ({self.why})"


@dataclass(frozen=True)
class Place:
    """What one path holds: its settings, its canonical tables, the files of each reader, and what is none of these."""

    name: str
    config: DatasetConfig
    folder: Folder | None
    sources: tuple[tuple[Reader, Source], ...]
    recognised: tuple[Recognised, ...]
    ignored: tuple[str, ...] = ()
    digests: dict[str, str] = field(default_factory=dict)

    @property
    def largest(self) -> int:
        """The bytes of the largest file that is read; 0 where a database is."""
        return max((each.path.stat().st_size for each in self.recognised if each.path.is_file()), default=0)

    @property
    def digest(self) -> str:
        """The digest of everything that was read; that of the canonical folder where there is nothing else."""
        if self.folder and not self.digests:
            return self.folder.digest
        lines = [f"{label} {digest}\n" for label, digest in sorted(self.digests.items())]
        return sha256("".join([self.folder.digest if self.folder else "", *lines]).encode()).hexdigest()


def readers() -> Iterator[Reader]:
    """The readers that there are, each a module of this package that is imported when it is come to."""
    for name in (f"{__package__}.{name}" for name in READERS):
        if _is_there(name):
            yield cast(Reader, import_module(name))


@cache
def _is_there(module: str) -> bool:
    return find_spec(module) is not None


def look(paths: Sequence[Path | str], schema: Schema, limits: Limits, private: Path) -> list[Place]:
    """What the paths hold; zips are unpacked into the private folder. Refused where one holds nothing that is known."""
    numbers = count(1)
    return [_Looking(schema, limits, private, numbers).place(path) for path in paths]


def url_of(path: Path | str) -> str | None:
    """The URL of a database, None where the path is a file's; a URL that was made a path is made whole again."""
    text = str(path)
    found = _URL.match(text)
    if not found:
        return None
    return text if found[2] else text.replace(":/", "://", 1)


def shown_url(url: str) -> str:
    """The URL without its user, password and options; only its kind where it cannot be told which part is which."""
    found = _URL_PARTS.match(url)
    if not found:
        return f"{url.partition('://')[0]}://…"
    scheme, host, port, path = found.groups(default="")
    return f"{scheme}://{host.lower()}{port}{path}"


@dataclass(frozen=True)
class _Looking:
    """One look at one path."""

    schema: Schema
    limits: Limits
    private: Path
    numbers: Iterator[int]

    def place(self, path: Path | str) -> Place:
        if url := url_of(path):
            return self._database(url)
        path = Path(path)
        if path.is_symlink() and not path.is_dir():
            raise DataError(f"{path} is a link", help="name the file itself")
        if path.is_dir() or not path.exists():
            return self._folder(path)
        return self._file(plain_file(path))

    def _database(self, url: str) -> Place:
        shown = shown_url(url)
        for reader in readers():
            if isinstance(reader, DatabaseReader) and (why := reader.recognise_url(url)):
                source = Source(next(self.numbers), (), DatasetConfig(), url)
                recognised = (Recognised(Path(shown), shown, reader.FORMAT, why, reader),)
                return Place(shown, DatasetConfig(), None, ((reader, source),), recognised, (), {shown: "database"})
        raise UsageError(f"{shown} is not a database that can be read", help="use postgresql://, mssql:// or mysql://")

    def _file(self, path: Path) -> Place:
        head = _head(path)
        if kind_of(head) == "zip" and not is_workbook(path, head):
            return self._zip(path)
        if recognised := self._recognised(path, path.name, head):
            return self._place(path.name, Folder(path.parent, DatasetConfig(), (), ()), [recognised])
        if table := self._canonical_table(path, head):
            found = Found(table, path, path.name, None)
            return self._place(path.name, Folder(path.parent, DatasetConfig(), (found,), ()), [])
        raise _not_known(path, path.name, head)

    def _zip(self, path: Path) -> Place:
        root = self._unpacked(path, path.name)
        return self._folder(root, f"{path.name}/", path)

    def _unpacked(self, path: Path, label: str) -> Path:
        root = self.private / str(next(self.numbers))
        root.mkdir(mode=0o700)
        archive.unpack(path, label, root, self.limits)
        return root

    def _folder(self, root: Path, prefix: str = "", named: Path | None = None) -> Place:
        """What a folder holds; the labels of its files begin with the prefix."""
        folder = canonical.survey(root, self.schema)
        others: list[Recognised] = []
        found: list[Found] = []
        for each in folder.found:
            other = self._not_canonical(each, prefix)
            if other:
                others.append(other)
            else:
                found.append(replace(each, label=prefix + each.label))
        ignored: list[str] = []
        for label in folder.ignored:
            if folder.found and label in COMPANIONS:
                ignored.append(prefix + label)
            else:
                others += self._others(root / label, prefix + label, ignored)
        digests = {prefix + label: digest for label, digest in folder.digests.items()}
        folder = Folder(root, folder.config, tuple(found), tuple(ignored), digests)
        if not found and not others:
            raise self._nothing(named or root, root, folder, prefix)
        return self._place((named or root).name, folder, others)

    def _not_canonical(self, found: Found, prefix: str) -> Recognised | None:
        """What a file named like a canonical table is instead, where none of its headings is the table's."""
        if found.path.suffix.lower() != ".csv":
            return None
        head = _head(found.path)
        headings = {re.sub(r"[\s_-]+", "_", heading.lower()) for heading in csv_headings(head)}
        if headings & self.schema.tables[found.table].columns.keys():
            return None
        return self._recognised(found.path, prefix + found.label, head)

    def _others(self, path: Path, label: str, ignored: list[str]) -> Iterable[Recognised]:
        """What a file that is not canonical by its name is; a zip gives what is in it."""
        head = _head(path)
        if kind_of(head) == "zip" and not is_workbook(path, head):
            root = self._unpacked(path, label)
            for inner in sorted(each for each in root.rglob("*") if each.is_file()):
                inner_label = f"{label}/{inner.relative_to(root).as_posix()}"
                if found := self._recognised(inner, inner_label, _head(inner)):
                    yield found
                else:
                    ignored.append(inner_label)
        elif found := self._recognised(path, label, head):
            yield found
        else:
            ignored.append(label)

    def _recognised(self, path: Path, label: str, head: bytes) -> Recognised | None:
        for reader in readers():
            if why := reader.recognise(path, head):
                return Recognised(path, label, reader.FORMAT, why, reader)
        return None

    def _canonical_table(self, path: Path, head: bytes) -> str | None:
        """The table that a file by itself holds: by its name, else the one that most of its headings are columns of."""
        if table := canonical.table_of(Path(path.name), self.schema):
            return table
        headings = {re.sub(r"[\s_-]+", "_", heading.lower()) for heading in csv_headings(head)} - {""}
        fits = [
            (len(headings & table.columns.keys()), table.name)
            for table in self.schema.tables.values()
            if headings and table.key[0] in headings and len(headings - table.columns.keys()) <= len(headings) // 5
        ]
        best = sorted(fits, reverse=True)[:2]
        return best[0][1] if best and (len(best) == 1 or best[0][0] > best[1][0]) else None

    def _place(self, name: str, folder: Folder, others: Sequence[Recognised]) -> Place:
        """The place with its files gathered by reader."""
        files: dict[Reader, list[SourceFile]] = {}
        for each in others:
            assert each.reader is not None
            files.setdefault(each.reader, []).append(SourceFile(each.path, each.label, each.why))
        config = folder.config if folder.config != DatasetConfig() else _own_settings(others)
        sources = tuple((reader, Source(next(self.numbers), tuple(found), config)) for reader, found in files.items())
        tables = tuple(
            Recognised(each.path, each.label, "canonical", f"holds the table {each.table}", None) for each in folder.found
        )
        digests = {each.label: digest_of(each.path) for each in others}
        held = folder if folder.found or not others else None
        return Place(name, config, held, sources, (*tables, *others), folder.ignored, digests)

    def _nothing(self, named: Path, root: Path, folder: Folder, prefix: str) -> UsageError:
        """Why nothing in a folder is known, with what the likeliest file holds."""
        for label in folder.ignored:
            path = root / label.removeprefix(prefix)
            if path.is_file() and (said := _suggestion(path, _head(path))):
                return UsageError(f"{named}: {label} is of no known format: {said}", help=_known_formats())
        return canonical.nothing_found(named, [label.removeprefix(prefix) for label in folder.ignored], self.schema)


def _own_settings(others: Sequence[Recognised]) -> DatasetConfig:
    """What the files say of themselves, where no `dataset.yaml` does."""
    said: list[DatasetConfig | None] = []
    for each in others:
        reader: object = each.reader
        if isinstance(reader, ConfiguredReader):
            said.append(reader.settings(each.path, _head(each.path)))
    return merge_configs([each for each in said if each])


def _head(path: Path) -> bytes:
    try:
        with path.open("rb") as stream:
            return stream.read(HEAD_BYTES)
    except PermissionError:
        raise UsageError(f"{path} may not be read") from None


def _suggestion(path: Path, head: bytes) -> str | None:
    said = (reader.suggest(path, head) for reader in readers() if isinstance(reader, SuggestingReader))
    return next((each for each in said if each), None)


def _not_known(path: Path, label: str, head: bytes) -> UsageError:
    what = _suggestion(path, head) or _KINDS[kind_of(head)]
    return UsageError(f"{label} is of no known format: {what}", help=_known_formats())


_KINDS = {
    "zip": "it is a zip",
    "ole": "it is an old Office document",
    "sqlite": "it is a SQLite database without tables that are known",
    "duckdb": "it is a DuckDB database without tables that are known",
    "parquet": "it is a Parquet file that is not named for a table",
    "xml": "it is XML, but its root is not of a return that is known",
    "json": "it is JSON, but not a payload that is known",
    "text": "it is text, but its headings are of no table that is known",
    "binary": "it is neither text nor a kind of file that is known",
    "empty": "it is empty",
}


def _known_formats() -> str:
    return f"known are: {', '.join(FORMATS.values())}"
