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

_BREAK = "\x1f"

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
        if records:
            texts = [
                [each if each.__class__ is str else text_of(each) for each in column] for column in zip(*records, strict=True)
            ]
            insert(self.connection, self.relation, numbers, texts)


def insert(
    connection: DuckDBPyConnection, relation: str, numbers: Sequence[Sequence[int]], texts: Sequence[Sequence[str | None]]
) -> None:
    """Adds rows given a column at a time: numbers first, then texts, of which an empty one is blank.

    A column goes over as one text that DuckDB splits: four times as fast as a list. It goes by way of a table, for DuckDB
    splits the texts of a statement while it plans, which takes longer.
    """
    joined = [
        *("" if isinstance(column, range) else ",".join(map(str, column)) for column in numbers),
        *(_BREAK.join([each or "" for each in column]) for column in texts),
    ]
    if any(whole.count(_BREAK) != len(column) - 1 for whole, column in zip(joined[len(numbers) :], texts, strict=True)):
        _insert_lists(connection, relation, numbers, texts)
        return
    held = ", ".join(f"c{n} VARCHAR" for n in range(len(joined)))
    connection.execute(f"CREATE OR REPLACE TEMP TABLE joined_texts ({held})")
    connection.execute(f"INSERT INTO joined_texts VALUES ({', '.join('?' for _ in joined)})", joined)
    columns = [_numbers(n, column) for n, column in enumerate(numbers)]
    columns += [f"nullif(unnest(string_split(c{n}, chr(31))), '')" for n in range(len(numbers), len(joined))]
    connection.execute(f"INSERT INTO {relation} SELECT {', '.join(columns)} FROM joined_texts")
    connection.execute("DROP TABLE joined_texts")


def _numbers(position: int, column: Sequence[int]) -> str:
    """SQL for a column of numbers: a range, or the text at this position split."""
    if isinstance(column, range):
        return f"unnest(range({column.start}, {column.stop}))"
    return f"unnest(string_split(c{position}, ','))::BIGINT"


def _insert_lists(
    connection: DuckDBPyConnection, relation: str, numbers: Sequence[Sequence[int]], texts: Sequence[Sequence[str | None]]
) -> None:
    kinds = ["BIGINT"] * len(numbers) + ["VARCHAR"] * len(texts)
    marks = ", ".join(f"unnest(${number}::{kind}[])" for number, kind in enumerate(kinds, 1))
    connection.execute(f"INSERT INTO {relation} SELECT {marks}", [*map(list, numbers), *map(list, texts)])


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
