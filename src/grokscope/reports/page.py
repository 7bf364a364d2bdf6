"""report.html, one file that loads nothing, and its figures as files of their own."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any, Final

import vl_convert

from grokscope.config.arguments import plain_arguments
from grokscope.disk.atomic import utf8_bytes, write_bytes
from grokscope.disk.listing import paths_of, select
from grokscope.errors import UsageError
from grokscope.numerics import computing
from grokscope.progress import doing, showing
from grokscope.reports.compared import Comparison
from grokscope.reports.comparison import comparison_story
from grokscope.reports.figures import Figure
from grokscope.reports.html import new_charts, render_template
from grokscope.reports.record import RunRecord, read_all, read_runs
from grokscope.reports.section import Story
from grokscope.reports.story import run_story

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
    for name in formats:
        if name not in FORMATS:
            raise UsageError("no such format of figures", got=name, allowed=", ".join(FORMATS))
    figures = _story(read_runs(paths_of(runs))).all_figures
    drawn = [figure for figure in figures if figure.chart is not None]
    return [
        path
        for number, figure in enumerate(drawn, 1)
        for path in write_figure(Path(directory) / f"{number}-{figure.name}", figure, formats)
    ]


def write_figure(
    stem: Path, figure: Figure, formats: Sequence[str] = FORMATS, scale: float = SCALE
) -> list[Path]:
    """Write one figure that has a chart to STEM.svg, STEM.png or both; raises `DiskError`.

    **Arguments:** the path without its end; the figure; `FORMATS`; pixels of a PNG per unit.
    """
    svg = figure.svg()
    paths = []
    for kind in formats:
        data = utf8_bytes(svg) if kind == "svg" else vl_convert.svg_to_png(svg, scale=scale)
        paths.append(stem.with_name(f"{stem.name}.{kind}"))
        write_bytes(paths[-1], data)
    return paths


REPORT_NAME: Final = "report.html"


@plain_arguments
@showing()
def write_report(runs: Any, out: str | Path | None = None) -> Path:
    """Write a page about one run, or one that compares several.

    **Arguments:**

    - `runs`: a run or a sweep, which stands for all its runs, as its path or as `gs.train` and
      `gs.sweep` return it, or a list of them; they may still be training. Of several runs, those
      that cannot be read are named and left out.
    - `out`: the file; by default `report.html` in the folder of a single run, or of a sweep that
      is named alone, and in the current folder for several.

    **Returns:** the file.

    **Raises:** `UsageError` when a folder is not a run or is damaged; `DiskError` when the page
    cannot be written.
    """
    selection = select(paths_of(runs))
    records, left_out = read_all(selection)
    if out is None and selection.is_one_run:
        return records[0].folder.write_file(REPORT_NAME, utf8_bytes(render(records)))
    home = selection.sweep or Path()
    out = home / REPORT_NAME if out is None else Path(out)
    write_bytes(out, utf8_bytes(render(records, out, left_out)))
    return out


def render(
    records: Sequence[RunRecord], out: Path = Path(REPORT_NAME), left_out: Sequence[str] = ()
) -> str:
    """Return the page as text.

    **Arguments:** the runs; where the page will lie; runs that could not be read, with the reason.
    """
    story, charts = _story(records, out, left_out), new_charts()
    opening = charts.add(story.figures)
    sections = [section.shown(charts) for section in story.sections]
    return render_template(
        "page.html.j2", charts, title=story.title, story=story, opening=opening, sections=sections
    )


@computing()
def _story(
    records: Sequence[RunRecord], out: Path = Path(REPORT_NAME), left_out: Sequence[str] = ()
) -> Story:
    doing("drawing the figures")
    if len(records) == 1 and not left_out:
        return run_story(records[0])
    return comparison_story(Comparison(records), out, left_out)
