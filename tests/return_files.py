"""Makes statutory returns for tests: small ones by hand, canonical tables written out in a return's layout, and large ones."""

from __future__ import annotations

import csv
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from pathlib import Path
from typing import Any
from xml.sax.saxutils import escape

Row = Mapping[str, Any]

HEADER = ("CHILD", "SEX", "DOB", "ETHNIC", "UPN", "MOTHER", "MC_DOB")
EPISODES = (
    *("CHILD", "DECOM", "RNE", "LS", "CIN", "PLACE", "PLACE_PROVIDER", "DEC", "REC"),
    *("REASON_PLACE_CHANGE", "HOME_POST", "PL_POST", "URN"),
)
REVIEWS = ("CHILD", "DOB", "REVIEW", "REVIEW_CODE")
UASC = ("CHILD", "SEX", "DOB", "DUC")
OC2 = (
    *("CHILD", "DOB", "SDQ_SCORE", "SDQ_REASON", "CONVICTED", "HEALTH_CHECK", "IMMUNISATIONS", "TEETH_CHECK"),
    *("HEALTH_ASSESSMENT", "SUBSTANCE_MISUSE", "INTERVENTION_RECEIVED", "INTERVENTION_OFFERED"),
)
OC3 = ("CHILD", "DOB", "IN_TOUCH", "ACTIV", "ACCOM")
AD1 = ("CHILD", "DOB", "DATE_INT", "DATE_MATCH", "FOSTER_CARE", "NB_ADOPTR", "SEX_ADOPTR", "LS_ADOPTR")
PLACED = ("CHILD", "DOB", "DATE_PLACED", "DATE_PLACED_CEASED", "REASON_PLACED_CEASED")
PERMANENCE = ("CHILD", "DOB", "PREV_PERM", "LA_PERM", "DATE_PERM")
MISSING = ("CHILD", "DOB", "MISSING", "MIS_START", "MIS_END")
WORKERS = ("CHILD", "DOB", "SW_ID", "SW_DECOM", "SW_DEC", "SW_REASON")
DOLO = ("CHILD", "DOB", "DOLO_START", "DOLO_END")


def british(day: date | None) -> str:
    """The day as the looked-after return writes it."""
    return day.strftime("%d/%m/%Y") if day else ""


def table(path: Path, headings: Sequence[str], *rows: Mapping[str, str], encoding: str = "utf-8", end: str = "\n") -> Path:
    """Writes a table of the looked-after return."""
    lines = [",".join(headings), *(",".join(str(row.get(each, "")) for each in headings) for row in rows)]
    path.write_bytes((end.join(lines) + end).encode(encoding))
    return path


def write_csv(path: Path, headings: Sequence[str], rows: Iterable[Row]) -> None:
    """Writes many rows."""
    with path.open("w", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(headings)
        writer.writerows([row.get(each) or "" for each in headings] for row in rows)


def element(tag: str, *children: Any, **fields: Any) -> str:
    """An element: fields that are not blank first, then what is given."""
    held = "".join(f"<{key}>{escape(_text(value))}</{key}>" for key, value in fields.items() if value is not None)
    return f"<{tag}>{held}{''.join(map(str, children))}</{tag}>"


def _text(value: Any) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)


def message(collection: str, body: str, year: int | None = 2024, day: str | None = "2024-03-31") -> str:
    """A message of a collection."""
    header = element("Header", element("CollectionDetails", Collection=collection, Year=year, ReferenceDate=day))
    return f'<?xml version="1.0" encoding="utf-8"?>\n<Message>\n{header}\n{body}\n</Message>\n'


def census(*children: str, **header: Any) -> str:
    """A children in need census of these children."""
    return message("CIN", element("Children", *children), **header)


def child(id: str = "C1", *modules: str, **fields: Any) -> str:
    """A child of the census."""
    given = {"PersonBirthDate": "2015-03-04", "GenderCurrent": "1"} | fields
    identifiers = element("ChildIdentifiers", LAchildID=id, **given)
    return element("Child", identifiers, element("ChildCharacteristics", Ethnicity="WBRI"), *modules)


CENSUS_DAY = date(2024, 3, 31)
CENSUS_FIRST = date(2022, 10, 1)


def large_census(path: Path, children: int) -> int:
    """Writes a census of so many children, as councils' are: most in time, one in five late; how many rows it has.

    Half of the children go to assessment and a plan in need, half to an enquiry, a conference and a protection plan.
    """
    rows = 0
    with path.open("w") as file:
        opening = message("CIN", "@").partition("@")
        file.write(opening[0] + "<Children>\n")
        for number in range(children):
            day = CENSUS_FIRST + timedelta(number * 37 % 500)
            text = _large_child(number, day)
            rows += sum(text.count(f"<{each}>") for each in ("Child", "CINdetails", "Assessments", "CINPlanDates", *_ON_PLANS))
            file.write(text)
        file.write("</Children>\n" + opening[2])
    return rows


_ON_PLANS = ("Section47", "DateOfInitialCPC", "ChildProtectionPlans", "CPPreviewDate")


def _large_child(number: int, day: date) -> str:
    case = _Case(day, is_late=number % 5 == 3, has_closed=number % 4 != 0)
    own = _lines(("LAchildID", f"C{number:07d}"), ("UPN", f"A{number:012d}"), ("PersonBirthDate", "2012-03-04"))
    kind = _lines(("Ethnicity", "WBRI")) + _block("Disabilities", _lines(("Disability", "NONE")))
    modules = _block("ChildIdentifiers", own + _lines(("GenderCurrent", "1"))) + _block("ChildCharacteristics", kind)
    return _block("Child", modules + case.told(is_protected=number % 2 == 0))


def _lines(*pairs: tuple[str, str | None]) -> str:
    return "".join(f"<{tag}>{text}</{tag}>\n" for tag, text in pairs if text)


def _block(tag: str, inner: str) -> str:
    return f"<{tag}>\n{inner}</{tag}>\n"


@dataclass(frozen=True)
class _Case:
    """An episode of need from its referral, told up to the census's day."""

    day: date
    is_late: bool
    has_closed: bool

    def on(self, days: int) -> str | None:
        held = self.day + timedelta(days)
        return str(held) if held <= CENSUS_DAY else None

    def told(self, is_protected: bool) -> str:
        closed = self.on(350) if self.has_closed else None
        dates = _lines(("CINreferralDate", self.on(0)), ("ReferralSource", "1A"), ("PrimaryNeedCode", "N4"))
        dates += _lines(("CINclosureDate", closed), ("ReasonForClosure", "RC8" if closed else None))
        work = self.protection() if is_protected else self.need()
        return _block("CINdetails", dates + self.assessment(1) + work + _lines(("ReferralNFA", "0")))

    def assessment(self, start: int) -> str:
        done = self.on(start + (80 if self.is_late else 39))
        dates = _lines(("AssessmentActualStartDate", self.on(start)), ("AssessmentAuthorisationDate", done))
        factors = _block("FactorsIdentifiedAtAssessment", _lines(("AssessmentFactors", "2A"), ("AssessmentFactors", "2B")))
        return _block("Assessments", dates + factors) if self.on(start) else ""

    def need(self) -> str:
        plan = ("CINPlanStartDate", self.on(50)), ("CINPlanEndDate", self.on(330) if self.has_closed else None)
        return self.assessment(130) + (_block("CINPlanDates", _lines(*plan)) if self.on(50) else "")

    def protection(self) -> str:
        met = 40 if self.is_late else 20
        enquiry = ("S47ActualStartDate", self.on(5)), ("InitialCPCtarget", self.on(26)), ("DateOfInitialCPC", self.on(met))
        told = _block("Section47", _lines(*enquiry, ("ICPCnotRequired", "false")))
        ended = self.on(met + 330) if self.has_closed else None
        abuse = ("InitialCategoryOfAbuse", "PHY"), ("LatestCategoryOfAbuse", "PHY"), ("NumberOfPreviousCPP", "0")
        plan = _lines(("CPPstartDate", self.on(met)), ("CPPendDate", ended), *abuse)
        days = range(met + 80, met + (330 if ended else 550), 120 if self.is_late else 85)
        reviews = _block("Reviews", _lines(*(("CPPreviewDate", self.on(each)) for each in days)))
        return told + (_block("ChildProtectionPlans", plan + reviews) if self.on(met) else "")


def large_return(folder: Path, children: int) -> int:
    """Writes a looked-after return of so many children, some twelve rows each; how many rows it has."""
    tables: dict[str, tuple[Sequence[str], list[Row]]] = {}

    def add(name: str, headings: Sequence[str], **row: str) -> None:
        tables.setdefault(name, (headings, []))[1].append(row)

    for number in range(children):
        own = {"CHILD": str(100_000 + number), "DOB": british(date(2006, 1, 1) + timedelta(number * 17 % 5000))}
        begun = date(2022, 4, 1) + timedelta(number * 37 % 600)
        moved = begun + timedelta(20 + number % 180)
        ended = british(moved + timedelta(100)) if number % 5 < 2 else ""
        add("header", HEADER, **own, SEX="12"[number % 2], ETHNIC="WBRI", UPN=f"A{number:012d}")
        care = {"CIN": "N1", "HOME_POST": "HR1 1AA", "URN": "SC123456"}
        first = {"DECOM": british(begun), "RNE": "S", "LS": "C1", "PLACE": "U6", "PLACE_PROVIDER": "PR1"}
        add("episodes", EPISODES, **own, **care, **first, DEC=british(moved), REC="X1", REASON_PLACE_CHANGE="CARPL")
        second = {"DECOM": british(moved), "RNE": "B", "LS": "C2", "PLACE": "U4", "PLACE_PROVIDER": "PR4", "DEC": ended}
        add("episodes", EPISODES, **own, **care, **second, REC="E4A" if ended else "")
        for k in range(5):
            add("reviews", REVIEWS, **own, REVIEW=british(begun + timedelta(18 + 80 * k)), REVIEW_CODE=f"PN{number % 8}")
        checks = dict.fromkeys(("HEALTH_CHECK", "IMMUNISATIONS", "TEETH_CHECK", "HEALTH_ASSESSMENT"), "1")
        add("oc2", OC2, **own, **checks, SDQ_SCORE=str(number % 41), SUBSTANCE_MISUSE="0")
        add("previous_permanence", PERMANENCE, **own, PREV_PERM="Z1", DATE_PERM="zz/05/2020")
        worker = {"SW_ID": f"SW{number % 900:06d}", "SW_DECOM": british(begun), "SW_DEC": british(moved)}
        add("sw_episodes", WORKERS, **own, **worker, SW_REASON="FCONTA")
        add("sw_episodes", WORKERS, **own, SW_ID=f"SW{number % 700:06d}", SW_DECOM=british(moved), SW_REASON="MANAGE")
    folder.mkdir(exist_ok=True)
    for name, (headings, rows) in tables.items():
        write_csv(folder / f"SSDA903_2024_{name}.csv", headings, rows)
    return sum(len(rows) for _, rows in tables.values())


def by(rows: Iterable[Row], *columns: str) -> dict[Any, list[Row]]:
    """The rows by the value of a column, or of several."""
    groups: dict[Any, list[Row]] = defaultdict(list)
    for row in rows:
        groups[row.get(columns[0]) if len(columns) == 1 else tuple(row.get(each) for each in columns)].append(row)
    return groups
