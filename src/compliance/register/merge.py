"""Each risk as it stands: what the rules say, what people decided, what the data suggests, and what it was before."""

from __future__ import annotations

import datetime
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from compliance.duties.findings import Waived
from compliance.register.confidence import Confidence
from compliance.register.decisions import NO_DECISIONS, Decisions, RiskDecision, Score
from compliance.register.proposal import Proposal, proposals
from compliance.register.waivers import Waivers, as_waived
from compliance.risks.assess import Risk
from compliance.risks.scoring import Scoring
from compliance.rulebook.model import Escalation
from compliance.run import Run

WORST_FIRST = ("low", "medium", "high")


@dataclass(frozen=True)
class Scored:
    """A score with its band and its arithmetic."""

    likelihood: int
    impact: int
    band: str
    arithmetic: str

    @property
    def score(self) -> int:
        """Likelihood times impact."""
        return self.likelihood * self.impact


@dataclass(frozen=True)
class Standing:
    """One risk with everything that is known and decided of it."""

    risk: Risk
    inherent: Scored
    current: Scored
    target: Scored | None
    proposed: Proposal | None
    decision: RiskDecision | None
    waived: Waived | None
    confidence: str | None
    direction: str | None
    previous_scores: tuple[int, ...]
    first_raised: datetime.date
    last_changed: datetime.date

    @property
    def cause(self) -> str:
        """Why the risk was raised."""
        return self.risk.reason

    @property
    def event(self) -> str:
        """What the risk is."""
        return self.risk.title

    @property
    def consequence(self) -> str | None:
        """What follows if it comes about, where the rule says."""
        return self._body.consequence

    @property
    def _body(self) -> Escalation:
        body = self.risk.rule.body
        assert isinstance(body, Escalation)
        return body

    @property
    def owner(self) -> str | None:
        """Who answers for the risk: as decided, else as the rule says."""
        return (self.decision.owner if self.decision else None) or self._body.owner


def standings(
    run: Run,
    risks: Sequence[Risk],
    trusted: Sequence[Confidence],
    decisions: Decisions = NO_DECISIONS,
    *,
    waivers: Waivers | None = None,
    previous: Sequence[Mapping[str, Any]] = (),
    named: Callable[[str], str] | None = None,
) -> dict[str, Standing]:
    """Each risk as it stands, by its id; `previous` are the register documents of earlier runs, oldest first.

    `named` gives the name under which they know a risk, where that is not its id.
    """
    proposed = proposals(run.evaluation.connection, run.evaluation.rulebook, risks)
    words = {one.theme: one.word for one in trusted}
    known = {named(risk.id) if named else risk.id: risk.id for risk in risks}
    before = [{known.get(risk["id"], ""): risk for risk in document["risks"]} for document in previous]
    asked = waivers or Waivers(decisions, run.as_of, ignored=True)
    return {risk.id: _standing(run, risk, proposed.get(risk.id), decisions, asked, words, before) for risk in risks}


def _standing(
    run: Run,
    risk: Risk,
    proposed: Proposal | None,
    decisions: Decisions,
    waivers: Waivers,
    words: Mapping[str, str],
    before: Sequence[Mapping[str, Any]],
) -> Standing:
    decision = decisions.of(risk.rule.id, risk.scope_type, risk.scope_id)
    accepted, target = (decision.accepted, decision.target) if decision else (None, None)
    inherent = _scored(run.scoring, risk.likelihood, risk.impact, "as the rule raises it")
    current = _decided(run.scoring, accepted, "accepted after controls") if accepted else None
    stands = current or _scored(run.scoring, risk.likelihood, risk.impact, "no accepted score, so as raised")
    history = [document[risk.id] for document in before if risk.id in document]
    waiver = waivers.of_risk(risk)
    return Standing(
        risk=risk,
        inherent=inherent,
        current=stands,
        target=_decided(run.scoring, target, "to be reached") if target else None,
        proposed=proposed,
        decision=decision,
        waived=as_waived(waiver) if waiver else None,
        confidence=_confidence(risk, proposed, words),
        direction=_direction(stands.score, risk.cause_count, history) if before else None,
        previous_scores=_previous_scores(history),
        first_raised=_first_raised(decision, history, run.as_of),
        last_changed=_last_changed(stands.score, history, run.as_of),
    )


def _scored(scoring: Scoring, likelihood: int, impact: int, why: str) -> Scored:
    score = likelihood * impact
    return Scored(likelihood, impact, scoring.band(score).id, f"{likelihood} x {impact} = {score}, {why}")


def _decided(scoring: Scoring, score: Score, why: str) -> Scored:
    return _scored(scoring, score.likelihood, score.impact, f"{why}: {score.reason}" if score.reason else why)


def _confidence(risk: Risk, proposed: Proposal | None, words: Mapping[str, str]) -> str | None:
    """The lowest confidence in the data of the themes behind the risk."""
    themes = proposed.themes if proposed else (risk.rule.theme,)
    found = [words[theme] for theme in themes if theme in words]
    return min(found, key=WORST_FIRST.index) if found else None


def _previous_scores(history: Sequence[Mapping[str, Any]]) -> tuple[int, ...]:
    """The scores of earlier runs, oldest first; the oldest run given may know still earlier ones."""
    if not history:
        return ()
    return (*history[0]["previous_scores"], *(one["current"]["score"] for one in history))


def _direction(score: int, causes: int, history: Sequence[Mapping[str, Any]]) -> str:
    """`new`, `rising`, `falling` or `level` since the last run: by score, then by the number of causes."""
    if not history:
        return "new"
    now, then = (score, causes), (history[-1]["current"]["score"], history[-1]["cause_count"])
    return "level" if now == then else "rising" if now > then else "falling"


def _first_raised(decision: RiskDecision | None, history: Sequence[Mapping[str, Any]], as_of: datetime.date) -> datetime.date:
    known = [datetime.date.fromisoformat(one["first_raised"]) for one in history]
    if decision and decision.first_raised:
        known.append(decision.first_raised)
    return min([*known, as_of])


def _last_changed(score: int, history: Sequence[Mapping[str, Any]], as_of: datetime.date) -> datetime.date:
    """The day of the run in which the score was last seen to change."""
    if not history or history[-1]["current"]["score"] != score:
        return as_of
    return datetime.date.fromisoformat(history[-1]["last_changed"])


def standing_document(one: Standing) -> dict[str, Any]:
    """What a risk's document gains from people, data and time."""
    decision = one.decision
    return {
        "cause": one.cause,
        "event": one.event,
        "consequence": one.consequence,
        "inherent": _scored_document(one.inherent),
        "current": _scored_document(one.current),
        "target": _scored_document(one.target) if one.target else None,
        "proposed": _proposal_document(one.proposed) if one.proposed else None,
        "direction": one.direction,
        "previous_scores": list(one.previous_scores),
        "owner": one.owner,
        "controls": list(decision.controls) if decision else [],
        "actions": [action.model_dump(mode="json") for action in decision.actions] if decision else [],
        "treatment": decision.treatment if decision else None,
        "first_raised": one.first_raised,
        "last_changed": one.last_changed,
        "next_review": decision.next_review if decision else None,
        "notice_measure": one._body.notice_measure,
        "priority_action": one._body.priority_action,
        "confidence": one.confidence,
        "waived": {"reason": one.waived.reason, "approver": one.waived.approver, "expires": one.waived.expires}
        if one.waived
        else None,
    }


def _scored_document(one: Scored) -> dict[str, Any]:
    return {
        "likelihood": one.likelihood,
        "impact": one.impact,
        "score": one.score,
        "band": one.band,
        "arithmetic": one.arithmetic,
    }


def _proposal_document(one: Proposal) -> dict[str, Any]:
    return {
        "likelihood": one.likelihood,
        "impact": one.impact,
        "score": one.likelihood * one.impact,
        "arithmetic": one.arithmetic,
        "rules": list(one.rules),
    }
