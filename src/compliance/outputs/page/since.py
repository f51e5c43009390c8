"""What changed since an earlier run, as the page shows it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from compliance.duties.findings import Finding
from compliance.outputs.disclosure import counted, counted_part
from compliance.outputs.page.risks import GLYPHS
from compliance.outputs.wording import short_day
from compliance.register.changes import Changes, Document, by_rule

if TYPE_CHECKING:
    from compliance.outputs.published import Published

LISTED = 5
"""Breaches of a rule that are named in a list of changes."""


def changes(published: Published, shown: Mapping[str, Finding]) -> dict[str, Any] | None:
    """What is new, cleared, still open, worse and waived; None where there is no earlier run."""
    found = published.changes
    if found is None:
        return _against_baseline(published)
    public = published.public
    return {
        "from": short_day(published.history[-1].as_of),
        "summary": _counts(found, published),
        "notes": list(found.notes),
        "risk_summary": [] if public else [_count(words, len(risks)) for words, risks in _risks(found)],
        "risks": [] if public else [_titles(words, risks) for words, risks in _risks(found) if risks],
        "lists": [] if public else list(_lists(found, shown)),
    }


def _against_baseline(published: Published) -> dict[str, Any] | None:
    if published.known is None:
        return None
    found = {one.id for one in published.findings if one.breach}
    known = published.known
    counts = (("+ new", found - known), ("= still found", found & known), ("✓ no longer found", known - found))
    summary = [_count(words, len(ids)) for words, ids in counts]
    return {"from": "the baseline", "summary": summary, "notes": [], "risk_summary": [], "risks": [], "lists": []}


def _counts(found: Changes, published: Published) -> list[dict[str, str]]:
    """How many breaches there are of each; in public none that is small, nor one that leaves a small rest."""
    worse = counted_part(len(found.worse), len(found.still_open), public=published.public)
    kinds = (("+ new", found.new), ("✓ cleared", found.cleared), ("= still open", found.still_open), ("~ waived", found.waived))
    told = [{"words": words, "count": counted(len(listed), public=published.public)} for words, listed in kinds]
    return [*told[:3], {"words": "▲ of those, worse", "count": worse}, told[3]]


def _count(words: str, number: int) -> dict[str, str]:
    return {"words": words, "count": f"{number:,}"}


def _risks(found: Changes) -> tuple[tuple[str, Sequence[Document]], ...]:
    return (
        ("+ new", found.risks_new),
        ("✓ cleared", found.risks_cleared),
        ("▲ worse", found.risks_worse),
        ("▼ better", found.risks_better),
    )


def _titles(words: str, listed: Sequence[Document]) -> dict[str, str]:
    kinds = [f"{title} ({count})" for _, title, count in by_rule(listed)]
    return {"words": words, "titles": "; ".join(kinds)}


def _lists(found: Changes, shown: Mapping[str, Finding]) -> Iterator[dict[str, Any]]:
    for title, listed in (("New", found.new), ("Cleared", found.cleared), ("Worse", found.worse), ("Waived", found.waived)):
        if listed:
            yield {"title": title, "count": f"{len(listed):,}", "rules": list(_by_rule(listed, shown))}


def _by_rule(listed: Sequence[Document], shown: Mapping[str, Finding]) -> Iterator[dict[str, Any]]:
    severity = {one["rule"]: one["severity"] for one in listed}
    for rule, title, count in by_rule(listed):
        of_rule = [one for one in listed if one["rule"] == rule][:LISTED]
        yield {
            "rule": rule,
            "title": title,
            "count": f"{count:,}",
            "severity": severity[rule],
            "glyph": GLYPHS[severity[rule]],
            "findings": [
                {"id": one["id"] if one["id"] in shown else None, "words": f"{_who(one)}: {one['message']}"} for one in of_rule
            ],
            "more": max(count - LISTED, 0),
        }


def _who(one: Document) -> str:
    kind, name = one["subject"]["type"], one["subject"]["id"]
    return f"child {one['person_id']}" if one["person_id"] and kind != "child" else f"{kind} {name}"
