"""A run as one row of results, and the long tables that some experiments keep beside it."""

from collections.abc import Callable, Iterator, Sequence
from functools import cached_property
from typing import Any, Final

import numpy as np
from jaxtyping import Float

from grokscope.disk.curves import Curve, Recorded, spectra_of
from grokscope.disk.listing import KILLED
from grokscope.disk.lock import is_locked
from grokscope.errors import UsageError
from grokscope.explanation.ablation import FrequencyLosses, frequency_losses
from grokscope.explanation.in_basis import NetworkInBasis
from grokscope.explanation.logits import ROWS, frequency_pair_norms
from grokscope.explanation.network import of_model
from grokscope.explanation.of_run import load_network
from grokscope.explanation.pairs import logits_over_pairs
from grokscope.explanation.store import read_or_explain, structure_explained
from grokscope.fourier.basis import Basis
from grokscope.fourier.spectrum import Spectrum
from grokscope.measures import TABLES, fourier_frequency_sparsity
from grokscope.measures.grokking import thin
from grokscope.paper.plan import Cell, CellRun
from grokscope.tasks import Task, make_split

_NOTHING = Curve(np.zeros(0, np.int64), np.zeros(0))


class Reading:
    """Curves and spectra of one seed, read once.

    **Arguments:**

    - `found`: the run and the seed.
    """

    def __init__(self, found: CellRun) -> None:
        self.found = found

    def line(self, name: str, operation: str | None = None) -> Curve:
        """Return a curve; empty where nothing of this name was recorded.

        **Arguments:**

        - `name`: the measure, and after a space the matrix, as in `ffs W_E`.
        - `operation`: one of a mixture; None for the whole network.
        """
        measure, _, matrix = name.partition(" ")
        of_seeds = self._recorded.curves(operation=operation).get((measure, matrix or None), {})
        return of_seeds.get(self.found.seed, _NOTHING)

    @cached_property
    def _recorded(self) -> Recorded:
        return Recorded(self.found.folder.metrics())

    @cached_property
    def spectra(self) -> dict[tuple[str, int], Float[np.ndarray, "2 freq"]]:
        """Cosine and sine norms by matrix and step, in the additive basis."""
        found = spectra_of(self.found.folder.spectra(), self.found.seed)
        return {(matrix, step): norms for matrix in found for step, norms in found[matrix].items()}


MEASURES: Final = ("ffs", "fcr")
_SIDES: Final = ("train", "test", "unleaked")


def summary_rows(cell: Cell, reading: Reading) -> list[dict[str, Any]]:
    """Return the row of a run, and of a mixture one more per operation.

    **Arguments:**

    - `cell`: where the run stands in the experiment.
    - `reading`: what was recorded.
    """
    expressions = cell.config.task.expressions
    whole = {
        **cell_columns(cell),
        **_outcome(reading, None),
        **_measures(reading),
        **_about(reading),
    }
    if len(expressions) == 1:
        return [whole]
    names = cell.labels["operation"].split(", ")
    return [whole, *(_part(cell, reading, name) for name in names)]


def cell_columns(cell: Cell) -> dict[str, Any]:
    """Return the columns that say which run a row is of."""
    task = cell.config.task
    return {
        **cell.labels,
        "task": None,
        "p": task.p,
        "train_fraction": task.train_fraction,
        "seed": cell.seed,
    }


def _part(cell: Cell, reading: Reading, operation: str) -> dict[str, Any]:
    """Return the row of one operation of a mixture."""
    return {**cell_columns(cell), "task": operation, **_outcome(reading, operation)}


def _outcome(reading: Reading, operation: str | None) -> dict[str, Any]:
    result = _of_task(reading.found.result, operation)
    accuracies = {side: reading.line(f"{side}_accuracy", operation) for side in _SIDES}
    steps = accuracies["test"].steps
    return {
        "status": _status(reading, result, operation),
        "memorised_at": result.get("memorised_at"),
        "grokked_at": result.get("grokked_at"),
        "steps": int(steps[-1]) if len(steps) else None,
        **{f"{side}_accuracy": line.last for side, line in accuracies.items()},
        "best_test_accuracy": accuracies["test"].best,
    }


def _of_task(result: dict[str, Any], operation: str | None) -> dict[str, Any]:
    """Return what is known of one operation of a mixture, or of the whole run."""
    if operation is None:
        return result
    tasks: Sequence[dict[str, Any]] = result.get("tasks", ())
    return next((t for t in tasks if t["operation"] == operation), {})


def _status(reading: Reading, result: dict[str, Any], operation: str | None) -> str:
    status = reading.found.result["status"]
    if status == "running" and is_locked(reading.found.folder.path) is False:
        return KILLED
    if operation is not None and result.get("grokked_at") is not None:
        return "grokked"
    return "undecided" if operation is not None and status == "grokked" else status


def _measures(reading: Reading) -> dict[str, Any]:
    """Return the first and the last value of FFS and FCR of both tables."""
    found: dict[str, Any] = {}
    for key in MEASURES:
        for table in TABLES:
            line = reading.line(f"{key} {table}")
            found |= {f"{key}_{table}_first": line.first, f"{key}_{table}": line.last}
    return found


def _about(reading: Reading) -> dict[str, Any]:
    manifest = reading.found.folder.manifest
    seconds = float(manifest.times.get("training_seconds", 0)) / max(1, len(manifest.seeds))
    return {
        "seconds": round(seconds),
        "device": manifest.hardware.get("device"),
        "run": reading.found.folder.path.name,
    }


ETAS: Final = (0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9)
LARGEST_ROWS: Final = 9_000
"""Rows of one long table that a page shows, over all runs: about 300 kB."""
_SMALLEST_SHARE: Final = 0.02
"""Norms of logits below this part of the largest are not kept."""
_FEWEST: Final = 4
_MOST: Final = 60
Rows = Iterator[dict[str, Any]]


def buckets(n_lines: int) -> int:
    """Return how many stretches of each curve a page shows, so that all together stay small."""
    return max(_FEWEST, min(_MOST, LARGEST_ROWS // (3 * max(1, n_lines))))


def curves(reading: Reading, names: Sequence[str], operations: Sequence[str]) -> Rows:
    """Yield the points of some curves that `thin` keeps.

    **Arguments:**

    - `reading`: one seed of a run.
    - `names`: measures, with their matrix after a space.
    - `operations`: those of a mixture, whose accuracies are kept, too.
    """
    drawn = [(name, None) for name in names]
    drawn += [(name, op) for op in operations for name in names if "accuracy" in name]
    for name, operation in drawn:
        line = reading.line(name, operation)
        for i in thin(line.values, _MOST):
            yield {
                "measure": name,
                "task": operation,
                "step": int(line.steps[i]),
                "value": float(f"{line.values[i]:.3g}"),
            }


def spectra(reading: Reading) -> Rows:
    """Yield the cosine and sine norms of both tables at the last recorded step, per frequency."""
    for matrix in TABLES:
        steps = [step for name, step in reading.spectra if name == matrix]
        if not steps:
            continue
        cos, sin = reading.spectra[matrix, max(steps)]
        for k, (a, b) in enumerate(zip(cos, sin, strict=True), 1):
            yield {
                "matrix": matrix,
                "step": max(steps),
                "k": k,
                "cos": float(f"{a:.3g}"),
                "sin": float(f"{b:.3g}"),
            }


def etas(reading: Reading) -> Rows:
    """Yield FFS over training for every threshold η, from the recorded spectra."""
    p = reading.found.config.task.p
    for matrix in TABLES:
        steps = np.array(sorted(step for name, step in reading.spectra if name == matrix), int)
        for eta in ETAS:
            norms = (reading.spectra[matrix, int(step)] for step in steps)
            found = (Spectrum.of_norms(cos, sin, p) for cos, sin in norms)
            values = np.array([float(fourier_frequency_sparsity(one, eta)) for one in found])
            for i in thin(values, _MOST):
                yield {
                    "matrix": matrix,
                    "eta": eta,
                    "step": int(steps[i]),
                    "value": float(f"{values[i]:.3g}"),
                }


def logit_norms(reading: Reading) -> Rows:
    """Yield the norms of the last checkpoint's logits per pair of frequencies of x and y."""
    try:
        network = load_network(reading.found.folder, reading.found.seed)
    except UsageError:  # no checkpoint, or weights that are not finite
        return
    norms = frequency_pair_norms(logits_over_pairs(network.model))
    n = len(norms)
    k = (np.arange(n) + 1) // 2  # the constant, then cosine and sine of every frequency
    energy = np.zeros((n // 2 + 1, n // 2 + 1))
    np.add.at(energy, (k[:, None], k[None]), norms**2)
    share = np.sqrt(energy / max(float(energy.max()), 1e-300))
    for x, y in zip(*np.nonzero(share >= _SMALLEST_SHARE), strict=True):
        yield {"kx": int(x), "ky": int(y), "norm": float(f"{share[x, y]:.2g}")}


def table_a4(reading: Reading) -> Rows:
    """Yield the last recorded losses of the logits' parts, the rows of Table A.4."""
    for row in ROWS:
        for side in ("train", "test"):
            value = reading.line(f"table_a4_{row}_{side}").last
            if value is not None:
                yield {"part": row, "side": side, "loss": value}


def frequencies(reading: Reading) -> Rows:
    """Yield the loss of the last checkpoint without each single frequency."""
    losses = _frequency_losses(reading)
    if losses is None:
        return
    for place, outcomes in (("W_E", losses.embedding), ("class axis", losses.logits)):
        for k, outcome in enumerate(outcomes, 1):
            yield {
                "place": place,
                "k": k,
                "key": k in losses.keys,
                "loss": float(f"{outcome.loss.all:.3g}"),
                "whole": float(f"{losses.full.loss.all:.3g}"),
            }


def _frequency_losses(reading: Reading) -> FrequencyLosses | None:
    """Remove each frequency from the last network, in the basis that its explanation found."""
    folder, seed = reading.found.folder, reading.found.seed
    config = reading.found.config
    task = Task.from_config(config.task)
    try:
        explanation = read_or_explain(folder, seed)[0]
        network = load_network(folder, seed)
    except UsageError:
        return None
    used = structure_explained(explanation, task, 0, seed)
    keys = [k for family in explanation.families for k in family]
    if used is None or not keys:
        return None
    kind = make_split(task, config.task.train_fraction, config.task.split, seed).kind
    labels = task.labels(seed)[0].reshape(task.p, task.p)
    in_basis = NetworkInBasis(of_model(network.model), labels, Basis(used), kind)
    return frequency_losses(in_basis, keys)


SERIES_OF_A_RUN: Final[dict[str, Callable[[Reading], Rows]]] = {
    "etas": etas,
    "spectra": spectra,
    "logits": logit_norms,
    "losses": table_a4,
    "frequencies": frequencies,
}
"""Long tables that need nothing but the run."""
