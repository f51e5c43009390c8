"""Diagnostics for rule files: `path:line:column`, the source line with a caret, and `help:` with the fix."""

from __future__ import annotations

import difflib
import enum
import re
import types
import unicodedata
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal, TypeAlias, Union, get_args, get_origin

from pydantic import AliasChoices, AliasPath, BaseModel, Tag, ValidationError

from compliance.errors import RuleFileError

if TYPE_CHECKING:
    from pydantic.fields import FieldInfo
    from pydantic_core import ErrorDetails

    from compliance.rulebook.text import Document

Loc: TypeAlias = tuple[str | int, ...]

WIDTH = 110
"""The widest piece of a source line that is shown; a longer line is cut around the caret."""


@dataclass(frozen=True)
class Diagnostic:
    """One thing wrong in a rule file: where it stands, what it is and what to write instead."""

    path: str
    line: int
    column: int
    message: str
    help: str | None = None
    length: int = 1
    code: str = "rule-file"
    source: str | None = None

    def render(self) -> str:
        """The diagnostic as a compiler would print it."""
        where = f"{printable(self.path)}:{self.line}:{self.column}"
        parts = [f"{where}: error[{self.code}]: {printable(self.message)}", *self._excerpt()]
        if self.help:
            parts.append(f"help: {printable(self.help)}")
        return "\n".join(parts)

    def _excerpt(self) -> list[str]:
        if self.source is None:
            return []
        start = self.column - 1
        first = max(0, start - WIDTH // 2) if len(self.source) > WIDTH else 0
        shown = printable(self.source[first : first + WIDTH]).rstrip()
        at = start - first
        marked = max(1, min(self.length, len(shown) - at))
        pad = " " * _cells(shown[:at])
        return [f"  {shown}", f"  {pad}{'^' * max(1, _cells(shown[at : at + marked]))}"]


FEW = 20
"""Words that a person will read through."""


class DiagnosticError(RuleFileError):
    """Everything found wrong in one or more rule files, raised once."""

    def __init__(self, diagnostics: Iterable[Diagnostic]) -> None:
        self.diagnostics = tuple(sorted(diagnostics, key=lambda found: (found.path, found.line, found.column)))
        super().__init__("\n\n".join(found.render() for found in self.diagnostics))


def raise_if_any(diagnostics: Iterable[Diagnostic]) -> None:
    """Nothing, where there is nothing wrong; else one `DiagnosticError` with all of it."""
    found = list(diagnostics)
    if found:
        raise DiagnosticError(found)


def printable(text: object, *, limit: int | None = None) -> str:
    """The text with control, format and bidirectional characters made spaces, so that echoing it is harmless."""
    clean = str(text)
    if not clean.isprintable():
        clean = "".join(" " if unicodedata.category(char)[0] in "CZ" else char for char in clean)
    return clean if limit is None or len(clean) <= limit else clean[: limit - 1] + "…"


def _cells(text: str) -> int:
    return sum(_cell(char) for char in text)


def _cell(char: str) -> int:
    if unicodedata.combining(char):
        return 0
    return 2 if unicodedata.east_asian_width(char) in "WF" else 1


def nearest(word: str, valid: Iterable[str]) -> str | None:
    """The valid word that `word` most resembles, or nothing where none is near."""
    by_lower = {name.lower(): name for name in sorted(valid, reverse=True)}
    close = difflib.get_close_matches(word[:200].lower(), by_lower, n=1, cutoff=0.6)
    return by_lower[close[0]] if close else None


def nearest_help(word: str, valid: Iterable[str], noun: str) -> str:
    """A statement naming the nearest valid word; where none is near, all the valid ones or, of many, the three likest."""
    names = sorted(valid)
    close = nearest(word, names)
    if close is not None:
        return f"the nearest valid {noun} is `{close}`"
    if not names:
        return f"no {noun} is valid here"
    if len(names) > FEW:
        return f"the nearest of {len(names)} are {', '.join(f'`{name}`' for name in likest(word, names))}"
    return f"a valid {noun} is one of {', '.join(f'`{name}`' for name in names)}"


def likest(word: str, names: Sequence[str], count: int = 3) -> list[str]:
    """The names that hold the word, else those that it most resembles, however little."""
    by_lower = {name.lower(): name for name in names}
    sought = word[:200].lower()
    holding = [name for lower, name in by_lower.items() if sought in lower]
    return holding[:count] or [by_lower[one] for one in difflib.get_close_matches(sought, by_lower, n=count, cutoff=0)]


# --- from pydantic ------------------------------------------------------------------------------------------------


def from_validation_error(
    document: Document,
    error: ValidationError,
    path: Path | str,
    *,
    model: type[BaseModel] | None = None,
    at: Loc = (),
) -> list[Diagnostic]:
    """One diagnostic for each error of pydantic, where it stands in the document.

    `model` is the model that was validated (the nearest valid key is found from it), and `at` the place in the
    document of the value that was given to it.
    """
    found = (_from_detail(document, detail, str(path), model, at) for detail in error.errors(include_url=False))
    return list(dict.fromkeys(found))


def _from_detail(document: Document, detail: ErrorDetails, path: str, model: type[BaseModel] | None, at: Loc) -> Diagnostic:
    match detail["type"]:
        case "extra_forbidden":
            return _unknown_key(document, detail["loc"], path, model, at)
        case "missing":
            return _missing_key(document, detail["loc"], path, at)
        case _:
            return _wrong_value(document, detail, path, at)


def _unknown_key(document: Document, loc: Loc, path: str, model: type[BaseModel] | None, at: Loc) -> Diagnostic:
    key = str(loc[-1])
    valid = valid_keys(model, loc[:-1]) if model is not None else []
    return located(
        document,
        path,
        resolve(document.value, at, loc),
        message=f"the key `{printable(key, limit=80)}` is not known here",
        help=nearest_help(key, valid, "key") if model is not None else "remove it",
        code="unknown-key",
        key=True,
    )


def _missing_key(document: Document, loc: Loc, path: str, at: Loc) -> Diagnostic:
    key = printable(loc[-1], limit=80)
    parent = resolve(document.value, at, loc[:-1])
    return located(document, path, parent, message=f"`{key}` is missing", help=f"add `{key}:` here", code="missing-key")


def _wrong_value(document: Document, detail: ErrorDetails, path: str, at: Loc) -> Diagnostic:
    kind, loc = detail["type"], detail["loc"]
    of_key = bool(loc) and loc[-1] == "[key]"
    place = resolve(document.value, at, loc[:-1] if of_key else loc)
    name = next((part for part in reversed(place) if isinstance(part, str)), None)
    reason = detail["msg"].removeprefix("Value error, ").removeprefix("Assertion failed, ")
    reason = reason[:1].lower() + reason[1:] if detail["msg"] != reason or "Input" in reason else reason
    message = f"`{printable(name, limit=80)}`: {reason}" if name is not None else reason
    return located(
        document,
        path,
        place,
        message=printable(message, limit=600),
        help=_value_help(detail),
        code="wrong-type" if kind.endswith(("_type", "_parsing")) else "wrong-value",
        key=of_key,
    )


_TYPE_HELP = {
    "string_type": "write text; put it in quotes where it looks like a number, a date, true or false",
    "int_type": "write a whole number",
    "int_parsing": "write a whole number",
    "float_type": "write a number",
    "bool_type": "write true or false",
    "bool_parsing": "write true or false",
    "list_type": "write a list: one item a line after `- `, or `[a, b]`",
    "tuple_type": "write a list: one item a line after `- `, or `[a, b]`",
    "dict_type": "write keys and values: one `key: value` a line, or `{key: value}`",
    "model_type": "write keys and values: one `key: value` a line, or `{key: value}`",
    "model_attributes_type": "write keys and values: one `key: value` a line, or `{key: value}`",
    "date_type": "write a date as 2021-01-31",
    "date_parsing": "write a date as 2021-01-31",
    "date_from_datetime_parsing": "write a date as 2021-01-31",
}


def _value_help(detail: ErrorDetails) -> str:
    context: Mapping[str, Any] = detail.get("ctx") or {}
    expected = str(context.get("expected") or context.get("expected_tags") or "")
    words = re.findall(r"'([^']+)'", expected)
    if words:
        return nearest_help(_given(detail, context), words, "value")
    return _TYPE_HELP.get(detail["type"], "see `compliance rules schema` for what may stand here")


def _given(detail: ErrorDetails, context: Mapping[str, Any]) -> str:
    return str(context.get("tag") or detail.get("input"))


def located(
    document: Document,
    path: Path | str,
    loc: Loc,
    *,
    message: str,
    help: str | None = None,
    code: str = "rule-file",
    key: bool = False,
    offset: int | None = None,
    length: int | None = None,
) -> Diagnostic:
    """A diagnostic at a place of the document: a value, its key, or a character within a text value."""
    if offset is not None:
        position = document.position_in(loc, offset)
        span = length or 1
    else:
        position = document.position(loc, key=key)
        span = document.span(loc, key=key) if length is None else length
    return Diagnostic(
        path=str(path),
        line=position.line,
        column=position.column,
        message=message,
        help=help,
        length=span,
        code=code,
        source=document.source_line(position.line),
    )


def resolve(value: object, at: Loc, loc: Loc) -> Loc:
    """The place in a value that a pydantic loc means, skipping its elements that are no key or index there.

    Pydantic puts the tag or the name of a union's member in its locs; the reading that skips the fewest wins.
    """
    inner = value
    for part in at:
        inner = inner[part]  # type: ignore[index]
    for skips in range(min(len(loc), 6) + 1):
        found = _follow(inner, loc, skips)
        if found is not None:
            return at + found
    return at + _follow_greedily(inner, loc)


def _follow(value: object, loc: Loc, skips: int) -> Loc | None:
    if not loc:
        return () if skips == 0 else None
    if _has(value, loc[0]):
        rest = _follow(value[loc[0]], loc[1:], skips)  # type: ignore[index]
        if rest is not None:
            return (loc[0], *rest)
    return _follow(value, loc[1:], skips - 1) if skips else None


def _follow_greedily(value: object, loc: Loc) -> Loc:
    found: list[str | int] = []
    for part in loc:
        if _has(value, part):
            found.append(part)
            value = value[part]  # type: ignore[index]
    return tuple(found)


def _has(value: object, part: str | int) -> bool:
    if isinstance(value, dict):
        return part in value
    return isinstance(value, list) and isinstance(part, int) and 0 <= part < len(value)


# --- the keys a model knows ---------------------------------------------------------------------------------------


def valid_keys(model: type[BaseModel], loc: Loc) -> list[str]:
    """The keys that may stand in the mapping at `loc` of a document of this model, in order of their names."""
    candidates = list(_members(model))
    for part in loc:
        candidates = _step(candidates, part)
    return sorted({key for candidate in candidates if _is_model(candidate) for key in _fields(candidate)})


def _step(candidates: list[Any], part: str | int) -> list[Any]:
    inner = [member for candidate in candidates for member in _inside(candidate, part)]
    if inner:
        return inner
    # the loc's element is no key here: the tag, or the name, of a member of a union
    tagged = [candidate for candidate in candidates if _is_model(candidate) and _is_tagged(candidate, str(part))]
    return tagged or candidates


def _inside(candidate: Any, part: str | int) -> Iterator[Any]:
    if _is_model(candidate):
        field = _fields(candidate).get(str(part))
        if field is not None:
            yield from _members(field.annotation)
        return
    arguments = get_args(candidate)
    origin = get_origin(candidate)
    if not isinstance(origin, type) or not arguments:
        return
    if issubclass(origin, Mapping):
        yield from _members(arguments[-1])
    elif isinstance(part, int) and issubclass(origin, Iterable):
        for argument in arguments:
            yield from _members(argument)


def _members(annotation: Any) -> Iterator[Any]:
    """Each plain type within an annotation, out of its unions, `Annotated`, aliases and root models."""
    if hasattr(annotation, "__value__"):
        yield from _members(annotation.__value__)
    elif get_origin(annotation) is Annotated:
        yield from _members(get_args(annotation)[0])
    elif get_origin(annotation) in (Union, types.UnionType):
        for argument in get_args(annotation):
            yield from _members(argument)
    elif _is_model(annotation) and "root" in annotation.model_fields:
        yield from _members(annotation.model_fields["root"].annotation)
    else:
        yield annotation


def _is_model(candidate: Any) -> bool:
    return isinstance(candidate, type) and issubclass(candidate, BaseModel)


def _fields(model: type[BaseModel]) -> dict[str, FieldInfo]:
    return {key: field for name, field in model.model_fields.items() for key in _keys_of(name, field)}


def _keys_of(name: str, field: FieldInfo) -> Sequence[str]:
    alias = field.validation_alias or field.alias
    if isinstance(alias, AliasChoices):
        return [choice for choice in alias.choices if isinstance(choice, str)] or [name]
    if isinstance(alias, AliasPath):
        return [str(alias.path[0])]
    return [alias or name]


def _is_tagged(model: type[BaseModel], tag: str) -> bool:
    if model.__name__ == tag:
        return True
    return any(tag in _literals(field) for field in model.model_fields.values())


def _literals(field: FieldInfo) -> set[str]:
    tags = {entry.tag for entry in field.metadata if isinstance(entry, Tag)}
    values = get_args(field.annotation) if get_origin(field.annotation) is Literal else ()
    return tags | {str(value.value if isinstance(value, enum.Enum) else value) for value in values}
