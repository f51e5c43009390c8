"""Rules as a person reads them."""

from __future__ import annotations

import datetime
from collections.abc import Mapping, Sequence

from rich.console import Console

from compliance.duties.examples import Outcome
from compliance.duties.overlaps import Overlap
from compliance.duties.parameters import versions
from compliance.outputs.screen import RED, STYLES, WIDE, assembled, line, row
from compliance.outputs.terminal import GLYPHS
from compliance.rulebook.load import Rulebook
from compliance.rulebook.model import Parameter, Rule


def print_rules(console: Console, rules: Sequence[Rule]) -> None:
    """One line a rule, and how many there are of each kind."""
    for rule in rules:
        style = STYLES[rule.severity]
        words = f"{rule.kind:<10} " if console.is_terminal and console.width < WIDE else f"{rule.kind:<10} {rule.standing:<26} "
        row(console, assembled((f"{GLYPHS[rule.severity]} {rule.severity:<8} {rule.id:<36}", style), f" {words}"), rule.title)
    kinds = {kind: sum(rule.kind == kind for rule in rules) for kind in sorted({rule.kind for rule in rules})}
    line(console, (f"{len(rules)} rules: " + ", ".join(f"{count} {kind}" for kind, count in kinds.items()), "bold"))


def print_rule(console: Console, rulebook: Rulebook, rule: Rule, needs: Sequence[str], day: datetime.date | None) -> None:
    """One rule: its law and link, its parameters, the data it needs and its examples."""
    instrument = rulebook.instruments[rule.instrument]
    line(console, (f"{rule.id}  {rule.title}", "bold"))
    line(console, f"  {rule.kind}, {rule.severity}, {rule.theme.replace('_', ' ')}, {rule.standing.replace('_', ' ')}")
    line(console, f"  {rule.law}")
    line(console, f"  {instrument.title}{f' ({instrument.number})' if instrument.number else ''}, {rule.provision}")
    link = rule.url or instrument.url
    line(console, f"  {link or 'no link'}; law's text: {rule.verified}")
    if rule.reading:
        line(console, f"  read as: {rule.reading}")
    for beside in rule.overlaps:
        line(console, f"  overlaps with {beside.rule}: {beside.because}")
    if rule.corresponds:
        line(console, f"  corresponds to {', '.join(rule.corresponds)}")
    if rule.obligations:
        line(console, f"  decides {', '.join(rule.obligations)}")
    _parameters(console, rulebook, rule, day)
    line(console, ("  needs", "bold"))
    line(console, f"    {', '.join(needs) or 'nothing of its own'}")
    if rule.optional:
        line(console, f"    can do without: {', '.join(rule.optional)}")
    if rule.unsure_without:
        line(console, f"    where a breach is unknown without: {', '.join(rule.unsure_of)}")
    line(console, ("  examples", "bold"))
    for example in rule.examples:
        line(console, f"    {example.title} (as of {example.as_of}): {example.expect}")


def _parameters(console: Console, rulebook: Rulebook, rule: Rule, day: datetime.date | None) -> None:
    text = rule.model_dump_json()
    shared = {name: one for name, one in rulebook.parameters.items() if f'"{name}"' in text}
    parameters = {**shared, **rule.parameters}
    if not parameters:
        return
    line(console, ("  parameters" + (f" on {day}" if day else ""), "bold"))
    for name, parameter in parameters.items():
        for words in _versions(parameter, day):
            line(console, f"    {name}: {words}")
        if parameter.councils:
            line(console, "      " + ", ".join(f"{council} {value}" for council, value in parameter.councils.items()))


def _versions(parameter: Parameter, day: datetime.date | None) -> list[str]:
    words = []
    for value, last in versions(parameter):
        if day is not None and not (value.from_ <= day and (last is None or day <= last)):
            continue
        source = ", ".join(part for part in (value.instrument, value.provision, value.note) if part)
        until = f" to {last}" if last else ""
        words.append(f"{value.value} from {value.from_}{until}" + (f" ({source})" if source else ""))
    return words


def print_outcomes(
    console: Console,
    outcomes: Sequence[Outcome],
    lacking: Mapping[str, Sequence[str]],
    overlaps: Sequence[Overlap] = (),
    *,
    verbose: bool,
) -> None:
    """The examples that failed, the rules that lack some and what they lack, undeclared overlaps, and the counts."""
    for one in outcomes:
        if not one.passed:
            line(console, ("✗ ", RED), (one.rule, "bold"), f"  {one.title}")
            line(console, f"    expected {one.expected}")
            line(console, f"    found    {one.error or one.found}")
        elif verbose:
            line(console, f"✓ {one.rule}  {one.title}")
    for name, missing in lacking.items():
        line(console, ("✗ ", RED), (name, "bold"), f"  no example shows {', or '.join(missing)}")
    for overlap in overlaps:
        line(console, ("✗ ", RED), overlap.words)
        line(console, "    one of them says so under `overlaps`, with why both stand; or they are one rule")
    failed = sum(not one.passed for one in outcomes)
    rules = len({one.rule for one in outcomes})
    line(console, (f"{len(outcomes)} examples of {rules} rules: {len(outcomes) - failed} passed, {failed} failed", "bold"))
