"""A folder of canonical tables becomes a dataset; what cannot be read safely is refused by name."""

from __future__ import annotations

import os
from datetime import date
from pathlib import Path
from typing import Any

import duckdb
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from compliance.dataset.ingest import Authority
from compliance.dataset.load import Dataset, connect, open_dataset
from compliance.errors import DataError, UsageError

VISITS = "visit_id,person_id,visit_date\nV1,C1,2024-01-01\nV2,C1,02/01/2024\n"


def write(folder: Path, **files: str | bytes) -> Path:
    for label, content in files.items():
        path = folder / label.replace("__", "/").replace("_csv", ".csv").replace("_yaml", ".yaml")
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content if isinstance(content, bytes) else content.encode())
    return folder


def rows(dataset: Dataset, sql: str) -> list[tuple[Any, ...]]:
    return dataset.connection.execute(sql).fetchall()


def parquet(path: Path, sql: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    with duckdb.connect() as connection:
        connection.execute(f"COPY ({sql}) TO '{path}' (FORMAT parquet)")


def test_a_folder_of_csv(tmp_path: Path) -> None:
    write(tmp_path, cp_visits_csv=VISITS, **{"PEOPLE.CSV": "person_id\nC1\n", "notes.txt": "hello"})
    dataset = open_dataset([tmp_path])
    assert rows(dataset, "SELECT visit_id, visit_date, source_row FROM cp_visits ORDER BY 1") == [
        ("V1", date(2024, 1, 1), 2),
        ("V2", date(2024, 1, 2), 3),
    ]
    assert dataset.tables["people"].loaded == 1
    assert dataset.tables["cp_visits"].columns == {"visit_id", "person_id", "visit_date"}
    assert not dataset.tables["referrals"].present
    assert dataset.ignored == ("notes.txt",)
    assert dataset.authorities == (Authority("local", "This council"),)


def test_settings_of_the_dataset(tmp_path: Path) -> None:
    write(
        tmp_path,
        cp_visits_csv=VISITS,
        dataset_yaml="authority: {code: E06000019, name: Herefordshire}\nextract_date: 2024-03-31\n"
        "parameters: {visit_interval: 10 working days, limit: 16}\nhistory: {cp_visits: latest}\n",
    )
    dataset = open_dataset([tmp_path])
    assert dataset.authorities == (Authority("E06000019", "Herefordshire"),)
    assert dataset.extract_date == date(2024, 3, 31)
    assert dataset.config.parameters == {"visit_interval": "10 working days", "limit": 16}
    assert dataset.tables["cp_visits"].history == "latest"
    assert rows(dataset, "SELECT DISTINCT authority FROM cp_visits") == [("E06000019",)]


@pytest.mark.parametrize(
    ("text", "message", "help"),
    [
        ("authorty: {code: E1}", "authorty: there is no such key", "the nearest is authority"),
        ("authority: {cod: E1, code: E1}", "authority.cod: there is no such key", "the nearest is code"),
        ("history: {cp_vists: full}", "history.cp_vists: there is no such table", "the nearest is cp_visits"),
        ("history: {cp_visits: some}", "history.cp_visits: Input should be 'full' or 'latest'", None),
        ("extract_date: soon", "extract_date: Input should be a valid date", None),
        ("a: [", "dataset.yaml:1:5: ", None),
    ],
)
def test_settings_that_are_refused(tmp_path: Path, text: str, message: str, help: str | None) -> None:
    write(tmp_path, cp_visits_csv=VISITS, dataset_yaml=text)
    with pytest.raises(UsageError) as refused:
        open_dataset([tmp_path])
    assert "dataset.yaml" in refused.value.message and message in refused.value.message
    assert help is None or help in (refused.value.help or "")


@pytest.mark.parametrize(
    "content",
    [
        b"\xef\xbb\xbf" + VISITS.encode(),
        VISITS.replace("\n", "\r\n").encode(),
        VISITS.replace("visit_id,person_id", '"Visit ID", Person Id ').encode(),
        VISITS.replace("\nV2", "\n\nV2").encode(),
        VISITS.replace("V1", "V1\t").encode(),
        VISITS.replace("C1,2024", '"C1\n",2024').encode(),
        VISITS.rstrip("\n").encode(),
        VISITS.replace("V1", "\u00a0V1").encode("cp1252"),
    ],
    ids=["bom", "crlf", "headings", "blank line", "tab", "quoted newline", "no last newline", "cp1252"],
)
def test_csv_as_it_comes(tmp_path: Path, content: bytes) -> None:
    dataset = open_dataset([write(tmp_path, cp_visits_csv=content)])
    found = rows(dataset, "SELECT visit_id, person_id, visit_date FROM cp_visits ORDER BY 1")
    assert found == [("V1", "C1", date(2024, 1, 1)), ("V2", "C1", date(2024, 1, 2))]


def test_windows_text(tmp_path: Path) -> None:
    text = "visit_id,person_id,visit_date,not_seen_alone_reason\nV1,C1,2024-01-01,café – closed\n"
    dataset = open_dataset([write(tmp_path, cp_visits_csv=text.encode("cp1252"))])
    assert rows(dataset, "SELECT not_seen_alone_reason FROM cp_visits") == [("café – closed",)]


def test_a_ragged_line_is_rejected_with_its_row(tmp_path: Path) -> None:
    ragged = VISITS.replace("V2", "V3,C1\nV4,C1,2024-01-04,more\nV2")
    dataset = open_dataset([write(tmp_path, cp_visits_csv=ragged)])
    table = dataset.tables["cp_visits"]
    assert (table.read, table.loaded, table.rejected) == (4, 2, 2)
    assert rows(dataset, "SELECT source_row, value, reason FROM rejects ORDER BY 1") == [
        (3, None, "2 values where the heading has 3"),
        (4, None, "4 values where the heading has 3"),
    ]
    assert rows(dataset, "SELECT source_row FROM cp_visits ORDER BY 1") == [(2,), (5,)]


def test_rows_keep_their_place_after_a_blank_line(tmp_path: Path) -> None:
    dataset = open_dataset([write(tmp_path, cp_visits_csv=VISITS.replace("\nV2", "\n\nV2"))])
    assert rows(dataset, "SELECT source_row FROM cp_visits ORDER BY 1") == [(2,), (4,)]


@pytest.mark.parametrize(
    ("content", "error", "words"),
    [
        (VISITS.replace("C1", "C\0"), DataError, "NUL"),
        (VISITS.encode("utf-16"), DataError, "NUL"),
        (VISITS + '"unclosed', DataError, "cp_visits.csv:"),
        ("", UsageError, "has no headings"),
        ("colour,shape\nred,round\n", UsageError, "no heading is a column of cp_visits"),
        ("visit_id,Visit ID\n1,2\n", UsageError, "visit_id comes twice"),
    ],
)
def test_files_that_are_refused(tmp_path: Path, content: str | bytes, error: type[Exception], words: str) -> None:
    with pytest.raises(error, match=words):
        open_dataset([write(tmp_path, cp_visits_csv=content)])


def test_a_heading_that_is_not_known_is_noticed(tmp_path: Path) -> None:
    dataset = open_dataset([write(tmp_path, cp_visits_csv=VISITS.replace("visit_date", "visit_date,chld_was_seen"))])
    assert dataset.tables["cp_visits"].rejected == 2
    dataset = open_dataset([write(tmp_path, cp_visits_csv="visit_id,person_id,visit_date,workerid\nV1,C1,2024-01-01,W\n")])
    assert rows(dataset, "SELECT source_row, column_name, reason FROM notices") == [
        (1, "workerid", "not a column of this table; the nearest is worker_id")
    ]


@pytest.mark.parametrize(
    ("files", "words", "help"),
    [
        ({}, "is empty", "people.csv"),
        ({"cp_vists_csv": VISITS}, "cp_vists.csv is not one", "the nearest is cp_visits"),
        ({"notes.txt": ""}, "holds no canonical table", "people.csv"),
    ],
)
def test_folders_with_nothing_to_read(tmp_path: Path, files: dict[str, str], words: str, help: str) -> None:
    with pytest.raises(UsageError, match=words) as refused:
        open_dataset([write(tmp_path, **files)])
    assert help in (refused.value.help or "")
    assert refused.value.exit_code == 2


def test_paths_that_are_not_there(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="does not exist"):
        open_dataset([tmp_path / "nowhere"])
    with pytest.raises(UsageError, match=r"notes.txt is of no known format"):
        open_dataset([write(tmp_path, **{"notes.txt": "a,b"}) / "notes.txt"])
    with pytest.raises(UsageError, match="no dataset"):
        open_dataset([])


def test_links_and_devices_are_refused(tmp_path: Path) -> None:
    outside = write(tmp_path / "outside", people_csv="person_id\nC1\n") / "people.csv"
    linked, piped = tmp_path / "linked", tmp_path / "piped"
    linked.mkdir()
    piped.mkdir()
    (linked / "people.csv").symlink_to(outside)
    os.mkfifo(piped / "people.csv")
    with pytest.raises(DataError, match="a link out of"):
        open_dataset([linked])
    with pytest.raises(DataError, match="not a plain file"):
        open_dataset([piped])


def test_parquet_with_types_of_its_own(tmp_path: Path) -> None:
    parquet(tmp_path / "cp_visits.parquet", "SELECT 7.0 AS visit_id, 'C1' AS person_id, DATE '2024-01-01' AS visit_date, "
            "true AS child_was_seen, TIMESTAMP '2024-01-01 10:00' AS recorded_at")  # fmt: skip
    dataset = open_dataset([tmp_path])
    assert rows(dataset, "SELECT visit_id, visit_date, child_was_seen, source_row FROM cp_visits") == [
        ("7", date(2024, 1, 1), True, 2)
    ]


def test_a_folder_of_parquet_files(tmp_path: Path) -> None:
    for n in (1, 2):
        parquet(tmp_path / "people" / f"part-{n}.parquet", f"SELECT 'C' || {n} || i AS person_id FROM range(3) r(i)")
    dataset = open_dataset([tmp_path])
    assert rows(dataset, "SELECT source_row FROM people ORDER BY 1") == [(n,) for n in range(2, 8)]
    assert dataset.tables["people"].sources[0].file == "people/ (2 Parquet files)"


@pytest.mark.parametrize("layout", ["people/authority={}/a.parquet", "authority={}/people.parquet"])
def test_a_folder_for_each_authority(tmp_path: Path, layout: str) -> None:
    for code in ("E1", "E2"):
        parquet(tmp_path / layout.format(code), "SELECT 'C1' AS person_id, 'F' AS family_id")
    dataset = open_dataset([tmp_path])
    assert rows(dataset, "SELECT person_id, family_id, authority FROM people ORDER BY 1") == [
        ("E1/C1", "E1/F", "E1"),
        ("E2/C1", "E2/F", "E2"),
    ]
    assert [each.code for each in dataset.authorities] == ["E1", "E2"]


def test_two_councils_in_two_folders(tmp_path: Path) -> None:
    folders = [tmp_path / code for code in ("E1", "E2")]
    for folder in folders:
        write(folder, people_csv="person_id\nC1\n", dataset_yaml=f"authority: {{code: {folder.name}, name: {folder.name}x}}")
    dataset = open_dataset(folders)
    assert dataset.authorities == (Authority("E1", "E1x"), Authority("E2", "E2x"))
    assert rows(dataset, "SELECT person_id FROM people ORDER BY 1") == [("E1/C1",), ("E2/C1",)]


def test_damaged_parquet(tmp_path: Path) -> None:
    (tmp_path / "people.parquet").write_bytes(b"PAR1 not really")
    with pytest.raises(DataError, match=r"people\.parquet: cannot be read as Parquet"):
        open_dataset([tmp_path])


def test_nothing_run_on_a_dataset_can_touch_a_file(tmp_path: Path) -> None:
    dataset = open_dataset([write(tmp_path, people_csv="person_id\nC1\n")])
    for sql in (f"FROM '{tmp_path}/people.csv'", f"COPY people TO '{tmp_path}/x.csv'", "SET enable_external_access = true"):
        with pytest.raises(duckdb.Error):
            dataset.connection.execute(sql)


def test_the_digest_is_of_names_and_content(tmp_path: Path) -> None:
    one = open_dataset([write(tmp_path / "a", cp_visits_csv=VISITS)]).digest
    assert open_dataset([write(tmp_path / "b", cp_visits_csv=VISITS)]).digest == one
    assert open_dataset([write(tmp_path / "c", cp_visits_csv=VISITS + "V3,C1,2024-01-03\n")]).digest != one


def test_progress_is_told(tmp_path: Path) -> None:
    told: list[str] = []
    open_dataset([write(tmp_path, people_csv="person_id\nC1\n")], progress=told.append)
    assert told == ["reading people"]


@settings(max_examples=30, deadline=None)
@given(st.lists(st.text("a,\"\n\r' \t1\u00a0é", max_size=6), min_size=1, max_size=6))
def test_any_text_survives_quoting(tmp_path_factory: pytest.TempPathFactory, texts: list[str]) -> None:
    lines = ["visit_id,person_id,visit_date,not_seen_alone_reason"]
    lines += [f'V{n},C1,2024-01-01,"{text.replace(chr(34), chr(34) * 2)}"' for n, text in enumerate(texts)]
    folder = write(tmp_path_factory.mktemp("quoted"), cp_visits_csv="\n".join(lines) + "\n")
    found = rows(open_dataset([folder]), "SELECT not_seen_alone_reason FROM cp_visits ORDER BY source_row")
    assert [row[0] for row in found] == [text.strip(" \t\r\n\u00a0") or None for text in texts]


def test_what_does_not_fit_in_memory_goes_to_a_private_folder_that_goes_with_the_connection() -> None:
    connection = connect()
    (folder,) = connection.execute("SELECT current_setting('temp_directory')").fetchone() or ("",)
    connection.execute("SET memory_limit = '60MB'; SET threads = 1")
    connection.execute("CREATE TABLE t AS SELECT range AS n, 'a text of some length ' || range AS w FROM range(2000000)")
    assert Path(folder).stat().st_mode & 0o777 == 0o700
    assert list(Path(folder).iterdir())
    del connection
    assert not Path(folder).exists()
