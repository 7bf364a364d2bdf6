"""report.html: one file that holds everything it shows and loads nothing."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any, Final

from grokscope.errors import UsageError
from grokscope.measures import MEASURES
from grokscope.numerics import computing
from grokscope.progress import doing, showing
from grokscope.report import facts
from grokscope.report.chapter import chapter, in_short
from grokscope.report.charts import Charts
from grokscope.report.compared import Comparison
from grokscope.report.comparison import DETAILED, comparison
from grokscope.report.explained import read_explanations
from grokscope.report.figures import (
    Figure,
    explanation_figures,
    network_figures,
    over_time,
    read_network,
)
from grokscope.report.figures.progress import SHOWN
from grokscope.report.finding import finding
from grokscope.report.html import fill, new_charts
from grokscope.report.record import RunRecord, read_all
from grokscope.runs.atomic import utf8, write_bytes
from grokscope.runs.selection import paths_of, select
from grokscope.settings.arguments import plain_arguments

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
        return records[0].folder.write_file(REPORT_NAME, utf8(render(records)))
    home = selection.sweep or Path()
    out = home / REPORT_NAME if out is None else Path(out)
    write_bytes(out, utf8(render(records, out, left_out)))
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
        "measures": [MEASURES[key] for key in SHOWN],
        "eta": sorted({record.config.eta for record in records}),
        "fall_header": facts.FALL_HEADER,
    }
    if len(records) == 1 and not left_out:
        drawn = over_time(records)
        common = charts.add(drawn)
        if common is None:
            raise UsageError("too many curves for one page", got=len(records[0].seeds),
                             allowed="a run with fewer seeds")  # fmt: skip
        return fill("page.html.j2", charts, title=f"{records[0].operation} modulo {records[0].p}",
                    over_time=common,
                    runs=[_run(records[0], 1, charts, drawn)], **values)  # fmt: skip
    compared = Comparison(records)
    found = comparison(compared, charts, out)
    few = records if len(records) <= DETAILED else []
    return fill(
        "comparison.html.j2",
        charts,
        title=found["title"],
        compared=found,
        left_out=left_out,
        over_time=found["over_time"],
        first={"label": records[0].label, "facts": facts.facts(records[0])},
        runs=[_run(record, len(records), charts) for record in few],
        detailed=DETAILED,
        **values,
    )


def _run(
    record: RunRecord, runs: int, charts: Charts, drawn: Sequence[Figure] = ()
) -> dict[str, Any]:
    """Return what the template shows of one run, adding its charts to the page's.

    **Arguments:** the run; how many share the page; the page's charts; figures that stand on it.
    """
    there = {figure.name for figure in drawn}
    network, explained = read_network(record), read_explanations(record)
    doing(f"drawing {record.label}")
    figures = charts.add(network_figures(record, network, runs, explained))
    evidence = [[f for f in explanation_figures(record, network, found) if f.name not in there]
                for found in explained]  # fmt: skip
    chapters = [chapter(found, charts.add(figures_of))
                for found, figures_of in zip(explained, evidence, strict=True)]  # fmt: skip
    names = [expression.canonical for expression in record.task.expressions]
    return {
        "label": record.label,
        "p": record.p,
        "facts": facts.facts(record),
        "finding": finding(record, [in_short(found) for found in explained]),
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


def _which_seed(record: RunRecord) -> str:
    """Say why this seed's network is shown, of several."""
    if len(record.seeds) == 1:
        return ""
    first = record.shown_seed == record.seeds[0]
    return f", the first of {len(record.seeds)}{'' if first else ' that has not diverged'},"
