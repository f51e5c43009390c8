"""How much of a file a reader takes: what is beyond a limit is refused by name, before it is held in memory."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextvars import ContextVar
from dataclasses import dataclass, fields, replace
from difflib import get_close_matches
from typing import TextIO

from compliance.errors import DataError, UsageError

MEGABYTE = 1 << 20
GIGABYTE = 1 << 30


@dataclass(frozen=True, slots=True)
class Limits:
    """The most that one source may hold. The defaults are some ten times the largest council's extract."""

    file_bytes: int = 4 * GIGABYTE
    workbook_bytes: int = 512 * MEGABYTE
    workbook_memory: int = 4 * GIGABYTE
    workbook_seconds: int = 120
    unpacked_bytes: int = 4 * GIGABYTE
    zip_ratio: int = 200
    zip_members: int = 10_000
    rows: int = 20_000_000
    sheet_rows: int = 1_048_576
    columns: int = 2_000
    cells: int = 100_000_000
    sheets: int = 200
    nesting: int = 64
    text_bytes: int = 10 * MEGABYTE

    def hold(self, what: str, limit: str, found: int) -> None:
        """Refuses what is beyond the named limit, saying both."""
        most = int(getattr(self, limit))
        if found > most:
            words = limit.replace("_", " ")
            help = f"where this is meant, raise it with --read-limit {limit}={found}"
            raise DataError(f"{what}: {found:,} is beyond the limit of {most:,} ({words})", help=help)

    def set(self, words: Iterable[str]) -> Limits:
        """These limits with others in place of some, each said as `rows=30000000`."""
        return replace(self, **dict(map(_one_limit, words)))

    def lines(self, stream: TextIO, label: str) -> Iterator[str]:
        """The lines of a text, none of which is held where it is longer than a text may be."""
        number = 0
        while line := stream.readline(self.text_bytes + 1):
            number += 1
            if len(line) > self.text_bytes:
                self.hold(f"{label}:{number}: a line", "text_bytes", len(line))
            yield line


DEFAULT_LIMITS = Limits()

LIMITS: ContextVar[Limits] = ContextVar("read limits", default=DEFAULT_LIMITS)
"""The limits where a caller gives none."""


def _one_limit(said: str) -> tuple[str, int]:
    limit, _, number = said.partition("=")
    key, known = limit.strip().replace(" ", "_"), [each.name for each in fields(Limits)]
    if key not in known:
        near = get_close_matches(key, known, n=1)
        help = f"the nearest is {near[0]}" if near else f"limits are {', '.join(known)}"
        raise UsageError(f"{limit}: there is no such limit on what is read", help=help)
    if not number.strip().replace("_", "").isdigit() or not int(number):
        raise UsageError(
            f"{said}: the limit {key} is a whole number from 1", help=f"write it as {key}={getattr(DEFAULT_LIMITS, key)}"
        )
    return key, int(number)
