"""Due dates as SQL: dated versions and variants of a period, flattened into branches."""

from __future__ import annotations

import datetime
import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from compliance.calendar import Duration
from compliance.duties.sources import literal
from compliance.rulebook.model import Relaxed

if TYPE_CHECKING:
    from compliance.duties.expressions import Reads


@dataclass(frozen=True)
class Length:
    """How long: a fixed duration, or `n` (SQL) of a unit."""

    unit: str
    n: str

    @classmethod
    def of(cls, duration: Duration) -> Length:
        """The length of a fixed duration."""
        return cls(duration.unit, str(duration.n))

    def words(self) -> str:
        """SQL of the length in words, such as `45 working days`."""
        unit = self.unit.replace("_", " ")
        if self.n.isdigit():
            return literal(f"{self.n} {unit.removesuffix('s') if self.n == '1' else unit}")
        return f"CAST({self.n} AS VARCHAR) || {literal(' ' + unit)}"


@dataclass(frozen=True)
class Branch:
    """One version of one variant: the condition under which it applies (None: always), and its length."""

    when: str | None
    length: Length
    label: str | None
    version: datetime.date | None


@dataclass(frozen=True)
class Periods:
    """The branches of a rule's period and what their conditions read."""

    branches: tuple[Branch, ...]
    reads: Reads = frozenset()

    @property
    def uses_working_days(self) -> bool:
        """Whether a due date needs the working-day calendar."""
        return any(branch.length.unit == "working_days" for branch in self.branches)


def choice(values: Sequence[str], branch: str) -> str:
    """SQL that gives the value of the branch that applies; plain where all are the same."""
    if len(set(values)) == 1:
        return values[0]
    cases = " ".join(f"WHEN {number} THEN {value}" for number, value in enumerate(values))
    return f"CASE {branch} {cases} END"


def branch_number(periods: Periods) -> str:
    """SQL that gives the number of the first branch that applies, or NULL where none does."""
    cases = [f"WHEN {branch.when or 'TRUE'} THEN {number}" for number, branch in enumerate(periods.branches)]
    if periods.branches[0].when is None:
        return "0"
    return f"CASE {' '.join(cases)} END"


def branched(periods: Periods, owed: str) -> str:
    """The CTE `branched`: each owed row with the number of the branch that applies to it."""
    return f"branched AS (\n    SELECT {owed}.*, {branch_number(periods)} AS branch\n    FROM owed AS {owed}\n  ),\n  "


def is_plain(periods: Periods) -> bool:
    """Whether there is one length, and it always applies."""
    return len(periods.branches) == 1 and periods.branches[0].when is None


def of_a_branch(periods: Periods, anchor: str) -> str:
    """SQL of a WHERE that leaves out rows with a known anchor to which no length applies; none where one always does."""
    return "" if is_plain(periods) else f"\n    WHERE branch IS NOT NULL OR {anchor} IS NULL"


def forward(anchor: str, length: Length, inclusive: bool = False) -> str:
    """SQL of the day that is `length` after the anchor; working days come from the joined calendar as `target`.

    With `inclusive` the anchor is day 1 ("beginning with the day").
    """
    less = 1 if inclusive else 0
    match length.unit:
        case "days":
            return _days_on(anchor, length.n, 1, less)
        case "weeks":
            return _days_on(anchor, length.n, 7, less)
        case "hours":
            return moved(anchor, math.ceil(int(length.n) / 24) - less)
        case "months":
            return _shifted(anchor, length, "MONTH", less)
        case "years":
            return _shifted(anchor, length, "YEAR", less)
        case "working_days":
            return _target(anchor, length.n)
    raise ValueError(f"{length.unit} cannot be counted forward")


def _target(anchor: str, n: str) -> str:
    """SQL of the working day found in the calendar; none is looked for where the number is nought."""
    if n.isdigit():
        return "target.day" if int(n) else anchor
    return f"CASE WHEN {n} = 0 THEN {anchor} ELSE target.day END"


def moved(anchor: str, days: int) -> str:
    """SQL of the day a fixed number of days after (or, negative, before) another, as every dialect can say it."""
    if days == 0:
        return anchor
    sign = "+" if days > 0 else "-"
    return f"CAST({anchor} {sign} INTERVAL {abs(days)} DAY AS DATE)"


def _days_on(anchor: str, n: str, each: int, less: int) -> str:
    if n.removeprefix("-").isdigit():
        return moved(anchor, each * int(n) - less)
    days = f"{each} * CAST({n} AS INTEGER)" if each > 1 else f"CAST({n} AS INTEGER)"
    return f"CAST({anchor} + ({days} - {less}) * INTERVAL 1 DAY AS DATE)"


def _shifted(anchor: str, length: Length, unit: str, less: int) -> str:
    if length.n.isdigit():
        return moved(f"CAST({anchor} + INTERVAL {length.n} {unit} AS DATE)", -less)
    return moved(f"CAST({anchor} + CAST({length.n} AS INTEGER) * INTERVAL 1 {unit} AS DATE)", -less)


def backward(anchor: str, length: Length) -> str:
    """SQL of the last day that is at least `length` before the anchor."""
    match length.unit:
        case "days":
            return moved(anchor, -int(length.n))
        case "weeks":
            return moved(anchor, -7 * int(length.n))
        case "clear_days":
            return moved(anchor, -int(length.n) - 1)
        case "hours":
            return moved(anchor, -math.ceil(int(length.n) / 24))
        case "months":
            return f"CAST({anchor} - INTERVAL {length.n} MONTH AS DATE)"
        case "years":
            return f"CAST({anchor} - INTERVAL {length.n} YEAR AS DATE)"
        case "working_days":
            return "target.day"
    raise ValueError(f"{length.unit} cannot be counted backward")


def working_day_joins(anchor: str, periods: Periods, branch: str, *, backwards: bool = False, inclusive: bool = False) -> str:
    """The joins that find the n-th working day after (or before) the anchor, or nothing where no branch counts working days."""
    if not periods.uses_working_days:
        return ""
    counts = [one.length.n if one.length.unit == "working_days" else "NULL" for one in periods.branches]
    n = choice(counts, branch)
    if backwards:
        start, wanted = moved(anchor, -1), f"clock.working_day - ({n}) + 1"
    elif inclusive:
        start, wanted = moved(anchor, -1), f"clock.working_day + ({n})"
    else:
        start, wanted = anchor, f"clock.working_day + ({n})"
    return (
        f"\n    LEFT JOIN calendar AS clock ON clock.day = {start}"
        f"\n    LEFT JOIN calendar AS target ON target.is_working AND target.working_day = {wanted}"
    )


def branch_columns(periods: Periods) -> str:
    """SQL of what the answer says of the branch that applied: its variant, its period in words and its version."""
    versions = [literal(one.version.isoformat() if one.version else None) for one in periods.branches]
    columns = {
        "variant": [literal(one.label) for one in periods.branches],
        "period": [one.length.words() for one in periods.branches],
        "version": versions,
    }
    return ",\n      ".join(f"CAST({choice(values, 'branch')} AS VARCHAR) AS {name}" for name, values in columns.items())


def within_version(anchor: str, first: datetime.date | None, last: datetime.date | None) -> str | None:
    """SQL that says the anchor day falls in a version's days; None where it always does."""
    parts = []
    if first is not None:
        parts.append(f"{anchor} >= DATE {literal(first.isoformat())}")
    if last is not None:
        parts.append(f"{anchor} <= DATE {literal(last.isoformat())}")
    return " AND ".join(parts) or None


def relaxed(due: str, stretches: Sequence[Relaxed]) -> tuple[str, str]:
    """SQL of the due day moved to the end of a stretch in which nothing fell due, and SQL of the words that say so."""
    if not stretches:
        return due, "CAST(NULL AS VARCHAR)"
    days = [(literal(one.from_.isoformat()), literal(one.to.isoformat()), one) for one in stretches]
    moved = " ".join(f"WHEN {due} BETWEEN DATE {first} AND DATE {last} THEN DATE {last}" for first, last, _ in days)
    words = " ".join(
        f"WHEN {due} BETWEEN DATE {first} AND DATE {last} THEN {literal(f'relaxed until {one.to} by {one.instrument}')}"
        for first, last, one in days
    )
    return f"CASE {moved} ELSE {due} END", f"CASE {words} END"
