"""What changed between two runs, by the ids of findings and risks."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from compliance.register.saved import SavedRun

WORSE_DAYS = 28
Document = Mapping[str, Any]


@dataclass(frozen=True)
class Changes:
    """The breaches and risks of two runs, sorted into what became of them; every list holds documents of the later run.

    `cleared` and `gone` hold those of the earlier one. `still_open` includes the worse.
    """

    before: str
    after: str
    notes: tuple[str, ...]
    new: tuple[Document, ...]
    cleared: tuple[Document, ...]
    still_open: tuple[Document, ...]
    worse: tuple[Document, ...]
    waived: tuple[Document, ...]
    gone: tuple[Document, ...]
    closed_in_both: int
    risks_new: tuple[Document, ...]
    risks_cleared: tuple[Document, ...]
    risks_worse: tuple[Document, ...]
    risks_better: tuple[Document, ...]
    risks_unchanged: int

    def summary(self) -> str:
        """`12 new, 5 cleared, 88 unchanged`, and how many of what else there is."""
        unchanged = len(self.still_open) - len(self.worse)
        parts = [f"{len(self.new)} new", f"{len(self.cleared)} cleared", f"{unchanged} unchanged"]
        parts += [f"{len(found)} {word}" for word, found in (("worse", self.worse), ("waived", self.waived)) if found]
        parts += [f"{len(self.gone)} closed ones no longer found"] if self.gone else []
        return ", ".join(parts)

    def risk_summary(self) -> str:
        """The same of risks."""
        parts = [f"{len(self.risks_new)} new", f"{len(self.risks_cleared)} cleared", f"{self.risks_unchanged} unchanged"]
        parts += [f"{len(found)} {word}" for word, found in (("worse", self.risks_worse), ("better", self.risks_better)) if found]
        return ", ".join(parts)


def compare(before: SavedRun, after: SavedRun) -> Changes:
    """What changed from one run to a later one.

    New: a breach that was none before. Cleared: open before, and now put right, ended, or no longer found.
    Still open: open in both; worse where the measured value is further from its bound, or where it has since become four weeks
    overdue. A breach that is waived now is counted as waived and nowhere else.
    """
    then, now = _breaches(before), _breaches(after)
    waived = [one for one in now.values() if one.get("waived")]
    shown = {name: one for name, one in now.items() if not one.get("waived")}
    new = [one for name, one in shown.items() if name not in then or (_is_open(one) and not _is_open(then[name]))]
    still = [one for name, one in shown.items() if name in then and _is_open(one) and _is_open(then[name])]
    cleared = [one for name, one in then.items() if _is_open(one) and not (name in now and _is_open(now[name]))]
    return Changes(
        before=before.as_of.isoformat(),
        after=after.as_of.isoformat(),
        notes=tuple(_notes(before, after)),
        new=tuple(new),
        cleared=tuple(cleared),
        still_open=tuple(still),
        worse=tuple(one for one in still if _is_worse(then[one["id"]], one)),
        waived=tuple(waived),
        gone=tuple(one for name, one in then.items() if not _is_open(one) and name not in now),
        closed_in_both=sum(name in then and not _is_open(one) and not _is_open(then[name]) for name, one in shown.items()),
        **_risk_changes(before, after),
    )


def _breaches(one: SavedRun) -> dict[str, Document]:
    return {finding["id"]: finding for finding in one.check["findings"] if finding["breach"]}


def _is_open(finding: Document) -> bool:
    return bool(finding["breach"] == "open")


def _is_worse(then: Document, now: Document) -> bool:
    """Whether a breach open in both is further from its bound, or has become four weeks overdue since."""
    if now["value"] is not None and then["value"] is not None and now["bound"] is not None:
        return bool(abs(now["value"] - now["bound"]) > abs(then["value"] - (then["bound"] or 0)))
    return bool((then["days_over"] or 0) < WORSE_DAYS <= (now["days_over"] or 0))


def _risk_changes(before: SavedRun, after: SavedRun) -> dict[str, Any]:
    then = {risk["id"]: risk for risk in before.register["risks"]}
    now = {risk["id"]: risk for risk in after.register["risks"]}
    both = [(then[name], risk) for name, risk in now.items() if name in then]
    worse = [risk for old, risk in both if _standing(risk) > _standing(old)]
    better = [risk for old, risk in both if _standing(risk) < _standing(old)]
    return {
        "risks_new": tuple(risk for name, risk in now.items() if name not in then),
        "risks_cleared": tuple(risk for name, risk in then.items() if name not in now),
        "risks_worse": tuple(worse),
        "risks_better": tuple(better),
        "risks_unchanged": len(both) - len(worse) - len(better),
    }


def _standing(risk: Document) -> tuple[int, int]:
    """How bad a risk is: its current score, then how much lies behind it."""
    current = risk.get("current")
    return (current["score"] if current else risk["score"], risk["cause_count"])


def _notes(before: SavedRun, after: SavedRun) -> Iterable[str]:
    """What else differs between the runs, so that a change may not be one of practice."""
    if before.manifest["rule_pack"] != after.manifest["rule_pack"]:
        yield "the rules differ between the runs, so some changes may be theirs"
    if before.manifest["version"] != after.manifest["version"]:
        yield "the engine's version differs between the runs"
    if before.as_of > after.as_of:
        yield f"the first run is as of {before.as_of}, after the second"
    if before.manifest["rules"] != after.manifest["rules"]:
        counts = before.manifest["rules"]["evaluated"], after.manifest["rules"]["evaluated"]
        yield f"{counts[0]} rules were evaluated in the first run, {counts[1]} in the second"


def by_rule(found: Sequence[Document]) -> list[tuple[str, str, int]]:
    """How many findings each rule has: id, title and count, most first."""
    counts: dict[tuple[str, str], int] = {}
    for one in found:
        counts[one["rule"], one["title"]] = counts.get((one["rule"], one["title"]), 0) + 1
    return sorted(((rule, title, count) for (rule, title), count in counts.items()), key=lambda each: (-each[2], each[0]))


def changes_document(changes: Changes) -> dict[str, Any]:
    """What `compare --format json` gives."""
    return {
        "schema_version": "1.0",
        "before": changes.before,
        "after": changes.after,
        "notes": list(changes.notes),
        "summary": changes.summary(),
        "counts": {
            "new": len(changes.new),
            "cleared": len(changes.cleared),
            "still_open": len(changes.still_open),
            "worse": len(changes.worse),
            "unchanged": len(changes.still_open) - len(changes.worse),
            "waived": len(changes.waived),
            "gone": len(changes.gone),
            "closed_in_both": changes.closed_in_both,
        },
        "new": list(changes.new),
        "cleared": list(changes.cleared),
        "still_open": [one["id"] for one in changes.still_open],
        "worse": list(changes.worse),
        "waived": list(changes.waived),
        "gone": list(changes.gone),
        "risks": {
            "summary": changes.risk_summary(),
            "new": list(changes.risks_new),
            "cleared": list(changes.risks_cleared),
            "worse": list(changes.risks_worse),
            "better": list(changes.risks_better),
            "unchanged": changes.risks_unchanged,
        },
    }
