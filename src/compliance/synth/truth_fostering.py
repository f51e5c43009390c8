"""The oracle for the fostering service, written from the regulations of 2011, the standards and the readings."""

from datetime import date

from compliance.synth import dates
from compliance.synth.oracle import Facts, lasts
from compliance.synth.world import Row

Approved = tuple[Row, date, date | None]


def approved(facts: Facts) -> list[Approved]:
    """Return each carer approved in full, with the day of approval and the day it ended (reading 24)."""
    found = []
    for carer in facts.all("foster_carers"):
        days = [
            row["start_date"]
            for row in facts.by("foster_carer_approvals", "carer_id", carer["carer_id"])
            if row["approval_kind"] in ("full", "revised_terms")
        ]
        if days:
            found.append((carer, min(days), carer["approval_end_date"]))
    return found


def supervising_worker(facts: Facts) -> None:
    """Record approved carers without a supervising social worker."""
    for carer, start, end in approved(facts):
        held = [
            row
            for row in facts.by("allocations", "carer_id", carer["carer_id"])
            if row["role"] == "supervising_social_worker" and lasts(row, facts.as_of)
        ]
        if end is None and not held:
            facts.add("FOS-SOCIAL-WORKER", carer["carer_id"], None, start, start, None, "overdue")


def register(facts: Facts) -> None:
    """Record approved carers of whom the register lacks a particular: name, address, birth, sex, approval, terms."""
    for carer, start, end in approved(facts):
        household = facts.one("foster_households", "household_id", carer["household_id"]) or {}
        terms = [
            row
            for row in facts.by("foster_carer_approvals", "carer_id", carer["carer_id"])
            if row["approval_kind"] in ("full", "revised_terms") and lasts(row, facts.as_of)
        ]
        has_terms = any(row[name] is not None for row in terms for name in ("max_children", "min_age", "max_age", "terms"))
        fields = [carer["full_name"], carer["birth_date"], carer["sex"], carer["first_approval_date"], household.get("address")]
        if end is None and (not has_terms or any(value is None for value in fields)):
            facts.add("FOS-REGISTER", carer["carer_id"], None, start, start, None, "overdue")


def _is_experienced(member: Row, day: date) -> bool | None:
    """Return whether a social worker has three years' relevant experience on a day, blank if it is not recorded."""
    if member["is_social_worker"] is not True:
        return False
    since = member["relevant_experience_start_date"]
    return None if since is None else dates.years_after(since, 3) <= day


def central_list(facts: Facts) -> None:
    """Record that the central list lacks a social worker with three years' relevant experience."""
    listed = [
        row
        for row in facts.all("panel_members")
        if row["panel"] == "fostering"
        and row["added_date"] <= facts.as_of
        and (row["removed_date"] is None or row["removed_date"] > facts.as_of)
    ]
    if not any(_is_experienced(row, facts.as_of) for row in listed):
        facts.add("FOS-CENTRAL-LIST", facts.authority, None, facts.as_of, facts.as_of, None, "overdue")


def quorum(facts: Facts) -> None:
    """Record meetings of the fostering panel that lacked a quorum."""
    for meeting in facts.all("panel_meetings"):
        present = facts.by("panel_attendance", "panel_meeting_id", meeting["panel_meeting_id"])
        if meeting["panel"] == "fostering" and present and not _has_quorum(facts, meeting, present):
            day = meeting["meeting_date"]
            facts.add("FOS-PANEL-QUORUM", meeting["panel_meeting_id"], None, day, day, None, "missed")


def _has_quorum(facts: Facts, meeting: Row, present: list[Row]) -> bool:
    """Return whether regulation 24 was met: a chair, an experienced social worker, three others, independence."""
    roles = {row["attended_as"] for row in present}
    members = [
        (row["attended_as"], facts.one("panel_members", "panel_member_id", row["panel_member_id"]) or {}) for row in present
    ]
    leading = "chair" if "chair" in roles else "vice_chair" if "vice_chair" in roles else None
    workers = [
        member
        for role, member in members
        if role not in ("chair", "vice_chair") and _is_experienced(member, meeting["meeting_date"])
    ]
    if leading is None or not workers:
        return False
    others = len(present) - 2
    if others < (4 if meeting["is_joint_panel"] is True else 3):
        return False
    if leading == "chair":
        return True
    return any(member["is_independent"] is True for _, member in members)


def carer_reviews(facts: Facts) -> None:
    """Record reviews of approval more than a year after approval or the last review."""
    for carer, start, end in approved(facts):
        held = [row["review_date"] for row in facts.by("foster_carer_reviews", "carer_id", carer["carer_id"])]
        facts.recurring("FOS-REVIEW", carer["carer_id"], None, start, end, held, lambda last, _: dates.years_after(last, 1))


def unannounced(facts: Facts) -> None:
    """Record gaps of more than a year between unannounced visits."""
    for carer, start, end in approved(facts):
        made = [
            row["visit_date"]
            for row in facts.by("foster_carer_visits", "carer_id", carer["carer_id"])
            if row["visit_kind"] == "supervision" and row["was_unannounced"] is True
        ]
        facts.recurring(
            "FOS-UNANNOUNCED", carer["carer_id"], None, start, end, made, lambda last, _: dates.months_after(last, 12)
        )


def training(facts: Facts) -> None:
    """Record training standards not reached within twelve months, eighteen for a connected person."""
    for carer, start, end in approved(facts):
        months = 18 if carer["carer_kind"] == "connected_person" else 12
        done = [
            row["completed_date"]
            for row in facts.by("checks_and_training", "holder_id", carer["carer_id"])
            if row["holder_kind"] == "foster_carer"
            and row["item_kind"] == "training_support_development_standards"
            and row["completed_date"]
            and row["is_satisfactory"] is not False
        ]
        facts.deadline(
            "FOS-TRAINING-STANDARDS",
            carer["carer_id"],
            None,
            start,
            dates.months_after(start, months),
            min(done, default=None),
            end,
        )


def decisions(facts: Facts) -> None:
    """Record decisions, and notices of them, given late."""
    for row in facts.all("panel_cases"):
        minutes, decided, subject = row["minutes_received_date"], row["decision_date"], row["panel_case_id"]
        if minutes:
            facts.deadline("FOS-DECISION", subject, None, minutes, dates.working_days_after(minutes, 7), decided)
        if decided:
            facts.deadline(
                "FOS-NOTICE-ORAL", subject, None, decided, dates.working_days_after(decided, 2), row["spoken_notice_date"]
            )
            facts.deadline(
                "FOS-NOTICE-WRITTEN", subject, None, decided, dates.working_days_after(decided, 5), row["written_notice_date"]
            )


def papers(facts: Facts) -> None:
    """Record meetings whose papers went out less than five working days before."""
    for row in facts.all("panel_meetings"):
        if row["panel"] == "fostering" and row["papers_issued_date"]:
            due = dates.working_days_before(row["meeting_date"], 5)
            facts.deadline("FOS-PAPERS", row["panel_meeting_id"], None, row["meeting_date"], due, row["papers_issued_date"])


def assessments(facts: Facts) -> None:
    """Record applications without a recommendation in eight months, and refusals at stage 1 told too late."""
    for row in facts.all("foster_carer_applications"):
        applied, subject = row["application_date"], row["application_id"]
        recommended = []
        for case in facts.by("panel_cases", "application_id", subject):
            meeting = facts.one("panel_meetings", "panel_meeting_id", case["panel_meeting_id"])
            if meeting and case["recommendation"] not in (None, "deferred", "full_report_needed"):
                recommended.append(meeting["meeting_date"])
        facts.deadline(
            "FOS-ASSESSMENT",
            subject,
            None,
            applied,
            dates.months_after(applied, 8),
            min(recommended, default=None),
            row["outcome_date"],
        )
        known, told = row["stage_1_completed_date"], row["stage_1_notice_date"]
        if known and told:
            facts.deadline("FOS-STAGE-ONE-NOTICE", subject, None, known, dates.working_days_after(known, 10), told)


def temporary(facts: Facts) -> None:
    """Record temporary approvals that outlasted sixteen weeks, and extensions that outlasted eight (reading 25)."""
    for row in facts.all("foster_carer_approvals"):
        weeks = {"temporary_connected_person": 16, "extension": 8}.get(row["approval_kind"])
        if weeks is None:
            continue
        rule = "FOS-TEMPORARY-16" if weeks == 16 else "FOS-TEMPORARY-EXTENSION"
        start = row["start_date"]
        facts.deadline(rule, row["approval_id"], row["person_id"], start, dates.days_after(start, 7 * weeks), _ended(facts, row))


def _ended(facts: Facts, row: Row) -> date | None:
    """Return the day a temporary approval ended, was extended or was followed by full approval."""
    after = [
        other["start_date"]
        for other in facts.by("foster_carer_approvals", "carer_id", row["carer_id"])
        if other["approval_kind"] in ("full", "extension", "extension_pending_review") and other["start_date"] > row["start_date"]
    ]
    return min([*after, *([row["end_date"]] if row["end_date"] else [])], default=None)


def usual_limit(facts: Facts) -> None:
    """Record households with more than three foster children, brothers and sisters and exemptions excepted."""
    for household in facts.all("foster_households"):
        placed = [row for row in facts.by("placements", "household_id", household["household_id"]) if lasts(row, facts.as_of)]
        families = {facts.children[row["person_id"]]["family_id"] for row in placed}
        if len(placed) <= 3 or (len(families) == 1 and None not in families) or all(_is_exempt(facts, row) for row in placed):
            continue
        fourth = sorted(row["start_date"] for row in placed)[3]
        facts.add("FOS-USUAL-LIMIT", household["household_id"], None, fourth, fourth, None, "overdue")


def _is_exempt(facts: Facts, row: Row) -> bool:
    """Return whether an exemption names a child."""
    return any(
        decision["decision_kind"] == "usual_fostering_limit_exemption" and decision["decision"] == "agreed"
        for decision in facts.by("management_decisions", "person_id", row["person_id"])
    )


RULES = {
    supervising_worker: ["FOS-SOCIAL-WORKER"],
    register: ["FOS-REGISTER"],
    central_list: ["FOS-CENTRAL-LIST"],
    quorum: ["FOS-PANEL-QUORUM"],
    carer_reviews: ["FOS-REVIEW"],
    unannounced: ["FOS-UNANNOUNCED"],
    training: ["FOS-TRAINING-STANDARDS"],
    decisions: ["FOS-DECISION", "FOS-NOTICE-ORAL", "FOS-NOTICE-WRITTEN"],
    papers: ["FOS-PAPERS"],
    assessments: ["FOS-ASSESSMENT", "FOS-STAGE-ONE-NOTICE"],
    temporary: ["FOS-TEMPORARY-16", "FOS-TEMPORARY-EXTENSION"],
    usual_limit: ["FOS-USUAL-LIMIT"],
}
