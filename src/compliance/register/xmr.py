"""XmR charts: the natural limits of a series of numbers, and the signals that something has changed."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import pairwise

FACTOR = 2.66
"""3 / 1.128: three sigma, estimated from the mean moving range of two."""
ENOUGH_POINTS = 12
RUN = 8
TREND = 6


@dataclass(frozen=True)
class Signal:
    """One of the four signals: what it says in words, and the places of the points that make it."""

    words: str
    points: tuple[int, ...]


@dataclass(frozen=True)
class Chart:
    """The limits of a series and its signals."""

    mean: float
    lower: float
    upper: float
    provisional: bool
    signals: tuple[Signal, ...]


def chart(values: Sequence[float], *, floor: float | None = None, ceiling: float | None = None) -> Chart | None:
    """The mean, the limits 2.66 mean moving ranges either side of it, and the signals; None under two points.

    Limits are cut at what the number cannot pass. Under twelve points they are provisional.
    """
    if len(values) < 2:
        return None
    mean = sum(values) / len(values)
    reach = FACTOR * sum(abs(b - a) for a, b in pairwise(values)) / (len(values) - 1)
    lower, upper = mean - reach, mean + reach
    found = _signals(values, mean, lower, upper)
    shown_lower = lower if floor is None else max(lower, floor)
    shown_upper = upper if ceiling is None else min(upper, ceiling)
    return Chart(mean, shown_lower, shown_upper, len(values) < ENOUGH_POINTS, found)


def _signals(values: Sequence[float], mean: float, lower: float, upper: float) -> tuple[Signal, ...]:
    """The four usual signals, the latest occurrence of each."""
    near_upper, near_lower = (mean + upper) / 2, (mean + lower) / 2
    sigma = (upper - mean) / 3
    if sigma == 0:
        return ()
    found = [
        _outside(values, lower, upper),
        _stretch(values, RUN, lambda one: one > mean, f"{RUN} or more points in a row above the mean"),
        _stretch(values, RUN, lambda one: one < mean, f"{RUN} or more points in a row below the mean"),
        _rising(values, 1, f"{TREND} or more points in a row, each higher than the last"),
        _rising(values, -1, f"{TREND} or more points in a row, each lower than the last"),
        _near(values, lambda one: one > near_upper and one >= mean + 2 * sigma, "near the upper limit"),
        _near(values, lambda one: one < near_lower and one <= mean - 2 * sigma, "near the lower limit"),
    ]
    return tuple(one for one in found if one is not None)


def _outside(values: Sequence[float], lower: float, upper: float) -> Signal | None:
    points = tuple(place for place, one in enumerate(values) if not lower <= one <= upper)
    return Signal("a point outside the limits", points) if points else None


def _stretch(values: Sequence[float], length: int, holds: Callable[[float], bool], words: str) -> Signal | None:
    """The latest stretch of that many points of which each holds."""
    found: tuple[int, ...] = ()
    current: list[int] = []
    for place, one in enumerate(values):
        current = [*current, place] if holds(one) else []
        found = tuple(current) if len(current) >= length else found
    return Signal(words, found) if found else None


def _rising(values: Sequence[float], sign: int, words: str) -> Signal | None:
    found: tuple[int, ...] = ()
    current = [0]
    for place in range(1, len(values)):
        current = [*current, place] if sign * (values[place] - values[place - 1]) > 0 else [place]
        found = tuple(current) if len(current) >= TREND else found
    return Signal(words, found) if found else None


def _near(values: Sequence[float], holds: Callable[[float], bool], where: str) -> Signal | None:
    """Two of three points in a row in the outer third."""
    for first in range(len(values) - 3, -1, -1):
        points = tuple(place for place in range(first, first + 3) if holds(values[place]))
        if len(points) >= 2:
            return Signal(f"two of three points in a row {where}", points)
    return None
