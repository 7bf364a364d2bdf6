"""The figures of a report, one idea per file."""

from collections.abc import Sequence

from grokscope.errors import UsageError
from grokscope.report.figures.accuracy import accuracy
from grokscope.report.figures.attention import attention
from grokscope.report.figures.circles import circles
from grokscope.report.figures.figure import Figure, Layout
from grokscope.report.figures.loss import loss
from grokscope.report.figures.modes import modes
from grokscope.report.figures.neurons import neurons
from grokscope.report.figures.norms import norms
from grokscope.report.figures.progress import progress
from grokscope.report.figures.spectra import spectra
from grokscope.report.figures.timeline import time_axis
from grokscope.inspection.network import Network, load_network
from grokscope.report.record import RunRecord

__all__ = ["Figure", "Layout", "network_figures", "over_time", "read_network"]


def over_time(records: Sequence[RunRecord]) -> list[Figure]:
    """Return what is drawn over training time, for all runs that have evaluations together."""
    known = [record for record in records if record.curves]
    if not known:
        return []
    axis = time_axis(known)
    return [draw(known, axis) for draw in (accuracy, loss, progress, norms)]


def read_network(record: RunRecord) -> Network | str:
    """Return the last network of the first seed, or one line that says why there is none."""
    try:
        return load_network(record.folder, record.seeds[0])
    except UsageError as error:
        return str(error)


def network_figures(record: RunRecord, network: Network | str, runs: int = 1) -> list[Figure]:
    """Return what one network of a run has learned.

    **Arguments:** the run; its network or why there is none; how many runs share the page.
    """
    first = spectra(record, record.seeds[0], runs)
    if isinstance(network, str):
        return [first]
    return [first, *(draw(network, record.p) for draw in (circles, attention, neurons, modes))]
