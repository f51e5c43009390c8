"""Run as a script in a process of its own, with bounded memory: the sheets of a workbook, written out as plain CSV.

Arguments: the workbook, the folder to write to, and the limits as JSON. Several share the work: each takes the next sheet
that none has taken. Prints JSON: the sheets that it wrote, or what is wrong.
It imports nothing of the package, so that it starts quickly.
"""

from __future__ import annotations

import csv
import json
import re
import sys
import zipfile
from pathlib import Path
from typing import Any

UNSAVED = re.compile(rb"<f(?:\s[^>]*)?(?:/>|>[^<]*</f>)\s*(?:<v\s*/>|<v>\s*</v>)?\s*</(?:\w+:)?c>")


BOOK_PROPERTIES = 153
"""The record of a binary workbook that says from which year its days are counted."""
LARGEST_EXACT = 1e15
"""The number from which on a spreadsheet keeps whole numbers no longer to the digit."""


def main(path: str, folder: str, limits: dict[str, int]) -> dict[str, Any]:
    """The sheets taken here as written, with the facts where none had those, or under `error` what kept them from being read."""
    hold_memory(limits["workbook_memory"])
    from python_calamine import CalamineError, CalamineWorkbook, PasswordError, SheetTypeEnum

    try:
        with CalamineWorkbook.from_path(path) as workbook:
            sheets = [each for each in workbook.sheets_metadata if each.typ == SheetTypeEnum.WorkSheet]
            if len(sheets) > limits["sheets"]:
                return {"error": "limit", "what": "sheets", "limit": "sheets", "found": len(sheets)}
            written = []
            for number, each in enumerate(sheets):
                file = Path(folder) / f"{number}.csv"
                if not is_taken_here(file):
                    continue
                found = write_sheet(workbook.get_sheet_by_name(each.name), each.name, file, limits)
                if "error" in found:
                    return found
                written.append({"number": number, **found})
    except PasswordError:
        return {"error": "password"}
    except (CalamineError, OSError, ValueError) as error:
        return {"error": "damaged", "why": str(error)}
    return {"sheets": written, **(facts(path) if is_taken_here(Path(folder) / "facts") else {})}


def is_taken_here(file: Path) -> bool:
    """Whether this process was the first to make the file, and so has the work that it stands for."""
    try:
        file.open("x").close()
    except FileExistsError:
        return False
    return True


def write_sheet(sheet: Any, name: str, file: Path, limits: dict[str, int]) -> dict[str, Any]:
    """The sheet as one CSV record a row, from its first row on, so that the n-th record is row n."""
    for limit, found in (("sheet_rows", sheet.total_height), ("columns", sheet.total_width)):
        if found > limits[limit]:
            return {"error": "limit", "what": name, "limit": limit, "found": found}
    cells = sheet.total_height * sheet.total_width
    if cells > limits["cells"]:
        return {"error": "limit", "what": name, "limit": "cells", "found": cells}
    rows = [[plain(cell) for cell in row] for row in sheet.to_python(skip_empty_area=False)]
    with file.open("w", encoding="utf-8", newline="", errors="replace") as stream:
        csv.writer(stream, quoting=csv.QUOTE_MINIMAL, lineterminator="\n").writerows(rows)
    return {"name": name, "rows": len(rows), "columns": max(map(len, rows), default=0)}


def plain(cell: Any) -> Any:
    """The cell, a whole number without the point that spreadsheets do not show either."""
    return int(cell) if cell.__class__ is float and cell.is_integer() and abs(cell) < LARGEST_EXACT else cell


def facts(path: str) -> dict[str, Any]:
    """What the XML of an Excel workbook tells beside its cells: formulas without a saved value, and the 1904 dates."""
    if not zipfile.is_zipfile(path):
        return {"unsaved": 0, "dates_from_1904": False}
    unsaved, dates_from_1904 = 0, False
    with zipfile.ZipFile(path) as archive:
        for name in archive.namelist():
            if name == "xl/workbook.bin":
                dates_from_1904 = is_from_1904(archive.read(name))
            elif name == "xl/workbook.xml":
                dates_from_1904 = bool(re.search(rb'date1904="(1|true)"', archive.read(name)))
            elif re.fullmatch(r"xl/worksheets/[^/]+\.xml", name):
                text = archive.read(name)
                unsaved += len(UNSAVED.findall(text)) if b"<f" in text else 0
    return {"unsaved": unsaved, "dates_from_1904": dates_from_1904}


def is_from_1904(book: bytes) -> bool:
    """Whether the properties among a binary workbook's records say that its days are counted from 1904."""
    place = 0
    while place < len(book):
        kind, place = number(book, place, 2)
        size, place = number(book, place, 4)
        if kind == BOOK_PROPERTIES:
            return bool(size and place < len(book) and book[place] & 1)
        place += size
    return False


def number(book: bytes, place: int, most: int) -> tuple[int, int]:
    """The number that stands there, seven bits a byte in at most so many bytes, and where the next thing stands."""
    found = 0
    for step, byte in enumerate(book[place : place + most]):
        found |= (byte & 0x7F) << 7 * step
        if byte < 128:
            return found, place + step + 1
    return found, place + most


def hold_memory(most: int) -> None:
    """Keeps the process within this many bytes, where the system can."""
    try:
        import resource
    except ImportError:
        return
    resource.setrlimit(resource.RLIMIT_AS, (most, most))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))


if __name__ == "__main__":
    json.dump(main(sys.argv[1], sys.argv[2], json.loads(sys.argv[3])), sys.stdout)
