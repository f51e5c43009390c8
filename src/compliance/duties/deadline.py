"""Deadlines: an event within a period of a trigger, or at least a period before it."""

from __future__ import annotations

from compliance.duties.context import PeriodCompiler
from compliance.duties.coverage import FIRST, LAST, unsure
from compliance.duties.evidence import first_event
from compliance.duties.expressions import bind
from compliance.duties.frame import NOTHING, OWED, Frame
from compliance.duties.output import select_found
from compliance.duties.periods import (
    Periods,
    backward,
    branch_columns,
    branched,
    choice,
    forward,
    is_plain,
    of_a_branch,
    relaxed,
    working_day_joins,
)
from compliance.duties.sources import literal
from compliance.duties.status import dated_status
from compliance.rulebook.model import Computed, Deadline, Event, Variant

ANCHOR = f"{OWED}.trigger_date"
NO_TIME = "CAST(NULL AS TIMESTAMP)"


def deadline(frame: Frame) -> str:
    """The SELECT of a deadline rule's duties."""
    body = frame.body
    assert isinstance(body, Deadline)
    return dated(
        frame,
        period=body.within or body.before,
        backwards=body.before is not None,
        inclusive=body.beginning_with_the_day,
        variants=body.variants,
        done=body.done,
        event=body.event,
    )


def dated(
    frame: Frame,
    *,
    period: str | Computed | None,
    variants: list[Variant],
    done: str | None,
    event: Event | None,
    backwards: bool = False,
    inclusive: bool = False,
    any_order: bool = False,
) -> str:
    """The SELECT of duties that a dated event meets: shared by deadlines, sequences and limits on how long a state lasts."""
    trigger = _trigger(frame, variants)
    compiler = PeriodCompiler(frame.context, frame.rule, frame.source, OWED, ANCHOR)
    compiler.add_variants(variants, period)
    periods = compiler.done()
    frame.reads |= periods.reads
    early = backwards or any_order
    hours = any(branch.length.unit == "hours" for branch in periods.branches)
    owed = frame.owed(trigger.date, more={"trigger_at": trigger.at} if hours or trigger.at != NO_TIME else {})
    ctes = []
    if event is not None:
        event = _seen_to_the_end(frame, event)
        ctes.append(first_event(frame, event, from_day=ANCHOR) if not early else first_event(frame, _any_time(event)))
    ctes.append(_dated(frame, periods, done=done, backwards=backwards, inclusive=inclusive))
    answer = dated_status(frame.context.today, **_hours_tests(frame)) if hours else None
    return select_found(frame, owed, ctes, answer, of="dated", said=_said(frame, early=early, hours=hours))


class _Trigger:
    """The trigger as a day and, where it is a timestamp, as a time."""

    def __init__(self, date: str, at: str) -> None:
        self.date, self.at = date, at


def _trigger(frame: Frame, variants: list[Variant]) -> _Trigger:
    bound = frame.bind(frame.body.trigger)
    cases = [
        f"WHEN {frame.condition(variant.when)} THEN {frame.bind(variant.trigger).sql}"
        for variant in variants
        if variant.trigger is not None
    ]
    if cases:
        return _Trigger(f"CASE {' '.join(cases)} ELSE {bound.sql} END", NO_TIME)
    if bound.type == "TIMESTAMP":
        return _Trigger(f"CAST({bound.sql} AS DATE)", bound.sql)
    return _Trigger(bound.sql, NO_TIME)


def _seen_to_the_end(frame: Frame, event: Event) -> Event:
    """The event, also after the duty's end where only the latest is held: it may hide one that was in time."""
    latest = frame.context.holds_only_latest(frame.context.source(event.table))
    return event.model_copy(update={"until": "any"}) if latest and event.until is None else event


def _any_time(event: Event) -> Event:
    return event if event.after is not None else event.model_copy(update={"after": "any", "until": event.until or "any"})


def _dated(frame: Frame, periods: Periods, *, done: str | None, backwards: bool, inclusive: bool) -> str:
    """The CTE `dated`: each owed row with its due day, what met it and when."""
    if backwards:
        due = choice([backward(ANCHOR, one.length) for one in periods.branches], "branch")
    else:
        due = choice([forward(ANCHOR, one.length, inclusive) for one in periods.branches], "branch")
    due, relaxed_note = relaxed(due, frame.body.relaxed)
    moved = f", {relaxed_note} AS relaxed_note" if relaxed_note != NOTHING else ""
    joins = working_day_joins(ANCHOR, periods, "branch", backwards=backwards, inclusive=inclusive)
    joins = ("\n    LEFT JOIN evidence ON evidence.n = o.n" if done is None else "") + joins
    hours = next((one.length.n for one in periods.branches if one.length.unit == "hours"), None)
    sign = "-" if backwards else "+"
    due_at = f", CASE WHEN {_has_time('trigger_at')} THEN trigger_at {sign} INTERVAL {hours} HOUR END AS due_at" if hours else ""
    done_date, done_at, ref = _done(frame, done)
    return f"""{"" if is_plain(periods) else branched(periods, OWED)}dated AS (
    SELECT {OWED}.*, {due} AS due_date{due_at}{moved},
      {done_date} AS done_date, {done_at} AS done_at, {ref} AS evidence_ref{_opens_on(frame)},
      {branch_columns(periods)}
    FROM {"owed" if is_plain(periods) else "branched"} AS {OWED}{joins}{of_a_branch(periods, ANCHOR)}
  )"""


def _said(frame: Frame, *, early: bool, hours: bool) -> dict[str, str]:
    """SQL over `dated` of what is said of each duty: why it cannot be decided, the remarks, and the row that began it."""
    return {
        "unknown_because": _unknown(frame, early),
        "unsure_because": _unsure(frame, early),
        "note": _note(frame, hours=hours),
        "trigger_ref": "own_row_ref",
    }


def _done(frame: Frame, done: str | None) -> tuple[str, str, str]:
    """SQL of the done day, the done time, and the evidence row."""
    if done is None:
        return "evidence.done_date", "evidence.done_at", "evidence.evidence_ref"
    bound = bind(done, frame.source, OWED)
    frame.reads |= bound.reads
    day = f"CAST({bound.sql} AS DATE)" if bound.type == "TIMESTAMP" else bound.sql
    counts = f"{bound.sql} IS NOT NULL"
    if frame.body.ceases is not None:
        counts += f" AND ({OWED}.ceased_date IS NULL OR {day} <= {OWED}.ceased_date)"
    return f"CASE WHEN {counts} THEN {day} END", bound.sql, f"CASE WHEN {counts} THEN {OWED}.own_row_ref END"


def _unknown(frame: Frame, early: bool) -> str:
    """SQL of why the duty is unknown: what the rule says, no trigger, an impossible order, or only the latest event known."""
    body = frame.body
    same_row = getattr(body, "event", None) is None
    cases = [f"WHEN trigger_date IS NULL THEN {literal(f'{body.trigger} is missing')}"]
    if same_row and not early:
        cases.append("WHEN done_date < trigger_date THEN 'done before it began: impossible order'")
        if frame.source.columns.get(body.trigger.strip()) == "TIMESTAMP":
            timed = f"{_has_time('done_at')} AND {_has_time('trigger_at')} AND done_at < trigger_at"
            cases.append(f"WHEN {timed} THEN 'done before it began: impossible order'")
    cases.append("WHEN ceased_date < trigger_date THEN 'ended before it began: impossible order'")
    event = getattr(body, "event", None)
    if event is not None and frame.context.holds_only_latest(frame.context.source(event.table)):
        late = "done_date > due_date OR done_date > ceased_date"
        cases.append(f"WHEN {late} THEN 'only the latest event is held: an earlier one may have been in time'")
    return frame.unknown(*cases)


def _unsure(frame: Frame, early: bool) -> str:
    """SQL of why absence proves nothing: the days that count begin before the data do, or end after them."""
    event: Event | None = getattr(frame.body, "event", None)
    after = f"due_date > {LAST}"
    if event is None:
        absent = "" if frame.source.history_of else "done_date IS NULL AND "
        return unsure(frame.cover, before=f"{absent}trigger_date < {FIRST}", after=after)
    if (early and event.after is None) or (event.after or "").strip() == "any":
        return unsure(frame.cover, before="TRUE", after=after)
    return unsure(frame.cover, before=f"opens_on < {FIRST}", after=after)


def _opens_on(frame: Frame) -> str:
    """SQL of a further column: the first day on which an event would count, where that day decides."""
    event: Event | None = getattr(frame.body, "event", None)
    if not frame.cover.before or event is None:
        return ""
    said = event.after if event.after and event.after.strip() != "any" else None
    return f", {frame.as_date(said, OWED) if said else ANCHOR} AS opens_on"


def _has_time(column: str) -> str:
    return f"{column} <> date_trunc('day', {column})"


def _hours_tests(frame: Frame) -> dict[str, str]:
    """In hours where both sides have a time of day, else on dates."""
    timed = f"due_at IS NOT NULL AND {_has_time('done_at')}"
    return {
        "in_time": f"(CASE WHEN {timed} THEN done_at <= due_at ELSE done_date <= due_date END)",
        "past": f"CASE WHEN due_at IS NOT NULL THEN due_at < {frame.context.today} + 1 ELSE {frame.context.today} > due_date END",
    }


def _note(frame: Frame, *, hours: bool) -> str:
    moved = "relaxed_note" if frame.body.relaxed else NOTHING
    if not hours:
        return frame.remarks(moved)
    timed = f"due_at IS NOT NULL AND (done_at IS NULL OR {_has_time('done_at')})"
    return frame.remarks(moved, f"CASE WHEN NOT ({timed}) THEN 'dates only' END")
