"""`rules test` fails where a rule lacks an example that it must have, and where there is nothing to test."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import yaml
from tests.rulebooks import bench

from compliance.duties.required import missing_examples
from compliance.rulebook.model import Rule

HELD = {"case_kind": "approval", "recommendation": "suitable", "minutes_received_date": "2021-03-29", "decision": "approved"}
ALL = [("2021-04-09", "2021-05-01", "met"), ("2021-04-10", "2021-05-01", "late")]


def examples(shown: list[tuple[str | None, str, str]]) -> list[dict[str, Any]]:
    """Cases whose papers came on 29 March 2021, due by 9 April: decided on that day or never, as of a day, and the status."""
    return [
        {
            "title": f"decided {decided}",
            "as_of": as_of,
            "panel_meetings": [{"panel_meeting_id": "M1", "panel": "fostering", "meeting_date": "2021-03-18"}],
            "panel_cases": [{**HELD, "panel_meeting_id": "M1", "decision_date": decided}],
            "expect": [status],
        }
        for decided, as_of, status in shown
    ]


def ruled(given: list[dict[str, Any]], name: str = "FOS-DECISION", **changes: Any) -> Rule:
    """A rule of the rulebook without its exceptions, with other examples, and with changes to what it says is owed."""
    rule = bench().rulebook.rules[name].model_dump(by_alias=True, exclude_none=True)
    kind = bench().rulebook.rules[name].kind
    return Rule.model_validate({**rule, kind: {**rule[kind], "exceptions": [], **changes}, "examples": given})


def missing(rule: Rule) -> list[str]:
    return missing_examples(rule, bench().run(rule), bench().run)


@pytest.mark.parametrize(
    ("shown", "expected"),
    [
        (ALL, []),
        ([], ["anything"]),
        (ALL[1:], ["a duty that is met", "a duty on its due day"]),
        (ALL[:1], ["a breach", "a duty a day past it"]),
        ([("2021-04-08", "2021-05-01", "met"), ALL[1]], ["a duty on its due day"]),
        ([ALL[0], ("2021-04-12", "2021-05-01", "late")], ["a duty a day past it"]),
        ([("2021-04-08", "2021-05-01", "met"), (None, "2021-04-09", "due"), (None, "2021-04-10", "overdue")], []),
        ([ALL[0], ("2021-04-10", "2021-05-01", "met")], ["a breach", "a duty a day past it"]),
    ],
)
def test_a_rule_lacks_what_its_examples_do_not_show(shown: list[tuple[str | None, str, str]], expected: list[str]) -> None:
    assert missing(ruled(examples(shown))) == expected


def test_a_rule_lacks_an_example_of_each_named_variant() -> None:
    variants = [{"when": "case_kind = 'other_review'", "within": "7 working days", "title": "a review"}]
    assert missing(ruled(examples(ALL), variants=variants)) == ["a duty of the variant `a review`"]


PUT_OFF = {"title": "put off", "when": "recommendation = 'deferred'"}
UNFIT = {"title": "unsuitable", "when": "recommendation = 'not_suitable'"}


def deferred(recommendation: str) -> dict[str, Any]:
    """A case of the same day that is never decided, on which the panel recommended this; nothing is owed."""
    one = examples([(None, "2021-05-01", "met")])[0]
    one["panel_cases"][0]["recommendation"] = recommendation
    return {**one, "title": recommendation, "expect": []}


@pytest.mark.parametrize(
    ("more", "expected"),
    [
        ([], ["the exception `put off`", "the exception `unsuitable`"]),
        ([deferred("deferred")], ["the exception `unsuitable`"]),
        ([deferred("deferred"), deferred("not_suitable")], []),
    ],
)
def test_a_rule_lacks_an_example_of_each_exception(more: list[dict[str, Any]], expected: list[str]) -> None:
    assert missing(ruled(examples(ALL) + more, exceptions=[PUT_OFF, UNFIT])) == expected


def test_a_rule_lacks_an_example_of_a_relaxation_and_of_a_pause() -> None:
    stretch = {"from": "2021-04-12", "to": "2021-04-20", "instrument": "si-2020-445"}
    assert missing(ruled(examples(ALL), relaxed=[stretch])) == ["the relaxation from 2021-04-12 to 2021-04-20"]
    rule = bench().rulebook.rules["WF-SUPERVISION-MONTHLY"]
    plain = rule.model_copy(update={"examples": [one for one in rule.examples if "absences" not in one.tables]})
    assert "days that do not count" in missing(plain)
    assert "days that do not count" not in missing(rule)


# --- the command --------------------------------------------------------------------------------------------------


def folder(tmp_path: Path, rules: list[dict[str, Any]]) -> Path:
    """A folder of rules of its own, with the instrument they need."""
    made = tmp_path / "rules"
    made.mkdir()
    instruments = [{"id": "law", "title": "A law"}]
    (made / "rules.yaml").write_text(yaml.safe_dump({"instruments": instruments, "rules": rules}, allow_unicode=True))
    return made


def rule(given: list[dict[str, Any]]) -> dict[str, Any]:
    """A rule that a plan is made within ten days of a child's coming into care."""
    says = {
        "id": "ONE",
        "title": "A plan is made",
        "instrument": "law",
        "provision": "1",
        "theme": "looked_after",
        "law": "Words.",
    }
    body = {"of": "care_periods", "trigger": "start_date", "within": "10 days", "done": "end_date"}
    return {**says, "standing": "regulation", "verified": "text", "deadline": body, "examples": given}


def stay(end: str | None, status: str) -> dict[str, Any]:
    row = {"person_id": "C1", "start_date": "2021-03-01", "end_date": end}
    return {"title": f"to {end}", "as_of": "2021-04-01", "care_periods": [row], "expect": [status]}


def test_the_command_fails_and_says_what_a_rule_lacks(tmp_path: Path, compliance: Callable[..., Any]) -> None:
    made = folder(tmp_path, [rule([stay("2021-03-05", "met")])])
    done = compliance("rules", "test", "--rules", made)
    assert done.returncode == 2
    assert "ONE  no example shows a breach, or a duty on its due day, or a duty a day past it" in done.stdout


def test_the_command_fails_on_a_rule_without_examples(tmp_path: Path, compliance: Callable[..., Any]) -> None:
    done = compliance("rules", "test", "--rules", folder(tmp_path, [rule([])]))
    assert done.returncode == 2
    assert "ONE  no example shows anything" in done.stdout


def test_the_command_passes_where_nothing_is_lacking(tmp_path: Path, compliance: Callable[..., Any]) -> None:
    made = folder(tmp_path, [rule([stay("2021-03-11", "met"), stay("2021-03-12", "late")])])
    assert compliance("rules", "test", "--rules", made).returncode == 0


def test_no_rules_at_all_is_no_pass(tmp_path: Path, compliance: Callable[..., Any]) -> None:
    done = compliance("rules", "test", "--rules", folder(tmp_path, []))
    assert done.returncode == 2
    assert "a rulebook without rules checks nothing" in done.stderr
