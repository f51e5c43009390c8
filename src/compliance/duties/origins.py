"""Where a value comes from: the columns of canonical tables beneath a rule's words and the definitions it rests on."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from typing import Any

from sqlglot import exp, parse_one
from sqlglot.optimizer.scope import Scope, build_scope

from compliance.duties.compiled import CompiledDefinition

CONSTANT = "'"
"""The table that a text written in a definition is said to come from."""
Kept = frozenset[tuple[str, str, frozenset[str]]]
"""Rows kept: table, column and the codes of which it must have one."""


@dataclass(frozen=True)
class Origin:
    """A column of a table, and which of its rows a value may come from."""

    table: str
    column: str
    kept: Kept = frozenset()

    def meets(self, other: Origin) -> bool:
        """Whether one row can give both values: the same column, and no code that keeps the two apart."""
        same = (self.table, self.column) == (other.table, other.column)
        return same and not any(_apart(one, two) for one in self.kept for two in other.kept)

    def narrowed(self, kept: Kept, source: str = "") -> Origin:
        """The same column in fewer rows: those that what is said of its own table, or of the source that gives it, keeps."""
        return Origin(self.table, self.column, self.kept | {one for one in kept if one[0] in (self.table, source)})


def _apart(one: tuple[str, str, frozenset[str]], two: tuple[str, str, frozenset[str]]) -> bool:
    return one[:2] == two[:2] and not one[2] & two[2]


Origins = frozenset[Origin]


class Tracer:
    """Traces columns of definitions, through those they rest on, to the tables; each column once."""

    def __init__(self, definitions: Mapping[str, CompiledDefinition]) -> None:
        self.definitions = definitions
        self.scope = cache(self._scope)
        self.of_column = cache(self._of_column)

    def of_value(self, text: str, source: str, where: str | None = None) -> Origins:
        """The columns that a value over one source may be, in the rows where the condition holds."""
        values = values_in(parse_one(text, dialect="duckdb"))
        found = _joined(self._given(source, value) for value in values) or self.asked(text, source)
        return self._narrowed(found, source, _conditions(where))

    def asked(self, text: str, source: str) -> Origins:
        """Every column that an expression over one source speaks of."""
        return _joined(self.of_column(source, one.name) for one in parse_one(text, dialect="duckdb").find_all(exp.Column))

    def of_rows(self, source: str, where: str | None) -> Origins:
        """The rows of one source where the condition holds, as the column that tells them apart."""
        return self._narrowed(self.of_column(source, "row_ref"), source, _conditions(where))

    def codes(self, source: str, column: str) -> frozenset[str]:
        """The texts that a column of a definition may give, where it gives nothing else; else none."""
        found = self.of_column(source, column)
        return frozenset(one.column for one in found) if {one.table for one in found} == {CONSTANT} else frozenset()

    def _given(self, source: str, value: Value) -> Origins:
        if isinstance(value.column, exp.Literal):
            return frozenset()
        return self._narrowed(self.of_column(source, value.column.name), source, value.when)

    def _narrowed(self, found: Origins, source: str, conditions: Iterable[exp.Expr]) -> Origins:
        """The same columns in the rows of a source that the conditions keep."""
        own = [coded for coded in map(_coded, conditions) if coded is not None and not coded[0].table]
        kept: Kept = frozenset((source, column.name, codes) for column, codes in own)
        kept |= _joined(_said(self.of_column(source, column.name), codes) for column, codes in own)
        return frozenset(one.narrowed(kept, source) for one in found)

    def _scope(self, name: str) -> Scope:
        scope = build_scope(parse_one(self.definitions[name].sql, dialect="duckdb"))
        assert scope is not None, name
        return scope

    def _of_column(self, source: str, column: str) -> Origins:
        if source not in self.definitions:
            return frozenset({Origin(source, column)})
        return self._in_scope(self.scope(source), column)

    def _in_scope(self, scope: Scope, name: str) -> Origins:
        if scope.set_operation_scopes:
            place = _names(scope).index(name)
            return _joined(self._in_scope(side, _names(side)[place]) for side in scope.set_operation_scopes)
        chosen = [one for one in _query(scope).selects if one.alias_or_name.lower() == name]
        given = _joined(self._behind(scope, value.column, value.when) for one in chosen for value in values_in(one))
        asked = (column for one in chosen for column in one.find_all(exp.Column))
        return given or _joined(self._behind(scope, column, _comparison(column)) for column in asked)

    def _behind(self, scope: Scope, column: exp.Column | exp.Literal, when: Iterable[exp.Expr]) -> Origins:
        if isinstance(column, exp.Literal):
            return frozenset({Origin(CONSTANT, column.name)})
        holder, source = _source(scope, column.table)
        parts = [*when, *_filters(holder, column.table)] if holder is not None else []
        own = [coded for coded in map(_coded, parts) if coded is not None and coded[0].table == column.table]
        kept = _joined(_said(self._read(source, asked.name), codes) for asked, codes in own)
        return frozenset(one.narrowed(kept) for one in self._read(source, column.name.lower()))

    def _read(self, source: Scope | exp.Table | None, column: str) -> Origins:
        if isinstance(source, Scope):
            return self._in_scope(source, column)
        return self.of_column(source.name, column) if source is not None else frozenset()


def _joined(sets: Iterable[frozenset[Any]]) -> frozenset[Any]:
    return frozenset().union(*sets)


def _query(scope: Scope) -> exp.Query:
    assert isinstance(scope.expression, exp.Query)
    return scope.expression


def _names(scope: Scope) -> list[str]:
    """The columns that a query gives, in order."""
    return [one.lower() for one in _query(scope).named_selects]


def _said(origins: Origins, codes: frozenset[str]) -> Kept:
    """A comparison with codes, said of the tables' own columns."""
    return frozenset((one.table, one.column, codes) for one in origins)


def _conditions(where: str | None) -> Iterable[exp.Expr]:
    return _conjuncts(parse_one(where, dialect="duckdb")) if where else ()


def _source(scope: Scope, name: str) -> tuple[Scope | None, Any]:
    """The table or step that an alias names, and the query that names it: this one, one in brackets in it, or one around it."""
    around: list[Scope] = [scope, *scope.subquery_scopes]
    while scope.parent is not None:
        scope = scope.parent
        around.append(scope)
    return next(((one, one.sources[name]) for one in around if name in one.sources), (None, None))


def _filters(scope: Scope, alias: str) -> Iterator[exp.Expr]:
    """The conditions that every row of an alias meets: of the query's WHERE, and of the join that brings it."""
    where = scope.expression.args.get("where")
    if where is not None:
        yield from _conjuncts(where.this)
    for join in scope.expression.args.get("joins") or ():
        if join.this.alias_or_name == alias and join.args.get("on") is not None:
            yield from _conjuncts(join.args["on"])


def _comparison(column: exp.Column) -> tuple[exp.Expr, ...]:
    """What a column that is only asked for is compared with."""
    parent = column.parent
    return (parent,) if isinstance(parent, exp.EQ | exp.In) and parent.this is column else ()


def _conjuncts(condition: exp.Expr) -> Iterator[exp.Expr]:
    condition = condition.unnest()
    if isinstance(condition, exp.And):
        yield from _conjuncts(condition.this)
        yield from _conjuncts(condition.expression)
    else:
        yield condition


def _coded(part: exp.Expr) -> tuple[exp.Column, frozenset[str]] | None:
    """The column and the codes of `column = 'x'`, `column IN ('x', 'y')`, `column` or `NOT column`, else nothing."""
    if isinstance(part, exp.Column):
        return part, frozenset({"true"})
    if isinstance(part, exp.Not) and isinstance(part.this.unnest(), exp.Column):
        return part.this.unnest(), frozenset({"false"})
    if not isinstance(part.this, exp.Column):
        return None
    if isinstance(part, exp.EQ) and isinstance(part.expression, exp.Literal):
        return part.this, frozenset({part.expression.name})
    if isinstance(part, exp.In) and part.expressions:
        return part.this, frozenset(one.name for one in part.expressions)
    return None


# --- the values that an expression may give -----------------------------------------------------------------------


@dataclass(frozen=True)
class Value:
    """A column or a text whose value an expression may give, and the conditions on which it does."""

    column: exp.Column | exp.Literal
    when: tuple[exp.Expr, ...] = ()


def values_in(expression: exp.Expr, when: tuple[exp.Expr, ...] = ()) -> Iterator[Value]:
    """The columns and texts whose value an expression may give: what a CASE, a filter or a comparison only asks is left out."""
    if isinstance(expression, exp.Column) or (isinstance(expression, exp.Literal) and expression.is_string):
        yield Value(expression, when)
        return
    if isinstance(expression, exp.Predicate | exp.Connector | exp.Not):
        return
    for inner, asked in _parts(expression):
        yield from values_in(inner, (*when, *asked))


def _parts(expression: exp.Expr) -> Iterator[tuple[exp.Expr, tuple[exp.Expr, ...]]]:
    if isinstance(expression, exp.Case):
        for branch in expression.args["ifs"]:
            yield branch.args["true"], tuple(_conjuncts(branch.this))
        if expression.args.get("default") is not None:
            yield expression.args["default"], ()
    elif isinstance(expression, exp.Filter):
        yield expression.this, tuple(_conjuncts(expression.expression.this))
    elif isinstance(expression, exp.Window):
        yield expression.this, ()
    elif isinstance(expression, exp.Subquery | exp.Select):
        yield from ((one, ()) for one in expression.selects)
    else:
        yield from ((one, ()) for one in expression.iter_expressions())
