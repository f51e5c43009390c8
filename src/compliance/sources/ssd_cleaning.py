"""A table of the Standard Safeguarding Dataset made clean: no placeholders and repeats, blanks blank, words made codes."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from duckdb import DuckDBPyConnection

from compliance.dataset.ingest import Remark, shown
from compliance.dataset.values import name, quoted, trimmed_ends
from compliance.sources.reader import Source
from compliance.sources.ssd_mapping import Codes, mapping
from compliance.sources.ssd_tables import Held

DISTINCT_WORDS = 20_000
WORDS_SHOWN = 50

_EDGE = " \t\r\n\f\v\u00a0\ufeff"
_NO_DAY = ("1900-01-01", "01/01/1900", "1/1/1900")
_PLACEHOLDER = "ssd_ph"
_IS_YES = r'"\s*:\s*"?\s*(Y|YES|1|TRUE)\b'


@dataclass(frozen=True)
class Kept:
    """A table with clean values: its relation, the fields that it knows something of, and what is said of it."""

    held: Held
    relation: str
    fields: frozenset[str]
    rows: int
    notices: tuple[Remark, ...]


@dataclass(frozen=True)
class Cleaning:
    """One table on its way from text as it was read to text that the dataset's ingest understands."""

    connection: DuckDBPyConnection
    source: Source
    held: Held
    notices: list[Remark] = field(default_factory=list)

    def kept(self) -> Kept:
        """The table without placeholders and repeats, blanks made blank and words made codes."""
        self.notices.extend(self.held.notices)
        trimmed, clean = self.relation("trimmed"), self.relation("clean")
        self._trim(trimmed)
        self._drop_repeats(trimmed)
        count = self._one(f"SELECT count(*) FROM {trimmed}")
        fields = frozenset(self.held.fields) - frozenset(self._never_filled(trimmed))
        columns = ", ".join(f"{self._value(each)} AS {name(each)}" for each in sorted(fields))
        joins = " ".join(self._words(trimmed, each) for each in sorted(fields) if each in mapping().codes)
        self.connection.execute(f"CREATE TABLE {clean} AS SELECT t._row, {columns} FROM {trimmed} t {joins}")
        self.connection.execute(f"DROP TABLE {trimmed}")
        return Kept(self.held, clean, fields, count, tuple(self.notices))

    def relation(self, *words: str) -> str:
        """The name of a relation of this table alone."""
        return self.source.relation("ssd", self.held.number, self.held.table.name, *words)

    def _trim(self, trimmed: str) -> None:
        """Makes the trimmed relation, without placeholder rows, and lets go of the text as it was read."""
        table, coded = self.held.table, mapping().codes
        spaced = ", ".join(f"staging.ssd_spaced({name(each)}) AS {name(each)}" for each in self.held.fields)
        plain = [name(each) if each in coded else f"staging.ssd_blank({name(each)}) AS {name(each)}" for each in self.held.fields]
        own = [each for each in (table.key, table.person) if each in self.held.fields]
        real = " AND ".join(f"lower({name(each)}) IS DISTINCT FROM {quoted(_PLACEHOLDER)}" for each in own) or "true"
        rows = f"SELECT _row, {spaced} FROM {self.held.rows_of}"
        self.connection.execute(f"CREATE TABLE {trimmed} AS SELECT _row, {', '.join(plain)} FROM ({rows}) WHERE {real}")
        left_out = self.held.rows - self._one(f"SELECT count(*) FROM {trimmed}")
        if left_out:
            self._say(table.key, f"{rows_in_words(left_out)} left out: placeholder")
        self.held.let_go(self.connection)

    def _drop_repeats(self, trimmed: str) -> None:
        """Leaves out rows that are the same as an earlier one in every field that is read."""
        key = self.held.table.key
        if key not in self.held.fields:
            return
        if not self._one(f"SELECT count({name(key)}) - count(DISTINCT {name(key)}) FROM {trimmed}"):
            return
        same = ", ".join(name(each) for each in self.held.fields)
        repeats = f"SELECT _row FROM {trimmed} QUALIFY row_number() OVER (PARTITION BY {same} ORDER BY _row) > 1"
        repeated = self._one(f"SELECT count(*) FROM ({repeats})")
        if repeated:
            self.connection.execute(f"DELETE FROM {trimmed} WHERE _row IN ({repeats})")
            self._say(key, f"{rows_in_words(repeated)} left out: the same as another in every field")

    def _never_filled(self, trimmed: str) -> Iterator[str]:
        """The fields that case systems leave empty, where this one does."""
        for each in sorted(mapping().unfilled & frozenset(self.held.fields)):
            if not self._one(f"SELECT count(staging.ssd_blank({name(each)})) FROM {trimmed}"):
                self._say(each, "never filled, so nothing is known of it")
                yield each

    def _value(self, each: str) -> str:
        """SQL for a field's value in words that the dataset's ingest reads."""
        own = f"t.{name(each)}"
        if flags := mapping().flags.get(each):
            says_yes = [(f"regexp_matches({own}, {quoted(_flag(flag))}, 'i')", code) for flag, code in flags.items()]
            return f"CASE {' '.join(f'WHEN {test} THEN {quoted(code)}' for test, code in says_yes)} END"
        if each in mapping().codes:
            code = f"{name('m ' + each)}.code"
            return f"CASE WHEN {code} IS NULL THEN {own} ELSE nullif({code}, '') END"
        return own

    def _words(self, trimmed: str, each: str) -> str:
        """Makes the table of a field's words and their codes; SQL that joins it."""
        codes, own = mapping().words[mapping().codes[each]], name(each)
        words = self.relation("words", each)
        counted = f"SELECT {own}, count(*) FROM {trimmed} WHERE {own} IS NOT NULL GROUP BY 1 ORDER BY 1"
        said = dict(self.connection.execute(f"{counted} LIMIT {DISTINCT_WORDS}").fetchall())
        known = {word: self._code(codes, word) for word in said}
        known.update(self._others(each, codes, {word: said[word] for word in said if known[word] is None}))
        pairs = [(word, code) for word, code in known.items() if code is not None]
        self.connection.execute(f"CREATE TABLE {words} (said VARCHAR, code VARCHAR)")
        lists = [[word for word, _ in pairs], [code for _, code in pairs]]
        self.connection.execute(f"INSERT INTO {words} SELECT unnest($1::VARCHAR[]), unnest($2::VARCHAR[])", lists)
        return f"LEFT JOIN {words} AS {name('m ' + each)} ON {name('m ' + each)}.said = t.{own}"

    @staticmethod
    def _code(codes: Codes, word: str) -> str | None:
        code = codes.code_of(word)
        return "" if code is None and word.strip(_EDGE).lower() in mapping().blanks else code

    def _others(self, each: str, codes: Codes, unknown: Mapping[str, int]) -> Iterator[tuple[str, str]]:
        """What words that are not known are read as, where their set says so, and says which they were."""
        if codes.other is None:
            return
        silent = codes.other in ("true", "false")
        for number, (word, count) in enumerate(unknown.items()):
            if not silent and number < WORDS_SHOWN:
                reason = f"not known, so read as {codes.other or 'blank'} ({rows_in_words(count)})"
                self.notices.append(Remark(None, each, shown(word), reason))
            yield word, codes.other
        if not silent and len(unknown) > WORDS_SHOWN:
            self._say(each, f"{len(unknown) - WORDS_SHOWN:,} further words not known, so read as {codes.other or 'blank'}")

    def _say(self, column: str, reason: str) -> None:
        self.notices.append(Remark(None, column, None, reason))

    def _one(self, sql: str) -> int:
        row = self.connection.execute(sql).fetchone()
        return int(row[0] or 0) if row else 0


def rows_in_words(count: int) -> str:
    """The number of rows in words."""
    return "1 row" if count == 1 else f"{count:,} rows"


def _flag(key: str) -> str:
    """The pattern of a flag that says yes, in JSON that may be cut short or badly quoted."""
    return f'"(OUTCOME_)?{key}{_IS_YES}'


def create_macros(connection: DuckDBPyConnection, blanks: Sequence[str]) -> None:
    """Makes the macros that tidy text."""
    connection.execute(f"CREATE OR REPLACE MACRO staging.ssd_spaced(t) AS nullif({trimmed_ends('t')}, '')")
    longest = max(map(len, blanks))
    words = " ".join(f"WHEN {quoted(each)} THEN true" for each in blanks)
    none = " OR ".join(f"starts_with(t, {quoted(day)})" for day in _NO_DAY)
    a_word = (
        f"CASE WHEN strlen(t) <= {longest} AND (t < '0' OR t > '9~') THEN CASE lower(t) {words} ELSE false END ELSE false END"
    )
    is_blank = f"{a_word} OR (t < '2' AND ({none}))"
    connection.execute(f"CREATE OR REPLACE MACRO staging.ssd_blank(t) AS CASE WHEN {is_blank} THEN NULL ELSE t END")
