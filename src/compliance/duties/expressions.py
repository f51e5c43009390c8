"""SQL text of the conditions and values that rules are written in, bound to the row they speak of."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from sqlglot import exp

from compliance.duties.compiled import AS_OF_MARK, CodeNeed
from compliance.duties.sources import OWN, Source
from compliance.rulebook import conditions

Reads = frozenset[tuple[str, str]]
CARRIED = frozenset({"o", "g"})
"""Aliases of steps that carry the subject's columns under their own_ names."""
AS_OF = "as_of"


@dataclass(frozen=True)
class Bound:
    """An expression as SQL over an alias, the type it gives where known, and what it reads."""

    sql: str
    reads: Reads
    type: str | None = None
    columns: tuple[str, ...] = ()
    codes: frozenset[CodeNeed] = frozenset()


def bind(
    text: str,
    source: Source,
    alias: str,
    *,
    condition: bool = False,
    expect: conditions.Expect | None = None,
    extra: Mapping[str, str] | None = None,
    aggregates: bool = False,
    subject: Source | None = None,
    subject_alias: str = "o",
) -> Bound:
    """The expression over `alias`. `extra` names columns that the compiler adds beside the source's own.

    Where a `subject` is given, its columns may be named as `subject.column`.

    Raises conditions.ConditionError when the text is not an allowed expression over those columns.
    """
    columns = {**source.columns, **(extra or {}), AS_OF: "DATE"}
    qualifiers = {"subject": subject.columns} if subject else {}
    shared: dict[str, Any] = {"qualifiers": qualifiers, "codes": source.codes, "allow_aggregates": aggregates}
    try:
        if condition:
            parsed = conditions.parse_condition(text, columns, **shared)
        else:
            parsed = conditions.parse_scalar(text, columns, expect=expect, **shared)
    except conditions.ConditionError as error:
        error.text = text
        raise
    used = conditions.columns_used(parsed)
    names = sorted(column for qualifier, column in used if not qualifier)
    reads: Reads = frozenset().union(
        *(source.reading(name) for name in names if name in source.columns),
        *(subject.reading(column) for qualifier, column in used if qualifier and subject),
    )
    owned = {"subject"} | ({""} if alias in CARRIED else set())
    sql = conditions.to_sql(_qualified(parsed, {"": alias, "subject": subject_alias}, owned, frozenset(extra or ())))
    looked_for = codes_looked_for(parsed, source) if condition else frozenset()
    return Bound(sql, reads, conditions.type_of(parsed), tuple(names), looked_for)


def codes_looked_for(parsed: conditions.Expression, source: Source) -> frozenset[CodeNeed]:
    """The codes without which a condition over a table can never hold: of the parts that must all hold."""
    if not source.is_table:
        return frozenset()
    parts = parsed.flatten() if isinstance(parsed, exp.And) else [parsed]
    found = [compared_codes(part.unnest()) for part in parts]
    return frozenset((source.name, column, codes) for column, codes in filter(None, found) if column in source.codes)


def compared_codes(part: conditions.Expression) -> tuple[str, tuple[str, ...]] | None:
    """The column and the texts of `column = 'x'` or `column IN ('x', 'y')`, else nothing."""
    if isinstance(part, exp.EQ) and isinstance(part.this, exp.Column) and isinstance(part.expression, exp.Literal):
        return part.this.name, (part.expression.name,)
    if isinstance(part, exp.In) and isinstance(part.this, exp.Column) and part.expressions:
        return part.this.name, tuple(sorted(one.name for one in part.expressions if isinstance(one, exp.Literal)))
    return None


def _qualified(
    parsed: conditions.Expression, aliases: Mapping[str, str], owned: set[str], made: frozenset[str]
) -> conditions.Expression:
    """The same expression with every column said to be of its alias; the as-of day becomes a mark that the run fills in."""
    copy = parsed.copy()
    for column in list(copy.find_all(exp.Column)):
        if column.name == AS_OF and not column.table:
            column.this.replace(exp.to_identifier(AS_OF_MARK.strip('"'), quoted=True))
        else:
            if column.table in owned and column.name not in made:
                column.this.replace(exp.to_identifier(OWN + column.name, quoted=True))
            column.set("table", exp.to_identifier(aliases[column.table], quoted=True))
    return copy


def all_of(conditions_sql: list[str]) -> str:
    """Conditions that must all hold; TRUE when there are none."""
    return " AND ".join(f"({one})" for one in conditions_sql) or "TRUE"
