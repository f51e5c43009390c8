"""Engine and oracle agree on measures: of the duties of a rule, and of rows, over a window and by whoever answers for them."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, replace
from datetime import date, timedelta
from typing import Any

import pytest
from hypothesis import strategies as st

from compliance.rulebook.model import Rule

from .agreement import count, explore
from .engine import measured
from .evaluate import Dataset, Row
from .law_measures import MEASURES, within
from .strategies import CHILDREN, START, Draw, council, end, near
from .synthetic import written
from .test_agreement import DATA, LAW

LEAST = 10
COUNCIL = "x0"
Scope = tuple[str, str]
WORKERS, TEAMS = ("W1", "W2", None), ("T1", "T2", "T9", None)


@pytest.mark.parametrize("measure", MEASURES)
def test_engine_and_law_count_the_same_duties(measure: str, soak: int | None) -> None:
    rule, counted = MEASURES[measure]

    def agree(data: Dataset) -> None:
        whole = replace(data, history={})
        expected = counted(LAW[rule](whole), data.as_of)
        assert measured(measure, whole).get(("authority", COUNCIL)) == expected, whole
        count(measure, 1)

    explore(agree, DATA[rule], soak, 0.08 / len(MEASURES), LEAST)


@dataclass(frozen=True)
class Share:
    """A measure that no law made: periods of care of a window, counted or added up."""

    numerator: str
    denominator: str | None
    window: str | None
    open_only: bool

    def rule(self) -> Rule:
        dated = {"date": "start_date", "window": self.window} if self.window else {}
        where = {"where": "end_date IS NULL"} if self.open_only else {}
        amounts = {"numerator": self.numerator, "denominator": self.denominator}
        return written("measure", {"of": "care_periods", "by": ["service", "team", "worker"], **amounts, **dated, **where})

    def answers(self, data: Dataset) -> dict[Scope, tuple[float, float]]:
        above: Counter[Scope] = Counter()
        below: Counter[Scope] = Counter()
        for row in data.rows("care_periods"):
            if within(row["start_date"], self.window, data.as_of) and not (self.open_only and row.get("end_date")):
                for scope in scopes(row["person_id"], data):
                    above[scope] += amount(self.numerator, row)
                    below[scope] += amount(self.denominator, row)
        return {scope: (above[scope], below[scope]) for scope in below}


def amount(what: str | None, row: Row) -> int:
    """What a row adds: one, one where a condition holds, or a number; a blank adds nothing."""
    if what is None:
        return 1
    if what == "placements_last_12_months":
        return row.get(what) or 0
    return int(row.get("end_date") is not None)


def scopes(person: str, data: Dataset) -> list[Scope]:
    """The council, and the worker, team and service that answer for a child: by the allocation, else by the worker's team."""
    held = [row for row in data.rows("allocations", person_id=person) if row["role"] in ROLES]
    held.sort(key=lambda row: (row.get("end_date") is not None, ROLES.index(row["role"]), -row["start_date"].toordinal()))
    owner = held[0] if held else {}
    worker = data.row("workers", worker_id=owner["worker_id"]) if owner.get("worker_id") else None
    team = data.row("teams", team_id=owner.get("team_id") or (worker or {}).get("team_id"))
    found = [("authority", COUNCIL), ("worker", owner.get("worker_id"))]
    found += [("team", team["team_id"]), ("service", team.get("service"))] if team and team["team_id"] else []
    return [(scope, key) for scope, key in found if key is not None]


ROLES = ("social_worker", "personal_adviser", "lead_practitioner")


@st.composite
def shares(draw: Draw) -> tuple[Share, Dataset]:
    windows = ("12 months", "3 months", "12 weeks", "1 year", "30 days")
    amounts = ("placements_last_12_months", "end_date IS NOT NULL", None)
    window = draw(st.one_of(st.none(), st.sampled_from(windows)))
    share = Share(draw(st.sampled_from(amounts[:2])), draw(st.sampled_from(amounts)), window, draw(st.booleans()))
    return share, cared_for(draw, window or "3 months")


def cared_for(draw: Draw, window: str) -> Dataset:
    first = draw(START)
    care: list[Row] = []
    for number in range(draw(st.integers(0, 4))):
        start = first + timedelta(days=draw(st.integers(0, 2)))
        moves = draw(st.sampled_from((None, 0, 1, 3)))
        care.append({"care_period_id": f"M{number}", "person_id": draw(st.sampled_from(CHILDREN)), "start_date": start})
        care[-1] |= {"end_date": end(draw, start, [window]), "placements_last_12_months": moves}
    return council(
        draw,
        near(draw, first, [window, "0 days"]),
        care_periods=care,
        allocations=[allocated(draw, f"X{number}", first, number) for number in range(draw(st.integers(0, 4)))],
        workers=[{"worker_id": key, "team_id": draw(st.sampled_from(TEAMS))} for key in ("W1", "W2")],
        teams=[{"team_id": key, "name": key, "service": draw(SERVICE)} for key in ("T1", "T2")],
    )


SERVICE = st.sampled_from(("fostering", "assessment", None))


def allocated(draw: Draw, key: str, first: date, number: int) -> dict[str, Any]:
    """An allocation, no two of which begin on one day."""
    start = first - timedelta(days=10 * number + 1)
    over = draw(st.sampled_from((None, None, 0, 5, 400)))
    return {
        "allocation_id": key,
        "person_id": draw(st.sampled_from(CHILDREN)),
        "role": draw(st.sampled_from((*ROLES, "co_worker"))),
        "worker_id": draw(st.sampled_from(WORKERS)),
        "team_id": draw(st.sampled_from(TEAMS)),
        "start_date": start,
        "end_date": None if over is None else start + timedelta(days=over),
    }


def test_engine_and_oracle_count_the_same_rows(soak: int | None) -> None:
    def agree(case: tuple[Share, Dataset]) -> None:
        share, data = case
        assert measured(share.rule(), data) == share.answers(data), case
        count("any measure", 1)

    explore(agree, shares(), soak, 0.03, 40)
