"""The payload that councils send to the Department for Education: JSON, an object a child, with episodes and lists within.

Its records, their fields and the tables that they fill are in `dfe_api.yaml`. Objects are read one at a time, so that memory
does not grow with the file. The row of a record is its number among those of its kind in the file, from 1.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from difflib import get_close_matches
from functools import cache, cached_property
from pathlib import Path
from typing import Any

import yaml
from duckdb import DuckDBPyConnection

from compliance.dataset import values
from compliance.dataset.ingest import Remark, Staged, shown
from compliance.dataset.schema import Schema
from compliance.errors import DataError
from compliance.sources.filling import Filling, fillings, select
from compliance.sources.heads import kind_of, text_of
from compliance.sources.json_objects import objects
from compliance.sources.limits import Limits
from compliance.sources.reader import Source, SourceFile
from compliance.sources.text_table import BATCH, TextTable
from compliance.sources.xml_records import SEVERAL

FORMAT = "dfe_api"
MAPPING_FILE = Path(__file__).with_suffix(".yaml")

CHILD, PLACEMENT, CARE_PERIOD, CARE_LEAVER = "child", "placement", "care_period", "care_leaver"
UNKNOWN_KEPT = 50

_IS_CHILD = re.compile(r'"la_child_id"\s*:')


@dataclass(frozen=True)
class Record:
    """What makes a row: where it is below the child, its fields with their paths below it, and those that are lists."""

    name: str
    at: tuple[str, ...]
    fields: Mapping[str, tuple[str, ...]]
    several: frozenset[str]


@dataclass(frozen=True)
class Mapped:
    """What `dfe_api.yaml` says."""

    signature: tuple[str, ...]
    purge: str
    records: tuple[Record, ...]
    unread: frozenset[tuple[str, ...]]
    translations: Mapping[str, Mapping[str, str]]
    tables: tuple[Filling, ...]

    @cached_property
    def known(self) -> frozenset[tuple[str, ...]]:
        """The path of every key that is known."""
        paths = [(*each.at, *path) for each in self.records for path in each.fields.values()]
        paths += [each.at for each in self.records] + list(self.unread)
        return frozenset(path[:length] for path in paths for length in range(1, len(path) + 1))

    @cached_property
    def inner(self) -> Mapping[str, list[Record]]:
        """For each record those that are within it, and in no other that is."""
        within = {each.name: [other for other in self.records if _is_within(other, each)] for each in self.records}
        return {
            key: [each for each in found if not any(_is_within(each, other) for other in found)] for key, found in within.items()
        }

    @cached_property
    def places(self) -> frozenset[tuple[str, ...]]:
        """Where the records are."""
        return frozenset(each.at for each in self.records)


def recognise(path: Path, head: bytes) -> str | None:
    """Why the file is such a payload, None where it is not."""
    text = (text_of(head) or "") if kind_of(head) == "json" else ""
    if not _IS_CHILD.search(text):
        return None
    found = next((each for each in mapping().signature if f'"{each}"' in text), None)
    return f"JSON with la_child_id and {found}" if found else None


def stage(connection: DuckDBPyConnection, source: Source, schema: Schema, limits: Limits) -> list[Staged]:
    """The tables that the files fill."""
    connection.execute(values.create_macros())
    staged = [
        each for number, file in enumerate(source.files) for each in _Reading(connection, source, file, number, limits).staged()
    ]
    connection.execute(values.drop_macros())
    return staged


@cache
def mapping() -> Mapped:
    """The records and tables of the payload."""
    document = yaml.load(MAPPING_FILE.read_bytes(), getattr(yaml, "CSafeLoader", yaml.SafeLoader))
    records = tuple(
        Record(
            key,
            _path(facts.get("at", "")),
            {each: _path(path) for each, path in facts["fields"].items()},
            frozenset(facts.get("several", ())),
        )
        for key, facts in document["records"].items()
    )
    unread = frozenset(map(_path, document["unread"]))
    return Mapped(tuple(document["signature"]), document["purge"], records, unread, document["translations"], fillings(document))


def _path(text: str) -> tuple[str, ...]:
    return tuple(text.split(".")) if text else ()


def _is_within(inner: Record, outer: Record) -> bool:
    return inner is not outer and inner.at[: len(outer.at)] == outer.at


@dataclass
class _Rows:
    """The rows of a record on their way into its table: those that wait, and how many there were."""

    table: TextTable
    count: int = 0
    is_told: bool = False
    numbers: list[tuple[int, int]] = field(default_factory=list)
    waiting: list[list[str | None]] = field(default_factory=list)

    def add(self, parent: int, record: list[str | None]) -> int:
        """The number of the row."""
        self.count += 1
        self.numbers.append((self.count, parent))
        self.waiting.append(record)
        if len(self.waiting) >= BATCH:
            self.flush()
        return self.count

    def flush(self) -> None:
        """Puts away what waits."""
        self.table.add(list(zip(*self.numbers, strict=True)), self.waiting)
        self.numbers, self.waiting = [], []


@dataclass(frozen=True)
class _Reading:
    """One file on its way into staged relations."""

    connection: DuckDBPyConnection
    source: Source
    file: SourceFile
    number: int
    limits: Limits
    unknown: Counter[tuple[str, ...]] = field(default_factory=Counter)
    purged: Counter[str] = field(default_factory=Counter)
    odd: Counter[tuple[str, ...]] = field(default_factory=Counter)

    def staged(self) -> list[Staged]:
        """The tables that the file fills, the first of which carries what there is to say of it."""
        said = mapping()
        rows = {each.name: _Rows(self._table(each)) for each in said.records}
        child = said.records[0]
        for each in objects(self.file.path, self.file.label, self.limits):
            self._take(child, each, 0, rows)
        for waiting in rows.values():
            waiting.flush()
        if not rows[CHILD].count and not self.purged:
            raise DataError(f"{self.file.label}: holds no child")
        relations = {key: self._relation(key) for key in (*rows, CARE_PERIOD)}
        self._derive_care_periods()
        told = {key for key, each in rows.items() if each.is_told} | ({CARE_PERIOD} if rows[PLACEMENT].is_told else set())
        of_told = [each for each in said.tables if each.of in told]
        tables = [each for each in of_told if self._can_fill(each)]
        remarks = (*self._remarks(), *_undated([each for each in of_told if each not in tables]))
        return [self._staged(each, relations, remarks if number == 0 else ()) for number, each in enumerate(tables)]

    def _relation(self, record: str) -> str:
        return self.source.relation("dfe", self.number, record)

    def _table(self, record: Record) -> TextTable:
        columns = [*record.fields, *(["extract_date"] if record.name == CARE_LEAVER else [])]
        return TextTable.create(self.connection, self._relation(record.name), columns, ("_row", "_parent"))

    def _take(self, record: Record, found: Mapping[str, Any], parent: int, rows: Mapping[str, _Rows]) -> None:
        """Takes in a record and those within it, save where it is to be forgotten."""
        own = rows[record.name]
        own.is_told = True
        if found.get(mapping().purge) is True:
            self.purged[record.name] += 1
            return
        self._note_unknown(record.at, found)
        texts = [self._text(record, each, path, found) for each, path in record.fields.items()]
        if record.name == CARE_LEAVER:
            texts.append(str(self.source.extract_date) if self.source.extract_date else None)
        number = own.add(parent, texts)
        for inner in mapping().inner[record.name]:
            for each in self._within(inner, inner.at[len(record.at) :], found, rows):
                self._take(inner, each, number, rows)

    def _within(
        self, inner: Record, path: Sequence[str], found: Mapping[str, Any], rows: Mapping[str, _Rows]
    ) -> Iterator[Mapping[str, Any]]:
        """The objects that are found on a path: one, or those of a list."""
        for key in path[:-1]:
            around = found.get(key)
            if not isinstance(around, Mapping) or around.get(mapping().purge) is True:
                return
            found = around
        held = found.get(path[-1])
        rows[inner.name].is_told |= held is not None
        for each in held if isinstance(held, list) else [held]:
            if isinstance(each, Mapping):
                yield each
            elif each is not None:
                self.odd[inner.at] += 1

    def _text(self, record: Record, field: str, path: Sequence[str], found: Mapping[str, Any]) -> str | None:
        """A field's text: of a list all of them, of what is no single value nothing."""
        value: Any = found
        for key in path:
            if isinstance(value, Mapping) and value is not found and value.get(mapping().purge) is True:
                return None
            value = value.get(key) if isinstance(value, Mapping) else None
        if field in record.several and isinstance(value, list):
            return SEVERAL.join(each for each in value if isinstance(each, str)) or None
        if isinstance(value, bool):
            return str(value).lower()
        if isinstance(value, list | Mapping):
            self.odd[(*record.at, *path)] += 1
            return None
        return value if value is None else str(value)

    def _note_unknown(self, at: tuple[str, ...], found: Mapping[str, Any]) -> None:
        for key, value in found.items():
            path = (*at, key)
            if key == mapping().purge:
                continue
            if path not in mapping().known:
                if path in self.unknown or len(self.unknown) < UNKNOWN_KEPT:
                    self.unknown[path] += 1
            elif isinstance(value, Mapping) and path not in mapping().places:
                self._note_unknown(path, value)

    def _remarks(self) -> Iterator[Remark]:
        for record, count in sorted(self.purged.items()):
            yield Remark(None, record, None, f"{count:,} left out: marked to be purged")
        last = [path[-1] for path in mapping().known]
        for path, count in sorted(self.unknown.items()):
            near = get_close_matches(path[-1], last, n=1)
            reason = "not a key of this payload, so not read" + (f"; the nearest is {near[0]}" if near else "")
            yield Remark(None, shown(".".join(path)), None, reason + (f" ({count:,} times)" if count > 1 else ""))
        for path, count in sorted(self.odd.items()):
            yield Remark(None, ".".join(path), None, f"not of the form that it should be, so not read ({count:,} times)")

    def _can_fill(self, filling: Filling) -> bool:
        return "extract_date" not in filling.columns.values() or self.source.extract_date is not None

    def _derive_care_periods(self) -> None:
        """Makes the periods of care: placements in a row, each of which begins where the last one ended for another to start."""
        placed, around, child = (self._relation(each) for each in (PLACEMENT, "episode", CHILD))
        dated = (
            "SELECT p._row, c.la_child_id AS person_id, read_date(p.start_date) AS began, p.end_date AS ceased, "
            "upper(trim(p.start_reason)) AS start_reason, upper(trim(p.end_reason)) AS end_reason "
            f"FROM {placed} p JOIN {around} e ON e._row = p._parent JOIN {child} c ON c._row = e._parent"
        )
        order = "PARTITION BY person_id ORDER BY began, _row"
        before = f"lag(end_reason) OVER ({order})"
        starts = f"start_reason = 'S' OR row_number() OVER ({order}) = 1 OR ({before} IS NOT NULL AND {before} <> 'X1')"
        marked = f"SELECT *, coalesce({starts}, false) AS starts FROM ({dated}) WHERE began IS NOT NULL AND person_id IS NOT NULL"
        runs = f"SELECT *, count(*) FILTER (starts) OVER ({order} ROWS UNBOUNDED PRECEDING) AS run FROM ({marked})"
        last = "arg_max({'ceased': ceased, 'reason': end_reason}, (began, _row))"
        periods = (
            f"SELECT min(_row) AS _row, person_id, min(began) AS began, {last} AS last FROM ({runs}) GROUP BY person_id, run"
        )
        goes_on = "last.reason IS NOT DISTINCT FROM 'X1'"
        ending = ", ".join(
            f"CASE WHEN {goes_on} THEN NULL ELSE last.{part} END AS {column}"
            for part, column in (("ceased", "end_date"), ("reason", "end_reason"))
        )
        self.connection.execute(
            f"CREATE TABLE {self._relation(CARE_PERIOD)} AS "
            f"SELECT _row, 'k:' || person_id || '|' || began AS care_period_id, person_id, began::VARCHAR AS start_date, "
            f"{ending} FROM ({periods})"
        )

    def _staged(self, filling: Filling, relations: Mapping[str, str], notices: tuple[Remark, ...]) -> Staged:
        relation = select(filling, relations, mapping().translations)
        read = (self.connection.execute(f"SELECT count(*) FROM {relation}").fetchone() or (0,))[0]
        return Staged(
            filling.table,
            relation,
            self.file.label,
            filling.sheet or filling.of,
            self.source.config.history.get(filling.table, filling.history),
            read,
            notices=notices,
            columns=frozenset({"_row", *filling.columns}),
            extract_date=self.source.extract_date,
        )


def _undated(tables: Sequence[Filling]) -> Iterator[Remark]:
    for each in tables:
        yield Remark(None, "extract_date", None, f"not known, so {each.table} is not filled from here")
