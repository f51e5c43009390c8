"""Ofsted ILACS Annex A: a workbook with its lists as sheets, or one CSV file a list.

Which heading is which field, what the codes are called and which list fills which table is in `annex_a.yaml`.
Lists 6 to 9 hold only the latest event of each child, so what they fill is staged as `latest`.
"""

from __future__ import annotations

import csv
import re
import unicodedata
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from datetime import date
from difflib import get_close_matches
from functools import cache
from itertools import islice
from pathlib import Path
from typing import Any

import yaml
from duckdb import DuckDBPyConnection

from compliance.calendar import Duration, subtract
from compliance.dataset.coverage import Stretch, covering
from compliance.dataset.ingest import THREADS, Remark, Staged, shown
from compliance.dataset.schema import Schema
from compliance.dataset.values import name, quoted
from compliance.errors import UsageError
from compliance.sources.heads import date_in, kind_of, text_of
from compliance.sources.limits import Limits
from compliance.sources.reader import Source, SourceFile
from compliance.sources.workbook import HEAD_ROWS, Sheet, Workbook, is_workbook, open_workbook

FORMAT = "annex_a"
MAPPING_FILE = Path(__file__).with_suffix(".yaml")

HEADINGS_NEEDED = 3
DISTINCT_WORDS = 20_000
NOTICES_PER_COLUMN = 100

_LIST_NAME = re.compile(r"^(?:annex a )?list 0*(\d{1,2})\b")
_PREFIX = re.compile(r"^[a-z]{1,2}[0-9]?[).]\s*")
_SEVERAL = re.compile(r"\s*(?:[,;/&+]|\band\b)\s*")
_PLAIN = str.maketrans({"’": "'", "‘": "'", "`": "'", "′": "'", "“": '"', "”": '"', "–": "-", "—": "-"})
_BLANKS = (
    *("", "-", "--", "n/a", "na", "nan", "none", "null", "#n/a", "#ref!", "#value!", "#div/0!", "#name?", "pd.na"),
    *("not recorded", "no data", "znotrecorded", "tbc", "<na>"),
)
_ODD = ("  ", "\u00a0", "\ufeff", "\t", "\n", "\r", "â€")
_NO_DATES = ("1899-12-3", "30/12/1899", "31/12/1899", "9999-12-31", "31/12/9999")
_WORDED_DATES = ("%d %b %Y", "%d %B %Y", "%d-%b-%Y", "%d-%B-%Y", "%d/%b/%Y")
_BASE = {False: "1899-12-30", True: "1904-01-01"}
_NO_LISTS = ("front sheet", "faq and changes", "guidance", "codes used")
_ONE_ROW_A_CHILD = (6, 7, 8, 9)
_TITLE = r"^(annex a )?list 0*\d{1,2}\b"
_TIMED = (
    "strlen({0}) > 10 AND regexp_matches({0}, '[T ]\\d{{1,2}}:\\d\\d') AND NOT regexp_matches({0}, '[T ]0?0:00(:00)?(\\.0*)?$')"
    " OR regexp_full_match({0}, '[2-5]\\d{{4}}\\.0*[1-9]\\d*')"
)
"""SQL of a date with a time of day that is not midnight."""
_YES_OR_NO = frozenset({"yes", "no", ""})


@dataclass(frozen=True)
class Field:
    """A column of a list: its headings as they are compared, its type, and the set that its codes are of."""

    name: str
    heading: str
    headings: frozenset[str]
    like: re.Pattern[str] | None
    type: str
    codes: str | None


@dataclass(frozen=True)
class AnnexList:
    """One of the eleven lists: what it is called, the field that tells a row, those that tell the list, and all."""

    number: int
    title: str
    names: frozenset[str]
    signature: tuple[str, ...]
    id: str
    fields: Mapping[str, Field]
    looks_back: Duration | None = None


@dataclass(frozen=True)
class Codes:
    """What is said for the codes of a set: words, a pattern for the code itself, the code for several at once.

    Words of `alone` are read where a column holds no others.
    """

    words: Mapping[str, str]
    token: re.Pattern[str] | None
    several: str | None
    alone: Mapping[str, str] = field(default_factory=dict)

    @property
    def is_yes_or_no(self) -> bool:
        """Whether the set answers yes or no, so that any other word is a blank."""
        return set(self.words.values()) <= _YES_OR_NO

    @property
    def has_letters(self) -> bool:
        """Whether a code is a letter, which the letter before an unknown word may not be taken for."""
        return any(len(code) == 1 and code.isalpha() for code in self.words.values())

    def codes_of(self, said: Sequence[str]) -> list[tuple[str, str | None]]:
        """Each text of a column with the code that it stands for there."""
        if all(normal(each) in self.alone for each in said):
            return [(each, self.alone[normal(each)]) for each in said]
        return [(each, self.code_of(each)) for each in said]

    def code_of(self, said: str) -> str | None:
        """The code that the text stands for; empty where it stands for a blank, None where it is not known."""
        word = normal(said)
        bare = normal(_PREFIX.sub("", said.strip().casefold()))
        for each in (word, bare):
            if each in self.words:
                return self.words[each]
        return self._token_of(_PREFIX.sub("", said.strip())) or self._several(bare)

    def _token_of(self, said: str) -> str | None:
        """The code in the text: the only one, or the one that it begins with. Of several named in passing none is meant."""
        found = list(self.token.finditer(said)) if self.token else []
        codes = [next(group for group in each.groups() if group) for each in found]
        is_clear = len(set(codes)) == 1 or (found and found[0].start() == 0)
        return codes[0] if is_clear else None

    def _several(self, word: str) -> str | None:
        parts = {self.words.get(part) for part in _SEVERAL.split(word) if part}
        return self.several if self.several and len(parts) > 1 and None not in parts else None


@dataclass(frozen=True)
class Filling:
    """How a list fills a table: columns from fields, the field that makes a row, and what is the same in each.

    A column of `one_of` is whether a field holds one of some codes.
    """

    table: str
    lists: tuple[int, ...]
    history: Any
    columns: Mapping[str, str]
    where: str | None = None
    only: Mapping[str, Sequence[str]] = field(default_factory=dict)
    once: str | None = None
    values: Mapping[str, str] = field(default_factory=dict)
    one_of: Mapping[str, Mapping[str, Sequence[str]]] = field(default_factory=dict)


@dataclass(frozen=True)
class AnnexA:
    """What `annex_a.yaml` says."""

    lists: Mapping[int, AnnexList]
    tables: tuple[Filling, ...]
    codes: Mapping[str, Codes]


@dataclass(frozen=True)
class FoundList:
    """A list as found in a sheet: its heading row (1 is the first), where each field is, and which headings are not known."""

    known: AnnexList
    sheet: Sheet
    heading_row: int
    positions: Mapping[str, int]
    unknown: tuple[str, ...]

    @property
    def missing(self) -> list[str]:
        """The headings of the list that the sheet does not have, save those that came with a later layout or may be left out."""
        return [each.heading for key, each in self.known.fields.items() if key not in self.positions]


def recognise(path: Path, head: bytes) -> str | None:
    """Why the file is Annex A, None where it is not."""
    if is_workbook(path, head):
        numbers = [found.known.number for found in lists_in(open_workbook(path))]
        return f"a workbook with {_numbered(numbers)} of Annex A, by their headings" if numbers else None
    if kind_of(head) != "text":
        return None
    match = match_list(path.stem, _head_rows(head))
    return f"{_numbered([match[0].number])} of Annex A, by its headings" if match else None


def suggest(path: Path, head: bytes) -> str | None:
    """What a file that is not Annex A holds, and how near to a list it comes."""
    if not is_workbook(path, head):
        return None
    workbook = open_workbook(path)
    sheets = ", ".join(f"{shown(each.name)!r}" for each in workbook.sheets[:8])
    near = max((_nearness(each) for each in workbook.sheets), default=(0, ""))
    nearest = f"; the nearest is {near[1]}" if near[0] else "; none has a heading of Annex A"
    return f"it has the sheets {sheets}{nearest}" if sheets else "it has no sheets"


def stage(connection: DuckDBPyConnection, source: Source, schema: Schema, limits: Limits) -> list[Staged]:
    """The tables that the lists fill, one staged relation for each list and table."""
    _create_macros(connection)
    readings = [
        _Reading(connection.cursor(), source, schema, file, number, workbook, found, _extract_date(source, file), others)
        for number, file in enumerate(source.files)
        for workbook in [open_workbook(file.path, limits)]
        for found, others in _with_others(workbook)
    ]
    with ThreadPoolExecutor(THREADS) as threads:
        remarks = list(threads.map(_Reading.cleaned, readings))
        if readings and (spelled := _spell_alike(connection, source, [each for each in readings if each.is_of_children])):
            reason = f"{spelled:,} ids are spelled in capitals in one place and not in another, and are read as one"
            remarks[0].append(Remark(None, None, None, reason))
        return [each for staged in threads.map(_Reading.staged, readings, remarks) for each in staged]


def _spell_alike(connection: DuckDBPyConnection, source: Source, readings: Sequence[_Reading]) -> int:
    """How many ids of children differ from another in capitals alone; all lists spell them in one way from here on."""
    ids = " UNION ".join(f"SELECT child_id AS said FROM {each.relation('clean')}" for each in readings)
    if not ids:
        return 0
    spellings = source.relation("spellings")
    one = f"SELECT said, min(said) OVER (PARTITION BY lower(said)) AS meant FROM ({ids}) QUALIFY said <> meant"
    connection.execute(f"CREATE TABLE {spellings} AS {one}")
    several = int((connection.execute(f"SELECT count(*) FROM {spellings}").fetchone() or (0,))[0])
    for each in readings if several else ():
        clean = each.relation("clean")
        connection.execute(f"UPDATE {clean} SET child_id = m.meant FROM {spellings} m WHERE child_id = m.said")
    return several


def lists_in(workbook: Workbook) -> list[FoundList]:
    """The lists that the sheets hold, in the order of the sheets; two columns of one field are refused."""
    found = []
    for sheet in workbook.sheets:
        rows = sheet.head()
        if match := match_list(sheet.name, rows):
            each, row = match
            positions, unknown = _positions(each, rows[row], sheet.name)
            if each.id not in positions:
                raise UsageError(
                    f"{sheet.name}: has no heading {each.fields[each.id].heading!r}", help=_nearest_heading(each, unknown)
                )
            found.append(FoundList(each, sheet, row + 1, positions, unknown))
    return found


def _with_others(workbook: Workbook) -> list[tuple[FoundList, tuple[str, ...]]]:
    """The lists that the sheets hold, the first with the names of the sheets that hold none and are not of the template."""
    found = lists_in(workbook)
    of_lists = {each.sheet.name for each in found} | {each.name for each in workbook.sheets if _is_of_template(each.name)}
    others = tuple(each.name for each in workbook.sheets if each.rows and each.name not in of_lists)
    return [(each, others if each is found[0] else ()) for each in found]


def _is_of_template(sheet: str) -> bool:
    return normal(sheet).replace("_", " ") in _NO_LISTS


def match_list(sheet: str, rows: Sequence[Sequence[str]]) -> tuple[AnnexList, int] | None:
    """The list that a sheet holds and the index of its heading row: by the sheet's name, else by its headings."""
    lists = mapping().lists
    named = _named_list(sheet)
    if named and (row := _heading_row(named, rows)) is not None:
        return named, row
    if _is_of_template(sheet):
        return None
    for row, cells in enumerate(rows):
        words = {normal(cell) for cell in cells}
        for each in lists.values():
            if all(words & each.fields[key].headings for key in (each.id, *each.signature)):
                return each, row
    return None


def normal(text: str) -> str:
    """The text as headings and words are compared: plain quotes and spaces, no punctuation at its end, lower case."""
    plain = unicodedata.normalize("NFKC", text).translate(_PLAIN)
    plain = re.sub(r"\s+", " ", plain).strip().rstrip("?:*. ")
    if plain.count(")") > plain.count("("):
        plain = plain.rstrip(")")
    return plain.strip().casefold()


@cache
def mapping() -> AnnexA:
    """The lists, tables and codes of Annex A."""
    document = yaml.load(MAPPING_FILE.read_bytes(), getattr(yaml, "CSafeLoader", yaml.SafeLoader))
    common = {key: _field(key, facts) for key, facts in document["common"].items()}
    lists = {number: _list(number, facts, common) for number, facts in document["lists"].items()}
    fillings = tuple(Filling(**{**facts, "lists": tuple(facts["lists"])}) for facts in document["tables"])
    return AnnexA(lists, fillings, {key: _codes(facts) for key, facts in document["codes"].items()})


def _field(key: str, facts: Mapping[str, Any]) -> Field:
    headings = frozenset(normal(each) for each in (facts["heading"], *facts.get("also", ())))
    like = re.compile(facts["like"]) if "like" in facts else None
    return Field(key, facts["heading"], headings, like, facts["type"], facts.get("codes"))


def _list(number: int, facts: Mapping[str, Any], common: Mapping[str, Field]) -> AnnexList:
    looks_back = Duration.parse(facts["looks_back"]) if "looks_back" in facts else None
    fields = {key: common[key] for key in facts["common"]} | {key: _field(key, each) for key, each in facts["fields"].items()}
    return AnnexList(
        number, facts["title"], frozenset(facts["names"]), tuple(facts["signature"]), facts["id"], fields, looks_back
    )


def _codes(facts: Mapping[str, Any]) -> Codes:
    words, alone = ({word: code for code, said in facts.get(key, {}).items() for word in said} for key in ("words", "alone"))
    return Codes(words, re.compile(facts["token"]) if "token" in facts else None, facts.get("several"), alone)


def _named_list(sheet: str) -> AnnexList | None:
    plain = re.sub(r"[\s_.-]+", " ", normal(re.sub(r"(?i)^list(?=\d)", "list ", sheet.strip()))).strip()
    if found := _LIST_NAME.match(plain):
        return mapping().lists.get(int(found[1]))
    return next((each for each in mapping().lists.values() if plain in each.names), None)


def _heading_row(each: AnnexList, rows: Sequence[Sequence[str]]) -> int | None:
    known = frozenset[str]().union(*(key.headings for key in each.fields.values()))
    for row, cells in enumerate(rows):
        if len({normal(cell) for cell in cells} & known) >= HEADINGS_NEEDED:
            return row
    return None


def _positions(each: AnnexList, cells: Sequence[str], sheet: str) -> tuple[dict[str, int], tuple[str, ...]]:
    """Where each field of the list is among the headings, and the headings that are no field's."""
    positions: dict[str, int] = {}
    left = [(position, cell) for position, cell in enumerate(cells) if cell.strip()]
    for matches in (_is_named, _is_like):
        for position, cell in left:
            fields = [key for key, known in each.fields.items() if matches(known, normal(cell))]
            taken = [key for key in fields if key in positions]
            if matches is _is_named and (taken or len(fields) > 1):
                raise UsageError(f"{sheet}: two headings are {each.fields[fields[0]].heading!r}", help="keep one of the columns")
            if len(fields) > 1 and not taken:
                both = " and ".join(repr(each.fields[key].heading) for key in fields)
                raise UsageError(f"{sheet}: the heading {cell!r} fits {both}", help="name the column as one of them")
            if fields and not taken:
                positions[fields[0]] = position
        left = [(position, cell) for position, cell in left if position not in positions.values()]
    return positions, tuple(cell for _, cell in left)


def _nearest_heading(each: AnnexList, unknown: Sequence[str]) -> str | None:
    near = get_close_matches(normal(each.fields[each.id].heading), [normal(cell) for cell in unknown], n=1)
    return f"the nearest is {near[0]!r}" if near else None


def _is_named(known: Field, word: str) -> bool:
    return word in known.headings


def _is_like(known: Field, word: str) -> bool:
    return bool(known.like and known.like.search(word))


def _head_rows(head: bytes) -> list[list[str]]:
    try:
        return list(islice(csv.reader((text_of(head) or "").splitlines(keepends=True)), HEAD_ROWS))
    except csv.Error:
        return []


def _numbered(numbers: Sequence[int]) -> str:
    words = ", ".join(map(str, sorted(set(numbers))))
    return f"List {words}" if len(set(numbers)) == 1 else f"Lists {words}"


def _nearness(sheet: Sheet) -> tuple[int, str]:
    """How many headings of a list the sheet has, and that said in words."""
    words = {normal(cell) for row in sheet.head() for cell in row}
    near = [(sum(bool(words & key.headings) for key in each.fields.values()), each) for each in mapping().lists.values()]
    count, each = max(near, key=lambda pair: pair[0])
    return count, f"{shown(sheet.name)!r}, with {count} of the {len(each.fields)} headings of List {each.number}"


def _extract_date(source: Source, file: SourceFile) -> date | None:
    """When the extract was taken: as the dataset says it, or as the file's name does where there are several."""
    named = date_in(Path(file.label).name)
    return (named if len(source.files) > 1 else None) or source.extract_date or named


@dataclass(frozen=True)
class _Reading:
    """One list of one file, on its way into staged relations."""

    connection: DuckDBPyConnection
    source: Source
    schema: Schema
    file: SourceFile
    number: int
    workbook: Workbook
    found: FoundList
    extract_date: date | None
    others: tuple[str, ...] = ()

    @property
    def sheet(self) -> str:
        return f"List {self.found.known.number}"

    def relation(self, *words: object) -> str:
        return self.source.relation(self.number, self.found.sheet.name, self.sheet, *words)

    @property
    def is_of_children(self) -> bool:
        """Whether a row of the list is a child's."""
        return self.found.known.id == "child_id"

    def cleaned(self) -> list[Remark]:
        """What there is to say about the sheet, once its clean relation is made."""
        return [*self._other_sheets(), *self._heading_remarks(), *self._clean(), *self._unsaved()]

    def staged(self, remarks: Sequence[Remark]) -> list[Staged]:
        """The relations of the tables, the first of which carries what there is to say about the sheet."""
        fillings = [each for each in mapping().tables if self.found.known.number in each.lists and self._can_fill(each)]
        if not fillings:
            return []
        relations = [self._filled(each) for each in fillings]
        counts = self.connection.execute(" UNION ALL ".join(f"SELECT {n}, count(*) FROM {r}" for n, r in enumerate(relations)))
        read = dict(counts.fetchall())
        is_sheet = len(self.workbook.sheets) > 1 or kind_of(self.file.path.open("rb").read(16)) != "text"
        staged = []
        for number, (filling, relation) in enumerate(zip(fillings, relations, strict=True)):
            columns = frozenset({"_row", *filling.values, *self._columns(filling)})
            about = tuple(remarks) if number == 0 else ()
            staged.append(
                Staged(
                    filling.table,
                    relation,
                    self.file.label,
                    self.sheet if is_sheet else None,
                    filling.history,
                    read[number],
                    notices=(*about, *self._table_remarks(filling)),
                    columns=columns,
                    has_odd_spaces=False,
                    extract_date=self.extract_date,
                    covers=self._covers(filling),
                )
            )
        return staged

    def _records(self) -> str:
        """SQL for the sheet's records as they are, numbered in their order."""
        sheet = self.found.sheet
        kinds = ", ".join(f"'c{position}': 'VARCHAR'" for position in range(max(sheet.columns, 1)))
        columns = ", ".join(f"c{position} AS {name(key)}" for key, position in self.found.positions.items())
        form = "auto_detect=false, header=false, delim=',', quote='\"', escape='\"', null_padding=true, parallel=false"
        source = f"read_csv({quoted(str(sheet.file))}, {form}, max_line_size=16777216, columns={{{kinds}}})"
        return f"SELECT row_number() OVER () AS _row, {columns} FROM {source}"

    def _clean(self) -> Iterator[Remark]:
        """Makes the clean relation, and says which rows were left out and which answers were not understood."""
        self.connection.execute(f"CREATE TABLE {self.relation('trimmed')} AS {self._trimmed()}")
        repeated = self._drop_repeated_headings()
        coded = [self.found.known.fields[key] for key in self.found.positions if self.found.known.fields[key].codes]
        unknown = list(self._unknown_answers(coded))
        timed = list(self._times())
        kept = f"{name(self.found.known.id)} IS NOT NULL"
        columns = [self._read_field(self.found.known.fields[key]) for key in self.found.positions]
        joins = " ".join(f"LEFT JOIN {self._words(each)} {name('m ' + each.name)} ON {self._joins(each)}" for each in coded)
        inner = f"SELECT min(_row) AS _row, * EXCLUDE (_row) FROM {self.relation('trimmed')} WHERE {kept} GROUP BY ALL"
        clean = f"SELECT t._row, {', '.join(columns)} FROM ({inner}) t {joins} ORDER BY t._row"
        self.connection.execute(f"CREATE TABLE {self.relation('clean')} AS {clean}")
        if repeated:
            yield Remark(None, None, None, f"{_rows(repeated)} left out: the heading or the title again")
        yield from self._left_out(kept)
        yield from unknown
        yield from timed

    def _trimmed(self) -> str:
        """SQL for the rows below the heading with tidy text."""
        names = [name(key) for key in self.found.positions]
        spacing = "staging.annex_spaced" if self.found.sheet.has_odd_spaces() else "trim"
        spaced = ", ".join(f"{spacing}({each}) AS {each}" for each in names)
        tidy = ", ".join(f"staging.annex_tidy({each}) AS {each}" for each in names)
        rows = f"SELECT _row, {spaced} FROM ({self._records()}) WHERE _row > {self.found.heading_row}"
        return f"SELECT _row, {tidy} FROM ({rows})"

    def _drop_repeated_headings(self) -> int:
        """How many rows of the trimmed relation were the heading, or the title with nothing beside it, and are gone."""
        own = self.found.known.fields[self.found.known.id]
        others = ", ".join(name(key) for key in self.found.positions if key != own.name)
        alone = f" AND coalesce({others}) IS NULL" if others else ""
        is_heading = (
            f"lower({name(own.name)}) IN ({', '.join(quoted(each) for each in sorted({own.heading.lower(), *own.headings}))})"
        )
        is_title = f"regexp_matches(lower({name(own.name)}), {quoted(_TITLE)}){alone}"
        gone = self.connection.execute(f"DELETE FROM {self.relation('trimmed')} WHERE {is_heading} OR ({is_title})").fetchone()
        return int(gone[0]) if gone else 0

    def _left_out(self, kept: str) -> Iterator[Remark]:
        held = [name(key) for key in self.found.positions if key != self.found.known.id]
        some = f"coalesce({', '.join(held)}) IS NOT NULL"
        trimmed, clean = self.relation("trimmed"), self.relation("clean")
        counts = f"count(*) FILTER ({kept}), count(*) FILTER (NOT ({kept}) AND {some}), (SELECT count(*) FROM {clean})"
        row = self.connection.execute(f"SELECT {counts} FROM {trimmed}").fetchone() or (0, 0, 0)
        heading = self.found.known.fields[self.found.known.id].heading
        if row[1]:
            yield Remark(None, heading, None, f"{_rows(row[1])} left out: no {heading}")
        if row[0] > row[2]:
            yield Remark(None, None, None, f"{_rows(row[0] - row[2])} left out: the same as another in every cell")
        if self.found.known.number in _ONE_ROW_A_CHILD and (several := self._with_several_rows(clean)):
            of = "1 child has" if several == 1 else f"{several:,} children have"
            yield Remark(None, heading, None, f"{of} several rows, where the list has one a child: all are kept")

    def _with_several_rows(self, clean: str) -> int:
        own = name(self.found.known.id)
        several = f"SELECT {own} FROM {clean} GROUP BY 1 HAVING count(*) > 1"
        return int((self.connection.execute(f"SELECT count(*) FROM ({several})").fetchone() or (0,))[0])

    def _unknown_answers(self, coded: Sequence[Field]) -> Iterator[Remark]:
        """Makes the table of words for the coded fields, and says which rows answer neither yes nor no."""
        said = self._said(coded)
        pairs = {each: mapping().codes[each.codes or ""].codes_of(said[each.name]) for each in coded}
        known = [(each.name, word, code) for each in coded for word, code in pairs[each] if code is not None]
        self.connection.execute(f"CREATE TABLE {self.relation('words')} (field VARCHAR, said VARCHAR, code VARCHAR)")
        if known:
            marks = ", ".join(f"unnest(${number}::VARCHAR[])" for number in (1, 2, 3))
            lists = list(map(list, zip(*known, strict=True)))
            self.connection.execute(f"INSERT INTO {self.relation('words')} SELECT {marks}", lists)
        for each in coded:
            if mapping().codes[each.codes or ""].is_yes_or_no and any(code is None for _, code in pairs[each]):
                yield from self._not_understood(each)

    def _said(self, coded: Sequence[Field]) -> dict[str, list[str]]:
        """The different texts of each coded field."""
        found: dict[str, list[str]] = {each.name: [] for each in coded}
        selects = [
            f"(SELECT DISTINCT {quoted(each.name)}, {name(each.name)} FROM {self.relation('trimmed')} "
            f"WHERE {name(each.name)} IS NOT NULL ORDER BY 2 LIMIT {DISTINCT_WORDS})"
            for each in coded
        ]
        for key, word in self.connection.execute(" UNION ALL ".join(selects)).fetchall() if selects else ():
            found[key].append(word)
        return found

    def _not_understood(self, each: Field) -> Iterator[Remark]:
        column, trimmed, words = name(each.name), self.relation("trimmed"), self._words(each)
        unknown = f"FROM {trimmed} WHERE {column} IS NOT NULL AND {column} NOT IN (SELECT said FROM {words})"
        rows = self.connection.execute(f"SELECT _row, {column} {unknown} ORDER BY _row LIMIT {NOTICES_PER_COLUMN}").fetchall()
        for row, value in rows:
            yield Remark(row, each.heading, value, "not understood, so read as blank")
        total = (self.connection.execute(f"SELECT count(*) {unknown}").fetchone() or (0,))[0]
        if total > len(rows):
            yield Remark(None, each.heading, None, f"not understood in {total - len(rows):,} further rows, so read as blank")

    def _times(self) -> Iterator[Remark]:
        """Says, of each column of dates, how many cells hold a time of day that is not midnight, with the first of them."""
        dated = [self.found.known.fields[key] for key in self.found.positions if self.found.known.fields[key].type == "date"]
        timed = [f"CASE WHEN {_TIMED.format(name(each.name))} THEN {name(each.name)} END AS t{n}" for n, each in enumerate(dated)]
        facts = [f"count(t{n}), min(_row) FILTER (t{n} IS NOT NULL), arg_min(t{n}, _row)" for n in range(len(dated))]
        rows = f"(SELECT _row, {', '.join(timed)} FROM {self.relation('trimmed')})"
        found = self.connection.execute(f"SELECT {', '.join(facts)} FROM {rows}").fetchone() if dated else ()
        told = found or ()
        for each, count, row, held in zip(dated, told[::3], told[1::3], told[2::3], strict=True):
            if count:
                cells = "1 cell" if count == 1 else f"{count:,} cells"
                yield Remark(row, each.heading, held, f"{cells} of dates with a time of day: the time is dropped")

    def _words(self, each: Field) -> str:
        return f"(SELECT said, code FROM {self.relation('words')} WHERE field = {quoted(each.name)})"

    @staticmethod
    def _joins(each: Field) -> str:
        return f"t.{name(each.name)} = {name('m ' + each.name)}.said"

    def _read_field(self, each: Field) -> str:
        """SQL for a field's value in words that the dataset's ingest reads."""
        own = f"t.{name(each.name)}"
        match each.type:
            case "date":
                value = f"staging.annex_date({own}, DATE {quoted(_BASE[self.workbook.dates_from_1904])})"
            case "integer":
                value = f"replace({own}, ',', '')"
            case "code" if each.codes:
                code = f"{name('m ' + each.name)}.code"
                raw = self._unread(mapping().codes[each.codes], own)
                value = f"CASE WHEN {code} IS NULL THEN {raw} ELSE nullif({code}, '') END"
            case _:
                value = own
        return f"{value} AS {name(each.name)}"

    @staticmethod
    def _unread(codes: Codes, own: str) -> str:
        """SQL for an answer that is not known, as the dataset's ingest may see it."""
        if codes.is_yes_or_no:
            return "NULL"
        return f"regexp_replace({own}, {quoted(_PREFIX.pattern)}, '', 'i')" if codes.has_letters else own

    def _covers(self, filling: Filling) -> Stretch:
        """The months of events before the extract that the list holds."""
        months = self.found.known.looks_back
        first = subtract(self.extract_date, months) if self.extract_date and months else None
        return covering(filling.table, first) if filling.history == "full" else Stretch()

    def _can_fill(self, filling: Filling) -> bool:
        """Whether the sheet, and the known day of the extract, supply the table's required columns."""
        wanted = [filling.where, *filling.only] if filling.where else list(filling.only)
        required = [key for column, key in filling.columns.items() if self.schema.tables[filling.table].columns[column].required]
        return all(each is None or self._has(each) for each in [*wanted, *required])

    def _has(self, key: str) -> bool:
        return self.extract_date is not None if key == "extract_date" else key in self.found.positions

    def _columns(self, filling: Filling) -> dict[str, str]:
        """SQL for each column of the table that the sheet supplies."""
        held = {column: key for column, key in filling.columns.items() if self._has(key)}
        day = quoted(str(self.extract_date))
        columns = {column: day if key == "extract_date" else name(key) for column, key in held.items()}
        return columns | {
            column: f"CASE WHEN {name(key)} IS NOT NULL THEN ({name(key)} IN ({', '.join(map(quoted, codes))}))::VARCHAR END"
            for column, wanted in filling.one_of.items()
            for key, codes in wanted.items()
            if self._has(key)
        }

    def _filled(self, filling: Filling) -> str:
        """The relation of the table's rows in the clean list, in brackets."""
        columns = self._columns(filling)
        tests = [f"{name(filling.where)} IS NOT NULL"] if filling.where else []
        tests += [f"{name(key)} IN ({', '.join(map(quoted, codes))})" for key, codes in filling.only.items()]
        where = f"WHERE {' AND '.join(tests)}" if tests else ""
        same = [f"{quoted(value)} AS {name(column)}" for column, value in filling.values.items()]
        clean = self.relation("clean")
        if not filling.once:
            selects = [f"{value} AS {name(column)}" for column, value in columns.items()]
            return f"(SELECT {', '.join(['_row', *selects, *same])} FROM {clean} {where})"
        own = columns[filling.once]
        firsts = [f"arg_min({value}, _row) AS {name(column)}" for column, value in columns.items() if column != filling.once]
        selects = ["min(_row) AS _row", f"{own} AS {name(filling.once)}", *firsts, *same]
        return f"(SELECT {', '.join(selects)} FROM {clean} {where} GROUP BY {own})"

    def _heading_remarks(self) -> Iterator[Remark]:
        row, known = self.found.heading_row, self.found.known.fields
        headings = {word: each.heading for each in known.values() for word in each.headings}
        for cell in self.found.unknown:
            near = get_close_matches(normal(cell), headings, n=1)
            reason = f"not a heading of {self.sheet}" + (f"; the nearest is {headings[near[0]]}" if near else "")
            yield Remark(row, shown(cell), None, reason)
        for heading in self.found.missing:
            yield Remark(row, heading, None, "no such heading in this sheet, so nothing is known of it")

    def _other_sheets(self) -> Iterator[Remark]:
        for each in self.others:
            yield Remark(None, shown(each), None, "a sheet that is no list of Annex A, so not read")

    def _table_remarks(self, filling: Filling) -> tuple[Remark, ...]:
        """What is said of a table: that the columns which need the day of the extract are not filled."""
        lacking = [column for column, key in filling.columns.items() if key == "extract_date" and not self._has(key)]
        return tuple(Remark(None, column, None, "the day of the extract is not known") for column in lacking)

    def _unsaved(self) -> Iterator[Remark]:
        if self.workbook.unsaved:
            count = f"{self.workbook.unsaved:,} formula cells of the workbook have no saved value"
            yield Remark(None, None, None, f"{count}, so they are read as blank: open it, save it and read it again")


def _rows(count: int) -> str:
    return "1 row" if count == 1 else f"{count:,} rows"


def _create_macros(connection: DuckDBPyConnection) -> None:
    """Makes the macros that tidy text and read dates."""
    odd = " OR ".join(f"contains(t, {quoted(each)})" for each in _ODD)
    plain = r"regexp_replace(replace(t, 'â€™', '’'), '[\s\x{00A0}\x{FEFF}]+', ' ', 'g')"
    connection.execute(f"CREATE OR REPLACE MACRO staging.annex_spaced(t) AS trim(CASE WHEN {odd} THEN {plain} ELSE t END)")
    blanks, longest = ", ".join(map(quoted, _BLANKS)), max(map(len, _BLANKS))
    blank = f"strlen(t) <= {longest} AND (t < '0' OR t > '9z') AND list_contains([{blanks}], lower(t))"
    connection.execute(f"CREATE OR REPLACE MACRO staging.annex_tidy(t) AS CASE WHEN {blank} THEN NULL ELSE t END")
    none = " OR ".join(f"starts_with(t, {quoted(day)})" for day in _NO_DATES)
    serial = "regexp_full_match(t, '[2-5]\\d{4}(\\.\\d+)?')"
    iso = "'\\d{4}-\\d{2}-\\d{2}([T ].*)?'"
    dashed = "'^(\\d{1,2})[-./](\\d{1,2})[-./](\\d{4})( .*)?$'"
    worded = f"strftime(try_strptime(t, [{', '.join(map(quoted, _WORDED_DATES))}]), '%Y-%m-%d')"
    reading = (
        f"CASE WHEN regexp_full_match(t, {iso}) AND t BETWEEN '19' AND '21' THEN left(t, 10) WHEN {none} THEN NULL "
        f"WHEN {serial} THEN strftime(base + try_cast(split_part(t, '.', 1) AS INTEGER), '%Y-%m-%d') "
        f"WHEN regexp_full_match(t, {dashed}) THEN regexp_replace(t, {dashed}, '\\1/\\2/\\3') "
        f"ELSE coalesce({worded}, t) END"
    )
    connection.execute(f"CREATE OR REPLACE MACRO staging.annex_date(t, base) AS {reading}")
