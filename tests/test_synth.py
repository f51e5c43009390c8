"""The made council: the same every time, of the published size, well formed, and true about its breaches."""

from collections import Counter
from datetime import date, datetime
from functools import cache
from pathlib import Path
from random import Random

import duckdb
import pytest
import yaml

from compliance.dataset.schema import load_schema
from compliance.synth import Synthetic, dates, planted, synthesise, write
from compliance.synth.council import load_council
from compliance.synth.oracle import BREACHES, Facts, outcome
from compliance.synth.truth import NOT_COVERED, covered, tell_truth
from compliance.synth.world import Quota, World

AS_OF = date(2021, 9, 30)
YEAR = date(2020, 10, 1)
FIXTURE = Path(__file__).parent.parent / "fixtures" / "herefordshire-2021-09-30"
TRANSCRIBED = {"programme_items", "programme_events", "budget_entries", "boards", "appointments", "documents"}


@cache
def made() -> Synthetic:
    return synthesise("herefordshire-2021", AS_OF, 2021)


def rows(table: str) -> list[dict]:
    return made().tables[table]


def share(part: int, whole: int) -> float:
    return 100 * part / whole


# ---------- the same every time ----------


def test_the_same_seed_writes_the_same_bytes(tmp_path: Path) -> None:
    for folder in ("one", "two"):
        write(synthesise("herefordshire-2021", AS_OF, 7, 0.1), tmp_path / folder)
    first, second = ({file.name: file.read_bytes() for file in (tmp_path / name).iterdir()} for name in ("one", "two"))
    assert first == second


def test_another_seed_makes_another_council() -> None:
    assert synthesise("herefordshire-2021", AS_OF, 1, 0.05).tables != synthesise("herefordshire-2021", AS_OF, 2, 0.05).tables


def test_the_fixture_is_what_seed_2021_writes(tmp_path: Path) -> None:
    write(made(), tmp_path)
    for file in tmp_path.iterdir():
        assert file.read_bytes() == (FIXTURE / file.name).read_bytes(), f"{file.name} is stale: see fixtures/.../README.md"


def test_transcribed_tables_are_never_made() -> None:
    assert not TRANSCRIBED & set(made().tables)


def test_the_fixture_is_small() -> None:
    assert sum(file.stat().st_size for file in FIXTURE.iterdir()) < 6_000_000


# ---------- the published size ----------


def test_need_is_as_published() -> None:
    referrals = rows("referrals")
    this_year = [row for row in referrals if row["referral_date"] >= YEAR]
    assert sum(row["closed_date"] is None for row in referrals) == 1447
    assert len(this_year) == 1080
    assert share(sum(row["previous_referrals_12_months"] > 0 for row in this_year), 1080) == pytest.approx(10.6, abs=1)
    assert sum(row["authorised_date"] is None for row in rows("assessments")) == 69


def test_assessments_and_conferences_are_as_late_as_published() -> None:
    referred = {row["referral_id"]: row["referral_date"] for row in rows("referrals")}
    done = [row for row in rows("assessments") if row["authorised_date"] and row["authorised_date"] >= YEAR]
    in_time = sum(
        row["authorised_date"] <= dates.working_days_after(referred.get(row["referral_id"], row["start_date"]), 45)
        for row in done
    )
    assert share(in_time, len(done)) == pytest.approx(81.9, abs=1)
    started = {row["enquiry_id"]: row["start_date"] for row in rows("section_47_enquiries")}
    held = [row for row in rows("cp_conferences") if row["conference_kind"] == "initial" and row["conference_date"] >= YEAR]
    in_time = sum(row["conference_date"] <= dates.working_days_after(started[row["enquiry_id"]], 15) for row in held)
    assert share(in_time, len(held)) == pytest.approx(80.1, abs=1)


def test_plans_are_as_many_and_as_long_as_published() -> None:
    own = [row for row in rows("cp_plans") if not row["is_other_authority_plan"]]
    opened = [row for row in own if row["end_date"] is None]
    months = [sum(dates.months_after(row["start_date"], number) <= AS_OF for number in (3, 6, 12)) for row in opened]
    assert Counter(months) == {0: 28, 1: 32, 2: 40, 3: 7}
    late = {row.subject_id for row in made().truth if row.rule == "CP-REVIEW-CONFERENCE"}
    settled = [row for row, length in zip(opened, months, strict=True) if length]
    assert share(sum(row["cp_plan_id"] not in late for row in settled), len(settled)) == pytest.approx(81.0, abs=1)
    started = [row for row in own if row["start_date"] >= YEAR]
    assert share(sum(row["previous_plan_count"] > 0 for row in started), len(started)) == pytest.approx(18.8, abs=1)


def test_looked_after_children_are_as_published() -> None:
    current = [row for row in rows("care_periods") if row["end_date"] is None]
    people = {row["person_id"]: row for row in rows("people")}
    ages = [dates.age_on(people[row["person_id"]]["birth_date"], AS_OF) for row in current]
    bands = Counter(0 if age < 1 else 1 if age < 5 else 5 if age < 10 else 10 if age < 16 else 16 for age in ages)
    assert bands == {0: 11, 1: 40, 5: 66, 10: 136, 16: 59}
    assert Counter(people[row["person_id"]]["sex"] for row in current) == {"M": 169, "F": 143}
    ids = {row["person_id"] for row in current}
    placed = [row for row in rows("placements") if row["end_date"] is None and row["person_id"] in ids]
    assert Counter(row["placement_provider"] for row in placed) == {"PR1": 162, "PR4": 123, "PR0": 21, "PR5": 6}
    assert sum(row["placement_type"].startswith("U") for row in placed) == 222
    assert sum(not row["is_in_area"] for row in placed) == 99
    far = sum(not row["is_in_area"] and row["distance_miles"] > 20 for row in placed)
    assert share(far, 312) == pytest.approx(25, abs=1)
    orders = Counter(row["legal_status"] for row in rows("legal_statuses") if row["end_date"] is None)
    assert orders == {"C2": 238, "C1": 32, "E1": 25, "V2": 16, "J1": 1}


def test_a_year_in_care_is_as_published() -> None:
    periods = [row for row in rows("care_periods") if not row["is_short_break_series"]]
    assert sum(row["start_date"] >= YEAR for row in periods) == pytest.approx(84, abs=4)
    assert sum(bool(row["end_date"] and row["end_date"] >= YEAR) for row in periods) == pytest.approx(124, abs=4)
    moves = Counter(row["person_id"] for row in rows("placements") if row["end_date"] is None or row["end_date"] >= YEAR)
    current = [row for row in periods if row["end_date"] is None]
    assert share(sum(moves[row["person_id"]] >= 3 for row in current), len(current)) == pytest.approx(9, abs=1)
    settled = {row["person_id"] for row in current if row["start_date"] < YEAR}
    recent = [row for row in rows("health_checks") if row["check_date"] >= YEAR]
    teeth = {row["person_id"] for row in recent if row["check_kind"] == "dental_check"}
    health = {row["person_id"] for row in recent if row["check_kind"].endswith("health_assessment")}
    assert share(len(settled & health), len(settled)) == pytest.approx(98, abs=1)
    assert share(len(settled & teeth), len(settled)) == pytest.approx(77, abs=1)


def test_care_leavers_are_as_published() -> None:
    people = {row["person_id"]: row for row in rows("people")}
    latest = {row["person_id"]: row for row in sorted(rows("care_leaver_statuses"), key=lambda row: row["status_date"])}
    grown = {person for person in latest if 19 <= dates.age_on(people[person]["birth_date"], AS_OF) <= 21}
    assert len(grown) == 94
    assert share(sum(latest[person]["activity"].startswith("G") for person in grown), 94) == pytest.approx(48, abs=1)
    homes = [row for row in rows("care_leaver_accommodation") if row["end_date"] is None and row["person_id"] in grown]
    assert share(sum(row["is_suitable"] for row in homes), len(homes)) == pytest.approx(89, abs=1)


def test_the_workforce_is_as_published() -> None:
    current = [row for row in rows("workers") if row["end_date"] is None and row["registration_number"]]
    permanent = [row for row in current if not row["is_agency"]]
    assert len(permanent) == 112
    assert sum(row["fte"] for row in permanent) == pytest.approx(103.3)
    assert sum(row["fte"] for row in current if row["is_agency"]) == pytest.approx(49.8)
    covering = [row for row in current if row["is_agency"] and row["post_id"]]
    assert sum(row["fte"] for row in covering) == pytest.approx(20.0)
    assert sum(row["fte"] for row in rows("posts") if row["filled_date"] is None) == pytest.approx(24.3)
    left = [row for row in rows("workers") if row["end_date"] and row["end_date"] >= YEAR and not row["is_agency"]]
    assert sum(row["fte"] for row in left) == pytest.approx(19.4)
    assert sum(row["working_days_lost"] or 0 for row in rows("absences")) == pytest.approx(639)
    held = [row for row in rows("allocations") if row["role"] == "social_worker" and row["end_date"] is None]
    holders = {row["worker_id"] for row in held}
    assert len(held) == 889
    assert sum(row["fte"] for row in current if row["worker_id"] in holders) == pytest.approx(53.2)


# ---------- well formed ----------


def test_every_column_is_in_the_schema_and_holds_what_it_should() -> None:
    schema = load_schema()
    for name, table in made().tables.items():
        columns = {column.name: column for column in schema.tables[name].columns.values()}
        codes = {column.name: set(schema.code_sets[column.code_set]) for column in columns.values() if column.code_set}
        for row in table:
            assert row.keys() <= columns.keys(), name
            for column in columns.values():
                value = row.get(column.name)
                assert value is not None or not column.required, f"{name}.{column.name} is blank"
                assert value is None or column.name not in codes or value in codes[column.name], f"{name}.{column.name} {value}"


def test_ids_are_unique_and_references_match() -> None:
    schema = load_schema()
    tables = made().tables
    for name, table in tables.items():
        key = schema.tables[name].key
        keys = [tuple(row[column] for column in key) for row in table]
        assert len(keys) == len(set(keys)), name
        for column in schema.tables[name].columns.values():
            if column.refers_to and column.refers_to in tables:
                known = {row[schema.tables[column.refers_to].key[0]] for row in tables[column.refers_to]}
                found = {row.get(column.name) for row in table} - {None}
                assert found <= known, f"{name}.{column.name}"


def test_nothing_happened_after_the_as_of_day() -> None:
    schema = load_schema()
    for name, table in made().tables.items():
        for column in schema.tables[name].columns.values():
            if column.is_dated and not column.planned:
                days = [row[column.name] for row in table if row.get(column.name)]
                assert all((day.date() if isinstance(day, datetime) else day) <= AS_OF for day in days), f"{name}.{column.name}"


def test_no_names_are_made() -> None:
    for table in made().tables.values():
        for row in table:
            for column in ("full_name", "guardian_name", "address", "holder_name"):
                assert row.get(column) in (None, "recorded")


def test_periods_end_after_they_start() -> None:
    for name, table in made().tables.items():
        for row in table:
            if row.get("start_date") and row.get("end_date"):
                assert row["start_date"] <= row["end_date"], f"{name} {row}"


# ---------- the truth ----------

# Rules about a state that stands on the day: their clock began with a plan, a home or a post, however long ago.
STANDING = {
    "CIN-LEAD-SOCIAL-WORKER",
    "CL-ACCOMMODATION-RISK",
    "CL-PERSONAL-ADVISER",
    "CP-PLAN-LONG-REVIEWED",
    "CP-PLAN-TWO-YEARS",
    "WF-BENCHMARK-TEAM",
    "WF-SUPERVISOR-STANDARD",
    "WF-UNALLOCATED",
    "WF-WORKER-CHANGES",
}


def test_nearly_every_covered_rule_is_broken_and_none_twice_covered() -> None:
    broken = {row.rule for row in made().truth}
    assert len(covered()) == len(set(covered()))
    assert not set(covered()) & set(NOT_COVERED)
    assert broken <= set(covered())
    met = set(covered()) - broken
    assert "FOS-SOCIAL-WORKER" in met, "paragraph 35: all carers are allocated"
    assert len(met) <= 4


def test_every_breach_is_one() -> None:
    for row in made().truth:
        assert row.status in BREACHES
        if row.status == "late":
            assert row.done_date > row.due_date or (row.rule == "FD-CONTACT-DECISION" and row.done_date == row.due_date)
        if row.status == "overdue" and row.trigger_date != row.due_date:
            assert row.due_date < AS_OF


def test_no_breach_began_before_the_story_does() -> None:
    early = {row.rule for row in made().truth if row.trigger_date < date(2020, 1, 1) and not row.rule.startswith("FOS-")}
    assert early <= STANDING | {"WF-SUPERVISION-CASE"}


def test_planted_cases_are_told_as_they_were_planted() -> None:
    world = World(load_council("herefordshire-2021"), AS_OF, Random(1))
    expected = planted.plant(world)
    truth = tell_truth(dict(world.tables), AS_OF, "E06000019")
    assert expected.breaches and expected.not_breaches
    assert set(expected.breaches) <= set(truth)
    assert not {(row.rule, row.subject_id) for row in truth} & set(expected.not_breaches)


@pytest.mark.parametrize(
    ("done", "ceased", "expected"),
    [
        (date(2021, 9, 1), None, "met"),
        (date(2021, 9, 2), None, "late"),
        (None, date(2021, 9, 1), "lapsed"),
        (None, date(2021, 9, 2), "missed"),
        (None, None, "overdue"),
    ],
)
def test_a_duty_due_on_the_first_of_september(done: date | None, ceased: date | None, expected: str) -> None:
    assert outcome(date(2021, 9, 1), done, ceased, AS_OF) == expected


def test_a_gap_runs_from_the_event_that_happened_and_silence_is_one_breach() -> None:
    facts = Facts({}, AS_OF, "E06000019")
    held = [date(2021, 1, 8), date(2021, 3, 1)]
    facts.recurring("R", "S", None, date(2021, 1, 4), None, held, lambda last, _: dates.days_after(last, 42))
    assert [(row.trigger_date, row.done_date, row.status) for row in facts.breaches] == [
        (date(2021, 1, 8), date(2021, 3, 1), "late"),
        (date(2021, 3, 1), None, "overdue"),
    ]


# ---------- the parts ----------


def test_working_days_step_over_easter_and_the_moved_may_holiday() -> None:
    assert dates.working_days_after(date(2021, 4, 1), 1) == date(2021, 4, 6)
    assert dates.working_days_after(date(2020, 5, 7), 1) == date(2020, 5, 11)
    assert dates.months_after(date(2020, 11, 30), 3) == date(2021, 2, 28)


def test_a_quota_keeps_its_share() -> None:
    quota = Quota(18.1)
    assert sum(quota.take() for _ in range(1000)) == 181


def test_what_is_written_can_be_read(tmp_path: Path) -> None:
    write(made(), tmp_path)
    with duckdb.connect() as connection:
        count = connection.execute(f"SELECT count(*) FROM '{tmp_path / 'looked_after_visits.parquet'}'").fetchone()
    assert count == (len(rows("looked_after_visits")),)
    summary = yaml.safe_load((tmp_path / "truth.yaml").read_text())
    assert sum(summary["covered"].values()) == len(made().truth)
    assert yaml.safe_load((tmp_path / "dataset.yaml").read_text())["extract_date"] == AS_OF


def test_a_larger_council_is_larger_in_proportion() -> None:
    small = synthesise("herefordshire-2021", AS_OF, 5, 0.2)
    assert sum(row["closed_date"] is None for row in small.tables["referrals"]) == pytest.approx(1447 * 0.2, rel=0.02)
