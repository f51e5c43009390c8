"""`compliance explain`: the story of one finding, or the chain behind one risk."""

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
    rulebook_of,
    rules_option,
    stdout_console,
)
from compliance.cli.register_options import decided_on, decisions_options
from compliance.errors import UsageError
from compliance.register.explain import cause_document, chain, finding_by_id, story, story_document
from compliance.register.register import register
from compliance.run import run, trusted


@click.command("explain")
@click.argument("name", metavar="ID")
@dataset_argument
@as_of_option
@rules_option
@format_option("text", "json")
@decisions_options
def command(
    name: str,
    dataset: tuple[Path, ...],
    as_of: datetime.date | None,
    rules_folder: Path | None,
    local_rules: tuple[Path, ...],
    form: str,
    register_file: Path | None,
    no_waivers: bool,
) -> int:
    """Explain the finding or risk called ID in DATASET: clock, arithmetic, law, evidence and exceptions considered.

    ID may also be an escalation rule's: its highest risk is explained.
    """
    rulebook = rulebook_of(rules_folder, local_rules, kept=True)
    result = run(asked(dataset, rulebook, as_of, progress=progress_to_stderr(False)))
    trusted(result.evaluation)
    one = finding_by_id(result, name)
    if one is not None:
        told = story(result, one)
        if form == "json":
            from compliance.outputs.documents import as_json, finding_document

            emit(as_json({"finding": finding_document(one, result.rulebook), **story_document(told)}))
        else:
            from compliance.outputs.stories import print_story

            print_story(stdout_console(), told)
        return 0
    assert result.assessment is not None
    risk = next((found for found in result.assessment.risks if name in (found.id, found.rule.id)), None)
    if risk is None:
        raise UsageError(
            f"no finding or risk is called {name} as of {result.as_of}",
            help="ids stand at the end of each line of `compliance check` and of `compliance register --full`",
        )
    decided = decided_on(result, dataset, register_file, no_waivers)
    standing = register(result, decided.decisions, waivers=decided.waivers).standings[risk.id]
    cause = chain(result, risk)
    if form == "json":
        from compliance.outputs.documents import as_json, risk_document

        emit(as_json({"risk": risk_document(risk, standing), "chain": cause_document(cause)}))
    else:
        from compliance.outputs.stories import print_chain

        print_chain(stdout_console(), result, standing, cause)
    return 0
