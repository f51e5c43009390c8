"""Annex A as councils send it: titles, names of sheets, headings, codes, dates and the traps in them."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, datetime
from pathlib import Path
from typing import Any

import pytest

from annex_a_files import COMMON, CONTACTS, IN_NEED, PROTECTION, REFERRALS, Rows, open_document, workbook
from binary_workbook import binary_workbook
from compliance.dataset.load import Dataset, open_dataset
from compliance.dataset.schema import Column, load_schema
from compliance.errors import UsageError
from compliance.rulebook.load import load_rulebook
from compliance.run import Request, run
from compliance.sources.annex_a import HEADINGS_NEEDED, Field, Filling, mapping, match_list, normal

SAMPLES = Path("/work/shared/formats/samples/annex_a")
AS_OF = date(2024, 1, 31)


def opened(path: Path, as_of: date | None = AS_OF) -> Dataset:
    return open_dataset([path], as_of=as_of)


def rows(dataset: Dataset, sql: str) -> list[tuple[Any, ...]]:
    return dataset.connection.execute(sql).fetchall()


def contacts(*values: list[Any]) -> list[list[Any]]:
    return [CONTACTS, *values]


def contact(child: Any = "C1", day: Any = "05/01/2024", **given: Any) -> list[Any]:
    cells = {"gender": "a) Male", "ethnicity": "a) WBRI", "born": "01/02/2015", "age": 8, "source": "q) 6: Police"} | given
    return [child, cells["gender"], cells["ethnicity"], cells["born"], cells["age"], day, cells["source"]]


def test_a_workbook_of_the_ofsted_template(tmp_path: Path) -> None:
    sheets: dict[str, Rows] = {
        "Front_Sheet": [["Child level data"]],
        "Codes_used": [CONTACTS, ["a) Male"]],
        "List_1": [["List 1: Contacts"], *contacts(contact())],
        "List_7": [["List 7: Child protection"], PROTECTION],
    }
    dataset = opened(workbook(tmp_path / "Annex A.xlsx", sheets))
    assert rows(dataset, "SELECT person_id, received_at::DATE::VARCHAR, contact_source, source_row FROM contacts") == [
        ("C1", "2024-01-05", "6", 3)
    ]
    assert rows(dataset, "SELECT person_id, sex, ethnicity, birth_date::VARCHAR FROM people") == [
        ("C1", "M", "WBRI", "2015-02-01")
    ]
    assert rows(dataset, "SELECT DISTINCT file, sheet FROM sources WHERE table_name = 'contacts'") == [("Annex A.xlsx", "List 1")]
    assert str(dataset.recognised[0]) == (
        "Annex A.xlsx: Ofsted Annex A (a workbook with Lists 1, 7 of Annex A, by their headings)"
    )
    assert dataset.tables["contacts"].history == "full"
    assert dataset.tables["cp_visits"].history == "latest"


@pytest.mark.parametrize("name", ["List 1", "list_01", "LIST-1", "List1", "List 1 - our contacts", "Contacts", "Data"])
def test_names_of_sheets(tmp_path: Path, name: str) -> None:
    assert opened(workbook(tmp_path / "a.xlsx", {name: contacts(contact())})).tables["contacts"].loaded == 1


@pytest.mark.parametrize(
    ("name", "number"),
    [
        ("List 1", 1),
        ("List 10", 10),
        ("List_11", 11),
        ("List 01", 1),
        ("Annex A List 10", 10),
        ("Care leavers", 9),
        ("Children in care", 8),
        ("Child protection", 7),
        ("Children in need", 6),
        ("Leaving care", None),
        ("Protection of need", None),
        ("List 12", None),
        ("Mailing list 1", None),
    ],
)
def test_the_number_and_the_name_of_a_sheet_are_taken_whole(name: str, number: int | None) -> None:
    headings = [each.heading for each in (mapping().lists[number].fields.values() if number else ())]
    found = match_list(name, [headings or COMMON])
    assert (found[0].number if found else None) == number


@pytest.mark.parametrize(("above", "found"), [(0, True), (1, True), (19, True), (20, False)])
def test_the_heading_is_among_the_first_twenty_rows(tmp_path: Path, above: int, found: bool) -> None:
    path = workbook(tmp_path / "a.xlsx", {"List 1": [*([["Extract of today"]] * above), *contacts(contact())]})
    if not found:
        with pytest.raises(UsageError, match="of no known format"):
            opened(path)
        return
    assert rows(opened(path), "SELECT source_row FROM contacts") == [(above + 2,)]


def test_headings_in_another_order_with_curly_quotes(tmp_path: Path) -> None:
    headings = ["Date of Contact :", "CONTACT SOURCE", "Child\u00a0Unique  ID", "Date of\nBirth"]
    dataset = opened(workbook(tmp_path / "a.xlsx", {"List 1": [headings, ["05/01/2024", "6", "C1", "01/02/2015"]]}))
    assert rows(dataset, "SELECT person_id, contact_source FROM contacts") == [("C1", "6")]


def test_a_sheet_that_is_no_list_is_left_out_and_said(tmp_path: Path) -> None:
    sheets: dict[str, Rows] = {"Rota": [["Name", "Shift"]], "Guidance": [["Read this"]], "List 1": contacts(contact())}
    dataset = opened(workbook(tmp_path / "a.xlsx", sheets))
    said = rows(dataset, "SELECT column_name, reason FROM notices WHERE reason LIKE 'a sheet%'")
    assert said == [("Rota", "a sheet that is no list of Annex A, so not read")]


@pytest.mark.parametrize("number", range(1, 12))
def test_every_list_is_told_by_its_name_and_by_its_headings(tmp_path: Path, number: int) -> None:
    known = mapping().lists[number]
    headings = [each.heading for each in known.fields.values()]
    for name in (f"List_{number}", "Sheet1"):
        dataset = opened(workbook(tmp_path / f"{name}.xlsx", {name: [headings]}))
        assert f"List {number} of" in dataset.recognised[0].why


def test_one_csv_a_list(tmp_path: Path) -> None:
    text = "List 1: Contacts\r\n" + ",".join(CONTACTS) + "\r\n"
    row = "C1,Female,Würb,01/02/2015,8,05/01/2024,POLICE\r\n"
    (tmp_path / "contacts for inspection.csv").write_bytes((text + row).encode("cp1252"))
    (tmp_path / "b.csv").write_bytes((",".join(IN_NEED) + "\nC2,M,WBRI,,,a) Yes,01/02/2023,N1,05/01/2024").encode("utf-16"))
    dataset = opened(tmp_path)
    assert rows(dataset, "SELECT file, sheet, source_row FROM contacts JOIN sources USING (source_id)") == [
        ("contacts for inspection.csv", None, 3)
    ]
    assert rows(dataset, "SELECT visit_date::VARCHAR FROM cin_visits") == [("2024-01-05",)]


def test_open_document(tmp_path: Path) -> None:
    dataset = opened(open_document(tmp_path / "a.ods", {"List 1": contacts(contact())}))
    assert dataset.tables["contacts"].loaded == 1


@pytest.mark.parametrize(
    ("said", "expected"),
    [
        ("05/01/2024", "2024-01-05"),
        (date(2024, 1, 5), "2024-01-05"),
        ("2024-01-05", "2024-01-05"),
        ("2024-01-05 00:00:00", "2024-01-05"),
        ("5/1/2024", "2024-01-05"),
        ("05-01-2024", "2024-01-05"),
        ("05.01.2024", "2024-01-05"),
        ("5 Jan 2024", "2024-01-05"),
        ("5 January 2024", "2024-01-05"),
        (45296, "2024-01-05"),
        ("45296", "2024-01-05"),
        ("\u00a005/01/2024 ", "2024-01-05"),
    ],
)
def test_dates(tmp_path: Path, said: Any, expected: str) -> None:
    dataset = opened(workbook(tmp_path / "a.xlsx", {"List 1": contacts(contact(day=said))}))
    assert rows(dataset, "SELECT received_at::DATE::VARCHAR FROM contacts") == [(expected,)]


@pytest.mark.parametrize(
    "said", [datetime(2024, 1, 5, 10, 30), "2024-01-05 10:30:00", "2024-01-05T10:30", "05/01/2024 10:30", 45296.4375]
)
def test_a_time_of_day_is_dropped_and_said(tmp_path: Path, said: Any) -> None:
    dataset = opened(workbook(tmp_path / "a.xlsx", {"List 1": contacts(contact("C2"), contact(day=said))}))
    assert rows(dataset, "SELECT DISTINCT received_at::VARCHAR FROM contacts") == [("2024-01-05 00:00:00",)]
    notices = rows(dataset, "SELECT source_row, column_name, reason FROM notices WHERE reason LIKE '%time of day%'")
    assert notices == [(3, "Date of Contact", "1 cell of dates with a time of day: the time is dropped")]


@pytest.mark.parametrize("said", [datetime(2024, 1, 5), "2024-01-05 00:00:00", "05/01/2024 0:00", 45296, "45296.0"])
def test_midnight_is_no_time_of_day(tmp_path: Path, said: Any) -> None:
    dataset = opened(workbook(tmp_path / "a.xlsx", {"List 1": contacts(contact(day=said))}))
    assert rows(dataset, "SELECT count(*) FROM notices WHERE reason LIKE '%time of day%'") == [(0,)]


@pytest.mark.parametrize("said", ["01/31/2024", "05/01/24", "yesterday", "1066-01-01", "=B2+3"])
def test_dates_that_are_not_guessed(tmp_path: Path, said: str) -> None:
    dataset = opened(workbook(tmp_path / "a.xlsx", {"List 1": contacts(contact(day=said))}))
    assert (dataset.tables["contacts"].loaded, dataset.tables["contacts"].rejected) == (0, 1)


def test_serial_dates_of_a_1904_workbook(tmp_path: Path) -> None:
    path = workbook(tmp_path / "a.xlsx", {"List 1": contacts(contact(day=43834))}, from_1904=True)
    assert rows(opened(path), "SELECT received_at::DATE::VARCHAR FROM contacts") == [("2024-01-05",)]


def test_formulas_without_a_saved_value_are_said(tmp_path: Path) -> None:
    dataset = opened(workbook(tmp_path / "a.xlsx", {"List 1": contacts(contact(born="=B2"), contact("C2"))}))
    assert rows(dataset, "SELECT count(*) FROM notices WHERE reason LIKE '1 formula cell%no saved value%'") == [(1,)]


@pytest.mark.parametrize(
    ("codes", "said", "code"),
    [
        ("gender", "Female", "F"),
        ("gender", "b) Female", "F"),
        ("gender", "2 - Female", "F"),
        ("ethnicity", "s) NOBT", "NOBT"),
        ("ethnicity", "s) REFU", "REFU"),
        ("ethnicity", "White British", "WBRI"),
        ("contact_referral_source", "b) 1B: Individual", "1B"),
        ("contact_referral_source", "u) 10: Unknown", "10"),
        ("contact_referral_source", "1A", "1A"),
        ("contact_referral_source", "Individual", None),
        ("primary_need", "N1 - Abuse or Neglect", "N1"),
        ("primary_need", "PSRMEM - Support with memory and cognition", None),
        ("reason_ceased_lac", "E4A Returned home", "E4A"),
        ("reason_ceased_lac", "E11: Adopted", "E11"),
        ("reason_ceased_lac", "Adopted - application unopposed", "E11"),
        ("reason_ceased_lac", "Adopted", None),
        ("reason_ceased_lac", "Age assessment determined child is aged 18 or over and E5, E6 and E7 do not apply", "E15"),
        ("reason_ceased_lac", "RETURNED HOME (UNPLANNED)", "E4B"),
        ("placement_type", "Temporary accommodation of seven days or less, for any reason, not covered by codes T1 to T3", "T4"),
        ("placement_type", "Placed for Adopt with PO with current FC", "A5"),
        ("placement_type", "Foster placement with relative or friend", None),
        ("placement_provider", "PR7", None),
        ("reason_for_closure", "RC0 - No further action", None),
        ("legal_status", "EMERGENCY PROTECTION ORDER", "L2"),
        ("legal_status", "Interim Supervision Order", "interim_supervision_order"),
        ("legal_status", "Ward of Court", None),
        ("la_in_touch", "2 -  No", "not_in_touch"),
        ("la_in_touch", "Residence not known", None),
        ("placement_type", "Z11 other", "Z11"),
        ("placement_provider", "e) PR4 - Private provision", "PR4"),
        ("legal_status", "Section 31: care order", "C2"),
        ("legal_status", "V2 - Accommodated under Section 20 (single period)", "V2"),
        ("category_of_abuse", "Neglect, Physical", "MUL"),
        ("category_of_abuse", "NYNY", "MUL"),
        ("category_of_abuse", "Physical abuse", "PHY"),
        ("case_status", "CP Ext", "cp_plan"),
        ("care_leaver_eligibility", "Former Relevant", "former_relevant"),
        ("suitability", "b) Unsuitable", "no"),
        ("suitability", "Accommodation is considered unsuitable [2]", "no"),
        ("care_leaver_accommodation", "Y: Other accommodation", "Y"),
        ("care_leaver_accommodation", "B1", "B"),
        ("care_leaver_activity", "G5: Not in education, employment or training - other", "G5"),
        ("seen_alone", "Child seen", ""),
        ("seen_alone", "Seen alone", "yes"),
        ("seen_alone", "a) Yes", "yes"),
        ("no_further_action", "NFA", "yes"),
        ("no_further_action", "FA", "no"),
        ("disability", "AUTISM", "yes"),
        ("disability", "None", "no"),
        ("reason_ceased_lac", "Age assessed over 18 & E5, E6 & E7 do not apply", "E15"),
        ("reason_ceased_lac", "Neither E5 nor E6 fits", None),
        ("reason_ceased_lac", "left to live alone (E5)", "E5"),
        ("reason_ceased_lac", "E17 - not E5", "E17"),
        ("reason_ceased_lac", "r) E17 - not E5", "E17"),
        ("reason_ceased_lac", "E20 - Staying put - Young person remains living with former carers at age 18", "E17"),
        ("legal_status", "PO", "E1"),
        ("legal_status", "Supervision Order", "supervision_order"),
        ("legal_status", "Special Guardianship Order", "special_guardianship_order"),
        ("placement_type", "Z101 - PLACEMENT BY COURT (SEC 38/6)", "Z1"),
        ("placement_type", "Z102 - UNAUTHORISED PLACEMENTS", "Z1"),
        ("placement_type", "Z103 - TEMPORARY STAY IN HOTEL", "Z1"),
    ],
)
def test_codes(codes: str, said: str, code: str | None) -> None:
    assert mapping().codes[codes].code_of(said) == code


def test_the_words_of_the_mapping_are_codes_of_the_tables() -> None:
    schema, known = load_schema(), mapping()
    for filling in known.tables:
        columns = schema.tables[filling.table].columns
        assert filling.columns.keys() | filling.values.keys() <= columns.keys()
        for column, value in filling.values.items():
            assert value in schema.code_sets[columns[column].code_set or ""]
        for number in filling.lists:
            for column, key in filling.columns.items():
                field = known.lists[number].fields.get(key)
                if field and field.codes and columns[column].code_set:
                    codes = set(known.codes[field.codes].words.values()) - {""}
                    assert codes <= schema.code_sets[columns[column].code_set or ""].keys(), (filling.table, column)


CODED = list(
    {
        (filling.table, column, known.fields[key].codes): (filling, known.number, column, key)
        for filling in mapping().tables
        for known in [mapping().lists[number] for number in filling.lists]
        for column, key in filling.columns.items()
        if key in known.fields and known.fields[key].codes
    }.values()
)
CODED_IDS = [f"{filling.table}-{number}-{column}" for filling, number, column, _ in CODED]


def coded_list(filling: Filling, number: int, key: str, said: Sequence[str]) -> dict[str, Rows]:
    """A sheet with one child for each text in the field, and a value in those without which the table has no row."""
    known, required = mapping().lists[number], load_schema().tables[filling.table].columns
    needed = {each for column, each in filling.columns.items() if required[column].required} | {filling.where}
    needed = (needed & known.fields.keys()) - {known.id, key}
    headings = [known.fields[each].heading for each in [known.id, key, *needed]]
    spare = [each.heading for each in known.fields.values() if each.heading not in headings][:HEADINGS_NEEDED]
    given = [a_value(known.fields[each]) for each in needed]
    cells = [[f"C{n}", each, *given] for n, each in enumerate(said)]
    return {f"List {number}": [[*headings, *spare], *cells]}


def a_value(of: Field) -> str:
    return next(iter(mapping().codes[of.codes].words)) if of.codes else "05/01/2024"


def canonical(column: Column, code: str | None) -> Any:
    if not code:
        return None
    return {"yes": True, "no": False}[code] if column.type == "boolean" else code


@pytest.mark.parametrize(("filling", "number", "column", "key"), CODED, ids=CODED_IDS)
def test_every_word_of_the_mapping_is_read_in_a_cell(
    tmp_path: Path, filling: Filling, number: int, column: str, key: str
) -> None:
    codes = mapping().codes[mapping().lists[number].fields[key].codes or ""]
    said = {each: code for word, code in codes.words.items() for each in (word, word.upper(), f"\u00a0z) {word} :")}
    dataset = opened(workbook(tmp_path / "Annex A 2024-01-31.xlsx", coded_list(filling, number, key, list(said))))
    read = dict(rows(dataset, f"SELECT person_id, {column} FROM {filling.table}"))
    kind = load_schema().tables[filling.table].columns[column]
    blank = {"none", "not recorded", "no data"}
    meant = {f"C{n}": None if each.lower() in blank else canonical(kind, code) for n, (each, code) in enumerate(said.items())}
    assert {child: read.get(child) for child in meant} == meant
    assert rows(dataset, f"SELECT value FROM notices WHERE value IS NOT NULL AND column_name IN ('{column}', '{key}')") == []


@pytest.mark.parametrize(("filling", "number", "column", "key"), CODED, ids=CODED_IDS)
def test_a_word_that_is_not_known_is_refused_and_said_with_its_place(
    tmp_path: Path, filling: Filling, number: int, column: str, key: str
) -> None:
    path = workbook(tmp_path / "Annex A 2024-01-31.xlsx", coded_list(filling, number, key, ["Quokka"]))
    dataset = opened(path)
    assert {row[0] for row in rows(dataset, f"SELECT {column} FROM {filling.table}")} <= {None}
    said = " UNION ".join(
        f"SELECT file, sheet, source_row, value FROM {of} WHERE value = 'Quokka'" for of in ("notices", "rejects")
    )
    assert rows(dataset, said) == [(path.name, f"List {number}", 2, "Quokka")]


@pytest.mark.parametrize(("key", "said"), [("accommodation_type", "e) Barge"), ("gender", "m) Other")])
def test_the_letter_before_a_word_that_is_not_known_is_no_code(tmp_path: Path, key: str, said: str) -> None:
    filling, number, column, _ = next(each for each in CODED if each[3] == key)
    dataset = opened(workbook(tmp_path / "a.xlsx", coded_list(filling, number, key, [said])))
    assert rows(dataset, f"SELECT {column} FROM {filling.table}") == [(None,)]
    assert rows(dataset, f"SELECT value FROM notices WHERE column_name = '{column}'") == [(said[3:],)]


def test_each_word_of_the_mapping_is_written_as_words_are_compared() -> None:
    for name, codes in mapping().codes.items():
        assert [word for word in codes.words if normal(word) != word] == [], name
        assert [word for word, code in codes.words.items() if codes.code_of(word) != code] == [], name


@pytest.mark.parametrize(
    ("said", "read"),
    [
        (["Yes", "N"], [True, False]),
        (["Yes", "Out of borough"], [None, False]),
        (["a) In", "No"], [True, None]),
    ],
)
def test_yes_and_no_are_a_place_where_a_column_holds_nothing_else(
    tmp_path: Path, said: list[str], read: list[bool | None]
) -> None:
    filling, number, column, key = next(each for each in CODED if each[3] == "placement_location")
    dataset = opened(workbook(tmp_path / "a.xlsx", coded_list(filling, number, key, said)))
    assert rows(dataset, f"SELECT {column} FROM placements ORDER BY person_id") == [(each,) for each in read]


def test_blank_tokens_and_odd_spaces(tmp_path: Path) -> None:
    referral = ["R1", "b) Female", "a) WBRI", "", "", "05/01/2024", "2A", "Yes", "1", "#N/A", "Dustin\u00a0 Hazlett\n"]
    dataset = opened(workbook(tmp_path / "a.xlsx", {"List 3": [REFERRALS, referral]}))
    assert rows(dataset, "SELECT team_id, worker_id, needs_no_further_action FROM referrals") == [(None, "Dustin Hazlett", True)]
    assert not dataset.tables["teams"].loaded


BLANKS = ["", "-", "--", "n/a", "NA", "nan", "None", "NULL", "#N/A", "#REF!", "#VALUE!", "#DIV/0!", "pd.NA", "Not recorded"]
BLANKS += ["no data", "zNotRecorded", "TBC"]


def test_every_blank_token_is_a_blank(tmp_path: Path) -> None:
    rest = ["b) Female", "a) WBRI", "", "", "05/01/2024", "2A", "Yes", "1"]
    given = [[f"R{n}", *rest, blank, blank] for n, blank in enumerate(BLANKS)]
    dataset = opened(workbook(tmp_path / "a.xlsx", {"List 3": [REFERRALS, *given, ["R", *rest, "Nadia's team", "Tbc Smith"]]}))
    assert rows(
        dataset, "SELECT person_id, team_id, worker_id FROM referrals WHERE coalesce(team_id, worker_id) IS NOT NULL"
    ) == [("R", "Nadia's team", "Tbc Smith")]
    assert dataset.tables["referrals"].loaded == len(BLANKS) + 1


@pytest.mark.parametrize("said", ["01/01/1900", "1900-01-01", "30/12/1899", "31/12/9999", "9999-12-31"])
def test_days_that_stand_for_none_are_blank(tmp_path: Path, said: str) -> None:
    dataset = opened(workbook(tmp_path / "a.xlsx", {"List 1": contacts(contact(born=said), contact("C2"))}))
    assert rows(dataset, "SELECT person_id, birth_date::VARCHAR FROM people ORDER BY 1") == [("C1", None), ("C2", "2015-02-01")]
    assert not dataset.tables["people"].rejected


def test_a_code_that_is_not_known_is_blank_and_said(tmp_path: Path) -> None:
    dataset = opened(workbook(tmp_path / "a.xlsx", {"List 1": contacts(contact(), contact("C2", source="Owl"))}))
    assert rows(dataset, "SELECT person_id, contact_source FROM contacts ORDER BY 1") == [("C1", "6"), ("C2", None)]
    said = "SELECT sheet, source_row, column_name, value FROM notices WHERE value = 'Owl'"
    assert rows(dataset, said) == [("List 1", 3, "contact_source", "Owl")]


@pytest.mark.parametrize(("said", "number"), [(2, 2), ("2", 2), ("2.0", 2), ("1,234", 1234), ("", None), (0, 0)])
def test_whole_numbers(tmp_path: Path, said: Any, number: int | None) -> None:
    referral = ["C1", "F", "", "", "", "05/01/2024", "2A", "No", said, "", ""]
    dataset = opened(workbook(tmp_path / "a.xlsx", {"List 3": [REFERRALS, referral]}))
    assert rows(dataset, "SELECT previous_referrals_12_months FROM referrals") == [(number,)]


def test_text_that_was_read_in_another_alphabet_is_mended(tmp_path: Path) -> None:
    referral = ["C1", "F", "", "", "", "05/01/2024", "2A", "No", "", "O\u2019Neil team", "Oâ€™Neil"]
    dataset = opened(workbook(tmp_path / "a.xlsx", {"List 3": [REFERRALS, referral]}))
    assert rows(dataset, "SELECT team_id, worker_id FROM referrals") == [("O\u2019Neil team", "O\u2019Neil")]


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "cp1252"])
def test_alphabets_of_csv(tmp_path: Path, encoding: str) -> None:
    text = ",".join(REFERRALS) + "\r\nC1,F,,,,05/01/2024,2A,No,,Zoë’s team,Zoë\r\n"
    (tmp_path / "List 3.csv").write_bytes(text.encode(encoding))
    assert rows(opened(tmp_path), "SELECT person_id, team_id, worker_id FROM referrals") == [("C1", "Zoë’s team", "Zoë")]


def test_ids_are_compared_without_regard_to_case(tmp_path: Path) -> None:
    in_need = ["c1a", "", "", "", "", "", "01/03/2023", "N1", "05/01/2024"]
    dataset = opened(workbook(tmp_path / "a.xlsx", {"List 1": contacts(contact("C1A")), "List 6": [IN_NEED, in_need]}))
    assert dataset.tables["people"].loaded == 1
    assert rows(dataset, "SELECT v.person_id FROM cin_visits v JOIN people p USING (person_id)") == [("C1A",)]


def test_several_rows_of_a_child_where_one_is_meant_are_kept_and_said(tmp_path: Path) -> None:
    given = [["C1", "", "", "", "", "", f"01/0{n}/2023", "N1", f"05/0{n}/2023"] for n in (1, 2)]
    dataset = opened(workbook(tmp_path / "a.xlsx", {"List 6": [IN_NEED, *given, ["C2", *given[0][1:]]]}))
    assert dataset.tables["cin_visits"].loaded == 3
    said = rows(dataset, "SELECT reason FROM notices WHERE reason LIKE '%several rows%'")
    assert said == [("1 child has several rows, where the list has one a child: all are kept",)]


def test_rows_left_out_are_counted(tmp_path: Path) -> None:
    title = ["List 1: Contacts", *[None] * 6]
    given = contacts(contact(), [None] * 7, contact(), CONTACTS, title, contact(None), contact("C2"))
    dataset = opened(workbook(tmp_path / "a.xlsx", {"List 1": given}))
    assert dataset.tables["contacts"].loaded == 2
    assert rows(dataset, "SELECT reason FROM notices WHERE reason LIKE '%left out%' ORDER BY ALL") == [
        ("1 row left out: no Child Unique ID",),
        ("1 row left out: the same as another in every cell",),
        ("2 rows left out: the heading or the title again",),
    ]


def test_ids_keep_leading_zeros_and_lose_decimals(tmp_path: Path) -> None:
    dataset = opened(workbook(tmp_path / "a.xlsx", {"List 1": contacts(contact("00123"), contact(9212044))}))
    assert rows(dataset, "SELECT person_id FROM people ORDER BY 1") == [("00123",), ("9212044",)]


def test_headings_unknown_and_missing_are_named(tmp_path: Path) -> None:
    headings = ["Child Unique ID", "Date of contct", "Errors", "Date of Birth", "Contact Source"]
    dataset = opened(workbook(tmp_path / "a.xlsx", {"List 1": [headings, ["C1", "05/01/2024", "", "01/02/2015", "6"]]}))
    said = dict(rows(dataset, "SELECT column_name, reason FROM notices WHERE table_name = 'people'"))
    assert said["Date of contct"] == "not a heading of List 1; the nearest is Date of Contact"
    assert said["Errors"].startswith("not a heading of List 1")
    assert said["Date of Contact"] == "no such heading in this sheet, so nothing is known of it"
    assert not dataset.tables["contacts"].present


def test_headings_of_both_list_9_layouts(tmp_path: Path) -> None:
    headings = ["Child Unique ID", "Eligibity Category", "Eligibility Category", "Type of accomodation", "Activity Status"]
    headings += ["Latest Pathway Plan Review Date", "Allocated Personal Adviser", "LA in Touch?"]
    row = ["C1", "", "b) Former relevant child", "U", "F1", "05/01/2024", "A Person", "a) Yes"]
    dataset = opened(workbook(tmp_path / "a.xlsx", {"List 9": [headings, row]}))
    assert rows(dataset, "SELECT status, in_touch, activity FROM care_leaver_statuses") == [("former_relevant", "in_touch", "F1")]
    assert rows(dataset, "SELECT plan_date::VARCHAR FROM pathway_plans") == [("2024-01-05",)]
    assert rows(dataset, "SELECT worker_id, role FROM allocations") == [("A Person", "personal_adviser")]


def test_what_fills_no_table_is_documented() -> None:
    """Each column that is known and set aside is in docs/sources.md; list 11 as a whole."""
    told = (Path(__file__).parents[1] / "docs" / "sources.md").read_text()
    used: dict[int, set[str]] = {}
    for each in mapping().tables:
        fields = {*each.columns.values(), *each.only, *(one for held in each.one_of.values() for one in held), each.where}
        for number in each.lists:
            used.setdefault(number, set()).update(one for one in fields if one)
    assert 11 not in used
    lists = mapping().lists.items()
    left = [
        known.heading for number, one in lists for key, known in one.fields.items() if number != 11 and key not in used[number]
    ]
    assert len(left) > 10
    assert [heading for heading in left if heading not in told] == []


def test_a_heading_given_twice_is_refused(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="two headings are 'Date of Contact'"):
        opened(workbook(tmp_path / "a.xlsx", {"List 1": [[*CONTACTS, "date of contact:"], contact()]}))


def test_a_heading_that_fits_two_fields_is_refused_with_both(tmp_path: Path) -> None:
    headings = [*COMMON, "Date of Contact Source"]
    with pytest.raises(UsageError, match="'Date of Contact Source' fits 'Date of Contact' and 'Contact Source'"):
        opened(workbook(tmp_path / "a.xlsx", {"List 1": [headings, contact()]}))


def test_a_binary_workbook_of_excel_97() -> None:
    dataset = opened(Path(__file__).with_name("data") / "annex_a.xls")
    assert rows(dataset, "SELECT person_id, received_at::DATE::VARCHAR, contact_source FROM contacts ORDER BY 1") == [
        ("00123", "2024-01-06", "2A"),
        ("C1", "2024-01-05", "6"),
    ]


def test_a_blank_birth_date_beside_an_age_stays_blank(tmp_path: Path) -> None:
    dataset = opened(workbook(tmp_path / "a.xlsx", {"List 1": contacts(contact(born=None, age="7.5"))}))
    assert rows(dataset, "SELECT birth_date FROM people") == [(None,)]
    assert dataset.tables["people"].rejected == 0


@pytest.mark.parametrize(("said", "read"), [("nope", "nope"), ("ab1 2cd", "ab1 2cd"), ("", None)])
def test_a_postcode_is_kept_as_it_is(tmp_path: Path, said: str, read: str | None) -> None:
    known = mapping().lists[8].fields
    headings = [known[each].heading for each in ("child_id", "placement_start_date", "placement_type", "placement_postcode")]
    dataset = opened(workbook(tmp_path / "a.xlsx", {"List 8": [headings, ["C1", "05/01/2024", "U1", said]]}))
    assert rows(dataset, "SELECT postcode FROM placements") == [(read,)]


def test_a_list_without_its_id_is_refused(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="has no heading 'Child Unique ID'"):
        opened(workbook(tmp_path / "a.xlsx", {"List 1": [["Chld Unique", *CONTACTS[1:]], contact()]}))


def test_a_workbook_that_is_not_annex_a_is_refused_with_what_it_holds(tmp_path: Path) -> None:
    path = workbook(tmp_path / "rota.xlsx", {"Rota": [["Name", "Gender", "Shift"]], "Notes": [["x"]]})
    with pytest.raises(
        UsageError, match=r"it has the sheets 'Rota', 'Notes'; the nearest is 'Rota', with 1 of the 7 headings"
    ) as refused:
        opened(path)
    assert "Ofsted Annex A" in (refused.value.help or "")


def test_an_answer_that_is_neither_yes_nor_no_is_blank_and_said(tmp_path: Path) -> None:
    row = ["C1", "M", "WBRI", "", "", "No", "05/01/2024", "Neglect", "Neglect", "06/01/2024", "at school", "", ""]
    dataset = opened(workbook(tmp_path / "a.xlsx", {"List 7": [PROTECTION, row]}))
    assert rows(dataset, "SELECT visit_date::VARCHAR, child_was_seen_alone FROM cp_visits") == [("2024-01-06", None)]
    said = "SELECT source_row, column_name, value, reason FROM notices WHERE value IS NOT NULL"
    assert rows(dataset, said) == [(2, "Was the Child Seen Alone?", "at school", "not understood, so read as blank")]


def test_one_child_in_several_lists_is_one_person(tmp_path: Path) -> None:
    in_need = ["C1", "", "", "02/02/2015", "", "a) Yes", "01/03/2023", "N1", "05/01/2024"]
    sheets = {"List 1": contacts(contact(), contact(day="06/01/2024")), "List 6": [IN_NEED, in_need]}
    dataset = opened(workbook(tmp_path / "a.xlsx", sheets))
    assert rows(dataset, "SELECT person_id, sex, is_disabled, birth_date::VARCHAR FROM people") == [
        ("C1", "M", True, "2015-02-01")
    ]
    differs = "differs from a.xlsx > List 1, row 2, which has precedence and says 01/02/2015"
    said = rows(dataset, "SELECT sheet, source_row, column_name, reason FROM notices WHERE reason LIKE 'differs%'")
    assert [each[:3] for each in said] == [("List 6", 2, "birth_date")]
    assert differs[:50] in said[0][3]


def test_a_referral_of_lists_3_and_6_is_one(tmp_path: Path) -> None:
    referral = ["C1", "b) Female", "", "", "", "01/03/2023", "2A", "No", "0", "Team", "Worker"]
    in_need = ["C1", "", "", "", "", "", "01/03/2023", "N1 - Abuse", "", "", "", "c) Child in need plan"]
    dataset = opened(workbook(tmp_path / "a.xlsx", {"List 3": [REFERRALS, referral], "List 6": [IN_NEED, in_need]}))
    assert rows(dataset, "SELECT primary_need, current_status, worker_id FROM referrals") == [("N1", "cin_plan", "Worker")]


def test_what_is_of_the_day_of_the_extract_needs_that_day(tmp_path: Path) -> None:
    referral = ["C1", "b) Female", "", "", "", "01/03/2023", "2A", "No", "0", "Team", "Worker"]
    dated = workbook(tmp_path / "Annex A 2023-09-30.xlsx", {"List 3": [REFERRALS, referral]})
    dataset = opened(dated, as_of=None)
    assert rows(dataset, "SELECT start_date::VARCHAR FROM allocations") == [("2023-09-30",)]
    assert dataset.extract_date == date(2023, 9, 30)
    assert not opened(workbook(tmp_path / "a.xlsx", {"List 3": [REFERRALS, referral]}), as_of=None).tables["allocations"].present


def test_a_plan_for_permanence_is_a_decision_of_the_day_and_no_care_plan(tmp_path: Path) -> None:
    fields = mapping().lists[8].fields
    headings = [fields[name].heading for name in ("child_id", "lac_start_date", "permanence_plan")]
    looked_after = [headings, ["C1", "05/01/2023", "Adoption"], ["C2", "05/01/2023", ""]]
    dataset = opened(workbook(tmp_path / "a.xlsx", {"List 8": looked_after}))
    found = rows(dataset, "SELECT person_id, decision_date::VARCHAR, permanence_plan FROM permanence_decisions")
    assert found == [("C1", "2024-01-31", "adoption")]
    assert not dataset.tables["care_plans"].present
    assert dataset.tables["permanence_decisions"].history == "latest"


def test_two_extracts_of_one_council_build_history(tmp_path: Path) -> None:
    def extract(day: str, seen: str, need: str) -> None:
        row = ["C1", "M", "WBRI", "01/02/2015", "", "No", "01/03/2023", need, seen]
        workbook(tmp_path / f"Annex A {day}.xlsx", {"List 6": [IN_NEED, row]})

    extract("2023-09-30", "01/09/2023", "N1")
    extract("2024-01-31", "05/01/2024", "N2")
    dataset = opened(tmp_path, as_of=None)
    assert rows(dataset, "SELECT visit_date::VARCHAR FROM cin_visits ORDER BY 1") == [("2023-09-01",), ("2024-01-05",)]
    assert rows(dataset, "SELECT primary_need FROM referrals") == [("N2",)]
    assert rows(dataset, "SELECT value FROM notices WHERE column_name = 'primary_need'") == [("N1",)]
    assert dataset.tables["cin_visits"].history == "latest"


def test_headings_are_compared_without_their_dress() -> None:
    assert normal(" Date\u00a0of  Adoption\nOrder ") == "date of adoption order"
    assert normal("Child’s Legal Status?:") == "child's legal status"
    assert normal("within the Last 12 Months (Y/N))") == normal("within the last 12 months (Y/N)))")


def test_counts_reconcile(tmp_path: Path) -> None:
    given = contacts(contact(), contact("C2", "never"), contact("C3"), contact("C3", source="Health"))
    dataset = opened(workbook(tmp_path / "a.xlsx", {"List 1": given, "List 2": [[*COMMON, "Assessment start date"]]}))
    for table in dataset.tables.values():
        assert table.read == table.loaded + table.rejected
    assert rows(dataset, "SELECT source_row, column_name, value FROM rejects") == [(3, "received_at", "never")]


@pytest.mark.skipif(not SAMPLES.exists(), reason="the sample files are not here")
@pytest.mark.parametrize(
    "name", ["liia_Annex_A.xlsx", "liia_Annex_A.ods", "cscdp_2015-01-sample.xlsx", "cscdp_example-B-2004.xlsx"]
)
def test_samples(name: str) -> None:
    dataset = opened(SAMPLES / name, date(2021, 3, 19))
    assert sum(table.loaded for table in dataset.tables.values()) > 15
    for table in dataset.tables.values():
        assert table.read == table.loaded + table.rejected
    unreadable = rows(dataset, "SELECT value FROM rejects")
    assert unreadable == ([("May be 8 Jan 2000",)] if name == "cscdp_example-B-2004.xlsx" else [])


def test_a_binary_workbook_of_excel_2007(tmp_path: Path) -> None:
    sheets: dict[str, Rows] = {
        "Front_Sheet": [["Child level data"]],
        "List_1": [
            ["List 1: Contacts"],
            *contacts(contact("C1", date(2024, 1, 5)), contact(9212044, 45297, age="#N/A")),
            contact("C3", born=date(2012, 2, 29)),
        ],
    }
    dataset = opened(binary_workbook(tmp_path / "Annex A.xlsb", sheets))
    assert rows(dataset, "SELECT person_id, received_at::DATE::VARCHAR, contact_source, source_row FROM contacts ORDER BY 1") == [
        ("9212044", "2024-01-06", "6", 4),
        ("C1", "2024-01-05", "6", 3),
        ("C3", "2024-01-05", "6", 5),
    ]
    assert rows(dataset, "SELECT birth_date::VARCHAR FROM people WHERE person_id = 'C3'") == [("2012-02-29",)]
    assert str(dataset.recognised[0]) == "Annex A.xlsb: Ofsted Annex A (a workbook with List 1 of Annex A, by their headings)"


@pytest.mark.parametrize(("from_1904", "serial"), [(False, 45296), (True, 43834)])
def test_serial_dates_of_a_binary_workbook(from_1904: bool, serial: int, tmp_path: Path) -> None:
    given = contacts(contact(day=serial, born=date(2015, 2, 1)))
    dataset = opened(binary_workbook(tmp_path / "a.xlsb", {"List 1": given}, from_1904=from_1904))
    assert rows(dataset, "SELECT received_at::DATE::VARCHAR FROM contacts") == [("2024-01-05",)]
    assert rows(dataset, "SELECT birth_date::VARCHAR FROM people") == [("2015-02-01",)]


def test_check_reads_a_binary_workbook(tmp_path: Path) -> None:
    started = date(2023, 9, 1)
    plan = ["C1", "a) Male", "a) WBRI", date(2015, 2, 1), 8, "b) No", started, "a) Neglect", "a) Neglect", started, "a) Yes"]
    path = binary_workbook(tmp_path / "Annex A.xlsb", {"List 7": [PROTECTION, [*plan, date(2023, 9, 29), None]]})
    done = run(Request([path], load_rulebook().only(["CP-REVIEW-CONFERENCE"]), date(2024, 4, 30), with_risks=False))
    found = done.evaluation.connection.execute("SELECT status, person_id, trigger_date::VARCHAR FROM duties").fetchall()
    assert found == [("overdue", "C1", "2023-09-29")]
