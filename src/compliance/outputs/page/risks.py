"""The risks as the page shows them: kind by kind, each opening to what it rests on."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from compliance.duties.findings import Finding
from compliance.outputs.page.beneath import Beneath
from compliance.outputs.page.figures import line
from compliance.outputs.places import subject
from compliance.outputs.wording import day, short_day, spoken
from compliance.register.merge import Standing
from compliance.register.trend import Series
from compliance.risks.assess import Risk
from compliance.rulebook.model import Escalation

if TYPE_CHECKING:
    from compliance.outputs.published import Published

RISKS_A_KIND = 12
"""Those of a kind that show at once; the others open with a further step."""
FINDINGS_A_RISK = 6
GLYPHS = {"critical": "◆", "high": "▲", "medium": "●", "low": "○", "extreme": "◆", "moderate": "●"}
PLURALS = {"child": "children", "carer": "carers", "worker": "workers", "team": "teams", "item": "items", "authority": "councils"}


def by_kind(risks: Sequence[Risk]) -> list[list[Risk]]:
    """The risks of each kind together, the highest kind first."""
    grouped: dict[str, list[Risk]] = {}
    for one in risks:
        grouped.setdefault(one.rule.id, []).append(one)
    return list(grouped.values())


def kinds(published: Published, beneath: Beneath, shown: Mapping[str, Finding]) -> Iterator[dict[str, Any]]:
    """Each kind of risk with its direction and its risks."""
    for group in by_kind(published.register.risks):
        first = group[0]
        body = first.rule.body
        assert isinstance(body, Escalation)
        listed = [] if published.public and first.scope_type != "authority" else group
        told = [risk(one, published, beneath, shown) for one in listed]
        yield {
            "rule": first.rule.id,
            "title": first.title,
            "score": first.score,
            "band": first.band,
            "glyph": GLYPHS.get(first.band, ""),
            "theme": spoken(first.rule.theme),
            "rung": published.run.ladder.rung(published.run.ladder.rank(first.rung)).title,
            "scope": _scope(group, published),
            "trend": direction(published.series_of(first.rule.id, first.authority), published),
            "consequence": body.consequence,
            "law": first.rule.law,
            "provision": first.rule.provision,
            "risks": told[:RISKS_A_KIND],
            "rest": told[RISKS_A_KIND:],
        }


def _scope(group: Sequence[Risk], published: Published) -> str:
    first = group[0]
    if len(group) > 1 or (published.public and first.scope_type != "authority"):
        return f"{published.risk_counts.kinds[first.rule.id]} {PLURALS.get(first.scope_type, first.scope_type)}"
    return _who(first)


def _who(one: Risk) -> str:
    return "the council" if one.scope_type == "authority" else f"{one.scope_type} {one.scope_id}"


def direction(series: Series | None, published: Published) -> dict[str, Any] | None:
    """How many risks of a kind there were at each month end, as a line and in words; None in public where they are of people."""
    if series is None or len(series.values) < 2:
        return None
    values, first = series.values, series.points[0]
    people = series.rule.escalation is None or series.rule.escalation.scope != "authority"
    if published.public and people:
        return None
    words = f"{values[0]:g} in {first.day:%b %Y}, {values[-1]:g} now" if people else _raised(series)
    return {"line": line(values, 0, max(values) or 1), "words": words}


def _raised(series: Series) -> str:
    """Since when a risk of the whole council has stood."""
    stands = 0
    for value in reversed(series.values):
        if not value:
            break
        stands += 1
    if stands == len(series.points):
        return f"raised at every month end since {series.points[0].day:%b %Y}"
    return f"raised since {series.points[-stands].day:%b %Y}" if stands else "newly raised"


def risk(one: Risk, published: Published, beneath: Beneath, shown: Mapping[str, Finding]) -> dict[str, Any]:
    """One risk: its arithmetic, its reason, what people decided, and the findings under it."""
    standing = published.register.standings.get(one.id)
    causes, numbers = beneath.causes(one), list(beneath.numbers(one))
    under = beneath.findings(one)
    linked = [each for each in under if each.id in shown][:FINDINGS_A_RISK]
    named = sum(name in beneath.breaches for name in one.because)
    unnamed = one.cause_count - len(causes) - len(numbers) - named
    return {
        "id": one.id,
        "scope": _who(one),
        "reason": one.reason,
        "arithmetic": _arithmetic(one, published),
        "decided": list(_decided(standing)),
        "spark": line([*standing.previous_scores, one.score], 0, 25) if standing and standing.previous_scores else "",
        "causes": [{"id": each.id if _is_listed(each, published) else None, "words": _said(each)} for each in causes],
        "numbers": numbers,
        "findings": [{"id": each.id, "words": f"{each.rule.id}, {subject(each)}: {each.message()}"} for each in linked],
        "more": max(unnamed, 0) + len(under) - len(linked) if not published.public else 0,
    }


def _is_listed(one: Risk, published: Published) -> bool:
    """True where the page shows the risk itself, so that a cause can link to it."""
    return one.scope_type == "authority" or not published.public


def _said(one: Risk) -> str:
    return f"{one.title}: {one.reason}"


def _arithmetic(one: Risk, published: Published) -> str:
    scale = published.run.scoring
    likelihood = scale.likelihood[one.likelihood - 1].title.lower()
    impact = scale.impact[one.impact - 1].title.lower()
    return f"likelihood {one.likelihood} ({likelihood}) × impact {one.impact} ({impact}) = {one.score}, {one.band}"


def _decided(standing: Standing | None) -> Iterator[str]:
    """What people decided of a risk and how it moved since the last run."""
    if standing is None:
        return
    yield f"owner: {standing.owner or 'nobody recorded'}"
    if standing.current.score != standing.inherent.score:
        yield f"current score {standing.current.arithmetic}"
    if standing.target:
        yield f"target {standing.target.arithmetic}"
    if standing.direction:
        yield "new since the last run" if standing.direction == "new" else f"{standing.direction} since the last run"
    if standing.waived:
        yield f"waived by {standing.waived.approver} until {day(standing.waived.expires)}: {standing.waived.reason}"
    decision = standing.decision
    if decision is None:
        return
    for action in decision.actions:
        who = f", {action.owner}" if action.owner else ""
        when = f"done {short_day(action.done)}" if action.done else f"due {short_day(action.due)}"
        yield f"action: {action.action}{who}, {when}"
    if decision.controls:
        yield f"controls: {'; '.join(decision.controls)}"
    if decision.next_review:
        yield f"next review {short_day(decision.next_review)}"
