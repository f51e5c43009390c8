"""One run from data to register: the stages of the design, wired in order."""

from __future__ import annotations

import datetime
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from compliance import __version__
from compliance.dataset.load import Dataset, open_dataset
from compliance.dataset.schema import Schema
from compliance.duties.evaluate import Available, Evaluation, evaluate
from compliance.duties.findings import count_by_status
from compliance.duties.pack import Pack, compile_pack
from compliance.errors import EngineError, NothingEvaluated, UsageError
from compliance.risks.assess import Assessment, assess, conjunctions_of
from compliance.risks.durable import DurableReasoner
from compliance.risks.durable import available as durable_available
from compliance.risks.escalation import compile_all
from compliance.risks.patterns import Conjunction, check_limits
from compliance.risks.scoring import Ladder, Scoring, load_ladder, load_scoring
from compliance.rulebook.load import Rulebook
from compliance.rulebook.overlay import apply_overlay

Progress = Callable[[str], None]
TIME_LIMIT = 120.0


@dataclass
class Timings:
    """Seconds spent in each stage."""

    seconds: dict[str, float] = field(default_factory=dict)

    @contextmanager
    def stage(self, name: str) -> Iterator[None]:
        """Counts the time spent inside."""
        start = time.perf_counter()
        try:
            yield
        finally:
            self.seconds[name] = self.seconds.get(name, 0.0) + time.perf_counter() - start


@dataclass
class Run:
    """Everything one run found; what is published is written from this."""

    dataset: Dataset
    rulebook: Rulebook
    evaluation: Evaluation
    scoring: Scoring
    ladder: Ladder
    assessment: Assessment | None
    timings: Timings
    waivers: tuple[Mapping[str, object], ...] = ()
    pseudonyms: str | None = None

    @property
    def as_of(self) -> datetime.date:
        """The day whose close is judged."""
        return self.evaluation.as_of

    def manifest(self) -> dict[str, object]:
        """What was run on what: enough to run it again, and the same on every machine."""
        evaluation = self.evaluation
        return {
            "version": __version__,
            "rule_pack": self.rulebook.digest,
            "input": self.dataset.digest,
            "as_of": self.as_of.isoformat(),
            "authorities": [{"code": one.code, "name": one.name} for one in self.dataset.authorities],
            "rows": {
                "read": sum(table.read for table in self.dataset.tables.values()),
                "loaded": sum(table.loaded for table in self.dataset.tables.values()),
                "rejected": sum(table.rejected for table in self.dataset.tables.values()),
            },
            "coverage": [
                {"table": one.table, "authority": one.authority, "from": one.stretch.first, "to": one.stretch.last}
                for one in self.dataset.coverage
            ],
            "conflicts": sum(one.values for one in self.dataset.conflicts),
            "duties": count_by_status(evaluation),
            "rules": {"evaluated": len(evaluation.evaluated), "not_evaluated": len(evaluation.not_evaluated)},
            "judged_without": [{"lacks": said, "rules": list(rules)} for said, rules in evaluation.judged_without.items()],
            "reconciliation": self._reconciliation(),
            "waivers": [dict(one) for one in self.waivers],
            "pseudonyms": self.pseudonyms,
        }

    def _reconciliation(self) -> object:
        if self.assessment is None:
            return None
        return {
            "evaluators": list(self.assessment.reconciliation[0].evaluators) if self.assessment.reconciliation else [],
            "facts": self.assessment.facts,
            "firings": self.assessment.firings,
            "notes": sorted({one.note for one in self.assessment.reconciliation}),
        }


@dataclass
class Request:
    """What is asked of a run."""

    paths: Sequence[Path]
    rulebook: Rulebook
    as_of: datetime.date | None = None
    only: frozenset[str] = frozenset()
    with_risks: bool = True
    reasoner: Callable[[], DurableReasoner] = DurableReasoner
    progress: Progress | None = None
    schema: Schema | None = None
    packs: Callable[[Schema, Rulebook, frozenset[str], frozenset[str]], Pack] | None = None


def run(request: Request, timings: Timings | None = None) -> Run:
    """The answer to a request. Raises NothingEvaluated when no rule could be evaluated, EngineError when it cannot be trusted."""
    timings = timings or Timings()
    tell = request.progress or (lambda _: None)
    rulebook = request.rulebook
    with timings.stage("load"):
        tell("reading data")
        dataset = open_dataset(request.paths, schema=request.schema, progress=request.progress, as_of=request.as_of)
    as_of = request.as_of or dataset.extract_date
    if as_of is None:
        raise UsageError("no as-of date", help="give --as-of DATE, or extract_date in the dataset's dataset.yaml")
    rulebook = apply_overlay(rulebook, dataset.config.parameters, "dataset.yaml")
    chosen = rulebook.only(request.only) if request.only else rulebook
    conjunctions: list[Conjunction] = []
    starter = _Starter(request.reasoner if request.with_risks and durable_available() else None)
    with starter:
        if request.with_risks:
            with timings.stage("rules"):
                conjunctions = compile_all(chosen, as_of)
                check_limits(conjunctions)
                starter.begin(conjunctions)
        available = available_in(dataset)
        with timings.stage("compile"):
            pack = (request.packs or compile_pack)(dataset.schema, rulebook, available.latest_only, available.limited)
        with timings.stage("duties"):
            evaluation = evaluate(dataset.connection, dataset.schema, chosen, as_of, available, pack, progress=request.progress)
        if not evaluation.evaluated:
            raise NothingEvaluated(
                "no rule could be evaluated on this data", help="`compliance data describe` says what each rule needs"
            )
        scoring, ladder = load_scoring(rulebook.folder), load_ladder(rulebook.folder)
        assessment = None
        if request.with_risks:
            with timings.stage("risks"):
                tell("reasoning about risks")
                assessment = assess(evaluation, scoring, ladder, conjunctions=conjunctions, reasoner=starter.next)
    return Run(dataset, rulebook, evaluation, scoring, ladder, assessment, timings)


class _Starter:
    """Starts durable-rules early, so that its start-up overlaps with other work, and afresh for each further council."""

    def __init__(self, make: Callable[[], DurableReasoner] | None) -> None:
        self.make, self.waiting, self.conjunctions = make, None, []  # type: Callable[[], DurableReasoner] | None, DurableReasoner | None, list[Conjunction]

    def begin(self, conjunctions: list[Conjunction]) -> None:
        """Starts one reasoner on these patterns."""
        self.conjunctions = conjunctions
        self.waiting = self._start()

    def _start(self) -> DurableReasoner | None:
        if self.make is None or not self.conjunctions:
            return None
        reasoner = self.make()
        reasoner.start(self.conjunctions, timeout_seconds=TIME_LIMIT)
        return reasoner

    def next(self) -> DurableReasoner | None:
        """The one that waits, or a new one."""
        waiting, self.waiting = self.waiting, None
        return waiting or self._start()

    def __enter__(self) -> _Starter:
        return self

    def __exit__(self, *_: object) -> None:
        if self.waiting is not None:
            self.waiting.close()


def available_in(dataset: Dataset) -> Available:
    """The tables and columns that the dataset holds."""
    columns = {(table.name, column) for table in dataset.tables.values() if table.present for column in table.columns}
    latest = frozenset(table.name for table in dataset.tables.values() if table.present and table.history == "latest")
    return Available(frozenset(columns), latest, dataset.kinds, dataset.coverage)


def trusted(evaluation: Evaluation) -> None:
    """Nothing, or an EngineError naming the rules that failed."""
    if evaluation.failed:
        first = evaluation.failed[0]
        raise EngineError(f"{len(evaluation.failed)} rules failed, first {first.rule}: {first.reason}")


__all__ = ["Request", "Run", "Timings", "available_in", "conjunctions_of", "run", "trusted"]
