"""Makes a binary Excel workbook (.xlsb) for tests, of the few records of [MS-XLSB] that hold cells: no library writes one."""

from __future__ import annotations

import struct
import zipfile
from collections.abc import Mapping, Sequence
from datetime import date
from pathlib import Path
from typing import Any

ROW, NUMBER, BOOLEAN, TEXT, ERROR = 0, 5, 4, 6, 3
BEGIN_DATA, END_DATA, BEGIN_SHEET, END_SHEET, DIMENSION = 145, 146, 129, 130, 148
BEGIN_BOOK, END_BOOK, BOOK_PROPERTIES, BEGIN_SHEETS, END_SHEETS, SHEET = 131, 132, 153, 143, 144, 156
BEGIN_STYLES, END_STYLES, BEGIN_FORMATS, END_FORMATS, FORMAT = 278, 279, 617, 618, 47
NOT_AVAILABLE = 0x2A
DAY_FORMAT = 14
RELATION = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
PACKAGE = "http://schemas.openxmlformats.org/package/2006/relationships"
BINARY = "application/vnd.ms-excel"


def binary_workbook(path: Path, sheets: Mapping[str, Sequence[Sequence[Any]]], *, from_1904: bool = False) -> Path:
    """Writes the workbook; a date becomes a serial with a date format, and `#N/A` an error."""
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as made:
        made.writestr("[Content_Types].xml", _content_types(len(sheets)))
        made.writestr("_rels/.rels", _relations([("officeDocument", "xl/workbook.bin")]))
        made.writestr("xl/_rels/workbook.bin.rels", _relations(_parts(len(sheets))))
        made.writestr("xl/workbook.bin", _book(list(sheets), from_1904))
        made.writestr("xl/styles.bin", _styles())
        for number, rows in enumerate(sheets.values(), 1):
            made.writestr(f"xl/worksheets/sheet{number}.bin", _sheet(rows, from_1904))
    return path


def _parts(sheets: int) -> list[tuple[str, str]]:
    return [*(("worksheet", f"worksheets/sheet{number + 1}.bin") for number in range(sheets)), ("styles", "styles.bin")]


def _content_types(sheets: int) -> str:
    kinds = {"xl/workbook.bin": "sheet.binary.macroEnabled.main", "xl/styles.bin": "styles"}
    kinds |= {f"xl/worksheets/sheet{number + 1}.bin": "worksheet" for number in range(sheets)}
    named = "".join(f'<Override PartName="/{part}" ContentType="{BINARY}.{kind}"/>' for part, kind in kinds.items())
    plain = '<Default Extension="rels" ContentType="application/vnd.openxmlformats-package.relationships+xml"/>'
    return f'<Types xmlns="http://schemas.openxmlformats.org/package/2006/content-types">{plain}{named}</Types>'


def _relations(parts: Sequence[tuple[str, str]]) -> str:
    named = enumerate(parts, 1)
    listed = "".join(f'<Relationship Id="rId{n}" Type="{RELATION}/{kind}" Target="{part}"/>' for n, (kind, part) in named)
    return f'<Relationships xmlns="{PACKAGE}">{listed}</Relationships>'


def _record(kind: int, payload: bytes = b"") -> bytes:
    """A record: its kind in one byte or two, its length in groups of seven bits, and what it holds."""
    head = bytes([kind]) if kind < 128 else bytes([kind & 0x7F | 0x80, kind >> 7])
    length, size = b"", len(payload)
    while size > 127:
        length, size = length + bytes([size & 0x7F | 0x80]), size >> 7
    return head + length + bytes([size]) + payload


def _text(said: str) -> bytes:
    coded = said.encode("utf-16-le")
    return struct.pack("<I", len(coded) // 2) + coded


def _book(names: Sequence[str], from_1904: bool) -> bytes:
    listed = [
        _record(SHEET, struct.pack("<II", 0, number) + _text(f"rId{number}") + _text(name))
        for number, name in enumerate(names, 1)
    ]
    properties = _record(BOOK_PROPERTIES, struct.pack("<II", int(from_1904), 0) + _text(""))
    return b"".join([_record(BEGIN_BOOK), properties, _record(BEGIN_SHEETS), *listed, _record(END_SHEETS), _record(END_BOOK)])


def _styles() -> bytes:
    """Two formats of cells: the general one, and a day."""
    formats = [struct.pack("<HHHHHBBHH", 0xFFFF, kind, 0, 0, 0, 0, 0, 0, 0) for kind in (0, DAY_FORMAT)]
    cells = b"".join(_record(FORMAT, one) for one in formats)
    return (
        _record(BEGIN_STYLES)
        + _record(BEGIN_FORMATS, struct.pack("<I", len(formats)))
        + cells
        + _record(END_FORMATS)
        + _record(END_STYLES)
    )


def _sheet(rows: Sequence[Sequence[Any]], from_1904: bool) -> bytes:
    width = max(map(len, rows))
    written = [
        _record(BEGIN_SHEET),
        _record(DIMENSION, struct.pack("<IIII", 0, len(rows) - 1, 0, width - 1)),
        _record(BEGIN_DATA),
    ]
    for number, values in enumerate(rows):
        written.append(_record(ROW, struct.pack("<IIHBBBI", number, 0, 300, 0, 0, 0, 0)))
        written += [_cell(column, value, from_1904) for column, value in enumerate(values) if value is not None]
    return b"".join([*written, _record(END_DATA), _record(END_SHEET)])


def _cell(column: int, value: Any, from_1904: bool) -> bytes:
    place = struct.pack("<II", column, int(isinstance(value, date)))
    if value == "#N/A":
        return _record(ERROR, place + bytes([NOT_AVAILABLE]))
    if isinstance(value, bool):
        return _record(BOOLEAN, place + bytes([value]))
    if isinstance(value, date):
        value = (value - (date(1904, 1, 1) if from_1904 else date(1899, 12, 30))).days
    return _record(TEXT, place + _text(value)) if isinstance(value, str) else _record(NUMBER, place + struct.pack("<d", value))
