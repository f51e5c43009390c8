"""What a paper is made of: headings, sentences, lists and tables, and the lines that stand at its head and foot."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field


@dataclass(frozen=True)
class Heading:
    """A heading of the second level."""

    text: str


@dataclass(frozen=True)
class Sentences:
    """A paragraph."""

    text: str


@dataclass(frozen=True)
class Items:
    """A list of short statements."""

    items: tuple[str, ...]


@dataclass(frozen=True)
class Table:
    """A table: its headings, the share of the width of each column, its rows, which columns hold numbers, and a bold last row.

    `lines` are values to draw above the words of one column, a row each, none where there is nothing to draw.
    """

    caption: str
    headings: tuple[str, ...]
    widths: tuple[int, ...]
    rows: tuple[tuple[str, ...], ...]
    numbers: frozenset[int] = frozenset()
    has_total: bool = False
    lines: tuple[tuple[float, ...], ...] = ()
    line_column: int | None = None


Block = Heading | Sentences | Items | Table


@dataclass(frozen=True)
class Paper:
    """A paper in the order in which it is read."""

    title: str
    facts: tuple[tuple[str, str], ...]
    blocks: Sequence[Block]
    footer: str
    day: tuple[int, int, int] = field(default=(1980, 1, 1))
