"""Explanations as a person reads them."""

from __future__ import annotations

from rich.console import Console

from compliance.outputs.screen import line
from compliance.outputs.terminal import BAND_GLYPHS, STATUS_GLYPHS
from compliance.register.explain import Cause, Story
from compliance.risks.assess import Risk
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


def print_chain(console: Console, run: Run, risk: Risk, cause: Cause) -> None:
    """The chain behind one risk."""
    scale = run.scoring
    likelihood = scale.likelihood[risk.likelihood - 1].title.lower()
    impact = scale.impact[risk.impact - 1].title.lower()
    line(console, (f"{BAND_GLYPHS.get(risk.band, '')} {risk.score} {risk.band} ", "bold"), (risk.title, "bold"))
    rung = run.ladder.rung(run.ladder.rank(risk.rung)).title
    line(console, f"  likelihood {risk.likelihood} ({likelihood}) x impact {risk.impact} ({impact}) = {risk.score}; to {rung}")
    instrument = run.rulebook.instruments[risk.rule.instrument]
    line(console, f"  {risk.rule.law}")
    line(console, f"  rests on {instrument.title}, {risk.rule.provision} ({risk.rule.verified})")
    line(console, (f"  risk {risk.id}, rule {risk.rule.id}, raised in round {risk.round}", "dim"))
    line(console, ("Because", "bold"))
    for under in cause.causes:
        _cause(console, under, depth=1)


def _cause(console: Console, cause: Cause, *, depth: int) -> None:
    line(console, "  " * depth + f"- {cause.kind} ", cause.words, (f"  {cause.id}", "dim"))
    for under in cause.causes:
        _cause(console, under, depth=depth + 1)
