"""Risks: what breaches and measures mean together, raised by escalation rules in rounds and scored."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field

from compliance.duties.evaluate import Evaluation
from compliance.duties.parameters import number_on
from compliance.errors import EngineError
from compliance.risks.durable import DurableReasoner
from compliance.risks.escalation import compile_all
from compliance.risks.facts import Facts, Origin, gather
from compliance.risks.joins import JoinReasoner
from compliance.risks.patterns import Conjunction, Fact, Firing
from compliance.risks.relevant import relevant
from compliance.risks.rounds import Reconciliation, run_rounds
from compliance.risks.scoring import Ladder, Scoring
from compliance.rulebook.model import Escalation, Rule

MOST_BECAUSE = 500
TIME_LIMIT = 60.0
_BLANK = re.compile(r"\{([a-z_]+)\.([a-z_]+)\}")


@dataclass(frozen=True)
class Risk:
    """A risk raised by an escalation rule, with the findings, measures and risks that caused it."""

    id: str
    rule: Rule
    authority: str
    scope_type: str
    scope_id: str
    likelihood: int
    impact: int
    band: str
    rung: str
    reason: str
    because: tuple[str, ...]
    cause_count: int
    round: int

    @property
    def score(self) -> int:
        """Likelihood times impact, from 1 to 25."""
        return self.likelihood * self.impact

    @property
    def title(self) -> str:
        """What the risk is called."""
        return self.rule.title


@dataclass(frozen=True)
class Assessment:
    """The risks of a run, highest first, and how the two evaluations were reconciled."""

    risks: tuple[Risk, ...]
    reconciliation: tuple[Reconciliation, ...]
    facts: int
    firings: int


@dataclass
class _Raised:
    """A risk being put together from its firings."""

    rule: Rule
    scope_id: str
    reason: str
    because: dict[str, None] = field(default_factory=dict)
    round: int = 1


def conjunctions_of(evaluation: Evaluation) -> list[Conjunction]:
    """The patterns of every escalation rule on the as-of day."""
    return compile_all(evaluation.rulebook, evaluation.as_of)


def assess(
    evaluation: Evaluation,
    scoring: Scoring,
    ladder: Ladder,
    *,
    conjunctions: Sequence[Conjunction],
    reasoner: Callable[[], DurableReasoner | None],
) -> Assessment:
    """The risks that follow from the duties and measures; `reasoner` gives a started one for each council, or None.

    Raises EngineError when the two evaluations differ.
    """
    by_authority = gather(evaluation, conjunctions, _told(evaluation))
    risks: list[Risk] = []
    reconciliations: list[Reconciliation] = []
    facts = firings = 0
    for authority in sorted(by_authority):
        live, places = relevant(conjunctions, by_authority[authority].facts)
        council = _Council(evaluation, scoring, ladder, authority, by_authority[authority].only(places))
        with JoinReasoner(live, evaluation.connection) as joins, closing(reasoner()) as durable:
            result = run_rounds(durable, joins, council.facts.facts, council.derive)
        risks += council.risks()
        reconciliations.append(result.reconciliation)
        facts += len(result.facts)
        firings += len(result.firings)
    ordered = sorted(risks, key=lambda risk: (-risk.score, -ladder.rank(risk.rung), risk.rule.id, risk.authority, risk.scope_id))
    return Assessment(tuple(ordered), tuple(reconciliations), facts, firings)


def _told(evaluation: Evaluation) -> dict[str, set[str]]:
    """The properties, by kind of fact, that scopes and reasons speak of."""
    told: dict[str, set[str]] = {}
    for rule in evaluation.rulebook.of_kind("escalation"):
        body = rule.body
        assert isinstance(body, Escalation)
        kinds = {pattern.name: pattern.fact for pattern in body.when}
        for name, wanted in [*_BLANK.findall(body.reason), *_BLANK.findall("{" + body.scope_id + "}")]:
            if name in kinds:
                told.setdefault(kinds[name], set()).add(wanted)
    return told


@contextmanager
def closing(durable: DurableReasoner | None) -> Iterator[DurableReasoner | None]:
    """The reasoner, closed at the end; nothing where there is none."""
    try:
        yield durable
    finally:
        if durable is not None:
            durable.close()


class _Council:
    """The risks of one council, put together round by round."""

    def __init__(self, evaluation: Evaluation, scoring: Scoring, ladder: Ladder, authority: str, facts: Facts) -> None:
        self.evaluation, self.scoring, self.ladder, self.authority = evaluation, scoring, ladder, authority
        self.facts = facts
        self.all_facts: list[Fact] = list(facts.facts)
        self.origins: list[Origin] = list(facts.origins)
        self.raised: dict[str, _Raised] = {}
        self.round = 0

    def derive(self, firings: list[Firing], next_number: int) -> list[Fact]:
        """The facts of the risks raised for the first time in this round."""
        if next_number != len(self.all_facts):
            raise EngineError(f"facts are out of step: {next_number} numbered, {len(self.all_facts)} known")
        self.round += 1
        new: list[Fact] = []
        for firing in firings:
            risk_id = self._raise(firing)
            if risk_id is not None:
                fact = self._risk_fact(risk_id)
                new.append(fact)
                self.all_facts.append(fact)
                self.origins.append(Origin("risk", risk_id))
        return new

    def _raise(self, firing: Firing) -> str | None:
        """The id of the risk that a firing raises when it is new; one raised before gains a cause."""
        rule = self.evaluation.rulebook.rules[firing.rule]
        body = rule.body
        assert isinstance(body, Escalation)
        named = {pattern.name: self.all_facts[number] for pattern, number in zip(body.when, firing.facts, strict=True)}
        scope_id = str(_property(named, body.scope_id, rule))
        risk_id = _risk_id(rule.id, body.scope, self.authority, scope_id)
        is_new = risk_id not in self.raised
        if is_new:
            self.raised[risk_id] = _Raised(rule, scope_id, _filled(body.reason, named, self.authority), round=self.round)
        for number in firing.facts:
            self.raised[risk_id].because.setdefault(self.origins[number].id)
        return risk_id if is_new else None

    def _risk_fact(self, risk_id: str) -> Fact:
        raised = self.raised[risk_id]
        likelihood, impact = self._scores(raised.rule)
        body = raised.rule.body
        assert isinstance(body, Escalation)
        return {
            "kind": "risk",
            "rule": raised.rule.id,
            "theme": raised.rule.theme,
            "title": raised.rule.title[:200],
            "scope_type": body.scope,
            "scope_id": raised.scope_id,
            "authority": self.authority,
            "score": likelihood * impact,
            "rung": self.ladder.rank(body.rung),
        }

    def _scores(self, rule: Rule) -> tuple[int, int]:
        body = rule.body
        assert isinstance(body, Escalation)
        parameters, day = self.evaluation.rulebook.parameters, self.evaluation.as_of
        return round(number_on(rule, parameters, body.likelihood, day)), round(number_on(rule, parameters, body.impact, day))

    def risks(self) -> list[Risk]:
        """The risks raised."""
        return [self._risk(risk_id, raised) for risk_id, raised in self.raised.items()]

    def _risk(self, risk_id: str, raised: _Raised) -> Risk:
        body = raised.rule.body
        assert isinstance(body, Escalation)
        likelihood, impact = self._scores(raised.rule)
        return Risk(
            id=risk_id,
            rule=raised.rule,
            authority=self.authority,
            scope_type=body.scope,
            scope_id=raised.scope_id.replace(f"{self.authority}/", ""),
            likelihood=likelihood,
            impact=impact,
            band=self.scoring.band(likelihood * impact).id,
            rung=body.rung,
            reason=raised.reason,
            because=tuple(sorted(raised.because))[:MOST_BECAUSE],
            cause_count=len(raised.because),
            round=raised.round,
        )


def _property(named: Mapping[str, Fact], text: str, rule: Rule) -> str | int:
    name, _, wanted = text.partition(".")
    if name not in named or wanted not in named[name]:
        raise EngineError(f"{rule.id}: {text} is not a property of the facts that fired it")
    return named[name][wanted]


def _filled(template: str, named: Mapping[str, Fact], authority: str) -> str:
    """The reason in words, with the properties of the facts that fired it."""

    def value(match: re.Match[str]) -> str:
        fact = named.get(match[1], {})
        found = fact.get(match[2], "?")
        if match[2] in ("value", "target", "change") and isinstance(found, int):
            return f"{found / 10:g}"
        return str(found).replace(f"{authority}/", "")

    return _BLANK.sub(value, template)


def _risk_id(rule: str, scope: str, authority: str, scope_id: str) -> str:
    plain = scope_id.replace(f"{authority}/", "")
    return hashlib.sha256(f"{rule}|{scope}|{authority}|{plain}".encode()).hexdigest()[:16]
