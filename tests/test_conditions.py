"""SQL in rules: what is allowed, what is refused and where, and that what is allowed runs."""

from __future__ import annotations

import datetime

import duckdb
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from compliance.errors import RuleFileError
from compliance.rulebook.conditions import (
    ConditionError,
    Definition,
    columns_used,
    parse_condition,
    parse_definition,
    parse_scalar,
    rename,
    rename_tables,
    to_sql,
    type_of,
)

COLUMNS = {
    "d": "DATE",
    "e": "DATE",
    "ts": "TIMESTAMP",
    "b": "BOOLEAN",
    "s": "VARCHAR",
    "n": "BIGINT",
    "f": "DOUBLE",
    "status": "VARCHAR",
    "end_date": "DATE",
}
QUALIFIERS = {"visit": {"visit_date": "DATE", "status": "VARCHAR"}}
CODES = {"status": frozenset({"open", "closed"}), "visit.status": frozenset({"done"})}


def sql(text: str) -> str:
    return to_sql(parse_condition(text, COLUMNS, qualifiers=QUALIFIERS, codes=CODES))


def refusal(text: str) -> ConditionError:
    with pytest.raises(ConditionError) as caught:
        sql(text)
    return caught.value


def answer(query: str) -> tuple[object, ...]:
    """The one row of a query on a database of its own."""
    with duckdb.connect() as connection:
        row = connection.execute(query).fetchone()
    assert row is not None
    return row


@pytest.fixture(scope="module")
def empty() -> duckdb.DuckDBPyConnection:
    connection = duckdb.connect()
    connection.execute(f"CREATE TABLE t ({', '.join(f'{name} {kind}' for name, kind in COLUMNS.items())})")
    connection.execute("CREATE TABLE visit (visit_date DATE, status VARCHAR)")
    return connection


# --- what is allowed

ALLOWED = [
    ("b", '"b"'),
    ("B and not b", '"B" AND NOT "b"'.replace("B", "b")),
    ("d <= e", '"d" <= "e"'),
    ("status IN ('open', 'closed')", "\"status\" IN ('open', 'closed')"),
    ("n NOT IN (1, -2)", 'NOT "n" IN (1, -2)'),
    ("d BETWEEN DATE '2021-01-01' AND e", '"d" BETWEEN CAST(\'2021-01-01\' AS DATE) AND "e"'),
    ("end_date IS NOT NULL", 'NOT "end_date" IS NULL'),
    ("b IS NOT TRUE", 'NOT "b" IS TRUE'),
    ("d IS DISTINCT FROM e", '"d" IS DISTINCT FROM "e"'),
    ("d IS NOT DISTINCT FROM NULL", '"d" IS NOT DISTINCT FROM NULL'),
    ("n = 1 IS TRUE", '("n" = 1) IS TRUE'),
    ("(d = e) = b", '("d" = "e") = "b"'),
    ("CASE WHEN b THEN d = e ELSE FALSE END", 'CASE WHEN "b" THEN "d" = "e" ELSE FALSE END'),
    ("CASE status WHEN 'open' THEN 1 ELSE NULL END = 1", "CASE \"status\" WHEN 'open' THEN 1 ELSE NULL END = 1"),
    ("COALESCE(b, FALSE)", 'COALESCE("b", FALSE)'),
    ("NULLIF(s, '') IS NULL", "NULLIF(\"s\", '') IS NULL"),
    ("GREATEST(d, e) > LEAST(d, e)", 'GREATEST("d", "e") > LEAST("d", "e")'),
    ("d + INTERVAL 6 WEEK < e", 'CAST("d" + INTERVAL \'6\' WEEK AS DATE) < "e"'),
    ("ts - INTERVAL '3 days' < ts", '"ts" - INTERVAL \'3\' DAYS < "ts"'),
    ("months_after(d, 3) < e", 'CAST("d" + INTERVAL 3 MONTH AS DATE) < "e"'),
    ("days_between(d, e) > 28", 'DATE_DIFF(\'DAY\', "d", "e") > 28'),
    ("CAST(ts AS DATE) = d", 'CAST("ts" AS DATE) = "d"'),
    ("LENGTH(LOWER(s) || 'x') > 2", "LENGTH(LOWER(\"s\") || 'x') > 2"),
    ("n / f > 0.5", '"n" / NULLIF("f", 0) > 0.5'),
    ("n % 2 = 1", '"n" % 2 = 1'),
    ("visit.visit_date > d", '"visit"."visit_date" > "d"'),
    ("visit.status = 'done'", '"visit"."status" = \'done\''),
    ("s = 'it''s -- /* not a comment */ ;'", "\"s\" = 'it''s -- /* not a comment */ ;'"),
    (" OR ".join(["b"] * 100), " OR ".join(['"b"'] * 100)),
    ("(" * 40 + "b" + ")" * 40, "(" * 40 + '"b"' + ")" * 40),
]


@pytest.mark.parametrize(("text", "expected"), ALLOWED)
def test_allowed(text: str, expected: str, empty: duckdb.DuckDBPyConnection) -> None:
    assert sql(text) == expected
    source = "t, visit" if "visit" in text else "t"
    empty.execute(f"SELECT 1 FROM {source} WHERE {sql(text)}")


def test_spark_is_spoken() -> None:
    condition = parse_condition("weeks_after(d, n) < e AND age(d, e) >= 18", COLUMNS)
    spoken = to_sql(condition, "spark")
    assert "DATE_ADD(`d`, CAST(`n` AS INT) * 7)" in spoken
    assert "ADD_MONTHS(`d`" in spoken


# --- what is refused

REFUSED = [
    ("read_csv('/etc/passwd')", "read_csv", "the function `read_csv` is not allowed"),
    ("getenv('HOME') = s", "getenv", "the function `getenv` is not allowed"),
    ("1=1; DROP TABLE x", ";", "only one expression is allowed"),
    ("b;", ";", "only one expression is allowed"),
    ("DROP TABLE x", "DROP", "`DROP` is not expected here"),
    ("b /* /* */ */", "/", "a comment is not allowed here"),
    ("b -- and more", "-", "a comment is not allowed here"),
    ("/* unclosed", None, None),
    ("s = 'unclosed", None, "a quote or comment is not closed"),
    ("é = 1", "é", "there is no column `é` here"),
    ("ѕ = 'x'", "ѕ", "there is no column `ѕ` here"),  # a Cyrillic letter
    ("b\u202e = b", "\u202e", "the character U+202E is not allowed"),
    ("b\u00a0= b", "\u00a0", "the character U+00A0 is not allowed"),
    ("b\x00", "\x00", "the character U+0000 is not allowed"),
    ("(" * 60 + "b" + ")" * 60, "(", "nested more than 50 deep"),
    ("(" * 1900 + "b" + ")" * 1900, "(", "nested more than 50 deep"),
    ("NOT " * 900 + "b", "NOT", "nested more than 50 deep"),
    ("n = " + "- " * 900 + "1", "-", "nested more than 50 deep"),
    (" OR ".join(["n = 1"] * 300), None, "more than 120 terms, or nested too deeply"),
    ("+".join(["n"] * 1500) + " = 1", None, "more than 120 terms, or nested too deeply"),
    ("b OR " * 2000 + "b", None, "longer than 4,000 characters"),
    ("", None, "nothing is written here"),
    ("   ", None, "nothing is written here"),
    ("n =", "=", "the expression is incomplete at `=`"),
    ("(b", "b", "expecting ) at `b`"),
    ("d = (SELECT max(d) FROM t)", "SELECT", "a query is not allowed in an expression"),
    ("EXISTS (SELECT 1)", "SELECT", "a query is not allowed in an expression"),
    ("EXISTS (FROM t)", None, None),
    ("n IN (FROM t)", None, None),
    ("row_number() OVER () = 1", None, "a window function is not allowed"),
    ("count(*) > 1", "count", "an aggregate is not allowed here"),
    ("n = $1", "$", "a parameter is not allowed"),
    ("n = ?", "?", "a parameter is not allowed"),
    ("n = :x", ":", None),
    ("list_transform(s, x -> x) = s", "->", "a lambda is not allowed"),
    ("list_transform(s, lambda x: x) = s", ":", None),
    ("*", "*", "`*` is not allowed"),
    ("visit.*", "*", "`*` is not allowed"),
    ("COLUMNS('x')", "COLUMNS", "the function `columns` is not allowed"),
    ("n::INTEGER = 1", None, "this cast is not allowed"),
    ("CAST(s AS DATE) = d", "s", "this is text where a date is expected"),
    ("TRY_CAST(d AS DATE) = d", None, "the function `try_cast` is not allowed"),
    ("s LIKE 'x%'", None, "LIKE is not allowed"),
    ("s ~ 'x'", None, None),
    ("s = $$x$$", "$$x$$", "this form of text is not allowed"),
    ("s = e'\\x41'", None, "this form of text is not allowed"),
    ("[1] = n", "[", "`[` is not allowed"),
    ("{'a': 1} = n", "{", "`{` is not allowed"),
    ("(n, n) = (1, 2)", None, "TUPLE is not allowed"),
    ("#1 = n", None, None),
    ("@n = 1 AND n ^ 2 = 1", None, None),
    ("s COLLATE nocase = 'x'", None, None),
    ("ts AT TIME ZONE 'x' = ts", None, None),
    ("t.public.n = 1", None, "`db` is not allowed in COLUMN"),
    ("current_date > d", None, "the clock is not read in rules"),
    ("now() > ts", None, None),
    ("today() > d", None, "the clock is not read in rules"),
    ("n = 99999999999", "99999999999", "the number `99999999999` is not allowed"),
    ("n = 1e300", "1e300", "the number `1e300` is not allowed"),
    ("n = 1 + 2", "1 + 2", "arithmetic without a column"),
    ("n = NULL", "n", "nothing compares with NULL"),
    ("n IN (1, NULL)", None, "nothing compares with NULL"),
    ("n IN (n)", None, "IN takes a list of written values"),
    ("d = '2021-01-01'", None, "a date and text do not go together"),
    ("d = DATE '2021-02-30'", "'2021-02-30'", "there is no date `2021-02-30`"),
    ("d = DATE 'today'", "'today'", "`today` is not a date"),
    ("s = 1", "s = 1", "a number and text do not go together"),
    ("d + 1 = e", "d + 1", "a date takes no part in arithmetic"),
    ("d - e = 1", "d - e", "a date takes no part in arithmetic"),
    ("d + INTERVAL 3 HOUR > ts", None, "this interval is not allowed"),
    ("d + INTERVAL (n) DAY > ts", None, "an interval has a whole number"),
    ("INTERVAL 3 DAY = INTERVAL 3 DAY", None, "an interval is only added to or taken from a date"),
    ("n", "n", "this is a number where true or false is expected"),
    ("n AND b", "n", "this is a number where true or false is expected"),
    ("NULL", None, "an expression that is always NULL says nothing"),
    ("b = n = n", "b = n", "a condition within a condition"),
    ("n < f < n", "n < f", "a condition within a condition"),
    ("age(d, months_after(e, age(d, e))) = 1", "age", "`age` is not allowed within `age`"),
    ("age(d) = 1", "age", "`age` takes two values"),
    ("months_after(d, f) = e", "f", "a whole number is expected here"),
    ("months_after(s, 1) = e", "s", "this is text where a date is expected"),
    ('"abc" = s', '"abc"', "there is no column `abc` here"),
    ("status = 'opne'", "'opne'", "`status` is never 'opne'"),
    ("'opne' = status", "'opne'", "`status` is never 'opne'"),
    ("status NOT IN ('open', 'x')", "'x'", "`status` is never 'x'"),
    ("visit.status = 'open'", "'open'", "`status` is never 'open'"),
    ("CASE status WHEN 'x' THEN b END", "'x'", "`status` is never 'x'"),
    ("(status) = 'x'", "'x'", "`status` is never 'x'"),
    ("COALESCE(status, 'open') || 1 = s", "1", "this is a number where text is expected"),
]


@pytest.mark.parametrize(("text", "at", "message"), REFUSED)
def test_refused(text: str, at: str | None, message: str | None) -> None:
    error = refusal(text)
    assert isinstance(error, RuleFileError)
    assert error.help and not error.help.endswith("?")
    assert 0 <= error.offset <= len(text)
    if at is not None:
        assert text[error.offset : error.offset + error.length] == at
    if message is not None:
        assert error.message == message


@pytest.mark.parametrize(
    ("text", "help"),
    [
        ("statsu = 'open'", "the nearest valid column is `status`"),
        ("vist.visit_date = d", "the nearest valid column is `visit.visit_date`"),
        ("lenght(s) = 1", "the nearest valid function is `length`"),
        ("month_after(d, 1) = d", "the nearest valid function is `months_after`"),
        ("status = 'opne'", "the nearest valid code is `open`"),
        ("d = '2021-01-01'", "write a date as DATE '2021-01-31'"),
    ],
)
def test_help_names_the_nearest(text: str, help: str) -> None:
    assert refusal(text).help == help


def test_echoes_hold_no_control_characters() -> None:
    error = refusal("s = " + "'\x1b[31m' + 1")
    assert "\x1b" not in error.message


# --- values


@pytest.mark.parametrize(
    ("text", "kind"),
    [
        ("d", "DATE"),
        ("d + INTERVAL 1 YEAR", "DATE"),
        ("ts", "TIMESTAMP"),
        ("GREATEST(d, ts)", "TIMESTAMP"),
        ("COALESCE(end_date, DATE '2021-01-01')", "DATE"),
        ("years_after(d, 18)", "DATE"),
        ("n + 1", "BIGINT"),
        ("n / 2", "DOUBLE"),
        ("n * f", "DOUBLE"),
        ("age(d, e)", "BIGINT"),
        ("s || 'x'", "VARCHAR"),
        ("d < e", "BOOLEAN"),
    ],
)
def test_types_of_values(text: str, kind: str, empty: duckdb.DuckDBPyConnection) -> None:
    value = parse_scalar(text, COLUMNS)
    assert type_of(value) == kind
    empty.execute(f"SELECT {to_sql(value)} FROM t")


def test_a_date_is_expected() -> None:
    assert type_of(parse_scalar("weeks_after(d, 6)", COLUMNS, expect="date")) == "DATE"
    with pytest.raises(ConditionError, match="this is a number where a date is expected"):
        parse_scalar("n", COLUMNS, expect="date")


def test_a_column_of_unknown_type_goes_anywhere() -> None:
    parse_condition("x = 1 AND x = d AND x", {"x": "UNKNOWN", "d": "DATE"})


def test_aggregates_where_they_are_allowed() -> None:
    text = "count(*) FILTER (WHERE b) / count(DISTINCT s) > 0.5 AND max(d) > min(e) AND bool_or(b)"
    condition = parse_condition(text, COLUMNS, allow_aggregates=True)
    row = answer(
        f"SELECT {to_sql(condition)} FROM (SELECT TRUE AS b, 'x' AS s, DATE '2021-01-02' AS d, DATE '2021-01-01' AS e)"
    )
    assert row == (True,)
    with pytest.raises(ConditionError, match="not allowed within another"):
        parse_condition("sum(max(n)) > 1", COLUMNS, allow_aggregates=True)


def test_columns_used_and_renamed() -> None:
    condition = parse_condition("visit.visit_date > d AND d IS NOT NULL", COLUMNS, qualifiers=QUALIFIERS)
    assert columns_used(condition) == {("visit", "visit_date"), (None, "d")}
    renamed = rename(condition, {"d": "t.start", ("visit", "visit_date"): "v.visit_date"})
    assert to_sql(renamed) == '"v"."visit_date" > "t"."start" AND NOT "t"."start" IS NULL'
    assert to_sql(rename(parse_condition("b", COLUMNS), {"b": "x.b"})) == '"x"."b"'
    assert columns_used(condition) == {("visit", "visit_date"), (None, "d")}


# --- domain functions


def run(text: str, **dates: datetime.date) -> object:
    columns = dict.fromkeys(dates, "DATE")
    values = ", ".join(f"DATE '{value}' AS {name}" for name, value in dates.items())
    return answer(f"SELECT {to_sql(parse_scalar(text, columns))} FROM (SELECT {values})")[0]


@pytest.mark.parametrize(
    ("birth", "on", "years"),
    [
        ("2003-05-10", "2021-05-09", 17),
        ("2003-05-10", "2021-05-10", 18),
        ("2004-02-29", "2022-02-27", 17),
        ("2004-02-29", "2022-02-28", 18),
        ("2004-02-29", "2024-02-28", 19),
        ("2004-02-29", "2024-02-29", 20),
        ("2021-01-01", "2021-01-01", 0),
        ("2021-01-02", "2021-01-01", -1),
    ],
)
def test_age(birth: str, on: str, years: int) -> None:
    assert run("age(b, o)", b=datetime.date.fromisoformat(birth), o=datetime.date.fromisoformat(on)) == years


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("months_after(d, 1)", datetime.date(2021, 2, 28)),
        ("months_after(d, -2)", datetime.date(2020, 11, 30)),
        ("weeks_after(d, 6)", datetime.date(2021, 3, 14)),
        ("days_after(d, 1)", datetime.date(2021, 2, 1)),
        ("years_after(d, 1)", datetime.date(2022, 1, 31)),
        ("days_between(d, days_after(d, 10))", 10),
        ("d + INTERVAL 1 MONTH", datetime.date(2021, 2, 28)),
    ],
)
def test_date_functions(text: str, expected: object) -> None:
    assert run(text, d=datetime.date(2021, 1, 31)) == expected


# --- what is accepted runs

FAMILIES = {
    "boolean": ["b", "TRUE"],
    "date": ["d", "e", "ts", "DATE '2021-01-31'", "end_date"],
    "number": ["n", "f", "3", "-2.5", "0"],
    "text": ["s", "'x'", "status"],
}


def expressions(family: str, depth: int) -> st.SearchStrategy[str]:
    """Texts that are mostly well typed, and now and then not."""
    leaf = st.sampled_from(FAMILIES[family])
    if depth == 0:
        return leaf
    inner = {name: expressions(name, depth - 1) for name in FAMILIES}
    alike = st.sampled_from(sorted(FAMILIES)).flatmap(lambda name: st.tuples(inner[name], inner[name]))
    anything = st.one_of(*inner.values())
    shared = [
        leaf,
        st.builds("CASE WHEN {} THEN {} ELSE {} END".format, inner["boolean"], inner[family], inner[family]),
        st.builds("COALESCE({}, {}, NULL)".format, inner[family], inner[family]),
        st.builds("NULLIF({}, {})".format, inner[family], inner[family]),
        st.builds("GREATEST({}, {})".format, inner[family], inner[family]),
        st.builds("({})".format, inner[family]),
        anything,
    ]
    operators = ["=", "<>", "<", ">=", "IS DISTINCT FROM"]
    own = {
        "boolean": [
            st.builds(lambda pair, op: f"({pair[0]} {op} {pair[1]})", alike, st.sampled_from(operators)),
            st.builds("({} AND NOT {} OR {})".format, inner["boolean"], inner["boolean"], inner["boolean"]),
            st.builds("({} IS NOT NULL)".format, anything),
            st.builds("({} IN ({}, {}))".format, anything, anything, anything),
            st.builds("({} BETWEEN {} AND {})".format, inner["date"], inner["date"], inner["date"]),
        ],
        "date": [
            st.builds("({} + INTERVAL 3 MONTH)".format, inner["date"]),
            st.builds("months_after({}, {})".format, inner["date"], inner["number"]),
            st.builds("CAST({} AS DATE)".format, anything),
        ],
        "number": [
            st.builds("({} {} {})".format, inner["number"], st.sampled_from("+-*/%"), inner["number"]),
            st.builds("age({}, {})".format, inner["date"], inner["date"]),
            st.builds("days_between({}, {})".format, inner["date"], inner["date"]),
            st.builds("LENGTH({})".format, inner["text"]),
            st.builds("ABS(-{})".format, inner["number"]),
        ],
        "text": [st.builds("(LOWER({}) || {})".format, inner["text"], inner["text"])],
    }
    return st.one_of(*shared, *own[family])


@settings(max_examples=300, deadline=None, suppress_health_check=list(HealthCheck))
@given(text=expressions("boolean", 3))
def test_an_accepted_condition_runs(text: str, empty: duckdb.DuckDBPyConnection) -> None:
    try:
        accepted = sql(text)
    except ConditionError:
        return
    empty.execute(f"SELECT * FROM t WHERE {accepted}").fetchall()
    again = to_sql(parse_condition("b", COLUMNS))
    assert again == '"b"'


SIGNS = "bnds()=<>'\"-+*/;,.:$?@#[]{}\\ \n"
NONSENSE = [
    " AND ",
    " IN ",
    "SELECT ",
    " FROM ",
    "t",
    " AS x ",
    "CASE ",
    " WHEN ",
    " END ",
    "1",
    "DATE ",
    "NOT ",
    " OVER ",
]


@settings(max_examples=500, deadline=None)
@given(words=st.lists(st.sampled_from([*SIGNS, *NONSENSE]), max_size=30))
def test_nonsense_is_refused_in_words(words: list[str]) -> None:
    for attempt in (sql, define):
        try:
            attempt("".join(words))
        except ConditionError as error:
            assert error.message and error.help


# --- definitions

TABLES = {
    "people": {"person_id": "VARCHAR", "birth_date": "DATE"},
    "placements": {"person_id": "VARCHAR", "start_date": "DATE", "end_date": "DATE"},
    "visits": {"person_id": "VARCHAR", "visit_date": "DATE"},
}

DEFINITION = """
WITH latest AS (
  -- one row a child
  SELECT p.person_id, max(p.start_date) AS started, count(*) AS n
  FROM placements AS p JOIN people USING (person_id)
  WHERE p.end_date IS NULL AND EXISTS (SELECT 1 FROM visits WHERE visits.person_id = p.person_id)
  GROUP BY p.person_id
)
SELECT latest.person_id, started, age(birth_date, started) AS age_then, months_after(started, 3) AS by_date,
  row_number() OVER (PARTITION BY n ORDER BY started) AS place
FROM latest JOIN people ON people.person_id = latest.person_id
"""


def define(text: str) -> Definition:
    return parse_definition(text, TABLES)


def runs(definition: Definition) -> None:
    connection = duckdb.connect()
    connection.execute("CREATE SCHEMA known")
    for name, columns in TABLES.items():
        connection.execute(f"CREATE TABLE known.{name} ({', '.join(f'{c} {k}' for c, k in columns.items())})")
    relation = connection.sql(to_sql(rename_tables(definition, {name: f"known.{name}" for name in TABLES})))
    assert relation.columns == definition.outputs


def test_a_definition() -> None:
    definition = define(DEFINITION)
    assert definition.outputs == ["person_id", "started", "age_then", "by_date", "place"]
    assert definition.types == {
        "person_id": "VARCHAR",
        "started": "DATE",
        "age_then": "BIGINT",
        "by_date": "DATE",
        "place": "BIGINT",
    }
    assert definition.reads == {
        ("people", "person_id"),
        ("people", "birth_date"),
        ("placements", "person_id"),
        ("placements", "start_date"),
        ("placements", "end_date"),
        ("visits", "person_id"),
    }
    assert "--" not in to_sql(definition)
    runs(definition)


@pytest.mark.parametrize(
    "text",
    [
        "SELECT person_id FROM people UNION ALL SELECT person_id FROM visits",
        "(SELECT person_id FROM people) EXCEPT (SELECT person_id FROM visits)",
        "WITH x AS (SELECT person_id FROM people) SELECT * FROM x",
        "SELECT DISTINCT x.person_id FROM (SELECT person_id FROM people) AS x",
        "SELECT person_id FROM visits QUALIFY row_number() OVER (PARTITION BY person_id ORDER BY visit_date) = 1",
        "SELECT person_id, arg_max(visit_date, visit_date) AS v FROM visits GROUP BY person_id HAVING count(*) > 1",
        "SELECT person_id, lag(visit_date) OVER (PARTITION BY person_id ORDER BY visit_date) AS before FROM visits",
        "SELECT people.person_id FROM people LEFT JOIN visits ON visits.person_id = people.person_id",
        "SELECT (SELECT max(visit_date) FROM visits AS v WHERE v.person_id = p.person_id) AS m FROM people AS p",
        "SELECT PERSON_ID FROM People",
        "SELECT length(person_id) / 0 AS x, length(person_id) / length('') AS y FROM people",
    ],
)
def test_allowed_definitions(text: str) -> None:
    runs(define(text))


@pytest.mark.parametrize(
    ("text", "at", "message"),
    [
        ("SELECT x FROM read_csv('/etc/passwd')", "read_csv", "a table function is not allowed"),
        ("SELECT x FROM '/etc/passwd'", "'/etc/passwd'", "there is no table `/etc/passwd`"),
        ("SELECT getenv('HOME') AS h FROM people", "getenv", "the function `getenv` is not allowed"),
        ("SELECT list(person_id) AS l FROM people", "list", "the function `list` is not allowed"),
        ("SELECT person_id FROM people; DROP TABLE people", ";", "only one expression is allowed"),
        ("DROP TABLE people", "DROP", "a definition is one SELECT"),
        ("COPY people TO 'x'", "COPY", "a definition is one SELECT"),
        ("FROM people", "FROM", "a definition is one SELECT"),
        ("SELECT * FROM people", "*", "`*` is not allowed over a table"),
        ("SELECT p.* FROM people AS p", "*", "`*` is not allowed over a table"),
        ("SELECT nope FROM people", "nope", "there is no column `nope` here"),
        ("SELECT people.nope FROM people", "nope", "`people` has no column `nope`"),
        ("SELECT x.person_id FROM people", None, "there is no table `x` here"),
        ("SELECT people FROM people", None, "`people` is a table, not a column"),
        ("SELECT x.b FROM (SELECT person_id AS a FROM people) AS x", "b", "`x` has no column `b`"),
        ("SELECT person_id FROM peple", "peple", "there is no table `peple`"),
        ("SELECT person_id FROM known.people", "known.people", "`db` is not allowed in TABLE"),
        ("SELECT person_id FROM people, visits", None, "a join without ON"),
        (
            "SELECT person_id FROM people JOIN visits ON TRUE",
            "person_id",
            "`person_id` is in `people` and `visits`",
        ),
        ("SELECT person_id FROM people NATURAL JOIN visits", None, "`method` is not allowed in JOIN"),
        ("SELECT person_id FROM people LIMIT 1", None, "`limit` is not allowed in SELECT"),
        ("SELECT max(birth_date) FROM people", None, "a column without a name"),
        ("SELECT person_id, person_id FROM people", None, "the column `person_id` is given twice"),
        ("WITH people AS (SELECT 1 AS a) SELECT a FROM people", "people", "`people` is already a table"),
        ("WITH RECURSIVE x AS (SELECT 1 AS a) SELECT a FROM x", None, "`recursive` is not allowed in WITH"),
        ("SELECT person_id FROM people WHERE birth_date > current_date", None, "the clock is not read in rules"),
        ("SELECT person_id FROM people UNION SELECT person_id, visit_date FROM visits", None, None),
        ("SELECT person_id FROM people WHERE birth_date = DATE '2021-02-30'", "'2021-02-30'", None),
        ("SELECT " + "(" * 60 + "1" + ")" * 60 + " AS x FROM people", "(", "nested more than 50 deep"),
        ("SELECT person_id FROM people TABLESAMPLE 10%", None, "`sample` is not allowed in TABLE"),
        ("SELECT unnest(person_id) AS x FROM people", "unnest", "the function `unnest` is not allowed"),
    ],
)
def test_refused_definitions(text: str, at: str | None, message: str | None) -> None:
    with pytest.raises(ConditionError) as caught:
        define(text)
    error = caught.value
    assert error.help
    if at is not None:
        assert text[error.offset : error.offset + error.length] == at
    if message is not None:
        assert error.message == message


def test_definitions_build_on_definitions() -> None:
    first = define(DEFINITION)
    second = parse_definition(
        "SELECT person_id FROM latest_placement WHERE age_then < 18", {"latest_placement": first.types}
    )
    assert second.reads == {("latest_placement", "person_id"), ("latest_placement", "age_then")}
