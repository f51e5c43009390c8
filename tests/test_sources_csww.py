"""The workforce census as councils send it: roles, hours, agency workers, caseloads, absences and the assessed year."""

from __future__ import annotations

from datetime import date
from pathlib import Path
from typing import Any

import pytest
from tests.return_files import element, message

from compliance.dataset.load import Dataset, open_dataset
from compliance.errors import DataError
from compliance.rulebook.load import load_rulebook
from compliance.run import Request, run
from compliance.sources.limits import Limits
from compliance.synth import synthesise
from compliance.synth.write import write_tables

SAMPLE = Path("/work/shared/formats/samples/csww_xml/csww_2022_part1.xml")
AS_OF = date(2021, 9, 30)


def worker(number: str | None = "SW1234567890", *repeated: str, **fields: Any) -> str:
    return element("CSWWWorker", *repeated, **({"AgencyWorker": "0", "SWENo": number} | fields))


def census(*workers: str, vacancies: Any = None, year: int | None = 2022, day: str | None = "2022-09-30") -> str:
    posts = element("LALevelVacancies", NumberOfVacancies=vacancies, NoAgencyHeadcount=7) if vacancies is not None else ""
    return message("CSWW", posts + "".join(workers), year=year, day=day)


def opened(folder: Path, text: str, name: str = "census.xml", **given: Any) -> Dataset:
    (folder / name).write_text(text)
    return open_dataset([folder / name], **given)


def rows(dataset: Dataset, sql: str) -> list[tuple[Any, ...]]:
    return dataset.connection.execute(sql).fetchall()


def test_a_worker(tmp_path: Path) -> None:
    given = {"FTE": "0.6", "OrgRole": "5", "RoleStartDate": "2021-01-04", "Cases30": "17", "CFKSSstatus": "1"}
    dataset = opened(tmp_path, census(worker(**given), vacancies="79.68"))
    found = rows(
        dataset,
        "SELECT worker_id, registration_number, role, fte, start_date::VARCHAR, end_date, is_newly_qualified, is_agency, "
        "caseload_at_census FROM workers",
    )
    assert found == [("SW1234567890", "SW1234567890", "social_worker", 0.6, "2021-01-04", None, True, False, 17)]
    assert rows(dataset, "SELECT post_id, fte FROM posts") == [("census_vacancies", 79.68)]
    assert {dataset.tables[each].history for each in ("workers", "posts", "absences")} == {"latest"}
    assert dataset.extract_date == date(2022, 9, 30)
    assert str(dataset.recognised[0]) == "census.xml: social work workforce census (a message of the collection CSWW)"


@pytest.mark.parametrize(
    ("code", "role"),
    [
        *[("1", "senior_manager"), ("2", "middle_manager"), ("3", "first_line_manager"), ("4", "senior_practitioner")],
        *[("5", "social_worker"), ("6", "social_worker_without_cases"), ("9", None), ("", None)],
    ],
)
def test_roles(tmp_path: Path, code: str, role: str | None) -> None:
    assert rows(opened(tmp_path, census(worker(OrgRole=code))), "SELECT role FROM workers") == [(role,)]


@pytest.mark.parametrize(
    ("code", "reason"),
    [
        *[("1", "resigned"), ("2", "redundancy"), ("3", "redundancy"), ("4", "dismissed"), ("5", "retired"), ("6", "died")],
        *[("7", "moved_within_council"), ("8", "other"), ("9", None), ("10", None)],
    ],
)
def test_reasons_for_leaving(tmp_path: Path, code: str, reason: str | None) -> None:
    dataset = opened(tmp_path, census(worker(ReasonLeave=code)))
    assert rows(dataset, "SELECT leaving_reason FROM workers") == [(reason,)]
    assert rows(dataset, "SELECT * FROM notices") == []


@pytest.mark.parametrize(
    ("codes", "expected"), [(["1"], True), (["2"], False), (["4"], False), ([], None), (["2", "1"], True), ([""], None)]
)
def test_the_assessed_year(tmp_path: Path, codes: list[str], expected: bool | None) -> None:
    held = [element("x", CFKSSstatus=code)[3:-4] for code in codes]
    assert rows(opened(tmp_path, census(worker("SW1", *held))), "SELECT is_newly_qualified FROM workers") == [(expected,)]


def test_registration_numbers_are_in_capitals(tmp_path: Path) -> None:
    assert rows(opened(tmp_path, census(worker("Oz2054309383"))), "SELECT worker_id FROM workers") == [("OZ2054309383",)]


def test_a_blank_caseload_is_not_zero(tmp_path: Path) -> None:
    dataset = opened(tmp_path, census(worker("SW1", Cases30=""), worker("SW2", Cases30="0"), worker("SW3")))
    assert rows(dataset, "SELECT caseload_at_census FROM workers ORDER BY worker_id") == [(None,), (0,), (None,)]


def test_agency_workers_lack_what_they_lack(tmp_path: Path) -> None:
    dataset = opened(tmp_path, census(worker("SW1", AgencyWorker="1")))
    assert rows(dataset, "SELECT is_agency, fte, role FROM workers") == [(True, None, None)]


def test_absences(tmp_path: Path) -> None:
    dataset = opened(
        tmp_path, census(worker("sw1", ReasonAbsence="MAT", WorkingDaysLost="15.31"), worker("SW2", WorkingDaysLost=3))
    )
    assert rows(dataset, "SELECT worker_id, absence_reason, working_days_lost FROM absences ORDER BY ALL") == [
        ("SW1", "parental_leave", None),
        ("SW1", "sickness", 15.31),
        ("SW2", "sickness", 3.0),
    ]


def test_elements_in_any_order_and_a_worker_without_a_number(tmp_path: Path) -> None:
    text = "<CSWWWorker><OrgRole>3</OrgRole><SWENo>SW9</SWENo><AgencyWorker>0</AgencyWorker></CSWWWorker>"
    dataset = opened(tmp_path, census(text, worker(None)))
    assert rows(dataset, "SELECT worker_id, role FROM workers") == [("SW9", "first_line_manager")]
    assert rows(dataset, "SELECT sheet, source_row, column_name FROM rejects") == [("CSWWWorker", 2, "worker_id")]


def test_the_year_stands_where_there_is_no_day(tmp_path: Path) -> None:
    assert opened(tmp_path, census(worker(), day=None)).extract_date == date(2022, 9, 30)


def test_without_vacancies_no_post_is_told(tmp_path: Path) -> None:
    dataset = opened(tmp_path, census(worker()))
    assert dataset.tables["posts"].loaded == 0


def test_unknown_elements_are_named(tmp_path: Path) -> None:
    dataset = opened(tmp_path, census(worker(FTE31="1")))
    assert rows(dataset, "SELECT column_name, reason FROM notices") == [
        ("FTE31", "not an element of this format, so not read; the nearest is FTE")
    ]


def test_hostile_files(tmp_path: Path) -> None:
    text = census(worker("SW1"))
    doctype = '<!DOCTYPE Message [<!ENTITY x SYSTEM "file:///etc/passwd">]>'
    with pytest.raises(DataError, match="document type"):
        opened(tmp_path, text.replace("<Message>", f"{doctype}<Message>").replace("SW1", "&x;"))
    with pytest.raises(DataError, match="nesting"):
        opened(tmp_path, text.replace("SW1", "<a>" * 500 + "</a>" * 500))
    with pytest.raises(DataError, match="cannot be read as XML"):
        opened(tmp_path, text[:-20])
    with pytest.raises(DataError, match="rows"):
        opened(tmp_path, census(*(worker(f"SW{n}") for n in range(50))), limits=Limits(rows=20))
    with pytest.raises(DataError, match="holds no record"):
        opened(tmp_path, census())


@pytest.mark.skipif(not SAMPLE.exists(), reason="the samples are not here")
def test_sample() -> None:
    dataset = open_dataset([SAMPLE])
    loaded = {name: (table.loaded, table.rejected) for name, table in dataset.tables.items() if table.present}
    assert loaded == {"workers": (15, 0), "posts": (1, 0), "absences": (16, 0)}


ROLES = {
    "senior_manager": "1",
    "middle_manager": "2",
    "first_line_manager": "3",
    "senior_practitioner": "4",
    "social_worker": "5",
    "social_worker_without_cases": "6",
}
COLUMNS = ("worker_id", "registration_number", "role", "fte", "start_date", "end_date", "is_newly_qualified", "is_agency")


def _findings(path: Path) -> tuple[set[str], list[Any], dict[str, Any]]:
    done = run(Request([path], load_rulebook(), AS_OF, with_risks=False))
    duties = "SELECT rule, worker_id, trigger_date, due_date, done_date, status FROM duties ORDER BY ALL"
    measures = "SELECT measure, numerator, denominator FROM measures ORDER BY ALL"
    tables = {row[0] for row in done.evaluation.connection.execute("SELECT table_name FROM duckdb_tables()").fetchall()}
    counted = done.evaluation.connection.execute(measures).fetchall() if "measures" in tables else []
    return (
        set(done.evaluation.evaluated),
        done.evaluation.connection.execute(duties).fetchall(),
        {row[0]: row[1:] for row in counted},
    )


def test_a_made_workforce_written_as_a_census_gives_the_same_findings(tmp_path: Path) -> None:
    made = [row for row in synthesise("herefordshire-2021", AS_OF, 7, 0.1).tables["workers"] if row.get("role") in ROLES]
    held = [{each: row.get(each) for each in COLUMNS} | {"worker_id": row["registration_number"]} for row in made]
    write_tables({"workers": held}, tmp_path / "tables", large_as_parquet=False)
    (tmp_path / "tables" / "dataset.yaml").write_text("history: {workers: latest}\n")
    written = [
        worker(
            row["registration_number"],
            AgencyWorker=int(bool(row["is_agency"])),
            FTE=row["fte"],
            OrgRole=ROLES[row["role"]],
            RoleStartDate=row["start_date"],
            RoleEndDate=row["end_date"],
            CFKSSstatus=1 if row["is_newly_qualified"] else 2,
        )
        for row in held
    ]
    (tmp_path / "census.xml").write_text(census(*written, year=AS_OF.year, day=str(AS_OF)))
    told, expected, counted = _findings(tmp_path / "tables")
    read, found, counts = _findings(tmp_path / "census.xml")
    assert told and told <= read
    assert [row for row in found if row[0] in told] == expected
    assert {key: counts[key] for key in counted} == counted
