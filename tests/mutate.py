"""Mutation testing of the rulebook: `python -m tests.mutate [FILE | FOLDER | RULE | DEFINITION]... [--processes N]`

Each mutant of a rule (see tests/mutants.py) is put to the rule's own examples, and each mutant of a definition to the examples
of the rules that rest on it; it is killed when one of them fails. A mutant that no data can tell from what is written is listed,
with the reason, in rules/equivalent_mutants.yaml.

The examples of one as-of day are loaded once and every mutant still alive is asked about them, so that a run over the whole
rulebook takes minutes. Exit 1 where a mutant survives.
"""

from __future__ import annotations

import argparse
import datetime
import sys
import time
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ProcessPoolExecutor
from contextlib import contextmanager
from copy import copy
from dataclasses import dataclass, field, replace
from pathlib import Path
from threading import Event, Thread
from typing import Any

import duckdb
import yaml
from pydantic import BaseModel, ConfigDict, TypeAdapter
from tests.mutants import DefinitionMutant, Mutant, definition_mutants, mutants

from compliance.dataset.schema import load_schema
from compliance.duties.compiled import AS_OF_MARK, FACT, filled
from compliance.duties.compiler import Workbench
from compliance.duties.evaluate import Available
from compliance.duties.examples import ANSWER, ExampleBench, HeldData, Numbered, Outcome, _by_authority, _outcome, _with, grouped
from compliance.duties.held import doubted
from compliance.duties.measures import compile_measure
from compliance.duties.status import judged, whole
from compliance.duties.sums import summed
from compliance.errors import ComplianceError
from compliance.risks.examples import AllExamples
from compliance.rulebook.load import Rulebook, load_file, load_rulebook, rule_paths
from compliance.rulebook.model import Definition, Escalation, Example, Rule

SECONDS = 20.0
PROCESSES = 2
SEVERITIES = ("critical", "high", "medium", "low")
EQUIVALENT = "equivalent_mutants.yaml"
MEASURED = ("scope_type", "scope_id", "numerator", "denominator")


class Equivalent(BaseModel):
    """A mutant that gives the same answers as its rule or definition on any data, and why."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    rule: str | None = None
    definition: str | None = None
    mutant: str
    reason: str

    @property
    def name(self) -> str:
        """The rule or definition."""
        name = self.rule or self.definition
        assert name, f"{self.mutant}: of no rule or definition"
        return name


@dataclass
class Tally:
    """What became of the mutants of one rule or definition."""

    name: str
    killed: int = 0
    equivalent: int = 0
    invalid: int = 0
    survivors: list[str] = field(default_factory=list)
    stale: list[str] = field(default_factory=list)

    @property
    def made(self) -> int:
        """How many mutants were judged."""
        return self.killed + self.equivalent + len(self.survivors)


@dataclass(frozen=True)
class MadeDefinition:
    """A mutant of a definition as SQL."""

    label: str
    name: str
    sql: str


Candidate = Mutant | MadeDefinition


class MutantBench(ExampleBench):
    """Asks the mutants of a duty rule, a measure or a definition about a rule's examples, one as-of day at a time."""

    def __post_init__(self) -> None:
        super().__post_init__()
        self.queries: dict[tuple[int, HeldData], str] = {}
        self.rests: dict[str, tuple[str, ...]] = {}

    def judge(self, rule: Rule, candidates: Sequence[Candidate]) -> tuple[set[str], set[str]]:
        """The labels of the mutants that survive every example of the rule, and of those that are no rules at all."""
        self.queries.clear()
        alive = {one.label: one for one in candidates}
        broken: set[str] = set()
        for (as_of, held), group in _groups(rule.examples).items():
            put_to = _Group(self, rule, as_of, held, group)
            fallen = self._put_to(put_to, list(alive.values()), broken)
            alive = {label: one for label, one in alive.items() if label not in fallen | broken}
        return set(alive), broken

    def _put_to(self, group: _Group, alive: Sequence[Candidate], broken: set[str]) -> set[str]:
        """The mutants that fail an example of the group. One whose SQL does not run goes into `broken`."""
        fallen: set[str] = set()
        waiting = list(alive)
        while waiting:
            self.connection.execute("BEGIN")
            try:
                group.load()
                _ask(group, waiting, fallen, broken)
            finally:
                self.connection.execute("ROLLBACK")
        return fallen

    def answer(self, rule: Rule, as_of: datetime.date, held: HeldData) -> dict[str, list[dict[str, Any]]]:
        """What the rule says of each council in the database, its definitions being made."""
        sql, columns = filled(self._query(rule, held), as_of), ANSWER if rule.is_duty else MEASURED
        with _limited(self.connection):
            return _by_authority(self.connection.execute(sql).fetchall(), columns)

    def _query(self, rule: Rule, held: HeldData) -> str:
        """The rule's answer as SQL, compiled once; `judge` lets go of what it compiled."""
        if (id(rule), held) not in self.queries:
            bench = Workbench(self.schema, _with(self.rulebook, rule), held.latest, known=self._bench(held.latest))
            data = self._held(held)
            self.queries[id(rule), held] = _duties_query(bench, rule, data) if rule.is_duty else _measures_query(bench, rule)
        return self.queries[id(rule), held]

    def known(self, latest: frozenset[str]) -> Workbench:
        """The workbench of data in which these tables hold only the latest event."""
        return self._bench(latest)

    def definitions_of(self, rule: Rule) -> tuple[str, ...]:
        """The definitions that a rule of the rulebook rests on, each after what it rests on."""
        if rule.id not in self.rests:
            self.rests[rule.id] = _definitions_of(self._bench(frozenset()), rule)
        return self.rests[rule.id]


def _duties_query(bench: Workbench, rule: Rule, data: Available) -> str:
    order = "subject_id, trigger_date, due_date, done_date, status"
    compiled = doubted(bench.compile(rule), data)
    found = whole(f"({compiled.sql})", compiled.found)
    return f"SELECT authority, {', '.join(ANSWER)} FROM ({judged(found, AS_OF_MARK)}) ORDER BY {order}"


def _measures_query(bench: Workbench, rule: Rule) -> str:
    measure = compile_measure(bench, rule)
    sql = summed(f"({measure.sql})", {rule.id: measure.by})
    return f"SELECT authority, {', '.join(MEASURED)} FROM ({sql}) ORDER BY scope_type, scope_id"


@dataclass
class _Group:
    """The examples of one rule on one as-of day, of data that hold the same."""

    bench: MutantBench
    rule: Rule
    as_of: datetime.date
    held: HeldData
    examples: list[Numbered]

    def load(self) -> None:
        """Loads the examples and makes the rule's definitions."""
        self.bench._load(self.examples)
        self.bench._evaluate(self.rule, self.as_of, self.held)
        assert self._passes(self.rule), f"{self.rule.id}: the rule fails an example of {self.as_of}"

    def holds(self, mutant: Candidate) -> bool:
        """Whether the mutant gives what every example expects."""
        if isinstance(mutant, Mutant):
            return self._passes(mutant.rule)
        self._define(mutant)
        return self._passes(self.rule)

    def _passes(self, rule: Rule) -> bool:
        answer = self.bench.answer(rule, self.as_of, self.held)
        return all(_outcome(rule, one, answer.get(f"x{number}", [])).passed for number, one in self.examples)

    def _define(self, mutant: MadeDefinition) -> None:
        """Makes the mutant in the place of its definition, and again all that the rule rests on above it."""
        known = self.bench.known(self.held.latest)
        with _limited(self.bench.connection):
            for one in self._resting_on(known, mutant.name):
                sql = mutant.sql if one == mutant.name else known.definitions[one].sql
                self.bench.connection.execute(f'CREATE OR REPLACE TABLE defined."{one}" AS {filled(sql, self.as_of)}')

    def _resting_on(self, known: Workbench, name: str) -> list[str]:
        changed, made = {name}, self.bench.definitions_of(self.rule)
        for one in made:
            if changed & set(known.definitions[one].rests_on):
                changed.add(one)
        return [one for one in made if one in changed]


def _ask(group: _Group, waiting: list[Candidate], fallen: set[str], broken: set[str]) -> None:
    """Puts mutants to a loaded group until none waits, or one has spoilt the transaction."""
    while waiting:
        one = waiting.pop()
        try:
            if not group.holds(one):
                fallen.add(one.label)
        except duckdb.InterruptException:
            fallen.add(one.label)
            return
        except (ComplianceError, duckdb.Error):
            broken.add(one.label)
            return


@contextmanager
def _limited(connection: duckdb.DuckDBPyConnection) -> Iterator[None]:
    """Stops a query that takes more processor time than a mutant may: a machine that stands still must kill no mutant."""
    began, done = time.process_time(), Event()

    def watch() -> None:
        while not done.wait(1):
            if time.process_time() - began > SECONDS:
                connection.interrupt()

    watcher = Thread(target=watch, daemon=True)
    watcher.start()
    try:
        yield
    finally:
        done.set()
        watcher.join()


def _groups(examples: Sequence[Example]) -> dict[tuple[datetime.date, HeldData], list[Numbered]]:
    """The examples by as-of day and by what their data hold; the largest group first."""
    return dict(sorted(grouped(examples).items(), key=lambda item: -len(item[1])))


# --- one rule or definition ---------------------------------------------------------------------------------------


@dataclass
class Bench:
    """What one process needs to judge any rule or definition."""

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
        """What becomes of the mutants of one rule or definition. Raises AssertionError where an example fails on what stands."""
        if name in self.rulebook.definitions:
            candidates, alive, broken = self._of_definition(self.rulebook.definitions[name])
        else:
            candidates, alive, broken = self._of_rule(self.rulebook.rules[name])
        excused = self.equivalent.get(name, set())
        tally = Tally(name, invalid=len(broken), equivalent=len(alive & excused), stale=sorted(excused - alive))
        tally.survivors = [label for label in candidates if label in alive - excused]
        tally.killed = len(set(candidates)) - len(broken) - len(alive)
        return tally

    def _of_rule(self, rule: Rule) -> tuple[list[str], set[str], set[str]]:
        candidates = list(mutants(rule, self.rulebook))
        alive, broken = self._escalated(rule, candidates) if rule.kind == "escalation" else self.bench.judge(rule, candidates)
        return [one.label for one in candidates], alive, broken

    def _escalated(self, rule: Rule, candidates: Sequence[Mutant]) -> tuple[set[str], set[str]]:
        _assert_passed(rule, self.examples.run(rule))
        alive, broken = set(), set()
        for one in candidates:
            outcomes = _outcomes(self.examples, one.rule)
            if outcomes is None:
                broken.add(one.label)
            elif all(outcome.passed for outcome in outcomes):
                alive.add(one.label)
        return alive, broken

    def _of_definition(self, definition: Definition) -> tuple[list[str], set[str], set[str]]:
        made: dict[str, DefinitionMutant] = {one.label: one for one in definition_mutants(definition)}
        candidates = {label: sql for label, one in made.items() if (sql := self._compiled(one)) is not None}
        broken = made.keys() - candidates.keys()
        alive = dict(candidates)
        for rule in self._resting_on(definition.id):
            if not alive:
                break
            if rule.kind == "escalation":
                left, wrong = self._told(rule, [made[label] for label in alive])
            else:
                left, wrong = self.bench.judge(rule, [MadeDefinition(label, definition.id, alive[label]) for label in alive])
            broken |= wrong
            alive = {label: sql for label, sql in alive.items() if label in left - wrong}
        return list(made), set(alive), broken

    def _compiled(self, mutant: DefinitionMutant) -> str | None:
        """The mutant's query as the engine would run it, or None where it is no query."""
        name = mutant.definition.id
        bench = Workbench(self.bench.schema, _redefined(self.rulebook, mutant))
        known = self.bench.known(frozenset())
        known.source(name)
        bench.definitions = {one: found for one, found in known.definitions.items() if one != name}
        bench._sources = {one: found for one, found in known._sources.items() if one != name}
        try:
            bench.source(name)
        except ComplianceError:
            return None
        return bench.definitions[name].sql

    def _resting_on(self, name: str) -> list[Rule]:
        """The rules whose examples speak of a definition: those that name it first, then those with the most examples."""
        found = [rule for rule in self.rulebook.rules.values() if name in self.bench.definitions_of(rule)]
        return sorted(found, key=lambda rule: (f"'{name}'" not in str(rule.body), -len(rule.examples), rule.id))

    def _told(self, rule: Rule, candidates: Sequence[DefinitionMutant]) -> tuple[set[str], set[str]]:
        """As `MutantBench.judge`, of the definition of a fact: its examples that give rows, in the rulebook of each mutant."""
        alive, broken = set(), set()
        only = rule.model_copy(update={"examples": [one for one in rule.examples if one.tables]})
        for one in candidates if only.examples else ():
            outcomes = _outcomes(_in_rulebook(self.examples, _redefined(self.rulebook, one)), only)
            if outcomes is None:
                broken.add(one.label)
            elif all(outcome.passed for outcome in outcomes):
                alive.add(one.label)
        return (alive if only.examples else {one.label for one in candidates}), broken


def _definitions_of(known: Workbench, rule: Rule) -> tuple[str, ...]:
    """The definitions that a rule rests on, each after what it rests on."""
    if rule.is_duty:
        return known.compile(rule).definitions
    if isinstance(rule.body, Escalation):
        known.compile_facts(rule)
        return known.in_order(FACT + pattern.fact for pattern in rule.body.when)
    return compile_measure(known, rule).definitions


def _redefined(rulebook: Rulebook, mutant: DefinitionMutant) -> Rulebook:
    return replace(rulebook, definitions={**rulebook.definitions, mutant.definition.id: mutant.definition})


def _in_rulebook(examples: AllExamples, rulebook: Rulebook) -> AllExamples:
    """The same database for the examples of another rulebook."""
    other = copy(examples)
    other.bench = copy(examples.bench)
    other.rulebook = other.bench.rulebook = rulebook
    other.bench._benches, other.bench._packed = {}, None
    return other


def _assert_passed(rule: Rule, outcomes: Sequence[Outcome]) -> None:
    failed = [one.title for one in outcomes if not one.passed]
    assert not failed, f"{rule.id}: the rule fails its own example: {failed[0]}"


def _outcomes(examples: AllExamples, rule: Rule) -> list[Outcome] | None:
    """The outcomes of a mutant's examples, or None where it is no rule at all."""
    try:
        outcomes = examples.run(rule)
    except (ComplianceError, ValueError, StopIteration):
        return None
    return None if any(one.error for one in outcomes) else outcomes


def _equivalent(rulebook: Rulebook) -> dict[str, set[str]]:
    path = rulebook.folder / EQUIVALENT
    listed = yaml.safe_load(path.read_text(encoding="utf-8")) if path.is_file() else []
    found: dict[str, set[str]] = {}
    for one in TypeAdapter(list[Equivalent]).validate_python(listed or []):
        found.setdefault(one.name, set()).add(one.mutant)
    return found


_OPEN: list[Bench] = []


def _judge(name: str) -> Tally:
    if not _OPEN:
        _OPEN.append(Bench.open())
    return _OPEN[0].judge(name)


# --- the run ------------------------------------------------------------------------------------------------------


def files_of(rulebook: Rulebook) -> dict[str, Path]:
    """The file of each rule and definition."""
    defined = {one.id: path for path in rule_paths(rulebook.folder) for one in load_file(path).definitions}
    return {**rulebook.files, **defined}


def chosen(files: Mapping[str, Path], names: Sequence[str]) -> list[str]:
    """The rules and definitions named, by id, file or folder; all when none is."""
    if not names:
        return sorted(files)
    found: list[str] = []
    for name in names:
        place = Path(name).resolve()
        here = [one for one, path in files.items() if path.resolve() == place or place in path.resolve().parents]
        found += [name] if name in files else here
        if not here and name not in files:
            sys.exit(f"{name}: no such rule, definition, file or folder of rules")
    return found


def main(names: Sequence[str], processes: int = PROCESSES) -> int:
    """Judges the mutants of what is named, prints the counts of each file and the survivors. 1 where there are any."""
    began, rulebook = time.monotonic(), load_rulebook()
    files = files_of(rulebook)
    wanted = chosen(files, names)
    with ProcessPoolExecutor(processes) as pool:
        tallies = list(pool.map(_judge, wanted, chunksize=1))
    _print_files(files, rulebook.folder, tallies)
    survivors = [(one.name, label) for one in tallies for label in one.survivors]
    for name, label in sorted(survivors, key=lambda item: (_rank(rulebook, item[0]), item[0])):
        print(f"survived  {name}  {label}")
    for one in tallies:
        for label in one.stale:
            print(f"not a surviving mutant, so take it from {EQUIVALENT}: {one.name}  {label}")
    for kind, of_kind in (("rules", rulebook.rules), ("definitions", rulebook.definitions)):
        _print_count(kind, [one for one in tallies if one.name in of_kind])
    print(f"{time.monotonic() - began:.0f} s")
    return int(bool(survivors) or any(one.stale for one in tallies))


def _rank(rulebook: Rulebook, name: str) -> int:
    """How grave a survivor is: by its rule's severity, definitions last."""
    return SEVERITIES.index(rulebook.rules[name].severity) if name in rulebook.rules else len(SEVERITIES)


def _print_count(kind: str, tallies: Sequence[Tally]) -> None:
    made, killed, equivalent = (sum(getattr(one, name) for one in tallies) for name in ("made", "killed", "equivalent"))
    survived = sum(len(one.survivors) for one in tallies)
    print(f"{made} mutants of {len(tallies)} {kind}: {killed} killed, {equivalent} equivalent, {survived} survived")


def _print_files(files: Mapping[str, Path], folder: Path, tallies: Sequence[Tally]) -> None:
    counts: dict[Path, Counter[str]] = {}
    for one in tallies:
        row = counts.setdefault(files[one.name], Counter())
        row.update(made=one.made, killed=one.killed, equivalent=one.equivalent, survived=len(one.survivors))
    print(f"{'file':48} {'made':>6} {'killed':>7} {'same':>5} {'alive':>6}")
    for path, row in sorted(counts.items()):
        name = str(path.relative_to(folder))
        print(f"{name:48} {row['made']:6} {row['killed']:7} {row['equivalent']:5} {row['survived']:6}")


def arguments(given: Sequence[str]) -> argparse.Namespace:
    """What the command line asks for."""
    parser = argparse.ArgumentParser(prog="python -m tests.mutate", description="Mutation testing of the rulebook.")
    parser.add_argument("names", nargs="*", metavar="NAME", help="a rule, a definition, a file or a folder; all when none")
    parser.add_argument("--processes", type=int, default=PROCESSES, metavar="N")
    return parser.parse_args(given)


if __name__ == "__main__":
    asked = arguments(sys.argv[1:])
    sys.exit(main(asked.names, asked.processes))
