"""The SQL that turns one text column into its type, in four steps: trimmed, blanked, parsed, settled.

Each step is a layer of its own in the query, so that no expression has to be written, or worked out, twice.
"""

from __future__ import annotations

from collections.abc import Mapping

from compliance.dataset.schema import Column, Schema, Table

FIRST_YEAR, LAST_YEAR = 1900, 2100

_EDGE = r"[\s\x{a0}\x{feff}]"
_PLACEHOLDERS = ("", "null", "n/a", "#n/a", "ssd_ph")
_ID_PLACEHOLDERS = ("-1", "-1.0")
_NO_DATE = ("1900-01-01", "01/01/1900", "1/1/1900")
_TRUE = ("true", "yes", "y", "1", "1.0")
_FALSE = ("false", "no", "n", "0", "0.0")
_TIMES = ("", "{t}%H:%M", "{t}%H:%M:%S", "{t}%H:%M:%S.%f")
_ZONE = r"(:\d\d(\.\d+)?) ?([zZ]|[+-]\d\d(:?\d\d)?)$"
_NUMBER = r"[-+]?(\d+\.?\d*|\.\d+)([eE][-+]?\d+)?"
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


def trimmed(text: str) -> str:
    """SQL for the text without spaces, tabs, line ends and hard spaces at its ends."""
    return (
        f"CASE WHEN regexp_matches({text}, '^{_EDGE}|{_EDGE}$') "
        f"THEN regexp_replace({text}, '^{_EDGE}+|{_EDGE}+$', '', 'g') ELSE {text} END"
    )


def blanked(column: Column, text: str) -> str:
    """SQL for the trimmed text, NULL where it stands for a blank."""
    words = ", ".join(map(quoted, (*_PLACEHOLDERS, *(_ID_PLACEHOLDERS if column.is_id else ()))))
    placeholder = f"lower({text}) IN ({words})"
    if column.is_dated:
        placeholder += "".join(f" OR starts_with({text}, {quoted(day)})" for day in _NO_DATE)
    return f"CASE WHEN {placeholder} THEN NULL ELSE {text} END"


def parsed(column: Column, text: str) -> str:
    """SQL for the value of clean text, NULL where it cannot be read."""
    match column.type:
        case "date":
            return f"CASE WHEN {text} LIKE '____-__-__' THEN try_cast({text} AS DATE) ELSE ({_moment(text)})::DATE END"
        case "timestamp":
            return f"CASE WHEN {text} LIKE '____-__-__' THEN try_cast({text} AS TIMESTAMP) ELSE {_moment(text)} END"
        case "boolean":
            return _boolean(text)
        case "integer" | "number":
            return f"CASE WHEN regexp_full_match({text}, {quoted(_NUMBER)}) THEN try_cast({text} AS DOUBLE) END"
        case "code":
            return _code(column.code_set or "", text)
        case _:
            return _text(column, text)


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


def code_words(schema: Schema) -> tuple[list[str], list[str], list[str]]:
    """Three columns: the code set, what a source may say in it, and the code that this means."""
    rows = [(each, said, code) for each, codes in schema.code_sets.items() for said, code in _said(codes).items()]
    return [row[0] for row in rows], [row[1] for row in rows], [row[2] for row in rows]


def _said(codes: Mapping[str, str]) -> dict[str, str]:
    said = {code.lower(): code for code in codes}
    for code, meaning in codes.items():
        said.setdefault(meaning.lower(), code)
        said.setdefault(code.lower().replace("_", " "), code)
    return said


def _text(column: Column, text: str) -> str:
    if not column.is_id and column.name not in _OTHER_IDENTIFIERS:
        return text
    return (
        f"CASE WHEN ends_with({text}, '.0') AND regexp_full_match({text}, '\\d+\\.0') THEN {text}[:-3] ELSE {text} END"
    )


def _moment(text: str) -> str:
    times = [time.format(t=t) for t in " T" for time in _TIMES]
    formats = dict.fromkeys(day + time for day in ("%Y-%m-%d", "%d/%m/%Y") for time in times)
    written = f"regexp_replace({text}, {quoted(_ZONE)}, '\\1')"
    read = f"try_strptime({written}, [{', '.join(map(quoted, formats))}])"
    return f"CASE WHEN {text} BETWEEN '0' AND ':' THEN {read} END"  # DuckDB reads words such as infinity and epoch


def _boolean(text: str) -> str:
    true, false = (", ".join(map(quoted, words)) for words in (_TRUE, _FALSE))
    return f"CASE WHEN lower({text}) IN ({true}) THEN true WHEN lower({text}) IN ({false}) THEN false END"


def _code(code_set: str, text: str) -> str:
    words = f"getvariable('code_words')[{quoted(code_set)}]"
    part = f"regexp_extract(lower({text}), '^(\\w+)(\\.0$|\\s*[):]|\\s*[-–—])', 1)"
    rest = f"regexp_replace(lower({text}), '^\\w{{1,4}}\\s*[)]\\s*', '')"
    return f"coalesce({words}[lower({text})], {words}[{part}], {words}[{rest}])"
