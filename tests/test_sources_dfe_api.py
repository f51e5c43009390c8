"""The payload for the Department for Education: what its objects fill, what is left out of it, and hostile JSON."""

from __future__ import annotations

import copy
import json
import tracemalloc
from datetime import date
from pathlib import Path
from typing import Any

import pytest

from compliance.dataset.load import Dataset, open_dataset
from compliance.dataset.schema import load_schema
from compliance.errors import ComplianceError, DataError
from compliance.sources import dfe_api
from compliance.sources.dfe_api import mapping
from compliance.sources.limits import Limits
from compliance.sources.reader import HEAD_BYTES

SAMPLE = Path("/work/shared/formats/samples/dfe_api_json/record0.json")
AS_OF = date(2024, 3, 31)

CHILD: dict[str, Any] = {
    "la_child_id": "C1",
    "mis_child_id": "M1",
    "purge": False,
    "child_details": {
        "unique_pupil_number": "A1",
        "first_name": "Secret",
        "surname": "Name",
        "date_of_birth": "2007-06-14",
        "sex": "M",
        "ethnicity": "WBRI",
        "disabilities": ["NONE", "VIS"],
        "uasc_flag": True,
        "purge": False,
    },
    "health_and_wellbeing": {"sdq_assessments": [{"date": "2022-06-14", "score": 20}], "purge": False},
    "social_care_episodes": [
        {
            "social_care_episode_id": "E1",
            "referral_date": "2022-06-14",
            "referral_source": "1C",
            "referral_no_further_action_flag": False,
            "care_worker_details": [{"worker_id": "W1", "start_date": "2022-06-14", "end_date": "2023-01-01"}],
            "child_and_family_assessments": [
                {
                    "child_and_family_assessment_id": "A1",
                    "start_date": "2022-06-14",
                    "authorisation_date": None,
                    "factors": ["1C"],
                }
            ],
            "child_in_need_plans": [{"child_in_need_plan_id": "P1", "start_date": "2022-06-14", "purge": True}],
            "section_47_assessments": [
                {
                    "section_47_assessment_id": "S1",
                    "start_date": "2022-06-14",
                    "icpc_required_flag": True,
                    "icpc_date": "2022-06-20",
                },
                {"section_47_assessment_id": "S2", "start_date": "2022-08-14", "icpc_required_flag": False},
            ],
            "child_protection_plans": [],
            "child_looked_after_placements": [
                {
                    "child_looked_after_placement_id": "L1",
                    "start_date": "2022-07-01",
                    "start_reason": "S",
                    "placement_type": "U6",
                    "end_date": "2022-09-01",
                    "end_reason": "X1",
                    "change_reason": "CHILD",
                },
                {
                    "child_looked_after_placement_id": "L2",
                    "start_date": "2022-09-01",
                    "start_reason": "P",
                    "placement_type": "K2",
                    "end_date": "2022-12-01",
                    "end_reason": "E4A",
                },
                {
                    "child_looked_after_placement_id": "L3",
                    "start_date": "2023-02-01",
                    "start_reason": "S",
                    "placement_type": "K2",
                },
            ],
            "adoption": {"initial_decision_date": "2022-11-01", "matched_date": None},
            "care_leavers": {"contact_date": "2024-02-01", "activity": "F2", "accommodation": "D1"},
            "closure_date": "2023-09-01",
            "closure_reason": "RC7",
        }
    ],
}


def child(**changes: Any) -> dict[str, Any]:
    return {**copy.deepcopy(CHILD), **changes}


def opened(folder: Path, payload: Any, name: str = "payload.json", **options: Any) -> Dataset:
    (folder / name).write_text(payload if isinstance(payload, str) else json.dumps(payload), encoding="utf-8")
    return open_dataset([folder], as_of=AS_OF, **options)


def rows(dataset: Dataset, table: str, *columns: str) -> list[Any]:
    found = dataset.connection.execute(f"SELECT {', '.join(columns)} FROM {table} ORDER BY ALL").fetchall()
    return [row[0] for row in found] if len(columns) == 1 else found


def notices(dataset: Dataset) -> list[tuple[str | None, str]]:
    return dataset.connection.execute("SELECT column_name, reason FROM notices ORDER BY ALL").fetchall()


@pytest.fixture
def dataset(tmp_path: Path) -> Dataset:
    return opened(tmp_path, [child()])


def test_it_is_recognised_by_its_keys(tmp_path: Path) -> None:
    text = json.dumps([CHILD]).encode()
    assert dfe_api.recognise(tmp_path / "x.txt", text[:HEAD_BYTES]) == "JSON with la_child_id and child_details"
    assert dfe_api.recognise(tmp_path / "x.json", b'{"child_details": {}}') is None
    assert dfe_api.recognise(tmp_path / "x.json", b'la_child_id","child_details"') is None


def test_the_mapping_names_only_columns_and_fields_that_there_are() -> None:
    schema, records = load_schema(), {each.name: set(each.fields) for each in mapping().records}
    records["care_leaver"].add("extract_date")
    for filling in mapping().tables:
        assert filling.columns.keys() <= schema.tables[filling.table].columns.keys()
        for said in filling.columns.values():
            word = said if isinstance(said, str) else said.get("field")
            if word and filling.of in records:
                record, _, own = word.rpartition(".")
                assert own in records[record or filling.of]


def test_a_child_and_what_is_known_of_it(dataset: Dataset) -> None:
    columns = ("person_id", "upn", "birth_date", "sex", "ethnicity", "is_disabled", "is_unaccompanied_asylum_seeker")
    assert rows(dataset, "people", *columns) == [("C1", "A1", date(2007, 6, 14), "M", "WBRI", True, True)]
    assert rows(dataset, "health_checks", "check_kind", "check_date", "score") == [("sdq", date(2022, 6, 14), 20)]


def test_what_is_within_an_episode(dataset: Dataset) -> None:
    columns = ("referral_id", "person_id", "referral_source", "needs_no_further_action", "closure_reason")
    assert rows(dataset, "referrals", *columns) == [("E1", "C1", "1C", False, "RC7")]
    assert rows(dataset, "assessments", "assessment_id", "referral_id", "authorised_date") == [("A1", "E1", None)]
    assert rows(dataset, "section_47_enquiries", "enquiry_id", "conference_is_not_required") == [("S1", False), ("S2", True)]
    assert rows(dataset, "cp_conferences", "enquiry_id", "conference_kind") == [("S1", "initial")]
    assert rows(dataset, "meetings", "meeting_date") == [date(2022, 6, 14), date(2022, 8, 14)]
    assert rows(dataset, "allocations", "worker_id", "role", "end_date") == [("W1", "social_worker", date(2023, 1, 1))]
    assert rows(dataset, "adoption_cases", "person_id", "decision_date") == [("C1", date(2022, 11, 1))]


def test_placements_in_a_row_are_one_period_of_care(dataset: Dataset) -> None:
    assert rows(dataset, "placements", "placement_id", "placement_type", "change_reason") == [
        ("L1", "U6", "CHILD"),
        ("L2", "K2", None),
        ("L3", "K2", None),
    ]
    assert rows(dataset, "care_periods", "person_id", "start_date", "end_date", "end_reason") == [
        ("C1", date(2022, 7, 1), date(2022, 12, 1), "E4A"),
        ("C1", date(2023, 2, 1), None, None),
    ]


def test_what_is_latest_only_is_of_the_day_of_the_extract(dataset: Dataset) -> None:
    assert dataset.tables["care_leaver_contacts"].history == "latest"
    assert rows(dataset, "care_leaver_statuses", "status_date", "activity") == [(AS_OF, "F2")]
    assert rows(dataset, "care_leaver_accommodation", "accommodation_type") == ["D"]


def test_without_the_day_of_the_extract_what_needs_it_is_not_filled(tmp_path: Path) -> None:
    (tmp_path / "payload.json").write_text(json.dumps(CHILD))
    dataset = open_dataset([tmp_path])
    assert not dataset.tables["care_leaver_statuses"].present
    assert ("extract_date", "not known, so care_leaver_statuses is not filled from here") in notices(dataset)


def test_an_empty_list_says_that_there_is_none_and_no_list_says_nothing(dataset: Dataset, tmp_path: Path) -> None:
    assert dataset.tables["cp_plans"].present
    bare = child(social_care_episodes=[{"social_care_episode_id": "E1", "referral_date": "2022-06-14"}])
    assert not opened(tmp_path, [bare]).tables["cp_plans"].present


def test_what_is_marked_to_be_purged_is_left_out_and_counted(dataset: Dataset, tmp_path: Path) -> None:
    assert dataset.tables["cin_plans"].loaded == 0
    assert ("cin_plan", "1 left out: marked to be purged") in notices(dataset)
    both = opened(tmp_path, [child(), child(la_child_id="C2", purge=True)])
    assert rows(both, "people", "person_id") == ["C1"]
    details = child(child_details={**CHILD["child_details"], "purge": True})
    assert rows(opened(tmp_path, [details]), "people", "upn", "birth_date") == [(None, None)]


def test_no_name_of_a_child_is_loaded(dataset: Dataset) -> None:
    for table in dataset.tables:
        assert "Secret" not in str(dataset.connection.execute(f"SELECT * FROM {table}").fetchall())


def test_a_list_one_object_and_one_a_line_are_read_alike(tmp_path: Path) -> None:
    children = [child(), child(la_child_id="C2")]
    forms = [json.dumps(children), "\n".join(map(json.dumps, children)), json.dumps(children, indent=2)]
    found = [rows(opened(tmp_path, form), "people", "person_id", "birth_date") for form in forms]
    assert found[0] == found[1] == found[2] and len(found[0]) == 2


def test_rows_are_numbered_in_the_file_by_kind(tmp_path: Path) -> None:
    dataset = opened(tmp_path, [child(), child(la_child_id="C2")])
    found = dataset.connection.execute("SELECT source_row, person_id FROM meetings ORDER BY 1").fetchall()
    assert found == [(1, "C1"), (2, "C1"), (3, "C2"), (4, "C2")]
    assert dataset.connection.execute("SELECT file, sheet FROM sources WHERE table_name = 'meetings'").fetchall() == [
        ("payload.json", "enquiry")
    ]


def test_a_child_without_an_id_is_rejected(tmp_path: Path) -> None:
    dataset = opened(tmp_path, [child(), child(la_child_id=None)])
    rejects = dataset.connection.execute("SELECT table_name, source_row, reason FROM rejects ORDER BY ALL").fetchall()
    assert ("people", 2, "blank, and required") in rejects


def test_a_key_that_is_not_known_is_named_with_the_nearest(tmp_path: Path) -> None:
    details = {**CHILD["child_details"], "date_of_brith": "2007-06-14"}
    said = notices(opened(tmp_path, [child(child_details=details, new={"a": 1})]))
    assert ("child_details.date_of_brith", "not a key of this payload, so not read; the nearest is date_of_birth") in said
    assert ("new", "not a key of this payload, so not read") in said


def test_what_is_not_of_its_form_is_said_and_not_read(tmp_path: Path) -> None:
    odd = child(health_and_wellbeing={"sdq_assessments": ["x", {"date": {"day": 1}, "score": 2}]})
    dataset = opened(tmp_path, [odd])
    assert rows(dataset, "health_checks", "check_date", "score") == [(None, 2)]
    why = "not of the form that it should be, so not read (1 times)"
    assert ("health_and_wellbeing.sdq_assessments", why) in notices(dataset)
    assert ("health_and_wellbeing.sdq_assessments.date", why) in notices(dataset)


@pytest.mark.parametrize(
    ("payload", "why"),
    [
        (json.dumps([CHILD])[:-40], "ends before its JSON does"),
        (json.dumps([CHILD])[:-1] + ', "stray"]', "is not a list of JSON objects"),
        ("[" + json.dumps([CHILD]) + "]", "is not a list of JSON objects"),
        (json.dumps([CHILD]) + "]", "is not a list of JSON objects"),
        (json.dumps(CHILD).replace('"mis_child_id": ', '"mis_child_id" '), "not JSON"),
        (json.dumps(CHILD) + '{"la_child_id": [1}', "not JSON|ends before"),
        (json.dumps(CHILD)[:-1] + ', "x": ' + "[" * 100 + "]" * 100 + "}", "beyond the limit of 64"),
        (json.dumps(CHILD)[:-1] + ', "x": ' + "[" * 500_000, "beyond the limit of 64"),
        (json.dumps(CHILD)[:-1] + ', "x": "' + "y" * 12_000_000 + '"}', "beyond the limit of"),
        (json.dumps(CHILD)[:-1] + ', "x": "' + "y" * 12_000_000, "beyond the limit of"),
    ],
    ids=["cut short", "a text", "a list", "a bracket", "no colon", "brackets", "deep", "deeper", "long", "endless"],
)
def test_what_is_not_such_json_is_refused(tmp_path: Path, payload: str, why: str) -> None:
    with pytest.raises(DataError, match=why):
        opened(tmp_path, payload)


def test_json_with_an_unmatched_quote_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ComplianceError):
        opened(tmp_path, json.dumps([CHILD])[:-2] + ', "a": "}]')


def test_numbers_of_any_length_are_only_text(tmp_path: Path) -> None:
    text = json.dumps([child()]).replace('"score": 20', f'"score": {"9" * 10_000}')
    rejects = opened(tmp_path, text).connection.execute("SELECT table_name, column_name FROM rejects").fetchall()
    assert rejects == [("health_checks", "score")]


def test_the_limit_of_rows_holds(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="beyond the limit of 2"):
        opened(tmp_path, [child(la_child_id=str(number)) for number in range(3)], limits=Limits(rows=2))


def test_memory_does_not_grow_with_the_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(dfe_api, "BATCH", 100)
    peaks = []
    one = json.dumps(CHILD)
    for count in (1_200, 3_600):
        with (tmp_path / "payload.json").open("w") as stream:
            stream.write("[" + ",".join(one.replace('"C1"', f'"C{number}"') for number in range(count)) + "]")
        tracemalloc.start()
        dataset = open_dataset([tmp_path], as_of=AS_OF)
        peaks.append(tracemalloc.get_traced_memory()[1])
        tracemalloc.stop()
        assert dataset.tables["people"].loaded == count
    assert peaks[1] < peaks[0] * 1.2


def test_the_sample_is_read_whole() -> None:
    if not SAMPLE.exists():
        pytest.skip("the sample is not here")
    dataset = open_dataset([SAMPLE], as_of=AS_OF)
    assert sum(table.loaded for table in dataset.tables.values()) == 16
    assert sum(table.rejected for table in dataset.tables.values()) == 0
    assert notices(dataset) == []
