"""`compliance report`: the page, the workbook, the board paper and every other output of one run."""

from __future__ import annotations

import datetime
import itertools
from collections.abc import Callable
from pathlib import Path

import click

from compliance.cli.cache import asked
from compliance.cli.options import (
    as_of_option,
    clear_progress,
    dataset_argument,
    progress_to_stderr,
    quiet_option,
    rulebook_of,
    rules_option,
)
from compliance.cli.register_options import decided_on, decisions_options, hide_people, pseudonyms_of, pseudonyms_options
from compliance.duties.findings import findings
from compliance.errors import UsageError
from compliance.outputs.published import WRITERS, Published, parse_output, write_all
from compliance.register.beside import trend_beside
from compliance.register.saved import check_history, read_history
from compliance.register.trend import MOST_MONTHS
from compliance.run import run, trusted

PUBLIC = ("docx", "html", "pdf")
"""The outputs that can leave people and small numbers out."""
DRAWN = ("docx", "html", "pdf")
"""The outputs that show how measures and risks stood at earlier month ends."""


@click.command("report")
@dataset_argument
@as_of_option
@rules_option
@click.option(
    "--output",
    "outputs",
    multiple=True,
    required=True,
    metavar="FORMAT=PATH",
    help=f"Write this file (repeatable): {', '.join(sorted(WRITERS))}.",
)
@click.option(
    "--publish", is_flag=True, help=f"For publication ({', '.join(PUBLIC)}): nobody is named, small numbers are not given."
)
@click.option(
    "--months",
    type=click.IntRange(2, MOST_MONTHS),
    default=12,
    show_default=True,
    help="Month ends in the charts and the trend of indicators; each is judged again, so each takes time.",
)
@click.option("--no-trend", is_flag=True, help="Leave charts and trends out: faster.")
@click.option(
    "--since",
    type=click.Path(path_type=Path),
    metavar="DIR",
    help="A saved run, or a folder of them: show what changed since the last, and the direction of travel.",
)
@decisions_options
@pseudonyms_options
@quiet_option
def command(
    dataset: tuple[Path, ...],
    as_of: datetime.date | None,
    rules_folder: Path | None,
    local_rules: tuple[Path, ...],
    outputs: tuple[str, ...],
    publish: bool,
    months: int,
    no_trend: bool,
    since: Path | None,
    register_file: Path | None,
    no_waivers: bool,
    pseudonymise: bool,
    key_file: Path | None,
    quiet: bool,
) -> int:
    """Write the page (html), the workbook (xlsx) and the board paper (pdf, docx) of DATASET, computed once."""
    wanted = [parse_output(text) for text in outputs]
    _check_public([form for form, _ in wanted] if publish else [])
    pseudonyms = pseudonyms_of(pseudonymise, key_file)
    history = read_history(since) if since else []
    rulebook = rulebook_of(rules_folder, local_rules, kept=True)
    tell = progress_to_stderr(quiet)
    result = run(asked(dataset, rulebook, as_of, progress=tell))
    trusted(result.evaluation)
    decided = decided_on(result, dataset, register_file, no_waivers)
    hide_people(result, pseudonyms)
    found = decided.on(findings(result.evaluation))
    check_history(history, result.manifest())
    drawn = not no_trend and any(form in DRAWN for form, _ in wanted)
    series = trend_beside(result, months, progress=_counted(tell, months)) if drawn else []
    tell("writing")
    published = Published(
        result,
        tuple(pseudonyms.findings(found) if pseudonyms else found),
        decisions=decided.decisions,
        waivers=decided.waivers,
        public=publish,
        pseudonyms=pseudonyms,
        history=tuple(history),
        series=tuple(series),
    )
    write_all(published, wanted)
    clear_progress()
    if not quiet:
        for form, path in wanted:
            click.echo(f"{form}: {path} ({path.stat().st_size:,} bytes)", err=True)
    return 0


def _counted(tell: Callable[[str], None], months: int) -> Callable[[str], None]:
    """Says which of the month ends is being judged."""
    done = itertools.count(1)
    return lambda words: tell(f"{words} ({next(done)} of {months} month ends)")


def _check_public(forms: list[str]) -> None:
    for form in forms:
        if form not in PUBLIC:
            raise UsageError(f"--publish does not cover {form}: it lists people", help=f"it covers {', '.join(PUBLIC)}")
