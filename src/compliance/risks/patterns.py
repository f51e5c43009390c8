"""Conjunctions over flat facts: the compiled form of an escalation rule, and the limits durable-rules puts on it.

A pattern matches one fact. Its semantics, the same in both evaluators:

- a missing property satisfies no test and no join, not even `!=`;
- a text and a number are never equal (`5` is not `"5"`) and neither is before the other;
- `<`, `<=`, `>`, `>=` compare numbers only;
- one fact fills at most one pattern of a conjunction, so a rule over two breaches needs two.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Literal, NamedTuple, TypeAlias, get_args

from compliance.errors import EngineError, RuleFileError

Operator = Literal["=", "!=", "<", "<=", ">", ">="]
Value: TypeAlias = str | int
Fact: TypeAlias = dict[str, Value]

LARGEST_INTEGER = 2**53
LONGEST_TEXT = 200
MOST_FACTS = 1_000_000  # up to here no two nine-digit fact numbers share the 32-bit hash that durable-rules keeps

MOST_CONJUNCTIONS = 4_000  # 4,096 actions a ruleset
MOST_FACTS_A_RULE = 16
MOST_TERMS = 25  # tests and joins of a pattern; the engine's own array holds 32 with its markers
MOST_PROPERTIES = 250
MOST_TESTS_A_PROPERTY = 500  # 512 and the engine hangs
MOST_SATISFIED_AT_ONCE = 64  # 65 and the engine refuses the fact
MOST_SAME_PATTERNS = 250  # 256 first patterns with the same tests and the engine writes past its array

_PROPERTY = re.compile(r"[a-z][a-z0-9_]{0,63}\Z")
_CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029\ud800-\udfff]")
_RESERVED = frozenset({"id", "sid"})
_OPERATORS = frozenset(get_args(Operator))


@dataclass(frozen=True, slots=True)
class Test:
    """A comparison of one property of a fact with a constant."""

    __test__ = False  # not a pytest class

    property: str
    op: Operator
    value: Value


@dataclass(frozen=True, slots=True)
class Join:
    """An equality of a property with a property of an earlier pattern, by its index."""

    property: str
    other: int
    other_property: str


@dataclass(frozen=True, slots=True)
class Pattern:
    """One fact: its kind, its own tests, and its equalities with earlier patterns."""

    kind: str
    tests: tuple[Test, ...] = ()
    joins: tuple[Join, ...] = ()


@dataclass(frozen=True, slots=True)
class Conjunction:
    """One branch of an escalation rule: the facts that must exist together."""

    rule: str
    branch: int
    patterns: tuple[Pattern, ...]


class Firing(NamedTuple):
    """A conjunction that holds, with the sequence number of the fact for each pattern, in order."""

    rule: str
    branch: int
    facts: tuple[int, ...]


def plain_text(text: str) -> str:
    """The text as a fact may carry it: without control characters or broken surrogates."""
    return _CONTROL.sub("", text)


def check_fact(fact: Fact) -> None:
    """Nothing; an EngineError when the fact is not flat, short and plain enough to be reasoned on exactly."""
    if len(fact) > MOST_PROPERTIES:
        raise EngineError(f"a fact has {len(fact)} properties; at most {MOST_PROPERTIES} can be reasoned on")
    if not isinstance(fact.get("kind"), str):
        raise EngineError("a fact has no kind")
    for name, value in fact.items():
        problem = _property_problem(name) or _value_problem(value)
        if problem:
            raise EngineError(f"a fact of kind {plain_text(str(fact['kind']))!r}: property {name!r} {problem}")


def check_limits(conjunctions: Sequence[Conjunction]) -> None:
    """Nothing; a RuleFileError naming the rule when durable-rules would not evaluate the conjunctions exactly."""
    if len(conjunctions) > MOST_CONJUNCTIONS:
        raise RuleFileError(f"{len(conjunctions)} branches of escalation rules; at most {MOST_CONJUNCTIONS} can be run")
    seen: set[tuple[str, int]] = set()
    for conjunction in conjunctions:
        if (conjunction.rule, conjunction.branch) in seen:
            raise _refusal(conjunction, f"branch {conjunction.branch} is defined twice")
        seen.add((conjunction.rule, conjunction.branch))
        _check_shape(conjunction)
    _check_properties(conjunctions)
    _check_network(conjunctions)


def properties_read(conjunctions: Iterable[Conjunction]) -> dict[str, tuple[str, ...]]:
    """For each kind, the properties that some pattern reads, sorted."""
    read: dict[str, set[str]] = {}
    for conjunction in conjunctions:
        for pattern in conjunction.patterns:
            names = read.setdefault(pattern.kind, set())
            names.update(test.property for test in pattern.tests)
            for join in pattern.joins:
                names.add(join.property)
                read[conjunction.patterns[join.other].kind].add(join.other_property)
    return {kind: tuple(sorted(names)) for kind, names in read.items()}


# The terms of a pattern, in the order in which durable-rules is given them.


class Term(NamedTuple):
    """One condition of a pattern as durable-rules is given it: a test, a presence, or a join to `alias.value`."""

    property: str
    op: Literal["=", "!=", "<", "<=", ">", ">=", "present", "join"]
    value: Value
    alias: str = ""


SAME = "_"  # a property that every fact sent to durable-rules carries with the value 1


def alias(conjunction_index: int, pattern_index: int) -> str:
    """The name under which durable-rules knows a pattern, unique over all rules."""
    return f"c{conjunction_index}p{pattern_index}"


def terms(conjunction: Conjunction, conjunction_index: int, pattern_index: int) -> tuple[Term, ...]:
    """The conditions of one pattern in durable-rules' order: kind, tests, presences, joins.

    Three of them are there for exactness. A number above a bound is also below every text, because durable-rules would
    compare the two as texts. A property that a later pattern joins to must be present. And the last join of a pattern
    always holds, because durable-rules reads past an array when the last one fails on two keys of equal hash.
    """
    pattern = conjunction.patterns[pattern_index]
    own = {Term(test.property, test.op, test.value) for test in pattern.tests}
    bounds = {Term(term.property, "<=", LARGEST_INTEGER) for term in own if term.op in (">", ">=")}
    joins = {
        Term(join.property, "join", join.other_property, alias(conjunction_index, join.other)) for join in pattern.joins
    }
    last = (Term(SAME, "join", SAME, alias(conjunction_index, 0)),) if pattern_index else ()
    return (
        Term("kind", "=", pattern.kind),
        *sorted(own | bounds | _presences(conjunction, pattern_index), key=_order),
        *sorted(joins),
        *last,
    )


def _presences(conjunction: Conjunction, pattern_index: int) -> set[Term]:
    later = (join for pattern in conjunction.patterns for join in pattern.joins if join.other == pattern_index)
    return {Term(join.other_property, "present", 1) for join in later}


def _order(term: Term) -> tuple[int, str, str, str]:
    rank = 0 if term.op == "=" else 1 if term.value == LARGEST_INTEGER else 3 if term.op == "present" else 2
    return rank, term.property, term.op, str(term.value)


# What is refused, and why.


def _refusal(conjunction: Conjunction, problem: str, help: str | None = None) -> RuleFileError:
    return RuleFileError(f"escalation rule {conjunction.rule}: {problem}", help=help)


def _property_problem(name: str) -> str | None:
    if name in _RESERVED:
        return "has a name that durable-rules keeps for itself"
    if not _PROPERTY.match(name):
        return "has a name that is not lower-case letters, digits and underscores"
    return None


def _value_problem(value: object) -> str | None:
    if isinstance(value, str):
        if len(value) > LONGEST_TEXT:
            return f"has a text of {len(value)} characters; at most {LONGEST_TEXT} are compared"
        return "has a text with control characters" if _CONTROL.search(value) else None
    if isinstance(value, bool) or not isinstance(value, int):
        return f"is a {type(value).__name__}; only text and whole numbers are compared exactly"
    return None if abs(value) <= LARGEST_INTEGER else "is a number beyond 2^53"


def _check_shape(conjunction: Conjunction) -> None:
    patterns = conjunction.patterns
    if not 1 <= len(patterns) <= MOST_FACTS_A_RULE:
        raise _refusal(
            conjunction, f"needs {len(patterns)} facts together; between 1 and {MOST_FACTS_A_RULE} can be joined"
        )
    for index, pattern in enumerate(patterns):
        if _value_problem(pattern.kind):
            raise _refusal(conjunction, f"the kind {pattern.kind!r} {_value_problem(pattern.kind)}")
        if len(pattern.tests) + len(pattern.joins) > MOST_TERMS:
            raise _refusal(conjunction, f"pattern {index + 1} has more than {MOST_TERMS} tests and joins")
        for test in pattern.tests:
            _check_test(conjunction, test)
        for join in pattern.joins:
            _check_join(conjunction, index, join)


def _check_test(conjunction: Conjunction, test: Test) -> None:
    problem = _property_problem(test.property) or _value_problem(test.value)
    if problem:
        raise _refusal(conjunction, f"property {test.property!r} {problem}")
    if test.op not in _OPERATORS:
        raise _refusal(
            conjunction, f"property {test.property!r} is compared with {test.op!r}, which is not an operator"
        )
    if test.op not in ("=", "!=") and isinstance(test.value, str):
        raise _refusal(
            conjunction,
            f"property {test.property!r} is ordered ({test.op}) against the text {test.value!r}",
            help="only whole numbers have an order; a date is compared as its day number",
        )


def _check_join(conjunction: Conjunction, index: int, join: Join) -> None:
    for name in (join.property, join.other_property):
        problem = _property_problem(name)
        if problem:
            raise _refusal(conjunction, f"property {name!r} {problem}")
    if not 0 <= join.other < index:
        raise _refusal(conjunction, f"pattern {index + 1} joins pattern {join.other + 1}, which is not an earlier one")


def _check_properties(conjunctions: Sequence[Conjunction]) -> None:
    tests: dict[str, set[Test]] = {}
    for conjunction in conjunctions:
        for pattern in conjunction.patterns:
            for test in pattern.tests:
                known = tests.setdefault(test.property, set())
                known.add(test)
                if len(known) > MOST_TESTS_A_PROPERTY:
                    problem = f"is one test too many on property {test.property!r}; at most {MOST_TESTS_A_PROPERTY}"
                    raise _refusal(conjunction, problem)
        for kind, names in properties_read([conjunction]).items():
            if len(names) > MOST_PROPERTIES:
                raise _refusal(conjunction, f"reads {len(names)} properties of {kind!r}; at most {MOST_PROPERTIES}")


@dataclass(slots=True)
class _Node:
    """A node of durable-rules' network of tests: the tests that follow, and how many patterns end here."""

    rule: Conjunction
    children: dict[Term, _Node] = field(default_factory=dict)
    ends: int = 0


def _check_network(conjunctions: Sequence[Conjunction]) -> None:
    if not conjunctions:
        return
    root = _Node(conjunctions[0])
    for index, conjunction in enumerate(conjunctions):
        for position in range(len(conjunction.patterns)):
            _grow(root, conjunction, terms(conjunction, index, position))
    _satisfied_at_once(root)


def _grow(root: _Node, conjunction: Conjunction, path: Iterable[Term]) -> None:
    node = root
    for term in path:
        if term not in node.children and len(node.children) == MOST_TESTS_A_PROPERTY:
            problem = f"is one test too many on {term.property!r} after the same tests; at most {MOST_TESTS_A_PROPERTY}"
            raise _refusal(conjunction, problem)
        node = node.children.setdefault(term, _Node(conjunction))
        node.rule = conjunction
    node.ends += 1
    if node.ends > MOST_SAME_PATTERNS:
        raise _refusal(conjunction, f"starts from the same fact as {MOST_SAME_PATTERNS} others; no more can be run")


def _satisfied_at_once(node: _Node) -> int:
    """The most tests below the node that one fact can have pending at once; a refusal when that is too many."""
    together = _most_together(node.children)
    deepest = max((_satisfied_at_once(child) for child in node.children.values()), default=0)
    most = max(together, together - 1 + deepest) if together else 0
    if most > MOST_SATISFIED_AT_ONCE:
        raise _refusal(
            node.rule,
            f"one fact could satisfy {most} tests at once; durable-rules holds {MOST_SATISFIED_AT_ONCE}",
            help="give each pattern a test of its own (a rule id, a theme) beside its joins, or fewer alternatives",
        )
    return most


def _most_together(children: Mapping[Term, _Node]) -> int:
    by_property: dict[str, list[Term]] = {}
    for term in children:
        by_property.setdefault(term.property, []).append(term)
    return sum(_most_by_one_value(group) for group in by_property.values())


def _most_by_one_value(group: Sequence[Term]) -> int:
    always = sum(term.op in ("present", "join") for term in group)
    equals = {term.value for term in group if term.op == "="}
    others = [term for term in group if term.op not in ("present", "join", "=")]
    candidates = set(_candidates(term.value for term in others)) | equals
    return always + max(
        (value in equals) + sum(holds(value, term.op, term.value) for term in others) for value in candidates
    )


def _candidates(values: Iterable[Value]) -> Iterator[Value]:
    yield "\x00a text that no test names"
    for value in values:
        yield value
        if isinstance(value, int):
            yield from (value - 1, value + 1)


def holds(value: Value | None, op: str, bound: Value) -> bool:
    """Whether a fact's value satisfies a test; the definition that both evaluators are held to."""
    if value is None:
        return False
    same_type = isinstance(value, str) == isinstance(bound, str)
    if op == "=":
        return same_type and value == bound
    if op == "!=":
        return not (same_type and value == bound)
    if not isinstance(value, int) or not isinstance(bound, int):
        return False
    return {"<": value < bound, "<=": value <= bound, ">": value > bound, ">=": value >= bound}[op]
