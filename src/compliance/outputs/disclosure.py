"""Small numbers in what is published: a count of one to five could point at a child, so it is not given."""

from __future__ import annotations

from collections.abc import Sequence

from compliance.register.suppression import hidden_places, total_may_be_shown

SMALL = 5
HIDDEN = f"{SMALL} or fewer"
SET_ASIDE = "not shown"
"""In place of a number that is not small itself, but from which, with the total, a small one could be worked out."""


def counted(number: float, *, public: bool) -> str:
    """A count in words; where the document is public a small one is not given."""
    if public and 0 < number <= SMALL:
        return HIDDEN
    return f"{number:,.0f}" if number % 1 == 0 else f"{number:,.1f}"


def is_small(numerator: float, denominator: float) -> bool:
    """True where a fraction would give a small count away: its numerator, its denominator, or what is left between them."""
    return any(0 < number <= SMALL for number in (numerator, denominator, denominator - numerator))


def counted_together(numbers: Sequence[int], *, public: bool) -> tuple[list[str], str]:
    """The numbers of one table in words, and their total; where the document is public, none that is small can be worked out."""
    if not public:
        return [counted(number, public=False) for number in numbers], counted(sum(numbers), public=False)
    hidden = hidden_places(numbers, SMALL + 1)
    aside = [place in hidden and number > SMALL for place, number in enumerate(numbers)]
    words = [SET_ASIDE if left else counted(number, public=True) for left, number in zip(aside, numbers, strict=True)]
    total = counted(sum(numbers), public=True) if total_may_be_shown(numbers, SMALL + 1) else SET_ASIDE
    return words, total


def counted_part(part: int, whole: int, *, public: bool) -> str:
    """A count that is part of another in words; where the document is public, not one that leaves a small rest."""
    rest_is_small = part > SMALL and 0 < whole - part <= SMALL
    return SET_ASIDE if public and rest_is_small else counted(part, public=public)
