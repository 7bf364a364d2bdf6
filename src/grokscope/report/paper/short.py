"""What a reproduction found, in a few lines at the top of its page."""

from collections.abc import Sequence

from grokscope.paper.agreement import State, counted
from grokscope.paper.experiment import Experiment
from grokscope.paper.labels import separations
from grokscope.paper.results import Results
from grokscope.report.paper.block import Block, Table

_COUNTED = (State.AGREES, State.CONSISTENT, State.UNDECIDED, State.MIXED, State.ONE_STEP,
            State.DIFFERS, State.FAILED, State.NOT_RUN)  # fmt: skip


def in_short(
    experiment: Experiment, results: Results, blocks: Sequence[Block]
) -> list[tuple[str, str]]:
    """Return names and sentences: what is counted of the agreement, and what has been run."""
    if experiment.kind == "labels":
        return [("ours", _labels(results))]
    runs = [("runs", _runs(results))]
    states = agreement(blocks)
    if not any(state in states for state in _COUNTED[:6]):
        return runs
    return [("agreement", counted(states)), *runs]


def agreement(blocks: Sequence[Block]) -> list[State]:
    """Return the states of the cells that stand beside a number or a word of the paper.

    Only the first table with such cells counts: another one shows the same runs in more detail.
    """
    tables = [_states(block) for block in blocks if isinstance(block, Table)]
    return next((states for states in tables if states), [])


def _states(table: Table) -> list[State]:
    cells = [cell for row in table.rows for cell in row[1:]]
    known = [State(cell.state) for cell in cells if cell.state and "paper" in cell.note]
    return [state for state in known if state in _COUNTED]


def _runs(results: Results) -> str:
    steps = results.manifest.get("steps")
    trained = f", trained for at most {steps} steps" if steps else ""
    return f"{results.manifest['runs']}{trained}"


def _labels(results: Results) -> str:
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
