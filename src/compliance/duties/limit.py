"""Limits: a measured value within a bound, or a state that lasts no longer than a period."""

from __future__ import annotations

import datetime

from compliance.duties.context import versions
from compliance.duties.deadline import dated
from compliance.duties.frame import OWED, Frame
from compliance.duties.output import select_duties
from compliance.duties.periods import within_version
from compliance.duties.presence import stated
from compliance.duties.sources import literal
from compliance.duties.status import stated_status
from compliance.rulebook.model import Limit


def limit(frame: Frame) -> str:
    """The SELECT of a limit rule's duties."""
    body = frame.body
    assert isinstance(body, Limit)
    if body.within is not None:
        return dated(frame, period=body.within, variants=body.variants, done=body.ends, event=None)
    return _measured(frame, body)


def _measured(frame: Frame, body: Limit) -> str:
    assert body.value is not None
    trigger = frame.as_date(body.trigger)
    value = frame.bind(body.value, OWED).sql
    bound = _bound(frame, body.at_most if body.at_most is not None else body.at_least)
    sign = "<=" if body.at_most is not None else ">="
    is_so = f"({value}) {sign} ({bound})"
    ctes = [frame.owed(trigger), stated(frame, is_so, "CAST(NULL AS VARCHAR)", "0 days", value=value, bound=bound)]
    status = stated_status(frame.context.today, settled=body.settled)
    return select_duties(frame, ctes, status, value="measured", bound="measured_bound")


def _bound(frame: Frame, bound: str | float | None) -> str:
    """SQL of the bound: a number, a column, or the version of a parameter in force on the trigger."""
    if isinstance(bound, int | float):
        return repr(bound)
    assert bound is not None
    named = frame.rule.parameters.get(bound) or frame.context.parameters.get(bound)
    if named is None:
        return frame.bind(bound, OWED).sql
    cases, always = [], datetime.date(1990, 1, 1)
    for value, last in versions(named):
        when = within_version(f"{OWED}.trigger_date", None if value.from_ <= always else value.from_, last)
        cases.append(f"WHEN {when or 'TRUE'} THEN {literal(value.value)}")
    return f"CASE {' '.join(cases)} END"
