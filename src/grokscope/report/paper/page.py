"""The page of an experiment: ours beside the paper's, drawn from results and nothing else."""

from pathlib import Path
from typing import Any, Final

from grokscope.paper.experiment import Experiment
from grokscope.paper.protocol import differences
from grokscope.paper.results import Results
from grokscope.report.charts import Charts
from grokscope.report.figures.figure import Figure
from grokscope.report.html import fill, new_charts
from grokscope.report.paper.block import Block, Shown, Table, words
from grokscope.report.paper.short import in_short
from grokscope.report.paper.views import VIEWS
from grokscope.runs.atomic import utf8, write_bytes

PAGE_NAME: Final = "{name}.html"


def write_paper_page(experiment: Experiment, results: Results, out: Path) -> Path:
    """Write the page into the folder `out` and return its path; raises `DiskError`."""
    path = Path(out) / PAGE_NAME.format(name=experiment.name)
    write_bytes(path, utf8(render(experiment, results)))
    return path


def render(experiment: Experiment, results: Results) -> str:
    """Return the page as text."""
    charts, sections = new_charts(), _sections(experiment, results)
    blocks = [block for _, some in sections for block in some]
    return fill(
        "paper.html.j2",
        charts,
        title=f"{experiment.name}: {experiment.title}",
        place=experiment.place,
        says=experiment.says,
        small=results.manifest.get("small") or "",
        beyond=results.manifest.get("beyond") or "",
        short=in_short(experiment, results, blocks),
        over_time=any(isinstance(block, Figure) and block.first_step for block in blocks),
        sections=[_section(title, some, charts) for title, some in sections],
        differences=differences(experiment),
        made=_made(results),
        commands=results.manifest["commands"],
    )


def blocks_of(experiment: Experiment, results: Results) -> list[Block]:
    """Return all figures and tables of an experiment, in the order of its views."""
    return [block for _, blocks in _sections(experiment, results) for block in blocks]


def _sections(experiment: Experiment, results: Results) -> list[tuple[str, list[Block]]]:
    return [
        (view.title, VIEWS[view.kind](Shown(experiment, results, view)))
        for view in experiment.views
    ]


def _section(title: str, blocks: list[Block], charts: Charts) -> dict[str, Any]:
    shown, left_out = [], False
    for block in blocks:
        if isinstance(block, Table):
            shown.append({"chart": False} | words(block))
            continue
        documents = charts.add([block])
        left_out |= documents is None
        shown += [{"chart": True} | _own_title(document, title) for document in documents or []]
    return {"title": title, "blocks": shown, "left_out": left_out}


def _own_title(document: dict[str, Any], section: str) -> dict[str, Any]:
    """Return a figure's words without a title that its section has said already."""
    return document | {"title": ""} if document["title"] == section else document


def _made(results: Results) -> list[tuple[str, str]]:
    manifest = results.manifest
    return [(name, str(manifest[key])) for name, key in _MADE if manifest.get(key) is not None]


_MADE: Final = (
    ("written", "created"),
    ("runs", "runs"),
    ("weights from", "sources"),
    ("training time", "training_time"),
    ("hardware", "hardware"),
    ("trained with", "trained_with"),
    ("source", "git_commit"),
    ("grokscope", "grokscope_version"),
)
