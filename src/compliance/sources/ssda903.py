"""The looked-after return (SSDA903): a set of CSV files told by their headings, or one XML file, of one year or several.

Which column is which, the codes by year and the tables that it fills are in `ssda903.yaml`. The return holds episodes; periods
of care, placements and legal statuses are runs of them, derived here once the years are put together.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path
from typing import Any

from duckdb import DuckDBPyConnection

from compliance.dataset.config import nearest
from compliance.dataset.coverage import Stretch, covering
from compliance.dataset.ingest import Remark, Staged, shown
from compliance.dataset.schema import Schema
from compliance.dataset.values import name, quoted
from compliance.errors import UsageError
from compliance.sources.csv_text import load_csv, numbered
from compliance.sources.filling import Filling, value
from compliance.sources.heads import csv_headings, kind_of, xml_root
from compliance.sources.limits import Limits
from compliance.sources.reader import Source, SourceFile
from compliance.sources.ssda903_derived import HOMES, Derived, create_macros, listed
from compliance.sources.ssda903_mapping import SourceTable, heading, mapping, table_of, year_named
from compliance.sources.xml_records import read_records

FORMAT = "ssda903"

_PREVIOUS = re.compile(r"(?:^|[^a-z])(last|previous|prev year)(?:[^a-z]|$)")
_NUMBERS = ("CHILD", "URN", "SW_ID")
_FIRST_YEAR, _LAST_YEAR = 2000, 2099
NAMED = "the names of the files say it"
_REMARKS_KEPT = 100


@dataclass(frozen=True)
class Piece:
    """A table of the return as one file holds it, with what could not be read of it."""

    table: SourceTable
    file: SourceFile
    number: int
    sheet: str | None
    relation: str
    columns: frozenset[str]
    refused: tuple[Remark, ...] = ()
    notices: tuple[Remark, ...] = ()
    has_odd_spaces: bool = True


@dataclass(frozen=True)
class Return:
    """The files of one return, the year in which it ends, and how that is known."""

    pieces: tuple[Piece, ...]
    year: int | None
    told_by: str

    @property
    def year_end(self) -> date | None:
        """The last day of the year."""
        return date(self.year, 3, 31) if self.year else None

    @property
    def is_named(self) -> bool:
        """Whether the files' names say the year."""
        return self.told_by == NAMED

    @property
    def first(self) -> Piece:
        """The piece that carries what is said of the whole return."""
        return min(self.pieces, key=lambda piece: list(mapping().tables).index(piece.table.name))


def recognise(path: Path, head: bytes) -> str | None:
    """Why the file is of a looked-after return, None where it is not."""
    kind = kind_of(head)
    if kind == "xml":
        return "its root is EXPSSDA903" if xml_root(head) == mapping().layout.root else None
    found = table_of(csv_headings(head)) if kind == "text" else None
    return f"has the headings of the table {found.name}" if found else None


def suggest(path: Path, head: bytes) -> str | None:
    """What a CSV file lacks that is nearly a table of the return."""
    headings = {heading(each) for each in csv_headings(head)} if kind_of(head) == "text" else set()
    near = max(mapping().tables.values(), key=lambda table: len(headings & set(table.columns)))
    if "CHILD" not in headings or len(headings & set(near.columns)) < 3:
        return None
    return f"it is like the SSDA903 table {near.name}, but has no {', '.join(sorted(near.told_by - headings))}"


def stage(connection: DuckDBPyConnection, source: Source, schema: Schema, limits: Limits) -> list[Staged]:
    """The tables that the returns fill, one staged relation for each table and file."""
    return _Reading(connection, source, schema, limits).staged()


@dataclass(frozen=True)
class _Reading:
    """Every file of one dataset's returns, on its way into staged relations."""

    connection: DuckDBPyConnection
    source: Source
    schema: Schema
    limits: Limits
    relations: dict[str, str] = field(default_factory=dict)
    said: dict[tuple[str, int], list[Remark]] = field(default_factory=dict)

    def staged(self) -> list[Staged]:
        """The relations of all tables."""
        create_macros(self.connection)
        pieces = [piece for number, file in enumerate(self.source.files) for piece in self._pieces(file, number)]
        returns = [self._dated(each) for each in _groups(pieces)]
        for table in mapping().tables.values():
            if any(piece.table is table for piece in pieces):
                self._put_together(table, returns)
        self._check_codes(returns)
        derived = Derived(self.connection, self.source, self.relations, self.said)
        derived.derive()
        return [staged for fill in mapping().fills for staged in self._fill(fill, derived, returns)]

    def _pieces(self, file: SourceFile, number: int) -> list[Piece]:
        is_xml = kind_of(file.path.open("rb").read(4096)) == "xml"
        return self._xml_pieces(file, number) if is_xml else [self._csv_piece(file, number)]

    def _csv_piece(self, file: SourceFile, number: int) -> Piece:
        with file.path.open("rb") as stream:
            headings = csv_headings(stream.read(1 << 16))
        table = table_of(headings)
        if table is None:
            raise UsageError(f"{file.label}: its headings are of no one table of the SSDA903 return")
        words = [heading(each) for each in headings]
        if twice := sorted({each for each in words if each in table.columns and words.count(each) > 1}):
            raise UsageError(f"{file.label}: the heading {twice[0]} comes twice", help="keep one of the columns")
        columns = {word: position for position, word in enumerate(words) if word in table.columns}
        relation = self.source.relation(number, table.name, "raw")
        loaded = load_csv(self.connection, relation, file.path, file.label, columns, self.limits)
        notices = [
            _unknown_heading(each, table) for each in loaded.headings if each.strip() and heading(each) not in table.columns
        ]
        notices += [Remark(1, each, None, _LACKING) for each in table.columns if each not in columns]
        return Piece(
            table,
            file,
            number,
            None,
            numbered(relation),
            frozenset(columns),
            loaded.refused,
            tuple(notices),
            loaded.has_odd_spaces,
        )

    def _xml_pieces(self, file: SourceFile, number: int) -> list[Piece]:
        """Each table that the XML file holds, as if it were a file of its own."""
        layout = mapping().layout

        def relation(record: str) -> str:
            return self.source.relation(number, "xml", record)

        found = read_records(self.connection, file.path, file.label, layout, relation, self.limits)
        records = {record.name: record for record in layout.records}
        pieces = []
        for table in mapping().tables.values():
            if table.record is None:
                continue
            columns = [each for each in table.columns if each in (*records["child"].fields, *records[table.record].fields)]
            made = self.source.relation(number, table.name, "raw")
            self.connection.execute(f"CREATE VIEW {made} AS {_xml_rows(table, columns, records, relation)}")
            sheet = "HEADER" if table.record == "child" else records[table.record].at.rpartition("/")[2]
            notices = found.remarks() if table.name == "header" else ()
            pieces.append(Piece(table, file, number, sheet, made, frozenset(columns), (), notices, has_odd_spaces=False))
        return pieces

    def _dated(self, pieces: Sequence[Piece]) -> Return:
        """The pieces of one return with its year: as the files' names say it, else as the data tell it."""
        named = {year for piece in pieces if (year := year_named(piece.file.label))}
        if len(named) == 1:
            return Return(tuple(pieces), named.pop(), NAMED)
        for table, column in mapping().year_told_by:
            held = [each for each in pieces if each.table.name == table and column in each.columns]
            selects = [f"SELECT staging.ssda903_date(trim({column})) AS day FROM {each.relation}" for each in held]
            if not selects:
                continue
            latest = self.source.extract_date or date(_LAST_YEAR, 12, 31)
            found = self._one(
                f"SELECT max(try_cast(day AS DATE)) FROM ({' UNION ALL '.join(selects)}) "
                f"WHERE try_cast(day AS DATE) BETWEEN DATE '{_FIRST_YEAR}-01-01' AND DATE {quoted(str(latest))}"
            )
            if found:
                return Return(tuple(pieces), found.year + (found > date(found.year, 3, 31)), f"the latest {column} is {found}")
        if day := self.source.extract_date:
            return Return(tuple(pieces), day.year + (day > date(day.year, 3, 31)), f"the day of the extract is {day}")
        return Return(tuple(pieces), None, "")

    def _one(self, sql: str) -> Any:
        return (self.connection.execute(sql).fetchone() or (None,))[0]

    def _put_together(self, table: SourceTable, returns: Sequence[Return]) -> None:
        """Makes the relation of a table's tidy rows in all returns; of rows with one key, the later return's stands."""
        selects, years = [], set()
        for each in returns:
            for piece in each.pieces:
                if piece.table is table:
                    selects.append(self._tidy(piece, each))
                    years.add(each.year)
        relation = self.source.relation(table.name)
        rows = " UNION ALL ".join(selects)
        if len(years) > 1 and table.key:
            key = ", ".join(map(name, table.key))
            own = "_year = max(_year) OVER (PARTITION BY " + key + ")"
            rows = f"SELECT * FROM ({rows}) QUALIFY {own} OR _year IS NULL"
        self.connection.execute(f"CREATE TABLE {relation} AS {rows}")
        self.relations[table.name] = relation
        for each in returns:
            for piece in each.pieces:
                if piece.table is table:
                    self._say_of(piece, each)
                    self._let_go(piece)

    def _let_go(self, piece: Piece) -> None:
        """Drops the rows as they were read, whose tidy copy is what is used."""
        if piece.sheet is None:
            raw = self.source.relation(piece.number, piece.table.name, "raw")
            self.connection.execute(f"DROP VIEW {piece.relation}; DROP TABLE {raw}")

    def _tidy(self, piece: Piece, of: Return) -> str:
        """SQL for the rows of a piece: text without spaces at its ends, plain dates, codes in capitals; blank rows left out."""
        table = piece.table
        columns = [f"{self._tidied(table, each, piece)} AS {name(each)}" for each in table.columns]
        end = quoted(str(of.year_end)) if of.year_end else "NULL::VARCHAR"
        lineage = [f"{piece.number} AS _file", "_row", f"{of.year or 'NULL'}::INTEGER AS _year", f"{end} AS year_end"]
        some = ", ".join(f"nullif(trim({name(each)}), '')" for each in table.columns if each in piece.columns)
        return f"SELECT {', '.join([*lineage, *columns])} FROM {piece.relation} WHERE coalesce({some}) IS NOT NULL"

    @staticmethod
    def _tidied(table: SourceTable, column: str, piece: Piece) -> str:
        if column not in piece.columns:
            return "NULL::VARCHAR"
        text = f"staging.ssda903_text({name(column)})" if piece.has_odd_spaces else f"nullif(trim({name(column)}), '')"
        if column in table.dates:
            return f"staging.ssda903_date({text})"
        if column in table.postcodes:
            return f"staging.ssda903_postcode({text})"
        if column in _NUMBERS:
            return f"CASE WHEN ends_with({text}, '.0') THEN regexp_replace({text}, '^(\\d+)\\.0$', '\\1') ELSE {text} END"
        return f"upper({text})" if column in table.codes else text

    def _say_of(self, piece: Piece, of: Return) -> None:
        """Notes what there is to say of a piece: its headings, its year, the rows that were left out."""
        remarks = self.said.setdefault((piece.table.name, piece.number), [])
        remarks += piece.notices
        kept = self._one(f"SELECT count(*) FROM {self.relations[piece.table.name]} WHERE _file = {piece.number}")
        given = self._one(f"SELECT count(*) FROM {piece.relation}")
        if given > kept:
            remarks.append(Remark(None, None, None, f"{given - kept:,} rows are blank, or are told by a later return: left out"))
        if of.year is None:
            remarks.append(Remark(None, None, None, "the year of the return is not known: no date in it tells it"))
        elif piece is of.first:
            remarks.append(Remark(None, None, None, f"read as of the year to 31 March {of.year}: {of.told_by}"))

    def _check_codes(self, returns: Sequence[Return]) -> None:
        """Says which codes are not known, in columns that fill none of ours, and which are not of their year."""
        for each in mapping().codes:
            self._check(each, f"{name(each['column'])} NOT IN ({listed(each['codes'])})", "not a code that is known")
        for each in mapping().years:
            when = f"from {each['from']}" if "from" in each else f"to {each['to']}"
            outside = f"_year < {each['from']}" if "from" in each else f"_year > {each['to']}"
            test = f"{outside} AND upper({name(each['column'])}) IN ({listed(each['codes'])})"
            self._check(each, test, f"a code of returns {when}, but not of this one's year: read all the same")

    def _check(self, rule: Mapping[str, Any], test: str, reason: str) -> None:
        if relation := self.relations.get(rule["table"]):
            column = name(rule["column"])
            found = self.connection.execute(
                f"SELECT _file, {column}, min(_row), count(*) FROM {relation} WHERE {test} "
                f"GROUP BY ALL ORDER BY ALL LIMIT {_REMARKS_KEPT}"
            ).fetchall()
            for number, said, row, count in found:
                often = f" ({count:,} times)" if count > 1 else ""
                self.said.setdefault((rule["table"], number), []).append(Remark(row, rule["column"], said, reason + often))

    def _fill(self, fill: Filling, derived: Derived, returns: Sequence[Return]) -> Iterator[Staged]:
        """The relations of a table that the return fills, one for each file that its rows are of."""
        homes = [each for each in derived.homes(fill.of) if each in self.relations]
        if not homes or (fill.where and not self._is_held(fill, homes[0], returns)):
            return
        relation = derived.relation(fill.of)
        columns = {column: said for column, said in fill.columns.items() if self._has(said, fill.of, homes, returns)}
        selects = ", ".join(f"{value(said, 'r', mapping().translations)} AS {name(column)}" for column, said in columns.items())
        where = f" AND r.{name(fill.where)} IS NOT NULL" if fill.where else ""
        counts = dict(
            self.connection.execute(f"SELECT _file, count(*) FROM {relation} r WHERE true{where} GROUP BY 1").fetchall()
        )
        for each in returns:
            for piece in each.pieces:
                if piece.table.name in homes and (counts.get(piece.number) or self._is_main(fill, piece)):
                    home = f" AND _home = {quoted(piece.table.name)}" if derived.has_homes(fill.of) else ""
                    rows = f"(SELECT _row, {selects} FROM {relation} r WHERE _file = {piece.number}{home}{where})"
                    yield self._one_staged(fill, piece, each, rows, columns)

    @staticmethod
    def _is_main(fill: Filling, piece: Piece) -> bool:
        """Whether the table is told by this file alone, so that no row means that there is none."""
        return piece.table.name == HOMES.get(fill.of, (fill.of,))[0] and fill.table not in _ONLY_WITH_ROWS

    def _one_staged(self, fill: Filling, piece: Piece, of: Return, rows: str, columns: Mapping[str, Any]) -> Staged:
        remarks = self.said.pop((piece.table.name, piece.number), [])
        remarks += self.said.pop((fill.of, piece.number), [])
        refused = piece.refused if (remarks or piece.refused) and self._is_first(piece) else ()
        read = self._one(f"SELECT count(*) FROM {rows}")
        return Staged(
            fill.table,
            rows,
            piece.file.label,
            piece.sheet,
            self.source.config.history.get(fill.table, fill.history),
            read + len(refused),
            refused=refused,
            notices=tuple(remarks),
            columns=frozenset({"_row", *columns}),
            has_odd_spaces=False,
            extract_date=self._extract_date(of),
            covers=self._covers(fill.table, of),
        )

    def _is_first(self, piece: Piece) -> bool:
        """Whether this is the first relation made of the piece, which carries what could not be read of it."""
        key = ("refused", id(piece))
        if key in self.said:
            return False
        self.said[key] = []
        return True

    def _extract_date(self, of: Return) -> date | None:
        """The end of the year where the files say it, or the dataset's own day where that is earlier or the only one."""
        own, end = self.source.extract_date, of.year_end
        if own:
            return min(own, end) if end else own
        return end if of.is_named else None

    def _covers(self, table: str, of: Return) -> Stretch:
        """The year of the return, as far as the extract goes."""
        if not of.year_end:
            return Stretch()
        own = self.source.extract_date
        return covering(table, date(of.year_end.year - 1, 4, 1), min(own, of.year_end) if own else of.year_end)

    def _is_held(self, fill: Filling, table: str, returns: Sequence[Return]) -> bool:
        return any(fill.where in piece.columns for each in returns for piece in each.pieces if piece.table.name == table)

    def _has(self, said: Any, of: str, homes: Sequence[str], returns: Sequence[Return]) -> bool:
        """Whether any file holds the column that the mapping says, so that its blanks are blanks."""
        fields = [said] if isinstance(said, str) else [said[key] for key in ("field", "upper") if key in said]
        every = {column for table in mapping().tables.values() for column in table.columns}
        held = frozenset[str]().union(*(piece.columns for each in returns for piece in each.pieces if piece.table.name in homes))
        return all(each in held or each not in every for each in fields)


_ONLY_WITH_ROWS = ("special_guardianship_cases",)
"""Tables of which the return holds a part: without a row of it, it says nothing of them."""

_LACKING = "no such heading in this file, so nothing is known of it"


def _unknown_heading(said: str, table: SourceTable) -> Remark:
    near = nearest(heading(said), table.columns)
    return Remark(1, shown(said), None, f"not a column of {table.name}" + (f"; {near}" if near else ""))


def _groups(pieces: Sequence[Piece]) -> list[list[Piece]]:
    """The pieces of each return: files of one folder whose names say the same year, or none; XML files each by itself."""
    groups: dict[tuple[object, ...], list[Piece]] = {}
    for piece in pieces:
        label = Path(piece.file.label)
        year = year_named(piece.file.label)
        is_previous = bool(_PREVIOUS.search(label.stem.lower()))
        own = piece.number if piece.sheet is not None and year is None else None
        groups.setdefault((label.parent if year is None else None, year, is_previous, own), []).append(piece)
    return list(groups.values())


def _xml_rows(table: SourceTable, columns: Sequence[str], records: Mapping[str, Any], relation: Any) -> str:
    """SQL for a table's rows in an XML file: a record's own fields, and those of the child it is of."""
    own = records[table.record or ""].fields if table.record != "child" else {}
    selects = ", ".join(f"{'r' if each in own else 'c'}.{name(each)}" for each in columns)
    if table.record == "child":
        some = " OR ".join(f"coalesce(c.{name(each)}, '0') <> '0'" for each in table.made_by)
        return f"SELECT c._row, {selects} FROM {relation('child')} c {'WHERE ' + some if some else ''}"
    return f"SELECT r._row, {selects} FROM {relation(table.record)} r JOIN {relation('child')} c ON c._row = r._parent"
