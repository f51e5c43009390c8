"""What a person reads in the terminal: findings, the register, and the words for both."""

from __future__ import annotations

import datetime
from collections.abc import Iterable, Sequence
from itertools import groupby

from rich.console import Console
from rich.table import Table
from rich.text import Text

from compliance.duties.evaluate import NotEvaluated
from compliance.duties.findings import Finding
from compliance.outputs.sources_read import print_sources
from compliance.register.merge import Standing
from compliance.register.register import LadderState, MeasureValue, Register
from compliance.risks.assess import Risk
from compliance.rulebook.diagnostics import printable
from compliance.rulebook.model import SEVERITIES, Measure
from compliance.run import Run

GLYPHS = {"critical": "◆", "high": "▲", "medium": "●", "low": "○"}
STYLES = {"critical": "bold red", "high": "red", "medium": "yellow", "low": "cyan"}
BAND_STYLES = {"extreme": "bold red", "high": "red", "moderate": "yellow", "low": "green"}
BAND_GLYPHS = {"extreme": "◆", "high": "▲", "moderate": "●", "low": "○"}
STATUS_GLYPHS = {"overdue": "✗", "missed": "✗", "late": "!", "unknown": "?", "due": "·", "met": "✓", "lapsed": "-"}
READ_IN_FULL = "text"
PLURALS = {"child": "children", "carer": "carers", "worker": "workers", "team": "teams", "item": "items", "authority": "councils"}


def line(console: Console, *parts: str | tuple[str, str]) -> None:
    """One line, as long as it is, with nothing in it that a terminal would obey."""
    console.print(
        Text.assemble(*[(printable(part[0]), part[1]) if isinstance(part, tuple) else printable(part) for part in parts]),
        soft_wrap=True,
        highlight=False,
    )


def print_check(console: Console, run: Run, found: Sequence[Finding], *, limit: int, quiet: bool = False) -> None:
    """Breaches grouped by severity and rule, then what was not evaluated, then one line that sums up."""
    ordered = sorted(found, key=lambda one: (-SEVERITIES.index(one.rule.severity), one.rule.id))
    for _, group in groupby(ordered, key=lambda one: one.rule.id):
        print_rule_group(console, list(group), limit=limit)
    if not quiet:
        print_not_evaluated(console, run.evaluation.not_evaluated)
        print_sources(console, run.dataset)
        print_summary(console, run, found)


def print_rule_group(console: Console, found: Sequence[Finding], *, limit: int) -> None:
    """One rule's findings under its title."""
    rule = found[0].rule
    style = STYLES[rule.severity]
    unread = "" if rule.verified == READ_IN_FULL else f"  (law: {rule.verified})"
    line(
        console, (f"{GLYPHS[rule.severity]} {rule.severity} {rule.id}", style), f"  {rule.title}  [{len(found)}]", (unread, "dim")
    )
    shown = found if limit == 0 else found[:limit]
    for one in shown:
        print_finding(console, one)
    if len(shown) < len(found):
        line(console, (f"    … {len(found) - len(shown)} more: --rule {rule.id} --limit 0", "dim"))


def print_finding(console: Console, one: Finding) -> None:
    """One duty on one line: its state, whom it is about, what happened, who answers for it, and where it stands."""
    who = one.person_id or one.subject_id
    subject = f"child {who}" if one.person_id and one.subject_type != "child" else f"{one.subject_type} {one.subject_id}"
    extra = f" ({one.subject_type} {one.subject_id})" if one.person_id and one.subject_id != who else ""
    owner = " · ".join(part for part in (one.team, one.worker_id) if part)
    line(
        console,
        f"    {STATUS_GLYPHS[one.status]} {one.status:<7} ",
        subject + extra,
        f"  {one.message()}{_waived(one)}",
        (f"  [{owner}]" if owner else "", "dim"),
        (f"  {one.id}", "dim"),
    )


def _waived(one: Finding) -> str:
    return f"; waived until {one.waived.expires} by {one.waived.approver}: {one.waived.reason}" if one.waived else ""


def print_not_evaluated(console: Console, left: Iterable[NotEvaluated]) -> None:
    """The rules that could not be evaluated, grouped by what they need."""
    reasons: dict[str, list[str]] = {}
    for one in left:
        reasons.setdefault(one.reason, []).append(one.rule)
    if not reasons:
        return
    line(console, ("Not evaluated", "bold"))
    for reason, rules in sorted(reasons.items()):
        line(console, f"  – {', '.join(rules)}: {reason}")


def print_summary(console: Console, run: Run, found: Sequence[Finding]) -> None:
    """One line: what was evaluated, what was found, what could not be decided."""
    counts = run.manifest()["duties"]
    assert isinstance(counts, dict)
    open_now = sum(one.breach == "open" for one in found)
    closed = sum(one.breach == "closed" for one in found)
    evaluation = run.evaluation
    waived = sum(one.waived is not None for one in found)
    risks = f", {len(run.assessment.risks)} risks" if run.assessment is not None else ""
    line(
        console,
        (
            f"{len(evaluation.evaluated)} rules evaluated, {len(evaluation.not_evaluated)} not; "
            f"{sum(counts.values())} duties as of {run.as_of}: {open_now} open and {closed} closed breaches shown, "
            f"{f'{waived} waived, ' if waived else ''}"
            f"{counts['unknown']} unknown, {counts['due']} due{risks}",
            "bold",
        ),
    )


def print_register(console: Console, found: Register, *, top: int = 12) -> None:
    """One screen for the Director."""
    _heading(console, found)
    _ladder(console, found.ladder)
    _priority_actions(console, found)
    _risks(console, found.risks, top)
    _decided(console, found)
    _measures(console, [one for one in found.measures if one.scope_type == "authority"], found.run.as_of)
    _due_soon(console, found)
    _conflicts(console, found)
    _confidence(console, found)


def _heading(console: Console, found: Register) -> None:
    run = found.run
    names = ", ".join(one.name for one in run.dataset.authorities[:3])
    state = found.ladder
    clock = ""
    if state.notice_date:
        clock += f" · day {(run.as_of - state.notice_date).days} since the notice of {state.notice_date}"
    if state.target_date:
        left = (state.target_date - run.as_of).days
        clock += f" · {left} days to {state.target_date}" if left >= 0 else f" · {-left} days past {state.target_date}"
    line(console, ("Risk register ", "bold"), (f"{names}", "bold"), f" · as of {run.as_of}{clock}")


def _ladder(console: Console, state: LadderState) -> None:
    line(console, ("Intervention", "bold"))
    for stage in state.stages:
        if stage.id == "none" and not stage.is_current:
            continue
        mark = "▶" if stage.is_current else "●" if stage.reached else "○"
        here = f"  in force since {stage.reached}" if stage.is_current and stage.reached else ""
        warned = f"  {stage.warned_by} risks point here" if stage.warned_by else ""
        line(console, f"  {mark} ", (stage.title, "bold" if stage.is_current else ""), here, (warned, "yellow"))
    line(console, "  why: ", state.why)


def _priority_actions(console: Console, found: Register) -> None:
    if not found.priority_actions:
        return
    line(console, ("Ofsted priority actions", "bold"))
    for one in found.priority_actions:
        due = f", due {one.due_date}" if one.due_date else ""
        past = bool(one.due_date and one.due_date < found.run.as_of and one.completed_date is None)
        mark = "✓" if one.completed_date else "✗" if past else "…"
        risks = f"  {len(one.risks)} risks bear on it" if one.risks else ""
        line(console, f"  {mark} {one.title} ", (f"({one.status.replace('_', ' ')}{due})", "dim"), (risks, "yellow"))


def _risks(console: Console, risks: Sequence[Risk], top: int) -> None:
    """The highest risks, those of one kind on one line."""
    kinds: dict[str, list[Risk]] = {}
    for one in risks:
        kinds.setdefault(one.rule.id, []).append(one)
    shown = list(kinds.values())[:top]
    title = f"Top risks: {len(shown)} of {len(kinds)} kinds, {len(risks)} risks in all" if risks else "No risks were raised"
    line(console, (title, "bold"))
    table = Table(box=None, padding=(0, 1), show_edge=False, pad_edge=False, expand=True)
    table.add_column("score", no_wrap=True)
    table.add_column("risk", ratio=3)
    table.add_column("for", no_wrap=True, max_width=16, overflow="ellipsis")
    table.add_column("to", no_wrap=True, max_width=18, overflow="ellipsis")
    table.add_column("because", ratio=4)
    for kind in shown:
        table.add_row(*_risk_row(kind))
    if shown:
        console.print(table)


def _decided(console: Console, found: Register) -> None:
    """The risks about which people decided something: score as raised, now and wanted, owner, actions and review."""
    decided = [one for one in found.standings.values() if one.decision is not None or one.waived is not None]
    if not decided:
        return
    line(console, ("Decided", "bold"), (f"  {len(decided)} of {len(found.standings)} risks", "dim"))
    for one in decided:
        scope = "council" if one.risk.scope_type == "authority" else f"{one.risk.scope_type} {one.risk.scope_id}"
        scores = " → ".join(str(each.score) for each in (one.inherent, one.current, one.target) if each is not None)
        words = f"  {BAND_GLYPHS.get(one.current.band, '')} {scores}  {one.event}, {scope}"
        line(console, words, (_decision_words(one, found), "dim"))


def _decision_words(one: Standing, found: Register) -> str:
    decision = one.decision
    parts = [one.owner or "no owner"]
    if decision is not None:
        late = [action for action in decision.actions if action.done is None and action.due < found.run.as_of]
        parts += [f"{len(decision.actions)} actions, {len(late)} late"] if decision.actions else []
        parts += [decision.treatment] if decision.treatment else []
        review = decision.next_review
        parts += [f"review {review}{' is past' if review < found.run.as_of else ''}"] if review else []
    parts += [f"waived until {one.waived.expires}"] if one.waived else []
    return f"  {' · '.join(parts)}"


def _risk_row(kind: Sequence[Risk]) -> list[Text]:
    """The cells of one kind of risk: the first in full, the others counted."""
    one = kind[0]
    band = Text(f"{BAND_GLYPHS.get(one.band, '')} {one.score:>2} {one.band}", style=BAND_STYLES.get(one.band, ""))
    scope = "council" if one.scope_type == "authority" else f"{one.scope_type} {one.scope_id}"
    if len(kind) > 1:
        scope = f"{len(kind)} {PLURALS.get(one.scope_type, one.scope_type)}"
    first = "" if len(kind) == 1 else f"{one.scope_type} {one.scope_id}: "
    words = (one.title, scope, one.rung.replace("_", " "), f"{first}{one.reason}")
    return [band, *[Text(printable(word)) for word in words]]


def plain(number: float) -> str:
    """A number with thousands marked and no needless decimals."""
    return f"{number:,.0f}" if number == round(number) else f"{number:,.1f}"


def measured(one: MeasureValue) -> str:
    """A measure in words: its value and its fraction."""
    body = one.rule.body
    assert isinstance(body, Measure)
    fraction = f"({plain(one.numerator)} of {plain(one.denominator)})"
    if one.value is None:
        return f"nothing to measure {fraction}"
    match body.unit:
        case "percent":
            return f"{one.value:.1f}% {fraction}"
        case "count":
            return plain(one.numerator)
        case _:
            return f"{one.value:.1f} {fraction}"


def _measures(console: Console, values: Sequence[MeasureValue], as_of: datetime.date) -> None:
    """The measures that published figures can be set beside, then how many more there are."""
    compared = [one for one in values if _beside(one, as_of) and one.value is not None]
    line(console, ("Measures", "bold"), "" if compared else "  none has a published figure to set beside it")
    for one in compared[:10]:
        line(console, f"  {one.rule.title}: ", (measured(one), "bold"), (_beside(one, as_of), "dim"))
    if len(values) > len(compared[:10]):
        line(console, (f"  … {len(values) - len(compared[:10])} more: --format json", "dim"))


def _beside(one: MeasureValue, as_of: datetime.date) -> str:
    """The newest benchmark of each area up to the day, in words."""
    body = one.rule.body
    assert isinstance(body, Measure)
    dated = [each for each in sorted(body.benchmarks, key=lambda each: each.date) if each.date <= as_of]
    newest = {benchmark.area.capitalize(): benchmark for benchmark in dated}
    parts = [f"{area} {benchmark.value:g} ({benchmark.date.year})" for area, benchmark in sorted(newest.items())]
    return f"  {', '.join(parts)}" if parts else ""


def _due_soon(console: Console, found: Register) -> None:
    total = sum(one.count for one in found.due_soon)
    week = sum(one.within_7_days for one in found.due_soon)
    line(console, ("Due in 30 days", "bold"), f"  {total} duties, {week} of them within 7 days")
    for one in sorted(found.due_soon, key=lambda each: -each.count)[:6]:
        line(console, f"  · {one.count:>4}  {one.rule.title} ", (f"first {one.first}  {one.rule.id}", "dim"))


def _conflicts(console: Console, found: Register) -> None:
    if not found.conflicts:
        return
    line(console, ("Read or measured in two ways", "bold"))
    for one in found.conflicts:
        answers = "; ".join(f"{name}: {answer}" for name, answer in one.answers)
        line(console, f"  ≠ {one.rule.title}: {answers}")


def _confidence(console: Console, found: Register) -> None:
    low = [one for one in found.confidence if one.word != "high"]
    evaluated = sum(one.evaluated for one in found.confidence)
    rules = sum(one.rules for one in found.confidence)
    unknown = sum(one.unknown for one in found.confidence)
    unread = sum(one.unread_law for one in found.confidence)
    words = ", ".join(f"{one.theme.replace('_', ' ')} {one.word}" for one in low) or "high in every theme"
    line(
        console,
        ("Confidence in the data", "bold"),
        f"  {evaluated} of {rules} duty rules evaluated, {unknown} duties unknown; {words}",
    )
    if unread:
        line(
            console,
            (f"  the law's own text was not read for {unread} of {rules} rules: `compliance rules show ID` says which", "dim"),
        )
