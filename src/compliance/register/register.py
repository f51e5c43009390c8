"""The register: risks highest first, the ladder and where the council stands on it, priority actions, and what falls due."""

from __future__ import annotations

import datetime
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from compliance.duties.parameters import number_on
from compliance.register.confidence import Confidence, confidence
from compliance.register.conflicts import Conflict, conflicts
from compliance.register.decisions import NO_DECISIONS, Decisions
from compliance.register.merge import Standing, standings
from compliance.register.waivers import Waivers
from compliance.risks.assess import Risk
from compliance.rulebook.model import Escalation, Measure, Rule
from compliance.run import Run

DUE_SOON_DAYS = 30


@dataclass(frozen=True)
class Stage:
    """A stage of formal intervention: reached on a day, or not."""

    id: str
    title: str
    reached: datetime.date | None
    is_current: bool
    warned_by: int


@dataclass(frozen=True)
class RungCount:
    """A rung and the risks that call for it."""

    id: str
    title: str
    risks: int


@dataclass(frozen=True)
class LadderState:
    """Where the council stands: the stage in force, the highest rung that risks call for, and why."""

    stages: tuple[Stage, ...]
    rungs: tuple[RungCount, ...]
    current: str
    highest_rung: str | None
    why: str
    notice_date: datetime.date | None
    target_date: datetime.date | None


@dataclass(frozen=True)
class PriorityAction:
    """An Ofsted area for priority action, its state in the programme, and the risks that bear on it."""

    id: str
    title: str
    status: str
    due_date: datetime.date | None
    completed_date: datetime.date | None
    reference: str | None
    risks: tuple[str, ...]


@dataclass(frozen=True)
class DueSoon:
    """How many duties of one rule fall due within thirty days, and the first."""

    rule: Rule
    count: int
    within_7_days: int
    first: datetime.date


@dataclass(frozen=True)
class MeasureValue:
    """A measure for one scope, with its fraction."""

    rule: Rule
    scope_type: str
    scope_id: str
    authority: str
    numerator: float
    denominator: float
    target: float | None

    @property
    def value(self) -> float | None:
        """The measure: a percentage or a ratio; None where there is nothing to divide by."""
        body = self.rule.body
        assert isinstance(body, Measure)
        if not self.denominator:
            return None
        scale = 100.0 if body.unit == "percent" else 1.0
        return scale * self.numerator / self.denominator


@dataclass(frozen=True)
class Register:
    """The register of one run."""

    run: Run
    risks: tuple[Risk, ...]
    ladder: LadderState
    priority_actions: tuple[PriorityAction, ...]
    due_soon: tuple[DueSoon, ...]
    measures: tuple[MeasureValue, ...]
    conflicts: tuple[Conflict, ...]
    confidence: tuple[Confidence, ...]
    standings: Mapping[str, Standing] = field(default_factory=dict)


def register(
    run: Run,
    decisions: Decisions = NO_DECISIONS,
    *,
    waivers: Waivers | None = None,
    previous: Sequence[Mapping[str, Any]] = (),
    named: Callable[[str], str] | None = None,
) -> Register:
    """The register that follows from a run with risks, what people decided, and the registers of earlier runs, oldest first.

    `named` gives the name under which the earlier runs know a risk, where that is not its id.
    """
    assert run.assessment is not None
    risks = run.assessment.risks
    measured = measures(run)
    trust = tuple(confidence(run))
    return Register(
        run=run,
        risks=risks,
        ladder=ladder_state(run, risks),
        priority_actions=tuple(priority_actions(run, risks)),
        due_soon=tuple(due_soon(run)),
        measures=tuple(measured),
        conflicts=tuple(conflicts(run)),
        confidence=trust,
        standings=standings(run, risks, trust, decisions, waivers=waivers, previous=previous, named=named),
    )


def measures(run: Run, *, authority_only: bool = False) -> list[MeasureValue]:
    """The measures of a run, by measure and scope."""
    where = "WHERE scope_type = 'authority'" if authority_only else ""
    rows = run.evaluation.connection.execute(
        f"SELECT measure, scope_type, scope_id, authority, numerator, denominator FROM measures {where} ORDER BY ALL"
    ).fetchall()
    return [_measure(run, *row) for row in rows]


def _measure(run: Run, name: str, scope_type: str, scope_id: str, authority: str, top: float, bottom: float) -> MeasureValue:
    rule = run.rulebook.rules[name]
    body = rule.body
    assert isinstance(body, Measure)
    target = number_on(rule, run.rulebook.parameters, body.target, run.as_of) if body.target is not None else None
    plain = scope_id.replace(f"{authority}/", "")
    return MeasureValue(rule, scope_type, plain, authority, float(top or 0), float(bottom or 0), target)


def ladder_state(run: Run, risks: Sequence[Risk]) -> LadderState:
    """Where the council stands on the ladder, from the programme's events and the risks."""
    reached = _reached(run)
    rank = max((run.ladder.rank(risk.rung) for risk in risks), default=None)
    highest = run.ladder.rung(rank) if rank is not None else None
    leading = [risk for risk in risks if highest and risk.rung == highest.id]
    current = _current(run, reached)
    stages = tuple(
        Stage(one.id, one.title, reached.get(one.id), one.id == current, sum(risk.rung == one.rung for risk in risks))
        for one in run.ladder.stages
    )
    rungs = tuple(RungCount(one.id, one.title, sum(risk.rung == one.id for risk in risks)) for one in run.ladder.rungs)
    why = f"{leading[0].title}: {leading[0].reason}" if leading else "no risk calls for more"
    notice = reached.get("non_statutory_notice")
    return LadderState(stages, rungs, current, highest.id if highest else None, why, notice, _target(run))


def _reached(run: Run) -> dict[str, datetime.date]:
    """The day each formal stage was reached, unless it was lifted since."""
    rows = run.evaluation.connection.execute(
        "SELECT event_kind, max(event_date) FROM known.programme_events WHERE event_date IS NOT NULL GROUP BY event_kind"
    ).fetchall()
    latest: dict[str, datetime.date] = dict(rows)
    lifted = latest.get("notice_or_direction_lifted", datetime.date.min)
    found = {stage.id: latest[stage.event] for stage in run.ladder.stages if stage.event and stage.event in latest}
    return {stage: day for stage, day in found.items() if day > lifted}


def _current(run: Run, reached: dict[str, datetime.date]) -> str:
    in_force = [stage.id for stage in run.ladder.stages if stage.id in reached]
    return in_force[-1] if in_force else run.ladder.stages[0].id


def _target(run: Run) -> datetime.date | None:
    """The last day that the notice gives for its measures and plan."""
    row = run.evaluation.connection.execute(
        "SELECT max(due_date) FROM known.programme_items WHERE item_kind IN ('notice_measure', 'plan', 'milestone')"
        " AND source = 'department_for_education'"
    ).fetchone()
    found: datetime.date | None = row[0] if row else None
    return found


def priority_actions(run: Run, risks: Sequence[Risk]) -> Iterable[PriorityAction]:
    """The Ofsted priority actions in the programme, each with the risks that name it."""
    rows = run.evaluation.connection.execute(
        "SELECT item_id, title, status, due_date, completed_date, reference, authority FROM known.programme_items"
        " WHERE item_kind = 'priority_action' ORDER BY authority, item_id"
    ).fetchall()
    for item, title, status, due, completed, reference, authority in rows:
        plain = item.replace(f"{authority}/", "")
        bearing = [risk.id for risk in risks if risk.authority == authority and _bears_on(risk, plain)]
        yield PriorityAction(plain, title, status, due, completed, reference, tuple(bearing))


def _bears_on(risk: Risk, item: str) -> bool:
    body = risk.rule.body
    return isinstance(body, Escalation) and body.priority_action == item


def due_soon(run: Run, days: int = DUE_SOON_DAYS) -> Iterable[DueSoon]:
    """What falls due within thirty days, by rule, soonest first."""
    last = run.as_of + datetime.timedelta(days=days)
    week = run.as_of + datetime.timedelta(days=7)
    rows = run.evaluation.connection.execute(
        "SELECT rule, count(*), count(*) FILTER (due_date <= ?), min(due_date) FROM duties"
        " WHERE status = 'due' AND due_date <= ? GROUP BY rule ORDER BY min(due_date), rule",
        [week, last],
    ).fetchall()
    for rule, count, soon, first in rows:
        yield DueSoon(run.rulebook.rules[rule], count, soon, first)


def risk_of(found: Register, name: str) -> Risk | None:
    """The risk of that id, or None."""
    return next((risk for risk in found.risks if risk.id == name), None)


def named(values: Iterable[Any]) -> list[str]:
    """The ids of things that have one."""
    return [value.id for value in values]
