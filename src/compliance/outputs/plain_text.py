"""The findings as text in a file."""

from __future__ import annotations

import io
from typing import TYPE_CHECKING

from rich.console import Console

from compliance.outputs.terminal import print_check

if TYPE_CHECKING:
    from compliance.outputs.published import Published

WIDTH = 160


def written(published: Published) -> bytes:
    """Every finding on a line, without colour."""
    buffer = io.StringIO()
    print_check(Console(file=buffer, width=WIDTH, no_color=True), published.run, published.findings, limit=0)
    return buffer.getvalue().encode()
