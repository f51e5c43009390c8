"""Regulation 28: how often a looked-after child is visited, every paragraph of it (readings 12 to 18)."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date

from .days import DAY, add
from .evaluate import Dataset, Owed, Row, holds, names_this, recurring, relaxed

FOR_ADOPTION = ("A3", "A4", "A5", "A6")
WITH_PARENTS = ("parents_after_assessment", "parents_before_assessment")
IN_CARE = ("C1", "C2", "D1", "E1")

WEEKLY_THEN_FOUR = "28(4)"
WEEKLY_THEN_SIX = "28(3)"
CARE_ORDER = "28(5)"
OTHERS = "28(6)"
ORDINARY = "28(2)"


def visit(data: Dataset) -> list[Owed]:
    """One duty a gap, in each stretch of a placement under one paragraph."""
    answers = []
    for placement in data.rows("placements"):
        if _is_outside(placement, data):
            continue
        stretches = _stretches(placement, data)
        for number, (start, end, paragraph) in enumerate(stretches):
            answers += _gaps(placement, data, start, end, paragraph, is_last=number == len(stretches) - 1)
    return answers


def _is_outside(placement: Row, data: Dataset) -> bool:
    """Reading 18: placements for adoption and short breaks have rules of their own."""
    if placement["placement_type"] in FOR_ADOPTION or placement.get("placement_basis") in ("for_adoption", "short_break"):
        return True
    period = data.row("care_periods", care_period_id=placement.get("care_period_id"))
    return bool(period and period.get("is_short_break_series") is True)


def _stretches(placement: Row, data: Dataset) -> list[tuple[date, date | None, str]]:
    """The placement cut on each day from which another paragraph applies (reading 13)."""
    start, end = placement["start_date"], placement.get("end_date")
    cuts = [(start, _paragraph(placement, data, start))]
    for day in sorted(_days_of_change(placement, data)):
        paragraph = _paragraph(placement, data, day)
        if day > start and (end is None or day < end) and paragraph != cuts[-1][1]:
            cuts.append((day, paragraph))
    ends = [day for day, _ in cuts[1:]] + [end]
    return [(day, until, paragraph) for (day, paragraph), until in zip(cuts, ends, strict=True)]


def _days_of_change(placement: Row, data: Dataset) -> set[date]:
    days = {
        row[name]
        for row in data.rows("legal_statuses", person_id=placement["person_id"])
        for name in ("start_date", "end_date")
        if row.get(name)
    }
    approved = _approved_in_full(placement, data)
    return days | {approved} if approved else days


def _paragraph(placement: Row, data: Dataset, day: date) -> str:
    """Which paragraph applies on a day: reading 15 for parents, reading 16 for temporary approval."""
    basis, kind = placement.get("placement_basis"), placement["placement_type"]
    if kind == "P1" or basis in WITH_PARENTS:
        if _in_force(data, placement, "C1", day):
            return WEEKLY_THEN_FOUR
        if basis == "parents_before_assessment":
            return WEEKLY_THEN_SIX
        return CARE_ORDER if _in_force(data, placement, "C2", day) else ORDINARY
    if basis == "temporary_connected_person":
        approved = _approved_in_full(placement, data)
        return ORDINARY if approved and approved <= day else WEEKLY_THEN_FOUR
    in_care = any(_in_force(data, placement, order, day) for order in IN_CARE)
    return OTHERS if basis == "other_person_responsible" and in_care else ORDINARY


def _in_force(data: Dataset, placement: Row, status: str, day: date) -> bool:
    """Whether an order is in force on a day; on the day it ends, what follows has begun."""
    rows = data.rows("legal_statuses", person_id=placement["person_id"])
    orders = [row for row in rows if row["legal_status"] in IN_CARE]
    wanted = [row for row in orders if row["legal_status"] == status]
    return any(_is_on(row, orders, day) and not _is_superseded(row, orders, day) for row in wanted)


def _is_on(row: Row, orders: list[Row], day: date) -> bool:
    """From its start until its end; where another begins the day after it ends, until then."""
    end = row.get("end_date")
    goes_on = day == end and any(other["start_date"] == end + DAY for other in orders)
    return bool(row["start_date"] <= day and (end is None or day < end or goes_on))


def _is_superseded(row: Row, orders: list[Row], day: date) -> bool:
    """A care order puts an end to an interim one, recorded or not; a freeing or placement order in force suspends either."""
    since = [other for other in orders if row["start_date"] <= other["start_date"] <= day]
    ended = row["legal_status"] == "C1" and any(other["legal_status"] == "C2" for other in since)
    suspended = row["legal_status"] in ("C1", "C2") and any(
        other["legal_status"] in ("D1", "E1") and _is_on(other, orders, day) for other in since
    )
    return ended or suspended


def _approved_in_full(placement: Row, data: Dataset) -> date | None:
    """The first day on which a carer of the household was approved in full."""
    days = []
    for carer in data.rows("foster_carers"):
        if placement.get("household_id") is not None and carer["household_id"] == placement["household_id"]:
            rows = data.rows("foster_carer_approvals", carer_id=carer["carer_id"])
            days += [row["start_date"] for row in rows if _is_in_full(row, placement)]
    return min(days, default=None)


def _is_in_full(approval: Row, placement: Row) -> bool:
    """An approval, not a temporary one, that had not ended when the placement began."""
    end = approval.get("end_date")
    return approval["approval_kind"] in ("full", "revised_terms") and (end is None or end > placement["start_date"])


def _gaps(placement: Row, data: Dataset, start: date, end: date | None, paragraph: str, *, is_last: bool) -> list[Owed]:
    review = min((day for day in _reviews(placement, data) if day > start), default=None)

    def length(opened: date, number: int) -> str | None:
        return _allowed(placement, paragraph, opened, number, review)

    return recurring(
        placement["placement_id"],
        start,
        end,
        _visits(placement, data),
        length,
        data.as_of,
        latest_only=data.history.get("looked_after_visits") == "latest",
        due_day=lambda opened, allowed: relaxed(add(opened, allowed)),
    )


def _allowed(placement: Row, paragraph: str, opened: date, number: int, review: date | None) -> str | None:
    """The longest gap allowed, by the facts on the day it starts."""
    if paragraph in (WEEKLY_THEN_FOUR, WEEKLY_THEN_SIX):
        if review is None or opened < review:
            return "1 week"
        return "4 weeks" if paragraph == WEEKLY_THEN_FOUR else "6 weeks"
    if number == 0:
        return "1 week"
    if paragraph == CARE_ORDER or opened < add(placement["start_date"], "1 year"):
        return "6 weeks"
    if paragraph == OTHERS:
        return "3 months"
    return _later_years(placement, opened)


def _later_years(placement: Row, opened: date) -> str:
    """Reading 17: six months needs match and agreement by the day; three months the intention to last to 18."""
    matched, agreed = placement.get("long_term_match_date"), placement.get("reduced_visits_agreed_date")
    is_long_term = placement["placement_type"].startswith("U") or placement.get("placement_basis") == "long_term_foster"
    both = matched is not None and agreed is not None and matched <= opened and agreed <= opened
    if is_long_term and both and opened >= date(2015, 4, 1):
        return "6 months"
    return "3 months" if placement.get("is_intended_to_last_to_18") is True else "6 weeks"


def _visits(placement: Row, data: Dataset) -> Iterable[date]:
    """Reading 12: statutory, the child seen, in person or, while it was allowed, by video or telephone."""
    for row in data.rows("looked_after_visits", person_id=placement["person_id"], visit_kind="statutory"):
        in_person = row.get("visit_mode") in (None, "in_person")
        allowed = date(2020, 4, 24) <= row["visit_date"] <= date(2021, 9, 30)
        if (
            (in_person or allowed)
            and row.get("child_was_seen") is not False
            and names_this(row, "placement_id", placement["placement_id"])
        ):
            yield row["visit_date"]


def _reviews(placement: Row, data: Dataset) -> Iterable[date]:
    for row in data.rows("looked_after_reviews", person_id=placement["person_id"], review_kind="looked_after"):
        if row.get("was_cancelled") is not True:
            yield row["review_date"]


def visit_alone(data: Dataset) -> list[Owed]:
    """Regulation 29: at each statutory visit the child is seen alone, or a reason is recorded."""
    answers = []
    for row in data.rows("looked_after_visits", visit_kind="statutory"):
        if row.get("child_was_seen") is False:
            continue
        is_so = True if row.get("not_seen_alone_reason") is not None else row.get("child_was_seen_alone")
        answers.append(holds(row["visit_id"], row["visit_date"], is_so, data.as_of, settled=True))
    return answers


LAW = {"LAC-VISIT": visit, "LAC-VISIT-ALONE": visit_alone}
