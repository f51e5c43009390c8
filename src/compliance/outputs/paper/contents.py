"""What the board paper says."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

from compliance import __version__
from compliance.outputs.disclosure import counted
from compliance.outputs.indicators import INDICATORS
from compliance.outputs.page.contents import clock, headline
from compliance.outputs.page.measures import may_be_shown, value_of
from compliance.outputs.page.risks import PLURALS
from compliance.outputs.paper.blocks import Block, Heading, Items, Paper, Sentences, Table
from compliance.outputs.paper.finance import finance
from compliance.outputs.paper.programme import Item, items
from compliance.outputs.screen import number_of
from compliance.outputs.wording import SUPPRESSED, body_of, comparator, compared, day, fraction_words, spoken, value_words
from compliance.register.register import MeasureValue
from compliance.register.trend import Series
from compliance.risks.assess import Risk
from compliance.rulebook.model import Escalation
from compliance.run import Run

if TYPE_CHECKING:
    from compliance.outputs.published import Published

MOST_INDICATORS = 12
MOST_RISKS = 10
MOST_ASKS = 6
BOARD_RUNGS = ("improvement_board", "dfe_review", "statutory_notice", "statutory_direction", "trust")


def paper(published: Published) -> Paper:
    """The whole paper."""
    run = published.run
    names = ", ".join(one.name for one in run.dataset.authorities[:3])
    rows = run.dataset.tables.values()
    footer = (
        f"compliance {__version__} · rule pack {run.rulebook.digest[:12]} · data of {day(run.as_of)}"
        f" ({sum(table.loaded for table in rows):,} rows, input {run.dataset.digest[:12]})"
    )
    facts = (("Council", names), ("Data as of", day(run.as_of)), ("Classification", "open" if published.public else "restricted"))
    return Paper(
        title="Children’s services: progress against the improvement notice",
        facts=facts,
        blocks=list(_blocks(published)),
        footer=footer,
        day=(run.as_of.year, run.as_of.month, run.as_of.day),
    )


def _blocks(published: Published) -> Iterator[Block]:
    run = published.run
    yield Heading("Purpose")
    yield Sentences(f"To say how the council stands on {day(run.as_of)}, what that means and what is asked of the board.")
    since = clock(run, published.register.ladder)
    yield Sentences(headline(published) + (f" {since}." if since else ""))
    yield Heading("The improvement notice")
    yield from _notice(published)
    yield Heading("Ofsted’s priority actions")
    yield from _priority_actions(published)
    yield Heading("Indicators")
    yield from _indicators(published)
    yield Heading("Principal risks")
    yield from _risks(published)
    yield Heading("Resource implications")
    yield from finance(run)
    yield Heading("What is asked of the board")
    yield Items(tuple(_asked(published)))
    yield Heading("What cannot be seen")
    yield Items(tuple(_unseen(published)))


def _notice(published: Published) -> Iterator[Block]:
    run, state = published.run, published.register.ladder
    measures = items(run, "notice_measure", "direction_instruction")
    if measures:
        yield Table(
            "Measures of the notice",
            ("Measure", "State", "Date"),
            (8, 2, 3),
            tuple((one.title, one.state, one.when) for one in measures),
        )
    else:
        yield Sentences("No measure of a notice is on record.")
    work = items(run, "plan", "action", "milestone", "recommendation", "diagnostic_review")
    if work:
        yield Sentences(f"Of {len(work)} plans, reviews and actions of the programme, {_states(work)}.")
    next_stage = next((one for one in state.stages if not one.reached and one.warned_by), None)
    why = f" {next_stage.title} could follow: {state.why}." if next_stage else ""
    current = next((one.title for one in state.stages if one.is_current), "None")
    yield Sentences(f"Stage of intervention: {current}.{why}")


def _states(work: list[Item]) -> str:
    counts = Counter(one.state for one in work)
    undated = sum(one.when == "no date" for one in work)
    told = ", ".join(f"{count} {'is' if count == 1 else 'are'} {state}" for state, count in counts.most_common())
    return f"{told}; {undated} of those not done have no date" if undated else told


def _priority_actions(published: Published) -> Iterator[Block]:
    listed = items(published.run, "priority_action")
    if not listed:
        yield Sentences("None is on record.")
        return
    bearing = {one.id: one.risks for one in published.register.priority_actions}
    risks = {one.id: one for one in published.register.risks}
    rows = []
    for one in listed:
        found = [risks[name] for name in bearing.get(one.id, ()) if name in risks]
        kinds = list(dict.fromkeys(each.title for each in found))
        number = "" if published.public else f"{counted(len(found), public=False)} "
        told = f"{number}risks of {number_of(len(kinds), 'kind')}" if found else "no risk"
        rows.append((one.title, one.state, one.when, told + (f"; the highest: {kinds[0]}" if kinds else "")))
    yield Table("Areas for priority action", ("Area", "State", "Date", "Risks that bear on it"), (6, 2, 3, 5), tuple(rows))


def _indicators(published: Published) -> Iterator[Block]:
    chosen = indicators(published)
    if not chosen:
        yield Sentences("No measure could be made from this data.")
        return
    public = published.public
    rows = tuple(
        (
            one.rule.title,
            value_words(one, public=public),
            fraction_words(one, public=public),
            _trend(one, published),
            f"{one.target:g}, {compared(one, one.target)}" if one.target is not None else "none set",
            _comparator(one, published.run),
        )
        for one in chosen
    )
    yield Table(
        "Indicators, each with its fraction",
        ("Indicator", "Value", "Fraction", "Trend", "Target", "Published figures"),
        (12, 4, 5, 9, 4, 8),
        rows,
        frozenset({1}),
        lines=tuple(_line(one, published) for one in chosen),
        line_column=3,
    )
    yield from _limits(chosen, published)


def _trend(one: MeasureValue, published: Published) -> str:
    """How the indicator moved since the first month end judged, and whether its last point makes a signal."""
    series = published.series_of(one.rule.id, one.authority)
    if series is None:
        return "not judged"
    if not may_be_shown(series, public=published.public):
        return SUPPRESSED
    if series.is_small or len(series.values) < 2:
        return "too few to say"
    first = next(point for point in series.points if point.value is not None)
    words = f"{series.direction}: {value_of(first.value, series)} in {first.day:%b %Y}"
    return words + ("; signal" if _signals_now(series) else "")


def _signals_now(series: Series) -> bool:
    """Whether the last point lies outside the natural limits or is part of another signal."""
    limits = series.chart()
    return limits is not None and any(len(series.points) - 1 in one.points for one in limits.signals)


def _line(one: MeasureValue, published: Published) -> tuple[float, ...]:
    """The values to draw, none where the words give none."""
    series = published.series_of(one.rule.id, one.authority)
    if series is None or series.is_small or not may_be_shown(series, public=published.public):
        return ()
    return tuple(series.values) if len(series.values) > 1 else ()


def _limits(chosen: Sequence[MeasureValue], published: Published) -> Iterator[Sentences]:
    """What the trends rest on."""
    found = [series for one in chosen for series in [published.series_of(one.rule.id, one.authority)] if series]
    if not found:
        yield Sentences("The trend of the indicators was not asked for.")
        return
    months = max(len(one.points) for one in found)
    provisional = any(limits.provisional for one in found for limits in [one.chart()] if limits)
    told = f"Trend: {months} month ends, each judged as it was known then. Signal: the last point is outside the natural limits"
    told += " (mean and 2.66 mean moving ranges) or part of a run that chance would hardly make."
    yield Sentences(told + (" Limits of fewer than twelve points are provisional." if provisional else ""))


def indicators(published: Published) -> list[MeasureValue]:
    """Twelve measures of the council at most: those that boards ask for, then others with a target or a comparator."""
    council = {one.rule.id: one for one in published.measures if one.scope_type == "authority" and one.value is not None}
    chosen = [council[name] for name in INDICATORS if name in council]
    rest = [
        one
        for name, one in sorted(council.items())
        if name not in INDICATORS and (one.target is not None or body_of(one).benchmarks)
    ]
    return (chosen + rest)[:MOST_INDICATORS]


def _comparator(one: MeasureValue, run: Run) -> str:
    """The published figure of each area that is nearest in time to the data."""
    areas = sorted(
        {each.area.lower(): each.area for each in body_of(one).benchmarks}.values(),
        key=lambda name: (name.lower() != "england", name),
    )
    found = [newest for area in areas for newest in [comparator(one, area, run.as_of)] if newest]
    return "; ".join(f"{each.area.capitalize()} {each.value:g} ({each.date.year})" for each in found) or "none"


def _risks(published: Published) -> Iterator[Block]:
    grouped: dict[str, list[Risk]] = {}
    for one in published.register.risks:
        grouped.setdefault(one.rule.id, []).append(one)
    if not grouped:
        yield Sentences("No risk was raised.")
        return
    listed = list(grouped.values())[:MOST_RISKS]
    ladder = published.run.ladder
    rows = tuple(
        (
            f"{kind[0].score} {kind[0].band}",
            kind[0].title,
            _whom(kind, published),
            ladder.rung(ladder.rank(kind[0].rung)).title,
            _why(kind),
        )
        for kind in listed
    )
    yield Sentences(f"The {len(listed)} highest of {len(grouped)} kinds; score is likelihood times impact, each from 1 to 5.")
    yield Table("Principal risks", ("Score", "Risk", "For", "Who must act", "Because"), (2, 5, 3, 3, 5), rows)


def _whom(kind: list[Risk], published: Published) -> str:
    first = kind[0]
    if first.scope_type == "authority":
        return "the council"
    number = published.risk_counts.kinds[first.rule.id]
    return f"{number} {first.scope_type if number == '1' else PLURALS.get(first.scope_type, first.scope_type)}"


def _why(kind: list[Risk]) -> str:
    """The reason of a risk of the council; of others what the rule says, so that nobody is named."""
    first = kind[0]
    body = first.rule.body
    assert isinstance(body, Escalation)
    return first.reason if first.scope_type == "authority" else (body.consequence or first.rule.law or "")


def _asked(published: Published) -> Iterator[str]:
    """What the board alone can decide."""
    run = published.run
    yield "To note the state of the notice’s measures and of the priority actions."
    board = [one for one in published.register.risks if one.rung in BOARD_RUNGS and one.scope_type == "authority"]
    for one in board[:MOST_ASKS]:
        yield f"To decide what is done about this risk ({one.score}, {one.band}): {one.title}."
    undated = [one for one in items(run, "notice_measure", "plan", "action") if one.when == "no date"]
    if undated:
        yield f"To give a date to {len(undated)} items of the programme that are not done and have none."
    overdue = [one for one in items(run, "notice_measure", "plan", "action", "milestone") if one.state == "overdue"]
    if overdue:
        yield f"To say when these overdue items will be done: {'; '.join(one.title for one in overdue[:5])}."
    yield from _money(run)


def _money(run: Run) -> Iterator[str]:
    row = run.evaluation.connection.execute("SELECT sum(amount) FROM known.budget_entries WHERE entry_kind = 'bid'").fetchone()
    if row and row[0]:
        yield f"To note that bids of about £{float(row[0]) / 1000:,.0f}k are not yet confirmed."


def _unseen(published: Published) -> Iterator[str]:
    """What the data cannot show, and how much of the answer rests on law that was not read."""
    found, run = published.register, published.run
    rules = sum(one.rules for one in found.confidence)
    evaluated = sum(one.evaluated for one in found.confidence)
    unknown = sum(one.unknown for one in found.confidence)
    yield f"{rules - evaluated} of {rules} rules could not be evaluated: their data is not there. They are not counted as met."
    low = [spoken(one.theme) for one in found.confidence if one.word == "low"]
    if low:
        yield f"Confidence is low in: {', '.join(low)}."
    needs = Counter(need.partition(".")[0] for one in run.evaluation.not_evaluated for need in one.needs)
    if needs:
        tables = ", ".join(f"{spoken(name)} ({count} rules)" for name, count in needs.most_common(5))
        yield f"What is missing most: {tables}."
    yield f"{unknown:,} duties cannot be decided, because what decides them is blank or impossible; they are counted apart."
    unread = sum(one.unread_law for one in found.confidence)
    yield f"For {unread} of {rules} rules the law’s own text was not read in full; the rulebook says which."
    yield "Numbers say whether something was done in time, not whether it was done well."
