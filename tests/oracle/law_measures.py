"""Measures of the duties that the oracle knows: who is counted, and who of them counts."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date

from .days import back
from .evaluate import Owed

Counted = tuple[int, int] | None
DECIDED = ("met", "late", "overdue", "missed")


def within(day: date | None, window: str | None, as_of: date) -> bool:
    """Whether a day falls in the window that ends on the as-of day; a period back from it is the day before its first."""
    if window is None:
        return True
    return day is not None and back(as_of, window) < day <= as_of


def fraction(owed: list[Owed], is_met: Callable[[Owed], bool]) -> Counted:
    """How many of the duties are met, and how many there are; nothing where there is none."""
    return (sum(map(is_met, owed)), len(owed)) if owed else None


def sooner(one: Owed) -> date | None:
    """The day it was done or fell due, whichever came first."""
    return min((day for day in (one.done, one.due) if day is not None), default=None)


def done_else_due(one: Owed) -> date | None:
    """The day it was done, else the day it fell due."""
    return one.done or one.due


def in_time(owed: list[Owed], as_of: date, window: str, day: Callable[[Owed], date | None] = sooner) -> Counted:
    """Of duties met, late, overdue or missed in the window, those met."""
    counted = [one for one in owed if one.status in DECIDED and within(day(one), window, as_of)]
    return fraction(counted, lambda one: one.status == "met")


def done_in_time(owed: list[Owed], as_of: date) -> Counted:
    """Of what was done in the last twelve months, that which was in time."""
    counted = [one for one in owed if one.done is not None and within(one.done, "12 months", as_of)]
    return fraction(counted, lambda one: one.status == "met")


def up_to_date(owed: list[Owed], as_of: date) -> Counted:
    """Of gaps that are open or cannot be told, those not yet due."""
    counted = [one for one in owed if one.status in ("due", "overdue", "unknown")]
    return fraction(counted, lambda one: one.status == "due")


def open_overdue(owed: list[Owed], as_of: date) -> Counted:
    """Of what is not done, that which is overdue."""
    return fraction([one for one in owed if one.done is None], lambda one: one.status == "overdue")


def unallocated(owed: list[Owed], as_of: date) -> Counted:
    """Of open cases, those without a worker."""
    return fraction(owed, lambda one: one.status in ("due", "overdue"))


def held_quorate(owed: list[Owed], as_of: date) -> Counted:
    """Of panels of the last twelve months, those quorate."""
    return fraction([one for one in owed if within(one.trigger, "12 months", as_of)], lambda one: one.status == "met")


def _year(owed: list[Owed], as_of: date) -> Counted:
    return in_time(owed, as_of, "12 months")


def _year_of_carers(owed: list[Owed], as_of: date) -> Counted:
    return in_time(owed, as_of, "12 months", done_else_due)


def _quarter(owed: list[Owed], as_of: date) -> Counted:
    return in_time(owed, as_of, "3 months")


MEASURES: dict[str, tuple[str, Callable[[list[Owed], date], Counted]]] = {
    "LAC-REVIEWS-IN-TIME": ("LAC-REVIEW", _year),
    "LAC-VISITS-IN-TIME": ("LAC-VISIT", _year),
    "NEEDS-ASSESSMENTS-IN-TIME": ("CL-NEEDS-ASSESSMENT", _year),
    "PATHWAY-PLANS-IN-TIME": ("CL-PATHWAY-PLAN", _year),
    "PATHWAY-REVIEWS-IN-TIME": ("CL-PATHWAY-REVIEW", _year),
    "SUPERVISION-MONTHLY-IN-TIME": ("WF-SUPERVISION-MONTHLY", _quarter),
    "CASE-SUPERVISION-IN-TIME": ("WF-SUPERVISION-CASE", _quarter),
    "FOSTER-REVIEWS-IN-TIME": ("FOS-REVIEW", _year_of_carers),
    "FOSTER-UNANNOUNCED-IN-TIME": ("FOS-UNANNOUNCED", _year_of_carers),
    "ASSESSMENTS-45": ("FD-ASSESSMENT-45", done_in_time),
    "ASSESSMENTS-OPEN-OVERDUE": ("FD-ASSESSMENT-45", open_overdue),
    "CONFERENCES-15": ("CP-INITIAL-CONFERENCE", done_in_time),
    "CIN-VISITS-IN-TIME": ("CIN-VISIT", up_to_date),
    "CP-VISITS-IN-TIME": ("CP-VISIT", up_to_date),
    "UNALLOCATED-CASES": ("WF-UNALLOCATED", unallocated),
    "FOSTER-PANELS-QUORATE": ("FOS-PANEL-QUORUM", held_quorate),
}
