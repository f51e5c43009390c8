"""A workbook to fill in: a sheet for each table that no return carries, with help, types and drop-downs of codes."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date, datetime
from pathlib import Path
from typing import Any

from compliance.dataset.schema import Column, Schema, Table, load_schema
from compliance.dataset.values import FIRST_YEAR, LAST_YEAR
from compliance.sources.private_files import written_whole

TEMPLATE_TABLES = (
    *("meetings", "placement_steps", "education_plans", "care_leaver_contacts", "pathway_needs_assessments", "pathway_plans"),
    *("court_hearings", "permanence_decisions", "special_guardianship_reviews", "private_fostering_arrangements"),
    *("foster_households", "household_members", "foster_carers", "foster_carer_applications", "foster_carer_approvals"),
    *("foster_carer_reviews", "foster_carer_visits", "checks_and_training", "fostering_incidents"),
    *("panel_members", "panel_meetings", "panel_attendance", "panel_cases"),
    *("teams", "workers", "posts", "allocations", "supervisions", "absences", "audits", "management_decisions"),
    *("feedback_and_requests", "programme_items", "programme_events", "budget_entries", "boards", "appointments", "documents"),
)
"""What no return carries at all, or of which returns carry only the latest event or a proxy."""

HEADING_ROW = 3
ROWS_PREPARED = 5_000
MADE = datetime(2000, 1, 1)
CODES_SHEET = "codes"
LONGEST_TITLE = 32

_TYPES = {
    "text": "text",
    "date": "date, yyyy-mm-dd",
    "timestamp": "date, with the time where known",
    "boolean": "yes or no",
    "integer": "whole number",
    "number": "number",
    "code": "one of the list",
}


def write_template(
    path: Path, schema: Schema | None = None, tables: tuple[str, ...] = TEMPLATE_TABLES, *, overwrite: bool = False
) -> None:
    """Writes the workbook, whole or not at all; over a file that is there already only where asked."""
    schema = schema or load_schema()
    with written_whole(path, overwrite=overwrite) as temporary:
        import xlsxwriter

        with xlsxwriter.Workbook(str(temporary), {"in_memory": True, "strings_to_formulas": False}) as workbook:
            workbook.set_properties({"created": MADE, "title": "Tables for compliance"})
            _Template(workbook, schema, [schema.tables[each] for each in schema.tables if each in tables]).write()


class _Template:
    """The workbook on its way."""

    def __init__(self, workbook: Any, schema: Schema, tables: list[Table]) -> None:
        self.workbook, self.schema, self.tables = workbook, schema, tables
        self.help = workbook.add_format({"italic": True, "text_wrap": True, "valign": "top", "font_color": "#555555"})
        self.title = workbook.add_format({"bold": True, "font_size": 13})
        self.heading = workbook.add_format({"bold": True, "bottom": 1, "bg_color": "#E8EEF4"})
        self.required = workbook.add_format({"bold": True, "bottom": 1, "bg_color": "#F4DCC8"})
        self.formats = {
            "date": workbook.add_format({"num_format": "yyyy-mm-dd"}),
            "timestamp": workbook.add_format({"num_format": "yyyy-mm-dd hh:mm"}),
            "text": workbook.add_format({"num_format": "@"}),
            "code": workbook.add_format({"num_format": "@"}),
        }

    def write(self) -> None:
        """Writes every sheet: how to fill it in, the tables, the codes."""
        self._front()
        sheets = {table.name: self.workbook.add_worksheet(table.name) for table in self.tables}
        ranges = self._codes()
        for table in self.tables:
            self._table(sheets[table.name], table, ranges)

    def _front(self) -> None:
        sheet = self.workbook.add_worksheet("read me")
        sheet.set_column(0, 0, 34)
        sheet.set_column(1, 1, 110)
        sheet.write(0, 0, "Tables that no return carries", self.title)
        for row, line in enumerate(_ADVICE, 2):
            sheet.write_string(row, 0, line)
        for row, table in enumerate(self.tables, len(_ADVICE) + 3):
            sheet.write_url(row, 0, f"internal:'{table.name}'!A1", string=table.name)
            sheet.write_string(row, 1, table.describes)

    def _codes(self) -> dict[str, str]:
        """Writes the sheet of codes; the range of each set, to choose from."""
        sheet = self.workbook.add_worksheet(CODES_SHEET)
        used = {column.code_set for table in self.tables for column in table.columns.values() if column.code_set}
        ranges = {}
        for number, code_set in enumerate(sorted(used)):
            codes, left = self.schema.code_sets[code_set], number * 2
            sheet.write_string(0, left, code_set, self.heading)
            sheet.write_string(0, left + 1, "means", self.heading)
            sheet.set_column(left, left, 24)
            sheet.set_column(left + 1, left + 1, 48)
            for row, (code, means) in enumerate(codes.items(), 1):
                sheet.write_string(row, left, code)
                sheet.write_string(row, left + 1, means)
            ranges[code_set] = f"={CODES_SHEET}!${_letters(left)}$2:${_letters(left)}${len(codes) + 1}"
        return ranges

    def _table(self, sheet: Any, table: Table, ranges: dict[str, str]) -> None:
        sheet.write_string(0, 0, table.describes, self.title)
        sheet.set_row(1, 75)
        sheet.freeze_panes(HEADING_ROW + 1, 1)
        for position, column in enumerate(table.columns.values()):
            sheet.set_column(position, position, max(18, len(column.name) + 2), self.formats.get(column.type))
            sheet.write_string(1, position, column.means, self.help)
            sheet.write_string(2, position, _type_words(column, column.name in table.key), self.help)
            sheet.write_string(HEADING_ROW, position, column.name, self.required if column.required else self.heading)
            for rule in _rules(column, ranges):
                sheet.data_validation(HEADING_ROW + 1, position, HEADING_ROW + ROWS_PREPARED, position, rule)


_ADVICE = (
    "Fill in the tables that you have, one row for each event; leave the others, and any column you do not hold, blank.",
    "Keep the headings (the fourth row of a sheet). The rows above them explain and are not read.",
    "A coloured heading must be filled in each row. A blank is never read as no, or as zero.",
    "Use the same ids for children, carers and workers as in your other extracts. Names are not kept: only that there is one.",
)


def _type_words(column: Column, is_key: bool) -> str:
    words = [_TYPES[column.type], "required" if column.required else ""]
    words += [f"the key of a row of {column.refers_to}"] if column.refers_to else []
    words += ["unique" if is_key else ""]
    return "; ".join(filter(None, words))


def _rules(column: Column, ranges: dict[str, str]) -> Iterator[dict[str, Any]]:
    """What a cell of the column accepts."""
    told = {"error_title": column.name[:LONGEST_TITLE], "ignore_blank": True}
    if column.code_set:
        yield {"validate": "list", "source": ranges[column.code_set], "error_message": "choose a code of the list", **told}
    elif column.type == "boolean":
        yield {"validate": "list", "source": ["yes", "no"], "error_message": "yes or no", **told}
    elif column.is_dated:
        bounds = {"minimum": date(FIRST_YEAR, 1, 2), "maximum": date(LAST_YEAR, 12, 31)}
        yield {"validate": "date", "criteria": "between", **bounds, "error_message": "a date, such as 2024-01-31", **told}
    elif column.type == "integer":
        yield {"validate": "integer", "criteria": ">=", "value": 0, "error_message": "a whole number", **told}


def _letters(column: int) -> str:
    letters = ""
    while column >= 0:
        column, letter = column // 26 - 1, column % 26
        letters = chr(ord("A") + letter) + letters
    return letters
