"""Canonical tables in one file, written and read back; the template for what no return carries."""

from __future__ import annotations

import sqlite3
import stat
from pathlib import Path
from typing import Any

import duckdb
import pytest

from annex_a_files import workbook
from compliance.dataset.load import Dataset, open_dataset
from compliance.dataset.schema import load_schema
from compliance.errors import DataError, UsageError
from compliance.sources.convert import TARGETS, convert, target_of
from compliance.sources.template import TEMPLATE_TABLES, write_template
from compliance.sources.workbook import open_workbook

NAMES = {"csv": "out", "parquet": "out", "xlsx": "out.xlsx", "duckdb": "out.duckdb", "sqlite": "out.sqlite"}


@pytest.fixture
def dataset(tmp_path: Path) -> Dataset:
    folder = tmp_path / "in"
    folder.mkdir()
    (folder / "people.csv").write_text('person_id,birth_date,is_disabled\n001,2015-01-01,yes\nC2,,no\n"C,3",2010-02-29,\n')
    (folder / "contacts.csv").write_text("contact_id,person_id,received_at\nK1,001,2024-01-05 09:30\nK2,C2,2024-01-06\n")
    (folder / "workers.csv").write_text("worker_id,full_name,fte\nW1,=cmd|x,0.6\n")
    (folder / "cp_visits.csv").write_text("visit_id,person_id,visit_date\nV1,001,2024-01-05\n")
    (folder / "supervisions.csv").write_text("supervision_id,worker_id\n")
    (folder / "dataset.yaml").write_text(
        "authority: {code: E06000001, name: Town}\nextract_date: 2024-01-31\nhistory: {cp_visits: latest}\n"
    )
    return open_dataset([folder])


def everything(dataset: Dataset) -> dict[str, list[tuple[Any, ...]]]:
    held = {each.name: sorted(each.columns) for each in dataset.tables.values() if each.present}
    return {
        table: dataset.connection.execute(f"SELECT {', '.join(columns)} FROM {table} ORDER BY ALL").fetchall()
        for table, columns in held.items()
        if columns
    }


@pytest.mark.parametrize("target", TARGETS)
def test_what_is_written_reads_back_the_same(tmp_path: Path, dataset: Dataset, target: Any) -> None:
    path = tmp_path / NAMES[target]
    assert "people" in convert(dataset, path, target)
    again = open_dataset([path])
    assert everything(again) == everything(dataset)
    assert again.authorities == dataset.authorities
    assert again.extract_date == dataset.extract_date
    assert {name: table.history for name, table in again.tables.items()} == {n: t.history for n, t in dataset.tables.items()}
    assert again.connection.execute("SELECT count(*) FROM rejects").fetchone() == (0,)


@pytest.mark.parametrize("target", TARGETS)
def test_only_the_owner_may_read_what_is_written(tmp_path: Path, dataset: Dataset, target: Any) -> None:
    path = tmp_path / NAMES[target]
    convert(dataset, path, target)
    files = list(path.iterdir()) if path.is_dir() else [path]
    assert {stat.S_IMODE(each.stat().st_mode) for each in files} == {0o600}
    assert sorted(each.name for each in tmp_path.iterdir()) == sorted(["in", path.name])


@pytest.mark.parametrize("target", TARGETS)
def test_nothing_is_left_where_writing_fails(
    tmp_path: Path, dataset: Dataset, target: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: object) -> Any:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("compliance.sources.convert._batches", fail)
    with pytest.raises(UsageError, match="No space left"):
        convert(dataset, tmp_path / NAMES[target], target)
    assert [each.name for each in tmp_path.iterdir()] == ["in"]


def test_a_folder_that_is_in_use_is_not_written_over(tmp_path: Path, dataset: Dataset) -> None:
    with pytest.raises(UsageError, match="is there already"):
        convert(dataset, tmp_path / "in", "csv")
    with pytest.raises(UsageError, match="cannot write here"):
        convert(dataset, tmp_path / "nowhere" / "out.xlsx")


def test_targets_by_suffix() -> None:
    assert [target_of(Path(each)) for each in ("a", "a.parquet", "a.xlsx", "a.duckdb", "a.db")] == list(TARGETS)


def test_several_councils(tmp_path: Path) -> None:
    (tmp_path / "people.csv").write_text("person_id,authority\nC1,E1\nC1,E2\n")
    both = open_dataset([tmp_path / "people.csv"])
    convert(both, tmp_path / "out.duckdb")
    again = open_dataset([tmp_path / "out.duckdb"])
    assert again.connection.execute("SELECT person_id FROM people ORDER BY 1").fetchall() == [("E1/C1",), ("E2/C1",)]


def test_a_workbook_of_tables_with_rows_above_the_headings(tmp_path: Path) -> None:
    sheet = [["Visits that we made"], ["The visit.", "The child."], ["Visit ID", "Person ID", "Visit date", "Notes"]]
    path = workbook(tmp_path / "a.xlsx", {"CP visits": [*sheet, ["V1", "C1", "05/01/2024", "x"], [], ["V2", "C1", "never", ""]]})
    dataset = open_dataset([path])
    assert dataset.connection.execute(
        "SELECT visit_id, source_row, sheet FROM cp_visits JOIN sources USING (source_id)"
    ).fetchall() == [("V1", 4, "CP visits")]
    assert dataset.connection.execute("SELECT source_row, value FROM rejects").fetchall() == [(6, "never")]
    assert dataset.connection.execute("SELECT column_name FROM notices").fetchall() == [("Notes",)]


def test_a_sqlite_file_with_values_of_its_own_types(tmp_path: Path) -> None:
    path = tmp_path / "a.sqlite"
    with sqlite3.connect(path) as database:
        database.execute("CREATE TABLE People (Person_ID INTEGER, birth_date TEXT, is_disabled INTEGER, x BLOB)")
        database.execute("CREATE VIEW cp_visits AS SELECT 1 AS visit_id")
        database.executemany("INSERT INTO People VALUES (?, ?, ?, ?)", [(1, "2015-01-01", 1, b"\0"), (2, None, None, None)])
    database.close()
    dataset = open_dataset([path])
    assert dataset.connection.execute("SELECT person_id, is_disabled FROM people ORDER BY 1").fetchall() == [
        ("1", True),
        ("2", None),
    ]
    assert not dataset.tables["cp_visits"].present


def test_a_duckdb_file_whose_views_are_left_alone(tmp_path: Path) -> None:
    path = tmp_path / "a.duckdb"
    with duckdb.connect(str(path)) as database:
        database.execute("CREATE TABLE people AS SELECT 'C1' AS person_id, DATE '2015-01-01' AS birth_date")
        database.execute("CREATE VIEW cp_visits AS SELECT * FROM (VALUES ('V1')) AS t(visit_id)")
    dataset = open_dataset([path])
    assert dataset.tables["people"].loaded == 1
    assert not dataset.tables["cp_visits"].present


@pytest.mark.parametrize("sign", [b"SQLite format 3\0" + b"x" * 4000, b"12345678DUCK" + b"x" * 9000])
def test_damaged_databases(tmp_path: Path, sign: bytes) -> None:
    (tmp_path / "a.db").write_bytes(sign)
    with pytest.raises(DataError, match="cannot be read as"):
        open_dataset([tmp_path / "a.db"])


def test_the_template_has_a_sheet_a_table_and_reads_back_as_nothing(tmp_path: Path) -> None:
    write_template(tmp_path / "t.xlsx")
    schema = load_schema()
    assert set(TEMPLATE_TABLES) <= schema.tables.keys()
    sheets = {each.name: each for each in open_workbook(tmp_path / "t.xlsx").sheets}
    assert sheets.keys() == {"read me", "codes", *TEMPLATE_TABLES}
    for table in TEMPLATE_TABLES:
        described, helped, types, headings = sheets[table].head(4)
        assert headings == list(schema.tables[table].columns)
        assert all(helped) and all(types)
        assert described[0] == schema.tables[table].describes
    dataset = open_dataset([tmp_path / "t.xlsx"])
    assert not any(each.present for each in dataset.tables.values())


def test_the_template_is_the_same_each_time_and_private(tmp_path: Path) -> None:
    for name in ("a.xlsx", "b.xlsx"):
        write_template(tmp_path / name)
    assert (tmp_path / "a.xlsx").read_bytes() == (tmp_path / "b.xlsx").read_bytes()
    assert stat.S_IMODE((tmp_path / "a.xlsx").stat().st_mode) == 0o600


def test_the_template_offers_codes_to_choose_from(tmp_path: Path) -> None:
    import zipfile

    write_template(tmp_path / "t.xlsx", tables=("supervisions",))
    with zipfile.ZipFile(tmp_path / "t.xlsx") as made:
        sheet = made.read("xl/worksheets/sheet2.xml").decode()
    assert "codes!$A$2:$A$" in sheet
    assert 'type="date"' in sheet
    assert "&quot;yes,no&quot;" in sheet or '"yes,no"' in sheet
