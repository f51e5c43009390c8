"""Makes Annex A workbooks for tests: only the lists and cells that a test is about."""

from __future__ import annotations

import zipfile
from collections.abc import Mapping, Sequence
from datetime import date, datetime, time
from pathlib import Path
from typing import Any
from xml.sax.saxutils import escape

import xlsxwriter

COMMON = ["Child Unique ID", "Gender", "Ethnicity", "Date of Birth", "Age of Child (Years)"]
CONTACTS = [*COMMON, "Date of Contact", "Contact Source"]
REFERRALS = [
    *COMMON,
    *("Date of referral", "Referral Source", "Referral NFA?", "Number of Referrals in Last 12 Months"),
    *("Allocated Team", "Allocated Worker"),
]
IN_NEED = [
    *COMMON,
    *("Does the Child have a Disability", "CIN Start Date", "Primary Need Code", "Date Child Was Last Seen"),
    *("CIN Closure Date", "Reason for Closure", "Case status", "Allocated Team", "Allocated Worker"),
]
PROTECTION = [
    *COMMON,
    *("Does the Child have a Disability", "Child Protection Plan Start Date", "Initial Category of Abuse"),
    *("Latest Category of Abuse", "Date of the Last Statutory Visit", "Was the Child Seen Alone?"),
    *("Date of latest review conference", "Child Protection Plan End Date"),
]

Rows = Sequence[Sequence[Any]]


def workbook(path: Path, sheets: Mapping[str, Rows], *, from_1904: bool = False) -> Path:
    """Writes an Excel workbook; a value that begins with = is a formula without a saved value."""
    with xlsxwriter.Workbook(str(path), {"date_1904": from_1904, "strings_to_urls": False}) as made:
        day = made.add_format({"num_format": "dd/mm/yyyy"})
        for name, rows in sheets.items():
            sheet = made.add_worksheet(name)
            for row, values in enumerate(rows):
                for column, value in enumerate(values):
                    _write(sheet, row, column, value, day)
    return path


def _write(sheet: Any, row: int, column: int, value: Any, day: Any) -> None:
    if isinstance(value, date):
        sheet.write_datetime(row, column, value if isinstance(value, datetime) else datetime.combine(value, time()), day)
    elif isinstance(value, str) and value.startswith("="):
        sheet.write_formula(row, column, value, None, "")
    elif value is not None:
        sheet.write(row, column, value)


def open_document(path: Path, sheets: Mapping[str, Rows]) -> Path:
    """Writes an OpenDocument spreadsheet of text cells."""
    tables = "".join(
        f'<table:table table:name="{escape(name)}">{"".join(map(_row, rows))}</table:table>' for name, rows in sheets.items()
    )
    spaces = " ".join(f'xmlns:{each}="urn:oasis:names:tc:opendocument:xmlns:{each}:1.0"' for each in ("office", "table", "text"))
    body = f"<office:body><office:spreadsheet>{tables}</office:spreadsheet></office:body>"
    with zipfile.ZipFile(path, "w") as made:
        made.writestr("mimetype", "application/vnd.oasis.opendocument.spreadsheet")
        manifest = '<manifest:manifest xmlns:manifest="urn:oasis:names:tc:opendocument:xmlns:manifest:1.0"/>'
        made.writestr("META-INF/manifest.xml", manifest)
        made.writestr("content.xml", f'<?xml version="1.0"?><office:document-content {spaces}>{body}</office:document-content>')
    return path


def _row(values: Sequence[Any]) -> str:
    cells = "".join(
        f'<table:table-cell office:value-type="string"><text:p>{escape(str(value))}</text:p></table:table-cell>'
        for value in values
    )
    return f"<table:table-row>{cells}</table:table-row>"
