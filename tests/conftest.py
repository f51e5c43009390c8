"""What tests share: the fixture datasets, and the command run as a user would run it."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import settings

settings.register_profile("the same every time", derandomize=True, database=None, deadline=None)
settings.load_profile("the same every time")

ROOT = Path(__file__).parents[1]
HEREFORDSHIRE = ROOT / "fixtures" / "herefordshire-2021-09-30"
Command = Callable[..., "subprocess.CompletedProcess[str]"]


def pytest_addoption(parser: pytest.Parser) -> None:
    """The switch that writes the screens in tests/screens anew."""
    parser.addoption("--update-screens", action="store_true", help="write the screens in tests/screens anew")


@pytest.fixture(scope="session")
def herefordshire() -> Path:
    """The Herefordshire fixture."""
    return HEREFORDSHIRE


@pytest.fixture
def compliance(tmp_path_factory: pytest.TempPathFactory) -> Command:
    """Runs `compliance` with the arguments given, in a process of its own."""

    def run(*arguments: object, cwd: Path | None = None, **environment: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [sys.executable, "-m", "compliance", *map(str, arguments)],
            capture_output=True,
            text=True,
            cwd=cwd or ROOT,
            env={**os.environ, "NO_COLOR": "1", "COLUMNS": "160", **environment},
            timeout=300,
            check=False,
        )

    return run
