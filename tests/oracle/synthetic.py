"""Rules that no law made: every kind with random periods, phases, names, exceptions and pauses, and their naive reading.

Each `Spec` says one rule once; `rule()` writes it in the rule language, `answers()` reads it in loops.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import date, timedelta
from typing import Any, Protocol

from compliance.rulebook.model import Rule

from .days import DAY, add, back, works
from .evaluate import LONG_AGO, Dataset, Owed, Row, first_on_or_after, judge, names_this, recurring, relaxed, unknown

NEED = "primary_need"
RELAXED = [{"from": date(2020, 4, 24), "to": date(2020, 9, 25), "instrument": "si-2020-445"}]


class Spec(Protocol):
    """One rule, in the rule language and in loops."""

    def rule(self) -> Rule: ...

    def answers(self, data: Dataset) -> list[Owed]: ...


def written(kind: str, body: dict[str, Any], parameters: dict[str, Any] | None = None, optional: tuple[str, ...] = ()) -> Rule:
    """The rule of that kind that says no more than its body."""
    words = {"title": "A thing is done in time", "instrument": "working-together", "provision": "none", "law": "None."}
    settings = {"theme": "front_door", "standing": "local_policy", "verified": "recalled", "optional": list(optional)}
    body = {name: value for name, value in body.items() if value not in (None, [], {}, False)}
    return Rule.model_validate({"id": "SYNTHETIC", **words, **settings, "parameters": parameters or {}, kind: body})


def counted_from(day: date, period: str) -> date:
    """The last day of a period that counts its first day."""
    if "working" not in period:
        return add(day, period) - DAY
    return add(day - DAY, period)


@dataclass(frozen=True)
class Deadline:
    """Referrals decided, or met about, in time."""

    within: str
    of_day: bool = False
    other: str | None = None
    exempt: bool = False
    may_be_unknown: bool = False
    is_relaxed: bool = False
    by_event: bool = False
    any_day: bool = False
    ceases: bool = False
    later_period: str | None = None

    def rule(self) -> Rule:
        meetings = {"in": "meetings", "date": "meeting_date", "match": ["person_id"], "after": "any" if self.any_day else None}
        meetings = {name: value for name, value in meetings.items() if value is not None}
        versions = [{"from": date(2015, 1, 1), "value": self.within}, {"from": date(2020, 6, 1), "value": self.later_period}]
        return written(
            "deadline",
            {
                "of": "referrals",
                "trigger": "referral_date",
                "within": "allowed" if self.later_period else self.within,
                "beginning_with_the_day": self.of_day,
                "variants": [{"when": f"{NEED} = 'N1'", "within": self.other}] if self.other else [],
                "exceptions": [{"title": "none", "when": f"{NEED} = 'N9'"}] if self.exempt else [],
                "unknown": [{"when": f"{NEED} IS NULL", "because": "no need"}] if self.may_be_unknown else [],
                "relaxed": RELAXED if self.is_relaxed else [],
                "ceases": "closed_date" if self.ceases else None,
                "event" if self.by_event else "done": meetings if self.by_event else "decision_date",
            },
            {"allowed": {"values": versions}} if self.later_period else None,
        )

    def answers(self, data: Dataset) -> list[Owed]:
        found = []
        for row in data.rows("referrals"):
            period = self._period(row)
            if period is not None and not (self.exempt and row.get(NEED) == "N9"):
                found.append(self._answer(row, period, data))
        return found

    def _period(self, row: Row) -> str | None:
        if self.other and row.get(NEED) == "N1":
            return self.other
        if self.later_period is None:
            return self.within
        if row["referral_date"] >= date(2020, 6, 1):
            return self.later_period
        return self.within if row["referral_date"] >= date(2015, 1, 1) else None

    def _answer(self, row: Row, period: str, data: Dataset) -> Owed:
        key, start, end = row["referral_id"], row["referral_date"], row.get("closed_date") if self.ceases else None
        if (self.may_be_unknown and row.get(NEED) is None) or (end is not None and end < start):
            return unknown(key, start)
        done = self._done(row, end, data)
        if not self.by_event and done is not None and done < start:
            return unknown(key, start)
        due = counted_from(start, period) if self.of_day else add(start, period)
        return judge(key, start, relaxed(due) if self.is_relaxed else due, done, end, data.as_of)

    def _done(self, row: Row, end: date | None, data: Dataset) -> date | None:
        if not self.by_event:
            return row.get("decision_date")
        days = [meeting["meeting_date"] for meeting in data.rows("meetings", person_id=row["person_id"])]
        return first_on_or_after(days, LONG_AGO if self.any_day else row["referral_date"], end)


@dataclass(frozen=True)
class Notice:
    """Papers at least a period before the meeting."""

    before: str

    def rule(self) -> Rule:
        body = {"of": "panel_meetings", "trigger": "meeting_date", "before": self.before, "done": "papers_issued_date"}
        return written("deadline", body)

    def answers(self, data: Dataset) -> list[Owed]:
        return [
            judge(
                row["panel_meeting_id"],
                row["meeting_date"],
                back(row["meeting_date"], self.before),
                row.get("papers_issued_date"),
                None,
                data.as_of,
            )
            for row in data.rows("panel_meetings")
        ]


@dataclass(frozen=True)
class Phase:
    """One phase: which gaps, how long, for how long and when."""

    which: str
    length: str
    lasting: str | None = None
    from_gap: int | None = None

    def written(self) -> dict[str, Any]:
        phase: dict[str, Any] = {self.which: self.length}
        if self.lasting:
            phase["for"] = self.lasting
        if self.from_gap is not None:
            phase["when"] = f"gap >= {self.from_gap}"
        return phase

    def fits(self, start: date, opened: date, number: int) -> bool:
        in_turn = {"first": number == 0, "second": number == 1, "every": True}[self.which]
        in_time = self.lasting is None or opened < add(start, self.lasting)
        return in_turn and in_time and (self.from_gap is None or number >= self.from_gap)


@dataclass(frozen=True)
class Recurring:
    """Visits over a plan, in phases."""

    phases: tuple[Phase, ...]
    earlier: str | bool = False
    from_first: bool = False
    by_meeting: bool = False
    pauses: bool = False
    is_relaxed: bool = False

    def rule(self) -> Rule:
        visits = {
            "in": "cin_visits",
            "date": "visit_date",
            "match": ["person_id"],
            "where": "child_was_seen IS DISTINCT FROM FALSE",
        }
        meetings = {"in": "meetings", "date": "meeting_date", "match": ["person_id"], "names": ["cin_plan_id"]}
        paused = {"in": "absences", "start": "start_date", "end": "end_date", "match": {"worker_id": "lead_worker_id"}}
        return written(
            "recurring",
            {
                "of": "cin_plans",
                "trigger": "start_date",
                "ceases": "end_date",
                "event": meetings if self.by_meeting else visits,
                "phases": [phase.written() for phase in self.phases],
                "counts_from_earlier": self.earlier,
                "starts_with_first_event": self.from_first,
                "pauses": paused if self.pauses else None,
                "relaxed": RELAXED if self.is_relaxed else [],
            },
        )

    def answers(self, data: Dataset) -> list[Owed]:
        found = []
        for plan in data.rows("cin_plans"):
            found += recurring(
                plan["cin_plan_id"],
                plan["start_date"],
                plan.get("end_date"),
                self._days(plan, data),
                self._length(plan["start_date"]),
                data.as_of,
                earlier=bool(self.earlier),
                from_first_event=self.from_first,
                latest_only=bool(data.history),
                due_day=self._due_day(plan, data),
            )
        return found

    def _days(self, plan: Row, data: Dataset) -> list[date]:
        if self.by_meeting:
            rows = data.rows("meetings", person_id=plan["person_id"])
            days = [row["meeting_date"] for row in rows if names_this(row, "cin_plan_id", plan["cin_plan_id"])]
        else:
            rows = data.rows("cin_visits", person_id=plan["person_id"])
            days = [row["visit_date"] for row in rows if row.get("child_was_seen") is not False]
        oldest = back(plan["start_date"], self.earlier) if isinstance(self.earlier, str) else LONG_AGO
        return [day for day in days if day >= oldest]

    def _length(self, start: date) -> Callable[[date, int], str | None]:
        def length(opened: date, number: int) -> str | None:
            return next((phase.length for phase in self.phases if phase.fits(start, opened, number)), None)

        return length

    def _due_day(self, plan: Row, data: Dataset) -> Callable[[date, str], date]:
        away = _days_away(plan, data) if self.pauses else set()

        def due_day(opened: date, allowed: str) -> date:
            due = counting(opened, allowed, away)
            due = max(due, plan["start_date"])
            return relaxed(due) if self.is_relaxed else due

        return due_day


def _days_away(plan: Row, data: Dataset) -> set[date]:
    away: set[date] = set()
    if plan.get("lead_worker_id") is None:
        return away
    for row in data.rows("absences", worker_id=plan["lead_worker_id"]):
        day = row.get("start_date")
        while day is not None and day <= (row.get("end_date") or data.as_of):
            away.add(day)
            day += DAY
    return away


def counting(opened: date, allowed: str, away: set[date]) -> date:
    """The day by which so many days have counted, those away left out."""
    if "working" in allowed:
        left, counts = int(allowed.split()[0]), works
    else:
        left, counts = (add(opened, allowed) - opened).days, _always
    day = opened
    while left > 0:
        day += DAY
        left -= counts(day) and day not in away
    return day


def _always(day: date) -> bool:
    return True


@dataclass(frozen=True)
class Limit:
    """A number within a bound, on the day a period of care began."""

    at_most: int | None
    at_least: int | None
    settled: bool = False

    def rule(self) -> Rule:
        value = "placements_last_12_months"
        bounds = {"at_most": self.at_most, "at_least": self.at_least, "settled": self.settled}
        return written("limit", {"of": "care_periods", "trigger": "start_date", "ceases": "end_date", "value": value, **bounds})

    def answers(self, data: Dataset) -> list[Owed]:
        return [_state(row, self._is_within(row), self.settled, "0 days", data.as_of) for row in data.rows("care_periods")]

    def _is_within(self, row: Row) -> bool | None:
        value = row.get("placements_last_12_months")
        if value is None:
            return None
        return bool(value <= self.at_most if self.at_most is not None else value >= (self.at_least or 0))


@dataclass(frozen=True)
class Lasts:
    """A state that lasts no longer than a period."""

    within: str

    def rule(self) -> Rule:
        return written("limit", {"of": "care_periods", "trigger": "start_date", "within": self.within, "ends": "end_date"})

    def answers(self, data: Dataset) -> list[Owed]:
        found = []
        for row in data.rows("care_periods"):
            key, start, end = row["care_period_id"], row["start_date"], row.get("end_date")
            impossible = end is not None and end < start
            found.append(unknown(key, start) if impossible else judge(key, start, add(start, self.within), end, None, data.as_of))
        return found


@dataclass(frozen=True)
class Presence:
    """A field, a fact or a record that must be there."""

    what: str
    within: str | None = None
    settled: bool = False

    def rule(self) -> Rule:
        exists = {"in": "placements", "match": ["person_id"], "names": ["care_period_id"], "where": "placement_type = 'U6'"}
        what = {"fields": ["end_reason"], "holds": "placements_last_12_months > 2", "exists": exists}[self.what]
        grace = {"within": self.within, "settled": self.settled}
        span = {"of": "care_periods", "trigger": "start_date", "ceases": "end_date"}
        return written("presence", {**span, self.what: what, **grace})

    def answers(self, data: Dataset) -> list[Owed]:
        rows = data.rows("care_periods")
        return [_state(row, self._is_so(row, data), self.settled, self.within or "0 days", data.as_of) for row in rows]

    def _is_so(self, row: Row, data: Dataset) -> bool | None:
        if self.what == "fields":
            return row.get("end_reason") is not None
        if self.what == "holds":
            value = row.get("placements_last_12_months")
            return None if value is None else bool(value > 2)
        placed = data.rows("placements", person_id=row["person_id"], placement_type="U6")
        return any(names_this(one, "care_period_id", row["care_period_id"]) for one in placed)


def _state(row: Row, is_so: bool | None, settled: bool, within: str, as_of: date) -> Owed:
    """Met, not met, or not to be told, over a period of care."""
    key, start, end = row["care_period_id"], row["start_date"], row.get("end_date")
    if is_so is None or (end is not None and end < start):
        return unknown(key, start)
    due = add(start, within)
    if is_so:
        return Owed(key, start, due, None, "met")
    if settled:
        return Owed(key, start, due, None, "missed", 0)
    return judge(key, start, due, None, end, as_of)


@dataclass(frozen=True)
class Sequence:
    """A meeting, or an acknowledgement, on or before the referral."""

    by_event: bool
    strictly: bool

    def rule(self) -> Rule:
        meetings = {"in": "meetings", "date": "meeting_date", "match": ["person_id"]}
        done = {"event": meetings} if self.by_event else {"done": "acknowledged_date"}
        return written("sequence", {"of": "referrals", "trigger": "referral_date", "strictly": self.strictly, **done})

    def answers(self, data: Dataset) -> list[Owed]:
        found = []
        for row in data.rows("referrals"):
            key, day = row["referral_id"], row["referral_date"]
            days = [row.get("acknowledged_date")]
            if self.by_event:
                days = [meeting["meeting_date"] for meeting in data.rows("meetings", person_id=row["person_id"])]
            done = min((one for one in days if one is not None), default=None)
            due = day - timedelta(days=1) if self.strictly else day
            found.append(judge(key, day, due, done, None, data.as_of))
        return found


@dataclass(frozen=True)
class Case:
    """A rule and a council to judge by it."""

    spec: Any
    data: Dataset = field(repr=True)
