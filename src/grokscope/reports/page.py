"""report.html, one file that loads nothing, and its figures as files of their own."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any, Final

import vl_convert

from grokscope.config.arguments import plain_arguments
from grokscope.disk.atomic import utf8_bytes, write_bytes
from grokscope.disk.listing import paths_of, select
from grokscope.disk.names import slug
from grokscope.errors import UsageError
from grokscope.explanation.of_run import SavedNetwork
from grokscope.measures import MEASURES
from grokscope.numerics import computing
from grokscope.progress import doing, showing
from grokscope.reports import facts
from grokscope.reports.compared import Comparison
from grokscope.reports.comparison import DETAILED, comparison_figures, comparison_values
from grokscope.reports.explained import (
    Explained,
    explanation_section,
    read_all_explained,
    verdict_sentence,
)
from grokscope.reports.figures import (
    Figure,
    explanation_figures,
    figures_over_time,
    network_figures,
    read_network,
)
from grokscope.reports.figures.over_time import FITTING, SHOWN
from grokscope.reports.finding import finding, fitting
from grokscope.reports.html import Charts, new_charts, render_template
from grokscope.reports.record import RunRecord, read_all, read_runs

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
    common = (
        figures_over_time(records) if len(records) == 1 else comparison_figures(Comparison(records))
    )
    named = [(f"{i}-{figure.name}", figure) for i, figure in enumerate(common, 1)]
    if len(records) > DETAILED:
        return named
    for number, record in enumerate(records, 1):
        own = f"-{number}-{slug(record.operation)}" if len(records) > 1 else ""
        network = read_network(record)
        explained = read_all_explained(record)
        drawn = network_figures(record, network, len(records), explained)
        for figures in _evidence(record, network, explained, common if len(records) == 1 else ()):
            drawn += figures
        first = len(common) + 1
        named += [(f"{i}-{figure.name}{own}", figure) for i, figure in enumerate(drawn, first)]
    return named


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


@computing()
def render(
    records: Sequence[RunRecord], out: Path = Path(REPORT_NAME), left_out: Sequence[str] = ()
) -> str:
    """Return the page as text.

    **Arguments:** the runs; where the page will lie; runs that could not be read, with the reason.
    """
    doing("drawing the curves")
    charts = new_charts()
    values: dict[str, Any] = {
        "measures": [MEASURES[key] for key in _shown(records)],
        "eta": sorted({record.config.eta for record in records}),
        "fall_header": facts.FALL_HEADER,
    }
    if len(records) == 1 and not left_out:
        drawn = figures_over_time(records)
        common = charts.add(drawn)
        if common is None:
            raise UsageError(
                "too many curves for one page",
                got=len(records[0].seeds),
                allowed="a run with fewer seeds",
            )
        return render_template(
            "page.html.j2",
            charts,
            title=f"{records[0].operation} modulo {records[0].p}",
            over_time=common,
            runs=[_run(records[0], 1, charts, drawn)],
            **values,
        )
    compared = Comparison(records)
    found = comparison_values(compared, charts, out)
    few = records if len(records) <= DETAILED else []
    return render_template(
        "comparison.html.j2",
        charts,
        title=found["title"],
        compared=found,
        left_out=left_out,
        over_time=found["over_time"],
        first={"label": records[0].label, "facts": facts.run_facts(records[0])},
        runs=[_run(record, len(records), charts) for record in few],
        detailed=DETAILED,
        **values,
    )


def _shown(records: Sequence[RunRecord]) -> list[str]:
    """Return the keys of the measures on a page, with those of a basis that fits."""
    fits = FITTING if any(fitting(record) for record in records) else ()
    return [key for key in MEASURES if key in {*SHOWN, *fits}]


def _run(
    record: RunRecord, runs: int, charts: Charts, drawn: Sequence[Figure] = ()
) -> dict[str, Any]:
    """Return what the template shows of one run, adding its charts to the page's.

    **Arguments:** the run; how many share the page; the page's charts; figures that stand on it.
    """
    network, explained = read_network(record), read_all_explained(record)
    doing(f"drawing {record.label}")
    figures = charts.add(network_figures(record, network, runs, explained))
    evidence = _evidence(record, network, explained, drawn)
    chapters = [
        explanation_section(found, charts.add(figures_of))
        for found, figures_of in zip(explained, evidence, strict=True)
    ]
    names = [expression.canonical for expression in record.task.expressions]
    return {
        "label": record.label,
        "p": record.p,
        "facts": facts.run_facts(record),
        "finding": finding(record, [verdict_sentence(found) for found in explained]),
        "seed_header": facts.seed_header(record),
        "seed_rows": facts.seed_rows(record) if record.curves else [],
        "fall_rows": facts.fall_rows(record) if record.curves else [],
        "seeds": len(record.seeds),
        "seed": record.shown_seed,
        "which_seed": _which_seed(record),
        "step": None if isinstance(network, str) else network.step,
        "why_no_network": network if isinstance(network, str) else "",
        "mixture": record.task.n_tasks > 1,
        "first_operation": record.task.expressions[0].canonical,
        "figures": figures or [],
        "left_out": figures is None,
        "chapters": list(zip(names, chapters, strict=True)),
    }


def _evidence(
    record: RunRecord,
    network: SavedNetwork | str,
    explained: Sequence[Explained | str],
    drawn: Sequence[Figure],
) -> list[list[Figure]]:
    """Return the evidence for each operation's algorithm, without figures that are `drawn`."""
    there = {figure.name for figure in drawn}
    return [
        [
            figure
            for figure in explanation_figures(record, network, found)
            if figure.name not in there
        ]
        for found in explained
    ]


def _which_seed(record: RunRecord) -> str:
    """Say why this seed's network is shown, of several."""
    if len(record.seeds) == 1:
        return ""
    first = record.shown_seed == record.seeds[0]
    return f", the first of {len(record.seeds)}{'' if first else ' that has not diverged'},"
