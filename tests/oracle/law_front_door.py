"""The front door: referrals, contacts, assessments and strategy discussions."""

from __future__ import annotations

import datetime
from datetime import date, timedelta

from .evaluate import Dataset, Owed, Row, deadline, holds, unknown


def referral_decision(data: Dataset) -> list[Owed]:
    """Reading 9: closing ends the duty; a decision (or no further action) without a day is unknown."""
    answers = []
    for referral in data.rows("referrals"):
        if referral.get("decision_date") is None and _is_decided(referral, data):
            answers.append(unknown(referral["referral_id"], referral["referral_date"]))
            continue
        answers += deadline(
            referral["referral_id"],
            referral["referral_date"],
            "1 working day",
            referral.get("decision_date"),
            data.as_of,
            referral.get("closed_date"),
        )
    return answers


def _is_decided(referral: Row, data: Dataset) -> bool:
    """Whether a decision is on record that could have been made by now: one dated later is not yet known."""
    raw = next(row for row in data.tables["referrals"] if row["referral_id"] == referral["referral_id"])
    if raw.get("decision_date") is not None:
        return False
    return referral.get("decision") is not None or referral.get("needs_no_further_action") is True


def referral_acknowledged(data: Dataset) -> list[Owed]:
    """The referrer is told within a working day."""
    answers = []
    for referral in data.rows("referrals"):
        told = referral.get("acknowledged_date")
        answers += deadline(referral["referral_id"], referral["referral_date"], "1 working day", told, data.as_of)
    return answers


def contact_decision(data: Dataset) -> list[Owed]:
    """24 hours by the clock where both ends have a time of day, else by the end of the next day."""
    return [_contact(contact, data.as_of) for contact in data.rows("contacts")]


def _contact(contact: Row, as_of: date) -> Owed:
    received, decided = contact["received_at"], contact.get("decided_at")
    key, start, due = contact["contact_id"], received.date(), received.date() + timedelta(days=1)
    if decided is None:
        by_the_clock = _has_time(received)
        is_over = as_of > due or (by_the_clock and as_of == due)
        return Owed(key, start, due, None, "overdue" if is_over else "due", max(0, (as_of - due).days) if is_over else None)
    timed = _has_time(received) and _has_time(decided)
    if decided.date() < start or (timed and decided < received):
        return unknown(key, start)
    late = decided - received > timedelta(hours=24) if timed else decided.date() > due
    return Owed(key, start, due, decided.date(), "late" if late else "met", (decided.date() - due).days if late else None)


def _has_time(moment: datetime.datetime) -> bool:
    return moment.time() != datetime.time(0)


def strategy_discussion(data: Dataset) -> list[Owed]:
    """Judged for the discussions that say when harm was first suspected."""
    answers = []
    for meeting in data.rows("meetings", meeting_kind="strategy_discussion"):
        if meeting.get("concern_date") is not None:
            key, concern, held = meeting["meeting_id"], meeting["concern_date"], meeting["meeting_date"]
            answers += deadline(key, concern, "1 working day", held, data.as_of)
    return answers


def assessment_45(data: Dataset) -> list[Owed]:
    """Reading 8: from the referral, else (a reassessment too) the assessment's own start; a referral not on record is unknown."""
    answers = []
    for assessment in data.rows("assessments"):
        clock = _clock_of(assessment, data)
        if clock is None or clock >= date(2013, 4, 1):
            done = assessment.get("authorised_date")
            answers += deadline(assessment["assessment_id"], clock, "45 working days", done, data.as_of)
    return answers


def _clock_of(assessment: Row, data: Dataset) -> date | None:
    if assessment.get("referral_id") is None or _is_reassessment(assessment, data):
        start: date = assessment["start_date"]
        return start
    referral = data.row("referrals", referral_id=assessment["referral_id"])
    return referral["referral_date"] if referral else None


def _is_reassessment(assessment: Row, data: Dataset) -> bool:
    """Whether an assessment begun earlier on the same referral had been authorised by the day this one started."""
    start = assessment["start_date"]
    for other in data.rows("assessments", referral_id=assessment["referral_id"]):
        done = other.get("authorised_date")
        if other["start_date"] < start and done is not None and done <= start:
            return True
    return False


def assessment_child_seen(data: Dataset) -> list[Owed]:
    """An authorised assessment: the child was seen by then, or was not; a blank says neither."""
    return [
        holds(
            assessment["assessment_id"],
            assessment["authorised_date"],
            assessment.get("child_was_seen"),
            data.as_of,
            settled=True,
        )
        for assessment in data.rows("assessments")
        if assessment.get("authorised_date") is not None
    ]


LAW = {
    "FD-REFERRAL-DECISION": referral_decision,
    "FD-REFERRAL-ACKNOWLEDGED": referral_acknowledged,
    "FD-CONTACT-DECISION": contact_decision,
    "FD-STRATEGY-DISCUSSION": strategy_discussion,
    "FD-ASSESSMENT-45": assessment_45,
    "FD-ASSESSMENT-CHILD-SEEN": assessment_child_seen,
}
