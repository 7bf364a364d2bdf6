"""The figures of a report, one idea per file."""

from collections.abc import Sequence
from typing import Final

import jax.numpy as jnp

from grokscope.errors import UsageError
from grokscope.explanation import pairs
from grokscope.explanation.of_run import SavedNetwork, load_network
from grokscope.explanation.sentences import is_additive
from grokscope.reports.explained import Explained, network_in_basis
from grokscope.reports.figures.circles import circles
from grokscope.reports.figures.figure import Figure, Layout
from grokscope.reports.figures.keys import ablation_figure, key_shapes_figure
from grokscope.reports.figures.over_pairs import attention, modes, neurons
from grokscope.reports.figures.over_time import (
    accuracy,
    loss,
    norms,
    progress,
    progress_in_two_bases,
)
from grokscope.reports.figures.spectra import bases, spectra
from grokscope.reports.figures.timeline import time_axis
from grokscope.reports.finding import fitting
from grokscope.reports.record import RunRecord

__all__ = [
    "Figure",
    "Layout",
    "explanation_figures",
    "figures_over_time",
    "network_figures",
    "read_network",
]


def figures_over_time(records: Sequence[RunRecord]) -> list[Figure]:
    """Return what is drawn over training time, for all runs that have evaluations together."""
    known = [record for record in records if record.curves]
    if not known:
        return []
    axis = time_axis(known)
    fits = fitting(known[0]) if len(known) == 1 else []
    measures = [progress_in_two_bases(known[0], number) for number in fits]
    measures = measures or [progress(known, axis)]
    return [accuracy(known, axis), loss(known, axis), *measures, norms(known, axis)]


def read_network(record: RunRecord) -> SavedNetwork | str:
    """Return the last network of the first seed, or one line that says why there is none."""
    try:
        network = load_network(record.folder, record.shown_seed)
    except UsageError as error:
        return error.line
    finite = pairs.over_pairs(network.model, lambda logits, _: jnp.isfinite(logits).all(axis=-1))
    if not all(block.all() for block in finite):
        return "the logits are not finite: training diverged"
    return network


def network_figures(
    record: RunRecord,
    network: SavedNetwork | str,
    runs: int = 1,
    explained: Sequence[Explained | str] = (),
) -> list[Figure]:
    """Return what one network of a run has learned, in the bases that fit first.

    **Arguments:** the run; its network or why there is none; how many runs share the page; its
    explanations or why there are none.
    """
    found = [e for e in explained if isinstance(e, Explained) and not is_additive(e.explanation)]
    first = [figure for e in found for figure in _matched(record, network, runs, e)]
    additive = [spectra(record, record.shown_seed, runs)]
    if not isinstance(network, str):
        draws = (attention, neurons, modes)
        additive += [circles(network), *(draw(network, record.p) for draw in draws)]
    if not first:
        return additive
    return [*first, *(figure.called("in the additive basis", _BASES) for figure in additive)]


_BASES: Final = ("spectra", "circles")
"""Figures that have a twin in the basis that fits."""


def _matched(
    record: RunRecord, network: SavedNetwork | str, runs: int, found: Explained
) -> list[Figure]:
    """Return spectra, circles and neurons in the basis that fits an operation."""
    in_basis = None if isinstance(network, str) else network_in_basis(record, network, found)
    if in_basis is None or isinstance(network, str):
        return []
    several = record.task.n_tasks > 1
    name = f" of {found.explanation.operation}" if several else ""
    figures = [
        spectra(record, record.shown_seed, runs, found),
        circles(network, found),
        neurons(network, record.p, in_basis, found.number),
    ]
    return [figure.called(f"in the basis that fits{name}") for figure in figures]


def explanation_figures(
    record: RunRecord, network: SavedNetwork | str, found: Explained | str
) -> list[Figure]:
    """Return the evidence for the algorithm that a run's network found for an operation.

    **Arguments:** the run; its network and the explanation, or why there is none.
    """
    if isinstance(network, str) or isinstance(found, str):
        return []
    in_basis = network_in_basis(record, network, found)
    if in_basis is None:
        return []
    # those of another coordinate stand among what was learned
    own = (
        [neurons(network, record.p, in_basis, found.number)]
        if is_additive(found.explanation)
        else []
    )
    return [
        bases(found, network),
        *own,
        ablation_figure(found),
        key_shapes_figure(found),
        progress_in_two_bases(record, found.number),
    ]
