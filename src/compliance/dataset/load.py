"""Opening a dataset: its files read, typed and closed off from the outside."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from hashlib import sha256
from pathlib import Path
from typing import TYPE_CHECKING

import duckdb
from duckdb import DuckDBPyConnection

from compliance.dataset.config import DatasetConfig, merge_configs
from compliance.dataset.ingest import Authority, LoadedTable, authorities_of, ingest
from compliance.dataset.schema import Schema, load_schema
from compliance.errors import UsageError

if TYPE_CHECKING:
    from compliance.sources.canonical import Folder

__all__ = ["Dataset", "close_off", "connect", "open_dataset"]


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


def connect() -> DuckDBPyConnection:
    """A new connection in memory that sees no Python variable and fetches no extension."""
    return duckdb.connect(
        config={
            "python_enable_replacements": "false",
            "autoinstall_known_extensions": "false",
            "autoload_known_extensions": "false",
        }
    )


def open_dataset(
    paths: Sequence[Path],
    *,
    schema: Schema | None = None,
    connection: DuckDBPyConnection | None = None,
    progress: Callable[[str], None] | None = None,
) -> Dataset:
    """The dataset in these folders, typed, counted and closed off: nothing run on it can touch a file."""
    from compliance.sources import canonical

    schema, connection = schema or load_schema(), connection or connect()
    if not paths:
        raise UsageError("no dataset was named", help="name a folder that holds one")
    folders = [canonical.look(path, schema) for path in paths]
    config = merge_configs([folder.config for folder in folders])
    codes = _codes(folders)
    staged = [
        each
        for folder, code in zip(folders, codes, strict=True)
        for each in canonical.stage(connection, folder, schema, authority=code, progress=progress)
    ]
    tables = ingest(connection, schema, staged, _authority(config))
    connection.execute(f"DROP SCHEMA {canonical.STAGING} CASCADE")
    close_off(connection)
    return Dataset(
        connection,
        schema,
        _named(authorities_of(connection), folders),
        config.extract_date,
        {table.name: table for table in tables},
        config,
        _digest(folders),
        tuple(label for folder in folders for label in folder.ignored),
    )


def close_off(connection: DuckDBPyConnection) -> None:
    """Shuts the connection off from files and the network, for good."""
    connection.execute("SET enable_external_access = false; SET lock_configuration = true")


def _codes(folders: Sequence[Folder]) -> list[str | None]:
    """The council to write on each folder's rows: none where all folders are of one council."""
    codes = [folder.config.authority.code if folder.config.authority else None for folder in folders]
    return codes if len(set(codes)) > 1 else [None for _ in folders]


def _authority(config: DatasetConfig) -> Authority | None:
    given = config.authority
    return Authority(given.code, given.name or given.code) if given else None


def _named(authorities: Sequence[Authority], folders: Sequence[Folder]) -> tuple[Authority, ...]:
    """The councils with the names that their own folders give them."""
    given = [folder.config.authority for folder in folders if folder.config.authority]
    names = {each.code: each.name for each in given if each.name}
    return tuple(Authority(each.code, names.get(each.code, each.name)) for each in authorities)


def _digest(folders: Sequence[Folder]) -> str:
    if len(folders) == 1:
        return folders[0].digest
    return sha256("".join(sorted(folder.digest for folder in folders)).encode()).hexdigest()
