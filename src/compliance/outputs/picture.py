"""The register's screen as a picture, for documents."""

from __future__ import annotations

import io
import re
from pathlib import Path

from rich.console import Console

from compliance.outputs.files import write_private
from compliance.outputs.register_screen import print_register
from compliance.register.register import Register

WIDTH = 140
FONT_FETCHED = re.compile(r"@font-face \{.*?\}", re.DOTALL)
"""rich's picture fetches a font from the network; ours uses what the viewer has."""


def register_svg(found: Register, path: Path, *, top: int | None = None) -> None:
    """Writes the screen as SVG."""
    console = Console(
        record=True, width=WIDTH, file=io.StringIO(), force_terminal=True, color_system="truecolor", highlight=False
    )
    print_register(console, found, top=top)
    svg = console.export_svg(title="compliance register", unique_id="register")
    write_private(path, FONT_FETCHED.sub("", svg).encode())
