"""Makes extracts as large as the largest councils send, for measuring: an Annex A, visits, a database; more in `return_files`."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import closing
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import xlsxwriter

from compliance.sources.annex_a import AnnexList, Codes, mapping

ROWS = {1: 20_000, 2: 6_000, 3: 9_000, 4: 8_000, 5: 4_000, 6: 7_000, 7: 1_500, 8: 2_000, 9: 1_500, 10: 400, 11: 600}
"""The rows of each list of a large council's Annex A, 60,000 in all."""

FIRST_DAY = date(2023, 10, 1)
LAST_DAY = date(2024, 3, 31)
ENDS = ("end", "closure", "ceased", "reversed")
"""What the keys of fields that say how or when something ended hold: three in four that began sixty days ago have."""


def large_annex_a(path: Path, share: float = 1.0) -> int:
    """Writes an Annex A workbook of eleven lists, dates as Excel's own; how many rows it has."""
    with xlsxwriter.Workbook(str(path), {"constant_memory": True, "strings_to_urls": False}) as made:
        day = made.add_format({"num_format": "dd/mm/yyyy"})
        for number, each in mapping().lists.items():
            sheet = made.add_worksheet(f"List {number}")
            sheet.write_row(0, 0, [field.heading for field in each.fields.values()])
            for row, record in enumerate(_records(each, int(ROWS[number] * share)), 1):
                for column, value in enumerate(record):
                    _write(sheet, row, column, value, day)
    return sum(int(rows * share) for rows in ROWS.values())


def _write(sheet: Any, row: int, column: int, value: Any, day: Any) -> None:
    if isinstance(value, date):
        sheet.write_datetime(row, column, value, day)
    elif value is not None:
        sheet.write(row, column, value)


def _records(of: AnnexList, rows: int) -> Iterator[list[Any]]:
    codes = {key: _said(mapping().codes[field.codes]) for key, field in of.fields.items() if field.codes}
    for row in range(rows):
        yield [_cell(key, field.type, codes.get(key), row, position) for position, (key, field) in enumerate(of.fields.items())]


def _said(codes: Codes) -> list[str]:
    """The words for the codes of a set, one a code."""
    first: dict[str, str] = {}
    for word, code in codes.words.items():
        if code:
            first.setdefault(code, word)
    return sorted(first.values())


def _cell(key: str, kind: str, words: list[str] | None, row: int, position: int) -> Any:
    if key == "date_of_birth":
        return date(2006, 1, 1) + timedelta(row * 17 % 6_000)
    begun = FIRST_DAY + timedelta(row * 11 % 180 + position % 3)
    if any(word in key for word in ENDS):
        ended = begun + timedelta(60)
        if row % 4 == 0 or ended > LAST_DAY or "reversed" in key:
            return None
        if kind == "date":
            return ended
    if words:
        return words[(row + position) % len(words)]
    match kind:
        case "id":
            return 100_000 + row * 7 % 25_000
        case "date":
            return begun
        case "integer":
            return row % 4
        case _:
            return f"{key.replace('_', ' ')} {row % 200}"


def large_visits(folder: Path, visits: int, children: int = 20_000) -> int:
    """Writes canonical tables with so many visits to looked-after children; how many rows there are."""
    folder.mkdir()
    with (folder / "people.csv").open("w") as people, (folder / "placements.csv").open("w") as placements:
        people.write("person_id,birth_date,sex\n")
        placements.write("placement_id,person_id,start_date,placement_type\n")
        for number in range(children):
            people.write(f"C{number:06d},{date(2008, 1, 1) + timedelta(number * 17 % 5_000)},{'MF'[number % 2]}\n")
            placements.write(f"P{number:06d},C{number:06d},{FIRST_DAY - timedelta(400 + number % 900)},U4\n")
    with (folder / "looked_after_visits.csv").open("w") as file:
        file.write("visit_id,person_id,visit_date,visit_kind,child_was_seen,child_was_seen_alone,visit_method,worker_id\n")
        for number in range(visits):
            day = FIRST_DAY - timedelta(number // children * 25 + number % 23)
            file.write(f"V{number:08d},C{number % children:06d},{day},statutory,Y,{'YN'[number % 2]},in_person,W{number % 500}\n")
    return visits + 2 * children


def large_database(path: Path, visits: int, children: int = 20_000) -> int:
    """Writes a Standard Safeguarding Dataset in SQLite with so many visits; how many rows there are."""
    with closing(sqlite3.connect(path)) as database, database:
        database.execute("CREATE TABLE ssd_person (pers_person_id TEXT, pers_sex TEXT, pers_dob TEXT)")
        database.execute(
            "CREATE TABLE ssd_cla_visits (clav_cla_visit_id TEXT, clav_person_id TEXT, clav_cla_visit_date TEXT, "
            "clav_cla_visit_seen TEXT, clav_cla_visit_seen_alone TEXT)"
        )
        people = ((f"C{n}", "MF"[n % 2], f"{date(2008, 1, 1) + timedelta(n * 17 % 5_000)} 00:00:00") for n in range(children))
        database.executemany("INSERT INTO ssd_person VALUES (?, ?, ?)", people)
        database.executemany("INSERT INTO ssd_cla_visits VALUES (?, ?, ?, ?, ?)", _ssd_visits(visits, children))
    return visits + children


def _ssd_visits(visits: int, children: int) -> Iterator[tuple[str, str, str, str, str]]:
    for number in range(visits):
        day = FIRST_DAY - timedelta(number // children * 25 + number % 23)
        yield f"V{number}", f"C{number % children}", f"{day} 00:00:00", "Y", "YN"[number % 2]
