"""What a person reads in the terminal of changes, trends, work to do, forecasts and equality."""

from __future__ import annotations

import datetime
from collections.abc import Sequence

from rich.console import Console

from compliance.outputs.sparkline import sparkline
from compliance.outputs.terminal import BAND_GLYPHS, GLYPHS, STYLES, line
from compliance.register.changes import Changes, Document, by_rule
from compliance.register.equality import METHOD, NOT_ENOUGH, Characteristic, Group
from compliance.register.forecast import METHOD as FORECAST_METHOD
from compliance.register.forecast import Forecast, TeamForecast
from compliance.register.trend import Series
from compliance.register.worklist import Task, Worklist


def print_changes(console: Console, found: Changes, *, limit: int) -> None:
    """What changed between two runs: the sentence, then the lists by rule."""
    line(console, (f"From {found.before} to {found.after}: ", "bold"), (found.summary(), "bold"))
    for note in found.notes:
        line(console, ("! note: ", "yellow"), note)
    lists = (("+", "New", found.new), ("✓", "Cleared", found.cleared), ("▲", "Worse", found.worse), ("~", "Waived", found.waived))
    for glyph, title, listed in lists:
        _changed(console, glyph, title, listed, limit)
    line(console, ("Risks: ", "bold"), found.risk_summary())
    for glyph, risks in (("+", found.risks_new), ("✓", found.risks_cleared), ("▲", found.risks_worse), ("▼", found.risks_better)):
        for rule, title, count in by_rule(risks)[: limit or None]:
            worst = max(risks, key=lambda one: (one["rule"] == rule, one["score"]))
            line(console, f"  {glyph} {count:>4}  {BAND_GLYPHS.get(worst['band'], '')} {title} ", (rule, "dim"))


def _changed(console: Console, glyph: str, title: str, found: Sequence[Document], limit: int) -> None:
    if not found:
        return
    line(console, (title, "bold"), f"  {len(found)}")
    severity = {one["rule"]: one["severity"] for one in found}
    rules = by_rule(found)
    for rule, words, count in rules[: limit or None]:
        mark = severity[rule]
        line(console, f"  {glyph} {count:>4}  ", (f"{GLYPHS[mark]} {mark} ", STYLES[mark]), words, (f"  {rule}", "dim"))
    if limit and len(rules) > limit:
        line(console, (f"    … {len(rules) - limit} more rules: --limit 0", "dim"))


def print_equality(console: Console, found: Sequence[Characteristic]) -> None:
    """Breach rates by protected characteristic."""
    line(console, ("Equality: children with an open breach, by protected characteristic", "bold"))
    for one in found:
        if not one.held:
            line(console, f"  – {one.name}: ", ("not held in the data", "dim"))
            continue
        line(console, f"  {one.name}", (f"  {_missing(one.not_recorded)}", "dim"))
        for group in one.groups:
            line(console, f"    {group.name}: {_group(group)}")
    line(console, (f"  {METHOD}", "dim"))


def _missing(count: int) -> str:
    return f"not recorded for {count} children" if count >= 10 else "not recorded for fewer than ten" if count else ""


def _group(one: Group) -> str:
    if not one.enough:
        return NOT_ENOUGH
    low, high = one.interval()
    words = f"{100 * one.rate:.1f}% ({one.breached} of {one.children}; {100 * low:.1f} to {100 * high:.1f})"
    ratio = one.ratio()
    if one.is_reference:
        return f"{words}, the group that others are set beside"
    if ratio is None:
        return f"{words}, ratio: {NOT_ENOUGH}"
    clear = "" if ratio[1] <= 1 <= ratio[2] else ", clearly higher" if ratio[0] > 1 else ", clearly lower"
    return f"{words}, ratio {ratio[0]:.2f} ({ratio[1]:.2f} to {ratio[2]:.2f}){clear}"


DIRECTIONS = {"better": ("✓", "green"), "worse": ("✗", "red"), "level": ("=", "dim")}


def print_trend(console: Console, found: Sequence[Series], as_of: datetime.date, months: int) -> None:
    """Each series on a line: its direction, a sparkline, its last value with the limits, and its signals in words."""
    line(console, (f"{months} month ends to {as_of}, each judged as it was known then", "bold"))
    width = max((len(one.points) for one in found), default=0)
    for kind, title in (("measure", "Measures"), ("escalation", "Risks raised")):
        listed = [one for one in found if (one.rule.kind == "escalation") == (kind == "escalation")]
        if listed:
            line(console, (title, "bold"))
        for one in listed:
            _trend_line(console, one, width)
    provisional = any(limits.provisional for one in found for limits in [one.chart()] if limits)
    note = "; under twelve points they are provisional" if provisional else ""
    line(
        console,
        ("a number over a rolling year moves slowly, so stretches and slopes mean less there than a point outside", "dim"),
    )
    line(console, (f"limits: mean and 2.66 mean moving ranges{note}; shares of fewer than ten are shown as counts", "dim"))


def _trend_line(console: Console, one: Series, width: int) -> None:
    glyph, style = DIRECTIONS[one.direction]
    bars = sparkline([None if one.unit != "count" and point.small else point.value for point in one.points])
    line(
        console,
        f"  {bars:<{width}} ",
        (f"{glyph} {one.direction:<6} ", style),
        f"{one.rule.title}: {_last(one)}",
        (f"  {one.rule.id}", "dim"),
    )
    limits = one.chart()
    for signal in limits.signals if limits else ():
        line(console, (f"  {' ' * width}   ! {signal.words}: {_days(one, signal.points)}", "yellow"))


def _days(one: Series, places: Sequence[int]) -> str:
    """The months of a signal: the first and last of a stretch, or each of a few."""
    days = [f"{one.points[place].day:%b %Y}" for place in places]
    if len(days) > 2 and places[-1] - places[0] == len(places) - 1:
        return f"{days[0]} to {days[-1]}"
    return ", ".join(days)


def _last(one: Series) -> str:
    """The last value with its fraction and limits, or the counts alone where they are small."""
    last = one.points[-1]
    if one.unit == "count":
        words = f"{last.numerator:g}"
    elif last.small or last.value is None:
        return f"{last.numerator:g} of {last.denominator:g}"
    else:
        words = f"{last.value:.1f}{'%' if one.unit == 'percent' else ''} ({last.numerator:g} of {last.denominator:g})"
    limits = one.chart()
    if limits is None:
        return words
    return f"{words}, limits {limits.lower:.1f} to {limits.upper:.1f}{' (provisional)' if limits.provisional else ''}"


def print_worklist(console: Console, found: Worklist, *, limit: int) -> None:
    """What to do, list by list: the overdue first, each with the day it became or becomes a breach."""
    overdue = sum(one.is_overdue for one in found.tasks)
    words = f"{overdue} overdue, {len(found.tasks) - overdue} due by {found.last} ({found.working_days} working days)"
    line(console, (f"Work as of {found.as_of}: {words}", "bold"))
    for name, tasks in found.groups():
        late = sum(one.is_overdue for one in tasks)
        line(console, (name, "bold"), f"  {late} overdue, {len(tasks) - late} due")
        for task in tasks[: limit or None]:
            _task_line(console, task)
        if limit and len(tasks) > limit:
            line(console, (f"    … {len(tasks) - limit} more: --limit 0", "dim"))


def _task_line(console: Console, task: Task) -> None:
    one = task.finding
    glyph, style = ("✗", "red") if task.is_overdue else ("·", "")
    when = (
        f"overdue, a breach since {task.breach_date}" if task.is_overdue else f"due {task.due}, a breach from {task.breach_date}"
    )
    who = f"child {one.person_id}" if one.person_id else f"{one.subject_type} {one.subject_id}"
    waived = f"; waived until {one.waived.expires}" if one.waived else ""
    line(console, f"  {glyph} ", (when, style), f"  {who}  {one.rule.title}{waived}", (f"  {one.rule.id}  {one.id}", "dim"))


def print_forecast(console: Console, found: Forecast) -> None:
    """Each team on a line, and the arithmetic."""
    weeks = len(found.teams[-1].weeks)
    demand = "" if found.demand == 1 else f", demand {100 * (found.demand - 1):+.0f}%"
    line(console, (f"Duties expected in the {weeks} weeks after {found.as_of}{demand}", "bold"))
    for one in found.teams:
        _forecast_line(console, one)
    line(console, (FORECAST_METHOD, "dim"))


def _forecast_line(console: Console, one: TeamForecast) -> None:
    low, high = one.expected_range
    glyph, style, word = ("?", "dim", "no work on record") if one.load is None else _load(one.load)
    able = one.capacity * len(one.weeks)
    bars = sparkline([week.expected for week in one.weeks])
    known = f"{one.expected:.0f} expected ({low:.0f} to {high:.0f}; {one.known} known)"
    words = f"{known}, {able:.0f} can be done ({one.capacity:.1f} a week"
    each = f", {one.capacity / one.workers:.1f} a full-time worker" if one.workers else ""
    ends = [one.backlog(duties) for duties in (one.expected, low, high)]
    backlog = f"overdue {one.overdue} now, {ends[0]:.0f} at the end ({ends[1]:.0f} to {ends[2]:.0f})"
    line(console, f"  {bars} ", (f"{glyph} {word} ", style), (one.team, "bold"), f": {words}{each}); {backlog}")


def _load(load: float) -> tuple[str, str, str]:
    """How full a team will be: glyph, style and word."""
    if load > 1.1:
        return "▲", "red", f"over ({100 * load:.0f}%)"
    return ("●", "yellow", f"full ({100 * load:.0f}%)") if load > 0.9 else ("○", "green", f"room ({100 * load:.0f}%)")
