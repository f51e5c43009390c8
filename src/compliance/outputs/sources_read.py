"""What was read and how far it can be trusted: the files and why they are what they are, bounds in time, ids, conflicts."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from itertools import groupby
from typing import TYPE_CHECKING, Any

from rich.console import Console

from compliance.dataset.coverage import Stretch
from compliance.dataset.load import Dataset
from compliance.outputs.screen import line

if TYPE_CHECKING:
    from compliance.sources.recognise import Recognised
    from compliance.sources.settle import Match

SHOWN = 3
FACTS = {"people": "by UPN and date of birth", "workers": "by registration number"}


def print_sources(console: Console, dataset: Dataset, *, at_most: int = SHOWN) -> None:
    """The sources, what they cover, how their ids match and where they differ; of files alike `at_most` names (0: all)."""
    for heading, lines in (
        ("Read", _files(dataset.recognised, at_most)),
        ("Not all of history (what came before or since is unknown, not missed)", _stretches(dataset)),
        ("The same ids", map(_match, dataset.matches)),
        ("Sources that differ (the one with precedence is believed: `compliance data validate` lists them)", _conflicts(dataset)),
    ):
        for number, words in enumerate(lines):
            if number == 0:
                line(console, (heading, "bold"))
            line(console, f"  – {words}")


def sources_document(dataset: Dataset) -> dict[str, Any]:
    """The same as data."""
    return {
        "recognised": [{"path": one.label, "format": one.format, "why": one.why} for one in dataset.recognised],
        "coverage": [
            {"table": one.table, "authority": one.authority, "from": one.stretch.first, "to": one.stretch.last}
            for one in dataset.coverage
        ],
        "matches": [
            {
                "table": one.table,
                "first": one.first,
                "second": one.second,
                "ids": one.ids,
                "by_id": one.by_id,
                "by_facts": one.by_facts,
                "rate": round(one.rate, 4),
            }
            for one in dataset.matches
        ],
        "conflicts": [{"table": one.table, "source": one.source, "values": one.values} for one in dataset.conflicts],
    }


def _files(recognised: tuple[Recognised, ...], at_most: int) -> Iterator[str]:
    """Each file, its format and why; of one format the first few, unless all are wanted."""
    from compliance.sources.recognise import FORMATS

    ordered = sorted(recognised, key=lambda one: (one.format, one.label))
    for form, group in groupby(ordered, key=lambda one: one.format):
        files = list(group)
        shown = files if at_most == 0 else files[:at_most]
        yield from map(str, shown)
        if len(files) > len(shown):
            yield f"… and {len(files) - len(shown)} more files of {FORMATS.get(form, form)}"


def _stretches(dataset: Dataset) -> Iterator[str]:
    """Each stretch of time with the tables that cover it, by council where there are several."""
    tables: dict[tuple[str, Stretch], list[str]] = defaultdict(list)
    for one in dataset.coverage:
        tables[one.authority if len(dataset.authorities) > 1 else "", one.stretch].append(one.table)
    for (authority, stretch), names in tables.items():
        yield f"{f'{authority}, ' if authority else ''}{stretch.words()}: {', '.join(names)}"


def _match(one: Match) -> str:
    known = one.by_id + one.by_facts
    how = f"{one.by_id:,} by id, {one.by_facts:,} {FACTS.get(one.table, 'by other facts')}"
    return f"{known:,} of {one.ids:,} {one.table} in {one.second} are known to {one.first}: {one.rate:.0%} ({how})"


def _conflicts(dataset: Dataset) -> Iterator[str]:
    for one in dataset.conflicts:
        yield f"{one.source}: {one.values:,} {'value' if one.values == 1 else 'values'} of {one.table}"
