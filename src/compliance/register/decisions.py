"""`register.yaml`: what people decide about risks and findings. The engine reads and checks it, and never writes it."""

from __future__ import annotations

import datetime
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError, ValidationInfo, field_validator, model_validator

from compliance.calendar import Duration, add
from compliance.errors import UsageError
from compliance.rulebook.diagnostics import Diagnostic, from_validation_error, located, nearest_help, raise_if_any
from compliance.rulebook.load import Rulebook
from compliance.rulebook.model import ScopeType
from compliance.rulebook.text import Document, read_document

FILE_NAME = "register.yaml"
LONGEST_WAIVER = Duration(6, "months")
Point = Annotated[int, Field(ge=1, le=5)]
Words = Annotated[str, Field(min_length=1, max_length=2000)]
Treatment = Literal["treat", "tolerate", "transfer", "terminate"]


class Strict(BaseModel):
    """The base of every part of the file: unknown keys are refused and nothing changes after loading."""

    model_config = ConfigDict(extra="forbid", frozen=True, populate_by_name=True, str_strip_whitespace=True, defer_build=True)


class Scope(Strict):
    """Whom or what a decision is about: the type of scope and its id."""

    type: ScopeType
    id: Words


class Score(Strict):
    """A point on each scale, and why."""

    likelihood: Point
    impact: Point
    reason: Words | None = None

    @property
    def score(self) -> int:
        """Likelihood times impact."""
        return self.likelihood * self.impact


class Action(Strict):
    """Something that someone will do about a risk by a day."""

    action: Words
    owner: Words | None = None
    due: datetime.date
    done: datetime.date | None = None
    plan_action: Words | None = Field(None, description="its id in the improvement plan")


class RiskDecision(Strict):
    """What was decided about the risk that a rule raises for a scope."""

    rule: Words
    scope: Scope
    owner: Words | None = None
    controls: list[Words] = Field(default_factory=list)
    actions: list[Action] = Field(default_factory=list)
    treatment: Treatment | None = None
    accepted: Score | None = Field(None, description="the score after controls, as accepted")
    target: Score | None = None
    next_review: datetime.date | None = None
    first_raised: datetime.date | None = None


class Waiver(Strict):
    """A finding, or a rule for a scope, that someone has agreed to leave as it is until a day."""

    finding: str | None = Field(None, pattern=r"^[0-9a-f]{16}$")
    rule: Words | None = None
    scope: Scope | None = None
    reason: Words
    approver: Words
    granted: datetime.date
    expires: datetime.date

    @field_validator("expires")
    @classmethod
    def _at_most_six_months(cls, expires: datetime.date, info: ValidationInfo) -> datetime.date:
        granted = info.data.get("granted")
        if granted is None:
            return expires
        last = add(granted, LONGEST_WAIVER)
        if expires < granted:
            raise ValueError(f"a waiver granted on {granted} cannot expire before it")
        if expires > last:
            raise ValueError(f"a waiver lasts at most six months: granted on {granted}, by {last}")
        return expires

    @model_validator(mode="after")
    def _one_subject(self) -> Waiver:
        if (self.finding is None) == (self.rule is None):
            raise ValueError("a waiver names either a finding, or a rule and a scope")
        if (self.rule is None) != (self.scope is None):
            raise ValueError("a rule is waived for a scope: give both rule and scope")
        return self

    @property
    def names(self) -> str:
        """What is waived, in words."""
        if self.finding is not None:
            return f"finding {self.finding}"
        assert self.scope is not None
        return f"{self.rule} for {self.scope.type} {self.scope.id}"


class RegisterFile(Strict):
    """The decisions about risks, and the waivers."""

    risks: list[RiskDecision] = Field(default_factory=list)
    waivers: list[Waiver] = Field(default_factory=list)


@dataclass(frozen=True)
class Decisions:
    """What `register.yaml` says, and where it stands; empty where there is none."""

    risks: tuple[RiskDecision, ...] = ()
    waivers: tuple[Waiver, ...] = ()
    path: Path | None = None
    by_risk: dict[tuple[str, str, str], RiskDecision] = field(default_factory=dict)

    def of(self, rule: str, scope_type: str, scope_id: str) -> RiskDecision | None:
        """What was decided about a risk, or None."""
        return self.by_risk.get((rule, scope_type, scope_id))


NO_DECISIONS = Decisions()


def find_decisions(paths: Sequence[Path], given: Path | None, rulebook: Rulebook) -> Decisions:
    """The decisions in the file given, or in the `register.yaml` in a dataset's folder or beside its file.

    Raises UsageError where the file is not there or there are two, RuleFileError where it is wrong.
    """
    if given is not None:
        if not given.is_file():
            raise UsageError(f"{given}: no such register file", help="--register names a file such as register.yaml")
        return load_decisions(given, rulebook)
    found = sorted(
        {place for path in paths for place in [(path if path.is_dir() else path.parent) / FILE_NAME] if place.is_file()}
    )
    if len(found) > 1:
        raise UsageError(f"more than one {FILE_NAME}: {', '.join(map(str, found))}", help="name one with --register FILE")
    return load_decisions(found[0], rulebook) if found else NO_DECISIONS


def load_decisions(path: Path, rulebook: Rulebook) -> Decisions:
    """The decisions of one file. Raises RuleFileError with every problem in it and its position."""
    document = read_document(path)
    try:
        file = RegisterFile.model_validate(document.value or {})
    except ValidationError as error:
        raise_if_any([_about_this_file(one) for one in from_validation_error(document, error, path, model=RegisterFile)])
        raise
    raise_if_any([*_unknown_rules(document, file, rulebook), *_decided_twice(document, file)])
    by_risk: dict[tuple[str, str, str], RiskDecision] = {(one.rule, one.scope.type, one.scope.id): one for one in file.risks}
    return Decisions(tuple(file.risks), tuple(file.waivers), path, by_risk)


def _about_this_file(one: Diagnostic) -> Diagnostic:
    """The diagnostic, its help naming this file's schema where it named that of rule files."""
    return replace(one, help=one.help and one.help.replace("rules schema`", "rules schema --of register-file`"))


def _unknown_rules(document: Document, file: RegisterFile, rulebook: Rulebook) -> Iterator[Diagnostic]:
    """The names that are no rule; a decision about a risk names an escalation rule."""
    risks = [rule.id for rule in rulebook.of_kind("escalation")]
    for index, decision in enumerate(file.risks):
        if decision.rule not in risks:
            yield _no_rule(document, ("risks", index, "rule"), decision.rule, risks, "escalation rule")
    for index, waiver in enumerate(file.waivers):
        if waiver.rule is not None and waiver.rule not in rulebook.rules:
            yield _no_rule(document, ("waivers", index, "rule"), waiver.rule, list(rulebook.rules), "rule")


def _no_rule(document: Document, loc: tuple[str | int, ...], name: str, valid: list[str], noun: str) -> Diagnostic:
    return located(
        document,
        document.path,
        loc,
        message=f"no {noun} is called {name}",
        help=nearest_help(name, valid, noun),
        code="unknown-rule",
    )


def _decided_twice(document: Document, file: RegisterFile) -> Iterator[Diagnostic]:
    seen: set[tuple[str, str, str]] = set()
    for index, one in enumerate(file.risks):
        key = (one.rule, one.scope.type, one.scope.id)
        if key in seen:
            yield located(
                document,
                document.path,
                ("risks", index, "rule"),
                message=f"{one.rule} for {one.scope.type} {one.scope.id} is decided twice",
                help="keep one entry for each rule and scope",
                code="duplicate",
            )
        seen.add(key)
