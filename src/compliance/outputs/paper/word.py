"""The board paper as a Word document, to be edited before it is published."""

from __future__ import annotations

import datetime
import io
import zipfile
from typing import TYPE_CHECKING, Any

from compliance.outputs.paper.blocks import Block, Heading, Items, Paper, Sentences, Table
from compliance.outputs.paper.contents import paper
from compliance.rulebook.diagnostics import printable

if TYPE_CHECKING:
    from compliance.outputs.published import Published

TEXT_WIDTH_CM = 17.0


def written(published: Published) -> bytes:
    """The paper as DOCX, the same bytes for the same run."""
    import docx

    made = paper(published)
    document = docx.Document()
    _set_up(document, made)
    document.add_heading(made.title, level=1)
    for name, value in made.facts:
        paragraph = document.add_paragraph()
        paragraph.paragraph_format.space_after = 0
        paragraph.add_run(f"{name}: ").bold = True
        paragraph.add_run(printable(value))
    for block in made.blocks:
        _add(document, block)
    buffer = io.BytesIO()
    document.save(buffer)
    return _undated(buffer.getvalue())


def _set_up(document: Any, made: Paper) -> None:
    """A4, small margins, the footer, and properties that do not change from run to run."""
    from docx.shared import Cm, Pt

    section = document.sections[0]
    section.page_width, section.page_height = Cm(21.0), Cm(29.7)
    section.left_margin = section.right_margin = section.top_margin = section.bottom_margin = Cm(2.0)
    section.footer.paragraphs[0].text = made.footer
    document.styles["Normal"].font.size = Pt(10)
    document.styles["Normal"].paragraph_format.space_after = Pt(4)
    properties = document.core_properties
    properties.title, properties.author, properties.language = made.title, "compliance", "en-GB"
    properties.created = properties.modified = datetime.datetime(*made.day)
    properties.comments = ""


def _add(document: Any, block: Block) -> None:
    match block:
        case Heading():
            document.add_heading(block.text, level=2)
        case Sentences():
            document.add_paragraph(printable(block.text))
        case Items():
            for item in block.items:
                document.add_paragraph(printable(item), style="List Bullet")
        case Table():
            _table(document, block)


def _table(document: Any, block: Table) -> None:
    """A table with its caption above it and a heading that is repeated on each page."""
    from docx.enum.text import WD_ALIGN_PARAGRAPH
    from docx.oxml import OxmlElement
    from docx.shared import Cm, Pt

    caption = document.add_paragraph(block.caption, style="Caption")
    caption.paragraph_format.keep_with_next = True
    table = document.add_table(rows=1 + len(block.rows), cols=len(block.headings), style="Table Grid")
    table.rows[0]._tr.get_or_add_trPr().append(OxmlElement("w:tblHeader"))
    for place, row in enumerate([block.headings, *block.rows]):
        is_bold = place == 0 or (block.has_total and place == len(block.rows))
        for column, (cell, text) in enumerate(zip(table.rows[place].cells, row, strict=True)):
            cell.width = Cm(TEXT_WIDTH_CM * block.widths[column] / sum(block.widths))
            paragraph = cell.paragraphs[0]
            paragraph.paragraph_format.space_after = 0
            run = paragraph.add_run(printable(text))
            run.bold, run.font.size = is_bold, Pt(9)
            if column in block.numbers:
                paragraph.alignment = WD_ALIGN_PARAGRAPH.RIGHT
    document.add_paragraph().paragraph_format.space_after = 0


def _undated(content: bytes) -> bytes:
    """The same package without the hour in which it was made."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(content)) as given, zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as kept:
        for name in given.namelist():
            kept.writestr(zipfile.ZipInfo(name), given.read(name), zipfile.ZIP_DEFLATED)
    return buffer.getvalue()
