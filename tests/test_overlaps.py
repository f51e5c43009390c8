"""Two rules on one duty say so: what the finder takes for one duty, and that the rulebook declares every pair that it finds."""

from __future__ import annotations

import datetime
import json
from collections.abc import Callable
from dataclasses import replace
from functools import cache
from pathlib import Path
from typing import Any

import pytest
import yaml
from tests import rulebooks

from compliance.dataset.schema import load_schema
from compliance.duties.compiler import Workbench
from compliance.duties.examples import ExampleBench
from compliance.duties.origins import Origin, Tracer
from compliance.duties.overlaps import Pair, different_answers, pairs_that_could, undeclared_in_examples
from compliance.errors import ComplianceError
from compliance.rulebook.load import Rulebook, load_rulebook
from compliance.run import Request, run
from conftest import HEREFORDSHIRE

HEAD = {
    "instrument": "law",
    "provision": "1",
    "theme": "looked_after",
    "standing": "regulation",
    "verified": "text",
    "law": "Words.",
}
VISIT = {"of": "care_periods", "trigger": "start_date", "within": "10 days"}
SEEN = {"in": "looked_after_visits", "date": "visit_date", "where": "visit_kind = 'statutory'"}
ROWS: dict[str, Any] = {
    "title": "a visit on the tenth day",
    "as_of": "2021-04-01",
    "care_periods": [{"care_period_id": "L1", "person_id": "C1", "start_date": "2021-03-01"}],
    "looked_after_visits": [{"person_id": "C1", "visit_kind": "statutory", "visit_date": "2021-03-11"}],
    "expect": ["met"],
}
ALIKE = {
    "id": "first_days",
    "title": "First days",
    "describes": "Each first day of care.",
    "key": ["care_period_id"],
    "sql": "WITH began AS"
    " (SELECT c.authority, c.row_ref, c.care_period_id, c.person_id, c.start_date AS day FROM care_periods AS c)"
    " SELECT b.authority, b.row_ref, b.care_period_id, b.person_id, b.day FROM began AS b",
}
VISITS = {
    "id": "visits_seen",
    "title": "Visits",
    "describes": "Each visit, by kind.",
    "key": ["person_id"],
    "sql": "SELECT v.authority, v.row_ref, v.person_id, v.visit_date AS seen_on FROM looked_after_visits AS v"
    " WHERE v.visit_kind = 'statutory'"
    " UNION ALL SELECT v.authority, v.row_ref, v.person_id, v.visit_date AS seen_on FROM looked_after_visits AS v"
    " WHERE v.visit_kind = 'adoption_placement'",
}


def ruled(name: str, body: dict[str, Any], kind: str = "deadline", **more: Any) -> dict[str, Any]:
    return {**HEAD, "id": name, "title": name.title(), kind: body, **more}


ONE = ruled("ONE", {**VISIT, "event": SEEN}, examples=[ROWS])


def book(tmp_path: Path, *rules: dict[str, Any]) -> Rulebook:
    """A rulebook of a few rules, with two definitions that rename what they read."""
    made = tmp_path / "rules"
    made.mkdir()
    text = {"instruments": [{"id": "law", "title": "A law"}], "definitions": [ALIKE, VISITS], "rules": [*rules]}
    (made / "rules.yaml").write_text(yaml.safe_dump(json.loads(json.dumps(text))))
    return load_rulebook(made)


def found(rulebook: Rulebook) -> list[tuple[str, str]]:
    return [(one.one, one.other) for one in undeclared_in_examples(ExampleBench(load_schema(), rulebook))]


SAME = {
    "another number": {**VISIT, "within": "9 days", "event": SEEN},
    "other words for the start": {**VISIT, "of": "first_days", "trigger": "day", "within": "9 days", "event": SEEN},
    "other words for the visit": {**VISIT, "within": "9 days", "event": {"in": "visits_seen", "date": "seen_on"}},
    "more kinds of visit": {**VISIT, "within": "9 days", "event": {"in": "looked_after_visits", "date": "visit_date"}},
    "no visit counts": {**VISIT, "event": {**SEEN, "where": "visit_kind = 'statutory' AND child_was_seen"}},
}
OTHER = {
    "the same answer": {**VISIT, "event": SEEN},
    "another kind of visit": {
        **VISIT,
        "within": "9 days",
        "event": {**SEEN, "where": "visit_kind IN ('adoption_placement', 'iro_contact')"},
    },
    "another day of the visit": {**VISIT, "within": "9 days", "event": {**SEEN, "date": "recorded_at"}},
    "another day to count from": {**VISIT, "trigger": "start_date + INTERVAL 2 DAY", "within": "9 days", "event": SEEN},
    "another act": {**VISIT, "within": "9 days", "done": "end_date"},
}


@pytest.mark.parametrize("body", SAME.values(), ids=SAME)
def test_a_rule_that_answers_differently_on_one_duty_is_found(tmp_path: Path, body: dict[str, Any]) -> None:
    assert found(book(tmp_path, ONE, ruled("TWO", body))) == [("ONE", "TWO")]


@pytest.mark.parametrize("body", OTHER.values(), ids=OTHER)
def test_a_rule_on_another_duty_is_not(tmp_path: Path, body: dict[str, Any]) -> None:
    assert found(book(tmp_path, ONE, ruled("TWO", body))) == []


@pytest.mark.parametrize("sayer", ["ONE", "TWO"])
def test_either_rule_may_say_that_it_overlaps_with_the_other(tmp_path: Path, sayer: str) -> None:
    two = ruled("TWO", SAME["another number"])
    says = {"overlaps": [{"rule": "TWO" if sayer == "ONE" else "ONE", "because": "the council asks for more"}]}
    rules = [{**rule, **says} if rule["id"] == sayer else rule for rule in (ONE, two)]
    assert found(book(tmp_path, *rules)) == []


def test_a_gap_judged_twice_is_found(tmp_path: Path) -> None:
    often = [
        ruled(name, {"of": "care_periods", "trigger": "start_date", "event": SEEN, "phases": [{"every": every}]}, "recurring")
        for name, every in (("ONE", "6 weeks"), ("TWO", "4 weeks"))
    ]
    often[0]["examples"] = [{**ROWS, "as_of": "2021-04-12", "expect": ["met", "due"]}]
    assert found(book(tmp_path, *often)) == [("ONE", "TWO")]


@pytest.mark.parametrize(
    ("fields", "pairs"),
    [(["visit_date", "recorded_at"], [("ONE", "TWO")]), (["recorded_at"], [("ONE", "TWO")]), (["child_was_seen"], [])],
)
def test_facts_are_one_duty_where_one_rule_looks_at_all_that_the_other_does(
    tmp_path: Path, fields: list[str], pairs: list[tuple[str, str]]
) -> None:
    body = {"of": "looked_after_visits", "trigger": "visit_date"}
    one = ruled(
        "ONE", {**body, "fields": ["recorded_at", "child_was_seen_alone"]}, "presence", examples=[{**ROWS, "expect": ["overdue"]}]
    )
    two = ruled("TWO", {**body, "within": "60 days", "fields": fields}, "presence")
    assert found(book(tmp_path, one, two)) == pairs


def test_what_is_found_says_where(tmp_path: Path) -> None:
    rulebook = book(tmp_path, ONE, ruled("TWO", SAME["another number"]))
    (one,) = undeclared_in_examples(ExampleBench(load_schema(), rulebook))
    assert one.words == "ONE and TWO answer differently on C1 from 2021-03-01 (ONE, `a visit on the tenth day`)"


# --- where a value comes from -------------------------------------------------------------------------------------


@cache
def tracer() -> Tracer:
    bench = Workbench(load_schema(), rulebooks.rulebook())
    for name in ("progress_reports", "placement_notices_owed", "fostering_panels"):
        bench.source(name)
    return Tracer(bench.definitions)


def test_a_column_is_traced_through_definitions_to_the_table() -> None:
    assert {(one.table, one.column) for one in tracer().of_column("progress_reports", "board_kind")} == {("boards", "board_kind")}
    assert tracer().of_column("boards", "board_kind") == {Origin("boards", "board_kind")}


def test_a_column_that_a_definition_writes_gives_codes() -> None:
    assert "gp_notified" in tracer().codes("placement_notices_owed", "recipient_step")
    assert tracer().codes("placement_notices_owed", "start_date") == frozenset()


def test_rows_counted_by_another_code_are_others() -> None:
    chairs, vice = (tracer().of_column("fostering_panels", name) for name in ("chairs", "vice_chairs"))
    assert chairs
    assert not any(one.meets(other) for one in chairs for other in vice)
    assert all(one.meets(one) for one in chairs)


# --- the rulebook itself ------------------------------------------------------------------------------------------


BESIDE = {
    frozenset(("CL-PATHWAY-PLAN", "CL-PLAN-AFTER-ASSESSMENT")),
    frozenset(("CP-REVIEW-AFTER-BIRTH", "CP-REVIEW-CONFERENCE")),
    frozenset(("FOS-HOME-SAFETY", "FOS-HOME-INSPECTION")),
    frozenset(("FOS-SOCIAL-WORKER-TEMPORARY", "FOS-SOCIAL-WORKER")),
}
"""Local standards that stand beside a rule on the same matter, by another act, another clock or of other people."""


def declared(rulebook: Rulebook) -> set[frozenset[str]]:
    return {frozenset((rule.id, beside.rule)) for rule in rulebook.rules.values() for beside in rule.overlaps}


@pytest.fixture(scope="module")
def in_examples() -> set[frozenset[str]]:
    """The pairs that answer differently on the rows of the examples, with nothing declared."""
    rulebook = rulebooks.rulebook()
    rules = {name: rule.model_copy(update={"overlaps": []}) for name, rule in rulebook.rules.items()}
    return {frozenset(pair) for pair in found(replace(rulebook, rules=rules))}


@pytest.fixture(scope="module")
def in_fixture() -> set[frozenset[str]]:
    """The pairs that answer differently on the Herefordshire fixture."""
    rulebook = rulebooks.rulebook()
    result = run(Request([HEREFORDSHIRE], rulebook, datetime.date(2021, 9, 30), with_risks=False))
    bench = Workbench(load_schema(), rulebook)
    for rule in rulebook.duties:
        bench.compile(rule)
    overlaps = different_answers(result.evaluation.connection, pairs_that_could(rulebook, bench.definitions))
    return {frozenset((one.one, one.other)) for one in overlaps}


def test_every_overlap_that_the_examples_show_is_declared(in_examples: set[frozenset[str]]) -> None:
    assert len(in_examples) > 30
    assert sorted(map(sorted, in_examples - declared(rulebooks.rulebook()))) == []


def test_every_overlap_that_the_herefordshire_fixture_shows_is_declared(in_fixture: set[frozenset[str]]) -> None:
    assert len(in_fixture) > 20
    assert sorted(map(sorted, in_fixture - declared(rulebooks.rulebook()))) == []


def test_what_is_declared_is_an_overlap(in_examples: set[frozenset[str]], in_fixture: set[frozenset[str]]) -> None:
    assert declared(rulebooks.rulebook()) - in_examples - in_fixture == BESIDE


def test_no_pairs_no_answers() -> None:
    bench = ExampleBench(load_schema(), rulebooks.rulebook())
    assert different_answers(bench.connection, []) == []
    assert Pair("ONE", "TWO", True).same_start


# --- the command --------------------------------------------------------------------------------------------------


def test_the_command_fails_on_an_overlap_that_nobody_declared(tmp_path: Path, compliance: Callable[..., Any]) -> None:
    late = {**ROWS, "title": "the day after", "expect": ["late"]}
    late["looked_after_visits"] = [{**ROWS["looked_after_visits"][0], "visit_date": "2021-03-12"}]
    whole = [ROWS, late]
    two = {**ROWS, "expect": ["late"]}, {**late, "expect": ["late"]}, {**ROWS, "title": "on the ninth day", "expect": ["met"]}
    two[2]["looked_after_visits"] = [{**ROWS["looked_after_visits"][0], "visit_date": "2021-03-10"}]
    book(tmp_path, {**ONE, "examples": whole}, ruled("TWO", SAME["another number"], examples=[*two]))
    done = compliance("rules", "test", "--rules", tmp_path / "rules")
    assert done.returncode == 2, done.stderr
    assert "ONE and TWO answer differently on C1 from 2021-03-01 (ONE, `a visit on the tenth day`)" in done.stdout
    assert compliance("rules", "test", "TWO", "--rules", tmp_path / "rules").returncode == 0


@pytest.mark.parametrize(("named", "message"), [("THREE", "ONE: no rule is called THREE"), ("ONE", "ONE overlaps with itself")])
def test_an_overlap_names_another_rule(tmp_path: Path, named: str, message: str) -> None:
    with pytest.raises(ComplianceError, match=message):
        book(tmp_path, {**ONE, "overlaps": [{"rule": named, "because": "words"}]})
