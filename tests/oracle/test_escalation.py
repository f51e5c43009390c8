"""Engine and oracle agree on what raises a risk: every escalation rule of the rulebook, and rules that nobody wrote."""

from __future__ import annotations

from datetime import date
from functools import cache
from typing import Any

import pytest
from hypothesis import strategies as st

from compliance.dataset.schema import load_schema
from compliance.risks.examples import AllExamples
from compliance.rulebook.model import Compared, Escalation, Example, Rule, Same

from .agreement import count, explore
from .engine import rulebook
from .law_escalation import Fact, number, scopes
from .strategies import Draw, often
from .synthetic import written

LEAST = 5
A_DAY, LATER = date(2021, 9, 30), date(2023, 6, 1)
RULES = [rule.id for rule in rulebook().of_kind("escalation")]
POOL: tuple[str | int, ...] = ("X", "Y", "W1", 3, "3")
"""What a join may find equal: few enough that it often does."""


@cache
def examples() -> AllExamples:
    """One evaluator of examples for the session."""
    return AllExamples(load_schema(), rulebook())


def found(rule: Rule, facts: list[Fact], day: date) -> Any:
    """The scopes that the engine raises a risk about."""
    given = Example(title="facts", as_of=day, expect=[], facts=facts)
    (outcome,) = examples().run(rule.model_copy(update={"examples": [given]}))
    assert outcome.error is None, outcome.error
    return outcome.found


def assert_agreement(rule: Rule, facts: list[Fact], day: date, name: str) -> None:
    """The engine's risks on these facts are those of the oracle."""
    expected = scopes(rule, facts, day, rulebook().parameters)
    assert found(rule, facts, day) == expected, facts
    count(name, len(expected))


@st.composite
def facts_about(draw: Draw, rule: Rule, day: date) -> list[Fact]:
    """Facts that fill the rule's patterns, or miss one by a step, a word or a blank; some patterns twice, some not at all."""
    body = rule.body
    assert isinstance(body, Escalation)
    made: dict[str, Fact] = {}
    facts: list[Fact] = []
    for pattern in body.when:
        made[pattern.name] = fact = {"fact": pattern.fact} | joined(draw, body, pattern.name)
        fact |= {name: _value(draw, rule, name, wanted, made, day) for name, wanted in pattern.where.items()}
        facts += [fact] if often(draw, 9) else []
        if draw(st.integers(0, 3)) == 0:
            facts.append(fact | {name: draw(st.sampled_from(POOL)) for name in joined(draw, body, pattern.name)})
    return draw(st.permutations(facts))


def joined(draw: Draw, body: Escalation, name: str) -> Fact:
    """The properties of a pattern's fact that others join on, or that say whose risk it is."""
    wanted = [one.same_as for pattern in body.when for one in pattern.where.values() if isinstance(one, Same)]
    names = [each.partition(".")[2] for each in (*wanted, body.scope_id) if each.partition(".")[0] == name]
    return {each: draw(st.sampled_from(POOL)) for each in names}


def _value(draw: Draw, rule: Rule, name: str, wanted: Any, made: dict[str, Fact], day: date) -> Any:
    if not often(draw, 7):
        return draw(st.sampled_from((*POOL, None)))
    if isinstance(wanted, Same):
        other, _, prop = wanted.same_as.partition(".")
        return made[other].get(prop)
    if isinstance(wanted, Compared):
        return _near(draw, rule, name, wanted, day)
    return draw(st.sampled_from(wanted)) if isinstance(wanted, list) else wanted


def _near(draw: Draw, rule: Rule, name: str, wanted: Compared, day: date) -> Any:
    """A number on a bound or a step to either side of it; a measure's step is a tenth."""
    bounds = [one for one in (wanted.at_least, wanted.at_most) if one is not None]
    if not bounds:
        return draw(st.sampled_from((wanted.not_, *POOL)))
    step = 0.1 if name in ("value", "target", "change") else 1
    bound = number(draw(st.sampled_from(bounds)), rule, day, rulebook().parameters)
    value = round(bound + step * draw(st.sampled_from((0, 0, 1, -1))), 1)
    return value if step < 1 else int(value)


@pytest.mark.parametrize("rule_id", RULES)
def test_engine_and_oracle_raise_the_same_risks(rule_id: str, soak: int | None) -> None:
    rule = rulebook().rules[rule_id]
    explore(lambda facts: assert_agreement(rule, facts, A_DAY, rule_id), facts_about(rule, A_DAY), soak, 0.05 / len(RULES), LEAST)


PROPERTIES = ("person", "days", "status")
WANTED = st.one_of(
    st.sampled_from(POOL),
    st.lists(st.sampled_from(("X", "Y", "W1")), min_size=1, max_size=2, unique=True),
    st.lists(st.sampled_from((3, 4)), min_size=1, max_size=2, unique=True),
    st.sampled_from(({"at_least": 3}, {"at_most": 3}, {"at_least": "threshold"}, {"at_least": 2, "at_most": 4}, {"not": "X"})),
)
VALUE = st.one_of(st.none(), st.sampled_from((*POOL, 2, 4, 5)))


@st.composite
def escalations(draw: Draw) -> tuple[Rule, list[Fact], date]:
    names = ["first", "second", "third"][: draw(st.integers(1, 3))]
    patterns = []
    for place, name in enumerate(names):
        where: dict[str, Any] = draw(st.dictionaries(st.sampled_from(PROPERTIES), WANTED, max_size=2))
        if place and often(draw, 2):
            other = draw(st.sampled_from(names[:place]))
            where[draw(st.sampled_from(PROPERTIES))] = {"same_as": f"{other}.{draw(st.sampled_from(PROPERTIES))}"}
        patterns.append({"fact": draw(st.sampled_from(("breach", "worker"))), "as": name, "where": where})
    body = {"when": patterns, "scope": "child", "scope_id": f"{draw(st.sampled_from(names))}.source", "rung": "practitioner"}
    dated = [{"from": date(2020, 1, 1), "value": 3}, {"from": date(2022, 1, 1), "value": 4}]
    rule = written("escalation", body | {"likelihood": 3, "impact": 3, "reason": "it is so"}, {"threshold": {"values": dated}})
    facts = [_fact(draw, number) for number in range(draw(st.integers(0, 6)))]
    return rule, facts, draw(st.sampled_from((A_DAY, LATER)))


def _fact(draw: Draw, number: int) -> Fact:
    fact = {name: draw(VALUE) for name in PROPERTIES}
    return {"fact": draw(st.sampled_from(("breach", "worker"))), "source": f"F{number}", **fact}


def test_engine_and_oracle_agree_on_rules_that_nobody_wrote(soak: int | None) -> None:
    explore(lambda case: assert_agreement(*case, "any escalation"), escalations(), soak, 0.03, 60)


def test_the_facts_made_raise_risks() -> None:
    """It would prove nothing on facts that raise none."""
    raised = []

    def see(facts: list[Fact]) -> None:
        raised.append(bool(scopes(rule, facts, A_DAY, rulebook().parameters)))

    for rule_id in RULES:
        rule = rulebook().rules[rule_id]
        explore(see, facts_about(rule, A_DAY), None, 1, 10)
    assert sum(raised) > len(raised) / 10
