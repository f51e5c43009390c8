"""The Herefordshire fixture: what the engine finds is what was planted, and its measures are the published ones."""

from __future__ import annotations

import csv
import datetime
import json
from collections import Counter
from pathlib import Path

import pytest
import yaml

from compliance.register.register import MeasureValue, measures
from compliance.rulebook.load import load_rulebook
from compliance.run import Request, Run, run
from conftest import HEREFORDSHIRE, Command

AS_OF = datetime.date(2021, 9, 30)
STATES = {"WF-CASELOAD", "WF-CASELOAD-NQSW", "WF-SPAN", "FOS-CENTRAL-LIST"}
"""Rules about a standing state: the truth says who and that, the engine also since when."""


@pytest.fixture(scope="module")
def result() -> Run:
    """The fixture, evaluated."""
    return run(Request([HEREFORDSHIRE], load_rulebook(), AS_OF, with_risks=False))


def _truth() -> dict[str, Counter[tuple[str, ...]]]:
    found: dict[str, Counter[tuple[str, ...]]] = {}
    with (HEREFORDSHIRE / "truth.csv").open() as file:
        for row in csv.DictReader(file):
            found.setdefault(row["rule"], Counter())[_key(row["rule"], row)] += 1
    return found


def _key(rule: str, row: dict[str, str]) -> tuple[str, ...]:
    columns = ("subject_id", "status") if rule in STATES else ("subject_id", "trigger_date", "due_date", "done_date", "status")
    return tuple(row[column] or "" for column in columns)


def _found(result: Run, rule: str) -> Counter[tuple[str, ...]]:
    rows = result.evaluation.connection.execute(
        "SELECT subject_id, CAST(trigger_date AS VARCHAR), CAST(due_date AS VARCHAR), CAST(done_date AS VARCHAR), status"
        " FROM duties WHERE rule = ? AND status IN ('late', 'overdue', 'missed')",
        [rule],
    ).fetchall()
    names = ("subject_id", "trigger_date", "due_date", "done_date", "status")
    return Counter(_key(rule, dict(zip(names, row, strict=True))) for row in rows)


COVERED = sorted(yaml.safe_load((HEREFORDSHIRE / "truth.yaml").read_text())["covered"])


@pytest.mark.parametrize("rule", COVERED)
def test_every_planted_breach_is_found_and_no_other(result: Run, rule: str) -> None:
    assert rule in result.evaluation.evaluated
    planted = _truth().get(rule, Counter())
    found = _found(result, rule)
    assert found - planted == Counter(), "found and not planted"
    assert planted - found == Counter(), "planted and not found"


def test_the_truth_is_large_enough_to_mean_something() -> None:
    assert sum(sum(found.values()) for found in _truth().values()) > 5000
    assert len(COVERED) >= 50


PUBLISHED = {
    "ASSESSMENTS-45": 81.9,
    "CONFERENCES-15": 80.1,
    "CP-REVIEWS-IN-TIME": 81.0,
    "AGENCY-RATE": 32.5,
    "CASELOAD-AVERAGE": 16.7,
    "VACANCY-RATE": 19.0,
}


@pytest.mark.parametrize(("measure", "published"), PUBLISHED.items())
def test_measures_reproduce_the_published_figures_within_a_point(result: Run, measure: str, published: float) -> None:
    found = [one for one in measures(result, authority_only=True) if one.rule.id == measure]
    assert len(found) == 1
    value = found[0].value
    assert value is not None
    assert abs(value - published) <= 1.0


def _count(found: list[MeasureValue], name: str) -> float:
    return next(one.numerator for one in found if one.rule.id == name)


def test_the_council_has_its_published_size(result: Run) -> None:
    found = measures(result, authority_only=True)
    assert _count(found, "CP-CHILDREN") == 107
    assert _count(found, "LAC-CHILDREN") == 312
    assert _count(found, "CIN-CHILDREN") == 1447


def test_ids_are_unique_and_the_same_in_every_run(result: Run) -> None:
    ids = [row[0] for row in result.evaluation.connection.execute("SELECT id FROM duties").fetchall()]
    assert len(ids) == len(set(ids))


def test_check_exits_1_and_is_the_same_bytes_twice(compliance: Command) -> None:
    first = compliance("check", HEREFORDSHIRE, "--as-of", "2021-09-30", "--format", "json")
    second = compliance("check", HEREFORDSHIRE, "--as-of", "2021-09-30", "--format", "json", COMPLIANCE_NO_CACHE="1")
    assert first.returncode == second.returncode == 1
    assert first.stdout == second.stdout
    document = json.loads(first.stdout)
    assert document["run"]["rows"]["read"] == document["run"]["rows"]["loaded"] + document["run"]["rows"]["rejected"]
    assert document["run"]["reconciliation"]["evaluators"]


def test_the_register_fills_its_screen(compliance: Command) -> None:
    result = compliance("register", HEREFORDSHIRE, "--as-of", "2021-09-30")
    assert result.returncode == 0, result.stderr
    for words in (
        "Herefordshire, County of · as of 2021-09-30 · day 135 since the notice of 2021-05-18 · 212 days to 2022-04-30",
        "▶ Non-statutory improvement notice",
        "Statutory direction (s497A Education Act 1996)",
        "children's trust",
        "Ofsted priority actions",
        "Top risks",
        "Due in 30 days",
        "Read or measured in two ways",
        "Confidence in the data",
    ):
        assert words in result.stdout


def test_the_report_conflicts_are_shown(compliance: Command) -> None:
    result = compliance("register", HEREFORDSHIRE, "--as-of", "2021-09-30", "--format", "json")
    conflicts = json.loads(result.stdout)["conflicts"]
    answers = json.dumps(conflicts)
    assert "2021-11-24" in answers
    assert "2021-10-26" in answers
    assert "32.5" in answers


def test_every_finding_and_risk_can_be_explained(compliance: Command) -> None:
    found = json.loads(compliance("check", HEREFORDSHIRE, "--as-of", "2021-09-30", "--format", "json").stdout)["findings"]
    for finding in (found[0], found[-1]):
        told = compliance("explain", finding["id"], HEREFORDSHIRE, "--as-of", "2021-09-30")
        assert told.returncode == 0, told.stderr
        for words in ("The clock", "The law", "The rows that decided it", "Considered", finding["rule"]):
            assert words in told.stdout
    risks = json.loads(compliance("register", HEREFORDSHIRE, "--as-of", "2021-09-30", "--format", "json").stdout)["risks"]
    chained = next(risk for risk in risks if any(cause in {other["id"] for other in risks} for cause in risk["because"]))
    told = compliance("explain", chained["id"], HEREFORDSHIRE, "--as-of", "2021-09-30")
    assert told.returncode == 0
    assert "Because" in told.stdout


def test_documents_fit_their_published_schemas(compliance: Command) -> None:
    from tests_schema import fits

    for command, subject in (("check", "check"), ("register", "register")):
        document = json.loads(compliance(command, HEREFORDSHIRE, "--as-of", "2021-09-30", "--format", "json").stdout)
        schema = json.loads(compliance("rules", "schema", "--of", subject).stdout)
        fits(document, schema)


def test_hidden_files_are_not_read(compliance: Command, tmp_path: Path) -> None:
    result = compliance("data", "describe", HEREFORDSHIRE)
    assert "not used: truth.csv" in result.stdout
