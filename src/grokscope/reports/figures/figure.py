"""What a figure is: a row of panels that wraps where the page is narrow, in our colours."""

import base64
import dataclasses
import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import altair as alt
import vl_convert

from grokscope import theme
from grokscope.config.arguments import plain_arguments
from grokscope.disk.atomic import utf8_bytes, write_bytes
from grokscope.errors import UsageError
from grokscope.theme import Palette

Number = float | int
VEGA_LITE: Final = ".".join(alt.SCHEMA_VERSION.split(".")[:2])
"""The version that Altair writes for, as vl-convert names it."""


def _config(palette: Palette) -> dict[str, Any]:
    ink, faint, grid = palette.ink, palette.faint, palette.grid
    return {
        "background": None,
        "font": theme.FONT,
        "padding": 4,
        "view": {"stroke": None},
        "title": {
            "color": ink,
            "fontSize": 12,
            "fontWeight": 600,
            "anchor": "start",
            "offset": 6,
            "subtitleColor": faint,
            "subtitleFontSize": 11,
        },
        "axis": {
            "labelColor": faint,
            "titleColor": faint,
            "gridColor": grid,
            "tickColor": faint,
            "domainColor": faint,
            "labelFontSize": 11,
            "titleFontSize": 11,
            "titleFontWeight": "normal",
            "titlePadding": 6,
            "labelOverlap": True,
            "labelSeparation": 6,
        },
        "legend": {
            "labelColor": ink,
            "titleColor": faint,
            "labelFontSize": 11,
            "titleFontSize": 11,
            "titleFontWeight": "normal",
            "orient": "top",
            "direction": "horizontal",
            "labelLimit": 0,
            "titleLimit": 0,
            "symbolBaseFillColor": ink,
        },
        "concat": {"spacing": 18},
        "range": {"category": list(palette.series)},
        "mark": {"color": palette.series[0]},
        "rule": {"color": faint},
        "text": {"color": ink, "fontSize": 10},
        "style": {"outline": {"stroke": faint, "strokeWidth": 0.5}},
    }


LIGHT: Final = _config(theme.LIGHT)
DARK: Final = _config(theme.DARK)
FILE: Final = LIGHT | {
    "background": theme.LIGHT.ground,
    "padding": 12,
    "font": theme.FILE_FONT.replace("'", ""),
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
    elif len(domain) <= len(theme.LIGHT.series):  # the page's own, lighter on dark
        channel = alt.Color(f"{field}:N", scale=alt.Scale(domain=list(domain)))
    else:
        shades = [theme.MORE_SERIES[i % len(theme.MORE_SERIES)] for i in range(len(domain))]
        channel = alt.Color(f"{field}:N", scale=alt.Scale(domain=list(domain), range=shades))
    lines = alt.Legend(symbolType="stroke", symbolStrokeWidth=2.5, symbolSize=300, columns=4)
    return channel.title(title).legend(lines)


def fraction_colour(field: str, fractions: Sequence[str]) -> alt.Color:
    """Return the colour channel of the fractions, the smallest the darkest."""
    step = (len(theme.SHADES) - 1) / max(1, len(fractions) - 1)
    shades = [theme.SHADES[round(i * step)] for i in range(len(fractions))]
    scale = alt.Scale(domain=list(fractions), range=shades)
    return alt.Color(field, title="r", scale=scale)


WIDTH: Final = 1040
"""Width of a figure in a file, in pixels; on a page the page decides."""


Panel = dict[str, Any]
"""Layers of Vega-Lite with a title, and the rows that they show under `datasets`."""


@dataclass(frozen=True)
class Layout:
    """How panels share a width; a page applies the same rules to its own width."""

    columns: int = 1
    """Panels side by side at most."""
    least: int = 300
    """Width under which panels go below each other instead, with their axis, in pixels."""
    axis: int = 66
    """What a panel's axis and gap take of its width."""
    square: bool = False
    """Whether panels are as high as wide."""
    most: int = WIDTH
    """Width that a panel does not pass, without its axis."""
    cells: int = 1
    """Cells per side of an image; where it costs little, each gets a whole number of pixels."""

    def fit(self, width: int, panels: int) -> tuple[int, int]:
        """Return the number of columns and the width of one panel's plot."""
        columns = max(1, min(self.columns, panels, width // self.least))
        size = min(self.most, width // columns - self.axis)
        whole = size // self.cells * self.cells
        return columns, whole if whole >= 0.75 * size else size


_MIME: Final = "application/vnd.vegalite.v5+json"
"""What JupyterLab, VS Code and marimo draw themselves; our charts are the same in version 6."""
_SCHEMA: Final = "https://vega.github.io/schema/vega-lite/v5.json"


@dataclass(frozen=True, repr=False)
class Figure:
    """One figure with its words; without a chart, `missing` says why."""

    name: str
    """Stem of the file."""
    title: str
    caption: str
    chart: dict[str, Any] | None = None
    """Vega-Lite, one panel per entry of `concat`."""
    layout: Layout = Layout()
    missing: str = ""
    first_step: int | None = None
    """Where the horizontal axis is training time, its first evaluation after the start."""

    def called(self, basis: str, only: Sequence[str] | None = None) -> "Figure":
        """Return the figure with the basis in its title, or as it is where `only` lacks it."""
        if only is not None and self.name not in only:
            return self
        return dataclasses.replace(self, title=f"{self.title}, {basis}")

    @property
    def spec(self) -> dict[str, Any]:
        """The whole Vega-Lite chart on a light ground, with its title.

        **Raises:** `UsageError` where there is nothing to show.
        """
        if self.chart is None:
            raise UsageError(f"{self.title}: there is nothing to draw", got=self.missing)
        title = {"text": self.title, "fontSize": 14, "offset": 14}
        return {**self.chart, "title": title, "config": FILE}

    def svg(self) -> str:
        """Return the figure as SVG; raises as `spec`."""
        return vl_convert.vegalite_to_svg(self.spec, vl_version=VEGA_LITE)

    def png(self, scale: float = 2.0) -> bytes:
        """Return the figure as PNG; raises as `spec`.

        **Arguments:** pixels per unit.
        """
        return vl_convert.svg_to_png(self.svg(), scale=scale)

    @plain_arguments
    def save(self, path: str | Path) -> Path:
        """Write it to a file and return its path.

        **Arguments:** a path that ends in `.svg`, `.png`, or `.html`, a page that needs no network.

        **Raises:** `UsageError` for another end, and as `spec`; `DiskError`.
        """
        path = Path(path)
        kinds: dict[str, Callable[[], bytes]] = {
            ".svg": lambda: utf8_bytes(self.svg()),
            ".png": self.png,
            ".html": lambda: utf8_bytes(
                vl_convert.vegalite_to_html(self.spec, vl_version=VEGA_LITE, bundle=True)
            ),
        }
        if path.suffix not in kinds:
            raise UsageError("no such format of figures", got=path.name, allowed=", ".join(kinds))
        write_bytes(path, kinds[path.suffix]())
        return path

    def _repr_mimebundle_(self, **_which: Any) -> dict[str, Any]:
        """Return it for a notebook: interactive where it can draw Vega-Lite, else as an image."""
        if self.chart is None:
            return {"text/plain": repr(self)}
        image = base64.b64encode(self.png()).decode()
        spec = self.spec | {"$schema": _SCHEMA}
        return {_MIME: spec, "image/png": image, "text/plain": repr(self)}

    def __repr__(self) -> str:
        return f"{self.title}. {self.missing or self.caption}"


def inline(rows: Sequence[dict[str, Any]]) -> alt.Chart:
    """Return a chart of rows; as a plain dictionary they are not checked one by one."""
    return alt.Chart({"values": list(rows)})


def layered(
    charts: Sequence[alt.Chart], title: str | dict[str, Any], height: int | None = None
) -> Panel:
    """Return charts on top of each other.

    They are joined as dictionaries: Altair's own `layer` and `concat` copy every part many times.
    """
    layers = [chart.to_dict() for chart in charts]
    datasets: dict[str, Any] = {}
    for layer in layers:
        datasets |= layer.pop("datasets", {})
        # The version is the page's own copy of Vega-Lite, the theme the page's.
        del layer["$schema"], layer["config"]
    panel: Panel = {"title": title, "layer": layers, "datasets": datasets}
    return panel if height is None else panel | {"height": height}


def assemble(panels: Sequence[Panel], layout: Layout, description: str) -> dict[str, Any]:
    """Return the panels as one Vega-Lite chart, laid out for a file.

    **Arguments:**

    - `panels`: in reading order.
    - `layout`: how they share the width.
    - `description`: what a screen reader says.
    """
    columns, width = layout.fit(WIDTH, len(panels))
    size = {"width": width} | ({"height": width} if layout.square else {})
    datasets = {name: rows for panel in panels for name, rows in panel["datasets"].items()}
    shown = [{key: panel[key] for key in panel if key != "datasets"} | size for panel in panels]
    return {
        "description": description,
        "columns": columns,
        "concat": shown,
        "datasets": datasets,
    }


def shorten(text: str, length: int = 44) -> str:
    """Return `text`, its end cut off where it is too long for the title of a panel."""
    return text if len(text) <= length else f"{text[: length - 1]}…"


def ticks(first: int, last: int, most: int) -> list[int]:
    """Return some `most` numbers from `first` to `last`, in steps of 1, 2 or 5 times 10ⁿ."""
    least = max(1.0, (last - first) / most)
    ten = 10 ** math.floor(math.log10(least))
    step = next(s * ten for s in (1, 2, 5, 10) if s * ten >= least)
    start = -(-first // step) * step
    return list(range(start, last + 1, step))


def significant(value: Number, digits: int = 4) -> float:
    """Return a number with as many digits as a figure can show."""
    return float(f"{value:.{digits}g}")
