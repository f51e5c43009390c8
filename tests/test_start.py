"""What a command imports: each library that is slow to import, only where it is used."""

from __future__ import annotations

import json
import os
import subprocess
import sys

import pytest

SLOW = ("sqlglot", "lxml", "python_calamine", "xlsxwriter", "jinja2", "altair", "docx", "sqlalchemy", "pyarrow", "holidays")
LOADED = "import sys, json, importlib; importlib.import_module(sys.argv[1]); print(json.dumps(sorted(sys.modules)))"


@pytest.mark.parametrize("command", ["check", "register", "explain", "worklist", "forecast", "data", "rules", "synth"])
def test_a_command_starts_without_the_libraries_that_it_may_not_use(command: str) -> None:
    asked = [sys.executable, "-c", LOADED, f"compliance.cli.{command}"]
    loaded = json.loads(subprocess.run(asked, capture_output=True, text=True, check=True, env=dict(os.environ)).stdout)
    assert "click" in loaded
    assert [name for name in SLOW if name in loaded] == []
