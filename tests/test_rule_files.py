"""How the rule files read: a rule fits a screen, its examples apart."""

from __future__ import annotations

from pathlib import Path

import pytest

from compliance.rulebook.load import rules_folder

SCREEN = 76
"""The longest has the fourteen branches of regulation 28; all others are of fifty lines at most."""


def rule_lengths(path: Path) -> dict[str, int]:
    """The lines of each rule of a file up to its examples, by its id."""
    found: dict[str, int] = {}
    rule, is_among_rules = None, False
    for line in path.read_text().splitlines():
        if line and not line[0].isspace():
            is_among_rules, rule = line.startswith("rules:"), None
        if is_among_rules and line.startswith("  - id: "):
            rule = line.removeprefix("  - id: ").strip()
        if line.startswith("    examples:"):
            rule = None
        if rule is not None:
            found[rule] = found.get(rule, 0) + 1
    return found


FILES = sorted(rules_folder().glob("*/*.yaml"))


@pytest.mark.parametrize("path", FILES, ids=lambda path: f"{path.parent.name}/{path.stem}")
def test_a_rule_fits_a_screen(path: Path) -> None:
    too_long = {rule: lines for rule, lines in rule_lengths(path).items() if lines > SCREEN}
    assert too_long == {}


def test_every_rule_is_measured() -> None:
    measured = [rule for path in FILES for rule in rule_lengths(path)]
    assert len(measured) == len(set(measured)) > 600
