"""The rows a duty is owed on: the common first half of every duty rule's SQL."""

from __future__ import annotations

from collections.abc import Container, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Protocol

from compliance.duties.compiled import NUMBERED, SUBJECT, CodeNeed, Need
from compliance.duties.context import Context
from compliance.duties.coverage import Cover, cover_of
from compliance.duties.expressions import Bound, all_of, bind
from compliance.duties.sources import ALL_AUTHORITIES, OWN, Source, literal, quoted
from compliance.rulebook.conditions import Expect
from compliance.rulebook.model import Duty, Event, Exists, Rule

OWED = "o"
BLANK = "CAST(NULL AS "
"""How the SQL of what is not there begins."""
NOTHING = f"{BLANK}VARCHAR)"
"""SQL of a text that is not there."""


@dataclass(frozen=True)
class Owed:
    """The CTE `owed`: one numbered row for each duty or span, with its trigger, end and reason to be unknown."""

    number: str
    own: tuple[str, ...]
    made: Mapping[str, str]
    rest: str

    def carried(self, name: str) -> str:
        """The column of that name where it holds anything, else a blank."""
        return name if name in self.made else NOTHING

    def sql(self, wanted: Container[str]) -> str:
        """The CTE, with those of the subject's own columns that are wanted, under their own_ names."""
        own = [f"{SUBJECT}.{quoted(name)} AS {quoted(OWN + name)}" for name in self.own if OWN + name in wanted]
        made = [f"{sql} AS {name}" for name, sql in self.made.items()]
        return "owed AS (\n    SELECT " + ",\n      ".join([f"{self.number} AS n", *own, *made]) + f"\n    {self.rest}\n  )"


@dataclass
class Frame:
    """A rule's subject rows, and what its SQL has read so far."""

    context: Context
    rule: Rule
    body: Duty
    source: Source = field(init=False)
    reads: set[Need] = field(default_factory=set)
    codes: set[CodeNeed] = field(default_factory=set)
    sources_used: set[str] = field(default_factory=set)
    unsure_without: set[str] = field(default_factory=set)
    found: tuple[str, ...] = ()
    """The columns of what is found that its SELECT has; the others are blank."""

    def __post_init__(self) -> None:
        self.source = self.use(self.body.of)

    @cached_property
    def cover(self) -> Cover:
        """The tables the rule rests on that hold one stretch of time only."""
        named = [getattr(self.body, key, None) for key in ("event", "exists")]
        events = [self.context.source(one.table) for one in named if one is not None]
        return cover_of(self.context.limited, self.source, events)

    def use(self, name: str) -> Source:
        """The source of that name, remembered as used."""
        source = self.context.source(name)
        self.sources_used.add(name)
        if not source.is_table:
            self.reads |= source.reads
            self.codes |= source.code_needs
            self.unsure_without |= source.unsure_without
        return source

    def bind(self, text: str, alias: str = SUBJECT, *, condition: bool = False, expect: Expect | None = None) -> Bound:
        """An expression over the subject row; what it reads is remembered."""
        bound = bind(text, self.source, alias, condition=condition, expect=expect)
        self.reads |= bound.reads
        return bound

    def condition(self, text: str | None, alias: str = SUBJECT) -> str:
        """A condition over the subject row as SQL; TRUE when there is none."""
        return self.bind(text, alias, condition=True).sql if text else "TRUE"

    def as_date(self, text: str, alias: str = SUBJECT) -> str:
        """A value over the subject row as a day."""
        bound = self.bind(text, alias)
        return f"CAST({bound.sql} AS DATE)" if bound.type == "TIMESTAMP" else bound.sql

    def optional_column(self, name: str) -> str:
        """A column of the subject row when it has one, else NULL."""
        if name not in self.source.columns:
            return NOTHING
        return f"{SUBJECT}.{quoted(name)}"

    def key(self) -> tuple[str, ...]:
        """The columns that identify the subject."""
        key = tuple(self.body.key or self.source.key)
        for name in key:
            self.reads |= self.source.reading(name)
        return key

    def owed(self, trigger: str, *, more: Mapping[str, str] | None = None, extra_where: tuple[str, ...] = ()) -> Owed:
        """The rows that the duty is owed on, with its trigger and `more` columns."""
        wheres = [self.condition(self.body.where), *self._exceptions(), *self._not_later(), *extra_where]
        wheres.append(f"({trigger}) IS NULL OR ({trigger}) <= {self.context.today}")
        made = {"trigger_date": trigger, "ceased_date": self._ceases(), "subject_id": self._subject_id()}
        carried = {"duty_worker": self._worker(), "duty_team": self._team()}
        carried |= {"owner_unknown": self._because(), "duty_note": self._notes()}
        made |= {name: sql for name, sql in carried.items() if sql != NOTHING} | self.cover.columns() | dict(more or {})
        rest = (
            f"FROM {self.source.relation} AS {SUBJECT}{self.cover.join(SUBJECT)}"
            f"\n    WHERE {all_of([where for where in wheres if where != 'TRUE'])}"
        )
        return Owed(self._number(), tuple(self.source.columns), made, rest)

    def _number(self) -> str:
        """SQL that tells the rows apart: those of a table have a reference of their own, and councils their code."""
        if self.source.name == ALL_AUTHORITIES:
            return f"{SUBJECT}.authority"
        return f"{SUBJECT}.row_ref" if self.source.is_table else NUMBERED

    def unknown(self, *cases: str) -> str:
        """SQL of the first reason why the duty cannot be decided: the rule's own, then these cases; NULL where none is so."""
        own = [] if self._because() == NOTHING else ["WHEN owner_unknown IS NOT NULL THEN owner_unknown"]
        return f"CASE {' '.join([*own, *(case for case in cases if case)])} END"

    def remarks(self, *more: str) -> str:
        """SQL of the rule's own remarks and these, in one text."""
        own = [] if self._notes() == NOTHING else ["duty_note"]
        parts = [*own, *(part for part in more if part != NOTHING)]
        return f"concat_ws('; ', {', '.join(parts)})" if parts else NOTHING

    def _exceptions(self) -> list[str]:
        return [f"NOT coalesce({self.condition(exempt.when)}, FALSE)" for exempt in self.body.exceptions]

    def _not_later(self) -> list[str]:
        """Conditions that leave out rows whose trigger is not yet known: a day after the as-of day makes no duty."""
        if not self.source.is_table:
            return []
        columns = bind(self.body.trigger, self.source, SUBJECT).columns
        dated = [name for name in columns if name in self.source.may_be_later]
        return [f"NOT coalesce({SUBJECT}.{quoted(name + '__later')}, FALSE)" for name in dated]

    def _ceases(self) -> str:
        return self.as_date(self.body.ceases) if self.body.ceases else "CAST(NULL AS DATE)"

    def _subject_id(self) -> str:
        parts = [f"coalesce({SUBJECT}.{quoted(name)}, '')" for name in self.key()]
        return " || ':' || ".join(parts)

    def _worker(self) -> str:
        if self.body.worker:
            return self.bind(self.body.worker).sql
        return self.optional_column("worker_id") if self.key() == ("worker_id",) else NOTHING

    def _team(self) -> str:
        if self.body.team:
            return self.bind(self.body.team).sql
        own = self.key() in (("worker_id",), ("team_id",))
        return self.optional_column("team_id") if own else NOTHING

    def _because(self) -> str:
        """SQL of why the duty cannot be decided, or NULL."""
        if self._rests_on_latest():
            return literal("only the latest event is held: it cannot be told from what came before")
        cases = [f"WHEN {self.condition(one.when)} THEN {literal(one.because)}" for one in self.body.unknown]
        return f"CASE {' '.join(cases)} END" if cases else NOTHING

    def _rests_on_latest(self) -> bool:
        """Whether a definition that reads a history is given only the latest events; gaps are judged all the same."""
        is_history = not self.source.is_table and self.rule.recurring is None
        return is_history and self.context.holds_only_latest(self.source)

    def _notes(self) -> str:
        cases = [f"CASE WHEN {self.condition(one.when)} THEN {literal(one.says)} END" for one in self.body.notes]
        return f"nullif(concat_ws('; ', {', '.join(cases)}), '')" if cases else NOTHING

    def matching(self, event: Event | Exists, source: Source, alias: str) -> str:
        """SQL that joins rows of another source to the owed row: equal columns, and equal where the row names one at all."""
        parts = []
        for theirs, ours in _pairs(event.match, self._default_match(source)):
            self._read_pair(source, theirs, ours)
            parts.append(f"{alias}.{quoted(theirs)} = {OWED}.{quoted(OWN + ours)}")
        for theirs, ours in _pairs(event.names or [], []):
            self._read_pair(source, theirs, ours)
            parts.append(f"({alias}.{quoted(theirs)} IS NULL OR {alias}.{quoted(theirs)} = {OWED}.{quoted(OWN + ours)})")
        return " AND ".join(parts)

    def _read_pair(self, source: Source, theirs: str, ours: str) -> None:
        self.reads |= source.reading(theirs) | self.source.reading(ours)

    def _default_match(self, source: Source) -> list[str]:
        for name in ("person_id", "carer_id", "worker_id"):
            if name in source.columns and name in self.source.columns:
                return [name]
        shared = [name for name in self.key() if name in source.columns]
        return shared or ["authority"]

    def event_condition(self, text: str | None, source: Source, alias: str) -> str:
        """A condition over the event row, which may speak of the subject's columns as `subject.column`."""
        if text is None:
            return "TRUE"
        bound = bind(text, source, alias, condition=True, subject=self.source, subject_alias=OWED)
        self.reads |= bound.reads
        self.codes |= bound.codes
        return bound.sql


def _pairs(match: list[str] | dict[str, str] | None, default: list[str]) -> list[tuple[str, str]]:
    if match is None:
        match = default
    if isinstance(match, dict):
        return list(match.items())
    return [(name, name) for name in match]


class Compiler(Protocol):
    """A rule kind's compiler: the SELECT that gives the rule's duties."""

    def __call__(self, frame: Frame) -> str: ...
