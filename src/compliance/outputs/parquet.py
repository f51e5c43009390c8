"""Findings as Parquet, with real dates and numbers."""

from __future__ import annotations

import csv
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

from compliance.outputs.tabular import COLUMNS, findings_rows

if TYPE_CHECKING:
    from compliance.outputs.published import Published

TYPES = {"trigger_date": "DATE", "due_date": "DATE", "done_date": "DATE", "days_over": "BIGINT"}


def written(published: Published) -> bytes:
    """One row a finding, in the order of the other formats."""
    import duckdb

    columns = "{" + ", ".join(f"'{name}': '{TYPES.get(name, 'VARCHAR')}'" for name in COLUMNS) + "}"
    with tempfile.TemporaryDirectory(prefix="compliance-") as folder:
        rows, made = Path(folder) / "rows.csv", Path(folder) / "rows.parquet"
        with rows.open("w", encoding="utf-8", newline="") as file:
            csv.writer(file).writerows(findings_rows(published.findings))
        with duckdb.connect() as connection:
            connection.execute("SET enable_progress_bar = false; SET threads = 1")
            connection.execute(
                f"COPY (SELECT * FROM read_csv('{rows}', header = false, columns = {columns}, quote = '\"', escape = '\"'))"
                f" TO '{made}' (FORMAT parquet)"
            )
        return made.read_bytes()
