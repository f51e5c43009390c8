"""A made council written out in every format that councils have, as far as each format carries it; nobody in it is real."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from datetime import date, datetime
from pathlib import Path
from typing import Any

from tests.annex_a_files import workbook
from tests.return_files import (
    EPISODES,
    HEADER,
    MISSING,
    REVIEWS,
    WORKERS,
    british,
    by,
    census,
    element,
    message,
    write_csv,
)

from compliance.calendar import Duration, subtract
from compliance.sources import annex_a as annex_a_reader
from compliance.sources.ssd_mapping import mapping as ssd_mapping

Row = Mapping[str, Any]
Tables = Mapping[str, Sequence[Row]]
HEALTH = ("initial_health_assessment", "review_health_assessment", "health_assessment")


def day_of(value: Any) -> date | None:
    """The day of a date or time."""
    return value.date() if isinstance(value, datetime) else value


def is_in(value: Any, first: date, last: date) -> bool:
    """Whether a day lies in a stretch."""
    day = day_of(value)
    return day is not None and first <= day <= last


def overlaps(row: Row, first: date, last: date, start: str = "start_date", end: str = "end_date") -> bool:
    """Whether a row's days and a stretch have a day in common."""
    begun, ended = day_of(row.get(start)), day_of(row.get(end))
    return begun is not None and begun <= last and (ended is None or ended >= first)


def known(value: Any, last: date) -> Any:
    """A day that is known at the end of a stretch."""
    day = day_of(value)
    return day if day is not None and day <= last else None


def latest(rows: Iterable[Row], column: str, last: date) -> Row:
    """The row of the latest day that is known, one without anything where there is none."""
    dated = [row for row in rows if known(row.get(column), last)]
    return max(dated, key=lambda row: day_of(row[column]) or date.min, default={})


def years(tables: Tables, names: Sequence[str], column: str, as_of: date) -> Iterator[tuple[int, date, date]]:
    """Each year to 31 March since the first row, with its first and last day; the last ends with the extract."""
    first = min(day_of(row[column]) for name in names for row in tables[name] if row.get(column))
    ends = first.year + (first > date(first.year, 3, 31))
    while date(ends - 1, 4, 1) <= as_of:
        yield ends, date(ends - 1, 4, 1), min(date(ends, 3, 31), as_of)
        ends += 1


# The looked-after return

POSTCODE = "HR1 1AA"
"""Stands for every postcode: of a made council's it is known only that they are recorded."""


def ssda903_years(tables: Tables, as_of: date) -> Iterator[tuple[int, dict[str, tuple[Sequence[str], list[Row]]]]]:
    """For each year its tables: children in care, episodes open in it, reviews and missing episodes of it, workers."""
    placed = {row["placement_id"]: row for row in tables["placements"]}
    people = {row["person_id"]: row for row in tables["people"]}
    in_care = {row["person_id"] for row in tables["care_periods"]}

    def own(row: Row) -> dict[str, Any]:
        return {"CHILD": row["person_id"], "DOB": british(people[row["person_id"]]["birth_date"])}

    for ends, first, last in years(tables, ["episodes"], "start_date", as_of):
        episodes = [row for row in tables["episodes"] if overlaps(row, first, last)]
        children = sorted({row["person_id"] for row in episodes})
        yield (
            ends,
            {
                "header": (HEADER, [own(people[each]) | _header(people[each]) for each in children]),
                "episodes": (EPISODES, [own(row) | _episode(row, placed[row["placement_id"]], last) for row in episodes]),
                "reviews": (
                    REVIEWS,
                    [own(row) | _review(row) for row in _reviews_held(tables) if is_in(row["review_date"], first, last)],
                ),
                "missing": (
                    MISSING,
                    [
                        own(row) | _missing(row, last)
                        for row in tables["missing_episodes"]
                        if row["person_id"] in in_care and is_in(row["started_at"], first, last)
                    ],
                ),
                "sw_episodes": (
                    WORKERS,
                    [
                        own(row) | _worker_episode(row, last)
                        for row in tables["allocations"]
                        if row["role"] == "social_worker" and row.get("worker_id") and row.get("person_id") in children
                        if overlaps(row, first, last)
                    ],
                ),
            },
        )


def _header(person: Row) -> dict[str, Any]:
    return {"SEX": person["sex"], "ETHNIC": person["ethnicity"], "UPN": "UN4"}


def _episode(row: Row, placement: Row, last: date) -> dict[str, Any]:
    ended = known(row["end_date"], last)
    moved = ended and row["end_date"] == placement["end_date"]
    return {
        "DECOM": british(row["start_date"]),
        "RNE": row["start_reason"],
        "LS": row["legal_status"],
        "PLACE": placement["placement_type"],
        "PLACE_PROVIDER": placement.get("placement_provider"),
        "DEC": british(ended),
        "REC": row["end_reason"] if ended else "",
        "REASON_PLACE_CHANGE": placement.get("change_reason") if moved else "",
        "HOME_POST": POSTCODE if row.get("home_postcode") else "",
        "PL_POST": POSTCODE if placement.get("postcode") else "",
    }


def _reviews_held(tables: Tables) -> list[Row]:
    held = [
        row for row in tables["looked_after_reviews"] if row["review_kind"] == "looked_after" and not row.get("was_cancelled")
    ]
    return [rows[0] for rows in by(held, "person_id", "review_date").values()]


def _review(row: Row) -> dict[str, Any]:
    return {"REVIEW": british(row["review_date"]), "REVIEW_CODE": row["participation"]}


def _missing(row: Row, last: date) -> dict[str, Any]:
    kind = {"missing": "M", "absent": "A"}.get(row["missing_kind"])
    return {"MISSING": kind, "MIS_START": british(day_of(row["started_at"])), "MIS_END": british(known(row["ended_at"], last))}


def _worker_episode(row: Row, last: date) -> dict[str, Any]:
    ended = known(row["end_date"], last)
    reason = row["change_reason"] if ended else ""
    return {"SW_ID": row["worker_id"], "SW_DECOM": british(row["start_date"]), "SW_DEC": british(ended), "SW_REASON": reason}


def ssda903_csv(folder: Path, tables: Tables, as_of: date) -> Path:
    """A set of CSV files for each year."""
    folder.mkdir()
    for ends, held in ssda903_years(tables, as_of):
        for name, (headings, rows) in held.items():
            write_csv(folder / f"SSDA903_{ends - 1}-{ends % 100:02d}_{name}.csv", headings, rows)
    return folder


def ssda903_xml(folder: Path, tables: Tables, as_of: date) -> Path:
    """An XML file for each year; it has no workers."""
    folder.mkdir()
    for ends, held in ssda903_years(tables, as_of):
        grouped = {name: by(rows, "CHILD") for name, (_, rows) in held.items()}
        children = [
            _xml_child(row, {name: rows.get(row["CHILD"], []) for name, rows in grouped.items()}) for row in held["header"][1]
        ]
        (folder / f"SSDA903_{ends - 1}-{ends % 100:02d}.xml").write_text(element("EXPSSDA903", *children))
    return folder


def _xml_child(row: Row, held: Mapping[str, Sequence[Row]]) -> str:
    within = [
        *(element("AMISSING", **_of(each, "MISSING", "MIS_START", "MIS_END")) for each in held["missing"]),
        *(element("AREVIEW", **_of(each, "REVIEW", "REVIEW_CODE")) for each in held["reviews"]),
    ]
    header = element("HEADER", *within, CHILDID=row["CHILD"], **_of(row, "SEX", "DOB", "ETHNIC", "UPN"))
    columns = ("DECOM", "RNE", "LS", "PLACE_PROVIDER", "DEC", "REC", "REASON_PLACE_CHANGE", "HOME_POST", "PL_POST")
    episodes = [element("EPISODE", PL=each["PLACE"], **_of(each, *columns)) for each in held["episodes"]]
    return element("CHILD", header, *episodes)


def _of(row: Row, *columns: str) -> dict[str, Any]:
    return {each: row.get(each) or None for each in columns}


# The children in need census


def cin_census(folder: Path, tables: Tables, as_of: date) -> Path:
    """A census for each year, of the episodes of need that were open in it."""
    folder.mkdir()
    for ends, first, last in years(tables, ["referrals"], "referral_date", as_of):
        text = _census(tables, first, last)
        (folder / f"CIN_{ends}.xml").write_text(census(*text, year=ends, day=str(last)))
    return folder


def _census(tables: Tables, first: date, last: date) -> Iterator[str]:
    open_now = [row for row in tables["referrals"] if overlaps(row, first, last, "referral_date", "closed_date")]
    people = {row["person_id"]: row for row in tables["people"]}
    for person, referrals in by(open_now, "person_id").items():
        own = people[person]
        identity = element("ChildIdentifiers", LAchildID=person, PersonBirthDate=own["birth_date"], Sex=own["sex"])
        disability = {True: "AUT", False: "NONE", None: None}[own["is_disabled"]]
        disabled = element("Disabilities", Disability=disability) if disability else ""
        kind = element("ChildCharacteristics", disabled, Ethnicity=own["ethnicity"])
        yield element("Child", identity, kind, *(_need(tables, row, first, last) for row in referrals))


def _need(tables: Tables, referral: Row, first: date, last: date) -> str:
    def below(table: str) -> list[Row]:
        return [row for row in tables[table] if row.get("referral_id") == referral["referral_id"]]

    modules = [
        *(_census_assessment(row, last) for row in below("assessments") if overlaps(row, first, last, end="authorised_date")),
        *(_cin_plan(row, last) for row in below("cin_plans") if overlaps(row, first, last)),
        *(_enquiry(tables, row, last) for row in below("section_47_enquiries") if is_in(row["start_date"], first, last)),
        *(_cp_plan(tables, row, first, last) for row in below("cp_plans") if overlaps(row, first, last)),
    ]
    closed = known(referral["closed_date"], last)
    own = {row["enquiry_id"] for row in below("section_47_enquiries") if row["start_date"] < first}
    held = [row["conference_date"] for row in tables["cp_conferences"] if row.get("enquiry_id") in own]
    return element(
        "CINdetails",
        *modules,
        CINreferralDate=referral["referral_date"],
        ReferralSource=referral["referral_source"],
        PrimaryNeedCode=referral["primary_need"],
        ReferralNFA=referral["needs_no_further_action"],
        CINclosureDate=closed,
        ReasonForClosure=referral["closure_reason"] if closed else None,
        DateOfInitialCPC=min((day for day in held if is_in(day, first, last)), default=None),
    )


def _census_assessment(row: Row, last: date) -> str:
    dates = {"AssessmentActualStartDate": row["start_date"], "AssessmentAuthorisationDate": known(row["authorised_date"], last)}
    return element("Assessments", **dates, AssessmentInternalReviewDate=known(row.get("internal_review_date"), last))


def _cin_plan(row: Row, last: date) -> str:
    return element("CINPlanDates", CINPlanStartDate=row["start_date"], CINPlanEndDate=known(row["end_date"], last))


def _enquiry(tables: Tables, row: Row, last: date) -> str:
    of_it = [each for each in tables["cp_conferences"] if each.get("enquiry_id") == row["enquiry_id"]]
    held = known(min((each["conference_date"] for each in of_it), default=None), last)
    not_required = row["conference_is_not_required"]
    return element("Section47", S47ActualStartDate=row["start_date"], DateOfInitialCPC=held, ICPCnotRequired=not_required)


def _cp_plan(tables: Tables, row: Row, first: date, last: date) -> str:
    held = [
        each["conference_date"]
        for each in tables["cp_conferences"]
        if each["conference_kind"] == "review" and each.get("cp_plan_id") == row["cp_plan_id"]
        if is_in(each["conference_date"], first, last)
    ]
    reviews = element("Reviews", *(element("CPPreviewDate", str(day)) for day in sorted(set(held))))
    kind = {"InitialCategoryOfAbuse": row["initial_category"], "LatestCategoryOfAbuse": row["latest_category"]}
    days = {"CPPstartDate": row["start_date"], "CPPendDate": known(row["end_date"], last)}
    return element("ChildProtectionPlans", reviews, **days, **kind, NumberOfPreviousCPP=row["previous_plan_count"])


# The workforce census

ROLES = {
    "senior_manager": "1",
    "middle_manager": "2",
    "first_line_manager": "3",
    "senior_practitioner": "4",
    "social_worker": "5",
    "social_worker_without_cases": "6",
}


def csww(folder: Path, tables: Tables, as_of: date) -> Path:
    """The workforce on the census day."""
    folder.mkdir()
    text = [
        element(
            "CSWWWorker",
            AgencyWorker=int(bool(row["is_agency"])),
            SWENo=row["registration_number"],
            FTE=row["fte"],
            OrgRole=ROLES[row["role"]],
            RoleStartDate=row["start_date"],
            RoleEndDate=row["end_date"],
            CFKSSstatus=1 if row["is_newly_qualified"] else 2,
        )
        for row in tables["workers"]
        if row.get("role") in ROLES and row.get("registration_number")
    ]
    (folder / "csww.xml").write_text(message("CSWW", "".join(text), year=as_of.year, day=str(as_of)))
    return folder


# Annex A


def annex_a(folder: Path, tables: Tables, as_of: date) -> Path:
    """The workbook of an inspection on the day."""
    folder.mkdir()
    rows = {1: _contacts, 3: _referrals, 4: _assessments, 5: _enquiries, 6: _in_need, 7: _protected, 8: _in_care, 9: _leavers}
    sheets = {f"List {number}": _sheet(number, tables, list(make(tables, as_of))) for number, make in rows.items()}
    workbook(folder / f"Annex A {as_of}.xlsx", sheets)
    return folder


def _sheet(number: int, tables: Tables, rows: list[dict[str, Any]]) -> list[list[Any]]:
    fields = annex_a_reader.mapping().lists[number].fields
    people = {row["person_id"]: row for row in tables["people"]}
    workers = _workers_now(tables)
    filled = []
    for row in rows:
        own = people[row["child_id"]]
        allocated = workers.get(row["child_id"], {})
        common = {"gender": own["sex"], "ethnicity": own["ethnicity"], "date_of_birth": own["birth_date"]}
        common |= {"disability": _yes(own["is_disabled"]), "uasc": _yes(own["is_unaccompanied_asylum_seeker"])}
        common |= {"allocated_team": allocated.get("team_id"), "allocated_worker": allocated.get("worker_id")}
        filled.append([_cell((common | row).get(each)) for each in fields])
    return [[each.heading for each in fields.values()], *filled]


def _workers_now(tables: Tables) -> dict[str, Row]:
    roles = ("social_worker", "lead_practitioner")
    now = [row for row in tables["allocations"] if row["role"] in roles and row["end_date"] is None]
    return {person: max(rows, key=lambda row: row["start_date"]) for person, rows in by(now, "person_id").items() if person}


def _cell(value: Any) -> Any:
    return british(day_of(value)) if isinstance(value, date) else "" if value is None else value


def _yes(value: bool | None) -> str | None:
    return {True: "a) Yes", False: "b) No", None: None}[value]


def _word(codes: str, code: str | None) -> str | None:
    """A word that means the code."""
    words = annex_a_reader.mapping().codes[codes].words
    return next((word for word, meant in words.items() if meant == code), code)


def _months(as_of: date, months: int = 6) -> date:
    return subtract(as_of, Duration.parse(f"{months} months"))


def _contacts(tables: Tables, as_of: date) -> Iterator[dict[str, Any]]:
    for row in tables["contacts"]:
        if is_in(row["received_at"], _months(as_of), as_of):
            yield {"child_id": row["person_id"], "contact_date": row["received_at"], "contact_source": row["contact_source"]}


def _referrals(tables: Tables, as_of: date) -> Iterator[dict[str, Any]]:
    for row in tables["referrals"]:
        if is_in(row["referral_date"], _months(as_of), as_of):
            yield {
                "child_id": row["person_id"],
                "referral_date": row["referral_date"],
                "referral_source": row["referral_source"],
                "referral_nfa": _yes(row["needs_no_further_action"]),
                "referrals_prior_12m": row["previous_referrals_12_months"],
                "allocated_team": row["team_id"],
            }


def _assessments(tables: Tables, as_of: date) -> Iterator[dict[str, Any]]:
    for row in tables["assessments"]:
        if overlaps(row, _months(as_of), as_of, end="authorised_date"):
            yield {
                "child_id": row["person_id"],
                "assessment_start_date": row["start_date"],
                "child_seen_in_assessment": _yes(row["child_was_seen"]),
                "assessment_authorised_date": known(row["authorised_date"], as_of),
                "assessed_as_needing_support": _yes(row["services_are_needed"]),
                "allocated_team": row["team_id"],
            }


def _enquiries(tables: Tables, as_of: date) -> Iterator[dict[str, Any]]:
    held = by([row for row in tables["cp_conferences"] if row.get("enquiry_id")], "enquiry_id")
    for row in tables["section_47_enquiries"]:
        if overlaps(row, _months(as_of), as_of):
            conference = min((each["conference_date"] for each in held.get(row["enquiry_id"], [])), default=None)
            yield {
                "child_id": row["person_id"],
                "s47_start_date": row["start_date"],
                "icpc_unnecessary": _yes(row["conference_is_not_required"]),
                "icpc_date": known(conference, as_of),
            }


def _in_need(tables: Tables, as_of: date) -> Iterator[dict[str, Any]]:
    seen = by([row for row in tables["cin_visits"] if row["child_was_seen"] is not False], "person_id")
    recent = [row for row in tables["referrals"] if overlaps(row, _months(as_of), as_of, "referral_date", "closed_date")]
    for person, rows in by(recent, "person_id").items():
        row = latest(rows, "referral_date", as_of)
        closed = known(row["closed_date"], as_of)
        yield {
            "child_id": person,
            "cin_start_date": row["referral_date"],
            "primary_need": row["primary_need"],
            "last_seen_date": latest(seen.get(person, []), "visit_date", as_of).get("visit_date"),
            "cin_closure_date": closed,
            "cin_closure_reason": row["closure_reason"] if closed else None,
            "case_status": _word("case_status", row["current_status"]),
        }


def _protected(tables: Tables, as_of: date) -> Iterator[dict[str, Any]]:
    seen = by([row for row in tables["cp_visits"] if row["child_was_seen"] is not False], "person_id")
    reviews = by([row for row in tables["cp_conferences"] if row["conference_kind"] == "review"], "person_id")
    recent = [row for row in tables["cp_plans"] if overlaps(row, _months(as_of), as_of) and not row["is_other_authority_plan"]]
    for person, rows in by(recent, "person_id").items():
        row = latest(rows, "start_date", as_of)
        visit = latest(seen.get(person, []), "visit_date", as_of)
        yield {
            "child_id": person,
            "cpp_start_date": row["start_date"],
            "cpp_initial_category": _word("category_of_abuse", row["initial_category"]),
            "cpp_latest_category": _word("category_of_abuse", row["latest_category"]),
            "cp_last_visit_date": visit.get("visit_date"),
            "cp_last_visit_seen_alone": _yes(visit.get("child_was_seen_alone")),
            "cp_last_review_date": latest(reviews.get(person, []), "conference_date", as_of).get("conference_date"),
            "cpp_end_date": known(row["end_date"], as_of),
            "cpp_previous_count": row["previous_plan_count"],
        }


def _in_care(tables: Tables, as_of: date) -> Iterator[dict[str, Any]]:
    def last_of(table: str, column: str, keep: Callable[[Row], bool]) -> dict[Any, Row]:
        return {person: latest(rows, column, as_of) for person, rows in by(filter(keep, tables[table]), "person_id").items()}

    visits = last_of("looked_after_visits", "visit_date", _is_statutory_visit)
    contacts = last_of("looked_after_visits", "visit_date", lambda row: row["visit_kind"] == "iro_contact")
    reviews = last_of(
        "looked_after_reviews", "review_date", lambda row: row["review_kind"] == "looked_after" and not row["was_cancelled"]
    )
    assessed = last_of("health_checks", "check_date", lambda row: row["check_kind"] in HEALTH and row["status"] == "completed")
    teeth = last_of(
        "health_checks", "check_date", lambda row: row["check_kind"] == "dental_check" and row["status"] == "completed"
    )
    statuses = last_of("legal_statuses", "start_date", lambda row: True)
    plans = last_of("care_plans", "plan_date", lambda row: row["permanence_plan"] is not None)
    agreed = last_of("permanence_decisions", "decision_date", lambda row: True)
    placed = last_of("placements", "start_date", lambda row: True)
    recent = [row for row in tables["care_periods"] if overlaps(row, _months(as_of), as_of)]
    for person, rows in by(recent, "person_id").items():
        row, placement = latest(rows, "start_date", as_of), placed.get(person, {})
        ended = known(row["end_date"], as_of)
        status = statuses.get(person, {})
        yield {
            "child_id": person,
            "lac_start_date": row["start_date"],
            "legal_status": status.get("legal_status"),
            "legal_status_start_date": status.get("start_date"),
            "lac_last_review_date": reviews.get(person, {}).get("review_date"),
            "lac_last_visit_date": visits.get(person, {}).get("visit_date"),
            "permanence_plan": _word("permanence_plan", agreed.get(person, plans.get(person, {})).get("permanence_plan")),
            "iro_last_contact_date": contacts.get(person, {}).get("visit_date"),
            "health_assessment_last_date": assessed.get(person, {}).get("check_date"),
            "dental_check_last_date": teeth.get(person, {}).get("check_date"),
            "lac_end_date": ended,
            "lac_end_reason": row["end_reason"] if ended else None,
            "placement_start_date": placement.get("start_date"),
            "placement_type": placement.get("placement_type"),
            "placement_provider": placement.get("placement_provider"),
        }


RELAXED = (date(2020, 4, 24), date(2021, 9, 30))
"""The first and last day on which a visit by video or telephone was a statutory one: no extract says how a visit was made."""


def _is_statutory_visit(row: Row) -> bool:
    return (
        row["visit_kind"] == "statutory"
        and row["child_was_seen"] is not False
        and (row.get("visit_mode") in (None, "in_person") or RELAXED[0] <= row["visit_date"] <= RELAXED[1])
    )


def _leavers(tables: Tables, as_of: date) -> Iterator[dict[str, Any]]:
    plans, contacts = by(tables["pathway_plans"], "person_id"), by(tables["care_leaver_contacts"], "person_id")
    homes = by(tables["care_leaver_accommodation"], "person_id")
    advisers = by(
        [row for row in tables["allocations"] if row["role"] == "personal_adviser" and not row["end_date"]], "person_id"
    )
    for person, rows in by(tables["care_leaver_statuses"], "person_id").items():
        row = latest(rows, "status_date", as_of)
        home = latest(homes.get(person, []), "start_date", as_of)
        yield {
            "child_id": person,
            "allocated_personal_adviser": latest(advisers.get(person, []), "start_date", as_of).get("worker_id"),
            "eligibility": _word("care_leaver_eligibility", row.get("status")),
            "pathway_plan_latest_date": latest(plans.get(person, []), "plan_date", as_of).get("plan_date"),
            "la_in_touch": _word("la_in_touch", row.get("in_touch")),
            "latest_contact_date": latest(contacts.get(person, []), "contact_date", as_of).get("contact_date"),
            "accommodation_type": home.get("accommodation_type"),
            "accommodation_suitable": _word("suitability", {True: "yes", False: "no"}.get(home.get("is_suitable"))),
            "activity_status": row.get("activity"),
        }


# The Standard Safeguarding Dataset


def ssd_rows(tables: Tables, as_of: date) -> dict[str, list[dict[str, object]]]:
    """The tables of an extract: each canonical row in the fields that it is read from, the first way that it is."""
    extract: dict[str, list[dict[str, object]]] = {}
    for filling in ssd_mapping().fillings:
        where = KINDS.get((filling.table, filling.of))
        if where is None and filling.of in extract:
            continue
        rows = [row for row in tables.get(filling.table, []) if where is None or where(row)]
        made = [_ssd_row(filling.columns, row) for row in rows]
        extract.setdefault(filling.of, []).extend(each for each in made if each)
    return extract | {"ssd_care_leavers": list(_ssd_leavers(tables, as_of))}


def _is(column: str, *values: str) -> Callable[[Row], bool]:
    return lambda row: row.get(column) in values


KINDS: Mapping[tuple[str, str], Callable[[Row], bool]] = {
    ("cp_conferences", "ssd_initial_cp_conference"): _is("conference_kind", "initial", "transfer_in"),
    ("cp_conferences", "ssd_cp_reviews"): _is("conference_kind", "review"),
    ("looked_after_reviews", "ssd_cla_reviews"): _is("review_kind", "looked_after"),
    ("looked_after_visits", "ssd_cla_visits"): _is_statutory_visit,
    ("care_plans", "ssd_cla_care_plan"): _is("plan_kind", "care_plan"),
    ("allocations", "ssd_involvements"): lambda row: bool(row.get("person_id")),
}


def _ssd_row(columns: Mapping[str, Sequence[Any]], row: Row) -> dict[str, object]:
    fields = {column: next((each for each in said if isinstance(each, str)), "extract_date") for column, said in columns.items()}
    return {
        field: _ssd_text(column, field, row[column])
        for column, field in fields.items()
        if field != "extract_date" and row.get(column) is not None
    }


def _ssd_text(column: str, field: str, value: Any) -> object:
    if isinstance(value, bool):
        return "Y" if value != (column in OPPOSITE) else "N"
    if isinstance(value, datetime):
        return str(value)
    if isinstance(value, date):
        return f"{value} 00:00:00"
    if flags := ssd_mapping().flags.get(field):
        return json.dumps({flag: "Y" for flag, meant in flags.items() if meant == value})
    return _ssd_word(field, value)


def _ssd_word(field: str, value: Any) -> Any:
    """A word of a case system that means the code."""
    codes = ssd_mapping().words.get(ssd_mapping().codes.get(field, ""))
    return next((word for word, meant in codes.words.items() if meant == value), value) if codes else value


OPPOSITE = ("services_are_needed",)
"""Columns whose field says the opposite: no further action."""


def _ssd_leavers(tables: Tables, as_of: date) -> Iterator[dict[str, object]]:
    for row in _leavers(tables, as_of):
        yield {
            "clea_table_id": f"K{row['child_id']}",
            "clea_person_id": row["child_id"],
            "clea_care_leaver_eligibility": row["eligibility"] or "",
            "clea_care_leaver_in_touch": row["la_in_touch"] or "",
            "clea_care_leaver_latest_contact": f"{row['latest_contact_date'] or '1900-01-01'} 00:00:00",
            "clea_care_leaver_accommodation": row["accommodation_type"] or "",
            "clea_care_leaver_accom_suitable": row["accommodation_suitable"] or "",
            "clea_care_leaver_activity": row["activity_status"] or "",
            "clea_pathway_plan_review_date": f"{row['pathway_plan_latest_date'] or '1900-01-01'} 00:00:00",
        }


# The payload for the Department for Education


def dfe_api(folder: Path, tables: Tables, as_of: date) -> Path:
    """One object a child, with what hangs on each referral; placements and workers hang on the latest one."""
    folder.mkdir()
    referrals = by(tables["referrals"], "person_id")
    below = {name: by(tables[name], "referral_id") for name in ("assessments", "cin_plans", "section_47_enquiries", "cp_plans")}
    held = {row["enquiry_id"]: row["conference_date"] for row in tables["cp_conferences"] if row.get("enquiry_id")}
    placed = by(tables["placements"], "person_id")
    workers = by([row for row in tables["allocations"] if row["role"] == "social_worker"], "person_id")
    episodes = {(row["placement_id"]): row for row in tables["episodes"]}
    ends = {row["placement_id"]: row for row in sorted(tables["episodes"], key=lambda row: row["start_date"])}
    children = []
    for person in tables["people"]:
        own = referrals.get(person["person_id"], [])
        made = [_dfe_episode(row, {name: rows.get(row["referral_id"], []) for name, rows in below.items()}, held) for row in own]
        if made:
            made[-1]["child_looked_after_placements"] = [
                _dfe_placement(row, episodes, ends) for row in placed.get(person["person_id"], [])
            ]
            made[-1]["care_worker_details"] = [
                {"worker_id": row["worker_id"], "start_date": row["start_date"], "end_date": row["end_date"]}
                for row in workers.get(person["person_id"], [])
                if row.get("worker_id")
            ]
        children.append(_dfe_child(person, made))
    (folder / "payload.json").write_text(json.dumps(children, default=str))
    return folder


def _dfe_child(person: Row, episodes: list[dict[str, Any]]) -> dict[str, Any]:
    details = {
        "date_of_birth": person["birth_date"],
        "sex": person["sex"],
        "ethnicity": person["ethnicity"],
        "disabilities": {True: ["AUT"], False: ["NONE"], None: []}[person["is_disabled"]],
        "uasc_flag": person["is_unaccompanied_asylum_seeker"],
        "purge": False,
    }
    return {"la_child_id": person["person_id"], "purge": False, "child_details": details, "social_care_episodes": episodes}


def _dfe_episode(row: Row, below: Mapping[str, Sequence[Row]], held: Mapping[Any, Any]) -> dict[str, Any]:
    return {
        "social_care_episode_id": row["referral_id"],
        "referral_date": row["referral_date"],
        "referral_source": row["referral_source"],
        "referral_no_further_action_flag": row["needs_no_further_action"],
        "closure_date": row["closed_date"],
        "closure_reason": row["closure_reason"],
        "child_and_family_assessments": [
            {
                "child_and_family_assessment_id": each["assessment_id"],
                "start_date": each["start_date"],
                "authorisation_date": each["authorised_date"],
            }
            for each in below["assessments"]
        ],
        "child_in_need_plans": [
            {"child_in_need_plan_id": each["cin_plan_id"], "start_date": each["start_date"], "end_date": each["end_date"]}
            for each in below["cin_plans"]
        ],
        "section_47_assessments": [
            {
                "section_47_assessment_id": each["enquiry_id"],
                "start_date": each["start_date"],
                "icpc_required_flag": None
                if each["conference_is_not_required"] is None
                else not each["conference_is_not_required"],
                "icpc_date": held.get(each["enquiry_id"]),
                "end_date": each["end_date"],
            }
            for each in below["section_47_enquiries"]
        ],
        "child_protection_plans": [
            {"child_protection_plan_id": each["cp_plan_id"], "start_date": each["start_date"], "end_date": each["end_date"]}
            for each in below["cp_plans"]
        ],
        "purge": False,
    }


def _dfe_placement(row: Row, begun: Mapping[Any, Row], ended: Mapping[Any, Row]) -> dict[str, Any]:
    first = min(
        (each for each in begun.values() if each["placement_id"] == row["placement_id"]),
        key=lambda one: one["start_date"],
        default={},
    )
    return {
        "child_looked_after_placement_id": row["placement_id"],
        "start_date": row["start_date"],
        "start_reason": first.get("start_reason"),
        "placement_type": row["placement_type"],
        "end_date": row["end_date"],
        "end_reason": ended.get(row["placement_id"], {}).get("end_reason") if row["end_date"] else None,
        "change_reason": row.get("change_reason"),
    }
