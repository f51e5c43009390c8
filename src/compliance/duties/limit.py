"""Limits: a measured value within a bound, or a state that lasts no longer than a period."""

from __future__ import annotations

from collections.abc import Iterable

from compliance.calendar import FIRST_DAY
from compliance.duties.deadline import dated
from compliance.duties.expressions import bind
from compliance.duties.frame import NOTHING, OWED, Frame
from compliance.duties.output import select_found
from compliance.duties.parameters import versions
from compliance.duties.periods import within_version
from compliance.duties.presence import said, stated
from compliance.duties.sources import literal
from compliance.duties.status import stated_status
from compliance.rulebook.model import DatedValue, Limit, Parameter


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
    allowed = body.at_most if body.at_most is not None else body.at_least
    bound, named = _bound(frame, allowed)
    sign = "<=" if body.at_most is not None else ">="
    is_so = f"({value}) {sign} ({bound})"
    owed = frame.owed(trigger, extra_where=_in_force(trigger, named))
    found = stated(frame, is_so, NOTHING, "0 days", measured={"measured": value, "measured_bound": bound})
    answer = stated_status(frame.context.today, settled=body.settled)
    return select_found(frame, owed, [found], answer, of="stated", said=said(frame), value="measured", bound="measured_bound")


def _bound(frame: Frame, bound: str | float | None) -> tuple[str, list[Parameter]]:
    """SQL of the bound (a number, a parameter as it stood on the trigger, or a value over both), and the parameters it names."""
    if isinstance(bound, int | float):
        return repr(bound), []
    assert bound is not None
    parameters = _numeric_parameters(frame)
    if bound in parameters:
        return _version(parameters[bound]), [parameters[bound]]
    found = bind(bound, frame.source, OWED, extra=dict.fromkeys(parameters, "DOUBLE"))
    frame.reads |= found.reads
    sql = found.sql
    named = [name for name in found.columns if name in parameters and name not in frame.source.columns]
    for name in named:
        sql = sql.replace(f'"{OWED}"."{name}"', f"({_version(parameters[name])})")
    return sql, [parameters[name] for name in named]


def _numeric_parameters(frame: Frame) -> dict[str, Parameter]:
    """The parameters, shared and of the rule, that are numbers."""
    named = {**frame.context.parameters, **frame.rule.parameters}
    return {name: one for name, one in named.items() if not any(isinstance(value.value, str) for value in one.values)}


def _version(parameter: Parameter) -> str:
    """SQL of a parameter's value on the trigger."""
    days = _days(parameter, f"{OWED}.trigger_date")
    cases = [f"WHEN {when or 'TRUE'} THEN {literal(value.value)}" for value, when in days]
    return f"CASE {' '.join(cases)} END"


def _in_force(trigger: str, parameters: Iterable[Parameter]) -> tuple[str, ...]:
    """SQL, for each parameter that does not hold always, of a trigger on which a version of it is in force, or is missing."""
    whens = [[when for _, when in _days(parameter, f"({trigger})")] for parameter in parameters]
    dated = [[when for when in one if when] for one in whens if None not in one]
    return tuple(f"({trigger}) IS NULL OR {' OR '.join(f'({when})' for when in one)}" for one in dated)


def _days(parameter: Parameter, anchor: str) -> list[tuple[DatedValue, str | None]]:
    """Each version of a parameter with SQL that says the anchor day falls in its days; None where it always does."""
    dated = versions(parameter)
    return [(value, within_version(anchor, None if value.from_ <= FIRST_DAY else value.from_, last)) for value, last in dated]
