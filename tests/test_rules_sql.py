"""The SQL that `rules sql` prints, run as an analyst would: in DuckDB and in PostgreSQL it answers as the engine does.

That for SQL Server and Spark is read back by sqlglot, as those would read it, and run in DuckDB.
"""

from __future__ import annotations

import csv
import datetime
import io
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from typing import Any

import duckdb
import pytest
from sqlglot import exp, parse_one
from tests.rulebooks import rulebook, workbench

import postgres_server
from compliance.dataset.load import open_dataset
from compliance.duties.evaluate import Evaluation, evaluate
from compliance.duties.pack import compile_pack
from compliance.duties.portable import calendar_sql, portable_sql
from compliance.rulebook.model import Rule
from compliance.run import available_in
from compliance.synth import synthesise, write

AS_OF = datetime.date(2021, 9, 30)
YEARS = 1990, 2031
DUTY = ("subject_id", "trigger_date", "due_date", "done_date", "status", "days_over")
MEASURE = ("scope_type", "scope_id", "numerator", "denominator")
IN_POSTGRES = {"DOUBLE": "double precision"}
Ask = Callable[[str], Sequence[tuple[Any, ...]]]


@pytest.fixture(scope="module")
def evaluation(tmp_path_factory: pytest.TempPathFactory) -> Evaluation:
    """A small made council, judged by the engine."""
    folder = tmp_path_factory.mktemp("council")
    write(synthesise("herefordshire-2021", AS_OF, 7, 0.04), folder)
    dataset = open_dataset([folder], as_of=AS_OF)
    return evaluate(
        dataset.connection, dataset.schema, rulebook(), AS_OF, available_in(dataset), compile_pack(dataset.schema, rulebook())
    )


def tables(evaluation: Evaluation) -> Iterator[tuple[str, list[tuple[str, str]], list[tuple[Any, ...]]]]:
    """Each canonical table of the council: its name, its columns with their types, and its rows."""
    for table in evaluation.schema.tables.values():
        columns = [(column.name, column.sql_type) for column in table.columns.values()]
        listed = ", ".join(f'"{name}"' for name, _ in columns)
        yield table.name, columns, evaluation.connection.execute(f"SELECT {listed} FROM main.{table.name}").fetchall()


@pytest.fixture(scope="module")
def in_duckdb(evaluation: Evaluation) -> Iterator[Ask]:
    """Asks a DuckDB that holds the council's tables and the calendar, and nothing else."""
    with duckdb.connect() as connection:
        for name, columns, rows in tables(evaluation):
            connection.execute(f"CREATE TABLE {name} ({', '.join(f'{column} {kind}' for column, kind in columns)})")
            if rows:
                connection.executemany(f"INSERT INTO {name} VALUES ({', '.join('?' * len(columns))})", rows)
        connection.execute(calendar_sql(*YEARS))
        yield lambda sql: connection.execute(sql).fetchall()


@pytest.fixture(scope="module")
def in_postgres(evaluation: Evaluation) -> Iterator[Ask]:
    """Asks a PostgreSQL that holds the same."""
    if not postgres_server.is_there():
        pytest.skip("needs the wheels of PostgreSQL")
    import psycopg

    with (
        postgres_server.running() as url,
        psycopg.connect(url, autocommit=True) as connection,
    ):
        for name, columns, rows in tables(evaluation):
            declared = ", ".join(f'"{column}" {IN_POSTGRES.get(kind, kind)}' for column, kind in columns)
            connection.execute(f"CREATE TABLE {name} ({declared})")
            text = io.StringIO()
            csv.writer(text).writerows(rows)
            with connection.cursor().copy(f"COPY {name} FROM STDIN (FORMAT csv)") as copy:
                copy.write(text.getvalue())
        connection.execute(calendar_sql(*YEARS, "postgres"))
        connection.execute("ANALYZE")
        yield lambda sql: connection.execute(sql).fetchall()


def answered(evaluation: Evaluation, rule: Rule) -> Counter[tuple[Any, ...]]:
    """The engine's answers of a rule, the council called as the SQL calls it."""
    table, by = ("duties", "rule") if rule.is_duty else ("measures", "measure")
    rows = evaluation.connection.execute(f"SELECT {listed(rule)} FROM {table} WHERE {by} = ?", [rule.id]).fetchall()
    code = (evaluation.connection.execute("SELECT code FROM authorities").fetchone() or ("",))[0]
    return counted([tuple(each.replace(code, "council") if isinstance(each, str) else each for each in row) for row in rows])


def listed(rule: Rule) -> str:
    return ", ".join(DUTY if rule.is_duty else MEASURE)


def counted(rows: Sequence[tuple[Any, ...]]) -> Counter[tuple[Any, ...]]:
    return Counter(tuple(round(each, 4) if isinstance(each, float) else each for each in row) for row in rows)


def differing(evaluation: Evaluation, ask: Ask, dialect: str) -> dict[str, str]:
    """The rules, of those that the engine evaluated, whose SQL fails or answers otherwise."""
    found: dict[str, str] = {}
    for rule in map(rulebook().rule, evaluation.evaluated):
        sql = portable_sql(workbench(), rule, AS_OF, dialect)
        try:
            given = counted(ask(f"SELECT {listed(rule)} FROM ({sql}) AS answer"))
        except Exception as error:
            found[rule.id] = str(error).splitlines()[0]
            continue
        wanted = answered(evaluation, rule)
        if given != wanted:
            found[rule.id] = f"{next(iter((given - wanted) + (wanted - given)))}"
    return found


def test_duckdb_answers_as_the_engine_does(evaluation: Evaluation, in_duckdb: Ask) -> None:
    assert len(evaluation.evaluated) > 250
    assert differing(evaluation, in_duckdb, "duckdb") == {}


def test_postgres_answers_as_the_engine_does(evaluation: Evaluation, in_postgres: Ask) -> None:
    assert differing(evaluation, in_postgres, "postgres") == {}


@pytest.mark.parametrize("dialect", ["tsql", "spark"])
def test_what_is_read_back_answers_as_the_engine_does(evaluation: Evaluation, in_duckdb: Ask, dialect: str) -> None:
    assert differing(evaluation, lambda sql: in_duckdb(read_back(sql, dialect)), dialect) == {}


def read_back(sql: str, dialect: str) -> str:
    """The statement as DuckDB says it; in SQL Server a plus joins texts too, and a float has eight bytes."""
    tree = parse_one(sql.replace("VARCHAR(MAX)", "VARCHAR").replace(" FLOAT", " DOUBLE PRECISION"), dialect=dialect)
    for node in reversed(list(tree.find_all(exp.Add)) if dialect == "tsql" else []):
        if is_text(node):
            node.replace(exp.DPipe(this=node.this.copy(), expression=node.expression.copy()))
    return tree.sql("duckdb")


def is_text(node: exp.Expr) -> bool:
    if isinstance(node, exp.Add | exp.DPipe):
        return is_text(node.this) or is_text(node.expression)
    if isinstance(node, exp.Cast):
        return bool(node.to.is_type("varchar", "text"))
    return isinstance(node, exp.Literal) and node.is_string


@pytest.mark.parametrize("word", ["INTERVAL", " FILTER", "TRUE", "FALSE", "BOOL"])
def test_sql_server_is_given_no_word_that_it_does_not_know(word: str) -> None:
    asked = ("AGENCY-RATE", "CP-QUORUM", "LAC-HEALTH", "LAC-VISIT", "WF-CASELOAD")
    said = "\n".join(portable_sql(workbench(), rulebook().rule(rule), AS_OF, "tsql") for rule in asked)
    assert word not in "\n".join(line.partition("'")[0] for line in said.splitlines())
