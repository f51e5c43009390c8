"""Which codes each format can hold: Annex A's meetings are strategy discussions only, so that it says nothing of core groups."""

from __future__ import annotations

from collections.abc import Mapping, Set
from functools import cache
from pathlib import Path
from typing import Any

import yaml

KINDS = Path(__file__).with_name("kinds.yaml")


@cache
def _kinds() -> dict[str, dict[str, dict[str, list[str]]]]:
    loaded: dict[str, Any] = yaml.load(KINDS.read_text("utf-8"), getattr(yaml, "CSafeLoader", yaml.SafeLoader))
    return loaded


def codes_held(formats: Mapping[str, Set[str]]) -> dict[tuple[str, str], frozenset[str]]:
    """The codes that a table's column can hold, given the formats it comes from; columns that can hold any are left out."""
    held: dict[tuple[str, str], frozenset[str]] = {}
    for table, named in formats.items():
        known = [_kinds().get(name, {}).get(table, {}) for name in named]
        for column in set().union(*known):
            if all(column in one for one in known):
                held[table, column] = frozenset(code for one in known for code in one[column])
    return held
