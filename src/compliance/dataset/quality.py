"""What looks wrong in data that could be read: findings about rows, and a description of each table."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date, timedelta

from compliance.dataset.ingest import History, LoadedTable
from compliance.dataset.load import Dataset
from compliance.dataset.schema import Column, Table
from compliance.dataset.values import name, quoted

SUSPICIOUS_BEFORE = date(1990, 1, 1)
POSTCODE = "GIR0AA|[A-Z]{1,2}[0-9][A-Z0-9]?[0-9][A-Z]{2}"
"""A whole postcode without its space, in capitals."""

_PAIRS = (
    ("start_date", "end_date"),
    ("started_date", "completed_date"),
    ("started_at", "ended_at"),
    ("joined_date", "left_date"),
    ("added_date", "removed_date"),
    ("established_date", "ended_date"),
    ("asye_start_date", "asye_end_date"),
    ("first_approval_date", "approval_end_date"),
    ("birth_date", "death_date"),
    ("start_date", "authorised_date"),
    ("referral_date", "closed_date"),
    ("issue_date", "final_order_date"),
)
_MAY_CONCERN_THE_UNBORN = ("front_door", "child_in_need", "child_protection", "permanence_and_court")


@dataclass(frozen=True, slots=True)
class QualityFinding:
    """Something about a row that cannot be right, or is unlikely to be, with where the row came from."""

    table: str
    column: str
    file: str
    sheet: str | None
    row: int
    key: str
    code: str
    message: str


@dataclass(frozen=True, slots=True)
class TableDescription:
    """A table as it was loaded, with the span of its main date and the columns that no source holds."""

    table: str
    sources: tuple[str, ...]
    read: int
    loaded: int
    rejected: int
    first_date: date | None
    last_date: date | None
    history: History | None
    columns_missing: tuple[str, ...]


def quality(dataset: Dataset, as_of: date) -> list[QualityFinding]:
    """The findings about every table that is present, in the order of the schema, then row, column and code."""
    selects = [select for table in _present(dataset) for select in _checks(dataset, table, as_of)]
    if not selects:
        return []
    rows = dataset.connection.execute(f"""
        SELECT c.finding_table, c.column_name, s.file, s.sheet, c.source_row, c."key", c.code, c.message
        FROM ({" UNION ALL ".join(selects)}) c JOIN sources s USING (source_id)
        ORDER BY c.row_ref, c.column_name, c.code""").fetchall()
    return [QualityFinding(*row) for row in rows]


def describe(dataset: Dataset) -> list[TableDescription]:
    """Every table that a source holds, as it was loaded."""
    tables = _present(dataset)
    spans = {table.name: _span(table) for table in tables}
    selects = [f"SELECT {quoted(table)}, {span} FROM main.{name(table)}" for table, span in spans.items()]
    rows = dataset.connection.execute(" UNION ALL ".join(selects)).fetchall() if selects else []
    found = {table: (first, last) for table, first, last in rows}
    return [_description(table, dataset.tables[table.name], *found[table.name]) for table in tables]


def _present(dataset: Dataset) -> list[Table]:
    return [table for table in dataset.schema.tables.values() if dataset.tables[table.name].present]


def _span(table: Table) -> str:
    if table.main_date is None:
        return "NULL::DATE, NULL::DATE"
    day = name(table.main_date.name)
    return f"min({day})::DATE, max({day})::DATE"


def _description(table: Table, loaded: LoadedTable, first: date | None, last: date | None) -> TableDescription:
    return TableDescription(
        table.name,
        tuple(f"{source.file}, {source.sheet}" if source.sheet else source.file for source in loaded.sources),
        loaded.read,
        loaded.loaded,
        loaded.rejected,
        first,
        last,
        loaded.history,
        tuple(column for column in table.columns if column not in loaded.columns),
    )


def _checks(dataset: Dataset, table: Table, as_of: date) -> Iterator[str]:
    """SQL for each kind of finding that the table's own columns allow."""
    held = [column for column in table.columns.values() if column.name in dataset.tables[table.name].columns]
    yield from _order(table, held)
    yield from _dates(table, held, as_of)
    yield from _postcodes(table, held)
    yield from _before_birth(dataset, table, held)
    yield from _references(dataset, table, held)
    yield from _duplicates(table, held)


def _order(table: Table, held: Sequence[Column]) -> Iterator[str]:
    names = {column.name for column in held}
    for start, end in _PAIRS:
        if {start, end} <= names:
            message = f"{name(end)}::DATE || ' is before ' || {quoted(start)} || ' ' || {name(start)}::DATE"
            yield _finding(table, end, "end_before_start", message, where=f"{name(end)} < {name(start)}")


def _dates(table: Table, held: Sequence[Column], as_of: date) -> Iterator[str]:
    for column in held:
        if not column.is_dated:
            continue
        each = name(column.name)
        if column.name not in ("birth_date", "death_date"):
            early = f"{each} < DATE '{SUSPICIOUS_BEFORE}'"
            message = f"{each}::DATE || ' is before {SUSPICIOUS_BEFORE.year}'"
            yield _finding(table, column.name, "suspiciously_early", message, where=early)
        if not column.planned:
            code = "birth_after_as_of" if column.name == "birth_date" else "after_as_of"
            message = f"{each}::DATE || ' is after the as-of date {as_of}'"
            later = f"{each} >= DATE '{as_of + timedelta(days=1)}'"
            yield _finding(table, column.name, code, message, where=later)


def _postcodes(table: Table, held: Sequence[Column]) -> Iterator[str]:
    """SQL for postcodes of which no place can be told; they are kept as they are."""
    for column in held:
        if column.name.endswith("postcode"):
            said = name(column.name)
            message = f"{said} || ' is no whole postcode'"
            where = f"NOT regexp_full_match(replace(upper({said}), ' ', ''), {quoted(POSTCODE)})"
            yield _finding(table, column.name, "not_a_postcode", message, where=where)


def _before_birth(dataset: Dataset, table: Table, held: Sequence[Column]) -> Iterator[str]:
    """SQL for events of a child before the child was born; what concerns an unborn child is left out."""
    people = dataset.tables["people"]
    main = table.main_date
    names = {column.name for column in held}
    if table.name == "people" or main is None or not {"person_id", main.name} <= names or "birth_date" not in people.columns:
        return
    if table.section in _MAY_CONCERN_THE_UNBORN:
        return
    day = f"t.{name(main.name)}"
    message = f"{day}::DATE || ' is before the child was born, ' || p.birth_date"
    joined = "JOIN main.people p ON p.person_id = t.person_id"
    yield _finding(table, main.name, "before_birth", message, joined=joined, where=f"{day}::DATE < p.birth_date")


def _references(dataset: Dataset, table: Table, held: Sequence[Column]) -> Iterator[str]:
    """SQL for ids that match nothing; where no source holds the other table, nothing can be said."""
    for column in held:
        if column.refers_to and dataset.tables[column.refers_to].present:
            key = name(dataset.schema.tables[column.refers_to].key[0])
            none = f"NOT EXISTS (FROM main.{name(column.refers_to)} o WHERE o.{key} = t.{name(column.name)})"
            where = f"t.{name(column.name)} IS NOT NULL AND {none}"
            message = quoted(f"no row of {column.refers_to} has this id")
            yield _finding(table, column.name, "matches_nothing", message, where=where)


def _duplicates(table: Table, held: Sequence[Column]) -> Iterator[str]:
    """SQL for later rows whose natural key an earlier row has; a row with no id at all in it is left out."""
    names = {column.name for column in held}
    if table.natural_key_is_private or set(table.key) & set(table.natural_key) or not set(table.natural_key) & names:
        return
    own = ", ".join(map(name, table.natural_key))
    ids = [name(each) for each in table.natural_key if table.columns[each].type == "text"]
    some = f" AND coalesce({', '.join(ids)}) IS NOT NULL" if ids else ""
    words = ", ".join(each.replace("_", " ") for each in table.natural_key)
    rank = f"row_number() OVER (PARTITION BY authority, {own} ORDER BY row_ref)"
    yield _finding(
        table,
        table.natural_key[0],
        "duplicate",
        quoted(f"an earlier row has the same {words}"),
        source=f"(SELECT * FROM main.{name(table.name)} WHERE true{some} QUALIFY {rank} > 1)",
    )


def _finding(
    table: Table, column: str, code: str, message: str, *, where: str = "true", joined: str = "", source: str = ""
) -> str:
    key = " || ' | ' || ".join(f"t.{name(each)}" for each in table.key)
    return (
        f"SELECT t.row_ref, t.source_id, t.source_row, {quoted(table.name)} AS finding_table, "
        f'{quoted(column)} AS column_name, {key} AS "key", {quoted(code)} AS code, {message} AS message '
        f"FROM {source or f'main.{name(table.name)}'} t {joined} WHERE {where}"
    )
