"""The breaches on the page, each with the story that explains it, and the rules with the law that the stories share."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING, Any

from compliance.duties.findings import Finding
from compliance.outputs.documents import citations
from compliance.outputs.page.beneath import Beneath
from compliance.outputs.page.risks import FINDINGS_A_RISK, GLYPHS
from compliance.outputs.places import subject
from compliance.outputs.wording import day, spoken
from compliance.register.explain import SourceRow, Story, rule_story, stories
from compliance.rulebook.model import SEVERITIES, Rule
from compliance.run import Run

if TYPE_CHECKING:
    from compliance.outputs.published import Published

SAID_OF_ALL = frozenset({"person_id", "worker_id"})
"""Columns that the row of the list names already."""


def chosen(published: Published, beneath: Beneath, most: int) -> list[Finding]:
    """The findings on the page: first some that each risk rests on, then the open breaches, the most severe first."""
    wanted: dict[str, None] = {}
    for one in published.register.risks if most else ():
        wanted |= dict.fromkeys(each.id for each in beneath.findings(one)[:FINDINGS_A_RISK])
    for name, each in beneath.breaches.items():
        if each.breach == "open":
            wanted.setdefault(name)
    kept = set(list(wanted)[:most])
    return [one for one in published.findings if one.id in kept]


def rows(published: Published, shown: list[Finding]) -> list[dict[str, Any]]:
    """The breaches as rows, each with its explanation."""
    told = stories(published.run, shown)
    return [_row(one, told[one.id], published) for one in shown]


def _row(one: Finding, told: Story, published: Published) -> dict[str, Any]:
    return {
        "id": one.id,
        "rule": one.rule.id,
        "theme": spoken(one.rule.theme),
        "severity": one.rule.severity,
        "rank": SEVERITIES.index(one.rule.severity),
        "glyph": GLYPHS[one.rule.severity],
        "who": subject(one),
        "team": one.team or "",
        "worker": one.worker_id or "",
        "due": one.due_date.isoformat() if one.due_date else "",
        "over": one.days_over or 0,
        "status": one.status,
        "message": one.message(),
        "clock": [words.strip() for words in told.clock[:-1]],
        "branch": list(_branch(one)),
        "rows": [_source(row, one) for row in told.rows] if published.pseudonyms is None else _hidden(one),
    }


def _branch(one: Finding) -> Iterator[str]:
    """What holds for this finding and not for its whole rule: how far its branch of the law was read, and its waiver."""
    if one.verified != one.rule.verified:
        yield f"law of this case: {READ[one.verified]}"
    if one.waived:
        yield f"waived by {one.waived.approver} until {day(one.waived.expires)}: {one.waived.reason}"


def _hidden(one: Finding) -> list[dict[str, str]]:
    """The rows under their pseudonyms: what they say would name people."""
    return [{"role": "row", "place": row.place(), "says": ""} for row in one.evidence]


def _source(row: SourceRow, one: Finding) -> dict[str, str]:
    """A row of the data: where it stands, and what it says."""
    known = {one.person_id, one.worker_id}
    said = [f"{name} {value}" for name, value in row.values if not (name in SAID_OF_ALL and value in known)]
    return {"role": row.role, "place": row.place, "says": "; ".join(said)}


READ = {
    "text": "the law's own text was read",
    "secondary": "not verified: read in a secondary source",
    "recalled": "not verified: recalled, not read",
}


def rules(shown: Iterable[Finding], run: Run) -> list[dict[str, Any]]:
    """The rules of these findings, by id, each with its law and what was considered for all of its duties."""
    found = {one.rule.id: one.rule for one in shown}
    return [_rule(found[name], run) for name in sorted(found)]


def _rule(rule: Rule, run: Run) -> dict[str, Any]:
    cited, told = citations(rule, run.rulebook)[0], rule_story(run, rule)
    return {
        "id": rule.id,
        "title": rule.title,
        "law": rule.law,
        "cited": f"{cited['instrument']}, {cited['provision']}",
        "url": cited["url"] if str(cited["url"] or "").startswith(("https://", "http://")) else None,
        "standing": spoken(rule.standing),
        "read": READ[rule.verified],
        "reading": rule.reading,
        "exceptions": list(told.exceptions),
        "branches": list(told.branches),
        "unknown": list(told.unknown),
        "beside": list(told.beside),
    }
