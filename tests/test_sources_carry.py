"""What each format carries, need by need: what it lacks is not evaluated, what it holds the latest of is latest only.

And what is believed where several tell of one thing: the whole history, then the latest event, then an answer for the year.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from pathlib import Path
from typing import Any

import pytest
from tests import rulebooks, ssd_data
from tests.return_files import EPISODES, MISSING, OC2, WORKERS, element, message, table
from tests.test_round_trip import AS_OF, FORMATS, Packs

from annex_a_files import REFERRALS, workbook
from compliance.dataset.load import Dataset, open_dataset
from compliance.duties.evaluate import Evaluation
from compliance.errors import NothingEvaluated
from compliance.run import Request, run
from compliance.sources.annex_a import mapping
from compliance.synth import synthesise

SOCIAL_CARE = "annex_a cin_census ssd dfe_api"
NEEDS: Mapping[str, tuple[str, str]] = {
    "referral decision, its day": ("FD-REFERRAL-DECISION", ""),
    "assessment": ("FD-ASSESSMENT-45", SOCIAL_CARE),
    "strategy discussion, its attendance": ("FD-STRATEGY-DISCUSSION", ""),
    "initial conference": ("CP-INITIAL-CONFERENCE", SOCIAL_CARE),
    "core group": ("CP-CORE-GROUP-FIRST", ""),
    "review conference": ("CP-REVIEW-CONFERENCE", "annex_a cin_census ssd"),
    "child protection visits": ("CP-VISIT", "annex_a ssd"),
    "child in need visits": ("CIN-VISIT", "ssd"),
    "child in need plan": ("CIN-PLAN", "ssd"),
    "child in need reviews": ("CIN-REVIEW", ""),
    "visits to looked-after children": ("LAC-VISIT", "annex_a ssd"),
    "looked-after reviews": ("LAC-REVIEW", "annex_a ssda903 ssd"),
    "contact of the reviewing officer": ("LAC-IRO-CONTACT", "annex_a ssd"),
    "care plan": ("LAC-CARE-PLAN", "ssd"),
    "health assessment": ("LAC-HEALTH-REVIEW", "annex_a ssd"),
    "dental check": ("LAC-DENTAL", "annex_a ssd"),
    "questionnaire": ("LAC-SDQ-YEARLY", "ssd"),
    "personal education plan": ("LAC-PEP-TERMLY", ""),
    "host council told": ("LAC-OUT-OF-AREA-APPROVED", ""),
    "missing episodes": ("LAC-MISSING", "ssda903 ssd"),
    "return interview, its day": ("LAC-MISSING-INTERVIEW", ""),
    "pre-proceedings": ("CT-PRE-PROCEEDINGS-16-WEEKS", "ssd"),
    "care proceedings": ("CT-PROCEEDINGS-26-WEEKS", ""),
    "special guardianship support": ("SG-SUPPORT-PLAN", ""),
    "pathway plan": ("CL-PATHWAY-REVIEW", "annex_a ssd"),
    "keeping in touch": ("CL-CONTACT", "annex_a ssd"),
    "personal adviser": ("CL-PERSONAL-ADVISER", "annex_a ssd"),
    "allocated worker": ("WF-UNALLOCATED", "annex_a ssd"),
    "caseload": ("WF-CASELOAD", "ssd"),
    "newly qualified workers": ("WF-SUPERVISION-NQSW", ""),
    "supervision": ("WF-SUPERVISION-MONTHLY", ""),
    "decisions": ("QA-DECISION-RECORDED", ""),
    "audits": ("QA-AUDIT-ACTIONS", ""),
    "approval and review of foster carers": ("FOS-REVIEW", ""),
    "visits to foster carers": ("FOS-UNANNOUNCED", ""),
    "checks of foster carers": ("FOS-CHECK-CRIMINAL-RECORD", ""),
    "training of foster carers": ("FOS-TRAINING-STANDARDS", ""),
    "panel": ("FOS-PANEL-CHECKS", ""),
    "usual fostering limit": ("FOS-USUAL-LIMIT", ""),
    "private fostering": ("PF-VISIT", ""),
    "improvement plan": ("IP-REVIEW-6M", ""),
}
"""A rule that rests on each need, and the formats on which it can be judged at all."""

LATEST_IN = {
    "cp_visits": "annex_a",
    "cp_plans": "annex_a",
    "looked_after_visits": "annex_a",
    "looked_after_reviews": "annex_a",
    "placements": "annex_a",
    "legal_statuses": "annex_a",
    "missing_episodes": "annex_a",
    "cin_visits": "annex_a",
    "pathway_plans": "annex_a ssd",
    "care_leaver_statuses": "annex_a ssd",
    "care_leaver_accommodation": "annex_a ssd",
    "care_leaver_contacts": "annex_a ssd",
    "workers": "annex_a ssda903 csww ssd",
}
"""Of which tables a format holds the latest alone; another that holds the table has its history."""


@pytest.fixture(scope="module")
def judged(tmp_path_factory: pytest.TempPathFactory) -> Mapping[str, tuple[Dataset, Evaluation | None]]:
    """A made council in each format: what is read, and what is judged of it."""
    tables = synthesise("herefordshire-2021", AS_OF, 7, 0.02).tables
    rulebook, packs = rulebooks.rulebook().only([rule for rule, _ in NEEDS.values()]), Packs()
    found: dict[str, tuple[Dataset, Evaluation | None]] = {}
    for form, written in FORMATS.items():
        path = written(tmp_path_factory.mktemp(form) / form, tables, AS_OF)
        (path / "dataset.yaml").write_text(f"extract_date: {AS_OF}\n")
        try:
            done = run(Request([path], rulebook, AS_OF, with_risks=False, packs=packs))
            found[form] = done.dataset, done.evaluation
        except NothingEvaluated:
            found[form] = open_dataset([path], as_of=AS_OF), None
    return found


@pytest.mark.parametrize("need", NEEDS)
def test_what_a_format_does_not_carry_is_not_evaluated(
    need: str, judged: Mapping[str, tuple[Dataset, Evaluation | None]]
) -> None:
    rule, carried = NEEDS[need]
    found = {form for form, (_, evaluation) in judged.items() if evaluation is not None and rule in evaluation.evaluated}
    assert found == set(carried.split())
    for _, evaluation in judged.values():
        said = [one.needs for one in evaluation.not_evaluated if one.rule == rule] if evaluation is not None else []
        assert all(said), "what is needed is named"


@pytest.mark.parametrize("name", LATEST_IN)
def test_what_a_format_holds_the_latest_of_is_latest_only(
    name: str, judged: Mapping[str, tuple[Dataset, Evaluation | None]]
) -> None:
    holding = {form: dataset.tables[name].history for form, (dataset, _) in judged.items() if dataset.tables[name].present}
    latest = set(LATEST_IN[name].split())
    assert holding == {form: "latest" if form in latest else "full" for form in holding}
    assert latest <= holding.keys()


def rows(dataset: Dataset, sql: str) -> list[tuple[Any, ...]]:
    return dataset.connection.execute(sql).fetchall()


def looked_after(path: Path, dental: str, *, child: str = "C1") -> Path:
    """A workbook with one looked-after child and the day of its last dental check."""
    known = mapping().lists[8].fields
    keys = ("child_id", "date_of_birth", "lac_start_date", "placement_start_date", "placement_type", "dental_check_last_date")
    values = [child, "01/02/2012", "05/01/2022", "05/01/2022", "U4", dental]
    return workbook(path, {"List 8": [[known[each].heading for each in keys], values]})


@pytest.mark.parametrize(("day", "answer", "status"), [("10/01/2024", "0", "due"), ("10/01/2023", "1", "overdue")])
def test_the_latest_event_has_precedence_over_an_answer_for_the_year(tmp_path: Path, day: str, answer: str, status: str) -> None:
    looked_after(tmp_path / "Annex A 2024-03-31.xlsx", day)
    episode = {"CHILD": "C1", "DECOM": "05/01/2022", "RNE": "S", "LS": "C2", "PLACE": "U4"}
    table(tmp_path / "2024_episodes.csv", EPISODES, episode)
    table(tmp_path / "2024_oc2.csv", OC2, {"CHILD": "C1", "DOB": "01/02/2012", "TEETH_CHECK": answer})
    done = run(Request([tmp_path], rulebooks.rulebook().only(["LAC-DENTAL"]), date(2024, 3, 31), with_risks=False))
    sql = "SELECT status FROM duties WHERE person_id = 'C1' ORDER BY trigger_date DESC LIMIT 1"
    assert done.evaluation.connection.execute(sql).fetchall() == [(status,)]


def workforce(path: Path, number: str) -> Path:
    path.write_text(
        message("CSWW", element("CSWWWorker", AgencyWorker="0", SWENo=number, FTE="0.5"), year=2023, day="2023-09-30")
    )
    return path


def test_workers_of_three_formats_share_the_registration_number(tmp_path: Path) -> None:
    (tmp_path / "ssd").mkdir()
    ssd_data.write_csv(
        tmp_path / "ssd", {"ssd_professionals": [{"prof_professional_id": "P7", "prof_social_worker_registration_no": "SW777"}]}
    )
    table(tmp_path / "2023_sw.csv", WORKERS, {"CHILD": "C1", "SW_ID": "sw777", "SW_DECOM": "01/05/2022", "SW_REASON": "MANAGE"})
    paths = [tmp_path / "ssd", tmp_path / "2023_sw.csv", workforce(tmp_path / "w.xml", "SW777")]
    dataset = open_dataset(paths, as_of=date(2023, 9, 30))
    assert rows(dataset, "SELECT count(*), max(registration_number), max(fte) FROM workers") == [(1, "SW777", 0.5)]
    assert rows(dataset, "SELECT worker_id FROM allocations") == rows(dataset, "SELECT worker_id FROM workers")
    assert {(each.ids, each.by_id + each.by_facts) for each in dataset.matches if each.table == "workers"} == {(1, 1)}


def test_a_worker_known_by_name_alone_is_nobody_elses(tmp_path: Path) -> None:
    """Annex A has names only: none is joined to a registration number, and the share that match says so."""
    referral = ["C1", "F", "", "01/02/2015", "", "01/09/2023", "2A", "No", "0", "Team", "Nadia Smith"]
    paths = [workbook(tmp_path / "a.xlsx", {"List 3": [REFERRALS, referral]}), workforce(tmp_path / "w.xml", "SW777")]
    dataset = open_dataset(paths, as_of=date(2023, 9, 30))
    assert rows(dataset, "SELECT worker_id, registration_number FROM workers ORDER BY 1") == [
        ("Nadia Smith", None),
        ("SW777", "SW777"),
    ]
    assert [(each.ids, each.rate) for each in dataset.matches if each.table == "workers"] == [(1, 0.0)]


def test_answers_about_the_last_missing_episode_are_not_those_of_every_one(tmp_path: Path) -> None:
    """The list gives the answers and no day; the return gives each episode with its day."""
    known = mapping().lists[8].fields
    keys = ("child_id", "date_of_birth", "lac_start_date", "placement_start_date", "placement_type", "rhi_offered_last")
    values = ["C1", "01/02/2012", "05/01/2022", "05/01/2022", "U4", "Yes"]
    workbook(tmp_path / "a.xlsx", {"List 8": [[known[each].heading for each in keys], values]})
    given = [
        {"CHILD": "C1", "MISSING": "M", "MIS_START": f"01/0{month}/2023", "MIS_END": f"02/0{month}/2023"} for month in (7, 8)
    ]
    table(tmp_path / "2024_missing.csv", MISSING, *given)
    dataset = open_dataset([tmp_path], as_of=date(2024, 3, 31))
    assert rows(dataset, "SELECT started_at::DATE::VARCHAR, interview_was_offered FROM missing_episodes ORDER BY 1") == [
        ("2023-07-01", None),
        ("2023-08-01", None),
        (None, True),
    ]
