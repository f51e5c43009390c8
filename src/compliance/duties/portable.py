"""A rule's SQL as one statement over the canonical tables, in the dialect of the analyst's own database."""

from __future__ import annotations

import datetime
from collections.abc import Iterator

import sqlglot
from sqlglot import exp

from compliance.calendar import is_working_day
from compliance.dataset.known import day_literal, known_select
from compliance.dataset.schema import Table
from compliance.duties.compiled import Compiled, filled
from compliance.duties.compiler import Workbench
from compliance.duties.measures import compile_measure
from compliance.duties.status import judged, whole
from compliance.duties.sums import summed
from compliance.rulebook.model import Rule

DIALECTS = ("duckdb", "postgres", "tsql", "spark")
KNOWN, DEFINED = "known", "defined"


def portable_sql(bench: Workbench, rule: Rule, as_of: datetime.date, dialect: str = "duckdb") -> str:
    """The rule as one SELECT that runs on canonical tables and a table `calendar(day, is_working, working_day)`."""
    if rule.is_duty:
        compiled = bench.compile(rule)
        tree, definitions = _judged(compiled, as_of), compiled.definitions
    else:
        measure = compile_measure(bench, rule)
        sql, definitions = filled(measure.sql, as_of), measure.definitions
        tree = sqlglot.parse_one(summed(f"({sql})", {rule.id: measure.by}), dialect="duckdb")
    parts = [(name, sqlglot.parse_one(filled(bench.definitions[name].sql, as_of), dialect="duckdb")) for name in definitions]
    tables = _tables([tree, *(part for _, part in parts)])
    ctes = [(f"known_{name}", _known(bench, name, as_of)) for name in tables] + parts
    for query in [tree, *(query for _, query in parts)]:
        _rename(query)
    _prepend(tree, ctes)
    if dialect == "tsql":
        _bits(tree)
    return tree.sql(dialect=dialect, pretty=True)


def _judged(rule: Compiled, as_of: datetime.date) -> exp.Expr:
    """The SELECT of the judged duties: the steps of the rule's own SQL, what they find, and the status of each."""
    found = sqlglot.parse_one(rule.on(as_of), dialect="duckdb")
    steps = found.args.pop("with_", None) or found.args.pop("with")
    steps.append("expressions", exp.CTE(this=found, alias=exp.TableAlias(this=exp.to_identifier("found"))))
    tree = sqlglot.parse_one(judged(whole("found", rule.found), day_literal(as_of)), dialect="duckdb")
    tree.set("with_", steps)
    return tree


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


def _prepend(tree: exp.Expr, ctes: list[tuple[str, exp.Expr]]) -> None:
    made = [exp.CTE(this=query, alias=exp.TableAlias(this=exp.to_identifier(name))) for name, query in ctes]
    given = tree.args.get("with_") or tree.args.get("with")
    if given is None:
        tree.set("with_", exp.With(expressions=made))
    else:
        given.set("expressions", [*made, *given.expressions])


def _bits(tree: exp.Expr) -> None:
    """Truth values that are selected become bits: SQL Server has no boolean type."""
    for select in list(tree.find_all(exp.Select)):
        for projection in select.expressions:
            inner = projection.this if isinstance(projection, exp.Alias) else projection
            if isinstance(inner, exp.Predicate | exp.Connector | exp.Not):
                case = exp.Case().when(inner.copy(), exp.Literal.number(1)).when(exp.not_(inner.copy()), exp.Literal.number(0))
                inner.replace(case)


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
