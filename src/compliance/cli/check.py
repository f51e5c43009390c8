"""`compliance check`: the breaches in a dataset; the main job."""

from __future__ import annotations

import datetime
from collections.abc import Sequence
from pathlib import Path

import click

from compliance.cli.cache import asked
from compliance.cli.gate import FailOn, Gate, against, baseline_ids
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
from compliance.duties.findings import Selection, findings
from compliance.duties.status import STATUSES
from compliance.errors import NothingEvaluated, UsageError
from compliance.outputs.published import WRITERS, Published, parse_output, write_all, writer
from compliance.rulebook.diagnostics import nearest_help
from compliance.rulebook.load import Rulebook
from compliance.rulebook.model import SEVERITIES, Rule
from compliance.run import Run, Timings, run, trusted

FORMATS = tuple(WRITERS)


@click.command("check")
@dataset_argument
@as_of_option
@rules_option
@click.option("--all", "every", is_flag=True, help="Every duty with its status, not only breaches.")
@click.option("--status", multiple=True, type=click.Choice(STATUSES), help="Only duties with this status (repeatable).")
@click.option("--rule", "rule_ids", multiple=True, metavar="ID", help="Only this rule (repeatable).")
@click.option("--theme", "themes", multiple=True, help="Only this theme (repeatable).")
@click.option("--team", "teams", multiple=True, help="Only this team (repeatable).")
@click.option("--person", "people", multiple=True, metavar="ID", help="Only this child or young person (repeatable).")
@click.option("--severity", type=click.Choice(SEVERITIES), default="low", help="Only rules of at least this severity.")
@click.option(
    "--fail-on",
    type=FailOn(),
    default="low",
    show_default=True,
    help="Exit 1 from this severity; from N breaches, or N% of the duties decided.",
)
@click.option("--baseline", type=click.Path(path_type=Path), help="A saved check document (JSON): only new breaches count.")
@click.option("--limit", type=click.IntRange(min=0), help="Breaches a rule in text: 5, or what one screen holds; 0 is all.")
@format_option(*FORMATS)
@click.option("--output", "outputs", multiple=True, metavar="FORMAT=PATH", help="Also write this file (repeatable).")
@decisions_options
@save_option
@pseudonyms_options
@click.option("--timings", is_flag=True, help="Say on stderr how long each stage took.")
@quiet_option
def command(
    dataset: tuple[Path, ...],
    as_of: datetime.date | None,
    rules_folder: Path | None,
    local_rules: tuple[Path, ...],
    every: bool,
    status: tuple[str, ...],
    rule_ids: tuple[str, ...],
    themes: tuple[str, ...],
    teams: tuple[str, ...],
    people: tuple[str, ...],
    severity: str,
    fail_on: Gate,
    baseline: Path | None,
    limit: int | None,
    form: str,
    outputs: tuple[str, ...],
    register_file: Path | None,
    no_waivers: bool,
    save: Path | None,
    pseudonymise: bool,
    key_file: Path | None,
    timings: bool,
    quiet: bool,
) -> int:
    """List the breaches in DATASET: duties not met in time, grouped by rule and severity."""
    clock = Timings()
    wanted = [parse_output(text) for text in outputs]
    pseudonyms = pseudonyms_of(pseudonymise, key_file)
    known = baseline_ids(baseline, pseudonyms.mark if pseudonyms else None) if baseline else None
    with clock.stage("rules"):
        rulebook = rulebook_of(rules_folder, local_rules, kept=True)
    _check_names(rulebook, rule_ids, themes)
    result = run(asked(dataset, rulebook, as_of, progress=progress_to_stderr(quiet)), clock)
    trusted(result.evaluation)
    with clock.stage("findings"):
        statuses = STATUSES if every else status or ("overdue", "missed", "late")
        selection = Selection(statuses, rule_ids, themes, teams, people, minimum_severity=severity)
        decided = decided_on(result, dataset, register_file, no_waivers)
        hide_people(result, pseudonyms)
        of_few = form == "text" and not wanted and save is None and pseudonyms is None
        found = decided.on(findings(result.evaluation, selection, evidence=not of_few))
        published = Published(
            result,
            tuple(pseudonyms.findings(found) if pseudonyms else found),
            asked=_asked(result, rule_ids, themes, severity),
            known=known,
            folder=_folder(dataset),
            decisions=decided.decisions,
            waivers=decided.waivers,
            pseudonyms=pseudonyms,
        )
        _refuse_nothing(result, published.rules)
    with clock.stage("output"):
        write_all(published, wanted)
        if save is not None:
            from compliance.outputs.kept import save_run

            save_run(save, published)
        if form == "text":
            from compliance.outputs.terminal import print_check

            print_check(stdout_console(), result, published.findings, limit=limit, quiet=quiet)
        else:
            emit(writer(form)(published))
    if timings:
        click.echo("  ".join(f"{name} {seconds:.2f} s" for name, seconds in clock.seconds.items()), err=True)
    if known is not None and not quiet:
        click.echo(f"against {baseline}: {against(known, published.findings)}", err=True)
    return int(fail_on.fails(published.new, result.evaluation, selection))


def _check_names(rulebook: Rulebook, rules: tuple[str, ...], themes: tuple[str, ...]) -> None:
    for name in rules:
        if rulebook.rule(name).kind == "escalation":
            raise UsageError(f"{name} is an escalation rule", help="`compliance register` lists the risks that it raises")
    known = {rule.theme for rule in rulebook.rules.values()}
    for theme in themes:
        if theme not in known:
            raise UsageError(f"no rule has the theme {theme}", help=nearest_help(theme, known, "theme"))


def _asked(result: Run, rules: tuple[str, ...], themes: tuple[str, ...], severity: str) -> frozenset[str]:
    """The duty rules that the options leave."""
    floor = SEVERITIES.index(severity)
    return frozenset(
        rule.id
        for rule in result.rulebook.duties
        if (not rules or rule.id in rules) and (not themes or rule.theme in themes) and SEVERITIES.index(rule.severity) >= floor
    )


def _refuse_nothing(result: Run, asked: Sequence[Rule]) -> None:
    """A question about rules that could not be evaluated has no answer."""
    if not {rule.id for rule in asked} & set(result.evaluation.evaluated):
        reasons = {one.rule: one.reason for one in result.evaluation.not_evaluated}
        first = next((f"{rule.id}: {reasons[rule.id]}" for rule in asked if rule.id in reasons), "no such rule")
        raise NothingEvaluated(f"none of the {len(asked)} rules asked for could be evaluated; {first}")


def _folder(dataset: Sequence[Path]) -> str:
    """Where the source files stand, as named on the command line: one folder within the one the command is run in."""
    if len(dataset) == 1 and dataset[0].is_dir() and not dataset[0].is_absolute() and ".." not in dataset[0].parts:
        return dataset[0].as_posix()
    return ""
