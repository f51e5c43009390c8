"""durable-rules killed, hung or made to disagree: exit 3, a message, nothing published."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from compliance.risks.durable import available

DRIVER = """
import sys
import compliance.risks.durable as durable
import compliance.risks.joins as joins
import compliance.run as run
{sabotage}
sys.argv = ["compliance", *sys.argv[1:]]
from compliance.cli import main
main()
"""
KILLED = "durable.child_command = lambda: (sys.executable, '-c', 'import os, signal; os.kill(os.getpid(), signal.SIGKILL)')"
HUNG = "durable.child_command = lambda: (sys.executable, '-c', 'import time; time.sleep(60)')\nrun.TIME_LIMIT = 1.0"
DISAGREEING = """
found = joins.JoinReasoner.round
joins.JoinReasoner.round = lambda self, facts, first: found(self, facts, first)[1:]
"""


@pytest.mark.skipif(not available(), reason="durable-rules does not import on this Python")
@pytest.mark.parametrize(
    ("sabotage", "words"),
    [(KILLED, "SIGKILL"), (HUNG, "did not answer in 1"), (DISAGREEING, "the two evaluations of escalation rule")],
    ids=["killed", "hung", "disagreeing"],
)
@pytest.mark.parametrize("command", ["check", "register"])
def test_3_and_nothing_published(herefordshire: Path, tmp_path: Path, sabotage: str, words: str, command: str) -> None:
    output = tmp_path / "out.json"
    arguments = [command, str(herefordshire), "--as-of", "2021-09-30", "--format", "json"]
    arguments += ["--output", f"json={output}"] if command == "check" else []
    result = subprocess.run(
        [sys.executable, "-c", DRIVER.format(sabotage=sabotage), *arguments],
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )
    assert result.returncode == 3, result.stderr
    assert words in result.stderr
    assert "Traceback" not in result.stderr
    assert result.stdout == ""
    assert not output.exists()


def test_3_where_a_rule_fails_in_the_engine(herefordshire: Path, tmp_path: Path) -> None:
    sabotage = """
import compliance.duties.evaluate as evaluate
good = evaluate._insert
evaluate._insert = lambda batch, day: good(batch, day).replace("'FD-REFERRAL-DECISION' AS rule", "1/0::INTEGER[] AS rule")
"""
    result = subprocess.run(
        [sys.executable, "-c", DRIVER.format(sabotage=sabotage), "check", str(herefordshire), "--as-of", "2021-09-30"],
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )
    assert result.returncode == 3
    assert "1 rules failed, first FD-REFERRAL-DECISION" in result.stderr
    assert result.stdout == ""
