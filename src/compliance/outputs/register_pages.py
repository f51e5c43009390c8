"""What a person reads in the terminal of changes, trends, work to do, forecasts and equality."""

from __future__ import annotations

from collections.abc import Sequence

from rich.console import Console

from compliance.outputs.terminal import BAND_GLYPHS, GLYPHS, STYLES, line
from compliance.register.changes import Changes, Document, by_rule
from compliance.register.equality import METHOD, NOT_ENOUGH, Characteristic, Group


def print_changes(console: Console, found: Changes, *, limit: int) -> None:
    """What changed between two runs: the sentence, then the lists by rule."""
    line(console, (f"From {found.before} to {found.after}: ", "bold"), (found.summary(), "bold"))
    for note in found.notes:
        line(console, ("! note: ", "yellow"), note)
    lists = (("+", "New", found.new), ("✓", "Cleared", found.cleared), ("▲", "Worse", found.worse), ("~", "Waived", found.waived))
    for glyph, title, listed in lists:
        _changed(console, glyph, title, listed, limit)
    line(console, ("Risks: ", "bold"), found.risk_summary())
    for glyph, risks in (("+", found.risks_new), ("✓", found.risks_cleared), ("▲", found.risks_worse), ("▼", found.risks_better)):
        for rule, title, count in by_rule(risks)[: limit or None]:
            worst = max(risks, key=lambda one: (one["rule"] == rule, one["score"]))
            line(console, f"  {glyph} {count:>4}  {BAND_GLYPHS.get(worst['band'], '')} {title} ", (rule, "dim"))


def _changed(console: Console, glyph: str, title: str, found: Sequence[Document], limit: int) -> None:
    if not found:
        return
    line(console, (title, "bold"), f"  {len(found)}")
    severity = {one["rule"]: one["severity"] for one in found}
    rules = by_rule(found)
    for rule, words, count in rules[: limit or None]:
        mark = severity[rule]
        line(console, f"  {glyph} {count:>4}  ", (f"{GLYPHS[mark]} {mark} ", STYLES[mark]), words, (f"  {rule}", "dim"))
    if limit and len(rules) > limit:
        line(console, (f"    … {len(rules) - limit} more rules: --limit 0", "dim"))


def print_equality(console: Console, found: Sequence[Characteristic]) -> None:
    """Breach rates by protected characteristic."""
    line(console, ("Equality: children with an open breach, by protected characteristic", "bold"))
    for one in found:
        if not one.held:
            line(console, f"  – {one.name}: ", ("not held in the data", "dim"))
            continue
        line(console, f"  {one.name}", (f"  {_missing(one.not_recorded)}", "dim"))
        for group in one.groups:
            line(console, f"    {group.name}: {_group(group)}")
    line(console, (f"  {METHOD}", "dim"))


def _missing(count: int) -> str:
    return f"not recorded for {count} children" if count >= 10 else "not recorded for fewer than ten" if count else ""


def _group(one: Group) -> str:
    if not one.enough:
        return NOT_ENOUGH
    low, high = one.interval()
    words = f"{100 * one.rate:.1f}% ({one.breached} of {one.children}; {100 * low:.1f} to {100 * high:.1f})"
    ratio = one.ratio()
    if one.is_reference:
        return f"{words}, the group that others are set beside"
    if ratio is None:
        return f"{words}, ratio: {NOT_ENOUGH}"
    clear = "" if ratio[1] <= 1 <= ratio[2] else ", clearly higher" if ratio[0] > 1 else ", clearly lower"
    return f"{words}, ratio {ratio[0]:.2f} ({ratio[1]:.2f} to {ratio[2]:.2f}){clear}"
