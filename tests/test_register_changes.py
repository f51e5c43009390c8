# ruff: noqa: E501
"""Runs that are kept and compared, ids that are replaced, and the direction of travel."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from conftest import Command
from register_data import council

SUMMARY = "2 new, 1 cleared, 1 unchanged"


def _later(data: Path) -> None:
    """The council eleven days on: R1 decided, R5 still waiting, R6 decided late."""
    (data / "referrals.csv").write_text(
        "referral_id,person_id,referral_date,decision_date,closed_date\n"
        "R1,C1,2021-08-02,2021-10-04,\nR2,C2,2021-08-16,,\nR3,C3,2021-07-05,2021-07-06,\nR4,C3,2021-09-13,2021-09-20,\n"
        "R5,C4,2021-09-30,,\nR6,C3,2021-10-04,2021-10-08,\n"
    )
    (data / "dataset.yaml").write_text("authority: {code: E06000019, name: Herefordshire}\nextract_date: 2021-10-11\n")


@pytest.fixture
def runs(compliance: Command, tmp_path: Path) -> tuple[Path, Path, Path, Path]:
    """The dataset and rulebook, and two runs of it eleven days apart."""
    data, rules = council(tmp_path)
    first, second = tmp_path / "first", tmp_path / "second"
    assert compliance("check", data, "--rules", rules, "--save", first, "-q").returncode == 1
    _later(data)
    assert compliance("register", data, "--rules", rules, "--save", second, "--since", first).returncode == 0
    return data, rules, first, second


def test_a_run_is_kept_whole_and_private(runs: tuple[Path, Path, Path, Path], compliance: Command) -> None:
    data, rules, first, _ = runs
    assert sorted(path.name for path in first.iterdir()) == ["check.json", "manifest.json", "register.json"]
    assert {path.stat().st_mode & 0o777 for path in first.iterdir()} == {0o600}
    assert first.stat().st_mode & 0o777 == 0o700
    assert "timings" in json.loads((first / "manifest.json").read_text())
    again = compliance("check", data, "--rules", rules, "--save", first)
    assert again.returncode == 2
    assert "is there already" in again.stderr
    assert not list(first.parent.glob(".first*"))


def test_saved_runs_are_compared(runs: tuple[Path, Path, Path, Path], compliance: Command) -> None:
    _, _, first, second = runs
    text = compliance("compare", first, second)
    assert text.returncode == 0
    assert f"From 2021-09-30 to 2021-10-11: {SUMMARY}" in text.stdout
    document = json.loads(compliance("compare", first, second, "--format", "json").stdout)
    assert [one["subject"]["id"] for one in document["new"]] == ["R5", "R6"]
    assert [one["subject"]["id"] for one in document["cleared"]] == ["R1"]
    assert document["counts"] == {
        "new": 2, "cleared": 1, "still_open": 1, "worse": 0, "unchanged": 1, "waived": 0, "gone": 0, "closed_in_both": 1,
    }  # fmt: skip
    assert document["risks"]["summary"] == "1 new, 1 cleared, 1 unchanged"


def test_two_days_of_one_dataset_are_compared(runs: tuple[Path, Path, Path, Path], compliance: Command) -> None:
    data, rules, _, _ = runs
    arguments = ("compare", data, "--rules", rules, "--from", "2021-09-30", "--to", "2021-10-11")
    assert SUMMARY in compliance(*arguments).stdout
    waivers = "waivers: [{rule: T-ONE, scope: {type: child, id: C2}, reason: r, approver: a, granted: 2021-10-01, expires: 2021-12-01}]\n"
    (data / "register.yaml").write_text(waivers)
    assert "2 new, 1 cleared, 0 unchanged, 1 waived" in compliance(*arguments).stdout
    longer = compliance(
        "compare", data, "--rules", rules, "--no-waivers", "--from", "2021-09-30", "--to", "2021-10-11", "--format", "json"
    )
    assert json.loads(longer.stdout)["counts"]["waived"] == 0


def test_an_overdue_duty_is_worse_once_four_weeks_are_past(runs: tuple[Path, Path, Path, Path], compliance: Command) -> None:
    data, rules, _, _ = runs
    result = compliance("compare", data, "--rules", rules, "--from", "2021-08-20", "--to", "2021-09-13")
    assert "1 unchanged, 1 worse" in result.stdout
    later = compliance("compare", data, "--rules", rules, "--from", "2021-08-20", "--to", "2021-09-20")
    assert "0 unchanged, 2 worse" in later.stdout


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["{first}"], "two saved runs are compared"),
        (["{first}", "{data}"], "no saved run here"),
        (["{data}", "--from", "2021-09-30"], "--from and --to go together"),
        (["{data}", "--from", "2021-09-30", "--to", "2021-09-30"], "is not before"),
    ],
)
def test_what_cannot_be_compared(
    runs: tuple[Path, Path, Path, Path], compliance: Command, arguments: list[str], words: str
) -> None:
    data, rules, first, _ = runs
    filled = [one.format(first=first, data=data) for one in arguments]
    result = compliance("compare", *filled, "--rules", rules)
    assert result.returncode == 2
    assert words in result.stderr


def test_the_register_says_where_each_risk_is_going(runs: tuple[Path, Path, Path, Path]) -> None:
    _, _, _, second = runs
    risks = {one["scope"]["id"]: one for one in json.loads((second / "register.json").read_text())["risks"]}
    assert (risks["C2"]["direction"], risks["C2"]["previous_scores"], risks["C2"]["first_raised"]) == (
        "level",
        [20],
        "2021-09-30",
    )
    assert (risks["C4"]["direction"], risks["C4"]["previous_scores"]) == ("new", [])
    assert risks["C4"]["first_raised"] == "2021-10-11"


def test_ids_are_replaced_everywhere_and_alike(compliance: Command, tmp_path: Path) -> None:
    data, rules = council(tmp_path)
    for name in ("referrals.csv", "people.csv", "allocations.csv", "workers.csv"):
        text = (data / name).read_text()
        for number in range(1, 6):
            text = (
                text.replace(f"C{number}", f"CHILD{number}")
                .replace(f"W{number}", f"WORKER{number}")
                .replace(f"R{number}", f"CHILD{number}-R")
            )
        (data / name).write_text(text)
    (data / "register.yaml").write_text(
        "waivers: [{rule: T-ONE, scope: {type: child, id: CHILD1}, reason: r, approver: a, granted: 2021-09-01, expires: 2021-12-01}]\n"
    )
    key = tmp_path / "key"
    key.write_text("a key that is long enough")
    hidden = ("--rules", rules, "--pseudonymise", "--key", key)
    said = [
        compliance("check", data, *hidden, "--save", tmp_path / "kept"),
        compliance("check", data, *hidden, "--format", "json", "--all"),
        compliance("check", data, *hidden, "--format", "csv"),
        compliance("register", data, *hidden, "--format", "json", "--since", tmp_path / "kept"),
        compliance("register", data, *hidden),
        compliance("worklist", data, *hidden, "--by", "worker"),
        compliance("worklist", data, *hidden, "--format", "ics"),
    ]
    kept = "".join(path.read_text() for path in (tmp_path / "kept").iterdir())
    for text in [*(one.stdout for one in said), kept]:
        assert "CHILD" not in text
        assert "WORKER" not in text
        assert "long enough" not in text
    assert [one.stderr for one in said] == [""] * len(said)
    found = json.loads(said[1].stdout)["findings"]
    assert {one["person_id"] for one in found} == {risk["scope"]["id"] for risk in json.loads(said[3].stdout)["risks"]} | {
        one["person_id"] for one in found if one["breach"] != "open"
    }
    assert {one["direction"] for one in json.loads(said[3].stdout)["risks"]} == {"level"}


@pytest.mark.parametrize(
    ("more", "words"),
    [
        ([], "--pseudonymise needs a key"),
        (["--key", "{short}"], "at least 16 bytes"),
        (["--key", "nowhere"], "the key cannot be read"),
    ],
)
def test_pseudonyms_need_a_good_key(compliance: Command, tmp_path: Path, more: list[str], words: str) -> None:
    data, rules = council(tmp_path)
    (tmp_path / "short").write_text("short")
    result = compliance(
        "check", data, "--rules", rules, "--pseudonymise", *[one.format(short=tmp_path / "short") for one in more]
    )
    assert result.returncode == 2
    assert words in result.stderr
    assert result.stdout == ""
