"""`compliance trend`: each measure and each kind of risk at past month ends."""

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
from compliance.errors import UsageError
from compliance.register.trend import MOST_MONTHS, shown_rules, trend, trend_document, wanted_rules
from compliance.run import Timings, run, trusted


@click.command("trend")
@dataset_argument
@as_of_option
@rules_option
@click.option("--months", type=click.IntRange(2, MOST_MONTHS), default=12, show_default=True, help="How many month ends.")
@click.option("--rule", "names", multiple=True, metavar="ID", help="Only this measure or escalation rule (repeatable).")
@click.option("--no-risks", is_flag=True, help="Measures only: faster.")
@click.option("--limit", type=click.IntRange(min=0), help="How many series in text: what one screen holds; 0 is all.")
@format_option("text", "json")
@click.option("--timings", is_flag=True, help="Say on stderr how long it took.")
@quiet_option
def command(
    dataset: tuple[Path, ...],
    as_of: datetime.date | None,
    rules_folder: Path | None,
    local_rules: tuple[Path, ...],
    months: int,
    names: tuple[str, ...],
    no_risks: bool,
    limit: int | None,
    form: str,
    timings: bool,
    quiet: bool,
) -> int:
    """Show each measure and each kind of risk in DATASET at month ends, with natural limits and signals.

    Every month is judged from this one extract as it would have been known then; limits are the mean and 2.66 mean moving
    ranges either side of it.
    """
    rulebook = rulebook_of(rules_folder, local_rules, kept=True)
    chosen = {rulebook.rule(name).id for name in names}
    shown = shown_rules(rulebook, chosen, with_risks=not no_risks)
    if not shown:
        raise UsageError("nothing to show", help="--rule names a measure, or an escalation rule without --no-risks")
    progress, clock = progress_to_stderr(quiet), Timings()
    with clock.stage("last"):
        only = frozenset(wanted_rules(rulebook, shown))
        result = run(asked(dataset, rulebook, as_of, only, with_risks=False, progress=progress))
    trusted(result.evaluation)
    with clock.stage("trend"):
        found = trend(result, months, shown, progress=progress)
    if timings:
        click.echo("  ".join(f"{name} {seconds:.2f} s" for name, seconds in clock.seconds.items()), err=True)
    if form == "json":
        from compliance.outputs.documents import as_json

        emit(as_json(trend_document(found, result, months)))
        return 0
    from compliance.outputs.register_pages import print_trend

    print_trend(stdout_console(), found, result.as_of, months, limit=limit)
    return 0
