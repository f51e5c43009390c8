"""Options about decisions, saved runs and pseudonyms, and what the commands make of them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import click

from compliance.cli.options import Command, clear_progress
from compliance.errors import UsageError

if TYPE_CHECKING:
    from compliance.duties.findings import Finding
    from compliance.register.decisions import Decisions
    from compliance.register.pseudonyms import Pseudonyms
    from compliance.register.waivers import Waivers
    from compliance.run import Run

def decisions_options(command: Command) -> Command:
    """The file of decisions, and whether its waivers work."""
    command = click.option("--no-waivers", is_flag=True, help="Ignore every waiver in the register file.")(command)
    return click.option(
        "--register",
        "register_file",
        type=click.Path(path_type=Path),
        metavar="FILE",
        help="What people decided (register.yaml in the dataset's folder when left out).",
    )(command)


def save_option(command: Command) -> Command:
    """Keeping the run."""
    return click.option(
        "--save",
        type=click.Path(path_type=Path),
        metavar="DIR",
        help="Keep the run in this new folder, for `compliance compare`.",
    )(command)


def pseudonyms_options(command: Command) -> Command:
    """Replacing the ids of people."""
    command = click.option(
        "--key",
        "key_file",
        type=click.Path(path_type=Path),
        metavar="FILE",
        help="The file that holds the key for --pseudonymise.",
    )(command)
    return click.option("--pseudonymise", is_flag=True, help="Replace ids by keyed digests; withhold rows and free text.")(
        command
    )


def pseudonyms_of(pseudonymise: bool, key_file: Path | None) -> Pseudonyms | None:
    """The pseudonyms asked for, or None. Raises UsageError without a key."""
    from compliance.register.pseudonyms import Pseudonyms

    if not pseudonymise:
        return None
    if key_file is None:
        raise UsageError("--pseudonymise needs a key", help="name a file that holds at least 16 bytes with --key FILE")
    return Pseudonyms.from_file(key_file)


@dataclass(frozen=True)
class Decided:
    """What people decided, ready for one run."""

    decisions: Decisions
    waivers: Waivers

    def on(self, found: Sequence[Finding]) -> list[Finding]:
        """The findings, those waived marked."""
        return self.waivers.apply(found)


def decided_on(run: Run, paths: Sequence[Path], register_file: Path | None, no_waivers: bool) -> Decided:
    """The decisions about a run's dataset; its manifest lists the waivers, and stderr warns of those that lapse."""
    from compliance.duties.findings import findings
    from compliance.register.decisions import find_decisions
    from compliance.register.waivers import Waivers, waiver_document

    decisions = find_decisions(paths, register_file, run.rulebook)
    waivers = Waivers(decisions, run.as_of, ignored=no_waivers)
    if waivers.all:
        risks = run.assessment.risks if run.assessment else ()
        states = waivers.states(findings(run.evaluation), risks)
        run.waivers = tuple(waiver_document(one) for one in states)
        for words in [one.words(run.as_of) for one in states]:
            if words:
                _warn(words)
    return Decided(decisions, waivers)


def _warn(words: str) -> None:
    from compliance.rulebook.diagnostics import printable

    clear_progress()
    click.echo(f"warning: {printable(words)}", err=True)


def hide_people(run: Run, pseudonyms: Pseudonyms | None) -> None:
    """Replaces ids in the run's manifest."""
    if pseudonyms is None:
        return
    authority = run.dataset.authorities[0].code if len(run.dataset.authorities) == 1 else ""
    run.waivers = tuple(pseudonyms.waivers(run.waivers, authority))
    run.pseudonyms = pseudonyms.mark
