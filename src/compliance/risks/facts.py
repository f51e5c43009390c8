"""Flat facts for the reasoner: breaches, tallies of them, measures, and whatever the definitions `fact_<kind>` give."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import partial
from typing import Any

import duckdb

from compliance.dataset.values import quoted
from compliance.duties.compiled import FACT
from compliance.duties.cursors import Cursors, Task
from compliance.duties.evaluate import Evaluation
from compliance.risks.patterns import Conjunction, Fact, Pattern, Test, plain_text, properties_read
from compliance.rulebook.model import SEVERITIES

RECENT = "6 MONTH"

BREACH = f"""
SELECT d.id AS finding, d.rule, r.theme, r.topic, r.severity, d.status, CASE d.status WHEN 'overdue' THEN 1 ELSE 0 END AS is_open,
  d.subject_id AS subject, d.person_id AS person, d.carer_id AS carer, d.worker_id AS worker, d.team_id AS team, d.service,
  d.authority, d.days_over
FROM duties AS d JOIN rule_facts AS r ON r.rule = d.rule
WHERE d.status IN ('overdue', 'late', 'missed')
  AND (d.status = 'overdue'
    OR coalesce(d.done_date, d.ceased_date, d.due_date) > (SELECT as_of FROM known.run) - INTERVAL {RECENT})
"""

SCOPES = {
    "authority": "authority",
    "service": "service",
    "team": "team_id",
    "worker": "worker_id",
    "child": "person_id",
    "carer": "carer_id",
}

DECIDED = {"closed", "met", "decided", "breach_permille"}
"""The properties of a tally that count duties which are not open."""
PEOPLE = {"children": "person_id", "workers": "worker_id"}
"""The properties of a tally that count people, which costs more: they are counted where some pattern reads them."""


@dataclass(frozen=True)
class Origin:
    """What a fact stands for in the answer: a finding's id, a measure and its scope, or a row of a definition."""

    kind: str
    id: str


@dataclass
class Facts:
    """The facts of one council and where each comes from, in the same order."""

    facts: list[Fact] = field(default_factory=list)
    origins: list[Origin] = field(default_factory=list)

    def add(self, fact: Fact, origin: Origin) -> None:
        """One more fact."""
        self.facts.append(fact)
        self.origins.append(origin)

    def only(self, places: Sequence[int]) -> Facts:
        """Those at these places."""
        return Facts([self.facts[place] for place in places], [self.origins[place] for place in places])


def gather(
    evaluation: Evaluation, conjunctions: Sequence[Conjunction], told: Mapping[str, Iterable[str]], *, at_once: int = 2
) -> dict[str, Facts]:
    """The facts that some pattern could match, by council; `told` names more properties that the answer speaks of.

    `at_once` is how many kinds are looked for at a time; with 1 all are on the connection itself, inside its transaction.
    """
    lacking = {one.rule for one in evaluation.not_evaluated}
    conjunctions = [one for one in conjunctions if one.rule not in lacking]
    wanted = _patterns_by_kind(conjunctions)
    read = properties_read(conjunctions)
    _rule_facts(evaluation)
    found: dict[str, list[tuple[str, Fact, Origin]]] = {}

    def find(cursor: duckdb.DuckDBPyConnection, kind: str) -> None:
        properties = sorted({*read.get(kind, ()), *told.get(kind, ())})
        found[kind] = list(_facts_of(replace(evaluation, connection=cursor), kind, wanted[kind], properties))

    with Cursors(evaluation.connection, at_once) as cursors:
        cursors.each(Task(partial(find, kind=kind)) for kind in sorted(wanted))
    by_authority: dict[str, Facts] = {}
    for authority, fact, origin in (each for kind in sorted(wanted) for each in found[kind]):
        by_authority.setdefault(authority, Facts()).add(fact, origin)
    return by_authority


def _patterns_by_kind(conjunctions: Sequence[Conjunction]) -> dict[str, list[Pattern]]:
    by_kind: dict[str, list[Pattern]] = {}
    for conjunction in conjunctions:
        for pattern in conjunction.patterns:
            by_kind.setdefault(pattern.kind, []).append(pattern)
    return by_kind


def _rule_facts(evaluation: Evaluation) -> None:
    """The table of what facts say of each rule."""
    evaluation.connection.execute(
        "CREATE OR REPLACE TABLE rule_facts (rule VARCHAR, theme VARCHAR, topic VARCHAR, severity INTEGER)"
    )
    rows = [[rule.id, rule.theme, rule.topic, SEVERITIES.index(rule.severity) + 1] for rule in evaluation.rulebook.duties]
    if rows:
        columns = list(map(list, zip(*rows, strict=True)))
        evaluation.connection.execute("INSERT INTO rule_facts SELECT unnest(?), unnest(?), unnest(?), unnest(?)", columns)


def _facts_of(
    evaluation: Evaluation, kind: str, patterns: Sequence[Pattern], read: Sequence[str]
) -> Iterator[tuple[str, Fact, Origin]]:
    if kind == "breach":
        yield from _selected(evaluation, kind, BREACH, patterns, read, "finding")
    elif kind == "tally":
        yield from _selected(evaluation, kind, _tallies(patterns, read), patterns, read, "tally")
    elif kind == "measure":
        yield from _selected(evaluation, kind, _measures(evaluation), patterns, read, "measured")
    elif kind != "risk":
        source = evaluation.connection.execute(
            "SELECT 1 FROM duckdb_tables() WHERE schema_name = 'defined' AND table_name = ?", [FACT + kind]
        ).fetchone()
        if source:
            sql = f'SELECT * FROM defined."{FACT}{kind}"'
            yield from _selected(evaluation, kind, sql, patterns, read, "source")


def _selected(
    evaluation: Evaluation, kind: str, sql: str, patterns: Sequence[Pattern], read: Sequence[str], origin: str
) -> Iterator[tuple[str, Fact, Origin]]:
    """The rows that pass the constant tests of some pattern, as facts of the properties that patterns read."""
    listed = ", ".join(quoted(name) for name in {"authority", origin, *read})
    wanted = f"SELECT * FROM ({sql}) AS f WHERE {_any_pattern(patterns)} ORDER BY ALL"
    cursor = evaluation.connection.execute(f"SELECT COLUMNS(lambda name: name IN ({listed})) FROM ({wanted})")
    columns = [column[0] for column in cursor.description or ()]
    for row in cursor.fetchall():
        values: dict[str, Any] = dict(zip(columns, row, strict=True))
        fact = _fact(kind, values, read)
        yield values["authority"], fact, Origin(kind, str(values[origin]))


def _fact(kind: str, values: Mapping[str, Any], read: Sequence[str]) -> Fact:
    """A flat fact: whole numbers and short texts; what is missing is left out."""
    fact: Fact = {"kind": kind}
    for name in read:
        value = values.get(name)
        if value is None or name == "kind":
            continue
        fact[name] = plain_text(value)[:200] if isinstance(value, str) else int(value)
    return fact


def _any_pattern(patterns: Sequence[Pattern]) -> str:
    alternatives = {" AND ".join(_test_sql(test) for test in pattern.tests) or "TRUE" for pattern in patterns}
    return "TRUE" if "TRUE" in alternatives else " OR ".join(f"({one})" for one in sorted(alternatives))


def _test_sql(test: Test) -> str:
    value = "'" + test.value.replace("'", "''") + "'" if isinstance(test.value, str) else str(test.value)
    op = "<>" if test.op == "!=" else test.op
    return f'f."{test.property}" {op} {value}'


def _tallies(patterns: Sequence[Pattern], read: Sequence[str]) -> str:
    """SQL of the counts of breaches for each scope, by rule, by topic within theme, by theme and in all.

    Only those counts are made that some pattern may read, and only of duties that stand open or were decided within a year:
    of open ones alone where all patterns ask for some and none reads of the others.
    """
    counted = "d.status = 'overdue'" if _of_open_alone(patterns, read) else "TRUE"
    asked = {(_constant(pattern, "by"), _constant(pattern, "scope_type")) for pattern in patterns}
    judged = f"""
      SELECT * FROM (
        SELECT d.*, r.theme, r.topic, r.severity,
          CASE d.status WHEN 'overdue' THEN 1 ELSE 0 END AS is_open,
          CASE WHEN d.status IN ('late', 'missed')
            AND coalesce(d.done_date, d.ceased_date, d.due_date) > (SELECT as_of FROM known.run)
            - INTERVAL 12 MONTH THEN 1 ELSE 0 END AS was_late,
          CASE WHEN d.status = 'met' AND coalesce(d.done_date, d.due_date) > (SELECT as_of FROM known.run) - INTERVAL 12 MONTH
            THEN 1 ELSE 0 END AS was_met
        FROM duties AS d JOIN rule_facts AS r ON r.rule = d.rule WHERE {counted}
      ) AS decided WHERE is_open + was_late + was_met > 0"""
    people = "".join(
        f", count(DISTINCT CASE WHEN is_open = 1 THEN {column} END) AS {name}" for name, column in PEOPLE.items() if name in read
    )
    subjects = {"rule": "rule", "topic": "theme || '/' || topic", "theme": "theme", "all": "'all'"}
    parts = [
        f"SELECT {expression} AS of, '{by}' AS by, '{scope}' AS scope_type, {column} AS scope_id, authority,"
        f" {'team_id' if scope in ('worker', 'team') else 'CAST(NULL AS VARCHAR)'} AS team,"
        " sum(is_open) AS open, sum(CASE WHEN severity = 4 THEN is_open ELSE 0 END) AS open_critical,"
        " sum(was_late) AS closed, sum(was_met) AS met, max(CASE WHEN is_open = 1 THEN days_over ELSE 0 END) AS longest"
        f"{people}"
        f" FROM judged WHERE {column} IS NOT NULL AND {expression} IS NOT NULL"
        f" GROUP BY {expression}, {column}, authority{', team_id' if scope in ('worker', 'team') else ''}"
        for by, expression in subjects.items()
        for scope, column in SCOPES.items()
        if asked & {(by, scope), (by, None), (None, scope), (None, None)}
    ]
    rate = "CAST(floor(1000.0 * (open + closed) / nullif(open + closed + met, 0)) AS BIGINT)"
    union = "\nUNION ALL\n".join(parts)
    return (
        f"WITH judged AS MATERIALIZED ({judged})\nSELECT *, open + closed + met AS decided, {rate} AS breach_permille,"
        f" of || ':' || scope_type || ':' || scope_id AS tally FROM (\n{union}\n) AS counted WHERE open + closed > 0"
    )


def _of_open_alone(patterns: Sequence[Pattern], read: Sequence[str]) -> bool:
    """Whether every pattern asks for open breaches and none reads a count of duties that are not open."""
    return not DECIDED & set(read) and all(any(_asks_for_open(test) for test in pattern.tests) for pattern in patterns)


def _asks_for_open(test: Test) -> bool:
    floor = {">=": 1, ">": 0, "=": 1}.get(test.op)
    return test.property == "open" and floor is not None and isinstance(test.value, int) and test.value >= floor


def _constant(pattern: Pattern, property: str) -> str | int | None:
    """The one value that a pattern asks of a property, or None where it may be any."""
    return next((test.value for test in pattern.tests if test.property == property and test.op == "="), None)


def _measures(evaluation: Evaluation) -> str:
    """SQL of the measures as whole numbers: `value` in tenths of a percent or of a unit."""
    percents = [rule.id for rule in evaluation.rulebook.of_kind("measure") if rule.measure and rule.measure.unit == "percent"]
    listed = ", ".join("'" + name + "'" for name in percents) or "''"
    return (
        "SELECT measure, measure || ':' || scope_type || ':' || scope_id AS measured, scope_type, scope_id, authority,"
        " CAST(round(numerator) AS BIGINT) AS numerator, CAST(round(denominator) AS BIGINT) AS denominator,"
        f" CAST(round(10 * (CASE WHEN measure IN ({listed}) THEN 100.0 ELSE 1.0 END)"
        " * numerator / nullif(denominator, 0)) AS BIGINT)"
        " AS value FROM measures"
    )
