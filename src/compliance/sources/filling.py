"""How records of text fill canonical tables: the SQL for what a format's mapping declares.

In a mapping each table says which record its rows are `of`, and for each column a field or one of
`{field, translate}`, `{upper}` (a field in capitals), `{value}` (the same in each row, or only `when` a field is filled),
`{first: [...]}` (the first that is not blank), `{key: [...]}` (an id made of fields, as the dataset's ingest makes one, blank
where one of them is) and `{id: [...]}` (the same, never blank). `where` names the field without which there is no row.
A field of a record around it is written `record.field`.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from compliance.dataset.ingest import History
from compliance.dataset.values import name, quoted
from compliance.sources.xml_records import SEVERAL

OTHER = "any other"
"""In a translation, the word for every word that it does not name."""


@dataclass(frozen=True)
class Filling:
    """How a record fills a table; a return of a year before `since` that has no such record says nothing of it."""

    table: str
    of: str
    history: History
    columns: Mapping[str, Any]
    sheet: str | None = None
    where: str | None = None
    within: Sequence[str] = ()
    since: int | None = None


def fillings(document: Mapping[str, Any]) -> tuple[Filling, ...]:
    """The tables of a mapping."""
    return tuple(
        Filling(
            facts["table"],
            facts["of"],
            facts["history"],
            facts["columns"],
            facts.get("sheet"),
            facts.get("where"),
            tuple(facts.get("within", ())),
            facts.get("since"),
        )
        for facts in document["tables"]
    )


def select(filling: Filling, relations: Mapping[str, str], translations: Mapping[str, Mapping[str, str]]) -> str:
    """The relation of a table's rows, in brackets: the records joined to those around them, each column as text."""
    columns = ", ".join(f"{value(said, filling.of, translations)} AS {name(column)}" for column, said in filling.columns.items())
    joins, inner = "", filling.of
    for outer in filling.within:
        joins += f" JOIN {relations[outer]} AS {name(outer)} ON {name(outer)}._row = {name(inner)}._parent"
        inner = outer
    where = f" WHERE {_column(filling.where, filling.of)} IS NOT NULL" if filling.where else ""
    return f"(SELECT {name(filling.of)}._row AS _row, {columns} FROM {relations[filling.of]} AS {name(filling.of)}{joins}{where})"


def value(said: Any, of: str, translations: Mapping[str, Mapping[str, str]]) -> str:
    """SQL for a column as the mapping says it."""
    if isinstance(said, str):
        return _column(said, of)
    match said:
        case {"value": given, "when": filled}:
            return f"CASE WHEN {_column(filled, of)} IS NOT NULL THEN {quoted(str(given))} END"
        case {"value": given}:
            return quoted(str(given))
        case {"key": fields}:
            return _id([_column(each, of) for each in fields])
        case {"id": fields}:
            return _id([f"coalesce({_column(each, of)}, '')" for each in fields])
        case {"translate": words}:
            return _translated(value(_untranslated(said), of, translations), translations[words])
        case {"first": several}:
            return f"coalesce({', '.join(value(each, of, translations) for each in several)})"
        case {"upper": one}:
            return f"upper({_column(one, of)})"
        case {"field": one}:
            return _column(one, of)
    raise ValueError(f"not a mapping of a column: {said!r}")


def _untranslated(said: Mapping[str, Any]) -> dict[str, Any]:
    return {key: each for key, each in said.items() if key != "translate"}


def _id(parts: Sequence[str]) -> str:
    return "'k:' || " + " || '|' || ".join(parts)


def _column(said: str, of: str) -> str:
    record, _, column = said.rpartition(".")
    return f"{name(record or of)}.{name(column)}"


def _translated(text: str, words: Mapping[str, str]) -> str:
    """SQL for the text's meaning; of several texts that mean different things, the last of the meanings in order."""
    cases = " ".join(f"WHEN {quoted(said.upper())} THEN {_literal(meant)}" for said, meant in words.items() if said != OTHER)
    other = _literal(words[OTHER]) if OTHER in words else "{each}"
    one = f"CASE upper({{each}}) {cases} ELSE {other} END"
    several = f"list_max(list_transform(string_split({text}, {quoted(SEVERAL)}), lambda each: {one.format(each='each')}))"
    return (
        f"CASE WHEN contains({text}, {quoted(SEVERAL)}) THEN {several} WHEN {text} IS NOT NULL THEN {one.format(each=text)} END"
    )


def _literal(meant: str) -> str:
    return quoted(meant) if meant else "NULL"
