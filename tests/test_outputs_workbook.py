"""The workbook: what its sheets hold, and that nothing in it runs or warns."""

from __future__ import annotations

import datetime
import io
import shutil
import subprocess
import warnings
import zipfile
from pathlib import Path

import openpyxl
import pytest

from compliance.duties.findings import Selection, findings
from compliance.outputs.published import Published
from compliance.outputs.workbook import waivers, written
from compliance.rulebook.load import load_rulebook
from compliance.run import Request, run
from conftest import HEREFORDSHIRE, ROOT

SHEETS = ["Cover", "Breaches", "Due soon", "Summary by team", "Risks", "Waivers", "Measures", "Changes", "Rules", "Data quality"]
SOME = frozenset({"CIN-VISIT", "CP-VISIT", "FOS-USUAL-LIMIT"})
HOSTILE = "=cmd|' /C calc'!A0"


@pytest.fixture(scope="module")
def published() -> Published:
    """The fixture's run, with the findings of three rules."""
    result = run(Request([HEREFORDSHIRE], load_rulebook(ROOT / "rules")))
    return Published(result, tuple(findings(result.evaluation, Selection(rules=tuple(SOME)))), asked=SOME)


@pytest.fixture(scope="module")
def content(published: Published) -> bytes:
    """The workbook's bytes."""
    return written(published)


@pytest.fixture(scope="module")
def book(content: bytes) -> openpyxl.Workbook:
    """The workbook as openpyxl reads it, with any warning an error."""
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        return openpyxl.load_workbook(io.BytesIO(content))


def test_there_is_one_table_a_sheet_with_filters_and_a_frozen_heading(book: openpyxl.Workbook) -> None:
    assert book.sheetnames == SHEETS
    for sheet in book:
        assert len(sheet.tables) == 1, sheet.title
        assert next(iter(sheet.tables.values())).autoFilter is not None
        assert sheet.freeze_panes == "A2"
        assert not sheet.merged_cells.ranges


def test_breaches_are_all_there_with_real_dates(book: openpyxl.Workbook, published: Published) -> None:
    rows = list(book["Breaches"].iter_rows(values_only=True))
    assert len(rows) - 1 == len(published.findings) > 0
    heading = {name: place for place, name in enumerate(rows[0])}
    assert all(isinstance(row[heading["Due"]], datetime.datetime) for row in rows[1:])
    assert {row[heading["Finding"]] for row in rows[1:]} == {one.id for one in published.findings}
    assert sum(row[heading["Breach"]] == "open" for row in rows[1:]) == sum(one.breach == "open" for one in published.findings)


def test_due_soon_falls_within_thirty_days(book: openpyxl.Workbook) -> None:
    rows = list(book["Due soon"].iter_rows(min_row=2, values_only=True))
    assert rows
    assert all(0 <= row[1] <= 30 for row in rows)


def test_the_teams_add_up(book: openpyxl.Workbook, published: Published) -> None:
    rows = list(book["Summary by team"].iter_rows(min_row=2, values_only=True))
    assert sum(row[2] for row in rows) == sum(one.breach == "open" for one in published.findings)
    assert all(row[2] == sum(row[3:7]) for row in rows)


def test_measures_show_their_fraction(book: openpyxl.Workbook) -> None:
    for row in book["Measures"].iter_rows(min_row=2, values_only=True):
        if row[4] is not None and row[5] == "percent":
            assert row[4] == pytest.approx(100 * row[6] / row[7])


def test_nothing_is_a_formula_a_link_or_merged(content: bytes) -> None:
    with zipfile.ZipFile(io.BytesIO(content)) as parts:
        for name in parts.namelist():
            text = parts.read(name).decode()
            assert "<f>" not in text
            assert "<hyperlink " not in text
            assert "mergeCell" not in text
            assert "externalLink" not in name


def test_a_hostile_text_stays_text(published: Published) -> None:
    one = published.findings[0]
    hostile = Published(published.run, (_with(one, team_name=HOSTILE, subject_id="+1\x07"),), asked=SOME)
    sheet = openpyxl.load_workbook(io.BytesIO(written(hostile)))["Breaches"]
    values = [cell.value for cell in sheet[2]]
    assert "'" + HOSTILE in values
    assert "'+1 " in values
    assert all(cell.data_type != "f" for cell in sheet[2])


def _with(finding: object, **values: object) -> object:
    import dataclasses

    return dataclasses.replace(finding, **values)  # type: ignore[type-var]


def test_a_sheet_without_rows_says_so(book: openpyxl.Workbook) -> None:
    assert book["Waivers"]["A2"].value == "No waiver is on record"
    assert book["Changes"]["A2"].value == "No earlier run was given to compare with"


def test_a_waiver_has_real_dates() -> None:
    document = {
        "finding": None,
        "rule": "CIN-VISIT",
        "scope": {"type": "child", "id": "C1"},
        "reason": "abroad",
        "approver": "Head of Safeguarding",
        "granted": "2021-09-01",
        "expires": "2021-11-30",
        "state": "in force",
        "covers": 2,
    }
    sheet = waivers([document])
    days = [value for column, value in zip(sheet.columns, sheet.rows[0], strict=True) if column.kind == "date"]
    assert days == [datetime.date(2021, 9, 1), datetime.date(2021, 11, 30)]


def test_changes_are_there_with_a_baseline(published: Published) -> None:
    first = published.findings[0].id
    some = Published(published.run, published.findings, asked=SOME, known=frozenset({first, "0" * 16}))
    book = openpyxl.load_workbook(io.BytesIO(written(some)))
    rows = {row[1]: row[0] for row in book["Changes"].iter_rows(min_row=2, values_only=True)}
    assert rows[first] == "unchanged"
    assert rows["0" * 16] == "no longer found"
    assert rows[published.findings[1].id] == "new"


def test_the_same_run_gives_the_same_bytes(published: Published, content: bytes) -> None:
    assert written(published) == content


@pytest.mark.skipif(shutil.which("soffice") is None, reason="LibreOffice is not installed")
def test_libreoffice_opens_it(content: bytes, tmp_path: Path) -> None:
    (tmp_path / "book.xlsx").write_bytes(content)
    command = ["soffice", f"-env:UserInstallation=file://{tmp_path}/profile", "--headless", "--convert-to"]
    command += ["csv:Text - txt - csv (StarCalc):44,34,76,1,,0,false,true,false,false,false,-1", "book.xlsx"]
    result = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, timeout=180, check=False)
    assert result.returncode == 0, result.stderr
    found = sorted(path.name for path in tmp_path.glob("book-*.csv"))
    assert found == sorted(f"book-{name}.csv" for name in SHEETS)
    assert "Err:" not in (tmp_path / "book-Breaches.csv").read_text()
