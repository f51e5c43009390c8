"""Fostering: approvals, reviews, visits, panels and how many children a home may take."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date, timedelta
from itertools import product

from .days import add, back, birthday, months_on
from .evaluate import Dataset, Owed, Row, deadline, judge, recurring, unknown

FULL = ("full", "revised_terms")


def _approved(data: Dataset) -> Iterator[tuple[Row, date | None, date | None]]:
    """Each carer approved in full, with the day it was given and the day it ended (reading 24)."""
    for carer in data.rows("foster_carers"):
        approvals = data.rows("foster_carer_approvals", carer_id=carer["carer_id"])
        full = [row["start_date"] for row in approvals if row["approval_kind"] in FULL]
        start = min(full, default=None if approvals else carer.get("first_approval_date"))
        if start is None and (approvals or data.is_later("foster_carers", "carer_id", carer["carer_id"], "first_approval_date")):
            continue
        yield carer, start, _approval_end(carer)


def _approval_end(carer: Row) -> date | None:
    """The end recorded, else 28 days after a resignation was received."""
    if carer.get("approval_end_date") is not None or carer.get("resignation_received_date") is None:
        return carer.get("approval_end_date")
    ends: date = carer["resignation_received_date"] + timedelta(days=28)
    return ends


def review(data: Dataset) -> list[Owed]:
    """Regulation 28: a year from full approval, then a year from review to review."""
    answers = []
    for carer, start, end in _approved(data):
        days = [row["review_date"] for row in data.rows("foster_carer_reviews", carer_id=carer["carer_id"])]
        answers += recurring(carer["carer_id"], start, end, days, "1 year", data.as_of)
    return answers


def unannounced(data: Dataset) -> list[Owed]:
    """NMS 21.8: an unannounced visit a year; a blank "unannounced" is not one (reading 5)."""
    answers = []
    for carer, start, end in _approved(data):
        rows = data.rows("foster_carer_visits", carer_id=carer["carer_id"], visit_kind="supervision", was_unannounced=True)
        days = [row["visit_date"] for row in rows]
        found = recurring(carer["carer_id"], start, end, days, "12 months", data.as_of)
        answers += [owed for owed in found if owed.trigger is None or owed.trigger >= date(2011, 4, 1)]
    return answers


def training(data: Dataset) -> list[Owed]:
    """NMS 20.3: 12 months from approval, 18 for family and friends; done before approval counts (reading 26)."""
    answers = []
    for carer, start, end in _approved(data):
        key, kind = carer["carer_id"], "training_support_development_standards"
        rows = data.rows("checks_and_training", holder_kind="foster_carer", holder_id=key, item_kind=kind)
        days = [row["completed_date"] for row in rows if row.get("completed_date") and row.get("is_satisfactory") is not False]
        within = "18 months" if carer["carer_kind"] == "connected_person" else "12 months"
        done = min(days, default=None)
        answers += deadline(key, start, within, done, data.as_of, end, may_come_before=True)
    return answers


def _panel_cases(data: Dataset) -> Iterator[tuple[Row, date | None]]:
    """Each case of the fostering panel, and the day it was decided; a deferral is no decision."""
    for case in data.rows("panel_cases"):
        meeting = data.row("panel_meetings", panel_meeting_id=case["panel_meeting_id"])
        if meeting is not None and meeting["panel"] == "fostering":
            yield case, None if case.get("decision") == "deferred" else case.get("decision_date")


def decision(data: Dataset) -> list[Owed]:
    """NMS 14.9: seven working days from the final minutes, where the panel recommended something."""
    answers = []
    for case, decided in _panel_cases(data):
        if case.get("recommendation") in ("deferred", "full_report_needed", "views_given"):
            continue
        if data.is_later("panel_cases", "panel_case_id", case["panel_case_id"], "minutes_received_date"):
            continue
        answers += deadline(case["panel_case_id"], case.get("minutes_received_date"), "7 working days", decided, data.as_of)
    return answers


def notice_oral(data: Dataset) -> list[Owed]:
    """NMS 14.10: by word of mouth within two working days of the decision."""
    return _notice(data, "spoken_notice_date", "2 working days")


def notice_written(data: Dataset) -> list[Owed]:
    """NMS 14.10: in writing within five working days of the decision."""
    return _notice(data, "written_notice_date", "5 working days")


def _notice(data: Dataset, told: str, within: str) -> list[Owed]:
    answers = []
    for case, decided in _panel_cases(data):
        is_to_come = data.is_later("panel_cases", "panel_case_id", case["panel_case_id"], "decision_date")
        was_told = case.get("spoken_notice_date") is not None or case.get("written_notice_date") is not None
        if is_to_come and not was_told:
            continue
        said = case.get("decision")
        if decided is not None or (said is None and was_told) or said not in (None, "deferred"):
            answers += deadline(case["panel_case_id"], decided, within, case.get(told), data.as_of)
    return answers


def papers(data: Dataset) -> list[Owed]:
    """NMS 14.3: by the fifth working day before the meeting; after the meeting they are of no use."""
    answers = []
    for meeting in data.rows("panel_meetings", panel="fostering"):
        held, issued = meeting["meeting_date"], meeting.get("papers_issued_date")
        due = back(held, "5 working days")
        answers.append(judge(meeting["panel_meeting_id"], held, due, issued, held, data.as_of))
    return answers


def stage_one_notice(data: Dataset) -> list[Owed]:
    """Regulation 26(1B): owed to an applicant told no, or refused with no report begun."""
    answers = []
    for row in data.rows("foster_carer_applications"):
        told, completed = row.get("stage_1_notice_date"), row.get("stage_1_completed_date")
        if data.is_later("foster_carer_applications", "application_id", row["application_id"], "stage_1_completed_date"):
            continue
        refused = row.get("outcome") == "not_approved" and row.get("report_date") is None
        if (told is not None or refused) and (completed is None or completed >= date(2013, 7, 1)):
            answers += deadline(row["application_id"], completed, "10 working days", told, data.as_of)
    return answers


def temporary(data: Dataset) -> list[Owed]:
    """Regulation 24: sixteen weeks, 24 while SI 2020/445 was in force; no expiry ends it (reading 25)."""
    answers = []
    for row in data.rows("foster_carer_approvals", approval_kind="temporary_connected_person"):
        longer = date(2020, 4, 24) <= row["start_date"] <= date(2020, 9, 25)
        answers.append(_lasts(data, row, "24 weeks" if longer else "16 weeks"))
    return answers


def extension(data: Dataset) -> list[Owed]:
    """Regulation 25: eight weeks from the day the extension began."""
    rows = data.rows("foster_carer_approvals", approval_kind="extension")
    return [_lasts(data, row, "8 weeks") for row in rows]


def _lasts(data: Dataset, approval: Row, longest: str) -> Owed:
    key, start = approval["approval_id"], approval["start_date"]
    if approval.get("end_date") is not None and approval["end_date"] < start:
        return unknown(key, start)
    ended = min(_endings(data, approval), default=None)
    return judge(key, start, add(start, longest), ended, None, data.as_of)


def _endings(data: Dataset, approval: Row) -> Iterator[date]:
    """Every day on which the approval may have stopped being relied on."""
    start, carer_id = approval["start_date"], approval["carer_id"]
    carer = data.row("foster_carers", carer_id=carer_id)
    days = [approval.get("end_date"), _approval_end(carer) if carer else None]
    for other in data.rows("foster_carer_approvals", carer_id=carer_id):
        is_extension = other["approval_kind"] in ("extension", "extension_pending_review")
        if other["approval_kind"] in FULL or (is_extension and other["start_date"] > start and _same_child(other, approval)):
            days.append(other["start_date"])
    if carer:
        days.append(_last_left(data, approval, carer["household_id"]))
    yield from (day for day in days if day is not None and day >= start)


def _same_child(one: Row, other: Row) -> bool:
    return one.get("person_id") is None or other.get("person_id") is None or one["person_id"] == other["person_id"]


def _last_left(data: Dataset, approval: Row, household: str) -> date | None:
    """The day the child's last placement in the household ended, if all of them have."""
    rows = data.rows("placements", household_id=household, person_id=approval.get("person_id"))
    ends = [row.get("end_date") for row in rows]
    if not ends or None in ends:
        return None
    return max(end for end in ends if end is not None)


def usual_limit(data: Dataset) -> list[Owed]:
    """Schedule 7: three children under 18 in a home, unless all are siblings or those beyond are exempted by name."""
    answers = []
    for household in sorted({row["household_id"] for row in data.rows("placements") if row.get("household_id")}):
        there = [row for row in data.rows("placements", household_id=household) if _is_there(row, data.as_of)]
        placed = [row for row in there if not _is_grown_up(row, data)]
        families = {(data.row("people", person_id=row["person_id"]) or {}).get("family_id") for row in placed}
        if not placed or (len(families) == 1 and None not in families):
            continue
        counted = {row["person_id"] for row in placed if not _is_exempt(row, data)}
        since = max(row["start_date"] for row in placed)
        beyond = judge(household, since, since, None, None, data.as_of).status if len(families - {None}) > 1 else "unknown"
        status = "met" if len(counted) <= 3 else beyond
        answers.append(Owed(household, None, None, None, status))
    return answers


def _is_there(placement: Row, day: date) -> bool:
    ended = placement.get("end_date")
    is_adoption = placement["placement_type"] in ("A3", "A4", "A5", "A6") or placement.get("placement_basis") == "for_adoption"
    return not is_adoption and (ended is None or ended > day)


def _is_grown_up(placement: Row, data: Dataset) -> bool:
    born = (data.row("people", person_id=placement["person_id"]) or {}).get("birth_date")
    return born is not None and birthday(born, 18) <= data.as_of


def _is_exempt(placement: Row, data: Dataset) -> bool:
    kind = "usual_fostering_limit_exemption"
    for row in data.rows("management_decisions", person_id=placement["person_id"], decision_kind=kind):
        raw = next(
            one for one in data.tables["management_decisions"] if one["management_decision_id"] == row["management_decision_id"]
        )
        in_time = raw.get("expiry_date") is None or raw["expiry_date"] >= data.as_of
        names = row.get("placement_id") in (None, placement["placement_id"])
        if in_time and names and row.get("decision") == "agreed":
            return True
    return False


def quorum(data: Dataset) -> list[Owed]:
    """Regulation 24: every way of filling the blanks makes a quorum, none does, or it cannot be told (reading 27)."""
    answers = []
    for meeting in data.rows("panel_meetings", panel="fostering"):
        day = meeting["meeting_date"]
        if day < date(2011, 4, 1):
            continue
        there = data.rows("panel_attendance", panel_meeting_id=meeting["panel_meeting_id"])
        members = list(_members(data, there, day))
        readings = {_has_quorum(chosen, joint, day) for chosen, joint in _readings(members, meeting)} if there else {True, False}
        status = "unknown" if len(readings) > 1 else "met" if True in readings else "missed"
        answers.append(Owed(meeting["panel_meeting_id"], day, day, None, status))
    return answers


Member = tuple[str, bool, bool]
"""In what role, whether independent, and whether a social worker with three years' experience."""


def _members(data: Dataset, there: list[Row], day: date) -> Iterator[list[Member | None]]:
    """What each of those attending as members may have been, by what is recorded; None: not on the fostering list that day."""
    for row in there:
        role = row["attended_as"]
        if role in ("medical_adviser", "legal_adviser"):
            continue
        member = data.row("panel_members", panel_member_id=row["panel_member_id"])
        if member is None:
            yield [None, *((role, a, b) for a in (True, False) for b in (True, False))]
        elif _is_on_list(member, day):
            yield [(role, a, b) for a in _either(_independent(member, role)) for b in _either(_experienced(member, day))]


def _is_on_list(member: Row, day: date) -> bool:
    removed = member.get("removed_date")
    return member["panel"] == "fostering" and member["added_date"] <= day and (removed is None or removed >= day)


def _independent(member: Row, role: str) -> bool | None:
    """As recorded; where that is blank, a role of independent member says so."""
    said: bool | None = member.get("is_independent")
    return True if said is None and "independent_member" in (member["member_role"], role) else said


def _experienced(member: Row, day: date) -> bool | None:
    """Whether a social worker, by the record or else by the role on the list, of three years' experience."""
    worker, since = member.get("is_social_worker"), member.get("relevant_experience_start_date")
    if worker is None and member["member_role"] == "social_worker":
        worker = True
    if worker is False or (since is not None and months_on(since, 36) > day):
        return False
    return None if since is None or worker is None else True


def _readings(members: list[list[Member | None]], meeting: Row) -> Iterator[tuple[list[Member], bool]]:
    """Every way of filling the blanks."""
    for chosen in product(*members):
        for joint in _either(meeting.get("is_joint_panel")):
            yield [member for member in chosen if member is not None], joint


def _either(value: bool | None) -> tuple[bool, ...]:
    return (True, False) if value is None else (value,)


def _has_quorum(members: list[Member], joint: bool, day: date) -> bool:
    """A chair, a social worker and enough others, nobody in two places, and an independent one where it is asked."""
    wanted = 1 if date(2020, 4, 24) <= day <= date(2020, 9, 25) else 4 if joint else 3
    chair_is_there = any(role == "chair" for role, _, _ in members)
    for i, (role, _, _) in enumerate(members):
        if role not in ("chair", "vice_chair"):
            continue
        for j, worker in enumerate(members):
            others = [member for k, member in enumerate(members) if k not in (i, j)]
            asked = not chair_is_there and not any(r == "vice_chair" and free for r, free, _ in members)
            enough = len(others) >= wanted and (not asked or any(free for _, free, _ in others))
            if j != i and worker[2] and enough:
                return True
    return False


LAW = {
    "FOS-REVIEW": review,
    "FOS-UNANNOUNCED": unannounced,
    "FOS-TRAINING-STANDARDS": training,
    "FOS-DECISION": decision,
    "FOS-NOTICE-ORAL": notice_oral,
    "FOS-NOTICE-WRITTEN": notice_written,
    "FOS-PAPERS": papers,
    "FOS-STAGE-ONE-NOTICE": stage_one_notice,
    "FOS-TEMPORARY-16": temporary,
    "FOS-TEMPORARY-EXTENSION": extension,
    "FOS-USUAL-LIMIT": usual_limit,
    "FOS-PANEL-QUORUM": quorum,
}
