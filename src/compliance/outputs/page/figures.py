"""Small pictures as SVG: a bar with its target and comparator, a line of scores. Words beside them say the same."""

from __future__ import annotations

from collections.abc import Sequence

from markupsafe import Markup

WIDTH, HEIGHT = 220, 22


def bar(value: float, target: float | None, england: float | None, scale: float) -> Markup:
    """A bar as long as the value, a line at the target and a diamond at England."""
    parts = [Markup('<rect class="track" x="0" y="6" width="{}" height="10"/>').format(WIDTH)]
    parts.append(Markup('<rect class="value" x="0" y="6" width="{}" height="10"/>').format(_x(value, scale)))
    if target is not None:
        at = _x(target, scale)
        parts.append(Markup('<path class="target" d="M{} 1V21"/>').format(at))
    if england is not None:
        at = _x(england, scale)
        parts.append(Markup('<path class="england" d="M{} 4L{} 11L{} 18L{} 11Z"/>').format(at, _one(at + 5), at, _one(at - 5)))
    return _svg("bar", WIDTH, HEIGHT, parts)


def line(values: Sequence[float], lowest: float, highest: float) -> Markup:
    """A line through the values, with a point at the last."""
    wide, high = 80, 20
    step = (wide - 6) / max(len(values) - 1, 1)
    span = (highest - lowest) or 1
    points = [
        (_one(3 + step * place), _one(high - 3 - (high - 6) * (value - lowest) / span)) for place, value in enumerate(values)
    ]
    path = "M" + "L".join(f"{x} {y}" for x, y in points)
    last = points[-1]
    parts = [Markup('<path class="line" d="{}"/>').format(path)]
    parts.append(Markup('<circle class="point" cx="{}" cy="{}" r="2.5"/>').format(*last))
    return _svg("spark", wide, high, parts)


def _svg(kind: str, width: int, height: int, parts: Sequence[Markup]) -> Markup:
    head = Markup('<svg class="{}" viewBox="0 0 {} {}" width="{}" height="{}" aria-hidden="true" focusable="false">')
    return head.format(kind, width, height, width, height) + Markup("").join(parts) + Markup("</svg>")


def _x(value: float, scale: float) -> float:
    return _one(WIDTH * min(max(value / scale, 0.0), 1.0)) if scale else 0.0


def _one(number: float) -> float:
    return round(number, 1)
