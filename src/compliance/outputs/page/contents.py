"""What the page says, as plain values for its template."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from compliance import __version__
from compliance.duties.findings import Finding
from compliance.outputs.disclosure import counted, counted_part, counted_together
from compliance.outputs.page import breaches, measures, risks, since
from compliance.outputs.page.beneath import Beneath
from compliance.outputs.page.risks import GLYPHS
from compliance.outputs.screen import number_of
from compliance.outputs.wording import day, short_day, spoken
from compliance.register.register import LadderState, PriorityAction, Register
from compliance.rulebook.model import SEVERITIES
from compliance.run import Run

if TYPE_CHECKING:
    from compliance.outputs.published import Published

SOONEST = 12
"""Rules of what falls due that show at once."""


def steady(published: Published) -> dict[str, object]:
    """What the template names and does not depend on how many findings are shown."""
    found, run = published.register, published.run
    soon = list(due_soon(published))
    return {
        "lang": "en-GB",
        "names": ", ".join(one.name for one in run.dataset.authorities[:5]),
        "as_of": day(run.as_of),
        "headline": headline(published),
        "clock": clock(run, found.ladder),
        "public": published.public,
        "ladder": ladder(found.ladder),
        "priority_actions": list(priority_actions(published)),
        "heat": heat_map(published),
        "risk_count": published.risk_counts.total,
        "measures": measures.table(published),
        "timeliness": measures.timeliness(published),
        "charts": measures.charts(published),
        "months": max((len(one.points) for one in published.series), default=0),
        "due_soon": soon[:SOONEST],
        "due_later": soon[SOONEST:],
        "due_total": counted_together([one.count for one in found.due_soon], public=published.public)[1],
        "confidence": list(confidence(found)),
        "left": list(not_evaluated(run)),
        "left_count": len(run.evaluation.not_evaluated),
        "conflicts": [
            {"title": one.rule.title, "answers": "; ".join(f"{name}: {answer}" for name, answer in one.answers)}
            for one in found.conflicts
        ],
        "breach_count": f"{sum(bool(one.breach) for one in published.findings):,}",
        "open_count": f"{sum(one.breach == 'open' for one in published.findings):,}",
        "severities": list(reversed(SEVERITIES)),
        "version": __version__,
        "rule_pack": run.rulebook.digest,
        "input": run.dataset.digest,
    }


def listed(published: Published, beneath: Beneath, most: int) -> dict[str, object]:
    """What the template names and depends on the findings shown, `most` at the most."""
    found = breaches.chosen(published, beneath, most)
    shown = {one.id: one for one in found}
    return {
        "kinds": list(risks.kinds(published, beneath, shown)),
        "changes": since.changes(published, shown),
        "findings": breaches.rows(published, found),
        "shown": f"{len(found):,}",
        "open_shown": f"{sum(one.breach == 'open' for one in found):,}",
        "themes": _themes(published, found),
        "teams": sorted({one.team for one in found if one.team}),
        "rules": breaches.rules(found, published.run),
    }


def _themes(published: Published, found: list[Finding]) -> list[str]:
    rules = [*(one.rule for one in found), *(one.rule for one in published.register.risks)]
    return sorted({spoken(rule.theme) for rule in rules})


def headline(published: Published) -> str:
    """The state of things in one sentence."""
    found, public = published.register, published.public
    still_open = [one for one in published.findings if one.breach == "open"]
    children = len({one.person_id for one in still_open if one.person_id})
    critical = sum(one.rule.severity == "critical" for one in still_open)
    extreme = sum(one.band == "extreme" for one in found.risks)
    kinds = len({one.rule.id for one in found.risks if one.band == "extreme"})
    grave = counted_part(critical, len(still_open), public=public)
    told = f"{counted(len(still_open), public=public)} duties are overdue, {grave} of them critical"
    told += f", and they concern {counted(children, public=public)} children"
    number = "" if public else f"{counted(extreme, public=False)} "
    risen = f"; {number}risks of {number_of(kinds, 'kind')} are extreme" if extreme else "; no risk is extreme"
    rung = next((one.title for one in found.ladder.rungs if one.id == found.ladder.highest_rung), None)
    return told + risen + (f", and the highest calls for: {rung}." if rung else ".")


def clock(run: Run, state: LadderState) -> str:
    """How long the notice has stood, and how long is left."""
    if state.notice_date is None:
        return ""
    told = f"Day {(run.as_of - state.notice_date).days} since the improvement notice of {day(state.notice_date)}"
    if state.target_date is None:
        return told
    left = (state.target_date - run.as_of).days
    return told + (f"; {left} days to {day(state.target_date)}" if left >= 0 else f"; {-left} days past {day(state.target_date)}")


def ladder(state: LadderState) -> dict[str, Any]:
    """The stages, which of them is in force, and why the next may follow."""
    stages = [
        {
            "title": one.title,
            "current": one.is_current,
            "reached": bool(one.reached),
            "since": day(one.reached),
            "warned": one.warned_by,
        }
        for one in state.stages
        if one.id != "none" or one.is_current
    ]
    return {"stages": stages, "why": state.why}


def priority_actions(published: Published) -> Iterator[dict[str, Any]]:
    """Each area for priority action with its state."""
    as_of = published.run.as_of
    for one in published.register.priority_actions:
        past = bool(one.due_date and one.due_date < as_of and not one.completed_date)
        yield {
            "title": one.title,
            "glyph": "✓" if one.completed_date or one.status == "completed" else "✗" if past else "…",
            "state": f"{spoken(one.status)}, past its date" if past else spoken(one.status),
            "due": short_day(one.due_date),
            "risks": _bearing(one, published),
        }


def _bearing(one: PriorityAction, published: Published) -> str:
    """How many risks bear on an action; in public how many kinds, for the kinds' own numbers would add up to the other."""
    if not published.public:
        return counted(len(one.risks), public=False)
    kinds = {each.rule.id for each in published.register.risks if each.id in one.risks}
    return f"risks of {number_of(len(kinds), 'kind')}" if kinds else "0"


def heat_map(published: Published) -> dict[str, Any]:
    """The number of risks at each likelihood and impact."""
    scoring, public = published.run.scoring, published.public
    counts = published.risk_counts.points
    rows = [
        {
            "score": point.score,
            "title": point.title,
            "cells": [_heat(counts.get((point.score, impact), ""), point.score * impact, published) for impact in range(1, 6)],
        }
        for point in reversed(scoring.likelihood)
    ]
    bands = [{"id": one.id, "title": one.title, "glyph": GLYPHS.get(one.id, ""), "from": one.lowest} for one in scoring.bands]
    return {"rows": rows, "impacts": scoring.impact, "bands": bands, "public": public}


def _heat(count: str, score: int, published: Published) -> dict[str, Any]:
    band = published.run.scoring.band(score)
    return {"count": count, "score": score, "band": band.id, "title": band.title.lower()}


def due_soon(published: Published) -> Iterator[dict[str, Any]]:
    """What falls due within thirty days, by rule."""
    ordered = sorted(published.register.due_soon, key=lambda each: (-each.within_7_days, -each.count, each.rule.id))
    words, _ = counted_together([one.count for one in ordered], public=published.public)
    for one, count in zip(ordered, words, strict=True):
        yield {
            "id": one.rule.id,
            "title": one.rule.title,
            "count": count,
            "week": counted_part(one.within_7_days, one.count, public=published.public),
            "first": short_day(one.first),
            "theme": spoken(one.rule.theme),
        }


def confidence(found: Register) -> Iterator[dict[str, Any]]:
    """How far the answer can be relied on, by theme."""
    for one in found.confidence:
        yield {
            "theme": spoken(one.theme),
            "word": one.word,
            "glyph": {"high": "●", "medium": "◐", "low": "○"}[one.word],
            "evaluated": f"{one.evaluated} of {one.rules}",
            "duties": f"{one.duties:,}",
            "unknown": f"{one.unknown:,}",
            "unread": one.unread_law,
        }


def not_evaluated(run: Run) -> Iterator[dict[str, Any]]:
    """The rules that could not be evaluated, by what they lack."""
    reasons: dict[str, list[str]] = {}
    for one in run.evaluation.not_evaluated:
        reasons.setdefault(one.reason, []).append(one.rule)
    for reason, rules in sorted(reasons.items(), key=lambda pair: (-len(pair[1]), pair[0])):
        yield {"reason": reason, "rules": ", ".join(rules), "count": len(rules)}
