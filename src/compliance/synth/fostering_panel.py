"""The fostering panel: its central list, meetings, attendance, and the cases it considered."""

from dataclasses import dataclass, field
from datetime import date

from compliance.synth import dates
from compliance.synth.world import CLEAN_BEFORE, Row, World

OTHERS = 7


@dataclass
class Panel:
    """Return the panel with its meetings in order of date."""

    meetings: list[Row] = field(default_factory=list)
    members: dict[str, Row] = field(default_factory=dict)


def sit(world: World, first_approval: date) -> Panel:
    """Return the panel since before the first approval: monthly meetings, a few of the two years without a quorum."""
    panel = Panel()
    retired = dates.on_or_before(dates.days_after(world.as_of, -35))
    _central_list(world, panel, retired)
    for day in _earlier_days(world, first_approval):
        panel.meetings.append(_meet(world, day))
        _attend(world, panel, panel.meetings[-1], None)
    day = dates.on_or_after(dates.days_after(world.window, 10))
    number = 0
    while day < dates.days_after(world.as_of, -3):
        meeting = _meet(world, day)
        panel.meetings.append(meeting)
        _attend(world, panel, meeting, _fault(number, day, retired))
        day = dates.on_or_after(dates.months_after(day, 1))
        number += 1
    return panel


def _earlier_days(world: World, first_approval: date) -> list[date]:
    """Return the days of the monthly meetings before the two years, from three months before the first approval."""
    days = []
    day = dates.days_after(world.window, 10)
    while day > dates.days_after(first_approval, -90):
        day = dates.months_after(day, -1)
        days.append(dates.on_or_after(day))
    return sorted(days)


def _central_list(world: World, panel: Panel, retired: date) -> None:
    """Add the central list: when its one experienced social worker left, nobody on it had three years' experience."""
    joined = dates.days_after(world.as_of, -3600)
    young = dates.days_after(world.as_of, -700)
    _member(world, panel, "chair", "chair", True, False, None, joined)
    _member(world, panel, "vice_chair", "vice_chair", False, False, None, joined)
    _member(world, panel, "senior", "social_worker", False, True, date(2008, 5, 6), joined, retired)
    for number in range(2):
        _member(world, panel, f"junior{number}", "social_worker", False, True, young, dates.days_after(young, 60))
    for number in range(OTHERS):
        independent = [True, None, False][min(number, 2)] if number < 3 else False
        _member(
            world,
            panel,
            f"other{number}",
            "independent_member" if number == 0 else "other_member",
            independent,
            False,
            None,
            joined,
        )


def _member(
    world: World,
    panel: Panel,
    name: str,
    role: str,
    independent: bool | None,
    is_worker: bool,
    since: date | None,
    added: date,
    removed: date | None = None,
) -> None:
    """Add a person to the central list."""
    panel.members[name] = world.add(
        "panel_members",
        panel_member_id=world.new_id("PM"),
        panel="fostering",
        full_name="recorded",
        member_role=role,
        is_independent=independent,
        is_social_worker=is_worker,
        relevant_experience_start_date=since,
        added_date=added,
        role_start_date=added if role in ("chair", "vice_chair") else None,
        removed_date=removed,
    )


def _meet(world: World, day: date) -> Row:
    """Return a meeting; papers go out well ahead, or one time in five too late."""
    ahead = world.rng.randint(1, 3) if day >= CLEAN_BEFORE and world.chance(0.2) else world.rng.randint(7, 9)
    return world.add(
        "panel_meetings",
        panel_meeting_id=world.new_id("PN"),
        panel="fostering",
        meeting_date=day,
        is_joint_panel=False,
        papers_issued_date=dates.working_days_before(day, ahead),
        minutes_signed_date=_signed(world, day),
        medical_advice_was_available=True,
        legal_advice_was_available=True,
    )


def _signed(world: World, day: date) -> date | None:
    """Return the day the chair signed the minutes: in ten working days, or since 2020 for one in eight later."""
    late = day >= CLEAN_BEFORE and world.quota("minutes", 12).take()
    signed = dates.working_days_after(day, world.rng.randint(11, 18) if late else world.rng.randint(3, 10))
    return signed if signed <= world.as_of else None


def _fault(number: int, day: date, retired: date) -> str | None:
    """Return what was wrong with a meeting's attendance, if anything."""
    if day >= retired or day < CLEAN_BEFORE or dates.is_relaxed(day):
        return None
    return {4: "few", 13: "few", 15: "dependent", 17: "no chair", 19: "not recorded", 20: "joint"}.get(number)


def _attend(world: World, panel: Panel, meeting: Row, fault: str | None) -> None:
    """Add who attended a meeting."""
    if fault == "not recorded":
        return
    meeting["is_joint_panel"] = fault == "joint"
    others = [f"other{number}" for number in range(OTHERS)]
    present = {
        "few": ["chair", "senior", *others[:2]],
        "dependent": ["vice_chair", "senior", *others[3:6]],
        "no chair": ["senior", *others[:4]],
        "joint": ["chair", "senior", *others[:3]],
    }.get(fault or "", ["chair", "senior", *others[: world.rng.randint(4, 6)]])
    for name in present:
        member = panel.members[name]
        if member["removed_date"] and member["removed_date"] <= meeting["meeting_date"]:
            member = panel.members["junior0"]
        world.add(
            "panel_attendance",
            panel_meeting_id=meeting["panel_meeting_id"],
            panel_member_id=member["panel_member_id"],
            attended_as=member["member_role"],
        )


def approval_case(world: World, panel: Panel, carer: Row, approved: date) -> str | None:
    """Return the panel case on which an approval followed, with its application, where a meeting came before it."""
    waited = world.rng.randint(8, 13) if approved >= CLEAN_BEFORE and world.chance(0.2) else world.rng.randint(1, 7)
    minutes = dates.working_days_before(approved, waited)
    before = [meeting for meeting in panel.meetings if meeting["meeting_date"] < minutes]
    if not before:
        return None
    meeting = before[-1]
    slow = meeting["meeting_date"] >= date(2020, 12, 1) and world.chance(0.2)
    applied = dates.on_or_before(
        dates.days_after(meeting["meeting_date"], -world.rng.randint(260, 330) if slow else -world.rng.randint(110, 235))
    )
    form = application(world, carer["carer_id"], carer["household_id"], carer["carer_kind"], applied)
    form.update(outcome="approved", outcome_date=approved, stage_1_completed_date=dates.days_after(applied, 40))
    form.update(report_kind="full", report_date=dates.working_days_before(meeting["meeting_date"], 15))
    return case(world, meeting, carer["carer_id"], form["application_id"], minutes, approved)["panel_case_id"]  # type: ignore[no-any-return]


def case(world: World, meeting: Row, carer_id: str, application_id: str | None, minutes: date, decided: date) -> Row:
    """Return a case decided after a meeting, with the notices given of it."""
    clean = decided < CLEAN_BEFORE
    spoken = dates.working_days_after(
        decided, world.rng.randint(3, 6) if not clean and world.chance(0.25) else world.rng.randint(1, 2)
    )
    written = dates.working_days_after(
        decided, world.rng.randint(6, 12) if not clean and world.chance(0.2) else world.rng.randint(1, 5)
    )
    return world.add(
        "panel_cases",
        panel_case_id=world.new_id("PC"),
        panel_meeting_id=meeting["panel_meeting_id"],
        carer_id=carer_id,
        application_id=application_id,
        case_kind="approval" if application_id else "first_review",
        applicant_was_invited=True,
        recommendation="suitable",
        reasons_are_recorded=world.pick([True, False, None], [80, 15, 5]),
        minutes_received_date=minutes,
        decision="approved" if application_id else "continues",
        decision_date=decided,
        spoken_notice_date=spoken if spoken <= world.as_of else None,
        written_notice_date=written if written <= world.as_of else None,
    )


def application(world: World, carer_id: str, household_id: str | None, kind: str, applied: date) -> Row:
    """Return an application to foster."""
    return world.add(
        "foster_carer_applications",
        application_id=world.new_id("FA"),
        carer_id=carer_id,
        household_id=household_id,
        applicant_kind=kind,
        enquiry_date=dates.days_after(applied, -30),
        application_date=applied,
        stage_1_completed_date=None,
        stage_1_notice_date=None,
        report_kind=None,
        report_date=None,
        worker_id=None,
        outcome=None,
        outcome_date=None,
    )


def other_applications(world: World, panel: Panel) -> None:
    """Add applications refused at stage 1, withdrawn, or still being assessed, some of those for too long."""
    for number in range(world.council.count(26)):
        if number % 3 == 0:
            _refused(world, number)
        elif number % 3 == 1:
            _withdrawn(world, number)
        else:
            ago = world.rng.randint(260, 330) if number % 4 == 0 else world.rng.randint(20, 230)
            application(world, _applicant(world), None, "mainstream", dates.on_or_before(dates.days_after(world.as_of, -ago)))


def _applicant(world: World) -> str:
    """Return the id of an applicant who is not, or not yet, on the register."""
    return world.new_id("FC")


def _refused(world: World, number: int) -> None:
    """Add an application refused after stage 1, with the notice in ten working days or later."""
    applied = world.working_day(
        date(2020, 10, 1) if world.window < date(2020, 10, 1) else world.window, dates.days_after(world.as_of, -120)
    )
    form = application(world, _applicant(world), None, "mainstream", applied)
    known = dates.on_or_after(dates.days_after(applied, 50))
    told = dates.working_days_after(known, 14 if number % 2 else world.rng.randint(3, 10))
    form.update(stage_1_completed_date=known, stage_1_notice_date=told, outcome="not_approved", outcome_date=told)


def _withdrawn(world: World, number: int) -> None:
    """Add an application withdrawn, mostly before the eight months were up."""
    applied = world.working_day(max(world.window, CLEAN_BEFORE), dates.days_after(world.as_of, -330))
    form = application(world, _applicant(world), None, "mainstream", applied)
    form.update(
        outcome="withdrawn", outcome_date=dates.days_after(applied, 300 if number % 9 == 4 else world.rng.randint(30, 200))
    )
