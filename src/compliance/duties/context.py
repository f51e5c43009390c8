"""What the compilers of all rule kinds share: sources, parameters, the as-of day, and which tables hold not all of history."""

from __future__ import annotations

import datetime
from collections.abc import Mapping
from dataclasses import dataclass, field

from compliance.calendar import Duration
from compliance.duties.compiled import AS_OF_MARK, Need
from compliance.duties.expressions import bind
from compliance.duties.parameters import versions
from compliance.duties.periods import Branch, Length, Periods, within_version
from compliance.duties.sources import Source
from compliance.errors import EngineError
from compliance.rulebook.model import Computed, Parameter, Rule, Variant


@dataclass(frozen=True)
class Context:
    """One run's view of the rulebook and the data."""

    sources: Mapping[str, Source]
    parameters: Mapping[str, Parameter] = field(default_factory=dict)
    latest_only: frozenset[str] = frozenset()
    limited: frozenset[str] = frozenset()

    @property
    def today(self) -> str:
        """The as-of day as SQL: a mark that the run fills in."""
        return AS_OF_MARK

    def source(self, name: str) -> Source:
        """The table or definition of that name. Raises EngineError when the rulebook let an unknown one through."""
        return self.sources[name]

    def parameter(self, rule: Rule, name: str) -> Parameter:
        """A parameter of the rule, or one shared by all rules."""
        found = rule.parameters.get(name) or self.parameters.get(name)
        if found is None:
            raise EngineError(f"{rule.id}: no parameter is called {name}")
        return found

    def holds_only_latest(self, source: Source) -> bool:
        """Whether the events of a source are only the newest ones."""
        return any(table in self.latest_only for table in source.history_of)


class PeriodCompiler:
    """Flattens the period of a rule, its variants and their dated versions into branches over one row and anchor day."""

    def __init__(self, context: Context, rule: Rule, source: Source, alias: str, anchor: str) -> None:
        self.context, self.rule, self.source, self.alias, self.anchor = context, rule, source, alias, anchor
        self.reads: set[Need] = set()
        self.branches: list[Branch] = []

    def add(
        self,
        period: str | Computed,
        *,
        when: str | None = None,
        also: str | None = None,
        label: str | None = None,
        extra: Mapping[str, str] | None = None,
    ) -> None:
        """One variant: `when` is a condition of the rule file, `also` SQL that must hold too."""
        conditions = [also] if also else []
        if when is not None:
            bound = bind(when, self.source, self.alias, condition=True, extra=extra)
            self.reads |= bound.reads
            conditions.append(bound.sql)
        for length, first, last, dated in self._lengths(period):
            version = within_version(self.anchor, first, last)
            parts = [*conditions, *([version] if version else [])]
            self.branches.append(Branch(" AND ".join(f"({part})" for part in parts) or None, length, label, dated))

    def _lengths(
        self, period: str | Computed
    ) -> list[tuple[Length, datetime.date | None, datetime.date | None, datetime.date | None]]:
        if isinstance(period, Computed):
            bound = bind(period.n, self.source, self.alias)
            self.reads |= bound.reads
            return [(Length(period.unit, bound.sql), None, None, None)]
        if period[0].isdigit():
            return [(Length.of(Duration.parse(period)), None, None, None)]
        dated = versions(self.context.parameter(self.rule, period))
        always = datetime.date(1990, 1, 1)
        return [
            (Length.of(Duration.parse(str(value.value))), None if value.from_ <= always else value.from_, last, value.from_)
            for value, last in dated
        ]

    def add_variants(self, variants: list[Variant], default: str | Computed | None) -> None:
        """The variants in order, then the default."""
        for variant in variants:
            period = variant.within or default
            if period is not None:
                self.add(period, when=variant.when, label=variant.title)
        if default is not None:
            self.add(default)

    def done(self) -> Periods:
        """The branches so far."""
        return Periods(tuple(self.branches), frozenset(self.reads))
