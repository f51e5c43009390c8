"""What is known at the close of a day: later dates are blank, later rows left out, planned dates left alone."""

from __future__ import annotations

from datetime import date, datetime
from pathlib import Path
from typing import Any

import pytest

from compliance.dataset.known import known_views
from compliance.dataset.load import open_dataset
from compliance.dataset.schema import load_schema

PLANS = "cp_plan_id,person_id,start_date,end_date\nP1,C1,2024-01-01,2024-03-01\n"
CONTACTS = "contact_id,person_id,received_at,decided_at\nK1,C1,2024-01-01 23:59:59,2024-01-02 00:00\n"
ITEMS = "item_id,item_kind,title,status,due_date,completed_date\nI1,action,Do it,in_progress,2030-01-01,2024-02-01\n"


def known(folder: Path, table: str, text: str, as_of: str, columns: str) -> list[tuple[Any, ...]]:
    (folder / f"{table}.csv").write_text(text)
    dataset = open_dataset([folder])
    known_views(dataset.connection, load_schema(), date.fromisoformat(as_of))
    return dataset.connection.execute(f"SELECT {columns} FROM known.{table}").fetchall()


@pytest.mark.parametrize(
    ("as_of", "expected"),
    [
        ("2023-12-31", []),  # the day before the plan started
        ("2024-01-01", [("P1", None)]),  # the day itself
        ("2024-02-29", [("P1", None)]),  # the day before it ended
        ("2024-03-01", [("P1", date(2024, 3, 1))]),
    ],
)
def test_an_ending_is_not_known_before_its_day(tmp_path: Path, as_of: str, expected: list[tuple[Any, ...]]) -> None:
    assert known(tmp_path, "cp_plans", PLANS, as_of, "cp_plan_id, end_date") == expected


@pytest.mark.parametrize(
    ("as_of", "expected"),
    [
        ("2023-12-31", []),
        ("2024-01-01", [("K1", None)]),  # midnight belongs to the day that it begins
        ("2024-01-02", [("K1", datetime(2024, 1, 2))]),
    ],
)
def test_a_day_closes_at_midnight(tmp_path: Path, as_of: str, expected: list[tuple[Any, ...]]) -> None:
    assert known(tmp_path, "contacts", CONTACTS, as_of, "contact_id, decided_at") == expected


def test_a_due_date_may_lie_ahead(tmp_path: Path) -> None:
    found = known(tmp_path, "programme_items", ITEMS, "2024-01-31", "due_date, completed_date")
    assert found == [(date(2030, 1, 1), None)]


def test_there_is_a_view_of_every_table(tmp_path: Path) -> None:
    (tmp_path / "cp_plans.csv").write_text(PLANS)
    dataset = open_dataset([tmp_path])
    known_views(dataset.connection, dataset.schema, date(2024, 1, 1))
    views = dataset.connection.execute("SELECT view_name FROM duckdb_views() WHERE schema_name = 'known'").fetchall()
    assert {view for (view,) in views} >= set(dataset.schema.tables)
