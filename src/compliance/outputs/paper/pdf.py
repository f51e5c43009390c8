"""The board paper as PDF, set by typst; what is said reaches it as data, never as markup."""

from __future__ import annotations

import datetime
import json
from importlib import resources
from typing import TYPE_CHECKING, Any

from compliance.outputs.paper.blocks import Block, Heading, Items, Paper, Sentences
from compliance.outputs.paper.contents import paper
from compliance.rulebook.diagnostics import printable

if TYPE_CHECKING:
    from compliance.outputs.published import Published


def written(published: Published) -> bytes:
    """The paper as tagged PDF (PDF/UA-1), the same bytes for the same run."""
    import typst

    made = paper(published)
    template = resources.files(__package__).joinpath("templates", "paper.typ").read_bytes()
    timestamp = int(datetime.datetime(*made.day, tzinfo=datetime.UTC).timestamp())
    content: bytes = typst.compile(
        template,
        ignore_system_fonts=True,
        sys_inputs={"paper": json.dumps(document(made), ensure_ascii=False)},
        pdf_standards="ua-1",
        timestamp=timestamp,
    )
    return content


def document(made: Paper) -> dict[str, Any]:
    """The paper as plain data for its template."""
    return {
        "title": made.title,
        "facts": [[name, printable(value)] for name, value in made.facts],
        "footer": made.footer,
        "blocks": [_block(one) for one in made.blocks],
    }


def _block(one: Block) -> dict[str, Any]:
    match one:
        case Heading():
            return {"kind": "heading", "text": one.text}
        case Sentences():
            return {"kind": "text", "text": printable(one.text)}
        case Items():
            return {"kind": "items", "items": [printable(item) for item in one.items]}
        case _:
            return {
                "kind": "table",
                "caption": one.caption,
                "headings": list(one.headings),
                "widths": list(one.widths),
                "rows": [[printable(cell) for cell in row] for row in one.rows],
                "numbers": sorted(one.numbers),
                "total": one.has_total,
                "lines": [list(values) for values in one.lines],
                "line_column": one.line_column,
            }
