"""Findings: duties as people and machines read them, with the rows that decided them."""

from __future__ import annotations

import datetime
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import duckdb

from compliance.dataset.schema import Schema, Table
from compliance.dataset.values import name, quoted
from compliance.duties.evaluate import Evaluation
from compliance.duties.status import BREACHES, STATUSES
from compliance.rulebook.load import Rulebook
from compliance.rulebook.model import SEVERITIES, Rule

SELECTED = (
    "id",
    "rule",
    "subject_type",
    "subject_id",
    "authority",
    "person_id",
    "carer_id",
    "worker_id",
    "team_id",
    "team_name",
    "service",
    "trigger_date",
    "due_date",
    "done_date",
    "ceased_date",
    "status",
    "days_over",
    "value",
    "bound",
    "variant",
    "period",
    "version",
    "note",
    "trigger_ref",
    "evidence_ref",
)
PREFIXED = ("subject_id", "person_id", "carer_id", "worker_id", "team_id")
ROWS_PER_TABLE = 1 << 36


@dataclass(frozen=True, slots=True)
class Evidence:
    """A source row that decided a duty: its table and key, and the file, sheet and row it was read from."""

    table: str
    key: str
    file: str | None
    sheet: str | None
    row: int | None

    def place(self) -> str:
        """Where the row stands, as a person would look it up."""
        parts = [part for part in (self.file, self.sheet) if part]
        parts += [f"row {self.row}"] if self.row else []
        return " > ".join(parts) or f"{self.table} {self.key}"


@dataclass(frozen=True)
class Waived:
    """That a breach is waived: why, by whom and until when."""

    reason: str
    approver: str
    expires: datetime.date


@dataclass(slots=True)
class Finding:
    """One duty with its status, the rule it comes from and the rows that decided it."""

    id: str
    rule: Rule
    subject_type: str
    subject_id: str
    authority: str
    person_id: str | None
    carer_id: str | None
    worker_id: str | None
    team_id: str | None
    team_name: str | None
    service: str | None
    trigger_date: datetime.date | None
    due_date: datetime.date | None
    done_date: datetime.date | None
    ceased_date: datetime.date | None
    status: str
    days_over: int | None
    value: float | None
    bound: float | None
    variant: str | None
    period: str | None
    version: str | None
    note: str | None
    trigger_ref: int | None
    evidence_ref: int | None
    evidence: tuple[Evidence, ...] = ()
    waived: Waived | None = None

    @property
    def breach(self) -> str | None:
        """`open` while it can still be put right, `closed` when it cannot, None where the duty is not breached."""
        return BREACHES.get(self.status)

    @property
    def team(self) -> str | None:
        """The team that answers for it, by name where there is one."""
        return self.team_name or self.team_id

    @property
    def verified(self) -> str:
        """How far the law's text was read: of the variant or phase that applied, else of the rule."""
        if not self.variant:
            return self.rule.verified
        branches = [*getattr(self.rule.body, "variants", []), *getattr(self.rule.body, "phases", [])]
        own = [one.verified for one in branches if one.title == self.variant and one.verified]
        return own[0] if own else self.rule.verified

    def message(self) -> str:
        """What happened, in a sentence that does not need the rule."""
        return _message(self)


@dataclass(frozen=True)
class Selection:
    """Which duties are wanted; empty means all."""

    statuses: tuple[str, ...] = ("overdue", "missed", "late")
    rules: tuple[str, ...] = ()
    themes: tuple[str, ...] = ()
    teams: tuple[str, ...] = ()
    people: tuple[str, ...] = ()
    workers: tuple[str, ...] = ()
    ids: tuple[str, ...] = ()
    minimum_severity: str = "low"

    def where(self, rulebook: Rulebook) -> str:
        """The selection as SQL over the table of duties."""
        parts = [_in("status", self.statuses), _in("id", self.ids), _in("rule", self._rules(rulebook))]
        parts.append(_in_any(("team_id", "team_name"), self.teams))
        parts.append(_in_any(("worker_id",), self.workers))
        parts.append(_in_any(("person_id",), self.people))
        return " AND ".join(part for part in parts if part) or "TRUE"

    def _rules(self, rulebook: Rulebook) -> tuple[str, ...]:
        """The rules wanted by id, theme and severity, or nothing where all are."""
        floor = SEVERITIES.index(self.minimum_severity)
        if not self.rules and not self.themes and floor == 0:
            return ()
        wanted = [
            rule.id
            for rule in rulebook.duties
            if (not self.rules or rule.id in self.rules)
            and (not self.themes or rule.theme in self.themes)
            and SEVERITIES.index(rule.severity) >= floor
        ]
        return tuple(wanted) or ("",)


EVERYTHING = Selection(statuses=STATUSES)


def findings(evaluation: Evaluation, selection: Selection | None = None, *, evidence: bool = True) -> list[Finding]:
    """The duties selected (the breaches when nothing is said), by severity, due date, rule and subject.

    Without `evidence` the rows that decided them are left out, to be filled in by `with_evidence` where they are shown.
    """
    chosen = selection or Selection()
    found = sorted(_rows(evaluation, chosen.where(evaluation.rulebook)), key=_order)
    return with_evidence(evaluation, found) if evidence else found


def with_evidence(evaluation: Evaluation, found: list[Finding]) -> list[Finding]:
    """The findings, with the rows that decided them filled in."""
    known = evidence_of(evaluation.connection, evaluation.schema, _refs(found))
    for one in found:
        refs = (one.trigger_ref,) if one.trigger_ref == one.evidence_ref else (one.trigger_ref, one.evidence_ref)
        one.evidence = tuple(known[ref] for ref in refs if ref is not None and ref in known)
    return found


def count_by_status(evaluation: Evaluation) -> dict[str, int]:
    """How many duties have each status."""
    rows = evaluation.connection.execute("SELECT status, count(*) FROM duties GROUP BY status").fetchall()
    counts: dict[str, int] = dict(rows)
    return {status: counts.get(status, 0) for status in STATUSES}


def _rows(evaluation: Evaluation, where: str) -> Iterator[Finding]:
    """The duties selected, their ids without the council's prefix that a run over many councils gives them."""
    rules = evaluation.rulebook.rules
    selected = ", ".join(f"replace({each}, authority || '/', '')" if each in PREFIXED else each for each in SELECTED)
    rows = evaluation.connection.execute(f"SELECT {selected} FROM duties WHERE {where}").fetchall()
    for id, rule, *values in rows:
        yield Finding(id, rules[rule], *values)


def _order(finding: Finding) -> tuple[Any, ...]:
    severity = -SEVERITIES.index(finding.rule.severity)
    due, trigger = finding.due_date or datetime.date.max, finding.trigger_date or datetime.date.min
    last = (finding.id, finding.trigger_ref or 0, finding.evidence_ref or 0)
    return (severity, due, finding.rule.id, finding.authority, finding.subject_id, trigger, *last)


def _refs(found: Iterable[Finding]) -> list[int]:
    refs = {ref for one in found for ref in (one.trigger_ref, one.evidence_ref) if ref}
    return sorted(refs)


def evidence_of(connection: duckdb.DuckDBPyConnection, schema: Schema, refs: Sequence[int]) -> dict[int, Evidence]:
    """The source rows of these references."""
    numbers = {ref // ROWS_PER_TABLE for ref in refs}
    tables = {table.number: table for table in schema.tables.values() if table.number in numbers}
    if not tables:
        return {}
    selects = " UNION ALL ".join(map(_evidence_sql, tables.values()))
    rows = connection.execute(f"WITH wanted AS MATERIALIZED (SELECT unnest($1::BIGINT[]) AS ref) {selects}", [refs]).fetchall()
    places = _places(connection)
    found: dict[int, Evidence] = {}
    for ref, key, source, row in rows:
        file, sheet = places.get(source, (None, None))
        found[ref] = Evidence(tables[ref // ROWS_PER_TABLE].name, key, file, sheet, row)
    return found


def _places(connection: duckdb.DuckDBPyConnection) -> dict[int, tuple[str, str | None]]:
    """The file and sheet of each source."""
    rows = connection.execute("SELECT source_id, file, sheet FROM main.sources").fetchall()
    return {number: (file, sheet) for number, file, sheet in rows}


def _evidence_sql(table: Table) -> str:
    """SQL for the reference, key, source and row of the rows wanted of a table."""
    key = "concat_ws(':', " + ", ".join(f"replace({name(column)}, authority || '/', '')" for column in table.key) + ")"
    return f"SELECT row_ref, {key}, source_id, source_row FROM main.{name(table.name)} WHERE row_ref IN (FROM wanted)"


def _in(column: str, values: Sequence[str]) -> str:
    return f"{column} IN ({', '.join(map(quoted, values))})" if values else ""


def _in_any(columns: Sequence[str], values: Sequence[str]) -> str:
    """SQL that matches ids with or without their council's prefix."""
    if not values:
        return ""
    parts = []
    for column in columns:
        parts.append(_in(column, values))
        parts.append(_in(f"replace({column}, authority || '/', '')", values))
    return f"({' OR '.join(parts)})"


def days(number: int) -> str:
    """`1 day`, `2 days`."""
    return f"{number} day" if number == 1 else f"{number} days"


def _message(one: Finding) -> str:
    measured = _measured(one)
    over = days(one.days_over or 0)
    match one.status:
        case "overdue":
            text = f"was due by {one.due_date}, {over} ago, and is not on record"
        case "late":
            text = f"was due by {one.due_date}, done {one.done_date}, {over} late"
        case "missed":
            text = f"was due by {one.due_date} and never done" + (f"; ended {one.ceased_date}" if one.ceased_date else "")
        case "unknown":
            text = "cannot be decided"
        case "due":
            text = f"is due by {one.due_date}"
        case "lapsed":
            text = f"ended {one.ceased_date} before it fell due on {one.due_date}"
        case _:
            text = "met" + (f" on {one.done_date}, due by {one.due_date}" if one.done_date else "")
    if measured and one.status in ("overdue", "missed"):
        text = f"outside the limit since {one.due_date}"
    return "; ".join(part for part in (text, measured, one.note) if part)


def _measured(one: Finding) -> str:
    limit = one.rule.limit
    if limit is None or one.value is None or one.bound is None:
        return ""
    word = "at most" if limit.at_most is not None else "at least"
    return f"{number(one.value)}, {word} {number(one.bound)}"


def number(value: float) -> str:
    """A number without needless decimals."""
    return f"{value:.1f}".rstrip("0").rstrip(".") if value % 1 else str(int(value))
