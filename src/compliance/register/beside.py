"""What an extract said at earlier month ends, beside the run that is published: its own answers stay as they were."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from compliance.dataset.known import known_views
from compliance.register.trend import Progress, Series, trend
from compliance.run import Run

ANSWERS = ("judged_duties", "measures")
"""The tables that judging another day overwrites."""


def trend_beside(run: Run, months: int, *, with_risks: bool = True, progress: Progress | None = None) -> list[Series]:
    """The series of `trend`, with the run's own answers put back after it."""
    with answers_kept(run):
        return trend(run, months, with_risks=with_risks, progress=progress)


@contextmanager
def answers_kept(run: Run) -> Iterator[None]:
    """Puts the run's duties and measures, and the day that is known, back as they were."""
    connection = run.evaluation.connection
    for name in ANSWERS:
        connection.execute(f"CREATE OR REPLACE TABLE kept_{name} AS FROM {name}")
    try:
        yield
    finally:
        for name in ANSWERS:
            connection.execute(f"CREATE OR REPLACE TABLE {name} AS FROM kept_{name}; DROP TABLE kept_{name}")
        known_views(connection, run.evaluation.schema, run.as_of)
