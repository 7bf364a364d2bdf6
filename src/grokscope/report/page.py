"""report.html: one file that holds everything it shows and loads nothing."""

import base64
import hashlib
from collections.abc import Sequence
from functools import cache
from importlib.metadata import version
from importlib.resources import files
from pathlib import Path
from typing import Any, Final

import vl_convert
from jinja2 import Environment, StrictUndefined
from markupsafe import Markup

from grokscope.errors import UsageError
from grokscope.measures import MEASURES
from grokscope.report import facts
from grokscope.report.chapter import chapter, in_short
from grokscope.report.charts import Charts
from grokscope.report.explained import read_explanation
from grokscope.report.figures import (
    explanation_figures,
    network_figures,
    over_time,
    read_network,
)
from grokscope.report.figures.progress import SHOWN
from grokscope.report.finding import finding
from grokscope.report.record import RunRecord, read_runs
from grokscope.report.theme import DARK, LIGHT, VEGA_LITE
from grokscope.runs.atomic import write_bytes

REPORT_NAME: Final = "report.html"
LARGEST_PAGE: Final = 5_000_000
"""Bytes; the networks of runs that would make the page larger are left out."""
_WORDS: Final = 200_000
"""Bytes that a page takes besides its charts and the drawing script."""


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
    if out is None:
        out = records[0].folder.path / REPORT_NAME if len(records) == 1 else Path(REPORT_NAME)
    write_bytes(Path(out), render(records).encode())
    return Path(out)


def render(records: Sequence[RunRecord]) -> str:
    """Return the page as text."""
    environment = Environment(autoescape=True, undefined=StrictUndefined, trim_blocks=True,
                              lstrip_blocks=True)  # fmt: skip
    # `tojson` writes < > & ' as escapes, so that no text of a run can end a script
    environment.policies["json.dumps_kwargs"] = {"allow_nan": False, "separators": (",", ":")}
    bundle, script = _bundle(), _template("page.js")
    charts = Charts(LARGEST_PAGE - _WORDS - len(bundle))
    common = charts.add(over_time(records))
    if common is None:
        allowed = "runs with fewer seeds, or fewer runs"
        raise UsageError("too many curves for one page", got=len(records), allowed=allowed)
    return environment.from_string(_template("page.html.j2")).render(
        title=_title(records),
        runs=[_run(record, len(records), charts) for record in records],
        over_time=common,
        measures=[MEASURES[key] for key in SHOWN],
        eta=sorted({record.config.eta for record in records}),
        fall_header=facts.FALL_HEADER,
        version=version("grokscope"),
        data={"charts": charts.documents, "themes": {"light": LIGHT, "dark": DARK}},
        css=Markup(_template("page.css")),
        bundle=Markup(bundle),
        script=Markup(script),
        allowed=Markup(" ".join(f"'sha256-{_digest(text)}'" for text in (bundle, script))),
    )  # fmt: skip


def _title(records: Sequence[RunRecord]) -> str:
    if len(records) == 1:
        return f"{records[0].operation} modulo {records[0].p}"
    return f"{len(records)} runs compared"


def _run(record: RunRecord, runs: int, charts: Charts) -> dict[str, Any]:
    """Return what the template shows of one run, adding its charts to the page's."""
    network, found = read_network(record), read_explanation(record)
    figures = charts.add(network_figures(record, network, runs))
    evidence = charts.add(explanation_figures(record, network, found))
    return {
        "label": record.label,
        "p": record.p,
        "facts": facts.facts(record),
        "finding": finding(record, in_short(found)),
        "seed_header": facts.seed_header(record),
        "seed_rows": facts.seed_rows(record) if record.curves else [],
        "fall_rows": facts.fall_rows(record) if record.curves else [],
        "seeds": len(record.seeds),
        "seed": record.seeds[0],
        "step": None if isinstance(network, str) else network.step,
        "why_no_network": network if isinstance(network, str) else "",
        "mixture": record.task.n_tasks > 1,
        "first_operation": record.task.expressions[0].canonical,
        "figures": figures or [],
        "left_out": figures is None,
        "chapter": chapter(found, evidence),
    }


@cache
def _bundle() -> str:
    """Return Vega, Vega-Lite and vega-embed as one script, of the version that Altair writes."""
    code = vl_convert.javascript_bundle("window.vegaEmbed = vegaEmbed;", vl_version=VEGA_LITE)
    return code.replace("</script", "<\\/script").replace("<!--", "<\\!--")


def _template(name: str) -> str:
    return (files("grokscope.report") / "templates" / name).read_text("utf-8")


def _digest(script: str) -> str:
    return base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()
