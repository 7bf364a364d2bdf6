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
from grokscope.reports.figures.over_time import progress, progress_in_two_bases
from grokscope.reports.figures.spectra import bases, spectra
from grokscope.reports.moments import fitting
from grokscope.reports.record import RunRecord

__all__ = [
    "Figure",
    "Layout",
    "evidence_figures",
    "network_figures",
    "operation_figures",
    "progress_figures",
    "read_network",
]


def progress_figures(record: RunRecord) -> list[Figure]:
    """Return the measures over training, in the basis that fits beside the additive one.

    Where no operation has a basis of its own the additive one stands alone.
    """
    fits = [progress_in_two_bases(record, number) for number in fitting(record)]
    return fits or [progress(record)]


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


def operation_figures(
    record: RunRecord, network: SavedNetwork | str, found: Explained, runs: int = 1
) -> list[Figure]:
    """Return what a network learned of an operation, in the basis that fits it.

    **Arguments:** the run; its network or why there is none; the explanation; how many runs share
    the page.
    """
    in_basis = None if isinstance(network, str) else network_in_basis(record, network, found)
    if in_basis is None or isinstance(network, str):
        return []
    both = bases(found, network)
    own = neurons(network, record.p, in_basis, found.number)
    if is_additive(found.explanation):  # its spectra and circles are those of the additive basis
        return [both, own]
    of = f" of {found.explanation.operation}" if record.task.n_tasks > 1 else ""
    drawn = [spectra(record, record.shown_seed, runs, found), circles(network, found), own]
    return [both, *(figure.called(f"in the basis that fits{of}") for figure in drawn)]


_BASES: Final = ("spectra", "circles")
"""Figures that have a twin in the basis that fits."""


def network_figures(
    record: RunRecord,
    network: SavedNetwork | str,
    runs: int = 1,
    explained: Sequence[Explained | str] = (),
) -> list[Figure]:
    """Return what a network has learned besides: its attention, and all in the additive basis.

    **Arguments:** as for `operation_figures`, with all explanations, which may have such figures
    of a basis of their own.
    """
    if isinstance(network, str):
        return [spectra(record, record.shown_seed, runs)]
    over_time = (
        [] if record.folder.manifest.imported else [spectra(record, record.shown_seed, runs)]
    )
    additive = [
        attention(network, record.p),
        *over_time,
        circles(network),
        neurons(network, record.p),
        modes(network, record.p),
    ]
    known = [found.explanation for found in explained if isinstance(found, Explained)]
    if all(map(is_additive, known)):
        return additive
    return [figure.called("in the additive basis", _BASES) for figure in additive]


def evidence_figures(found: Explained) -> list[Figure]:
    """Return the causal evidence for the algorithm of an operation; none without a structure."""
    if found.structure is None:
        return []
    return [ablation_figure(found), key_shapes_figure(found)]
