"""The page of an experiment: ours beside the paper's, drawn from results and nothing else."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any, Final

from grokscope.disk.atomic import utf8_bytes, write_bytes
from grokscope.paper.agreement import State, states_in_words
from grokscope.paper.block import Block, Table, ViewData, template_values
from grokscope.paper.experiment import Experiment, protocol_differences
from grokscope.paper.labels import separations
from grokscope.paper.results import Results
from grokscope.paper.views import VIEWS
from grokscope.reports.figures.figure import Figure
from grokscope.reports.html import Charts, new_charts, render_template

_COUNTED = (
    State.AGREES,
    State.CONSISTENT,
    State.UNDECIDED,
    State.MIXED,
    State.ONE_STEP,
    State.DIFFERS,
    State.FAILED,
    State.NOT_RUN,
)


def in_short(
    experiment: Experiment, results: Results, blocks: Sequence[Block]
) -> list[tuple[str, str]]:
    """Return names and sentences: what is counted of the agreement, and what has been run."""
    if experiment.kind == "labels":
        return [("ours", _labels_in_words(results))]
    runs = [("runs", _runs_in_words(results))]
    states = agreement_states(blocks)
    if not any(state in states for state in _COUNTED[:6]):
        return runs
    return [("agreement", states_in_words(states)), *runs]


def agreement_states(blocks: Sequence[Block]) -> list[State]:
    """Return the states of the cells that stand beside a number or a word of the paper.

    Only the first table with such cells counts: another one shows the same runs in more detail.
    """
    tables = [_states(block) for block in blocks if isinstance(block, Table)]
    return next((states for states in tables if states), [])


def _states(table: Table) -> list[State]:
    cells = [cell for row in table.rows for cell in row[1:]]
    known = [State(cell.state) for cell in cells if cell.state and "paper" in cell.note]
    return [state for state in known if state in _COUNTED]


def _runs_in_words(results: Results) -> str:
    steps = results.facts.get("steps")
    trained = f", trained for at most {steps} steps" if steps else ""
    return f"{results.facts['runs']}{trained}"


def _labels_in_words(results: Results) -> str:
    """Say whether any statistic tells what grokked from what did not."""
    found = separations(results.rows)
    ratios = [r["kl"] / r["kl_chance"] for r in results.rows if r["kl"] is not None]
    text = (
        f"The divergence is {min(ratios):.2f} to {max(ratios):.2f} times what a random split has by"
        f" chance (n = {len(ratios)})."
        if ratios
        else "No divergence is defined."
    )
    if not found:
        return text
    least = min(s.p_value for s in found)
    whole = min(1.0, least * len(found))
    verdict = "does not stand" if whole > 0.05 else "stands"
    return (
        f"{text} Of {len(found)} comparisons of a statistic between operations that grokked in the"
        f" paper and those that did not, the clearest has p = {least:.2g}, which {verdict} after"
        f" correction for their number (p = {whole:.2g})."
    )


PAGE_NAME: Final = "{name}.html"


def write_paper_page(experiment: Experiment, results: Results, out: Path) -> Path:
    """Write the page into the folder `out` and return its path; raises `DiskError`."""
    path = Path(out) / PAGE_NAME.format(name=experiment.name)
    write_bytes(path, utf8_bytes(render_page(experiment, results)))
    return path


def render_page(experiment: Experiment, results: Results) -> str:
    """Return the page as text."""
    charts, sections = new_charts(), _sections(experiment, results)
    blocks = [block for _, some in sections for block in some]
    return render_template(
        "paper.html.j2",
        charts,
        title=f"{experiment.name}: {experiment.title}",
        reference=experiment.reference,
        says=experiment.says,
        small=results.facts.get("small") or "",
        beyond=results.facts.get("beyond") or "",
        short=in_short(experiment, results, blocks),
        over_time=any(isinstance(block, Figure) and block.first_step for block in blocks),
        sections=[_section(title, some, charts) for title, some in sections],
        differences=protocol_differences(experiment),
        made=_how_made(results),
        commands=results.facts["commands"],
    )


def blocks_of(experiment: Experiment, results: Results) -> list[Block]:
    """Return all figures and tables of an experiment, in the order of its views."""
    return [block for _, blocks in _sections(experiment, results) for block in blocks]


def _sections(experiment: Experiment, results: Results) -> list[tuple[str, list[Block]]]:
    return [
        (view.title, VIEWS[view.kind](ViewData(experiment, results, view)))
        for view in experiment.views
    ]


def _section(title: str, blocks: list[Block], charts: Charts) -> dict[str, Any]:
    shown = []
    for block in blocks:
        if isinstance(block, Table):
            shown.append({"chart": False} | template_values(block))
        else:
            documents = charts.add([block])
            shown += [{"chart": True} | _untitled(document, title) for document in documents]
    return {"title": title, "blocks": shown}


def _untitled(document: dict[str, Any], section: str) -> dict[str, Any]:
    """Return a figure's words without a title that its section has said already."""
    return document | {"title": ""} if document["title"] == section else document


def _how_made(results: Results) -> list[tuple[str, str]]:
    facts = results.facts
    return [(name, str(facts[key])) for name, key in _FACTS if facts.get(key) is not None]


_FACTS: Final = (
    ("written", "created"),
    ("runs", "runs"),
    ("weights from", "sources"),
    ("training time", "training_time"),
    ("hardware", "hardware"),
    ("trained with", "trained_with"),
)
