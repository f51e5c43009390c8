"""Dated parameters: the value in force on a day, and each value with the days it holds."""

from __future__ import annotations

import datetime
from collections.abc import Mapping

from compliance.errors import EngineError
from compliance.rulebook.model import DatedValue, Parameter, Rule


def number_on(rule: Rule, parameters: Mapping[str, Parameter], bound: str | float, day: datetime.date) -> float:
    """A number, or the value on a day of the parameter it names. Raises EngineError when it has none."""
    if isinstance(bound, int | float):
        return bound
    parameter = rule.parameters.get(bound) or parameters.get(bound)
    for value in sorted(parameter.values, key=lambda one: one.from_, reverse=True) if parameter else []:
        if value.from_ <= day and (value.to is None or day <= value.to):
            return float(value.value)
    raise EngineError(f"{rule.id}: {bound} has no value on {day}")


def versions(parameter: Parameter) -> list[tuple[DatedValue, datetime.date | None]]:
    """Each dated value with the last day it holds: its own, or the day before the next begins."""
    ordered = sorted(parameter.values, key=lambda value: value.from_)
    ends = [following.from_ - datetime.timedelta(days=1) for following in ordered[1:]] + [None]
    return [(value, min(filter(None, (value.to, end)), default=None)) for value, end in zip(ordered, ends, strict=True)]
