"""`compliance register`: the risk register on one screen."""

from __future__ import annotations

import datetime
from pathlib import Path

import click

from compliance.cli.cache import kept_pack
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
from compliance.register.register import register
from compliance.run import Request, run, trusted


@click.command("register")
@dataset_argument
@as_of_option
@rules_option
@click.option("--top", type=click.IntRange(min=1), default=12, show_default=True, help="How many risks to print.")
@click.option("--svg", type=click.Path(path_type=Path), help="Also write the screen as a picture (SVG).")
@format_option("text", "json")
@quiet_option
def command(
    dataset: tuple[Path, ...],
    as_of: datetime.date | None,
    rules_folder: Path | None,
    local_rules: tuple[Path, ...],
    top: int,
    svg: Path | None,
    form: str,
    quiet: bool,
) -> int:
    """Print the risk register of DATASET: where the council stands, the risks and why, and what falls due."""
    rulebook = rulebook_of(rules_folder, local_rules, kept=True)
    result = run(Request(dataset, rulebook, as_of, progress=progress_to_stderr(quiet), packs=kept_pack))
    trusted(result.evaluation)
    found = register(result)
    if form == "json":
        from compliance.outputs.documents import as_json, register_document

        emit(as_json(register_document(found)))
        return 0
    from compliance.outputs.terminal import print_register

    print_register(stdout_console(), found, top=top)
    if svg is not None:
        from compliance.outputs.picture import register_svg

        register_svg(found, svg, top=top)
    return 0
