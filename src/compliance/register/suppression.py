"""Which numbers of a published table to leave out, so that none that is small can be read or worked out from the total.

A number under the limit is left out. One alone is the total less the others, so a second goes with it, and more while what is
left out could still be told: every small one must keep three possible values at least, for somebody who knows the total, the
other numbers, and which were left out for being small.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence

FEWEST_POSSIBLE = 3


def hidden_places(counts: Sequence[int], limit: int, *, least: int = 1) -> frozenset[int]:
    """The places of the numbers to leave out: those from `least` up to the limit, and the next smallest while they are needed."""
    small = frozenset(place for place, count in enumerate(counts) if least <= count < limit)
    hidden = small
    others = sorted((count, place) for place, count in enumerate(counts) if count >= limit)
    for _, place in others:
        if is_safe(counts, small, hidden, limit, least=least):
            break
        hidden |= {place}
    return hidden


def total_may_be_shown(counts: Sequence[int], limit: int, *, least: int = 1) -> bool:
    """Whether the total can stand beside the numbers that `hidden_places` leaves."""
    small = frozenset(place for place, count in enumerate(counts) if least <= count < limit)
    return is_safe(counts, small, hidden_places(counts, limit, least=least), limit, least=least)


def is_safe(
    counts: Sequence[int], small: Collection[int], hidden: Collection[int], limit: int, *, least: int = 1
) -> bool:
    """Whether each small number keeps three possible values, given the total of what is hidden."""
    total = sum(counts[place] for place in hidden)
    larger = len(hidden) - len(small)
    lowest_others = least * (len(small) - 1) + limit * larger
    highest_others = None if larger else (limit - 1) * (len(small) - 1)
    high = min(limit - 1, total - lowest_others)
    low = least if highest_others is None else max(least, total - highest_others)
    return not small or high - low + 1 >= FEWEST_POSSIBLE
