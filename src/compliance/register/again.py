"""The same dataset judged on another day: the as-of views are of one variable, so nothing is read again."""

from __future__ import annotations

import datetime
from collections.abc import Iterable
from dataclasses import replace

from compliance.duties.evaluate import evaluate
from compliance.risks.assess import assess
from compliance.risks.escalation import compile_all
from compliance.run import Run, Timings, available_in, trusted


def run_again(run: Run, day: datetime.date, *, only: Iterable[str] | None = None, with_risks: bool = True) -> Run:
    """The run as of another day, of all its rules or only some; the tables of the earlier run are overwritten.

    Risks are found by the SQL joins alone, and the manifest says so. Raises EngineError where a rule fails.
    """
    rulebook = run.evaluation.rulebook if only is None else run.rulebook.only(only)
    dataset, timings = run.dataset, Timings()
    with timings.stage("duties"):
        evaluation = evaluate(dataset.connection, dataset.schema, rulebook, day, available_in(dataset), run.evaluation.pack)
    trusted(evaluation)
    judged = replace(run, evaluation=evaluation, assessment=None, timings=timings, waivers=())
    return with_joined_risks(judged) if with_risks else judged


def with_joined_risks(run: Run) -> Run:
    """The run with its risks, found by the SQL joins alone; its manifest says so."""
    conjunctions = compile_all(run.evaluation.rulebook, run.as_of)
    with run.timings.stage("risks"):
        assessment = assess(run.evaluation, run.scoring, run.ladder, conjunctions=conjunctions, reasoner=lambda: None)
    return replace(run, assessment=assessment)
