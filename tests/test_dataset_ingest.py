"""Text becomes typed rows, and what cannot be read is kept with its place and its reason."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, datetime
from typing import Any

import duckdb
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from compliance.dataset.ingest import Authority, LoadedTable, Remark, Staged, ingest
from compliance.dataset.row_sql import ROWS_PER_TABLE
from compliance.dataset.schema import load_schema
from compliance.errors import DataError, EngineError, UsageError

SCHEMA = load_schema()
Rows = Sequence[dict[str, str | None]]


class Loading:
    """A connection and what was loaded into it."""

    def __init__(self, tables: dict[str, Rows], authority: Authority | None = None, **facts: Any) -> None:
        self.connection = duckdb.connect()
        staged = [self.stage(f"s{n}", table, rows, **facts) for n, (table, rows) in enumerate(tables.items())]
        self.load(staged, authority)

    def load(self, staged: list[Staged], authority: Authority | None = None) -> None:
        self.tables = {each.name: each for each in ingest(self.connection, SCHEMA, staged, authority)}

    def stage(self, relation: str, table: str, rows: Rows, **facts: Any) -> Staged:
        columns = list(dict.fromkeys(column for row in rows for column in row))
        self.connection.execute(f"CREATE TABLE {relation} (_row BIGINT, {', '.join(f'{c} VARCHAR' for c in columns)})")
        for number, row in enumerate(rows, 2):
            marks = ", ".join("?" * (len(columns) + 1))
            self.connection.execute(
                f"INSERT INTO {relation} VALUES ({marks})", [number, *(row.get(c) for c in columns)]
            )
        return Staged(
            table, relation, **{"file": f"{table}.csv", "sheet": None, "history": "full", "read": len(rows)} | facts
        )

    def all(self, sql: str) -> list[tuple[Any, ...]]:
        return self.connection.execute(sql).fetchall()

    def rejects(self) -> list[tuple[Any, ...]]:
        return self.all("SELECT source_row, column_name, value, reason FROM rejects ORDER BY source_row, column_name")

    def notices(self) -> list[tuple[Any, ...]]:
        return self.all("SELECT source_row, column_name, value, reason FROM notices ORDER BY source_row, column_name")


def visits(*rows: dict[str, str | None]) -> Loading:
    base = {"person_id": "C1", "visit_date": "2024-01-01"}
    return Loading({"cp_visits": [{"visit_id": f"V{n}"} | base | row for n, row in enumerate(rows)]})


def test_every_table_exists_with_its_columns_and_lineage() -> None:
    loading = Loading({})
    for table in SCHEMA.tables.values():
        found = [row[0] for row in loading.all(f'DESCRIBE "{table.name}"')]
        assert found == [*table.columns, "authority", "row_ref", "source_id", "source_row"]
        assert loading.tables[table.name] == LoadedTable(table.name)


@pytest.mark.parametrize(
    ("written", "means"),
    [
        ("2024-02-29", date(2024, 2, 29)),
        ("2024-02-29 10:30:00", date(2024, 2, 29)),
        ("2024-02-29T10:30:00", date(2024, 2, 29)),
        ("2024-02-29T10:30:00.123Z", date(2024, 2, 29)),
        ("2024-06-01T00:00:00+01:00", date(2024, 6, 1)),
        ("29/02/2024", date(2024, 2, 29)),
        ("3/4/2024", date(2024, 4, 3)),
        ("03/04/2024 09:15", date(2024, 4, 3)),
        ("03/04/2024 09:15:59", date(2024, 4, 3)),
        (" 2024-02-29 ", date(2024, 2, 29)),
        ("\u00a02024-02-29\t", date(2024, 2, 29)),
        ("1900-01-02", date(1900, 1, 2)),
        ("2100-12-31", date(2100, 12, 31)),
    ],
)
def test_dates_that_are_read(written: str, means: date) -> None:
    loading = visits({"visit_date": written})
    assert loading.all("SELECT visit_date FROM cp_visits") == [(means,)]


@pytest.mark.parametrize(
    "written",
    ["30/02/2024", "2023-02-29", "02/28/2024", "1/2/24", "yesterday", "1899-12-31", "2101-01-01",
     "2024-01-01 (BC)", "infinity", "epoch", "2024-01-01 rubbish", "45292", "2024-13-01", "20240101"],
)  # fmt: skip
def test_dates_that_are_refused(written: str) -> None:
    loading = visits({"visit_date": written})
    assert loading.all("SELECT * FROM cp_visits") == []
    reason = "not a date from 1900 to 2100, written yyyy-mm-dd or dd/mm/yyyy"
    assert loading.rejects() == [(2, "visit_date", written, reason)]


@pytest.mark.parametrize(
    "written", ["", "  ", "NULL", "null", "N/A", "n/a", "SSD_PH", "1900-01-01", "01/01/1900 00:00", None]
)
def test_a_placeholder_is_a_blank(written: str | None) -> None:
    loading = Loading({"care_periods": [
        {"care_period_id": "K1", "person_id": "C1", "start_date": "2024-01-01", "end_date": written},
        {"care_period_id": "K2", "person_id": "C1", "start_date": written, "end_date": "2024-01-01"},
    ]})  # fmt: skip
    assert loading.all("SELECT care_period_id, end_date FROM care_periods") == [("K1", None)]
    assert loading.rejects() == [(3, "start_date", None, "blank, and required")]


@pytest.mark.parametrize(
    ("written", "means"),
    [("2024-01-01", datetime(2024, 1, 1)), ("01/02/2024 14:05", datetime(2024, 2, 1, 14, 5)),
     ("2024-01-01T23:59:59", datetime(2024, 1, 1, 23, 59, 59)),
     ("2024-01-01 10:00:00.5", datetime(2024, 1, 1, 10, 0, 0, 500000))],
)  # fmt: skip
def test_times(written: str, means: datetime) -> None:
    assert visits({"recorded_at": written}).all("SELECT recorded_at FROM cp_visits") == [(means,)]


@pytest.mark.parametrize(
    ("written", "means"),
    [("true", True), ("Yes", True), ("Y", True), ("1", True), ("1.0", True), ("FALSE", False), ("no", False),
     ("n", False), ("0", False), ("", None), ("N/A", None)],
)  # fmt: skip
def test_booleans(written: str, means: bool | None) -> None:
    assert visits({"child_was_seen": written}).all("SELECT child_was_seen FROM cp_visits") == [(means,)]


def test_a_boolean_that_cannot_be_read_keeps_the_row_out() -> None:
    loading = visits({"child_was_seen": "perhaps"}, {"child_was_seen": "y"})
    assert loading.rejects() == [(2, "child_was_seen", "perhaps", "not yes or no")]
    assert loading.tables["cp_visits"].loaded == 1


@pytest.mark.parametrize(
    ("column", "written", "means"),
    [("is_signed_by_both", "1", True), ("duration_minutes", "12.0", 12), ("duration_minutes", "-3", -3),
     ("duration_minutes", "1e2", 100)],
)  # fmt: skip
def test_numbers(column: str, written: str, means: object) -> None:
    row = {"supervision_id": "S", "worker_id": "W", "supervision_kind": "personal", "supervision_date": "2024-01-01"}
    assert Loading({"supervisions": [row | {column: written}]}).all(f"SELECT {column} FROM supervisions") == [(means,)]


@pytest.mark.parametrize("written", ["12.5", "nan", "inf", "1e400", "9" * 30, "ten", "1,000", "0x10"])
def test_numbers_that_are_refused(written: str) -> None:
    row = {"supervision_id": "S", "worker_id": "W", "supervision_kind": "personal", "supervision_date": "2024-01-01"}
    loading = Loading({"supervisions": [row | {"duration_minutes": written}]})
    assert loading.rejects() == [(2, "duration_minutes", written, "not a whole number")]


@pytest.mark.parametrize(
    ("written", "means"),
    [
        ("007", "007"),
        ("123.0", "123"),
        ("00123.0", "00123"),
        ("A1.0", "A1.0"),
        (" C 1 ", "C 1"),
        ("-1", None),
        ("SSD_PH", None),
    ],
)
def test_ids_keep_their_zeros(written: str, means: str | None) -> None:
    assert visits({"worker_id": written}).all("SELECT worker_id FROM cp_visits") == [(means,)]


@pytest.mark.parametrize(
    ("written", "means"),
    [("N1", "N1"), ("n1", "N1"), ("N1) Abuse, neglect or exploitation", "N1"), ("N1 - Abuse", "N1"),
     ("n1: abuse", "N1"), ("Low income", "N7"), ("LOW INCOME", "N7"), ("g) Low income", "N7"), ("", None)],
)  # fmt: skip
def test_codes(written: str, means: str | None) -> None:
    row = {"referral_id": "R", "person_id": "C", "referral_date": "2024-01-01", "primary_need": written}
    loading = Loading({"referrals": [row]})
    assert loading.all("SELECT primary_need FROM referrals") == [(means,)]
    assert loading.notices() == []


def test_a_code_that_came_through_a_spreadsheet() -> None:
    row = {"referral_id": "R", "person_id": "C", "referral_date": "2024-01-01", "referral_source": "6.0"}
    assert Loading({"referrals": [row]}).all("SELECT referral_source FROM referrals") == [("6",)]


def test_an_unknown_code_becomes_blank_and_is_noticed() -> None:
    row = {"referral_id": "R", "person_id": "C", "referral_date": "2024-01-01", "primary_need": "N99", "decision": "?"}
    loading = Loading({"referrals": [row]})
    assert loading.all("SELECT primary_need, decision FROM referrals") == [(None, None)]
    assert loading.notices() == [
        (2, "decision", "?", "not a code of referral_decision"),
        (2, "primary_need", "N99", "not a code of primary_need"),
    ]


def test_an_unknown_code_in_a_required_column_keeps_the_row_out() -> None:
    row = {"meeting_id": "M", "person_id": "C", "meeting_kind": "picnic", "meeting_date": "2024-01-01"}
    assert Loading({"meetings": [row]}).rejects() == [(2, "meeting_kind", "picnic", "not a code of meeting_kind")]


def test_a_required_column_that_the_file_lacks() -> None:
    loading = Loading({"cp_visits": [{"visit_id": "V", "person_id": "C"}]})
    assert loading.rejects() == [(2, "visit_date", None, "required, and the source has no such column")]


def test_a_second_row_with_the_same_key_names_the_first() -> None:
    loading = visits({}, {"visit_id": "V0"}, {"visit_id": " V0 "}, {"visit_id": "V9"})
    assert loading.rejects() == [
        (3, "visit_id", "V0", "duplicate key: first in cp_visits.csv, row 2"),
        (4, "visit_id", "V0", "duplicate key: first in cp_visits.csv, row 2"),
    ]
    assert loading.tables["cp_visits"].loaded == 2


def test_a_rejected_row_does_not_make_the_next_a_duplicate() -> None:
    loading = visits({"visit_date": "x"}, {"visit_id": "V0"})
    assert [row[0] for row in loading.rejects()] == [2]


def test_a_key_of_two_columns() -> None:
    rows = [{"panel_meeting_id": "M", "panel_member_id": member, "attended_as": "chair"} for member in ("A", "B", "A")]
    loading = Loading({"panel_attendance": rows})
    assert loading.rejects() == [(4, "panel_member_id", "M | A", "duplicate key: first in panel_attendance.csv, row 2")]


def test_a_key_is_built_from_the_natural_key() -> None:
    loading = Loading({"cp_visits": [{"person_id": "C1", "visit_date": "02/01/2024"}]})
    assert loading.all("SELECT visit_id FROM cp_visits") == [("k:C1|2024-01-02",)]
    assert "visit_id" in loading.tables["cp_visits"].columns


def test_a_built_key_of_nothing_keeps_the_row_out() -> None:
    loading = Loading({"teams": [{"caseload_limit": "16"}]})
    assert loading.rejects() == [(2, "team_id", None, "nothing to build the key from")]


def test_names_and_addresses_are_never_kept() -> None:
    loading = Loading({
        "workers": [{"full_name": "Joan Bloggs", "registration_number": "SW1"},
                    {"full_name": "Joan Bloggs"}, {"full_name": ""}],
        "foster_households": [{"household_id": "H", "address": "1 High Street", "postcode": "AB1 2CD"}],
        "panel_members": [{"panel_member_id": "P", "panel": "?", "full_name": "Fred Smith", "member_role": "chair",
                           "added_date": "2024-01-01"}],
    })  # fmt: skip
    keys = [row[0] for row in loading.all("SELECT worker_id FROM workers ORDER BY source_row")]
    assert all(key.startswith("k:") and len(key) == 18 for key in keys)
    assert loading.all("SELECT address, postcode FROM foster_households") == [("recorded", "AB1 2CD")]
    for table in ("workers", "foster_households", "panel_members", "rejects", "notices"):
        assert not any(word in str(loading.all(f"SELECT * FROM {table}")) for word in ("Bloggs", "Street", "Smith"))


def test_a_required_name_that_is_blank() -> None:
    row = {
        "panel_member_id": "P",
        "panel": "fostering",
        "full_name": " ",
        "member_role": "chair",
        "added_date": "2024-01-01",
    }
    assert Loading({"panel_members": [row]}).rejects() == [(2, "full_name", None, "blank, and required")]


def test_what_is_rejected_is_fit_to_be_shown() -> None:
    loading = visits({"visit_date": "\x1b[31mred\u202e" + "x" * 200})
    [(_, _, value, _)] = loading.rejects()
    assert value.isprintable() and len(value) == 80 and "red" in value


def test_row_references_name_the_table_and_the_row() -> None:
    number = SCHEMA.tables["cp_visits"].number
    found = visits({}, {}).all("SELECT row_ref, source_row, source_id, authority FROM cp_visits ORDER BY 1")
    assert found == [(number * ROWS_PER_TABLE + n, n, 1, "local") for n in (2, 3)]


def test_two_sources_of_one_table() -> None:
    loading = Loading({})
    loading.connection = duckdb.connect()
    rows = [{"visit_id": "V1", "person_id": "C", "visit_date": "2024-01-01"}]
    one = loading.stage("one", "cp_visits", rows, file="a.csv")
    two = loading.stage(
        "two", "cp_visits", [*rows, rows[0] | {"visit_id": "V2"}], file="b.xlsx", sheet="List 7", history="latest"
    )
    loading.load([one, two])
    table = loading.tables["cp_visits"]
    assert (table.read, table.loaded, table.rejected, table.history) == (3, 2, 1, "latest")
    assert loading.all("SELECT file, sheet, source_row, reason FROM rejects") == [
        ("b.xlsx", "List 7", 2, "duplicate key: first in a.csv, row 2")
    ]
    assert loading.all("SELECT count(DISTINCT row_ref) FROM cp_visits") == [(2,)]
    assert loading.all("SELECT source_id, file, read, loaded, rejected, history FROM sources ORDER BY 1") == [
        (1, "a.csv", 1, 1, 0, "full"),
        (2, "b.xlsx", 2, 1, 1, "latest"),
    ]


def test_what_a_reader_refused_is_counted() -> None:
    loading = Loading(
        {"cp_visits": [{"visit_id": "V", "person_id": "C", "visit_date": "2024-01-01"}]},
        read=2,
        refused=(Remark(3, None, None, "2 values where the heading has 3"),),
        notices=(Remark(1, "colour", None, "not a column"),),
    )
    assert loading.rejects() == [(3, None, None, "2 values where the heading has 3")]
    assert loading.notices() == [(1, "colour", None, "not a column")]
    assert (loading.tables["cp_visits"].read, loading.tables["cp_visits"].rejected) == (2, 1)


def test_counts_that_do_not_reconcile_stop_the_run() -> None:
    with pytest.raises(EngineError, match=r"cp_visits.csv: 7 rows were read, but 0 loaded and 1 rejected"):
        Loading({"cp_visits": [{"visit_id": "V"}]}, read=7)


def test_one_authority_leaves_ids_alone() -> None:
    loading = Loading(
        {"people": [{"person_id": "C1", "authority": "E06000019"}]}, Authority("E06000019", "Herefordshire")
    )
    assert loading.all("SELECT person_id, authority FROM people") == [("C1", "E06000019")]
    assert loading.all("SELECT * FROM authorities") == [("E06000019", "Herefordshire")]


def test_several_authorities_keep_their_ids_apart() -> None:
    loading = Loading({
        "people": [{"person_id": "C1", "authority": "E1"}, {"person_id": "C1", "authority": "E2"}],
        "cp_visits": [{"person_id": "C1", "visit_date": "2024-01-01", "worker_id": "", "authority": "E2"}],
        "checks_and_training": [{"record_id": "1", "holder_kind": "worker", "holder_id": "W", "item_kind": "dbs",
                                 "authority": "E1"}],
    })  # fmt: skip
    assert loading.all("SELECT person_id FROM people ORDER BY 1") == [("E1/C1",), ("E2/C1",)]
    assert loading.all("SELECT visit_id, person_id, worker_id FROM cp_visits") == [
        ("E2/k:C1|2024-01-01", "E2/C1", None)
    ]
    assert loading.all("SELECT record_id, holder_id FROM checks_and_training") == [("E1/1", "E1/W")]
    assert [row[0] for row in loading.all("SELECT code FROM authorities ORDER BY 1")] == ["E1", "E2"]


def test_rows_of_no_authority_among_several_are_refused() -> None:
    tables: dict[str, Rows] = {"people": [{"person_id": "C1", "authority": code} for code in ("E1", "E2", "")]}
    with pytest.raises(UsageError, match="some rows do not say"):
        Loading(tables)
    loading = Loading(tables, Authority("E3", "Third"))
    assert loading.all("SELECT person_id FROM people ORDER BY 1") == [("E1/C1",), ("E2/C1",), ("E3/C1",)]


def test_an_authority_with_a_slash_is_refused() -> None:
    with pytest.raises(DataError, match="slash"):
        Loading({"people": [{"person_id": "C1", "authority": "E1/E2"}]})


@settings(max_examples=50, deadline=None)
@given(st.lists(st.fixed_dictionaries({}, optional={
    "visit_id": st.sampled_from(["1", "2", "3", "", "-1"]),
    "person_id": st.sampled_from(["C1", "C2", "NULL", None]),
    "visit_date": st.one_of(st.dates().map(str), st.text("0123/- ", max_size=12)),
    "child_was_seen": st.sampled_from(["y", "no", "?", ""]),
    "recorded_at": st.one_of(st.datetimes().map(str), st.none()),
    "worker_id": st.text("a/'|\n\u202e\x1b", max_size=5),
}), max_size=12))  # fmt: skip
def test_rows_read_are_loaded_or_rejected(rows: Rows) -> None:
    rows = [row for row in rows if row]
    loading = Loading({"cp_visits": rows} if rows else {})
    table = loading.tables["cp_visits"]
    assert table.read == table.loaded + table.rejected == len(rows)
    assert loading.all("SELECT count(*) FROM cp_visits") == [(table.loaded,)]
    assert loading.all("SELECT count(*), count(DISTINCT source_row) FROM rejects") == [(table.rejected, table.rejected)]


ODD = st.sampled_from([
    "", " ", "NULL", "n/a", "#N/A", "SSD_PH", "-1", "-1.0", "12.0", "12", "C1", " C1", "C1\u00a0", "\ufeffC1", "C\x1f1", "\x1f",
    "2024-01-05", "2024-01-05 10:30:00", "2024-01-05T10:30:00Z", "05/01/2024", "1900-01-01", "1900-01-01 00:00:00", "1900-01-02",
    "1899-12-31", "2100-12-31", "2100-12-31 23:59:59", "2101-01-01", "2024-13-01", "20-1-1 (BC)", "2 21-01-01", "infinity",
    "true", "TRUE", "Y", "no", "0.0", "2", "statutory", "Statutory", "s) statutory", "M", "male", "1 - Male", "owl",
    "9" * 15, "9" * 30, "1e2", "-3", "+3", "1.5", ".5", "nan", None,
])  # fmt: skip
WHOLE = {
    "supervisions": (
        *("supervision_id", "worker_id", "supervision_kind", "supervision_date", "person_id", "duration_minutes"),
        "was_uninterrupted",
    ),
    "contacts": ("person_id", "received_at", "contact_source", "decided_at"),
    "workers": ("worker_id", "full_name", "registration_number", "fte", "is_agency", "role"),
}


@settings(max_examples=60, deadline=None)
@given(st.data())
def test_rows_read_plainly_are_as_they_are_read_with_care(data: st.DataObject) -> None:
    table = data.draw(st.sampled_from(sorted(WHOLE)))
    columns = [each for each in WHOLE[table] if each in SCHEMA.tables[table].columns]
    texts = st.lists(st.fixed_dictionaries({each: ODD | st.text(max_size=6) for each in columns}), min_size=1, max_size=8)
    given_rows = data.draw(texts)
    council = data.draw(st.sampled_from([None, Authority("E06000019", "Herefordshire")]))
    both = []
    for plainly in (True, False):
        with pytest.MonkeyPatch.context() as patch:
            if not plainly:
                patch.setattr("compliance.dataset.ingest.can_be_plain", lambda *_: False)
            loading = Loading({table: given_rows}, council)
        held = loading.all(f'SELECT * FROM "{table}" ORDER BY row_ref')
        both.append((held, loading.rejects(), loading.notices(), loading.tables[table]))
    assert both[0] == both[1]


def test_a_plain_row_is_read_plainly(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("compliance.dataset.ingest.careful_rows", lambda *_: pytest.fail("a row was read with care"))
    loading = visits({"child_was_seen": "true"}, {"visit_date": "2024-01-02 00:00:00", "child_was_seen": "Y", "worker_id": None})
    assert loading.tables["cp_visits"].loaded == 2


def test_what_was_noted_of_a_duplicate_goes_with_it() -> None:
    row = {"contact_id": "K1", "person_id": "C1", "received_at": "2024-01-01"}
    loading = Loading({"contacts": [row | {"contact_source": "owl"}, row | {"contact_source": "bat"}]})
    assert [each[2] for each in loading.notices()] == ["owl"]
    assert [each[0] for each in loading.rejects()] == [3]
