"""Datasets as a person reads them, and as JSON."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from rich.console import Console

from compliance.dataset.load import Dataset
from compliance.dataset.quality import QualityFinding
from compliance.dataset.remarks import RowRemark
from compliance.outputs.screen import AMBER, BLUE, RED, WIDE, line, row
from compliance.outputs.sources_read import print_sources, sources_document
from compliance.register.data_description import DataDescription


def print_description(console: Console, told: DataDescription) -> None:
    """The tables present, then what is missing and which rules that switches off."""
    wide = not console.is_terminal or console.width >= WIDE
    width = max((len(one.table) for one in told.tables), default=5)
    head = f"{'table':<{width}} {'read':>7} {'loaded':>7} {'rejected':>8}  {'first':<10} {'last':<10} history"
    line(console, (f"{head} source" if wide else head, "bold"))
    for one in told.tables:
        first, last = str(one.first_date or ""), str(one.last_date or "")
        counts = f"{one.table:<{width}} {one.read:>7} {one.loaded:>7} {one.rejected:>8}"
        row(console, f"{counts}  {first:<10} {last:<10} {one.history or '':<7} ", ", ".join(one.sources) if wide else "")
    _missing(console, "Missing tables", told.missing_tables)
    _missing(console, "Missing columns of tables that are present", told.missing_columns)
    for name in told.ignored:
        line(console, f"not used: {name}")
    print_sources(console, told.dataset, at_most=0)
    line(console, (f"{told.rules - told.rules_off} of {told.rules} rules and measures can be evaluated", "bold"))


def _missing(console: Console, title: str, missing: Sequence[tuple[str, tuple[str, ...]]]) -> None:
    if missing:
        line(console, (title, "bold"))
    for name, rules in missing:
        line(console, f"  {name} switches off {len(rules)}: ", (", ".join(rules), "dim"))


def description_document(told: DataDescription) -> dict[str, Any]:
    """What `data describe --format json` gives."""
    return {
        **sources_document(told.dataset),
        "tables": [
            {
                "name": one.table,
                "source": list(one.sources),
                "read": one.read,
                "loaded": one.loaded,
                "rejected": one.rejected,
                "first_date": one.first_date,
                "last_date": one.last_date,
                "history": one.history,
                "columns_missing": list(one.columns_missing),
            }
            for one in told.tables
        ],
        "missing_tables": [{"name": name, "switches_off": list(rules)} for name, rules in told.missing_tables],
        "missing_columns": [{"name": name, "switches_off": list(rules)} for name, rules in told.missing_columns],
        "rules": told.rules,
        "rules_off": told.rules_off,
        "ignored": list(told.ignored),
    }


def print_validation(
    console: Console, dataset: Dataset, said: Sequence[RowRemark], found: Sequence[QualityFinding], *, limit: int
) -> None:
    """Each row set aside, value blanked and impossible fact, as a compiler would print it, and the counts."""
    rejected = [one for one in said if one.kind == "rejected"]
    notices = [one for one in said if one.kind == "notice"]
    _remarks(console, "error", rejected, limit)
    _remarks(console, "note", notices, limit)
    for one in found if limit == 0 else found[:limit]:
        place = _place(one.file, one.sheet, one.row)
        line(
            console,
            (f"{place}: ", "bold"),
            ("warning", AMBER),
            f"[{one.code}] {one.table}.{one.column} {one.key}: {one.message}",
        )
    _left_out(console, len(found), limit, "warnings")
    read = sum(table.read for table in dataset.tables.values())
    loaded = sum(table.loaded for table in dataset.tables.values())
    line(
        console,
        (f"{read} rows read = {loaded} loaded + {read - loaded} rejected; {len(notices)} notes, {len(found)} warnings", "bold"),
    )


def _remarks(console: Console, word: str, said: Sequence[RowRemark], limit: int) -> None:
    for one in said if limit == 0 else said[:limit]:
        where = _place(one.file, one.sheet, one.row)
        column = f".{one.column}" if one.column else ""
        value = f" {one.value!r}:" if one.value is not None else ""
        line(
            console,
            (f"{where}: ", "bold"),
            (word, RED if word == "error" else BLUE),
            f": {one.table}{column}:{value} {one.reason}",
        )
    _left_out(console, len(said), limit, f"{word}s")


def _left_out(console: Console, count: int, limit: int, what: str) -> None:
    if limit and count > limit:
        line(console, (f"  … {count - limit} more {what}: --limit 0", "dim"))


def _place(file: str | None, sheet: str | None, row: int | None) -> str:
    return ":".join(str(part) for part in (file, sheet, row) if part is not None)


def validation_document(dataset: Dataset, said: Sequence[RowRemark], found: Sequence[QualityFinding]) -> dict[str, Any]:
    """What `data validate --format json` gives."""
    tables = dataset.tables.values()
    return {
        "read": sum(table.read for table in tables),
        "loaded": sum(table.loaded for table in tables),
        "rejected": sum(table.rejected for table in tables),
        "remarks": [
            {
                "kind": one.kind,
                "table": one.table,
                "file": one.file,
                "sheet": one.sheet,
                "row": one.row,
                "column": one.column,
                "value": one.value,
                "reason": one.reason,
            }
            for one in said
        ],
        "warnings": [
            {
                "code": one.code,
                "table": one.table,
                "column": one.column,
                "key": one.key,
                "file": one.file,
                "sheet": one.sheet,
                "row": one.row,
                "message": one.message,
            }
            for one in found
        ],
    }
