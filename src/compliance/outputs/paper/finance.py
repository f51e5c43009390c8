"""The money of the improvement programme, as the report sets it out: the allocation, the streams of funding, and the spend."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from compliance.outputs.paper.blocks import Block, Sentences, Table
from compliance.outputs.wording import day
from compliance.run import Run

Line = tuple[str, dict[str, float]]


def finance(run: Run) -> Iterator[Block]:
    """The tables of allocation and funding by year in thousands of pounds, and the spend in a sentence."""
    allocation, funding = _lines(run, "allocation"), _lines(run, "funding")
    years = sorted({year for _, amounts in [*allocation, *funding] for year in amounts})
    if not years:
        yield Sentences("No budget is on record.")
        return
    if allocation:
        yield _table("Current allocation, £000", "Cost", allocation, years)
    if funding:
        yield _table("Funding streams, £000", "Stream", funding, years)
    yield from _spent(run)
    bids = sum(amount for _, amounts in _lines(run, "bid") for amount in amounts.values())
    if bids:
        yield Sentences(f"Further bids of about {_thousands(bids)} have been made.")


def _rows(run: Run, sql: str, values: Sequence[Any]) -> list[tuple[Any, ...]]:
    return run.evaluation.connection.execute(sql, list(values)).fetchall()


def _lines(run: Run, kind: str) -> list[Line]:
    """The lines of a kind in the order of the data, each with its amount by year."""
    rows = _rows(
        run,
        "SELECT coalesce(budget_line, 'not said'), financial_year, sum(amount) FROM known.budget_entries WHERE entry_kind = ?"
        " GROUP BY ALL ORDER BY min(row_ref)",
        [kind],
    )
    lines: dict[str, dict[str, float]] = {}
    for line, year, amount in rows:
        lines.setdefault(line, {})[year] = float(amount)
    return list(lines.items())


def _table(caption: str, first: str, lines: Sequence[Line], years: Sequence[str]) -> Table:
    total: Line = ("TOTAL", {year: sum(amounts.get(year, 0.0) for _, amounts in lines) for year in years})
    rows = tuple(_row(line, years) for line in [*lines, total])
    numbers = frozenset(range(1, len(years) + 2))
    return Table(caption, (first, *years, "Total"), (4, *[2] * len(years), 2), rows, numbers, has_total=True)


def _row(line: Line, years: Sequence[str]) -> tuple[str, ...]:
    name, amounts = line
    cells = [f"{amounts[year] / 1000:,.0f}" if amounts.get(year) else "-" for year in years]
    return (name, *cells, f"{sum(amounts.values()) / 1000:,.0f}")


def _spent(run: Run) -> Iterator[Sentences]:
    rows = _rows(
        run,
        "SELECT coalesce(budget_line, 'not said'), sum(amount), max(entry_date) FROM known.budget_entries"
        " WHERE entry_kind IN ('spend', 'commitment') GROUP BY ALL ORDER BY min(row_ref)",
        [],
    )
    if not rows:
        return
    last = max((each for _, _, each in rows if each), default=None)
    total = sum(float(amount) for _, amount, _ in rows)
    parts = [f"{_thousands(amount)} {name}" for name, amount, _ in rows]
    until = f" to {day(last)}" if last else ""
    listed = ", ".join(parts[:-1]) + (f" and {parts[-1]}" if len(parts) > 1 else parts[0])
    yield Sentences(f"Spend and commitments{until} were {_thousands(total)}, of which {listed}.")


def _thousands(amount: float) -> str:
    return f"£{float(amount) / 1000:,.0f}k"
