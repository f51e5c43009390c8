"""Recurring duties: events at most a period apart, one duty for each gap (design section 3, readings 2 to 4)."""

from __future__ import annotations

from compliance.calendar import Duration
from compliance.duties.context import PeriodCompiler
from compliance.duties.coverage import FIRST, LAST, latest_due, starts, unsure
from compliance.duties.evidence import EVENT, EventColumns, event_columns
from compliance.duties.expressions import bind
from compliance.duties.frame import OWED, Frame
from compliance.duties.output import select_found
from compliance.duties.periods import (
    Length,
    Periods,
    backward,
    branch_columns,
    branch_number,
    choice,
    forward,
    is_plain,
    moved,
    relaxed,
    working_day_joins,
)
from compliance.duties.sources import OWN, literal, quoted
from compliance.rulebook.model import Event, Pause, Phase, Recurring

GAP = "g"
EXTRA = {"gap": "BIGINT", "gap_start": "DATE"}


def recurring(frame: Frame) -> str:
    """The SELECT of a recurring rule's duties: one for each gap between an event and the next."""
    body = frame.body
    assert isinstance(body, Recurring)
    columns = event_columns(frame, body.event)
    latest = frame.context.holds_only_latest(columns.source)
    periods, shortest = _periods(frame, body, second=False if latest else None), None
    if (latest or frame.cover.before) and any(phase.second for phase in body.phases):
        shortest = _periods(frame, body, second=True)
    frame.reads |= periods.reads
    ctes = [
        _hits(frame, body, columns, latest=latest),
        _points(body, latest=latest),
        _gaps(body),
        _dated(frame, periods, shortest, body),
    ]
    if body.pauses is not None:
        ctes += [_paused(frame, body.pauses, periods), _extended(body.pauses, periods)]
    ctes.append(_timed(frame, body, latest=latest))
    owed = frame.owed(frame.as_date(body.trigger))
    return select_found(frame, owed, ctes, None, trigger="gap_start", gap=_gap_number(body))


def _gap_number(body: Recurring) -> str:
    """SQL of the gap's number; below zero where an earlier span of the subject has a gap from the same event."""
    if body.counts_from_earlier is False:
        return "gap"
    place = f"row_number() OVER (PARTITION BY {OWN}authority, subject_id, gap_start, gap > 0 ORDER BY trigger_date)"
    return f"CASE WHEN gap > 0 AND {place} > 1 THEN -{place} ELSE gap END"


def _earliest(frame: Frame, body: Recurring, day: str) -> str:
    """SQL that keeps the events late enough to matter: from the start, or from as far back as an earlier one counts."""
    if body.event.after is not None:
        return "TRUE" if body.event.after.strip() == "any" else f"{day} >= {frame.as_date(body.event.after, OWED)}"
    if body.counts_from_earlier is False:
        return f"{day} >= {OWED}.trigger_date"
    if body.counts_from_earlier is True:
        return "TRUE"
    back = Length.of(Duration.parse(body.counts_from_earlier))
    return f"{day} >= {backward(f'{OWED}.trigger_date', back)}"


def _hits(frame: Frame, body: Recurring, columns: EventColumns, *, latest: bool) -> str:
    """The CTE `hits`: the days of qualifying events for each span, several on one day being one.

    Where only the newest event is held, also `later`: the spans with one after their end, which hides any before it.
    """
    event: Event = body.event
    where = [frame.event_condition(event.where, columns.source, EVENT), _earliest(frame, body, columns.day)]
    if event.until is not None and event.until.strip() != "any":
        where.append(f"{columns.day} <= {frame.as_date(event.until, OWED)}")
    within = f"({OWED}.ceased_date IS NULL OR {columns.day} <= {OWED}.ceased_date)"
    kept = " AND ".join(f"({part})" for part in where if part != "TRUE") or "TRUE"
    matching = frame.matching(event, columns.source, EVENT)
    joined = f"FROM owed AS {OWED}\n    JOIN {columns.source.relation} AS {EVENT} ON {matching}"
    newest = f"\n    QUALIFY row_number() OVER (PARTITION BY {OWED}.n ORDER BY {columns.day} DESC) = 1" if latest else ""
    after = f"SELECT {OWED}.n\n    {joined}\n    WHERE {kept} AND {columns.day} > {OWED}.ceased_date"
    later = f",\n  later AS (\n    {after}\n  )" if latest else ""
    return f"""hits AS (
    SELECT {OWED}.n, {columns.day} AS day, min({EVENT}.row_ref) AS ref
    {joined}
    WHERE {kept} AND {within}
    GROUP BY {OWED}.n, {columns.day}{newest}
  ){later}"""


def _points(body: Recurring, *, latest: bool) -> str:
    """The CTE `points`: the days from which gaps run: the start of the span and each event.

    Where only the latest event is held it alone opens a gap, and the start only where there is none.
    """
    events = "SELECT n, day, ref, 1 AS is_event FROM hits"
    start = "SELECT n, trigger_date AS day, own_row_ref AS ref, 0 AS is_event FROM owed"
    if body.starts_with_first_event:
        return f"points AS (\n    {events}\n  )"
    if latest:
        return f"points AS (\n    {start} WHERE n NOT IN (SELECT n FROM hits)\n    UNION ALL\n    {events}\n  )"
    if body.counts_from_earlier is False:
        return f"points AS (\n    {start}\n    UNION ALL\n    {events}\n  )"
    return EARLIER_POINTS


EARLIER_POINTS = """earlier AS (
    SELECT n, day, ref FROM (
      SELECT hits.n, hits.day, hits.ref, row_number() OVER (PARTITION BY hits.n ORDER BY hits.day DESC) AS place
      FROM hits JOIN owed ON owed.n = hits.n
      WHERE hits.day < owed.trigger_date AND (owed.ceased_date IS NULL OR owed.ceased_date >= owed.trigger_date)
    ) AS before WHERE place = 1
  ),
  points AS (
    SELECT owed.n, coalesce(earlier.day, owed.trigger_date) AS day, coalesce(earlier.ref, owed.own_row_ref) AS ref,
      CASE WHEN earlier.day IS NULL THEN 0 ELSE 1 END AS is_event
    FROM owed LEFT JOIN earlier ON earlier.n = owed.n
    UNION ALL
    SELECT hits.n, hits.day, hits.ref, 1 AS is_event
    FROM hits JOIN owed ON owed.n = hits.n
    WHERE hits.day >= owed.trigger_date
  )"""


def _gaps(body: Recurring) -> str:
    """The CTE `gaps`: each point with the event that ended its gap; a gap is not opened on the day the span ends."""
    ordered = "OVER (PARTITION BY n ORDER BY day, is_event)"
    first = "1" if body.starts_with_first_event else f"first_value(is_event) {ordered}"
    return f"""strung AS (
    SELECT n, day AS gap_start, ref AS trigger_ref,
      row_number() {ordered} - 1 + {first} AS gap,
      lead(day) {ordered} AS done_date,
      lead(ref) {ordered} AS evidence_ref
    FROM points
  ),
  gaps AS (
    SELECT o.*, s.gap_start, s.gap, s.trigger_ref, s.done_date, s.evidence_ref
    FROM strung AS s JOIN owed AS o ON o.n = s.n
    WHERE s.done_date IS NOT NULL OR s.gap = 0 OR o.ceased_date IS NULL OR o.ceased_date <> s.gap_start
  )"""


def _phase_guard(frame: Frame, phase: Phase, second: bool | None) -> str | None:
    """SQL of which gaps a phase is for; with `second` given, whether a gap after an event is taken for the second one.

    Where the data start after the span did, the first event known need not be the first.
    """
    if phase.first is not None:
        return f"{GAP}.gap = 0"
    if phase.second is not None:
        known = f" AND NOT coalesce({_span_began_before(GAP)}, FALSE)" if frame.cover.before else ""
        return f"{GAP}.gap = 1{known}" if second is None else f"{GAP}.gap > 0 AND {'TRUE' if second else 'FALSE'}"
    return None


def _periods(frame: Frame, body: Recurring, *, second: bool | None) -> Periods:
    compiler = PeriodCompiler(frame.context, frame.rule, frame.source, GAP, f"{GAP}.gap_start")
    for phase in body.phases:
        guards = [guard for guard in (_phase_guard(frame, phase, second), _lasting(phase)) if guard]
        also = " AND ".join(guards) or None
        compiler.add(phase.length, when=phase.when, also=also, label=phase.title, extra=EXTRA)
    return compiler.done()


def _lasting(phase: Phase) -> str | None:
    """SQL that keeps a phase to gaps that start within its first days: a gap on the anniversary is outside."""
    if phase.lasting is None:
        return None
    return f"{GAP}.gap_start < {forward(f'{GAP}.trigger_date', Length.of(Duration.parse(phase.lasting)))}"


def _dated(frame: Frame, periods: Periods, shortest: Periods | None, body: Recurring) -> str:
    """The CTE `dated`: each gap with the day by which it must end. `sooner` is the earliest day it could be."""
    due = choice([forward(f"{GAP}.gap_start", one.length) for one in periods.branches], "branch")
    anchor = f"{GAP}.gap_start"
    sooner, short_branch = "CAST(NULL AS DATE)", "NULL"
    if shortest is not None:
        short_branch = branch_number(shortest)
        sooner = choice([forward(anchor, one.length) for one in shortest.branches], "short_branch")
        sooner, _ = relaxed(sooner, body.relaxed)
    plain = is_plain(periods) and shortest is None and body.pauses is None
    branched = f"""branched AS (
    SELECT {GAP}.*, {branch_number(periods)} AS branch, {short_branch} AS short_branch
    FROM gaps AS {GAP}
  ),
  """
    return f"""{"" if plain else branched}dated AS (
    SELECT {GAP}.*, {due} AS period_due, {sooner} AS sooner{_at_latest(frame, periods, body)},
      {branch_columns(periods)}
    FROM {"gaps" if plain else "branched"} AS {GAP}{working_day_joins(anchor, periods, "branch")}
    WHERE {"TRUE" if plain else f"branch IS NOT NULL OR {anchor} IS NULL"}
  )"""


def _at_latest(frame: Frame, periods: Periods, body: Recurring) -> str:
    """SQL of a further column: the day by which a gap that began before the data do must have ended, whenever it began."""
    if not frame.cover.before:
        return ""
    return f", {relaxed(latest_due(periods), body.relaxed)[0]} AS at_latest"


def _paused(frame: Frame, pause: Pause, periods: Periods) -> str:
    """The CTE `paused`: how many of the days that each gap counts do not count in it, once where pauses overlap."""
    source = frame.use(pause.table)
    start = bind(pause.start, source, "p").sql
    end = f"coalesce({bind(pause.end, source, 'p').sql}, {frame.context.today})"
    for name in (pause.start, pause.end):
        frame.reads |= source.reading(name)
    match = pause.match if isinstance(pause.match, dict) else {name: name for name in pause.match}
    joins = " AND ".join(f"p.{quoted(theirs)} = {GAP}.{quoted(OWN + ours)}" for theirs, ours in match.items())
    where = frame.event_condition(pause.where, source, "p")
    first, last, due, counting = _day_numbers(periods)
    return f"""numbered AS (
    SELECT *, row_number() OVER (ORDER BY n, gap) AS gap_number FROM dated
  ),
  pauses AS (
    SELECT {GAP}.gap_number, {GAP}.branch, {GAP}.gap_start, {GAP}.period_due,
      greatest({start}, {GAP}.gap_start + 1) AS first_day, {end} AS last_day,
      max({end}) OVER (PARTITION BY {GAP}.gap_number ORDER BY {start}, p.row_ref
        ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING) AS earlier_last
    FROM numbered AS {GAP} JOIN {source.relation} AS p ON {joins}
    WHERE ({where}) AND {start} IS NOT NULL AND {end} > {GAP}.gap_start
  ),
  merged AS (
    SELECT gap_number, branch, gap_start, period_due, last_day,
      greatest(first_day, coalesce(earlier_last + 1, first_day)) AS first_day
    FROM pauses
  ),
  stretches AS (
    SELECT s.gap_number, {first} AS first_number, {due} AS due_number, greatest(0, {last} - ({first}) + 1) AS days
    FROM merged AS s{counting}
  ),
  paused AS (
    SELECT gap_number, sum(days) AS days FROM (
      SELECT gap_number, first_number, due_number, days, coalesce(sum(days) OVER (PARTITION BY gap_number ORDER BY first_number
        ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING), 0) AS earlier_days
      FROM stretches
    ) AS run WHERE first_number - earlier_days <= due_number
    GROUP BY gap_number
  )"""


def _day_numbers(periods: Periods) -> tuple[str, str, str, str]:
    """SQL that numbers a pause's first and last day and the due day, by the days that the gap counts, and the joins for it."""
    days = [f"date_diff('day', s.gap_start, s.{name})" for name in ("first_day", "last_day", "period_due")]
    working = ("before_pause.working_day + 1", "in_pause.working_day", "falls_due.working_day")
    first, last, due = (_by_unit(periods, "s.branch", *pair) for pair in zip(working, days, strict=True))
    if not periods.uses_working_days:
        return first, last, due, ""
    joins = {"before_pause": moved("s.first_day", -1), "in_pause": "s.last_day", "falls_due": "s.period_due"}
    counting = "".join(f"\n    LEFT JOIN calendar AS {name} ON {name}.day = {day}" for name, day in joins.items())
    return first, last, due, counting


def _by_unit(periods: Periods, branch: str, working: str, other: str) -> str:
    """SQL that gives one value where the branch that applies counts working days, and another where it does not."""
    return choice([working if one.length.unit == "working_days" else other for one in periods.branches], branch)


def _extended(pause: Pause, periods: Periods) -> str:
    """The CTE `extended`: the due day moved on by the days that did not count."""
    days = "CAST(coalesce(p.days, 0) AS INTEGER)"
    later = _by_unit(periods, "d.branch", "later.day", f"d.period_due + {days}")
    joins = f"""
    LEFT JOIN calendar AS falls_due ON falls_due.day = d.period_due
    LEFT JOIN calendar AS later ON later.is_working AND later.working_day = falls_due.working_day + {days}"""
    return f"""extended AS (
    SELECT d.*, {later} AS extended_due,
      CASE WHEN p.days > 0 THEN {literal(pause.says)} END AS pause_note
    FROM numbered AS d LEFT JOIN paused AS p ON p.gap_number = d.gap_number{joins if periods.uses_working_days else ""}
  )"""


def _timed(frame: Frame, body: Recurring, *, latest: bool) -> str:
    """The CTE `timed`: each gap with its due day, and why it cannot be decided."""
    due = "period_due" if body.pauses is None else "extended_due"
    if body.counts_from_earlier is not False:
        due = f"greatest({due}, trigger_date)"
    due, relaxed_note = relaxed(due, body.relaxed)
    early = _began_before(frame, due)
    due = f"CASE WHEN {early} THEN greatest(at_latest, trigger_date) ELSE {due} END" if early else due
    notes = [relaxed_note]
    notes += ["pause_note"] if body.pauses is not None else []
    notes += ["'latest only: earlier gaps are not judged'"] if latest else []
    notes += [_counted_from_eve(frame, body, early, due)] if early else []
    unsure_which = "WHEN done_date IS NULL AND ceased_date IS NULL AND sooner < {0} AND {1} >= {0} THEN {2} ".format(
        frame.context.today, due, literal("only the latest event is held: which it was decides")
    )
    hidden = "WHEN ceased_date > {} AND n IN (SELECT n FROM later) AND n NOT IN (SELECT n FROM hits) THEN {} ".format(
        due, literal("only the latest event is held, from after the end: there may have been others before")
    )
    cases = [
        f"WHEN gap_start IS NULL THEN {literal(f'{body.trigger} is missing')}",
        "WHEN ceased_date < trigger_date THEN 'ended before it began: impossible order'",
        unsure_which if latest else "",
        hidden if latest else "",
        _unseen(frame, body, early, due),
        _which_is_unknown(body, due, frame.context.today) if early else "",
    ]
    return f"""timed AS (
    SELECT *, {due} AS due_date,
      {frame.unknown(*cases)} AS unknown_because,
      {unsure(frame.cover, before="FALSE", after=f"gap_start <= {LAST} AND {due} > {LAST}")} AS unsure_because,
      {frame.remarks(*notes)} AS note
    FROM {"dated" if body.pauses is None else "extended"}
  )"""


def _span_began_before(alias: str) -> str:
    return f"{alias}.trigger_date < {alias}.{FIRST}"


def _which_is_unknown(body: Recurring, due: str, today: str) -> str:
    """SQL of when it decides whether the gap after the first event known is the second: that event may not be the first."""
    if not any(phase.second for phase in body.phases):
        return ""
    ended = f"coalesce(done_date, ceased_date, {today})"
    when = f"gap = 1 AND trigger_date < {FIRST} AND {ended} > sooner AND {ended} <= {due}"
    return f"WHEN {when} THEN {starts('whether the one before was the first decides')} "


def _began_before(frame: Frame, due: str) -> str:
    """SQL of a gap that began before the data do and was not seen to end in time; nothing where they cover all."""
    return f"(gap_start < {FIRST} AND NOT coalesce(done_date <= {due}, FALSE))" if frame.cover.before else ""


def _unseen(frame: Frame, body: Recurring, early: str, due: str) -> str:
    """SQL of when such a gap is unknown: save where even one that began on the eve of the data is too long."""
    if not early:
        return ""
    return f"WHEN {early} AND {_may_be_in_time(frame, body, due)} THEN {starts('there may have been one before')} "


def _may_be_in_time(frame: Frame, body: Recurring, due: str) -> str:
    """SQL of whether the gap can have been short enough; always, where days may not count or a gap may owe nothing."""
    always_owes = any(phase.every and phase.when is None and phase.lasting is None for phase in body.phases)
    ended = f"coalesce(done_date, ceased_date, {frame.context.today})"
    return f"{ended} <= {due}" if always_owes and not body.pauses else "TRUE"


def _counted_from_eve(frame: Frame, body: Recurring, early: str, due: str) -> str:
    """SQL of the remark on a gap that is too long whenever it began."""
    said = starts("counted from the day before, by the longest interval allowed")
    return f"CASE WHEN {early} AND NOT ({_may_be_in_time(frame, body, due)}) THEN {said} END"
