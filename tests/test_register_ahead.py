"""Work to do, calendars, forecasts, trends and limits, and equality."""

from __future__ import annotations

import csv
import io
import json
import random
from pathlib import Path

import pytest

from compliance.outputs.calendar_file import escaped, folded
from compliance.outputs.sparkline import sparkline
from compliance.register.equality import rate_ratio, wilson
from compliance.register.forecast import parse_demand
from compliance.register.trend import shown_rules, wanted_rules
from compliance.register.xmr import chart
from compliance.rulebook.load import load_rulebook
from conftest import HEREFORDSHIRE, Command
from register_data import council


def test_the_list_says_what_to_do_and_when_it_becomes_a_breach(compliance: Command, tmp_path: Path) -> None:
    data, rules = council(tmp_path)
    text = compliance("worklist", data, "--rules", rules, "--days", "2").stdout
    assert "Work as of 2021-09-30: 2 overdue, 1 due by 2021-10-04 (2 working days)" in text
    assert "overdue, a breach since 2021-08-04" in text
    assert "due 2021-10-01, a breach from 2021-10-02  child C4" in text
    document = json.loads(compliance("worklist", data, "--rules", rules, "--by", "worker", "--format", "json").stdout)
    assert [(one["name"], one["overdue"], len(one["tasks"])) for one in document["groups"]] == [("W1", 1, 1), ("W2", 1, 2)]
    rows = list(
        csv.DictReader(io.StringIO(compliance("worklist", data, "--rules", rules, "--format", "csv").stdout.lstrip("\ufeff")))
    )
    assert [(row["list"], row["child"], row["breach_date"]) for row in rows] == [
        ("North", "C1", "2021-08-04"), ("South", "C2", "2021-08-18"), ("South", "C4", "2021-10-02"),
    ]  # fmt: skip
    assert "1 due" not in compliance("worklist", data, "--rules", rules, "--days", "0").stdout.splitlines()[0].replace(
        "0 due", ""
    )


def test_the_calendar_keeps_to_its_standard_and_names_nobody(compliance: Command, tmp_path: Path) -> None:
    data, rules = council(tmp_path)
    place = tmp_path / "work.ics"
    assert compliance("worklist", data, "--rules", rules, "--ics", place).returncode == 0
    raw = place.read_bytes()
    assert place.stat().st_mode & 0o777 == 0o600
    assert raw.count(b"\n") == raw.count(b"\r\n")
    assert all(len(line) <= 75 for line in raw.split(b"\r\n"))
    text = raw.decode().replace("\r\n ", "")
    assert text.startswith("BEGIN:VCALENDAR\r\nVERSION:2.0\r\nPRODID:")
    assert text.endswith("END:VCALENDAR\r\n")
    assert text.count("BEGIN:VEVENT") == text.count("END:VEVENT") == text.count("\r\nUID:") == text.count("\r\nDTSTAMP:") == 3
    assert "DTSTART;VALUE=DATE:20211001\r\nDTEND;VALUE=DATE:20211002" in text
    assert "Ann" not in text and "North" not in text
    assert compliance("worklist", data, "--rules", rules, "--format", "ics").stdout.replace("\n", "\r\n").encode() == raw


def test_calendar_text_is_escaped_and_folded() -> None:
    assert escaped("a, b; c\\d\ne") == "a\\, b\\; c\\\\d e"
    line = "DESCRIPTION:" + "é" * 100
    assert all(len(piece.encode()) <= 75 for piece in folded(line).split("\r\n"))
    assert folded(line).replace("\r\n ", "") == line


@pytest.mark.parametrize(("text", "factor"), [("+20%", 1.2), ("-5%", 0.95), ("0%", 1.0)])
def test_demand(text: str, factor: float) -> None:
    assert parse_demand(text) == pytest.approx(factor)


def test_the_forecast_adds_up(compliance: Command, tmp_path: Path) -> None:
    data, rules = council(tmp_path)
    head = "referral_id,person_id,referral_date,decision_date,closed_date\n"
    days = [(f"2021-0{month}-{day:02}", month, day) for month in range(4, 10) for day in (5, 12, 19, 26)]
    rows = [f"X{place},C1,{day},2021-0{month}-{number + 1:02}," for place, (day, month, number) in enumerate(days)]
    (data / "referrals.csv").write_text(head + "\n".join([*rows, "R1,C1,2021-08-02,,", "R5,C4,2021-09-30,,"]) + "\n")
    plain = json.loads(compliance("forecast", data, "--rules", rules, "--format", "json").stdout)
    more = json.loads(compliance("forecast", data, "--rules", rules, "--demand", "+20%", "--format", "json").stdout)
    before, after = plain["teams"][-1], more["teams"][-1]
    assert before["team"] == "all teams"
    assert (before["overdue"], before["known"], before["workers_fte"]) == (1, 1, 1.5)
    assert before["capacity_a_week"] == pytest.approx(24 / 26, abs=0.05)
    low, high = before["expected"]["low"], before["expected"]["high"]
    assert low < before["expected"]["value"] < high
    assert after["expected"]["value"] == pytest.approx(1.2 * before["expected"]["value"], rel=0.03)
    assert after["backlog_at_end"]["value"] >= before["backlog_at_end"]["value"]
    assert before["weeks"][0]["from"] == "2021-10-01"
    text = compliance("forecast", data, "--rules", rules, "--demand", "+20%").stdout
    assert "demand +20%" in text and "1.96 standard deviations" in text
    wrong = compliance("forecast", data, "--rules", rules, "--demand", "lots")
    assert wrong.returncode == 2 and "write it as +20%" in wrong.stderr


def test_a_trend_is_judged_month_by_month(compliance: Command, tmp_path: Path) -> None:
    data, rules = council(tmp_path)
    document = json.loads(compliance("trend", data, "--rules", rules, "--months", "4", "--format", "json").stdout)
    share, risk = document["series"]
    assert (share["id"], risk["id"]) == ("T-SHARE", "T-RISK")
    assert [one["day"] for one in risk["points"]] == ["2021-06-30", "2021-07-31", "2021-08-31", "2021-09-30"]
    assert [one["value"] for one in risk["points"]] == [0, 0, 2, 2]
    assert risk["limits"]["provisional"]
    assert [one["value"] for one in share["points"]] == [None] * len(share["points"]), "small numbers: counts only"
    assert share["points"][-1]["denominator"] == 4
    text = compliance("trend", data, "--rules", rules, "--months", "4").stdout
    assert "(provisional)" in text and "1 of 4" in text
    assert "T-RISK" not in compliance("trend", data, "--rules", rules, "--no-risks").stdout
    one = compliance("trend", data, "--rules", rules, "--months", "4", "--rule", "T-RISK", "--format", "json")
    assert [each for each in document["series"] if each["id"] == "T-RISK"] == json.loads(one.stdout)["series"]
    refused = compliance("trend", data, "--rules", rules, "--no-risks", "--rule", "T-RISK")
    assert (refused.returncode, "nothing to show" in refused.stderr) == (2, True)


def test_a_trend_evaluates_what_its_series_rest_on_and_no_more(tmp_path: Path) -> None:
    _, folder = council(tmp_path)
    rulebook = load_rulebook(folder)
    assert wanted_rules(rulebook, ["T-SHARE"]) == {"T-SHARE", "T-ONE"}
    assert wanted_rules(rulebook, ["T-RISK"]) == {"T-RISK", "T-ONE"}
    assert shown_rules(rulebook, (), with_risks=True) == {"T-SHARE", "T-RISK"}
    assert shown_rules(rulebook, ["T-SHARE", "T-RISK"], with_risks=False) == {"T-SHARE"}


def test_a_risk_rests_on_every_rule_that_its_patterns_could_match() -> None:
    rulebook = load_rulebook()
    under = wanted_rules(rulebook, ["ESC-REVIEW-WOULD-FAIL"])
    assert {"ESC-OVERSIGHT-WEAK", "SUPERVISION-MONTHLY-IN-TIME", "WF-SUPERVISION-MONTHLY"} <= under
    everything = {duty.id for duty in rulebook.duties if duty.theme == "child_protection"}
    assert everything <= wanted_rules(rulebook, ["ESC-NQSW-COMPLEX-CASES"])


STEADY = [10.0, 12.0] * 8


@pytest.mark.parametrize(
    ("values", "words"),
    [
        (STEADY, []),
        ([*STEADY, 30.0], ["a point outside the limits"]),
        ([10.0, 12.0] * 4 + [12.5, 12.0] * 4, ["8 or more points in a row"]),
        ([11.0, 5.0, 11.0, 5.0, 6.0, 7.0, 8.0, 9.0, 10.0], ["6 or more points in a row, each higher"]),
        ([10.0, 12.0] * 8 + [15.8, 15.8, 12.0], ["two of three points in a row near the upper limit"]),
    ],
)
def test_the_four_signals(values: list[float], words: list[str]) -> None:
    found = chart(values)
    assert found is not None
    said = [signal.words for signal in found.signals]
    assert all(any(word in one for one in said) for word in words), said
    assert bool(words) == bool(said)


def test_limits_are_the_mean_and_2_66_moving_ranges() -> None:
    found = chart(STEADY)
    assert found is not None
    assert (found.mean, found.provisional) == (11.0, False)
    assert (found.lower, found.upper) == pytest.approx((11 - 5.32, 11 + 5.32))
    few = chart(STEADY[:11])
    assert few is not None and few.provisional
    assert chart([1.0]) is None


def test_sparklines() -> None:
    assert sparkline([0, 1, 2, None, 7]) == "▁▂▃ █"
    assert sparkline([3, 3]) == "▄▄"


def test_intervals_agree_with_published_examples() -> None:
    assert wilson(81, 263) == pytest.approx((0.2553, 0.3662), abs=1e-4)  # Newcombe 1998, table I
    assert wilson(0, 20) == pytest.approx((0.0, 0.1611), abs=1e-4)
    ratio, low, high = rate_ratio(30, 100, 20, 100)
    assert (ratio, low, high) == pytest.approx((1.5, 0.916, 2.456), abs=2e-3)


def test_equality_shows_rates_and_hides_small_numbers(compliance: Command, tmp_path: Path) -> None:
    data, rules = council(tmp_path)
    random.seed(1)
    people, referrals = ["person_id,sex,ethnicity,is_disabled"], ["referral_id,person_id,referral_date,decision_date,closed_date"]
    for place in range(80):
        sex, group = ("F", "M")[place % 2], "WBRI" if place < 70 else "MWBC"
        people.append(f"C{place},{sex},{group},")
        referrals.append(
            f"R{place},C{place},2021-08-02,{'' if place % 4 in (0, 1) or (sex == 'F' and place < 60) else '2021-08-03'},"
        )
    (data / "people.csv").write_text("\n".join(people) + "\n")
    (data / "referrals.csv").write_text("\n".join(referrals) + "\n")
    document = json.loads(compliance("register", data, "--rules", rules, "--equality", "--format", "json").stdout)
    found = {one["characteristic"]: one for one in document["equality"]["characteristics"]}
    sex = found["sex"]["groups"]
    assert [(one["children"], one["breached"], one["is_reference"]) for one in sex] == [(40, 35, True), (40, 20, False)]
    assert sex[1]["ratio"]["value"] == pytest.approx(20 / 35, abs=1e-3)
    assert sex[1]["ratio"]["high"] < 1
    race = found["race"]["groups"]
    assert race[1]["note"] == "not enough data" and race[1]["children"] is None and race[1]["ratio"] is None
    assert found["religion or belief"]["note"] == "not held in the data"
    text = compliance("register", data, "--rules", rules, "--equality").stdout
    assert "not enough data" in text and "clearly lower" in text and "Wilson" in text


@pytest.mark.slow
def test_a_year_of_the_fixture(compliance: Command) -> None:
    result = compliance("trend", HEREFORDSHIRE, "--as-of", "2021-09-30", "--no-risks", "--format", "json", "--timings")
    series = {one["id"]: one for one in json.loads(result.stdout)["series"]}
    assert len(series) > 60
    assert len(series["ASSESSMENTS-45"]["points"]) == 12
    assert not series["ASSESSMENTS-45"]["limits"]["provisional"]
    seconds = float(result.stderr.split("trend ")[1].split()[0])
    assert seconds < 120, "two minutes, on a machine that is doing other things"
