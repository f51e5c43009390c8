"""Presence: a record, a set of fields or a fact that must be there."""

from __future__ import annotations

from collections.abc import Mapping

from compliance.calendar import Duration
from compliance.duties.context import PeriodCompiler
from compliance.duties.coverage import FIRST, LAST, starts, unsure
from compliance.duties.frame import NOTHING, OWED, Frame
from compliance.duties.output import select_found
from compliance.duties.periods import (
    Length,
    backward,
    branch_columns,
    branched,
    choice,
    forward,
    is_plain,
    moved,
    of_a_branch,
    working_day_joins,
)
from compliance.duties.sources import OWN, literal, quoted
from compliance.duties.status import stated_status
from compliance.rulebook.model import Exists, Limit, Presence

ANCHOR = f"{OWED}.trigger_date"


def presence(frame: Frame) -> str:
    """The SELECT of a presence rule's duties."""
    body = frame.body
    assert isinstance(body, Presence)
    trigger = frame.as_date(body.trigger)
    missing = _missing(frame)
    found = stated(frame, _is_so(frame), missing, body.within or "0 days")
    answer = stated_status(frame.context.today, settled=body.settled)
    return select_found(frame, frame.owed(trigger), [found], answer, of="stated", said=said(frame, missing))


def stated(frame: Frame, is_so: str, missing: str, within: str, *, measured: Mapping[str, str] | None = None) -> str:
    """The CTE `stated` of a duty met by a fact without a date; a limit adds what it measured and its bound."""
    compiler = PeriodCompiler(frame.context, frame.rule, frame.source, OWED, ANCHOR)
    compiler.add(within)
    periods = compiler.done()
    due = choice([forward(ANCHOR, one.length) for one in periods.branches], "branch")
    facts = {"is_so": is_so, **({"missing": missing} if missing != NOTHING else {}), **(measured or {})}
    plain = is_plain(periods)
    return f"""{"" if plain else branched(periods, OWED)}stated AS (
    SELECT {OWED}.*, {due} AS due_date, CAST(NULL AS DATE) AS done_date,
      {", ".join(f"{sql} AS {name}" for name, sql in facts.items())},
      {branch_columns(periods)}
    FROM {"owed" if plain else "branched"} AS {OWED}{working_day_joins(ANCHOR, periods, "branch")}{of_a_branch(periods, ANCHOR)}
  )"""


def said(frame: Frame, missing: str = NOTHING) -> dict[str, str]:
    """SQL over `stated` of what is said of each duty: why it cannot be decided, the remarks, and the row that decided it."""
    return {
        "unknown_because": _unknown(frame),
        "unsure_because": _unsure(frame),
        "note": frame.remarks("missing" if missing != NOTHING else NOTHING),
        "trigger_ref": "own_row_ref",
        "evidence_ref": "own_row_ref",
    }


def _unknown(frame: Frame) -> str:
    return frame.unknown(
        f"WHEN trigger_date IS NULL THEN {literal(f'{frame.body.trigger} is missing')}",
        "WHEN ceased_date < trigger_date THEN 'ended before it began: impossible order'",
        "WHEN is_so IS NULL THEN 'a blank decides it'",
        _uncounted(frame),
        _no_longer_held(frame),
    )


def _no_longer_held(frame: Frame) -> str:
    """SQL of when a record may have gone with the duty: it ended, and only the latest of its kind is held."""
    exists: Exists | None = getattr(frame.body, "exists", None)
    if exists is None or not frame.context.holds_only_latest(frame.context.source(exists.table)):
        return ""
    because = literal("only the latest is held: there may have been one before it ended")
    return f"WHEN NOT is_so AND ceased_date > due_date THEN {because}"


def _unsure(frame: Frame) -> str:
    """SQL of why a blank proves nothing: a record may stand before the data start, or be made after they end."""
    before = f"trigger_date < {FIRST}"
    if getattr(frame.body, "exists", None) is not None:
        before = "TRUE"
    if getattr(frame.body, "at_most", None) is not None:
        before = "FALSE"
    return unsure(frame.cover, before=before, after=f"due_date > {LAST}")


def _uncounted(frame: Frame) -> str:
    """SQL of when a limit counts days that the data do not cover; one that is passed already is passed all the same."""
    body = frame.body
    if not isinstance(body, Limit) or body.looks_back is None or not frame.cover.before:
        return ""
    first = moved(backward(frame.context.today, Length.of(Duration.parse(body.looks_back))), 1)
    within = " AND is_so" if body.at_most is not None else ""
    return f"WHEN {FIRST} > {first}{within} THEN {starts('what came before is not counted')} "


def _is_so(frame: Frame) -> str:
    """SQL, true, false or NULL (a blank decides), of whether what must be there is there."""
    body = frame.body
    assert isinstance(body, Presence)
    parts = [f"{OWED}.{quoted(OWN + name)} IS NOT NULL" for name in body.fields]
    for name in body.fields:
        frame.reads |= frame.source.reading(name)
    if body.holds is not None:
        parts.append(frame.condition(body.holds, OWED))
    if body.exists is not None:
        parts.append(_exists(frame, body.exists))
    return " AND ".join(f"({part})" for part in parts)


def _exists(frame: Frame, exists: Exists) -> str:
    source = frame.use(exists.table)
    where = frame.event_condition(exists.where, source, "x")
    return f"EXISTS (SELECT 1 FROM {source.relation} AS x WHERE {frame.matching(exists, source, 'x')} AND ({where}))"


def _missing(frame: Frame) -> str:
    """SQL of the words that name the fields not recorded."""
    body = frame.body
    assert isinstance(body, Presence)
    if not body.fields:
        return NOTHING
    names = [f"CASE WHEN {OWED}.{quoted(OWN + name)} IS NULL THEN {literal(name.replace('_', ' '))} END" for name in body.fields]
    return f"'not recorded: ' || nullif(concat_ws(', ', {', '.join(names)}), '')"
