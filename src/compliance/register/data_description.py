"""What a dataset holds and, for each table or column that is missing, the rules it switches off."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable
from dataclasses import dataclass

from compliance.dataset.load import Dataset
from compliance.dataset.quality import TableDescription, describe
from compliance.dataset.schema import Schema
from compliance.duties.evaluate import Available
from compliance.duties.pack import Pack, compile_pack
from compliance.rulebook.load import Rulebook
from compliance.run import available_in


@dataclass(frozen=True)
class DataDescription:
    """The tables that are present, those that are not with the rules they switch off, the files not used, and the dataset."""

    tables: tuple[TableDescription, ...]
    missing_tables: tuple[tuple[str, tuple[str, ...]], ...]
    missing_columns: tuple[tuple[str, tuple[str, ...]], ...]
    rules: int
    rules_off: int
    ignored: tuple[str, ...]
    dataset: Dataset


Packs = Callable[[Schema, Rulebook, frozenset[str], frozenset[str]], Pack]


def data_description(dataset: Dataset, rulebook: Rulebook, packs: Packs = compile_pack) -> DataDescription:
    """The description of a dataset for a rulebook; `packs` compiles it, or finds it compiled."""
    available = available_in(dataset)
    pack = packs(dataset.schema, rulebook, available.latest_only, available.limited)
    off = _switched_off(pack, available)
    tables: dict[str, set[str]] = defaultdict(set)
    columns: dict[str, set[str]] = defaultdict(set)
    for rule, needs in off.items():
        for need in needs:
            table = need.partition(".")[0]
            (columns if dataset.tables[table].present else tables)[need if dataset.tables[table].present else table].add(rule)
    return DataDescription(
        tables=tuple(describe(dataset)),
        missing_tables=_listed(tables),
        missing_columns=_listed(columns),
        rules=len(rulebook.duties) + len(rulebook.of_kind("measure")),
        rules_off=len(off),
        ignored=dataset.ignored,
        dataset=dataset,
    )


def _listed(found: dict[str, set[str]]) -> tuple[tuple[str, tuple[str, ...]], ...]:
    return tuple((name, tuple(sorted(rules))) for name, rules in sorted(found.items()))


def _switched_off(pack: Pack, available: Available) -> dict[str, tuple[str, ...]]:
    """The rules that cannot be evaluated, with what each of them lacks."""
    lacking = {name: available.missing_for(one) for name, one in pack.duties.items()}
    lacking |= {name: available.missing_for(one) for name, one in pack.measures.items()}
    return {rule: missing for rule, missing in lacking.items() if missing}
