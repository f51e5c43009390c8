"""Where engine and oracle disagreed once, and what the law says of it."""

from __future__ import annotations

import datetime
from datetime import date
from typing import Any

import pytest

from compliance.rulebook.model import Rule

from .agreement import as_told, assert_agreement
from .evaluate import Dataset, Owed, unknown
from .synthetic import Phase, Recurring


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
ASSESSED_LAST_DAY = Dataset(
    day("2021-07-10"),
    {
        "people": [{"person_id": "C1", "birth_date": day("2016-05-25")}],
        "care_periods": [
            {"care_period_id": "M1", "person_id": "C1", "start_date": day("2020-12-01"), "end_date": day("2021-05-29")}
        ],
        "health_checks": [
            {
                "health_check_id": "H1",
                "person_id": "C1",
                "check_date": day("2021-05-29"),
                "check_kind": "review_health_assessment",
                "status": "completed",
                "was_by_doctor": True,
            }
        ],
    },
)
ENDED_BEFORE = Dataset(
    day("2024-07-03"),
    {
        "cin_plans": [{"cin_plan_id": "P1", "person_id": "C1", "start_date": day("2023-04-05"), "end_date": day("2023-04-02")}],
        "cin_visits": [{"visit_id": "V1", "person_id": "C1", "visit_date": day("2023-04-02")}],
    },
)
MATCHED_IN_A_HOME = Dataset(
    day("2016-12-01"),
    {
        "placements": [
            {
                "placement_id": "L1",
                "person_id": "C1",
                "placement_type": "K2",
                "start_date": day("2015-08-31"),
                "long_term_match_date": day("2015-08-31"),
                "reduced_visits_agreed_date": day("2016-08-31"),
            }
        ],
        "looked_after_visits": [
            {"visit_id": "V1", "person_id": "C1", "visit_kind": "statutory", "visit_date": day("2015-08-31")},
            {"visit_id": "V2", "person_id": "C1", "visit_kind": "statutory", "visit_date": day("2016-08-31")},
        ],
    },
)
SIX_WEEKS = [
    Owed("L1", day("2015-08-31"), day("2015-09-07"), day("2015-08-31"), "met"),
    Owed("L1", day("2015-08-31"), day("2015-10-12"), day("2016-08-31"), "late", 324),
    Owed("L1", day("2016-08-31"), day("2016-10-12"), None, "overdue", 50),
]
ORDER_WITHIN_ORDER = Dataset(
    day("2024-06-04"),
    {
        "placements": [
            {
                "placement_id": "L1",
                "person_id": "C1",
                "placement_type": "P1",
                "placement_basis": "parents_after_assessment",
                "start_date": day("2024-02-29"),
            }
        ],
        "legal_statuses": [
            {"legal_status_id": "O1", "person_id": "C1", "legal_status": "C1", "start_date": day("2024-02-26")},
            {
                "legal_status_id": "O2",
                "person_id": "C1",
                "legal_status": "C1",
                "start_date": day("2024-02-29"),
                "end_date": day("2024-03-07"),
            },
        ],
        "looked_after_visits": [
            {"visit_id": "V1", "person_id": "C1", "visit_kind": "statutory", "visit_date": day("2024-03-04")}
        ],
    },
)
WEEKLY = [
    Owed("L1", day("2024-02-29"), day("2024-03-07"), day("2024-03-04"), "met"),
    Owed("L1", day("2024-03-04"), day("2024-03-11"), None, "overdue", 85),
]
BOTH_ON_ONE_DAY = Dataset(
    day("2012-02-29"),
    {
        "section_47_enquiries": [
            {"enquiry_id": "E1", "person_id": "C1", "start_date": day("2012-02-29")},
            {"enquiry_id": "E0", "person_id": "C1", "start_date": day("2012-02-29")},
        ],
        "cp_conferences": [
            {"conference_id": "F1", "person_id": "C1", "conference_kind": "initial", "conference_date": day("2012-02-29")}
        ],
    },
)
TWO_SPELLS = Dataset(
    day("2012-03-03"),
    {
        "people": [{"person_id": "C1", "birth_date": day("1995-03-15")}],
        "care_leaver_statuses": [
            {"person_id": "C1", "status_id": "S1", "status_date": day("2012-02-29"), "status": "eligible"},
            {"person_id": "C1", "status_id": "S2", "status_date": day("2012-03-01"), "status": "qualifying"},
            {"person_id": "C1", "status_id": "S3", "status_date": day("2012-03-02"), "status": "eligible"},
        ],
        "pathway_plans": [
            {"pathway_plan_id": "Q1", "person_id": "C1", "plan_kind": "first_plan", "plan_date": day("2012-02-29")}
        ],
    },
)
EACH_ITS_OWN = [
    Owed("C1", day("2012-02-29"), day("2012-08-29"), day("2012-02-29"), "met"),
    Owed("C1", day("2012-02-29"), day("2012-08-29"), None, "lapsed"),
    Owed("C1", day("2012-02-29"), day("2012-08-29"), None, "due"),
]
FIRST_BY_ID = [
    Owed("E0", day("2012-02-29"), day("2012-03-21"), day("2012-02-29"), "met"),
    unknown("E1", day("2012-02-29")),
]
YEAR_CUT_SHORT = Dataset(
    day("2022-07-29"),
    {
        "workers": [
            {
                "worker_id": "W1",
                "role": "social_worker",
                "start_date": day("2021-12-26"),
                "is_newly_qualified": True,
                "qualified_date": day("2021-11-26"),
                "asye_start_date": day("2021-12-26"),
                "asye_end_date": day("2022-05-26"),
            }
        ],
        "supervisions": [
            {"supervision_id": "U1", "worker_id": "W1", "supervision_kind": "personal", "supervision_date": day("2022-05-31")}
        ],
    },
)
MONTHLY = [
    Owed("W1", day("2022-05-26"), day("2022-06-26"), day("2022-05-31"), "met"),
    Owed("W1", day("2022-05-31"), day("2022-06-30"), None, "overdue", 29),
]
AWAY_FOR_THREE_DAYS = Dataset(
    day("2012-03-05"),
    {
        "cin_plans": [{"cin_plan_id": "P1", "person_id": "C1", "start_date": day("2012-02-29"), "lead_worker_id": "W1"}],
        "absences": [{"absence_id": "A1", "worker_id": "W1", "start_date": day("2012-02-29"), "end_date": day("2012-03-02")}],
    },
)
ON_MONDAY = [Owed("P1", day("2012-02-29"), day("2012-03-05"), None, "due")]
LAPSED = Owed("C1", day("2017-12-20"), day("2018-02-14"), None, "lapsed")
MISSED = Owed("G1", day("2020-12-15"), day("2020-12-08"), None, "missed", 7)
AT_ONCE = [
    Owed("X1", day("2015-01-15"), day("2015-02-26"), day("2015-01-15"), "met"),
    Owed("X1", day("2015-01-15"), day("2015-02-26"), None, "due"),
]


RELAXED_WHILE_AWAY = Dataset(
    day("2020-04-23"),
    {
        "cin_plans": [{"cin_plan_id": "P1", "person_id": "C1", "start_date": day("2020-02-28"), "lead_worker_id": "W1"}],
        "absences": [{"absence_id": "A1", "worker_id": "W1", "start_date": day("2020-02-28")}],
    },
)
BY_THE_END_OF_THE_RELAXATION = [Owed("P1", day("2020-02-28"), day("2020-09-25"), None, "due")]
PAUSED = Recurring((Phase("every", "1 working day"),), pauses=True).rule()
PAUSED_AND_RELAXED = Recurring((Phase("every", "1 day"),), pauses=True, is_relaxed=True).rule()
FROM_EARLIER = Recurring((Phase("every", "6 days"),), earlier=True).rule()


def settled(name: str, rule: str | Rule, data: Dataset, law: list[Owed]) -> Any:
    return pytest.param(rule, data, law, id=name)


@pytest.mark.parametrize(
    ("rule", "data", "law"),
    [
        settled("death", "CL-CONTACT", CONTACTED_BEFORE, [LAPSED]),
        settled("clock", "FD-CONTACT-DECISION", DECIDED_BEFORE, [unknown("K1", day("2013-03-29"))]),
        settled("placed", "LAC-CARE-PLAN", NEVER_PLACED, [unknown("M1")]),
        settled("minutes", "FOS-DECISION", MINUTES_TO_COME, []),
        settled("deferral", "FOS-NOTICE-WRITTEN", DEFERRED, []),
        settled("papers", "FOS-PAPERS", PAPERS_AFTERWARDS, [MISSED]),
        settled("at once", "WF-SUPERVISION-CASE", DISCUSSED_AT_ONCE, AT_ONCE),
        settled("after 21", "CL-PERSONAL-ADVISER", TOO_LATE, [TOO_OLD]),
        settled("last day", "LAC-HEALTH-REVIEW", ASSESSED_LAST_DAY, []),
        settled("home", "LAC-VISIT", MATCHED_IN_A_HOME, SIX_WEEKS),
        settled("orders", "LAC-VISIT", ORDER_WITHIN_ORDER, WEEKLY),
        settled("tie", "CP-INITIAL-CONFERENCE", BOTH_ON_ONE_DAY, FIRST_BY_ID),
        settled("ids", "CL-PATHWAY-REVIEW", TWO_SPELLS, EACH_ITS_OWN),
        settled("short year", "WF-SUPERVISION-MONTHLY", YEAR_CUT_SHORT, MONTHLY),
        settled("pause", PAUSED, AWAY_FOR_THREE_DAYS, ON_MONDAY),
        settled("relaxed", PAUSED_AND_RELAXED, RELAXED_WHILE_AWAY, BY_THE_END_OF_THE_RELAXATION),
        settled("order", FROM_EARLIER, ENDED_BEFORE, [unknown("P1", day("2023-04-05"))]),
    ],
)
def test_the_law_is_followed(rule: str | Rule, data: Dataset, law: list[Owed]) -> None:
    assert_agreement(rule, lambda _: law, [data], as_told)
