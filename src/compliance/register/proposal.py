"""A score proposed from the data, beside the rule's own: likelihood from the breach rate and its trend, impact from severity."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

import duckdb

from compliance.duties.findings import number
from compliance.risks.assess import Risk
from compliance.risks.facts import SCOPES
from compliance.rulebook.load import Rulebook
from compliance.rulebook.model import SEVERITIES

RATES = (0.05, 0.10, 0.20, 0.40)
"""A breach rate below the first is rare (1), below the second unlikely (2), and so on; from the last on almost certain (5)."""
IMPACTS = {"low": 2, "medium": 3, "high": 4, "critical": 5}
CLEAR_CHANGE = 0.05
FEWEST = 10


@dataclass(frozen=True)
class Counted:
    """Duties decided in the last twelve months, and how many were breached, in the last six and the six before."""

    breached: int
    decided: int
    breached_before: int
    decided_before: int

    @property
    def rate(self) -> float:
        """The share breached over the twelve months."""
        return (self.breached + self.breached_before) / (self.decided + self.decided_before)

    @property
    def change(self) -> float | None:
        """How much the share rose between the two halves, or None where either is under ten."""
        if min(self.decided, self.decided_before) < FEWEST:
            return None
        return self.breached / self.decided - self.breached_before / self.decided_before


@dataclass(frozen=True)
class Proposal:
    """The score that the data suggests, with its arithmetic in words."""

    likelihood: int
    impact: int
    arithmetic: str
    rules: tuple[str, ...]
    themes: tuple[str, ...]


def proposals(connection: duckdb.DuckDBPyConnection, rulebook: Rulebook, risks: Sequence[Risk]) -> dict[str, Proposal]:
    """What the data suggests for each risk behind which duties stand, by the risk's id."""
    behind = _rules_behind(connection, rulebook, risks)
    counts = _counts(connection, sorted({rule for rules in behind.values() for rule in rules}))
    found = {risk.id: _proposal(rulebook, behind[risk.id], _in_scope(risk, behind[risk.id], counts)) for risk in risks}
    return {name: one for name, one in found.items() if one is not None}


def _rules_behind(connection: duckdb.DuckDBPyConnection, rulebook: Rulebook, risks: Sequence[Risk]) -> dict[str, set[str]]:
    """The duty rules that each risk rests on: of its findings, tallies and measures, and of the risks under it."""
    named = sorted({name for risk in risks for name in risk.because})
    rows = connection.execute(
        "SELECT d.id, d.rule FROM duties AS d JOIN (SELECT unnest(?::VARCHAR[]) AS id) AS wanted ON wanted.id = d.id", [named]
    ).fetchall()
    of_finding: dict[str, str] = dict(rows)
    by_id = {risk.id: risk for risk in risks}
    return {risk.id: set(_rules_of(risk, by_id, of_finding, rulebook, set())) for risk in risks}


def _rules_of(
    risk: Risk, by_id: Mapping[str, Risk], of_finding: Mapping[str, str], rulebook: Rulebook, seen: set[str]
) -> Iterator[str]:
    seen.add(risk.id)
    for name in risk.because:
        if name in of_finding:
            yield of_finding[name]
        elif name in by_id and name not in seen:
            yield from _rules_of(by_id[name], by_id, of_finding, rulebook, seen)
        else:
            yield from _rules_named(name.partition(":")[0], rulebook)


def _rules_named(name: str, rulebook: Rulebook) -> Iterable[str]:
    """The duty rules that a measure or a tally counts."""
    rule = rulebook.rules.get(name)
    if rule is not None and rule.is_duty:
        return [name]
    if rule is not None and rule.measure is not None:
        return [rule.measure.of] if rule.measure.of in rulebook.rules else []
    return [one.id for one in rulebook.duties if name in ("all", one.theme, f"{one.theme}/{one.topic}")]


Counts = dict[tuple[str, str, str], Counted]


def _counts(connection: duckdb.DuckDBPyConnection, rules: Sequence[str]) -> Counts:
    """The duties of these rules decided in the last year, by rule, type of scope and scope."""
    today, day = "(SELECT as_of FROM known.run)", "coalesce(d.done_date, d.ceased_date, d.due_date)"
    recent = f"{day} > {today} - INTERVAL 6 MONTH"
    parts = [
        f"SELECT rule, '{scope}' AS scope_type, replace({column}, authority || '/', '') AS scope_id,"
        " sum(breached * recent), sum(recent), sum(breached * (1 - recent)), sum(1 - recent)"
        f" FROM decided WHERE {column} IS NOT NULL GROUP BY ALL"
        for scope, column in SCOPES.items()
    ]
    sql = (
        "WITH decided AS (SELECT d.*, CASE WHEN d.status = 'met' THEN 0 ELSE 1 END AS breached,"
        f" CASE WHEN d.status = 'overdue' OR {recent} THEN 1 ELSE 0 END AS recent"
        " FROM duties AS d JOIN (SELECT unnest(?::VARCHAR[]) AS rule) AS wanted ON wanted.rule = d.rule"
        f" WHERE d.status = 'overdue' OR (d.status IN ('met', 'late', 'missed') AND {day} > {today} - INTERVAL 12 MONTH"
        f" AND {day} <= {today})) " + " UNION ALL ".join(parts)
    )
    rows = connection.execute(sql, [list(rules)]).fetchall() if rules else []
    return {(rule, kind, scope): Counted(*map(int, numbers)) for rule, kind, scope, *numbers in rows}


def _in_scope(risk: Risk, rules: Iterable[str], counts: Counts) -> Counted | None:
    """The counts of the rules in the risk's own scope, or in the council's where its scope is no column of duties."""
    scope = (risk.scope_type, risk.scope_id) if risk.scope_type in SCOPES else ("authority", risk.authority)
    found = [counts[key] for rule in sorted(rules) for key in [(rule, *scope)] if key in counts]
    if not found:
        return None
    return Counted(*(sum(values) for values in zip(*[vars(one).values() for one in found], strict=True)))


def _proposal(rulebook: Rulebook, rules: Iterable[str], counted: Counted | None) -> Proposal | None:
    names = tuple(sorted(rule for rule in rules if rule in rulebook.rules))
    if not names or counted is None:
        return None
    severity = max((rulebook.rules[name].severity for name in names), key=SEVERITIES.index)
    likelihood, words = _likelihood(counted)
    impact = IMPACTS[severity]
    arithmetic = f"{words}; impact {impact}: {severity} severity; {likelihood} x {impact} = {likelihood * impact}"
    themes = tuple(sorted({rulebook.rules[name].theme for name in names}))
    return Proposal(likelihood, impact, arithmetic, names, themes)


def _likelihood(counted: Counted) -> tuple[int, str]:
    """The likelihood from 1 to 5, and how it came about."""
    base = 1 + sum(counted.rate >= limit for limit in RATES)
    breached, decided = counted.breached + counted.breached_before, counted.decided + counted.decided_before
    words = f"{breached} of {decided} duties breached in twelve months ({number(100 * counted.rate)}%): {base}"
    change = counted.change
    if change is None:
        return base, f"likelihood {base}: {words}, too few for a trend"
    step = (change >= CLEAR_CHANGE) - (change <= -CLEAR_CHANGE)
    likelihood = min(5, max(1, base + step))
    trend = {1: "rising, 1 more", -1: "falling, 1 less", 0: "level"}[step]
    return likelihood, f"likelihood {likelihood}: {words}; {trend} ({100 * change:+.1f} points between half-years)"
