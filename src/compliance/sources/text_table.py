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
    """A table in the staging schema: columns of numbers, the first of which is `_row`, and columns of text."""

    connection: DuckDBPyConnection
    relation: str
    columns: tuple[str, ...]
    numbers: tuple[str, ...]

    @classmethod
    def create(
        cls, connection: DuckDBPyConnection, relation: str, columns: Sequence[str], numbers: Sequence[str] = ("_row",)
    ) -> TextTable:
        """The table, made and empty."""
        declared = [*(f"{name(each)} BIGINT" for each in numbers), *(f"{name(each)} VARCHAR" for each in columns)]
        connection.execute(f"CREATE TABLE {relation} ({', '.join(declared)})")
        return cls(connection, relation, tuple(columns), tuple(numbers))

    def add(self, numbers: Sequence[Sequence[int]], records: Sequence[Sequence[Any]]) -> None:
        """Adds records of one value a column of text; the numbers come a column at a time."""
        if not records:
            return
        kinds = ["BIGINT"] * len(self.numbers) + ["VARCHAR"] * len(self.columns)
        marks = ", ".join(f"unnest(${number}::{kind}[])" for number, kind in enumerate(kinds, 1))
        texts = [[text_of(value) for value in column] for column in zip(*records, strict=True)]
        self.connection.execute(f"INSERT INTO {self.relation} SELECT {marks}", [*map(list, numbers), *texts])


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
