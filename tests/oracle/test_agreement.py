"""Engine and oracle agree on every duty, status and date, rule by rule."""

from __future__ import annotations

import pytest

from . import (
    law_care_leavers,
    law_child_in_need,
    law_child_protection,
    law_fostering,
    law_front_door,
    law_looked_after,
    law_visits,
    law_workforce,
    strategies,
)
from .agreement import as_settled, as_state, as_told, assert_agreement, explore

LAW = (
    law_front_door.LAW
    | law_child_protection.LAW
    | law_child_in_need.LAW
    | law_looked_after.LAW
    | law_visits.LAW
    | law_care_leavers.LAW
    | law_fostering.LAW
    | law_workforce.LAW
)
SETTLED = {
    "FD-ASSESSMENT-CHILD-SEEN",
    "CP-QUORUM",
    "LAC-VISIT-ALONE",
    "CL-PERSONAL-ADVISER",
    "FOS-PANEL-QUORUM",
    "WF-UNALLOCATED",
}
STATES = {"FOS-USUAL-LIMIT", "WF-CASELOAD", "WF-CASELOAD-NQSW", "WF-SPAN"}
DATA = {
    "FD-REFERRAL-DECISION": strategies.referrals(),
    "FD-REFERRAL-ACKNOWLEDGED": strategies.referrals(),
    "FD-CONTACT-DECISION": strategies.contacts(),
    "FD-STRATEGY-DISCUSSION": strategies.strategy_discussions(),
    "FD-ASSESSMENT-45": strategies.assessments(),
    "FD-ASSESSMENT-CHILD-SEEN": strategies.assessments(),
    "CP-INITIAL-CONFERENCE": strategies.enquiries(),
    "CP-QUORUM": strategies.conferences(),
    "CP-CORE-GROUP-FIRST": strategies.protection_plans(["10 working days", "0 days"]),
    "CP-CORE-GROUP-LATER": strategies.protection_plans(["4 weeks", "0 days"]),
    "CP-REVIEW-CONFERENCE": strategies.protection_plans(["3 months", "6 months", "0 days"]),
    "CP-VISIT": strategies.protection_plans(["10 working days", "0 days"]),
    "CP-PLAN-TWO-YEARS": strategies.protection_plans(["24 months", "0 days"]),
    "CIN-PLAN": strategies.needs(),
    "CIN-FIRST-MEETING": strategies.needs(),
    "CIN-VISIT": strategies.need_plans(),
    "CIN-REVIEW": strategies.need_plans(),
    "LAC-REVIEW": strategies.reviews(),
    "LAC-HEALTH-FIRST": strategies.health(),
    "LAC-HEALTH-REVIEW": strategies.health(),
    "LAC-DENTAL": strategies.health(),
    "LAC-CARE-PLAN": strategies.care_plans(),
    "LAC-PLACEMENT-PLAN": strategies.care_plans(),
    "LAC-IRO-APPOINTED": strategies.care_plans(),
    "LAC-VISIT": strategies.visits(),
    "LAC-VISIT-ALONE": strategies.visits(),
    "CL-NEEDS-ASSESSMENT": strategies.eligible(),
    "CL-PATHWAY-PLAN": strategies.eligible(),
    "CL-PATHWAY-REVIEW": strategies.leavers(),
    "CL-CONTACT": strategies.leavers(),
    "CL-PERSONAL-ADVISER": strategies.leavers(),
    "CL-PATHWAY-REVIEW-ACCOMMODATION": strategies.homes(),
    "CL-ADVISER-VISIT-FIRST": strategies.homes(),
    "CL-ADVISER-VISIT": strategies.homes(),
    "FOS-REVIEW": strategies.carers(),
    "FOS-UNANNOUNCED": strategies.carers(),
    "FOS-TRAINING-STANDARDS": strategies.carers(),
    "FOS-DECISION": strategies.panels(),
    "FOS-NOTICE-ORAL": strategies.panels(),
    "FOS-NOTICE-WRITTEN": strategies.panels(),
    "FOS-PAPERS": strategies.panels(),
    "FOS-STAGE-ONE-NOTICE": strategies.applications(),
    "FOS-TEMPORARY-16": strategies.temporary_approvals(),
    "FOS-TEMPORARY-EXTENSION": strategies.temporary_approvals(),
    "FOS-USUAL-LIMIT": strategies.households(),
    "FOS-PANEL-QUORUM": strategies.panel_meetings(),
    "WF-SUPERVISION-MONTHLY": strategies.supervised(),
    "WF-SUPERVISION-NQSW": strategies.supervised(),
    "WF-SUPERVISION-CASE": strategies.cases(),
    "WF-CASELOAD": strategies.caseloads(),
    "WF-CASELOAD-NQSW": strategies.caseloads(),
    "WF-SPAN": strategies.caseloads(),
    "WF-UNALLOCATED": strategies.open_cases(),
    "IP-REVIEW-6M": strategies.notices(),
}

LEAST = 20
CASES = {
    rule: (LAW[rule], DATA[rule], as_settled if rule in SETTLED else as_state if rule in STATES else as_told) for rule in DATA
}


@pytest.mark.parametrize("rule", CASES)
def test_engine_and_law_agree(rule: str, soak: int | None) -> None:
    law, data, told = CASES[rule]
    explore(lambda dataset: assert_agreement(rule, law, [dataset], told), data, soak, 0.8 / len(CASES), LEAST)
