"""SQL written in rules: parsed, held to an allow-list, typed, and turned back into SQL that we generate.

Nothing of the author's text reaches an engine: only the tree that passed the checks does, with every name quoted.
A kind of node that is not listed here is refused, whatever the parser makes of it.
"""

from __future__ import annotations

import datetime
import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cache
from typing import Any, Literal, NoReturn, TypeAlias

from sqlglot import Token, TokenType, exp
from sqlglot.dialects.duckdb import DuckDB
from sqlglot.errors import OptimizeError, ParseError, SqlglotError, TokenError

from compliance.errors import RuleFileError
from compliance.rulebook.diagnostics import nearest_help, printable

Expression: TypeAlias = exp.Expr
Columns: TypeAlias = Mapping[str, str]
Expect: TypeAlias = Literal["date", "number", "text", "boolean"]

MAX_CONDITION = 4_000
MAX_DEFINITION = 40_000
MAX_NESTING = 50
MAX_TREE = 120

TEXT, DATE, TIMESTAMP, BOOLEAN, BIGINT, DOUBLE = "VARCHAR", "DATE", "TIMESTAMP", "BOOLEAN", "BIGINT", "DOUBLE"
NULL, UNKNOWN = "NULL", "UNKNOWN"
_FAMILY = {
    TEXT: "text",
    DATE: "date",
    TIMESTAMP: "date",
    BOOLEAN: "boolean",
    BIGINT: "number",
    DOUBLE: "number",
    "INTEGER": "number",
    NULL: "null",
}
_FAMILY_WORDS = {"text": "text", "date": "a date", "boolean": "true or false", "number": "a number", "null": "NULL"}


class ConditionError(RuleFileError):
    """SQL in a rule is wrong; `offset` and `length` say which characters of it."""

    def __init__(
        self, message: str, *, offset: int = 0, length: int = 1, help: str | None = None, code: str = "condition"
    ) -> None:
        super().__init__(printable(message, limit=400), help=printable(help, limit=600) if help else None)
        self.offset = offset
        self.length = max(1, length)
        self.code = code
        self.text: str | None = None


# --- what callers use ---------------------------------------------------------------------------------------------


def parse_condition(
    text: str,
    columns: Columns,
    *,
    qualifiers: Mapping[str, Columns] | None = None,
    codes: Mapping[str, frozenset[str]] | None = None,
    allow_aggregates: bool = False,
) -> Expression:
    """The condition as a checked tree that is true, false or NULL for a row with these columns.

    `columns` gives each column's type, `qualifiers` the columns that need a name before them (`visit.visit_date`), and
    `codes` the values that a code column may hold, by `column` or `qualifier.column`.
    """
    checker = _Checker(text, columns, qualifiers or {}, codes or {}, allow_aggregates)
    return checker.run(_parse_expression(text), "boolean")


def parse_scalar(
    text: str,
    columns: Columns,
    *,
    qualifiers: Mapping[str, Columns] | None = None,
    codes: Mapping[str, frozenset[str]] | None = None,
    allow_aggregates: bool = False,
    expect: Expect | None = None,
) -> Expression:
    """The value expression as a checked tree; its type is given by `type_of` and must be what is expected."""
    checker = _Checker(text, columns, qualifiers or {}, codes or {}, allow_aggregates)
    return checker.run(_parse_expression(text), expect)


def type_of(expression: Expression) -> str:
    """The SQL type of a tree that `parse_condition` or `parse_scalar` gave: DATE, BIGINT, …, or UNKNOWN."""
    return str(expression.meta.get("sql_type", UNKNOWN))


def columns_used(expression: Expression) -> set[tuple[str | None, str]]:
    """The columns that the expression reads, each with its qualifier where it has one."""
    return {(column.table or None, column.name) for column in expression.find_all(exp.Column)}


def to_sql(expression: Expression | Definition, dialect: str = "duckdb") -> str:
    """The expression, or the query of a definition, as SQL, with every name quoted and no comments."""
    tree = expression.expression if isinstance(expression, Definition) else expression
    return tree.sql(dialect=dialect, identify=True, comments=False)


def rename(expression: Expression, mapping: Mapping[Any, str]) -> Expression:
    """A copy with its columns renamed.

    A key is a column, or a (qualifier, column) pair, where the qualifier None means "without one"; a value is the new
    name, `column` or `qualifier.column`.
    """
    holder = exp.Paren(this=expression.copy())
    for column in list(holder.find_all(exp.Column)):
        new = mapping.get((column.table or None, column.name))
        if new is None and not column.table:
            new = mapping.get(column.name)
        if new is not None:
            column.replace(_column(new))
    renamed = holder.this.pop()
    renamed.meta.update(expression.meta)
    return renamed  # type: ignore[no-any-return]


def _column(name: str) -> exp.Column:
    *before, last = name.split(".")
    return exp.column(last, table=before[-1] if before else None, quoted=True)


# --- reading the text ---------------------------------------------------------------------------------------------


@cache
def _dialect() -> DuckDB:
    return DuckDB()


_OPENING = {TokenType.L_PAREN, TokenType.L_BRACKET, TokenType.L_BRACE, TokenType.CASE}
_CLOSING = {TokenType.R_PAREN, TokenType.R_BRACKET, TokenType.R_BRACE, TokenType.END}
_PREFIX = {TokenType.NOT, TokenType.DASH, TokenType.PLUS, TokenType.TILDE}
_REFUSED_TOKENS = {
    TokenType.SEMICOLON: ("only one expression is allowed", "remove `;` and what follows it"),
    TokenType.PLACEHOLDER: ("a parameter is not allowed", "write the value, or name a column"),
    TokenType.PARAMETER: ("a parameter is not allowed", "write the value, or name a column"),
    TokenType.SESSION_PARAMETER: ("a parameter is not allowed", "write the value, or name a column"),
    TokenType.ARROW: ("a lambda is not allowed", "name columns and allowed functions only"),
    TokenType.FARROW: ("a named argument is not allowed", "give the arguments in order"),
    TokenType.L_BRACE: ("`{` is not allowed", "name columns and allowed functions only"),
    TokenType.L_BRACKET: ("`[` is not allowed", "write a list as IN ('a', 'b')"),
    TokenType.COLON: ("`:` is not allowed", "write `CAST(x AS DATE)` for a cast"),
}
_ODD_STRINGS = {
    TokenType.BIT_STRING,
    TokenType.HEX_STRING,
    TokenType.BYTE_STRING,
    TokenType.NATIONAL_STRING,
    TokenType.NATIONAL_RAW_STRING,
    TokenType.RAW_STRING,
    TokenType.HEREDOC_STRING,
    TokenType.UNICODE_STRING,
}


def _parse_expression(text: str) -> Expression:
    tokens = _tokens(text, MAX_CONDITION)
    _refuse_comments(text, tokens)
    for token in tokens:
        if token.token_type is TokenType.SELECT:
            _fail_at(token, "a query is not allowed in an expression", "make it a definition, and name its column")
    return _parse(text, tokens, exp.Condition)


def _tokens(text: str, limit: int) -> list[Token]:
    """The tokens of the text, once it is known to be short, shallow and without refused signs."""
    if len(text) > limit:
        raise ConditionError(f"longer than {limit:,} characters", help="split it, or make it a definition")
    bad = re.search(r"[^\S \t\r\n]|[\x00-\x08\x0e-\x1f\x7f-\x9f\u200b-\u200f\u202a-\u202e\u2060-\u2069\ufeff]", text)
    if bad:
        message = f"the character U+{ord(bad.group()):04X} is not allowed"
        raise ConditionError(message, offset=bad.start(), help="remove it, or write a plain space")
    try:
        tokens = _dialect().tokenize(text)
    except TokenError as error:
        offset = max(0, len(text) - 1) if error.end is None else min(error.end, len(text)) - 1
        raise ConditionError("a quote or comment is not closed", offset=max(0, offset), help="close it") from error
    if not tokens:
        raise ConditionError("nothing is written here", help="write an expression, as `end_date IS NULL`")
    _refuse_signs(tokens)
    _refuse_nesting(tokens)
    return tokens


def _refuse_signs(tokens: Sequence[Token]) -> None:
    for token in tokens:
        if token.token_type in _REFUSED_TOKENS:
            _fail_at(token, *_REFUSED_TOKENS[token.token_type])
        if token.token_type in _ODD_STRINGS:
            _fail_at(token, "this form of text is not allowed", "write text in single quotes")


def _refuse_nesting(tokens: Sequence[Token]) -> None:
    depth = run = 0
    for token in tokens:
        kind = token.token_type
        depth += (kind in _OPENING) - (kind in _CLOSING)
        run = run + 1 if kind in _PREFIX else 0
        if depth + run > MAX_NESTING:
            _fail_at(token, f"nested more than {MAX_NESTING} deep", "split it into definitions", code="too-deep")


def _refuse_comments(text: str, tokens: Sequence[Token]) -> None:
    """Refuses anything between tokens but white space: a comment belongs in the YAML."""
    end = 0
    for token in [*tokens, None]:
        start = len(text) if token is None else token.start
        gap = text[end:start]
        if gap.strip():
            offset = end + len(gap) - len(gap.lstrip())
            raise ConditionError("a comment is not allowed here", offset=offset, help="write it as a YAML comment, after `#`")
        end = len(text) if token is None else token.end + 1


def _parse(text: str, tokens: list[Token], into: type[exp.Expr] | None) -> Expression:
    parser = _dialect().parser(error_message_context=len(text) + 1)
    try:
        trees = parser.parse_into(into, tokens, text) if into else parser.parse(tokens, text)
    except ParseError as error:
        raise _from_parse_error(error) from error
    except RecursionError as error:
        raise ConditionError("nested too deeply", help="split it into definitions", code="too-deep") from error
    except SqlglotError as error:
        raise ConditionError("this is not an SQL expression", help="see the reference of conditions") from error
    tree = trees[0] if len(trees) == 1 else None
    if tree is None:
        raise ConditionError("one expression is expected", help="write one expression")
    _refuse_tall_tree(tree)
    return tree


def _from_parse_error(error: ParseError) -> ConditionError:
    detail = error.errors[0] if error.errors else {}
    offset = len(detail.get("start_context") or "")
    found = detail.get("highlight") or ""
    description = detail.get("description") or ""
    if description.startswith("Invalid expression"):
        message, help = f"`{found}` is not expected here", "check the operator, comma or bracket before it"
    elif description.startswith("Required keyword"):
        message, help = f"the expression is incomplete at `{found}`", "write what it applies to"
    else:
        message, help = f"{description[:1].lower()}{description[1:]} at `{found}`", "complete it"
    return ConditionError(message, offset=offset, length=len(found), help=help, code="syntax")


def _refuse_tall_tree(tree: Expression) -> None:
    """Refuses what would recurse too deeply: long chains of one operator stand one in another."""
    stack = [(tree, 0)]
    while stack:
        node, depth = stack.pop()
        if depth > MAX_TREE:
            offset, length = _place(node)
            raise ConditionError(
                f"more than {MAX_TREE} terms, or nested too deeply",
                offset=offset,
                length=length,
                help="use IN (…), or split it into definitions",
                code="too-deep",
            )
        stack.extend((child, depth + 1) for child in node.iter_expressions())


def _fail_at(token: Token, message: str, help: str, code: str = "not-allowed") -> NoReturn:
    raise ConditionError(message, offset=token.start, length=token.end - token.start + 1, help=help, code=code)


def _place(node: Expression) -> tuple[int, int]:
    """The offset and length of the node's own token, or of all tokens within it."""
    spans = [node.meta] if "start" in node.meta else [inner.meta for inner in node.walk() if "start" in inner.meta]
    if not spans:
        return 0, 1
    start = min(int(meta["start"]) for meta in spans)
    return start, max(int(meta["end"]) for meta in spans) - start + 1


def _fail(node: Expression, message: str, help: str, code: str = "not-allowed") -> NoReturn:
    offset, length = _place(node)
    raise ConditionError(message, offset=offset, length=length, help=help, code=code)


# --- domain functions ---------------------------------------------------------------------------------------------

_UNITS = {"days_after": "DAY", "weeks_after": "WEEK", "months_after": "MONTH", "years_after": "YEAR"}
_DOMAIN = ("age", "days_between", *_UNITS)


def _expand(name: str, arguments: Sequence[Expression]) -> Expression:
    """The plain SQL of one of our own functions; its arguments are known to be of the right types."""
    first, second = arguments
    if name == "age":
        return _age(_as_date(first), _as_date(second))
    if name == "days_between":
        return exp.DateDiff(this=_as_date(second), expression=_as_date(first), unit=exp.var("DAY"))
    return _after(_as_date(first), second.copy(), _UNITS[name])


def _age(birth: Expression, on: Expression) -> Expression:
    # adding years clips 29 February to the 28th, so a birthday falls on the 28th in a common year
    years = exp.Sub(this=_year(on), expression=_year(birth))
    too_early = exp.GT(this=_after(birth, exp.Paren(this=years.copy()), "YEAR"), expression=on.copy())
    one, none = exp.Literal.number(1), exp.Literal.number(0)
    not_yet = exp.Case(ifs=[exp.If(this=too_early, true=one)], default=none)
    return exp.Paren(this=exp.Sub(this=years, expression=not_yet))


def _year(date: Expression) -> Expression:
    return exp.Extract(this=exp.var("YEAR"), expression=date.copy())


def _after(date: Expression, number: Expression, unit: str) -> Expression:
    whole = number if isinstance(number, exp.Literal) else exp.cast(number, "INT")
    return exp.cast(exp.DateAdd(this=date.copy(), expression=whole, unit=exp.var(unit)), "DATE")


def _as_date(node: Expression) -> Expression:
    copy = node.copy()
    is_date = isinstance(copy, exp.Cast) and copy.to.this == exp.DType.DATE
    return copy if is_date or copy.meta.get("sql_type") == DATE else exp.cast(copy, "DATE")


def _domain_name(node: Expression) -> str | None:
    name = node.name.lower() if isinstance(node, exp.Anonymous) else ""
    return name if name in _DOMAIN else None


# --- literals -----------------------------------------------------------------------------------------------------

_NUMBER = re.compile(r"[0-9]{1,9}(\.[0-9]{1,9})?")
_INTERVAL_UNITS = {f"{unit}{s}" for unit in ("DAY", "WEEK", "MONTH", "YEAR") for s in ("", "S")}


def _literal_type(node: exp.Literal) -> str:
    if node.is_string:
        return TEXT
    if not _NUMBER.fullmatch(node.name):
        _fail(node, f"the number `{node.name}` is not allowed", "write a number of at most nine digits")
    return DOUBLE if "." in node.name else BIGINT


def _check_interval(node: exp.Interval) -> None:
    unit = node.args.get("unit")
    if not isinstance(unit, exp.Var) or unit.name.upper() not in _INTERVAL_UNITS:
        _fail(node, "this interval is not allowed", "write it in days, weeks, months or years, as INTERVAL 6 WEEK")
    number = node.this
    if not isinstance(number, exp.Literal) or not re.fullmatch("[0-9]{1,4}", number.name):
        _fail(node, "an interval has a whole number", "write it as INTERVAL 6 WEEK, or use `weeks_after(date, n)`")


def _check_date_text(node: exp.Literal, parse: Callable[[str], object], example: str) -> None:
    if not re.fullmatch(r"[0-9]{4}-[0-9]{2}-[0-9]{2}([ T][0-9:.]+)?", node.name):
        _fail(node, f"`{node.name}` is not a date", f"write it as {example}", "type")
    try:
        parse(node.name)
    except ValueError:
        _fail(node, f"there is no date `{node.name}`", f"write a date that exists, as {example}", "type")


# --- the checker of expressions -----------------------------------------------------------------------------------

_COMPARISONS = (exp.EQ, exp.NEQ, exp.GT, exp.GTE, exp.LT, exp.LTE, exp.NullSafeEQ, exp.NullSafeNEQ)
_PREDICATES = (*_COMPARISONS, exp.Is, exp.In, exp.Between, exp.Not, exp.And, exp.Or)
_AGGREGATES = (exp.Count, exp.CountIf, exp.Sum, exp.Min, exp.Max, exp.Avg, exp.LogicalOr, exp.LogicalAnd, exp.Filter)
_FUNCTION_NAMES = ("abs", "cast", "coalesce", "greatest", "least", "length", "lower", "nullif", *_DOMAIN)
_AGGREGATE_NAMES = ("count", "sum", "min", "max", "avg", "bool_or", "bool_and", "count_if")


class _Checker:
    """Walks an expression once: one small method a kind of node, giving its type, or refusing it."""

    def __init__(
        self,
        text: str,
        columns: Columns,
        qualifiers: Mapping[str, Columns],
        codes: Mapping[str, frozenset[str]],
        allow_aggregates: bool,
    ) -> None:
        self.text = text
        self.types: dict[tuple[str | None, str], str] = {(None, name): kind for name, kind in columns.items()}
        for qualifier, inner in qualifiers.items():
            self.types |= {(qualifier, name): kind for name, kind in inner.items()}
        self.by_lower = {((q or "").lower(), name.lower()): (q, name) for q, name in self.types}
        self.codes = codes
        self.allow_aggregates = allow_aggregates
        self.in_aggregate = False
        self.in_age = False

    def run(self, tree: Expression, expect: Expect | None) -> Expression:
        """The tree with names made exact and our functions expanded, once all of it is allowed."""
        holder = exp.Paren(this=tree)
        kind = self.type(tree)
        if kind == NULL:
            _fail(tree, "an expression that is always NULL says nothing", "write a condition or a value", "type")
        if expect is not None and _FAMILY.get(kind, expect) != expect:
            words = f"this is {_FAMILY_WORDS[_FAMILY[kind]]} where {_FAMILY_WORDS[expect]} is expected"
            _fail(tree, words, _EXPECT_HELP[expect], "type")
        result: Expression = holder.this
        result.pop()
        result.meta["sql_type"] = kind
        return result

    def type(self, node: Expression) -> str:
        """The type of one node, whose parts have been checked."""
        kind = _KINDS.get(type(node))
        if kind is None:
            self.refuse(node)
        method, allowed = kind
        _refuse_parts(node, allowed)
        found = method(self, node)
        node.meta["sql_type"] = found
        return found

    def refuse(self, node: Expression) -> NoReturn:
        if isinstance(node, (exp.Query, exp.Subquery, exp.Exists)):
            _fail(node, "a subquery is not allowed", "make it a definition, and name its column")
        if isinstance(node, (exp.Window, exp.WindowSpec)):
            _fail(node, "a window function is not allowed", "make it a definition, and name its column")
        if isinstance(node, (exp.CurrentDate, exp.CurrentTimestamp, exp.Localtimestamp, exp.Localtime)):
            _fail(node, "the clock is not read in rules", "name the column that holds the as-of date")
        if isinstance(node, exp.Star):
            _fail(node, "`*` is not allowed", "name the column")
        if isinstance(node, exp.Interval):
            _fail(node, "an interval is only added to or taken from a date", "write it as date + INTERVAL 6 WEEK")
        if isinstance(node, exp.Func):
            name = _written_name(node, self.text)
            names = (*_FUNCTION_NAMES, *(_AGGREGATE_NAMES if self.allow_aggregates else ()))
            _fail(node, f"the function `{name}` is not allowed", nearest_help(name, names, "function"), "function")
        _fail(node, f"{_noun(node)} is not allowed", "use comparisons, AND, OR, NOT, IN, BETWEEN, IS NULL and CASE")

    # values

    def column(self, node: exp.Column) -> str:
        if not isinstance(node.this, exp.Identifier):
            self.refuse(node.this)
        key = (node.table.lower(), node.name.lower())
        found = self.by_lower.get(key)
        if found is None:
            self.unknown_column(node)
        node.this.set("this", found[1])
        node.this.set("quoted", True)
        if found[0] is not None:
            node.args["table"].set("this", found[0])
            node.args["table"].set("quoted", True)
        return self.types[found].upper()

    def unknown_column(self, node: exp.Column) -> NoReturn:
        name = f"{node.table}.{node.name}" if node.table else node.name
        names = [f"{qualifier}.{column}" if qualifier else column for qualifier, column in self.types]
        if node.this.args.get("quoted"):
            help = f"text is written in single quotes: '{node.name}'"
        else:
            help = nearest_help(name, names, "column")
        _fail(node, f"there is no column `{name}` here", help, "unknown-column")

    def literal(self, node: exp.Literal) -> str:
        return _literal_type(node)

    def boolean(self, node: exp.Boolean) -> str:
        return BOOLEAN

    def null(self, node: exp.Null) -> str:
        return NULL

    def paren(self, node: exp.Paren) -> str:
        return self.type(node.this)

    def cast(self, node: exp.Cast) -> str:
        target = node.to.this
        if target not in (exp.DType.DATE, exp.DType.TIMESTAMPNTZ, exp.DType.TIMESTAMP) or node.to.expressions:
            _fail(node, "this cast is not allowed", "CAST(… AS DATE) is the only cast")
        if isinstance(node.this, exp.Literal) and node.this.is_string:
            return self.date_literal(node, target)
        if target != exp.DType.DATE:
            _fail(node, "this cast is not allowed", "CAST(… AS DATE) is the only cast")
        self.need(node.this, "date")
        return DATE

    def date_literal(self, node: exp.Cast, target: exp.DType) -> str:
        if target == exp.DType.DATE:
            _check_date_text(node.this, datetime.date.fromisoformat, "DATE '2021-01-31'")
            return DATE
        _check_date_text(node.this, datetime.datetime.fromisoformat, "TIMESTAMP '2021-01-31 09:30:00'")
        return TIMESTAMP

    # conditions

    def logical(self, node: exp.Connector) -> str:
        # a chain of ANDs stands left in left: walked flat
        terms = [node.right]
        left = node.left
        while type(left) is type(node):
            terms.append(left.right)
            left = left.left
        for term in (left, *reversed(terms)):
            self.need(term, "boolean")
        return BOOLEAN

    def negation(self, node: exp.Not) -> str:
        self.need(node.this, "boolean")
        return BOOLEAN

    def comparison(self, node: exp.Binary) -> str:
        left, right = self.operand(node.left), self.operand(node.right)
        null_safe = isinstance(node, (exp.NullSafeEQ, exp.NullSafeNEQ))
        if NULL in (left, right) and not null_safe:
            _fail(node, "nothing compares with NULL", "write IS NULL or IS NOT NULL", "type")
        self.same_family(node, [left, right])
        self.check_codes(node.left, [node.right])
        self.check_codes(node.right, [node.left])
        return BOOLEAN

    def test(self, node: exp.Is) -> str:
        kind = self.operand(node.this)
        if isinstance(node.expression, exp.Boolean):
            self.check_family(node.this, kind, "boolean")
        elif not isinstance(node.expression, exp.Null):
            _fail(node, "IS takes NULL, TRUE or FALSE", "write `=` to compare", "type")
        return BOOLEAN

    def membership(self, node: exp.In) -> str:
        kinds = [self.operand(node.this)]
        for item in node.expressions:
            if not _is_constant(item):
                _fail(item, "IN takes a list of written values", "use OR for columns, or a definition for a query")
            kinds.append(self.type(item))
        if not node.expressions:
            _fail(node, "IN takes a list of written values", "write IN ('a', 'b')")
        if NULL in kinds:
            _fail(node, "nothing compares with NULL", "write IS NULL or IS NOT NULL", "type")
        self.same_family(node, kinds)
        self.check_codes(node.this, node.expressions)
        return BOOLEAN

    def between(self, node: exp.Between) -> str:
        parts = [node.this, node.args["low"], node.args["high"]]
        kinds = [self.operand(part) for part in parts]
        if NULL in kinds:
            _fail(node, "nothing compares with NULL", "write IS NULL or IS NOT NULL", "type")
        self.same_family(node, kinds)
        return BOOLEAN

    def case(self, node: exp.Case) -> str:
        subject = node.args.get("this")
        subject_kind = self.operand(subject) if subject is not None else None
        results = []
        for branch in node.args["ifs"]:
            self.case_test(branch, subject, subject_kind)
            results.append(self.type(branch.args["true"]))
        if node.args.get("default") is not None:
            results.append(self.type(node.args["default"]))
        return self.same_family(node, results, allow_null=True)

    def case_test(self, branch: exp.If, subject: Expression | None, kind: str | None) -> None:
        if type(branch) is not exp.If:
            self.refuse(branch)
        if subject is None or kind is None:
            self.need(branch.this, "boolean")
            return
        self.same_family(branch, [kind, self.operand(branch.this)])
        self.check_codes(subject, [branch.this])

    # arithmetic

    def plus_minus(self, node: exp.Binary) -> str:
        if isinstance(node.right, exp.Interval):
            return self.shifted(node)
        for side in (node.left, node.right):
            kind = self.type(side)
            if _FAMILY.get(kind) == "date":
                _fail(node, "a date takes no part in arithmetic", _DATE_HELP, "type")
            self.check_family(side, kind, "number")
        return self.number(node)

    def shifted(self, node: exp.Binary) -> str:
        assert isinstance(node.right, exp.Interval)
        _check_interval(node.right)
        kind = self.need(node.left, "date")
        if kind == DATE:  # DuckDB gives a timestamp, Spark a date: a date it is
            node.replace(exp.cast(node.copy(), "DATE"))
        return kind

    def arithmetic(self, node: exp.Binary) -> str:
        self.need(node.left, "number")
        self.need(node.right, "number")
        return self.number(node)

    def division(self, node: exp.Binary) -> str:
        self.need(node.left, "number")
        self.need(node.right, "number")
        kind = self.number(node)
        _divide_safely(node)
        return DOUBLE if isinstance(node, exp.Div) else kind

    def number(self, node: exp.Binary) -> str:
        if not any(isinstance(inner, exp.Column) for inner in node.walk()):
            _fail(node, "arithmetic without a column", "write the result", "type")
        kinds = {type_of(node.left), type_of(node.right)}
        return BIGINT if kinds <= {BIGINT, "INTEGER"} else DOUBLE

    def minus(self, node: exp.Neg) -> str:
        return self.need(node.this, "number")

    def joined_text(self, node: exp.DPipe) -> str:
        self.need(node.left, "text")
        self.need(node.right, "text")
        return TEXT

    # functions

    def alternatives(self, node: exp.Func) -> str:
        parts = [node.this, *node.expressions]
        return self.same_family(node, [self.type(part) for part in parts], allow_null=isinstance(node, exp.Coalesce))

    def nullif(self, node: exp.Nullif) -> str:
        kind = self.same_family(node, [self.type(node.this), self.type(node.expression)])
        self.check_codes(node.this, [node.expression])
        return kind if kind == DOUBLE else type_of(node.this)

    def length(self, node: exp.Length) -> str:
        self.need(node.this, "text")
        return BIGINT

    def lower(self, node: exp.Lower) -> str:
        return self.need(node.this, "text")

    def absolute(self, node: exp.Abs) -> str:
        return self.need(node.this, "number")

    def domain(self, node: exp.Anonymous) -> str:
        name = _domain_name(node)
        if name is None:
            self.refuse(node)
        _check_arity(node, name)
        if name == "age":
            return self.age(node)
        self.need(node.expressions[0], "date")
        self.need(node.expressions[1], "date" if name == "days_between" else "number", whole=True)
        node.replace(_expand(name, node.expressions))
        return BIGINT if name == "days_between" else DATE

    def age(self, node: exp.Anonymous) -> str:
        if self.in_age:  # each expansion writes its arguments three times
            _fail(node, "`age` is not allowed within `age`", "make one of them a definition")
        self.in_age = True
        for argument in node.expressions:
            self.need(argument, "date")
        self.in_age = False
        node.replace(_expand("age", node.expressions))
        return BIGINT

    def aggregate(self, node: Expression) -> str:
        if not self.allow_aggregates:
            _fail(node, "an aggregate is not allowed here", "make it a definition, and name its column")
        if self.in_aggregate:
            _fail(node, "an aggregate is not allowed within another", "make the inner one a definition")
        if isinstance(node, exp.Filter):
            return self.filtered(node)
        self.in_aggregate = True
        kind = self.aggregated(node)
        self.in_aggregate = False
        return kind

    def filtered(self, node: exp.Filter) -> str:
        if not isinstance(node.this, _AGGREGATES) or isinstance(node.this, exp.Filter):
            self.refuse(node.this)
        kind = self.type(node.this)
        where = node.expression
        self.in_aggregate = True
        self.need(where.this, "boolean")
        self.in_aggregate = False
        return kind

    def aggregated(self, node: Expression) -> str:
        if isinstance(node, exp.Count):
            return self.count(node)
        if isinstance(node, (exp.LogicalOr, exp.LogicalAnd, exp.CountIf)):
            self.need(node.this, "boolean")
            return BIGINT if isinstance(node, exp.CountIf) else BOOLEAN
        if isinstance(node, (exp.Sum, exp.Avg)):
            kind = self.need(node.this, "number")
            return kind if isinstance(node, exp.Sum) else DOUBLE
        return self.operand(node.this)

    def count(self, node: exp.Count) -> str:
        if node.expressions:
            _fail(node, "count takes one column", "write count(*), count(x) or count(DISTINCT x)")
        if isinstance(node.this, exp.Distinct):
            _refuse_parts(node.this, frozenset({"expressions"}))
            for part in node.this.expressions:
                self.operand(part)
        elif not isinstance(node.this, exp.Star) or any(node.this.args.values()):
            self.operand(node.this)
        return BIGINT

    # types

    def operand(self, node: Expression) -> str:
        """The type of one side of a comparison, which is not itself an unbracketed condition."""
        if isinstance(node, _PREDICATES):
            _fail(node, "a condition within a condition", "put brackets round the inner one", "type")
        return self.type(node)

    def need(self, node: Expression, family: str, *, whole: bool = False) -> str:
        kind = self.type(node)
        self.check_family(node, kind, family)
        if whole and kind == DOUBLE:
            _fail(node, "a whole number is expected here", "give a whole number", "type")
        return kind

    def check_family(self, node: Expression, kind: str, family: str) -> None:
        if _FAMILY.get(kind, family) != family:
            words = f"this is {_FAMILY_WORDS[_FAMILY[kind]]} where {_FAMILY_WORDS[family]} is expected"
            _fail(node, words, _EXPECT_HELP[family], "type")

    def same_family(self, node: Expression, kinds: Iterable[str], *, allow_null: bool = False) -> str:
        known = [kind for kind in kinds if kind != NULL]
        families = {_FAMILY[kind] for kind in known if kind in _FAMILY}
        if len(families) > 1:
            words = " and ".join(_FAMILY_WORDS[family] for family in sorted(families))
            help = "write a date as DATE '2021-01-31'" if "date" in families else "give values of one type"
            _fail(node, f"{words} do not go together", help, "type")
        if not known:
            _fail(node, "every value here is NULL", "give at least one that is not", "type")
        for wide in (UNKNOWN, DOUBLE, TIMESTAMP):
            if wide in known:
                return wide
        return known[0]

    def check_codes(self, node: Expression, values: Iterable[Expression]) -> None:
        column = node.unnest()
        if not isinstance(column, exp.Column):
            return
        codes = self.codes.get(f"{column.table}.{column.name}" if column.table else column.name)
        for value in values:
            bare = value.unnest()
            if codes is not None and isinstance(bare, exp.Literal) and bare.is_string and bare.name not in codes:
                message = f"`{column.name}` is never '{bare.name}'"
                _fail(bare, message, nearest_help(bare.name, codes, "code"), "unknown-code")


_DATE_HELP = "use `days_between(a, b)`, `weeks_after(date, n)` or date + INTERVAL 6 WEEK"
_EXPECT_HELP = {
    "boolean": "write a comparison, as `end_date IS NULL`",
    "date": "name a date column, or write DATE '2021-01-31' or `weeks_after(date, n)`",
    "number": "name a number, or use `age(birth, on)` or `days_between(a, b)`",
    "text": "name a text column, or write text in single quotes",
}

_THIS = frozenset({"this"})
_BOTH = frozenset({"this", "expression"})
_SEVERAL = frozenset({"this", "expressions"})
_Kind: TypeAlias = tuple[Callable[[_Checker, Any], str], frozenset[str]]
_KINDS: dict[type[exp.Expr], _Kind] = {
    exp.Column: (_Checker.column, frozenset({"this", "table"})),
    exp.Literal: (_Checker.literal, frozenset({"this", "is_string"})),
    exp.Boolean: (_Checker.boolean, _THIS),
    exp.Null: (_Checker.null, frozenset()),
    exp.Paren: (_Checker.paren, _THIS),
    exp.Cast: (_Checker.cast, frozenset({"this", "to"})),
    exp.And: (_Checker.logical, _BOTH),
    exp.Or: (_Checker.logical, _BOTH),
    exp.Not: (_Checker.negation, _THIS),
    exp.Is: (_Checker.test, _BOTH),
    exp.In: (_Checker.membership, _SEVERAL),
    exp.Between: (_Checker.between, frozenset({"this", "low", "high"})),
    exp.Case: (_Checker.case, frozenset({"this", "ifs", "default"})),
    exp.Add: (_Checker.plus_minus, _BOTH),
    exp.Sub: (_Checker.plus_minus, _BOTH),
    exp.Mul: (_Checker.arithmetic, _BOTH),
    exp.Div: (_Checker.division, _BOTH),
    exp.Mod: (_Checker.division, _BOTH),
    exp.Neg: (_Checker.minus, _THIS),
    exp.DPipe: (_Checker.joined_text, _BOTH | {"safe"}),
    exp.Coalesce: (_Checker.alternatives, _SEVERAL),
    exp.Greatest: (_Checker.alternatives, _SEVERAL | {"ignore_nulls"}),
    exp.Least: (_Checker.alternatives, _SEVERAL | {"ignore_nulls"}),
    exp.Nullif: (_Checker.nullif, _BOTH),
    exp.Length: (_Checker.length, _THIS),
    exp.Lower: (_Checker.lower, _THIS),
    exp.Abs: (_Checker.absolute, _THIS),
    exp.Anonymous: (_Checker.domain, _SEVERAL),
    exp.Count: (_Checker.aggregate, _SEVERAL | {"big_int"}),
    **dict.fromkeys(
        (exp.Sum, exp.Min, exp.Max, exp.Avg, exp.LogicalOr, exp.LogicalAnd, exp.CountIf), (_Checker.aggregate, _THIS)
    ),
    exp.Filter: (_Checker.aggregate, _BOTH),
    **dict.fromkeys(_COMPARISONS, (_Checker.comparison, _BOTH)),
}


def _refuse_parts(node: Expression, allowed: frozenset[str]) -> None:
    """Refuses a clause of an allowed node that is not itself listed."""
    extra = [name for name, value in node.args.items() if value and name not in allowed]
    if extra:
        _fail(node, f"`{extra[0].rstrip('_')}` is not allowed in {_noun(node)}", "leave it out")


def _check_arity(node: exp.Anonymous, name: str) -> None:
    if len(node.expressions) != 2:
        help = {"age": "age(birth_date, on_date)", "days_between": "days_between(first, second)"}
        _fail(node, f"`{name}` takes two values", f"write {help.get(name, f'{name}(date, n)')}", "function")


def _divide_safely(node: exp.Binary) -> None:
    # DuckDB 2 stops at a division by zero, other engines give NULL: NULL it is
    divisor = node.right
    if not (isinstance(divisor, exp.Literal) and divisor.name.strip("0.")):
        divisor.replace(exp.Nullif(this=divisor.copy(), expression=exp.Literal.number(0)))


def _is_constant(node: Expression) -> bool:
    bare = node.this if isinstance(node, exp.Neg) else node
    if isinstance(bare, exp.Cast):
        return isinstance(bare.this, exp.Literal)
    return isinstance(bare, (exp.Literal, exp.Boolean, exp.Null))


def _written_name(node: exp.Func, text: str) -> str:
    if "start" in node.meta:
        return text[int(node.meta["start"]) : int(node.meta["end"]) + 1].lower()
    return (node.name if isinstance(node, exp.Anonymous) else node.sql_name()).lower()


def _noun(node: Expression) -> str:
    return re.sub(r"(?<=[a-z])(?=[A-Z])", " ", type(node).__name__).upper()


# --- definitions --------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Definition:
    """A named view: its query, the base columns it reads, and the columns it gives, with their types."""

    expression: Expression
    reads: frozenset[tuple[str, str]]
    outputs: list[str]
    types: dict[str, str]


def parse_definition(text: str, tables: Mapping[str, Columns]) -> Definition:
    """The query of a definition, qualified, and what it reads and gives; `tables` holds earlier definitions too."""
    tokens = _tokens(text, MAX_DEFINITION)
    if tokens[0].token_type not in (TokenType.SELECT, TokenType.WITH, TokenType.L_PAREN):
        _fail_at(tokens[0], "a definition is one SELECT", "start it with SELECT or WITH")
    tree = _parse(text, tokens, None)
    if not isinstance(tree, exp.Query):
        _fail(tree, "a definition is one SELECT", "start it with SELECT or WITH")
    known = {name.lower(): {column.lower(): kind for column, kind in inner.items()} for name, inner in tables.items()}
    _check_query(tree, text, known)
    return _resolve(_expand_all(tree), known)


def rename_tables(definition: Definition, mapping: Mapping[str, str]) -> Definition:
    """A copy of the definition with its base tables renamed, as `cp_plans` to `known.cp_plans`."""
    expression = definition.expression.copy()
    for table in list(expression.find_all(exp.Table)):
        new = mapping.get(table.name)
        if new is None or table.args.get("db"):
            continue
        *before, last = new.split(".")
        table.set("this", exp.to_identifier(last, quoted=True))
        table.set("db", exp.to_identifier(before[-1], quoted=True) if before else None)
    return replace(definition, expression=expression)


def _resolve(tree: exp.Query, known: Mapping[str, Columns]) -> Definition:
    from sqlglot.optimizer.annotate_types import annotate_types
    from sqlglot.optimizer.qualify import qualify
    from sqlglot.schema import MappingSchema

    read = {table.name.lower() for table in tree.find_all(exp.Table)} & known.keys()
    schema = MappingSchema({name: dict(known[name]) for name in sorted(read)}, dialect=_dialect())
    try:
        resolved = qualify(
            tree,
            dialect=_dialect(),
            schema=schema,
            validate_qualify_columns=False,
            allow_partial_qualification=True,
        )
        reads = _reads(resolved, known)
        _refuse_uneven_unions(resolved)
        annotate_types(resolved, schema=schema, dialect=_dialect())
    except (OptimizeError, RecursionError) as error:
        raise _from_optimize_error(tree, error) from error
    outputs = [name.lower() for name in resolved.named_selects]
    _refuse_repeats(resolved, outputs)
    kinds = [_plain_type(select) for select in resolved.selects]
    return Definition(resolved, reads, outputs, dict(zip(outputs, kinds, strict=True)))


def _from_optimize_error(tree: Expression, error: Exception) -> ConditionError:
    message = str(error).splitlines()[0] if str(error) else "nested too deeply"
    words = message.replace(":", " ").split()
    named = next((node for node in tree.find_all(exp.Identifier) if node.name in words), None)
    offset, length = _place(named) if named is not None else (0, 1)
    return ConditionError(
        f"{message[:1].lower()}{message[1:]}", offset=offset, length=length, help="give each table its own alias"
    )


def _plain_type(select: Expression) -> str:
    found = select.type
    return _PLAIN_TYPES.get(found.this, UNKNOWN) if found is not None else UNKNOWN


_PLAIN_TYPES = {
    exp.DType.TEXT: TEXT,
    exp.DType.VARCHAR: TEXT,
    exp.DType.DATE: DATE,
    exp.DType.TIMESTAMP: TIMESTAMP,
    exp.DType.TIMESTAMPNTZ: TIMESTAMP,
    exp.DType.BOOLEAN: BOOLEAN,
    exp.DType.BIGINT: BIGINT,
    exp.DType.INT: BIGINT,
    exp.DType.INT128: BIGINT,
    exp.DType.DOUBLE: DOUBLE,
    exp.DType.DECIMAL: DOUBLE,
}


def _refuse_uneven_unions(tree: Expression) -> None:
    for union in tree.find_all(exp.SetOperation):
        left, right = (len(_selects(side)) for side in (union.left, union.right))
        if left != right:
            message = f"{left} columns are joined with {right}"
            _fail(union, message, "give both sides of the union the same columns")


def _selects(side: Expression) -> Sequence[Expression]:
    query = side.unnest()
    return query.selects if isinstance(query, exp.Query) else []


def _refuse_repeats(tree: exp.Query, outputs: Sequence[str]) -> None:
    for select in tree.selects:
        name = select.alias_or_name.lower()
        if outputs.count(name) > 1:
            _fail(select, f"the column `{name}` is given twice", "name each column once, with AS")


# what a query may be made of: each kind of node, with the clauses it may have
_NO_PARTS: frozenset[str] = frozenset()
_SCALARS: dict[type[exp.Expr], frozenset[str]] = {
    **{kind: allowed for kind, (_, allowed) in _KINDS.items() if kind is not exp.Count},
    exp.Count: frozenset({"this", "big_int"}),
    exp.In: frozenset({"this", "expressions", "query"}),
    exp.If: frozenset({"this", "true", "false"}),
    exp.Like: _BOTH,
    exp.Upper: _THIS,
    exp.Trim: _THIS,
    exp.Floor: _THIS,
    exp.Ceil: _THIS,
    exp.Round: frozenset({"this", "decimals"}),
    exp.Extract: _BOTH,
    exp.Year: _THIS,
    exp.Month: _THIS,
    exp.Day: _THIS,
    exp.Interval: frozenset({"this", "unit"}),
    exp.Var: _THIS,
    exp.DataType: frozenset({"this", "nested"}),
    exp.Identifier: frozenset({"this", "quoted"}),
    exp.Star: _NO_PARTS,
    exp.Distinct: frozenset({"expressions"}),
    exp.ArgMax: _BOTH,
    exp.ArgMin: _BOTH,
    exp.RowNumber: _NO_PARTS,
    exp.Rank: _NO_PARTS,
    exp.DenseRank: _NO_PARTS,
    exp.Lag: frozenset({"this", "offset", "default"}),
    exp.Lead: frozenset({"this", "offset", "default"}),
    exp.FirstValue: _THIS,
    exp.LastValue: _THIS,
}
_CLAUSES: dict[type[exp.Expr], frozenset[str]] = {
    exp.Select: frozenset({"with_", "expressions", "distinct", "from_", "joins", "where", "group", "having", "qualify", "order"}),
    exp.Union: frozenset({"with_", "this", "expression", "distinct", "order"}),
    exp.Intersect: frozenset({"with_", "this", "expression", "distinct", "order"}),
    exp.Except: frozenset({"with_", "this", "expression", "distinct", "order"}),
    exp.Subquery: frozenset({"this", "alias"}),
    exp.With: frozenset({"expressions"}),
    exp.CTE: frozenset({"this", "alias"}),
    exp.TableAlias: _THIS,
    exp.Alias: frozenset({"this", "alias"}),
    exp.From: _THIS,
    exp.Join: frozenset({"this", "on", "using", "side", "kind"}),
    exp.Table: frozenset({"this", "alias"}),
    exp.Where: _THIS,
    exp.Having: _THIS,
    exp.Qualify: _THIS,
    exp.Group: frozenset({"expressions"}),
    exp.Order: frozenset({"expressions"}),
    exp.Ordered: frozenset({"this", "desc", "nulls_first"}),
    exp.Exists: _THIS,
    exp.Window: frozenset({"this", "partition_by", "order", "spec", "over"}),
    exp.WindowSpec: frozenset({"kind", "start", "start_side", "end", "end_side"}),
}
_QUERY = _SCALARS | _CLAUSES
_DEFINITION_FUNCTIONS = (
    *_FUNCTION_NAMES,
    *_AGGREGATE_NAMES,
    *("arg_max", "arg_min", "row_number", "rank", "dense_rank", "lag", "lead", "first_value", "last_value"),
    *("upper", "trim", "floor", "ceil", "round", "extract", "year", "month", "day", "if"),
)
_CAST_TYPES = frozenset(_PLAIN_TYPES) - {exp.DType.INT128, exp.DType.DECIMAL}
_JOIN_KINDS = frozenset({"", "INNER", "OUTER", "CROSS", "SEMI", "ANTI"})


def _check_query(tree: exp.Query, text: str, known: Mapping[str, Columns]) -> None:
    """Refuses every node of a query that is not allowed, and every table that is not known."""
    ctes = {cte.alias.lower() for cte in tree.find_all(exp.CTE)}
    for cte in tree.find_all(exp.CTE):
        if cte.alias.lower() in known:
            _fail(cte.args["alias"], f"`{cte.alias}` is already a table", "give it another name")
    for node in tree.walk():
        allowed = _QUERY.get(type(node))
        if allowed is None:
            _refuse_in_query(node, text)
        _refuse_parts(node, allowed)
        check = _QUERY_CHECKS.get(type(node))
        if check is not None:
            check(node, ctes, known)
    for select in tree.selects:
        if not isinstance(select, (exp.Star, exp.Column, exp.Alias)):
            _fail(select, "a column without a name", "give it one with AS")


def _refuse_in_query(node: Expression, text: str) -> NoReturn:
    if isinstance(node, (exp.CurrentDate, exp.CurrentTimestamp, exp.Localtimestamp, exp.Localtime)):
        _fail(node, "the clock is not read in rules", "take dates from the tables")
    if isinstance(node, exp.Func):
        name = _written_name(node, text)
        help = nearest_help(name, _DEFINITION_FUNCTIONS, "function")
        _fail(node, f"the function `{name}` is not allowed", help, "function")
    _fail(node, f"{_noun(node)} is not allowed in a definition", "use SELECT, WITH, joins, unions and windows")


def _check_table(node: exp.Table, ctes: set[str], known: Mapping[str, Columns]) -> None:
    if not isinstance(node.this, exp.Identifier):
        _fail(node.this, "a table function is not allowed", "name a table or a definition")
    if node.name.lower() not in ctes and node.name.lower() not in known:
        help = nearest_help(node.name, [*known, *ctes], "table")
        _fail(node, f"there is no table `{node.name}`", help, "unknown-table")


def _check_star(node: exp.Star, ctes: set[str], known: Mapping[str, Columns]) -> None:
    parent = node.parent
    if isinstance(parent, exp.Count):
        return
    select = node.parent_select
    sources = [part.this for part in select.find_all(exp.From, exp.Join) if part.parent is select] if select else []
    is_base = [isinstance(source, exp.Table) and source.name.lower() not in ctes for source in sources]
    if any(is_base) or not sources:
        _fail(node, "`*` is not allowed over a table", "name the columns")


def _check_join(node: exp.Join, ctes: set[str], known: Mapping[str, Columns]) -> None:
    if str(node.args.get("kind") or "").upper() not in _JOIN_KINDS:
        _fail(node, "this join is not allowed", "use JOIN, LEFT JOIN, FULL JOIN or CROSS JOIN")
    is_cross = str(node.args.get("kind") or "").upper() == "CROSS"
    if not is_cross and not node.args.get("on") and not node.args.get("using"):
        _fail(node, "a join without ON", "write ON …, or CROSS JOIN where every pair is meant")


def _check_cast(node: exp.Cast, ctes: set[str], known: Mapping[str, Columns]) -> None:
    if node.to.this not in _CAST_TYPES:
        _fail(node, "this cast is not allowed", "cast to DATE, TIMESTAMP, VARCHAR, BIGINT, DOUBLE or BOOLEAN")
    if isinstance(node.this, exp.Literal) and node.this.is_string and node.to.this == exp.DType.DATE:
        _check_date_text(node.this, datetime.date.fromisoformat, "DATE '2021-01-31'")


def _check_query_interval(node: exp.Interval, ctes: set[str], known: Mapping[str, Columns]) -> None:
    _check_interval(node)


def _check_query_literal(node: exp.Literal, ctes: set[str], known: Mapping[str, Columns]) -> None:
    _literal_type(node)


def _check_domain(node: exp.Anonymous, ctes: set[str], known: Mapping[str, Columns]) -> None:
    name = _domain_name(node)
    if name is None:
        help = nearest_help(node.name, _DEFINITION_FUNCTIONS, "function")
        _fail(node, f"the function `{node.name}` is not allowed", help, "function")
    _check_arity(node, name)
    if name == "age" and any(_domain_name(outer) == "age" for outer in _ancestors(node)):
        _fail(node, "`age` is not allowed within `age`", "make one of them a column of a WITH query")


def _ancestors(node: Expression) -> Iterator[Expression]:
    while node.parent is not None:
        node = node.parent
        yield node


def _check_column(node: exp.Column, ctes: set[str], known: Mapping[str, Columns]) -> None:
    if not isinstance(node.this, (exp.Identifier, exp.Star)):
        _fail(node, "this is not a column", "name the column")


_QUERY_CHECKS: dict[type[exp.Expr], Callable[[Any, set[str], Mapping[str, Columns]], None]] = {
    exp.Table: _check_table,
    exp.Star: _check_star,
    exp.Join: _check_join,
    exp.Cast: _check_cast,
    exp.Interval: _check_query_interval,
    exp.Literal: _check_query_literal,
    exp.Anonymous: _check_domain,
    exp.Column: _check_column,
}


def _expand_all(tree: exp.Query) -> exp.Query:
    """The query with our own functions made plain SQL, the innermost first; and divisions by zero made NULL."""
    for node in reversed(list(tree.find_all(exp.Anonymous, bfs=True))):
        node.replace(_expand(node.name.lower(), node.expressions))
    for division in reversed(list(tree.find_all(exp.Div, exp.Mod, bfs=True))):
        _divide_safely(division)
    return tree


def _reads(tree: Expression, known: Mapping[str, Columns]) -> frozenset[tuple[str, str]]:
    """The base columns that the query reads; a column that cannot be found is refused."""
    from sqlglot.optimizer.scope import traverse_scope

    whole_row = tree.find(exp.TableColumn)
    if whole_row is not None:
        _fail(whole_row, f"`{whole_row.name}` is a table, not a column", "name a column of it", "unknown-column")
    reads: set[tuple[str, str]] = set()
    for scope in traverse_scope(tree):
        for column in scope.columns:
            source = _source(scope, column, known)
            if isinstance(source, exp.Table):
                reads.add((source.name, column.name))
    return frozenset(reads)


def _source(scope: Any, column: exp.Column, known: Mapping[str, Columns]) -> Any:
    if not column.table:
        _refuse_unresolved(scope, column, known)
    source = _find_source(scope, column.table)
    if source is None:
        help = nearest_help(column.table, scope.sources, "table")
        _fail(column, f"there is no table `{column.table}` here", help, "unknown-table")
    names = _names(source, known)
    if column.name not in names:
        message = f"`{column.table}` has no column `{column.name}`"
        _fail(column.this, message, nearest_help(column.name, names, "column"), "unknown-column")
    return source


def _find_source(scope: Any, name: str) -> Any:
    while scope is not None:
        if name in scope.sources:
            return scope.sources[name]
        scope = scope.parent
    return None


def _names(source: Any, known: Mapping[str, Columns]) -> list[str]:
    if isinstance(source, exp.Table):
        return list(known.get(source.name, {}))
    return [name.lower() for name in source.expression.named_selects]


def _refuse_unresolved(scope: Any, column: exp.Column, known: Mapping[str, Columns]) -> NoReturn:
    owners = {name: _names(source, known) for name, (_, source) in scope.selected_sources.items()}
    holding = sorted(name for name, names in owners.items() if column.name in names)
    if len(holding) > 1:
        help = f"write `{holding[0]}.{column.name}`"
        _fail(column, f"`{column.name}` is in {' and '.join(f'`{name}`' for name in holding)}", help, "ambiguous")
    names = {name for inner in owners.values() for name in inner}
    help = nearest_help(column.name, names, "column")
    _fail(column, f"there is no column `{column.name}` here", help, "unknown-column")
