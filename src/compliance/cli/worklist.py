"""`compliance worklist`: what is overdue and what falls due in the next working days."""

from __future__ import annotations

import csv
import datetime
import io
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
from compliance.cli.register_options import decided_on, decisions_options, hide_people, pseudonyms_of, pseudonyms_options
from compliance.duties.findings import Selection
from compliance.outputs.files import write_private
from compliance.register.worklist import By, Worklist, as_worklist, rows, worklist, worklist_document
from compliance.rulebook.model import SEVERITIES
from compliance.run import run, trusted


@click.command("worklist")
@dataset_argument
@as_of_option
@rules_option
@click.option("--days", type=click.IntRange(0, 250), default=10, show_default=True, help="How many working days ahead.")
@click.option("--by", type=click.Choice(["team", "worker", "child"]), default="team", show_default=True, help="Whose lists.")
@click.option("--team", "teams", multiple=True, help="Only this team (repeatable).")
@click.option("--worker", "workers", multiple=True, metavar="ID", help="Only this worker (repeatable).")
@click.option("--person", "people", multiple=True, metavar="ID", help="Only this child or young person (repeatable).")
@click.option("--severity", type=click.Choice(SEVERITIES), default="low", help="Only rules of at least this severity.")
@click.option("--limit", type=click.IntRange(min=0), help="Lines a list in text: 10, or what one screen holds; 0 is all.")
@format_option("text", "json", "csv", "ics")
@click.option("--ics", type=click.Path(path_type=Path), metavar="FILE", help="Also write a calendar file, without names.")
@decisions_options
@pseudonyms_options
@quiet_option
def command(
    dataset: tuple[Path, ...],
    as_of: datetime.date | None,
    rules_folder: Path | None,
    local_rules: tuple[Path, ...],
    days: int,
    by: By,
    teams: tuple[str, ...],
    workers: tuple[str, ...],
    people: tuple[str, ...],
    severity: str,
    limit: int | None,
    form: str,
    ics: Path | None,
    register_file: Path | None,
    no_waivers: bool,
    pseudonymise: bool,
    key_file: Path | None,
    quiet: bool,
) -> int:
    """List what is overdue in DATASET and what falls due in the next working days, with the day it becomes a breach."""
    pseudonyms = pseudonyms_of(pseudonymise, key_file)
    rulebook = rulebook_of(rules_folder, local_rules, kept=True)
    progress = progress_to_stderr(quiet)
    result = run(asked(dataset, rulebook, as_of, with_risks=False, progress=progress))
    trusted(result.evaluation)
    decided = decided_on(result, dataset, register_file, no_waivers)
    hide_people(result, pseudonyms)
    wanted = Selection(("overdue", "due"), teams=teams, workers=workers, people=people, minimum_severity=severity)
    found = decided.on(worklist(result, days, wanted))
    listed = as_worklist(result, days, by, pseudonyms.findings(found) if pseudonyms else found)
    if ics is not None:
        from compliance.outputs.calendar_file import calendar_bytes

        write_private(ics, calendar_bytes(listed))
    _print(listed, form, limit)
    return 0


def _print(listed: Worklist, form: str, limit: int | None) -> None:
    if form == "json":
        from compliance.outputs.documents import as_json

        emit(as_json(worklist_document(listed)))
    elif form == "csv":
        emit(_csv(listed))
    elif form == "ics":
        from compliance.outputs.calendar_file import calendar_bytes

        emit(calendar_bytes(listed))
    else:
        from compliance.outputs.register_pages import print_worklist

        print_worklist(stdout_console(), listed, limit=limit)


def _csv(listed: Worklist) -> bytes:
    from compliance.outputs.tabular import harmless

    buffer = io.StringIO()
    writer = csv.writer(buffer)
    for row in rows(listed):
        writer.writerow([harmless(value) for value in row])
    return buffer.getvalue().encode("utf-8-sig")
