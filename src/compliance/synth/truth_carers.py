"""The oracle for foster carers and homes: visits, calls, support, training, checks and the children's register."""

from collections.abc import Callable
from datetime import date

from compliance.synth import dates
from compliance.synth.oracle import Facts
from compliance.synth.truth_fostering import approved
from compliance.synth.world import Row

FOSTER = ("U1", "U2", "U3", "U4", "U5", "U6")
SUPPORT = (
    "induction",
    "training_support_development_standards",
    "safeguarding_training",
    "other_training",
    "joint_training_day",
)


def _every(months: int) -> Callable[[date, int], date]:
    """Return how long a gap of some months may be."""
    return lambda last, _: dates.months_after(last, months)


def done(facts: Facts, kind: str, holder: str, item: str) -> list[date]:
    """Return the days on which a check or training of a holder was completed and not found wanting."""
    return [
        row["completed_date"]
        for row in facts.by("checks_and_training", "holder_id", holder)
        if row["holder_kind"] == kind
        and row["item_kind"] == item
        and row["completed_date"] is not None
        and row["is_satisfactory"] is not False
    ]


def trained(facts: Facts, carer: Row, item: str) -> list[date]:
    """Return the days of a carer's training or check, held for the carer or for the whole household."""
    return done(facts, "foster_carer", carer["carer_id"], item) + done(facts, "household", carer["household_id"], item)


def _visits(facts: Facts, carer: str, kinds: tuple[str, ...]) -> list[date]:
    """Return the days of a carer's visits and calls of some kinds."""
    return [row["visit_date"] for row in facts.by("foster_carer_visits", "carer_id", carer) if row["visit_kind"] in kinds]


def supervision_visits(facts: Facts) -> None:
    """Record visits too far apart for a carer's situation: monthly in the first year, then by whether a child is placed."""
    for carer, start, end in approved(facts):
        visits = _visits(facts, carer["carer_id"], ("supervision",))
        for first, last, is_placed in _situations(facts, carer, start, end):
            facts.recurring(
                "FOS-SUPERVISION-VISIT",
                f"{carer['carer_id']}:{first}",
                None,
                first,
                last,
                visits,
                _visit_due(start, is_placed),
                from_earlier=True,
            )


def _visit_due(approval: date, is_placed: bool) -> Callable[[date, int], date]:
    """Return when the next visit is due: in a month, and from the second year in six weeks or, with nobody placed, twelve."""

    def due(last: date, _: int) -> date:
        if last < dates.years_after(approval, 1):
            return dates.months_after(last, 1)
        return dates.days_after(last, 42 if is_placed else 84)

    return due


def _situations(facts: Facts, carer: Row, start: date, end: date | None) -> list[tuple[date, date | None, bool]]:
    """Return the stretches of a carer's approval, each with whether a child was placed: with none, some, or all to 18."""
    placed = facts.by("placements", "household_id", carer["household_id"])
    changes = {start, *(row[name] for row in placed for name in ("start_date", "end_date") if row[name] and row[name] > start)}
    found: list[tuple[date, str]] = []
    for day in sorted(day for day in changes if day <= min(end or facts.as_of, facts.as_of)):
        situation = _situation(placed, day)
        if not found or found[-1][1] != situation:
            found.append((day, situation))
    lasts = [*(dates.days_after(day, -1) for day, _ in found[1:]), end]
    return [(day, last, situation != "none") for (day, situation), last in zip(found, lasts, strict=True)]


def _situation(placed: list[Row], day: date) -> str:
    """Return whether a household has no child on a day, children all meant to stay to 18, or others."""
    here = [row for row in placed if row["start_date"] <= day and (row["end_date"] is None or row["end_date"] > day)]
    if not here:
        return "none"
    return "long term" if all(row["is_intended_to_last_to_18"] is True for row in here) else "placed"


def calls(facts: Facts) -> None:
    """Record fortnights of the first two months in which a new carer heard nothing."""
    for carer, start, end in approved(facts):
        settled = dates.months_after(start, 2)
        ends = end if end is not None and end <= settled else settled if settled <= facts.as_of else None
        heard = [
            row["visit_date"]
            for row in facts.by("foster_carer_visits", "carer_id", carer["carer_id"])
            if row["visit_kind"] != "home_inspection"
        ]
        facts.recurring(
            "FOS-SUPERVISION-CALL", carer["carer_id"], None, start, ends, heard, lambda last, _: dates.days_after(last, 14)
        )


def temporary_visits(facts: Facts) -> None:
    """Record visits to temporarily approved carers more than a month apart."""
    for row in temporary(facts):
        facts.recurring(
            "FOS-SUPERVISION-VISIT-TEMPORARY",
            row["approval_id"],
            row["person_id"],
            row["start_date"],
            relied_on_until(facts, row),
            _visits(facts, row["carer_id"], ("supervision",)),
            _every(1),
            from_earlier=True,
        )


def temporary(facts: Facts) -> list[Row]:
    """Return the approvals of connected persons for a time, extensions among them."""
    return [row for row in facts.all("foster_carer_approvals") if row["approval_kind"] not in ("full", "revised_terms")]


def relied_on_until(facts: Facts, row: Row) -> date | None:
    """Return the last day on which a temporary approval was relied on: ended, followed by another, or the child gone."""
    carer = facts.one("foster_carers", "carer_id", row["carer_id"]) or {}
    ends = [row["end_date"], followed(facts, row), _child_left(facts, row, carer), carer.get("approval_end_date")]
    return min((day for day in ends if day is not None and day >= row["start_date"]), default=None)


def followed(facts: Facts, row: Row) -> date | None:
    """Return the day of the full approval or extension that followed a temporary one."""
    return min(
        (
            other["start_date"]
            for other in facts.by("foster_carer_approvals", "carer_id", row["carer_id"])
            if other["approval_id"] != row["approval_id"]
            and other["approval_kind"] != "temporary_connected_person"
            and other["start_date"] >= row["start_date"]
        ),
        default=None,
    )


def _child_left(facts: Facts, row: Row, carer: Row) -> date | None:
    """Return the day on which the child for whom an approval was given left, if the child has."""
    stays = [
        placement["end_date"]
        for placement in facts.by("placements", "household_id", carer.get("household_id"))
        if row["person_id"] in (None, placement["person_id"])
        and (placement["end_date"] is None or placement["end_date"] >= row["start_date"])
    ]
    return None if None in stays else max(stays, default=None)


def foster_parents(facts: Facts) -> list[tuple[Row, date, date | None]]:
    """Return everyone who fosters, approved in full or for a time, with when that began and ended."""
    in_full = {carer["carer_id"]: (start, end) for carer, start, end in approved(facts)}
    found = []
    for carer in facts.all("foster_carers"):
        rows = [row for row in temporary(facts) if row["carer_id"] == carer["carer_id"]]
        starts = [row["start_date"] for row in rows]
        if carer["carer_id"] in in_full:
            start, end = in_full[carer["carer_id"]]
            found.append((carer, min([start, *starts]), end))
        elif rows:
            ends = [relied_on_until(facts, row) for row in rows]
            known = [day for day in ends if day is not None]
            found.append((carer, min(starts), max(known) if len(known) == len(ends) else None))
    return found


def support(facts: Facts) -> None:
    """Record three months without a visit, a call or training, and carers who have not acknowledged the policies."""
    for carer, start, end in foster_parents(facts):
        given = _visits(facts, carer["carer_id"], ("supervision", "telephone"))
        given += [day for item in SUPPORT for day in trained(facts, carer, item)]
        facts.recurring("FOS-CARER-SUPPORTED", carer["carer_id"], None, start, end, given, _every(3))
        if not trained(facts, carer, "policies_acknowledged"):
            facts.lacking("FOS-POLICIES-ACKNOWLEDGED", carer["carer_id"], None, start, end)


def training(facts: Facts) -> None:
    """Record carers not inducted in three weeks, or not trained on allegations in twelve months."""
    for carer, start, end in approved(facts):
        limits = {
            "FOS-INDUCTION": ("induction", dates.days_after(start, 21)),
            "FOS-ALLEGATION-TRAINING": ("safeguarding_training", dates.months_after(start, 12)),
        }
        for rule, (item, due) in limits.items():
            first = min((day for day in trained(facts, carer, item) if end is None or day <= end), default=None)
            facts.deadline(rule, carer["carer_id"], None, start, due, first, end)


def checks(facts: Facts) -> None:
    """Record medicals and the council's own checks of carers more than three years old."""
    for carer, start, end in approved(facts):
        for rule, item in (("FOS-CHECK-MEDICAL", "medical"), ("FOS-CHECK-AUTHORITY", "local_authority_check")):
            held = done(facts, "foster_carer", carer["carer_id"], item)
            facts.recurring(rule, carer["carer_id"], None, start, end, held, _every(36), from_earlier=True)


def homes(facts: Facts) -> None:
    """Record homes not inspected, not checked for safety each year, or whose pets nobody assessed."""
    for household, start, end in _households(facts):
        subject = household["household_id"]
        safety = done(facts, "household", subject, "home_safety")
        facts.recurring("FOS-HOME-SAFETY", subject, None, start, end, safety, _every(12), from_earlier=True)
        inspected = _inspections(facts, subject, safety)
        facts.recurring("FOS-HOME-INSPECTION", subject, None, start, end, inspected, _every(12))
        if end is None and household["has_pets"] is True and not done(facts, "household", subject, "pet_assessment"):
            facts.lacking("FOS-PETS-ASSESSED", subject, None, start)


def _households(facts: Facts) -> list[tuple[Row, date, date | None]]:
    """Return each household with the first approval of its carers, and the last end where all have ended."""
    found: dict[str, list[tuple[date, date | None]]] = {}
    for carer, start, end in approved(facts):
        found.setdefault(carer["household_id"], []).append((start, end))
    rows = {row["household_id"]: row for row in facts.all("foster_households")}
    return [
        (rows[household], min(start for start, _ in spans), _last([end for _, end in spans]))
        for household, spans in sorted(found.items())
    ]


def _last(ends: list[date | None]) -> date | None:
    """Return the last of some days, none if one of them has not come."""
    known = [day for day in ends if day is not None]
    return max(known) if len(known) == len(ends) else None


def _inspections(facts: Facts, household: str, safety: list[date]) -> list[date]:
    """Return the unannounced inspections of a home, and unannounced visits at which its safety was checked too."""
    return [
        row["visit_date"]
        for carer in facts.by("foster_carers", "household_id", household)
        for row in facts.by("foster_carer_visits", "carer_id", carer["carer_id"])
        if row["was_unannounced"] is True
        and (row["visit_kind"] == "home_inspection" or (row["visit_kind"] == "supervision" and row["visit_date"] in safety))
    ]


def childrens_register(facts: Facts) -> None:
    """Record children placed with carers of whom the register lacks with whom, where from, the legal basis, or where to."""
    for row in facts.all("placements"):
        if row["placement_type"] not in FOSTER:
            continue
        others = [other for other in facts.by("placements", "person_id", row["person_id"]) if other is not row]
        before = [other.get("postcode") for other in others if other["end_date"] == row["start_date"]]
        episodes = facts.by("episodes", "person_id", row["person_id"])
        home = [episode.get("home_postcode") for episode in episodes]
        basis = [episode["legal_status"] for episode in episodes if _covers(episode, row["start_date"])]
        with_whom = [row["household_id"], row.get("postcode")]
        if not any(with_whom) or not any(before + home) or not any(basis):
            facts.lacking("FOS-CHILD-REGISTER", row["placement_id"], row["person_id"], row["start_date"])
        after = [other.get("postcode") for other in others if other["start_date"] == row["end_date"]]
        if row["end_date"] is not None and not any([row.get("destination_postcode"), *after]):
            facts.lacking("FOS-CHILD-REGISTER-LEAVING", row["placement_id"], row["person_id"], row["end_date"])


def _covers(episode: Row, day: date) -> bool:
    """Return whether an episode was in force on a day, its last day included."""
    return episode["start_date"] <= day and (episode["end_date"] is None or episode["end_date"] >= day)


RULES = {
    supervision_visits: ["FOS-SUPERVISION-VISIT"],
    calls: ["FOS-SUPERVISION-CALL"],
    temporary_visits: ["FOS-SUPERVISION-VISIT-TEMPORARY"],
    support: ["FOS-CARER-SUPPORTED", "FOS-POLICIES-ACKNOWLEDGED"],
    training: ["FOS-INDUCTION", "FOS-ALLEGATION-TRAINING"],
    checks: ["FOS-CHECK-MEDICAL", "FOS-CHECK-AUTHORITY"],
    homes: ["FOS-HOME-SAFETY", "FOS-HOME-INSPECTION", "FOS-PETS-ASSESSED"],
    childrens_register: ["FOS-CHILD-REGISTER", "FOS-CHILD-REGISTER-LEAVING"],
}
