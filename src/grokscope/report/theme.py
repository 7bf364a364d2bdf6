"""Colours and sizes of all figures, for light and dark pages."""

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
