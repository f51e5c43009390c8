"""What DuckDB's SQL becomes in other databases where sqlglot alone would not say it: days, truth values, steps within steps."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from sqlglot import exp

Step = tuple[str, exp.Expr]
"""A query that others rest on, by its name."""

_COMPARED = (exp.EQ, exp.NEQ, exp.GT, exp.GTE, exp.LT, exp.LTE, exp.Is, exp.In, exp.Between, exp.NullSafeEQ, exp.NullSafeNEQ)
_TRUTHS = (*_COMPARED, exp.And, exp.Or, exp.Not, exp.Exists, exp.Like)


def steps_of(query: exp.Expr) -> list[Step]:
    """The query's own steps, taken out of it."""
    given = query.args.pop("with_", None) or query.args.pop("with", None)
    return [] if given is None else [(each.alias, each.this) for each in given.expressions]


def flat(steps: Sequence[Step]) -> list[Step]:
    """The steps without steps of their own: those stand before them, each with the name of the one that it was in."""
    found: list[Step] = []
    for name, query in steps:
        inner = steps_of(query)
        renamed = {each: f"{name}__{each}" for each, _ in inner}
        for table in [table for each in (query, *(part for _, part in inner)) for table in each.find_all(exp.Table)]:
            if not table.db and table.name in renamed:
                _rename(table, renamed[table.name])
        found += [(renamed[each], part) for each, part in inner]
        found.append((name, query))
    return found


def _rename(table: exp.Table, name: str) -> None:
    if not table.alias:
        table.set("alias", exp.TableAlias(this=exp.to_identifier(table.name)))
    table.set("this", exp.to_identifier(name))


def lowered(tree: exp.Expr, dialect: str) -> exp.Expr:
    """The statement in words that the dialect's own database knows; the tree is changed."""
    if dialect == "duckdb":
        return tree
    for node in reversed(list(tree.find_all(exp.Round))):
        node.replace(_rounded(node.copy()))
    if dialect == "tsql":
        return _for_sql_server(tree)
    for interval in reversed(list(tree.find_all(exp.Interval))):
        interval.replace(_times_one(interval))
    return tree


def _for_sql_server(tree: exp.Expr) -> exp.Expr:
    _dates(tree)
    _aggregates(tree)
    for concat in list(tree.find_all(exp.ConcatWs)):
        if len(concat.expressions) == 2:  # two texts at least are joined there
            concat.replace(exp.Coalesce(this=concat.expressions[1].copy(), expressions=[exp.Literal.string("")]))
    for order in list(tree.find_all(exp.Order)):
        order.set("expressions", [each for one in order.expressions for each in _blanks_last(one)])
    for select in list(tree.find_all(exp.Select)):
        _truths_of(select)
    return tree


def _blanks_last(one: exp.Expr) -> Iterator[exp.Expr]:
    """What is ordered by, blanks after all else: SQL Server puts them first and has no word for it."""
    if isinstance(one, exp.Ordered) and not one.args.get("desc"):
        is_blank = exp.Case().when(exp.Is(this=one.this.copy(), expression=exp.Null()), exp.Literal.number(1))
        yield exp.Ordered(this=is_blank.else_(exp.Literal.number(0)), nulls_first=True)
        one.set("nulls_first", True)
    yield one


def _rounded(node: exp.Expr) -> exp.Expr:
    """To round to so many places a decimal is wanted, not a float."""
    node.set("this", exp.cast(node.this, "DECIMAL(28, 8)"))
    return exp.cast(node, "DOUBLE")


def _times_one(interval: exp.Interval) -> exp.Expr:
    """An interval of a number that is worked out: so many times one unit."""
    number = interval.this
    if isinstance(number.unnest(), exp.Literal):
        return interval.copy()
    one = exp.Interval(this=exp.Literal.string("1"), unit=interval.args["unit"].copy())
    return exp.Mul(this=exp.paren(number.copy()), expression=one)


# --- days in SQL Server --------------------------------------------------------------------------------------------


def _dates(tree: exp.Expr) -> None:
    """Days added to a date, or taken from it, become DATEADD; the innermost first."""
    for node in reversed(list(tree.find_all(exp.Add, exp.Sub))):
        amount = _amount(node.expression) or _days(node)
        if amount is None:
            continue
        number, unit = amount
        if isinstance(node, exp.Sub):
            number = exp.Neg(this=exp.paren(number))
        node.replace(exp.func("DATEADD", exp.var(unit), number, node.this.copy(), dialect="tsql"))


def _amount(added: exp.Expr) -> tuple[exp.Expr, str] | None:
    """How many of which unit an interval is, alone or times a number; None where it is none."""
    interval = added.expression.unnest() if isinstance(added, exp.Mul) else added.unnest()
    if not isinstance(interval, exp.Interval):
        return None
    said = interval.this.unnest()
    number = exp.Literal.number(said.name) if isinstance(said, exp.Literal) else said.copy()
    if isinstance(added, exp.Mul):
        number = exp.Mul(this=added.this.copy(), expression=number)
    return number, interval.args["unit"].name.upper()


def _days(node: exp.Expr) -> tuple[exp.Expr, str] | None:
    """A number of days added to what is a date by its looks."""
    is_date = isinstance(node.this, exp.Cast) and node.this.to.this == exp.DataType.Type.DATE
    return (node.expression.copy(), "DAY") if is_date and isinstance(node.expression.unnest(), exp.Literal) else None


def _aggregates(tree: exp.Expr) -> None:
    """Aggregates over some rows, or of truth values, become aggregates of cases."""
    for some in list(tree.find_all(exp.Filter)):
        counted, where = some.this, some.expression.this
        whole = exp.Literal.number(1) if isinstance(counted.this, exp.Star) else counted.this
        counted.set("this", exp.Case().when(where.copy(), whole.copy()))
        some.replace(counted.copy())
    for count in list(tree.find_all(exp.CountIf)):
        count.replace(exp.Count(this=exp.Case().when(count.this.copy(), exp.Literal.number(1)), big_int=True))
    for truth in list(tree.find_all(exp.LogicalOr, exp.LogicalAnd)):
        made = exp.Max if isinstance(truth, exp.LogicalOr) else exp.Min
        truth.replace(made(this=truth.this.copy()))


# --- truth values in SQL Server, which has bits and conditions, and no type for both --------------------------------


def _truths_of(select: exp.Select) -> None:
    for where in ("where", "having", "qualify"):
        if clause := select.args.get(where):
            clause.set("this", _condition(clause.this))
    for join in select.args.get("joins") or ():
        if join.args.get("on"):
            join.set("on", _condition(join.args["on"]))
    select.set("expressions", [_bit(each) for each in select.expressions])
    for clause in (select.args.get("group"), select.args.get("order")):
        if clause is not None:
            clause.set("expressions", [_bit(each) for each in clause.expressions])


def _condition(node: exp.Expr) -> exp.Expr:
    """The expression where a condition stands."""
    if isinstance(node, exp.Paren):
        return exp.paren(_condition(node.this))
    if isinstance(node, exp.And | exp.Or):
        return node.__class__(this=_condition(node.this), expression=_condition(node.expression))
    if isinstance(node, exp.Not):
        return exp.Not(this=exp.paren(_condition(node.this)))
    if isinstance(node, exp.Boolean):
        return exp.EQ(this=exp.Literal.number(1), expression=exp.Literal.number(int(bool(node.this))))
    if isinstance(node, exp.Is) and isinstance(node.expression, exp.Boolean):
        wanted = int(bool(node.expression.this))
        known = exp.Coalesce(this=_bit(node.this), expressions=[exp.Literal.number(1 - wanted)])
        return exp.EQ(this=known, expression=exp.Literal.number(wanted))
    if isinstance(node, _TRUTHS):
        return _with_bits(node)
    return exp.EQ(this=_bit(node), expression=exp.Literal.number(1))


def _bit(node: exp.Expr) -> exp.Expr:
    """The expression where a value stands: a condition becomes a bit, unknown where it is unknown."""
    inner = node.unnest()
    if isinstance(inner, exp.Boolean):
        return exp.Literal.number(int(bool(inner.this)))
    if isinstance(inner, _TRUTHS):
        case = exp.Case().when(_condition(inner), exp.Literal.number(1))
        return case.when(exp.Not(this=exp.paren(_condition(inner.copy()))), exp.Literal.number(0))
    if isinstance(node, exp.Query | exp.Subquery):
        return node
    if isinstance(node, exp.Case):
        return _case(node)
    return _with_bits(node)


def _case(node: exp.Case) -> exp.Case:
    on, default = node.args.get("this"), node.args.get("default")
    asked = _bit if on is not None else _condition
    ifs = [exp.If(this=asked(each.this), true=_bit(each.args["true"])) for each in node.args["ifs"]]
    return exp.Case(this=None if on is None else _bit(on), ifs=ifs, default=None if default is None else _bit(default))


def _with_bits(node: exp.Expr) -> exp.Expr:
    """The node with values in all the places of its parts."""
    for key, part in list(_parts(node)):
        node.set(key, [_bit(each) for each in part] if isinstance(part, list) else _bit(part))
    return node


def _parts(node: exp.Expr) -> Iterator[tuple[str, exp.Expr | list[exp.Expr]]]:
    for key, part in node.args.items():
        if isinstance(part, exp.Expr) or (isinstance(part, list) and part and all(isinstance(each, exp.Expr) for each in part)):
            yield key, part
