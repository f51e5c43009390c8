"""`data convert` and `data template`, run as a user would: what is written, who may read it, and that it reads back the same."""

from __future__ import annotations

import json
import stat
import subprocess
import sys
from collections.abc import Callable
from datetime import date
from pathlib import Path
from typing import Any

import openpyxl
import pytest
from tests.annex_a_files import PROTECTION, workbook
from tests.conftest import ROOT

from compliance.dataset.load import open_dataset
from compliance.dataset.schema import load_schema
from compliance.sources.template import HEADING_ROW, TEMPLATE_TABLES

Command = Callable[..., "subprocess.CompletedProcess[str]"]
NAMES = {"csv": "out", "parquet": "out.parquet", "xlsx": "out.xlsx", "duckdb": "out.duckdb", "sqlite": "out.sqlite"}
AS_OF = ("--as-of", "2024-03-01")


@pytest.fixture
def annex_a(tmp_path: Path) -> Path:
    """A workbook with two children on plans, one of them long not visited, and a row that cannot be read."""
    rows = [
        ["C1", "M", "WBRI", "01/01/2015", "", "No", "01/11/2023", "Neglect", "Neglect", "20/02/2024", "a) Yes"],
        ["C2", "F", "WBRI", "01/01/2014", "", "No", "01/11/2023", "Neglect", "Neglect", "01/12/2023", "b) No"],
        ["C3", "F", "WBRI", "01/01/2014", "", "No", "never", "Neglect", "Neglect", "01/12/2023", "b) No"],
    ]
    (tmp_path / "in").mkdir()
    return workbook(tmp_path / "in" / "Annex A.xlsx", {"List 7": [PROTECTION, *rows]})


def described(compliance: Command, *paths: object) -> dict[str, Any]:
    found = compliance("data", "describe", *paths, "--format", "json")
    assert found.returncode == 0, found.stderr
    return json.loads(found.stdout)


def held(path: Path) -> dict[str, list[tuple[Any, ...]]]:
    """Every row of every table, without where it was read from."""
    dataset = open_dataset([path], as_of=date(2024, 3, 1))
    queries = {
        name: f'SELECT * EXCLUDE (row_ref, source_id, source_row) FROM "{name}" ORDER BY ALL'
        for name, table in dataset.tables.items()
        if table.present
    }
    return {name: dataset.connection.execute(sql).fetchall() for name, sql in queries.items()}


@pytest.mark.parametrize("target", NAMES)
def test_any_source_becomes_any_form_and_reads_back_the_same(
    compliance: Command, tmp_path: Path, annex_a: Path, target: str
) -> None:
    done = compliance("data", "convert", annex_a, *AS_OF, "--out", tmp_path / NAMES[target])
    assert done.returncode == 0, done.stderr
    assert "1 rows set aside" in done.stderr and done.stdout == ""
    assert held(tmp_path / NAMES[target]) == held(annex_a)
    assert sorted(each.name for each in tmp_path.iterdir()) == sorted(["in", NAMES[target]])


def test_only_the_owner_may_read_it_and_nothing_is_written_over(compliance: Command, tmp_path: Path, annex_a: Path) -> None:
    out = tmp_path / "out.xlsx"
    out.write_text("mine")
    refused = compliance("data", "convert", annex_a, *AS_OF, "--out", out)
    assert (refused.returncode, out.read_text()) == (2, "mine")
    assert "is there already" in refused.stderr and "--overwrite" in refused.stderr
    assert compliance("data", "convert", annex_a, *AS_OF, "--out", out, "--overwrite").returncode == 0
    assert openpyxl.load_workbook(out, read_only=True).sheetnames[0] == "people"
    assert stat.S_IMODE(out.stat().st_mode) == 0o600


@pytest.mark.parametrize(
    ("out", "words"),
    [
        ("in", "is there already"),
        ("in/", "is there already"),
        ("nowhere/x.xlsx", "cannot write here"),
        ("folder.xlsx", "a folder"),
    ],
)
def test_what_cannot_be_written_is_refused_and_leaves_nothing(
    compliance: Command, tmp_path: Path, annex_a: Path, out: str, words: str
) -> None:
    (tmp_path / "folder.xlsx").mkdir()
    before = sorted(tmp_path.rglob("*"))
    refused = compliance("data", "convert", annex_a, *AS_OF, "--out", tmp_path / out, "--overwrite")
    assert refused.returncode == 2 and words in refused.stderr
    assert sorted(tmp_path.rglob("*")) == before


def test_the_converted_workbook_opens_with_a_sheet_a_table(compliance: Command, tmp_path: Path, annex_a: Path) -> None:
    out = tmp_path / "out.xlsx"
    assert compliance("data", "convert", annex_a, *AS_OF, "--out", out).returncode == 0
    book = openpyxl.load_workbook(out)
    assert {"people", "cp_plans", "cp_visits"} <= set(book.sheetnames)
    rows = list(book["cp_plans"].iter_rows(values_only=True))
    assert "start_date" in rows[0] and len(rows) == 3
    assert stat.S_IMODE(out.stat().st_mode) == 0o600


@pytest.fixture(scope="module")
def template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The template, as the command writes it."""
    out = tmp_path_factory.mktemp("template") / "template.xlsx"
    subprocess.run([sys.executable, "-m", "compliance", "data", "template", "--out", out], check=True, cwd=ROOT)
    return out


def test_the_template_explains_each_column(template: Path) -> None:
    schema, book = load_schema(), openpyxl.load_workbook(template)
    assert set(TEMPLATE_TABLES) <= set(book.sheetnames)
    for name in TEMPLATE_TABLES:
        rows = list(book[name].iter_rows(min_row=1, max_row=HEADING_ROW + 1, values_only=True))
        columns = schema.tables[name].columns
        assert list(rows[HEADING_ROW]) == list(columns)
        assert [str(each) for each in rows[1][: len(columns)]] == [each.means for each in columns.values()]
        for column, words in zip(columns.values(), rows[2], strict=False):
            assert ("required" in words) == column.required
            assert (column.type != "date") or "yyyy-mm-dd" in words


def test_the_template_has_a_list_for_each_code_and_yes_or_no(template: Path) -> None:
    schema, book = load_schema(), openpyxl.load_workbook(template)
    for name in TEMPLATE_TABLES:
        lists = {
            cells.coord.split(":")[0].rstrip("0123456789"): rule.formula1
            for rule in book[name].data_validations.dataValidation
            for cells in rule.sqref.ranges
            if rule.type == "list"
        }
        for position, column in enumerate(schema.tables[name].columns.values(), 1):
            if column.type in ("code", "boolean"):
                assert openpyxl.utils.get_column_letter(position) in lists, f"{name}.{column.name}"


def test_the_codes_to_choose_from_are_those_that_are_read(template: Path) -> None:
    schema, book = load_schema(), openpyxl.load_workbook(template)
    headings = [cell.value for cell in book["codes"][1]]
    for position, code_set in enumerate(headings[::2]):
        said = [row[0].value for row in book["codes"].iter_rows(min_row=2, min_col=position * 2 + 1, max_col=position * 2 + 1)]
        assert [each for each in said if each is not None] == list(schema.code_sets[code_set])


def test_a_filled_in_template_reads_back(compliance: Command, tmp_path: Path, template: Path) -> None:
    book = openpyxl.load_workbook(template)
    filled = {
        "workers": {"worker_id": "W1", "role": "social_worker", "start_date": "2023-01-03", "is_agency": "no"},
        "supervisions": {
            "supervision_id": "S1",
            "worker_id": "W1",
            "supervision_date": "2024-01-15",
            "supervision_kind": "personal",
        },
    }
    filled["absences"] = {"absence_id": "A1", "worker_id": "W2", "start_date": "2023-02-01", "end_date": "2023-02-03"}
    for name, row in filled.items():
        columns = list(load_schema().tables[name].columns)
        for column, value in row.items():
            book[name].cell(HEADING_ROW + 2, columns.index(column) + 1, value)
    out = tmp_path / "filled.xlsx"
    book.save(out)
    told = described(compliance, out)
    assert {each["name"]: (each["loaded"], each["rejected"]) for each in told["tables"]} == {
        "workers": (1, 0),
        "supervisions": (1, 0),
        "absences": (1, 0),
    }
    assert told["recognised"][0]["path"] == "filled.xlsx"
    done = compliance("check", out, *AS_OF, "--rule", "WF-SUPERVISION-MONTHLY", "--all", "--format", "json")
    (finding, *_) = [each for each in json.loads(done.stdout)["findings"] if each["status"] in ("overdue", "due")]
    assert (finding["worker_id"], finding["trigger_date"]) == ("W1", "2024-01-15")
    assert finding["evidence"][0]["source"] == {"file": "filled.xlsx", "sheet": "supervisions", "row": HEADING_ROW + 2}


def test_one_table_alone_and_a_table_that_is_not_there(compliance: Command, tmp_path: Path) -> None:
    one = compliance("data", "template", "--table", "panel_members", "--out", tmp_path / "one.xlsx")
    assert one.returncode == 0
    assert set(openpyxl.load_workbook(tmp_path / "one.xlsx").sheetnames) == {"read me", "panel_members", "codes"}
    assert stat.S_IMODE((tmp_path / "one.xlsx").stat().st_mode) == 0o600
    wrong = compliance("data", "template", "--table", "panel_member", "--out", tmp_path / "two.xlsx")
    assert wrong.returncode == 2 and "panel_members" in wrong.stderr
    again = compliance("data", "template", "--out", tmp_path / "one.xlsx")
    assert again.returncode == 2 and "is there already" in again.stderr
    assert sorted(each.name for each in tmp_path.iterdir()) == ["one.xlsx"]


def test_what_was_read_is_said_in_text_and_data(compliance: Command, tmp_path: Path, annex_a: Path) -> None:
    (tmp_path / "tables").mkdir()
    (tmp_path / "tables" / "people.csv").write_text("person_id,birth_date\nC1,2015-01-02\nC9,2011-01-01\n")
    told = described(compliance, annex_a, tmp_path / "tables")
    assert {each["path"]: each["format"] for each in told["recognised"]} == {"Annex A.xlsx": "annex_a", "people.csv": "canonical"}
    (match,) = [each for each in told["matches"] if each["table"] == "people"]
    assert (match["ids"], match["by_id"], match["by_facts"], match["rate"]) == (3, 1, 0, 0.3333)
    assert told["conflicts"] == [{"table": "people", "source": "Annex A.xlsx > List 7", "values": 1}]
    text = compliance("data", "describe", annex_a, tmp_path / "tables").stdout
    assert "Annex A.xlsx: Ofsted Annex A (a workbook with List 7 of Annex A, by their headings)" in text
    assert "Annex A.xlsx > List 7: 1 value of people" in text
    assert "are known to tables (canonical): " in text
    checked = compliance("check", annex_a, tmp_path / "tables", *AS_OF).stdout
    assert "Annex A.xlsx > List 7: 1 value of people" in checked
    assert "people.csv: canonical tables (holds the table people)" in checked
