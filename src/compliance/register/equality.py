"""Breach rates by protected characteristic, as far as the data holds any: a question for people, never a finding about them."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from compliance.register.suppression import hidden_places, is_safe
from compliance.run import Run

FEWEST = 10
Z = 1.959964
NOT_ENOUGH = "not enough data"
SET_ASIDE = "not shown, so that a small number cannot be worked out"
METHOD = (
    "children with a duty that is open or was decided in the last twelve months, and how many of them have a breach open now;"
    " rate with its Wilson interval; ratio of the rate to that of the largest group, with its interval by the log method;"
    " all at 95%; a number under ten, of children or of children with a breach, is not shown, nor the next smallest group where"
    " the small number could be worked out from it"
)
AGE = (
    "CASE WHEN date_diff('day', p.birth_date, r.as_of) < 0 THEN 'unborn'"
    " WHEN date_sub('year', p.birth_date, r.as_of) < 5 THEN '0 to 4'"
    " WHEN date_sub('year', p.birth_date, r.as_of) < 10 THEN '5 to 9'"
    " WHEN date_sub('year', p.birth_date, r.as_of) < 16 THEN '10 to 15'"
    " WHEN date_sub('year', p.birth_date, r.as_of) < 18 THEN '16 and 17' ELSE '18 and over' END"
)
CHARACTERISTICS = {
    "age": ("birth_date", AGE),
    "disability": ("is_disabled", "CASE WHEN p.is_disabled THEN 'disabled' WHEN NOT p.is_disabled THEN 'not disabled' END"),
    "gender": ("gender", "p.gender"),
    "pregnancy and maternity": (
        "is_pregnant_or_parent",
        "CASE WHEN p.is_pregnant_or_parent THEN 'pregnant or parent' ELSE 'not' END",
    ),
    "marriage and civil partnership": (
        "is_married_or_in_civil_partnership",
        "CASE WHEN p.is_married_or_in_civil_partnership THEN 'married or in a civil partnership' ELSE 'not' END",
    ),
    "race": ("ethnicity", "CASE WHEN p.ethnicity NOT IN ('REFU', 'NOBT') THEN p.ethnicity END"),
    "religion or belief": ("religion_or_belief", "p.religion_or_belief"),
    "sex": ("sex", "p.sex"),
    "sexual orientation": ("sexual_orientation", "p.sexual_orientation"),
}
"""Each characteristic of the Equality Act 2010, the column of `people` it is held in, and the group of a child."""
ASKED = """
SELECT d.person_id, max(CASE WHEN d.status = 'overdue' THEN 1 ELSE 0 END) AS breached
FROM duties AS d
WHERE d.person_id IS NOT NULL AND (d.status IN ('overdue', 'due')
  OR (d.status IN ('met', 'late', 'missed') AND coalesce(d.done_date, d.ceased_date, d.due_date)
      > (SELECT as_of FROM known.run) - INTERVAL 12 MONTH))
GROUP BY d.person_id
"""


@dataclass(frozen=True)
class Group:
    """One group of children: how many, how many with an open breach, and how that compares with the largest group."""

    name: str
    children: int
    breached: int
    is_reference: bool
    reference: tuple[int, int]
    set_aside: bool = False
    """Left out for the sake of another group, whose small number the total would give away."""

    @property
    def note(self) -> str | None:
        """Why no numbers are shown, or None where they are."""
        if not self.enough:
            return NOT_ENOUGH
        return SET_ASIDE if self.set_aside else None

    @property
    def enough(self) -> bool:
        """Whether there are enough children, and enough with a breach, to show numbers."""
        return min(self.children, self.breached) >= FEWEST

    @property
    def rate(self) -> float:
        """The share with an open breach."""
        return self.breached / self.children

    def interval(self) -> tuple[float, float]:
        """The Wilson interval of the rate."""
        return wilson(self.breached, self.children)

    def ratio(self) -> tuple[float, float, float] | None:
        """The rate over the reference group's, with its interval; None for that group itself or where there is not enough."""
        children, breached = self.reference
        if self.is_reference or self.note or min(children, breached) < FEWEST:
            return None
        return rate_ratio(self.breached, self.children, breached, children)


@dataclass(frozen=True)
class Characteristic:
    """One protected characteristic: whether the data holds it, for how many children it is not recorded, and its groups."""

    authority: str
    name: str
    held: bool
    not_recorded: int
    groups: tuple[Group, ...]


def wilson(count: int, total: int) -> tuple[float, float]:
    """The Wilson score interval of a proportion, at 95%."""
    share, spread = count / total, Z * Z / total
    middle = (share + spread / 2) / (1 + spread)
    half = Z * math.sqrt(share * (1 - share) / total + spread / (4 * total)) / (1 + spread)
    return max(0.0, middle - half), min(1.0, middle + half)


def rate_ratio(count: int, total: int, other_count: int, other_total: int) -> tuple[float, float, float]:
    """The ratio of two proportions and its interval by the log method, at 95%."""
    ratio = (count / total) / (other_count / other_total)
    error = math.sqrt(max(0.0, 1 / count - 1 / total + 1 / other_count - 1 / other_total))
    return ratio, ratio * math.exp(-Z * error), ratio * math.exp(Z * error)


def breach_rates(run: Run) -> list[Characteristic]:
    """The rates of every characteristic of the Act that children's data could hold, by council."""
    people = run.dataset.tables.get("people")
    columns = set(people.columns) if people is not None and people.present else set()
    codes = [one.code for one in run.dataset.authorities]
    return [
        _characteristic(run, code, name, name_held in columns)
        for code in codes
        for name, (name_held, _) in CHARACTERISTICS.items()
    ]


def _characteristic(run: Run, authority: str, name: str, held: bool) -> Characteristic:
    if not held:
        return Characteristic(authority, name, False, 0, ())
    rows = run.evaluation.connection.execute(
        f"SELECT {CHARACTERISTICS[name][1]} AS grp, count(*), sum(asked.breached) FROM ({ASKED}) AS asked"
        " JOIN known.people AS p ON p.person_id = asked.person_id CROSS JOIN known.run AS r"
        f" WHERE p.authority = ? AND p.{CHARACTERISTICS[name][0]} IS NOT NULL GROUP BY grp ORDER BY count(*) DESC, grp",
        [authority],
    ).fetchall()
    asked = run.evaluation.connection.execute(
        f"SELECT count(*) FROM ({ASKED}) AS asked JOIN known.people AS p ON p.person_id = asked.person_id WHERE p.authority = ?",
        [authority],
    ).fetchone()
    known = [(group, int(children), int(breached)) for group, children, breached in rows if group is not None]
    missing = (asked[0] if asked else 0) - sum(children for _, children, _ in known)
    return Characteristic(authority, name, bool(known), missing, tuple(_groups(run, name, known)))


def _groups(run: Run, name: str, rows: Sequence[tuple[str, int, int]]) -> Iterable[Group]:
    """The groups, largest first; the first is what the others are set beside."""
    schema = run.evaluation.schema
    code_set = schema.tables["people"].columns[CHARACTERISTICS[name][0]].code_set
    words = schema.code_sets[code_set] if code_set else {}
    aside = set_aside([row[1] for row in rows], [row[2] for row in rows])
    for place, (group, children, breached) in enumerate(rows):
        yield Group(words.get(group, group), children, breached, place == 0, rows[0][1:], place in aside)


def set_aside(children: Sequence[int], breached: Sequence[int]) -> frozenset[int]:
    """The places of the groups that are large enough but left out, so that the others can stand beside the total."""
    small = frozenset(place for place, count in enumerate(breached) if count < FEWEST)
    few = frozenset(place for place, count in enumerate(children) if count < FEWEST)
    hidden = hidden_places(breached, FEWEST, least=0)
    rest = sorted((count, place) for place, count in enumerate(breached) if place not in hidden)
    for _, place in rest:
        if is_safe(children, few, hidden, FEWEST):
            break
        hidden |= {place}
    return hidden - small


def equality_document(found: Iterable[Characteristic]) -> dict[str, Any]:
    """The rates as plain data, small numbers left out."""
    return {"method": METHOD, "characteristics": [_document(one) for one in found]}


def _document(one: Characteristic) -> dict[str, Any]:
    return {
        "authority": one.authority,
        "characteristic": one.name,
        "note": None if any(group.note is None for group in one.groups) else NOT_ENOUGH if one.held else "not held in the data",
        "not_recorded": one.not_recorded if one.not_recorded == 0 or one.not_recorded >= FEWEST else None,
        "groups": [_group(group) for group in one.groups],
    }


def _group(one: Group) -> dict[str, Any]:
    if one.note:
        return {
            "group": one.name,
            "note": one.note,
            "children": None,
            "breached": None,
            "rate": None,
            "ratio": None,
            "is_reference": one.is_reference,
        }
    low, high = one.interval()
    ratio = one.ratio()
    return {
        "group": one.name,
        "note": None,
        "children": one.children,
        "breached": one.breached,
        "rate": {"value": round(one.rate, 4), "low": round(low, 4), "high": round(high, 4)},
        "ratio": dict(zip(("value", "low", "high"), (round(each, 3) for each in ratio), strict=True)) if ratio else None,
        "is_reference": one.is_reference,
    }
