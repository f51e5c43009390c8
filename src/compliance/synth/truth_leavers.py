"""The oracle for young people leaving care, written from the regulations, the guidance and the readings."""

from datetime import date

from compliance.synth import dates
from compliance.synth.oracle import Facts, lasts
from compliance.synth.world import Row

OWED = ("eligible", "relevant", "former_relevant")


def eligible(facts: Facts) -> dict[str, tuple[date, date | None]]:
    """Return when each eligible child became so, and stopped: 91 days in care from 14, and some at 16 or 17."""
    found: dict[str, tuple[date, date | None]] = {}
    people = {row["person_id"] for row in facts.all("care_periods")}
    for person in sorted(people):
        birth = facts.children[person]["birth_date"]
        day = _first_eligible(facts, person, dates.years_after(birth, 14), dates.years_after(birth, 16))
        if day and day <= facts.as_of and day < dates.years_after(birth, 18):
            found[person] = (day, dates.years_after(birth, 18))
    return found


def _first_eligible(facts: Facts, person: str, fourteen: date, sixteen: date) -> date | None:
    """Return the first day on which a child had 91 days in care since 14 and was in care at 16 or over."""
    days = 0
    periods = sorted(facts.by("care_periods", "person_id", person), key=lambda row: row["start_date"])
    for row in periods:
        if row["is_short_break_series"] is True:
            continue
        start, end = max(row["start_date"], fourteen), min(row["end_date"] or facts.as_of, facts.as_of)
        if end < start:
            continue
        reached = dates.days_after(start, max(0, 90 - days))
        first: date = max(reached, sixteen, start)
        if first <= end:
            return first
        days += (end - start).days + 1
    return None


def first_plans(facts: Facts) -> None:
    """Record needs assessments and first pathway plans later than three months after becoming eligible."""
    for person, (day, _) in eligible(facts).items():
        due = dates.months_after(day, 3)
        done = [
            row["completed_date"]
            for row in facts.by("pathway_needs_assessments", "person_id", person)
            if row["assessment_kind"] == "pathway" and row["completed_date"]
        ]
        facts.deadline("CL-NEEDS-ASSESSMENT", person, person, day, due, min(done, default=None))
        made = [row["plan_date"] for row in facts.by("pathway_plans", "person_id", person)]
        facts.deadline("CL-PATHWAY-PLAN", person, person, day, due, min(made, default=None))


def _spell(facts: Facts, person: str, wanted: tuple[str, ...]) -> tuple[date, date | None] | None:
    """Return from when to when a young person had one of the statuses, before 21."""
    rows = sorted(facts.by("care_leaver_statuses", "person_id", person), key=lambda row: row["status_date"])
    held = [row["status_date"] for row in rows if row["status"] in wanted]
    if not held:
        return None
    twenty_one = dates.years_after(facts.children[person]["birth_date"], 21)
    ended = [row["status_date"] for row in rows if row["status"] not in wanted and row["status_date"] > held[-1]]
    return held[0], min([twenty_one, *ended])


def _with_status(facts: Facts) -> list[str]:
    """Return the young people with any leaving-care status."""
    return sorted({row["person_id"] for row in facts.all("care_leaver_statuses")})


def plan_reviews(facts: Facts) -> None:
    """Record pathway plans not reviewed for more than six months, from the last plan or review (reading 23)."""
    for person in _with_status(facts):
        spell = _spell(facts, person, OWED)
        made = sorted({row["plan_date"] for row in facts.by("pathway_plans", "person_id", person)})
        if spell is None or not made:
            continue
        before = [day for day in made if day <= spell[0]]
        start = before[-1] if before else made[0]
        later = [day for day in made if day > start]
        if spell[1] is None or start < spell[1]:
            facts.recurring(
                "CL-PATHWAY-REVIEW", person, person, start, spell[1], later, lambda last, _: dates.months_after(last, 6)
            )


def homes(facts: Facts) -> None:
    """Record what was not done in time in a home provided by the council: reviews and advisers' visits."""
    for row in facts.all("care_leaver_accommodation"):
        if row["is_provided_by_authority"] is not True:
            continue
        home, person, start, end = row["accommodation_id"], row["person_id"], row["start_date"], row["end_date"]
        stop = min(end or facts.as_of, facts.as_of)
        reviewed = [
            plan["plan_date"]
            for plan in facts.by("pathway_plans", "person_id", person)
            if plan["accommodation_id"] in (None, home) and start <= plan["plan_date"] <= stop
        ]
        facts.deadline(
            "CL-PATHWAY-REVIEW-ACCOMMODATION", home, person, start, dates.days_after(start, 28), min(reviewed, default=None), end
        )
        visits = sorted(
            met["contact_date"]
            for met in facts.by("care_leaver_contacts", "accommodation_id", home)
            if met["contact_kind"] == "visit_at_accommodation" and start <= met["contact_date"] <= stop
        )
        first = visits[0] if visits else None
        facts.deadline("CL-ADVISER-VISIT-FIRST", home, person, start, dates.days_after(start, 7), first, end)
        if first is not None and first != end:
            later = [day for day in visits if day > first]
            facts.recurring("CL-ADVISER-VISIT", home, person, first, end, later, lambda last, _: dates.months_after(last, 2))


def advisers(facts: Facts) -> None:
    """Record young people with nobody appointed as their personal adviser."""
    for person in _with_status(facts):
        rows = sorted(facts.by("care_leaver_statuses", "person_id", person), key=lambda row: row["status_date"])
        latest = rows[-1]["status"]
        since = min(row["status_date"] for row in rows if row["status"] == latest)
        held = [
            row
            for row in facts.by("allocations", "person_id", person)
            if row["role"] == "personal_adviser" and lasts(row, facts.as_of)
        ]
        if latest in OWED and not held:
            facts.add("CL-PERSONAL-ADVISER", person, person, since, since, None, "overdue")


def contact(facts: Facts) -> None:
    """Record gaps of more than eight weeks between contacts to which a relevant young person under 21 responded."""
    for person in _with_status(facts):
        spell = _spell(facts, person, ("relevant", "former_relevant"))
        if spell is not None:
            met = [
                row["contact_date"] for row in facts.by("care_leaver_contacts", "person_id", person) if row["was_two_way"] is True
            ]
            facts.recurring("CL-CONTACT", person, person, spell[0], spell[1], met, lambda last, _: dates.days_after(last, 56))


def lost_touch(facts: Facts) -> None:
    """Record former relevant young people under 21 with whom touch was lost and nobody tried again in four weeks."""
    for person in _with_status(facts):
        spell = _spell(facts, person, ("former_relevant",))
        for row in facts.by("care_leaver_statuses", "person_id", person):
            day = row["status_date"]
            if row["in_touch"] != "not_in_touch" or spell is None or not spell[0] <= day < (spell[1] or date.max):
                continue
            tried = [
                met["contact_date"]
                for met in facts.by("care_leaver_contacts", "person_id", person)
                if day <= met["contact_date"] <= (spell[1] or date.max)
            ]
            due = dates.days_after(day, 28)
            facts.deadline("CL-RE-ESTABLISH", row["status_id"], person, day, due, min(tried, default=None), spell[1])


def authors(facts: Facts) -> None:
    """Record first plans written by a worker who had held the case for less than three months."""
    for row in facts.all("pathway_plans"):
        if row["plan_kind"] != "first_plan" or row["worker_id"] is None:
            continue
        since = _known_since(facts, row)
        if since and dates.months_after(since, 3) > row["plan_date"]:
            facts.add(
                "CL-WORKER-KNOWN", row["pathway_plan_id"], row["person_id"], row["plan_date"], row["plan_date"], None, "missed"
            )


def _known_since(facts: Facts, plan: Row) -> date | None:
    """Return the first day on which the author of a plan was allocated to the young person."""
    days = [
        row["start_date"]
        for row in facts.by("allocations", "person_id", plan["person_id"])
        if row["worker_id"] == plan["worker_id"] and row["start_date"] <= plan["plan_date"]
    ]
    return min(days, default=None)


RULES = {
    first_plans: ["CL-NEEDS-ASSESSMENT", "CL-PATHWAY-PLAN"],
    plan_reviews: ["CL-PATHWAY-REVIEW"],
    homes: ["CL-PATHWAY-REVIEW-ACCOMMODATION", "CL-ADVISER-VISIT-FIRST", "CL-ADVISER-VISIT"],
    advisers: ["CL-PERSONAL-ADVISER"],
    contact: ["CL-CONTACT"],
    lost_touch: ["CL-RE-ESTABLISH"],
    authors: ["CL-WORKER-KNOWN"],
}
