"""Writing a made council to a folder: canonical tables, the truth about its breaches, and what the dataset is."""

import csv
import io
from collections import Counter
from collections.abc import Iterable
from datetime import date, datetime
from pathlib import Path
from typing import Any

import duckdb
import yaml

from compliance.synth.truth import NOT_COVERED, OTHERS, TruthRow, covered
from compliance.synth.world import Row

LARGE = 2000
TYPES = {bool: "BOOLEAN", int: "BIGINT", float: "DOUBLE", datetime: "TIMESTAMP", date: "DATE", str: "VARCHAR"}
TRUTH_COLUMNS = ["rule", "subject_id", "person_id", "trigger_date", "due_date", "done_date", "status"]


def write_tables(tables: dict[str, list[Row]], folder: Path, large_as_parquet: bool = True) -> None:
    """Write each table that has rows, the large ones as Parquet, by their first column, in place of an earlier version."""
    folder.mkdir(parents=True, exist_ok=True)
    for name, rows in sorted(tables.items()):
        if not rows:
            continue
        ordered = sorted(rows, key=lambda row: [str(value) for value in list(row.values())[:2]])
        as_parquet, as_csv = folder / f"{name}.parquet", folder / f"{name}.csv"
        if large_as_parquet and len(rows) > LARGE:
            _write_parquet(ordered, as_parquet)
            as_csv.unlink(missing_ok=True)
        else:
            as_csv.write_text(_csv(ordered), encoding="utf-8", newline="")
            as_parquet.unlink(missing_ok=True)


def columns(rows: Iterable[Row]) -> list[str]:
    """Return the columns of some rows, in the order in which they first appear."""
    return list(dict.fromkeys(column for row in rows for column in row))


def _text(value: Any) -> str:
    """Return a value as it is written in a CSV file."""
    if value is None:
        return ""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, datetime):
        return value.strftime("%Y-%m-%d %H:%M:%S")
    return str(value)


def _csv(rows: list[Row], names: list[str] | None = None) -> str:
    """Return rows as CSV text."""
    names = names or columns(rows)
    buffer = io.StringIO()
    writer = csv.writer(buffer, lineterminator="\n")
    writer.writerow(names)
    writer.writerows([_text(row.get(name)) for name in names] for row in rows)
    return buffer.getvalue()


def _write_parquet(rows: list[Row], path: Path) -> None:
    """Write rows as one Parquet file, by way of CSV text that DuckDB reads with the types of the values."""
    names = columns(rows)
    types = {name: _type(rows, name) for name in names}
    staged = path.with_suffix(".csv.tmp")
    staged.write_text(_csv(rows, names), encoding="utf-8", newline="")
    listed = ", ".join(f"'{name}': '{kind}'" for name, kind in types.items())
    try:
        with duckdb.connect(config={"threads": 1}) as connection:
            connection.execute(
                f"COPY (SELECT * FROM read_csv('{staged}', header = true, columns = {{{listed}}})) "
                f"TO '{path}' (FORMAT parquet, COMPRESSION zstd, ROW_GROUP_SIZE 122880)"
            )
    finally:
        staged.unlink()


def _type(rows: list[Row], name: str) -> str:
    """Return the DuckDB type of a column, from its first value."""
    value = next((row[name] for row in rows if row.get(name) is not None), "")
    return TYPES[type(value)]


def write_truth(truth: list[TruthRow], authority: dict[str, str], as_of: date, folder: Path) -> None:
    """Write every breach, how many each rule has, what is not covered, and the dataset's own description."""
    rows = [row._asdict() for row in sorted(truth, key=lambda row: tuple(str(value) for value in row))]
    (folder / "truth.csv").write_text(_csv(rows, TRUTH_COLUMNS), encoding="utf-8", newline="")
    counts = Counter(row.rule for row in truth)
    summary = {
        "covered": {rule: counts[rule] for rule in covered()},
        "statuses": dict(sorted(Counter(row.status for row in truth).items())),
        "others": OTHERS,
        "not_covered": NOT_COVERED,
    }
    (folder / "truth.yaml").write_text(yaml.safe_dump(summary, sort_keys=False, width=120), encoding="utf-8")
    described = {"authority": authority, "extract_date": as_of}
    (folder / "dataset.yaml").write_text(yaml.safe_dump(described, sort_keys=False), encoding="utf-8")
