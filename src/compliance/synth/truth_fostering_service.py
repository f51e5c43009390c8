"""The oracle for the fostering service itself: its panel's records, applications, temporary approvals and staff."""

from datetime import date

from compliance.synth import dates
from compliance.synth.oracle import Facts, on_or_after
from compliance.synth.truth_carers import done, followed, relied_on_until, temporary
from compliance.synth.world import Row

INFORMATION = {"FOS-STAGE-ONE-INFORMATION": "schedule_3_part_1", "FOS-STAGE-TWO-INFORMATION": "schedule_3_part_2"}
STAFF_CHECKS = ("identity", "dbs", "references", "qualification", "employment_history")
SECOND_STAGE_FROM = date(2013, 7, 1)  # SI 2013/984 divided the assessment into two stages


def panel(facts: Facts) -> None:
    """Record minutes signed later than ten working days, and members neither inducted in time nor checked before joining."""
    for row in facts.all("panel_meetings"):
        day = row["meeting_date"]
        due = dates.working_days_after(day, 10)
        facts.deadline("FOS-PANEL-MINUTES-IN-TIME", row["panel_meeting_id"], None, day, due, row["minutes_signed_date"])
    for row in facts.all("panel_members"):
        subject, added, removed = row["panel_member_id"], row["added_date"], row["removed_date"]
        inducted = [day for day in done(facts, "panel_member", subject, "induction") if removed is None or day <= removed]
        due = dates.days_after(added, 70)
        facts.deadline("FOS-PANEL-INDUCTION", subject, None, added, due, min(inducted, default=None), removed)
        if removed is None:
            facts.beforehand("FOS-PANEL-CHECKS", subject, None, added, done(facts, "panel_member", subject, "dbs"))


def first_approvals(facts: Facts) -> None:
    """Record carers approved in full before the fostering panel had recommended it."""
    for carer in facts.all("foster_carers"):
        rows = [
            row for row in facts.by("foster_carer_approvals", "carer_id", carer["carer_id"]) if row["approval_kind"] == "full"
        ]
        first = min(rows, key=lambda row: row["start_date"], default=None)
        if first is None or first["start_date"] < date(2011, 4, 1) or dates.is_relaxed(first["start_date"]):
            continue
        day = first["start_date"]
        facts.deadline("FOS-PANEL-BEFORE-APPROVAL", first["approval_id"], None, day, day, _panel_day(facts, first))


def _panel_day(facts: Facts, approval: Row) -> date | None:
    """Return the day of the panel meeting that considered an approval: the case it names, else the carer's own."""
    if approval["panel_case_id"] is not None:
        cases = facts.by("panel_cases", "panel_case_id", approval["panel_case_id"])
    else:
        cases = [
            row
            for row in facts.by("panel_cases", "carer_id", approval["carer_id"])
            if row["case_kind"] in ("approval", "brief_report")
        ]
    met = [facts.one("panel_meetings", "panel_meeting_id", row["panel_meeting_id"]) for row in cases]
    return min((row["meeting_date"] for row in met if row is not None), default=None)


def applications(facts: Facts) -> None:
    """Record reports made before the information of the schedule was held, or by someone not trained to assess."""
    for row in facts.all("foster_carer_applications"):
        reported = row["report_date"]
        if reported is None:
            continue
        if row["report_kind"] != "brief" and reported >= SECOND_STAGE_FROM:
            for rule, item in INFORMATION.items():
                held = on_or_after(done(facts, "foster_carer", row["carer_id"], item), row["application_date"])
                facts.beforehand(rule, row["application_id"], None, reported, held)
        if _is_unfit_assessor(facts, row):
            facts.add("FOS-ASSESSOR", row["application_id"], None, reported, reported, None, "missed")


def _is_unfit_assessor(facts: Facts, row: Row) -> bool:
    """Return whether the known assessor of an applicant was not registered, or not trained by the day of the report."""
    worker = facts.one("workers", "worker_id", row["worker_id"])
    if worker is None:
        return False
    trained = [day for day in done(facts, "worker", worker["worker_id"], "assessor_training") if day <= row["report_date"]]
    return worker["registration_number"] is None or not trained


def temporary_approvals(facts: Facts) -> None:
    """Record what was not done in time for a person approved for a time, and children there when it had run out."""
    for row in temporary(facts):
        subject, person, start = row["approval_id"], row["person_id"], row["start_date"]
        if row["approval_kind"] == "temporary_connected_person":
            begun, ends = row["full_assessment_started_date"], relied_on_until(facts, row)
            begun = begun if begun is None or ends is None or begun <= ends else None
            due = dates.working_days_after(start, 5)
            facts.deadline("FOS-TEMPORARY-FULL-ASSESSMENT", subject, person, start, due, begun, ends)
        else:
            again = row["suitability_assessed_date"]
            facts.deadline("FOS-EXTENSION-RECONSIDERED", subject, person, start, start, again)
        _register(facts, row)
        _run_out(facts, row)


def _register(facts: Facts, row: Row) -> None:
    """Record a temporarily approved person of whom the register lacks a particular."""
    carer = facts.one("foster_carers", "carer_id", row["carer_id"]) or {}
    household = facts.one("foster_households", "household_id", carer.get("household_id")) or {}
    fields = [carer.get("full_name"), household.get("address"), carer.get("birth_date"), carer.get("sex")]
    if any(value is None for value in [*fields, row["person_id"] or row["terms"]]):
        facts.lacking(
            "FOS-REGISTER-CONNECTED", row["approval_id"], row["person_id"], row["start_date"], relied_on_until(facts, row)
        )


def _run_out(facts: Facts, row: Row) -> None:
    """Record the child who was still placed when an approval had run out and nothing had put that right."""
    carer = facts.one("foster_carers", "carer_id", row["carer_id"]) or {}
    runs_out = min(day for day in (row["end_date"], row["expiry_date"]) if day is not None)
    if runs_out > facts.as_of:
        return
    for placement in facts.by("placements", "household_id", carer.get("household_id")):
        left = placement["end_date"]
        if placement["person_id"] != row["person_id"] or placement["start_date"] > runs_out:
            continue
        if left is None or left > row["start_date"]:
            righted = min((day for day in (left, followed(facts, row)) if day is not None), default=None)
            subject = f"{row['approval_id']}:{placement['placement_id']}"
            facts.deadline("FOS-TEMPORARY-EXPIRY", subject, row["person_id"], runs_out, runs_out, righted)


def staff(facts: Facts) -> None:
    """Record fostering workers not inducted, trained or appraised in time, or who began before a check was complete."""
    for row in _staff(facts):
        subject, start, end = row["worker_id"], row["start_date"], row["end_date"]
        for rule, item in (
            ("FOS-STAFF-INDUCTION-COMPLETED", "induction"),
            ("FOS-STAFF-ALLEGATION-TRAINING", "safeguarding_training"),
        ):
            first = min((day for day in done(facts, "worker", subject, item) if end is None or day <= end), default=None)
            facts.deadline(rule, subject, None, start, dates.months_after(start, 6), first, end)
        appraised = [
            session["supervision_date"]
            for session in facts.by("supervisions", "worker_id", subject)
            if session["supervision_kind"] == "appraisal"
        ]
        facts.recurring("FOS-STAFF-APPRAISAL", subject, None, start, end, appraised, lambda last, _: dates.months_after(last, 12))
        for item in STAFF_CHECKS:
            facts.deadline("FOS-WORKER-CHECKS", f"{subject}:{item}", None, start, start, _check_held(facts, subject, item))


def _staff(facts: Facts) -> list[Row]:
    """Return the workers of the fostering service whose start is known."""
    teams = {row["team_id"] for row in facts.all("teams") if row["service"] == "fostering"}
    return [
        row
        for row in facts.all("workers")
        if (row["team_id"] in teams or row["role"] == "supervising_social_worker") and row["start_date"] is not None
    ]


def _check_held(facts: Facts, worker: str, item: str) -> date | None:
    """Return the day on which a check of Schedule 1 was held; of references two are needed."""
    if item != "references":
        return min(done(facts, "worker", worker, item), default=None)
    given = sorted(done(facts, "worker", worker, "personal_reference") + done(facts, "worker", worker, "employer_reference"))
    return given[1] if len(given) > 1 else None


RULES = {
    panel: ["FOS-PANEL-MINUTES-IN-TIME", "FOS-PANEL-INDUCTION", "FOS-PANEL-CHECKS"],
    first_approvals: ["FOS-PANEL-BEFORE-APPROVAL"],
    applications: [*INFORMATION, "FOS-ASSESSOR"],
    temporary_approvals: [
        "FOS-TEMPORARY-FULL-ASSESSMENT",
        "FOS-EXTENSION-RECONSIDERED",
        "FOS-REGISTER-CONNECTED",
        "FOS-TEMPORARY-EXPIRY",
    ],
    staff: ["FOS-STAFF-INDUCTION-COMPLETED", "FOS-STAFF-ALLEGATION-TRAINING", "FOS-STAFF-APPRAISAL", "FOS-WORKER-CHECKS"],
}
