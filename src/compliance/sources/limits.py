"""How much of a file a reader takes: what is beyond a limit is refused by name, before it is held in memory."""

from __future__ import annotations

from dataclasses import dataclass

from compliance.errors import DataError

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
            help = "raise the limit if this is meant"
            raise DataError(f"{what}: {found:,} is beyond the limit of {most:,} ({words})", help=help)


DEFAULT_LIMITS = Limits()
