"""What a path is, told by its content; several paths made one dataset."""

from __future__ import annotations

import shutil
import zipfile
from datetime import date
from pathlib import Path
from typing import Any

import pytest
from tests.return_files import census, child, element

from annex_a_files import IN_NEED, PROTECTION, REFERRALS, workbook
from compliance.dataset.load import Dataset, open_dataset
from compliance.errors import UsageError
from compliance.sources.heads import csv_headings, date_in, kind_of, xml_root
from compliance.sources.recognise import shown_url, url_of

PEOPLE = "person_id,upn,birth_date\nC1,U1,2015-01-01\nC2,U2,2016-01-01\n"
VISITS = "visit_id,person_id,visit_date,child_was_seen\nV1,C1,2024-01-05,yes\nV2,C1,2024-02-05,yes\n"
AS_OF = date(2024, 3, 1)


def write(folder: Path, **files: str) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    for name, text in files.items():
        (folder / name.replace("_csv", ".csv").replace("_yaml", ".yaml")).write_text(text)
    return folder


def annex_a(path: Path, *visits: str, child: str = "C1") -> Path:
    given = [[f"{child}", "M", "", "01/01/2015", "", "No", "01/03/2023", "Neglect", "Neglect", day, "a) Yes"] for day in visits]
    return workbook(path, {"List 7": [PROTECTION, *given]})


def rows(dataset: Dataset, sql: str) -> list[tuple[Any, ...]]:
    return dataset.connection.execute(sql).fetchall()


def test_a_file_by_itself(tmp_path: Path) -> None:
    write(tmp_path, people_csv=PEOPLE)
    dataset = open_dataset([tmp_path / "people.csv"])
    assert dataset.tables["people"].loaded == 2
    assert [str(each) for each in dataset.recognised] == ["people.csv: canonical tables (holds the table people)"]


def test_a_file_named_for_nothing_is_told_by_its_headings(tmp_path: Path) -> None:
    (tmp_path / "cp.csv").write_text("cp_plan_id,person_id,start_date,latest_category\nP1,C1,2024-01-01,NEG\n")
    dataset = open_dataset([tmp_path / "cp.csv"])
    assert dataset.tables["cp_plans"].loaded == 1


def test_a_zip(tmp_path: Path) -> None:
    write(tmp_path / "in", people_csv=PEOPLE, dataset_yaml="authority: {code: E1, name: Town}\n")
    annex_a(tmp_path / "in" / "Annex A.xlsx", "05/01/2024")
    shutil.make_archive(str(tmp_path / "extract"), "zip", tmp_path / "in")
    dataset = open_dataset([tmp_path / "extract.zip"], as_of=AS_OF)
    assert {each.label for each in dataset.recognised} == {"extract.zip/people.csv", "extract.zip/Annex A.xlsx"}
    assert dataset.authorities[0].code == "E1"
    assert rows(dataset, "SELECT DISTINCT file, sheet FROM sources WHERE table_name = 'cp_visits'") == [
        ("extract.zip/Annex A.xlsx", "List 7")
    ]


def test_a_zip_in_a_folder(tmp_path: Path) -> None:
    annex_a(tmp_path / "a.xlsx", "05/01/2024")
    (tmp_path / "set").mkdir()
    with zipfile.ZipFile(tmp_path / "set" / "b.zip", "w") as made:
        made.write(tmp_path / "a.xlsx", "inner/a.xlsx")
        made.writestr("notes.txt", "hello")
    dataset = open_dataset([tmp_path / "set"], as_of=AS_OF)
    assert [each.label for each in dataset.recognised] == ["b.zip/inner/a.xlsx"]
    assert dataset.ignored == ("b.zip/notes.txt",)


def test_a_folder_holds_canonical_tables_and_other_formats(tmp_path: Path) -> None:
    write(tmp_path, people_csv=PEOPLE, notes_txt="x")
    annex_a(tmp_path / "Annex A.xlsx", "05/01/2024")
    dataset = open_dataset([tmp_path], as_of=AS_OF)
    assert {each.format for each in dataset.recognised} == {"canonical", "annex_a"}
    assert dataset.ignored == ("notes_txt",)
    assert rows(dataset, "SELECT person_id, upn FROM people ORDER BY 1") == [("C1", "U1"), ("C2", "U2")]


def test_what_is_recognised_does_not_depend_on_the_name(tmp_path: Path) -> None:
    annex_a(tmp_path / "a.xlsx", "05/01/2024").rename(tmp_path / "download.tmp")
    dataset = open_dataset([tmp_path / "download.tmp"], as_of=AS_OF)
    assert dataset.recognised[0].format == "annex_a"


@pytest.mark.parametrize(
    ("name", "content", "words"),
    [
        ("a.txt", b"hello there", "it is text, but its headings are of no table"),
        ("a.xml", b"<?xml version='1.0'?><Letter/>", "it is XML, but its root"),
        ("a.json", b"{}", "it is JSON"),
        ("a.bin", b"\0\1\2\0", "neither text nor"),
        ("a.csv", b"", "it is empty"),
    ],
)
def test_what_is_not_known_is_refused_with_what_it_is(tmp_path: Path, name: str, content: bytes, words: str) -> None:
    (tmp_path / name).write_bytes(content)
    with pytest.raises(UsageError, match=words) as refused:
        open_dataset([tmp_path / name])
    assert "Ofsted Annex A" in (refused.value.help or "")


def test_full_history_has_precedence_over_the_latest_event(tmp_path: Path) -> None:
    write(tmp_path / "tables", people_csv=PEOPLE, cp_visits_csv=VISITS)
    annex_a(tmp_path / "Annex A.xlsx", "05/02/2024")
    dataset = open_dataset([tmp_path / "Annex A.xlsx", tmp_path / "tables"], as_of=AS_OF)
    assert rows(dataset, "SELECT visit_id, child_was_seen_alone FROM cp_visits ORDER BY 1") == [("V1", None), ("V2", True)]
    assert dataset.tables["cp_visits"].history == "full"
    reasons = [reason for (reason,) in rows(dataset, "SELECT reason FROM notices WHERE table_name = 'cp_visits'")]
    assert "1 row is told by a source with precedence, and used only to fill its blanks" in reasons


def test_a_person_known_only_to_the_latest_source_keeps_the_table_latest(tmp_path: Path) -> None:
    write(tmp_path / "tables", people_csv=PEOPLE, cp_visits_csv=VISITS)
    annex_a(tmp_path / "Annex A.xlsx", "05/02/2024", child="C9")
    dataset = open_dataset([tmp_path / "Annex A.xlsx", tmp_path / "tables"], as_of=AS_OF)
    assert dataset.tables["cp_visits"].loaded == 3
    assert dataset.tables["cp_visits"].history == "latest"


def test_a_state_gives_way_to_the_whole_history(tmp_path: Path) -> None:
    allocations = "allocation_id,person_id,worker_id,role,start_date\nA1,C1,W1,social_worker,2023-01-01\n"
    write(tmp_path / "tables", people_csv=PEOPLE, allocations_csv=allocations)
    in_need = [[child, "", "", "", "", "", "", "", "", "", "", "", "Team", "A Name"] for child in ("C1", "C2")]
    workbook(tmp_path / "a.xlsx", {"List 6": [IN_NEED, *in_need]})
    dataset = open_dataset([tmp_path / "tables", tmp_path / "a.xlsx"], as_of=AS_OF)
    assert rows(dataset, "SELECT person_id, worker_id FROM allocations ORDER BY 1") == [("C1", "W1"), ("C2", "A Name")]


def test_conflicts_are_said(tmp_path: Path) -> None:
    write(tmp_path / "tables", people_csv=PEOPLE.replace("2015-01-01", "2014-01-01"))
    annex_a(tmp_path / "Annex A.xlsx", "05/02/2024")
    dataset = open_dataset([tmp_path / "Annex A.xlsx", tmp_path / "tables"], as_of=AS_OF)
    assert rows(dataset, "SELECT birth_date::VARCHAR FROM people WHERE person_id = 'C1'") == [("2014-01-01",)]
    assert rows(dataset, "SELECT file, source_row, value, reason FROM notices WHERE column_name = 'birth_date'") == [
        ("Annex A.xlsx", 2, "01/01/2015", "differs from people.csv, row 2, which has precedence and says 2014-01-01")
    ]


def test_ids_that_differ_are_joined_by_other_facts(tmp_path: Path) -> None:
    write(tmp_path / "one", people_csv=PEOPLE, cp_plans_csv="cp_plan_id,person_id,start_date\nP1,C1,2024-01-01\n")
    made = tmp_path / "two.xlsx"
    people = [["person_id", "upn", "birth_date"], ["X77", "U1", "2015-01-01"], ["c2", "", ""], ["X99", "U9", "2011-01-01"]]
    workbook(made, {"people": people, "cp_visits": [["person_id", "visit_date"], ["X77", "2024-01-05"]]})
    dataset = open_dataset([tmp_path / "one", made], as_of=AS_OF)
    assert rows(dataset, "SELECT person_id FROM cp_visits") == [("C1",)]
    assert rows(dataset, "SELECT person_id FROM people ORDER BY 1") == [("C1",), ("C2",), ("X99",)]
    (match,) = dataset.matches
    assert (match.table, match.ids, match.by_id, match.by_facts) == ("people", 3, 1, 1)
    assert match.rate == pytest.approx(2 / 3)
    assert (match.first, match.second) == ("one (canonical)", "two.xlsx (canonical_files)")


def test_a_place_that_names_no_council_is_of_the_only_one_named(tmp_path: Path) -> None:
    write(tmp_path / "one", people_csv=PEOPLE, dataset_yaml="authority: {code: E1}\n")
    annex_a(tmp_path / "a.xlsx", "05/02/2024")
    dataset = open_dataset([tmp_path / "one", tmp_path / "a.xlsx"], as_of=AS_OF)
    assert [(each.by_id, each.ids) for each in dataset.matches if each.table == "people"] == [(1, 1)]
    assert rows(dataset, "SELECT DISTINCT authority FROM people") == [("E1",)]


def test_a_newer_state_stays_beside_an_older_history(tmp_path: Path) -> None:
    allocations = "allocation_id,person_id,worker_id,role,start_date\nA1,C1,W1,social_worker,2023-01-01\n"
    write(tmp_path / "tables", people_csv=PEOPLE, allocations_csv=allocations, dataset_yaml="extract_date: 2023-09-30\n")
    in_need = ["C1", "", "", "", "", "", "", "", "", "", "", "", "Team", "A Name"]
    workbook(tmp_path / "Annex A 2024-03-01.xlsx", {"List 6": [IN_NEED, in_need]})
    dataset = open_dataset([tmp_path / "tables", tmp_path / "Annex A 2024-03-01.xlsx"])
    assert rows(dataset, "SELECT worker_id FROM allocations ORDER BY start_date") == [("W1",), ("A Name",)]


def test_the_latest_event_of_a_newer_extract_ends_what_a_history_covers(tmp_path: Path) -> None:
    write(tmp_path / "tables", people_csv=PEOPLE, cp_visits_csv=VISITS, dataset_yaml="extract_date: 2024-02-10\n")
    annex_a(tmp_path / "Annex A 2024-03-01.xlsx", "01/03/2024")
    dataset = open_dataset([tmp_path / "tables", tmp_path / "Annex A 2024-03-01.xlsx"])
    assert dataset.tables["cp_visits"].history == "full"
    assert [(each.table, each.stretch.words()) for each in dataset.coverage if each.table == "cp_visits"] == [
        ("cp_visits", "to 2024-02-10")
    ]


PLANS = "cp_plan_id,person_id,start_date\n{},C1,2024-01-01\n"


def test_ids_of_rows_that_gave_way_are_read_as_those_that_stayed(tmp_path: Path) -> None:
    write(tmp_path / "one", people_csv=PEOPLE, cp_plans_csv=PLANS.format("P1"))
    plans = [["cp_plan_id", "person_id", "start_date"], ["X1", "C1", "2024-01-01"], ["X2", "C2", "2024-01-01"]]
    visits = [["person_id", "visit_date", "cp_plan_id"], ["C1", "2024-01-05", "X1"], ["C2", "2024-01-06", "X2"]]
    workbook(tmp_path / "two.xlsx", {"cp_plans": plans, "cp_visits": visits})
    dataset = open_dataset([tmp_path / "one", tmp_path / "two.xlsx"], as_of=AS_OF)
    assert rows(dataset, "SELECT cp_plan_id FROM cp_plans ORDER BY 1") == [("P1",), ("X2",)]
    assert rows(dataset, "SELECT person_id, cp_plan_id FROM cp_visits ORDER BY 1") == [("C1", "P1"), ("C2", "X2")]


@pytest.mark.parametrize(("day", "stays"), [("2023-09-30", "R1"), ("2024-03-31", "k:C1|2023-05-01")])
def test_an_id_that_ingest_builds_points_at_the_row_that_stayed(tmp_path: Path, day: str, stays: str) -> None:
    """The census builds its ids, the tables have their own, and either may be the newer, which has precedence."""
    referral = "referral_id,person_id,referral_date\nR1,C1,2023-05-01\n"
    assessment = "assessment_id,person_id,referral_id,start_date\nA1,C1,R1,2023-06-02\n"
    write(tmp_path / "tables", people_csv=PEOPLE, referrals_csv=referral, assessments_csv=assessment)
    need = element("Assessments", AssessmentActualStartDate="2023-05-02")
    text = census(child("C1", element("CINdetails", need, CINreferralDate="2023-05-01", ReferralSource="1A")), day=day)
    (tmp_path / "census.xml").write_text(text)
    dataset = open_dataset([tmp_path / "census.xml", tmp_path / "tables"], as_of=AS_OF)
    assert rows(dataset, "SELECT referral_id, referral_source FROM referrals") == [(stays, "1A")]
    assert rows(dataset, "SELECT referral_id FROM assessments") == [(stays,), (stays,)]


def test_conflicts_are_counted_by_table_and_source(tmp_path: Path) -> None:
    write(tmp_path / "tables", people_csv=PEOPLE.replace("2015-01-01", "2014-01-01"))
    annex_a(tmp_path / "Annex A.xlsx", "05/02/2024")
    dataset = open_dataset([tmp_path / "Annex A.xlsx", tmp_path / "tables"], as_of=AS_OF)
    assert [(each.table, each.source, each.values) for each in dataset.conflicts] == [("people", "Annex A.xlsx > List 7", 1)]


def test_people_of_two_councils_with_one_id_do_not_settle_one_another(tmp_path: Path) -> None:
    allocations = "allocation_id,person_id,worker_id,role,start_date\nA1,C1,W1,social_worker,2023-01-01\n"
    write(tmp_path / "one", people_csv=PEOPLE, allocations_csv=allocations, dataset_yaml="authority: {code: E1}\n")
    write(tmp_path / "two", dataset_yaml="authority: {code: E2}\n")
    in_need = ["C1", "", "", "", "", "", "", "", "", "", "", "", "Team", "A Name"]
    workbook(tmp_path / "two" / "a.xlsx", {"List 6": [IN_NEED, in_need]})
    dataset = open_dataset([tmp_path / "one", tmp_path / "two"], as_of=AS_OF)
    assert rows(dataset, "SELECT worker_id FROM allocations ORDER BY 1") == [("E1/W1",), ("E2/A Name",)]


def test_ids_of_two_councils_are_never_joined(tmp_path: Path) -> None:
    write(tmp_path / "one", people_csv=PEOPLE, dataset_yaml="authority: {code: E1}\n")
    write(tmp_path / "two", dataset_yaml="authority: {code: E2}\n")
    annex_a(tmp_path / "two" / "a.xlsx", "05/02/2024")
    dataset = open_dataset([tmp_path / "one", tmp_path / "two"], as_of=AS_OF)
    assert rows(dataset, "SELECT person_id FROM people ORDER BY 1") == [("E1/C1",), ("E1/C2",), ("E2/C1",)]
    assert dataset.matches == ()


def test_the_newer_extract_has_precedence(tmp_path: Path) -> None:
    for day, team in (("2023-09-30", "Old team"), ("2024-01-31", "New team")):
        referral = ["C1", "F", "", "01/02/2015", "", "01/03/2023", "2A", "No", "0", team, ""]
        workbook(tmp_path / f"Annex A {day}.xlsx", {"List 3": [REFERRALS, referral]})
    dataset = open_dataset(sorted(tmp_path.iterdir()))
    assert rows(dataset, "SELECT team_id FROM referrals") == [("New team",)]
    assert dataset.extract_date == date(2024, 1, 31)


def test_progress_says_what_is_read_as_what(tmp_path: Path) -> None:
    said: list[str] = []
    open_dataset([annex_a(tmp_path / "a.xlsx", "05/02/2024")], as_of=AS_OF, progress=said.append)
    assert said == ["reading a.xlsx as annex_a"]


def test_urls_are_told_from_paths() -> None:
    assert url_of("postgresql://me:secret@host:5432/ssd?x=1") == "postgresql://me:secret@host:5432/ssd?x=1"
    assert url_of(Path("postgresql://host/ssd")) == "postgresql://host/ssd"
    assert url_of(Path("C:/data")) is None
    assert url_of(Path("data/extract")) is None
    assert shown_url("postgresql://me:secret@host:5432/ssd?password=x") == "postgresql://host:5432/ssd"


def test_a_url_that_nothing_reads_is_refused_without_its_password() -> None:
    with pytest.raises(UsageError) as refused:
        open_dataset(["gopher://me:secret@host/x"])
    assert "secret" not in refused.value.message


@pytest.mark.parametrize(
    ("head", "kind"),
    [
        (b"PK\x03\x04", "zip"),
        (b"SQLite format 3\0....", "sqlite"),
        (b"12345678DUCK", "duckdb"),
        (b"PAR1", "parquet"),
        (b"\xef\xbb\xbf <a/>", "xml"),
        (b' [{"a": 1}]', "json"),
        (b"a,b\n", "text"),
        ("a,b\n".encode("utf-16"), "text"),
        (b"\xe9,b\n", "text"),
        (b"\0\0\0", "binary"),
        (b"", "empty"),
    ],
)
def test_kinds_of_file(head: bytes, kind: str) -> None:
    assert kind_of(head) == kind


def test_headings_and_roots() -> None:
    assert csv_headings(b'\xef\xbb\xbfCHILD,"SW ID"\r\n1,2') == ["CHILD", "SW ID"]
    assert xml_root(b"<?xml version='1.0'?><!-- <No> --><ns:Message xmlns:ns='x'>") == "Message"
    assert xml_root(b"CHILD,SEX") is None


@pytest.mark.parametrize(
    ("name", "day"),
    [
        ("Annex A 2024-01-31.xlsx", date(2024, 1, 31)),
        ("annexa_20240131_v2.xlsx", date(2024, 1, 31)),
        ("31.01.2024 Annex A.ods", date(2024, 1, 31)),
        ("Annex A 2023-01-31 to 2024-01-31.xlsx", None),
        ("Annex A 2024.xlsx", None),
        ("2024-02-30.xlsx", None),
    ],
)
def test_the_day_in_a_name(name: str, day: date | None) -> None:
    assert date_in(name) == day
