"""Explanations as a person reads them."""

from __future__ import annotations

from collections.abc import Iterator

from rich.console import Console

from compliance.outputs.screen import line
from compliance.outputs.terminal import BAND_GLYPHS, STATUS_GLYPHS
from compliance.register.decisions import Action
from compliance.register.explain import Cause, Story
from compliance.register.merge import Standing
from compliance.rulebook.model import Escalation
from compliance.run import Run


def print_story(console: Console, told: Story) -> None:
    """The story of one duty."""
    one = told.finding
    line(console, (f"{STATUS_GLYPHS[one.status]} {one.status} ", "bold"), (one.rule.title, "bold"))
    who = f"child {one.person_id}, " if one.person_id else ""
    owner = ", ".join(part for part in (one.team, one.worker_id) if part)
    line(console, f"  {who}{one.subject_type} {one.subject_id}" + (f"; {owner} answers for it" if owner else ""))
    line(console, (f"  finding {one.id}, rule {one.rule.id}, {one.rule.severity}", "dim"))
    _section(console, "The clock", told.clock)
    _section(console, "The law", told.law)
    line(console, ("The rows that decided it", "bold"))
    for row in told.rows:
        line(console, f"  {row.role} ", (row.place, "bold"), f" ({row.table})")
        for name, value in row.values:
            line(console, f"      {name}: {value}")
    _section(console, "Considered", told.considered or ("no exceptions or variants in this rule",))
    if told.beside:
        _section(console, "Beside it", told.beside)


def _section(console: Console, title: str, lines: tuple[str, ...]) -> None:
    line(console, (title, "bold"))
    for words in lines:
        line(console, f"  {words}")


def print_chain(console: Console, run: Run, standing: Standing, cause: Cause) -> None:
    """One risk as the register holds it, then the chain behind it."""
    risk = standing.risk
    line(console, (f"{BAND_GLYPHS.get(risk.band, '')} {risk.score} {risk.band} ", "bold"), (risk.title, "bold"))
    for name, words in _entry(run, standing):
        line(console, (f"  {name:<12} ", "dim"), words)
    instrument = run.rulebook.instruments[risk.rule.instrument]
    line(console, f"  {risk.rule.law}")
    line(console, f"  rests on {instrument.title}, {risk.rule.provision} ({risk.rule.verified})")
    line(console, (f"  risk {risk.id}, rule {risk.rule.id}, raised in round {risk.round}", "dim"))
    line(console, ("Because", "bold"))
    for under in cause.causes:
        _cause(console, under, depth=1)


def _entry(run: Run, one: Standing) -> Iterator[tuple[str, str]]:
    """What the register says of a risk, line by line; what nobody decided is said to be so."""
    risk, scale, decision = one.risk, run.scoring, one.decision
    yield "for", "the council" if risk.scope_type == "authority" else f"{risk.scope_type} {risk.scope_id}"
    yield "cause", one.cause
    yield "consequence", one.consequence or "the rule says none"
    likelihood, impact = scale.likelihood[risk.likelihood - 1].title.lower(), scale.impact[risk.impact - 1].title.lower()
    yield "inherent", f"{one.inherent.arithmetic}: {likelihood}, {impact}; {one.inherent.band}"
    yield "current", f"{one.current.arithmetic}; {one.current.band}"
    yield "target", f"{one.target.arithmetic}; {one.target.band}" if one.target else "none decided"
    yield "proposed", f"{one.proposed.arithmetic}" if one.proposed else "no duties stand behind it"
    yield "who must act", run.ladder.rung(run.ladder.rank(risk.rung)).title
    yield "owner", one.owner or "nobody"
    yield "controls", "; ".join(decision.controls if decision else ()) or "none recorded"
    yield "actions", "; ".join(map(_action, decision.actions if decision else ())) or "none recorded"
    yield "treatment", (decision.treatment if decision else None) or "not decided"
    review = decision.next_review if decision else None
    yield "dates", f"first raised {one.first_raised}, last changed {one.last_changed}, next review {review or 'not set'}"
    yield "bears on", ", ".join(_bears_on(one)) or "no measure of the notice, no priority action"
    yield "confidence", f"{one.confidence or 'not known'} in the data behind it"
    if one.waived:
        yield "waived", f"until {one.waived.expires} by {one.waived.approver}: {one.waived.reason}"


def _action(one: Action) -> str:
    state = f"done {one.done}" if one.done else f"due {one.due}"
    who = f", {one.owner}" if one.owner else ""
    return f"{one.action} ({state}{who}{f', plan action {one.plan_action}' if one.plan_action else ''})"


def _bears_on(one: Standing) -> Iterator[str]:
    """The measure of the notice and the priority action that the rule names."""
    body = one.risk.rule.body
    assert isinstance(body, Escalation)
    if body.notice_measure:
        yield f"notice measure {body.notice_measure}"
    if body.priority_action:
        yield f"priority action {body.priority_action}"


def _cause(console: Console, cause: Cause, *, depth: int) -> None:
    line(console, "  " * depth + f"- {cause.kind} ", cause.words, (f"  {cause.id}", "dim"))
    for under in cause.causes:
        _cause(console, under, depth=depth + 1)
