"""Forward chaining in rounds, in which two evaluators must find the same firings each time or nothing is published."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

from compliance.errors import EngineError
from compliance.risks.durable import DurableReasoner, why_unavailable
from compliance.risks.joins import JoinReasoner
from compliance.risks.patterns import Fact, Firing, check_fact

Derive = Callable[[list[Firing], int], list[Fact]]


@dataclass(frozen=True, slots=True)
class Reconciliation:
    """Who evaluated the escalation rules and what they agreed on; a line of the run's manifest."""

    evaluators: tuple[str, ...]
    rounds: int
    facts: int
    firings: int
    note: str


@dataclass(frozen=True, slots=True)
class RoundsResult:
    """Every firing, by round, rule, branch and facts; every fact, given then derived, at its sequence number."""

    firings: list[Firing]
    facts: list[Fact]
    rounds: int
    reconciliation: Reconciliation


def run_rounds(
    durable: DurableReasoner | None,
    joins: JoinReasoner,
    facts: Sequence[Fact],
    derive: Derive,
    *,
    max_rounds: int = 20,
) -> RoundsResult:
    """All firings once nothing new is raised; an EngineError when the evaluators differ or the rules do not settle.

    `derive` is given the new firings and the number of the first fact it may add, and gives facts not given before.
    """
    known: list[Fact] = []
    firings: list[Firing] = []
    new = list(facts)
    for number in range(1, max_rounds + 1):
        for fact in new:
            check_fact(fact)
        found = _agreed(durable, joins, new, len(known))
        known += new
        firings += found
        new = derive(found, len(known)) if found else []
        if not new:
            return RoundsResult(firings, known, number, _reconciliation(durable, number, len(known), len(firings)))
    raise EngineError(
        f"escalation did not settle in {max_rounds} rounds: {_commonest(found)} still raises {len(new)} new facts",
        help="an escalation rule that raises the risk it needs never ends; find it with `compliance rules show`",
    )


def _agreed(durable: DurableReasoner | None, joins: JoinReasoner, new: Sequence[Fact], first: int) -> list[Firing]:
    if durable is None:
        return sorted(joins.round(new, first))
    with ThreadPoolExecutor(1) as pool:  # durable-rules works in its process while DuckDB does in this one
        answer = pool.submit(durable.round, new, first)
        try:
            by_joins = joins.round(new, first)
        except BaseException:
            durable.close()
            raise
        by_durable = answer.result()
    _check_same(Counter(by_durable), Counter(by_joins))
    return sorted(by_joins)


def _check_same(by_durable: Counter[Firing], by_joins: Counter[Firing]) -> None:
    if by_durable == by_joins:
        return
    only_durable, only_joins = by_durable - by_joins, by_joins - by_durable
    example = min([*only_durable, *only_joins])
    rule = example.rule
    finder = "durable-rules" if example in only_durable else "SQL"
    raise EngineError(
        f"the two evaluations of escalation rule {rule} differ: durable-rules found {_of_rule(by_durable, rule)}, "
        f"SQL found {_of_rule(by_joins, rule)}; for example branch {example.branch} on facts "
        f"{', '.join(map(str, example.facts))}, more often by {finder}",
        help="nothing is published; this is a defect of the engine, please report it with the rule",
    )


def _of_rule(firings: Counter[Firing], rule: str) -> int:
    return sum(count for firing, count in firings.items() if firing.rule == rule)


def _commonest(firings: Sequence[Firing]) -> str:
    rule, _ = Counter(firing.rule for firing in firings).most_common(1)[0]
    return f"rule {rule}"


def _reconciliation(durable: DurableReasoner | None, rounds: int, facts: int, firings: int) -> Reconciliation:
    if durable is None:
        reason = why_unavailable() or "durable-rules was not asked"
        return Reconciliation(("sql",), rounds, facts, firings, f"evaluated as SQL joins alone: {reason}")
    note = f"durable-rules and SQL joins found the same {firings} firings in {rounds} rounds"
    return Reconciliation(("durable-rules", "sql"), rounds, facts, firings, note)
