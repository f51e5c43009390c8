"""What a terminal shows of every command, kept as text in tests/screens: at three widths, in colour, without, and piped.

`pytest tests/test_screens.py --update-screens` writes the files anew; they are to be read before they are kept.
"""

from __future__ import annotations

import io
import re
from collections.abc import Callable
from pathlib import Path
from typing import cast

import pytest
from rich.cells import cell_len
from rich.console import Console
from rich.text import Text

from compliance.cli import options
from compliance.duties.findings import Selection, findings
from compliance.outputs import screen
from compliance.outputs.register_pages import print_forecast, print_worklist
from compliance.outputs.register_screen import print_register
from compliance.outputs.screen import clipped
from compliance.outputs.terminal import print_check
from compliance.register.again import with_joined_risks
from compliance.register.forecast import forecast
from compliance.register.register import register
from compliance.register.worklist import as_worklist, worklist
from compliance.rulebook.load import load_rulebook
from compliance.run import Request, Run, run
from conftest import HEREFORDSHIRE, ROOT
from terminals import COLOUR, ESCAPE, kept, on_pipe, on_terminal

SCREENS = Path(__file__).parent / "screens"
DATA, RULES = "fixtures/screens/data", "fixtures/screens/rules"
WIDTHS = (80, 120, 200)
OVERDUE = "855545025dd79b32"
COMMANDS: dict[str, list[str]] = {
    "check": ["check", DATA],
    "check-all": ["check", DATA, "--all", "--rule", "FD-DECISION", "--limit", "0"],
    "register": ["register", DATA],
    "register-full": ["register", DATA, "--full", "--equality"],
    "explain-finding": ["explain", OVERDUE, DATA],
    "explain-risk": ["explain", "ESC-CHILD-WAITS", DATA],
    "worklist": ["worklist", DATA],
    "worklist-by-worker": ["worklist", DATA, "--by", "worker", "--days", "30"],
    "compare": ["compare", DATA, "--from", "2021-08-15", "--to", "2021-09-30"],
    "trend": ["trend", DATA, "--months", "12"],
    "forecast": ["forecast", DATA, "--demand", "+20%"],
    "rules-list": ["rules", "list"],
    "rules-show": ["rules", "show", "FD-DECISION"],
    "rules-test": ["rules", "test", "--verbose"],
    "data-describe": ["data", "describe", DATA],
    "data-validate": ["data", "validate", DATA],
}
LONG = {"register-full"}
ABOUT_NO_RULES = {"data-validate"}


def words_of(name: str) -> list[str]:
    """The command with its rulebook."""
    return COMMANDS[name] if name in ABOUT_NO_RULES else [*COMMANDS[name], "--rules", RULES]


@pytest.mark.parametrize("name", COMMANDS)
def test_a_screen_is_as_it_was_kept(name: str, monkeypatch: pytest.MonkeyPatch, request: pytest.FixtureRequest) -> None:
    words = words_of(name)
    plain = {width: ESCAPE.sub("", on_terminal(monkeypatch, words, width)) for width in WIDTHS}
    coloured = on_terminal(monkeypatch, words, 120, colour=True)
    bare = on_terminal(monkeypatch, words, 120)
    piped = on_pipe(monkeypatch, words)
    for width, text in plain.items():
        assert max(map(cell_len, text.splitlines())) <= width
        assert text.count("\n") <= 50 or name in LONG, "one screen"
    assert not COLOUR.search(bare), "NO_COLOR"
    assert "\x1b" not in piped
    assert ESCAPE.sub("", coloured) == plain[120], "colour says nothing that the words do not"
    assert not BACKGROUND.search(FOREGROUND.sub("", coloured)), "no background: light or dark is the user's"
    parts = {**{f"{width} columns": text for width, text in plain.items()}, "120 columns in colour": coloured, "piped": piped}
    text = "".join(f"=== {title}\n{each}" for title, each in parts.items()).replace("\x1b", "␛")
    kept(SCREENS / f"{name}.txt", text, update=request.config.getoption("--update-screens"))


@pytest.mark.parametrize("name", sorted(COMMANDS))
def test_no_word_is_cut(name: str) -> None:
    """Each word of the narrow screens is a word of the widest or of what is piped, or of the layout itself."""
    sections = (SCREENS / f"{name}.txt").read_text(encoding="utf-8").split("=== ")[1:]
    parts = dict(section.split("\n", 1) for section in sections)
    known = set(f"{parts['200 columns']} {parts['piped']}".split()) | LAYOUT
    for width in ("80 columns", "120 columns"):
        assert set(parts[width].split()) <= known


FOREGROUND = re.compile(r"38;2;\d+;\d+;\d+")
BACKGROUND = re.compile(r"\x1b\[(?:[0-9;]*;)?(?:4[0-8]|10[0-7])[;m]")
LAYOUT = {"…", "it", "breach", "since", "from", "more", "measure:", "rule:", "--full", "load", "team", "expected"}
"""Words of the narrow layout alone."""


@pytest.mark.parametrize("colour", [screen.RED, screen.AMBER, screen.GREEN, screen.BLUE, screen.GREY])
def test_a_colour_can_be_read_on_light_and_on_dark(colour: str) -> None:
    assert contrast(colour, "#ffffff") >= 4.5
    assert contrast(colour, "#000000") >= 4.5


def contrast(one: str, other: str) -> float:
    """The contrast of two colours as WCAG 2.2 defines it."""
    lighter, darker = sorted((_luminance(one), _luminance(other)), reverse=True)
    return (lighter + 0.05) / (darker + 0.05)


def _luminance(colour: str) -> float:
    parts = [int(colour[at : at + 2], 16) / 255 for at in (1, 3, 5)]
    red, green, blue = (part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts)
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


@pytest.mark.parametrize(
    ("text", "width", "expected"),
    [
        ("a bbb ccc", 9, "a bbb ccc"),
        ("a bbb ccc ddd", 9, "a bbb …"),
        ("a bbb ccc ddd", 8, "a bbb …"),
        ("abcdefghijkl", 9, "abcdefg …"),
    ],
)
def test_a_text_is_cut_after_a_word(text: str, width: int, expected: str) -> None:
    assert clipped(Text(text), width).plain == expected


def test_every_command_has_a_screen() -> None:
    from compliance.cli import COMMANDS as COMMAND_FILES

    silent = {"report", "synth"}  # they write files, and say so on stderr
    assert {words[0] for words in COMMANDS.values()} == set(COMMAND_FILES) - silent
    assert sorted(path.stem for path in SCREENS.iterdir()) == sorted(COMMANDS)
    assert (ROOT / DATA).is_dir()


@pytest.fixture(scope="module")
def council() -> Run:
    """The Herefordshire fixture with its risks, found by joins alone."""
    return with_joined_risks(run(Request([HEREFORDSHIRE], load_rulebook(), with_risks=False)))


@pytest.mark.slow
@pytest.mark.parametrize("width", WIDTHS)
def test_a_council_of_full_size_fits_one_screen(council: Run, width: int) -> None:
    listed = as_worklist(council, 10, "team", worklist(council, 10, Selection(("overdue", "due"))))
    breaches, registered, expected = findings(council.evaluation), register(council), forecast(council, 1.2)
    screens: list[Callable[[Console], None]] = [
        lambda console: print_register(console, registered),
        lambda console: print_check(console, council, breaches, limit=None),
        lambda console: print_worklist(console, listed, limit=None),
        lambda console: print_forecast(console, expected),
    ]
    for number, show in enumerate(screens):
        console = Console(file=io.StringIO(), width=width, force_terminal=True, no_color=True)
        show(console)
        text = ESCAPE.sub("", cast("io.StringIO", console.file).getvalue())
        assert 20 <= text.count("\n") <= 53, number
        assert max(map(cell_len, text.splitlines())) <= width, number


def test_progress_is_one_line_that_goes_before_the_answer(monkeypatch: pytest.MonkeyPatch) -> None:
    class Terminal(io.StringIO):
        def isatty(self) -> bool:
            return True

    stderr = Terminal()
    monkeypatch.setattr("sys.stderr", stderr)
    monkeypatch.setenv("TERM", "xterm")
    monkeypatch.setattr(options, "QUIET_SECONDS", -1)
    tell = options.progress_to_stderr(False)
    tell("reading people")
    tell("x" * 500)
    options.stdout_console()
    said = stderr.getvalue()
    assert said.startswith("\r\x1b[Kreading people …\r\x1b[Kx")
    assert said.endswith("…\r\x1b[K")
    assert "\n" not in said and "x" * 300 not in said
