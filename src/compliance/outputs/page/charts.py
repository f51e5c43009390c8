"""Charts drawn by Altair and made SVG by vl-convert as the page is written: nothing of them runs in the reader's browser."""

from __future__ import annotations

import json
import re
import textwrap
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from lxml import etree  # type: ignore[import-untyped]
from markupsafe import Markup

from compliance.register.trend import Series
from compliance.register.xmr import Chart

WIDTH, HEIGHT = 320, 120
BAR_WIDTH, LETTER, TITLE_LETTERS = 380, 12, 46
INK, DIM, RULE, VALUE, MARK, PAPER = "#1b1f24", "#4d5662", "#c9d0d8", "#3b6ea5", "#8a3b00", "#ffffff"
"""The page's style gives these other values in the dark and on paper."""
CLEAR = "transparent"
TAGS = frozenset({"svg", "g", "path", "line", "rect", "text", "tspan"})
PLACES = frozenset({"d", "transform", "x", "y", "x2", "y2", "dy", "width", "height", "viewBox", "text-anchor"})
LOOKS = frozenset({"fill", "stroke", "stroke-width", "stroke-dasharray", "font-size", "font-weight"})
"""What is kept of vl-convert's SVG: no style, role or label; the page's policy refuses the first, its words say the rest."""
NUMBER = re.compile(r"-?\d+\.\d+(?:e-?\d+)?")
SVG = "{http://www.w3.org/2000/svg}"


@dataclass(frozen=True)
class Compared:
    """A share with what it is set beside."""

    title: str
    value: float
    target: float | None
    england: float | None
    words: str


def xmr(series: Series, limits: Chart) -> Markup:
    """The values of a series with their mean, natural limits, and the points that make a signal."""
    import altair as alt

    signalled = {place for one in limits.signals for place in one.points}
    points = [
        {"day": point.day.isoformat(), "value": point.value, "signal": place in signalled}
        for place, point in enumerate(series.points)
    ]
    x = alt.X("day:T", title=None, axis=alt.Axis(format="%b %Y", tickCount=4, grid=False, labelAngle=0))
    y = alt.Y("value:Q", title=None, scale=alt.Scale(domain=_domain(series, limits), nice=False), axis=alt.Axis(tickCount=4))
    base = alt.Chart(_data(points)).encode(x=x, y=y)
    rules = [{"value": limits.mean, "limit": False}, *({"value": one, "limit": True} for one in (limits.lower, limits.upper))]
    across = alt.Chart(_data(rules)).encode(y=y)
    layers = alt.layer(
        across.transform_filter("!datum.limit").mark_rule(color=DIM),
        across.transform_filter("datum.limit").mark_rule(color=MARK, strokeDash=[5, 3]),
        base.mark_line(color=VALUE),
        base.transform_filter("!datum.signal").mark_point(filled=True, color=VALUE, size=22, opacity=1),
        base.transform_filter("datum.signal").mark_point(filled=True, color=MARK, size=40, opacity=1, shape="diamond"),
    )
    return _drawn(layers.properties(width=WIDTH, height=HEIGHT))


def _domain(series: Series, limits: Chart) -> list[float]:
    """From below the lowest to above the highest of values and limits, so that no line lies on the edge."""
    known = [*series.values, limits.lower, limits.upper]
    margin = 0.08 * (max(known) - min(known)) or 1.0
    return [min(known) - margin, max(known) + margin]


def bars(rows: Sequence[Compared]) -> Markup:
    """A bar a share, with a line at its target and a diamond at England; long titles take several lines."""
    import altair as alt

    values, height = _placed(rows)
    placed = alt.Chart(_data(values))
    x = alt.Scale(domain=[0, 100])
    y = alt.Scale(domain=[0, height], range=[0, height], nice=False)

    def at(field: str, down: str) -> dict[str, Any]:
        return {"x": alt.X(f"{field}:Q", scale=x, axis=None), "y": alt.Y(f"{down}:Q", scale=y, axis=None)}

    words: dict[str, Any] = {"baseline": "top", "fontSize": LETTER, "color": INK}
    layers = alt.layer(
        placed.mark_text(align="left", lineBreak="\n", **words).encode(**at("none", "top"), text="title:N"),
        placed.mark_text(align="right", fontWeight="bold", **words).encode(**at("full", "top"), text="words:N"),
        placed.mark_rule(color=RULE, strokeWidth=10).encode(**at("none", "middle"), x2="full:Q"),
        placed.mark_rule(color=VALUE, strokeWidth=10).encode(**at("none", "middle"), x2="value:Q"),
        placed.transform_filter("isValid(datum.target)")
        .mark_tick(color=INK, thickness=3, size=18, orient="vertical")
        .encode(**at("target", "middle")),
        placed.transform_filter("isValid(datum.england)")
        .mark_point(shape="diamond", size=75, color=MARK, fill=PAPER, strokeWidth=2, opacity=1)
        .encode(**at("england", "middle")),
    )
    return _drawn(layers.properties(width=BAR_WIDTH, height=height))


def _placed(rows: Sequence[Compared]) -> tuple[list[dict[str, Any]], int]:
    """The rows one below the other, and the height of them all."""
    values, top = [], 0
    for one in rows:
        lines = textwrap.wrap(one.title, TITLE_LETTERS)
        middle = top + (LETTER + 2) * len(lines) + 7
        values.append(
            {
                "title": "\n".join(lines),
                "words": one.words,
                "value": one.value,
                "target": one.target,
                "england": one.england,
                "none": 0,
                "full": 100,
                "top": top,
                "middle": middle,
            }
        )
        top = middle + 18
    return values, top


def _data(rows: Sequence[Mapping[str, Any]]) -> Any:
    """The rows as they are: no data frame is made of them."""
    import altair as alt

    return alt.InlineData(values=[dict(row) for row in rows])


def _drawn(chart: Any) -> Markup:
    """The chart as SVG that holds nothing but shapes and text."""
    import vl_convert

    configured = chart.configure(background=CLEAR, padding=4, font="sans-serif").configure_view(stroke=None)
    configured = configured.configure_axis(
        domainColor=RULE, tickColor=RULE, gridColor=RULE, gridOpacity=1, gridWidth=0.5, labelColor=DIM, labelFontSize=11
    )
    drawn = vl_convert.vegalite_to_svg(json.dumps(configured.to_dict()))
    return cleaned(drawn)


def cleaned(drawn: str) -> Markup:
    """The SVG with only known shapes and properties, numbers to a tenth, hidden from screen readers."""
    root = etree.fromstring(drawn.encode(), etree.XMLParser(resolve_entities=False, no_network=True))
    for each in list(root.iter()):
        _clean(each)
    for each in reversed(list(root.iter(f"{SVG}g"))):
        _unwrap(each)
    root.set("class", "chart")
    root.set("aria-hidden", "true")
    root.set("focusable", "false")
    text = etree.tostring(root, encoding="unicode")
    return Markup(re.sub(r' xmlns(:\w+)?="[^"]*"', "", text))


def _clean(each: Any) -> None:
    """Takes away an element that shows nothing, and of others what is not known."""
    tag = str(each.tag).removeprefix(SVG)
    if tag not in TAGS or _is_frame(each):
        each.getparent().remove(each)
        return
    for name, value in each.attrib.items():
        if name not in PLACES | LOOKS:
            del each.attrib[name]
        else:
            each.set(name, NUMBER.sub(_tenth, value))


def _is_frame(each: Any) -> bool:
    return each.get("class") in ("background", "foreground") or each.get("fill") == CLEAR


def _tenth(number: re.Match[str]) -> str:
    return f"{round(float(number[0]), 1):g}"


def _unwrap(group: Any) -> None:
    """Puts the members of a group that says nothing in its place, and drops an empty one."""
    parent = group.getparent()
    if len(group) and group.attrib:
        return
    for member in group:
        group.addprevious(member)
    parent.remove(group)
