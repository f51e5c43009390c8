"""The looked-after return as councils send it: CSV sets and XML, several years, runs of episodes, traps, hostile files."""

from __future__ import annotations

import resource
from collections.abc import Mapping, Sequence
from datetime import date, datetime
from pathlib import Path
from typing import Any

import pytest
import yaml
from tests.return_files import (
    AD1,
    DOLO,
    EPISODES,
    HEADER,
    MISSING,
    OC2,
    OC3,
    PERMANENCE,
    PLACED,
    REVIEWS,
    UASC,
    WORKERS,
    british,
    element,
    large_return,
    table,
    write_csv,
)

from compliance.dataset.load import Dataset, open_dataset
from compliance.dataset.schema import load_schema
from compliance.errors import ComplianceError, DataError, UsageError
from compliance.rulebook.load import load_rulebook
from compliance.run import Request, run
from compliance.sources.limits import Limits
from compliance.sources.ssda903_mapping import mapping, year_named
from compliance.synth import synthesise
from compliance.synth.write import write_tables

SAMPLES = Path("/work/shared/formats/samples")
AS_OF = date(2021, 9, 30)

CHILD = {"CHILD": "C1", "SEX": "2", "DOB": "01/02/2008", "ETHNIC": "WBRI", "UPN": "A123456789123"}


def episode(begun: str, reason: str = "S", ended: str = "", why: str = "", **fields: str) -> dict[str, str]:
    given = {"CHILD": "C1", "LS": "C2", "CIN": "N1", "PLACE": "U6", "PLACE_PROVIDER": "PR1"}
    return given | {"DECOM": begun, "RNE": reason, "DEC": ended, "REC": why or ("X1" if ended else "")} | fields


def opened(folder: Path, **given: Any) -> Dataset:
    return open_dataset([folder], **given)


def rows(dataset: Dataset, sql: str) -> list[tuple[Any, ...]]:
    return dataset.connection.execute(sql).fetchall()


def reasons(dataset: Dataset) -> list[str]:
    return [row[0] for row in rows(dataset, "SELECT reason FROM notices ORDER BY ALL")]


def runs(dataset: Dataset, name: str, *columns: str) -> list[tuple[Any, ...]]:
    held = "".join(f", {each}" for each in columns)
    return rows(dataset, f"SELECT start_date::VARCHAR, end_date::VARCHAR{held} FROM {name} ORDER BY person_id, start_date")


TABLES: Mapping[str, tuple[Sequence[str], dict[str, str]]] = {
    "header": (HEADER, CHILD),
    "episodes": (EPISODES, episode("01/05/2022")),
    "reviews": (REVIEWS, {"CHILD": "C1", "REVIEW": "20/05/2022", "REVIEW_CODE": "PN1"}),
    "uasc": (UASC, CHILD | {"DUC": "01/02/2026"}),
    "oc2": (OC2, {"CHILD": "C1", "SDQ_SCORE": "12", "HEALTH_ASSESSMENT": "1", "TEETH_CHECK": "0", "SUBSTANCE_MISUSE": "1"}),
    "oc3": (OC3, {"CHILD": "C1", "DOB": "01/06/2004", "IN_TOUCH": "YES", "ACTIV": "F2", "ACCOM": "U2"}),
    "ad1": (AD1, {"CHILD": "C1", "DATE_INT": "01/06/2022", "DATE_MATCH": "01/08/2022", "FOSTER_CARE": "0"}),
    "placed_adoption": (PLACED, {"CHILD": "C1", "DATE_PLACED": "01/06/2022"}),
    "prev_perm": (PERMANENCE, {"CHILD": "C1", "PREV_PERM": "P1", "DATE_PERM": "zz/zz/zzzz"}),
    "missing": (MISSING, {"CHILD": "C1", "MISSING": "M", "MIS_START": "01/07/2022", "MIS_END": "02/07/2022"}),
    "sw_episodes": (WORKERS, {"CHILD": "C1", "SW_ID": "SW1", "SW_DECOM": "01/05/2022", "SW_REASON": "MANAGE"}),
    "dolo": (DOLO, {"CHILD": "C1", "DOLO_START": "01/08/2022", "DOLO_END": "01/09/2022"}),
}
FILLED = {
    "header": {"people"},
    "episodes": {"episodes", "care_periods", "placements", "legal_statuses"},
    "reviews": {"looked_after_reviews"},
    "uasc": {"people"},
    "oc2": {"health_checks"},
    "oc3": {"care_leaver_statuses", "care_leaver_accommodation"},
    "ad1": {"adoption_cases"},
    "placed_adoption": {"adoption_cases"},
    "prev_perm": set(),
    "missing": {"missing_episodes"},
    "sw_episodes": {"workers", "allocations"},
    "dolo": {"legal_statuses"},
}


@pytest.mark.parametrize("name", TABLES)
def test_a_table_is_told_by_its_headings_whatever_its_file_is_called(tmp_path: Path, name: str) -> None:
    headings, row = TABLES[name]
    table(tmp_path / "data extract.csv", [*reversed(headings), "LA", "TEST_COLUMN"], row)
    dataset = opened(tmp_path, as_of=date(2023, 3, 31))
    assert dataset.recognised[0].why == f"has the headings of the table {name}"
    assert {each for each, loaded in dataset.tables.items() if loaded.loaded} == FILLED[name]
    assert {each for each, loaded in dataset.tables.items() if loaded.present} == FILLED[name]


def test_every_table_is_told_apart() -> None:
    for name, (headings, _) in TABLES.items():
        told = [each.name for each in mapping().tables.values() if each.told_by <= set(headings)]
        assert told == [name]


@pytest.mark.parametrize(
    ("name", "year"),
    [
        *[
            ("2017-header.csv", 2017),
            ("SSDA903_2020_episodes.csv", 2020),
            ("oc2 2016-17.csv", 2017),
            ("header_2016_17.csv", 2017),
        ],
        *[("header.csv", None), ("20240101 header.csv", 2024), ("header 2024-05-01.csv", 2025), ("2016 and 2019.csv", None)],
    ],
)
def test_the_year_that_a_name_says(name: str, year: int | None) -> None:
    assert year_named(name) == year


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "cp1252"])
@pytest.mark.parametrize("end", ["\n", "\r\n"])
def test_encodings_and_line_ends(tmp_path: Path, encoding: str, end: str) -> None:
    table(tmp_path / "header.csv", HEADER, CHILD | {"CHILD": "Cé"}, CHILD, encoding=encoding, end=end)
    dataset = opened(tmp_path)
    assert rows(dataset, "SELECT person_id, source_row, upn FROM people ORDER BY 2") == [
        ("Cé", 2, "A123456789123"),
        ("C1", 3, "A123456789123"),
    ]


def test_headings_and_codes_in_any_case(tmp_path: Path) -> None:
    table(
        tmp_path / "e.csv",
        [each.lower() for each in EPISODES],
        {k.lower(): v for k, v in episode("01/05/2022", LS="c2", RNE="s", PLACE="u6").items()},
    )
    dataset = opened(tmp_path)
    assert runs(dataset, "episodes", "legal_status", "start_reason") == [("2022-05-01", None, "C2", "S")]
    assert runs(dataset, "placements", "placement_type") == [("2022-05-01", None, "U6")]


CODED = {
    "RNE": ("episodes", "start_reason", "episode_start_reason"),
    "LS": ("episodes", "legal_status", "legal_status"),
    "REC": ("episodes", "end_reason", "episode_end_reason"),
    "PLACE": ("placements", "placement_type", "placement_type"),
    "PLACE_PROVIDER": ("placements", "placement_provider", "placement_provider"),
    "REASON_PLACE_CHANGE": ("placements", "change_reason", "placement_change_reason"),
}


@pytest.mark.parametrize("field", CODED)
def test_every_code_of_an_episode_is_read_and_another_is_said(tmp_path: Path, field: str) -> None:
    name, column, code_set = CODED[field]
    codes = [each for each in load_schema().code_sets[code_set] if each.isupper()]
    given = [episode("01/05/2022", ended="01/06/2022", CHILD=f"C{n}", **{field: each}) for n, each in enumerate(codes)]
    table(tmp_path / "e.csv", EPISODES, *given, episode("01/05/2022", ended="01/06/2022", CHILD="Z", **{field: "QQ9"}))
    dataset = opened(tmp_path)
    read = dict(rows(dataset, f"SELECT person_id, {column} FROM {name}"))
    assert [read.get(f"C{n}") for n in range(len(codes))] == codes
    assert read.get("Z") is None
    said = f"SELECT source_row FROM {{}} WHERE value = 'QQ9' AND table_name = '{name}'"
    assert rows(dataset, f"{said.format('notices')} UNION {said.format('rejects')}") == [(len(codes) + 2,)]


@pytest.mark.parametrize(
    "said", ["01/05/2022", "2022-05-01", "2022-05-01 00:00:00", "1/5/2022", " 01/05/2022 ", "01/05/2022 00:00"]
)
def test_dates(tmp_path: Path, said: str) -> None:
    table(tmp_path / "e.csv", EPISODES, episode(said))
    dataset = opened(tmp_path)
    for name in ("episodes", "care_periods", "placements", "legal_statuses"):
        assert runs(dataset, name) == [("2022-05-01", None)], name


@pytest.mark.parametrize("said", ["31/02/2022", "05/13/2022", "May", "01/05/1066"])
def test_dates_that_cannot_be_are_set_aside(tmp_path: Path, said: str) -> None:
    table(tmp_path / "e.csv", EPISODES, episode("01/05/2022"), episode(said, CHILD="C2"))
    table(tmp_path / "r.csv", REVIEWS, {"CHILD": "C1", "REVIEW": said, "REVIEW_CODE": "PN1"})
    dataset = opened(tmp_path)
    assert (dataset.tables["episodes"].loaded, dataset.tables["episodes"].rejected) == (1, 1)
    assert rows(dataset, "SELECT source_row, column_name FROM rejects WHERE table_name = 'episodes'") == [(3, "start_date")]
    assert dataset.tables["looked_after_reviews"].rejected == 1


def test_an_end_that_cannot_be_read_does_not_leave_a_child_in_care(tmp_path: Path) -> None:
    table(tmp_path / "e.csv", EPISODES, episode("01/05/2022", ended="31/02/2023", why="E4A"))
    dataset = opened(tmp_path)
    assert [dataset.tables[each].rejected for each in ("episodes", "care_periods", "placements", "legal_statuses")] == [
        1,
        1,
        1,
        1,
    ]


def test_ids_are_text(tmp_path: Path) -> None:
    table(tmp_path / "h.csv", HEADER, CHILD | {"CHILD": "00123"}, CHILD | {"CHILD": "9212044.0"})
    table(tmp_path / "e.csv", EPISODES, episode("01/05/2022", CHILD="9212044.0", URN="1234567.0"))
    dataset = opened(tmp_path)
    assert rows(dataset, "SELECT person_id FROM people ORDER BY 1") == [("00123",), ("9212044",)]
    assert rows(dataset, "SELECT person_id, urn FROM placements") == [("9212044", "1234567")]


@pytest.mark.parametrize(("said", "expected"), [("1.0", True), ("0", False), ("True", True), ("", None)])
def test_flags(tmp_path: Path, said: str, expected: bool | None) -> None:
    table(tmp_path / "h.csv", HEADER, CHILD | {"MOTHER": said})
    assert rows(opened(tmp_path), "SELECT is_pregnant_or_parent FROM people") == [(expected,)]


@pytest.mark.parametrize(("said", "expected"), [("1", "M"), ("2", "F"), ("M", "M"), ("f", "F"), ("U", "U"), ("X", None)])
def test_sex_of_all_years(tmp_path: Path, said: str, expected: str | None) -> None:
    table(tmp_path / "h.csv", HEADER, CHILD | {"SEX": said})
    assert rows(opened(tmp_path), "SELECT sex FROM people") == [(expected,)]


@pytest.mark.parametrize(("said", "expected"), [("UN1", None), ("un5", None), ("A123456789123", "A123456789123"), ("", None)])
def test_reasons_for_no_pupil_number(tmp_path: Path, said: str, expected: str | None) -> None:
    table(tmp_path / "h.csv", HEADER, CHILD | {"UPN": said})
    assert rows(opened(tmp_path), "SELECT upn FROM people") == [(expected,)]


@pytest.mark.parametrize(
    ("said", "expected"),
    [("C251YT", "C25 1YT"), ("hr1 1aa", "HR1 1AA"), ("2TR", "2TR"), ("ABC 1", "ABC 1"), ("EC1A1BB", "EC1A 1BB")],
)
def test_postcodes(tmp_path: Path, said: str, expected: str) -> None:
    table(tmp_path / "e.csv", EPISODES, episode("01/05/2022", PL_POST=said))
    assert rows(opened(tmp_path), "SELECT postcode FROM placements") == [(expected,)]


def test_blank_rows_and_short_lines(tmp_path: Path) -> None:
    (tmp_path / "h.csv").write_text(
        ",".join(HEADER) + "\nC1,2,01/02/2008,WBRI,A1,,\n\n,,,,,,\nC2,1\nC3,1,01/02/2009,WBRI,A3,,,,\nC4,1,,,,,\n"
    )
    dataset = opened(tmp_path)
    assert rows(dataset, "SELECT person_id, source_row FROM people ORDER BY 2") == [("C1", 2), ("C3", 6), ("C4", 7)]
    assert rows(dataset, "SELECT source_row, reason FROM rejects") == [(5, "2 values where the heading has 7")]
    assert (dataset.tables["people"].read, dataset.tables["people"].loaded, dataset.tables["people"].rejected) == (4, 3, 1)


PERIODS = {
    "a change of legal status keeps the placement": (
        [episode("01/05/2022", "S", "01/08/2022", LS="C1"), episode("01/08/2022", "L", LS="C2")],
        [("2022-05-01", None)],
        [("2022-05-01", None)],
        [("2022-05-01", "2022-08-01"), ("2022-08-01", None)],
    ),
    "a move starts a placement": (
        [episode("01/05/2022", "S", "01/08/2022"), episode("01/08/2022", "P", PLACE="K2")],
        [("2022-05-01", None)],
        [("2022-05-01", "2022-08-01"), ("2022-08-01", None)],
        [("2022-05-01", None)],
    ),
    "the same carer elsewhere is a placement too": (
        [
            episode("01/05/2022", "S", "01/08/2022"),
            episode("01/08/2022", "T", "01/09/2022", LS="C2"),
            episode("01/09/2022", "U", LS="E1"),
        ],
        [("2022-05-01", None)],
        [("2022-05-01", "2022-08-01"), ("2022-08-01", "2022-09-01"), ("2022-09-01", None)],
        [("2022-05-01", "2022-09-01"), ("2022-09-01", None)],
    ),
    "a gap ends a period": (
        [episode("01/05/2022", "S", "01/08/2022", "E4A"), episode("05/08/2022", "S")],
        [("2022-05-01", "2022-08-01"), ("2022-08-05", None)],
        [("2022-05-01", "2022-08-01"), ("2022-08-05", None)],
        [("2022-05-01", "2022-08-01"), ("2022-08-05", None)],
    ),
    "back in care on the day of leaving": (
        [episode("01/05/2022", "S", "01/08/2022", "E4A"), episode("01/08/2022", "S")],
        [("2022-05-01", "2022-08-01"), ("2022-08-01", None)],
        [("2022-05-01", "2022-08-01"), ("2022-08-01", None)],
        [("2022-05-01", "2022-08-01"), ("2022-08-01", None)],
    ),
    "rows in any order": (
        [episode("01/08/2022", "P"), episode("01/05/2022", "S", "01/08/2022")],
        [("2022-05-01", None)],
        [("2022-05-01", "2022-08-01"), ("2022-08-01", None)],
        [("2022-05-01", None)],
    ),
    "an end that was not written does not end care": (
        [episode("01/05/2022", "S"), episode("01/08/2022", "P")],
        [("2022-05-01", None)],
        [("2022-05-01", None), ("2022-08-01", None)],
        [("2022-05-01", None)],
    ),
    "care of one day": (
        [episode("01/05/2022", "S", "01/05/2022", "E4A")],
        [("2022-05-01", "2022-05-01")],
        [("2022-05-01", "2022-05-01")],
        [("2022-05-01", "2022-05-01")],
    ),
    "the new episode is not there": (
        [episode("01/05/2022", "S", "01/08/2022", "X1")],
        [("2022-05-01", None)],
        [("2022-05-01", "2022-08-01")],
        [("2022-05-01", "2022-08-01")],
    ),
    "the new episode began later": (
        [episode("01/05/2022", "S", "01/08/2022", "X1"), episode("09/08/2022", "P")],
        [("2022-05-01", "2022-08-01"), ("2022-08-09", None)],
        [("2022-05-01", "2022-08-01"), ("2022-08-09", None)],
        [("2022-05-01", "2022-08-01"), ("2022-08-09", None)],
    ),
}
Span = tuple[str, str | None]


@pytest.mark.parametrize(("episodes", "periods", "placements", "statuses"), PERIODS.values(), ids=PERIODS)
def test_runs_of_episodes(
    tmp_path: Path, episodes: list[dict[str, str]], periods: list[Span], placements: list[Span], statuses: list[Span]
) -> None:
    table(tmp_path / "e.csv", EPISODES, *episodes)
    dataset = opened(tmp_path)
    assert runs(dataset, "care_periods") == periods
    assert runs(dataset, "placements") == placements
    assert runs(dataset, "legal_statuses") == statuses
    assert dataset.tables["episodes"].loaded == len(episodes)


def test_an_episode_of_one_day_gives_way_to_another_of_that_day_and_is_said(tmp_path: Path) -> None:
    first = episode("01/05/2022", "S", "01/08/2022")
    table(tmp_path / "e.csv", EPISODES, first, episode("01/08/2022", "P", "01/08/2022", PLACE="K2"), episode("01/08/2022", "P"))
    dataset = opened(tmp_path)
    assert runs(dataset, "care_periods") == [("2022-05-01", None)]
    assert runs(dataset, "placements") == [("2022-05-01", "2022-08-01"), ("2022-08-01", None)]
    said = rows(dataset, "SELECT source_row, column_name, value FROM notices WHERE reason LIKE '%start and end on one day%'")
    assert said == [(3, "DEC", "2022-08-01")]


def test_why_care_and_a_placement_ended(tmp_path: Path) -> None:
    first = episode("01/05/2022", "S", "01/08/2022", REASON_PLACE_CHANGE="CARPL")
    table(tmp_path / "e.csv", EPISODES, first, episode("01/08/2022", "P", "01/12/2022", "E4A", PLACE="K2", PLACE_PROVIDER="PR4"))
    dataset = opened(tmp_path)
    assert rows(dataset, "SELECT end_reason, is_short_break_series FROM care_periods") == [("E4A", False)]
    assert runs(dataset, "placements", "placement_type", "placement_provider", "change_reason") == [
        ("2022-05-01", "2022-08-01", "U6", "PR1", "CARPL"),
        ("2022-08-01", "2022-12-01", "K2", "PR4", None),
    ]


@pytest.mark.parametrize(
    ("statuses", "expected"), [(["V3", "V3"], True), (["V4", "V3"], True), (["V3", "C1"], False), (["V2", "V2"], False)]
)
def test_a_series_of_short_breaks(tmp_path: Path, statuses: list[str], expected: bool) -> None:
    first, second = statuses
    table(tmp_path / "e.csv", EPISODES, episode("01/05/2022", "S", "01/06/2022", LS=first), episode("01/06/2022", "B", LS=second))
    assert rows(opened(tmp_path), "SELECT is_short_break_series FROM care_periods") == [(expected,)]


def test_a_period_that_began_before_the_return_is_said(tmp_path: Path) -> None:
    table(tmp_path / "e.csv", EPISODES, episode("01/05/2022", "P"))
    dataset = opened(tmp_path)
    assert runs(dataset, "care_periods") == [("2022-05-01", None)]
    assert any("began before their first episode here" in each for each in reasons(dataset))


def test_years_are_put_together(tmp_path: Path) -> None:
    table(tmp_path / "2022_episodes.csv", EPISODES, episode("01/05/2021", "S"), episode("01/06/2021", "S", CHILD="C2"))
    closed = episode("01/05/2021", "S", "01/06/2022"), episode("01/06/2022", "P")
    table(tmp_path / "2023_episodes.csv", EPISODES, *closed, episode("01/06/2021", "S", "01/09/2022", "E4A", CHILD="C2"))
    table(tmp_path / "2022_header.csv", HEADER, CHILD | {"UPN": "UN4"})
    table(tmp_path / "2023_header.csv", HEADER, CHILD)
    review = {"CHILD": "C1", "REVIEW_CODE": "PN1"}
    table(tmp_path / "2022_reviews.csv", REVIEWS, review | {"REVIEW": "20/05/2021"})
    table(tmp_path / "2023_reviews.csv", REVIEWS, review | {"REVIEW": "20/05/2022"}, review | {"REVIEW": "20/05/2021"})
    dataset = opened(tmp_path)
    assert runs(dataset, "care_periods", "person_id") == [("2021-05-01", None, "C1"), ("2021-06-01", "2022-09-01", "C2")]
    assert runs(dataset, "placements", "person_id") == [
        ("2021-05-01", "2022-06-01", "C1"),
        ("2022-06-01", None, "C1"),
        ("2021-06-01", "2022-09-01", "C2"),
    ]
    assert rows(dataset, "SELECT upn, file FROM people JOIN sources USING (source_id)") == [("A123456789123", "2023_header.csv")]
    assert dataset.tables["looked_after_reviews"].loaded == 2
    assert dataset.tables["episodes"].rejected == 0
    assert dataset.extract_date == date(2023, 3, 31)
    assert "2 rows are blank, or are told by a later return: left out" in reasons(dataset)


def test_last_year_beside_this_year(tmp_path: Path) -> None:
    table(
        tmp_path / "episodes_last.csv",
        EPISODES,
        episode("01/05/2021", "S", CHILD="C1"),
        episode("01/06/2021", "S", "01/02/2022", "E4A", CHILD="C2"),
    )
    table(tmp_path / "episodes.csv", EPISODES, episode("01/05/2021", "S", "01/02/2023", "E4A", CHILD="C1"))
    dataset = opened(tmp_path)
    assert runs(dataset, "care_periods", "person_id") == [("2021-05-01", "2023-02-01", "C1"), ("2021-06-01", "2022-02-01", "C2")]


def test_the_year_is_told_by_the_data_where_no_name_says_it(tmp_path: Path) -> None:
    table(tmp_path / "e.csv", EPISODES, episode("01/05/2021", "S", "02/04/2022"), episode("02/04/2022", "P"))
    table(tmp_path / "oc2.csv", OC2, {"CHILD": "C1", "TEETH_CHECK": "1"})
    dataset = opened(tmp_path)
    assert rows(dataset, "SELECT year_end_date::VARCHAR FROM health_checks") == [("2023-03-31",)]
    assert "read as of the year to 31 March 2023: the latest DEC is 2022-04-02" in reasons(dataset)
    assert dataset.extract_date is None


def test_the_day_of_the_dataset_is_kept(tmp_path: Path) -> None:
    table(tmp_path / "2024_e.csv", EPISODES, episode("01/05/2023"))
    (tmp_path / "dataset.yaml").write_text("extract_date: 2023-12-31\n")
    assert opened(tmp_path).extract_date == date(2023, 12, 31)


def test_the_year_of_checks(tmp_path: Path) -> None:
    child = {"CHILD": "C1", "HEALTH_ASSESSMENT": "1.0", "TEETH_CHECK": "0", "IMMUNISATIONS": "1", "SUBSTANCE_MISUSE": "1"}
    misuse = {"INTERVENTION_RECEIVED": "0", "INTERVENTION_OFFERED": "1"}
    table(
        tmp_path / "2023_oc2.csv",
        OC2,
        child | misuse | {"SDQ_SCORE": "17"},
        {"CHILD": "C2", "SDQ_REASON": "SDQ2"},
        {"CHILD": "C3"},
    )
    dataset = opened(tmp_path)
    found = rows(
        dataset,
        "SELECT person_id, check_kind, status, score, no_score_reason, problem_was_found, intervention_was_offered, "
        "intervention_was_received FROM health_checks ORDER BY 1, 2",
    )
    nothing = (None,) * 5
    assert found == [
        ("C1", "dental_check", "not_done", *nothing),
        ("C1", "health_assessment", "completed", *nothing),
        ("C1", "immunisations", "completed", *nothing),
        ("C1", "sdq", "completed", 17, None, None, None, None),
        ("C1", "substance_misuse", "completed", None, None, True, True, False),
        ("C2", "sdq", "not_done", None, "SDQ2", None, None, None),
    ]
    assert rows(dataset, "SELECT DISTINCT year_end_date::VARCHAR, check_date FROM health_checks") == [("2023-03-31", None)]
    assert dataset.tables["health_checks"].history == "latest"


@pytest.mark.parametrize(
    ("born", "birthday"),
    [("01/06/2004", "2022-06-01"), ("31/03/2005", "2023-03-31"), ("01/04/2004", "2022-04-01"), ("29/02/2004", "2023-02-28")],
)
def test_care_leavers_on_their_birthday(tmp_path: Path, born: str, birthday: str) -> None:
    table(tmp_path / "2023 oc3.csv", OC3, {"CHILD": "C1", "DOB": born, "IN_TOUCH": "yes", "ACTIV": "f2", "ACCOM": "u2"})
    dataset = opened(tmp_path)
    assert rows(dataset, "SELECT status_date::VARCHAR, in_touch, activity FROM care_leaver_statuses") == [
        (birthday, "in_touch", "F2")
    ]
    assert rows(dataset, "SELECT accommodation_type, is_suitable FROM care_leaver_accommodation") == [("U", False)]


@pytest.mark.parametrize(("said", "expected"), [("B1", [("B", True)]), ("0", []), ("", []), ("01", [(None, None)])])
def test_accommodation(tmp_path: Path, said: str, expected: list[Any]) -> None:
    table(tmp_path / "2023 oc3.csv", OC3, {"CHILD": "C1", "DOB": "01/06/2004", "IN_TOUCH": "NO", "ACTIV": "0", "ACCOM": said})
    dataset = opened(tmp_path)
    assert rows(dataset, "SELECT accommodation_type, is_suitable FROM care_leaver_accommodation") == expected
    assert any("accommodation_type" in each for each in reasons(dataset)) == (said == "01")


def test_unaccompanied_children(tmp_path: Path) -> None:
    table(tmp_path / "h.csv", HEADER, CHILD, CHILD | {"CHILD": "C2"})
    table(tmp_path / "u.csv", UASC, CHILD, CHILD | {"CHILD": "C3"})
    dataset = opened(tmp_path)
    assert rows(dataset, "SELECT person_id, is_unaccompanied_asylum_seeker, birth_date::VARCHAR FROM people ORDER BY 1") == [
        ("C1", True, "2008-02-01"),
        ("C2", None, "2008-02-01"),
        ("C3", True, "2008-02-01"),
    ]


def test_adoptions(tmp_path: Path) -> None:
    table(
        tmp_path / "p.csv",
        PLACED,
        {"CHILD": "C1", "DATE_PLACED": "01/06/2021", "DATE_PLACED_CEASED": "01/09/2021", "REASON_PLACED_CEASED": "RD3"},
        {"CHILD": "C1", "DATE_PLACED": "01/12/2021"},
        {"CHILD": "C2", "DATE_PLACED": "01/06/2022"},
    )
    match = {"DATE_MATCH": "01/02/2022", "FOSTER_CARE": "1"}
    table(
        tmp_path / "a.csv",
        AD1,
        {"CHILD": "C1", "DATE_INT": "01/12/2021"} | match,
        {"CHILD": "C3", "DATE_INT": "01/01/2022"} | match,
    )
    adopted = [episode("01/05/2021", "S", "01/10/2022", "E12", CHILD=child) for child in ("C1", "C3", "C4")]
    table(tmp_path / "e.csv", EPISODES, *adopted)
    found = rows(
        opened(tmp_path),
        "SELECT person_id, decision_date::VARCHAR, match_decision_date::VARCHAR, adoption_order_date::VARCHAR, "
        "reversed_date::VARCHAR, was_adopted_by_foster_carer, file FROM adoption_cases JOIN sources USING (source_id) "
        "ORDER BY 1, 2",
    )
    assert found == [
        ("C1", "2021-06-01", None, None, "2021-09-01", None, "p.csv"),
        ("C1", "2021-12-01", "2022-02-01", "2022-10-01", None, True, "p.csv"),
        ("C2", "2022-06-01", None, None, None, None, "p.csv"),
        ("C3", "2022-01-01", "2022-02-01", "2022-10-01", None, True, "a.csv"),
        ("C4", None, None, "2022-10-01", None, None, "e.csv"),
    ]


@pytest.mark.parametrize("code", ["E43", "E45", "E48"])
def test_special_guardianship(tmp_path: Path, code: str) -> None:
    table(tmp_path / "e.csv", EPISODES, episode("01/05/2022", "S", "01/10/2022", code))
    assert rows(opened(tmp_path), "SELECT person_id, order_date::VARCHAR FROM special_guardianship_cases") == [
        ("C1", "2022-10-01")
    ]


def test_missing_and_deprived_of_liberty(tmp_path: Path) -> None:
    away = {"CHILD": "C1", "MISSING": "A", "MIS_START": "01/07/2022"}
    table(tmp_path / "m.csv", MISSING, {"CHILD": "C1", "MISSING": "M", "MIS_START": "01/06/2022", "MIS_END": "02/06/2022"}, away)
    table(tmp_path / "d.csv", DOLO, TABLES["dolo"][1])
    dataset = opened(tmp_path, as_of=date(2023, 3, 31))
    assert rows(dataset, "SELECT missing_kind, ended_at::DATE::VARCHAR FROM missing_episodes ORDER BY started_at") == [
        ("missing", "2022-06-02"),
        ("absent", None),
    ]
    assert runs(dataset, "legal_statuses", "legal_status") == [("2022-08-01", "2022-09-01", "deprivation_of_liberty_order")]


def test_social_workers(tmp_path: Path) -> None:
    first = {"CHILD": "C1", "SW_ID": "sw1", "SW_DECOM": "01/05/2022", "SW_DEC": "01/08/2022", "SW_REASON": "FCONTA"}
    second = {"CHILD": "C1", "SW_ID": "XX0000000000", "SW_DECOM": "01/08/2022", "SW_REASON": "SWLAZY"}
    table(tmp_path / "sw.csv", WORKERS, first, second, first | {"CHILD": "C2", "SW_ID": "SW1"})
    dataset = opened(tmp_path, as_of=date(2024, 3, 31))
    assert rows(dataset, "SELECT worker_id, registration_number FROM workers ORDER BY 1") == [
        ("SW1", "SW1"),
        ("XX0000000000", None),
    ]
    assert rows(dataset, "SELECT person_id, worker_id, role, change_reason FROM allocations ORDER BY ALL") == [
        ("C1", "SW1", "social_worker", "FCONTA"),
        ("C1", "XX0000000000", "social_worker", None),
        ("C2", "SW1", "social_worker", "FCONTA"),
    ]


def test_codes_of_other_years_are_read_and_said(tmp_path: Path) -> None:
    table(
        tmp_path / "2019 e.csv",
        EPISODES,
        episode("01/05/2018", "S", "01/06/2018", "E45", PLACE="K3", REASON_PLACE_CHANGE="CUSTOD"),
    )
    table(tmp_path / "2019 h.csv", HEADER, CHILD | {"SEX": "F"})
    dataset = opened(tmp_path)
    assert rows(dataset, "SELECT placement_type FROM placements") == [("K3",)]
    said = rows(dataset, "SELECT column_name, value, reason FROM notices WHERE reason LIKE 'a code of returns%' ORDER BY 1")
    assert said == [
        ("PLACE", "K3", "a code of returns from 2025, but not of this one's year: read all the same"),
        ("SEX", "F", "a code of returns from 2025, but not of this one's year: read all the same"),
    ]


def test_codes_that_are_not_known_are_said(tmp_path: Path) -> None:
    table(tmp_path / "p.csv", PLACED, {"CHILD": "C1", "DATE_PLACED": "01/06/2021", "REASON_PLACED_CEASED": "XXX"})
    table(tmp_path / "h.csv", HEADER, CHILD | {"ETHNIC": "UNKN"})
    table(tmp_path / "e.csv", EPISODES, episode("01/05/2022", PLACE="*DUMMY*"), episode("01/06/2022", CHILD="C2", LS="Q9"))
    dataset = opened(tmp_path)
    said = rows(dataset, "SELECT column_name, value FROM notices WHERE reason LIKE 'not a code%' ORDER BY ALL")
    assert said == [("REASON_PLACED_CEASED", "XXX"), ("ethnicity", "UNKN"), ("legal_status", "Q9")]
    assert (dataset.tables["placements"].loaded, dataset.tables["placements"].rejected) == (1, 1)
    assert (dataset.tables["legal_statuses"].loaded, dataset.tables["legal_statuses"].rejected) == (1, 1)


def test_a_child_and_an_episode_twice_in_one_file(tmp_path: Path) -> None:
    table(tmp_path / "h.csv", HEADER, CHILD, CHILD)
    table(tmp_path / "e.csv", EPISODES, episode("01/05/2022"), episode("01/05/2022", PLACE="K2"))
    dataset = opened(tmp_path)
    assert [dataset.tables[each].rejected for each in ("people", "episodes", "placements")] == [1, 1, 0]


def test_headings_not_known_or_not_there_are_named(tmp_path: Path) -> None:
    headings = [each for each in EPISODES if each != "URN"]
    table(tmp_path / "e.csv", [*headings, "PLACE_PROVDER"], episode("01/05/2022"))
    dataset = opened(tmp_path)
    said = dict(rows(dataset, "SELECT column_name, reason FROM notices WHERE source_row = 1"))
    assert said["PLACE_PROVDER"] == "not a column of episodes; the nearest is PLACE_PROVIDER"
    assert said["URN"] == "no such heading in this file, so nothing is known of it"
    assert "urn" not in dataset.tables["placements"].columns


def test_a_file_that_is_nearly_a_table(tmp_path: Path) -> None:
    table(tmp_path / "e.csv", [each for each in EPISODES if each not in ("RNE", "LS")], {})
    with pytest.raises(UsageError, match="like the SSDA903 table episodes, but has no LS, RNE"):
        opened(tmp_path / "e.csv")


def xml(*children: str) -> str:
    return "<?xml version='1.0' encoding='us-ascii'?><EXPSSDA903>" + "".join(children) + "</EXPSSDA903>"


def xml_child(*episodes: str, header: str = "", **fields: Any) -> str:
    given = {"CHILDID": "C1", "UPN": "A1", "SEX": "2", "DOB": "01/02/2004", "ETHNIC": "WBRI"} | fields
    return element("CHILD", element("HEADER", header, **given), *episodes)


def xml_episode(**fields: str) -> str:
    return element("EPISODE", **({"DECOM": "01/05/2022", "RNE": "S", "LS": "C2", "PL": "U6"} | fields))


def test_an_xml_file_holds_every_table(tmp_path: Path) -> None:
    parts = [
        element("AREVIEW", REVIEW="20/05/2022", REVIEW_CODE="PN1"),
        element("AREVIEW", REVIEW="20/08/2022", REVIEW_CODE="PN2"),
        element("AMISSING", MISSING="M", MIS_START="01/07/2022"),
        element("OC2", TEETH_CHECK="1"),
        element("AD_PLACED", DATE_PLACED="01/06/2022"),
        element("PERMANENCE", PREV_PERM="Z1"),
        "<DATE_INT>01/06/2022</DATE_INT><IN_TOUCH>YES</IN_TOUCH><ACCOM>B1</ACCOM><UASC>1</UASC>",
    ]
    text = xml(
        xml_child(xml_episode(DEC="01/08/2022", REC="X1"), xml_episode(DECOM="01/08/2022", RNE="P"), header="".join(parts)),
        xml_child(CHILDID="C2", header="<UASC /><IN_TOUCH/><DATE_INT/><DUC/>"),
    )
    (tmp_path / "2023 return.xml").write_text(text)
    dataset = opened(tmp_path)
    loaded = {name: each.loaded for name, each in dataset.tables.items() if each.loaded}
    assert loaded == {
        **{"people": 2, "care_periods": 1, "episodes": 2, "placements": 2, "legal_statuses": 1, "looked_after_reviews": 2},
        **{
            "health_checks": 1,
            "missing_episodes": 1,
            "care_leaver_statuses": 1,
            "care_leaver_accommodation": 1,
            "adoption_cases": 1,
        },
    }
    assert rows(dataset, "SELECT person_id, is_unaccompanied_asylum_seeker FROM people ORDER BY 1") == [
        ("C1", True),
        ("C2", None),
    ]
    assert rows(dataset, "SELECT status_date::VARCHAR FROM care_leaver_statuses") == [("2023-02-01",)]
    assert rows(dataset, "SELECT sheet, source_row FROM placements JOIN sources USING (source_id) ORDER BY 2") == [
        ("EPISODE", 1),
        ("EPISODE", 2),
    ]
    assert dataset.recognised[0].why == "its root is EXPSSDA903"
    assert not dataset.tables["allocations"].present


def test_csv_and_xml_of_two_years_are_one_history(tmp_path: Path) -> None:
    (tmp_path / "2022.xml").write_text(xml(xml_child(xml_episode(DECOM="01/05/2021"))))
    table(tmp_path / "2023_episodes.csv", EPISODES, episode("01/05/2021", "S", "01/05/2022", "E4A"))
    assert runs(opened(tmp_path), "care_periods") == [("2021-05-01", "2022-05-01")]


DOCTYPES = [
    '<!DOCTYPE EXPSSDA903 [<!ENTITY a "aa"><!ENTITY b "&a;&a;">]>',
    '<!DOCTYPE EXPSSDA903 [<!ENTITY b SYSTEM "file:///etc/passwd">]>',
]


@pytest.mark.parametrize("doctype", DOCTYPES, ids=["expansion", "external"])
def test_a_document_type_is_refused(tmp_path: Path, doctype: str) -> None:
    text = xml(xml_child(CHILDID="@")).replace("<EXPSSDA903>", f"{doctype}<EXPSSDA903>").replace("@", "&b;")
    (tmp_path / "a.xml").write_text(text)
    with pytest.raises(DataError, match="document type"):
        opened(tmp_path)


@pytest.mark.parametrize(
    ("name", "content", "limits", "expected"),
    [
        ("deep.xml", xml(xml_child(header="<x>" * 900 + "</x>" * 900)).encode(), Limits(), "nesting"),
        ("cut.xml", xml(xml_child())[:-20].encode(), Limits(), "cannot be read as XML"),
        ("nul.csv", (",".join(HEADER) + "\nC2,2,,,,,\n" * 9000 + "C1\0,2,,,,,\n").encode(), Limits(), "NUL"),
        ("wide.csv", (",".join(HEADER) + "," + ",".join(f"c{n}" for n in range(3000)) + "\n").encode(), Limits(), "columns"),
        ("long.csv", (",".join(HEADER) + "\n" + "C1,2,,,,,\n" * 20).encode(), Limits(rows=10), "rows"),
        ("line.csv", (",".join(HEADER) + ',"' + "x" * 3000 + '"\n').encode(), Limits(text_bytes=1000), "text bytes"),
        ("large.csv", (",".join(HEADER) + "\n" + "C1,2,,,,,\n" * 20).encode(), Limits(file_bytes=100), "file bytes"),
        ("cell.csv", (",".join(HEADER) + "\nC1,2,,,,," + "x" * 3_000_000 + "\n").encode(), Limits(), "field larger"),
        ("quote.csv", (",".join(HEADER) + '\n"C1,2,,,,,\n').encode(), Limits(), "unexpected end"),
    ],
    ids=lambda value: value if isinstance(value, str) and value.endswith(("csv", "xml")) else "",
)
def test_hostile_files(tmp_path: Path, name: str, content: bytes, limits: Limits, expected: str) -> None:
    (tmp_path / name).write_bytes(content)
    with pytest.raises(ComplianceError, match=expected) as error:
        opened(tmp_path, limits=limits)
    assert error.value.exit_code in (2, 3)


def test_text_that_looks_like_a_formula_or_sql_stays_text(tmp_path: Path) -> None:
    table(tmp_path / "it's; DROP.csv", HEADER, CHILD | {"CHILD": "=1+1"}, CHILD | {"CHILD": "'; DROP TABLE people; --"})
    assert rows(opened(tmp_path), "SELECT person_id FROM people ORDER BY 1") == [("'; DROP TABLE people; --",), ("=1+1",)]


def test_a_large_return(tmp_path: Path) -> None:
    given = large_return(tmp_path / "set", 20_000)
    before = resource.getrusage(resource.RUSAGE_SELF)
    dataset = opened(tmp_path / "set")
    after = resource.getrusage(resource.RUSAGE_SELF)
    assert given == 240_000
    assert (dataset.tables["care_periods"].loaded, dataset.tables["placements"].loaded) == (20_000, 40_000)
    assert after.ru_utime - before.ru_utime < 20
    assert after.ru_maxrss < 1_500_000


@pytest.mark.skipif(not SAMPLES.exists(), reason="the samples are not here")
@pytest.mark.parametrize(
    ("name", "loaded", "rejected"), [("ssda903_csv", 46375, 14), ("ssda903_xml/fake_903_part1.xml", 2200, 0)]
)
def test_samples(name: str, loaded: int, rejected: int) -> None:
    tables = opened(SAMPLES / name).tables.values()
    assert (sum(each.loaded for each in tables), sum(each.rejected for each in tables)) == (loaded, rejected)


COLUMNS = {
    "people": ("person_id", "birth_date", "sex", "ethnicity"),
    "care_periods": ("care_period_id", "person_id", "start_date", "end_date", "end_reason", "is_short_break_series"),
    "placements": (
        "placement_id",
        "person_id",
        "start_date",
        "end_date",
        "placement_type",
        "placement_provider",
        "change_reason",
    ),
    "looked_after_reviews": ("review_id", "person_id", "review_kind", "review_date", "participation"),
    "missing_episodes": ("missing_episode_id", "person_id", "missing_kind", "started_at", "ended_at"),
    "allocations": ("allocation_id", "person_id", "worker_id", "role", "start_date", "end_date", "change_reason"),
}


def _carried(tables: dict[str, list[dict[str, Any]]]) -> dict[str, list[dict[str, Any]]]:
    """The rows and columns that a return can carry: children in care, days without times, reviews that were held."""
    held = {name: [{each: row.get(each) for each in columns} for row in tables[name]] for name, columns in COLUMNS.items()}
    people = {row["person_id"] for row in held["care_periods"]}
    kept = {name: [row for row in given if row["person_id"] in people] for name, given in held.items()}
    reviews = {
        (row["person_id"], row["review_date"]): row
        for row in kept["looked_after_reviews"]
        if row["review_kind"] == "looked_after"
    }
    cancelled = {row["review_id"] for row in tables["looked_after_reviews"] if row.get("was_cancelled")}
    kept["looked_after_reviews"] = [row for row in reviews.values() if row["review_id"] not in cancelled]
    kept["allocations"] = [row for row in kept["allocations"] if row["role"] == "social_worker" and row["worker_id"]]
    for row in kept["missing_episodes"]:
        for column in ("started_at", "ended_at"):
            row[column] = row[column].date() if isinstance(row[column], datetime) else row[column]
    return kept


def _write_return(folder: Path, tables: dict[str, list[dict[str, Any]]], held: dict[str, list[dict[str, Any]]]) -> None:
    """Writes the rows as a return of CSV files."""
    folder.mkdir()
    placed = {row["placement_id"]: row for row in tables["placements"]}
    born = {row["person_id"]: british(row["birth_date"]) for row in held["people"]}

    def own(row: Mapping[str, Any]) -> dict[str, Any]:
        return {"CHILD": row["person_id"], "DOB": born.get(row["person_id"], "")}

    header = [own(row) | {"SEX": row["sex"], "ETHNIC": row["ethnicity"], "UPN": "UN4"} for row in held["people"]]
    episodes = []
    for row in tables["episodes"]:
        placement = placed[row["placement_id"]]
        episodes.append(
            {
                **{"CHILD": row["person_id"], "DECOM": british(row["start_date"]), "DEC": british(row["end_date"])},
                **{
                    "RNE": row["start_reason"],
                    "REC": row["end_reason"],
                    "LS": row["legal_status"],
                    "PLACE": placement["placement_type"],
                },
                "PLACE_PROVIDER": placement.get("placement_provider"),
                "REASON_PLACE_CHANGE": placement.get("change_reason") if row["end_date"] == placement["end_date"] else "",
            }
        )
    reviews = [
        own(row) | {"REVIEW": british(row["review_date"]), "REVIEW_CODE": row["participation"]}
        for row in held["looked_after_reviews"]
    ]
    missing = [
        own(row)
        | {
            "MISSING": {"missing": "M", "absent": "A"}.get(row["missing_kind"]),
            "MIS_START": british(row["started_at"]),
            "MIS_END": british(row["ended_at"]),
        }
        for row in held["missing_episodes"]
    ]
    workers = [
        own(row)
        | {
            "SW_ID": row["worker_id"],
            "SW_DECOM": british(row["start_date"]),
            "SW_DEC": british(row["end_date"]),
            "SW_REASON": row["change_reason"],
        }
        for row in held["allocations"]
    ]
    for name, headings, given in (
        *(("header", HEADER, header), ("episodes", EPISODES, episodes), ("reviews", REVIEWS, reviews)),
        *(("missing", MISSING, missing), ("sw_episodes", WORKERS, workers)),
    ):
        write_csv(folder / f"SSDA903_2021-22_{name}.csv", headings, given)
    of_all_years = {table: {} for table in (*COLUMNS, "episodes", "legal_statuses") if table != "people"}
    (folder / "dataset.yaml").write_text(yaml.safe_dump({"covers": of_all_years}))


def _findings(path: Path) -> tuple[set[str], set[str], list[tuple[Any, ...]]]:
    """The rules that were evaluated, those that need a code which the format cannot hold, and every duty."""
    done = run(Request([path], load_rulebook(), AS_OF, with_risks=False))
    duties = done.evaluation.connection.execute(
        "SELECT rule, person_id, worker_id, trigger_date, due_date, done_date, status FROM duties ORDER BY ALL"
    ).fetchall()
    lacking = {each.rule for each in done.evaluation.not_evaluated if " = " in each.reason}
    return set(done.evaluation.evaluated), lacking, duties


def test_a_made_council_written_as_a_return_gives_the_same_findings(tmp_path: Path) -> None:
    tables = synthesise("herefordshire-2021", AS_OF, 7, 0.25).tables
    held = _carried(tables)
    write_tables(held, tmp_path / "tables", large_as_parquet=False)
    _write_return(tmp_path / "return", tables, held)
    told, _, expected = _findings(tmp_path / "tables")
    read, lacking, found = _findings(tmp_path / "return")
    assert told - read <= lacking
    both = told & read
    assert len({row[0] for row in expected if row[0] in both}) >= 5
    assert [row for row in found if row[0] in both] == [row for row in expected if row[0] in both]
