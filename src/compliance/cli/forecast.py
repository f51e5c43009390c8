"""`compliance forecast`: the duties to expect in the coming weeks against what teams can do."""

from __future__ import annotations

import datetime
from pathlib import Path

import click

from compliance.cli.cache import asked
from compliance.cli.options import (
    as_of_option,
    dataset_argument,
    emit,
    format_option,
    progress_to_stderr,
    quiet_option,
    rulebook_of,
    rules_option,
    stdout_console,
)
from compliance.register.forecast import WEEKS_AHEAD, forecast, forecast_document, parse_demand
from compliance.run import run, trusted


@click.command("forecast")
@dataset_argument
@as_of_option
@rules_option
@click.option("--weeks", type=click.IntRange(1, 52), default=WEEKS_AHEAD, show_default=True, help="How many weeks ahead.")
@click.option("--demand", default="+0%", show_default=True, metavar="+N%", help="More, or less, than in the past half-year.")
@format_option("text", "json")
@quiet_option
def command(
    dataset: tuple[Path, ...],
    as_of: datetime.date | None,
    rules_folder: Path | None,
    local_rules: tuple[Path, ...],
    weeks: int,
    demand: str,
    form: str,
    quiet: bool,
) -> int:
    """Set the duties to expect in DATASET over the next twelve weeks beside what each team has been able to do.

    With --demand +20%, what a higher demand would do; the arithmetic is printed with the answer.
    """
    factor = parse_demand(demand)
    rulebook = rulebook_of(rules_folder, local_rules, kept=True)
    progress = progress_to_stderr(quiet)
    result = run(asked(dataset, rulebook, as_of, with_risks=False, progress=progress))
    trusted(result.evaluation)
    found = forecast(result, factor, weeks)
    if form == "json":
        from compliance.outputs.documents import as_json

        emit(as_json(forecast_document(found)))
        return 0
    from compliance.outputs.register_pages import print_forecast

    print_forecast(stdout_console(), found)
    return 0
