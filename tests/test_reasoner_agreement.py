"""Three evaluators of the same conjunctions: durable-rules, SQL joins, and a naive one written here as the oracle."""

from __future__ import annotations

import random
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from itertools import permutations

import pytest

from compliance.errors import RuleFileError
from compliance.risks.durable import DurableReasoner, why_unavailable
from compliance.risks.joins import JoinReasoner
from compliance.risks.patterns import Conjunction, Fact, Firing, Join, Pattern, Test, Value, check_limits, holds
from compliance.risks.relevant import relevant
from compliance.risks.rounds import run_rounds

needs_durable = pytest.mark.skipif(why_unavailable() is not None, reason=why_unavailable() or "")

KINDS = ("breach", "measure", "worker", "risk")
PROPERTIES = ("rule", "person", "days", "grade")
VALUES: tuple[Value, ...] = (
    *(5, "5", 0, "0", -3, "-3", 10, "10", 9, "9", 2**53, -(2**53), "", "a", "A", "ab", "é", "雪"),
    *('a"b', "a\\", "a%22b", "a'b", ":5", "true", "null", "5.0", "05", " 5", "a b", "a,b", "{}", "[1]"),
)


def oracle(conjunctions: Sequence[Conjunction], facts: Sequence[Fact], first: int) -> Counter[Firing]:
    """The firings that involve a fact numbered `first` or later, by trying every arrangement of facts."""
    found: Counter[Firing] = Counter()
    for conjunction in conjunctions:
        for chosen in _arrangements(conjunction, facts, ()):
            if max(chosen) >= first:
                found[Firing(conjunction.rule, conjunction.branch, chosen)] += 1
    return found


def _arrangements(
    conjunction: Conjunction, facts: Sequence[Fact], chosen: tuple[int, ...]
) -> Iterator[tuple[int, ...]]:
    if len(chosen) == len(conjunction.patterns):
        yield chosen
        return
    pattern = conjunction.patterns[len(chosen)]
    for number, fact in enumerate(facts):
        if number not in chosen and _matches(pattern, fact, [facts[other] for other in chosen]):
            yield from _arrangements(conjunction, facts, (*chosen, number))


def _matches(pattern: Pattern, fact: Fact, earlier: Sequence[Fact]) -> bool:
    return (
        fact["kind"] == pattern.kind
        and all(holds(fact.get(test.property), test.op, test.value) for test in pattern.tests)
        and all(
            join.other_property in earlier[join.other]
            and holds(fact.get(join.property), "=", earlier[join.other][join.other_property])
            for join in pattern.joins
        )
    )


def some_facts(chance: random.Random, count: int, values: Sequence[Value] = VALUES) -> list[Fact]:
    facts: list[Fact] = []
    for _ in range(count):
        if facts and chance.random() < 0.15:
            facts.append(dict(chance.choice(facts)))
            continue
        fact: Fact = {"kind": chance.choice((*KINDS, "unread"))}
        fact |= {name: chance.choice(values) for name in PROPERTIES if chance.random() < 0.75}
        facts.append(fact)
    return facts


def some_rules(chance: random.Random, count: int, values: Sequence[Value] = VALUES) -> list[Conjunction]:
    return [
        Conjunction(f"R{number // 2}", number % 2, tuple(some_patterns(chance, chance.choice((1, 2, 2, 3, 4)), values)))
        for number in range(count)
    ]


def some_patterns(chance: random.Random, count: int, values: Sequence[Value]) -> Iterator[Pattern]:
    for index in range(count):
        tests = tuple(some_test(chance, values) for _ in range(chance.choice((0, 0, 1, 1, 2))))
        enough = (0, 1, 1, 2) if index else (0,)
        names = (*PROPERTIES, "kind") if chance.random() < 0.1 else PROPERTIES
        joins = tuple(
            Join(chance.choice(names), chance.randrange(index), chance.choice(names))
            for _ in range(chance.choice(enough))
        )
        yield Pattern(chance.choice(KINDS), tests, joins)


def some_test(chance: random.Random, values: Sequence[Value]) -> Test:
    if chance.random() < 0.6:
        return Test(chance.choice(PROPERTIES), chance.choice(("=", "!=")), chance.choice(values))
    number = chance.choice([value for value in VALUES if isinstance(value, int)])
    return Test(chance.choice(PROPERTIES), chance.choice(("<", "<=", ">", ">=")), number)


@needs_durable
@pytest.mark.parametrize("seed", range(240))
def test_three_evaluators_agree_round_by_round(seed: int) -> None:
    chance = random.Random(seed)
    values = chance.sample(VALUES, 5)
    rules = some_rules(chance, chance.randrange(2, 9), values)
    facts: list[Fact] = []
    with DurableReasoner() as durable, JoinReasoner(rules) as joins:
        durable.start(rules, timeout_seconds=30)
        for count in (12, 0, 5, 5):
            new, first = some_facts(chance, count, values), len(facts)
            facts += new
            expected = oracle(rules, facts, first)
            assert Counter(joins.round(new, first)) == expected
            assert Counter(durable.round(new, first)) == expected


@pytest.mark.parametrize("seed", range(240))
def test_a_fact_that_is_left_out_is_of_no_firing(seed: int) -> None:
    """Neither at once nor with the risks of a later round, which are not known yet."""
    chance = random.Random(seed)
    values = chance.sample(VALUES, 5)
    rules = some_rules(chance, chance.randrange(2, 9), values)
    known = [fact for fact in some_facts(chance, 20, values) if fact["kind"] != "risk"]
    live, places = relevant(rules, known)
    kept = [known[place] for place in places]
    later = [fact | {"kind": "risk"} for fact in some_facts(chance, 6, values)]

    def firings(rules: list[Conjunction], facts: list[Fact]) -> Counter[str]:
        found = oracle(rules, facts, 0)
        return Counter(repr((one.rule, one.branch, [facts[number] for number in one.facts])) for one in found.elements())

    assert firings(live, [*kept, *later]) == firings(rules, [*known, *later])


def test_facts_without_a_partner_are_left_out() -> None:
    unseen = Pattern("breach", (Test("topic", "=", "visit"),))
    unsupervised = Pattern("breach", (Test("topic", "=", "supervision"),), (Join("person", 0, "person"),))
    late = Pattern("measure", (Test("value", ">", 5),))
    rules = [Conjunction("R1", 0, (unseen, unsupervised)), Conjunction("R2", 0, (unseen, late))]
    facts: list[Fact] = [
        {"kind": "breach", "topic": "visit", "person": "C1"},
        {"kind": "breach", "topic": "visit", "person": "C2"},
        {"kind": "breach", "topic": "supervision", "person": "C1"},
        {"kind": "breach", "topic": "supervision"},
        {"kind": "measure", "value": 5},
    ]
    assert relevant(rules, facts) == (rules[:1], [0, 2])
    assert relevant(rules, [*facts, {"kind": "measure", "value": 6}]) == (rules, [0, 1, 2, 5])
    assert relevant(rules[:1], facts[:2]) == ([], [])


def test_most_made_cases_fire() -> None:
    """The fuzz would prove nothing on cases in which nothing fires."""
    fired = 0
    for seed in range(60):
        chance = random.Random(seed)
        values = chance.sample(VALUES, 5)
        rules = some_rules(chance, chance.randrange(2, 9), values)
        fired += bool(oracle(rules, some_facts(chance, 20, values), 0))
    assert fired > 40


# value of the fact, test, whether it holds: the table both evaluators are held to
MEANING = [
    (5, "=", 5, True),
    ("5", "=", 5, False),
    (5, "=", "5", False),
    (None, "=", 5, False),
    (None, "!=", 5, False),
    (None, "<", 5, False),
    ("5", "!=", 5, True),
    (5, "!=", 5, False),
    (6, "!=", "6", True),
    (4, "<", 5, True),
    (10, "<", 5, False),
    (10, ">", 5, True),
    (-3, "<", -2, True),
    ("4", "<", 5, False),
    ("6", ">", 5, False),
    ("zz", ">=", 5, False),
    ("", "<=", 5, False),
    (2**53, ">", 2**53 - 1, True),
    (-(2**53), "<=", -(2**53), True),
    ("a", "=", "A", False),
    ('a"', "=", "a", False),
]


@needs_durable
@pytest.mark.parametrize(("value", "op", "bound", "expected"), MEANING)
def test_a_test_means_the_same_to_both(value: Value | None, op: str, bound: Value, expected: bool) -> None:
    rules = [Conjunction("R", 0, (Pattern("breach", (Test("days", op, bound),)),))]  # type: ignore[arg-type]
    fact: Fact = {"kind": "breach"} if value is None else {"kind": "breach", "days": value}
    with DurableReasoner() as durable, JoinReasoner(rules) as joins:
        durable.start(rules, timeout_seconds=30)
        assert holds(value, op, bound) is expected
        assert bool(joins.round([fact], 0)) is expected
        assert bool(durable.round([fact], 0)) is expected


@needs_durable
def test_one_fact_fills_one_pattern_and_two_alike_fill_both_ways() -> None:
    rules = [Conjunction("TWICE", 0, (Pattern("breach"), Pattern("breach", (), (Join("person", 0, "person"),))))]
    facts: list[Fact] = [{"kind": "breach", "person": "C1"}, {"kind": "breach", "person": "C1"}]
    with DurableReasoner() as durable, JoinReasoner(rules) as joins:
        durable.start(rules, timeout_seconds=30)
        result = run_rounds(durable, joins, facts, lambda firings, number: [])
    assert [firing.facts for firing in result.firings] == list(permutations((0, 1)))


@needs_durable
def test_keys_of_equal_hash_are_not_joined() -> None:
    """durable-rules joins by 32-bit hash, then compares; these two texts share the hash as it is sent."""
    keys = _of_equal_hash()
    person = (Join("person", 0, "person"), Join("team", 0, "team"))
    rules = [Conjunction("R", 0, (Pattern("breach"), Pattern("worker", (), person)))]
    facts: list[Fact] = [
        {"kind": kind, "person": key, "team": other} for kind in ("breach", "worker") for key in keys for other in keys
    ]
    with DurableReasoner() as durable, JoinReasoner(rules) as joins:
        durable.start(rules, timeout_seconds=30)
        result = run_rounds(durable, joins, facts, lambda firings, number: [])
    assert [firing.facts for firing in result.firings] == [(0, 4), (1, 5), (2, 6), (3, 7)]


def _of_equal_hash() -> tuple[str, str]:
    seen: dict[int, str] = {}
    number = 0
    while True:
        text = f"k{number:06x}z"
        value = 0x811C9DC5
        for byte in f":{text}".encode():
            value = ((value ^ byte) * 16777619) & 0xFFFFFFFF
        if value in seen:
            return seen[value], text
        seen[value] = text
        number += 1


def council(count: int) -> list[Fact]:
    """Breaches of a made council: a child has about five, a worker about twenty."""
    return [
        {
            "kind": "breach",
            "rule": f"RULE-{number % 60}",
            "person": f"C{number // 5}",
            "worker": f"W{number // 20}",
            "days": number % 97,
        }
        for number in range(count)
    ]


def escalations(count: int) -> list[Conjunction]:
    """Rules over two breaches of one child or one worker, each its own pair of rule ids."""
    rules = []
    for number in range(count):
        key = "person" if number % 2 else "worker"
        first = Pattern("breach", (Test("rule", "=", f"RULE-{number}"), Test("days", ">", 10)))
        second = Pattern("breach", (Test("rule", "=", f"RULE-{(number + 1) % 60}"),), (Join(key, 0, key),))
        rules.append(Conjunction(f"ESC-{number}", 0, (first, second)))
    return rules


@needs_durable
def test_ten_thousand_facts_take_a_few_seconds() -> None:
    rules = escalations(60)
    started = time.monotonic()
    with DurableReasoner() as durable, JoinReasoner(rules) as joins:
        durable.start(rules, timeout_seconds=60)
        result = run_rounds(durable, joins, council(10_000), lambda firings, number: [])
    assert len(result.firings) > 5_000
    assert time.monotonic() - started < 10


@needs_durable
@pytest.mark.parametrize("seed", range(5))
def test_rules_within_the_limits_are_run(seed: int) -> None:
    """As many rules as `check_limits` allows, so that a limit set too high would show as a refusal or a hang."""
    chance = random.Random(1000 + seed)
    rules = some_rules(chance, 400)
    while rules:
        try:
            check_limits(rules)
            break
        except RuleFileError:
            rules = rules[:-5]
    assert len(rules) > 50
    facts = some_facts(chance, 60)
    with DurableReasoner() as durable, JoinReasoner(rules) as joins:
        durable.start(rules, timeout_seconds=60)
        assert Counter(durable.round(facts, 0)) == Counter(joins.round(facts, 0))
