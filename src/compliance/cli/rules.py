"""`compliance rules`: what is checked, where it comes from, and whether its examples hold."""

from __future__ import annotations

import datetime
from pathlib import Path
from typing import TYPE_CHECKING

import click

from compliance.cli.options import DAY, emit, format_option, rulebook_of, rules_option, stdout_console
from compliance.dataset.schema import load_schema
from compliance.errors import RuleFileError
from compliance.rulebook.load import Rulebook
from compliance.rulebook.model import Rule

if TYPE_CHECKING:
    from compliance.duties.compiled import Compiled, CompiledMeasure

SCHEMAS = (
    "rule-file",
    "check",
    "register",
    "compare",
    "trend",
    "worklist",
    "forecast",
    "rules-list",
    "rules-coverage",
    "data-describe",
    "scoring",
    "ladder",
    "dataset",
    "register-file",
)


@click.group("rules")
def command() -> None:
    """List, show, test and print the rules."""


@command.command("list")
@rules_option
@click.option("--theme", help="Only this theme.")
@click.option("--kind", help="Only this kind: deadline, recurring, limit, presence, sequence, measure, escalation.")
@format_option("text", "json")
def list_rules(rules_folder: Path | None, local_rules: tuple[Path, ...], theme: str | None, kind: str | None, form: str) -> None:
    """List every rule: id, kind, severity, standing and title."""
    rulebook = rulebook_of(rules_folder, local_rules)
    chosen = [rule for _, rule in sorted(rulebook.rules.items()) if theme in (None, rule.theme) and kind in (None, rule.kind)]
    if form == "json":
        from compliance.outputs.documents import as_json, rules_document

        emit(as_json(rules_document(chosen, rulebook)))
        return
    from compliance.outputs.rule_pages import print_rules

    print_rules(stdout_console(), chosen)


@command.command("show")
@click.argument("name", metavar="ID")
@rules_option
@click.option("--on", "day", type=DAY, help="Show the parameters in force on this day.")
@format_option("text", "json")
def show(name: str, rules_folder: Path | None, local_rules: tuple[Path, ...], day: datetime.date | None, form: str) -> None:
    """Show one rule: its law and link, parameters in force, the data it needs, and its examples."""
    rulebook = rulebook_of(rules_folder, local_rules)
    rule = rulebook.rule(name)
    if form == "json":
        from compliance.outputs.documents import as_json, rule_document

        emit(as_json(rule_document(rule, rulebook)))
        return
    from compliance.outputs.rule_pages import print_rule

    print_rule(stdout_console(), rulebook, rule, needs_of(rulebook, rule), day)


def needs_of(rulebook: Rulebook, rule: Rule) -> list[str]:
    """The table.columns that a rule needs, in order; escalation rules need none of their own."""
    from compliance.duties.compiler import Workbench
    from compliance.duties.measures import compile_measure

    bench = Workbench(load_schema(), rulebook)
    if rule.is_duty:
        compiled: Compiled | CompiledMeasure = bench.compile(rule)
    elif rule.measure is not None:
        compiled = compile_measure(bench, rule)
    else:
        return []
    return sorted({*(f"{table}.{column}" for table, column in compiled.needs), *compiled.said})


@command.command("test")
@click.argument("names", nargs=-1, metavar="[ID]...")
@rules_option
@click.option("-v", "--verbose", is_flag=True, help="Also name the examples that hold.")
@format_option("text", "json")
def test(names: tuple[str, ...], rules_folder: Path | None, local_rules: tuple[Path, ...], verbose: bool, form: str) -> int:
    """Check every rule file, and run the worked examples of the rules (all, or those named).

    Exit 2 where an example fails, or where a rule lacks one: a duty that is met, a breach, one on its due day, one a day past
    it, one of each named variant, exception, relaxation and pause. Over all rules also where two answer differently on one
    duty and neither says so (`overlaps`).
    """
    from compliance.duties.overlaps import undeclared_in_examples
    from compliance.duties.required import missing_examples
    from compliance.duties.validate import problems
    from compliance.outputs.rule_pages import print_outcomes
    from compliance.risks.examples import AllExamples
    from compliance.rulebook.diagnostics import raise_if_any

    rulebook = rulebook_of(rules_folder, local_rules)
    schema = load_schema()
    bench = AllExamples(schema, rulebook)
    raise_if_any(problems(rulebook, schema, [bench.check_escalation]))
    chosen = [rulebook.rule(name) for name in names] or [rule for _, rule in sorted(rulebook.rules.items())]
    by_rule = {rule.id: bench.run(rule) for rule in chosen}
    outcomes = [outcome for found in by_rule.values() for outcome in found]
    lacking = {rule.id: found for rule in chosen if (found := missing_examples(rule, by_rule[rule.id], bench.run))}
    failed = [one for one in outcomes if not one.passed]
    overlaps = undeclared_in_examples(bench.bench) if not (names or failed) else []
    if form == "json":
        from compliance.outputs.documents import as_json

        lists = {"failed": [*map(vars, failed)], "missing": lacking, "overlaps": [*map(vars, overlaps)]}
        emit(as_json({"examples": len(outcomes), **lists}))
    else:
        print_outcomes(stdout_console(), outcomes, lacking, overlaps, verbose=verbose)
    return int(bool(lacking or failed or overlaps)) * 2


@command.command("coverage")
@rules_option
@click.option("--unaccounted", is_flag=True, help="Only the obligations that nothing accounts for.")
@format_option("text", "json", "markdown")
def coverage(rules_folder: Path | None, local_rules: tuple[Path, ...], unaccounted: bool, form: str) -> int:
    """Show which rules decide each obligation of the catalogue, and why the rest are not decided.

    Exit 1 where an obligation is unaccounted for.
    """
    from compliance.outputs import coverage_pages
    from compliance.rulebook.coverage import UNACCOUNTED, coverage_of

    found = coverage_of(rulebook_of(rules_folder, local_rules))
    missing = [one for one in found if one.status == UNACCOUNTED]
    shown = missing if unaccounted else found
    if form == "json":
        from compliance.outputs.documents import as_json

        emit(as_json(coverage_pages.document(shown)))
    elif form == "markdown":
        click.echo(coverage_pages.markdown(shown))
    else:
        coverage_pages.print_coverage(stdout_console(), shown, found)
    return int(bool(missing))


@command.command("schema")
@click.option("--of", "subject", type=click.Choice(SCHEMAS), default="rule-file", show_default=True, help="Of which document.")
def schema(subject: str) -> None:
    """Print the JSON Schema of rule files (for editors) or of an output."""
    from compliance.outputs.documents import as_json
    from compliance.outputs.schemas import json_schema

    emit(as_json(json_schema(subject)))


@command.command("sql")
@click.argument("name", metavar="[ID]", required=False)
@rules_option
@click.option("--as-of", type=DAY, default=datetime.date(2021, 9, 30), show_default=True, help="The as-of day written into it.")
@click.option("--dialect", type=click.Choice(["duckdb", "postgres", "tsql", "spark"]), default="duckdb", show_default=True)
@click.option("--calendar", is_flag=True, help="Print the table `calendar` that the SQL joins instead.")
def sql(
    name: str | None,
    rules_folder: Path | None,
    local_rules: tuple[Path, ...],
    as_of: datetime.date,
    dialect: str,
    calendar: bool,
) -> None:
    """Print the SQL that a rule becomes: one statement over the canonical tables and a working-day calendar."""
    from compliance.duties.compiler import Workbench
    from compliance.duties.portable import calendar_sql, portable_sql

    if calendar:
        click.echo(calendar_sql(as_of.year - 5, as_of.year + 5, dialect))
        return
    if name is None:
        raise click.UsageError("name a rule, or give --calendar")
    rulebook = rulebook_of(rules_folder, local_rules)
    rule = rulebook.rule(name)
    if rule.kind == "escalation":
        raise RuleFileError(f"{name} is an escalation rule: patterns over facts, not SQL over tables")
    click.echo(f"-- {rule.id}: {rule.title}\n-- {rulebook.instruments[rule.instrument].title}, {rule.provision}; as of {as_of}")
    click.echo(portable_sql(Workbench(load_schema(), rulebook), rule, as_of, dialect) + ";")
