"""Statements that can be read, or measured, in two ways: both answers, side by side."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from compliance.rulebook.model import ConflictRule, Measure
from compliance.run import Run


@dataclass(frozen=True)
class Conflict:
    """One conflict: what is said, and the answer of each reading."""

    rule: ConflictRule
    answers: tuple[tuple[str, str], ...]


def conflicts(run: Run) -> Iterable[Conflict]:
    """The conflicts for which at least one reading was evaluated."""
    for rule in run.rulebook.conflicts.values():
        answers = tuple((name, answer) for name in rule.between for answer in [_answer(run, name)] if answer)
        if answers:
            yield Conflict(rule, answers)


def _answer(run: Run, name: str) -> str:
    rule = run.rulebook.rules[name]
    return _measured(run, name) if isinstance(rule.body, Measure) else _duties(run, name)


def _duties(run: Run, name: str) -> str:
    rows = run.evaluation.connection.execute(
        "SELECT DISTINCT due_date, status FROM duties WHERE rule = ? ORDER BY ALL", [name]
    ).fetchall()
    return ", ".join(f"due {due}, {status}" for due, status in rows[:3])


def _measured(run: Run, name: str) -> str:
    row = run.evaluation.connection.execute(
        "SELECT sum(numerator), sum(denominator) FROM measures WHERE measure = ? AND scope_type = 'authority'", [name]
    ).fetchone()
    if not row or not row[1]:
        return ""
    body = run.rulebook.rules[name].body
    assert isinstance(body, Measure)
    share = row[0] / row[1]
    return f"{100 * share:.1f}% ({row[0]:,.10g} of {row[1]:,.10g})" if body.unit == "percent" else f"{share:.1f}"
