"""A rulebook compiled: every rule as SQL with the as-of day left open, and the definitions in the order they are made."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from compliance.duties.compiled import Compiled, CompiledDefinition, CompiledMeasure, definitions_in_order

if TYPE_CHECKING:
    from compliance.dataset.schema import Schema
    from compliance.rulebook.load import Rulebook


@dataclass(frozen=True)
class Pack:
    """The compiled duties and measures by rule, and the definitions by name."""

    duties: Mapping[str, Compiled] = field(default_factory=dict)
    measures: Mapping[str, CompiledMeasure] = field(default_factory=dict)
    definitions: Mapping[str, CompiledDefinition] = field(default_factory=dict)

    def in_order(self, names: Iterable[str]) -> tuple[str, ...]:
        """The definitions among the names, and those they rest on, each after what it rests on."""
        return definitions_in_order(self.definitions, names)

    def to_json(self) -> str:
        """The pack as text that `from_json` reads."""
        return json.dumps(
            {
                "duties": [_plain(one) for one in self.duties.values()],
                "measures": [_plain(one) for one in self.measures.values()],
                "definitions": [_plain(one) for one in self.definitions.values()],
            }
        )

    @classmethod
    def from_json(cls, text: str) -> Pack:
        """The pack that `to_json` wrote. Raises ValueError, KeyError or TypeError when the text is not one."""
        data = json.loads(text)
        duties = [Compiled(**_typed(one, "needs", "definitions")) for one in data["duties"]]
        measures = [CompiledMeasure(**_typed(one, "needs", "definitions")) for one in data["measures"]]
        definitions = [CompiledDefinition(**_typed(one, "reads", "rests_on")) for one in data["definitions"]]
        return cls(
            {one.rule: one for one in duties},
            {one.rule: one for one in measures},
            {one.name: one for one in definitions},
        )


def _plain(one: Compiled | CompiledMeasure | CompiledDefinition) -> dict[str, Any]:
    """The fields, sets in order."""
    return {name: sorted(value) if isinstance(value, frozenset) else value for name, value in vars(one).items()}


def _typed(data: dict[str, Any], needs: str, names: str) -> dict[str, Any]:
    typed = {**data, needs: frozenset((table, column) for table, column in data[needs]), names: tuple(data[names])}
    if "codes" in data:
        typed["codes"] = frozenset((table, column, tuple(codes)) for table, column, codes in data["codes"])
    typed |= {name: tuple(data[name]) for name in ("counts", "by", "said", "optional", "found") if name in data}
    if "doubts" in data:
        typed["doubts"] = tuple((said, when, says) for said, when, says in data["doubts"])
    return typed


def compile_pack(
    schema: Schema, rulebook: Rulebook, latest_only: frozenset[str] = frozenset(), limited: frozenset[str] = frozenset()
) -> Pack:
    """The rulebook compiled for data in which these tables hold only the latest event, or one stretch of time.

    Raises RuleFileError with the position of the first thing wrong in a rule.
    """
    from compliance.duties.compiler import Workbench
    from compliance.duties.measures import compile_measure
    from compliance.duties.validate import with_position

    bench = Workbench(schema, rulebook, latest_only, limited)
    duties = {rule.id: with_position(bench.compile, rulebook, rule) for rule in rulebook.duties}
    measures = {
        rule.id: with_position(lambda one: compile_measure(bench, one), rulebook, rule) for rule in rulebook.of_kind("measure")
    }
    for rule in rulebook.of_kind("escalation"):
        with_position(bench.compile_facts, rulebook, rule)
    return Pack(duties, measures, dict(bench.definitions))
