"""Rules to SQL: one function a kind, and what each rule needs of the data."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field

from sqlglot import exp

from compliance.dataset.known import LATER
from compliance.dataset.schema import Schema
from compliance.duties.compiled import BUILT_IN_FACTS, FACT, CodeNeed, Compiled, CompiledDefinition, Need, definitions_in_order
from compliance.duties.context import Context
from compliance.duties.deadline import deadline
from compliance.duties.expressions import bind, compared_codes
from compliance.duties.frame import Frame
from compliance.duties.held import DOUBTED, Doubt, checked
from compliance.duties.limit import limit
from compliance.duties.presence import presence
from compliance.duties.recurring import recurring
from compliance.duties.sequence import sequence
from compliance.duties.sources import ALL_AUTHORITIES, Source, authorities_source, quoted, table_source
from compliance.duties.status import FOUND
from compliance.errors import EngineError, RuleFileError
from compliance.rulebook import conditions
from compliance.rulebook.diagnostics import nearest_help
from compliance.rulebook.load import Rulebook
from compliance.rulebook.model import Definition, Duty, Escalation, Rule

KINDS: Mapping[str, Callable[[Frame], str]] = {
    "deadline": deadline,
    "recurring": recurring,
    "limit": limit,
    "presence": presence,
    "sequence": sequence,
}
RUN = "run"
_AFTER_FROM = re.compile(r'\b(?:from|join)\s+"?([a-z_][a-z0-9_]*)', re.IGNORECASE)


@dataclass
class Workbench:
    """Compiles the rules and definitions of a rulebook; each definition is parsed once, when first needed.

    A workbench made from a `known` one shares its definitions.
    """

    schema: Schema
    rulebook: Rulebook
    latest_only: frozenset[str] = frozenset()
    limited: frozenset[str] = frozenset()
    known: Workbench | None = None
    definitions: dict[str, CompiledDefinition] = field(default_factory=dict)
    _sources: dict[str, Source] = field(default_factory=dict)
    _open: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        if self.known is not None:
            self.definitions, self._sources = self.known.definitions, self.known._sources

    def source(self, name: str) -> Source:
        """The table or definition of that name. Raises EngineError when there is none."""
        if name not in self._sources:
            self._sources[name] = self._make(name)
        return self._sources[name]

    def _make(self, name: str) -> Source:
        if name == ALL_AUTHORITIES:
            return authorities_source()
        if name in self.schema.tables:
            return table_source(self.schema.tables[name], self.schema)
        if name in self.rulebook.definitions:
            return self._define(self.rulebook.definitions[name])
        raise UnknownSource(name, sorted([*self.schema.tables, *self.rulebook.definitions, ALL_AUTHORITIES]))

    def _define(self, definition: Definition) -> Source:
        if definition.id in self._open:
            raise EngineError(f"definitions go round in a circle: {' -> '.join([*self._open, definition.id])}")
        self._open.append(definition.id)
        try:
            return self._defined(definition)
        finally:
            self._open.pop()

    def _defined(self, definition: Definition) -> Source:
        named = set(_AFTER_FROM.findall(definition.sql)) & (self.rulebook.definitions.keys() - {definition.id})
        under = {name: self.source(name) for name in sorted(named)}
        tables: dict[str, Mapping[str, str]] = {name: _with_later(source) for name, source in self._tables().items()}
        tables |= {name: source.columns for name, source in under.items()}
        tables[RUN] = {"as_of": "DATE"}
        try:
            parsed = conditions.parse_definition(definition.sql, tables)
        except conditions.ConditionError as error:
            error.text = definition.sql
            raise
        rests_on = tuple(sorted({table for table, _ in parsed.reads} & under.keys()))
        reads = self._base_reads(parsed.reads, definition, under)
        renamed = conditions.rename_tables(parsed, self._relations(under))
        self.definitions[definition.id] = CompiledDefinition(definition.id, conditions.to_sql(renamed), rests_on, reads)
        history = {*definition.history, *(table for name in rests_on for table in under[name].history_of)}
        return Source(
            name=definition.id,
            relation=f"defined.{quoted(definition.id)}",
            columns=parsed.types,
            key=tuple(definition.key),
            subject=definition.subject or definition.id.replace("_", " ").rstrip("s"),
            is_table=False,
            reads=reads,
            history_of=tuple(sorted(history)),
            rests_on=rests_on,
            code_needs=self._code_needs(parsed.expression, under),
            unsure_without=frozenset(checked(definition.unsure_without, self.schema)).union(
                *(source.unsure_without for source in under.values())
            ),
        )

    def _code_needs(self, query: conditions.Expression, under: Mapping[str, Source]) -> frozenset[CodeNeed]:
        """The codes that a definition looks for, by table and column, and those of the definitions it rests on."""
        tables = {table.alias_or_name: table.name for table in query.find_all(exp.Table)}
        wanted: dict[tuple[str, str], set[str]] = {}
        for part in query.find_all(exp.EQ, exp.In):
            found = compared_codes(part)
            table = tables.get(part.this.table) if found else None
            if found and table and table in self.schema.tables and found[0] in self.source(table).codes:
                wanted.setdefault((table, found[0]), set()).update(found[1])
        own = {(table, column, tuple(sorted(codes))) for (table, column), codes in wanted.items()}
        return frozenset(own.union(*(source.code_needs for source in under.values())))

    def _tables(self) -> dict[str, Source]:
        for name in (*self.schema.tables, ALL_AUTHORITIES):
            self.source(name)
        return {name: source for name, source in self._sources.items() if source.is_table}

    def _relations(self, under: Mapping[str, Source]) -> dict[str, str]:
        relations = {name: f"known.{name}" for name in (*self.schema.tables, RUN, ALL_AUTHORITIES)}
        return relations | {name: f"defined.{name}" for name in under}

    def _base_reads(self, reads: Iterable[Need], definition: Definition, under: Mapping[str, Source]) -> frozenset[Need]:
        base: set[Need] = set()
        for table, column in reads:
            if table in under:
                base |= under[table].reads
            elif table not in (RUN, ALL_AUTHORITIES) and column not in ("authority", "row_ref"):
                base.add((table, column.removesuffix(LATER)))
        return frozenset(need for need in base if not is_optional(need, [*definition.optional, *definition.unsure_without]))

    def context(self) -> Context:
        """What the kinds' compilers share."""
        return Context(_Sources(self), self.rulebook.parameters, self.latest_only, self.limited)

    def compile(self, rule: Rule) -> Compiled:
        """A duty rule as SQL. Raises ConditionError or EngineError when the rule cannot be compiled."""
        body = rule.body
        assert isinstance(body, Duty)
        frame = Frame(self.context(), rule, body)
        sql = KINDS[rule.kind](frame)
        doubts = self._doubts(rule, frame.unsure_without)
        optional = [*rule.optional, *(said for said, _, _ in doubts)]
        needs = frozenset(need for need in frame.reads if not is_optional(need, optional))
        definitions, said = self.in_order(frame.sources_used), checked(rule.needs, self.schema)
        spared = self.optional(optional, definitions)
        return Compiled(rule.id, sql, needs, definitions, frozenset(frame.codes), said, doubts, spared, frame.found)

    def optional(self, own: Iterable[str], definitions: Iterable[str]) -> tuple[str, ...]:
        """What can be done without, in words, in order: a rule's own, and what the definitions that it rests on call so."""
        under = (one for name in definitions for one in self.rulebook.definitions[name].optional)
        return checked([*own, *under], self.schema)

    def _doubts(self, rule: Rule, inherited: Iterable[str]) -> tuple[Doubt, ...]:
        """What the data must hold for a breach to be one, with SQL of which duties; a rule's own word goes first."""
        found = Source(name=rule.id, relation="", columns=FOUND, key=(), subject="duty", is_table=False)
        own: list[Doubt] = []
        for one in rule.unsure_without:
            if isinstance(one, str):
                own.append((one, "", ""))
            else:
                when = bind(one.when, found, DOUBTED, condition=True).sql
                own += [(said, when, one.says or "") for said in one.words]
        named = set(checked((said for said, _, _ in own), self.schema))
        return tuple(sorted([*own, *((said, "", "") for said in inherited if said not in named)]))

    def in_order(self, names: Iterable[str]) -> tuple[str, ...]:
        """The definitions among the names, and those they rest on, each after what it rests on."""
        return definitions_in_order(self.definitions, names)

    def compile_facts(self, rule: Rule) -> None:
        """Compiles the definitions `fact_<kind>` that an escalation rule reads. Raises RuleFileError when one is missing."""
        body = rule.body
        assert isinstance(body, Escalation)
        for pattern in body.when:
            if pattern.fact not in BUILT_IN_FACTS:
                self.source(FACT + pattern.fact)


def _with_later(source: Source) -> dict[str, str]:
    """A table's columns with `<column>__later` beside each date that may lie after the as-of day."""
    return {**source.columns, **{column + LATER: "BOOLEAN" for column in sorted(source.may_be_later)}}


class UnknownSource(RuleFileError):
    """A rule names a table or definition that does not exist."""

    def __init__(self, name: str, known: list[str]) -> None:
        super().__init__(f"no table or definition is called {name}", help=nearest_help(name, known, "table or definition"))
        self.name = name


class _Sources(Mapping[str, Source]):
    """The workbench's sources as a mapping that makes each when it is first asked for."""

    def __init__(self, bench: Workbench) -> None:
        self.bench = bench

    def __getitem__(self, name: str) -> Source:
        return self.bench.source(name)

    def __iter__(self):  # type: ignore[no-untyped-def]
        return iter(self.bench.rulebook.definitions)

    def __len__(self) -> int:
        return len(self.bench.rulebook.definitions)


def is_optional(need: Need, optional: Iterable[str]) -> bool:
    """Whether the rule says that it can do without this table or column."""
    table, column = need
    return table in optional or f"{table}.{column}" in optional
