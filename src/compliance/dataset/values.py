"""The SQL that turns one text column into its type, in four steps: trimmed, blanked, parsed, settled.

Each step is a layer of its own in the query, so that no expression has to be written, or worked out, twice.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from compliance.dataset.schema import Column, Table

FIRST_YEAR, LAST_YEAR = 1900, 2100

_EDGE = " \t\r\n\f\v\u00a0\ufeff"
_PLACEHOLDERS = ("", "null", "n/a", "#n/a", "ssd_ph")
_ID_PLACEHOLDERS = ("-1", "-1.0")
_NO_DATE = ("1900-01-01", "01/01/1900", "1/1/1900")
_TRUE = ("true", "yes", "y", "1", "1.0")
_FALSE = ("false", "no", "n", "0", "0.0")
_TIMES = ("", "{t}%H:%M", "{t}%H:%M:%S", "{t}%H:%M:%S.%f")
_ZONE = r"(:\d\d(\.\d+)?) ?([zZ]|[+-]\d\d(:?\d\d)?)$"
_NUMBER = r"[-+]?(\d+\.?\d*|\.\d+)([eE][-+]?\d+)?"
_PLAIN_DAY = "{0} LIKE '____-__-__'"
_PLAIN_TIME = "{0} LIKE '____-__-__ __:__:__'"
_PLAIN_INTEGER = r"-?\d{1,15}"
_PLAIN_NUMBER = r"-?\d{1,15}(\.\d{1,15})?"
_BREAK = "\x1f"
"""What stands between the texts of a row where they are looked through at once."""

_NEEDS_CARE = (
    r"[\s\v\x{00a0}\x{feff}]\x1f|\x1f[\s\v\x{00a0}\x{feff}\x1f]|\.0\x1f|"
    rf"\x1f(?i:{'|'.join((*_PLACEHOLDERS[1:], *_ID_PLACEHOLDERS))})\x1f"
)
_OTHER_IDENTIFIERS = ("upn", "urn", "registration_number")

_DATE_WORDS = f"from {FIRST_YEAR} to {LAST_YEAR}, written yyyy-mm-dd or dd/mm/yyyy"
_UNREADABLE: Mapping[str, str] = {
    "date": f"not a date {_DATE_WORDS}",
    "timestamp": f"not a date or time {_DATE_WORDS}",
    "boolean": "not yes or no",
    "integer": "not a whole number",
    "number": "not a number",
}


def quoted(text: str) -> str:
    """The text as an SQL string."""
    return "'" + text.replace("'", "''") + "'"


def name(identifier: str) -> str:
    """The identifier quoted for SQL."""
    return '"' + identifier.replace('"', '""') + '"'


MACROS = (
    "read_trimmed(t)",
    "read_blank(t)",
    "read_blank_id(t)",
    "read_blank_date(t)",
    "read_moment(t)",
    "read_date(t)",
    "read_timestamp(t)",
    "read_boolean(t)",
    "read_number(t)",
    "read_id(t)",
    "read_code(t, words)",
)


def create_macros() -> str:
    """SQL that makes the macros of the steps; they are parsed once, where the text would be parsed for every column."""
    blanks = [_blank(), _blank(_ID_PLACEHOLDERS), _blank_date()]
    bodies = [trimmed_ends("t"), *blanks, _moment(), _date("DATE"), _date("TIMESTAMP"), _boolean(), _number(), _id(), _code()]
    return "; ".join(f"CREATE OR REPLACE MACRO {each} AS {body}" for each, body in zip(MACROS, bodies, strict=True))


def drop_macros() -> str:
    """SQL that takes the macros away again."""
    return "; ".join(f"DROP MACRO {each.partition('(')[0]}" for each in MACROS)


def trimmed(text: str, *, plainly: bool = False) -> str:
    """SQL for the text without the spaces at its ends: all kinds of them, or plainly those of the space bar."""
    return f"trim({text})" if plainly else f"read_trimmed({text})"


def blanked(column: Column, text: str) -> str:
    """SQL for the trimmed text, NULL where it stands for a blank."""
    if column.is_id:
        return f"read_blank_id({text})"
    return f"read_blank_date({text})" if column.is_dated else f"read_blank({text})"


def parsed(column: Column, text: str) -> str:
    """SQL for the value of clean text, NULL where it cannot be read."""
    match column.type:
        case "code":
            return f"read_code({text}, getvariable('words_{column.code_set}'))"
        case "integer" | "number":
            return f"read_number({text})"
        case "text":
            return f"read_id({text})" if column.is_id or column.name in _OTHER_IDENTIFIERS else text
        case kind:
            return f"read_{kind}({text})"


def settled(column: Column, value: str) -> str:
    """SQL for the parsed value where it lies within bounds; the word `recorded` for a name."""
    if column.presence_only:
        return f"CASE WHEN {value} IS NOT NULL THEN 'recorded' END"
    if column.is_dated:
        return f"CASE WHEN year({value}) BETWEEN {FIRST_YEAR} AND {LAST_YEAR} THEN {value} END"
    if column.type == "integer":
        return f"CASE WHEN {value} = floor({value}) THEN try_cast({value} AS BIGINT) END"
    if column.type == "number":
        return f"CASE WHEN isfinite({value}) THEN {value} END"
    return value


def unreadable(column: Column) -> str:
    """Why a value that cannot be read in this column is refused."""
    return f"not a code of {column.code_set}" if column.type == "code" else _UNREADABLE[column.type]


def built_key(table: Table, values: Mapping[str, str]) -> str:
    """SQL for a key made from the natural key: a digest where that holds a name, NULL where it is all blank."""
    if not any(column in values for column in table.natural_key):
        return "NULL::VARCHAR"
    texts = [f"({values[column]})::VARCHAR" if column in values else "NULL" for column in table.natural_key]
    words = ", ".join(f"coalesce({text}, '')" for text in texts)
    joined = f"concat_ws('|', {words})"
    if table.natural_key_is_private:
        joined = f"left(sha256(lower({joined})), 16)"
    return f"CASE WHEN coalesce({', '.join(texts)}) IS NOT NULL THEN 'k:' || {joined} END"


def plain(column: Column, text: str) -> str:
    """SQL for the value of text that is written as we write it, NULL where it needs care; a text is taken as it is.

    What it reads, the four steps read alike.
    """
    if column.presence_only:
        return f"CASE WHEN {text} IS NOT NULL THEN 'recorded' END"
    match column.type:
        case "code":
            return f"getvariable('words_{column.code_set}')[lower({text})]"
        case "date" | "timestamp":
            shapes = f"({_PLAIN_DAY.format(text)} OR {_PLAIN_TIME.format(text)})"
            return f"CASE WHEN {_in_years(text)} AND {shapes} THEN try_cast({text} AS {column.sql_type}) END"
        case "boolean":
            return _boolean(text)
        case "integer":
            return f"CASE WHEN regexp_full_match({text}, {quoted(_PLAIN_INTEGER)}) THEN {text}::BIGINT END"
        case "number":
            return f"CASE WHEN regexp_full_match({text}, {quoted(_PLAIN_NUMBER)}) THEN {text}::DOUBLE END"
        case _:
            return text


def needs_care(texts: Sequence[str]) -> str:
    """SQL for whether any of the texts may be a blank, have spaces at its ends or be a number made a text of a number."""
    return f"regexp_matches(concat_ws({quoted(_BREAK)}, '', {', '.join(texts)}, ''), {quoted(_NEEDS_CARE)})"


def _in_years(text: str) -> str:
    """SQL for a day after the one that stands for none, within the years that are read; the years are bounded as text."""
    return f"{text} > '{FIRST_YEAR}-01-01~' AND {text} < '{LAST_YEAR + 1}'"


def code_words(code_set: str, codes: Mapping[str, str]) -> str:
    """SQL that sets the variable `words_<code set>`: what a source may say, and the code that this means."""
    said = _said(codes)
    words, meant = (", ".join(map(quoted, each)) for each in (said.keys(), said.values()))
    return f"SET VARIABLE words_{code_set} = MAP([{words}], [{meant}])"


def _said(codes: Mapping[str, str]) -> dict[str, str]:
    said = {code.lower(): code for code in codes}
    for code, meaning in codes.items():
        said.setdefault(meaning.lower(), code)
        said.setdefault(code.lower().replace("_", " "), code)
    return {word: code for word, code in said.items() if word not in _PLACEHOLDERS}


def trimmed_ends(text: str) -> str:
    """SQL for the text without spaces of any kind at its ends; where both are plain characters nothing is looked for."""
    plain_ends = f"{text} BETWEEN '!' AND '~' AND {text}[-1] BETWEEN '!' AND '~'"
    return f"CASE WHEN {plain_ends} THEN {text} ELSE trim({text}, {quoted(_EDGE)}) END"


def _blank(more: tuple[str, ...] = ()) -> str:
    words = " ".join(f"WHEN {quoted(word)} THEN NULL" for word in (*_PLACEHOLDERS, *more))
    longest = max(map(len, (*_PLACEHOLDERS, *more)))
    return f"CASE WHEN strlen(t) > {longest} THEN t ELSE CASE lower(t) {words} ELSE t END END"  # IN would become a join


def _blank_date() -> str:
    none = " OR ".join(f"starts_with(t, {quoted(day)})" for day in _NO_DATE)
    return f"CASE WHEN {none} THEN NULL ELSE read_blank(t) END"


def _moment() -> str:
    times = [time.format(t=t) for t in " T" for time in _TIMES]
    formats = dict.fromkeys(day + time for day in ("%Y-%m-%d", "%d/%m/%Y") for time in times)
    read = f"try_strptime(regexp_replace(t, {quoted(_ZONE)}, '\\1'), [{', '.join(map(quoted, formats))}])"
    return f"CASE WHEN t BETWEEN '0' AND ':' THEN {read} END"  # DuckDB reads words such as infinity and epoch


def _date(kind: str) -> str:
    plain = "t LIKE '____-__-__' OR t LIKE '____-__-__ __:__:__'"
    return f"CASE WHEN {plain} THEN try_cast(t AS {kind}) ELSE (read_moment(t))::{kind} END"


def _boolean(text: str = "t") -> str:
    words = [(word, "true") for word in _TRUE] + [(word, "false") for word in _FALSE]
    return f"CASE lower({text}) {' '.join(f'WHEN {quoted(word)} THEN {value}' for word, value in words)} END"


def _number() -> str:
    return f"CASE WHEN regexp_full_match(t, {quoted(_NUMBER)}) THEN try_cast(t AS DOUBLE) END"


def _id() -> str:
    return "CASE WHEN ends_with(t, '.0') AND regexp_full_match(t, '\\d+\\.0') THEN t[:-3] ELSE t END"


def _code() -> str:
    part = "regexp_extract(lower(t), '^(\\w+)(\\.0$|\\s*[):]|\\s*[-–—])', 1)"
    rest = "regexp_replace(lower(t), '^\\w{1,4}\\s*[)]\\s*', '')"
    return f"coalesce(words[lower(t)], words[{part}], words[{rest}])"
