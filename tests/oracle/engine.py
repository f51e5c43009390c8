"""The engine's answers on a generated dataset, by its public pieces alone: the bench that `rules test` uses."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache
from typing import Any, NamedTuple

from tests.rulebooks import rulebook

from compliance.dataset.schema import load_schema
from compliance.duties.examples import ExampleBench
from compliance.rulebook.model import Example, Rule

from .evaluate import Dataset, Owed


class Found(NamedTuple):
    """One finding of the engine: its answer, its id and its council."""

    owed: Owed
    id: str
    council: str


class OracleBench(ExampleBench):
    """The bench, which also tells the ids."""

    def _duties(self, rule: Rule) -> dict[str, list[dict[str, Any]]]:
        answer = super()._duties(rule)
        ids = self.connection.execute(
            "SELECT authority, id FROM duties WHERE rule = ?"
            " ORDER BY authority, subject_id, trigger_date, due_date, done_date, status",
            [rule.id],
        ).fetchall()
        for council, rows in answer.items():
            of_council = [one for authority, one in ids if authority == council]
            for row, one in zip(rows, of_council, strict=True):
                row |= {"id": one, "council": council}
        return answer


@cache
def bench() -> OracleBench:
    """One database for the session."""
    return OracleBench(load_schema(), rulebook())


def engine_answers(rule: str | Rule, datasets: Sequence[Dataset]) -> list[list[Found]]:
    """The duties of each dataset, each a council of its own, all evaluated at once."""
    model = rulebook().rules[rule] if isinstance(rule, str) else rule
    examples = [_example(f"dataset {number}", dataset) for number, dataset in enumerate(datasets)]
    return [_answers(outcome) for outcome in bench().run(model, examples)]


def measured(rule: str | Rule, dataset: Dataset) -> dict[tuple[str, str], tuple[float, float]]:
    """A measure's numerator and denominator for each scope."""
    model = rulebook().rules[rule] if isinstance(rule, str) else rule
    (outcome,) = bench().run(model, [_example("dataset", dataset)])
    assert outcome.error is None, outcome.error
    return {(row["scope_type"], row["scope_id"]): (row["numerator"], row["denominator"]) for row in outcome.details}


def _example(title: str, dataset: Dataset) -> Example:
    tables = {name: rows for name, rows in dataset.tables.items() if rows}
    return Example(title=title, as_of=dataset.as_of, expect=[], history=dataset.history, **tables)


def _answers(outcome: Any) -> list[Found]:
    assert outcome.error is None, outcome.error
    return [Found(_owed(detail), detail["id"], detail["council"]) for detail in outcome.details]


def _owed(detail: dict[str, Any]) -> Owed:
    return Owed(
        detail["subject_id"],
        detail["trigger_date"],
        detail["due_date"],
        detail["done_date"],
        detail["status"],
        detail["days_over"],
    )
