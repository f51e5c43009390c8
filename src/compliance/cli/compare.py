"""`compliance compare`: what is new, cleared, still open and worse between two runs."""

from __future__ import annotations

import datetime
from pathlib import Path

import click

from compliance.cli.cache import asked
from compliance.cli.options import (
    DAY,
    emit,
    format_option,
    progress_to_stderr,
    quiet_option,
    rulebook_of,
    rules_option,
    stdout_console,
)
from compliance.cli.register_options import decided_on, decisions_options
from compliance.duties.findings import findings
from compliance.errors import UsageError
from compliance.outputs.documents import as_json
from compliance.outputs.kept import as_saved
from compliance.register.again import run_again
from compliance.register.changes import changes_document, compare
from compliance.register.register import register
from compliance.register.saved import SavedRun, check_history, read_saved
from compliance.run import Run, run, trusted


@click.command("compare")
@click.argument("places", nargs=-1, required=True, metavar="A B | DATASET...", type=click.Path(path_type=Path))
@click.option("--from", "first", type=DAY, help="The earlier as-of date of one dataset.")
@click.option("--to", "last", type=DAY, help="The later as-of date of one dataset.")
@rules_option
@decisions_options
@click.option("--limit", type=click.IntRange(min=0), help="Rules a list in text: 10, or what one screen holds; 0 is all.")
@format_option("text", "json")
@quiet_option
def command(
    places: tuple[Path, ...],
    first: datetime.date | None,
    last: datetime.date | None,
    rules_folder: Path | None,
    local_rules: tuple[Path, ...],
    register_file: Path | None,
    no_waivers: bool,
    limit: int | None,
    form: str,
    quiet: bool,
) -> int:
    """Compare the saved runs A and B, or two as-of dates (--from, --to) of one DATASET.

    Runs are kept with `check --save DIR` and `register --save DIR`.
    """
    if (first is None) != (last is None):
        raise UsageError("--from and --to go together", help="name two days of one dataset, or two saved runs")
    if first is None or last is None:
        before, after = _saved(places)
    else:
        before, after = _dated(places, first, last, rules_folder, local_rules, register_file, no_waivers, quiet)
    found = compare(before, after)
    if form == "json":
        emit(as_json(changes_document(found)))
        return 0
    from compliance.outputs.register_pages import print_changes

    print_changes(stdout_console(), found, limit=limit)
    return 0


def _saved(places: tuple[Path, ...]) -> tuple[SavedRun, SavedRun]:
    if len(places) != 2:
        raise UsageError("two saved runs are compared", help="compliance compare A B, or DATASET with --from and --to")
    before, after = (read_saved(place) for place in places)
    check_history([before], after.manifest)
    return before, after


def _dated(
    places: tuple[Path, ...],
    first: datetime.date,
    last: datetime.date,
    rules_folder: Path | None,
    local_rules: tuple[Path, ...],
    register_file: Path | None,
    no_waivers: bool,
    quiet: bool,
) -> tuple[SavedRun, SavedRun]:
    """The dataset judged on both days, read once."""
    if first >= last:
        raise UsageError(f"--from {first} is not before --to {last}")
    rulebook = rulebook_of(rules_folder, local_rules, kept=True)
    progress = progress_to_stderr(quiet)
    later = run(asked(places, rulebook, last, progress=progress))
    trusted(later.evaluation)
    after = _kept(later, places, register_file, no_waivers)
    progress(f"judging as of {first}")
    return _kept(run_again(later, first), places, register_file, True), after


def _kept(result: Run, places: tuple[Path, ...], register_file: Path | None, no_waivers: bool) -> SavedRun:
    decided = decided_on(result, places, register_file, no_waivers)
    found = decided.on(findings(result.evaluation))
    return as_saved(result, found, register(result, decided.decisions, waivers=decided.waivers))
