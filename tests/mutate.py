"""Mutation testing of the rulebook: `python -m tests.mutate [FILE | FOLDER | RULE]...`

Each mutant of a rule (see tests/mutants.py) is put to the rule's own examples; it is killed when one of them fails. A
mutant that no data can tell from the rule is listed, with the reason, in rules/equivalent_mutants.yaml.

The examples of one as-of day are loaded once and every mutant still alive is asked about them, so that a run over the whole
rulebook takes minutes. Exit 1 where a mutant survives.
"""

from __future__ import annotations

import datetime
import sys
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from threading import Timer
from typing import Any

import duckdb
import yaml
from pydantic import BaseModel, ConfigDict, TypeAdapter
from tests.mutants import Mutant, mutants

from compliance.dataset.schema import load_schema
from compliance.duties.compiled import filled
from compliance.duties.compiler import Workbench
from compliance.duties.examples import ANSWER, ExampleBench, Outcome, _by_authority, _outcome, _with
from compliance.duties.measures import compile_measure
from compliance.errors import ComplianceError
from compliance.risks.examples import AllExamples
from compliance.rulebook.load import Rulebook, load_rulebook
from compliance.rulebook.model import Example, Rule

SECONDS = 20.0
PROCESSES = 2
SEVERITIES = ("critical", "high", "medium", "low")
EQUIVALENT = "equivalent_mutants.yaml"
MEASURED = ("scope_type", "scope_id", "numerator", "denominator")
Numbered = tuple[int, Example]


class Equivalent(BaseModel):
    """A mutant that gives the same answers as its rule on any data, and why."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    rule: str
    mutant: str
    reason: str


@dataclass
class Tally:
    """What became of the mutants of one rule."""

    rule: str
    killed: int = 0
    equivalent: int = 0
    invalid: int = 0
    survivors: list[str] = field(default_factory=list)
    stale: list[str] = field(default_factory=list)

    @property
    def made(self) -> int:
        """How many mutants were judged."""
        return self.killed + self.equivalent + len(self.survivors)


class MutantBench(ExampleBench):
    """Asks the mutants of a duty rule or a measure about its examples, one as-of day at a time."""

    def judge(self, rule: Rule, candidates: Sequence[Mutant]) -> tuple[set[str], set[str]]:
        """The labels of the mutants that survive every example, and of those that are no rules at all."""
        alive = {one.label: one for one in candidates}
        broken: set[str] = set()
        for (as_of, latest), group in _groups(rule.examples).items():
            fallen = self._put_to(rule, list(alive.values()), as_of, latest, group, broken)
            alive = {label: one for label, one in alive.items() if label not in fallen | broken}
        return set(alive), broken

    def _put_to(
        self,
        rule: Rule,
        alive: Sequence[Mutant],
        as_of: datetime.date,
        latest: frozenset[str],
        group: list[Numbered],
        broken: set[str],
    ) -> set[str]:
        """The mutants that fail an example of the group. One whose SQL does not run goes into `broken`."""
        fallen: set[str] = set()
        waiting = list(alive)
        while waiting:
            self.connection.execute("BEGIN")
            try:
                self._load(group)
                self._evaluate(rule, as_of, latest)
                while waiting:
                    one = waiting.pop()
                    if not self._holds(one.rule, as_of, latest, group):
                        fallen.add(one.label)
            except duckdb.InterruptException:
                fallen.add(one.label)
            except (ComplianceError, duckdb.Error):
                broken.add(one.label)
            finally:
                self.connection.execute("ROLLBACK")
        return fallen

    def _holds(self, rule: Rule, as_of: datetime.date, latest: frozenset[str], group: list[Numbered]) -> bool:
        """Whether the rule gives what every example of the group expects."""
        answer = self._answer(rule, as_of, latest)
        return all(_outcome(rule, one, answer.get(f"x{number}", [])).passed for number, one in group)

    def _answer(self, rule: Rule, as_of: datetime.date, latest: frozenset[str]) -> dict[str, list[dict[str, Any]]]:
        bench = Workbench(self.schema, _with(self.rulebook, rule), latest, known=self._bench(latest))
        with _limited(self.connection):
            if rule.is_duty:
                sql = bench.compile(rule).on(as_of)
                order = "subject_id, trigger_date, due_date, done_date"
                query = f"SELECT authority, {', '.join(ANSWER)} FROM ({sql}) ORDER BY {order}"
                return _by_authority(self.connection.execute(query).fetchall(), ANSWER)
            names = ("measure", "scope_type", "scope_id", "authority", "numerator", "denominator")
            sql = filled(compile_measure(bench, rule).sql, as_of)
            query = f"SELECT authority, {', '.join(MEASURED)} FROM ({sql}) AS m({', '.join(names)}) ORDER BY scope_type, scope_id"
            return _by_authority(self.connection.execute(query).fetchall(), MEASURED)


@contextmanager
def _limited(connection: duckdb.DuckDBPyConnection) -> Iterator[None]:
    """Stops a query that runs longer than a mutant may."""
    timer = Timer(SECONDS, connection.interrupt)
    timer.start()
    try:
        yield
    finally:
        timer.cancel()


def _groups(examples: Sequence[Example]) -> dict[tuple[datetime.date, frozenset[str]], list[Numbered]]:
    """The examples by as-of day and by which tables hold only the latest event; the largest group first."""
    groups: dict[tuple[datetime.date, frozenset[str]], list[Numbered]] = {}
    for number, example in enumerate(examples):
        latest = frozenset(table for table, history in example.history.items() if history == "latest")
        groups.setdefault((example.as_of, latest), []).append((number, example))
    return dict(sorted(groups.items(), key=lambda item: -len(item[1])))


# --- one rule -----------------------------------------------------------------------------------------------------


@dataclass
class Bench:
    """What one process needs to judge any rule."""

    rulebook: Rulebook
    examples: AllExamples
    bench: MutantBench
    equivalent: dict[str, set[str]]

    @classmethod
    def open(cls) -> Bench:
        """A bench over the rulebook of the source tree."""
        rulebook, schema = load_rulebook(), load_schema()
        return cls(rulebook, AllExamples(schema, rulebook), MutantBench(schema, rulebook), _equivalent(rulebook))

    def judge(self, name: str) -> Tally:
        """What becomes of the mutants of one rule. Raises AssertionError where an example fails on the rule itself."""
        rule = self.rulebook.rules[name]
        failed = [one.title for one in self.examples.run(rule) if not one.passed]
        assert not failed, f"{name}: the rule fails its own example: {failed[0]}"
        candidates = list(mutants(rule, self.rulebook))
        alive, broken = self._escalated(candidates) if rule.kind == "escalation" else self.bench.judge(rule, candidates)
        excused = self.equivalent.get(name, set())
        tally = Tally(name, invalid=len(broken), equivalent=len(alive & excused), stale=sorted(excused - alive))
        tally.survivors = [one.label for one in candidates if one.label in alive - excused]
        tally.killed = len({one.label for one in candidates}) - len(broken) - len(alive)
        return tally

    def _escalated(self, candidates: Sequence[Mutant]) -> tuple[set[str], set[str]]:
        alive, broken = set(), set()
        for one in candidates:
            outcomes = self._outcomes(one.rule)
            if outcomes is None or any(outcome.error for outcome in outcomes):
                broken.add(one.label)
            elif all(outcome.passed for outcome in outcomes):
                alive.add(one.label)
        return alive, broken

    def _outcomes(self, rule: Rule) -> list[Outcome] | None:
        try:
            return self.examples.run(rule)
        except (ComplianceError, ValueError, StopIteration):
            return None


def _equivalent(rulebook: Rulebook) -> dict[str, set[str]]:
    path = rulebook.folder / EQUIVALENT
    listed = yaml.safe_load(path.read_text(encoding="utf-8")) if path.is_file() else []
    found: dict[str, set[str]] = {}
    for one in TypeAdapter(list[Equivalent]).validate_python(listed or []):
        found.setdefault(one.rule, set()).add(one.mutant)
    return found


_OPEN: list[Bench] = []


def _judge(name: str) -> Tally:
    if not _OPEN:
        _OPEN.append(Bench.open())
    return _OPEN[0].judge(name)


# --- the run ------------------------------------------------------------------------------------------------------


def chosen(rulebook: Rulebook, names: Sequence[str]) -> list[str]:
    """The rules named, by id, file or folder; every rule when none is."""
    if not names:
        return sorted(rulebook.rules)
    found: list[str] = []
    for name in names:
        place = Path(name).resolve()
        here = [rule for rule, path in rulebook.files.items() if path.resolve() == place or place in path.resolve().parents]
        found += [name] if name in rulebook.rules else here
        if not here and name not in rulebook.rules:
            sys.exit(f"{name}: no such rule, file or folder of rules")
    return found


def main(names: Sequence[str]) -> int:
    """Judges the mutants of the rules named, prints the counts of each file and the survivors. 1 where there are any."""
    began, rulebook = time.monotonic(), load_rulebook()
    wanted = chosen(rulebook, names)
    with ProcessPoolExecutor(PROCESSES) as pool:
        tallies = list(pool.map(_judge, wanted, chunksize=1))
    _print_files(rulebook, tallies)
    survivors = [(rulebook.rules[one.rule], label) for one in tallies for label in one.survivors]
    for rule, label in sorted(survivors, key=lambda item: (SEVERITIES.index(item[0].severity), item[0].id)):
        print(f"survived  {rule.severity:8}  {rule.id}  {label}")
    for one in tallies:
        for label in one.stale:
            print(f"not a surviving mutant, so take it from {EQUIVALENT}: {one.rule}  {label}")
    made, killed, equivalent = (sum(getattr(one, name) for one in tallies) for name in ("made", "killed", "equivalent"))
    print(f"{made} mutants of {len(wanted)} rules: {killed} killed, {equivalent} equivalent, {len(survivors)} survived")
    print(f"{time.monotonic() - began:.0f} s")
    return int(bool(survivors) or any(one.stale for one in tallies))


def _print_files(rulebook: Rulebook, tallies: Sequence[Tally]) -> None:
    counts: dict[Path, Counter[str]] = {}
    for one in tallies:
        row = counts.setdefault(rulebook.files[one.rule], Counter())
        row.update(made=one.made, killed=one.killed, equivalent=one.equivalent, survived=len(one.survivors))
    print(f"{'file':48} {'made':>6} {'killed':>7} {'same':>5} {'alive':>6}")
    for path, row in sorted(counts.items()):
        name = str(path.relative_to(rulebook.folder))
        print(f"{name:48} {row['made']:6} {row['killed']:7} {row['equivalent']:5} {row['survived']:6}")


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
