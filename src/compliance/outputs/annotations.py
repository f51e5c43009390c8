"""What GitHub and GitLab show beside a change: GitHub's workflow commands, GitLab's code quality report."""

from __future__ import annotations

from itertools import groupby
from typing import TYPE_CHECKING, Any

from compliance.duties.findings import Finding
from compliance.outputs.documents import as_json
from compliance.outputs.places import place, sentence

if TYPE_CHECKING:
    from compliance.outputs.published import Published

COMMANDS = {"critical": "error", "high": "error", "medium": "warning", "low": "notice"}
GRADES = {"critical": "blocker", "high": "critical", "medium": "major", "low": "minor"}


def github(published: Published) -> bytes:
    """One workflow command a rule with new breaches, at its first row: GitHub shows ten of a kind a step, so not one a breach."""
    by_rule = sorted(published.new, key=lambda one: list(COMMANDS).index(one.rule.severity))
    groups = [list(group) for _, group in groupby(by_rule, key=lambda one: one.rule.severity)]
    lines = [_command(found, published.folder) for group in groups for found in _rules(group)]
    return "".join(f"{line}\n" for line in lines).encode()


def _rules(found: list[Finding]) -> list[list[Finding]]:
    """The findings by rule, the rule with most first."""
    rules: dict[str, list[Finding]] = {}
    for one in found:
        rules.setdefault(one.rule.id, []).append(one)
    return sorted(rules.values(), key=lambda each: (-len(each), each[0].rule.id))


def _command(found: list[Finding], folder: str) -> str:
    first = found[0]
    stands = place(first, folder)
    properties = {"file": stands.path, "line": stands.line, "title": f"{first.rule.id} ({len(found)} breaches)"}
    told = ",".join(f"{name}={_property(str(value))}" for name, value in properties.items() if value)
    return f"::{COMMANDS[first.rule.severity]} {told}::{_data(f'{first.rule.title}. First: {sentence(first)}')}"


def _data(text: str) -> str:
    """The text of a workflow command: no line of it can start another command."""
    return text.replace("%", "%25").replace("\r", "%0D").replace("\n", "%0A")


def _property(text: str) -> str:
    return _data(text).replace(":", "%3A").replace(",", "%2C")


def gitlab(published: Published) -> bytes:
    """The new breaches as a code quality report, each with its id as fingerprint."""
    return as_json([_issue(one, published.folder) for one in published.new])


def _issue(one: Finding, folder: str) -> dict[str, Any]:
    stands = place(one, folder)
    return {
        "description": f"{one.rule.title}. {sentence(one)}",
        "check_name": one.rule.id,
        "fingerprint": one.id,
        "severity": GRADES[one.rule.severity],
        "location": {"path": stands.path, "lines": {"begin": stands.line or 1}},
    }
