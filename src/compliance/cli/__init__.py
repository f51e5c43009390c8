"""The command `compliance`: one file a subcommand; errors become messages and exit codes here."""

from __future__ import annotations

import atexit
import gc
import importlib
import os
import sys
from typing import NoReturn

import click

from compliance import __version__
from compliance.errors import ComplianceError

COMMANDS = {
    "check": "check",
    "register": "register",
    "explain": "explain",
    "report": "report",
    "compare": "compare",
    "trend": "trend",
    "worklist": "worklist",
    "forecast": "forecast",
    "rules": "rules",
    "data": "data",
    "synth": "synth",
}


class Commands(click.Group):
    """Subcommands that are imported when first used, so that each starts fast."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        """The names of the subcommands."""
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """The subcommand of that name, or None."""
        if cmd_name not in COMMANDS:
            return None
        module = importlib.import_module(f"compliance.cli.{COMMANDS[cmd_name]}")
        command: click.Command = module.command
        return command


@click.group(cls=Commands, context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100})
@click.version_option(__version__, prog_name="compliance")
def cli() -> None:
    """Which children are not visited, planned for, reviewed or supervised as the law requires, and what that means.

    Exit codes: 0 evaluated, nothing at or above --fail-on; 1 breaches at or above it; 2 the command, the configuration or
    a rule file is wrong; 3 the result cannot be trusted; 4 nothing was evaluated.
    """


def main() -> None:
    """Runs the command and exits with its code; an expected failure is a message on stderr."""
    gc.disable()  # one short run makes little cyclic garbage, and looking for it takes a tenth of the time
    try:
        code = cli.main(standalone_mode=False)
        sys.stdout.flush()
    except click.exceptions.Abort:
        sys.exit(_say("interrupted", None, 2))
    except click.ClickException as error:
        error.show()
        sys.exit(2)
    except ComplianceError as error:
        sys.exit(_say(error.message, error.help, error.exit_code))
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        sys.exit(0)
    except Exception as error:
        sys.exit(_say(f"{type(error).__name__}: {error}", "nothing is published; this is a defect of the engine", 3))
    _end(code if isinstance(code, int) else 0)


def _end(code: int) -> NoReturn:
    """Ends the process once what is to be tidied is tidied; its memory goes at once, and is not taken apart table by table."""
    atexit._run_exitfuncs()
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(code)


def _say(message: str, help: str | None, code: int) -> int:
    """Prints an error to stderr, and gives the exit code back."""
    from compliance.cli.options import clear_progress
    from compliance.rulebook.diagnostics import printable

    clear_progress()
    lines = [printable(line) for line in message.splitlines()] or [""]
    head = "" if ": error[" in lines[0] else "error: "
    print(f"{head}{lines[0]}", *lines[1:], sep="\n", file=sys.stderr)
    if help:
        print(f"help: {printable(help)}", file=sys.stderr)
    return code
