"""What a reader is: a module that knows one format by its content and stages its tables as text.

A reader module holds the three names of `Reader`, and is added to `READERS` in `recognise.py`:

    FORMAT = "ssda903"
    def recognise(path: Path, head: bytes) -> str | None: ...
    def stage(connection, source: Source, schema: Schema, limits: Limits) -> list[Staged]: ...

`recognise` is asked of each plain file by itself and must be quick: it sees the first bytes, and may open the file
(read only) where the head shows its kind of container, such as a workbook or a database. It returns why it is this
format, in words for the user, or None. It raises only where the file is this format and cannot be read safely.

`stage` is called once for all the files of one dataset that the reader recognised. It puts its relations in the
schema `staging` of the connection, which exists already and is dropped after ingest; `source.relation(...)` gives names
that no other source has. It leaves authority, precedence and the joining of ids to the caller.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Protocol, runtime_checkable

from duckdb import DuckDBPyConnection

from compliance.dataset.config import DatasetConfig
from compliance.dataset.ingest import Staged
from compliance.dataset.schema import Schema
from compliance.dataset.values import name
from compliance.sources.limits import Limits

STAGING = "staging"
HEAD_BYTES = 64 * 1024


@dataclass(frozen=True, slots=True)
class SourceFile:
    """A plain file that a reader recognised: where to read it, what to call it in lineage, and why it was recognised.

    `label` is the `Staged.file` of what comes from it. A member of a zip is read from a private copy, and its label says
    `extract.zip/Episodes.csv`.
    """

    path: Path
    label: str
    why: str


@dataclass(frozen=True, slots=True)
class Source:
    """Everything in one dataset that one reader is to read: its files, or the URL of a database.

    `extract_date`, the word of that name in the mappings, is when the extract was taken, as `dataset.yaml` says it. Where a
    file says it itself, the reader takes that, and puts it in `Staged.extract_date`: the newer extract has precedence.
    """

    number: int
    files: tuple[SourceFile, ...]
    config: DatasetConfig
    url: str | None = None

    @property
    def extract_date(self) -> date | None:
        """The day of the extract, where the dataset says it."""
        return self.config.extract_date

    def relation(self, *words: object) -> str:
        """The name of a relation in the staging schema that belongs to this source alone."""
        return f"{STAGING}.{name(' '.join(map(str, (self.number, *words))))}"

    def __iter__(self) -> Iterator[SourceFile]:
        return iter(self.files)


class Reader(Protocol):
    """A module that reads one format."""

    @property
    def FORMAT(self) -> str:
        """The word for the format, such as `annex_a`."""

    def recognise(self, path: Path, head: bytes) -> str | None:
        """Why the file is of this format, None where it is not."""

    def stage(self, connection: DuckDBPyConnection, source: Source, schema: Schema, limits: Limits) -> list[Staged]:
        """The source's tables as staged relations."""


@runtime_checkable
class DatabaseReader(Protocol):
    """A reader module that also reads a live database: `stage` is then given a source with a `url` and no files."""

    def recognise_url(self, url: str) -> str | None:
        """Why the URL is one that this reader opens, None where it is not; it is not opened yet."""


@runtime_checkable
class SuggestingReader(Protocol):
    """A reader module that can say of a file that nothing recognised what it holds and how near it comes to the format."""

    def suggest(self, path: Path, head: bytes) -> str | None:
        """What the file holds, for the message that refuses it; None where the reader has nothing to say."""


@runtime_checkable
class ConfiguredReader(Protocol):
    """A reader module whose files may themselves say what `dataset.yaml` says for a folder."""

    def settings(self, path: Path, head: bytes) -> DatasetConfig | None:
        """The file's own settings, None where it has none; those of a `dataset.yaml` beside it come first."""
