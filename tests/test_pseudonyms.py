"""Under --pseudonymise no output of any form holds an id, a row, a file's name or a word that people wrote."""

from __future__ import annotations

import csv
import io
import json
import re
import zipfile
import zlib
from collections.abc import Iterator
from pathlib import Path

import duckdb
import pytest

from compliance.outputs.published import WRITERS
from conftest import Command
from register_data import council

KEY = "a key that is long enough"
SAID = ("Aunt Matilda", "rings Nan", "Uncle Bertram", "seen by Gwendolen", "ask Peregrine", "Ignatius")
LETTERS = {"C": "LAMB", "W": "HERON", "R": "LAMBREF", "A": "ALLOC"}


def renamed(text: str) -> str:
    """The text with ids that are found nowhere by chance: C1 is LAMB-0001-X."""
    return re.sub(r"\b([CWRA])(\d)\b", lambda found: f"{LETTERS[found[1]]}-000{found[2]}-X", text)


@pytest.fixture
def hidden(tmp_path: Path) -> tuple[Path, list[object]]:
    """A council whose ids, files and decisions would give people away, and the options that hide them."""
    data, rules = council(tmp_path)
    for path in data.glob("*.csv"):
        path.write_text(renamed(path.read_text()))
    with (data / "referrals.csv").open("a") as file:
        file.write("LAMBREF-0009-X,LAMB-0001-X,2021-13-77,,\nLAMBREF-0008-X,LAMB-0003-X,2021-09-01,2021-08-01,\n")
    (data / "register.yaml").write_text(
        "risks: [{rule: T-RISK, scope: {type: child, id: LAMB-0001-X}, owner: Aunt Matilda, controls: [rings Nan],"
        " actions: [{action: ask Peregrine, owner: Ignatius, due: 2021-10-01, plan_action: Ignatius}],"
        " accepted: {likelihood: 2, impact: 5, reason: seen by Gwendolen}, target: {likelihood: 1, impact: 5}}]\n"
        "waivers: [{rule: T-ONE, scope: {type: child, id: LAMB-0002-X}, reason: Uncle Bertram, approver: Aunt Matilda,"
        " granted: 2021-09-01, expires: 2021-12-01}]\n"
    )
    (tmp_path / "key").write_text(KEY)
    return data, ["--rules", rules, "--pseudonymise", "--key", tmp_path / "key"]


def originals(data: Path) -> set[str]:
    """Every id in the dataset but those of teams, and what people wrote."""
    found = set(SAID) | {KEY, "referrals.csv", "allocations.csv"}
    for path in data.glob("*.csv"):
        for row in csv.DictReader(io.StringIO(path.read_text())):
            found |= {value for name, value in row.items() if name and name.endswith("_id") and name != "team_id" and value}
    return found


def everything_in(path: Path) -> Iterator[str]:
    """The text of a file, of the files in it where it is an archive, and of what is compressed in it."""
    raw = path.read_bytes()
    if zipfile.is_zipfile(path):
        with zipfile.ZipFile(path) as archive:
            yield from (archive.read(name).decode("utf-8", "replace") for name in archive.namelist())
    elif path.suffix == ".parquet":
        yield str(duckdb.sql(f"SELECT * FROM '{path}'").fetchall())
    for piece in re.findall(rb"stream\r?\n(.*?)\r?\nendstream", raw, re.DOTALL) if path.suffix == ".pdf" else ():
        try:
            yield zlib.decompress(piece).decode("latin-1")
        except zlib.error:
            continue
    yield raw.decode("utf-8", "replace")


def test_no_output_holds_what_was_hidden(hidden: tuple[Path, list[object]], compliance: Command, tmp_path: Path) -> None:
    data, options = hidden
    outputs = [word for form in WRITERS for word in ("--output", f"{form}={tmp_path / 'made'}.{form}")]
    said = [
        compliance("check", data, *options, *outputs, "--all", "--save", tmp_path / "kept"),
        compliance("register", data, *options, "--format", "json", "--since", tmp_path / "kept"),
        compliance("register", data, *options, "--full", "--svg", tmp_path / "made.svg", "--equality"),
        *(compliance("worklist", data, *options, "--format", form) for form in ("text", "json", "csv", "ics")),
        compliance("report", data, *options, *(word.replace("made.", "again.") for word in outputs)),
    ]
    assert [(one.returncode, one.stderr) for one in said[:-1]] == [(1, ""), *[(0, "")] * 6]
    assert said[-1].returncode == 0
    texts = {str(number): one.stdout for number, one in enumerate(said)}
    places = [*tmp_path.glob("made.*"), *tmp_path.glob("again.*"), *(tmp_path / "kept").iterdir()]
    assert len(places) == 2 * len(WRITERS) + 1 + 3
    texts |= {path.name: "\n".join(everything_in(path)) for path in places}
    wanted = originals(data)
    assert len(wanted) > 20
    found = [(name, word) for name, text in texts.items() for word in wanted if word in text]
    assert found == []
    assert all("C-" in texts[f"made.{form}"] for form in ("csv", "xlsx", "html", "parquet")), "pseudonyms stand there instead"


def test_without_the_switch_the_same_outputs_hold_ids(
    hidden: tuple[Path, list[object]], compliance: Command, tmp_path: Path
) -> None:
    data, options = hidden
    outputs = [word for form in WRITERS for word in ("--output", f"{form}={tmp_path / 'plain'}.{form}")]
    assert compliance("check", data, *options[:2], *outputs, "--all").returncode == 1
    for form in set(WRITERS) - {"pdf", "docx"}:
        assert any("LAMB-0001-X" in text for text in everything_in(tmp_path / f"plain.{form}")), form


def test_a_baseline_of_another_key_is_refused(hidden: tuple[Path, list[object]], compliance: Command, tmp_path: Path) -> None:
    data, options = hidden
    base = tmp_path / "base.json"
    compliance("check", data, *options, "--output", f"json={base}")
    assert json.loads(base.read_text())["run"]["pseudonyms"]
    same = compliance("check", data, *options, "--baseline", base)
    assert (same.returncode, "0 new" in same.stderr) == (0, True)
    plain = compliance("check", data, *options[:2], "--baseline", base)
    assert plain.returncode == 2
    assert "replaced under another key, or not at all" in plain.stderr
