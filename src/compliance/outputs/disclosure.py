"""Small numbers in what is published: a count of one to five could point at a child, so it is not given."""

from __future__ import annotations

SMALL = 5
HIDDEN = f"{SMALL} or fewer"


def counted(number: float, *, public: bool) -> str:
    """A count in words; where the document is public a small one is not given."""
    if public and 0 < number <= SMALL:
        return HIDDEN
    return f"{number:,.0f}" if number % 1 == 0 else f"{number:,.1f}"


def is_small(numerator: float, denominator: float) -> bool:
    """True where a fraction would give a small count away: its numerator, its denominator, or what is left between them."""
    return any(0 < number <= SMALL for number in (numerator, denominator, denominator - numerator))
