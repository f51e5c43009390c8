"""Which facts and rules are refused, and with what words."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from compliance.errors import EngineError, RuleFileError
from compliance.risks.patterns import Conjunction, Join, Pattern, Test, check_fact, check_limits, plain_text, terms

# property and value, what is wrong with them
REFUSED_FACTS = [
    ({"id": 1}, "property 'id' has a name that durable-rules keeps for itself"),
    ({"sid": "x"}, "property 'sid' has a name that durable-rules keeps for itself"),
    ({"Days": 1}, "property 'Days' has a name that is not lower-case letters, digits and underscores"),
    ({"_": 1}, "property '_' has a name that is not"),
    ({"days": None}, "property 'days' is a NoneType; only text and whole numbers are compared exactly"),
    ({"days": 1.0}, "property 'days' is a float"),
    ({"days": True}, "property 'days' is a bool"),
    ({"days": [1]}, "property 'days' is a list"),
    ({"days": 2**53 + 1}, "property 'days' is a number beyond 2^53"),
    ({"note": "x" * 201}, "property 'note' has a text of 201 characters; at most 200 are compared"),
    ({"note": "a\x00b"}, "property 'note' has a text with control characters"),
    ({"note": "a\x9bb"}, "property 'note' has a text with control characters"),
    ({"note": "\ud800"}, "property 'note' has a text with control characters"),
    ({"kind": 3}, "a fact has no kind"),
    ({f"p{number}": 1 for number in range(250)}, "a fact has 251 properties; at most 250"),
]


@pytest.mark.parametrize(("properties", "message"), REFUSED_FACTS)
def test_a_fact_that_cannot_be_reasoned_on_exactly_is_refused(properties: dict[str, Any], message: str) -> None:
    with pytest.raises(EngineError) as failure:
        check_fact({"kind": "breach", **properties})
    assert message in failure.value.message


def test_a_plain_fact_is_accepted() -> None:
    check_fact({"kind": "breach", "rule": "LAC-VISIT", "days": -(2**53), "note": plain_text("a\x1b[31m\u2028b")})


def one(*patterns: Pattern) -> list[Conjunction]:
    return [Conjunction("ESC-1", 0, patterns)]


def many(count: int, make: Callable[[int], tuple[Pattern, ...]]) -> list[Conjunction]:
    return [Conjunction(f"ESC-{number}", 0, make(number)) for number in range(count)]


def breach(*tests: Test) -> Pattern:
    return Pattern("breach", tests)


PERSON = (Join("person", 0, "person"),)

REFUSED_RULES = [
    (one(), "ESC-1: needs 0 facts together"),
    (one(*[breach()] * 17), "ESC-1: needs 17 facts together; between 1 and 16 can be joined"),
    (one(breach(), breach()) * 2, "ESC-1: branch 0 is defined twice"),
    (one(breach(*(Test("days", "!=", day) for day in range(26)))), "ESC-1: pattern 1 has more than 25 tests and joins"),
    (one(breach(Test("id", "=", 1))), "ESC-1: property 'id' has a name that durable-rules keeps for itself"),
    (one(breach(Test("days", "=", True))), "ESC-1: property 'days' is a bool"),
    (one(breach(Test("days", "~", 1))), "ESC-1: property 'days' is compared with '~', which is not an operator"),  # type: ignore[arg-type]
    (one(breach(Test("due", "<", "2024-01-01"))), "ESC-1: property 'due' is ordered (<) against the text '2024-01-01'"),
    (one(Pattern("breach", (), PERSON)), "ESC-1: pattern 1 joins pattern 1, which is not an earlier one"),
    (one(breach(), Pattern("breach", (), (Join("sid", 0, "person"),))), "ESC-1: property 'sid' has a name"),
    (
        many(501, lambda number: (breach(Test("rule", "=", f"R{number}")),)),
        "ESC-500: is one test too many on property 'rule'; at most 500",
    ),
    (
        many(600, lambda number: (breach(Test(f"p{number // 2}", "=", number)),)),
        "ESC-500: is one test too many on 'p250' after the same tests; at most 500",
    ),
    (many(251, lambda number: (breach(),)), "ESC-250: starts from the same fact as 250 others; no more can be run"),
    (
        many(65, lambda number: (breach(Test("days", "<", number)),)),
        "one fact could satisfy 65 tests at once; durable-rules holds 64",
    ),
    (
        many(65, lambda number: (Pattern("worker"), Pattern("breach", (), PERSON))),
        "one fact could satisfy 65 tests at once; durable-rules holds 64",
    ),
]


@pytest.mark.parametrize(("rules", "message"), REFUSED_RULES)
def test_a_rule_that_durable_rules_would_get_wrong_is_refused_by_name(rules: list[Conjunction], message: str) -> None:
    with pytest.raises(RuleFileError) as failure:
        check_limits(rules)
    assert message in failure.value.message
    assert "escalation rule ESC-" in failure.value.message


def test_many_rules_with_a_test_of_their_own_are_accepted() -> None:
    rules = many(
        400,
        lambda number: (
            breach(Test("rule", "=", f"R{number}"), Test("days", ">", 10)),
            Pattern("worker", (Test("team", "=", number),), (Join("worker", 0, "worker"),)),
        ),
    )
    check_limits(rules)


def test_the_terms_end_with_a_join_that_always_holds() -> None:
    rule = Conjunction("R", 0, (breach(Test("days", ">", 9)), Pattern("worker", (Test("team", "=", "T"),), PERSON)))
    assert [(term.property, term.op, term.value) for term in terms(rule, 0, 0)] == [
        ("kind", "=", "breach"),
        ("days", "<=", 2**53),
        ("days", ">", 9),
        ("person", "present", 1),
    ]
    assert [(term.property, term.op, term.value, term.alias) for term in terms(rule, 0, 1)] == [
        ("kind", "=", "worker", ""),
        ("team", "=", "T", ""),
        ("person", "join", "person", "c0p0"),
        ("_", "join", "_", "c0p0"),
    ]
