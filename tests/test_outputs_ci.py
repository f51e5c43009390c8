"""What CI reads: JUnit, SARIF, GitHub's and GitLab's forms, gates and baselines, and the ready pipelines."""

from __future__ import annotations

import gzip
import json
import shlex
from itertools import pairwise
from pathlib import Path
from typing import Any

import jsonschema
import pytest
import yaml
from lxml import etree

from conftest import ROOT, Command

SCHEMAS = Path(__file__).parent / "data" / "schemas"
RULES = """
instruments: [{id: test, title: A test}]
rules:
  - id: T-ONE
    title: A referral is decided within one working day
    instrument: test
    provision: "1"
    theme: front_door
    standing: statutory_guidance
    severity: high
    verified: text
    law: A decision within one working day.
    deadline: {of: referrals, trigger: referral_date, within: 1 working day, done: decision_date}
  - id: T-CLOSED
    title: A referral is closed within a year
    instrument: test
    provision: "2"
    theme: front_door
    standing: local_policy
    severity: low
    verified: text
    law: Closed within a year.
    deadline: {of: referrals, trigger: referral_date, within: 1 year, done: closed_date}
  - id: T-CONTACT
    title: A contact is decided within one working day
    instrument: test
    provision: "3"
    theme: front_door
    standing: local_policy
    severity: medium
    verified: text
    law: A decision within one working day.
    deadline: {of: contacts, trigger: received_at, within: 1 working day, done: decided_at}
"""
ROWS = (
    "referral_id,person_id,referral_date,decision_date,decision,closed_date\n"
    "R1,C1,2021-03-01,2021-03-09,assessment,2021-04-01\n"
    "R2,C2,2021-03-01,2021-03-02,assessment,2021-04-01\n"
    "R3,C3,2021-03-01,2021-03-02,assessment,2021-04-01\n"
    '"R4,%0A::error::x","C4\x07",2021-03-01,,assessment,2021-04-01\n'
)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A working folder with a dataset of four referrals, of which two are breaches, and rules: one met, one not evaluated."""
    (tmp_path / "data").mkdir()
    (tmp_path / "data" / "referrals.csv").write_text(ROWS)
    (tmp_path / "data" / "dataset.yaml").write_text("authority: {code: E06000019, name: H}\nextract_date: 2021-09-30\n")
    (tmp_path / "rules").mkdir()
    (tmp_path / "rules" / "one.yaml").write_text(RULES)
    for name in ("scoring.yaml", "ladder.yaml"):
        (tmp_path / "rules" / name).write_text((ROOT / "rules" / name).read_text())
    return tmp_path


def schema(name: str) -> Any:
    """A schema of tests/data/schemas."""
    path = SCHEMAS / name
    return json.loads(gzip.decompress(path.read_bytes()) if path.suffix == ".gz" else path.read_bytes())


def validate(document: Any, name: str) -> None:
    """Nothing, or an error where the document is not what its schema says."""
    wanted = schema(name)
    jsonschema.validators.validator_for(wanted)(wanted).validate(document)


def check(compliance: Command, folder: Path, *arguments: str) -> Any:
    """`compliance check` of the dataset, run in its folder."""
    return compliance("check", "data", "--rules", "rules", *arguments, cwd=folder)


def test_junit_has_a_case_a_rule(compliance: Command, folder: Path) -> None:
    result = check(compliance, folder, "--format", "junit")
    assert result.returncode == 1, result.stderr
    tree = etree.fromstring(result.stdout.encode())
    etree.XMLSchema(etree.parse(SCHEMAS / "junit.xsd")).assertValid(tree)
    cases = {case.get("name").split()[0]: case for case in tree.iter("testcase")}
    assert set(cases) == {"T-ONE", "T-CLOSED", "T-CONTACT"}
    assert {name: tree.get(name) for name in ("tests", "failures", "skipped", "errors")} == {
        "tests": "3", "failures": "1", "skipped": "1", "errors": "0",
    }  # fmt: skip
    failure = cases["T-ONE"].find("failure")
    assert failure.get("type") == "high"
    assert failure.get("message") == "2 breaches: 1 open, 1 closed"
    assert "was due by 2021-03-02, done 2021-03-09, 7 days late" in failure.text
    assert "needs contacts." in cases["T-CONTACT"].find("skipped").get("message")
    assert len(cases["T-CLOSED"]) == 0


def test_junit_has_only_the_rules_asked_for(compliance: Command, folder: Path) -> None:
    tree = etree.fromstring(check(compliance, folder, "--format", "junit", "--rule", "T-CLOSED").stdout.encode())
    assert [case.get("name").split()[0] for case in tree.iter("testcase")] == ["T-CLOSED"]


def test_sarif_points_at_the_row(compliance: Command, folder: Path) -> None:
    document = json.loads(check(compliance, folder, "--format", "sarif").stdout)
    validate(document, "sarif-2.1.0.json.gz")
    run = document["runs"][0]
    first = next(one for one in run["results"] if "7 days late" in one["message"]["text"])
    assert first["level"] == "error"
    assert run["tool"]["driver"]["rules"][first["ruleIndex"]]["id"] == first["ruleId"] == "T-ONE"
    place = first["locations"][0]["physicalLocation"]
    assert place == {"artifactLocation": {"uri": "data/referrals.csv"}, "region": {"startLine": 2}}
    notes = [one["message"]["text"] for one in run["invocations"][0]["toolExecutionNotifications"]]
    assert any(note.startswith("T-CONTACT was not evaluated") for note in notes)


def test_github_has_a_command_a_rule_that_data_cannot_break_out_of(compliance: Command, folder: Path) -> None:
    lines = check(compliance, folder, "--format", "github").stdout.splitlines()
    assert len(lines) == 1
    assert lines[0].startswith("::error file=data/referrals.csv,line=")
    assert "title=T-ONE (2 breaches)::A referral is decided" in lines[0]


def test_gitlab_is_a_code_quality_report(compliance: Command, folder: Path) -> None:
    document = json.loads(check(compliance, folder, "--format", "gitlab").stdout)
    validate(document, "gitlab-code-quality.json")
    assert [one["severity"] for one in document] == ["critical", "critical"]
    assert {one["location"]["lines"]["begin"] for one in document} == {2, 5}


@pytest.mark.parametrize(
    ("fail_on", "code"),
    [
        ("low", 1), ("high", 1), ("critical", 0), ("never", 0),
        ("high:2", 1), ("high:3", 0), ("critical:1", 0),
        ("high:50%", 1), ("high:50.1%", 0), ("low:25%", 1), ("low:25.1%", 0), ("critical:0%", 0), ("high:0%", 1),
    ],
)  # fmt: skip
def test_fail_on_takes_a_count_or_a_percentage(compliance: Command, folder: Path, fail_on: str, code: int) -> None:
    result = check(compliance, folder, "--fail-on", fail_on)
    assert result.returncode == code, result.stderr


@pytest.mark.parametrize("fail_on", ["severe", "high:", "high:0", "high:1.5", "high:x%", "never:1", "high:-1", "high:1e3"])
def test_fail_on_refuses_what_it_does_not_know(compliance: Command, folder: Path, fail_on: str) -> None:
    result = check(compliance, folder, "--fail-on", fail_on)
    assert result.returncode == 2
    assert "is not a" in result.stderr


def test_with_a_baseline_only_new_breaches_count(compliance: Command, folder: Path) -> None:
    assert check(compliance, folder, "--output", "json=base.json").returncode == 1
    same = check(compliance, folder, "--baseline", "base.json")
    assert same.returncode == 0
    assert "0 new, 0 no longer found, 2 unchanged" in same.stderr
    path = folder / "data" / "referrals.csv"
    path.write_text(path.read_text().replace("R2,C2,2021-03-01,2021-03-02", "R2,C2,2021-03-01,2021-03-03"))
    outputs = ["--output", "junit=x.xml", "--output", "sarif=x.sarif", "--output", "gitlab=x.json"]
    result = check(compliance, folder, "--baseline", "base.json", *outputs)
    assert result.returncode == 1
    assert "1 new, 0 no longer found, 2 unchanged" in result.stderr
    assert check(compliance, folder, "--baseline", "base.json", "--fail-on", "high:2").returncode == 0
    assert "1 breaches" in (folder / "x.xml").read_text()
    assert len(json.loads((folder / "x.json").read_text())) == 1
    states = [one["baselineState"] for one in json.loads((folder / "x.sarif").read_text())["runs"][0]["results"]]
    assert sorted(states) == ["new", "unchanged", "unchanged"]


@pytest.mark.parametrize("text", ["", "[]", "{}", '{"findings": [1]}', '{"findings": 1}', "[" * 100000])
def test_a_baseline_that_is_not_one_is_refused(compliance: Command, folder: Path, text: str) -> None:
    (folder / "base.json").write_text(text)
    result = check(compliance, folder, "--baseline", "base.json")
    assert result.returncode == 2
    assert "not a check document" in result.stderr


@pytest.mark.parametrize("name", ["github-actions.yml", "gitlab-ci.yml", "azure-pipelines.yml"])
def test_a_ready_pipeline_is_valid(name: str) -> None:
    schemas = {"github-actions.yml": "github-workflows", "gitlab-ci.yml": "gitlab-ci", "azure-pipelines.yml": "azure-pipelines"}
    document = yaml.safe_load((ROOT / "docs" / "ci" / name).read_text())
    document = {"on" if key is True else key: value for key, value in document.items()}  # YAML 1.1 reads `on` as true
    validate(document, f"{schemas[name]}.json.gz")


@pytest.mark.parametrize("name", ["github-actions.yml", "gitlab-ci.yml", "azure-pipelines.yml"])
def test_a_ready_pipeline_runs(compliance: Command, name: str, tmp_path: Path) -> None:
    """The command that the pipeline gives, with its files written elsewhere."""
    command = _command(yaml.safe_load((ROOT / "docs" / "ci" / name).read_text()))
    words = shlex.split(command.replace("$(Build.ArtifactStagingDirectory)/", ""))
    assert words[0] == "compliance"
    moved = [word.replace("=", f"={tmp_path}/", 1) if before == "--output" else word for before, word in pairwise(words)]
    result = compliance(*moved)
    assert result.returncode == 0, result.stderr
    assert sorted(path.name for path in tmp_path.iterdir()) == sorted(
        word.partition("=")[2] for before, word in pairwise(words) if before == "--output"
    )
    assert all(path.stat().st_size < 25_000_000 for path in tmp_path.iterdir())


def _command(document: Any) -> str:
    """The text of the step that runs `compliance`."""
    if isinstance(document, str):
        return document if document.startswith("compliance check") else ""
    parts = document.values() if isinstance(document, dict) else document if isinstance(document, list) else []
    return next(filter(None, map(_command, parts)), "")
