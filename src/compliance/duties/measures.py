"""Measures: a number over a set of duties or rows, always with its numerator and denominator."""

from __future__ import annotations

from compliance.calendar import Duration
from compliance.duties.compiled import CompiledMeasure, Need
from compliance.duties.compiler import Workbench, is_optional
from compliance.duties.coverage import tables_of
from compliance.duties.expressions import Bound, bind
from compliance.duties.held import checked
from compliance.duties.periods import Length, backward
from compliance.duties.sources import Source, literal, quoted
from compliance.rulebook.model import Measure, Rule

DUTY_COLUMNS = {
    "status": "VARCHAR",
    "subject_id": "VARCHAR",
    "person_id": "VARCHAR",
    "carer_id": "VARCHAR",
    "worker_id": "VARCHAR",
    "team_id": "VARCHAR",
    "service": "VARCHAR",
    "authority": "VARCHAR",
    "variant": "VARCHAR",
    "trigger_date": "DATE",
    "due_date": "DATE",
    "done_date": "DATE",
    "ceased_date": "DATE",
    "days_over": "BIGINT",
    "value": "DOUBLE",
    "bound": "DOUBLE",
    "row_ref": "BIGINT",
}


def duties_source(rule: str) -> Source:
    """The duties of a rule as something a measure can count."""
    relation = f"(SELECT *, trigger_ref AS row_ref FROM duties WHERE rule = {literal(rule)})"
    return Source(name=rule, relation=relation, columns=DUTY_COLUMNS, key=("subject_id",), subject="duty", is_table=False)


class MeasureCompiler:
    """Compiles one measure; expressions are remembered with what they read."""

    def __init__(self, bench: Workbench, rule: Rule) -> None:
        body = rule.body
        assert isinstance(body, Measure)
        self.bench, self.rule, self.body = bench, rule, body
        self.is_of_rule = body.of in bench.rulebook.rules
        self.source = duties_source(body.of) if self.is_of_rule else bench.source(body.of)
        self.reads: set[Need] = set(self.source.reads)

    def bind(self, text: str, *, condition: bool = False) -> Bound:
        """An expression over the rows that are counted."""
        bound = bind(text, self.source, "m", condition=condition)
        self.reads |= bound.reads
        return bound

    def amount(self, text: str | None) -> str:
        """SQL of what each row adds: 1 where a condition holds, or the value of an expression."""
        if text is None:
            return "1"
        bound = self.bind(text)
        return f"CASE WHEN {bound.sql} THEN 1 ELSE 0 END" if bound.type == "BOOLEAN" else f"coalesce({bound.sql}, 0)"

    def compile(self) -> CompiledMeasure:
        """The measure as SQL: one row for each thing counted, with what it adds and whom it is about."""
        where = [self.bind(self.body.where, condition=True).sql] if self.body.where else []
        where += self._window()
        definitions = () if self.is_of_rule else self.bench.in_order([self.body.of])
        sql = f"""SELECT {literal(self.rule.id)} AS measure, m.authority,
  {self._column("worker_id", self.body.worker)} AS worker_id, {self._column("team_id", self.body.team)} AS team_id,
  {self._column("person_id")} AS person_id, {self._column("carer_id")} AS carer_id,
  {self.amount(self.body.numerator)} AS numerator, {self.amount(self.body.denominator)} AS denominator
FROM {self.source.relation} AS m
WHERE {" AND ".join(f"({part})" for part in where) or "TRUE"}"""
        return CompiledMeasure(
            self.rule.id,
            sql,
            frozenset(need for need in self.reads if not is_optional(need, self.rule.optional)),
            definitions,
            self.body.of if self.is_of_rule else None,
            self._withheld(),
            () if self.is_of_rule else tuple(sorted(tables_of(self.source))),
            self.source.code_needs,
            tuple(dict.fromkeys(self.body.by)),
            checked([*self.rule.needs, *self.source.unsure_without], self.bench.schema),
            self.bench.optional(self.rule.optional, definitions),
        )

    def _withheld(self) -> str | None:
        """Why the measure cannot be had from data that holds only the latest events: it would count those alone."""
        source = self.source
        if self.is_of_rule:
            counted = self.bench.rulebook.rules[self.body.of]
            if counted.recurring is None:
                return None
            source = self.bench.source(counted.recurring.event.table)
        elif source.is_table:
            return None
        latest = sorted(self.bench.latest_only & set(source.history_of))
        return f"{', '.join(latest)} holds only the latest event" if latest else None

    def _column(self, name: str, said: str | None = None) -> str:
        if said is not None:
            return self.bind(said).sql
        return f"m.{quoted(name)}" if name in self.source.columns else "CAST(NULL AS VARCHAR)"

    def _window(self) -> list[str]:
        """SQL that keeps rows dated within the window that ends on the as-of day."""
        if self.body.date is None:
            return []
        bound = self.bind(self.body.date)
        day = f"CAST({bound.sql} AS DATE)"
        today = self.bench.context().today
        if self.body.window == "none":
            return [f"{day} <= {today}"]
        first = backward(today, Length.of(Duration.parse(self.body.window)))
        return [f"{day} > {first}", f"{day} <= {today}"]


def compile_measure(bench: Workbench, rule: Rule) -> CompiledMeasure:
    """The measure as SQL."""
    return MeasureCompiler(bench, rule).compile()
