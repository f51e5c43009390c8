"""The one way into the canonical tables: staged text becomes typed rows, rejects, notices and lineage.

A reader stages each of its lists or files as a relation of text columns named as in the schema. Everything after
that is the same for every format and is done here, set by set, in SQL.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from datetime import date
from itertools import chain
from typing import Any, Literal

from duckdb import DuckDBPyConnection

from compliance.dataset import coverage, values
from compliance.dataset.coverage import ALL_TIME, Stretch
from compliance.dataset.schema import Column, Schema, Table
from compliance.dataset.values import name, quoted
from compliance.errors import DataError, EngineError, UsageError

History = Literal["full", "latest"]

ROWS_PER_TABLE = 1 << 36
NO_AUTHORITY_CODE = "local"
VALUE_LENGTH = 80
THREADS = 2


@dataclass(frozen=True, slots=True)
class Authority:
    """A council: its ONS code, or its name where there is no code."""

    code: str
    name: str


@dataclass(frozen=True, slots=True)
class Remark:
    """Something a reader has to say about its source: a line it could not read, a heading it does not know."""

    row: int | None
    column: str | None
    value: str | None
    reason: str


@dataclass(frozen=True, slots=True)
class Staged:
    """A relation of text columns that a reader offers for one table.

    The relation, a name or a subquery in brackets, has `_row BIGINT`, the row in the source, and any of the table's
    columns and `authority`. `read` counts its rows and those in `refused`, which the reader could not put into it.
    Two things a reader may know save time: the relation's `columns`, and that no value has tabs, line ends or hard
    spaces at its ends. `extract_date` is when the extract was taken, where that is known: the newer has precedence.
    `covers` are the days of which it holds all there is: a return of one year holds that year.
    """

    table: str
    relation: str
    file: str
    sheet: str | None
    history: History
    read: int
    refused: tuple[Remark, ...] = ()
    notices: tuple[Remark, ...] = ()
    columns: frozenset[str] | None = None
    has_odd_spaces: bool = True
    extract_date: date | None = None
    covers: Stretch = ALL_TIME


@dataclass(frozen=True, slots=True)
class Source:
    """A file or sheet that rows of a table came from, and how its rows fared."""

    source_id: int
    file: str
    sheet: str | None
    read: int
    loaded: int
    rejected: int
    history: History


@dataclass(frozen=True, slots=True)
class LoadedTable:
    """A canonical table as loaded. `columns` are those that a source holds, with a key built from the natural key."""

    name: str
    present: bool = False
    columns: frozenset[str] = frozenset()
    read: int = 0
    loaded: int = 0
    rejected: int = 0
    history: History | None = None
    sources: tuple[Source, ...] = ()


@dataclass(frozen=True, slots=True)
class _Part:
    """A staged relation on its way in: its number as a source, its columns, and what is added to its row numbers."""

    source_id: int
    staged: Staged
    columns: frozenset[str]
    offset: int


def ingest(
    connection: DuckDBPyConnection, schema: Schema, staged: Sequence[Staged], authority: Authority | None = None
) -> list[LoadedTable]:
    """Every canonical table, loaded from the staged relations; the tables without one are there and empty."""
    create_tables(connection, schema)
    authorities = _Authorities.of(connection, staged, authority)
    authorities.record(connection)
    parts = _parts(connection, staged)
    connection.execute(values.create_macros())
    with ThreadPoolExecutor(THREADS) as threads:
        done = threads.map(lambda table: _load(connection.cursor(), schema, table, parts[table], authorities), parts)
        loaded = {table.name: table for table in done}
    connection.execute(values.drop_macros())
    _record(connection, parts, loaded)
    return [loaded.get(table, LoadedTable(table)) for table in schema.tables]


def authorities_of(connection: DuckDBPyConnection) -> list[Authority]:
    """The councils whose rows were loaded."""
    return [Authority(*row) for row in connection.execute("SELECT code, name FROM authorities ORDER BY code").fetchall()]


@dataclass(frozen=True, slots=True)
class _Authorities:
    """The councils in the dataset, and the one that rows without an authority belong to."""

    all: tuple[Authority, ...]
    default: str | None

    @classmethod
    def of(cls, connection: DuckDBPyConnection, staged: Sequence[Staged], given: Authority | None) -> _Authorities:
        """The councils that the staged relations name, and the given one where rows name none."""
        columns = [_columns(connection, each) for each in staged]
        naming = [each.relation for each, names in zip(staged, columns, strict=True) if "authority" in names]
        found = _named_authorities(connection, naming)
        unnamed = None in found or len(naming) < len(staged)
        codes = {code for code in found if code is not None}
        if given and (unnamed or not codes):
            codes.add(given.code)
        if unnamed and not given and len(codes) > 1:
            raise UsageError("the dataset holds several authorities, but some rows do not say which they belong to")
        default = given.code if given else next(iter(codes), NO_AUTHORITY_CODE)
        known = {given.code: given.name} if given else {NO_AUTHORITY_CODE: "This council"}
        return cls(tuple(Authority(code, known.get(code, code)) for code in sorted(codes or {default})), default)

    @property
    def are_many(self) -> bool:
        """Whether ids have to be told apart by their council."""
        return len(self.all) > 1

    def record(self, connection: DuckDBPyConnection) -> None:
        """Fills the table `authorities`."""
        connection.executemany("INSERT INTO authorities VALUES (?, ?)", [[each.code, each.name] for each in self.all])

    def of_row(self, columns: frozenset[str]) -> str:
        """SQL for the authority of a row of a relation with these columns."""
        if not self.are_many:
            return quoted(self.all[0].code)
        own = "nullif(trim(authority), '')" if "authority" in columns else "NULL"
        return f"coalesce({own}, {quoted(self.default or NO_AUTHORITY_CODE)})"


def _named_authorities(connection: DuckDBPyConnection, relations: Iterable[str]) -> set[str | None]:
    selects = [f"SELECT DISTINCT nullif(trim(authority), '') FROM {each}" for each in relations]
    found = {row[0] for row in connection.execute(" UNION ".join(selects)).fetchall()} if selects else set()
    if any(code and ("/" in code or not code.isprintable()) for code in found):
        raise DataError("an authority is named with a slash or a control character", help="use the ONS code")
    return found


def create_tables(connection: DuckDBPyConnection, schema: Schema) -> None:
    """Makes every canonical table, empty, and those that hold rejects, notices, sources and authorities."""
    remarks = (
        "(table_name VARCHAR, source_id INTEGER, file VARCHAR, sheet VARCHAR, source_row BIGINT, "
        "column_name VARCHAR, value VARCHAR, reason VARCHAR)"
    )
    statements = [_create_table(table) for table in schema.tables.values()]
    statements += [f"CREATE TABLE {each} {remarks}" for each in ("rejects", "notices")]
    statements.append(
        "CREATE TABLE sources (source_id INTEGER, file VARCHAR, sheet VARCHAR, table_name VARCHAR, "
        "read BIGINT, loaded BIGINT, rejected BIGINT, history VARCHAR)"
    )
    statements += ["CREATE TABLE authorities (code VARCHAR, name VARCHAR)", coverage.CREATE]
    connection.execute(";".join(statements))


def _create_table(table: Table) -> str:
    columns = [f"{name(column.name)} {column.sql_type}" for column in table.columns.values()]
    lineage = ["authority VARCHAR", "row_ref BIGINT", "source_id INTEGER", "source_row BIGINT"]
    return f"CREATE TABLE {name(table.name)} ({', '.join(columns + lineage)})"


def _parts(connection: DuckDBPyConnection, staged: Sequence[Staged]) -> dict[str, list[_Part]]:
    parts: dict[str, list[_Part]] = {}
    for number, each in enumerate(staged, 1):
        before = parts.setdefault(each.table, [])
        offset = before[-1].offset + _last_row(connection, before[-1].staged) if before else 0
        before.append(_Part(number, each, _columns(connection, each), offset))
    return parts


def _set_code_words(connection: DuckDBPyConnection, schema: Schema, table: Table, parts: Sequence[_Part]) -> None:
    """Sets a variable for each code set that the sources of a table use, for the typing SQL to look words up in."""
    held = frozenset[str]().union(*(part.columns for part in parts))
    sets = {column.code_set for column in table.columns.values() if column.code_set and column.name in held}
    if sets:
        connection.execute("; ".join(values.code_words(each, schema.code_sets[each]) for each in sorted(sets)))


def _columns(connection: DuckDBPyConnection, staged: Staged) -> frozenset[str]:
    if staged.columns is not None:
        return staged.columns
    return frozenset(column[0] for column in connection.execute(f"SELECT * FROM {staged.relation} LIMIT 0").description)


def _last_row(connection: DuckDBPyConnection, staged: Staged) -> int:
    return int(_one(connection, f"SELECT coalesce(max(_row), 0) FROM {staged.relation}"))


def _load(
    connection: DuckDBPyConnection, schema: Schema, name: str, parts: Sequence[_Part], authorities: _Authorities
) -> LoadedTable:
    """A table as loaded on a connection of its own, so that two can be loaded side by side."""
    table = schema.tables[name]
    _set_code_words(connection, schema, table, parts)
    selects = " UNION ALL ".join(_typed_rows(table, part, authorities) for part in parts)
    connection.execute(f"CREATE OR REPLACE TEMP TABLE typed_rows AS {selects}")
    counts = _counts(connection, table, parts)
    _move_rows(connection, table, parts, counts)
    connection.close()
    return _loaded(table, parts, tuple(_source(part, counts.get(part.source_id, (0, 0, 0))) for part in parts))


def _typed_rows(table: Table, part: _Part, authorities: _Authorities) -> str:
    """SQL for the rows of a source: typed columns, lineage, what is wrong (`_bad`) and what is blanked (`_notes`)."""
    held = [column for column in table.columns.values() if column.name in part.columns]
    names = [name(column.name) for column in held]
    plainly = not part.staged.has_odd_spaces
    trims = [f"{values.trimmed(each, plainly=plainly)} AS {each}" for each in names]
    blanks = [f"{values.blanked(column, each)} AS {each}" for column, each in zip(held, names, strict=True)]
    parses = [f"{values.parsed(column, each)} AS {_value(column)}" for column, each in zip(held, names, strict=True)]
    settles = [f"{values.settled(column, _value(column))} AS {_value(column)}" for column in held]
    built = [f"{values.built_key(table, _settled_values(held))} AS _built_key"] if _builds_key(table, part) else []
    of_row = f"{authorities.of_row(part.columns)} AS _authority"
    inner = f"SELECT {', '.join(['_row', of_row, *trims])} FROM {part.staged.relation}"
    inner = f"SELECT {', '.join(['_row', '_authority', *blanks])} FROM ({inner})"
    inner = f"SELECT {', '.join(['_row', '_authority', *names, *parses])} FROM ({inner})"
    inner = f"SELECT {', '.join(['_row', '_authority', *names, *settles, *built])} FROM ({inner})"
    finals = [_final(column, table, part, authorities) for column in table.columns.values()]
    lineage = [
        "_authority AS authority",
        f"{table.number * ROWS_PER_TABLE + part.offset}::BIGINT + _row AS row_ref",
        f"{part.source_id}::INTEGER AS source_id",
        "_row AS source_row",
    ]
    wrong = [f"{_bad(table, part)} AS _bad", f"{_notes(held)} AS _notes"]
    return f"SELECT {', '.join([*finals, *lineage, *wrong])} FROM ({inner})"


def _value(column: Column) -> str:
    return name(f"_value_{column.name}")


def _settled_values(held: Iterable[Column]) -> dict[str, str]:
    """SQL for what a built key is made of: settled values, and a name as its text (for its digest)."""
    return {column.name: name(column.name) if column.presence_only else values.settled(column, _value(column)) for column in held}


def _builds_key(table: Table, part: _Part) -> bool:
    key = table.key[0]
    return len(table.key) == 1 and key not in part.columns and key not in table.natural_key


def _final(column: Column, table: Table, part: _Part, authorities: _Authorities) -> str:
    value = _found(column, table, part)
    if column.is_id and authorities.are_many:
        value = f"_authority || '/' || {value}"
    return f"({value})::{column.sql_type} AS {name(column.name)}"


def _found(column: Column, table: Table, part: _Part) -> str:
    """SQL for the value of a column, wherever it comes from."""
    if column.name in part.columns:
        return _value(column)
    return "_built_key" if column.name in table.key and _builds_key(table, part) else "NULL"


def _bad(table: Table, part: _Part) -> str:
    """SQL for the first thing that keeps a row out, NULL where nothing does."""
    cases = [_refusal(column, table, part) for column in table.columns.values()]
    found = " ".join(case for case in cases if case)
    return f"CASE {found} END" if found else f"NULL::{_REMARK}"


_REMARK = 'STRUCT("column" VARCHAR, "value" VARCHAR, reason VARCHAR)'


def _refusal(column: Column, table: Table, part: _Part) -> str | None:
    held, value, text = column.name in part.columns, _found(column, table, part), name(column.name)
    if column.required and not held:
        why = "nothing to build the key from" if value == "_built_key" else "required, and the source has no such column"
        return f"WHEN {value} IS NULL THEN {_remark(column, 'NULL', quoted(why))}"
    if not held or (column.type in ("text", "code") and not column.required):
        return None
    if column.required:
        blank = "blank, and required"
        why = blank if column.type == "text" else values.unreadable(column)
        reason = f"CASE WHEN {text} IS NULL THEN {quoted(blank)} ELSE {quoted(why)} END"
        return f"WHEN {value} IS NULL THEN {_remark(column, text, reason)}"
    return f"WHEN {value} IS NULL AND {text} IS NOT NULL THEN {_remark(column, text, quoted(values.unreadable(column)))}"


def _notes(held: Iterable[Column]) -> str:
    """SQL for the codes of a row that are in no set and were blanked, NULL where there are none."""
    codes = [column for column in held if column.type == "code" and not column.required]
    unknown = [f"({_value(column)} IS NULL AND {name(column.name)} IS NOT NULL)" for column in codes]
    if not codes:
        return f"NULL::{_REMARK}[]"
    remarks = [
        f"CASE WHEN {each} THEN {_remark(column, name(column.name), quoted(values.unreadable(column)))} END"
        for column, each in zip(codes, unknown, strict=True)
    ]
    return f"CASE WHEN {' OR '.join(unknown)} THEN [{', '.join(remarks)}] END"


def _remark(column: Column, value: str, reason: str) -> str:
    shown = "NULL" if column.presence_only else value
    return f"{{'column': {quoted(column.name)}, 'value': {shown}::VARCHAR, 'reason': {reason}}}"


def _reject_duplicates(connection: DuckDBPyConnection, table: Table, parts: Sequence[_Part]) -> None:
    """Marks each row whose key an earlier row has, naming that row."""
    key = ", ".join(map(name, table.key))
    files = ", ".join(f"{part.source_id}: {quoted(_place(part.staged))}" for part in parts)
    shown = ", ".join(f"later.{name(column)}" for column in table.key)
    reason = f"'duplicate key: first in ' || (MAP {{{files}}})[earliest.source_id] || ', row ' || earliest.source_row"
    same = " AND ".join(f"later.{name(column)} = earliest.{name(column)}" for column in table.key)
    connection.execute(f"""
        UPDATE typed_rows AS later
        SET _bad = {{'column': {quoted(table.key[-1])}, 'value': concat_ws(' | ', {shown}), 'reason': {reason}}}
        FROM (SELECT {key}, min(row_ref) AS row_ref, arg_min(source_id, row_ref) AS source_id,
                     arg_min(source_row, row_ref) AS source_row
              FROM typed_rows WHERE _bad IS NULL GROUP BY {key} HAVING count(*) > 1) AS earliest
        WHERE {same} AND later.row_ref > earliest.row_ref AND later._bad IS NULL""")


def _place(staged: Staged) -> str:
    return f"{staged.file}, {staged.sheet}" if staged.sheet else staged.file


def _counts(connection: DuckDBPyConnection, table: Table, parts: Sequence[_Part]) -> dict[int, tuple[int, int, int]]:
    """For each source, duplicates being marked: its rows, those kept out, those with a blanked code."""
    key = f"hash({', '.join(map(name, table.key))})" if len(table.key) > 1 else name(table.key[0])
    good, spare = "count(*) FILTER (_bad IS NULL)", f"count(DISTINCT {key}) FILTER (_bad IS NULL)"
    counts = "count(*), count(_bad), count(_notes)"
    row = connection.execute(f"SELECT {counts}, {good} - {spare} FROM typed_rows").fetchone() or (0, 0, 0, 0)
    if row[3]:
        _reject_duplicates(connection, table, parts)
    if len(parts) == 1 and not row[3]:
        return {parts[0].source_id: row[:3]}
    rows = connection.execute(f"SELECT source_id, {counts} FROM typed_rows GROUP BY source_id").fetchall()
    return {each[0]: each[1:] for each in rows}


def _move_rows(
    connection: DuckDBPyConnection, table: Table, parts: Sequence[_Part], counts: Mapping[int, tuple[int, int, int]]
) -> None:
    kept = "" if not any(bad for _, bad, _ in counts.values()) else "WHERE _bad IS NULL"
    statements = [f"INSERT INTO {name(table.name)} SELECT * EXCLUDE (_bad, _notes) FROM typed_rows {kept}"]
    if kept:
        statements.append(_insert_remarks("rejects", table, parts, "SELECT *, _bad AS r FROM typed_rows"))
    if any(noted for _, _, noted in counts.values()):
        noted = "SELECT *, unnest(_notes) AS r FROM typed_rows WHERE _bad IS NULL"
        statements.append(_insert_remarks("notices", table, parts, noted))
    connection.execute("; ".join([*statements, "DROP TABLE typed_rows"]))


def _insert_remarks(into: str, table: Table, parts: Sequence[_Part], remarks: str) -> str:
    files = ", ".join(f"{part.source_id}: {quoted(part.staged.file)}" for part in parts)
    sheets = ", ".join(f"{part.source_id}: {quoted(part.staged.sheet or '')}" for part in parts)
    value = f"left(regexp_replace(r.\"value\", '[\\p{{Cc}}\\p{{Cf}}\\p{{Zl}}\\p{{Zp}}]+', ' ', 'g'), {VALUE_LENGTH})"
    return (
        f"INSERT INTO {into} SELECT {quoted(table.name)}, source_id, (MAP {{{files}}})[source_id], "
        f"nullif((MAP {{{sheets}}})[source_id], ''), source_row, r.\"column\", {value}, r.reason "
        f"FROM ({remarks}) WHERE r IS NOT NULL ORDER BY row_ref"
    )


def _source(part: _Part, counts: tuple[int, int, int]) -> Source:
    staged, (rows, bad, _) = part.staged, counts
    rejected = bad + len(staged.refused)
    if rows + len(staged.refused) != staged.read:
        raise EngineError(
            f"{_place(staged)}: {staged.read} rows were read, but {rows - bad} loaded and {rejected} rejected",
            help="this is a fault in the program, not in the data: please report it",
        )
    return Source(part.source_id, staged.file, staged.sheet, staged.read, rows - bad, rejected, staged.history)


def _record(connection: DuckDBPyConnection, parts: Mapping[str, Sequence[_Part]], loaded: Mapping[str, LoadedTable]) -> None:
    """Writes the lineage of every source, and what their readers had to say."""
    rows = [
        [s.source_id, s.file, s.sheet, table.name, s.read, s.loaded, s.rejected, s.history]
        for table in loaded.values()
        for s in table.sources
    ]
    _insert(connection, "sources", sorted(rows))
    for part in chain.from_iterable(parts.values()):
        _insert(connection, "rejects", _remark_rows(part, part.staged.refused))
        _insert(connection, "notices", _remark_rows(part, part.staged.notices))


def _remark_rows(part: _Part, remarks: Sequence[Remark]) -> list[list[Any]]:
    staged = part.staged
    place = [staged.table, part.source_id, staged.file, staged.sheet]
    return [[*place, each.row, each.column, shown(each.value), each.reason] for each in remarks]


def _insert(connection: DuckDBPyConnection, into: str, rows: Sequence[Sequence[Any]]) -> None:
    if rows:
        columns = [list(column) for column in zip(*rows, strict=True)]
        marks = ", ".join(f"unnest(${n})" for n in range(1, len(columns) + 1))
        connection.execute(f"INSERT INTO {into} SELECT {marks}", columns)


def shown(value: str | None) -> str | None:
    """The value fit to be shown: no control characters, at most 80 characters."""
    return value and "".join(each if each.isprintable() else " " for each in value)[:VALUE_LENGTH]


def _loaded(table: Table, parts: Sequence[_Part], sources: tuple[Source, ...]) -> LoadedTable:
    """What became of a table; where its sources differ in history, the cautious word is `latest`."""
    built = frozenset(table.key) if any(_builds_key(table, part) for part in parts) else frozenset()
    columns = frozenset().union(*(part.columns & table.columns.keys() for part in parts)) | built
    loaded = LoadedTable(table.name, present=True, columns=columns, sources=sources)
    return replace(
        loaded,
        read=sum(source.read for source in sources),
        loaded=sum(source.loaded for source in sources),
        rejected=sum(source.rejected for source in sources),
        history="latest" if any(source.history == "latest" for source in sources) else "full",
    )


def _one(connection: DuckDBPyConnection, sql: str) -> Any:
    row = connection.execute(sql).fetchone()
    return row[0] if row else None
