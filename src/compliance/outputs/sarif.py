"""SARIF 2.1.0: a result a breach, at the source row that decided it."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

from compliance import __version__
from compliance.duties.findings import Finding
from compliance.outputs.documents import as_json, citations
from compliance.outputs.places import place, sentence
from compliance.rulebook.load import Rulebook
from compliance.rulebook.model import Rule

if TYPE_CHECKING:
    from compliance.outputs.published import Published

SCHEMA = "https://json.schemastore.org/sarif-2.1.0.json"
LEVELS = {"critical": "error", "high": "error", "medium": "warning", "low": "note"}
RANKS = {"critical": 100.0, "high": 75.0, "medium": 50.0, "low": 25.0}
MOST_RESULTS = 25_000
"""GitHub refuses a run with more results; the findings come worst first, and what is left out is said."""


def written(published: Published) -> bytes:
    """The breaches as one SARIF run."""
    found = [one for one in published.findings if one.breach]
    rules = {one.rule.id: one.rule for one in found}
    places = {rule: number for number, rule in enumerate(sorted(rules))}
    results = [_result(one, places[one.rule.id], published) for one in found[:MOST_RESULTS]]
    rulebook = published.run.rulebook
    driver = {
        "name": "compliance",
        "version": __version__,
        "semanticVersion": __version__,
        "rules": [_rule(rules[name], rulebook) for name in sorted(rules)],
        "properties": {"rule_pack": rulebook.digest},
    }
    notices = list(_notices(published, len(found)))
    run = {
        "tool": {"driver": driver},
        "invocations": [{"executionSuccessful": True, "toolExecutionNotifications": notices}],
        "columnKind": "unicodeCodePoints",
        "results": results,
        "properties": published.run.manifest(),
    }
    return as_json({"$schema": SCHEMA, "version": "2.1.0", "runs": [run]})


def _rule(rule: Rule, rulebook: Rulebook) -> dict[str, Any]:
    cited = citations(rule, rulebook)[0]
    told: dict[str, Any] = {
        "id": rule.id,
        "shortDescription": {"text": rule.title},
        "fullDescription": {"text": rule.law or rule.title},
        "help": {"text": f"{cited['instrument']}, {cited['provision']} ({rule.standing.replace('_', ' ')})"},
        "defaultConfiguration": {"level": LEVELS[rule.severity], "rank": RANKS[rule.severity]},
        "properties": {"tags": [rule.theme, rule.standing, rule.severity], "verified": rule.verified},
    }
    if cited["url"]:
        told["helpUri"] = cited["url"]
    return told


def _result(one: Finding, index: int, published: Published) -> dict[str, Any]:
    told: dict[str, Any] = {
        "ruleId": one.rule.id,
        "ruleIndex": index,
        "level": LEVELS[one.rule.severity],
        "message": {"text": f"{one.rule.title}. {sentence(one)}"},
        "locations": [_location(one, published.folder)],
        "partialFingerprints": {"complianceFinding/v1": one.id},
        "properties": {"status": one.status, "breach": one.breach, "severity": one.rule.severity, "due_date": one.due_date},
    }
    if published.known is not None:
        told["baselineState"] = "unchanged" if one.id in published.known else "new"
    return told


def _location(one: Finding, folder: str) -> dict[str, Any]:
    stands = place(one, folder)
    physical: dict[str, Any] = {"artifactLocation": {"uri": quote(stands.path)}}
    if stands.line:
        physical["region"] = {"startLine": stands.line}
    told: dict[str, Any] = {"physicalLocation": physical}
    if stands.sheet:
        told["logicalLocations"] = [{"name": stands.sheet, "kind": "sheet"}]
    return told


def _notices(published: Published, found: int) -> Iterator[dict[str, Any]]:
    """What was left out: results beyond the limit, and rules that could not be evaluated."""
    if found > MOST_RESULTS:
        words = f"{found - MOST_RESULTS} of {found} results are left out, the least severe: GitHub takes {MOST_RESULTS}"
        yield {"level": "warning", "message": {"text": words}}
    asked = {rule.id for rule in published.rules}
    for left in published.run.evaluation.not_evaluated:
        if left.rule in asked:
            yield {"level": "note", "message": {"text": f"{left.rule} was not evaluated: {left.reason}"}}
