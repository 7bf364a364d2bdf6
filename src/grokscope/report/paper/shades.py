"""Colours of training fractions: shades in order, readable on light and dark pages."""

from collections.abc import Sequence
from typing import Final

import altair as alt

_SHADES: Final = ("#5b3f95", "#44639f", "#2f7f8e", "#21988a", "#37b077", "#72c452", "#b3bd2c")


def fraction_colour(field: str, fractions: Sequence[str]) -> alt.Color:
    """Return the colour channel of the fractions, the smallest the darkest."""
    step = (len(_SHADES) - 1) / max(1, len(fractions) - 1)
    shades = [_SHADES[round(i * step)] for i in range(len(fractions))]
    scale = alt.Scale(domain=list(fractions), range=shades)
    return alt.Color(field, title="r", scale=scale)
