"""What each path is: worked out from its content, said with the reason, and handed to the reader that knows it."""

from __future__ import annotations

from importlib import import_module
from importlib.util import find_spec
from typing import cast

from compliance.sources.reader import Reader

READERS = ("annex_a", "ssda903", "cin_census", "csww", "ssd", "dfe_api", "canonical_files")
"""The modules of this package that read a format, in the order in which they are asked; the first to say why has the file."""


def readers() -> list[Reader]:
    """The readers that there are, each a module of this package."""
    names = [f"{__package__}.{name}" for name in READERS]
    return [cast(Reader, import_module(name)) for name in names if find_spec(name)]
