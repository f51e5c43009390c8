"""The story of one duty, and the chain behind one risk."""

from __future__ import annotations

import datetime
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from compliance.calendar import Duration, is_working_day
from compliance.dataset.schema import Table
from compliance.dataset.values import name
from compliance.duties.findings import ROWS_PER_TABLE, Evidence, Finding, Selection, evidence_of, findings
from compliance.duties.status import STATUSES
from compliance.register.register import measures
from compliance.risks.assess import Risk
from compliance.rulebook.model import Duty, Escalation, Rule
from compliance.run import Run

ANY_STATUS = STATUSES
LONG_COUNT = 12
Values = tuple[tuple[str, str], ...]


@dataclass(frozen=True)
class SourceRow:
    """A row that decided a duty: where it stands and what it says, blanks and lineage left out."""

    role: str
    place: str
    table: str
    values: tuple[tuple[str, str], ...]


@dataclass(frozen=True)
class Story:
    """Everything that explains one duty."""

    finding: Finding
    clock: tuple[str, ...]
    law: tuple[str, ...]
    rows: tuple[SourceRow, ...]
    considered: tuple[str, ...]
    beside: tuple[str, ...]


@dataclass(frozen=True)
class Cause:
    """One step of a risk's chain: what it is, in words, and what lies under it."""

    kind: str
    id: str
    words: str
    causes: tuple[Cause, ...] = ()


def finding_by_id(run: Run, wanted: str) -> Finding | None:
    """The duty of that id, whatever its status, or None."""
    found = findings(run.evaluation, Selection(statuses=ANY_STATUS, ids=(wanted,)))
    return found[0] if found else None


@dataclass(frozen=True)
class RuleStory:
    """What the stories of a rule's duties have in common."""

    law: tuple[str, ...]
    exceptions: tuple[str, ...]
    branches: tuple[str, ...]
    unknown: tuple[str, ...]
    beside: tuple[str, ...]


def story(run: Run, one: Finding) -> Story:
    """Why this duty has the status it has."""
    return stories(run, [one])[one.id]


def stories(run: Run, found: Sequence[Finding]) -> dict[str, Story]:
    """The story of each duty by its id; the rows of all are read at once."""
    refs = sorted({ref for one in found for ref in (one.trigger_ref, one.evidence_ref) if ref})
    places = evidence_of(run.evaluation.connection, run.evaluation.schema, refs)
    values = _values(run, list(places))
    return {one.id: _story(run, one, places, values) for one in found}


def _story(run: Run, one: Finding, places: Mapping[int, Evidence], values: Mapping[int, Values]) -> Story:
    return Story(
        finding=one,
        clock=tuple(_clock(run, one)),
        law=tuple(_law(run, one.rule, one.verified)),
        rows=tuple(_rows(one, places, values)),
        considered=tuple(_considered(one)),
        beside=tuple(_beside(run, one.rule)),
    )


def rule_story(run: Run, rule: Rule) -> RuleStory:
    """The law of a rule and what is considered for each of its duties."""
    body = rule.body
    assert isinstance(body, Duty)
    branches = [*getattr(body, "variants", []), *getattr(body, "phases", [])]
    return RuleStory(
        law=tuple(_law(run, rule, rule.verified)),
        exceptions=tuple(_exceptions(body)),
        branches=tuple(one.title for one in branches if one.title),
        unknown=tuple(state.because for state in body.unknown),
        beside=tuple(_beside(run, rule)),
    )


def _clock(run: Run, one: Finding) -> Iterator[str]:
    """What started the clock and how the days were counted."""
    body = one.rule.body
    assert isinstance(body, Duty)
    if one.trigger_date is None:
        yield f"no clock: {body.trigger} is missing"
        return
    recurring = one.rule.recurring is not None
    start = "the gap starts on" if recurring else f"{body.trigger.replace('_', ' ')} is"
    yield f"{start} {_day(one.trigger_date)} (day 0)"
    if one.variant:
        yield f"variant: {one.variant}"
    if one.period and one.due_date:
        yield from _counted(one)
    elif one.due_date:
        yield f"due by {_day(one.due_date)}"
    if one.value is not None and one.bound is not None:
        yield f"measured {one.value:g} against {one.bound:g}"
    if one.ceased_date:
        yield f"the duty ended on {_day(one.ceased_date)}"
    yield f"{one.message()} (as of {run.as_of})"


def _counted(one: Finding) -> Iterator[str]:
    assert one.trigger_date is not None and one.due_date is not None and one.period is not None
    before = one.due_date < one.trigger_date
    yield f"{one.period} {'before' if before else 'after'} that is {_day(one.due_date)}"
    if one.period.endswith(("working day", "working days")) and not before:
        yield from _working_days(one.trigger_date, one.due_date, Duration.parse(one.period).n)


def _working_days(first: datetime.date, last: datetime.date, wanted: int) -> Iterator[str]:
    """The count day by day, with the days left out named; long counts by week."""
    counted, skipped, lines = 0, [], []
    day = first
    while day < last:
        day += datetime.timedelta(days=1)
        if is_working_day(day):
            counted += 1
            lines.append(f"{counted} {day:%a %-d %b}")
        elif day.weekday() < 5:
            skipped.append(f"{day:%a %-d %b %Y}")
    for start in range(0, len(lines), 5) if wanted <= LONG_COUNT else ():
        yield "  " + ", ".join(lines[start : start + 5])
    if skipped:
        yield f"  not counted, besides weekends: bank holidays {', '.join(skipped)}"
    if counted != wanted:
        yield f"  {counted} working days lie between; the due day was moved"


def _day(day: datetime.date) -> str:
    return f"{day:%a} {day.isoformat()}"


def _law(run: Run, rule: Rule, verified: str) -> Iterator[str]:
    instrument = run.rulebook.instruments[rule.instrument]
    yield rule.law
    number = f" ({instrument.number})" if instrument.number else ""
    yield f"{instrument.title}{number}, {rule.provision}"
    link = rule.url or instrument.url
    if link:
        yield link
    yield f"standing: {rule.standing.replace('_', ' ')}; {_verified(verified)}"
    if rule.reading:
        yield f"read as: {rule.reading}"


def _verified(how: str) -> str:
    return {
        "text": "the law's own text was read",
        "secondary": "read in a secondary source, not in the law's own text: not verified",
        "recalled": "recalled, not read: not verified",
    }[how]


def _rows(one: Finding, places: Mapping[int, Evidence], values: Mapping[int, Values]) -> Iterator[SourceRow]:
    """The row that started the duty and the row that decided it."""
    seen: set[int] = set()
    for role, ref in (("started by", one.trigger_ref), ("decided by", one.evidence_ref)):
        if ref and ref in places and ref not in seen:
            seen.add(ref)
            yield SourceRow(role, places[ref].place(), places[ref].table, values.get(ref, ()))


def _values(run: Run, refs: Sequence[int]) -> dict[int, Values]:
    """What each row says, blanks left out."""
    tables = {table.number: table for table in run.evaluation.schema.tables.values()}
    by_table: dict[int, list[int]] = {}
    for ref in refs:
        by_table.setdefault(ref // ROWS_PER_TABLE, []).append(ref)
    found: dict[int, Values] = {}
    for number, wanted in by_table.items():
        found |= _table_values(run, tables[number], wanted)
    return found


def _table_values(run: Run, table: Table, refs: list[int]) -> dict[int, Values]:
    columns = ", ".join(f"t.{name(column)}" for column in table.columns)
    rows = run.evaluation.connection.execute(
        f"SELECT t.row_ref, t.authority, {columns} FROM main.{name(table.name)} AS t"
        " JOIN (SELECT unnest(?::BIGINT[]) AS ref) AS wanted ON wanted.ref = t.row_ref",
        [refs],
    ).fetchall()
    return {ref: tuple(_said(table, authority, row)) for ref, authority, *row in rows}


def _said(table: Table, authority: str, row: Sequence[Any]) -> Iterator[tuple[str, str]]:
    for column, value in zip(table.columns, row, strict=True):
        if value is not None:
            yield column, str(value).replace(f"{authority}/", "")


def _considered(one: Finding) -> Iterator[str]:
    """The exceptions and states that were tested and did not apply, and the variants that there are."""
    body = one.rule.body
    assert isinstance(body, Duty)
    for words in _exceptions(body):
        yield f"exception, does not apply: {words}"
    for variant in getattr(body, "variants", []):
        if variant.title and variant.title != one.variant:
            yield f"variant, does not apply: {variant.title}"
    for phase in getattr(body, "phases", []):
        if phase.title and phase.title != one.variant:
            yield f"phase, does not apply: {phase.title}"
    if one.status != "unknown":
        for state in body.unknown:
            yield f"would be unknown if: {state.because}"


def _exceptions(body: Duty) -> Iterator[str]:
    for exempt in body.exceptions:
        yield exempt.title + (f" ({exempt.provision})" if exempt.provision else "")


def _beside(run: Run, rule: Rule) -> Iterator[str]:
    """Other rules on the same duty, such as the statutory one beside a local one, and why both stand."""
    for other in run.rulebook.rules.values():
        for beside in other.overlaps:
            if beside.rule == rule.id:
                yield _said_beside(other, beside.because)
    for beside in rule.overlaps:
        if beside.rule in run.rulebook.rules:
            yield _said_beside(run.rulebook.rules[beside.rule], beside.because)


def _said_beside(other: Rule, because: str) -> str:
    return f"{other.id}: {other.title} ({other.standing.replace('_', ' ')}); both stand: {because}"


def chain(run: Run, risk: Risk, *, most: int = 20, seen: frozenset[str] = frozenset()) -> Cause:
    """The risk with what caused it, down to the findings."""
    assert run.assessment is not None
    risks = {one.id: one for one in run.assessment.risks}
    ids = [wanted for wanted in risk.because if wanted not in seen]
    under = [wanted for wanted in ids if wanted in risks]
    shown = findings(run.evaluation, Selection(statuses=ANY_STATUS, ids=tuple(ids))) if ids else []
    causes = [chain(run, risks[wanted], most=most, seen=seen | {risk.id}) for wanted in under]
    causes += [_finding_cause(one) for one in shown[:most]]
    known = {*under, *(one.id for one in shown)}
    causes += [_measure_cause(run, wanted) for wanted in ids if wanted not in known]
    if len(shown) > most:
        causes.append(Cause("more", "", f"{len(shown) - most} more findings"))
    return Cause("risk", risk.id, f"{risk.title}: {risk.reason}", tuple(causes))


def _finding_cause(one: Finding) -> Cause:
    who = f"child {one.person_id}" if one.person_id else f"{one.subject_type} {one.subject_id}"
    return Cause("finding", one.id, f"{one.rule.id} {who}: {one.message()}")


def _measure_cause(run: Run, wanted: str) -> Cause:
    """A measure or a tally, in words."""
    first, _, rest = wanted.partition(":")
    rule = run.rulebook.rules.get(first)
    if rule is not None and rule.measure is not None:
        for one in measures(run):
            if f"{one.rule.id}:{one.scope_type}:{one.scope_id}" == wanted.replace(f"{one.authority}/", ""):
                value = "" if one.value is None else f"{one.value:.1f} "
                return Cause("measure", wanted, f"{rule.title}: {value}({one.numerator:g} of {one.denominator:g})")
    title = f"{rule.title}, " if rule is not None else ""
    return Cause("tally", wanted, f"breaches of {title}{first} counted for {rest.replace(':', ' ')}")


def risk_rule_words(rule: Rule) -> str:
    """The patterns of an escalation rule in words."""
    body = rule.body
    assert isinstance(body, Escalation)
    return "; ".join(f"{pattern.name}: {pattern.fact}" for pattern in body.when)


def story_document(one: Story) -> dict[str, Any]:
    """The story as plain data."""
    return {
        "clock": list(one.clock),
        "law": list(one.law),
        "rows": [{"role": row.role, "place": row.place, "table": row.table, "values": dict(row.values)} for row in one.rows],
        "considered": list(one.considered),
        "beside": list(one.beside),
    }


def cause_document(one: Cause) -> dict[str, Any]:
    """The chain as plain data."""
    return {"kind": one.kind, "id": one.id, "words": one.words, "causes": [cause_document(under) for under in one.causes]}
