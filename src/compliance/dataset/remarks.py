"""What loading said of single rows: set aside, or loaded with a value left blank."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from compliance.dataset.load import Dataset

COLUMNS = "table_name, file, sheet, source_row, column_name, value, reason"


@dataclass(frozen=True, slots=True)
class RowRemark:
    """One row, or one value of it: where it stands, what it said and why that could not be read."""

    kind: Literal["rejected", "notice"]
    table: str
    file: str | None
    sheet: str | None
    row: int | None
    column: str | None
    value: str | None
    reason: str


def remarks(dataset: Dataset) -> list[RowRemark]:
    """Every row set aside and every notice, by file, sheet and row."""
    found: list[RowRemark] = []
    for kind, table in (("rejected", "rejects"), ("notice", "notices")):
        rows = dataset.connection.execute(
            f"SELECT {COLUMNS} FROM main.{table} ORDER BY file, sheet, source_row, column_name, reason"
        ).fetchall()
        found += [RowRemark(kind, *row) for row in rows]  # type: ignore[arg-type]
    return found
