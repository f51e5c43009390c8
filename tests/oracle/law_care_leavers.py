"""Care leavers: who is eligible and when, needs assessments, pathway plans, advisers and contact."""

from __future__ import annotations

from datetime import date

from .days import DAY, add, birthday
from .evaluate import LONG_AGO, Dataset, Owed, Row, deadline, judge, names_this, recurring, unknown

LEAVING_CARE = ("eligible", "relevant", "former_relevant")


def _eligible_from(data: Dataset, person: str, birth: date) -> date | None:
    """Reading 21, a day at a time: the first day of care at 16 or 17 by which there have been 91 from 14."""
    care = [row for row in data.rows("care_periods", person_id=person) if row.get("is_short_break_series") is not True]
    day, so_far = birthday(birth, 14), 0
    while day < birthday(birth, 18) and day <= data.as_of:
        if any(row["start_date"] <= day and (row.get("end_date") is None or day <= row["end_date"]) for row in care):
            so_far += 1
            if so_far >= 91 and day >= birthday(birth, 16):
                return day
        day += DAY
    return None


def _days_of_care(data: Dataset, person: str) -> int:
    """All the days of care so far; with fewer than 91 nobody is eligible, whatever their age."""
    days: set[int] = set()
    for row in data.rows("care_periods", person_id=person):
        if row.get("is_short_break_series") is not True:
            days.update(range(row["start_date"].toordinal(), (row.get("end_date") or data.as_of).toordinal() + 1))
    return len(days)


def _leaves(data: Dataset, person: str, birth: date) -> date:
    """The day the duty to an eligible child ends: at 18, or when the last period of care does."""
    care = [row for row in data.rows("care_periods", person_id=person) if row.get("is_short_break_series") is not True]
    eighteenth = birthday(birth, 18)
    if any(row.get("end_date") is None for row in care):
        return eighteenth
    return min(eighteenth, max(row["end_date"] for row in care))


def _within_three_months(data: Dataset, done: dict[str, list[date]]) -> list[Owed]:
    """Something owed to each eligible child within three months of becoming one; done earlier it is met."""
    answers = []
    for person in sorted({row["person_id"] for row in data.rows("care_periods") if row.get("is_short_break_series") is not True}):
        known = data.row("people", person_id=person)
        birth = known.get("birth_date") if known else None
        if birth is None:
            answers += [unknown(person)] if _days_of_care(data, person) >= 91 else []
            continue
        since = _eligible_from(data, person, birth)
        if since is not None:
            first = min(done.get(person, []), default=None)
            ends = _leaves(data, person, birth)
            answers.append(judge(person, since, add(since, "3 months"), first, ends, data.as_of))
    return answers


def needs_assessment(data: Dataset) -> list[Owed]:
    """Regulation 42: the assessment of needs completed."""
    done: dict[str, list[date]] = {}
    for row in data.rows("pathway_needs_assessments", assessment_kind="pathway"):
        if row.get("completed_date") is not None:
            done.setdefault(row["person_id"], []).append(row["completed_date"])
    return _within_three_months(data, done)


def pathway_plan(data: Dataset) -> list[Owed]:
    """Any plan or review on record shows that there is a plan."""
    done: dict[str, list[date]] = {}
    for row in data.rows("pathway_plans"):
        done.setdefault(row["person_id"], []).append(row["plan_date"])
    return _within_three_months(data, done)


def _records(data: Dataset, person: str, birth: date | None) -> list[tuple[date, str]]:
    """The status records in order; whoever is former relevant has been since the 18th birthday (section 23C)."""
    records = []
    for row in data.rows("care_leaver_statuses", person_id=person):
        if row.get("status") is not None:
            since = row["status_date"]
            if row["status"] == "former_relevant" and birth is not None:
                since = min(since, birthday(birth, 18))
            records.append((since, row["status"]))
    return sorted(records)


def _spells(data: Dataset, person: str, birth: date | None, statuses: tuple[str, ...]) -> list[tuple[date, date | None]]:
    """The unbroken times in these statuses, each with the day it ended."""
    spells: list[tuple[date, date | None]] = []
    since = None
    for day, status in _records(data, person, birth):
        if status in statuses:
            since = since or day
        elif since is not None:
            spells.append((since, day))
            since = None
    return [*spells, (since, None)] if since else spells


def _known(data: Dataset) -> list[tuple[str, Row]]:
    """Everyone with a status, and what is known of them."""
    people = sorted({row["person_id"] for row in data.rows("care_leaver_statuses")})
    return [(person, data.row("people", person_id=person) or {}) for person in people]


def _recurring(
    data: Dataset, statuses: tuple[str, ...], events: dict[str, list[date]], length: str, *, not_before: bool = False
) -> list[Owed]:
    """Over each spell, to the 21st birthday or death; the last event before it opens the first gap.

    `not_before`: nothing falls due before the spell's first day.
    """
    answers = []
    for person, known in _known(data):
        birth = known.get("birth_date")
        for since, ended in _spells(data, person, birth, statuses):
            ends = _ended(ended, known)
            if ends is not None and since >= ends:
                continue
            floor = since if not_before else LONG_AGO
            found = recurring(
                person,
                since,
                ends,
                events.get(person, []),
                length,
                data.as_of,
                earlier=True,
                due_day=lambda opened, allowed, floor=floor: max(add(opened, allowed), floor),
            )
            answers += [unknown(person, owed.trigger) for owed in found] if birth is None else found
    return [owed for owed in answers if owed.trigger is None or owed.trigger >= date(2011, 4, 1)]


def _ended(ended: date | None, known: Row) -> date | None:
    """The end of the status, the 21st birthday or death, whichever came first."""
    birth = known.get("birth_date")
    days = (ended, known.get("death_date"), birthday(birth, 21) if birth else None)
    return min((day for day in days if day is not None), default=None)


def pathway_review(data: Dataset) -> list[Owed]:
    """Reading 23: six months from the last plan or review, also one from before the status."""
    events: dict[str, list[date]] = {}
    for row in data.rows("pathway_plans"):
        events.setdefault(row["person_id"], []).append(row["plan_date"])
    return _recurring(data, LEAVING_CARE, events, "6 months")


def contact(data: Dataset) -> list[Owed]:
    """Two-way contact every eight weeks; a blank counts unless it was only an attempt."""
    events: dict[str, list[date]] = {}
    for row in data.rows("care_leaver_contacts"):
        answered = row.get("was_two_way")
        if answered is True or (answered is None and row.get("contact_kind") != "attempt"):
            events.setdefault(row["person_id"], []).append(row["contact_date"])
    return _recurring(data, ("relevant", "former_relevant"), events, "8 weeks", not_before=True)


def _provided(data: Dataset) -> list[Row]:
    return data.rows("care_leaver_accommodation", is_provided_by_authority=True)


def _at(data: Dataset, home: Row) -> list[date]:
    """Visits at that accommodation (reading 22); one that names none counts by young person and date."""
    rows = data.rows("care_leaver_contacts", person_id=home["person_id"], contact_kind="visit_at_accommodation")
    return [row["contact_date"] for row in rows if names_this(row, "accommodation_id", home["accommodation_id"])]


def _first_after(days: list[date], home: Row) -> date | None:
    start = home.get("start_date")
    return min((day for day in days if start is None or day >= start), default=None)


def accommodation_review(data: Dataset) -> list[Owed]:
    """Regulation 7(3): the plan reviewed within 28 days; a first plan is not a review."""
    answers = []
    for home in _provided(data):
        rows = [row for row in data.rows("pathway_plans", person_id=home["person_id"]) if row["plan_kind"] != "first_plan"]
        days = [row["plan_date"] for row in rows if names_this(row, "accommodation_id", home["accommodation_id"])]
        done = _first_after(days, home)
        answers += deadline(home["accommodation_id"], home.get("start_date"), "28 days", done, data.as_of, home.get("end_date"))
    return answers


def adviser_visit_first(data: Dataset) -> list[Owed]:
    """Regulation 8: a visit at that accommodation within seven days."""
    answers = []
    for home in _provided(data):
        done = _first_after(_at(data, home), home)
        answers += deadline(home["accommodation_id"], home.get("start_date"), "7 days", done, data.as_of, home.get("end_date"))
    return answers


def adviser_visit(data: Dataset) -> list[Owed]:
    """Then two months at most from visit to visit, from the first."""
    answers = []
    for home in _provided(data):
        key, start, end = home["accommodation_id"], home.get("start_date"), home.get("end_date")
        answers += recurring(key, start, end, _at(data, home), "2 months", data.as_of, from_first_event=True)
    return answers


def personal_adviser(data: Dataset) -> list[Owed]:
    """A named adviser on the day, for whoever is eligible, relevant or former relevant now, since that status began."""
    answers = []
    for person, known in _known(data):
        records = _records(data, person, known.get("birth_date"))
        if not records or records[-1][1] not in LEAVING_CARE:
            continue
        since, ended = _last_run(records), _ended(None, known)
        advisers = data.rows("allocations", person_id=person, role="personal_adviser")
        if any(_in_force(row, min(data.as_of, ended or data.as_of)) for row in advisers):
            answers.append(Owed(person, since, since, None, "met"))
        elif ended is None or ended > since:
            answers.append(judge(person, since, since, None, ended, data.as_of))
    return answers


def _last_run(records: list[tuple[date, str]]) -> date:
    """The day from which the records say what the last one says."""
    since, status = records[-1]
    for day, said in reversed(records):
        if said != status:
            break
        since = day
    return since


def _in_force(row: Row, day: date) -> bool:
    is_on = row["start_date"] <= day and (row.get("end_date") is None or row["end_date"] >= day)
    return row.get("worker_id") is not None and is_on


LAW = {
    "CL-NEEDS-ASSESSMENT": needs_assessment,
    "CL-PATHWAY-PLAN": pathway_plan,
    "CL-PATHWAY-REVIEW": pathway_review,
    "CL-CONTACT": contact,
    "CL-PATHWAY-REVIEW-ACCOMMODATION": accommodation_review,
    "CL-ADVISER-VISIT-FIRST": adviser_visit_first,
    "CL-ADVISER-VISIT": adviser_visit,
    "CL-PERSONAL-ADVISER": personal_adviser,
}
