"""What `make mutate` changes: every number, unit, comparison, condition, listed code and NOT, and what it counts as killed."""

from __future__ import annotations

from functools import cache

import pytest
from tests.mutant_text import edits
from tests.mutants import definition_mutants, mutants
from tests.mutate import Bench

from compliance.rulebook.model import Definition, Rule

COUNTED = "count(CASE WHEN a THEN 1 END)"
SUMMED = {f"{COUNTED} + sum(CASE WHEN b THEN {n} END)" for n in (0, 2)}


def texts(text: str) -> set[str]:
    return {edit.applied(text) for edit in edits(text)}


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("n > 2", {"n >= 2", "n > 3", "n > 1"}),
        ("n = 0", {"n <> 0", "n = 1"}),
        ("share * 0.9", {"share * 1.0", "share * 0.8"}),
        ("day >= DATE '2021-03-01'", {"day > DATE '2021-03-01'", "day >= DATE '2021-03-02'", "day >= DATE '2021-02-28'"}),
        ("coalesce(day, DATE '9999-12-31')", set()),
        ("months_after(day, 2)", {"weeks_after(day, 2)", "months_after(day, 3)", "months_after(day, 1)"}),
        ("day + INTERVAL 1 YEAR", {"day + INTERVAL 1 MONTH", "day + INTERVAL 2 YEAR", "day + INTERVAL 0 YEAR"}),
        ("kind IN ('a', 'b')", {"kind IN ('b')", "kind IN ('a')"}),
        ("kind NOT IN ('a')", {"kind IN ('a')"}),
        ("day IS NULL", {"day IS NOT NULL"}),
        ("seen IS NOT DISTINCT FROM TRUE", {"seen IS DISTINCT FROM TRUE"}),
        ("NOT seen", {"seen"}),
        ("a AND b OR c", {"c", "a AND b", "b OR c", "a OR c"}),
        ("a AND (b OR c)", {"(b OR c)", "a", "a AND (c)", "a AND (b)"}),
        ("day BETWEEN x AND y AND seen", {"seen", "day BETWEEN x AND y"}),
        ("CASE WHEN a AND b THEN 'x' END", {"CASE WHEN b THEN 'x' END", "CASE WHEN a THEN 'x' END"}),
        ("count(CASE WHEN a THEN 1 END) + sum(CASE WHEN b THEN 1 END)", SUMMED),
        ("role = 'a > 1 AND b'", {"role <> 'a > 1 AND b'"}),
    ],
)
def test_a_text_is_changed_in_each_place_and_nowhere_else(text: str, expected: set[str]) -> None:
    assert texts(text) == expected


def test_a_query_loses_each_condition_also_one_that_stands_alone() -> None:
    query = "SELECT a.n, count(*) AS c FROM a LEFT JOIN b ON b.n = a.n AND b.d IS NULL WHERE a.x GROUP BY a.n HAVING count(*) > 1"
    dropped = {edit.applied(query) for edit in edits(query) if edit.dropped is not None}
    assert dropped == {
        query.replace("b.n = a.n AND ", ""),
        query.replace(" AND b.d IS NULL", ""),
        query.replace("WHERE a.x", "WHERE TRUE"),
        query.replace("count(*) > 1", "TRUE"),
    }


def test_a_mutant_is_named_by_what_changes_and_numbered_where_two_read_the_same() -> None:
    sql = "SELECT p.a FROM p WHERE p.a = 1 UNION SELECT p.a FROM p WHERE p.a = 1"
    given = Definition(id="d", title="t", describes="d", key=["a"], sql=sql)
    labels = [one.label for one in definition_mutants(given)]
    assert len(labels) == len(set(labels))
    assert {
        "p.a = 1 UNION SELECT -> p.a <> 1 UNION SELECT",
        "dropped: p.a = 1",
        "dropped: p.a = 1 (2)",
    } <= set(labels)


# --- what is killed -----------------------------------------------------------------------------------------------


@cache
def bench() -> Bench:
    return Bench.open()


def without_examples(name: str, kept: int) -> Rule:
    rule = bench().rulebook.rules[name]
    return rule.model_copy(update={"examples": rule.examples[:kept]})


def test_every_rule_and_definition_has_a_mutant_to_answer_for() -> None:
    book = bench().rulebook
    assert sum(1 for one in book.definitions.values() for _ in definition_mutants(one)) > 3000
    assert sum(1 for one in book.rules.values() for _ in mutants(one, book)) > 4000


def test_a_rule_with_one_example_lets_mutants_live_and_with_all_of_them_none() -> None:
    rule = bench().rulebook.rules["CP-CORE-GROUP-FIRST"]
    candidates = list(mutants(rule, bench().rulebook))
    alive, broken = bench().bench.judge(without_examples("CP-CORE-GROUP-FIRST", 1), candidates)
    assert alive and not broken
    assert bench().judge("CP-CORE-GROUP-FIRST").survivors == []


def test_a_mutant_of_a_definition_is_killed_by_the_examples_of_the_rules_that_rest_on_it() -> None:
    tally = bench().judge("cp_outline_plans")
    assert tally.killed == tally.made > 0
    assert [rule.id for rule in bench()._resting_on("cp_outline_plans")] == ["CP-OUTLINE-PLAN"]


def test_a_rule_that_fails_its_own_example_is_not_judged() -> None:
    rule = bench().rulebook.rules["CP-CORE-GROUP-FIRST"]
    wrong = rule.model_copy(update={"examples": [one.model_copy(update={"expect": []}) for one in rule.examples]})
    with pytest.raises(AssertionError, match="fails an example"):
        bench().bench.judge(wrong, list(mutants(rule, bench().rulebook)))
