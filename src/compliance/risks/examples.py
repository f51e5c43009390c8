"""The worked examples of every rule: of duties and measures in the database, of escalation rules on facts."""

from __future__ import annotations

import datetime
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import duckdb

from compliance.dataset.schema import Schema
from compliance.duties.examples import ExampleBench, Outcome
from compliance.errors import ComplianceError
from compliance.risks.escalation import TENTHS, compile_escalation
from compliance.risks.facts import gather
from compliance.risks.joins import JoinReasoner
from compliance.risks.patterns import Conjunction, Fact, check_fact, check_limits
from compliance.risks.scoring import load_ladder
from compliance.rulebook.load import Rulebook
from compliance.rulebook.model import Escalation, Example, Rule

A_DAY = datetime.date(2021, 9, 30)


@dataclass
class AllExamples:
    """Runs the examples of any rule."""

    schema: Schema
    rulebook: Rulebook
    bench: ExampleBench = field(init=False)

    def __post_init__(self) -> None:
        self.bench = ExampleBench(self.schema, self.rulebook)
        self.connection = duckdb.connect(":memory:")
        self.connection.execute("SET threads = 1")

    def run(self, rule: Rule) -> list[Outcome]:
        """The outcome of each example of the rule."""
        if rule.kind == "escalation":
            return [self._escalated(rule, example) for example in rule.examples]
        return self.bench.run(rule)

    def check_escalation(self, rule: Rule) -> None:
        """Nothing, or a RuleFileError: patterns that join nothing, a rung or scope that does not exist, a limit passed."""
        conjunctions = compile_escalation(self.rulebook, rule, A_DAY)
        check_limits(conjunctions)
        body = rule.body
        assert isinstance(body, Escalation)
        load_ladder(self.rulebook.folder).rank(body.rung)
        names = {pattern.name for pattern in body.when}
        if body.scope_id.partition(".")[0] not in names:
            raise ComplianceError(f"{rule.id}: scope_id {body.scope_id} names no pattern")

    def _escalated(self, rule: Rule, example: Example) -> Outcome:
        expected = example.expect if isinstance(example.expect, list) else []
        try:
            found = sorted(set(self._scopes(rule, example)))
        except ComplianceError as error:
            return Outcome(rule.id, example.title, expected, None, error=error.message)
        return Outcome(rule.id, example.title, sorted(map(str, expected)), found)

    def _scopes(self, rule: Rule, example: Example) -> Iterator[str]:
        """The scope of each firing of the rule on the example's facts."""
        body = rule.body
        assert isinstance(body, Escalation)
        conjunctions = compile_escalation(self.rulebook, rule, example.as_of)
        facts = [*(_fact(given) for given in example.facts), *self._facts_of_rows(rule, example, conjunctions)]
        for fact in facts:
            check_fact(fact)
        with JoinReasoner(conjunctions, self.connection) as joins:
            firings = joins.round(facts, 0)
        name, _, wanted = body.scope_id.partition(".")
        place = [pattern.name for pattern in body.when].index(name)
        for firing in firings:
            yield str(facts[firing.facts[place]].get(wanted, "?"))

    def _facts_of_rows(self, rule: Rule, example: Example, conjunctions: Sequence[Conjunction]) -> list[Fact]:
        """The facts that the definitions `fact_<kind>` give of an example's rows; none where it gives no rows."""
        if not example.tables:
            return []
        body = rule.body
        assert isinstance(body, Escalation)
        name, _, scope = body.scope_id.partition(".")
        told = {pattern.fact: [scope] for pattern in body.when if pattern.name == name}
        with self.bench.evaluated(rule, example) as evaluation:
            gathered = gather(evaluation, conjunctions, told, at_once=1)
        return [_of_the_example(fact) for one in gathered.values() for fact in one.facts]


def _of_the_example(fact: Fact) -> Fact:
    """The fact with ids as the example writes them; its council is X."""
    plain = {name: value.replace("x0/", "") if isinstance(value, str) else value for name, value in fact.items()}
    return {name: "X" if value == "x0" else value for name, value in plain.items()}


def _fact(given: Mapping[str, Any]) -> Fact:
    """An example's fact: `fact` names its kind, and percentages are tenths inside."""
    fact: Fact = {"kind": str(given["fact"])}
    for name, value in given.items():
        if name == "fact" or value is None:
            continue
        if isinstance(value, str):
            fact[name] = value
        else:
            fact[name] = round(value * 10) if name in TENTHS else int(value)
    return fact
