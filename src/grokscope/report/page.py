"""report.html: one file that holds everything it shows and loads nothing."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any, Final

from grokscope.errors import UsageError
from grokscope.measures import MEASURES
from grokscope.report import facts
from grokscope.report.chapter import chapter, in_short
from grokscope.report.charts import Charts
from grokscope.report.explained import read_explanations
from grokscope.report.figures import (
    explanation_figures,
    network_figures,
    over_time,
    read_network,
)
from grokscope.report.figures.progress import SHOWN
from grokscope.report.finding import finding
from grokscope.report.html import fill, new_charts
from grokscope.report.record import RunRecord, read_runs
from grokscope.runs.atomic import utf8, write_bytes

REPORT_NAME: Final = "report.html"


def write_report(runs: Sequence[Path], out: Path | None = None) -> Path:
    """Write a page about one run, or one that compares several.

    **Arguments:**

    - `runs`: run folders; they may still be training.
    - `out`: the file; by default `report.html` in the folder of a single run, and in the current
      folder for several.

    **Returns:** the file.

    **Raises:** `UsageError` when a folder is not a run or is damaged, and when there are too many
    runs for a page; `DiskError` when the page cannot be written.
    """
    records = read_runs([Path(run) for run in runs])
    page = utf8(render(records))
    if out is None and len(records) == 1:
        return records[0].folder.write_file(REPORT_NAME, page)
    out = Path(REPORT_NAME if out is None else out)
    write_bytes(out, page)
    return out


def render(records: Sequence[RunRecord]) -> str:
    """Return the page as text."""
    charts = new_charts()
    common = charts.add(over_time(records))
    if common is None:
        allowed = "runs with fewer seeds, or fewer runs"
        raise UsageError("too many curves for one page", got=len(records), allowed=allowed)
    return fill(
        "page.html.j2",
        charts,
        title=_title(records),
        runs=[_run(record, len(records), charts) for record in records],
        over_time=common,
        measures=[MEASURES[key] for key in SHOWN],
        eta=sorted({record.config.eta for record in records}),
        fall_header=facts.FALL_HEADER,
    )


def _title(records: Sequence[RunRecord]) -> str:
    if len(records) == 1:
        return f"{records[0].operation} modulo {records[0].p}"
    return f"{len(records)} runs compared"


def _run(record: RunRecord, runs: int, charts: Charts) -> dict[str, Any]:
    """Return what the template shows of one run, adding its charts to the page's."""
    network, explained = read_network(record), read_explanations(record)
    figures = charts.add(network_figures(record, network, runs, explained))
    chapters = [chapter(found, charts.add(explanation_figures(record, network, found)))
                for found in explained]  # fmt: skip
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
