"""How far the answer can be relied on: what was evaluated, what is unknown and what was rejected, by theme."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from compliance.run import Run


@dataclass(frozen=True)
class Confidence:
    """One theme: rules evaluated of all, duties of which how many are unknown, and rules whose law was not read in full."""

    theme: str
    rules: int
    evaluated: int
    duties: int
    unknown: int
    unread_law: int

    @property
    def word(self) -> str:
        """High, medium or low: nine tenths, or seven, of rules evaluated and of duties known."""
        share = min(self.evaluated / self.rules if self.rules else 0.0, 1 - self.unknown / self.duties if self.duties else 1.0)
        return "high" if share >= 0.9 else "medium" if share >= 0.7 else "low"


def confidence(run: Run) -> Iterable[Confidence]:
    """The confidence in each theme that has rules."""
    done = set(run.evaluation.evaluated)
    counts = {
        rule: (total, unknown)
        for rule, total, unknown in run.evaluation.connection.execute(
            "SELECT rule, count(*), count(*) FILTER (status = 'unknown') FROM duties GROUP BY rule"
        ).fetchall()
    }
    duties = run.evaluation.rulebook.duties
    for theme in sorted({rule.theme for rule in duties}):
        rules = [rule for rule in duties if rule.theme == theme]
        yield Confidence(
            theme=theme,
            rules=len(rules),
            evaluated=sum(rule.id in done for rule in rules),
            duties=sum(counts.get(rule.id, (0, 0))[0] for rule in rules),
            unknown=sum(counts.get(rule.id, (0, 0))[1] for rule in rules),
            unread_law=sum(rule.verified != "text" for rule in rules),
        )
