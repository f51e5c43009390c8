"""The children in need census as councils send it: modules and years, conferences in two places, traps, hostile files."""

from __future__ import annotations

import resource
import subprocess
import sys
from datetime import date
from pathlib import Path
from typing import Any

import pytest
import yaml
from tests.return_files import Row, by, census, child, element, large_census, message

from compliance.dataset.load import Dataset, open_dataset
from compliance.dataset.schema import load_schema
from compliance.errors import ComplianceError, DataError, UsageError
from compliance.rulebook.load import load_rulebook
from compliance.run import Request, run
from compliance.sources.limits import Limits
from compliance.synth import synthesise
from compliance.synth.write import write_tables

SAMPLES = Path("/work/shared/formats/samples/cin_xml")
AS_OF = date(2021, 9, 30)


def opened(folder: Path, text: str | bytes, name: str = "census.xml", **given: Any) -> Dataset:
    path = folder / name
    path.write_bytes(text.encode() if isinstance(text, str) else text)
    return open_dataset([path], **given)


def rows(dataset: Dataset, sql: str) -> list[tuple[Any, ...]]:
    return dataset.connection.execute(sql).fetchall()


def notices(dataset: Dataset) -> list[str]:
    return [row[0] for row in rows(dataset, "SELECT reason FROM notices ORDER BY ALL")]


def episode(*modules: str, **fields: Any) -> str:
    return element("CINdetails", *modules, **({"CINreferralDate": "2023-05-01", "ReferralSource": "1A"} | fields))


def enquiry(start: str = "2023-05-03", conference: str | None = None, needless: Any = "false") -> str:
    return element("Section47", S47ActualStartDate=start, DateOfInitialCPC=conference, ICPCnotRequired=needless)


def plan(*reviews: str, start: str = "2023-06-01", end: str | None = None) -> str:
    held = "".join(element("Reviews", *(element_text("CPPreviewDate", day) for day in block.split())) for block in reviews)
    return element("ChildProtectionPlans", held, CPPstartDate=start, CPPendDate=end, InitialCategoryOfAbuse="NEG")


def element_text(tag: str, text: str) -> str:
    return f"<{tag}>{text}</{tag}>"


def test_every_module_fills_its_table(tmp_path: Path) -> None:
    assessment = element("Assessments", AssessmentActualStartDate="2023-05-02", AssessmentAuthorisationDate="2023-06-01")
    cin_plan = element("CINPlanDates", CINPlanStartDate="2023-06-02", CINPlanEndDate="2023-07-02")
    legal = element("PreProceedingsandFGDM", PPStartDate="2023-08-01", LBPSentDate="2023-08-02", FGDMMeetingOffer="1")
    details = episode(
        assessment, cin_plan, enquiry(conference="2023-05-22"), plan("2023-08-20"), legal, PrimaryNeedCode="N1", ReferralNFA="0"
    )
    dataset = opened(tmp_path, census(child("C1", details, UPN="A123456789123")))
    loaded = {table.name: table.loaded for table in dataset.tables.values() if table.present}
    once = ("people", "referrals", "assessments", "section_47_enquiries", "meetings", "cin_plans", "cp_plans", "proceedings")
    assert loaded == {**dict.fromkeys(once, 1), "cp_conferences": 2}
    assert rows(dataset, "SELECT person_id, upn, birth_date::VARCHAR, sex, ethnicity FROM people") == [
        ("C1", "A123456789123", "2015-03-04", "M", "WBRI")
    ]
    linked = "SELECT r.referral_date::VARCHAR FROM {} t JOIN referrals r USING (referral_id)"
    for table in ("assessments", "section_47_enquiries", "cin_plans", "cp_plans"):
        assert rows(dataset, linked.format(table)) == [("2023-05-01",)], table
    assert rows(dataset, "SELECT gateway_decision_date, letter_date FROM proceedings") == [(date(2023, 8, 1), date(2023, 8, 2))]
    assert rows(dataset, "SELECT DISTINCT file, sheet FROM sources WHERE table_name = 'cp_plans'") == [
        ("census.xml", "ChildProtectionPlans")
    ]
    assert {table.history for table in dataset.tables.values() if table.present} == {"full"}
    assert str(dataset.recognised[0]) == "census.xml: CIN census (a message of the collection CIN)"
    assert dataset.extract_date == date(2024, 3, 31)
    assert notices(dataset) == []


def test_the_order_of_elements_does_not_matter(tmp_path: Path) -> None:
    details = f"<CINdetails>{enquiry()}<ReferralNFA>1</ReferralNFA><CINreferralDate>2023-05-01</CINreferralDate></CINdetails>"
    text = f"<Child>{details}<ChildIdentifiers><LAchildID>C9</LAchildID></ChildIdentifiers></Child>"
    dataset = opened(tmp_path, census(text))
    assert rows(dataset, "SELECT person_id, needs_no_further_action FROM referrals") == [("C9", True)]
    assert rows(dataset, "SELECT person_id, referral_id FROM section_47_enquiries") == [("C9", "k:C9|2023-05-01")]


def test_stray_text_between_elements_is_passed_over(tmp_path: Path) -> None:
    text = census(child("C1")).replace("<PersonBirthDate>", "PersonBirthDate\n<PersonBirthDate>")
    assert rows(opened(tmp_path, text), "SELECT person_id, birth_date::VARCHAR FROM people") == [("C1", "2015-03-04")]


@pytest.mark.parametrize(
    ("sex", "gender", "expected"),
    [
        *[("M", None, "M"), ("2", None, "F"), ("f", "1", "F"), (None, "1", "M"), (None, "9", "U"), (None, "0", "U")],
        (None, None, None),
    ],
)
def test_sex_and_gender_of_all_years(tmp_path: Path, sex: str | None, gender: str | None, expected: str | None) -> None:
    dataset = opened(tmp_path, census(child("C1", Sex=sex, GenderCurrent=gender)))
    assert rows(dataset, "SELECT sex FROM people") == [(expected,)]


@pytest.mark.parametrize(
    ("codes", "expected"), [(["NONE"], False), (["HAND", "HEAR"], True), ([], None), (["NONE", "AUT"], True), (["none"], False)]
)
def test_disability(tmp_path: Path, codes: list[str], expected: bool | None) -> None:
    held = element("Disabilities", *(element_text("Disability", code) for code in codes)) if codes else ""
    text = census(child("C1")).replace("</ChildCharacteristics>", f"{held}</ChildCharacteristics>")
    assert rows(opened(tmp_path, text), "SELECT is_disabled FROM people") == [(expected,)]


@pytest.mark.parametrize(
    "said", ["2023-05-01", " 2023-05-01\n", "2023-05-01T00:00:00", "2023-05-01Z", "2023-05-01+01:00", "01/05/2023"]
)
def test_dates(tmp_path: Path, said: str) -> None:
    dataset = opened(tmp_path, census(child("C1", episode(CINreferralDate=said))))
    assert rows(dataset, "SELECT referral_date::VARCHAR, referral_id FROM referrals") == [("2023-05-01", "k:C1|2023-05-01")]
    said_so = [each for each in notices(dataset) if "dd/mm/yyyy" in each]
    assert bool(said_so) == ("/" in said)


@pytest.mark.parametrize("said", ["1066-04-13", "2023-02-30", "soon"])
def test_dates_that_cannot_be_are_set_aside(tmp_path: Path, said: str) -> None:
    dataset = opened(tmp_path, census(child("C1", episode(), episode(CINreferralDate=said))))
    assert (dataset.tables["referrals"].loaded, dataset.tables["referrals"].rejected) == (1, 1)
    found = rows(dataset, "SELECT sheet, source_row, column_name, value FROM rejects")
    assert found == [("CINdetails", 2, "referral_date", said)]


@pytest.mark.parametrize(("said", "expected"), [("true", True), ("FALSE", False), ("1", True), ("0", False)])
def test_booleans(tmp_path: Path, said: str, expected: bool) -> None:
    dataset = opened(tmp_path, census(child("C1", episode(enquiry(needless=said), ReferralNFA=said))))
    assert rows(dataset, "SELECT needs_no_further_action FROM referrals") == [(expected,)]
    assert rows(dataset, "SELECT conference_is_not_required FROM section_47_enquiries") == [(expected,)]


def test_an_empty_element_is_a_blank(tmp_path: Path) -> None:
    text = census(child("C1", episode(CINclosureDate="", ReasonForClosure="")))
    dataset = opened(tmp_path, text.replace("<Ethnicity>WBRI</Ethnicity>", "<Ethnicity/>"))
    assert rows(dataset, "SELECT closed_date, closure_reason FROM referrals") == [(None, None)]
    assert rows(dataset, "SELECT ethnicity FROM people") == [(None,)]


def test_all_review_dates_are_read_in_one_wrapper_or_several(tmp_path: Path) -> None:
    dataset = opened(tmp_path, census(child("C1", episode(plan("2023-08-01 2023-12-01", "2024-02-01")))))
    found = rows(dataset, "SELECT conference_kind, conference_date::VARCHAR, cp_plan_id FROM cp_conferences ORDER BY 2")
    assert found == [("review", day, "k:C1|2023-06-01") for day in ("2023-08-01", "2023-12-01", "2024-02-01")]


@pytest.mark.parametrize(
    ("enquiries", "day", "expected"),
    [
        ([enquiry(conference="2023-05-20")], "2023-05-20", [("initial", "2023-05-20", "2023-05-03")]),
        ([enquiry()], "2023-05-20", [("initial", "2023-05-20", "2023-05-03")]),
        ([enquiry(needless="true")], "2023-05-20", [("transfer_in", "2023-05-20", None)]),
        ([enquiry("2023-06-03")], "2023-05-20", [("transfer_in", "2023-05-20", None)]),
        ([], "2023-05-20", [("transfer_in", "2023-05-20", None)]),
        ([enquiry("2023-05-02"), enquiry("2023-05-10")], "2023-05-20", [("initial", "2023-05-20", "2023-05-10")]),
        (
            [enquiry(conference="2023-05-20")],
            "2023-07-20",
            [("initial", "2023-05-20", "2023-05-03"), ("transfer_in", "2023-07-20", None)],
        ),
    ],
    ids=["same day", "enquiry waits", "not required", "before the enquiry", "no enquiry", "latest enquiry", "another day"],
)
def test_an_initial_conference_in_either_place(
    tmp_path: Path, enquiries: list[str], day: str, expected: list[tuple[str, str, str | None]]
) -> None:
    dataset = opened(tmp_path, census(child("C1", episode(*enquiries, DateOfInitialCPC=day))))
    found = rows(
        dataset,
        "SELECT conference_kind, conference_date::VARCHAR, e.start_date::VARCHAR FROM cp_conferences c "
        "LEFT JOIN section_47_enquiries e USING (enquiry_id) ORDER BY 2",
    )
    assert found == expected


def test_a_conference_that_stands_twice_is_read_once_and_said(tmp_path: Path) -> None:
    dataset = opened(tmp_path, census(child("C1", episode(enquiry(conference="2023-05-20"), DateOfInitialCPC="2023-05-20"))))
    assert notices(dataset) == ["1 conferences stand with an episode and with an enquiry, and are read once"]


@pytest.mark.parametrize(
    ("year", "day", "expected"),
    [(2024, "2024-03-31", date(2024, 3, 31)), (2023, None, date(2023, 3, 31)), (2023, "2024-03-31", date(2024, 3, 31))],
)
def test_the_year(tmp_path: Path, year: int, day: str | None, expected: date) -> None:
    dataset = opened(tmp_path, census(child("C1"), year=year, day=day))
    assert dataset.extract_date == expected
    assert any("which is taken" in each for each in notices(dataset)) == (expected.year != year)


def test_a_module_that_the_year_did_not_have_is_not_an_empty_table(tmp_path: Path) -> None:
    before = opened(tmp_path, census(child("C1", episode()), year=2021, day="2021-03-31"))
    assert (before.tables["cin_plans"].present, before.tables["proceedings"].present) == (False, False)
    after = opened(tmp_path, census(child("C1", episode()), year=2024, day="2024-03-31"), "later.xml")
    assert (after.tables["cin_plans"].present, after.tables["proceedings"].present) == (True, False)
    assert after.tables["cp_plans"].present


def test_codes_out_of_their_year_are_read_and_said(tmp_path: Path) -> None:
    text = census(child("C1", episode(ReferralSource="5D", ReasonForClosure="RC9")), year=2021, day="2021-03-31")
    dataset = opened(tmp_path, text)
    assert rows(dataset, "SELECT referral_source, closure_reason FROM referrals") == [("5D", "RC9")]
    assert [each.partition(":")[0] for each in notices(dataset)] == [
        "the code 5D is of returns from 2023, and this is of 2021",
        "the code RC9 is of returns from 2023, and this is of 2021",
    ]


def test_codes_that_are_not_known_are_blanked_and_said(tmp_path: Path) -> None:
    dataset = opened(tmp_path, census(child("C1", episode(PrimaryNeedCode="N99", ReferralSource=" 1a "))))
    assert rows(dataset, "SELECT primary_need, referral_source FROM referrals") == [(None, "1A")]
    assert notices(dataset) == ["not a code of primary_need"]


@pytest.mark.parametrize(
    ("field", "column", "code_set"),
    [
        ("ReferralSource", "referral_source", "referral_source"),
        ("PrimaryNeedCode", "primary_need", "primary_need"),
        ("ReasonForClosure", "closure_reason", "closure_reason"),
    ],
)
def test_every_code_of_an_episode_is_read(tmp_path: Path, field: str, column: str, code_set: str) -> None:
    codes = list(load_schema().code_sets[code_set])
    children = [child(f"C{n}", episode(**{field: each})) for n, each in enumerate(codes)]
    dataset = opened(tmp_path, census(*children))
    assert dict(rows(dataset, f"SELECT person_id, {column} FROM referrals")) == {f"C{n}": each for n, each in enumerate(codes)}


def test_elements_that_are_not_known_are_named_with_the_nearest(tmp_path: Path) -> None:
    dataset = opened(tmp_path, census(child("C1", episode(CINclosuredate="2023-06-01", Colour="<b>red</b>"))))
    assert rows(dataset, "SELECT column_name, reason FROM notices ORDER BY ALL") == [
        ("CINclosuredate", "not an element of this format, so not read; the nearest is CINclosureDate"),
        ("Colour", "not an element of this format, so not read"),
    ]


def test_several_years_are_one_history(tmp_path: Path) -> None:
    first = census(child("C1", episode(), episode(CINreferralDate="2022-01-05")), year=2022, day="2022-03-31")
    later = census(child("C1", episode(CINclosureDate="2023-09-01"), UPN="A123456789123"), year=2024, day="2024-03-31")
    (tmp_path / "set").mkdir()
    for name, text in (("a.xml", first), ("b.xml", later)):
        (tmp_path / "set" / name).write_text(text)
    dataset = open_dataset([tmp_path / "set"])
    assert rows(dataset, "SELECT referral_date::VARCHAR, closed_date::VARCHAR FROM referrals ORDER BY 1") == [
        ("2022-01-05", None),
        ("2023-05-01", "2023-09-01"),
    ]
    assert rows(dataset, "SELECT person_id, upn FROM people") == [("C1", "A123456789123")]


def test_a_child_twice_in_one_file_is_said(tmp_path: Path) -> None:
    dataset = opened(tmp_path, census(child("C1", episode()), child("C1", episode(CINreferralDate="2023-07-01"))))
    assert (dataset.tables["people"].rejected, dataset.tables["referrals"].loaded) == (1, 2)


def test_a_namespace_and_other_encodings(tmp_path: Path) -> None:
    text = census(child("C1"))
    dataset = opened(tmp_path, text.replace("<Message>", '<Message xmlns="urn:example">'))
    assert dataset.tables["people"].loaded == 1
    for encoding in ("utf-16", "iso-8859-1"):
        dataset = opened(tmp_path, text.replace("utf-8", encoding).replace("C1", "Cé").encode(encoding), f"{encoding}.xml")
        assert rows(dataset, "SELECT person_id FROM people") == [("Cé",)]


def test_a_file_without_a_header_is_recognised_by_its_elements(tmp_path: Path) -> None:
    text = f"<Message><Children>{child('C1')}</Children></Message>"
    dataset = opened(tmp_path, text, as_of=date(2024, 1, 31))
    assert dataset.recognised[0].why == "a message with the element ChildIdentifiers"
    assert dataset.tables["people"].loaded == 1


@pytest.mark.parametrize("text", ["<Message><Header/></Message>", "<Other><Child/></Other>", message("SCHOOL", "<Pupils/>")])
def test_other_messages_are_not_taken(tmp_path: Path, text: str) -> None:
    with pytest.raises(UsageError, match="no known format"):
        opened(tmp_path, text)


BOMB = '<!DOCTYPE Message [<!ENTITY a "aaaaaaaaaa">{}]>'.format(
    "".join(f'<!ENTITY {b} "{f"&{a};" * 10}">' for a, b in zip("abcdefghi", "bcdefghij", strict=True))
)
OUTSIDE = '<!DOCTYPE Message [<!ENTITY x SYSTEM "file:///etc/passwd">]>'
FAR = '<!DOCTYPE Message SYSTEM "http://localhost:1/message.dtd">'


@pytest.mark.parametrize("doctype", [BOMB, OUTSIDE, FAR, "<!DOCTYPE Message>"], ids=["expansion", "external", "remote", "plain"])
@pytest.mark.parametrize("encoding", ["utf-8", "utf-16"])
def test_a_document_type_is_refused(tmp_path: Path, doctype: str, encoding: str) -> None:
    text = census(child("C1")).replace("C1", "&j;&x;").replace("<Message>", doctype + "<Message>").replace("utf-8", encoding)
    with pytest.raises(DataError, match="document type"):
        opened(tmp_path, text.encode(encoding))


def _deep(depth: int) -> str:
    return census(child("C1", episode("<x>" * depth + "</x>" * depth)))


@pytest.mark.parametrize(
    ("text", "limits", "expected"),
    [
        (_deep(1000), Limits(), "nesting"),
        (census(child("x" * 2000)), Limits(text_bytes=1000), "text bytes"),
        (census(child("C1"), child("C2"), child("C3")), Limits(rows=3), "rows"),
        (census(child("C1")), Limits(file_bytes=100), "file bytes"),
    ],
    ids=["depth", "text", "rows", "size"],
)
def test_limits(tmp_path: Path, text: str, limits: Limits, expected: str) -> None:
    if expected == "text bytes":
        text = text.replace("x" * 2000, "x" * 600_000)
    with pytest.raises(DataError, match=expected):
        opened(tmp_path, text, limits=limits)


@pytest.mark.parametrize(
    "text",
    [
        census(child("C1"))[:-30],
        census(child("C1")).replace("C1", "&nothing;"),
        census(child("C1")).replace("</Children>", "</Child>"),
        census(child("C1\0")),
        census(child("C1")) + "<Message/>",
    ],
    ids=["cut short", "entity", "crossed", "NUL", "two roots"],
)
def test_broken_xml_is_refused(tmp_path: Path, text: str) -> None:
    with pytest.raises(ComplianceError) as error:
        opened(tmp_path, text)
    assert error.value.exit_code in (2, 3)


def test_one_element_repeated_without_end(tmp_path: Path) -> None:
    held = element("Disabilities", element_text("Disability", "HAND") * 3000)
    with pytest.raises(DataError, match="repeated"):
        opened(tmp_path, census(child("C1")).replace("</ChildCharacteristics>", f"{held}</ChildCharacteristics>"))


def _peak(path: Path) -> int:
    """The megabytes that reading a file takes, in a process of its own."""
    code = (
        "import resource, sys; from pathlib import Path; import duckdb\n"
        "from compliance.sources import cin_census as c; from compliance.sources.xml_return import mapped\n"
        "from compliance.sources.xml_records import read_records; from compliance.sources.limits import Limits\n"
        "con = duckdb.connect(sys.argv[2], config={'memory_limit': '64MB', 'threads': 1})\n"
        "read_records(con, Path(sys.argv[1]), 'x', mapped(c.MAPPING_FILE).layout, lambda r: r, Limits())\n"
        "print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss)"
    )
    done = subprocess.run([sys.executable, "-c", code, path, path.with_suffix(".db")], capture_output=True, text=True, check=True)
    return int(done.stdout) // 1024


def test_memory_does_not_grow_with_the_file(tmp_path: Path) -> None:
    small, large = tmp_path / "small.xml", tmp_path / "large.xml"
    large_census(small, 4_000)
    large_census(large, 40_000)
    assert large.stat().st_size > 9 * small.stat().st_size
    assert _peak(large) < _peak(small) + 80


def test_a_census_of_twenty_thousand_children(tmp_path: Path) -> None:
    path = tmp_path / "large.xml"
    expected = large_census(path, 20_000)
    before = resource.getrusage(resource.RUSAGE_SELF)
    dataset = open_dataset([path])
    after = resource.getrusage(resource.RUSAGE_SELF)
    assert sum(table.loaded for table in dataset.tables.values()) >= expected
    assert after.ru_utime - before.ru_utime < 15
    assert after.ru_maxrss < 1_500_000


@pytest.mark.skipif(not SAMPLES.exists(), reason="the samples are not here")
@pytest.mark.parametrize(
    ("name", "loaded", "rejected"), [("CIN_Census_2021", 9, 1), ("CIN_Census_2024", 13, 0), ("fake_CIN_data", 1084, 0)]
)
def test_samples(name: str, loaded: int, rejected: int) -> None:
    dataset = open_dataset([SAMPLES / f"{name}.xml"])
    tables = dataset.tables.values()
    assert (sum(table.loaded for table in tables), sum(table.rejected for table in tables)) == (loaded, rejected)


COLUMNS = {
    "people": ("person_id", "birth_date", "sex", "ethnicity", "is_disabled"),
    "referrals": (
        *("referral_id", "person_id", "referral_date", "referral_source", "primary_need"),
        *("needs_no_further_action", "closed_date", "closure_reason"),
    ),
    "assessments": ("assessment_id", "person_id", "referral_id", "start_date", "internal_review_date", "authorised_date"),
    "section_47_enquiries": ("enquiry_id", "person_id", "referral_id", "start_date", "conference_is_not_required"),
    "meetings": ("meeting_id", "person_id", "meeting_kind", "meeting_date"),
    "cin_plans": ("cin_plan_id", "person_id", "referral_id", "start_date", "end_date"),
    "cp_conferences": ("conference_id", "person_id", "conference_kind", "enquiry_id", "cp_plan_id", "conference_date"),
    "cp_plans": (
        *("cp_plan_id", "person_id", "referral_id", "start_date", "end_date"),
        *("initial_category", "latest_category", "previous_plan_count"),
    ),
}


def _carried(tables: dict[str, list[dict[str, Any]]]) -> dict[str, list[dict[str, Any]]]:
    """The rows and columns that a census can carry: what hangs on an episode, one day a strategy discussion and an enquiry."""
    held = {table: [{each: row.get(each) for each in columns} for row in tables[table]] for table, columns in COLUMNS.items()}
    referrals = {row["referral_id"] for row in held["referrals"]}
    people = {row["person_id"] for row in held["referrals"]}
    for table in ("assessments", "section_47_enquiries", "cin_plans", "cp_plans"):
        held[table] = [row for row in held[table] if row["referral_id"] in referrals]
        held[table] = [found[0] for found in by(held[table], "person_id", "start_date").values()]
    held["people"] = [row for row in held["people"] if row["person_id"] in people]
    enquiries = {row["enquiry_id"] for row in held["section_47_enquiries"]}
    plans = {row["cp_plan_id"] for row in held["cp_plans"]}
    conferences: dict[Any, dict[str, Any]] = {}
    for row in held["cp_conferences"]:
        if row["conference_kind"] == "review" and row["cp_plan_id"] in plans:
            conferences[row["cp_plan_id"], row["conference_date"]] = row | {"enquiry_id": None}
        elif row["conference_kind"] == "initial" and row["enquiry_id"] in enquiries:
            conferences.setdefault(row["enquiry_id"], row | {"cp_plan_id": None})
    held["cp_conferences"] = list(conferences.values())
    held["meetings"] = [
        {
            "meeting_id": row["enquiry_id"],
            "person_id": row["person_id"],
            "meeting_kind": "strategy_discussion",
            "meeting_date": row["start_date"],
        }
        for row in held["section_47_enquiries"]
    ]
    return held


def _written(held: dict[str, list[dict[str, Any]]]) -> str:
    """The rows as a census."""
    below = {table: by(held[table], "referral_id") for table in ("assessments", "section_47_enquiries", "cin_plans", "cp_plans")}
    of_enquiry = {row["enquiry_id"]: row["conference_date"] for row in held["cp_conferences"] if row["enquiry_id"]}
    of_plan, referrals = by(held["cp_conferences"], "cp_plan_id"), by(held["referrals"], "person_id")

    def assessment(row: Row) -> str:
        days = {"Review": "internal_review_date", "Authorisation": "authorised_date"}
        own = {"AssessmentActualStartDate": row["start_date"], "AssessmentAuthorisationDate": row[days["Authorisation"]]}
        return element("Assessments", **own, AssessmentInternalReviewDate=row[days["Review"]])

    def cin_plan(row: Row) -> str:
        return element("CINPlanDates", CINPlanStartDate=row["start_date"], CINPlanEndDate=row["end_date"])

    def section_47(row: Row) -> str:
        return enquiry(row["start_date"], of_enquiry.get(row["enquiry_id"]), row["conference_is_not_required"])

    def cp_plan(row: Row) -> str:
        reviews = [element_text("CPPreviewDate", str(each["conference_date"])) for each in of_plan[row["cp_plan_id"]]]
        kind = {"InitialCategoryOfAbuse": row["initial_category"], "LatestCategoryOfAbuse": row["latest_category"]}
        days = {"CPPstartDate": row["start_date"], "CPPendDate": row["end_date"]}
        return element(
            "ChildProtectionPlans", element("Reviews", *reviews), **days, **kind, NumberOfPreviousCPP=row["previous_plan_count"]
        )

    def details(row: Row) -> str:
        writers = {"assessments": assessment, "cin_plans": cin_plan, "section_47_enquiries": section_47, "cp_plans": cp_plan}
        modules = [write(each) for table, write in writers.items() for each in below[table][row["referral_id"]]]
        own = {"CINreferralDate": row["referral_date"], "ReferralSource": row["referral_source"]}
        closed = {"CINclosureDate": row["closed_date"], "ReasonForClosure": row["closure_reason"]}
        more = {"PrimaryNeedCode": row["primary_need"], "ReferralNFA": row["needs_no_further_action"]}
        return element("CINdetails", *modules, **own, **more, **closed)

    children = []
    for person in held["people"]:
        own = {"LAchildID": person["person_id"], "PersonBirthDate": person["birth_date"], "Sex": person["sex"]}
        disabled = {True: "AUT", False: "NONE", None: None}[person["is_disabled"]]
        disability = element("Disabilities", Disability=disabled) if disabled else ""
        kind = element("ChildCharacteristics", disability, Ethnicity=person["ethnicity"])
        children.append(element("Child", element("ChildIdentifiers", **own), kind, *map(details, referrals[person["person_id"]])))
    return census(*children, year=AS_OF.year, day=str(AS_OF))


def test_a_conference_answers_an_enquiry_of_the_year_before(tmp_path: Path) -> None:
    """Each year's census holds the enquiries that began in it; the conference of one of last March stands with the episode."""
    need = {"CINreferralDate": "2020-03-02", "ReferralSource": "1A"}
    asked = element("Section47", S47ActualStartDate="2020-03-30", ICPCnotRequired="false")
    first = census(child("C1", element("CINdetails", asked, **need)), year=2020, day="2020-03-31")
    second = census(
        child("C1", element("CINdetails", **need, DateOfInitialCPC="2020-04-09")),
        child("C2", element("CINdetails", **need, DateOfInitialCPC="2020-05-01")),
        year=2021,
        day="2021-03-31",
    )
    (tmp_path / "b.xml").write_text(first)
    (tmp_path / "a.xml").write_text(second)
    dataset = open_dataset([tmp_path])
    held = "SELECT person_id, conference_kind, enquiry_id, conference_date::VARCHAR FROM cp_conferences ORDER BY 1"
    assert dataset.connection.execute(held).fetchall() == [
        ("C1", "initial", "k:C1|2020-03-30", "2020-04-09"),
        ("C2", "transfer_in", None, "2020-05-01"),
    ]
    assert dataset.connection.execute("SELECT enquiry_id FROM section_47_enquiries").fetchall() == [("k:C1|2020-03-30",)]


def _findings(path: Path) -> tuple[set[str], list[tuple[Any, ...]]]:
    done = run(Request([path], load_rulebook(), AS_OF, with_risks=False))
    duties = done.evaluation.connection.execute(
        "SELECT rule, person_id, trigger_date, due_date, done_date, status, days_over FROM duties ORDER BY ALL"
    ).fetchall()
    return set(done.evaluation.evaluated), duties


def test_a_made_council_written_as_a_census_gives_the_same_findings(tmp_path: Path) -> None:
    held = _carried(synthesise("herefordshire-2021", AS_OF, 7, 0.2).tables)
    write_tables(held, tmp_path / "tables", large_as_parquet=False)
    (tmp_path / "census").mkdir()
    (tmp_path / "census" / "census.xml").write_text(_written(held))
    of_all_years = {table: {} for table in COLUMNS if table != "people"}
    (tmp_path / "census" / "dataset.yaml").write_text(yaml.safe_dump({"covers": of_all_years}))
    told, expected = _findings(tmp_path / "tables")
    read, found = _findings(tmp_path / "census")
    assert told <= read
    assert len({row[0] for row in expected}) > 10
    assert [row for row in found if row[0] in told] == expected
