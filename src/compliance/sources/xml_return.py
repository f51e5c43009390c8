"""A statutory return in XML: recognised by its collection, streamed into records, its tables staged as its mapping says."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from functools import cache
from pathlib import Path
from typing import Any

import yaml
from duckdb import DuckDBPyConnection

from compliance.dataset.coverage import Stretch, covering
from compliance.dataset.ingest import Remark, Staged
from compliance.dataset.schema import Schema
from compliance.dataset.values import name, quoted
from compliance.errors import DataError
from compliance.sources.filling import Filling, fillings, select
from compliance.sources.heads import text_of, xml_root
from compliance.sources.limits import Limits
from compliance.sources.reader import Source, SourceFile
from compliance.sources.xml_records import Found, Layout, read_records

_COLLECTION = re.compile(r"<(?:[\w.-]+:)?Collection>\s*([\w-]+)\s*<")
_ISO, _BRITISH = "____-__-__", r"\d{1,2}/\d{1,2}/\d{4}([ T].*)?"
_AFTER_DAY = r"([T ][\d:.]*)?\s*(Z|z|[+-]\d\d:?\d\d)?"
_FIRST_YEAR, _LAST_YEAR = 1990, 2100


@dataclass(frozen=True)
class Mapped:
    """What a return's mapping says."""

    layout: Layout
    collection: str
    dates: Mapping[str, tuple[str, ...]]
    translations: Mapping[str, Mapping[str, str]]
    years: tuple[Mapping[str, Any], ...]
    tables: tuple[Filling, ...]


@cache
def mapped(file: Path) -> Mapped:
    """The mapping in a file."""
    document = yaml.load(file.read_bytes(), getattr(yaml, "CSafeLoader", yaml.SafeLoader))
    dates = {record: tuple(columns) for record, columns in document["dates"].items()}
    years = tuple(document.get("years", ()))
    return Mapped(Layout.of(document), document["collection"], dates, document["translations"], years, fillings(document))


def collection_of(head: bytes) -> str | None:
    """The collection that an XML message says it is, None where the first bytes say none."""
    if xml_root(head) != "Message":
        return None
    found = _COLLECTION.search(text_of(head) or "")
    return found[1].upper() if found else None


def holds(head: bytes, *elements: str) -> str | None:
    """The first of the elements that the first bytes of a message have, None where they have none."""
    if xml_root(head) != "Message":
        return None
    text = text_of(head) or ""
    return next((each for each in elements if re.search(rf"<(?:[\w.-]+:)?{each}\b", text)), None)


@dataclass(frozen=True)
class Header:
    """What a return says of itself: the year in which it ends, the day it is of, and when it was taken."""

    year: int | None
    reference_date: date | None
    taken: date | None

    @classmethod
    def read(cls, connection: DuckDBPyConnection, relation: str) -> Header:
        """The header of a file; what is blank or beyond belief is not known."""
        row = connection.execute(f"SELECT year, reference_date, taken_at FROM {relation} ORDER BY _row LIMIT 1").fetchone()
        year, reference, taken = row or (None, None, None)
        said = int(year) if year and re.fullmatch(r"\d{4}", year) else None
        return cls(said if said and _FIRST_YEAR <= said <= _LAST_YEAR else None, _day(reference), _day(taken))

    def ends(self, month: int, day: int) -> date | None:
        """The day that the return is of: as it says, else that day of its year."""
        return self.reference_date or (date(self.year, month, day) if self.year else None)

    def remarks(self) -> Iterator[Remark]:
        """What is at odds in the header."""
        if self.reference_date and self.year and self.reference_date.year != self.year:
            reason = f"the year is {self.year}, but the reference date {self.reference_date}, which is taken"
            yield Remark(None, "Year", str(self.year), reason)
        if self.reference_date and self.taken and self.taken < self.reference_date:
            reason = f"taken on {self.taken}, before the day that it says it is of: what happened since is not in it"
            yield Remark(None, "ReferenceDate", str(self.reference_date), reason)


def _day(text: str | None) -> date | None:
    try:
        day = date.fromisoformat((text or "")[:10])
    except ValueError:
        return None
    return day if _FIRST_YEAR <= day.year <= _LAST_YEAR else None


@dataclass(frozen=True)
class Reading:
    """One file of a return on its way into staged relations."""

    connection: DuckDBPyConnection
    source: Source
    schema: Schema
    limits: Limits
    mapping: Mapped
    file: SourceFile
    number: int
    year_end: tuple[int, int]

    def relation(self, record: str) -> str:
        """The relation of a record's rows."""
        return self.source.relation(self.number, record)

    def staged(self, derive: Callable[[Reading, dict[str, str]], Iterator[Remark]] | None = None) -> list[Staged]:
        """The tables that the file fills, the first of which carries what there is to say about the file.

        `derive` adds relations that are made of records, and says what there is to say of them.
        """
        found = read_records(self.connection, self.file.path, self.file.label, self.mapping.layout, self.relation, self.limits)
        if not any(count for record, count in found.counts.items() if record != "header"):
            raise DataError(f"{self.file.label}: holds no record of the {self.mapping.collection} collection")
        relations = {record.name: self.relation(record.name) for record in self.mapping.layout.records}
        header = Header.read(self.connection, relations["header"])
        day = header.ends(*self.year_end) or self.source.extract_date
        remarks = [*header.remarks(), *found.remarks(), *self._dated(relations), *self._out_of_year(relations, day)]
        if derive:
            remarks += derive(self, relations)
        tables = [each for each in self.mapping.tables if self._is_told(each, found, day)]
        return [
            self._staged(each, relations, day, header.taken, tuple(remarks) if n == 0 else ()) for n, each in enumerate(tables)
        ]

    def _is_told(self, filling: Filling, found: Found, day: date | None) -> bool:
        """Whether the return has such records, or is of a year in which it would."""
        if filling.since is None or found.counts[filling.of]:
            return True
        return day is not None and day.year >= filling.since

    def _staged(
        self,
        filling: Filling,
        relations: Mapping[str, str],
        day: date | None,
        taken: date | None,
        notices: tuple[Remark, ...],
    ) -> Staged:
        relation = select(filling, relations, self.mapping.translations)
        read = (self.connection.execute(f"SELECT count(*) FROM {relation}").fetchone() or (0,))[0]
        return Staged(
            filling.table,
            relation,
            self.file.label,
            filling.sheet,
            self.source.config.history.get(filling.table, filling.history),
            read,
            notices=notices,
            columns=frozenset({"_row", *filling.columns}),
            has_odd_spaces=False,
            extract_date=day,
            covers=self._covers(filling.table, day, taken),
        )

    def _covers(self, table: str, day: date | None, taken: date | None) -> Stretch:
        """The year that ends on the day or goes on after it, as far as the return was taken."""
        if day is None:
            return Stretch()
        end = date(day.year, *self.year_end)
        first = end.replace(year=day.year - (day <= end)) + timedelta(1)
        return covering(table, first, min(day, taken) if taken else day)

    def _dated(self, relations: dict[str, str]) -> Iterator[Remark]:
        """Rewrites the dates that are not plain days, and says which were in another order."""
        for record, columns in self.mapping.dates.items():
            relation, names = relations[record], [name(each) for each in columns]
            odd = [f"count(*) FILTER ({each} NOT LIKE {quoted(_ISO)})" for each in names]
            british = [f"count(*) FILTER (regexp_full_match({each}, {quoted(_BRITISH)}))" for each in names]
            if not any(self._row(f"SELECT {', '.join(odd)} FROM {relation}")):
                continue
            for column, count in zip(columns, self._row(f"SELECT {', '.join(british)} FROM {relation}"), strict=True):
                if count:
                    yield Remark(None, column, None, f"{count:,} dates are written dd/mm/yyyy, and are read so")
            rewritten = ", ".join(f"{_plain_day(each)} AS {each}" for each in names)
            relations[record] = self.source.relation(self.number, record, "dated")
            self.connection.execute(f"CREATE TABLE {relations[record]} AS SELECT * REPLACE ({rewritten}) FROM {relation}")

    def _out_of_year(self, relations: Mapping[str, str], day: date | None) -> Iterator[Remark]:
        """Says which codes and elements are not of the return's year; they are read all the same."""
        if day is None:
            return
        for each in self.mapping.years:
            first, last = each.get("from", _FIRST_YEAR), each.get("to", _LAST_YEAR)
            column = name(each["field"])
            test = f"upper({column}) = {quoted(each['code'])}" if "code" in each else f"{column} IS NOT NULL"
            if first <= day.year <= last:
                continue
            count, row = self._row(f"SELECT count(*), min(_row) FROM {relations[each['record']]} WHERE {test}")
            if count:
                what = f"the code {each['code']}" if "code" in each else "this element"
                when = f"from {first}" if "from" in each else f"to {last}"
                reason = f"{what} is of returns {when}, and this is of {day.year}: read all the same ({count:,} times)"
                yield Remark(row, each["field"], each.get("code"), reason)

    def _row(self, sql: str) -> tuple[Any, ...]:
        return self.connection.execute(sql).fetchone() or ()


def _plain_day(text: str) -> str:
    """SQL for the day alone: without a time or a zone, and in the usual order."""
    british = f"strftime(try_strptime(regexp_extract({text}, '^[0-9/]+'), '%d/%m/%Y'), '%Y-%m-%d')"
    iso = f"{text} LIKE {quoted(_ISO + '%')} AND regexp_full_match(substr({text}, 11), {quoted(_AFTER_DAY)})"
    is_british = f"regexp_full_match({text}, {quoted(_BRITISH)})"
    return f"CASE WHEN {iso} THEN left({text}, 10) WHEN {is_british} THEN coalesce({british}, {text}) ELSE {text} END"
