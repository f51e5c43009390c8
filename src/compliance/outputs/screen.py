"""Lines of a terminal's screen: fitted to its width between words, in colours that can be read on light and on dark."""

from __future__ import annotations

import io
from collections.abc import Callable, Iterator
from functools import partial

from rich.console import Console
from rich.text import Text

from compliance.rulebook.diagnostics import printable

RED, AMBER, GREEN, BLUE, GREY = "#eb0000", "#a26800", "#008800", "#007fa1", "#757575"
"""Each has a contrast of at least 4.5 to 1 with white and with black: a program cannot ask a terminal for its background."""
STYLES = {"critical": f"bold {RED}", "high": RED, "medium": AMBER, "low": BLUE}
BAND_STYLES = {"extreme": f"bold {RED}", "high": RED, "moderate": AMBER, "low": GREEN}
TALL = 48
"""Lines of a screen: what a terminal of common size shows at once, with the prompt below it."""
WIDE = 110
"""Columns from which a screen shows more."""
MORE = " …"
Part = str | tuple[str, str]


def assembled(*parts: Part) -> Text:
    """The parts as one text, with nothing in it that a terminal would obey."""
    return Text.assemble(*[(printable(part[0]), part[1]) if isinstance(part, tuple) else printable(part) for part in parts])


def line(console: Console, *parts: Part) -> None:
    """Prints a record: whole on one line to a pipe or a file, fitted to the width on a terminal."""
    if not console.is_terminal:
        console.file.write("".join(printable(part[0] if isinstance(part, tuple) else part) for part in parts) + "\n")
        return
    text = assembled(*parts)
    indent = len(text.plain) - len(text.plain.lstrip())
    fitted(console, " " * indent, text[indent:], hang=indent + 4)


def fitted(console: Console, head: Part | Text, body: Part | Text, *, hang: int | None = None, most: int | None = None) -> int:
    """Prints a head and, beside it, a body that is broken between words; gives the number of lines.

    Further lines are set in by `hang` (the width of the head when left out); past `most` lines the rest is left out.
    """
    start = _text(head)
    indent = start.cell_len if hang is None else hang
    lines = list(_broken(console, _text(body), console.width - max(indent, start.cell_len), most))
    for number, each in enumerate(lines):
        console.print(Text.assemble(start if number == 0 else " " * indent, each), soft_wrap=True, highlight=False)
    return len(lines)


def beside(console: Console, head: Part | Text, body: Part | Text, tail: Part | Text, *, most: int | None = 1) -> None:
    """Prints a head, a body and a tail on one line where they fit; else the body, in `most` lines, and the tail below it."""
    start, words, rest = _text(head), _text(body), _text(tail)
    joined = Text.assemble(words, "  ", rest)
    if not rest.plain or start.cell_len + joined.cell_len <= console.width:
        fitted(console, start, joined if rest.plain else words, most=most)
        return
    fitted(console, start, words, most=most)
    fitted(console, " " * start.cell_len, rest, most=most)


def _text(part: Part | Text) -> Text:
    return part if isinstance(part, Text) else assembled(part)


def _broken(console: Console, text: Text, width: int, most: int | None) -> Iterator[Text]:
    lines = list(text.wrap(console, max(width, 20))) or [Text()]
    for number, each in enumerate(lines[:most], start=1):
        each.rstrip()
        yield clipped(Text.assemble(each, MORE), width) if number == most and len(lines) > number else each


def clipped(text: Text, width: int) -> Text:
    """The text, where it is too long cut after a word that still fits, with an ellipsis."""
    if text.cell_len <= width:
        return text
    shorter = text.copy()
    shorter.truncate(width - len(MORE))
    place = shorter.plain.rfind(" ")
    kept = shorter[:place] if place > 0 else shorter
    kept.rstrip()
    return Text.assemble(kept, MORE)


def number_of(count: int, one: str, many: str | None = None) -> str:
    """`1 risk`, `2,000 risks`."""
    return f"{count:,} {one if count == 1 else many or one + 's'}"


def height(console: Console, section: Callable[[Console], object]) -> int:
    """How many lines a section takes on this console."""
    draft = Console(file=io.StringIO(), width=console.width, force_terminal=console.is_terminal, no_color=True)
    section(draft)
    assert isinstance(draft.file, io.StringIO)
    return draft.file.getvalue().count("\n")


def row(console: Console, head: Part | Text, body: Part | Text, tail: Part | Text = "") -> None:
    """Prints a row: whole to a pipe or a file; on a terminal on one line, the body cut after a word to make room for the tail."""
    start, words, rest = _text(head), _text(body), _text(tail)
    if console.is_terminal:
        room = console.width - start.cell_len - (rest.cell_len + 2 if rest.plain else 0)
        words, rest = (clipped(words, room), rest) if room >= 20 else (clipped(words, console.width - start.cell_len), Text())
    ending = Text.assemble("  ", rest) if rest.plain else Text()
    console.print(Text.assemble(start, words, ending), soft_wrap=True, highlight=False)


def limit_that_fits(console: Console, show: Callable[[Console, int], object], most: int) -> int:
    """The highest limit, up to `most`, with which a section fits one screen; `most` to a pipe or a file, where none is needed."""
    if not console.is_terminal:
        return most
    fitting = (limit for limit in range(most, 1, -1) if height(console, partial(_limited, show, limit)) <= TALL)
    return next(fitting, 1)


def _limited(show: Callable[[Console, int], object], limit: int, console: Console) -> None:
    show(console, limit)
