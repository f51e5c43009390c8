"""The objects of a JSON file one at a time: those of its list, the one that it is, or one a line.

The file is never held whole. How deeply an object is nested and how long it is is known before it is parsed.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TextIO

from compliance.errors import DataError
from compliance.sources.heads import encoding_of
from compliance.sources.limits import Limits

CHUNK = 1 << 18

_TOKEN = re.compile(r'"[^"\\]*+(?:\\.[^"\\]*+)*+"|[\[\]{}"]', re.DOTALL)
_BETWEEN = " \t\r\n,"


def objects(path: Path, label: str, limits: Limits) -> Iterator[dict[str, Any]]:
    """Each object of the file, in their order; numbers are kept as they are written."""
    limits.hold(label, "file_bytes", path.stat().st_size)
    with path.open("rb") as stream:
        encoding = encoding_of(stream.read(CHUNK))
    with path.open(encoding="utf-8-sig" if encoding == "utf-8" else encoding, errors="replace") as text:
        for number, found in enumerate(_Scan(text, label, limits).objects(), 1):
            limits.hold(label, "rows", number)
            yield _parsed(found, f"{label}, object {number}")


@dataclass
class _Scan:
    """A walk through the text: how deep it is, and where the object that it is in begins."""

    stream: TextIO
    label: str
    limits: Limits
    text: str = ""
    at: int = 0
    depth: int = 0
    start: int | None = None
    outer: int = 0

    def objects(self) -> Iterator[str]:
        """The text of each object."""
        while chunk := self.stream.read(max(CHUNK, len(self.text))):
            self.text += chunk
            for found in self._tokens():
                self._hold(found)
                yield found
            self._drop_done()
            self._hold(self.text)
        if self.start is not None or self.depth or self.text[self.at :].strip(_BETWEEN):
            raise DataError(f"{self.label}: ends before its JSON does", help="send the file as it was exported")

    def _hold(self, text: str) -> None:
        self.limits.hold(f"{self.label}: one object", "text_bytes", len(text))

    def _drop_done(self) -> None:
        done = self.at if self.start is None else self.start
        self.text, self.at = self.text[done:], self.at - done
        self.start = None if self.start is None else 0

    def _tokens(self) -> Iterator[str]:
        for token in _TOKEN.finditer(self.text, self.at):
            sign = token[0]
            if sign == '"':
                return
            if self.start is None:
                self._between(token.start())
            self.at = token.end()
            if sign in "{[":
                self._open(sign, token.start())
            elif sign in "}]":
                self.depth -= 1
                if self.depth < 0:
                    raise self._not_objects()
                if self.start is not None and self.depth == self.outer:
                    found, self.start = self.text[self.start : self.at], None
                    yield found
            elif self.start is None:
                raise self._not_objects()

    def _open(self, sign: str, position: int) -> None:
        if self.start is None and sign == "{":
            self.start, self.outer = position, self.depth
        elif self.start is None and self.depth:
            raise self._not_objects()
        self.depth += 1
        self.limits.hold(f"{self.label}: JSON within JSON", "nesting", self.depth)

    def _between(self, position: int) -> None:
        if self.text[self.at : position].strip(_BETWEEN):
            raise self._not_objects()

    def _not_objects(self) -> DataError:
        return DataError(f"{self.label}: is not a list of JSON objects", help="send the file as it was exported")


def _parsed(text: str, place: str) -> dict[str, Any]:
    try:
        found = json.loads(text, parse_int=str, parse_float=str, parse_constant=str)
    except ValueError as error:
        raise DataError(f"{place}: is not JSON: {str(error).split(':')[0]}") from None
    if not isinstance(found, dict):
        raise DataError(f"{place}: is not a JSON object")
    return found
