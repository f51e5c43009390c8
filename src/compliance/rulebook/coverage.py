"""Every obligation of the catalogue, with the rules that decide it or the reason why data cannot."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from pydantic import BaseModel, ConfigDict, TypeAdapter, ValidationError

from compliance.rulebook.diagnostics import Diagnostic, from_validation_error, raise_if_any
from compliance.rulebook.load import Rulebook, diagnostic, shown_path
from compliance.rulebook.text import load_fast, read_document

DECIDED, MANUAL, NOT_DECIDABLE, UNACCOUNTED = "decided", "manual", "not decidable", "unaccounted"


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Obligation(_Strict):
    """One obligation of the catalogue: where it stands and how far its text was read."""

    id: str
    theme: str
    kind: str
    standing: str
    verified: str
    instrument: str
    provision: str


class Catalogue(_Strict):
    """All of them."""

    obligations: list[Obligation]


class Attested(_Strict):
    """How often a person attests an obligation that data cannot decide, and who."""

    every: str
    who: str


class Undecided(_Strict):
    """An obligation that data cannot decide, and why."""

    obligation: str
    title: str
    decided: bool
    reason: str
    manual: Attested | None = None


@dataclass(frozen=True)
class Coverage:
    """What accounts for one obligation."""

    obligation: Obligation
    status: str
    rules: tuple[str, ...]
    reason: str | None
    manual: Attested | None


def coverage_of(rulebook: Rulebook) -> list[Coverage]:
    """The coverage of the catalogue, in its order. Raises RuleFileError where a rule or reason names an unknown obligation."""
    catalogue = _load_catalogue(rulebook.folder / "obligations.yaml")
    known = {one.id for one in catalogue.obligations}
    undecided = dict(_undecided(rulebook.folder / "obligations.d", known))
    deciding = _deciding(rulebook, known)
    return [_coverage(one, deciding.get(one.id, []), undecided.get(one.id)) for one in catalogue.obligations]


def _coverage(one: Obligation, rules: list[str], why: Undecided | None) -> Coverage:
    status = DECIDED if rules else UNACCOUNTED if why is None else MANUAL if why.manual else NOT_DECIDABLE
    return Coverage(one, status, tuple(sorted(rules)), why.reason.strip() if why else None, why.manual if why else None)


def _deciding(rulebook: Rulebook, known: set[str]) -> dict[str, list[str]]:
    """The rules that decide each obligation."""
    found: dict[str, list[str]] = defaultdict(list)
    problems: list[Diagnostic] = []
    for rule in rulebook.rules.values():
        for name in rule.obligations:
            found[name].append(rule.id)
            if name not in known:
                path = rulebook.files[rule.id]
                problems.append(diagnostic(path, ("rules",), f"{rule.id} decides {name}, which is not in the catalogue"))
    raise_if_any(problems)
    return found


def _load_catalogue(path: Path) -> Catalogue:
    try:
        return Catalogue.model_validate(load_fast(path))
    except ValidationError as error:
        raise_if_any(from_validation_error(read_document(path), error, shown_path(path), model=Catalogue))
        raise


def _undecided(folder: Path, known: set[str]) -> Iterator[tuple[str, Undecided]]:
    """The obligations that data cannot decide, from every file of the folder."""
    adapter = TypeAdapter(list[Undecided])
    for path in sorted(folder.glob("*.yaml")):
        try:
            listed = adapter.validate_python(load_fast(path))
        except ValidationError as error:
            raise_if_any(from_validation_error(read_document(path), error, shown_path(path)))
            raise
        for number, one in enumerate(listed):
            if one.obligation not in known:
                raise_if_any([diagnostic(path, (number, "obligation"), f"{one.obligation} is not in the catalogue")])
            yield one.obligation, one
