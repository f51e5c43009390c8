"""How many datasets: 500 and more in an ordinary run, `--soak N` for as many as there is patience for."""

from __future__ import annotations

from typing import Any

import pytest

from .agreement import COUNTED
from .engine import bench, rulebook


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--soak", type=int, default=None, metavar="N", help="compare engine and oracle on about N random datasets")


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    if COUNTED["datasets"]:
        terminalreporter.write_line(f"oracle: {COUNTED['datasets']} datasets, {COUNTED['duties']} duties compared")


def pytest_sessionfinish(session: pytest.Session) -> None:
    bench.cache_clear()
    rulebook.cache_clear()
    if hasattr(session.config, "workeroutput"):
        session.config.workeroutput["oracle"] = dict(COUNTED)


@pytest.hookimpl(optionalhook=True)
def pytest_testnodedown(node: Any) -> None:
    """Adds what a worker of pytest-xdist compared."""
    COUNTED.update(getattr(node, "workeroutput", {}).get("oracle", {}))


@pytest.fixture
def soak(request: pytest.FixtureRequest) -> int | None:
    """How many datasets were asked for; None in an ordinary run, which is the same every time."""
    number: int | None = request.config.getoption("--soak")
    return number
