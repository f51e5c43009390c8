"""Limits: a measured value within a bound, or a state that lasts no longer than a period."""

from __future__ import annotations

import datetime

from compliance.duties.deadline import dated
from compliance.duties.expressions import bind
from compliance.duties.frame import OWED, Frame
from compliance.duties.output import select_duties
from compliance.duties.parameters import versions
from compliance.duties.periods import within_version
from compliance.duties.presence import stated
from compliance.duties.sources import literal
from compliance.duties.status import stated_status
from compliance.rulebook.model import Limit, Parameter


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
    """SQL of the bound: a number, a parameter as it stood on the trigger, or a value that may name numeric parameters."""
    if isinstance(bound, int | float):
        return repr(bound)
    assert bound is not None
    parameters = _numeric_parameters(frame)
    if bound in parameters:
        return _version(parameters[bound])
    found = bind(bound, frame.source, OWED, extra=dict.fromkeys(parameters, "DOUBLE"))
    frame.reads |= found.reads
    sql = found.sql
    for name in found.columns:
        if name in parameters and name not in frame.source.columns:
            sql = sql.replace(f'"{OWED}"."{name}"', f"({_version(parameters[name])})")
    return sql


def _numeric_parameters(frame: Frame) -> dict[str, Parameter]:
    """The parameters, shared and of the rule, that are numbers."""
    named = {**frame.context.parameters, **frame.rule.parameters}
    return {name: one for name, one in named.items() if not any(isinstance(value.value, str) for value in one.values)}


def _version(parameter: Parameter) -> str:
    """SQL of a parameter's value on the trigger."""
    cases, always = [], datetime.date(1990, 1, 1)
    for value, last in versions(parameter):
        when = within_version(f"{OWED}.trigger_date", None if value.from_ <= always else value.from_, last)
        cases.append(f"WHEN {when or 'TRUE'} THEN {literal(value.value)}")
    return f"CASE {' '.join(cases)} END"
