"""The one way into the canonical tables: staged text becomes typed rows, rejects, notices and lineage.

A reader stages each of its lists or files as a relation of text columns named as in the schema. Everything after
that is the same for every format and is done here, set by set, in SQL.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from datetime import date
from itertools import chain
from typing import Any, Literal

from duckdb import DuckDBPyConnection

from compliance.dataset import coverage, values
from compliance.dataset.coverage import ALL_TIME, Stretch
from compliance.dataset.row_sql import (
    Text,
    builds_key,
    can_be_plain,
    careful_rows,
    duplicate_rows,
    plain_rows,
    spare_keys,
)
from compliance.dataset.schema import Schema, Table
from compliance.dataset.values import name, quoted
from compliance.errors import DataError, EngineError, UsageError

History = Literal["full", "latest"]

NO_AUTHORITY_CODE = "local"
VALUE_LENGTH = 80
THREADS = 2
ONCE, AGAIN = "SET disabled_optimizers = 'filter_pushdown'", "RESET disabled_optimizers"
"""A row's values are tested where they are made: pushed down to the text, each test would read the text a second time."""


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

    @property
    def rows(self) -> int:
        """How many rows the relation has, by what its reader says."""
        return self.staged.read - len(self.staged.refused)

    def text(self, authorities: _Authorities) -> Text:
        """The relation as the SQL of rows is made of it."""
        staged, council = self.staged, authorities.of_row(self.columns)
        return Text(
            self.source_id, staged.relation, self.columns, self.offset, council, authorities.are_many, staged.has_odd_spaces
        )


@dataclass(frozen=True, slots=True)
class _Count:
    """How the rows of a source fared: how many were loaded, and how many could not be read."""

    loaded: int
    kept_out: int


def ingest(
    connection: DuckDBPyConnection, schema: Schema, staged: Sequence[Staged], authority: Authority | None = None
) -> list[LoadedTable]:
    """Every canonical table, loaded from the staged relations; the tables without one are there and empty."""
    create_tables(connection, schema)
    authorities = _Authorities.of(connection, staged, authority)
    authorities.record(connection)
    parts = _parts(connection, staged)
    connection.execute(f"{values.create_macros()}; {ONCE}")
    with ThreadPoolExecutor(THREADS) as threads:
        done = threads.map(lambda table: _load(connection.cursor(), schema, table, parts[table], authorities), parts)
        counts = {number: count for each in done for number, count in each.items()}
    connection.execute(f"{values.drop_macros()}; {AGAIN}")
    spare = _spare_rows(connection, schema, parts)
    loaded = {table: _loaded(schema.tables[table], parts[table], counts, spare) for table in parts}
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
) -> dict[int, _Count]:
    """How the rows of each source fared, on a connection of its own, so that two tables can be loaded side by side."""
    table = schema.tables[name]
    _set_code_words(connection, schema, table, parts)
    texts = {part.source_id: part.text(authorities) for part in parts}
    plain = _load_plain(connection, table, parts, texts)
    left = [part for part in parts if plain[part.source_id] < part.rows]
    careful = _load_careful(connection, table, left, texts, plain) if left else {}
    connection.close()
    return {number: _Count(plain[number] + count.loaded, count.kept_out) for number, count in _each(parts, careful)}


def _each(parts: Sequence[_Part], careful: Mapping[int, _Count]) -> Iterator[tuple[int, _Count]]:
    for part in parts:
        yield part.source_id, careful.get(part.source_id, _Count(0, 0))


def _load_plain(
    connection: DuckDBPyConnection, table: Table, parts: Sequence[_Part], texts: Mapping[int, Text]
) -> dict[int, int]:
    """How many rows of each source were written plainly; they are in the table."""
    counts = dict.fromkeys(texts, 0)
    hopeful = [part for part in parts if part.rows and can_be_plain(table, texts[part.source_id])]
    if not hopeful:
        return counts
    selects = " UNION ALL ".join(plain_rows(table, texts[part.source_id]) for part in hopeful)
    loaded = int(_one(connection, f"INSERT INTO main.{name(table.name)} {selects}"))
    if len(hopeful) == 1:
        return counts | {hopeful[0].source_id: loaded}
    if loaded == sum(part.rows for part in hopeful):
        return counts | {part.source_id: part.rows for part in hopeful}
    rows = connection.execute(f"SELECT source_id, count(*) FROM main.{name(table.name)} GROUP BY 1").fetchall()
    return counts | dict(rows)


def _load_careful(
    connection: DuckDBPyConnection,
    table: Table,
    parts: Sequence[_Part],
    texts: Mapping[int, Text],
    plain: Mapping[int, int],
) -> dict[int, _Count]:
    """How the rows that were not written plainly fared."""
    lefts = [_left(table, texts[part.source_id], plain[part.source_id]) for part in parts]
    selects = " UNION ALL ".join(careful_rows(table, text) for text in lefts)
    connection.execute(f"CREATE OR REPLACE TEMP TABLE typed_rows AS {selects}")
    counts = "count(*) - count(_bad), count(_bad), count(_notes)"
    rows = connection.execute(f"SELECT source_id, {counts} FROM typed_rows GROUP BY source_id").fetchall()
    _move_rows(connection, table, parts, any(bad for _, _, bad, _ in rows), any(noted for _, _, _, noted in rows))
    return {source_id: _Count(loaded, bad) for source_id, loaded, bad, _ in rows}


def _left(table: Table, text: Text, loaded: int) -> Text:
    """What is left of a relation once its plain rows are in the table."""
    if not loaded:
        return text
    there = f"SELECT source_row FROM main.{name(table.name)} WHERE source_id = {text.source_id}"
    return replace(text, relation=f"(SELECT * FROM {text.relation} WHERE _row NOT IN ({there}))")


def _move_rows(connection: DuckDBPyConnection, table: Table, parts: Sequence[_Part], are_bad: bool, are_noted: bool) -> None:
    kept = "WHERE _bad IS NULL" if are_bad else ""
    statements = [f"INSERT INTO main.{name(table.name)} SELECT * EXCLUDE (_bad, _notes) FROM typed_rows {kept}"]
    if are_bad:
        statements.append(_insert_remarks("rejects", table, parts, "SELECT *, _bad AS r FROM typed_rows"))
    if are_noted:
        noted = "SELECT *, unnest(_notes) AS r FROM typed_rows WHERE _bad IS NULL"
        statements.append(_insert_remarks("notices", table, parts, noted))
    connection.execute("; ".join([*statements, "DROP TABLE typed_rows"]))


def _spare_rows(connection: DuckDBPyConnection, schema: Schema, parts: Mapping[str, Sequence[_Part]]) -> dict[int, int]:
    """How many rows of each source were taken out again, as an earlier row has their key."""
    selects = " UNION ALL ".join(spare_keys(schema.tables[table]) for table in parts)
    tables = [table for table, spare in connection.execute(selects).fetchall() if spare] if selects else []
    return {
        source_id: count
        for table in tables
        for source_id, count in _take_out(connection, schema.tables[table], parts[table]).items()
    }


def _take_out(connection: DuckDBPyConnection, table: Table, parts: Sequence[_Part]) -> dict[int, int]:
    """How many rows of each source were rejected as duplicates; what was noted of them goes with them."""
    places = {part.source_id: _place(part.staged) for part in parts}
    connection.execute(f"CREATE OR REPLACE TEMP TABLE spare AS {duplicate_rows(table, places)}")
    of_them = "SELECT source_id, source_row FROM spare"
    connection.execute(
        f"{_insert_remarks('rejects', table, parts, 'FROM spare')}; "
        f"DELETE FROM notices WHERE table_name = {quoted(table.name)} AND (source_id, source_row) IN ({of_them}); "
        f"DELETE FROM main.{name(table.name)} WHERE row_ref IN (SELECT row_ref FROM spare)"
    )
    rows = connection.execute("SELECT source_id, count(*) FROM spare GROUP BY 1").fetchall()
    connection.execute("DROP TABLE spare")
    return dict(rows)


def _place(staged: Staged) -> str:
    return f"{staged.file}, {staged.sheet}" if staged.sheet else staged.file


def _insert_remarks(into: str, table: Table, parts: Sequence[_Part], remarks: str) -> str:
    files = ", ".join(f"{part.source_id}: {quoted(part.staged.file)}" for part in parts)
    sheets = ", ".join(f"{part.source_id}: {quoted(part.staged.sheet or '')}" for part in parts)
    value = f"left(regexp_replace(r.\"value\", '[\\p{{Cc}}\\p{{Cf}}\\p{{Zl}}\\p{{Zp}}]+', ' ', 'g'), {VALUE_LENGTH})"
    return (
        f"INSERT INTO {into} SELECT {quoted(table.name)}, source_id, (MAP {{{files}}})[source_id], "
        f"nullif((MAP {{{sheets}}})[source_id], ''), source_row, r.\"column\", {value}, r.reason "
        f"FROM ({remarks}) WHERE r IS NOT NULL ORDER BY row_ref"
    )


def _source(part: _Part, count: _Count, spare: int) -> Source:
    staged, refused = part.staged, len(part.staged.refused)
    if count.loaded + count.kept_out + refused != staged.read:
        raise EngineError(
            f"{_place(staged)}: {staged.read} rows were read, but {count.loaded} loaded and {count.kept_out + refused} rejected",
            help="this is a fault in the program, not in the data: please report it",
        )
    rejected = count.kept_out + refused + spare
    return Source(part.source_id, staged.file, staged.sheet, staged.read, count.loaded - spare, rejected, staged.history)


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


def _loaded(table: Table, parts: Sequence[_Part], counts: Mapping[int, _Count], spare: Mapping[int, int]) -> LoadedTable:
    """What became of a table; where its sources differ in history, the cautious word is `latest`."""
    sources = tuple(_source(part, counts[part.source_id], spare.get(part.source_id, 0)) for part in parts)
    built = frozenset(table.key) if any(builds_key(table, part.columns) for part in parts) else frozenset()
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
