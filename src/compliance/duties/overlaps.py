"""Rules that judge one duty: the pairs that could, by what their words rest on, and the duties on which they answer differently.

Two rules are on one duty where one act can meet both (the same column of a table, and no code that keeps its rows apart; of
facts, where one looks at all that the other looks at) and both clocks start from one row on one day, or one row met both.
Rules whose clocks start from different rows are different duties. Two that no data at hand let start together are not found.
"""

from __future__ import annotations

import datetime
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import combinations

import duckdb

from compliance.duties.compiled import CompiledDefinition
from compliance.duties.compiler import Workbench
from compliance.duties.examples import ExampleBench
from compliance.duties.origins import CONSTANT, Origins, Tracer
from compliance.duties.pack import Pack
from compliance.duties.sources import literal
from compliance.rulebook.load import Rulebook
from compliance.rulebook.model import Duty, Event, Exists, Rule

RUN = "run"


@dataclass(frozen=True)
class Judged:
    """What a duty rule judges: the days that start its clock, and the act that meets it, or the facts that must all be so."""

    starts: Origins
    acts: Origins = frozenset()
    facts: Origins = frozenset()

    def meets(self, other: Judged) -> bool:
        """Whether one act can meet both; of facts, whether all that one looks at the other looks at too."""
        if self.acts and other.acts:
            return _meet(self.acts, other.acts)
        return _among(self.facts, other) or _among(other.facts, self)


@dataclass(frozen=True)
class Pair:
    """Two rules, by id, that one act can meet; and whether one row can start the clocks of both."""

    one: str
    other: str
    same_start: bool


@dataclass(frozen=True)
class Overlap:
    """Two rules that answer differently on the same subject from the same day, with one case of it."""

    one: str
    other: str
    found_in: str
    subject: str
    trigger: str
    cases: int

    @property
    def words(self) -> str:
        """The two rules and the case, in one line."""
        return f"{self.one} and {self.other} answer differently on {self.subject} from {self.trigger} ({self.found_in})"


# --- by what the rules rest on ------------------------------------------------------------------------------------


def pairs_that_could(rulebook: Rulebook, definitions: Mapping[str, CompiledDefinition]) -> list[Pair]:
    """The pairs of duty rules that one act can meet: the same column of a table, and no code that keeps its rows apart."""
    tracer = Tracer(definitions)
    found = [(rule.id, judged_by(rule, tracer)) for rule in rulebook.duties]
    return [Pair(one, other, _same_start(a.starts, b.starts)) for (one, a), (other, b) in combinations(found, 2) if a.meets(b)]


def _meet(some: Origins, others: Origins) -> bool:
    return any(one.meets(other) for one in some for other in others)


def _among(facts: Origins, other: Judged) -> bool:
    """Whether there are facts, and another rule looks at each of them."""
    return bool(facts) and all(_meet(frozenset({fact}), other.acts | other.facts) for fact in facts)


def _same_start(some: Origins, others: Origins) -> bool:
    """Whether one row can start both; two rules that no row starts (the council itself owes them) always start together."""
    return _meet(some, others) or not (some or others)


def judged_by(rule: Rule, tracer: Tracer) -> Judged:
    """What a duty rule judges, traced to the tables. The day that starts the clock is not what meets the duty."""
    body = rule.body
    assert isinstance(body, Duty)
    starts = _of_tables(tracer.of_value(body.trigger, body.of))
    acts, facts = (_of_tables(found) for found in (_acts(body, tracer), frozenset().union(*_facts(body, tracer))))
    return Judged(starts, acts - starts or acts, facts - starts or facts)


def _of_tables(origins: Origins) -> Origins:
    return frozenset(one for one in origins if one.table not in (RUN, CONSTANT))


def _acts(body: Duty, tracer: Tracer) -> Origins:
    """The days of the act that meets a duty: of an event, or of the subject's own row."""
    event: Event | None = getattr(body, "event", None)
    if event is not None:
        return _matched(tracer.of_value(event.date, event.table, event.where), event, body.of, tracer)
    days = (day for name in ("done", "ends") if (day := getattr(body, name, None)) is not None)
    return frozenset().union(*(tracer.of_value(day, body.of, body.where) for day in days))


def _facts(body: Duty, tracer: Tracer) -> Iterator[Origins]:
    """What a limit or a presence rule looks at: each column that its words speak of, and the rows that must exist."""
    for name in ("value", "holds"):
        if (text := getattr(body, name, None)) is not None:
            yield tracer.asked(text, body.of)
    for field in getattr(body, "fields", ()):
        yield tracer.of_column(body.of, field)
    if (exists := getattr(body, "exists", None)) is not None:
        yield _matched(tracer.of_rows(exists.table, exists.where), exists, body.of, tracer)


def _matched(found: Origins, event: Event | Exists, subjects: str, tracer: Tracer) -> Origins:
    """The acts in the rows that carry one of the codes that the subject's rows may carry, where the two are matched by code."""
    pairs = event.match.items() if isinstance(event.match, dict) else ()
    for theirs, ours in pairs:
        if codes := tracer.codes(subjects, ours):
            kept = frozenset((one.table, one.column, codes) for one in tracer.of_column(event.table, theirs))
            found = frozenset(one.narrowed(kept) for one in found)
    return found


# --- by what they answer ------------------------------------------------------------------------------------------


def different_answers(connection: duckdb.DuckDBPyConnection, pairs: Iterable[Pair]) -> list[Overlap]:
    """The pairs that answer differently in the table `duties`: another due day or status, on one subject from one day.

    Clocks that one row can start are compared whatever met them; others only where the same row met both.
    """
    listed = ", ".join(f"({literal(one.one)}, {literal(one.other)}, {literal(one.same_start)})" for one in pairs)
    if not listed:
        return []
    return [Overlap(*row) for row in connection.execute(_DIFFERENT.format(pairs=listed)).fetchall()]


_DIFFERENT = """
WITH pairs (one, other, same_start) AS (VALUES {pairs}),
judged AS (
  SELECT rule, authority, coalesce(person_id, carer_id, worker_id, team_id, subject_id) AS subject, trigger_date, trigger_ref,
    due_date, status, done_date, evidence_ref
  FROM duties WHERE status <> 'unknown'
)
SELECT p.one, p.other, min_by(a.authority, a.trigger_ref), min_by(a.subject, a.trigger_ref),
  CAST(min_by(a.trigger_date, a.trigger_ref) AS VARCHAR), count(*)
FROM pairs AS p
JOIN judged AS a ON a.rule = p.one
JOIN judged AS b ON b.rule = p.other AND b.authority = a.authority AND b.subject = a.subject AND b.trigger_date = a.trigger_date
WHERE (a.due_date <> b.due_date OR a.status <> b.status)
  AND ((p.same_start AND a.trigger_ref = b.trigger_ref) OR (a.evidence_ref = b.evidence_ref AND a.done_date = b.done_date))
GROUP BY p.one, p.other
ORDER BY p.one, p.other
"""


def undeclared(rulebook: Rulebook, found: Iterable[Overlap]) -> list[Overlap]:
    """Those of which neither rule says that it overlaps with the other."""
    declared = {frozenset((rule.id, beside.rule)) for rule in rulebook.rules.values() for beside in rule.overlaps}
    return [one for one in found if frozenset((one.one, one.other)) not in declared]


# --- over the examples --------------------------------------------------------------------------------------------


def undeclared_in_examples(bench: ExampleBench) -> list[Overlap]:
    """The pairs of rules that answer differently on the rows of any rule's examples, and do not say so."""
    rulebook = bench.rulebook
    workbench = Workbench(bench.schema, rulebook)
    compiled = {rule.id: workbench.compile(rule) for rule in rulebook.duties}
    pairs = pairs_that_could(rulebook, workbench.definitions)
    paired = {name for pair in pairs for name in (pair.one, pair.other)}
    pack = Pack({name: compiled[name] for name in paired}, {}, workbench.definitions)
    titles = {f"x{place}": f"{rule}, `{one.title}`" for place, (rule, one) in enumerate(bench.every_example)}
    found: dict[tuple[str, str], Overlap] = {}
    for day in _days(rulebook) if pairs else ():
        with bench.together([rulebook.rules[name] for name in sorted(paired)], pack, day) as evaluation:
            for one in undeclared(rulebook, different_answers(evaluation.connection, pairs)):
                plain = one.subject.removeprefix(f"{one.found_in}/")
                found.setdefault((one.one, one.other), replace(one, found_in=titles[one.found_in], subject=plain))
    return [found[pair] for pair in sorted(found)]


def _days(rulebook: Rulebook) -> Sequence[datetime.date]:
    """The latest as-of day of the examples, by which all has happened, and the commonest, for what is so now."""
    counted = Counter(one.as_of for rule in rulebook.rules.values() for one in rule.examples)
    return sorted({max(counted), counted.most_common(1)[0][0]}) if counted else ()
