"""A rule's SQL as one statement over the canonical tables, in the dialect of the analyst's own database."""

from __future__ import annotations

import datetime
from collections.abc import Iterator, Sequence

import sqlglot
from sqlglot import exp

from compliance.calendar import is_working_day
from compliance.dataset.known import day_literal, known_select
from compliance.dataset.schema import Table
from compliance.duties.compiled import filled
from compliance.duties.compiler import Workbench
from compliance.duties.dialects import Step, flat, lowered, steps_of
from compliance.duties.measures import compile_measure
from compliance.duties.owners import OWNERS, owned
from compliance.duties.status import judged, whole
from compliance.duties.sums import summed
from compliance.rulebook.model import Rule

DIALECTS = ("duckdb", "postgres", "tsql", "spark")
KNOWN, DEFINED = "known", "defined"


def portable_sql(bench: Workbench, rule: Rule, as_of: datetime.date, dialect: str = "duckdb") -> str:
    """The rule as one SELECT that runs on canonical tables and a table `calendar(day, is_working, working_day)`."""
    tree, steps, definitions = _duty(bench, rule, as_of) if rule.is_duty else _measure(bench, rule, as_of)
    parts = [*((name, _parsed(bench.definitions[name].sql, as_of)) for name in definitions), *steps]
    tables = _tables([tree, *(part for _, part in parts)])
    ctes = [*((f"known_{name}", _known(bench, name, as_of)) for name in tables), *parts]
    for query in [tree, *(query for _, query in parts)]:
        _rename(query)
    ctes += steps_of(tree)
    _prepend(tree, flat(ctes) if dialect in ("tsql", "spark") else ctes)
    return lowered(tree, dialect).sql(dialect=dialect, pretty=True, identify=dialect == "tsql")


def _parsed(sql: str, as_of: datetime.date) -> exp.Expr:
    return sqlglot.parse_one(filled(sql, as_of), dialect="duckdb")


def _duty(bench: Workbench, rule: Rule, as_of: datetime.date) -> tuple[exp.Expr, list[Step], Sequence[str]]:
    """The SELECT of the judged duties, the steps of the rule's own SQL up to what is found, and the definitions under them."""
    compiled = bench.compile(rule)
    found = _parsed(compiled.sql, as_of)
    steps = steps_of(found)
    tree = _parsed(judged(whole("found", compiled.found), day_literal(as_of)), as_of)
    return tree, [*steps, ("found", found)], compiled.definitions


def _measure(bench: Workbench, rule: Rule, as_of: datetime.date) -> tuple[exp.Expr, list[Step], Sequence[str]]:
    """The sums of a measure, the steps to them, and the definitions under them: where it counts duties, those of its rule too."""
    measure = compile_measure(bench, rule)
    tree = _parsed(summed(f"({measure.sql})", {rule.id: measure.by}), as_of)
    owners: list[Step] = [(name, _parsed(sql, as_of)) for name, sql in OWNERS.items()]
    if measure.of_rule is None:
        return tree, owners, measure.definitions
    duties, steps, definitions = _duty(bench, bench.rulebook.rules[measure.of_rule], as_of)
    made: list[Step] = [("judged_duties", duties), ("duties", _parsed(owned("judged_duties"), as_of))]
    return tree, [*owners, *steps, *made], definitions


def _tables(queries: list[exp.Expr]) -> list[str]:
    """The canonical tables that the queries read, by name."""
    return sorted({table.name for query in queries for table in query.find_all(exp.Table) if table.db == KNOWN})


def _known(bench: Workbench, name: str, as_of: datetime.date) -> exp.Expr:
    """The CTE of a table as known on the day; row_ref is a row number and authority one name: councils' tables hold neither."""
    day = day_literal(as_of)
    if name == "run":
        return sqlglot.parse_one(f"SELECT {day} AS as_of", dialect="duckdb")
    if name == "authorities":
        return sqlglot.parse_one("SELECT 'council' AS authority, 'council' AS name, 0 AS row_ref", dialect="duckdb")
    table = bench.schema.tables[name]
    select = sqlglot.parse_one(known_select(table, day, frozenset(_columns(table)), of=""), dialect="duckdb")
    select.set("expressions", [*select.expressions, *_lineage(table)])
    return select


def _columns(table: Table) -> Iterator[str]:
    for column in table.columns.values():
        yield column.name
        if column.is_dated and not column.planned and not column.required:
            yield f"{column.name}__later"


def _lineage(table: Table) -> list[exp.Expr]:
    order = ", ".join(f'"{name}"' for name in table.key)
    return [
        sqlglot.parse_one("SELECT 'council' AS authority", dialect="duckdb").expressions[0],
        sqlglot.parse_one(f"SELECT row_number() OVER (ORDER BY {order}) AS row_ref", dialect="duckdb").expressions[0],
    ]


def _rename(query: exp.Expr) -> None:
    """Known tables and definitions by the names of their CTEs."""
    for table in list(query.find_all(exp.Table)):
        if table.db == KNOWN:
            table.set("this", exp.to_identifier(f"known_{table.name}"))
            table.set("db", None)
        elif table.db == DEFINED:
            table.set("db", None)


def _prepend(tree: exp.Expr, ctes: list[Step]) -> None:
    made = [exp.CTE(this=query, alias=exp.TableAlias(this=exp.to_identifier(name))) for name, query in ctes]
    tree.set("with_", exp.With(expressions=made))


def calendar_sql(first: int, last: int, dialect: str = "duckdb") -> str:
    """The statements that make the table `calendar` for a range of years."""
    lines = ["CREATE TABLE calendar (day DATE, is_working BOOLEAN, working_day INT)"]
    rows = list(_calendar_rows(first, last))
    for start in range(0, len(rows), 500):
        lines.append("INSERT INTO calendar VALUES " + ", ".join(rows[start : start + 500]))
    return "\n".join(sqlglot.transpile(line, read="duckdb", write=dialect)[0] + ";" for line in lines)


def _calendar_rows(first: int, last: int) -> Iterator[str]:
    day, count = datetime.date(first, 1, 1), 0
    while day.year <= last:
        working = is_working_day(day)
        count += working
        yield f"('{day.isoformat()}', {str(working).upper()}, {count})"
        day += datetime.timedelta(days=1)
