"""Each exit code of the command, with its message, in a subprocess (design section 6)."""

from __future__ import annotations

import datetime
import json
from pathlib import Path

import duckdb
import pytest

from conftest import Command

BREACH = {
    "referrals.csv": (
        "referral_id,person_id,referral_date,decision_date,decision,closed_date,needs_no_further_action\n"
        "R1,C1,2021-03-01,2021-03-09,assessment,,false\n"
    ),
    "dataset.yaml": "authority: {code: E06000019, name: Herefordshire}\nextract_date: 2021-09-30\n",
}
RULE = """
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
    deadline:
      of: referrals
      trigger: referral_date
      within: 1 working day
      done: decision_date
    examples:
      - title: in time
        as_of: 2021-01-09
        referrals: [{person_id: C1, referral_date: 2021-01-04, decision_date: 2021-01-05}]
        expect: [met]
      - title: late
        as_of: 2021-01-09
        referrals: [{person_id: C1, referral_date: 2021-01-04, decision_date: 2021-01-06}]
        expect: [late]
"""


@pytest.fixture
def dataset(tmp_path: Path) -> Path:
    """A dataset of one referral decided late."""
    folder = tmp_path / "data"
    folder.mkdir()
    for name, text in BREACH.items():
        (folder / name).write_text(text)
    return folder


@pytest.fixture
def rules(tmp_path: Path) -> Path:
    """A rulebook of one rule."""
    folder = tmp_path / "rules"
    folder.mkdir()
    (folder / "one.yaml").write_text(RULE)
    source = Path(__file__).parents[1] / "rules"
    for name in ("scoring.yaml", "ladder.yaml"):
        (folder / name).write_text((source / name).read_text())
    return folder


def test_1_where_a_breach_is_at_or_above_fail_on(compliance: Command, dataset: Path, rules: Path) -> None:
    result = compliance("check", dataset, "--rules", rules)
    assert result.returncode == 1
    assert "T-ONE" in result.stdout
    assert "was due by 2021-03-02, done 2021-03-09, 7 days late" in result.stdout
    assert result.stderr == ""


@pytest.mark.parametrize(("fail_on", "code"), [("low", 1), ("high", 1), ("critical", 0), ("never", 0)])
def test_fail_on_sets_the_floor(compliance: Command, dataset: Path, rules: Path, fail_on: str, code: int) -> None:
    assert compliance("check", dataset, "--rules", rules, "--fail-on", fail_on).returncode == code


def test_0_where_nothing_is_breached(compliance: Command, dataset: Path, rules: Path) -> None:
    result = compliance("check", dataset, "--rules", rules, "--as-of", "2021-03-01")
    assert result.returncode == 0
    assert "0 open and 0 closed breaches" in result.stdout


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["check"], "Missing argument"),
        (["check", "nowhere"], "nowhere"),
        (["check", "{data}", "--as-of", "30/09/2021"], "write it as 2021-09-30"),
        (["check", "{data}", "--rules", "nowhere"], "no such rules folder"),
        (["check", "{data}", "--rule", "T-TWO"], "no rule is called T-TWO"),
        (["check", "{data}", "--theme", "front_dor"], "the nearest valid theme is `front_door`"),
        (["check", "{data}", "--format", "yaml"], "Invalid value"),
        (["check", "{data}", "--output", "json"], "not FORMAT=PATH"),
        (["check", "{data}", "--output", "json=/nowhere/at/all.json"], "cannot write here"),
        (["explain", "0123456789abcdef", "{data}"], "no finding or risk is called"),
        (["rules", "show", "T-TWO"], "no rule is called T-TWO"),
        (["synth", "--out", "{data}/x", "--profile", "atlantis"], "no profile is called atlantis"),
        (["nonsense"], "No such command"),
    ],
)
def test_2_where_the_command_is_wrong(compliance: Command, dataset: Path, rules: Path, arguments: list[str], words: str) -> None:
    filled = [argument.replace("{data}", str(dataset)) for argument in arguments]
    given = [] if "--rules" in filled or filled[0] in ("synth", "nonsense") or filled == ["check"] else ["--rules", rules]
    result = compliance(*filled, *given)
    assert result.returncode == 2, result.stderr
    assert words in result.stderr
    assert "Traceback" not in result.stderr
    assert result.stdout == ""


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (("within: 1 working day", "wihtin: 1 working day"), "the nearest valid key is `within`"),
        (("within: 1 working day", "within: 1 moon"), "is not a duration"),
        (("done: decision_date", "done: decison_date"), "`decision_date`"),
        (("of: referrals", "of: referals"), "`referrals`"),
        (("title: A referral", "id: T-TWO\n    title: A referral"), "duplicate"),
        (("instrument: test", "instrument: tset"), "no instrument is called tset"),
        (("trigger: referral_date", "trigger: (SELECT 1)"), "error["),
        (("trigger: referral_date", "trigger: read_csv('/etc/passwd')"), "error["),
    ],
)
def test_2_where_a_rule_file_is_wrong(
    compliance: Command, dataset: Path, rules: Path, change: tuple[str, str], words: str
) -> None:
    path = rules / "one.yaml"
    path.write_text(path.read_text().replace(*change, 1))
    result = compliance("check", dataset, "--rules", rules)
    assert result.returncode == 2
    assert words in result.stderr
    assert "one.yaml:" in result.stderr
    assert "^" in result.stderr
    assert result.stdout == ""


def test_2_where_a_rulebook_is_empty(compliance: Command, dataset: Path, tmp_path: Path) -> None:
    (tmp_path / "none").mkdir()
    result = compliance("check", dataset, "--rules", tmp_path / "none")
    assert result.returncode == 2
    assert "no rule files" in result.stderr


def test_2_where_a_local_value_is_looser_than_the_law(compliance: Command, dataset: Path, rules: Path) -> None:
    text = (rules / "one.yaml").read_text().replace("within: 1 working day", "within: limit")
    text = text.replace("    deadline:", "    parameters: {limit: {values: 1 working day}}\n    deadline:")
    (rules / "one.yaml").write_text(text)
    with (dataset / "dataset.yaml").open("a") as file:
        file.write("parameters: {T-ONE.limit: 2 working days}\n")
    result = compliance("check", dataset, "--rules", rules)
    assert result.returncode == 2
    assert "2 working days is looser than 1 working day" in result.stderr


def test_a_stricter_local_value_is_used(compliance: Command, dataset: Path, rules: Path) -> None:
    text = (rules / "one.yaml").read_text().replace("within: 1 working day", "within: limit")
    text = text.replace("    deadline:", "    parameters: {limit: {values: 10 working days}}\n    deadline:")
    (rules / "one.yaml").write_text(text)
    assert compliance("check", dataset, "--rules", rules).returncode == 0
    with (dataset / "dataset.yaml").open("a") as file:
        file.write("parameters: {T-ONE.limit: 2 working days}\n")
    assert compliance("check", dataset, "--rules", rules).returncode == 1


def test_4_where_nothing_can_be_evaluated(compliance: Command, tmp_path: Path, rules: Path) -> None:
    (tmp_path / "people.csv").write_text("person_id,birth_date\nC1,2010-01-01\n")
    result = compliance("check", tmp_path, "--rules", rules, "--as-of", "2021-09-30")
    assert result.returncode == 4
    assert "no rule could be evaluated" in result.stderr
    assert result.stdout == ""


def test_4_where_the_rules_asked_for_cannot_be_evaluated(compliance: Command, dataset: Path, rules: Path) -> None:
    text = (rules / "one.yaml").read_text().replace("T-ONE", "T-TWO").replace("of: referrals", "of: contacts")
    text = text.replace("trigger: referral_date", "trigger: received_at").replace("done: decision_date", "done: decided_at")
    text = text[: text.index("    examples:")].replace("instruments: [{id: test, title: A test}]", "")
    (rules / "two.yaml").write_text(text)
    result = compliance("check", dataset, "--rules", rules, "--rule", "T-TWO")
    assert result.returncode == 4
    assert "needs contacts." in result.stderr


def test_what_is_not_evaluated_is_said(compliance: Command, dataset: Path, rules: Path) -> None:
    path = dataset / "referrals.csv"
    path.write_text("referral_id,person_id,referral_date\nR1,C1,2021-03-01\n")
    text = (rules / "one.yaml").read_text()
    other = text.replace("T-ONE", "T-TWO").replace("done: decision_date", "done: closed_date")
    other = other[: other.index("    examples:")].replace("instruments: [{id: test, title: A test}]", "")
    (rules / "two.yaml").write_text(other)
    result = compliance("check", dataset, "--rules", rules, "--format", "json")
    assert result.returncode == 4 or json.loads(result.stdout)["not_evaluated"]


def test_outputs_are_private_and_whole(compliance: Command, dataset: Path, rules: Path, tmp_path: Path) -> None:
    places = {kind: tmp_path / f"out.{kind}" for kind in ("json", "csv", "jsonl")}
    outputs = [word for kind, path in places.items() for word in ("--output", f"{kind}={path}")]
    result = compliance("check", dataset, "--rules", rules, *outputs)
    assert result.returncode == 1
    for path in places.values():
        assert path.stat().st_mode & 0o777 == 0o600
        assert path.read_bytes()
    assert json.loads(places["json"].read_text())["findings"][0]["rule"] == "T-ONE"
    assert not list(tmp_path.glob(".out.*"))


def test_parquet_holds_the_findings_with_real_dates(
    compliance: Command, dataset: Path, rules: Path, tmp_path: Path
) -> None:
    result = compliance("check", dataset, "--rules", rules, "--output", f"parquet={tmp_path / 'f.parquet'}")
    assert result.returncode == 1, result.stderr
    with duckdb.connect() as connection:
        rows = connection.execute(f"SELECT rule, due_date, days_over FROM '{tmp_path / 'f.parquet'}'").fetchall()
    assert rows == [("T-ONE", datetime.date(2021, 3, 2), 7)]
