"""The measures that stand first wherever few can be shown."""

from __future__ import annotations

INDICATORS = (
    "ASSESSMENTS-45",
    "RE-REFERRALS-12",
    "CONFERENCES-15",
    "CP-REVIEWS-IN-TIME",
    "CP-VISITS-IN-TIME",
    "CIN-VISITS-IN-TIME",
    "LAC-VISITS-IN-TIME",
    "PATHWAY-PLANS-IN-TIME",
    "SUPERVISION-MONTHLY-IN-TIME",
    "CASELOAD-AVERAGE",
    "AGENCY-RATE",
    "AUDITS-GOOD-OR-BETTER",
)
"""What a board and a Director ask for first; where one is missing, another takes its place."""
