"""Records read from an XML file as it streams past: columns of text in DuckDB, without a tree in memory.

A record is an element that makes a row; its fields are elements below it, found by their path and never by their order.
Text outside a field is passed over, and so is an element that is not known, once its name has been noted.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from difflib import get_close_matches
from pathlib import Path
from typing import Any

from duckdb import DuckDBPyConnection
from lxml import etree  # type: ignore[import-untyped]

from compliance.dataset.ingest import Remark, shown
from compliance.dataset.values import name
from compliance.errors import DataError
from compliance.sources.limits import Limits
from compliance.sources.text_table import insert

CHUNK = 1 << 18
BATCH = 20_000
UNKNOWN_KEPT = 50
UNKNOWN_LENGTH = 100
SEVERAL_LENGTH = 10_000
SEVERAL = "|"
"""What stands between the texts of a field that a record has several times."""

_EDGE = " \t\r\n\f\v\u00a0\ufeff"
_FIRST_COLUMNS = 2


@dataclass(frozen=True)
class Record:
    """An element that makes a row: where it is, and its fields by name, each with its path below it (`.` is its own text).

    `several` are the fields whose texts are all kept. A record that begins in more than one place has them as `also`.
    """

    name: str
    at: str
    fields: Mapping[str, str]
    several: frozenset[str] = frozenset()
    also: Mapping[str, Mapping[str, str]] = field(default_factory=dict)

    @property
    def columns(self) -> tuple[str, ...]:
        """The names of all its fields."""
        return tuple(dict.fromkeys([*self.fields, *(each for fields in self.also.values() for each in fields)]))


@dataclass(frozen=True)
class Layout:
    """What a format's files look like: the root, its records, and the elements that are known but not read."""

    root: str
    records: tuple[Record, ...]
    unread: frozenset[str]

    @classmethod
    def of(cls, document: Mapping[str, Any]) -> Layout:
        """The layout that a mapping declares."""
        records = tuple(
            Record(key, facts["at"], facts["fields"], frozenset(facts.get("several", ())), facts.get("also", {}))
            for key, facts in document["records"].items()
        )
        return cls(document["root"], records, frozenset(document.get("unread", ())))


@dataclass(frozen=True)
class Found:
    """What a file held: how many rows of each record, and the elements that are not known, each with its number."""

    counts: Mapping[str, int]
    unknown: Mapping[str, int]
    known: frozenset[str]

    def remarks(self) -> tuple[Remark, ...]:
        """What there is to say of the elements that are not known, with the nearest that is."""
        return tuple(self._remark(*each) for each in sorted(self.unknown.items()))

    def _remark(self, path: str, count: int) -> Remark:
        last = path.rpartition("/")[2]
        near = get_close_matches(last, sorted(self.known), n=1)
        reason = "not an element of this format, so not read" + (f"; the nearest is {near[0]}" if near else "")
        return Remark(None, shown(path), None, reason + (f" ({count:,} times)" if count > 1 else ""))


class _Node:
    """An element that is known: what may be below it, which field its text fills, and whether it makes a row."""

    __slots__ = ("below", "field", "record", "several", "unread")

    def __init__(self) -> None:
        self.below: dict[str, _Node] = {}
        self.field = 0
        self.several = False
        self.record: int | None = None
        self.unread = False

    def at(self, path: str) -> _Node:
        node = self
        for tag in path.split("/"):
            if tag != ".":
                node = node.below.setdefault(tag, _Node())
        return node


def read_records(
    connection: DuckDBPyConnection, path: Path, label: str, layout: Layout, relation: Callable[[str], str], limits: Limits
) -> Found:
    """The rows of every record, put in a relation each: `_row` counts them in the file, `_parent` is the row around them."""
    limits.hold(label, "file_bytes", path.stat().st_size)
    for record in layout.records:
        columns = "".join(f", {name(each)} VARCHAR" for each in record.columns)
        connection.execute(f"CREATE TABLE {relation(record.name)} (_row BIGINT, _parent BIGINT{columns})")
    target = _Target(label, layout, limits, lambda record, rows: _insert(connection, relation(record.name), rows))
    _parse(path, label, target, limits)
    return Found(target.counted(), dict(target.unknown), frozenset(target.names))


def _parse(path: Path, label: str, target: _Target, limits: Limits) -> None:
    """Feeds the file to the target; a document type, and so any entity, is refused before it is looked at."""
    safely = {"resolve_entities": False, "no_network": True, "load_dtd": False, "huge_tree": False}
    parser = etree.XMLParser(target=target, remove_comments=True, remove_pis=True, **safely)
    try:
        with path.open("rb") as stream:
            while chunk := stream.read(CHUNK):
                parser.feed(chunk)
                limits.hold(f"{label}: the text of one element", "text_bytes", target.length())
        parser.close()
    except etree.XMLSyntaxError as error:
        raise DataError(f"{label}: cannot be read as XML: {shown(error.msg)}", help="send the file as it was exported") from None


def _insert(connection: DuckDBPyConnection, relation: str, rows: Sequence[Sequence[Any]]) -> None:
    numbers, parents, *columns = zip(*rows, strict=True)
    insert(connection, relation, [range(numbers[0], numbers[-1] + 1), parents], columns)


class _Target:
    """What the parser tells its events to; holds only the open records and a batch of closed ones.

    `start` and `end` are called for each element there is, so they are closures over their own names: a third of the time.
    """

    def __init__(
        self, label: str, layout: Layout, limits: Limits, flush: Callable[[Record, Sequence[Sequence[Any]]], None]
    ) -> None:
        self.label, self.layout, self.limits, self.flush = label, layout, limits, flush
        self.unknown: Counter[str] = Counter()
        self.names: set[str] = set()
        self.parts: list[str] = []
        self.closed: list[list[list[Any]]] = [[] for _ in layout.records]
        self.counts = [0] * len(layout.records)
        self.total = 0
        self.data = self.parts.append
        self.start, self.end = self._events(self._nodes())

    def _nodes(self) -> _Node:
        top = _Node()
        for number, record in enumerate(self.layout.records):
            for at, fields in [(record.at, record.fields), *record.also.items()]:
                node = top.at(at)
                node.record = number
                for key, path in fields.items():
                    below = node.at(path)
                    below.field = _FIRST_COLUMNS + record.columns.index(key)
                    below.several = key in record.several
                    self.names.add((at if path == "." else path).rpartition("/")[2])
        for path in self.layout.unread:
            top.at(path).unread = True
        return top

    def _events(self, top: _Node) -> tuple[Callable[[str, object], None], Callable[[str], None]]:
        """What is called as an element begins and as it ends."""
        node: _Node | None = None
        around: list[_Node | None] = []
        rows: list[list[Any]] = []
        parts, closed, counts = self.parts, self.closed, self.counts
        blank = [[""] * len(record.columns) for record in self.layout.records]

        def start(tag: str, _: object) -> None:
            nonlocal node
            outer = node
            around.append(outer)
            if parts:
                parts.clear()
            node = outer.below.get(tag) if outer is not None else None
            if node is None:
                node = self._other(tag, outer, len(around), top)
            if node is not None and (number := node.record) is not None:
                counts[number] += 1
                rows.append([counts[number], rows[-1][0] if rows else 0, *blank[number]])

        def end(_: str) -> None:
            nonlocal node
            ended = node
            node = around.pop()
            if ended is None:
                return
            if ended.field and parts:
                text = (parts[0] if len(parts) == 1 else "".join(parts)).strip(_EDGE)
                parts.clear()
                row = rows[-1]
                if not row[ended.field]:
                    row[ended.field] = text
                elif ended.several and text:
                    row[ended.field] = self._joined(row[ended.field], text)
            if (number := ended.record) is not None:
                closed[number].append(rows.pop())
                if len(closed[number]) >= BATCH:
                    self._flush(number)

        return start, end

    def doctype(self, *_: object) -> None:
        """Refuses the file: a document type is where entities are declared."""
        help = "send the file without its DOCTYPE"
        raise DataError(f"{self.label}: declares a document type, which could hold entities", help=help)

    def close(self) -> None:
        """Puts away what is left."""
        for number in range(len(self.closed)):
            self._flush(number)

    def counted(self) -> dict[str, int]:
        """How many rows of each record there were."""
        return {record.name: number for record, number in zip(self.layout.records, self.counts, strict=True)}

    def length(self) -> int:
        """How much text the open element holds so far."""
        return sum(map(len, self.parts))

    def _other(self, tag: str, outer: _Node | None, depth: int, top: _Node) -> _Node | None:
        """The root, or the element in spite of its namespace; else nothing, with the name noted where it is not known."""
        local = tag.rpartition("}")[2]
        if depth == 1:
            if local != self.layout.root:
                raise DataError(f"{self.label}: its root is {shown(local)}, not {self.layout.root}")
            return top
        self.limits.hold(f"{self.label}: elements within elements", "nesting", depth)
        if outer is None or outer.unread:
            return None
        if local in outer.below:
            return outer.below[local]
        said = local[:UNKNOWN_LENGTH]
        if len(self.unknown) < UNKNOWN_KEPT or said in self.unknown:
            self.unknown[said] += 1
        return None

    def _joined(self, before: str, text: str) -> str:
        if len(before) > SEVERAL_LENGTH:
            raise DataError(f"{self.label}: one element is repeated beyond {SEVERAL_LENGTH:,} characters in a single record")
        return before + SEVERAL + text

    def _flush(self, number: int) -> None:
        if rows := self.closed[number]:
            self.total += len(rows)
            self.limits.hold(self.label, "rows", self.total)
            self.flush(self.layout.records[number], rows)
            rows.clear()
