"""The truth about a made council: every breach of every rule it covers, worked out apart from the engine."""

from collections.abc import Callable
from datetime import date

from compliance.synth import truth_care, truth_children, truth_fostering, truth_leavers, truth_workforce
from compliance.synth.oracle import Facts, Tables, TruthRow

__all__ = ["NOT_COVERED", "TruthRow", "covered", "tell_truth"]

NOT_COVERED = {
    "IP-*": "The improvement programme is transcribed from the cabinet report, not made.",
}


def _rules() -> dict[Callable[[Facts], None], list[str]]:
    """Return each little evaluator with the rules it covers."""
    themes = (truth_children, truth_care, truth_leavers, truth_fostering, truth_workforce)
    return {evaluate: rules for theme in themes for evaluate, rules in theme.RULES.items()}


def covered() -> list[str]:
    """Return the rules whose every breach is in the truth."""
    return [rule for rules in _rules().values() for rule in rules]


def tell_truth(tables: Tables, as_of: date, authority: str) -> list[TruthRow]:
    """Return every breach of the rules covered, in order."""
    facts = Facts(tables, as_of, authority)
    for evaluate in _rules():
        evaluate(facts)
    return sorted(facts.breaches, key=lambda row: tuple(str(value) for value in row))
