"""Measures and days as the page and the board paper say them."""

from __future__ import annotations

import datetime
from collections.abc import Sequence

from compliance.outputs.disclosure import is_small
from compliance.register.register import MeasureValue
from compliance.rulebook.model import Benchmark, Measure

SUPPRESSED = "not shown: small numbers"


def day(value: datetime.date | None) -> str:
    """`30 September 2021`, or nothing."""
    return f"{value.day} {value:%B %Y}" if value else ""


def short_day(value: datetime.date | None) -> str:
    """`30 Sep 2021`, or nothing."""
    return f"{value.day} {value:%b %Y}" if value else ""


def months_of(days: Sequence[datetime.date], places: Sequence[int]) -> str:
    """The months of a signal, those in a row as the first and the last."""
    runs: list[list[int]] = []
    for place in places:
        if runs and runs[-1][-1] == place - 1:
            runs[-1].append(place)
        else:
            runs.append([place])
    return ", ".join(" to ".join(f"{days[place]:%b %Y}" for place in dict.fromkeys((run[0], run[-1]))) for run in runs)


def spoken(name: str) -> str:
    """An identifier of the rulebook as words."""
    return name.replace("_", " ")


def body_of(one: MeasureValue) -> Measure:
    """What the rulebook says of a measure."""
    body = one.rule.body
    assert isinstance(body, Measure)
    return body


def hidden(one: MeasureValue, *, public: bool) -> bool:
    """True where the measure may not be given: it counts people, and its numbers are small."""
    return public and body_of(one).unit in ("percent", "count", "ratio") and is_small(one.numerator, one.denominator)


def value_words(one: MeasureValue, *, public: bool = False) -> str:
    """The measure without its fraction."""
    if hidden(one, public=public):
        return SUPPRESSED
    if one.value is None:
        return "nothing to measure"
    match body_of(one).unit:
        case "percent":
            return f"{one.value:.1f}%"
        case "count":
            return f"{one.numerator:,g}"
        case "pounds":
            return f"£{one.value:,.0f}"
        case _:
            return f"{one.value:.1f}"


def fraction_words(one: MeasureValue, *, public: bool = False) -> str:
    """`897 of 1,084`; nothing for a count, or where it may not be given."""
    if hidden(one, public=public) or body_of(one).unit == "count":
        return ""
    return f"{number_words(one.numerator)} of {number_words(one.denominator)}"


def number_words(number: float) -> str:
    """`1,084`, or `53.2` where it is not whole."""
    return f"{number:,.0f}" if number % 1 == 0 else f"{number:,.1f}"


def comparator(one: MeasureValue, area: str, as_of: datetime.date) -> Benchmark | None:
    """The published figure of an area that is nearest in time to the data, or None; a count says nothing beside all England's."""
    if body_of(one).unit == "count" and area.lower() == "england":
        return None
    found = [each for each in body_of(one).benchmarks if each.area.lower() == area.lower()]
    return min(found, key=lambda each: abs(each.date - as_of), default=None)


def compared(one: MeasureValue, target: float | None) -> str:
    """Whether a measure is on the right side of a number, in words."""
    if one.value is None or target is None:
        return ""
    better = one.value >= target if body_of(one).better == "higher" else one.value <= target
    return "met" if better else "not met"
