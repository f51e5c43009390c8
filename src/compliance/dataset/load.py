"""Opening a dataset: its files read, typed and closed off from the outside."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import date
from hashlib import sha256
from pathlib import Path
from shutil import rmtree
from tempfile import TemporaryDirectory, mkdtemp
from typing import TYPE_CHECKING
from weakref import finalize

import duckdb
from duckdb import DuckDBPyConnection

from compliance.dataset.config import DatasetConfig, merge_configs
from compliance.dataset.coverage import Coverage, Held, coverages, record
from compliance.dataset.ingest import Authority, LoadedTable, Staged, authorities_of, ingest
from compliance.dataset.schema import Schema, load_schema
from compliance.errors import UsageError

if TYPE_CHECKING:
    from compliance.sources.limits import Limits
    from compliance.sources.recognise import Place, Recognised
    from compliance.sources.settle import Conflict, Match, Offer

__all__ = ["Dataset", "close_off", "connect", "open_dataset"]

MANY_ROWS, LARGE_FILE = 2_000_000, 40_000_000
"""From so many rows on, and while a file of so many bytes is read, DuckDB shares a statement out among threads.

Below, each of two cursors runs faster alone.
"""

NEVER = "1000 TB"
"""A size that is not reached: a checkpoint of tables in memory keeps nothing safe, it compresses them, at a third of a run."""


@dataclass(frozen=True)
class Dataset:
    """A dataset in memory: its typed tables, where they came from, and what was said about it."""

    connection: DuckDBPyConnection
    schema: Schema
    authorities: tuple[Authority, ...]
    extract_date: date | None
    tables: Mapping[str, LoadedTable]
    config: DatasetConfig
    digest: str
    ignored: tuple[str, ...] = ()
    recognised: tuple[Recognised, ...] = ()
    matches: tuple[Match, ...] = ()
    kinds: Mapping[tuple[str, str], frozenset[str]] = field(default_factory=dict)
    coverage: tuple[Coverage, ...] = ()
    conflicts: tuple[Conflict, ...] = ()


def connect() -> DuckDBPyConnection:
    """A new connection in memory that sees no Python variable, fetches no extension and prints nothing.

    What does not fit in memory goes to a folder that only its owner may read, and that goes with the connection.
    """
    spill = mkdtemp(prefix="compliance-")
    connection = duckdb.connect(
        config={
            "python_enable_replacements": "false",
            "autoinstall_known_extensions": "false",
            "autoload_known_extensions": "false",
            "temp_directory": spill,
            "checkpoint_threshold": NEVER,
        }
    )
    finalize(connection, rmtree, spill, ignore_errors=True)
    connection.execute("SET enable_progress_bar = false")
    return connection


def open_dataset(
    paths: Sequence[Path | str],
    *,
    schema: Schema | None = None,
    connection: DuckDBPyConnection | None = None,
    progress: Callable[[str], None] | None = None,
    limits: Limits | None = None,
    as_of: date | None = None,
) -> Dataset:
    """The dataset in these folders, zips, files and databases, typed, counted and closed off: it can touch no file.

    `as_of` is when an extract that does not say its own day is taken to be of.
    """
    from compliance.sources.limits import LIMITS
    from compliance.sources.reader import STAGING
    from compliance.sources.recognise import look
    from compliance.sources.settle import settle
    from compliance.sources.workbook import opened_workbooks

    schema, connection, limits = schema or load_schema(), connection or connect(), limits or LIMITS.get()
    if not paths:
        raise UsageError("no dataset was named", help="name a folder that holds one")
    with TemporaryDirectory(prefix="compliance-") as private, opened_workbooks(limits), _readable():
        places = look(paths, schema, limits, Path(private))
        config = merge_configs([place.config for place in places])
        _share_out(connection, max(place.largest for place in places) >= LARGE_FILE)
        connection.execute(f"CREATE SCHEMA IF NOT EXISTS {STAGING}")
        offers = _offers(connection, schema, places, _codes(places), limits, as_of, progress)
        settled = settle(connection, schema, offers)
        staged = [each.staged for each in settled.offers]
        tables = ingest(connection, schema, staged, _authority(config))
        covered = _coverage(connection, settled.offers)
        connection.execute(f"DROP SCHEMA {STAGING} CASCADE")
    _share_out(connection, sum(table.loaded for table in tables) >= MANY_ROWS)
    close_off(connection)
    return Dataset(
        connection,
        schema,
        _named(authorities_of(connection), places),
        config.extract_date or _extracted(staged),
        {table.name: table for table in tables},
        config,
        _digest(places),
        tuple(label for place in places for label in place.ignored),
        tuple(each for place in places for each in place.recognised),
        settled.matches,
        _kinds(offers),
        covered,
        settled.conflicts,
    )


def _share_out(connection: DuckDBPyConnection, is_much: bool) -> None:
    """Has DuckDB share each statement out among threads where there is much to do, and else run it on one."""
    connection.execute("RESET threads" if is_much else "SET threads = 1")


@contextmanager
def _readable() -> Iterator[None]:
    """A stretch in which a file that may not be read is said so."""
    try:
        yield
    except PermissionError as error:
        raise UsageError(f"{error.filename or 'a file'} may not be read", help="ask its owner for the right to read it") from None


def _offers(
    connection: DuckDBPyConnection,
    schema: Schema,
    places: Sequence[Place],
    codes: Sequence[str | None],
    limits: Limits,
    as_of: date | None,
    progress: Callable[[str], None] | None,
) -> list[Offer]:
    """Everything that the readers stage, each relation with the source that offers it."""
    from compliance.sources import canonical
    from compliance.sources.settle import Offer

    offers: list[Offer] = []
    for place, code in zip(places, codes, strict=True):
        if place.folder:
            staged = canonical.stage(connection, place.folder, schema, authority=code, progress=progress, limits=limits)
            staged = [_covering(each, place.config) for each in staged]
            offers += [Offer(each, place.name, "canonical", code, place.config.extract_date or as_of) for each in staged]
        for reader, source in place.sources:
            if progress:
                progress(f"reading {', '.join(file.label for file in source.files[:3]) or place.name} as {reader.FORMAT}")
            dated = replace(source, config=source.config.model_copy(update={"extract_date": source.extract_date or as_of}))
            staged = [_covering(each, source.config) for each in reader.stage(connection, dated, schema, limits)]
            offers += [Offer(each, place.name, reader.FORMAT, code, each.extract_date or source.extract_date) for each in staged]
    return offers


def _covering(staged: Staged, config: DatasetConfig) -> Staged:
    """The relation with the days that the settings say its table covers, where they say any."""
    said = config.covers.get(staged.table)
    return replace(staged, covers=said.stretch) if said else staged


def _coverage(connection: DuckDBPyConnection, offers: Sequence[Offer]) -> tuple[Coverage, ...]:
    """The stretch of time that each table covers where its sources do not hold all, also as a table in the connection."""
    full = [each for each in offers if each.staged.history == "full"]
    held = [Held(each.staged.table, each.format, each.authority, each.staged.covers) for each in full]
    found = coverages(held, [each.code for each in authorities_of(connection)])
    record(connection, found)
    return found


def _kinds(offers: Sequence[Offer]) -> dict[tuple[str, str], frozenset[str]]:
    """The codes that the sources of a table can hold in a column, where none of them can hold every code."""
    from compliance.sources.kinds import codes_held

    formats: dict[str, set[str]] = {}
    for offer in offers:
        formats.setdefault(offer.staged.table, set()).add(offer.format)
    return codes_held(formats)


def close_off(connection: DuckDBPyConnection) -> None:
    """Shuts the connection off from files and the network, for good."""
    connection.execute("SET enable_external_access = false; SET lock_configuration = true")


def _codes(places: Sequence[Place]) -> list[str | None]:
    """The council to write on each place's rows: none where all places that name one are of one council."""
    codes = [place.config.authority.code if place.config.authority else None for place in places]
    return codes if len({code for code in codes if code}) > 1 else [None for _ in places]


def _authority(config: DatasetConfig) -> Authority | None:
    given = config.authority
    return Authority(given.code, given.name or given.code) if given else None


def _named(authorities: Sequence[Authority], places: Sequence[Place]) -> tuple[Authority, ...]:
    """The councils with the names that their own settings give them."""
    given = [place.config.authority for place in places if place.config.authority]
    names = {each.code: each.name for each in given if each.name}
    return tuple(Authority(each.code, names.get(each.code, each.name)) for each in authorities)


def _extracted(staged: Sequence[Staged]) -> date | None:
    """The day of the newest extract that says its own."""
    return max((each.extract_date for each in staged if each.extract_date), default=None)


def _digest(places: Sequence[Place]) -> str:
    if len(places) == 1:
        return places[0].digest
    return sha256("".join(sorted(place.digest for place in places)).encode()).hexdigest()
