"""Waivers: findings left as they are for a time. They stay visible and counted; an expired waiver stops working and says so."""

from __future__ import annotations

import datetime
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from compliance.duties.findings import Finding, Waived
from compliance.register.decisions import Decisions, Scope, Waiver
from compliance.risks.assess import Risk

WARNING_DAYS = 14
_SCOPE_COLUMNS = {"service": "service", "worker": "worker_id", "child": "person_id", "carer": "carer_id"}


@dataclass(frozen=True)
class WaiverState:
    """One waiver on a day: `in force`, `expiring`, `expired` or `not yet granted`, and how many findings it covers."""

    waiver: Waiver
    state: str
    findings: int

    def words(self, as_of: datetime.date) -> str | None:
        """What must be said of it, or None where all is well."""
        waiver = self.waiver
        match self.state:
            case "expired":
                return f"the waiver of {waiver.names} expired on {waiver.expires} and no longer works"
            case "expiring":
                days = (waiver.expires - as_of).days
                return f"the waiver of {waiver.names} expires on {waiver.expires}, in {days} day{'' if days == 1 else 's'}"
            case "not yet granted":
                return f"the waiver of {waiver.names} is granted from {waiver.granted} and does not work yet"
        return None if self.findings else f"the waiver of {waiver.names} covers nothing that was found"


def state_on(waiver: Waiver, day: datetime.date) -> str:
    """How a waiver stands at the close of a day; its last day still counts."""
    if day < waiver.granted:
        return "not yet granted"
    if day > waiver.expires:
        return "expired"
    return "expiring" if (waiver.expires - day).days <= WARNING_DAYS else "in force"


class Waivers:
    """The waivers of a run, ready to be asked about findings and risks."""

    def __init__(self, decisions: Decisions, as_of: datetime.date, *, ignored: bool = False) -> None:
        self.as_of = as_of
        self.all = () if ignored else decisions.waivers
        self.working = [one for one in self.all if state_on(one, as_of) in ("in force", "expiring")]
        self.by_finding = {one.finding: one for one in self.working if one.finding}
        self.by_rule: dict[str, list[Waiver]] = {}
        for one in self.working:
            if one.rule is not None:
                self.by_rule.setdefault(one.rule, []).append(one)

    def of(self, finding: Finding) -> Waiver | None:
        """The waiver that covers a finding, or None."""
        if finding.id in self.by_finding:
            return self.by_finding[finding.id]
        return next((one for one in self.by_rule.get(finding.rule.id, ()) if _covers(one.scope, finding)), None)

    def of_risk(self, risk: Risk) -> Waiver | None:
        """The waiver that covers a risk, or None."""
        scope = (risk.scope_type, risk.scope_id)
        return next(
            (one for one in self.by_rule.get(risk.rule.id, ()) if one.scope and (one.scope.type, one.scope.id) == scope), None
        )

    def apply(self, found: Iterable[Finding]) -> list[Finding]:
        """The same findings, those that breach and are covered marked as waived."""
        if not self.working:
            return list(found)
        return [self._marked(one) for one in found]

    def _marked(self, finding: Finding) -> Finding:
        waiver = self.of(finding) if finding.breach else None
        return replace(finding, waived=as_waived(waiver)) if waiver else finding

    def states(self, found: Sequence[Finding], risks: Sequence[Risk] = ()) -> list[WaiverState]:
        """Every waiver with its state and the number of findings and risks it covers, in the order of the file."""
        counts: dict[int, int] = {}
        for waiver in [self.of(one) for one in found if one.breach] + [self.of_risk(one) for one in risks]:
            if waiver is not None:
                counts[id(waiver)] = counts.get(id(waiver), 0) + 1
        return [WaiverState(one, state_on(one, self.as_of), counts.get(id(one), 0)) for one in self.all]


def as_waived(waiver: Waiver) -> Waived:
    """What an answer says of a waiver."""
    return Waived(waiver.reason, waiver.approver, waiver.expires)


def _covers(scope: Scope | None, finding: Finding) -> bool:
    if scope is None:
        return False
    if scope.type == "authority":
        return scope.id == finding.authority
    if scope.type == "team":
        return scope.id in (finding.team_id, finding.team_name)
    if scope.type in _SCOPE_COLUMNS:
        return bool(getattr(finding, _SCOPE_COLUMNS[scope.type]) == scope.id)
    return scope.id == finding.subject_id


def waiver_document(one: WaiverState) -> Mapping[str, Any]:
    """A waiver as the manifest lists it."""
    waiver = one.waiver
    scope = {"type": waiver.scope.type, "id": waiver.scope.id} if waiver.scope else None
    return {
        "finding": waiver.finding,
        "rule": waiver.rule,
        "scope": scope,
        "reason": waiver.reason,
        "approver": waiver.approver,
        "granted": waiver.granted.isoformat(),
        "expires": waiver.expires.isoformat(),
        "state": one.state,
        "covers": one.findings,
    }
