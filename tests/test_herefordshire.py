"""The Herefordshire fixture: what the engine finds is what was planted, and its measures are the published ones."""

from __future__ import annotations

import csv
import datetime
import json
import shutil
from collections import Counter
from functools import cache
from pathlib import Path

import duckdb
import pytest
import yaml
from tests import rulebooks

from compliance.dataset.schema import load_schema
from compliance.duties.compiler import Workbench
from compliance.register.register import MeasureValue, measures
from compliance.rulebook.model import Duty
from compliance.run import Request, Run, run
from conftest import HEREFORDSHIRE, Command

AS_OF = datetime.date(2021, 9, 30)
STATES = {"WF-CASELOAD", "WF-CASELOAD-NQSW", "WF-SPAN", "FOS-CENTRAL-LIST"}
"""Rules about a standing state: the truth says who and that, the engine also since when."""


@pytest.fixture(scope="module")
def result() -> Run:
    """The fixture, evaluated."""
    return run(Request([HEREFORDSHIRE], rulebooks.rulebook(), AS_OF, with_risks=False))


@cache
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


SUMMARY = yaml.safe_load((HEREFORDSHIRE / "truth.yaml").read_text())
COVERED = sorted(SUMMARY["covered"])
TRANSCRIBED = {"programme_items", "programme_events", "budget_entries", "boards"}
RULEBOOK = rulebooks.rulebook()
DUTIES = sorted(rule for rule, one in RULEBOOK.rules.items() if isinstance(one.body, Duty))


@pytest.mark.parametrize("rule", sorted(set(DUTIES) - set(SUMMARY["not_covered"])))
def test_every_breach_is_planted_and_every_planted_one_found(result: Run, rule: str) -> None:
    planted = _truth().get(rule, Counter())
    found = _found(result, rule)
    assert found - planted == Counter(), "found and not planted"
    assert planted - found == Counter(), "planted and not found"


def test_every_covered_rule_is_evaluated(result: Run) -> None:
    assert set(COVERED) <= set(result.evaluation.evaluated)


def test_what_is_not_covered_is_decided_by_what_was_transcribed(result: Run) -> None:
    left = SUMMARY["not_covered"]
    assert set(left) <= set(result.evaluation.evaluated)
    assert not set(left) & set(COVERED)
    bench = Workbench(load_schema(), RULEBOOK)
    for rule, reason in left.items():
        assert reason
        assert {table for table, _ in bench.compile(RULEBOOK.rules[rule]).needs} & TRANSCRIBED, rule


def test_the_truth_is_large_enough_to_mean_something(result: Run) -> None:
    truth = _truth()
    assert 8000 <= sum(sum(found.values()) for found in truth.values()) <= 10_000
    assert len(COVERED) >= 130
    assert sum(rule in truth for rule in COVERED) >= 125
    counted = "SELECT count(*) FILTER (status = 'overdue'), count(*) FILTER (status = 'unknown') FROM duties"
    opened, unknown = result.evaluation.connection.execute(counted).fetchall()[0]
    assert opened < 1000, "the register is not swamped"
    assert unknown < 250, "what is left blank is planted, not habit"


@pytest.mark.parametrize("rule", ["LAC-PARENTS-ASSESSED", "PERM-LONG-TERM-CARER"])
def test_what_only_the_steps_of_a_placement_tell_is_not_evaluated_without_them(result: Run, rule: str) -> None:
    reasons = {one.rule: one.reason for one in result.evaluation.not_evaluated}
    assert "placement_steps" in reasons[rule]


EXCUSED = {
    "CP-PLAN-LONG-REVIEWED": "proceedings.gateway_decision_date",
    "LAC-DISTANT-APPROVED": "placements.is_emergency",
    "LAC-OUT-OF-AREA-APPROVED": "placements.is_emergency",
    "LAC-ENDING-REVIEWED": "looked_after_reviews.review_reason",
    "PERM-LONG-TERM-PLAN": "permanence_decisions",
    "PERM-PLAN": "permanence_decisions",
}
"""What may show that a breach of a rule is none."""


@pytest.fixture(scope="module")
def without_excuses(tmp_path_factory: pytest.TempPathFactory) -> Run:
    """The fixture without its tables and columns that may show that a breach is none, evaluated."""
    folder = tmp_path_factory.mktemp("without") / "fixture"
    shutil.copytree(HEREFORDSHIRE, folder, ignore=shutil.ignore_patterns("proceedings.*", "permanence_decisions.*"))
    with duckdb.connect() as connection:
        for file, column in (("placements.csv", "is_emergency"), ("looked_after_reviews.parquet", "review_reason")):
            path = folder / file
            connection.execute(f"CREATE TABLE kept AS SELECT * EXCLUDE ({column}) FROM '{path}'")
            connection.execute(f"COPY kept TO '{path}'")
            connection.execute("DROP TABLE kept")
    return run(Request([folder], rulebooks.rulebook(), AS_OF, with_risks=False))


@pytest.mark.parametrize("rule", EXCUSED)
def test_a_breach_is_unknown_where_what_may_excuse_it_is_not_in_the_data(result: Run, without_excuses: Run, rule: str) -> None:
    lacking = f"{EXCUSED[rule]} is not in the data and may decide it"
    told = "SELECT count(*) FROM duties WHERE rule = ? AND status = 'unknown' AND note = ?"
    unsure = without_excuses.evaluation.connection.execute(told, [rule, lacking]).fetchall()[0][0]
    assert unsure >= sum(_found(result, rule).values()) > 0
    assert not _found(without_excuses, rule)


PUBLISHED = {
    "ASSESSMENTS-45": 81.9,
    "CONFERENCES-15": 80.1,
    "CP-REVIEWS-IN-TIME": 81.0,
    "AGENCY-RATE": 32.5,
    "CASELOAD-AVERAGE": 16.7,
    "CASEHOLDER-SHARE": 50.2,
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
    assert _count(found, "CASELOAD-AVERAGE") == 889


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
        "Herefordshire, County of · as of 2021-09-30",
        "day 135 since the notice of 2021-05-18 · 212 days to 2022-04-30",
        "▶ now Non-statutory improvement notice",
        "Statutory direction (s497A Education Act 1996)",
        "children's trust",
        "Ofsted priority actions",
        "Risks",
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
