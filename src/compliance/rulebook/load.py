"""The rulebook: every rule file of one or more folders, loaded, checked against each other and frozen."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from compliance.errors import UsageError
from compliance.rulebook.diagnostics import Diagnostic, from_validation_error, nearest_help, raise_if_any
from compliance.rulebook.model import ConflictRule, Definition, Instrument, Parameter, Rule, RuleFile
from compliance.rulebook.text import load_fast, read_document

PACKAGED = Path(__file__).parents[1] / "_rules"
SOURCE_TREE = Path(__file__).parents[3] / "rules"
NOT_RULES = frozenset({"scoring.yaml", "ladder.yaml", "obligations.yaml", "equivalent_mutants.yaml"})
OTHER_FOLDERS = frozenset({"obligations.d"})


@dataclass(frozen=True)
class Rulebook:
    """Rules, definitions, parameters and instruments by id, each with the file it came from, and a digest of them all."""

    rules: Mapping[str, Rule]
    definitions: Mapping[str, Definition]
    parameters: Mapping[str, Parameter]
    instruments: Mapping[str, Instrument]
    conflicts: Mapping[str, ConflictRule] = field(default_factory=dict)
    files: Mapping[str, Path] = field(default_factory=dict)
    folder: Path = SOURCE_TREE
    digest: str = ""

    def of_kind(self, *kinds: str) -> list[Rule]:
        """The rules of those kinds, by id."""
        return [rule for _, rule in sorted(self.rules.items()) if rule.kind in kinds]

    @cached_property
    def duties(self) -> list[Rule]:
        """The rules that give duties, by id."""
        return [rule for _, rule in sorted(self.rules.items()) if rule.is_duty]

    def rule(self, name: str) -> Rule:
        """The rule of that id. Raises UsageError naming the nearest when there is none."""
        if name not in self.rules:
            raise UsageError(f"no rule is called {name}", help=nearest_help(name, self.rules, "rule"))
        return self.rules[name]

    def only(self, names: Iterable[str]) -> Rulebook:
        """The same rulebook with only the rules named."""
        kept = set(names)
        return replace(self, rules={name: rule for name, rule in self.rules.items() if name in kept})


def rules_folder() -> Path:
    """The rulebook that ships with the package, or the source tree's when it runs from there."""
    return PACKAGED if PACKAGED.is_dir() else SOURCE_TREE


def rule_files(folder: Path) -> list[Path]:
    """The rule files of a folder, in order. Raises UsageError when there are none."""
    if not folder.is_dir():
        raise UsageError(f"{folder}: no such rules folder")
    found = sorted(path for path in folder.rglob("*.yaml") if _holds_rules(path, folder))
    if not found:
        raise UsageError(f"{folder}: no rule files (*.yaml) here")
    return found


def _holds_rules(path: Path, folder: Path) -> bool:
    if path.parent == folder:
        return path.name not in NOT_RULES
    return path.parent.name not in OTHER_FOLDERS


def load_rulebook(folder: Path | None = None, extra: Sequence[Path] = ()) -> Rulebook:
    """The rulebook of a folder, and of any extra folders or files beside it.

    Raises RuleFileError with every problem found: unknown and duplicate keys, wrong values, ids used twice, instruments or rules
    unknown.
    """
    base = folder or rules_folder()
    paths = rule_paths(base, extra)
    files = {path: load_file(path) for path in paths}
    problems = [*_twice(files), *_unknown_instruments(files), *_unknown_overlaps(files)]
    raise_if_any(problems)
    return Rulebook(
        rules={rule.id: rule for file in files.values() for rule in file.rules},
        definitions={one.id: one for file in files.values() for one in file.definitions},
        parameters={one.id: one for file in files.values() for one in file.parameters},
        instruments={one.id: one for file in files.values() for one in file.instruments},
        conflicts={one.id: one for file in files.values() for one in file.conflicts},
        files={rule.id: path for path, file in files.items() for rule in file.rules},
        folder=base,
        digest=_digest(base, paths),
    )


def rule_paths(base: Path, extra: Sequence[Path] = ()) -> list[Path]:
    """The rule files of a folder, then those of extra folders or files. Raises UsageError when the folder has none."""
    return [*rule_files(base), *(path for place in extra for path in _paths(place))]


def _paths(place: Path) -> list[Path]:
    return rule_files(place) if place.is_dir() else [place]


def load_file(path: Path) -> RuleFile:
    """One rule file as models. Raises RuleFileError with positions."""
    try:
        return RuleFile.model_validate(load_fast(path))
    except ValidationError as error:
        document = read_document(path)
        raise_if_any(from_validation_error(document, error, shown_path(path), model=RuleFile))
        raise


def shown_path(path: Path) -> str:
    """The path as a person would type it."""
    try:
        return str(path.relative_to(Path.cwd()))
    except ValueError:
        return str(path)


def _digest(base: Path, paths: Iterable[Path]) -> str:
    """A digest of the text of every file, by name."""
    digest = hashlib.sha256()
    for path in paths:
        name = path.relative_to(base) if path.is_relative_to(base) else Path(path.name)
        digest.update(f"{name}\n".encode() + path.read_bytes() + b"\0")
    return digest.hexdigest()


def _twice(files: Mapping[Path, RuleFile]) -> Iterator[Diagnostic]:
    """A diagnostic for each id that is used a second time."""
    for kind in ("rules", "definitions", "parameters", "instruments"):
        seen: dict[str, Path] = {}
        for path, file in files.items():
            for number, one in enumerate(getattr(file, kind)):
                if one.id in seen:
                    first = shown_path(seen[one.id])
                    yield diagnostic(
                        path, (kind, number, "id"), f"{one.id} is already defined in {first}", "give it an id of its own"
                    )
                seen[one.id] = path


def _unknown_instruments(files: Mapping[Path, RuleFile]) -> Iterator[Diagnostic]:
    known = {one.id for file in files.values() for one in file.instruments}
    for path, file in files.items():
        for number, rule in enumerate(file.rules):
            if rule.instrument not in known:
                help = nearest_help(rule.instrument, known, "instrument")
                yield diagnostic(
                    path, ("rules", number, "instrument"), f"{rule.id}: no instrument is called {rule.instrument}", help
                )


def _unknown_overlaps(files: Mapping[Path, RuleFile]) -> Iterator[Diagnostic]:
    """A diagnostic for each overlap that names no other rule."""
    known = {rule.id for file in files.values() for rule in file.rules}
    for path, file in files.items():
        for number, rule in enumerate(file.rules):
            for place, beside in enumerate(rule.overlaps):
                at = ("rules", number, "overlaps", place, "rule")
                if beside.rule == rule.id:
                    yield diagnostic(path, at, f"{rule.id} overlaps with itself", "name the other rule on the same duty")
                elif beside.rule not in known:
                    help = nearest_help(beside.rule, known, "rule")
                    yield diagnostic(path, at, f"{rule.id}: no rule is called {beside.rule}", help)


def diagnostic(
    path: Path, loc: tuple[str | int, ...], message: str, help: str | None = None, *, code: str = "rule"
) -> Diagnostic:
    """A diagnostic that points at a place in a rule file."""
    document = read_document(path)
    position = document.position(loc)
    lines = document.text.splitlines()
    source = lines[position.line - 1] if position.line <= len(lines) else None
    return Diagnostic(shown_path(path), position.line, position.column, message, help, document.span(loc), code, source)


def find_text(value: Any, text: str, loc: tuple[str | int, ...] = ()) -> tuple[str | int, ...] | None:
    """Where in plain YAML data a text stands, or None."""
    if isinstance(value, str):
        return loc if value.strip() == text.strip() else None
    pairs = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for key, inner in pairs:
        found = find_text(inner, text, (*loc, key))
        if found is not None:
            return found
    return None
