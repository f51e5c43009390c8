"""A line of numbers as small bars, for the terminal."""

from __future__ import annotations

from collections.abc import Sequence

BARS = "▁▂▃▄▅▆▇█"


def sparkline(values: Sequence[float | None]) -> str:
    """One bar a value from the lowest to the highest; a space where there is none, the middle bar where all are the same."""
    known = [value for value in values if value is not None]
    if not known:
        return " " * len(values)
    low, span = min(known), max(known) - min(known)
    return "".join(" " if value is None else BARS[3] if span == 0 else BARS[round(7 * (value - low) / span)] for value in values)
