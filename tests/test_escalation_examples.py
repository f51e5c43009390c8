"""Examples of escalation rules: facts as they are written, and facts that the definitions give of rows."""

from __future__ import annotations

import datetime
from functools import cache
from typing import Any

from tests import rulebooks

from compliance.dataset.schema import load_schema
from compliance.risks.examples import AllExamples
from compliance.rulebook.model import Example

BREACH = {
    "fact": "breach",
    "rule": "CP-REVIEW-CONFERENCE",
    "theme": "child_protection",
    "is_open": 1,
    "person": "C1",
    "days_over": 5,
}
PEOPLE = [{"person_id": "C1"}]


@cache
def bench() -> AllExamples:
    return AllExamples(load_schema(), rulebooks.rulebook())


def outcome(**given: Any) -> Any:
    rule = bench().rulebook.rules["ESC-CHILD-PLAN-DRIFT"]
    example = Example(title="one", as_of=datetime.date(2021, 9, 30), expect=["C1"], **given)
    [found] = bench().run(rule.model_copy(update={"examples": [example]}))
    return found


def test_rows_become_facts_beside_those_that_are_written() -> None:
    plans = [{"person_id": "C1", "start_date": "2020-07-01"}]
    assert outcome(facts=[BREACH], people=PEOPLE, cp_plans=plans).passed


def test_rows_a_day_later_do_not() -> None:
    plans = [{"person_id": "C1", "start_date": "2020-07-02"}]
    assert outcome(facts=[BREACH], people=PEOPLE, cp_plans=plans).found == []


def test_rows_of_one_example_are_gone_in_the_next() -> None:
    assert outcome(facts=[BREACH], people=PEOPLE, cp_plans=[{"person_id": "C1", "start_date": "2020-07-01"}]).found == ["C1"]
    assert outcome(facts=[BREACH], people=PEOPLE).found == []


def test_rows_of_no_table_or_column_are_refused() -> None:
    assert "no table is called cp_plan" in outcome(facts=[BREACH], cp_plan=[]).error
    assert "people has no column name" in outcome(facts=[BREACH], people=[{"name": "x"}]).error
