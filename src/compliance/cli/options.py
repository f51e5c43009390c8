"""Options that several commands share, and what they make of them."""

from __future__ import annotations

import datetime
import os
import shutil
import sys
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import click
from rich.console import Console

from compliance.errors import UsageError

if TYPE_CHECKING:
    from compliance.rulebook.load import Rulebook

Command = TypeVar("Command", bound=Callable[..., Any])
QUIET_SECONDS = 0.5
CLEARED = "\r\x1b[K"
"""Takes the cursor to the start of an emptied line."""


class Day(click.ParamType[datetime.date]):
    """A date, as 2021-09-30."""

    name = "date"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> datetime.date:
        """The date that the text names."""
        if isinstance(value, datetime.date):
            return value
        try:
            return datetime.date.fromisoformat(value)
        except ValueError:
            self.fail(f"{value!r} is not a date; write it as 2021-09-30", param, ctx)


DAY = Day()


def dataset_argument(command: Command) -> Command:
    """The dataset: one or more folders or files; and how much of them is read."""
    command = click.option(
        "--read-limit",
        multiple=True,
        metavar="NAME=N",
        expose_value=False,
        callback=_set_read_limits,
        help="Another limit on what is read, as rows=30000000 (repeatable); docs/limits.md lists them.",
    )(command)
    return click.argument("dataset", nargs=-1, required=True, type=click.Path(path_type=Path))(command)


def _set_read_limits(_: click.Context, __: click.Parameter, said: tuple[str, ...]) -> None:
    from compliance.sources.limits import DEFAULT_LIMITS, LIMITS

    LIMITS.set(DEFAULT_LIMITS.set(said))


def as_of_option(command: Command) -> Command:
    """The day whose close is judged."""
    return click.option("--as-of", type=DAY, help="Judge as of the close of this day (the extract's date when left out).")(
        command
    )


def rules_option(command: Command) -> Command:
    """Another rulebook, or local rules beside it."""
    command = click.option(
        "--rules", "rules_folder", type=click.Path(path_type=Path), help="A rulebook folder in place of the packaged one."
    )(command)
    return click.option(
        "--local",
        "local_rules",
        multiple=True,
        type=click.Path(path_type=Path, exists=True),
        help="A file or folder of local rules beside the rulebook.",
    )(command)


def format_option(*formats: str) -> Callable[[Command], Command]:
    """The form of what is printed."""
    return click.option(
        "--format", "form", type=click.Choice(formats), default=formats[0], show_default=True, help="How to print it."
    )


def overwrite_option(command: Command) -> Command:
    """Leave to replace a file."""
    return click.option("--overwrite", is_flag=True, help="Replace a file that is there already.")(command)


def quiet_option(command: Command) -> Command:
    """Results only."""
    return click.option("-q", "--quiet", is_flag=True, help="Results only: no progress, no summary.")(command)


def rulebook_of(rules_folder: Path | None, local_rules: Sequence[Path] = (), *, kept: bool = False) -> Rulebook:
    """The rulebook asked for; `kept`: from the cache where it has not changed, without examples.

    Raises RuleFileError with every problem in it.
    """
    from compliance.cli.cache import kept_rulebook
    from compliance.rulebook.load import load_rulebook

    if rules_folder is not None and not rules_folder.is_dir():
        raise UsageError(f"{rules_folder}: no such rules folder")
    rulebook = kept_rulebook(rules_folder, local_rules) if kept else load_rulebook(rules_folder, local_rules)
    if not rulebook.rules:
        raise UsageError(f"{rulebook.folder}: a rulebook without rules checks nothing")
    return rulebook


def stdout_console() -> Console:
    """The console for results: colours only for a terminal, or as NO_COLOR and FORCE_COLOR say; whole lines when piped."""
    clear_progress()
    width = None if sys.stdout.isatty() else int(os.environ.get("COLUMNS", "120"))
    return Console(file=sys.stdout, width=width, highlight=False)


def progress_to_stderr(quiet: bool) -> Callable[[str], None]:
    """Says on stderr what is being done, once the command has run for half a second: one line, written over."""
    start = time.monotonic()

    def tell(words: str) -> None:
        if not quiet and _can_write_over() and time.monotonic() - start > QUIET_SECONDS:
            width = shutil.get_terminal_size().columns
            sys.stderr.write(f"{CLEARED}{words[: width - 3]} …")
            sys.stderr.flush()

    return tell


def clear_progress() -> None:
    """Takes what was said of progress off the terminal, so that what follows starts on a line of its own."""
    if _can_write_over():
        sys.stderr.write(CLEARED)
        sys.stderr.flush()


def _can_write_over() -> bool:
    return sys.stderr.isatty() and os.environ.get("TERM") != "dumb"


def emit(content: bytes) -> None:
    """Writes bytes to stdout. Raises UsageError for a file format that a terminal cannot show."""
    clear_progress()
    if b"\0" in content[:4096] and sys.stdout.isatty():
        raise UsageError("this format is a file, not text", help="write it with --output FORMAT=PATH")
    sys.stdout.buffer.write(content)
    sys.stdout.buffer.flush()
