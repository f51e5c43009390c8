"""Where engine and oracle disagree and the law is on the oracle's side: each fails until it is mended."""

from __future__ import annotations

import datetime
from datetime import date
from typing import Any

import pytest

from .agreement import as_told, assert_agreement
from .evaluate import Dataset, Owed, unknown


def day(text: str) -> date:
    return date.fromisoformat(text)


CONTACTED_BEFORE = Dataset(
    day("2018-05-28"),
    {
        "people": [{"person_id": "C1", "birth_date": day("1999-12-23"), "death_date": day("2018-03-07")}],
        "care_leaver_statuses": [
            {"person_id": "C1", "status_id": "S1", "status_date": day("2017-12-20"), "status": "relevant"},
            {"person_id": "C1", "status_id": "S2", "status_date": day("2018-01-10"), "status": "none"},
        ],
    },
)
DECIDED_BEFORE = Dataset(
    day("2013-04-01"),
    {
        "contacts": [
            {
                "contact_id": "K1",
                "person_id": "C1",
                "received_at": datetime.datetime(2013, 3, 29, 23, 59),
                "decided_at": datetime.datetime(2013, 3, 29, 9, 1),
            }
        ]
    },
)
NEVER_PLACED = Dataset(
    day("2021-06-01"), {"care_periods": [{"care_period_id": "M1", "person_id": "C1", "start_date": day("2021-01-04")}]}
)
MEETING = {"panel_meeting_id": "G1", "panel": "fostering", "meeting_date": day("2020-12-15")}
CASE = {"panel_case_id": "J1", "panel_meeting_id": "G1", "case_kind": "approval"}
MINUTES_TO_COME = Dataset(
    day("2020-12-20"),
    {
        "panel_meetings": [MEETING],
        "panel_cases": [CASE | {"recommendation": "suitable", "minutes_received_date": day("2020-12-22")}],
    },
)
DEFERRED = Dataset(
    day("2021-03-01"),
    {
        "panel_meetings": [MEETING],
        "panel_cases": [
            CASE | {"decision": "deferred", "decision_date": day("2020-12-18"), "written_notice_date": day("2020-12-21")}
        ],
    },
)
PAPERS_AFTERWARDS = Dataset(day("2021-03-01"), {"panel_meetings": [MEETING | {"papers_issued_date": day("2020-12-29")}]})
DISCUSSED_AT_ONCE = Dataset(
    day("2015-02-11"),
    {
        "allocations": [
            {
                "allocation_id": "X1",
                "person_id": "C1",
                "worker_id": "W1",
                "role": "social_worker",
                "start_date": day("2015-01-15"),
            }
        ],
        "supervisions": [
            {
                "supervision_id": "U1",
                "worker_id": "W1",
                "person_id": "C1",
                "supervision_kind": "case",
                "supervision_date": day("2015-01-15"),
            }
        ],
    },
)
TOO_LATE = Dataset(
    day("2012-03-02"),
    {
        "people": [{"person_id": "C1", "birth_date": day("1991-02-28")}],
        "care_leaver_statuses": [
            {"person_id": "C1", "status_id": "S1", "status_date": day("2012-02-20"), "status": "former_relevant"}
        ],
        "allocations": [
            {
                "allocation_id": "X1",
                "person_id": "C1",
                "role": "personal_adviser",
                "worker_id": "W1",
                "start_date": day("2012-02-29"),
            }
        ],
    },
)
TOO_OLD = Owed("C1", day("2009-02-28"), day("2009-02-28"), None, "missed", 1095)
LAPSED = Owed("C1", day("2017-12-20"), day("2018-02-14"), None, "lapsed")
MISSED = Owed("G1", day("2020-12-15"), day("2020-12-08"), None, "missed", 7)
AT_ONCE = [
    Owed("X1", day("2015-01-15"), day("2015-02-26"), day("2015-01-15"), "met"),
    Owed("X1", day("2015-01-15"), day("2015-02-26"), None, "due"),
]


def disputed(name: str, rule: str, data: Dataset, law: list[Owed], reason: str) -> Any:
    return pytest.param(rule, data, law, id=name, marks=pytest.mark.xfail(strict=True, reason=reason, raises=AssertionError))


def settled(name: str, rule: str, data: Dataset, law: list[Owed]) -> Any:
    return pytest.param(rule, data, law, id=name)


@pytest.mark.parametrize(
    ("rule", "data", "law"),
    [
        disputed("death", "CL-CONTACT", CONTACTED_BEFORE, [LAPSED], "1: a death replaces an earlier end of the status"),
        settled("clock", "FD-CONTACT-DECISION", DECIDED_BEFORE, [unknown("K1", day("2013-03-29"))]),
        disputed("placed", "LAC-CARE-PLAN", NEVER_PLACED, [unknown("M1")], "3: no placement on record is no duty"),
        disputed("minutes", "FOS-DECISION", MINUTES_TO_COME, [], "5: minutes to come are unknown"),
        disputed("deferral", "FOS-NOTICE-WRITTEN", DEFERRED, [], "6: notice of a deferral"),
        settled("papers", "FOS-PAPERS", PAPERS_AFTERWARDS, [MISSED]),
        settled("at once", "WF-SUPERVISION-CASE", DISCUSSED_AT_ONCE, AT_ONCE),
        disputed("after 21", "CL-PERSONAL-ADVISER", TOO_LATE, [TOO_OLD], "9: an adviser after the duty's end"),
    ],
)
def test_the_law_is_followed(rule: str, data: Dataset, law: list[Owed]) -> None:
    assert_agreement(rule, lambda _: law, [data], as_told)
