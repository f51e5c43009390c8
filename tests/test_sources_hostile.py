"""Files made to do harm: a clear refusal, bounded memory and time, nothing written."""

from __future__ import annotations

import os
import re
import sqlite3
import struct
import time
import tracemalloc
import zipfile
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from dataclasses import asdict, replace
from itertools import pairwise
from pathlib import Path
from tempfile import TemporaryDirectory

import duckdb
import pytest
from tests.conftest import Command

from annex_a_files import CONTACTS, workbook
from compliance.dataset.load import open_dataset
from compliance.errors import ComplianceError, DataError, UsageError
from compliance.sources.limits import DEFAULT_LIMITS, Limits

LIMITS_PAGE = Path(__file__).parents[1] / "docs" / "limits.md"
SMALL = replace(DEFAULT_LIMITS, unpacked_bytes=30_000_000, workbook_memory=1 << 30, workbook_seconds=20)


def refusal(path: Path, limits: Limits = SMALL) -> ComplianceError:
    """Why the path is refused, within ten seconds of work."""
    started = time.process_time()
    with pytest.raises((DataError, UsageError)) as refused:
        open_dataset([path], limits=limits)
    assert time.process_time() - started < 10
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


def everything_in(folder: Path) -> set[str]:
    return {each.relative_to(folder).as_posix() for each in folder.rglob("*")}


WIDE = b"person_id" + b"," * 3_000_000 + b"\nC1\n"
LONG = b"person_id,sex\n" + b"C1,M\n" * 10 + b"x" * 30_000_000
LONG_FIELD = b'person_id,sex\n"' + b"\n".join([b"x" * 1000] * 30_000) + b'",M\n'
VALID = b"person_id,sex\nC1,M\n"


@pytest.mark.parametrize(
    ("name", "content", "words"),
    [
        ("people.csv", WIDE, "people.csv: columns: 3,000,001 is beyond the limit of 2,000 (columns)"),
        ("people.csv", LONG, "people.csv:12: a line: 10,485,761 is beyond the limit of 10,485,760 (text bytes)"),
        ("people.csv", LONG_FIELD, "people.csv:"),
        ("people.csv", b"x" * 30_000_000, "people.csv:1: a line: "),
        ("people.csv", VALID.decode().encode("utf-16"), "NUL bytes"),
        ("people.csv", VALID.decode().encode("utf-32"), "NUL bytes"),
        ("people.parquet", b"PAR1" + b"\xff" * 500 + b"PAR1", "cannot be read as Parquet"),
        ("people.parquet", b"", "cannot be read as Parquet"),
        ("episodes.csv", b"CHILD,DECOM,RNE,LS,PLACE,DEC" + b",x" * 3_000 + b"\n", "columns"),
        ("dataset.sqlite", b"SQLite format 3\0" + b"\xff" * 4_000, "cannot be read as SQLite"),
        ("dataset.duckdb", b"\0" * 8 + b"DUCK" + b"\xff" * 4_000, "cannot be read as DuckDB"),
        ("a.xml", b"<Message><Header><Collection>CIN</Collection></Header><Children><Child>", "cannot be read as XML"),
        ("a.json", b'[{"la_child_id": "1", "social_care_episodes": ' + b"[" * 100_000, "nesting"),
        ("a.json", b'[{"la_child_id": "1", "social_care_episodes": [{"x": ', "ends before its JSON does"),
        ("a.zip", b"PK\x05\x06" + b"\0" * 18, "empty"),
    ],
    ids=[
        *("wide", "long line", "long field", "one line", "UTF-16", "UTF-32", "Parquet in name", "empty Parquet", "wide return"),
        *("SQLite in name", "DuckDB in name", "half an XML", "deep JSON", "half a JSON", "empty zip"),
    ],
)
def test_files_that_lie_or_never_end(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str, content: bytes, words: str
) -> None:
    (tmp_path / "here").mkdir()
    monkeypatch.chdir(tmp_path / "here")
    (tmp_path / name).write_bytes(content)
    tracemalloc.start()
    refused = refusal(tmp_path / name, DEFAULT_LIMITS)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert words in refused.message
    assert name in refused.message
    assert refused.exit_code in (2, 3)
    assert peak < 150_000_000
    assert everything_in(tmp_path) == {"here", name}


def test_a_file_in_the_alphabet_of_windows_is_read(tmp_path: Path) -> None:
    (tmp_path / "teams.csv").write_bytes("team_id,name\nT1,Café – élan\n".encode("cp1252"))
    dataset = open_dataset([tmp_path / "teams.csv"])
    assert dataset.connection.execute("SELECT name FROM teams").fetchall() == [("Café – élan",)]


@pytest.mark.parametrize("cut", [0.2, 0.5, 0.99])
def test_files_that_are_cut_off(tmp_path: Path, cut: float) -> None:
    contact = ["C1", "M", "WBRI", "01/02/2015", 8, "05/01/2024", "6"]
    made = workbook(tmp_path / "a.xlsx", {"List 1": [CONTACTS, contact]})
    made.write_bytes(made.read_bytes()[: int(made.stat().st_size * cut)])
    assert "a.xlsx" in refusal(made).message
    table = tmp_path / "people.parquet"
    duckdb.sql(f"COPY (SELECT 'C' || range AS person_id FROM range(5000)) TO '{table}'")
    table.write_bytes(table.read_bytes()[: int(table.stat().st_size * cut)])
    assert "people.parquet: cannot be read as Parquet" in refusal(table).message


def test_a_parquet_file_that_unfolds_to_more_rows_than_are_read(tmp_path: Path) -> None:
    table = tmp_path / "people.parquet"
    duckdb.sql(f"COPY (SELECT 'C1' AS person_id FROM range(3000000)) TO '{table}'")
    assert table.stat().st_size < 100_000
    assert "rows" in refusal(table, replace(SMALL, rows=1_000_000)).message


@pytest.mark.parametrize("kind", ["csv", "sqlite", "duckdb"])
def test_more_rows_than_are_read(tmp_path: Path, kind: str) -> None:
    path = tmp_path / f"people.{kind}"
    numbers = range(3_000)
    if kind == "csv":
        path.write_text("person_id\n" + "".join(f"C{n}\n" for n in numbers))
    elif kind == "sqlite":
        with closing(sqlite3.connect(path)) as database, database:
            database.execute("CREATE TABLE people (person_id TEXT)")
            database.executemany("INSERT INTO people VALUES (?)", [(f"C{n}",) for n in numbers])
    else:
        with duckdb.connect(str(path)) as made:
            made.execute("CREATE TABLE people AS SELECT 'C' || range AS person_id FROM range(3000)")
    assert "(rows)" in refusal(path, replace(SMALL, rows=1_000)).message
    assert len(open_dataset([path], limits=SMALL).connection.execute("FROM people").fetchall()) == 3_000


def test_a_database_whose_views_and_triggers_never_end_or_read_files(tmp_path: Path) -> None:
    secret = tmp_path / "secret.csv"
    secret.write_text("visit_id,person_id,visit_date\nV1,C1,2024-01-01\n")
    endless = "WITH RECURSIVE r(visit_id) AS (SELECT 1 UNION ALL SELECT visit_id + 1 FROM r) SELECT * FROM r"
    with closing(sqlite3.connect(tmp_path / "a.sqlite")) as database, database:
        database.execute("CREATE TABLE people (person_id TEXT)")
        database.execute(f"CREATE VIEW cp_visits AS {endless}")
        database.execute("CREATE TRIGGER t AFTER INSERT ON people BEGIN DELETE FROM people; END")
        database.execute("CREATE TABLE other (person_id TEXT)")
    with duckdb.connect(str(tmp_path / "a.duckdb")) as made:
        made.execute("CREATE TABLE people (person_id VARCHAR)")
        made.execute(f"CREATE VIEW cp_visits AS FROM read_csv('{secret}')")
    secret.rename(tmp_path / "moved.csv")
    for name in ("a.sqlite", "a.duckdb"):
        dataset = open_dataset([tmp_path / name])
        assert dataset.tables["people"].present
        assert not dataset.tables["cp_visits"].present


def test_links_that_go_round(tmp_path: Path) -> None:
    (tmp_path / "people.csv").write_bytes(VALID)
    (tmp_path / "again").symlink_to(tmp_path)
    assert "is a link" in refusal(tmp_path).message
    (tmp_path / "again").unlink()
    (tmp_path / "loop").symlink_to(tmp_path / "loop")
    assert "loop" in refusal(tmp_path).message


@pytest.mark.parametrize(
    ("settings", "words"),
    [
        ("parameters: {x: 1}\n" + "# \n" * 200_000, "larger than 256 KB"),
        ("parameters: " + "[" * 20_000, "dataset.yaml"),
        ("a: &a [x]\n" + "".join(f"{k}: &{k} [*{j}, *{j}, *{j}, *{j}]\n" for j, k in pairwise("abcdefghijkl")), "no such key"),
        ("extract_date: !!python/object/apply:os.system [ls]\n", "dataset.yaml"),
        ("authority: {code: '../E06'}\n", "authority.code"),
    ],
    ids=["large", "deep", "aliases", "object", "path"],
)
def test_settings_made_to_do_harm(tmp_path: Path, settings: str, words: str) -> None:
    (tmp_path / "people.csv").write_bytes(VALID)
    (tmp_path / "dataset.yaml").write_text(settings)
    refused = refusal(tmp_path)
    assert words in refused.message
    assert refused.exit_code == 2


@contextmanager
def as_nobody() -> Iterator[None]:
    """A stretch in which the process has the rights of a user who owns nothing."""
    if os.geteuid():
        yield
        return
    os.seteuid(65534)
    try:
        yield
    finally:
        os.seteuid(0)


@pytest.mark.parametrize(
    "name", ["people.csv", "people.parquet", "dataset.yaml", "a.zip", "a.xlsx", "a.xml", "a.sqlite", "other.csv"]
)
def test_what_may_not_be_read(name: str) -> None:
    with TemporaryDirectory() as made:
        folder = Path(made)
        folder.chmod(0o755)
        (folder / "contacts.csv").write_text("contact_id,person_id,received_at\nK1,C1,2024-01-01\n")
        open_dataset([folder])
        (folder / name).write_bytes(VALID)
        (folder / name).chmod(0)
        with as_nobody():
            refused = refusal(folder)
        assert f"{name} may not be read" in refused.message
        assert refused.exit_code == 2


def test_a_folder_that_may_not_be_entered() -> None:
    with TemporaryDirectory() as made:
        folder = Path(made) / "inner"
        folder.mkdir()
        Path(made).chmod(0o755)
        (folder / "people.csv").write_bytes(VALID)
        open_dataset([folder])
        folder.chmod(0)
        with as_nobody():
            refused = refusal(folder)
        folder.chmod(0o755)
        assert "may not be read" in refused.message


def test_limits_are_set_on_the_command_line(tmp_path: Path, compliance: Command) -> None:
    (tmp_path / "people.csv").write_bytes(b"person_id\n" + b"".join(b"C%d\n" % n for n in range(50)))
    most = ["--read-limit", "rows=20"]
    refused = compliance("data", "validate", tmp_path, "--as-of", "2024-01-01", *most)
    assert refused.returncode == 3
    assert "people.csv: 50 is beyond the limit of 20 (rows)" in refused.stderr
    assert "raise it with --read-limit rows=50" in refused.stderr
    assert compliance("data", "validate", tmp_path, "--as-of", "2024-01-01", "--read-limit", "rows=50").returncode == 0


@pytest.mark.parametrize(
    ("said", "words", "help"),
    [
        ("row=20", "there is no such limit", "the nearest is rows"),
        ("rows", "a whole number from 1", "rows=20000000"),
        ("rows=-1", "a whole number from 1", "rows=20000000"),
        ("rows=0", "a whole number from 1", "rows=20000000"),
    ],
)
def test_limits_that_are_not_understood(said: str, words: str, help: str) -> None:
    with pytest.raises(UsageError, match=words) as refused:
        DEFAULT_LIMITS.set([said])
    assert help in (refused.value.help or "")


def test_every_limit_is_stated_in_the_docs() -> None:
    stated = dict(re.findall(r"^\| `(\w+)` \| ([\d,]+)", LIMITS_PAGE.read_text("utf-8"), re.MULTILINE))
    assert {name: int(number.replace(",", "")) for name, number in stated.items()} == asdict(DEFAULT_LIMITS)
