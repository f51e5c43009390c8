"""Every error that the command line turns into a message and an exit code.

ComplianceError
 ├── UsageError          2  the command, the configuration or a path is wrong
 │    └── RuleFileError  2  a rule file is wrong, with file, line and column
 ├── UntrustedResult     3  the result cannot be trusted
 │    ├── DataError      3  the data cannot be read safely
 │    └── EngineError    3  the engine failed or disagreed with itself
 └── NothingEvaluated    4  no rule could be evaluated
"""

from __future__ import annotations


class ComplianceError(Exception):
    """An expected failure: `message` says what and where, `help` what to do, `exit_code` what the command returns."""

    exit_code = 3

    def __init__(self, message: str, *, help: str | None = None) -> None:
        super().__init__(message)
        self.message = message
        self.help = help


class UsageError(ComplianceError):
    """The command line, the configuration or a named path is wrong."""

    exit_code = 2


class RuleFileError(UsageError):
    """A rule file is wrong; the message is a compiler-like diagnostic with its position."""


class UntrustedResult(ComplianceError):
    """The run cannot vouch for its answer, so nothing is published."""

    exit_code = 3


class DataError(UntrustedResult):
    """The data cannot be read safely: hostile, damaged or beyond a stated limit."""


class EngineError(UntrustedResult):
    """The engine failed, timed out or disagreed with itself."""


class NothingEvaluated(ComplianceError):
    """No rule could be evaluated on this data, so there is no answer to give."""

    exit_code = 4
