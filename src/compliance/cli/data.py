"""`compliance data`: what a dataset holds and what is wrong in it; the same tables in another form; a workbook to fill in."""

from __future__ import annotations

import datetime
from pathlib import Path

import click

from compliance.cli.options import (
    as_of_option,
    dataset_argument,
    emit,
    format_option,
    overwrite_option,
    rulebook_of,
    rules_option,
    stdout_console,
)
from compliance.dataset.load import open_dataset
from compliance.errors import UsageError
from compliance.rulebook.diagnostics import nearest_help

TARGETS = ("csv", "parquet", "xlsx", "duckdb", "sqlite")


@click.group("data")
def command() -> None:
    """Describe, validate and convert datasets."""


@command.command("describe")
@dataset_argument
@rules_option
@format_option("text", "json")
def describe(dataset: tuple[Path, ...], rules_folder: Path | None, local_rules: tuple[Path, ...], form: str) -> None:
    """Say what DATASET holds: tables, rows, dates, history, and which rules each missing table or column switches off."""
    from compliance.cli.cache import kept_pack
    from compliance.register.data_description import data_description

    opened = open_dataset(dataset)
    told = data_description(opened, rulebook_of(rules_folder, local_rules, kept=True), kept_pack)
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


@command.command("convert")
@dataset_argument
@click.option("--out", type=click.Path(path_type=Path), required=True, help="The file or new folder to write.")
@click.option("--to", "target", type=click.Choice(TARGETS), help="The form; when left out, as --out is named, else CSV.")
@as_of_option
@overwrite_option
def convert(dataset: tuple[Path, ...], out: Path, target: str | None, as_of: datetime.date | None, overwrite: bool) -> None:
    """Write the canonical tables of DATASET, whatever it is read from, as CSV, Parquet, xlsx, DuckDB or SQLite.

    Rows that were set aside are not there; names and addresses are only ever the word `recorded`.
    """
    from typing import cast

    from compliance.sources.convert import Target
    from compliance.sources.convert import convert as write

    opened = open_dataset(dataset, as_of=as_of)
    tables = write(opened, out, cast("Target | None", target), overwrite=overwrite)
    loaded = sum(opened.tables[each].loaded for each in tables)
    rejected = sum(opened.tables[each].rejected for each in tables)
    aside = f"; {rejected} rows set aside: `compliance data validate` lists them" if rejected else ""
    click.echo(f"{loaded} rows of {len(tables)} tables: {out}{aside}", err=True)


@command.command("template")
@click.option("--out", type=click.Path(path_type=Path), required=True, help="The xlsx file to write.")
@click.option("--table", "tables", multiple=True, metavar="NAME", help="Only this table (repeatable; any canonical table).")
@overwrite_option
def template(out: Path, tables: tuple[str, ...], overwrite: bool) -> None:
    """Write a workbook to fill in, with a sheet for each table that no return carries, such as supervision and fostering.

    Each sheet has headings, types, lists to choose from and a line of help a column. Filled in, it is read as it is.
    """
    from compliance.dataset.schema import load_schema
    from compliance.sources.template import TEMPLATE_TABLES, write_template

    schema = load_schema()
    for each in tables:
        if each not in schema.tables:
            raise UsageError(f"there is no table {each}", help=nearest_help(each, schema.tables, "table"))
    chosen = tables or TEMPLATE_TABLES
    write_template(out, schema, chosen, overwrite=overwrite)
    click.echo(f"{len(set(chosen))} tables: {out}", err=True)
