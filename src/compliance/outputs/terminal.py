"""What a person reads in the terminal of findings: the breaches by rule, what was not evaluated, and the line that sums up."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from itertools import groupby

from rich.console import Console

from compliance.duties.evaluate import NotEvaluated
from compliance.duties.findings import Finding, with_evidence
from compliance.outputs.screen import STYLES, TALL, line, number_of, row
from compliance.outputs.sources_read import print_sources
from compliance.rulebook.model import SEVERITIES
from compliance.run import Run

GLYPHS = {"critical": "◆", "high": "▲", "medium": "●", "low": "○"}
BAND_GLYPHS = {"extreme": "◆", "high": "▲", "moderate": "●", "low": "○"}
STATUS_GLYPHS = {"overdue": "✗", "missed": "✗", "late": "!", "unknown": "?", "due": "·", "met": "✓", "lapsed": "-"}
READ_IN_FULL = "text"
A_RULE = 5
PLURALS = {"child": "children", "carer": "carers", "worker": "workers", "team": "teams", "item": "items", "authority": "councils"}


def print_check(console: Console, run: Run, found: Sequence[Finding], *, limit: int | None, quiet: bool = False) -> None:
    """Breaches grouped by severity and rule, then what was not evaluated, then one line that sums up.

    `limit` is the most findings of a rule; None is five, and a line a rule where a terminal's screen cannot hold them.
    """
    ordered = sorted(found, key=lambda one: (-SEVERITIES.index(one.rule.severity), one.rule.id))
    groups = [list(group) for _, group in groupby(ordered, key=lambda one: one.rule.id)]
    short = limit is None and console.is_terminal and _lines(groups, run, quiet) > TALL
    if short:
        _rule_lines(console, groups)
    else:
        most = A_RULE if limit is None else limit or len(found)
        if run.pseudonyms is None:
            with_evidence(run.evaluation, [one for group in groups for one in group[:most] if not one.evidence])
        for group in groups:
            print_rule_group(console, group, limit=most)
    if not quiet:
        (_not_evaluated_in_short if short else print_not_evaluated)(console, run.evaluation.not_evaluated)
        (_judged_without_in_short if short else print_judged_without)(console, run.evaluation.judged_without)
        if run.pseudonyms is None:
            print_sources(console, run.dataset)
        print_summary(console, run, found)


def _lines(groups: Sequence[Sequence[Finding]], run: Run, quiet: bool) -> int:
    """How many lines it takes to list the findings, five a rule."""
    said = 0 if quiet else len(run.evaluation.not_evaluated) + len(run.evaluation.judged_without)
    return said + sum(2 + min(len(group), A_RULE) for group in groups)


def _rule_lines(console: Console, groups: Sequence[Sequence[Finding]]) -> None:
    """A line a rule: how many breaches are open and closed; as many as one screen holds, and how to see more."""
    shown = groups[: TALL - 12]
    line(console, ("  open closed", "bold"))
    for severity, rules in groupby(shown, key=lambda group: group[0].rule.severity):
        line(console, (f"{GLYPHS[severity]} {severity}", STYLES[severity]))
        for group in rules:
            still_open = sum(one.breach == "open" for one in group)
            row(console, f"{still_open:>6,} {len(group) - still_open:>6,}  ", group[0].rule.title, (group[0].rule.id, "dim"))
    if len(shown) < len(groups):
        left = sum(len(group) for group in groups[len(shown) :])
        line(console, (f"  … {len(groups) - len(shown)} more rules with {number_of(left, 'breach', 'breaches')}", "dim"))
    line(console, ("  the breaches: --rule ID, --team NAME, --person ID; all of them: --limit 0", "dim"))


def _not_evaluated_in_short(console: Console, left: Sequence[NotEvaluated]) -> None:
    """One line: how many rules could not be evaluated, and the tables that most of them lack."""
    if not left:
        return
    lacking = Counter(table for one in left for table in {need.partition(".")[0] for need in one.needs})
    tables = ", ".join(f"{name} ({count})" for name, count in lacking.most_common(4))
    line(console, ("Not evaluated", "bold"), f"  {number_of(len(left), 'rule')}; most lack {tables}; `data describe` says all")


def _judged_without_in_short(console: Console, lacking: Mapping[str, Sequence[str]]) -> None:
    """One line: how many rules read something as blank that the data do not hold, and what most of them lack."""
    if not lacking:
        return
    rules = {rule for named in lacking.values() for rule in named}
    most = sorted(lacking, key=lambda said: (-len(lacking[said]), said))[:3]
    words = ", ".join(f"{said} ({len(lacking[said])})" for said in most)
    line(console, ("Judged without", "bold"), f"  {number_of(len(rules), 'rule')}, what the data lack read as blank: {words}")


def print_rule_group(console: Console, found: Sequence[Finding], *, limit: int) -> None:
    """One rule's findings under its title."""
    rule = found[0].rule
    style = STYLES[rule.severity]
    unread = "" if rule.verified == READ_IN_FULL else f"  (law: {rule.verified})"
    line(
        console, (f"{GLYPHS[rule.severity]} {rule.severity} {rule.id}", style), f"  {rule.title}  [{len(found)}]", (unread, "dim")
    )
    shown = found[:limit]
    for one in shown:
        print_finding(console, one)
    if len(shown) < len(found):
        line(console, (f"    … {len(found) - len(shown)} more: --rule {rule.id} --limit 0", "dim"))


def print_finding(console: Console, one: Finding) -> None:
    """One duty on one line: its state, whom it is about, what happened, who answers for it, its id, and the row it rests on."""
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
        (f"  {one.id}{_place(one)}", "dim"),
    )


def _place(one: Finding) -> str:
    """Where the row stands that decided it; nothing where that is withheld."""
    rows = [row for row in one.evidence if row.file is not None]
    return f"  {rows[-1].place()}" if rows else ""


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


def print_judged_without(console: Console, lacking: Mapping[str, Sequence[str]]) -> None:
    """What the data lack that rules can do without, with the rules that read it as blank: they may show fewer breaches for it."""
    if not lacking:
        return
    line(console, ("Judged without", "bold"), "  what the data lack, read as blank: a breach may be hidden by it")
    for said, rules in lacking.items():
        line(console, f"  – {said}: {', '.join(rules)}")


def print_summary(console: Console, run: Run, found: Sequence[Finding]) -> None:
    """One line: what was evaluated, what was found, what could not be decided."""
    counts = run.manifest()["duties"]
    assert isinstance(counts, dict)
    open_now = sum(one.breach == "open" for one in found)
    closed = sum(one.breach == "closed" for one in found)
    evaluation = run.evaluation
    waived = sum(one.waived is not None for one in found)
    risks = f", {number_of(len(run.assessment.risks), 'risk')}" if run.assessment is not None else ""
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
