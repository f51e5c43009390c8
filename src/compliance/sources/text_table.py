"""A staged table of text that is filled a batch at a time, so that memory does not grow with what it is filled from."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from itertools import islice
from typing import Any, TypeVar

from duckdb import DuckDBPyConnection

from compliance.dataset.values import name

BATCH = 20_000

Item = TypeVar("Item")


@dataclass(frozen=True)
class TextTable:
    """A table in the staging schema: `_row BIGINT` and columns of text."""

    connection: DuckDBPyConnection
    relation: str
    columns: tuple[str, ...]

    @classmethod
    def create(cls, connection: DuckDBPyConnection, relation: str, columns: Sequence[str]) -> TextTable:
        """The table, made and empty."""
        declared = ", ".join(f"{name(column)} VARCHAR" for column in columns)
        connection.execute(f"CREATE TABLE {relation} (_row BIGINT, {declared})")
        return cls(connection, relation, tuple(columns))

    def add(self, rows: Sequence[int], records: Sequence[Sequence[Any]]) -> None:
        """Adds records of one value a column, with the source row of each."""
        if not records:
            return
        marks = ", ".join(f"unnest(${n}::{'BIGINT' if n == 1 else 'VARCHAR'}[])" for n in range(1, len(self.columns) + 2))
        texts = [[text_of(value) for value in column] for column in zip(*records, strict=True)]
        self.connection.execute(f"INSERT INTO {self.relation} SELECT {marks}", [list(rows), *texts])


def batches(items: Iterable[Item], size: int = BATCH) -> Iterator[list[Item]]:
    """The items in lists of this size, the last one shorter."""
    left = iter(items)
    while batch := list(islice(left, size)):
        yield batch


def text_of(value: Any) -> str | None:
    """A database's value as text; bytes are read as what they spell, a date without a time as a date."""
    if value is None or isinstance(value, str):
        return value
    if isinstance(value, datetime):
        return value.isoformat(sep=" ")
    if isinstance(value, date):
        return value.isoformat()
    return value.decode("utf-8", errors="replace") if isinstance(value, bytes | bytearray) else str(value)
