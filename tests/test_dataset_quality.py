"""Rows that could be read but cannot be right, with the file and row they came from."""

from __future__ import annotations

from datetime import date
from pathlib import Path

import pytest

from compliance.dataset.load import open_dataset
from compliance.dataset.quality import describe, quality

AS_OF = date(2024, 6, 30)
PEOPLE = "person_id,birth_date\nC1,2010-05-01\n"


def findings(folder: Path, **files: str) -> list[tuple[str, str, int, str, str]]:
    for table, text in files.items():
        (folder / f"{table}.csv").write_text(text)
    return [(f.table, f.column, f.row, f.key, f.code) for f in quality(open_dataset([folder]), AS_OF)]


@pytest.mark.parametrize(
    ("table", "text", "column", "code"),
    [
        ("care_periods", "care_period_id,person_id,start_date,end_date\nK,C1,2024-02-02,2024-02-01\n", "end_date",
         "end_before_start"),
        ("assessments", "assessment_id,person_id,start_date,authorised_date\nK,C1,2024-02-02,2024-02-01\n", "authorised_date",
         "end_before_start"),
        ("referrals", "referral_id,person_id,referral_date,closed_date\nK,C1,2024-02-02,2024-02-01\n", "closed_date",
         "end_before_start"),
        ("proceedings", "proceedings_id,person_id,issue_date,final_order_date\nK,C1,2024-02-02,2024-02-01\n",
         "final_order_date", "end_before_start"),
        ("care_periods", "care_period_id,person_id,start_date\nK,C1,2010-04-30\n", "start_date", "before_birth"),
        ("care_periods", "care_period_id,person_id,start_date\nK,C1,2024-07-01\n", "start_date", "after_as_of"),
        ("care_periods", "care_period_id,person_id,start_date\nK,C9,2024-01-01\n", "person_id", "matches_nothing"),
        ("cp_plans", "cp_plan_id,person_id,start_date\nK,C1,1989-12-31\n", "start_date", "suspiciously_early"),
        ("missing_episodes", "missing_episode_id,person_id,started_at\nK,C1,2024-07-01 00:00\n", "started_at",
         "after_as_of"),
        ("placements", "placement_id,person_id,start_date,placement_type,postcode\nK,C1,2024-01-01,U4,nope\n", "postcode",
         "not_a_postcode"),
        ("placements", "placement_id,person_id,start_date,placement_type,postcode\nK,C1,2024-01-01,U4,2TR\n", "postcode",
         "not_a_postcode"),
        ("episodes", "episode_id,person_id,start_date,home_postcode\nK,C1,2024-01-01,ABC 1\n", "home_postcode",
         "not_a_postcode"),
    ],
)  # fmt: skip
def test_one_thing_wrong(tmp_path: Path, table: str, text: str, column: str, code: str) -> None:
    assert findings(tmp_path, people=PEOPLE, **{table: text}) == [(table, column, 2, "K", code)]


@pytest.mark.parametrize(
    ("table", "text"),
    [
        ("care_periods", "care_period_id,person_id,start_date,end_date\nK,C1,2024-02-01,2024-02-01\n"),
        ("care_periods", "care_period_id,person_id,start_date\nK,C1,2010-05-01\n"),
        ("care_periods", "care_period_id,person_id,start_date\nK,C1,2024-06-30\n"),
        ("missing_episodes", "missing_episode_id,person_id,started_at\nK,C1,2024-06-30 23:59\n"),
        ("cp_plans", "cp_plan_id,person_id,start_date\nK,C1,2010-04-01\n"),  # an unborn child may be on a plan
        ("audits", "audit_id,audit_kind,audit_date,actions_due_date\nK,case_audit,2024-06-01,2025-01-01\n"),
        (
            "placements",
            "placement_id,person_id,start_date,placement_type,postcode\nK,C1,2024-01-01,U4,HR1 2JB\nL,C1,2024-01-02,U4,\n",
        ),
        ("placements", "placement_id,person_id,start_date,placement_type,postcode\nK,C1,2024-01-01,U4,ec1a1bb\n"),
        ("cp_visits", "visit_id,person_id,visit_date,worker_id\nK,C1,2024-01-01,W1\n"),  # no workers were supplied
    ],
)
def test_nothing_wrong(tmp_path: Path, table: str, text: str) -> None:
    assert findings(tmp_path, people=PEOPLE, **{table: text}) == []


def test_a_child_born_after_the_as_of_date(tmp_path: Path) -> None:
    found = findings(tmp_path, people="person_id,birth_date\nC1,2024-07-01\n")
    assert found == [("people", "birth_date", 2, "C1", "birth_after_as_of")]


def test_the_same_visit_twice(tmp_path: Path) -> None:
    visits = "visit_id,person_id,visit_date\nV1,C1,2024-01-01\nV2,C1,2024-01-01\nV3,C1,2024-01-02\n"
    found = findings(tmp_path, people=PEOPLE, cp_visits=visits)
    assert found == [("cp_visits", "person_id", 3, "V2", "duplicate")]


def test_twins_without_a_pupil_number_are_not_duplicates(tmp_path: Path) -> None:
    assert findings(tmp_path, people="person_id,upn,birth_date\nC1,,2010-05-01\nC2,,2010-05-01\n") == []


def test_a_finding_says_where_and_why(tmp_path: Path) -> None:
    (tmp_path / "cp_plans.csv").write_text("cp_plan_id,person_id,start_date,end_date\nP1,C1,2024-02-02,2024-02-01\n")
    [found] = quality(open_dataset([tmp_path]), AS_OF)
    assert (found.file, found.sheet) == ("cp_plans.csv", None)
    assert found.message == "2024-02-01 is before start_date 2024-02-02"


def test_tables_are_described(tmp_path: Path) -> None:
    (tmp_path / "cp_plans.csv").write_text("cp_plan_id,person_id,start_date\nP1,C1,2024-02-02\nP2,C1,2023-01-01\nP3,C1,?\n")
    [found] = describe(open_dataset([tmp_path]))
    assert (found.table, found.sources, found.history) == ("cp_plans", ("cp_plans.csv",), "full")
    assert (found.read, found.loaded, found.rejected) == (3, 2, 1)
    assert (found.first_date, found.last_date) == (date(2023, 1, 1), date(2024, 2, 2))
    assert "end_date" in found.columns_missing and "start_date" not in found.columns_missing
