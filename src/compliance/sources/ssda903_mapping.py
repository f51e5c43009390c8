"""What `ssda903.yaml` says, and what it tells of a file: which table its headings are of, and which year its name says."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from functools import cache
from pathlib import Path
from typing import Any

import yaml

from compliance.sources.filling import Filling
from compliance.sources.heads import date_in
from compliance.sources.xml_records import Layout

MAPPING_FILE = Path(__file__).with_name("ssda903.yaml")

_YEAR_SPAN = re.compile(r"(?<!\d)20(\d\d)[-_/ ]?(?:20)?(\d\d)(?!\d)")
_YEAR = re.compile(r"(?<!\d)(20\d\d)(?!\d)")


@dataclass(frozen=True)
class SourceTable:
    """A table of the return: what tells it, its columns and how they are read, and what one row of it is."""

    name: str
    told_by: frozenset[str]
    columns: tuple[str, ...]
    dates: tuple[str, ...]
    codes: tuple[str, ...]
    postcodes: tuple[str, ...]
    key: tuple[str, ...]
    record: str | None
    made_by: tuple[str, ...]
    since: int | None


@dataclass(frozen=True)
class Mapped:
    """What `ssda903.yaml` says."""

    tables: Mapping[str, SourceTable]
    layout: Layout
    fills: tuple[Filling, ...]
    translations: Mapping[str, Mapping[str, str]]
    codes: tuple[Mapping[str, Any], ...]
    years: tuple[Mapping[str, Any], ...]
    year_told_by: tuple[tuple[str, str], ...]


def table_of(headings: Sequence[str]) -> SourceTable | None:
    """The one table that the headings are of, in any order and whatever else there is; None where it is not one."""
    words = {heading(each) for each in headings}
    told = [table for table in mapping().tables.values() if table.told_by <= words]
    return told[0] if len(told) == 1 else None


@cache
def mapping() -> Mapped:
    """The tables, records, codes and fills of the return."""
    document = yaml.load(MAPPING_FILE.read_bytes(), getattr(yaml, "CSafeLoader", yaml.SafeLoader))
    tables = {key: _source_table(key, facts) for key, facts in document["tables"].items()}
    fills = tuple(
        Filling(facts["table"], facts["of"], facts["history"], facts["columns"], where=facts.get("where"))
        for facts in document["fills"]
    )
    told = tuple((table, column) for table, column in document["year_told_by"])
    return Mapped(
        tables, Layout.of(document), fills, document["translations"], tuple(document["codes"]), tuple(document["years"]), told
    )


def _source_table(key: str, facts: Mapping[str, Any]) -> SourceTable:
    lists = {each: tuple(facts.get(each, ())) for each in ("columns", "dates", "codes", "postcodes", "key", "made_by")}
    return SourceTable(
        name=key, told_by=frozenset(facts["told_by"]), record=facts.get("record"), since=facts.get("since"), **lists
    )


def heading(text: str) -> str:
    """The heading as headings are compared."""
    return re.sub(r"[\s-]+", "_", text.strip(" \t\r\n\u00a0\ufeff")).upper()


def year_named(label: str) -> int | None:
    """The year in which a return ends, as its file's name says it: 2017, 2016-17 and 2016_17 are all 2017."""
    stem = Path(label).stem
    if day := date_in(stem):
        return day.year + (day > date(day.year, 3, 31))
    for first, second in _YEAR_SPAN.findall(stem):
        if int(second) == (int(first) + 1) % 100:
            return 2000 + int(second)
    found = {int(each) for each in _YEAR.findall(stem)}
    return found.pop() if len(found) == 1 else None
