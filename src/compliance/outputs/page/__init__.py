"""The page: one file that opens from a file share, loads nothing, and can be read without its script."""

from __future__ import annotations

import base64
import hashlib
from functools import cache
from importlib import resources
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import jinja2

    from compliance.outputs.published import Published

MOST_FINDINGS = 1_500
LARGEST = 1_900_000
"""Bytes; beyond it fewer findings are shown, and the page says so."""


def written(published: Published) -> bytes:
    """The page as UTF-8 HTML, the same bytes for the same run."""
    from compliance.outputs.page.beneath import Beneath
    from compliance.outputs.page.contents import listed, steady

    always, beneath = steady(published), Beneath(published)
    most = 0 if published.public else MOST_FINDINGS
    page = _rendered({**always, **listed(published, beneath, most)})
    while len(page) > LARGEST and most:
        most = most * LARGEST * 19 // (len(page) * 20)
        page = _rendered({**always, **listed(published, beneath, most)})
    return page


def _rendered(told: dict[str, object]) -> bytes:
    style, script = _part("page.css"), _part("page.js")
    policy = (
        f"default-src 'none'; style-src '{digest(style)}'; script-src '{digest(script)}'; base-uri 'none'; form-action 'none'"
    )
    return _template().render(told, style=style, script=script, policy=policy).encode()


def digest(text: str) -> str:
    """The source expression that lets exactly this text through a content security policy."""
    return "sha256-" + base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()


@cache
def _part(name: str) -> str:
    return resources.files(__package__).joinpath("templates", name).read_text(encoding="utf-8")


@cache
def _template() -> jinja2.Template:
    import jinja2

    environment = jinja2.Environment(
        loader=jinja2.FunctionLoader(_part),
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    return environment.get_template("page.html")
