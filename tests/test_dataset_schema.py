"""The canonical tables as declared: complete, consistent and quick to load."""

from __future__ import annotations

import pytest

from compliance.dataset.schema import Column, Schema, Table, load_schema

SCHEMA = load_schema()
COLUMNS = [(table, column) for table in SCHEMA.tables.values() for column in table.columns.values()]


def test_every_table_is_there() -> None:
    assert len(SCHEMA.tables) == 63
    assert len(COLUMNS) == 691
    assert len({table.number for table in SCHEMA.tables.values()}) == 63


def test_the_schema_is_read_once() -> None:
    assert isinstance(load_schema(), Schema)
    assert load_schema() is load_schema()


@pytest.mark.parametrize("table", SCHEMA.tables.values(), ids=lambda table: table.name)
def test_keys_are_columns(table: Table) -> None:
    assert set(table.key) <= set(table.columns)
    assert set(table.natural_key) <= set(table.columns)
    assert all(table.columns[name].required and table.columns[name].is_id for name in table.key)
    assert table.describes


@pytest.mark.parametrize(("table", "column"), COLUMNS, ids=lambda each: each.name)
def test_columns_are_consistent(table: Table, column: Column) -> None:
    assert column.means
    assert column.refers_to is None or column.refers_to in SCHEMA.tables
    assert (column.type == "code") == (column.code_set is not None)
    assert column.code_set is None or column.code_set in SCHEMA.code_sets
    assert not column.planned or column.is_dated
    assert column.type != "date" or column.name.endswith("_date")
    assert column.type != "timestamp" or column.name.endswith("_at")
    assert column.type != "boolean" or not column.is_id


def test_names_and_addresses_are_kept_as_presence_only() -> None:
    private = {column.name for _, column in COLUMNS if column.presence_only}
    assert private == {"full_name", "holder_name", "guardian_name", "address"}
    assert SCHEMA.tables["workers"].natural_key_is_private
    assert not SCHEMA.tables["cp_visits"].natural_key_is_private


def test_dates_that_may_lie_in_the_future_are_marked() -> None:
    planned = {f"{table.name}.{column.name}" for table, column in COLUMNS if column.planned}
    assert "programme_items.due_date" in planned
    assert "people.expected_birth_date" in planned
    assert "foster_carer_approvals.expiry_date" in planned
    assert "cp_visits.visit_date" not in planned
    assert "care_periods.end_date" not in planned


def test_groups_hold_codes_of_their_set() -> None:
    for name, groups in SCHEMA.code_groups.items():
        for codes in groups.values():
            assert set(codes) <= set(SCHEMA.code_sets[name])


def test_a_description_names_one_code_only() -> None:
    for codes in SCHEMA.code_sets.values():
        assert len({meaning.lower() for meaning in codes.values()}) == len(codes)


def test_the_main_date_of_a_table() -> None:
    assert SCHEMA.tables["cp_visits"].main_date == SCHEMA.tables["cp_visits"].columns["visit_date"]
    assert SCHEMA.tables["teams"].main_date is None
