"""Every figure of a report as a file of its own."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any, Final

import vl_convert

from grokscope.errors import UsageError
from grokscope.numerics import computing
from grokscope.progress import doing, showing
from grokscope.report.compared import Comparison
from grokscope.report.comparison import DETAILED, figures
from grokscope.report.explained import read_explanations
from grokscope.report.figures import (
    Figure,
    explanation_figures,
    network_figures,
    over_time,
    read_network,
)
from grokscope.report.record import RunRecord, read_runs
from grokscope.report.theme import FILE, VEGA_LITE
from grokscope.runs.atomic import utf8, write_bytes
from grokscope.runs.names import slug
from grokscope.runs.selection import paths_of
from grokscope.settings.arguments import plain_arguments

FORMATS: Final = ("svg", "png")
SCALE: Final = 2.0


@plain_arguments
@showing()
def write_figures(runs: Any, directory: str | Path, formats: Sequence[str] = FORMATS) -> list[Path]:
    """Write every figure of a report into files, on a light ground.

    **Arguments:**

    - `runs`: as for `write_report`.
    - `directory`: where to; it is made when missing.
    - `formats`: `svg`, `png` or both.

    **Returns:** the files, in the order of the report; a figure that has nothing to show has none.

    **Raises:** `UsageError` for another format and as `write_report`; `DiskError`.
    """
    doing("drawing the figures")
    for name in formats:
        if name not in FORMATS:
            raise UsageError("no such format of figures", got=name, allowed=", ".join(FORMATS))
    records = read_runs(paths_of(runs))
    return [
        path
        for name, figure in _named(records)
        if figure.chart is not None
        for path in write_figure(Path(directory) / name, figure, formats)
    ]


@computing()
def _named(records: Sequence[RunRecord]) -> list[tuple[str, Figure]]:
    """Return all figures with the stems of their files."""
    common = over_time(records) if len(records) == 1 else figures(Comparison(records))
    named = [(f"{i}-{figure.name}", figure) for i, figure in enumerate(common, 1)]
    if len(records) > DETAILED:
        return named
    for number, record in enumerate(records, 1):
        own = f"-{number}-{slug(record.operation)}" if len(records) > 1 else ""
        network = read_network(record)
        explained = read_explanations(record)
        drawn = network_figures(record, network, len(records), explained)
        for found in explained:
            drawn += explanation_figures(record, network, found)
        first = len(common) + 1
        named += [(f"{i}-{figure.name}{own}", figure) for i, figure in enumerate(drawn, first)]
    return named


def write_figure(
    stem: Path, figure: Figure, formats: Sequence[str] = FORMATS, scale: float = SCALE
) -> list[Path]:
    """Write one figure that has a chart to STEM.svg, STEM.png or both; raises `DiskError`.

    **Arguments:** the path without its end; the figure; `FORMATS`; pixels of a PNG per unit.
    """
    title = {"text": figure.title, "fontSize": 14, "offset": 14}
    chart = {**(figure.chart or {}), "title": title, "config": FILE}
    svg = vl_convert.vegalite_to_svg(chart, vl_version=VEGA_LITE)
    paths = []
    for kind in formats:
        data = utf8(svg) if kind == "svg" else vl_convert.svg_to_png(svg, scale=scale)
        paths.append(stem.with_name(f"{stem.name}.{kind}"))
        write_bytes(paths[-1], data)
    return paths
