"""What `ssd.yaml` says of the Standard Safeguarding Dataset: its tables, the words for its codes, and what fills what."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import yaml

from compliance.calendar import Duration
from compliance.dataset.ingest import History
from compliance.sources import annex_a
from compliance.sources.annex_a import normal
from compliance.sources.ssd_tables import SsdTable

MAPPING_FILE = Path(__file__).with_name("ssd.yaml")

PERIOD_FIELDS = ("clae_entered_care_date", "clae_cla_episode_ceased_date", "clae_cla_episode_ceased_reason")
"""What is read of an episode to tell when its period of care begins and ends."""


@dataclass(frozen=True)
class Codes:
    """What the codes of a set are called, a pattern for the code itself, patterns of longer text, and what the rest is."""

    words: Mapping[str, str]
    token: re.Pattern[str] | None
    patterns: tuple[tuple[str, re.Pattern[str]], ...]
    shared: annex_a.Codes | None
    other: str | None

    def code_of(self, said: str) -> str | None:
        """The code that the text stands for; empty where it stands for a blank, None where it is not known."""
        word = normal(said)
        if word in self.words:
            return self.words[word]
        if self.token and (found := self.token.search(said.strip())):
            return found[1]
        shared = self.shared.code_of(said) if self.shared else None
        if shared is not None:
            return shared
        return next((code for code, pattern in self.patterns if pattern.search(word)), None)


@dataclass(frozen=True)
class Filling:
    """How a table of the dataset fills a canonical one.

    `where` are fields that must be filled, or be a code, for a row; of `where_any` one is enough. A row that one of the
    tables `elsewhere` holds too is left out. With `once`, rows that are the same make one.
    """

    table: str
    of: str
    history: History
    columns: Mapping[str, tuple[Any, ...]]
    where: tuple[Any, ...] = ()
    where_any: tuple[Any, ...] = ()
    elsewhere: tuple[Mapping[str, Any], ...] = ()
    once: bool = False


@dataclass(frozen=True)
class Mapped:
    """What `ssd.yaml` says."""

    version: str
    window: Duration
    tables: Mapping[str, SsdTable]
    blanks: tuple[str, ...]
    unfilled: frozenset[str]
    codes: Mapping[str, str]
    flags: Mapping[str, Mapping[str, str]]
    words: Mapping[str, Codes]
    names: Mapping[str, Mapping[str, Any]]
    fillings: tuple[Filling, ...]

    @property
    def wanted(self) -> frozenset[str]:
        """The fields that are read."""
        said = [value for each in self.fillings for value in _fields_of(each)]
        known = {each for table in self.tables.values() for each in table.fields}
        named = [each for facts in self.names.values() for each in (facts["id"], *facts["also"])]
        return frozenset(said) & known | frozenset(named) | frozenset(PERIOD_FIELDS)


@cache
def mapping() -> Mapped:
    """The tables, codes and fillings of the dataset."""
    document = yaml.load(MAPPING_FILE.read_bytes(), getattr(yaml, "CSafeLoader", yaml.SafeLoader))
    tables = {
        key: SsdTable(key, facts["key"], facts.get("person"), tuple(facts["fields"]), facts.get("also", {}))
        for key, facts in document["tables"].items()
    }
    return Mapped(
        document["version"],
        Duration.parse(document["window"]),
        tables,
        tuple(document["blanks"]),
        frozenset(document["unfilled"]),
        document["codes"],
        document["flags"],
        {key: _codes(facts) for key, facts in document["words"].items()},
        document["names"],
        tuple(_filling(facts) for facts in document["fillings"]),
    )


def _codes(facts: Mapping[str, Any]) -> Codes:
    words = {normal(word): code for code, words in facts.get("words", {}).items() for word in words}
    patterns = tuple((code, re.compile(pattern)) for code, pattern in facts.get("patterns", {}).items())
    shared = annex_a.mapping().codes[facts["annex_a"]] if "annex_a" in facts else None
    return Codes(words, re.compile(facts["token"]) if "token" in facts else None, patterns, shared, facts.get("other"))


def _filling(facts: Mapping[str, Any]) -> Filling:
    columns = {key: tuple(said) if isinstance(said, list) else (said,) for key, said in facts["columns"].items()}
    conditions = {key: tuple(facts.get(key, ())) for key in ("where", "where_any", "elsewhere")}
    return Filling(facts["table"], facts["from"], facts.get("history", "full"), columns, **conditions, once="once" in facts)


def _fields_of(filling: Filling) -> Iterator[str]:
    """Every word of a filling that may be a field."""
    left: list[Any] = [*filling.columns.values(), *filling.where, *filling.where_any, *filling.elsewhere]
    while left:
        match left.pop():
            case str() as word:
                yield word
            case Mapping() as facts:
                left += [*facts.keys(), *facts.values()]
            case list() | tuple() as several:
                left += several
