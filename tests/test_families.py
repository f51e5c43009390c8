"""Small hand-written datasets, one a family: every duty of the rules they speak of, exactly."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from tests import rulebooks

from compliance.duties.findings import EVERYTHING, findings
from compliance.run import Request, run

FAMILIES = Path(__file__).parents[1] / "fixtures" / "families"


@pytest.mark.parametrize("family", sorted(path.name for path in FAMILIES.iterdir()))
def test_every_duty_is_the_one_expected(family: str) -> None:
    expected = json.loads((FAMILIES / family / "expected.json").read_text())
    result = run(Request([FAMILIES / family], rulebooks.rulebook(), only=frozenset(expected["rules"]), with_risks=False))
    left = {one.rule: one.reason for one in result.evaluation.not_evaluated}
    assert not left
    found = [_plain(one) for one in findings(result.evaluation, EVERYTHING)]
    assert sorted(found, key=_order) == sorted(map(_without_none, expected["duties"]), key=_order)


def _plain(one: Any) -> dict[str, str]:
    days = {"trigger": one.trigger_date, "due": one.due_date, "done": one.done_date}
    duty = {"rule": one.rule.id, "subject": one.subject_id, "status": one.status}
    if one.rule.id.startswith("IP-"):
        del duty["subject"]
    return duty | {name: day.isoformat() for name, day in days.items() if day}


def _without_none(duty: dict[str, str | None]) -> dict[str, str]:
    return {name: value for name, value in duty.items() if value is not None}


def _order(duty: dict[str, str]) -> list[tuple[str, str]]:
    return sorted(duty.items())
