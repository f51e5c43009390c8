"""Whether a check passes: `--fail-on severity[:count|percent]`, and `--baseline FILE`."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import click

from compliance.duties.evaluate import Evaluation
from compliance.duties.findings import Finding, Selection
from compliance.errors import UsageError
from compliance.rulebook.model import SEVERITIES

DECIDED = ("met", "overdue", "missed", "late")
NEVER = "never"


@dataclass(frozen=True)
class Gate:
    """From which severity breaches fail a check, and from how many, or what percentage of the duties decided."""

    severity: str
    count: int | None = 1
    percent: float | None = None

    def fails(self, found: Sequence[Finding], evaluation: Evaluation, selection: Selection) -> bool:
        """True where the breaches given reach the gate."""
        if self.severity == NEVER:
            return False
        floor = SEVERITIES.index(self.severity)
        counted = sum(bool(one.breach) and SEVERITIES.index(one.rule.severity) >= floor for one in found)
        if self.percent is None:
            return counted >= (self.count or 1)
        return counted > 0 and 100.0 * counted >= self.percent * self._decided(evaluation, selection, floor)

    def _decided(self, evaluation: Evaluation, selection: Selection, floor: int) -> int:
        """The duties met or breached, of the severities that count."""
        lowest = SEVERITIES[max(floor, SEVERITIES.index(selection.minimum_severity))]
        where = replace(selection, statuses=DECIDED, minimum_severity=lowest).where(evaluation.rulebook)
        row = evaluation.connection.execute(f"SELECT count(*) FROM duties WHERE {where}").fetchone()
        return int(row[0]) if row else 0


class FailOn(click.ParamType[Gate]):
    """A severity with, after a colon, a count or a percentage: `high`, `high:10`, `medium:2.5%`, or `never`."""

    name = "SEVERITY[:N|:N%]"

    def get_metavar(self, param: click.Parameter, ctx: click.Context) -> str:
        """How the help shows it."""
        return f"[{'|'.join([*SEVERITIES, NEVER])}][:N|:N%]"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Gate:
        """The gate that the text names."""
        if isinstance(value, Gate):
            return value
        severity, colon, bound = str(value).partition(":")
        if severity not in (*SEVERITIES, NEVER) or (colon and (severity == NEVER or not bound)):
            self.fail(f"{value!r} is not a severity ({', '.join(SEVERITIES)}, never), alone or with :10 or :2.5%", param, ctx)
        if not colon:
            return Gate(severity)
        number = self._number(bound.removesuffix("%"), param, ctx)
        if bound.endswith("%"):
            return Gate(severity, None, number)
        if number < 1 or number % 1:
            self.fail(f"{bound!r} is not a count from 1", param, ctx)
        return Gate(severity, int(number))

    def _number(self, text: str, param: click.Parameter | None, ctx: click.Context | None) -> float:
        if not text.replace(".", "", 1).isdecimal() or not text.isascii():
            self.fail(f"{text!r} is not a number", param, ctx)
        return float(text)


def baseline_ids(path: Path, pseudonyms: str | None = None) -> frozenset[str]:
    """The ids of the breaches in a saved check document. Raises UsageError when it is not one, or was made under another key."""
    help = "a baseline is what `compliance check --output json=FILE` wrote"
    try:
        document = json.loads(path.read_bytes())
        found = [(one["id"], one["breach"]) for one in document["findings"]]
        key = document.get("run", {}).get("pseudonyms")
    except OSError as error:
        raise UsageError(f"{path}: cannot be read: {error.strerror}", help=help) from error
    except (ValueError, TypeError, KeyError, RecursionError) as error:
        raise UsageError(f"{path}: not a check document", help=help) from error
    if key != pseudonyms:
        words = "the ids in it were replaced under another key, or not at all"
        raise UsageError(f"{path}: {words}", help="make the baseline with the same --pseudonymise --key, or both without")
    return frozenset(str(name) for name, breach in found if breach)


def against(known: frozenset[str], found: Sequence[Finding]) -> str:
    """How the breaches compare with the baseline, in words."""
    now = {one.id for one in found if one.breach}
    return f"{len(now - known)} new, {len(known - now)} no longer found, {len(now & known)} unchanged"
