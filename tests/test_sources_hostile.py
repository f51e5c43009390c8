"""Files made to do harm: a clear refusal, bounded memory and time, nothing written."""

from __future__ import annotations

import os
import struct
import time
import zipfile
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from annex_a_files import CONTACTS, workbook
from compliance.dataset.load import open_dataset
from compliance.errors import ComplianceError, DataError, UsageError
from compliance.sources.limits import DEFAULT_LIMITS, Limits

SMALL = replace(DEFAULT_LIMITS, unpacked_bytes=30_000_000, workbook_memory=1 << 30, workbook_seconds=20)


def refusal(path: Path, limits: Limits = SMALL) -> ComplianceError:
    """Why the path is refused, within ten seconds."""
    started = time.monotonic()
    with pytest.raises((DataError, UsageError)) as refused:
        open_dataset([path], limits=limits)
    assert time.monotonic() - started < 10
    return refused.value


def zipped(path: Path, **members: bytes) -> Path:
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as made:
        for name, content in members.items():
            made.writestr(name, content)
    return path


@pytest.mark.parametrize("name", ["../people.csv", "/etc/people.csv", "a/../../people.csv", "a\\..\\people.csv", "C:/people.csv"])
def test_a_zip_that_leads_out_of_itself(tmp_path: Path, name: str) -> None:
    (tmp_path / "in").mkdir()
    refused = refusal(zipped(tmp_path / "in" / "a.zip", **{name: b"person_id\n1\n"}))
    assert "leads out of it" in refused.message
    assert refused.exit_code == 3
    assert sorted(each.name for each in tmp_path.rglob("*")) == ["a.zip", "in"]


@pytest.mark.parametrize("mode", [0o120777, 0o010644, 0o020644])
def test_a_zip_with_a_link_or_a_device(tmp_path: Path, mode: int) -> None:
    with zipfile.ZipFile(tmp_path / "a.zip", "w") as made:
        member = zipfile.ZipInfo("people.csv")
        member.create_system, member.external_attr = 3, mode << 16
        made.writestr(member, "/etc/passwd")
    assert "a link or a device" in refusal(tmp_path / "a.zip").message


def test_a_zip_that_unpacks_to_too_much(tmp_path: Path) -> None:
    bomb = zipped(tmp_path / "a.zip", **{"people.csv": b"0" * 60_000_000})
    assert "unpacked bytes" in refusal(bomb).message
    assert "zip ratio" in refusal(bomb, DEFAULT_LIMITS).message


def test_a_zip_that_lies_about_its_size(tmp_path: Path) -> None:
    path = zipped(tmp_path / "a.zip", **{"people.csv": b"0" * 1_000_000})
    content = bytearray(path.read_bytes())
    central = content.index(b"PK\x01\x02")
    content[central + 24 : central + 28] = struct.pack("<I", 10)
    path.write_bytes(content)
    assert isinstance(refusal(path), DataError)


def test_a_zip_of_too_many_files(tmp_path: Path) -> None:
    path = zipped(tmp_path / "a.zip", **{f"{n}.csv": b"" for n in range(30)})
    assert "zip members" in refusal(path, replace(SMALL, zip_members=20)).message


def test_a_zip_with_one_name_twice(tmp_path: Path) -> None:
    with zipfile.ZipFile(tmp_path / "a.zip", "w") as made:
        made.writestr("people.csv", "person_id\n")
        made.writestr("People.csv", "person_id\n")
    assert "twice" in refusal(tmp_path / "a.zip").message


def test_a_zip_that_is_damaged(tmp_path: Path) -> None:
    (tmp_path / "a.zip").write_bytes(b"PK\x03\x04" + b"x" * 500)
    assert "cannot be read as a zip" in refusal(tmp_path / "a.zip").message


def sheet_xml(cells: str, dimension: str = "A1:B2") -> bytes:
    return (
        '<?xml version="1.0"?><worksheet xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main">'
        f'<dimension ref="{dimension}"/><sheetData>{cells}</sheetData></worksheet>'
    ).encode()


def forged(path: Path, sheet: bytes) -> Path:
    """A workbook whose one sheet is this XML."""
    original = workbook(path.with_name("original.xlsx"), {"List 1": [CONTACTS]})
    with zipfile.ZipFile(original) as source, zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as made:
        for name in source.namelist():
            made.writestr(name, sheet if name == "xl/worksheets/sheet1.xml" else source.read(name))
    original.unlink()
    return path


@pytest.mark.parametrize(
    "make",
    [
        lambda: sheet_xml(
            '<row r="1"><c r="A1" t="inlineStr"><is><t>x</t></is></c></row>'
            '<row r="1048576"><c r="XFD1048576" t="inlineStr"><is><t>x</t></is></c></row>',
            "A1:XFD1048576",
        ),
        lambda: sheet_xml("", "A1:XFD1048576"),
        lambda: (
            b'<!DOCTYPE x [<!ENTITY a "aaaaaaaaaa"><!ENTITY b "&a;&a;&a;&a;&a;&a;&a;&a;">]>'
            + sheet_xml("<row><c><v>&b;</v></c></row>")
        ),
        lambda: b"\0" * 1000,
        lambda: sheet_xml("<row>" * 5_000),
    ],
    ids=["far cell", "declared size", "entities", "not XML", "nesting"],
)
def test_workbooks_that_declare_too_much_or_are_damaged(tmp_path: Path, make: Callable[[], bytes]) -> None:
    refused = refusal(forged(tmp_path / "a.xlsx", make()))
    assert "a.xlsx" in refused.message or "List 1" in refused.message


def test_a_workbook_that_is_a_bomb(tmp_path: Path) -> None:
    row = '<row><c t="inlineStr"><is><t>xxxxxxxxxxxxxxxx</t></is></c></row>'
    bomb = forged(tmp_path / "a.xlsx", sheet_xml(row * 1_000_000))
    assert "unpacked bytes" in refusal(bomb).message
    assert "zip ratio" in refusal(bomb, DEFAULT_LIMITS).message


def test_a_workbook_of_too_many_rows_or_columns(tmp_path: Path) -> None:
    path = workbook(tmp_path / "a.xlsx", {"List 1": [CONTACTS, *[["C"] for _ in range(50)]]})
    assert "sheet rows" in refusal(path, replace(SMALL, sheet_rows=20)).message
    assert "columns" in refusal(path, replace(SMALL, columns=3)).message


def test_a_workbook_that_is_an_old_office_file_in_name_only(tmp_path: Path) -> None:
    (tmp_path / "a.xls").write_bytes(b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + b"\0" * 2000)
    assert "cannot be read as a workbook" in refusal(tmp_path / "a.xls").message


def test_formulas_are_read_as_text_and_never_run(tmp_path: Path) -> None:
    contact = ["=cmd|'/c calc'!A1", "M", "WBRI", "01/02/2015", 8, "05/01/2024", "6"]
    (tmp_path / "a.csv").write_text(",".join(CONTACTS) + "\n" + ",".join(map(str, contact)) + "\n")
    dataset = open_dataset([tmp_path / "a.csv"])
    assert dataset.connection.execute("SELECT person_id FROM contacts").fetchall() == [("=cmd|'/c calc'!A1",)]


def test_a_csv_of_a_billion_columns(tmp_path: Path) -> None:
    (tmp_path / "List 1.csv").write_text(",".join(CONTACTS) + "," * 2_000_000 + "\nC1\n")
    assert isinstance(refusal(tmp_path / "List 1.csv"), DataError | UsageError)


def test_nul_bytes_in_a_list(tmp_path: Path) -> None:
    rows = ",".join(CONTACTS) + "\n" + "C1,M,WBRI,,,05/01/2024,6\n" * 4_000 + "C\0,M,WBRI,,,05/01/2024,6\n"
    (tmp_path / "List 1.csv").write_text(rows)
    assert "NUL" in refusal(tmp_path / "List 1.csv").message


def test_links_and_pipes(tmp_path: Path) -> None:
    (tmp_path / "real.csv").write_text("person_id\nC1\n")
    (tmp_path / "people.csv").symlink_to(tmp_path / "real.csv")
    assert "is a link" in refusal(tmp_path / "people.csv").message
    os.mkfifo(tmp_path / "pipe.csv")
    assert "not a plain file" in refusal(tmp_path / "pipe.csv").message
    assert "not a plain file" in refusal(tmp_path).message


@pytest.mark.skipif(os.geteuid() == 0, reason="root may read everything")
def test_a_file_that_may_not_be_read(tmp_path: Path) -> None:
    (tmp_path / "people.csv").write_text("person_id\nC1\n")
    (tmp_path / "people.csv").chmod(0)
    assert refusal(tmp_path / "people.csv").exit_code == 2


def test_a_sheet_named_to_break_sql(tmp_path: Path) -> None:
    name = "List 1'\";--"
    contact = ["C'1\";--", "M", "WBRI", "01/02/2015", 8, "05/01/2024", "6"]
    dataset = open_dataset([workbook(tmp_path / "a'\".xlsx", {name: [CONTACTS, contact]})])
    assert dataset.connection.execute("SELECT person_id FROM contacts").fetchall() == [("C'1\";--",)]


def test_no_private_copy_is_left_behind(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    private = tmp_path / "private"
    private.mkdir()
    monkeypatch.setattr("tempfile.tempdir", str(private))
    contact = ["C1", "M", "WBRI", "01/02/2015", 8, "05/01/2024", "6"]
    open_dataset([workbook(tmp_path / "a.xlsx", {"List 1": [CONTACTS, contact]})])
    with pytest.raises(UsageError):
        open_dataset([workbook(tmp_path / "b.xlsx", {"Other": [["x"]]})])
    assert not list(private.iterdir())
