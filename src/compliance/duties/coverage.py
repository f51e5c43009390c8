"""What silence may prove: data that hold one stretch of time show nothing of what came before or after it."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from compliance.duties.periods import Length, Periods, forward, moved
from compliance.duties.sources import Source, literal

FIRST, LAST = "covers_from", "covers_to"


@dataclass(frozen=True)
class Cover:
    """The tables that hold one stretch of time: those whose rows before it a duty would need, and those after it."""

    before: frozenset[str] = frozenset()
    after: frozenset[str] = frozenset()

    @property
    def is_limited(self) -> bool:
        """Whether the rule rests on any such table."""
        return bool(self.before | self.after)

    def columns(self) -> dict[str, str]:
        """SQL of the first and last day that the data cover, for the CTE `owed`; nothing where they cover all."""
        return {FIRST: f"covered.{FIRST}", LAST: f"covered.{LAST}"} if self.is_limited else {}

    def join(self, subject: str) -> str:
        """The join that gives them, by council; nothing where the data cover all."""
        if not self.is_limited:
            return ""
        first, last = _of(self.before, FIRST, "max"), _of(self.after, LAST, "min")
        tables = f"SELECT authority, {first}, {last} FROM coverage GROUP BY authority"
        return f"\n    LEFT JOIN ({tables}) AS covered ON covered.authority = {subject}.authority"


def _of(tables: frozenset[str], column: str, aggregate: str) -> str:
    listed = ", ".join(map(literal, sorted(tables)))
    one = f"CASE WHEN table_name IN ({listed}) THEN {column} END" if tables else "CAST(NULL AS DATE)"
    return f"{aggregate}({one}) AS {column}"


def tables_of(source: Source) -> frozenset[str]:
    """The tables that a table or definition rests on."""
    return frozenset(source.history_of) | {table for table, _ in source.reads}


def cover_of(limited: frozenset[str], subject: Source, events: Iterable[Source]) -> Cover:
    """What a rule over this subject and these events rests on. A subject that is a table is whole, row by row."""
    before = frozenset[str]().union(*map(tables_of, events))
    if not subject.is_table:
        before |= tables_of(subject)
    return Cover(before & limited, (before | tables_of(subject)) & limited)


def unsure(cover: Cover, *, before: str, after: str) -> str:
    """SQL of why a breach cannot be called one, or NULL: `before` and `after` say when the data fall short."""
    if not cover.is_limited:
        return "CAST(NULL AS VARCHAR)"
    cases = [f"WHEN {FIRST} IS NOT NULL AND ({before}) THEN {starts('it may have been done before')}"] if cover.before else []
    cases += [f"WHEN {LAST} IS NOT NULL AND ({after}) THEN {ends('it may have been done since')}"]
    return f"CASE {' '.join(cases)} END"


def starts(so: str) -> str:
    """SQL of the words that say when the data start."""
    return f"'the data start on ' || CAST({FIRST} AS VARCHAR) || {literal(f': {so}')}"


def ends(so: str) -> str:
    """SQL of the words that say when the data end."""
    return f"'the data end on ' || CAST({LAST} AS VARCHAR) || {literal(f': {so}')}"


def latest_due(periods: Periods) -> str:
    """SQL of the last day that any length of the rule allows a gap to end that began before the data do."""
    eve = moved(FIRST, -1)
    days = dict.fromkeys(_at_most(eve, one) for one in [branch.length for branch in periods.branches])
    return f"greatest({', '.join(days)})" if len(days) > 1 else next(iter(days))


def _at_most(eve: str, length: Length) -> str:
    """SQL of a day that the length does not pass: n working days take at most 2n + 10 days."""
    if length.unit != "working_days":
        return forward(eve, length)
    return f"CAST({eve} + (2 * CAST({length.n} AS INTEGER) + 10) * INTERVAL 1 DAY AS DATE)"
