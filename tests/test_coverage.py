"""Data of one stretch of time: silence outside it is never called a breach, and no breach is lost in silence."""

from __future__ import annotations

from datetime import date
from pathlib import Path
from typing import Any

import pytest
from tests import rulebooks
from tests.annex_a_files import CONTACTS, PROTECTION, workbook
from tests.return_files import EPISODES, census, child, element, table
from tests.return_files import REVIEWS as RETURN_REVIEWS
from tests.ssd_data import write_csv as write_ssd

from compliance.dataset.coverage import ALL_TIME, Held, Stretch, common, coverages, falls_short, run
from compliance.dataset.load import open_dataset
from compliance.errors import UsageError
from compliance.rulebook.load import Rulebook
from compliance.run import Request
from compliance.run import run as run_rules
from compliance.sources.convert import convert

YEAR = "from: 2020-04-01, to: 2021-03-31"
REVIEW_YEAR = f"{{looked_after_reviews: {{{YEAR}}}}}"
CARE = "care_period_id,person_id,start_date,end_date\n"
REVIEWS = "review_id,person_id,review_kind,review_date\n"
Duty = tuple[str, str | None, str | None, str]


@pytest.fixture(scope="module")
def rulebook() -> Rulebook:
    """The packaged rulebook."""
    return rulebooks.rulebook()


def held(folder: Path, covers: str = "", **tables: str) -> Path:
    """A folder of canonical tables, some of them of one stretch of time."""
    for name, text in tables.items():
        (folder / f"{name}.csv").write_text(text)
    (folder / "dataset.yaml").write_text(f"covers: {covers}\n" if covers else "authority: {code: E1}\n")
    return folder


def duties(rulebook: Rulebook, folder: Path, rule: str, as_of: date) -> list[tuple[Any, ...]]:
    """The duties of one rule: status, trigger or gap start, due day and remark."""
    done = run_rules(Request([folder], rulebook.only(frozenset({rule})), as_of, with_risks=False))
    return done.evaluation.connection.execute(
        "SELECT status, trigger_date::VARCHAR, due_date::VARCHAR, note FROM duties ORDER BY trigger_date, due_date"
    ).fetchall()


def reviewed(*days: str) -> str:
    return REVIEWS + "".join(f"R{n},C1,looked_after,{day}\n" for n, day in enumerate(days))


def statuses(found: list[tuple[Any, ...]]) -> list[tuple[str, str]]:
    return [(status, trigger) for status, trigger, _, _ in found]


EARLIER = "the data start on 2020-04-01: there may have been one before"
TOO_LONG = "the data start on 2020-04-01: counted from the day before, by the longest interval allowed"


@pytest.mark.parametrize(
    ("days", "expected"),
    [
        (["2020-07-06", "2021-01-06"], [("unknown", "2018-01-08"), ("unknown", "2020-07-06"), ("due", "2021-01-06")]),
        (["2020-07-06", "2020-10-06"], [("unknown", "2018-01-08"), ("met", "2020-07-06"), ("due", "2020-10-06")]),
        (["2020-07-06", "2021-01-07"], [("unknown", "2018-01-08"), ("late", "2020-07-06"), ("due", "2021-01-07")]),
        (["2020-07-06"], [("unknown", "2018-01-08"), ("overdue", "2020-07-06")]),
        (["2020-09-30"], [("unknown", "2018-01-08"), ("overdue", "2020-09-30")]),
        (["2020-10-01"], [("late", "2018-01-08"), ("unknown", "2020-10-01")]),
        ([], [("overdue", "2018-01-08")]),
        (["2018-01-20"], [("met", "2018-01-08"), ("overdue", "2018-01-20")]),
    ],
    ids=[
        "in time unless it was the second",
        "in time even for a second",
        "late for any",
        "silent since",
        "within the longest interval",
        "a day past it",
        "none at all",
        "one known from before",
    ],
)
def test_a_gap_that_began_before_the_data(rulebook: Rulebook, tmp_path: Path, days: list[str], expected: list[Any]) -> None:
    """Six months from the eve of the data is 30 September 2020: only a longer silence is a breach, whenever it began.

    A second review is due within three months of the first, a later one within six; the first one known may be either.
    """
    folder = held(tmp_path, REVIEW_YEAR, care_periods=CARE + "L1,C1,2018-01-08,\n", looked_after_reviews=reviewed(*days))
    assert statuses(duties(rulebook, folder, "LAC-REVIEW", date(2021, 3, 31))) == expected


def test_the_reason_is_in_words(rulebook: Rulebook, tmp_path: Path) -> None:
    folder = held(tmp_path, REVIEW_YEAR, care_periods=CARE + "L1,C1,2018-01-08,\n", looked_after_reviews=reviewed("2020-07-06"))
    first = duties(rulebook, folder, "LAC-REVIEW", date(2020, 12, 31))[0]
    assert (first[0], first[3]) == ("unknown", EARLIER)


def test_a_silence_too_long_whenever_it_began_is_counted_from_the_eve(rulebook: Rulebook, tmp_path: Path) -> None:
    folder = held(tmp_path, REVIEW_YEAR, care_periods=CARE + "L1,C1,2018-01-08,\n", looked_after_reviews=REVIEWS)
    assert duties(rulebook, folder, "LAC-REVIEW", date(2021, 3, 31)) == [("overdue", "2018-01-08", "2020-09-30", TOO_LONG)]


@pytest.mark.parametrize(
    ("ended", "expected"),
    [("2020-09-30", "unknown"), ("2020-10-01", "missed")],
)
def test_a_span_that_ended(rulebook: Rulebook, tmp_path: Path, ended: str, expected: str) -> None:
    folder = held(tmp_path, REVIEW_YEAR, care_periods=CARE + f"L1,C1,2018-01-08,{ended}\n", looked_after_reviews=REVIEWS)
    assert [each[0] for each in duties(rulebook, folder, "LAC-REVIEW", date(2021, 3, 31))] == [expected]


def test_a_span_within_the_data_is_judged_in_full(rulebook: Rulebook, tmp_path: Path) -> None:
    care = CARE + "L1,C1,2020-06-01,\n"
    folder = held(tmp_path, REVIEW_YEAR, care_periods=care, looked_after_reviews=reviewed("2020-12-01"))
    found = duties(rulebook, folder, "LAC-REVIEW", date(2021, 3, 31))
    assert statuses(found) == [("late", "2020-06-01"), ("overdue", "2020-12-01")]


def test_without_bounds_nothing_changes(rulebook: Rulebook, tmp_path: Path) -> None:
    folder = held(tmp_path, care_periods=CARE + "L1,C1,2018-01-08,\n", looked_after_reviews=reviewed("2020-07-06"))
    found = duties(rulebook, folder, "LAC-REVIEW", date(2020, 12, 31))
    assert statuses(found) == [("late", "2018-01-08"), ("overdue", "2020-07-06")]


SINCE = "the data end on 2021-03-31: what came since is not known"


@pytest.mark.parametrize(
    ("last", "as_of", "expected", "remark"),
    [
        ("2021-01-06", date(2021, 9, 30), "unknown", "the data end on 2021-03-31: it may have been done since"),
        ("2020-09-30", date(2021, 9, 30), "overdue", SINCE),
        ("2020-10-01", date(2021, 9, 30), "unknown", "the data end on 2021-03-31: it may have been done since"),
        ("2021-01-06", date(2021, 5, 31), "due", SINCE),
        ("2021-01-06", date(2021, 3, 31), "due", ""),
    ],
    ids=["due after the end", "due on the last day", "due a day later", "not due yet", "judged on the last day"],
)
def test_what_came_after_the_data_is_not_known(
    rulebook: Rulebook, tmp_path: Path, last: str, as_of: date, expected: str, remark: str
) -> None:
    care = CARE + "L1,C1,2020-06-01,\n"
    folder = held(tmp_path, REVIEW_YEAR, care_periods=care, looked_after_reviews=reviewed("2020-06-20", "2020-09-20", last))
    status, _, _, note = duties(rulebook, folder, "LAC-REVIEW", as_of)[-1]
    assert (status, note or "") == (expected, remark)


ENQUIRIES = "enquiry_id,person_id,start_date,conference_is_not_required\n"
CONFERENCES = "conference_id,person_id,conference_kind,enquiry_id,conference_date\n"


@pytest.mark.parametrize(
    ("started", "held_on", "expected"),
    [
        ("2020-03-31", None, "unknown"),
        ("2020-03-31", "2020-05-01", "late"),
        ("2020-03-31", "2020-04-06", "met"),
        ("2020-04-01", None, "overdue"),
    ],
    ids=["silence, begun before", "seen to be late", "seen in time", "silence, begun on the first day"],
)
def test_a_deadline_whose_clock_began_before_the_data(
    rulebook: Rulebook, tmp_path: Path, started: str, held_on: str | None, expected: str
) -> None:
    conferences = CONFERENCES + (f"I1,C1,initial,E1,{held_on}\n" if held_on else "")
    folder = held(
        tmp_path,
        f"{{cp_conferences: {{{YEAR}}}}}",
        section_47_enquiries=ENQUIRIES + f"E1,C1,{started},no\n",
        cp_conferences=conferences,
    )
    assert [each[0] for each in duties(rulebook, folder, "CP-INITIAL-CONFERENCE", date(2020, 12, 31))] == [expected]


REFERRALS = "referral_id,person_id,referral_date\nR1,C1,2019-01-07\nR2,C2,2020-04-01\n"
ASSESSMENTS = "assessment_id,person_id,referral_id,start_date,authorised_date\n"
FIRST_ASSESSMENT = "A1,C1,R1,2019-01-07,2019-02-04\n"


@pytest.mark.parametrize(
    ("covers", "assessment", "expected"),
    [
        (YEAR, "A2,C1,R1,2020-09-01,2020-10-01\n", "unknown"),
        (YEAR, "A2,C1,R1,2019-01-07,2019-02-04\n", "met"),
        (YEAR, "A2,C2,R2,2020-09-01,2020-10-01\n", "late"),
        ("from: 2019-01-01", FIRST_ASSESSMENT + "A2,C1,R1,2020-09-01,2020-10-01\n", "met"),
        ("from: 2019-01-01", "A2,C1,R1,2020-09-01,2020-10-01\n", "late"),
    ],
    ids=["the first may have come before", "met all the same", "referred in the year", "the first is held", "there was no other"],
)
def test_an_assessment_may_be_a_reassessment_where_the_first_lies_before_the_data(
    rulebook: Rulebook, tmp_path: Path, covers: str, assessment: str, expected: str
) -> None:
    folder = held(tmp_path, f"{{assessments: {{{covers}}}}}", referrals=REFERRALS, assessments=ASSESSMENTS + assessment)
    found = duties(rulebook, folder, "FD-ASSESSMENT-45", date(2021, 3, 31))
    assert found[-1][0] == expected


PLACEMENTS = "placement_id,person_id,start_date,end_date,placement_type,change_reason\n"


@pytest.mark.parametrize(("covers", "expected"), [(REVIEW_YEAR, "unknown"), ("", "overdue")])
def test_what_must_come_first_may_have_come_before_the_data(
    rulebook: Rulebook, tmp_path: Path, covers: str, expected: str
) -> None:
    folder = held(
        tmp_path,
        covers,
        care_periods=CARE + "L1,C1,2019-01-08,\n",
        placements=PLACEMENTS + "P1,C1,2019-01-08,2020-07-01,U6,LAREQ\nP2,C1,2020-07-01,,U6,\n",
        looked_after_reviews="review_id,person_id,review_kind,review_date,review_reason\n",
    )
    found = duties(rulebook, folder, "LAC-ENDING-REVIEWED", date(2021, 3, 31))
    assert [each[0] for each in found] == [expected]


ALLOCATIONS = "allocation_id,person_id,worker_id,role,start_date,end_date\n"
THREE = ALLOCATIONS + (
    "A1,C1,W1,social_worker,2020-05-01,2020-08-01\nA2,C1,W2,social_worker,2020-08-01,2020-12-01\n"
    "A3,C1,W3,social_worker,2020-12-01,\n"
)
TWO = THREE.replace("W3", "W2")


@pytest.mark.parametrize(
    ("first", "allocations", "expected"),
    [
        ("2020-10-01", TWO, "unknown"),
        ("2020-10-01", THREE, "overdue"),
        ("2020-04-01", TWO, "met"),
    ],
    ids=["half of the year is not counted", "too many already", "the year is covered"],
)
def test_a_limit_counts_only_what_the_data_cover(
    rulebook: Rulebook, tmp_path: Path, first: str, allocations: str, expected: str
) -> None:
    folder = held(
        tmp_path,
        f"{{allocations: {{from: {first}, to: 2021-03-31}}}}",
        care_periods=CARE + "L1,C1,2019-01-08,\n",
        allocations=allocations,
    )
    assert [each[0] for each in duties(rulebook, folder, "WF-WORKER-CHANGES", date(2021, 3, 31))] == [expected]


@pytest.mark.parametrize(
    ("covers", "reason"),
    [
        ("{from: 2020-04-01, to: 2021-03-31}", None),
        ("{from: 2020-04-02}", "missing_episodes covers from 2020-04-02, and this is of 2020-04-01 to 2021-03-31"),
        ("{to: 2021-03-30}", "missing_episodes covers to 2021-03-30, and this is of 2020-04-01 to 2021-03-31"),
    ],
)
def test_a_measure_of_a_year_needs_the_year(rulebook: Rulebook, tmp_path: Path, covers: str, reason: str | None) -> None:
    folder = held(
        tmp_path,
        f"{{missing_episodes: {covers}}}",
        care_periods=CARE + "L1,C1,2019-01-08,\n",
        missing_episodes="missing_episode_id,person_id,missing_kind,started_at\nM1,C1,missing,2020-06-01\n",
        looked_after_reviews=REVIEWS,
    )
    (measure,) = [
        rule.id for rule in rulebook.of_kind("measure") if getattr(rule.body, "of", "") == "looked_after_in_the_year"
    ]
    request = Request([folder], rulebook.only(frozenset({measure, "LAC-REVIEW"})), date(2021, 3, 31), with_risks=False)
    done = run_rules(request).evaluation
    assert {each.rule: each.reason for each in done.not_evaluated}.get(measure) == reason
    assert (measure in done.evaluated) == (reason is None)


def test_years_that_follow_one_another_are_one_stretch() -> None:
    years = [Stretch(date(year, 4, 1), date(year + 1, 3, 31)) for year in (2018, 2020, 2019)]
    assert run(years) == Stretch(date(2018, 4, 1), date(2021, 3, 31))
    assert run([years[0], years[1]]) == Stretch(date(2020, 4, 1), date(2021, 3, 31))
    assert run([ALL_TIME, years[0]]) == ALL_TIME


def test_two_formats_cover_what_both_do() -> None:
    one, two = Stretch(date(2020, 4, 1), date(2021, 3, 31)), Stretch(date(2020, 10, 1), date(2021, 9, 30))
    assert common([one, two]) == Stretch(date(2020, 10, 1), date(2021, 3, 31))
    assert common([one, ALL_TIME]) == one


def test_each_council_has_its_own() -> None:
    year = Stretch(date(2020, 4, 1), date(2021, 3, 31))
    found = coverages([Held("referrals", "cin_census", "E1", year), Held("referrals", "ssd", "E2", ALL_TIME)], ["E1", "E2"])
    assert [(each.table, each.authority, each.stretch) for each in found] == [("referrals", "E1", year)]
    assert falls_short(found, ["referrals"], date(2020, 1, 1), date(2021, 3, 31)) is not None
    assert falls_short(found, ["assessments"], date(2020, 1, 1), date(2021, 3, 31)) is None


@pytest.mark.parametrize(
    ("text", "message", "help"),
    [
        ("covers: {reviews: {from: 2020-04-01}}", "covers.reviews: there is no such table", None),
        ("covers: {referrals: {form: 2020-04-01}}", "covers.referrals.form: there is no such key", "the nearest is from"),
        ("covers: {referrals: {from: 2021-04-01, to: 2020-04-01}}", "to is before from", None),
    ],
)
def test_settings_that_are_wrong_are_refused(tmp_path: Path, text: str, message: str, help: str | None) -> None:
    (tmp_path / "people.csv").write_text("person_id\nC1\n")
    (tmp_path / "dataset.yaml").write_text(text)
    with pytest.raises(UsageError, match=message) as refused:
        open_dataset([tmp_path])
    assert help is None or help in (refused.value.help or "")


def stretches(folder: Path, as_of: date | None = None) -> dict[str, str]:
    """The stretch of time of each table that has bounds."""
    return {each.table: each.stretch.words() for each in open_dataset([folder], as_of=as_of).coverage}


EPISODE = {"CHILD": "C1", "DECOM": "01/05/2018", "RNE": "S", "LS": "C2", "PLACE": "U6", "PLACE_PROVIDER": "PR1"}
REVIEW = {"CHILD": "C1", "REVIEW": "20/05/2020", "REVIEW_CODE": "PN1"}


@pytest.mark.parametrize(
    ("years", "as_of", "expected"),
    [
        (["2020-21"], date(2021, 9, 30), "2020-04-01 to 2021-03-31"),
        (["2020-21"], date(2020, 9, 30), "2020-04-01 to 2020-09-30"),
        (["2019-20", "2020-21"], date(2021, 3, 31), "2019-04-01 to 2021-03-31"),
        (["2018-19", "2020-21"], date(2021, 3, 31), "2020-04-01 to 2021-03-31"),
    ],
    ids=["a year", "a year to date", "two years", "a hole between"],
)
def test_a_looked_after_return_covers_its_years(tmp_path: Path, years: list[str], as_of: date, expected: str) -> None:
    for year in years:
        table(tmp_path / f"SSDA903_{year}_episodes.csv", EPISODES, EPISODE)
        table(tmp_path / f"SSDA903_{year}_reviews.csv", RETURN_REVIEWS, REVIEW)
    found = stretches(tmp_path, as_of)
    assert {"people", "workers"}.isdisjoint(found)
    assert {found[each] for each in ("episodes", "care_periods", "placements", "looked_after_reviews")} == {expected}


@pytest.mark.parametrize(
    ("day", "taken", "expected"),
    [
        ("2021-03-31", None, "2020-04-01 to 2021-03-31"),
        ("2021-03-31", "2021-02-10T10:00:00", "2020-04-01 to 2021-02-10"),
        ("2020-10-01", None, "2020-04-01 to 2020-10-01"),
    ],
)
def test_a_census_covers_its_year_as_far_as_it_was_taken(tmp_path: Path, day: str, taken: str | None, expected: str) -> None:
    text = census(child("C1", element("CINdetails", CINreferralDate="2020-05-01", ReferralSource="1A")), year=2021, day=day)
    source = element("Source", DateTime=taken) if taken else ""
    (tmp_path / "census.xml").write_text(text.replace("</Header>", f"{source}</Header>"))
    found = stretches(tmp_path)
    assert found["referrals"] == found["assessments"] == expected
    assert "people" not in found


def test_annex_a_covers_the_months_that_each_list_looks_back(tmp_path: Path) -> None:
    contact = ["C1", "M", "WBRI", "01/02/2015", "", "05/01/2024", "1A"]
    protection = ["C1", "M", "", "01/01/2015", "", "No", "01/03/2023", "Neglect", "Neglect", "05/01/2024", "a) Yes"]
    workbook(tmp_path / "a.xlsx", {"List 1": [CONTACTS, contact], "List 7": [PROTECTION, protection]})
    assert stretches(tmp_path, date(2024, 3, 31)) == {"contacts": "from 2023-09-30"}


def test_the_safeguarding_dataset_covers_six_years(tmp_path: Path) -> None:
    write_ssd(tmp_path / "ssd")
    found = stretches(tmp_path / "ssd", date(2021, 3, 31))
    assert found["cp_visits"] == found["placements"] == "from 2015-03-31"
    assert {"people", "workers", "teams", "care_leaver_statuses"}.isdisjoint(found)


def test_what_a_table_covers_is_kept_when_it_is_converted(tmp_path: Path) -> None:
    folder = held(tmp_path, REVIEW_YEAR, care_periods=CARE + "L1,C1,2018-01-08,\n", looked_after_reviews=reviewed("2020-07-06"))
    for form in ("csv", "parquet", "x.xlsx", "x.duckdb", "x.sqlite"):
        convert(open_dataset([folder]), tmp_path / form, "parquet" if form == "parquet" else None)
        assert stretches(tmp_path / form) == {"looked_after_reviews": "2020-04-01 to 2021-03-31"}


def test_a_whole_history_of_everyone_lifts_the_bounds_of_a_return(tmp_path: Path) -> None:
    (tmp_path / "return").mkdir()
    table(tmp_path / "return" / "SSDA903_2020-21_reviews.csv", RETURN_REVIEWS, REVIEW)
    (tmp_path / "tables").mkdir()
    tables = held(tmp_path / "tables", people="person_id\nC1\n", looked_after_reviews=reviewed("2019-07-06", "2020-05-20"))
    as_of = date(2021, 3, 31)
    both = open_dataset([tmp_path / "return", tables], as_of=as_of)
    assert both.coverage == ()
    assert both.tables["looked_after_reviews"].loaded == 2
    (tables / "looked_after_reviews.csv").write_text(reviewed("2019-07-06").replace("C1", "C2"))
    alone = open_dataset([tmp_path / "return", tables], as_of=as_of)
    assert [each.stretch.words() for each in alone.coverage] == ["2020-04-01 to 2021-03-31"]
