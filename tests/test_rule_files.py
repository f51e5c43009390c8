"""How the rule files read: a rule fits a screen, its examples apart. The traps of the law are shown by rules that there are."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from tests.conftest import ROOT
from tests.rulebooks import rulebook

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


def test_a_trap_is_shown_by_a_rule_that_there_is() -> None:
    tables = (ROOT / "docs" / "traps.md").read_text().partition("## Traps that no data can show")[0]
    rows = [line.strip("| \n").split(" | ") for line in tables.splitlines() if line.startswith("| ")]
    named = {name for row in rows for name in re.findall(r"(?<![-A-Z0-9])[A-Z]{2,}(?:-[A-Z0-9]+)+(?:-\*)?", row[1])}
    assert len(named) > 200
    assert {name for name in named if not any(is_named(rule, name) for rule in rulebook().rules)} == set()


def is_named(rule: str, name: str) -> bool:
    """Whether the name is the rule's, or the beginning of it with a star."""
    return rule == name or (name.endswith("*") and rule.startswith(name[:-1]))
