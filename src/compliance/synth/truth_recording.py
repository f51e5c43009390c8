"""The oracle for what is written down and when: visits, contacts, reasons."""

from compliance.synth import dates
from compliance.synth.oracle import Facts, day_of

VISITS = {
    "cp_visits": "CP-VISIT-RECORDED",
    "cin_visits": "CIN-VISIT-RECORDED",
    "looked_after_visits": "LAC-VISIT-RECORDED",
}


def visits_written_up(facts: Facts) -> None:
    """Record visits written up more than two working days later."""
    for table, rule in VISITS.items():
        for row in facts.all(table):
            day = row["visit_date"]
            done = day_of(row["recorded_at"])
            facts.deadline(rule, row["visit_id"], row["person_id"], day, dates.working_days_after(day, 2), done)


def overrun_reasons(facts: Facts) -> None:
    """Record assessments that took more than 45 working days and do not say why."""
    for row in facts.all("assessments"):
        referral = facts.one("referrals", "referral_id", row["referral_id"])
        if row["overrun_reason"] is not None or (row["referral_id"] and referral is None):
            continue
        start = referral["referral_date"] if referral else row["start_date"]
        due = dates.working_days_after(start, 45)
        facts.deadline(
            "FD-ASSESSMENT-OVERRUN-REASON", row["assessment_id"], row["person_id"], start, due, None, row["authorised_date"]
        )


def contacts_written_up(facts: Facts) -> None:
    """Record contacts with care leavers that nobody has written up."""
    for row in facts.all("care_leaver_contacts"):
        if row["recorded_at"] is None:
            facts.lacking("CL-ADVISER-RECORD", row["contact_id"], row["person_id"], row["contact_date"])


RULES = {
    visits_written_up: list(VISITS.values()),
    overrun_reasons: ["FD-ASSESSMENT-OVERRUN-REASON"],
    contacts_written_up: ["CL-ADVISER-RECORD"],
}
