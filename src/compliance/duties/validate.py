"""A rulebook held against the tables: every condition, definition and pattern compiled, every problem with its position."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import TypeVar

from compliance.calendar import Duration
from compliance.dataset.schema import Schema
from compliance.duties.compiler import UnknownSource, Workbench
from compliance.duties.measures import compile_measure
from compliance.errors import ComplianceError, RuleFileError
from compliance.rulebook.conditions import ConditionError
from compliance.rulebook.diagnostics import Diagnostic, DiagnosticError, located
from compliance.rulebook.load import Rulebook, find_text, shown_path
from compliance.rulebook.model import Measure, Rule
from compliance.rulebook.text import read_document

Check = Callable[[Rule], object]
T = TypeVar("T")


def problems(rulebook: Rulebook, schema: Schema, more: Iterable[Check] = ()) -> list[Diagnostic]:
    """Everything wrong in the rules' conditions and definitions, where it stands; `more` checks each escalation rule."""
    bench = Workbench(schema, rulebook)
    found: dict[Diagnostic, None] = {}
    for rule in rulebook.rules.values():
        for one in _problems_of(bench, rulebook, rule, list(more)):
            found.setdefault(one)
    return list(found)


def _problems_of(bench: Workbench, rulebook: Rulebook, rule: Rule, more: list[Check]) -> Iterator[Diagnostic]:
    try:
        if rule.is_duty:
            bench.compile(rule)
        elif isinstance(rule.body, Measure):
            compile_measure(bench, rule)
        else:
            for check in more:
                check(rule)
    except ComplianceError as error:
        yield diagnosed(rulebook, rule, error)


def diagnosed(rulebook: Rulebook, rule: Rule, error: ComplianceError) -> Diagnostic:
    """The error as a diagnostic at the text it speaks of, or at the rule."""
    if isinstance(error, DiagnosticError):
        return error.diagnostics[0]
    text = _text_of(error)
    path, loc = _place(rulebook, rule, text)
    document = read_document(path)
    if isinstance(error, ConditionError) and text is not None:
        return located(
            document,
            shown_path(path),
            loc,
            message=error.message,
            help=error.help,
            code=error.code,
            offset=error.offset,
            length=error.length,
        )
    message = f"{rule.id}: {error.message}" if text is None else error.message
    return located(document, shown_path(path), loc, message=message, help=error.help, code="rule")


def _text_of(error: ComplianceError) -> str | None:
    if isinstance(error, ConditionError):
        return error.text
    return error.name if isinstance(error, UnknownSource) else None


def _place(rulebook: Rulebook, rule: Rule, text: str | None) -> tuple[Path, tuple[str | int, ...]]:
    """The file and place of a text: in the rule, or in a definition anywhere."""
    path = rulebook.files[rule.id]
    value = read_document(path).value
    number = next((place for place, one in enumerate(value.get("rules", [])) if one.get("id") == rule.id), 0)
    home: tuple[str | int, ...] = ("rules", number)
    if text is None:
        return path, (*home, "id")
    inside = find_text(value["rules"][number], text)
    if inside is not None:
        return path, (*home, *inside)
    for other in sorted(set(rulebook.files.values())):
        found = find_text({"definitions": read_document(other).value.get("definitions", [])}, text)
        if found is not None:
            return other, found
    return path, (*home, "id")


def with_position(compiler: Callable[[Rule], T], rulebook: Rulebook, rule: Rule) -> T:
    """The rule compiled; what is wrong in its file is said with its position."""
    try:
        return compiler(rule)
    except RuleFileError as error:
        raise refuse(rulebook, rule, error) from error


def refuse(rulebook: Rulebook, rule: Rule, error: RuleFileError) -> DiagnosticError:
    """The error of one rule as the error to raise, with its position."""
    return DiagnosticError([diagnosed(rulebook, rule, error)])


def parameter_problems(rule: Rule) -> list[str]:
    """Values of a rule's own parameters that are neither numbers nor periods."""
    found = []
    for name, parameter in rule.parameters.items():
        for value in parameter.values:
            if isinstance(value.value, str):
                try:
                    Duration.parse(value.value)
                except ComplianceError as error:
                    found.append(f"{rule.id}: {name}: {error.message}")
    return found
