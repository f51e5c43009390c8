"""Limits whose bound is dated: judged by the version in force on the trigger, and owed only where there is one."""

from __future__ import annotations

import datetime
from typing import Any

import pytest
from tests.rulebooks import bench

from compliance.rulebook.model import Example, Limit, Parameter, Rule

DATED = [
    {"from": "2011-04-01", "to": "2015-12-31", "value": 3},
    {"from": "2018-01-01", "value": 5},
    {"from": "2020-01-01", "value": 4},
]


def ruled(values: list[dict[str, Any]], **body: object) -> Rule:
    """A rule that an application's record is kept for some years, by dated versions."""
    rule = bench().rulebook.rules["FOS-RETAIN-UNSUCCESSFUL"]
    assert isinstance(rule.body, Limit)
    parameters = {"keep_for": Parameter.model_validate({"tighter": "larger", "values": values})}
    return rule.model_copy(update={"parameters": parameters, "limit": rule.body.model_copy(update=body)})


def judged(rule: Rule, destroyed: str | None) -> list[tuple[str, float | None]]:
    """The status and the measured years of each duty on a record destroyed four years after the refusal."""
    refused = destroyed and destroyed.replace(destroyed[:4], str(int(destroyed[:4]) - 4), 1)
    row = {"carer_id": "F1", "outcome": "withdrawn", "outcome_date": refused, "record_destroyed_date": destroyed}
    example = Example(title="one", as_of=datetime.date(2021, 9, 30), expect=[], foster_carer_applications=[row])
    [outcome] = bench().run(rule, [example])
    assert outcome.error is None
    return [(detail["status"], detail["value"]) for detail in outcome.details]


@pytest.mark.parametrize(
    ("destroyed", "expected"),
    [
        ("2011-03-31", []),
        ("2011-04-01", [("met", 4)]),
        ("2015-12-31", [("met", 4)]),
        ("2016-01-01", []),
        ("2017-12-31", []),
        ("2018-01-01", [("missed", 4)]),
        ("2019-12-31", [("missed", 4)]),
        ("2020-01-01", [("met", 4)]),
    ],
)
@pytest.mark.parametrize("bound", ["keep_for", "keep_for + 0 * length(outcome)"])
def test_a_limit_is_judged_by_the_version_in_force_and_owed_only_where_one_is(
    bound: str, destroyed: str, expected: list[tuple[str, float]]
) -> None:
    assert judged(ruled(DATED, at_least=bound), destroyed) == expected


def test_a_value_that_holds_always_is_owed_on_every_day() -> None:
    always = [{"from": "1990-01-01", "value": 5}]
    assert judged(ruled(always), "1995-06-01") == [("missed", 4)]


def test_a_missing_trigger_stays_unknown_whatever_the_version() -> None:
    rule = ruled(DATED, where="outcome = 'withdrawn'")
    assert judged(rule, None) == [("unknown", None)]
