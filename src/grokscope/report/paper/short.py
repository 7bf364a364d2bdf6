"""What a reproduction found, in a few lines at the top of its page."""

from grokscope.paper.experiment import Experiment
from grokscope.paper.labels import separations
from grokscope.paper.results import Results


def in_short(experiment: Experiment, results: Results) -> list[tuple[str, str]]:
    """Return names and sentences."""
    if experiment.kind == "labels":
        return [("ours", _labels(results))]
    return []


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
