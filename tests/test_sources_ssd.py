"""The Standard Safeguarding Dataset: every trap of its values, its containers, and a live PostgreSQL read by URL."""

from __future__ import annotations

import csv
import subprocess
import tracemalloc
from collections.abc import Iterator, Mapping
from datetime import date, datetime
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

import postgres_server
from compliance.dataset.load import Dataset, connect, open_dataset
from compliance.dataset.schema import load_schema
from compliance.errors import ComplianceError, DataError, UsageError
from compliance.sources import database, ssd, text_table
from compliance.sources.limits import Limits
from compliance.sources.reader import HEAD_BYTES
from compliance.sources.recognise import shown_url
from compliance.sources.ssd_mapping import mapping
from ssd_data import EXTRACT, ddl, fields_of, write_csv, write_sqlite

SAMPLES = Path("/work/shared/formats/samples/ssd")
AS_OF = date(2021, 3, 31)
EXTRACT_IN_POSTGRES = {
    **EXTRACT,
    "ssd_cin_episodes": [
        {**row, "cine_referral_date": "infinity"} if row["cine_referral_id"] == "R3" else row
        for row in EXTRACT["ssd_cin_episodes"]
    ],
}


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_csv(tmp_path_factory.mktemp("ssd") / "csv")


@pytest.fixture(scope="module")
def dataset(folder: Path) -> Dataset:
    return open_dataset([folder], as_of=AS_OF)


@pytest.fixture(scope="module")
def server() -> Iterator[str]:
    """The URL of an embedded PostgreSQL that holds the extract in the usual schema."""
    if not postgres_server.is_there():
        pytest.skip("needs the wheels of PostgreSQL")
    with postgres_server.running() as url:
        execute(url, f"SET datestyle = 'ISO, DMY'; {ddl('ssd_development', EXTRACT_IN_POSTGRES)}")
        fill(url, "ssd_development", EXTRACT_IN_POSTGRES)
        yield url


def execute(url: str, *statements: str) -> None:
    import psycopg

    with psycopg.connect(url) as connection:
        for statement in statements:
            connection.execute(statement)


def fill(url: str, schema: str, extract: Mapping[str, list[dict[str, Any]]]) -> None:
    import psycopg

    with psycopg.connect(url) as connection:
        connection.execute("SET datestyle = 'ISO, DMY'")
        for table, rows in extract.items():
            fields = fields_of(table, rows)
            for row in rows:
                values = [None if row.get(each) == "NULL" else row.get(each) for each in fields]
                connection.execute(f"INSERT INTO {schema}.{table} VALUES ({', '.join(['%s'] * len(fields))})", values)


def rows(dataset: Dataset, table: str, *columns: str) -> list[Any]:
    found = dataset.connection.execute(f"SELECT {', '.join(columns)} FROM {table} ORDER BY ALL").fetchall()
    return [row[0] for row in found] if len(columns) == 1 else found


def said(dataset: Dataset, table: str = "notices") -> list[tuple[str | None, str | None, str]]:
    return dataset.connection.execute(f"SELECT column_name, value, reason FROM {table} ORDER BY ALL").fetchall()


def everything(dataset: Dataset) -> dict[str, list[Any]]:
    """Every row of every table, without the lineage."""
    names = [table.name for table in dataset.tables.values() if table.present]
    lineage = "* EXCLUDE (row_ref, source_id, source_row)"
    return {each: dataset.connection.execute(f"SELECT {lineage} FROM {each} ORDER BY ALL").fetchall() for each in names}


# what a file is


def test_each_table_is_recognised_by_its_headings_not_by_its_name(folder: Path) -> None:
    for path in folder.iterdir():
        assert (
            ssd.recognise(path, path.read_bytes()[:HEAD_BYTES]) == f"ssd_{path.stem.removesuffix('_20210331')}, by its headings"
        )


def test_a_file_with_other_headings_is_not_the_dataset(tmp_path: Path) -> None:
    (tmp_path / "ssd_person.csv").write_text("person_id,birth_date\n1,2010-01-01\n")
    assert ssd.recognise(tmp_path / "ssd_person.csv", b"person_id,birth_date\n1,2010-01-01\n") is None


def test_a_heading_that_is_no_field_is_named_with_the_nearest(tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_text("pers_person_id,pers_dobb,PERS_SEX,Notes\n1,2010-01-01,F,x\n")
    notices = said(open_dataset([tmp_path]))
    assert ("pers_dobb", None, "not a field of ssd_person; the nearest is pers_dob") in notices
    assert ("Notes", None, "not a field of ssd_person") in notices


def test_a_field_that_comes_twice_is_refused(tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_text("pers_person_id,pers_dob,PERS_DOB\n1,2010-01-01,2011-01-01\n")
    with pytest.raises(UsageError, match="pers_dob comes twice"):
        open_dataset([tmp_path])


def test_the_mapping_names_only_fields_columns_and_codes_that_there_are() -> None:
    schema, known = load_schema(), mapping()
    fields = {field for table in known.tables.values() for field in table.fields}
    for filling in known.fillings:
        table = schema.tables[filling.table]
        assert filling.columns.keys() <= table.columns.keys()
        for column, several in filling.columns.items():
            code_set = table.columns[column].code_set
            for said_of in several:
                if isinstance(said_of, str):
                    assert said_of == "extract_date" or said_of in fields, said_of
                    if code_set and said_of in known.codes:
                        codes = known.words[known.codes[said_of]]
                        meant = {*codes.words.values(), *(code for code, _ in codes.patterns), codes.other or ""}
                        assert meant <= {*schema.code_sets[code_set], ""}, said_of
                    if said_of in known.flags:
                        assert set(known.flags[said_of].values()) <= set(schema.code_sets[code_set or ""])
    assert known.codes.keys() | known.flags.keys() <= fields
    assert not {"pers_forename", "pers_surname", "addr_address_json"} & known.wanted


# what values mean


def test_people_with_sentinels_descriptions_and_other_tables(dataset: Dataset) -> None:
    columns = ("person_id", "upn", "sex", "ethnicity", "birth_date", "expected_birth_date", "family_id", "is_disabled")
    assert rows(dataset, "people", *columns, "is_unaccompanied_asylum_seeker") == [
        ("1", "A1", "F", "WBRI", date(2010, 3, 12), None, "F7", False, None),
        ("2", None, "M", "WIRI", date(2011, 3, 12), None, None, True, None),
        ("3", None, "U", None, date(2005, 1, 31), None, None, None, True),
    ]


def test_placeholder_rows_and_repeats_are_left_out_and_said(dataset: Dataset) -> None:
    assert ("pers_person_id", None, "1 row left out: placeholder") in said(dataset)
    assert ("pers_person_id", None, "1 row left out: the same as another in every field") in said(dataset)
    assert ("prep_table_id", None, "1 row left out: placeholder") in said(dataset)


def test_a_row_with_the_key_of_another_and_other_values_is_rejected(tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_text("pers_person_id,pers_dob\n1,2010-01-01\n1,2011-01-01\n")
    dataset = open_dataset([tmp_path])
    assert said(dataset, "rejects") == [("person_id", "1", "duplicate key: first in a.csv, row 2")]


def test_tables_without_rows_fill_nothing_so_that_rules_on_them_are_not_evaluated(dataset: Dataset) -> None:
    assert not dataset.tables["proceedings"].present
    assert not dataset.tables["contacts"].present
    assert ("ssd_contacts", None, "holds no rows, so nothing is known of it") in said(dataset)


def test_tables_that_no_rule_needs_are_named_and_not_read(dataset: Dataset) -> None:
    assert any(reason.endswith("ssd_voice_of_child") for _, _, reason in said(dataset))


def test_json_that_is_broken_or_cut_short_is_read_for_its_flags(dataset: Dataset) -> None:
    assert rows(dataset, "referrals", "referral_id", "decision") == [("R1", "assessment"), ("R2", None)]
    assert rows(dataset, "care_plans", "permanence_plan") == ["long_term_fostering"]


def test_a_worker_or_team_that_is_named_is_known_by_its_id_unless_two_have_the_name(dataset: Dataset) -> None:
    assert rows(dataset, "referrals", "referral_id", "worker_id") == [("R1", "P1"), ("R2", "Bo Adviser")]
    assert rows(dataset, "workers", "worker_id", "full_name", "role", "team_id", "fte") == [
        ("P1", "recorded", "social_worker", "T1", 0.5),
        ("P2", "recorded", "personal_adviser", None, None),
        ("P3", "recorded", None, None, None),
    ]
    assert ("prof_professional_job_title", "Gardener", "not known, so read as blank (1 row)") in said(dataset)


def test_minus_one_for_an_id_is_blank(dataset: Dataset) -> None:
    assert rows(dataset, "assessments", "referral_id", "services_are_needed") == [(None, True)]
    assert rows(dataset, "teams", "team_id", "parent_team_id") == [("T1", None)]


def test_a_referral_with_an_impossible_date_is_rejected_with_its_row(dataset: Dataset) -> None:
    found = dataset.connection.execute("SELECT file, source_row, column_name, value FROM rejects WHERE table_name = 'referrals'")
    assert found.fetchall() == [("cin_episodes_20210331.csv", 4, "referral_date", "31/31/2020")]


def test_a_visit_that_other_visit_tables_hold_too_is_no_visit_of_its_own(dataset: Dataset) -> None:
    assert rows(dataset, "cin_visits", "visit_id") == ["V1"]
    assert (None, None, "1 row left out: told by ssd_cp_visits or ssd_cla_visits too") in said(dataset)
    assert rows(dataset, "cp_visits", "child_was_seen", "child_was_seen_alone") == [(True, None)]


def test_conferences_of_both_tables(dataset: Dataset) -> None:
    assert rows(dataset, "cp_conferences", "conference_id", "conference_kind", "outcome") == [
        ("CR1", "review", "plan_ends"),
        ("I1", "initial", "plan_made"),
        ("I2", "transfer_in", None),
    ]
    assert "participation" not in dataset.tables["cp_conferences"].columns
    assert rows(dataset, "meetings", "meeting_kind", "meeting_date") == [("strategy_discussion", date(2020, 1, 20))]
    assert rows(dataset, "cp_plans", "initial_category", "latest_category", "initial_conference_id") == [("MUL", "PHY", None)]


def test_periods_of_care_run_from_entry_to_the_end_of_the_last_episode(dataset: Dataset) -> None:
    columns = ("care_period_id", "person_id", "start_date", "end_date", "end_reason", "is_short_break_series")
    assert rows(dataset, "care_periods", *columns) == [
        ("L1", "2", date(2020, 3, 1), date(2020, 9, 1), "E4A", False),
        ("L2", "3", date(2020, 6, 1), None, None, True),
    ]
    why = "in 1 row the last episode ends because another starts, but none does: read as still open"
    assert ("end_date", None, why) in said(dataset)
    assert rows(dataset, "episodes", "episode_id", "start_reason", "end_reason") == [
        ("E1", "S", "X1"),
        ("E2", "L", "E4A"),
        ("E3", "S", "X1"),
    ]


def test_descriptions_are_read_as_codes(dataset: Dataset) -> None:
    assert rows(dataset, "legal_statuses", "legal_status") == ["V2", "V4", "special_guardianship_order"]
    assert ("legal_status", "Care leaver", "not a code of legal_status") in said(dataset, "rejects")
    assert rows(dataset, "placements", "placement_type", "distance_miles") == [("K2", 12.5)]
    columns = ("accommodation_type", "is_suitable")
    assert rows(dataset, "care_leaver_accommodation", *columns) == [("D", False)]
    assert rows(dataset, "care_leaver_statuses", "status", "in_touch", "activity") == [("former_relevant", "in_touch", "G5")]


def test_a_review_is_of_the_child_whose_period_of_care_it_is_in(dataset: Dataset) -> None:
    assert rows(dataset, "looked_after_reviews", "review_id", "person_id") == [("RV1", "2")]
    assert ("person_id", None, "blank, and required") in said(dataset, "rejects")


def test_health_checks_of_several_tables(dataset: Dataset) -> None:
    assert rows(dataset, "health_checks", "health_check_id", "check_kind", "status", "score", "no_score_reason") == [
        ("H1", "initial_health_assessment", "completed", None, None),
        ("H2", "dental_check", "refused", None, None),
        ("Q1", "sdq", "completed", 17, None),
    ]
    assert ("check_kind", "Haircut", "not a code of health_check_kind") in said(dataset, "rejects")


def test_a_missing_episode_without_an_end_goes_on(dataset: Dataset) -> None:
    columns = ("missing_kind", "started_at", "ended_at", "interview_was_offered", "interview_was_accepted")
    assert rows(dataset, "missing_episodes", *columns) == [("absent", datetime(2020, 4, 1, 21, 30), None, None, False)]


def test_permanence_is_split_by_its_order(dataset: Dataset) -> None:
    assert rows(dataset, "adoption_cases", "adoption_case_id", "decision_date", "adoption_order_date") == [
        ("PM1", date(2020, 8, 1), None),
        ("PM2", None, date(2020, 10, 1)),
    ]
    assert rows(dataset, "special_guardianship_cases", "guardianship_case_id", "order_date") == [("PM1", date(2020, 9, 1))]


def test_what_is_latest_only_is_of_the_day_of_the_extract(dataset: Dataset) -> None:
    assert dataset.tables["care_leaver_contacts"].history == "latest"
    assert dataset.tables["looked_after_reviews"].history == "full"
    assert rows(dataset, "care_leaver_statuses", "status_date") == [AS_OF]
    assert not dataset.tables["pathway_plans"].present
    assert ("pathway_plans", None, "no row tells anything of it") in said(dataset)


def test_advisers_of_care_leavers_are_allocations_and_no_allocation_is_told_twice(dataset: Dataset) -> None:
    assert rows(dataset, "allocations", "role", "worker_id", "start_date", "end_date") == [
        ("other", None, date(2020, 6, 1), None),
        ("personal_adviser", "P2", AS_OF, None),
        ("social_worker", "P1", date(2020, 6, 1), None),
    ]
    assert ("invo_professional_role_id", "KASCHO", "not known, so read as other (1 row)") in said(dataset)


def test_without_the_day_of_the_extract_what_needs_it_is_not_filled(folder: Path) -> None:
    dataset = open_dataset([folder])
    assert not dataset.tables["care_leaver_statuses"].present
    why = "not there or not known, so care_leaver_statuses is not filled from here"
    assert ("extract_date", None, why) in said(dataset)


def test_counts_reconcile(dataset: Dataset) -> None:
    for table in dataset.tables.values():
        assert table.read == table.loaded + table.rejected


def test_no_name_of_a_child_is_loaded(dataset: Dataset) -> None:
    for table in dataset.tables:
        assert "Secret" not in str(dataset.connection.execute(f"SELECT * FROM {table}").fetchall())


# its containers


def test_sqlite_gives_the_same_tables(tmp_path: Path, dataset: Dataset) -> None:
    assert everything(open_dataset([write_sqlite(tmp_path / "extract.db")], as_of=AS_OF)) == everything(dataset)


def test_parquet_gives_the_same_tables(tmp_path: Path, folder: Path, dataset: Dataset) -> None:
    with connect() as connection:
        for path in folder.iterdir():
            copy = f"SELECT * FROM read_csv('{path}', all_varchar=true, header=true, nullstr='NULL')"
            connection.execute(f"COPY ({copy}) TO '{tmp_path / path.stem}.parquet' (FORMAT parquet)")
    assert everything(open_dataset([tmp_path], as_of=AS_OF)) == everything(dataset)


def test_csv_whose_json_is_not_quoted_loses_that_line_and_no_other(tmp_path: Path) -> None:
    lines = ["cine_referral_id,cine_person_id,cine_referral_date,cine_referral_outcome_json"]
    lines += ['R1,1,2020-01-06,"{"NFA_FLAG": "N", "COMMENTS": "a, b"}"', "R2,2,2020-01-07,NULL"]
    (tmp_path / "a.csv").write_text("\r\n".join(lines) + "\r\n")
    dataset = open_dataset([tmp_path])
    assert rows(dataset, "referrals", "referral_id") == ["R2"]
    assert said(dataset, "rejects") == [(None, None, "6 values where the heading has 4")]


def test_the_samples_read_alike_from_csv_and_sqlite() -> None:
    if not SAMPLES.exists():
        pytest.skip("the samples are not here")
    files, one = (open_dataset([path], as_of=AS_OF) for path in (SAMPLES / "csv", SAMPLES / "ssd.sqlite"))
    assert files.tables["people"].loaded == one.tables["people"].loaded == 122
    assert files.tables["looked_after_visits"].loaded == one.tables["looked_after_visits"].loaded == 312
    for dataset in (files, one):
        assert [each for each in said(dataset, "rejects") if each[0] != "person_id"] == []


# a live database


def test_postgres_gives_the_same_tables(server: str, dataset: Dataset) -> None:
    read = open_dataset([server], as_of=AS_OF)
    assert everything(read) == everything(dataset)
    assert ("referral_date", "infinity") in [each[:2] for each in said(read, "rejects")]


def test_lineage_of_a_database_names_its_table_and_no_secret(server: str) -> None:
    read = open_dataset([server], as_of=AS_OF)
    found = read.connection.execute("SELECT file, sheet FROM sources WHERE table_name = 'people'").fetchall()
    assert found == [(shown_url(server), "ssd_person")]
    assert "tester" not in found[0][0]


def test_the_transaction_is_read_only(server: str) -> None:
    from sqlalchemy import text
    from sqlalchemy.exc import InternalError

    with database.opened(server, "here") as opened:
        settings = opened.connection.execute(
            text("SELECT current_setting('transaction_read_only'), current_setting('transaction_isolation')")
        )
        assert tuple(settings.one()) == ("on", "repeatable read")
        with pytest.raises(InternalError, match="read-only transaction"):
            opened.connection.execute(text("DELETE FROM ssd_development.ssd_person"))


def test_a_view_that_writes_is_stopped_by_the_database(server: str) -> None:
    execute(
        server,
        "CREATE SCHEMA sly",
        "CREATE TABLE sly.log (line text)",
        "CREATE FUNCTION sly.writes() RETURNS text LANGUAGE sql AS $$ INSERT INTO sly.log VALUES ('was here') RETURNING line $$",
        "CREATE VIEW sly.ssd_person AS SELECT sly.writes() AS pers_person_id, '2010-01-01'::timestamp AS pers_dob",
    )
    with pytest.raises(DataError, match="ssd_person cannot be read: cannot execute INSERT in a read-only transaction"):
        open_dataset([f"{server}?schema=sly"])


def test_rows_come_through_a_cursor_on_the_server_a_batch_at_a_time(server: str, monkeypatch: pytest.MonkeyPatch) -> None:
    from sqlalchemy import Engine, event

    cursors, added = [], []
    add = text_table.TextTable.add

    def counted(table: text_table.TextTable, numbers: Any, records: Any) -> None:
        added.append(len(records))
        add(table, numbers, records)

    def seen(_: Any, cursor: Any, statement: str, *__: Any) -> None:
        if "ssd_development" in statement:
            cursors.append(type(cursor).__name__)

    monkeypatch.setattr(database, "BATCH", 2)
    monkeypatch.setattr(text_table.TextTable, "add", counted)
    event.listen(Engine, "before_cursor_execute", seen)
    try:
        open_dataset([server], as_of=AS_OF)
    finally:
        event.remove(Engine, "before_cursor_execute", seen)
    assert cursors and set(cursors) == {"ServerCursor"}
    assert max(added) == 2


def test_memory_does_not_grow_with_the_table(server: str) -> None:
    peaks = []
    for name, count in (("few", 40_000), ("many", 160_000)):
        execute(
            server,
            f"CREATE SCHEMA {name}",
            f"CREATE TABLE {name}.ssd_cla_visits AS "
            "SELECT n::varchar AS clav_cla_visit_id, (n % 5000)::varchar AS clav_person_id, "
            f"timestamp '2020-01-01' + n * interval '1 minute' AS clav_cla_visit_date FROM generate_series(1, {count}) n",
        )
        tracemalloc.start()
        dataset = open_dataset([f"{server}?schema={name}"])
        peaks.append(tracemalloc.get_traced_memory()[1])
        tracemalloc.stop()
        assert dataset.tables["looked_after_visits"].loaded == count
    assert peaks[1] < peaks[0] * 1.3


def test_the_limit_of_rows_holds_for_a_database(server: str) -> None:
    with pytest.raises(DataError, match="beyond the limit of 3"):
        open_dataset([server], limits=Limits(rows=3))


def test_a_schema_that_holds_no_tables_is_refused_with_those_that_do(server: str) -> None:
    with pytest.raises(UsageError, match="no SSD tables in the schema elsewhere") as refused:
        open_dataset([f"{server}?schema=elsewhere"])
    assert "ssd_development" in (refused.value.help or "")


@pytest.mark.parametrize(
    "change",
    [
        lambda url: url.replace(postgres_server.IN_A_URL, "hunter3"),
        lambda url: url.replace("/postgres", "/nowhere"),
        lambda url: url.replace("127.0.0.1:", "127.0.0.1:1"),
        lambda url: url.replace("127.0.0.1", "no such host"),
        lambda url: url.replace(postgres_server.IN_A_URL, postgres_server.PASSWORD + "@x"),
        lambda url: url.replace("postgresql:", "postgresql+nodriver:"),
        lambda url: url + "?password=hunter2&sslmode=nonsense",
        lambda url: url.replace("127.0.0.1:", "127.0.0.1:port"),
    ],
    ids=["password", "database", "port", "host", "at sign", "driver", "options", "not a port"],
)
def test_no_error_says_a_password(server: str, change: Any) -> None:
    with pytest.raises(ComplianceError) as refused:
        open_dataset([change(server)])
    told = f"{refused.value.message} {refused.value.help}"
    assert refused.value.exit_code in (2, 3)
    assert "hunter" not in told and "ö" not in told
    assert refused.value.__cause__ is None and refused.value.__suppress_context__


def test_the_command_says_no_password_either(server: str, compliance: Any) -> None:
    done: subprocess.CompletedProcess[str] = compliance("check", server.replace("/postgres", "/nowhere"), "--as-of", "2021-03-31")
    assert done.returncode in (2, 3)
    assert 'database "nowhere" does not exist' in done.stderr
    assert "hunter" not in done.stderr + done.stdout and "Traceback" not in done.stderr


def test_the_queries_are_right_for_sql_server_and_mysql() -> None:
    from sqlalchemy.dialects import mssql, mysql

    table = database.FoundTable("dbo", "SSD_person", ("pers_person_id", "pers_dob"))
    spelled = {
        "mssql": str(database.reading(table, ["pers_dob"], "pers_person_id", "mssql").compile(dialect=mssql.dialect())),
        "mysql": str(database.reading(table, ["pers_dob"], "pers_person_id", "mysql").compile(dialect=mysql.dialect())),
    }
    assert " ".join(spelled["mssql"].split()) == ("SELECT t.[pers_dob] FROM [dbo].[SSD_person] AS t ORDER BY t.[pers_person_id]")
    assert " ".join(spelled["mysql"].split()) == (
        "SELECT CAST(t.`pers_dob` AS CHAR) AS `pers_dob` FROM `dbo`.`SSD_person` AS t ORDER BY t.`pers_person_id`"
    )
    for name, dialect in (("mssql", mssql.dialect()), ("mysql", mysql.dialect())):
        listed = str(database.listing(["ssd_person"], name).compile(dialect=dialect, compile_kwargs={"literal_binds": True}))
        assert "lower(" in listed.lower() and "'ssd_person'" in listed
    assert "[INFORMATION_SCHEMA].[COLUMNS]" in str(database.listing(["a"], "mssql").compile(dialect=mssql.dialect()))


class Recorded:
    """Stands for an engine and its connection, and keeps what is asked of them."""

    def __init__(self, dialect: str) -> None:
        self.dialect = SimpleNamespace(name=dialect)
        self.said: list[object] = []

    def connect(self) -> Recorded:
        return self

    def execution_options(self, **options: object) -> Recorded:
        self.said.append(options)
        return self

    def exec_driver_sql(self, statement: str) -> None:
        self.said.append(statement)

    def rollback(self) -> None:
        self.said.append("rollback")


@pytest.mark.parametrize(
    ("dialect", "said"),
    [
        ("mysql", [{"isolation_level": "REPEATABLE READ"}, "SET SESSION TRANSACTION READ ONLY", "rollback"]),
        ("mariadb", [{"isolation_level": "REPEATABLE READ"}, "SET SESSION TRANSACTION READ ONLY", "rollback"]),
        ("mssql", [{"isolation_level": "READ COMMITTED"}, "SET LOCK_TIMEOUT 60000"]),
    ],
)
def test_what_is_set_before_anything_is_read(dialect: str, said: list[object]) -> None:
    """The rollback ends the transaction in which the setting was made, so that the next one, the reading, is read only."""
    engine = Recorded(dialect)
    database._connected(engine, f"{dialect}://host/db", "db")  # type: ignore[arg-type]
    assert engine.said == said


@pytest.mark.parametrize(
    ("url", "intent"),
    [
        ("mssql://host/db", "ReadOnly"),
        ("mssql+pyodbc://host/db?driver=ODBC+Driver+18", "ReadOnly"),
        ("mssql+pyodbc://host/db?ApplicationIntent=ReadWrite", "ReadWrite"),
        ("mysql://host/db", None),
    ],
)
def test_sql_server_is_told_that_nothing_will_be_written(url: str, intent: str | None) -> None:
    asked, _ = database._asked(url, "db")
    assert asked.query.get("ApplicationIntent") == intent


@pytest.mark.parametrize("url", ["mssql://me:hunter2@host/db", "mysql://me:hunter2@host/db"])
def test_a_driver_that_is_not_installed_is_named(url: str) -> None:
    from importlib.util import find_spec

    if find_spec("pyodbc") or find_spec("pymysql"):
        pytest.skip("the drivers are installed")
    with pytest.raises(UsageError, match=r"the driver (pyodbc|pymysql) is not installed") as refused:
        open_dataset([url])
    assert "pip install" in (refused.value.help or "") and "hunter" not in str(refused.value)


def test_a_url_of_another_kind_is_no_database_of_ours() -> None:
    assert ssd.recognise_url("oracle://host/db") is None
    assert ssd.recognise_url("postgresql+psycopg://host/db") == "a PostgreSQL database, by its URL"
    assert ssd.recognise_url("mssql://host/db") == "a SQL Server database, by its URL"


def test_a_csv_with_nul_bytes_is_refused(tmp_path: Path) -> None:
    rows = b"".join(b"%d,2010-01-01\n" % number for number in range(HEAD_BYTES // 10))
    (tmp_path / "a.csv").write_bytes(b"pers_person_id,pers_dob\n" + rows + b"x,\0\n")
    with pytest.raises(DataError, match="NUL"):
        open_dataset([tmp_path])


def test_a_word_that_looks_like_sql_is_only_a_word(tmp_path: Path) -> None:
    with (tmp_path / "a.csv").open("w", newline="") as stream:
        writer = csv.writer(stream)
        writer.writerow(["pers_person_id", "pers_sex"])
        writer.writerow(["1'); DROP TABLE people; --", "'; DROP TABLE people; --"])
    dataset = open_dataset([tmp_path])
    assert rows(dataset, "people", "person_id", "sex") == [("1'); DROP TABLE people; --", None)]


@pytest.mark.parametrize("blank", ["", "NULL", "na", "N/A", "#N/A", "NaN", "<NA>", "SSD_PH", "Unknown", "1900-01-01 00:00"])
def test_every_sentinel_is_a_blank(tmp_path: Path, blank: str) -> None:
    lines = ["pers_person_id,pers_upn,pers_sex,pers_dob", f"1,{blank},F,2010-03-12 00:00:00.000", "2,Unknowable,F,12/03/2010"]
    (tmp_path / "person.csv").write_text("\n".join(lines) + "\n")
    dataset = open_dataset([tmp_path])
    found = dataset.connection.execute("SELECT person_id, upn, birth_date::VARCHAR FROM people ORDER BY 1").fetchall()
    assert found == [("1", None, "2010-03-12"), ("2", "Unknowable", "2010-03-12")]


@pytest.mark.parametrize(
    ("said", "meant"),
    [
        *[("YES - In touch", "in_touch"), ("NO - Not in touch", "not_in_touch"), ("DIED - Died after leaving care", "died")],
        *[("REFU - Refuses contact", "refuses_contact"), ("NREQ - No longer requires services", "no_longer_requires")],
        *[("RHOM - Returned to parents for 6 months", "returned_home"), ("rhom", "returned_home"), ("Nowhere", None)],
    ],
)
def test_in_touch_as_a_code_and_a_description(said: str, meant: str | None) -> None:
    assert mapping().words["in_touch"].code_of(said) == meant
