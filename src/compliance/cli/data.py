"""`compliance data`: what a dataset holds, and what is wrong in it."""

from __future__ import annotations

import datetime
from pathlib import Path

import click

from compliance.cli.options import as_of_option, dataset_argument, emit, format_option, rulebook_of, rules_option, stdout_console
from compliance.dataset.load import open_dataset
from compliance.errors import UsageError


@click.group("data")
def command() -> None:
    """Describe and validate datasets."""


@command.command("describe")
@dataset_argument
@rules_option
@format_option("text", "json")
def describe(dataset: tuple[Path, ...], rules_folder: Path | None, local_rules: tuple[Path, ...], form: str) -> None:
    """Say what DATASET holds: tables, rows, dates, history, and which rules each missing table or column switches off."""
    from compliance.register.data_description import data_description

    opened = open_dataset(dataset)
    told = data_description(opened, rulebook_of(rules_folder, local_rules))
    if form == "json":
        from compliance.outputs.data_pages import description_document
        from compliance.outputs.documents import as_json

        emit(as_json(description_document(told)))
        return
    from compliance.outputs.data_pages import print_description

    print_description(stdout_console(), told)


@command.command("validate")
@dataset_argument
@as_of_option
@click.option("--limit", type=click.IntRange(min=0), default=50, show_default=True, help="Lines of each kind; 0 is all.")
@format_option("text", "json")
def validate(dataset: tuple[Path, ...], as_of: datetime.date | None, limit: int, form: str) -> int:
    """Print every row of DATASET that was set aside, value that was blanked, and fact that cannot be right.

    Exit 1 where a row was set aside, else 0.
    """
    from compliance.dataset.quality import quality
    from compliance.dataset.remarks import remarks

    opened = open_dataset(dataset)
    day = as_of or opened.extract_date
    if day is None:
        raise UsageError("no as-of date", help="give --as-of DATE, or extract_date in the dataset's dataset.yaml")
    said = remarks(opened)
    found = quality(opened, day)
    if form == "json":
        from compliance.outputs.data_pages import validation_document
        from compliance.outputs.documents import as_json

        emit(as_json(validation_document(opened, said, found)))
    else:
        from compliance.outputs.data_pages import print_validation

        print_validation(stdout_console(), opened, said, found, limit=limit)
    return int(any(table.rejected for table in opened.tables.values()))
