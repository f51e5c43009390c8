"""Pseudonyms for children, workers and carers: the same id always gives the same one, and only the key's holder can make them.

Replaced: the ids of people, households and records, of findings and risks. Withheld: which file and row a thing stands in, and
what people wrote. Kept: dates, rules, numbers, and the names of councils, services, teams and the programme's items.
"""

from __future__ import annotations

import hashlib
import hmac
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from compliance.dataset.quality import QualityFinding
from compliance.dataset.remarks import RowRemark
from compliance.duties.findings import Evidence, Finding, Waived
from compliance.errors import UsageError
from compliance.register.decisions import Decisions, RiskDecision, Score
from compliance.register.merge import Scored, Standing
from compliance.register.register import MeasureValue, PriorityAction, Register, register
from compliance.register.waivers import Waivers
from compliance.risks.assess import Risk
from compliance.rulebook.model import Escalation
from compliance.run import Run

SHORTEST_KEY = 16
LENGTH = 12
WITHHELD = "withheld"
PEOPLE = {"child": "C", "worker": "W", "carer": "F"}
UNTOUCHED = frozenset({"authority", "service", "team", "item"})
_NAMES_PEOPLE = re.compile(r"\{[a-z_]+\.(person|worker|carer|child|subject|household)[a-z_]*\}")


class Pseudonyms:
    """Replaces ids by keyed digests (HMAC-SHA256); record ids too, for many systems build them from the child's."""

    def __init__(self, key: bytes) -> None:
        self._key = key

    def __repr__(self) -> str:
        return "Pseudonyms(key not shown)"

    @classmethod
    def from_file(cls, path: Path) -> Pseudonyms:
        """The pseudonyms that go with the key in a file. Raises UsageError where it is not there or too short."""
        try:
            key = path.read_bytes().strip()
        except OSError as error:
            raise UsageError(f"{path}: the key cannot be read: {error.strerror}") from error
        if len(key) < SHORTEST_KEY:
            raise UsageError(
                f"{path}: a key has at least {SHORTEST_KEY} bytes",
                help="make one: python -c 'import secrets; print(secrets.token_hex(32))'",
            )
        return cls(key)

    @property
    def mark(self) -> str:
        """What tells runs under different keys apart without telling the key."""
        return self._digest("mark")[:8]

    def _digest(self, *parts: str) -> str:
        return hmac.new(self._key, "\x1f".join(parts).encode(), hashlib.sha256).hexdigest()

    def of(self, kind: str, authority: str, name: str) -> str:
        """The pseudonym of a child, worker, carer or record."""
        return f"{PEOPLE.get(kind, 'X')}-{self._digest(PEOPLE.get(kind, 'X'), authority, name)[:LENGTH]}"

    def _maybe(self, kind: str, authority: str, name: str | None) -> str | None:
        return self.of(kind, authority, name) if name is not None else None

    def scope(self, kind: str, authority: str, name: str) -> str:
        """The id of a scope, replaced unless it is a council, service, team or item of the programme."""
        return name if kind in UNTOUCHED else self.of(kind, authority, name)

    def id(self, name: str) -> str:
        """The id of a finding or risk: a plain digest of a person's id could be guessed, a keyed one cannot."""
        return self._digest("id", name)[:16]

    def finding(self, one: Finding) -> Finding:
        """The finding with ids replaced."""
        return replace(
            one,
            id=self.id(one.id),
            subject_id=self._subject(one),
            person_id=self._maybe("child", one.authority, one.person_id),
            worker_id=self._maybe("worker", one.authority, one.worker_id),
            carer_id=self._maybe("carer", one.authority, one.carer_id),
            evidence=tuple(self._evidence(one.authority, row) for row in one.evidence),
            waived=_unsaid(one.waived),
        )

    def _subject(self, one: Finding) -> str:
        people = {one.person_id: "child", one.worker_id: "worker", one.carer_id: "carer"}
        return self.scope(people.get(one.subject_id, one.subject_type), one.authority, one.subject_id)

    def _evidence(self, authority: str, row: Evidence) -> Evidence:
        return replace(row, key=self._key_of(row.table, authority, row.key), file=None, sheet=None, row=None)

    def _key_of(self, table: str, authority: str, key: str) -> str:
        return self.of({"people": "child", "workers": "worker", "foster_carers": "carer"}.get(table, ""), authority, key)

    def quality(self, found: Iterable[QualityFinding], authority: str) -> list[QualityFinding]:
        """What is wrong in the data, its keys replaced and what it quotes withheld."""
        return [
            replace(
                one, key=self._key_of(one.table, authority, one.key), file=WITHHELD, sheet=None, row=0, message=WITHHELD
            )
            for one in found
        ]

    def remarks(self, said: Iterable[RowRemark]) -> list[RowRemark]:
        """What loading said of rows, without saying which rows or what stood in them."""
        return [replace(one, file=None, sheet=None, row=None, value=None, reason=WITHHELD) for one in said]

    def findings(self, found: Iterable[Finding]) -> list[Finding]:
        """The findings with ids replaced, those of one rule and day in the order of their new ids."""
        replaced = [self.finding(one) for one in found]
        places = {(one.rule.id, one.due_date): place for place, one in reversed(list(enumerate(replaced)))}
        return sorted(replaced, key=lambda one: (places[one.rule.id, one.due_date], one.id))

    def risk(self, one: Risk) -> Risk:
        """The risk with ids replaced; a reason that would name people is withheld."""
        body = one.rule.body
        assert isinstance(body, Escalation)
        return replace(
            one,
            id=self.id(one.id),
            scope_id=self.scope(one.scope_type, one.authority, one.scope_id),
            because=tuple(sorted(self._because(one.authority, name) for name in one.because)),
            reason="withheld: it names people" if _NAMES_PEOPLE.search(body.reason) else one.reason,
        )

    def _because(self, authority: str, name: str) -> str:
        """A cause: a finding or risk by its id, or a measure or tally by its name, type of scope and scope."""
        parts = name.split(":", 2)
        if len(parts) < 3:
            return self.id(name)
        what, kind, scope = parts
        return f"{what}:{kind}:{self.scope(kind, authority, scope.replace(f'{authority}/', ''))}"

    def measure(self, one: MeasureValue) -> MeasureValue:
        """The measure with the id of its scope replaced."""
        return replace(one, scope_id=self.scope(one.scope_type, one.authority, one.scope_id))

    def register(self, found: Register) -> Register:
        """The register with ids replaced throughout."""
        return replace(
            found,
            risks=tuple(self.risk(one) for one in found.risks),
            measures=tuple(self.measure(one) for one in found.measures),
            priority_actions=tuple(self._priority(one) for one in found.priority_actions),
            standings={self.id(name): self._standing(one) for name, one in found.standings.items()},
        )

    def _priority(self, one: PriorityAction) -> PriorityAction:
        return replace(one, risks=tuple(self.id(name) for name in one.risks))

    def _standing(self, one: Standing) -> Standing:
        accepted, target = (one.decision.accepted, one.decision.target) if one.decision else (None, None)
        return replace(
            one,
            risk=self.risk(one.risk),
            current=_without_reason(one.current, accepted),
            target=_without_reason(one.target, target) if one.target else None,
            decision=_undecided(one.decision),
            waived=_unsaid(one.waived),
        )

    def waivers(self, documents: Sequence[Mapping[str, Any]], authority: str) -> list[dict[str, Any]]:
        """The manifest's waivers with the ids of what they waive replaced."""
        return [self._waiver(one, authority) for one in documents]

    def _waiver(self, one: Mapping[str, Any], authority: str) -> dict[str, Any]:
        scope = one["scope"]
        if scope is not None:
            scope = {**scope, "id": self.scope(scope["type"], authority, scope["id"])}
        said = {"reason": WITHHELD, "approver": WITHHELD}
        return {**one, **said, "finding": self.id(one["finding"]) if one["finding"] else None, "scope": scope}


def _unsaid(waived: Waived | None) -> Waived | None:
    """The waiver without what people wrote."""
    return replace(waived, reason=WITHHELD, approver=WITHHELD) if waived else None


def _without_reason(scored: Scored, decided: Score | None) -> Scored:
    """The score without the reason that people gave for it."""
    if decided is None or not decided.reason:
        return scored
    return replace(scored, arithmetic=scored.arithmetic.replace(decided.reason, WITHHELD))


def _undecided(decision: RiskDecision | None) -> RiskDecision | None:
    """The decision without what people wrote: how many controls and actions there are, and their dates."""
    if decision is None:
        return None
    hidden = {"action": WITHHELD, "owner": None, "plan_action": None}
    return decision.model_copy(
        update={
            "owner": WITHHELD if decision.owner else None,
            "controls": [WITHHELD] * len(decision.controls),
            "actions": [one.model_copy(update=hidden) for one in decision.actions],
        }
    )


def register_of(
    run: Run,
    decisions: Decisions,
    *,
    waivers: Waivers,
    previous: Sequence[Mapping[str, Any]] = (),
    pseudonyms: Pseudonyms | None = None,
) -> Register:
    """The register with the direction of travel; its people under pseudonyms where there are any, as in the earlier runs."""
    found = register(run, decisions, waivers=waivers, previous=previous, named=pseudonyms.id if pseudonyms else None)
    return pseudonyms.register(found) if pseudonyms else found
