"""The line of a few numbers as SVG, so small that a chart library's would be ten times as long. Words beside it say the same."""

from __future__ import annotations

from collections.abc import Sequence

from markupsafe import Markup

WIDTH, HEIGHT, MARGIN = 80, 20, 3
LINE = Markup(
    f'<svg class="spark" viewBox="0 0 {WIDTH} {HEIGHT}" width="{WIDTH}" height="{HEIGHT}" aria-hidden="true" focusable="false">'
    '<path class="line" d="{}"/><circle class="point" cx="{}" cy="{}" r="2.5"/></svg>'
)


def line(values: Sequence[float], lowest: float, highest: float) -> Markup:
    """A line through the values, with a point at the last."""
    step = (WIDTH - 2 * MARGIN) / max(len(values) - 1, 1)
    span = (highest - lowest) or 1
    reach = HEIGHT - 2 * MARGIN
    points = [
        (f"{MARGIN + step * place:.3g}", f"{HEIGHT - MARGIN - reach * (value - lowest) / span:.3g}")
        for place, value in enumerate(values)
    ]
    return LINE.format("M" + "L".join(f"{x} {y}" for x, y in points), *points[-1])
