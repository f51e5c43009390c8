"""The measures as the page shows them: beside target and England, and over time with natural limits."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from markupsafe import Markup

from compliance.outputs.disclosure import is_small
from compliance.outputs.indicators import INDICATORS
from compliance.outputs.page.figures import line
from compliance.outputs.wording import (
    body_of,
    comparator,
    compared,
    fraction_words,
    hidden,
    months_of,
    number_words,
    spoken,
    value_words,
)
from compliance.register.register import MeasureValue
from compliance.register.trend import Series
from compliance.register.xmr import Chart

if TYPE_CHECKING:
    from compliance.outputs.published import Published

MOST_CHARTS = 12
ARROWS = {"better": "✓", "worse": "✗", "level": "="}


def table(published: Published) -> list[dict[str, Any]]:
    """The council's measures, those with a target or an England figure first."""
    council = [one for one in published.measures if one.scope_type == "authority"]
    rows = [_row(one, published) for one in council]
    return sorted(rows, key=lambda row: (not row["compared"], row["theme"], row["id"]))


def _row(one: MeasureValue, published: Published) -> dict[str, Any]:
    england = comparator(one, "england", published.run.as_of)
    covered = hidden(one, public=published.public)
    series = published.series_of(one.rule.id, one.authority)
    return {
        "id": one.rule.id,
        "title": one.rule.title,
        "theme": spoken(one.rule.theme),
        "value": value_words(one, public=published.public),
        "fraction": fraction_words(one, public=published.public),
        "target": "" if one.target is None else f"{one.target:,g}",
        "met": "" if covered else compared(one, one.target),
        "england": f"{england.value:,g} ({england.date.year})" if england else "",
        "beside": "" if covered or not england else _beside(one, england.value),
        "lower": body_of(one).better == "lower",
        "trend": _trend(series, published) if series and not covered else None,
        "compared": bool(england) or one.target is not None,
    }


def _beside(one: MeasureValue, england: float) -> str:
    return {"met": "✓ as good or better", "not met": "✗ not as good"}.get(compared(one, england), "")


def _trend(series: Series, published: Published) -> dict[str, Any] | None:
    if not may_be_shown(series, public=published.public) or series.is_small or len(series.values) < 2:
        return None
    values = series.values
    return {"line": line(values, min(values), max(values)), "word": series.direction, "glyph": ARROWS[series.direction]}


def may_be_shown(series: Series, *, public: bool) -> bool:
    """Whether a series may be given: in publication none with small numbers of people."""
    if not public or series.unit not in ("percent", "count", "ratio"):
        return True
    return not any(is_small(point.numerator, point.denominator) for point in series.points)


def timeliness(published: Published) -> list[Markup]:
    """The shares that have a target or an England figure, higher being better, as bars in two columns."""
    from compliance.outputs.page.charts import Compared, bars

    rows = [
        Compared(one.rule.title, one.value, one.target, england.value if england else None, _marked(one, published))
        for one in published.measures
        for england in [comparator(one, "england", published.run.as_of)]
        if _is_share(one, published) and one.value is not None and (england or one.target is not None)
    ]
    half = (len(rows) + 1) // 2
    return [bars(part) for part in (rows[:half], rows[half:]) if part]


def _is_share(one: MeasureValue, published: Published) -> bool:
    body = body_of(one)
    shown = one.scope_type == "authority" and not hidden(one, public=published.public)
    return shown and body.unit == "percent" and body.better == "higher"


def _marked(one: MeasureValue, published: Published) -> str:
    """The value, and whether it is on the right side of the target, or of England where there is no target."""
    england = comparator(one, "england", published.run.as_of)
    beside = one.target if one.target is not None else england.value if england else None
    mark = {"met": " ✓", "not met": " ✗"}.get(compared(one, beside), "")
    return value_words(one, public=published.public) + mark


def charts(published: Published) -> list[dict[str, Any]]:
    """The XmR charts: the measures that are asked for first, then those with most signals; twelve at most."""
    from compliance.outputs.page.charts import xmr

    drawable = [
        (one, limits)
        for one in published.series
        for limits in [one.chart()]
        if one.rule.kind == "measure" and limits and may_be_shown(one, public=published.public)
    ]
    wanted = sorted(drawable, key=lambda each: _place(*each))[:MOST_CHARTS]
    return [{"picture": xmr(series, limits), **said(series, limits)} for series, limits in wanted]


def _place(series: Series, limits: Chart) -> tuple[int, int, str, str]:
    name = series.rule.id
    first = INDICATORS.index(name) if name in INDICATORS else len(INDICATORS)
    return first, -len(limits.signals), name, series.authority


def said(series: Series, limits: Chart) -> dict[str, Any]:
    """What a chart shows, in words."""
    last, first = series.points[-1], series.points[0]
    fraction = f" ({number_words(last.numerator)} of {number_words(last.denominator)})" if series.unit != "count" else ""
    return {
        "id": series.rule.id,
        "title": series.rule.title,
        "lower": series.better == "lower",
        "now": value_of(last.value, series) + fraction,
        "then": f"{value_of(first.value, series)} in {first.day:%b %Y}",
        "word": series.direction,
        "glyph": ARROWS[series.direction],
        "limits": _limits(limits, series),
        "provisional": len(series.points) if limits.provisional else 0,
        "signals": [f"{one.words}: {months_of([each.day for each in series.points], one.points)}" for one in limits.signals],
    }


def _limits(limits: Chart, series: Series) -> str:
    mean, lower, upper = (value_of(one, series) for one in (limits.mean, limits.lower, limits.upper))
    return f"mean {mean}, natural limits {lower} to {upper}"


def value_of(value: float | None, series: Series) -> str:
    """A value of a series in its unit."""
    if value is None:
        return "nothing to measure"
    match series.unit:
        case "percent":
            return f"{value:.1f}%"
        case "pounds":
            return f"£{value:,.0f}"
        case _:
            return f"{value:,.1f}".removesuffix(".0")


