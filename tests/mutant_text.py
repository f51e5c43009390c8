"""The text of a condition, a value or a definition's query with one thing changed.

A number moves by one in its last place, a day by a day, a unit becomes its neighbour, a comparison takes in or gives up its
bound, a NOT comes or goes, and each listed code, each operand of an AND or OR and each condition that stands alone is dropped.
"""

from __future__ import annotations

import datetime
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from decimal import Decimal

from sqlglot import Token, TokenType
from sqlglot.dialects.duckdb import DuckDB

OTHER_COMPARISON = {">": ">=", ">=": ">", "<": "<=", "<=": "<", "=": "<>", "<>": "=", "!=": "="}
OTHER_FUNCTION = {"years_after": "months_after", "months_after": "weeks_after", "weeks_after": "months_after"}
OTHER_INTERVAL = {"DAY": "WEEK", "WEEK": "DAY", "MONTH": "WEEK", "YEAR": "MONTH"}
CLOSING = {TokenType.L_PAREN: TokenType.R_PAREN, TokenType.CASE: TokenType.END}
BREAKS = frozenset(
    {
        *(TokenType.COMMA, TokenType.WHEN, TokenType.THEN, TokenType.ELSE, TokenType.ALIAS, TokenType.WITH, TokenType.SELECT),
        *(TokenType.FROM, TokenType.WHERE, TokenType.ON, TokenType.HAVING, TokenType.JOIN, TokenType.LEFT, TokenType.CROSS),
        *(TokenType.GROUP_BY, TokenType.ORDER_BY, TokenType.PARTITION_BY, TokenType.UNION, TokenType.LIMIT, TokenType.QUALIFY),
        *(TokenType.INTERSECT, TokenType.EXCEPT),
    }
)
ALONE = frozenset({TokenType.WHERE, TokenType.ON, TokenType.HAVING, TokenType.QUALIFY})
"""The words after which a condition that stands alone is dropped by writing TRUE."""

ALWAYS = datetime.date(1990, 1, 1)
FOR_EVER = datetime.date(2100, 1, 1)


@dataclass(frozen=True)
class Edit:
    """One change of a text: what stands from `start` to `end` becomes `instead`."""

    start: int
    end: int
    instead: str
    dropped: str | None = None

    def applied(self, text: str) -> str:
        """The text as it is after the change."""
        return text[: self.start] + self.instead + text[self.end :]

    def words(self, text: str) -> str:
        """What changes, with a little of what stands around it."""
        if self.dropped is not None:
            return f"dropped: {squeezed(self.dropped)}"
        around = DuckDB().tokenize(text)
        first = next(n for n, token in enumerate(around) if token.end >= self.start)
        last = next(n for n, token in reversed(list(enumerate(around))) if token.start < max(self.end, self.start + 1))
        start, end = around[_outwards(around, first - 3, -1)].start, around[_outwards(around, last + 3, 1)].end + 1
        changed = text[start : self.start] + self.instead + text[self.end : end]
        return f"{squeezed(text[start:end])} -> {squeezed(changed)}"


def _outwards(tokens: Sequence[Token], place: int, step: int) -> int:
    """The place, moved on until it does not part a column from its table."""
    place = min(max(place, 0), len(tokens) - 1)
    while 0 < place < len(tokens) - 1 and TokenType.DOT in (tokens[place].token_type, tokens[place + step].token_type):
        place += step
    return place


def squeezed(text: str) -> str:
    """The text on one line."""
    return " ".join(text.split())


def edits(text: str) -> Iterator[Edit]:
    """Every edit of the text, each giving another text."""
    tokens = DuckDB().tokenize(text)
    seen = {text}
    for edit in (*_of_tokens(text, tokens), *_without_operands(text, tokens)):
        if edit.applied(text) not in seen:
            seen.add(edit.applied(text))
            yield edit


# --- one token ----------------------------------------------------------------------------------------------------


def _of_tokens(text: str, tokens: Sequence[Token]) -> Iterator[Edit]:
    for place, token in enumerate(tokens):
        before = tokens[place - 1] if place else None
        after = tokens[place + 1] if place + 1 < len(tokens) else None
        for other in [] if _is_only_counted(tokens, place) else _instead(text, token, before):
            yield Edit(token.start, token.end + 1, other)
        if token.token_type is TokenType.NOT and after is not None:
            yield Edit(token.start, after.start, "")
        if token.token_type is TokenType.IS and after is not None and after.token_type is not TokenType.NOT:
            yield Edit(after.start, after.start, "NOT ")
        if token.token_type is TokenType.IN:
            yield from _without_listed(text, tokens, place)


def _is_only_counted(tokens: Sequence[Token], place: int) -> bool:
    """Whether the token is the 1 of `count(CASE WHEN … THEN 1 END)` or `EXISTS (SELECT 1 …)`, which any value could stand for."""
    if [one.text.upper() for one in tokens[max(0, place - 3) : place]] == ["EXISTS", "(", "SELECT"]:
        return tokens[place].token_type is TokenType.NUMBER
    if [one.token_type for one in tokens[place - 1 : place + 2]] != [TokenType.THEN, TokenType.NUMBER, TokenType.END]:
        return False
    opened = next((n for n in range(place, 1, -1) if _closed(tokens, n) == place + 1 and tokens[n].token_type in CLOSING), 0)
    return opened > 1 and tokens[opened - 2].text.lower() == "count"


def _instead(text: str, token: Token, before: Token | None) -> list[str]:
    if token.token_type is TokenType.NUMBER:
        return _numbers(token.text)
    if token.token_type is TokenType.STRING:
        is_day = before is not None and before.text.upper() == "DATE"
        return [f"'{day}'" for day in _days(token.text)] if is_day else []
    if token.text.upper() in OTHER_INTERVAL and before is not None and before.token_type is TokenType.NUMBER:
        return [OTHER_INTERVAL[token.text.upper()]]
    is_call = text[token.end + 1 : token.end + 2] == "("
    other = OTHER_FUNCTION.get(token.text) if is_call else OTHER_COMPARISON.get(token.text)
    return [other] if other else []


def _days(text: str) -> tuple[datetime.date, ...]:
    """The days beside a written day; one that stands for always or for ever has none."""
    day = datetime.date.fromisoformat(text)
    return neighbours(day) if ALWAYS < day < FOR_EVER else ()


def _numbers(text: str) -> list[str]:
    number = Decimal(text)
    step = Decimal(1).scaleb(int(number.as_tuple().exponent))
    return [str(number + by) for by in (step, -step) if number + by >= 0]


def neighbours(day: datetime.date) -> tuple[datetime.date, datetime.date]:
    """The day after and the day before."""
    return day + datetime.timedelta(1), day - datetime.timedelta(1)


def _without_listed(text: str, tokens: Sequence[Token], place: int) -> Iterator[Edit]:
    """An IN list without each of its values in turn."""
    if tokens[place + 1].token_type is not TokenType.L_PAREN:
        return
    stop = next(n for n in range(place + 2, len(tokens)) if tokens[n].token_type is TokenType.R_PAREN)
    values = [text[one.start : one.end + 1] for one in tokens[place + 2 : stop] if one.token_type is not TokenType.COMMA]
    for value in values if len(values) > 1 else []:
        kept = ", ".join(other for other in values if other != value)
        listed = text[tokens[place + 1].start : tokens[stop].end + 1]
        named = _outwards(tokens, place - (2 if tokens[place - 1].token_type is TokenType.NOT else 1), -1)
        column = text[tokens[named].start : tokens[place].start]
        yield Edit(tokens[place + 1].start, tokens[stop].end + 1, f"({kept})", f"{value} of {column} IN {listed}")


# --- operands -----------------------------------------------------------------------------------------------------


def _without_operands(text: str, tokens: Sequence[Token]) -> Iterator[Edit]:
    """The text without each operand of its ANDs and ORs in turn, at every depth of brackets, and without lone conditions."""
    for opened_by, region in _regions(tokens):
        alternatives = _split(region, TokenType.OR)
        yield from _without_one(text, alternatives)
        for one in alternatives:
            yield from _without_one(text, _split(one, TokenType.AND))
        if opened_by in ALONE and len(alternatives) == 1 and len(_split(region, TokenType.AND)) == 1:
            start, end = region[0].start, region[-1].end + 1
            yield Edit(start, end, "TRUE", text[start:end])


def _without_one(text: str, operands: Sequence[Sequence[Token]]) -> Iterator[Edit]:
    for place in range(len(operands) if len(operands) > 1 else 0):
        start, end = operands[place][0].start, operands[place][-1].end + 1
        words = text[start:end]
        if place == 0:
            yield Edit(start, operands[1][0].start, "", words)
        else:
            yield Edit(operands[place - 1][-1].end + 1, end, "", words)


def _regions(tokens: Sequence[Token], opened_by: TokenType | None = None) -> Iterator[tuple[TokenType | None, list[Token]]]:
    """The runs of tokens between brackets, commas and the words of a query or CASE, each with the word before it."""
    run: list[Token] = []
    place = 0
    while place < len(tokens):
        token = tokens[place]
        if token.token_type in CLOSING:
            stop = _closed(tokens, place)
            yield from _regions(tokens[place + 1 : stop])
            run += tokens[place : stop + 1]
            place = stop + 1
            continue
        if _breaks(tokens, place):
            if run:
                yield opened_by, run
            run, opened_by = [], token.token_type
        else:
            run.append(token)
        place += 1
    if run:
        yield opened_by, run


def _breaks(tokens: Sequence[Token], place: int) -> bool:
    """Whether a run ends here; the FROM of IS DISTINCT FROM ends none."""
    if tokens[place].token_type is TokenType.FROM and place and tokens[place - 1].token_type is TokenType.DISTINCT:
        return False
    return tokens[place].token_type in BREAKS


def _closed(tokens: Sequence[Token], place: int) -> int:
    """Where the bracket (or CASE) opened at that place is closed."""
    depth = 0
    for n in range(place, len(tokens)):
        if tokens[n].token_type in CLOSING:
            depth += 1
        elif tokens[n].token_type in CLOSING.values():
            depth -= 1
        if depth == 0:
            return n
    return len(tokens) - 1


def _split(region: Sequence[Token], by: TokenType) -> list[list[Token]]:
    """The operands of a run of tokens, split at AND or OR outside its brackets; the AND of a BETWEEN does not split."""
    parts: list[list[Token]] = [[]]
    depth, between = 0, 0
    for token in region:
        if token.token_type in CLOSING:
            depth += 1
        elif token.token_type in CLOSING.values():
            depth -= 1
        if depth == 0 and token.token_type is TokenType.BETWEEN:
            between += 1
        if depth == 0 and token.token_type is by:
            if by is TokenType.AND and between:
                between -= 1
            else:
                parts.append([])
                continue
        parts[-1].append(token)
    return parts if all(parts) else [list(region)]
