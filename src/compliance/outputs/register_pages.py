"""What a person reads in the terminal of changes, trends, work to do, forecasts and equality."""

from __future__ import annotations

import datetime
from collections.abc import Sequence

from rich.console import Console
from rich.text import Text

from compliance.outputs.screen import (
    AMBER,
    GREEN,
    RED,
    STYLES,
    TALL,
    WIDE,
    assembled,
    clipped,
    fitted,
    limit_that_fits,
    line,
    number_of,
    row,
)
from compliance.outputs.sparkline import sparkline
from compliance.outputs.terminal import BAND_GLYPHS, GLYPHS
from compliance.register.changes import Changes, Document, by_rule
from compliance.register.equality import METHOD, NOT_ENOUGH, Characteristic, Group
from compliance.register.forecast import METHOD as FORECAST_METHOD
from compliance.register.forecast import Forecast, TeamForecast
from compliance.register.trend import Series
from compliance.register.worklist import Task, Worklist

A_LIST = 10


def print_changes(console: Console, found: Changes, *, limit: int | None) -> None:
    """What changed between two runs: the sentence, then the lists by rule, each of so many as one screen holds."""
    most = limit_that_fits(console, lambda draft, each: _changes(draft, found, each), A_LIST) if limit is None else limit
    _changes(console, found, most)


def _changes(console: Console, found: Changes, limit: int) -> None:
    line(console, (f"From {found.before} to {found.after}: ", "bold"), (found.summary(), "bold"))
    for note in found.notes:
        line(console, ("! note: ", AMBER), note)
    lists = (("+", "New", found.new), ("✓", "Cleared", found.cleared), ("▲", "Worse", found.worse), ("~", "Waived", found.waived))
    for glyph, title, listed in lists:
        _changed(console, glyph, title, listed, limit)
    line(console, ("Risks: ", "bold"), found.risk_summary())
    risks = (("+", found.risks_new), ("✓", found.risks_cleared), ("▲", found.risks_worse), ("▼", found.risks_better))
    for glyph, each in risks:
        _changed_risks(console, glyph, each, limit)


def _changed(console: Console, glyph: str, title: str, found: Sequence[Document], limit: int) -> None:
    if not found:
        return
    line(console, (title, "bold"), f"  {len(found):,}")
    severity = {one["rule"]: one["severity"] for one in found}
    rules = by_rule(found)
    for rule, words, count in rules[: limit or None]:
        mark = severity[rule]
        head = assembled(f"  {glyph} {count:>4}  ", (f"{GLYPHS[mark]} {mark} ", STYLES[mark]))
        row(console, head, words, (rule, "dim"))
    _left_out(console, len(rules), limit, " rules")


def _changed_risks(console: Console, glyph: str, found: Sequence[Document], limit: int) -> None:
    kinds = by_rule(found)
    for rule, title, count in kinds[: limit or None]:
        worst = max((one for one in found if one["rule"] == rule), key=lambda one: one["score"])
        row(console, f"  {glyph} {count:>4}  {BAND_GLYPHS.get(worst['band'], '')} {worst['band']} ", title, (rule, "dim"))
    _left_out(console, len(kinds), limit, " kinds")


def _left_out(console: Console, count: int, limit: int, what: str) -> None:
    if limit and count > limit:
        line(console, (f"    … {count - limit:,} more{what}: --limit 0", "dim"))


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
    if one.note:
        return one.note
    low, high = one.interval()
    words = f"{100 * one.rate:.1f}% ({one.breached} of {one.children}; {100 * low:.1f} to {100 * high:.1f})"
    ratio = one.ratio()
    if one.is_reference:
        return f"{words}, the group that others are set beside"
    if ratio is None:
        return f"{words}, ratio: {NOT_ENOUGH}"
    clear = "" if ratio[1] <= 1 <= ratio[2] else ", clearly higher" if ratio[0] > 1 else ", clearly lower"
    return f"{words}, ratio {ratio[0]:.2f} ({ratio[1]:.2f} to {ratio[2]:.2f}){clear}"


DIRECTIONS = {"better": ("✓", GREEN), "worse": ("✗", RED), "level": ("=", "dim")}


def print_trend(
    console: Console, found: Sequence[Series], as_of: datetime.date, months: int, *, limit: int | None = None
) -> None:
    """Each series on a line: its direction, a sparkline, its last value with the limits, and its signals in words.

    On a terminal as many as one screen holds, those with a signal now first; `limit` is how many, 0 all of them.
    """
    most = len(found) if limit == 0 or not console.is_terminal else limit
    if most is None:
        most = limit_that_fits(console, lambda draft, each: _trend(draft, found, as_of, months, each), min(len(found), TALL))
    _trend(console, found, as_of, months, most)


def _trend(console: Console, found: Sequence[Series], as_of: datetime.date, months: int, most: int) -> None:
    line(console, (f"{months} month ends to {as_of}, each judged as it was known then", "bold"))
    width = max((len(one.points) for one in found), default=0)
    kept = found if most >= len(found) else sorted(found, key=_urgency)[:most]
    shown = [one for one in found if any(one is each for each in kept)]
    for is_risk, title in ((False, "Measures"), (True, "Risks raised")):
        listed = [one for one in shown if (one.rule.kind == "escalation") == is_risk]
        if listed:
            line(console, (title, "bold"))
        for one in listed:
            _trend_line(console, one, width)
    if len(shown) < len(found):
        line(console, (f"  … {len(found) - len(shown)} more, with no signal or an older one: --limit 0, or --rule ID", "dim"))
    provisional = any(limits.provisional for one in found for limits in [one.chart()] if limits)
    note = "; under twelve points they are provisional" if provisional else ""
    line(console, ("a number over a rolling year moves slowly: stretches and slopes mean less than a point outside", "dim"))
    line(console, (f"limits: mean and 2.66 mean moving ranges{note}; counts alone where small", "dim"))


def _urgency(one: Series) -> tuple[bool, bool, str]:
    """What to look at first: series with a signal at the last point, of them those that got worse."""
    limits, last = one.chart(), len(one.points) - 1
    now = any(last in signal.points for signal in limits.signals) if limits else False
    return not now, one.direction != "worse", one.rule.id


def _trend_line(console: Console, one: Series, width: int) -> None:
    glyph, style = DIRECTIONS[one.direction]
    bars = sparkline([None if one.unit != "count" and point.small else point.value for point in one.points])
    head = assembled(f"  {bars:<{width}} ", (f"{glyph} {one.direction:<6} ", style))
    row(console, head, f"{one.rule.title}: {_last(one)}" if not console.is_terminal else one.rule.title, (one.rule.id, "dim"))
    if console.is_terminal:
        fitted(console, " " * head.cell_len, _last(one))
    limits = one.chart()
    for signal in limits.signals if limits else ():
        words = (f"! {signal.words}: {_days(one, signal.points)}", AMBER)
        if console.is_terminal:
            fitted(console, " " * head.cell_len, words, most=1)
        else:
            line(console, " " * head.cell_len, words)


def _days(one: Series, places: Sequence[int]) -> str:
    """The months of a signal, the latest first; months in a row as the first and last of them."""
    stretches: list[list[int]] = []
    for place in places:
        if stretches and place == stretches[-1][-1] + 1:
            stretches[-1].append(place)
        else:
            stretches.append([place])
    return ", ".join(_stretch(one, each[0], each[-1]) for each in reversed(stretches))


def _stretch(one: Series, first: int, last: int) -> str:
    days = [f"{one.points[place].day:%b %Y}" for place in (first, last)]
    return days[0] if first == last else f"{days[0]} to {days[1]}"


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


def print_worklist(console: Console, found: Worklist, *, limit: int | None) -> None:
    """What to do, list by list: the overdue first, each with the day it became or becomes a breach.

    `limit` is the most lines a list; None is ten, and a line a list where a terminal's screen cannot hold them.
    """
    overdue = sum(one.is_overdue for one in found.tasks)
    days = number_of(found.working_days, "working day")
    words = f"{overdue:,} overdue, {len(found.tasks) - overdue:,} due by {found.last} ({days})"
    line(console, (f"Work as of {found.as_of}: {words}", "bold"))
    groups = found.groups()
    most = A_LIST if limit is None else limit
    if limit is None and console.is_terminal:
        most = limit_that_fits(console, lambda draft, each: _lists(draft, groups, each), TALL)
    if limit is None and most <= 2 and len(groups) > 1:
        _list_lines(console, groups, found.by)
    else:
        _lists(console, groups, most)


def _lists(console: Console, groups: Sequence[tuple[str, list[Task]]], limit: int) -> None:
    for name, tasks in groups:
        late = sum(one.is_overdue for one in tasks)
        line(console, (name, "bold"), f"  {late:,} overdue, {len(tasks) - late:,} due")
        for task in tasks[: limit or None]:
            _task_line(console, task)
        _left_out(console, len(tasks), limit, "")


def _list_lines(console: Console, groups: Sequence[tuple[str, list[Task]]], by: str) -> None:
    """A line a list: how much is overdue and due, and what falls due next; the longest lists first, as one screen holds."""
    ordered = sorted(groups, key=lambda group: -sum(one.is_overdue for one in group[1]))
    shown = ordered[: TALL - 5]
    width = min(max(len(name) for name, _ in shown), 38 if console.width < WIDE else 44)
    line(console, (f"  overdue  critical    due  {by:<{width}}  next due", "bold"))
    for name, tasks in shown:
        late = [one for one in tasks if one.is_overdue]
        critical = sum(one.finding.rule.severity == "critical" for one in late)
        ahead = next((one for one in tasks if not one.is_overdue), None)
        told = str(ahead.due) if ahead else "nothing"
        told += f" {ahead.finding.rule.id}, {_who(ahead)}" if ahead and console.width >= WIDE else ""
        head = f"  {len(late):>7,} {critical:>9,} {len(tasks) - len(late):>6,}  "
        row(console, head, Text.assemble(_padded(name, width), "  ", (told, "dim")))
    if len(shown) < len(ordered):
        line(console, (f"  … {number_of(len(ordered) - len(shown), 'more list')}: --limit 0", "dim"))
    option = {"team": "--team NAME", "worker": "--worker ID", "child": "--person ID"}[by]
    line(console, (f"  one list: {option}; all of them: --limit 0", "dim"))


def _padded(name: str, width: int) -> Text:
    """A name cut after a word, or filled with spaces, to a width."""
    text = clipped(assembled(name), width)
    text.pad_right(width - text.cell_len)
    return text


def _who(task: Task) -> str:
    one = task.finding
    return f"child {one.person_id}" if one.person_id else f"{one.subject_type} {one.subject_id}"


def _task_line(console: Console, task: Task) -> None:
    one = task.finding
    glyph, style = ("✗", RED) if task.is_overdue else ("·", "")
    when = (
        f"overdue, a breach since {task.breach_date}" if task.is_overdue else f"due {task.due}, a breach from {task.breach_date}"
    )
    waived = f"; waived until {one.waived.expires}" if one.waived else ""
    name = f"{one.rule.id}  {one.id}"
    if console.is_terminal and console.width < WIDE:
        when, name = f"breach {'since' if task.is_overdue else 'from'} {task.breach_date}", one.rule.id
    row(console, assembled(f"  {glyph} ", (when, style), f"  {_who(task)}  "), f"{one.rule.title}{waived}", (name, "dim"))


def print_forecast(console: Console, found: Forecast) -> None:
    """Each team on a line, and the arithmetic."""
    weeks = len(found.teams[-1].weeks)
    demand = "" if found.demand == 1 else f", demand {100 * (found.demand - 1):+.0f}%"
    line(console, (f"Duties expected in the {weeks} weeks after {found.as_of}{demand}", "bold"))
    if console.is_terminal:
        _forecast_table(console, found)
        fitted(console, "", (FORECAST_METHOD, "dim"))
        return
    for one in found.teams:
        _forecast_line(console, one)
    line(console, (FORECAST_METHOD, "dim"))


def _forecast_table(console: Console, found: Forecast) -> None:
    """The teams in columns: how full each will be, what to expect and what can be done, and the overdue now and at the end."""
    wide = console.width >= WIDE
    width = 40 if wide else 28
    head = f"  {'load':<11} {'team':<{width}} {'expected':>16} {'can do':>6} {'overdue':>7} {'then':>5}"
    fitted(console, "", (head, "bold"))
    for one in found.teams:
        glyph, style, word = _load_of(one)
        low, high = one.expected_range
        expected = f"{one.expected:.0f} ({low:.0f}-{high:.0f})"
        able, end = one.capacity * len(one.weeks), one.backlog(one.expected)
        mark = (f"  {f'{glyph} {word}':<11} ", style)
        told = f" {expected:>16} {able:>6,.0f} {one.overdue:>7,} {end:>5,.0f}"
        bars = f"  {sparkline([week.expected for week in one.weeks])}" if wide else ""
        fitted(console, "", Text.assemble(assembled(mark), _padded(one.team, width), told, bars), most=1)


def _load_of(one: TeamForecast) -> tuple[str, str, str]:
    return ("?", "dim", "no work on record") if one.load is None else _load(one.load)


def _forecast_line(console: Console, one: TeamForecast) -> None:
    low, high = one.expected_range
    glyph, style, word = _load_of(one)
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
        return "▲", RED, f"over {100 * load:.0f}%"
    return ("●", AMBER, f"full {100 * load:.0f}%") if load > 0.9 else ("○", GREEN, f"room {100 * load:.0f}%")
