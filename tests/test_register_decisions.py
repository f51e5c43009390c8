# ruff: noqa: E501
"""`register.yaml`: what is refused, with its position; waivers in force, expiring and expired."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from conftest import Command
from register_data import RULES, council

WAIVER = "waivers:\n  - {{rule: T-ONE, scope: {{type: child, id: C1}}, reason: moved away, approver: Head of Service, granted: {granted}, expires: {expires}}}\n"


def _write(data: Path, text: str) -> Path:
    path = data / "register.yaml"
    path.write_text(text)
    return path


@pytest.mark.parametrize(
    ("text", "words", "place"),
    [
        ("riks: []\n", "the nearest valid key is `risks`", "1:1"),
        (
            "risks:\n  - {rule: T-RISK, scope: {type: authority, id: E06000019}, ownr: A}\n",
            "the nearest valid key is `owner`",
            "2:61",
        ),
        ("risks:\n  - {rule: T-RISC, scope: {type: authority, id: E06000019}}\n", "no escalation rule is called T-RISC", "2:12"),
        (
            "risks:\n  - {rule: T-RISK, scope: {type: authority, id: X}, accepted: {likelihood: 6, impact: 1}}\n",
            "less than or equal to 5",
            "2:76",
        ),
        (
            WAIVER.format(granted="2021-01-31", expires="2021-08-01"),
            "at most six months: granted on 2021-01-31, by 2021-07-31",
            "2:126",
        ),
        (WAIVER.format(granted="2021-09-01", expires="2021-08-01"), "cannot expire before it", "2:126"),
        (WAIVER.format(granted="2021-09-01", expires="2021-08-01"), "see `compliance rules schema --of register-file`", "2:126"),
        (WAIVER.format(granted="2021-09-01", expires="").replace(", expires: ", ""), "`expires` is missing", "2:5"),
        (
            "waivers:\n  - {reason: r, approver: a, granted: 2021-09-01, expires: 2021-09-02}\n",
            "either a finding, or a rule and a scope",
            "2:5",
        ),
        ("risks: []\nrisks: []\n", "duplicate", "2:1"),
    ],
)
def test_a_wrong_file_is_refused_with_its_place(compliance: Command, tmp_path: Path, text: str, words: str, place: str) -> None:
    data, rules = council(tmp_path)
    path = _write(data, text)
    result = compliance("check", data, "--rules", rules)
    assert result.returncode == 2
    assert words in result.stderr
    assert f"register.yaml:{place}" in result.stderr
    assert path.read_text() == text
    assert result.stdout == ""


def test_the_last_day_of_six_months_is_allowed(compliance: Command, tmp_path: Path) -> None:
    data, rules = council(tmp_path)
    _write(data, WAIVER.format(granted="2021-08-31", expires="2022-02-28"))
    assert compliance("check", data, "--rules", rules, "--rule", "T-ONE").returncode in (0, 1)


@pytest.mark.parametrize(
    ("as_of", "state", "said"),
    [
        ("2021-08-31", "not yet granted", "granted from 2021-09-01 and does not work yet"),
        ("2021-09-01", "in force", ""),
        ("2021-09-16", "in force", ""),
        ("2021-09-17", "expiring", "expires on 2021-10-01, in 14 days"),
        ("2021-10-01", "expiring", "expires on 2021-10-01, in 0 days"),
        ("2021-10-02", "expired", "expired on 2021-10-01 and no longer works"),
    ],
)
def test_a_waiver_from_its_first_day_to_its_last(compliance: Command, tmp_path: Path, as_of: str, state: str, said: str) -> None:
    data, rules = council(tmp_path)
    _write(data, WAIVER.format(granted="2021-09-01", expires="2021-10-01"))
    result = compliance(
        "check", data, "--rules", rules, "--rule", "T-ONE", "--person", "C1", "--as-of", as_of, "--format", "json"
    )
    document = json.loads(result.stdout)
    works = state in ("in force", "expiring")
    assert document["run"]["waivers"][0]["state"] == state
    assert result.returncode == (0 if works else 1)
    assert [one["waived"] for one in document["findings"]] == (
        [{"reason": "moved away", "approver": "Head of Service", "expires": "2021-10-01"}] if works else [None]
    )
    assert said in result.stderr
    assert bool(said) == ("waiver" in result.stderr)


def test_waived_findings_stay_visible_and_are_counted(compliance: Command, tmp_path: Path) -> None:
    data, rules = council(tmp_path)
    _write(data, WAIVER.format(granted="2021-09-01", expires="2021-11-01"))
    result = compliance("check", data, "--rules", rules)
    assert "waived until 2021-11-01 by Head of Service: moved away" in result.stdout
    assert "1 waived" in result.stdout
    assert result.returncode == 1  # another child's breach is not waived
    ignoring = compliance("check", data, "--rules", rules, "--person", "C1", "--no-waivers")
    assert ignoring.returncode == 1
    assert "waived" not in ignoring.stdout


def test_a_finding_is_waived_by_its_id_and_a_file_may_stand_elsewhere(compliance: Command, tmp_path: Path) -> None:
    data, rules = council(tmp_path)
    arguments = ("check", data, "--rules", rules, "--person", "C1", "--format", "json")
    found = json.loads(compliance(*arguments).stdout)["findings"]
    text = "waivers:\n" + "".join(
        f"  - {{finding: {one['id']}, reason: r, approver: a, granted: 2021-09-30, expires: 2021-12-01}}\n" for one in found
    ).replace("finding: ", "finding: '").replace(", reason", "', reason")
    (tmp_path / "elsewhere.yaml").write_text(text)
    assert compliance(*arguments, "--register", tmp_path / "elsewhere.yaml").returncode == 0
    missing = compliance(*arguments, "--register", tmp_path / "nowhere.yaml")
    assert missing.returncode == 2
    assert "no such register file" in missing.stderr


def test_risks_carry_what_was_decided(compliance: Command, tmp_path: Path) -> None:
    data, rules = council(tmp_path)
    _write(
        data,
        """
risks:
  - rule: T-RISK
    scope: {type: child, id: C1}
    owner: Head of Safeguarding
    controls: [a weekly list]
    actions: [{action: allocate, owner: Team manager, due: 2021-10-15}]
    treatment: treat
    accepted: {likelihood: 2, impact: 4, reason: seen by a duty worker}
    target: {likelihood: 1, impact: 4}
    next_review: 2021-11-01
""",
    )
    document = json.loads(compliance("register", data, "--rules", rules, "--format", "json").stdout)
    risk = next(one for one in document["risks"] if one["scope"]["id"] == "C1")
    assert risk["owner"] == "Head of Safeguarding"
    assert risk["inherent"]["arithmetic"] == "4 x 5 = 20, as the rule raises it"
    assert risk["current"]["arithmetic"] == "2 x 4 = 8, accepted after controls: seen by a duty worker"
    assert risk["current"]["band"] == "moderate"
    assert risk["target"]["score"] == 4
    assert risk["actions"][0]["due"] == "2021-10-15"
    assert risk["proposed"]["arithmetic"].endswith("impact 4: high severity; 5 x 4 = 20")
    assert risk["consequence"] == "harm may go unseen"
    assert risk["first_raised"] == "2021-09-30"
    text = compliance("register", data, "--rules", rules).stdout
    assert "Head of Safeguarding" in text
    assert "20 → 8 → 4" in text


def test_the_rules_of_these_tests_hold(compliance: Command, tmp_path: Path) -> None:
    _, rules = council(tmp_path)
    assert RULES
    assert compliance("rules", "test", "--rules", rules).returncode == 0
