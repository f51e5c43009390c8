"""The SQL that makes typed rows of staged text: plainly where every value is written as we write it, else with care.

Most rows of most extracts are plain, and planning the careful way costs more than running it. So every row is first read
plainly, which takes it or leaves it whole; what is left is read with care, which says why a row is refused.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from compliance.dataset import values
from compliance.dataset.schema import Column, Table
from compliance.dataset.values import name, quoted

ROWS_PER_TABLE = 1 << 36
REMARK = 'STRUCT("column" VARCHAR, "value" VARCHAR, reason VARCHAR)'


@dataclass(frozen=True, slots=True)
class Text:
    """A relation of text columns on its way into a table.

    `offset` is added to its row numbers, `authority` is SQL for the council of a row, `are_many` says whether ids have to
    be told apart by it.
    """

    source_id: int
    relation: str
    columns: frozenset[str]
    offset: int
    authority: str
    are_many: bool
    has_odd_spaces: bool = True


def builds_key(table: Table, columns: frozenset[str]) -> bool:
    """Whether a relation with these columns has its key built from the natural key."""
    key = table.key[0]
    return len(table.key) == 1 and key not in columns and key not in table.natural_key


def can_be_plain(table: Table, text: Text) -> bool:
    """Whether any row can be read plainly: every required column is there, or can be built."""
    required = {column.name for column in table.columns.values() if column.required}
    return required - text.columns <= (set(table.key) if builds_key(table, text.columns) else set())


def plain_rows(table: Table, text: Text) -> str:
    """SELECT of the rows whose every value is written plainly, typed, with their lineage."""
    held = _held(table, text)
    names = [name(column.name) for column in held]
    reads = [f"{values.plain(column, each)} AS {_value(column)}" for column, each in zip(held, names, strict=True)]
    inner = f"SELECT {', '.join(['_row', f'{text.authority} AS _authority', *names, *reads])} FROM {text.relation}"
    if builds_key(table, text.columns):
        inner = f"SELECT *, {values.built_key(table, _plain_values(held))} AS _built_key FROM ({inner})"
    return f"SELECT {', '.join(_columns(table, text))} FROM ({inner}) WHERE {' AND '.join(_plain_tests(table, text, held))}"


def careful_rows(table: Table, text: Text) -> str:
    """SELECT of every row: typed columns, lineage, what is wrong (`_bad`) and what is blanked (`_notes`)."""
    held = _held(table, text)
    names = [name(column.name) for column in held]
    plainly = not text.has_odd_spaces
    trims = [f"{values.trimmed(each, plainly=plainly)} AS {each}" for each in names]
    blanks = [f"{values.blanked(column, each)} AS {each}" for column, each in zip(held, names, strict=True)]
    parses = [f"{values.parsed(column, each)} AS {_value(column)}" for column, each in zip(held, names, strict=True)]
    settles = [f"{values.settled(column, _value(column))} AS {_value(column)}" for column in held]
    key = values.built_key(table, _settled_values(held))
    built = [f"{key} AS _built_key"] if builds_key(table, text.columns) else []
    inner = f"SELECT {', '.join(['_row', f'{text.authority} AS _authority', *trims])} FROM {text.relation}"
    inner = f"SELECT {', '.join(['_row', '_authority', *blanks])} FROM ({inner})"
    inner = f"SELECT {', '.join(['_row', '_authority', *names, *parses])} FROM ({inner})"
    inner = f"SELECT {', '.join(['_row', '_authority', *names, *settles, *built])} FROM ({inner})"
    wrong = [f"{_bad(table, text)} AS _bad", f"{_notes(held)} AS _notes"]
    return f"SELECT {', '.join([*_columns(table, text), *wrong])} FROM ({inner})"


def _held(table: Table, text: Text) -> list[Column]:
    return [column for column in table.columns.values() if column.name in text.columns]


def _value(column: Column) -> str:
    return name(f"_value_{column.name}")


def _settled_values(held: Iterable[Column]) -> dict[str, str]:
    """SQL for what a built key is made of: settled values, and a name as its text (for its digest)."""
    return {column.name: name(column.name) if column.presence_only else values.settled(column, _value(column)) for column in held}


def _plain_values(held: Iterable[Column]) -> dict[str, str]:
    return {column.name: name(column.name) if column.presence_only else _value(column) for column in held}


def _plain_tests(table: Table, text: Text, held: Iterable[Column]) -> list[str]:
    """SQL for what a plain row has: no required value blank, every other read or blank, and no text that needs care."""
    tests = [f"{_found(column, table, text)} IS NOT NULL" for column in table.columns.values() if column.required]
    others = [column for column in held if column.type != "text" and not column.required]
    tests += [f"({_value(column)} IS NULL) = ({name(column.name)} IS NULL)" for column in others]
    texts = [name(column.name) for column in held if column.type == "text"]
    return [*tests, f"NOT {values.needs_care(texts)}"] if texts else tests


def _columns(table: Table, text: Text) -> list[str]:
    """SQL for every column of the table, and the lineage."""
    return [
        *(_final(column, table, text) for column in table.columns.values()),
        "_authority AS authority",
        f"{table.number * ROWS_PER_TABLE + text.offset}::BIGINT + _row AS row_ref",
        f"{text.source_id}::INTEGER AS source_id",
        "_row AS source_row",
    ]


def _final(column: Column, table: Table, text: Text) -> str:
    value = _found(column, table, text)
    if column.is_id and text.are_many:
        value = f"_authority || '/' || {value}"
    return f"({value})::{column.sql_type} AS {name(column.name)}"


def _found(column: Column, table: Table, text: Text) -> str:
    """SQL for the value of a column, wherever it comes from."""
    if column.name in text.columns:
        return _value(column)
    return "_built_key" if column.name in table.key and builds_key(table, text.columns) else "NULL"


def _bad(table: Table, text: Text) -> str:
    """SQL for the first thing that keeps a row out, NULL where nothing does."""
    cases = [_refusal(column, table, text) for column in table.columns.values()]
    found = " ".join(case for case in cases if case)
    return f"CASE {found} END" if found else f"NULL::{REMARK}"


def _refusal(column: Column, table: Table, text: Text) -> str | None:
    held, value, own = column.name in text.columns, _found(column, table, text), name(column.name)
    if column.required and not held:
        why = "nothing to build the key from" if value == "_built_key" else "required, and the source has no such column"
        return f"WHEN {value} IS NULL THEN {_remark(column, 'NULL', quoted(why))}"
    if not held or (column.type in ("text", "code") and not column.required):
        return None
    if column.required:
        blank = "blank, and required"
        why = blank if column.type == "text" else values.unreadable(column)
        reason = f"CASE WHEN {own} IS NULL THEN {quoted(blank)} ELSE {quoted(why)} END"
        return f"WHEN {value} IS NULL THEN {_remark(column, own, reason)}"
    return f"WHEN {value} IS NULL AND {own} IS NOT NULL THEN {_remark(column, own, quoted(values.unreadable(column)))}"


def _notes(held: Iterable[Column]) -> str:
    """SQL for the codes of a row that are in no set and were blanked, NULL where there are none."""
    codes = [column for column in held if column.type == "code" and not column.required]
    unknown = [f"({_value(column)} IS NULL AND {name(column.name)} IS NOT NULL)" for column in codes]
    if not codes:
        return f"NULL::{REMARK}[]"
    remarks = [
        f"CASE WHEN {each} THEN {_remark(column, name(column.name), quoted(values.unreadable(column)))} END"
        for column, each in zip(codes, unknown, strict=True)
    ]
    return f"CASE WHEN {' OR '.join(unknown)} THEN [{', '.join(remarks)}] END"


def _remark(column: Column, value: str, reason: str) -> str:
    shown = "NULL" if column.presence_only else value
    return f"{{'column': {quoted(column.name)}, 'value': {shown}::VARCHAR, 'reason': {reason}}}"


def duplicate_rows(table: Table, places: Mapping[int, str]) -> str:
    """SELECT of each row whose key an earlier row has, with a remark that names that row."""
    key = ", ".join(map(name, table.key))
    files = ", ".join(f"{source_id}: {quoted(place)}" for source_id, place in places.items())
    shown = ", ".join(f"later.{name(column)}" for column in table.key)
    reason = f"'duplicate key: first in ' || (MAP {{{files}}})[earliest.source_id] || ', row ' || earliest.source_row"
    same = " AND ".join(f"later.{name(column)} = earliest.{name(column)}" for column in table.key)
    remark = f"{{'column': {quoted(table.key[-1])}, 'value': concat_ws(' | ', {shown}), 'reason': {reason}}}"
    own = f"main.{name(table.name)}"
    return f"""
        SELECT later.row_ref, later.source_id, later.source_row, {remark} AS r
        FROM {own} AS later
        JOIN (SELECT {key}, min(row_ref) AS row_ref, arg_min(source_id, row_ref) AS source_id,
                     arg_min(source_row, row_ref) AS source_row
              FROM {own} GROUP BY {key} HAVING count(*) > 1) AS earliest
        ON {same} AND later.row_ref > earliest.row_ref"""


def spare_keys(table: Table) -> str:
    """SELECT of how many more rows than keys the table has."""
    key = f"hash({', '.join(map(name, table.key))})" if len(table.key) > 1 else name(table.key[0])
    return f"SELECT {quoted(table.name)}, count(*) - count(DISTINCT {key}) FROM main.{name(table.name)}"
