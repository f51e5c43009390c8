"""The shipped rulebook, loaded and compiled once for all the tests of a process."""

from __future__ import annotations

from functools import cache

from compliance.dataset.schema import load_schema
from compliance.duties.compiler import Workbench
from compliance.duties.examples import ExampleBench
from compliance.rulebook.load import Rulebook, load_rulebook


@cache
def rulebook() -> Rulebook:
    """The rulebook."""
    return load_rulebook()


@cache
def workbench() -> Workbench:
    """Compiles its rules."""
    return Workbench(load_schema(), rulebook())


@cache
def bench() -> ExampleBench:
    """Runs its examples."""
    return ExampleBench(load_schema(), rulebook())
