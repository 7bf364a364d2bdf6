"""Colours and sizes of all figures, for light and dark pages."""

from collections.abc import Sequence
from typing import Any, Final

import altair as alt

VEGA_LITE: Final = ".".join(alt.SCHEMA_VERSION.split(".")[:2])
"""The version that Altair writes for, as vl-convert names it."""
FONT: Final = "system-ui, 'Segoe UI', 'Liberation Sans', 'DejaVu Sans', sans-serif"

# Colours of Okabe and Ito, which colour-blind eyes tell apart; on dark the lighter ones.
_LIGHT: Final = {
    "ink": "#1f2328",
    "faint": "#59636e",
    "grid": "#e4e7eb",
    "series": ["#0072b2", "#d55e00", "#009e73", "#cc79a7"],
}
_DARK: Final = {
    "ink": "#e6edf3",
    "faint": "#9da7b3",
    "grid": "#2d333b",
    "series": ["#56b4e9", "#e69f00", "#2fc79a", "#e59fc6"],
}

_MORE: Final = ("#0072b2", "#d55e00", "#009e73", "#cc79a7", "#56b4e9", "#b8860b", "#7f7f7f")
"""Of many curves, on light and dark pages alike."""
_SHADES: Final = ("#5b3f95", "#44639f", "#2f7f8e", "#21988a", "#37b077", "#72c452", "#b3bd2c")
"""Of numbers in order, on light and dark pages alike."""


def _config(colours: dict[str, Any]) -> dict[str, Any]:
    ink, faint, grid = colours["ink"], colours["faint"], colours["grid"]
    return {
        "background": None,
        "font": FONT,
        "padding": 4,
        "view": {"stroke": None},
        "title": {"color": ink, "fontSize": 12, "fontWeight": 600, "anchor": "start", "offset": 6,
                  "subtitleColor": faint, "subtitleFontSize": 11},
        "axis": {
            "labelColor": faint, "titleColor": faint, "gridColor": grid, "tickColor": faint,
            "domainColor": faint, "labelFontSize": 11, "titleFontSize": 11,
            "titleFontWeight": "normal", "titlePadding": 6, "labelOverlap": True,
        },
        "legend": {
            "labelColor": ink, "titleColor": faint, "labelFontSize": 11, "titleFontSize": 11,
            "titleFontWeight": "normal", "orient": "top", "direction": "horizontal",
            "labelLimit": 0, "titleLimit": 0,
        },
        "concat": {"spacing": 18},
        "range": {"category": colours["series"]},
        "rule": {"color": faint},
        "text": {"color": ink, "fontSize": 10},
        "style": {"outline": {"stroke": faint, "strokeWidth": 0.5}},
    }  # fmt: skip


LIGHT: Final = _config(_LIGHT)
DARK: Final = _config(_DARK)
FILE: Final = LIGHT | {
    "background": "#ffffff",
    "padding": 12,
    "font": "Liberation Sans, Arial, DejaVu Sans, sans-serif",
}
"""For figures in files, which have a ground of their own."""


def colours(field: str, domain: Sequence[str], title: str | None, ordered: bool) -> alt.Color:
    """Return the colour channel of some curves.

    **Arguments:**

    - `field`: the column.
    - `domain`: its values, in the order of the legend.
    - `title`: of the legend.
    - `ordered`: whether the values are numbers, which get shades in order.
    """
    if ordered:
        channel = fraction_colour(f"{field}:N", domain)
    else:
        shades = [_MORE[i % len(_MORE)] for i in range(len(domain))]
        channel = alt.Color(f"{field}:N", scale=alt.Scale(domain=list(domain), range=shades))
    lines = alt.Legend(symbolType="stroke", symbolStrokeWidth=2.5, symbolSize=300,
                       columns=4)  # fmt: skip
    return channel.title(title).legend(lines)


def fraction_colour(field: str, fractions: Sequence[str]) -> alt.Color:
    """Return the colour channel of the fractions, the smallest the darkest."""
    step = (len(_SHADES) - 1) / max(1, len(fractions) - 1)
    shades = [_SHADES[round(i * step)] for i in range(len(fractions))]
    scale = alt.Scale(domain=list(fractions), range=shades)
    return alt.Color(field, title="r", scale=scale)
