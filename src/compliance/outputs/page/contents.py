"""What the page says, as plain values for its template."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import TYPE_CHECKING, Any

from compliance import __version__
from compliance.duties.findings import Finding
from compliance.outputs.disclosure import counted, counted_part, counted_together
from compliance.outputs.documents import citations
from compliance.outputs.page.figures import bar, line
from compliance.outputs.places import subject
from compliance.outputs.screen import number_of
from compliance.outputs.wording import body_of, comparator, compared, day, fraction_words, hidden, spoken, value_words
from compliance.register.register import LadderState, MeasureValue, PriorityAction, Register
from compliance.risks.assess import Risk
from compliance.rulebook.model import SEVERITIES, Escalation, Rule
from compliance.run import Run

if TYPE_CHECKING:
    from compliance.outputs.published import Published

RISKS_A_KIND = 12
FINDINGS_A_RISK = 6
GLYPHS = {"critical": "◆", "high": "▲", "medium": "●", "low": "○", "extreme": "◆", "moderate": "●"}
PLURALS = {"child": "children", "carer": "carers", "worker": "workers", "team": "teams", "item": "items", "authority": "councils"}
UNITS_WITH_BARS = ("percent", "per_worker", "days", "ratio")


def contents(published: Published, most: int) -> dict[str, object]:
    """Everything the template names; `most` findings at the most."""
    found = published.register
    shown = chosen(published, most)
    run = published.run
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
        "kinds": list(kinds(published, {one.id: one for one in shown})),
        "risk_count": published.risk_counts.total,
        "measures": list(measures(published)),
        "due_soon": list(due_soon(published)),
        "due_total": counted_together([one.count for one in found.due_soon], public=published.public)[1],
        "confidence": list(confidence(found)),
        "left": list(not_evaluated(run)),
        "left_count": len(run.evaluation.not_evaluated),
        "conflicts": [
            {"title": one.rule.title, "answers": "; ".join(f"{name}: {answer}" for name, answer in one.answers)}
            for one in found.conflicts
        ],
        "findings": [finding(one) for one in shown],
        "shown": f"{len(shown):,}",
        "open_shown": f"{sum(one.breach == 'open' for one in shown):,}",
        "breach_count": f"{sum(bool(one.breach) for one in published.findings):,}",
        "open_count": f"{sum(one.breach == 'open' for one in published.findings):,}",
        "themes": sorted({spoken(one.rule.theme) for one in shown} | {spoken(one.rule.theme) for one in found.risks}),
        "teams": sorted({one.team for one in shown if one.team}),
        "severities": list(reversed(SEVERITIES)),
        "rules": [rule_entry(rule, run) for rule in _rules(shown)],
        "version": __version__,
        "rule_pack": run.rulebook.digest,
        "input": run.dataset.digest,
    }


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
            "due": day(one.due_date),
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


def kinds(published: Published, shown: dict[str, Finding]) -> Iterator[dict[str, Any]]:
    """The risks of each kind together, the highest kind first."""
    grouped: dict[str, list[Risk]] = {}
    for one in published.register.risks:
        grouped.setdefault(one.rule.id, []).append(one)
    for group in grouped.values():
        first = group[0]
        body = first.rule.body
        assert isinstance(body, Escalation)
        listed = [] if published.public and first.scope_type != "authority" else group[:RISKS_A_KIND]
        yield {
            "rule": first.rule.id,
            "title": first.title,
            "score": first.score,
            "band": first.band,
            "glyph": GLYPHS.get(first.band, ""),
            "theme": spoken(first.rule.theme),
            "rung": published.run.ladder.rung(published.run.ladder.rank(first.rung)).title,
            "scope": _scope(group, published),
            "consequence": body.consequence,
            "law": first.rule.law,
            "provision": first.rule.provision,
            "risks": [risk(one, published, shown) for one in listed],
            "more": len(group) - len(listed) if listed else 0,
        }


def _scope(group: Sequence[Risk], published: Published) -> str:
    first = group[0]
    if len(group) > 1 or (published.public and first.scope_type != "authority"):
        return f"{published.risk_counts.kinds[first.rule.id]} {PLURALS.get(first.scope_type, first.scope_type)}"
    return "the council" if first.scope_type == "authority" else f"{first.scope_type} {first.scope_id}"


def risk(one: Risk, published: Published, shown: dict[str, Finding]) -> dict[str, Any]:
    """One risk: its arithmetic, its reason, what people decided, and the findings under it."""
    scale = published.run.scoring
    standing = published.register.standings.get(one.id)
    body = one.rule.body
    assert isinstance(body, Escalation)
    under = [shown[name] for name in one.because if name in shown]
    risks = {each.id: each for each in published.register.risks}
    causes = [risks[name] for name in one.because if name in risks]
    counted_on = list(_numbers(one, published))
    others = one.cause_count - len(under) - len(causes) - len(counted_on)
    return {
        "id": one.id,
        "scope": "the council" if one.scope_type == "authority" else f"{one.scope_type} {one.scope_id}",
        "reason": one.reason,
        "arithmetic": f"likelihood {one.likelihood} ({scale.likelihood[one.likelihood - 1].title.lower()})"
        f" × impact {one.impact} ({scale.impact[one.impact - 1].title.lower()}) = {one.score}, {one.band}",
        "owner": (standing.owner if standing else body.owner) or "nobody recorded",
        "direction": (standing.direction if standing else None) or "",
        "spark": line([*standing.previous_scores, one.score], 0, 25) if standing and standing.previous_scores else "",
        "causes": [
            {"id": each.id if _is_listed(each, published) else None, "words": f"{each.title}: {each.reason}"} for each in causes
        ],
        "numbers": counted_on,
        "findings": [
            {"id": each.id, "words": f"{each.rule.id}, {subject(each)}: {each.message()}"} for each in under[:FINDINGS_A_RISK]
        ],
        "more": max(others, 0) + max(len(under) - FINDINGS_A_RISK, 0),
    }


def _is_listed(one: Risk, published: Published) -> bool:
    """True where the page shows the risk itself, so that a cause can link to it."""
    if published.public and one.scope_type != "authority":
        return False
    kind = [each.id for each in published.register.risks if each.rule.id == one.rule.id]
    return one.id in kind[:RISKS_A_KIND]


def _numbers(one: Risk, published: Published) -> Iterator[str]:
    """The measures and tallies under a risk, in words."""
    known = {(each.authority, each.rule.id, each.scope_type, each.scope_id): each for each in published.measures}
    rules = published.run.rulebook.rules
    for name in one.because:
        first, _, rest = name.replace(f"{one.authority}/", "").partition(":")
        scope, _, scope_id = rest.partition(":")
        measure = known.get((one.authority, first, scope, scope_id))
        if measure is not None:
            fraction = fraction_words(measure, public=published.public)
            yield f"{measure.rule.title}: {value_words(measure, public=published.public)}" + (
                f" ({fraction})" if fraction else ""
            )
        elif rest and not published.public:
            what = rules[first].title if first in rules else spoken(first)
            yield f"breaches counted for {scope} {scope_id}: {what}"


def chosen(published: Published, most: int) -> list[Finding]:
    """The findings on the page: first some that each risk rests on, then the open breaches, the most severe first."""
    known = {one.id: one for one in published.findings if one.breach}
    wanted: dict[str, None] = {}
    seen: dict[str, int] = {}
    for one in published.register.risks:
        seen[one.rule.id] = seen.get(one.rule.id, 0) + 1
        if seen[one.rule.id] <= RISKS_A_KIND:
            under = [name for name in one.because if name in known][:FINDINGS_A_RISK]
            wanted |= dict.fromkeys(under)
    for name, each in known.items():
        if each.breach == "open":
            wanted.setdefault(name)
    kept = set(list(wanted)[:most])
    return [one for one in published.findings if one.id in kept]


def measures(published: Published) -> Iterator[dict[str, Any]]:
    """The council's measures, those with a target or an England figure first."""
    as_of = published.run.as_of
    council = [one for one in published.measures if one.scope_type == "authority"]
    ranked = sorted(
        council, key=lambda one: (comparator(one, "england", as_of) is None and one.target is None, one.rule.theme, one.rule.id)
    )
    for one in ranked:
        england = comparator(one, "england", as_of)
        covered = hidden(one, public=published.public)
        yield {
            "id": one.rule.id,
            "title": one.rule.title,
            "theme": spoken(one.rule.theme),
            "value": value_words(one, public=published.public),
            "fraction": fraction_words(one, public=published.public),
            "target": "" if one.target is None else f"{one.target:g}",
            "met": "" if covered else compared(one, one.target),
            "england": f"{england.value:g} ({england.date.year})" if england else "",
            "beside": "" if covered or not england else _beside(one, england.value),
            "better": body_of(one).better,
            "bar": "" if covered else _bar(one, england.value if england else None),
            "compared": bool(england) or one.target is not None,
        }


def _beside(one: MeasureValue, england: float) -> str:
    word = compared(one, england)
    return {"met": "as good as England or better", "not met": "not as good as England"}.get(word, "")


def _bar(one: MeasureValue, england: float | None) -> str:
    if one.value is None or body_of(one).unit not in UNITS_WITH_BARS:
        return ""
    beside = [number for number in (one.value, one.target, england) if number is not None]
    scale = 100.0 if body_of(one).unit == "percent" else 1.25 * max(beside)
    return bar(one.value, one.target, england, scale)


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
            "first": day(one.first),
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


def finding(one: Finding) -> dict[str, Any]:
    """One breach, with what explains it."""
    return {
        "id": one.id,
        "rule": one.rule.id,
        "title": one.rule.title,
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
        "explained": list(_explained(one)),
        "sources": [row.place() for row in one.evidence],
    }


def _explained(one: Finding) -> Iterator[str]:
    """The clock of a finding in a few sentences."""
    if one.trigger_date:
        yield f"The clock started on {day(one.trigger_date)}."
    if one.period and one.due_date:
        word = "before" if one.trigger_date and one.due_date < one.trigger_date else "after"
        yield f"{one.period} {word} that is {day(one.due_date)}."
    elif one.due_date:
        yield f"It was due by {day(one.due_date)}."
    if one.variant:
        yield f"Judged as: {one.variant}."
    if one.done_date:
        yield f"It was done on {day(one.done_date)}."
    if one.waived:
        yield f"Waived by {one.waived.approver} until {day(one.waived.expires)}: {one.waived.reason}."


def _rules(shown: Iterable[Finding]) -> list[Rule]:
    rules = {one.rule.id: one.rule for one in shown}
    return [rules[name] for name in sorted(rules)]


def rule_entry(rule: Rule, run: Run) -> dict[str, Any]:
    """The law behind a rule."""
    cited = citations(rule, run.rulebook)[0]
    read = {
        "text": "the law's own text was read",
        "secondary": "not verified: read in a secondary source",
        "recalled": "not verified: recalled, not read",
    }
    return {
        "id": rule.id,
        "title": rule.title,
        "law": rule.law,
        "cited": f"{cited['instrument']}, {cited['provision']}",
        "url": cited["url"] if str(cited["url"] or "").startswith(("https://", "http://")) else None,
        "standing": spoken(rule.standing),
        "read": read[rule.verified],
    }
