"""A dataset written out again as canonical tables: CSV or Parquet folders, or a workbook, DuckDB or SQLite file."""

from __future__ import annotations

import csv
import sqlite3
from collections.abc import Callable, Iterator, Sequence
from datetime import date, datetime, time
from pathlib import Path
from typing import Any, Literal, get_args

import duckdb
import yaml
from duckdb import DuckDBPyConnection

from compliance.dataset.coverage import Stretch
from compliance.dataset.load import Dataset
from compliance.dataset.schema import Table
from compliance.dataset.values import name, quoted
from compliance.errors import UsageError
from compliance.sources.canonical_files import SETTINGS
from compliance.sources.private_files import folder_written_whole, written_whole

Target = Literal["csv", "parquet", "xlsx", "duckdb", "sqlite"]
TARGETS: tuple[Target, ...] = get_args(Target)

BATCH = 20_000
SHEET_ROWS = 1_048_575

_SUFFIXES: dict[str, Target] = {
    ".xlsx": "xlsx",
    ".duckdb": "duckdb",
    ".ddb": "duckdb",
    ".sqlite": "sqlite",
    ".sqlite3": "sqlite",
    ".db": "sqlite",
    ".parquet": "parquet",
}
_SQLITE_TYPES = {"integer": "INTEGER", "number": "REAL"}


def target_of(path: Path) -> Target:
    """What a path asks for by its suffix: a file of that kind, else a folder of CSV."""
    return _SUFFIXES.get(path.suffix.lower(), "csv")


def convert(dataset: Dataset, path: Path, target: Target | None = None, *, overwrite: bool = False) -> list[str]:
    """Writes the tables that the dataset holds, whole or not at all; their names.

    A file that is there already is written over only where asked, a folder that holds anything never. Rejected rows and
    names are not written. The council, the day of the extract and which tables do not hold all of history are, so that
    the tables read back the same.
    """
    target = target or target_of(path)
    tables = [dataset.schema.tables[each.name] for each in dataset.tables.values() if each.present]
    if not tables:
        raise UsageError("the dataset holds no table to write")
    _WRITERS[target](dataset, tables, path, overwrite)
    return [table.name for table in tables]


def _columns(dataset: Dataset, table: Table) -> list[str]:
    """The columns that a source holds, and the council where there are several."""
    held = [column for column in table.columns if column in dataset.tables[table.name].columns]
    return [*held, *(["authority"] if len(dataset.authorities) > 1 else [])]


def _rows(dataset: Dataset, table: Table) -> str:
    columns = ", ".join(f"{_plain(dataset, table, column)} AS {name(column)}" for column in _columns(dataset, table))
    return f"SELECT {columns} FROM main.{name(table.name)} ORDER BY row_ref"


def _plain(dataset: Dataset, table: Table, column: str) -> str:
    """SQL for a value; ids lose the council that was put before them where there are several."""
    is_id = column != "authority" and table.columns[column].is_id
    if is_id and len(dataset.authorities) > 1:
        return f"{name(column)}[length(authority) + 2:]"
    return name(column)


def _batches(connection: DuckDBPyConnection, sql: str) -> Iterator[list[tuple[Any, ...]]]:
    cursor = connection.cursor()
    cursor.execute(sql)
    while batch := cursor.fetchmany(BATCH):
        yield batch


def _settings(dataset: Dataset) -> str:
    """The dataset's `dataset.yaml`."""
    latest = {each.name: "latest" for each in dataset.tables.values() if each.present and each.history == "latest"}
    covers = {each.table: _days(each.stretch) for each in dataset.coverage} if len(dataset.authorities) == 1 else {}
    one = dataset.authorities[0] if len(dataset.authorities) == 1 and dataset.config.authority else None
    settings: dict[str, Any] = {
        "authority": {"code": one.code, "name": one.name} if one else None,
        "extract_date": dataset.extract_date,
        "parameters": dict(dataset.config.parameters) or None,
        "history": latest or None,
        "covers": {table: days for table, days in covers.items() if table not in latest} or None,
    }
    said: str = yaml.safe_dump({key: value for key, value in settings.items() if value is not None}, sort_keys=False)
    return said


def _days(stretch: Stretch) -> dict[str, date]:
    """The first and last day of a stretch of time, as `dataset.yaml` says them."""
    return {word: day for word, day in (("from", stretch.first), ("to", stretch.last)) if day}


def _write_csv(dataset: Dataset, tables: Sequence[Table], path: Path, _: bool) -> None:
    with folder_written_whole(path) as folder:
        for table in tables:
            with (folder / f"{table.name}.csv").open("x", encoding="utf-8", newline="") as stream:
                writer = csv.writer(stream, lineterminator="\n")
                writer.writerow(_columns(dataset, table))
                for batch in _batches(dataset.connection, _rows(dataset, table)):
                    writer.writerows([_text(value) for value in row] for row in batch)
        (folder / "dataset.yaml").write_text(_settings(dataset), encoding="utf-8")


def _write_parquet(dataset: Dataset, tables: Sequence[Table], path: Path, _: bool) -> None:
    with folder_written_whole(path) as folder:
        with duckdb.connect() as writing:
            for table in tables:
                _copy(dataset, table, writing)
                file = quoted(str(folder / f"{table.name}.parquet"))
                writing.execute(f"COPY {name(table.name)} TO {file} (FORMAT parquet, COMPRESSION zstd)")
                writing.execute(f"DROP TABLE {name(table.name)}")
        (folder / "dataset.yaml").write_text(_settings(dataset), encoding="utf-8")


def _write_duckdb(dataset: Dataset, tables: Sequence[Table], path: Path, overwrite: bool) -> None:
    with written_whole(path, overwrite=overwrite) as temporary, duckdb.connect(str(temporary)) as writing:
        for table in tables:
            _copy(dataset, table, writing)
        writing.execute(f"CREATE TABLE {SETTINGS} (text VARCHAR)")
        writing.execute(f"INSERT INTO {SETTINGS} VALUES (?)", [_settings(dataset)])


def _copy(dataset: Dataset, table: Table, writing: DuckDBPyConnection) -> None:
    """Copies a table to another connection in batches, the dataset's own being closed off from files."""
    columns = _columns(dataset, table)
    types = [table.columns[each].sql_type if each != "authority" else "VARCHAR" for each in columns]
    listed = ", ".join(f"{name(each)} {kind}" for each, kind in zip(columns, types, strict=True))
    writing.execute(f"CREATE TABLE {name(table.name)} ({listed})")
    marks = ", ".join(f"unnest(${n}::{kind}[])" for n, kind in enumerate(types, 1))
    for batch in _batches(dataset.connection, _rows(dataset, table)):
        writing.execute(f"INSERT INTO {name(table.name)} SELECT {marks}", [list(each) for each in zip(*batch, strict=True)])


def _write_sqlite(dataset: Dataset, tables: Sequence[Table], path: Path, overwrite: bool) -> None:
    with written_whole(path, overwrite=overwrite) as temporary:
        writing = sqlite3.connect(temporary)
        try:
            for table in tables:
                columns = _columns(dataset, table)
                listed = ", ".join(f"{name(each)} {_sqlite_type(table, each)}" for each in columns)
                writing.execute(f"CREATE TABLE {name(table.name)} ({listed})")
                marks = ", ".join("?" for _ in columns)
                for batch in _batches(dataset.connection, _rows(dataset, table)):
                    rows = [[_text(value) for value in row] for row in batch]
                    writing.executemany(f"INSERT INTO {name(table.name)} VALUES ({marks})", rows)
            writing.execute(f"CREATE TABLE {SETTINGS} (text TEXT)")
            writing.execute(f"INSERT INTO {SETTINGS} VALUES (?)", [_settings(dataset)])
            writing.commit()
        finally:
            writing.close()


def _sqlite_type(table: Table, column: str) -> str:
    return "TEXT" if column == "authority" else _SQLITE_TYPES.get(table.columns[column].type, "TEXT")


def _write_xlsx(dataset: Dataset, tables: Sequence[Table], path: Path, overwrite: bool) -> None:
    for table in tables:
        if dataset.tables[table.name].loaded > SHEET_ROWS:
            raise UsageError(f"{table.name} has more rows than a sheet can hold", help="write CSV, Parquet or DuckDB instead")
    with written_whole(path, overwrite=overwrite) as temporary:
        import xlsxwriter

        options = {"constant_memory": True, "strings_to_formulas": False, "strings_to_urls": False}
        with xlsxwriter.Workbook(str(temporary), options) as workbook:
            workbook.set_properties({"created": datetime(2000, 1, 1)})
            formats = [workbook.add_format({"num_format": each}) for each in ("yyyy-mm-dd", "yyyy-mm-dd hh:mm:ss")]
            for table in tables:
                _write_sheet(dataset, table, workbook.add_worksheet(table.name), *formats)
            workbook.add_worksheet(SETTINGS).write_string(0, 0, _settings(dataset))


def _write_sheet(dataset: Dataset, table: Table, sheet: Any, day: Any, moment: Any) -> None:
    sheet.write_row(0, 0, _columns(dataset, table))
    row = 1
    for batch in _batches(dataset.connection, _rows(dataset, table)):
        for values in batch:
            for position, value in enumerate(values):
                if isinstance(value, datetime):
                    sheet.write_datetime(row, position, value, moment)
                elif isinstance(value, date):
                    sheet.write_datetime(row, position, datetime.combine(value, time()), day)
                elif isinstance(value, bool):
                    sheet.write_string(row, position, "yes" if value else "no")
                elif isinstance(value, str):
                    sheet.write_string(row, position, value)
                elif value is not None:
                    sheet.write_number(row, position, value)
            row += 1


def _text(value: Any) -> Any:
    """The value as CSV and SQLite hold it."""
    if isinstance(value, bool):
        return "true" if value else "false"
    return str(value) if isinstance(value, date) else value


_WRITERS: dict[Target, Callable[[Dataset, Sequence[Table], Path, bool], None]] = {
    "csv": _write_csv,
    "parquet": _write_parquet,
    "xlsx": _write_xlsx,
    "duckdb": _write_duckdb,
    "sqlite": _write_sqlite,
}
