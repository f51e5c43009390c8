"""`compliance register`: the risk register on one screen."""

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
from compliance.cli.register_options import (
    decided_on,
    decisions_options,
    hide_people,
    pseudonyms_of,
    pseudonyms_options,
    save_option,
)
from compliance.register.equality import breach_rates, equality_document
from compliance.register.pseudonyms import register_of as register
from compliance.register.saved import check_history, read_history
from compliance.run import run, trusted


@click.command("register")
@dataset_argument
@as_of_option
@rules_option
@click.option("--top", type=click.IntRange(min=1), help="How many kinds of risk to print (else what fits a screen).")
@click.option("--full", is_flag=True, help="Print everything, however long: every kind of risk, measure and rule.")
@click.option("--svg", type=click.Path(path_type=Path), help="Also write the screen as a picture (SVG).")
@format_option("text", "json")
@decisions_options
@click.option(
    "--since",
    type=click.Path(path_type=Path),
    metavar="DIR",
    help="A saved run, or a folder of them: show the direction of travel.",
)
@click.option("--equality", is_flag=True, help="Also show breach rates by protected characteristic.")
@save_option
@pseudonyms_options
@quiet_option
def command(
    dataset: tuple[Path, ...],
    as_of: datetime.date | None,
    rules_folder: Path | None,
    local_rules: tuple[Path, ...],
    top: int | None,
    full: bool,
    svg: Path | None,
    form: str,
    register_file: Path | None,
    no_waivers: bool,
    since: Path | None,
    equality: bool,
    save: Path | None,
    pseudonymise: bool,
    key_file: Path | None,
    quiet: bool,
) -> int:
    """Print the risk register of DATASET: where the council stands, the risks and why, and what falls due."""
    pseudonyms = pseudonyms_of(pseudonymise, key_file)
    history = read_history(since) if since else []
    rulebook = rulebook_of(rules_folder, local_rules, kept=True)
    result = run(asked(dataset, rulebook, as_of, progress=progress_to_stderr(quiet)))
    trusted(result.evaluation)
    decided = decided_on(result, dataset, register_file, no_waivers)
    hide_people(result, pseudonyms)
    check_history(history, result.manifest())
    previous = [one.register for one in history]
    found = register(result, decided.decisions, waivers=decided.waivers, previous=previous, pseudonyms=pseudonyms)
    if save is not None:
        from compliance.outputs.kept import save_register

        save_register(save, found, decided.waivers, pseudonyms)
    groups = breach_rates(result) if equality else None
    if form == "json":
        from compliance.outputs.documents import as_json, register_document

        more = {"equality": equality_document(groups)} if groups is not None else {}
        emit(as_json({**register_document(found), **more}))
        return 0
    from compliance.outputs.register_screen import print_register

    print_register(stdout_console(), found, top=top, full=full)
    if groups is not None:
        from compliance.outputs.register_pages import print_equality

        print_equality(stdout_console(), groups)
    if svg is not None:
        from compliance.outputs.picture import register_svg

        register_svg(found, svg, top=top)
    return 0
