"""`compliance report`: the page, the workbook, the board paper and every other output of one run."""

from __future__ import annotations

import datetime
from pathlib import Path

import click

from compliance.cli.cache import kept_pack
from compliance.cli.options import (
    as_of_option,
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
from compliance.run import Request, run, trusted

PUBLIC = ("docx", "html", "pdf")
"""The outputs that can leave people and small numbers out."""


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
    rulebook = rulebook_of(rules_folder, local_rules, kept=True)
    tell = progress_to_stderr(quiet)
    result = run(Request(dataset, rulebook, as_of, progress=tell, packs=kept_pack))
    trusted(result.evaluation)
    decided = decided_on(result, dataset, register_file, no_waivers)
    hide_people(result, pseudonyms)
    found = decided.on(findings(result.evaluation))
    tell("writing")
    published = Published(
        result,
        tuple(pseudonyms.findings(found) if pseudonyms else found),
        decisions=decided.decisions,
        waivers=decided.waivers,
        public=publish,
        pseudonyms=pseudonyms,
    )
    write_all(published, wanted)
    if not quiet:
        for form, path in wanted:
            click.echo(f"{form}: {path} ({path.stat().st_size:,} bytes)", err=True)
    return 0


def _check_public(forms: list[str]) -> None:
    for form in forms:
        if form not in PUBLIC:
            raise UsageError(f"--publish does not cover {form}: it lists people", help=f"it covers {', '.join(PUBLIC)}")
