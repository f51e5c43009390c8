"""YAML as plain data, with the position of every key and value for when something is wrong.

Built on the parser's events, not on `yaml.compose`: that one recurses in C, and 100,000 `[` in a row kill the process.
It is also three times as slow. Positions are found by a second pass, only when one is asked for.
"""

from __future__ import annotations

import datetime
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any, NoReturn

import yaml

from compliance.rulebook.diagnostics import Diagnostic, DiagnosticError, Loc, printable

LOADER: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
MAX_BYTES = 16 * 2**20
MAX_DEPTH = 50
LINE_BREAK = re.compile("\r\n|[\n\r\x85\u2028\u2029]")


@dataclass(frozen=True, order=True)
class Position:
    """A place in a file; both numbers start at 1."""

    line: int
    column: int


@dataclass(frozen=True)
class _Extent:
    """Where a key or value starts and ends, as offsets and positions in the text."""

    start: Any
    end: Any
    style: str | None = None

    @property
    def position(self) -> Position:
        return Position(self.start.line + 1, self.start.column + 1)


@dataclass(frozen=True)
class Document:
    """The plain data of one YAML file, and where each piece of it stands."""

    path: Path
    text: str = field(repr=False)
    value: Any = field(repr=False)

    def position(self, loc: Loc = (), *, key: bool = False) -> Position:
        """Where the value at `loc` starts, or its key; where it does not exist, its nearest parent."""
        return self._extent(loc, key=key).position

    def span(self, loc: Loc = (), *, key: bool = False) -> int:
        """How many characters a caret under the value (or its key) is wide: one, where it runs over lines."""
        extent = self._extent(loc, key=key)
        within_line = extent.start.line == extent.end.line and (key or extent.style is not None)
        return max(1, extent.end.column - extent.start.column) if within_line else 1

    def position_in(self, loc: Loc, offset: int) -> Position:
        """Where the character at `offset` of the text value at `loc` stands in the file."""
        value = self._value(loc)
        extent = self._extent(loc)
        if not isinstance(value, str) or extent.style is None:
            return extent.position
        index = _index_in_source(self.text, extent, value, offset)
        line = extent.start.line + len(LINE_BREAK.findall(self.text, extent.start.index, index))
        breaks = [found.end() for found in LINE_BREAK.finditer(self.text, extent.start.index, index)]
        column = index - breaks[-1] if breaks else extent.start.column + index - extent.start.index
        return Position(line + 1, column + 1)

    def source_line(self, line: int) -> str:
        """The text of one line of the file, numbered from 1."""
        return self._lines[line - 1] if 0 < line <= len(self._lines) else ""

    def _value(self, loc: Loc) -> Any:
        value = self.value
        for part in loc:
            value = value[part]
        return value

    def _extent(self, loc: Loc, *, key: bool = False) -> _Extent:
        index = self._keys if key else self._values
        while loc and loc not in index:
            loc, index = loc[:-1], self._values
        return index.get(loc) or self._values[()]

    @cached_property
    def _lines(self) -> list[str]:
        return LINE_BREAK.split(self.text)

    @cached_property
    def _indexes(self) -> tuple[dict[Loc, _Extent], dict[Loc, _Extent]]:
        return _index(self.text)

    @property
    def _keys(self) -> dict[Loc, _Extent]:
        return self._indexes[0]

    @property
    def _values(self) -> dict[Loc, _Extent]:
        return self._indexes[1]


def read_document(path: Path, text: str | None = None) -> Document:
    """The YAML file as plain data that knows its positions; `DiagnosticError` with all that is wrong in it."""
    source = _read(path) if text is None else text.removeprefix("\ufeff")
    return Document(path, source, _Builder(path, source).build())


def load_fast(path: Path) -> Any:
    """The plain data of the YAML file alone; as strict as `read_document`, which costs the same."""
    return read_document(path).value


def _read(path: Path) -> str:
    try:
        raw = path.read_bytes()
    except OSError as error:
        reason = error.strerror or "it cannot be opened"
        raise DiagnosticError(
            [Diagnostic(str(path), 1, 1, f"the file cannot be read: {reason}", "name a file that can be read")]
        ) from error
    if len(raw) > MAX_BYTES:
        message = f"the file is larger than {MAX_BYTES // 2**20} MB"
        raise DiagnosticError([Diagnostic(str(path), 1, 1, message, "split it", code="too-large")])
    try:
        return raw.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = raw.count(b"\n", 0, error.start) + 1
        column = error.start - raw.rfind(b"\n", 0, error.start)
        raise DiagnosticError(
            [Diagnostic(str(path), line, column, "the file is not UTF-8", "save it as UTF-8", code="encoding")]
        ) from error


# --- building -----------------------------------------------------------------------------------------------------


class _Frame:
    """A list or mapping being built."""

    __slots__ = ("key", "keys", "value")

    def __init__(self, value: Any, keys: dict[str, Any] | None) -> None:
        self.value = value
        self.keys = keys
        self.key: str | None = None


_IGNORED: Any = object()


class _Builder:
    """Builds the value of a document from the parser's events, collecting what is wrong."""

    def __init__(self, path: Path, text: str) -> None:
        self.path = path
        self.text = text
        self.found: list[Diagnostic] = []
        self.stack: list[_Frame] = []
        self.root: Any = None
        self.documents = 0

    def build(self) -> Any:
        """The value; `DiagnosticError` where anything is wrong."""
        try:
            for event in yaml.parse(self.text, LOADER):
                self._take(event)
        except yaml.MarkedYAMLError as error:
            self._stop_at_syntax(error)
        except yaml.reader.ReaderError as error:
            self._stop_at_character(error)
        if self.found:
            raise DiagnosticError(self.found)
        return self.root

    def _take(self, event: Any) -> None:
        kind = type(event)
        if kind is yaml.ScalarEvent:
            self._scalar(event)
        elif kind is yaml.MappingStartEvent:
            self._open(event, {}, {})
        elif kind is yaml.SequenceStartEvent:
            self._open(event, [], None)
        elif kind is yaml.MappingEndEvent or kind is yaml.SequenceEndEvent:
            self.stack.pop()
        elif kind is yaml.AliasEvent:
            self._report(event, "an alias is not allowed", "write the value out in full", "alias")
            self._put(None)
        elif kind is yaml.DocumentStartEvent:
            self._document(event)

    def _document(self, event: Any) -> None:
        self.documents += 1
        if self.documents > 1:
            self._stop(event, "a second document starts here", "keep one document in a file", "documents")

    def _open(self, event: Any, value: Any, keys: dict[str, Any] | None) -> None:
        self._refuse_properties(event)
        if len(self.stack) >= MAX_DEPTH:
            self._stop(event, f"nested more than {MAX_DEPTH} deep", "flatten it", "too-deep")
        if self._awaits_key():
            self._stop(event, "a key must be plain text", "write the key as text", "key-type")
        self._put(value)
        self.stack.append(_Frame(value, keys))

    def _scalar(self, event: Any) -> None:
        if event.anchor is not None or event.tag is not None:
            self._refuse_properties(event)
        if self._awaits_key():
            self._key(event)
        elif not event.implicit[0]:
            self._put(event.value)
        else:
            self._put(self._plain(event))

    def _awaits_key(self) -> bool:
        if not self.stack:
            return False
        frame = self.stack[-1]
        return frame.keys is not None and frame.key is None

    def _key(self, event: Any) -> None:
        frame = self.stack[-1]
        key: str = event.value
        frame.key = key
        assert frame.keys is not None
        first = frame.keys.setdefault(key, event)
        if event.implicit[0] and not _is_text_key(key):
            self._report(event, f"the key `{key}` is not text", "put it in quotes", "key-type")
        if first is not event:
            line = first.start_mark.line + 1
            message = f"the key `{key}` is given twice; it was first given on line {line}"
            self._report(event, message, "keep one of the two", "duplicate-key")

    def _put(self, value: Any) -> None:
        if not self.stack:
            self.root = value
            return
        frame = self.stack[-1]
        if frame.keys is None:
            frame.value.append(value)
        else:
            frame.value.setdefault(frame.key, value)
            frame.key = None

    def _plain(self, event: Any) -> Any:
        text: str = event.value
        if text and text[0] not in _MAY_BE_SPECIAL:
            return text
        try:
            return plain_value(text)
        except ValueError as error:
            message, _, help = str(error).partition("; ")
            self._report(event, message, help or "put it in quotes", "ambiguous-value")
            return None

    def _refuse_properties(self, event: Any) -> None:
        if event.anchor is not None:
            self._report(event, "an anchor is not allowed", "write the value out in full", "alias")
        if event.tag is not None:
            self._report(event, f"the tag `{event.tag}` is not allowed", "remove it", "tag")

    def _report(self, event: Any, message: str, help: str, code: str) -> None:
        start, end = event.start_mark, event.end_mark
        length = max(1, end.column - start.column) if start.line == end.line else 1
        self._add(start.line, start.column, message, help, code, length)

    def _stop(self, event: Any, message: str, help: str, code: str) -> NoReturn:
        self._report(event, message, help, code)
        raise DiagnosticError(self.found)

    def _stop_at_syntax(self, error: yaml.MarkedYAMLError) -> NoReturn:
        mark = error.problem_mark or error.context_mark
        line, column = (mark.line, mark.column) if mark else (0, 0)
        message = ", ".join(part for part in (error.context, error.problem) if part) or "this is not YAML"
        self._add(line, column, f"this is not YAML: {message}", _syntax_help(error), "syntax")
        raise DiagnosticError(self.found) from error

    def _stop_at_character(self, error: yaml.reader.ReaderError) -> NoReturn:
        # the C parser reports a byte offset of the UTF-8, or -1: find the first such character instead
        bad = _NOT_YAML.search(self.text)
        before = self.text[: bad.start()] if bad else ""
        lines = LINE_BREAK.split(before)
        named = f"U+{ord(bad.group()):04X}" if bad else "this character"
        self._add(len(lines) - 1, len(lines[-1]), f"the character {named} is not allowed", "remove it", "character")
        raise DiagnosticError(self.found) from error

    def _add(self, line: int, column: int, message: str, help: str, code: str, length: int = 1) -> None:
        lines = LINE_BREAK.split(self.text) if len(self.found) < 50 else []
        self.found.append(
            Diagnostic(
                path=str(self.path),
                line=line + 1,
                column=column + 1,
                message=printable(message, limit=400),
                help=help,
                length=length,
                code=code,
                source=lines[line] if line < len(lines) else None,
            )
        )


_NOT_YAML = re.compile("[^\t\n\r\x20-\x7e\x85\xa0-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


def _syntax_help(error: yaml.MarkedYAMLError) -> str:
    problem = error.problem or ""
    if "cannot start any token" in problem:
        return "indent with spaces, not tabs, and put text that starts with %, @, ` or a tab in quotes"
    if "mapping values are not allowed" in problem:
        return "put text that contains `: ` in quotes, and indent keys alike"
    return "keys of one mapping start in the same column, and every bracket and quote is closed"


# --- scalars ------------------------------------------------------------------------------------------------------

_MAY_BE_SPECIAL = frozenset("0123456789+-.~<nNtTfFyYoO")
_NULLS = frozenset(["", "~", "null", "Null", "NULL"])
_BOOLEANS = {"true": True, "True": True, "TRUE": True, "false": False, "False": False, "FALSE": False}
_OLD_BOOLEANS = frozenset(["yes", "no", "on", "off"])
_INTEGER = re.compile(r"[-+]?(?:0|[1-9][0-9]*)")
_FLOAT = re.compile(r"[-+]?(?:[0-9]+\.[0-9]*|\.[0-9]+)(?:[eE][-+]?[0-9]+)?")
_DATE = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")
_ODD_NUMBER = re.compile(
    r"[-+]?(?:0[xob][0-9a-fA-F_]+|0[0-9_]+|[0-9][0-9_]*_[0-9_]*|[0-9]+(?::[0-5]?[0-9])+(?:\.[0-9]*)?|\.(?:inf|Inf|INF))"
    r"|\.(?:nan|NaN|NAN)"
)


def plain_value(text: str) -> Any:
    """The value of an unquoted scalar; `ValueError` where programs differ on what it means.

    >>> [plain_value(text) for text in ("12", "1.5", "true", "2021-01-04", "6 weeks")]
    [12, 1.5, True, datetime.date(2021, 1, 4), '6 weeks']
    """
    if text in _NULLS:
        return None
    if text in _BOOLEANS:
        return _BOOLEANS[text]
    if text.lower() in _OLD_BOOLEANS:
        raise ValueError(f"`{text}` can be read as text or as true or false; write true or false, or put it in quotes")
    if _INTEGER.fullmatch(text):
        return _integer(text)
    if _FLOAT.fullmatch(text):
        return float(text)
    if _DATE.fullmatch(text):
        return _date(text)
    if _ODD_NUMBER.fullmatch(text):
        raise ValueError(f"`{text}` can be read as text or as a number; put it in quotes where it is text")
    return text


def _integer(text: str) -> int:
    if len(text) > 18:
        raise ValueError(f"`{text[:18]}…` is too large a number; put it in quotes where it is text")
    return int(text)


def _date(text: str) -> datetime.date:
    try:
        return datetime.date.fromisoformat(text)
    except ValueError:
        raise ValueError(f"there is no date {text}; write a date that exists, as 2021-01-31") from None


def _is_text_key(key: str) -> bool:
    if key == "<<":
        return False
    try:
        return isinstance(plain_value(key), str)
    except ValueError:
        return key.lower() in _OLD_BOOLEANS


# --- positions ----------------------------------------------------------------------------------------------------


def _index(text: str) -> tuple[dict[Loc, _Extent], dict[Loc, _Extent]]:
    """Where every key and every value stands, by its loc; the text is known to be good."""
    keys: dict[Loc, _Extent] = {}
    values: dict[Loc, _Extent] = {}
    for loc, event, is_key in _walk(text):
        style = event.style or "plain" if isinstance(event, yaml.ScalarEvent) else None
        (keys if is_key else values)[loc] = _Extent(event.start_mark, event.end_mark, style)
    start = yaml.Mark("", 0, 0, 0, None, 0)
    values.setdefault((), _Extent(start, start))
    return keys, values


def _walk(text: str) -> Iterator[tuple[Loc, Any, bool]]:
    stack: list[list[Any]] = []  # [loc of the container, next index or None for a mapping, pending key]
    for event in yaml.parse(text, LOADER):
        if isinstance(event, (yaml.MappingEndEvent, yaml.SequenceEndEvent)):
            stack.pop()
        if not isinstance(event, yaml.NodeEvent):
            continue
        top = stack[-1] if stack else None
        if top is not None and top[1] is None and top[2] is None:
            key: str = event.value  # type: ignore[attr-defined]
            top[2] = key
            yield (*top[0], key), event, True
            continue
        loc = _next_loc(top)
        yield loc, event, False
        if isinstance(event, yaml.CollectionStartEvent):
            stack.append([loc, 0 if isinstance(event, yaml.SequenceStartEvent) else None, None])


def _next_loc(top: list[Any] | None) -> Loc:
    if top is None:
        return ()
    part: str | int = top[2] if top[1] is None else top[1]
    if top[1] is None:
        top[2] = None
    else:
        top[1] += 1
    return (*top[0], part)


def _index_in_source(text: str, extent: _Extent, value: str, offset: int) -> int:
    """The offset in the file of one character of a scalar.

    Folding and indentation change white space only, so the characters that are not white space are counted.
    """
    wanted = sum(not char.isspace() for char in value[: min(offset, len(value))])
    index = _content_start(text, extent)
    while index < extent.end.index:
        if text[index].isspace():
            index += 1
            continue
        if wanted == 0:
            return index
        index += _source_length(text, index, extent.style)
        wanted -= 1
    last: int = min(index, extent.end.index) - 1
    return max(last, 0)


def _content_start(text: str, extent: _Extent) -> int:
    start: int = extent.start.index
    if extent.style in ("|", ">"):
        return text.find("\n", start) + 1 or start
    return start + (extent.style in ("'", '"'))


def _source_length(text: str, index: int, style: str | None) -> int:
    if style == "'" and text.startswith("''", index):
        return 2
    if style == '"' and text[index] == "\\":
        return {"x": 4, "u": 6, "U": 10}.get(text[index + 1 : index + 2], 2)
    return 1
