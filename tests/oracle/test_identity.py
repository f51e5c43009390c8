"""Finding ids: one for each duty, and the same whatever the order of the rows and however often it is run."""

from __future__ import annotations

import csv
import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner
from hypothesis import HealthCheck, given, settings

from compliance.cli import cli

from . import strategies
from .evaluate import Dataset, Row

RULES = ("CP-VISIT", "CP-REVIEW-CONFERENCE", "CP-CORE-GROUP-LATER", "CP-PLAN-TWO-YEARS")


def write(folder: Path, data: Dataset, *, backwards: bool) -> Path:
    """The dataset as a folder of CSV files, with its rows in order or backwards."""
    folder.mkdir()
    for name, rows in data.tables.items():
        if rows:
            _write_table(folder / f"{name}.csv", rows[::-1] if backwards else rows)
    return folder


def _write_table(path: Path, rows: Sequence[Row]) -> None:
    with path.open("w", newline="", encoding="utf-8") as file:
        writer = csv.DictWriter(file, list(rows[0]))
        writer.writeheader()
        writer.writerows({name: "" if value is None else value for name, value in row.items()} for row in rows)


def ids(folder: Path, data: Dataset) -> dict[str, tuple[Any, ...]]:
    """What each finding id stands for."""
    wanted = [part for rule in RULES for part in ("--rule", rule)]
    options = ["--as-of", data.as_of.isoformat(), "--all", "--format", "jsonl", "--fail-on", "never", "-q"]
    answer = CliRunner().invoke(cli, ["check", str(folder), *options, *wanted])
    assert answer.exit_code == 0, answer.output
    findings = [json.loads(line) for line in answer.stdout.splitlines() if line.startswith("{")]
    kept = ("rule", "trigger_date", "due_date", "done_date", "status")
    found = {finding["id"]: (finding["subject"]["id"], *(finding[name] for name in kept)) for finding in findings}
    assert len(found) == len(findings), "two duties have the same id"
    return found


def test_ids_are_unique_and_do_not_depend_on_order(soak: int | None, tmp_path_factory: pytest.TempPathFactory) -> None:
    number, quiet = 2 if soak is None else 5, list(HealthCheck)

    @settings(max_examples=number, derandomize=True, database=None, deadline=None, suppress_health_check=quiet)
    @given(strategies.protection_plans().filter(lambda data: len(data.tables["cp_visits"]) > 2))
    def stable(data: Dataset) -> None:
        folder = tmp_path_factory.mktemp("identity")
        forwards = ids(write(folder / "forwards", data, backwards=False), data)
        assert forwards
        assert ids(folder / "forwards", data) == forwards
        assert ids(write(folder / "backwards", data, backwards=True), data) == forwards

    stable()
