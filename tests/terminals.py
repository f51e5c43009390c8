"""A terminal of a given width for tests: the command runs in this process and writes to a pseudo-terminal or a pipe."""

from __future__ import annotations

import contextlib
import io
import os
import pty
import re
import sys
import threading
import tty
from collections.abc import Iterator, Sequence
from pathlib import Path

import pytest

from compliance.cli import cli
from conftest import ROOT

ESCAPE = re.compile(r"\x1b\[[0-9;]*m")
COLOUR = re.compile(r"\x1b\[(?:[0-9;]*;)?(?:3[0-8]|4[0-8]|9[0-7]|10[0-7])[;m]")


def on_terminal(monkeypatch: pytest.MonkeyPatch, words: Sequence[object], width: int, *, colour: bool = False) -> str:
    """What the command shows on a terminal of that width."""
    with _environment(monkeypatch, width, colour):
        master, slave = pty.openpty()
        tty.setraw(slave)
        read: list[bytes] = []
        reader = threading.Thread(target=_drain, args=(master, read))
        reader.start()
        with os.fdopen(slave, "w", encoding="utf-8") as screen:
            monkeypatch.setattr(sys, "stdout", screen)
            _run(words)
        reader.join()
        os.close(master)
    return b"".join(read).decode()


def on_pipe(monkeypatch: pytest.MonkeyPatch, words: Sequence[object]) -> str:
    """What the command writes to a pipe."""
    with _environment(monkeypatch, None, False):
        pipe = io.StringIO()
        monkeypatch.setattr(sys, "stdout", pipe)
        _run(words)
    return pipe.getvalue()


@contextlib.contextmanager
def _environment(monkeypatch: pytest.MonkeyPatch, width: int | None, colour: bool) -> Iterator[None]:
    with monkeypatch.context() as within:
        for name in ("COLUMNS", "NO_COLOR", "FORCE_COLOR", "LINES"):
            within.delenv(name, raising=False)
        within.setenv("TERM", "xterm-256color")
        within.setenv("COLORTERM", "truecolor")
        if width is not None:
            within.setenv("COLUMNS", str(width))
        if not colour:
            within.setenv("NO_COLOR", "1")
        within.chdir(ROOT)
        yield


def _run(words: Sequence[object]) -> None:
    cli.main([str(word) for word in words], standalone_mode=False)


def _drain(master: int, read: list[bytes]) -> None:
    with contextlib.suppress(OSError):  # the last reader of a terminal that is closed is told so by an error
        while piece := os.read(master, 65536):
            read.append(piece)


def kept(place: Path, text: str, *, update: bool) -> None:
    """Nothing where the text is what the file holds; with `update` the file is written anew."""
    if update:
        place.parent.mkdir(exist_ok=True)
        place.write_text(text, encoding="utf-8")
    assert place.is_file(), f"{place} is not there: pytest --update-screens makes it"
    assert text == place.read_text(encoding="utf-8"), f"{place.name} has changed: look at it, then pytest --update-screens"
