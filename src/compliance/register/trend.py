"""Each measure and each kind of risk at the ends of past months, from one extract judged again as of each day."""

from __future__ import annotations

import datetime
from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any

from compliance.duties.pack import Pack
from compliance.register.again import run_again, with_joined_risks
from compliance.register.register import measures
from compliance.register.xmr import Chart, chart
from compliance.rulebook.load import Rulebook
from compliance.rulebook.model import Escalation, FactPattern, Measure, Rule
from compliance.run import Run

MOST_MONTHS = 36
SMALL = 10
Progress = Callable[[str], None]


@dataclass(frozen=True)
class Point:
    """A number at the end of a month, with its fraction; `value` is None where there is nothing to divide by."""

    day: datetime.date
    numerator: float
    denominator: float
    value: float | None

    @property
    def small(self) -> bool:
        """Whether it rests on so few that only the counts are shown."""
        return self.denominator < SMALL


@dataclass(frozen=True)
class Series:
    """A measure of one council, or how many risks a rule raised, over the months."""

    rule: Rule
    authority: str
    unit: str
    better: str
    points: tuple[Point, ...]

    @property
    def values(self) -> list[float]:
        """The values that there are, in order."""
        return [one.value for one in self.points if one.value is not None]

    @property
    def is_small(self) -> bool:
        """Whether counts are shown and no limits: the last share is of fewer than ten, or the counts are under one a month."""
        if self.unit == "count":
            return sum(self.values) < len(self.points)
        return bool(self.points) and self.points[-1].small

    def chart(self) -> Chart | None:
        """The limits and signals, or None where there are too few points or too small numbers."""
        if self.is_small or len(self.values) != len(self.points):
            return None
        return chart(self.values, floor=0.0, ceiling=100.0 if self.unit == "percent" else None)

    @property
    def direction(self) -> str:
        """`better`, `worse` or `level`, from the first point to the last."""
        values = self.values
        if len(values) < 2 or values[0] == values[-1]:
            return "level"
        rose = values[-1] > values[0]
        return "better" if rose == (self.better == "higher") else "worse"


def month_ends(last: datetime.date, months: int) -> list[datetime.date]:
    """The day itself and the ends of the months before it, oldest first."""
    days = [last]
    while len(days) < months:
        days.append(days[-1].replace(day=1) - datetime.timedelta(days=1))
    return sorted(days)


def trend(
    run: Run,
    months: int,
    shown: Collection[str] | None = None,
    *,
    with_risks: bool = True,
    progress: Progress | None = None,
) -> list[Series]:
    """The series of the measures and kinds of risk shown (all, when left out) that can be evaluated, measures first, by id.

    The run holds the rules they rest on (`wanted_rules`); it gives the last point, and its tables are overwritten.
    """
    rulebook = run.evaluation.rulebook
    shown = shown_rules(rulebook, (), with_risks=with_risks) if shown is None else shown
    with_risks = any(rulebook.rules[name].kind == "escalation" for name in shown)
    wanted = wanted_rules(rulebook, shown)
    lighter = replace(run, evaluation=replace(run.evaluation, pack=council_pack(run.evaluation.pack, rulebook)))
    found: dict[tuple[str, str], list[Point]] = {}
    for day in reversed(month_ends(run.as_of, months)):
        if progress:
            progress(f"judging as of {day}")
        if day == run.as_of:
            again = with_joined_risks(run) if with_risks and run.assessment is None else run
        else:
            again = run_again(lighter, day, only=wanted, with_risks=with_risks)
        for name, authority, point in [*_measured(again), *(_raised(again) if with_risks else ())]:
            if name in shown:
                found.setdefault((name, authority), []).insert(0, point)
    return [_series(run, name, authority, points) for (name, authority), points in sorted(found.items(), key=_order(run))]


def council_pack(pack: Pack, rulebook: Rulebook) -> Pack:
    """The pack with the measures made for the council alone, but those that an escalation rule may ask of a team or worker."""
    patterns = [pattern for rule in rulebook.of_kind("escalation") for pattern in _patterns(rule)]
    narrow = [one for one in patterns if one.fact == "measure" and one.where.get("scope_type") != "authority"]
    measures = {
        name: one if any(_allows(pattern, "measure", name) for pattern in narrow) else replace(one, by=())
        for name, one in pack.measures.items()
    }
    return replace(pack, measures=measures)


def _order(run: Run) -> Callable[[tuple[tuple[str, str], list[Point]]], tuple[bool, str, str]]:
    return lambda item: (run.rulebook.rules[item[0][0]].kind == "escalation", *item[0])


def _series(run: Run, name: str, authority: str, points: Sequence[Point]) -> Series:
    rule = run.rulebook.rules[name]
    body = rule.body
    if isinstance(body, Measure):
        return Series(rule, authority, body.unit, body.better, tuple(points))
    return Series(rule, authority, "count", "lower", tuple(points))


def _measured(run: Run) -> Iterator[tuple[str, str, Point]]:
    for one in measures(run, authority_only=True):
        body = one.rule.body
        assert isinstance(body, Measure)
        value = one.numerator if body.unit == "count" else one.value
        yield one.rule.id, one.authority, Point(run.as_of, one.numerator, one.denominator, value)


def _raised(run: Run) -> Iterator[tuple[str, str, Point]]:
    assert run.assessment is not None
    counts: dict[tuple[str, str], int] = {}
    for risk in run.assessment.risks:
        counts[risk.rule.id, risk.authority] = counts.get((risk.rule.id, risk.authority), 0) + 1
    evaluated = {rule.id for rule in run.evaluation.rulebook.of_kind("escalation")}
    evaluated -= {one.rule for one in run.evaluation.not_evaluated}
    for name in evaluated:
        for authority in run.dataset.authorities:
            number = float(counts.get((name, authority.code), 0))
            yield name, authority.code, Point(run.as_of, number, 1.0, number)


def shown_rules(rulebook: Rulebook, chosen: Collection[str], *, with_risks: bool) -> set[str]:
    """The measures and escalation rules to show: those chosen, or else all."""
    kinds = ("measure", "escalation") if with_risks else ("measure",)
    return {rule.id for rule in rulebook.of_kind(*kinds) if not chosen or rule.id in chosen}


def wanted_rules(rulebook: Rulebook, shown: Iterable[str]) -> set[str]:
    """The rules named and all that they rest on: of a measure its rule, of an escalation rule what its patterns could match."""
    found: set[str] = set()
    waiting = list(shown)
    while waiting:
        name = waiting.pop()
        if name not in found:
            found.add(name)
            waiting += _under(rulebook, rulebook.rules[name])
    return found


def _under(rulebook: Rulebook, rule: Rule) -> list[str]:
    """The rules that a rule rests on directly."""
    if rule.measure is not None:
        return [rule.measure.of] if rule.measure.of in rulebook.rules else []
    if rule.kind != "escalation":
        return []
    return [one.id for one in rulebook.rules.values() if any(_could_match(pattern, one) for pattern in _patterns(rule))]


def _patterns(rule: Rule) -> list[FactPattern]:
    body = rule.body
    assert isinstance(body, Escalation)
    return body.when


def _could_match(pattern: FactPattern, rule: Rule) -> bool:
    """Whether what a rule gives (a breach, a tally that counts it, a measure, a risk) could be a fact of the pattern."""
    match pattern.fact:
        case "breach":
            own = {"rule": rule.id, "topic": rule.topic, "theme": rule.theme}
            return rule.is_duty and all(_allows(pattern, name, value) for name, value in own.items())
        case "tally":
            tallied = {"rule": rule.id, "topic": f"{rule.theme}/{rule.topic}", "theme": rule.theme, "all": "all"}
            return rule.is_duty and any(_allows(pattern, "by", by) and _allows(pattern, "of", of) for by, of in tallied.items())
        case "measure":
            return rule.kind == "measure" and _allows(pattern, "measure", rule.id)
        case "risk":
            return rule.kind == "escalation" and _allows(pattern, "rule", rule.id) and _allows(pattern, "theme", rule.theme)
    return False


def _allows(pattern: FactPattern, name: str, value: str | None) -> bool:
    """Whether the pattern's wish for a property, where it is a plain value or a list of them, holds the value."""
    wanted = pattern.where.get(name)
    if isinstance(wanted, str):
        return wanted == value
    return value in wanted if isinstance(wanted, list) else True


def trend_document(found: Iterable[Series], run: Run, months: int) -> dict[str, Any]:
    """What `trend --format json` gives."""
    return {
        "schema_version": "1.0",
        "as_of": run.as_of,
        "months": months,
        "since": month_ends(run.as_of, months)[0],
        "series": [_document(one) for one in found],
    }


def _document(one: Series) -> dict[str, Any]:
    limits = one.chart()
    return {
        "id": one.rule.id,
        "kind": one.rule.kind,
        "title": one.rule.title,
        "authority": one.authority,
        "unit": one.unit,
        "better": one.better,
        "direction": one.direction,
        "points": [_point(each, one.unit) for each in one.points],
        "limits": None
        if limits is None
        else {
            "mean": round(limits.mean, 3),
            "lower": round(limits.lower, 3),
            "upper": round(limits.upper, 3),
            "provisional": limits.provisional,
        },
        "signals": [{"words": each.words, "at": [one.points[place].day for place in each.points]} for each in limits.signals]
        if limits
        else [],
    }


def _point(one: Point, unit: str) -> dict[str, Any]:
    hidden = unit != "count" and one.small
    value = None if one.value is None or hidden else round(one.value, 3)
    return {"day": one.day, "value": value, "numerator": round(one.numerator, 4), "denominator": round(one.denominator, 4)}
