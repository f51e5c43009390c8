"""How many datasets: 500 and more in an ordinary run, `--soak N` for as many as there is patience for."""

from __future__ import annotations

from typing import Any

import pytest

from .agreement import COUNTED
from .engine import bench, rulebook


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--soak", type=int, default=None, metavar="N", help="compare engine and oracle on about N random datasets")


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    if terminalreporter.config.getoption("--soak") is not None:
        for rule, counts in sorted(COUNTED.items()):
            terminalreporter.write_line(f"{counts['datasets']:>7} datasets agree, {counts['answers']:>7} answers: {rule}")
    if COUNTED:
        datasets, answers = (sum(counts[what] for counts in COUNTED.values()) for what in ("datasets", "answers"))
        terminalreporter.write_line(f"oracle: {datasets} datasets agree, {answers} answers, {len(COUNTED)} rules and kinds")


def pytest_sessionfinish(session: pytest.Session) -> None:
    bench.cache_clear()
    rulebook.cache_clear()
    if hasattr(session.config, "workeroutput"):
        session.config.workeroutput["oracle"] = {rule: dict(counts) for rule, counts in COUNTED.items()}


@pytest.hookimpl(optionalhook=True)
def pytest_testnodedown(node: Any) -> None:
    """Adds what a worker of pytest-xdist compared."""
    for rule, counts in getattr(node, "workeroutput", {}).get("oracle", {}).items():
        COUNTED[rule].update(counts)


@pytest.fixture
def soak(request: pytest.FixtureRequest) -> int | None:
    """How many datasets were asked for; None in an ordinary run, which is the same every time."""
    number: int | None = request.config.getoption("--soak")
    return number
