"""The engine's answers on a generated dataset, by its public pieces alone: the bench that `rules test` uses."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache
from typing import Any

from compliance.dataset.schema import load_schema
from compliance.duties.examples import ExampleBench
from compliance.rulebook.load import load_rulebook
from compliance.rulebook.model import Example, Rule

from .evaluate import Dataset, Owed


@cache
def rulebook() -> Any:
    """The rulebook that the package ships."""
    return load_rulebook()


@cache
def bench() -> ExampleBench:
    """One database for the session."""
    return ExampleBench(load_schema(), rulebook())


def engine_answers(rule: str | Rule, datasets: Sequence[Dataset]) -> list[list[Owed]]:
    """The duties of each dataset, each a council of its own, all evaluated at once."""
    model = rulebook().rules[rule] if isinstance(rule, str) else rule
    examples = [_example(f"dataset {number}", dataset) for number, dataset in enumerate(datasets)]
    return [_answers(outcome) for outcome in bench().run(model, examples)]


def _example(title: str, dataset: Dataset) -> Example:
    tables = {name: rows for name, rows in dataset.tables.items() if rows}
    return Example(title=title, as_of=dataset.as_of, expect=[], history=dataset.history, **tables)


def _answers(outcome: Any) -> list[Owed]:
    assert outcome.error is None, outcome.error
    return [_owed(detail) for detail in outcome.details]


def _owed(detail: dict[str, Any]) -> Owed:
    return Owed(
        detail["subject_id"],
        detail["trigger_date"],
        detail["due_date"],
        detail["done_date"],
        detail["status"],
        detail["days_over"],
    )
