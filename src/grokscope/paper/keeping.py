"""What some experiments keep of each run beside its row: long tables, one function each."""

from collections.abc import Callable, Iterator, Sequence
from typing import Any, Final

import numpy as np

from grokscope.circuits.frequency_losses import FrequencyLosses, frequency_losses
from grokscope.circuits.logit_parts import ROWS
from grokscope.circuits.logits import logits_over_pairs, mode_norms
from grokscope.circuits.matched import Matched
from grokscope.circuits.subject import Subject
from grokscope.errors import UsageError
from grokscope.inspection.network import load_network
from grokscope.inspection.store import explained, structure_explained
from grokscope.measures import ffs_of
from grokscope.measures.thinning import thin
from grokscope.paper.reading import Reading
from grokscope.paper.summary import TABLES
from grokscope.spectra.spectrum import Spectrum
from grokscope.tasks import Task, make_split

ETAS: Final = (0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9)
LARGEST_ROWS: Final = 9_000
"""Rows of one long table over all runs: about 300 kB."""
_SMALLEST_SHARE: Final = 0.02
"""Norms of logits below this part of the largest are not kept."""
_FEWEST: Final = 4
_MOST: Final = 60
Rows = Iterator[dict[str, Any]]


def buckets(n_lines: int) -> int:
    """Return how many stretches each curve may keep, so that all together stay small."""
    return max(_FEWEST, min(_MOST, LARGEST_ROWS // (3 * max(1, n_lines))))


def curves(reading: Reading, names: Sequence[str], many: int, operations: Sequence[str]) -> Rows:
    """Yield the points of some curves that `thin` keeps.

    **Arguments:**

    - `reading`: one seed of a run.
    - `names`: measures, with their matrix after a space.
    - `many`: stretches per curve.
    - `operations`: those of a mixture, whose accuracies are kept, too.
    """
    places = [(name, None) for name in names]
    places += [(name, op) for op in operations for name in names if "accuracy" in name]
    for name, operation in places:
        line = reading.line(name, operation)
        for i in thin(line.values, many):
            yield {"measure": name, "task": operation, "step": int(line.steps[i]),
                   "value": float(f"{line.values[i]:.3g}")}  # fmt: skip


def spectra(reading: Reading) -> Rows:
    """Yield the cosine and sine norms of both tables at the last recorded step, per frequency."""
    for matrix in TABLES:
        steps = [step for name, step in reading.spectra if name == matrix]
        if not steps:
            continue
        cos, sin = reading.spectra[matrix, max(steps)]
        for k, (a, b) in enumerate(zip(cos, sin, strict=True), 1):
            yield {"matrix": matrix, "step": max(steps), "k": k,
                   "cos": float(f"{a:.3g}"), "sin": float(f"{b:.3g}")}  # fmt: skip


def etas(reading: Reading, many: int) -> Rows:
    """Yield FFS over training for every threshold η, from the recorded spectra."""
    p = reading.found.config.task.p
    for matrix in TABLES:
        steps = np.array(sorted(step for name, step in reading.spectra if name == matrix), int)
        for eta in ETAS:
            found = (Spectrum(*reading.spectra[matrix, int(step)]) for step in steps)
            values = np.array([float(ffs_of(spectrum, p, eta)) for spectrum in found])
            for i in thin(values, many):
                yield {"matrix": matrix, "eta": eta, "step": int(steps[i]),
                       "value": float(f"{values[i]:.3g}")}  # fmt: skip


def logit_norms(reading: Reading) -> Rows:
    """Yield the norms of the last checkpoint's logits per pair of frequencies of x and y."""
    try:
        network = load_network(reading.found.folder, reading.found.seed)
    except UsageError:  # no checkpoint, or weights that are not finite
        return
    norms = mode_norms(logits_over_pairs(network.model))
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
    for place, outcomes in (("W_E", losses.embedding), ("class axis", losses.readout)):
        for k, outcome in enumerate(outcomes, 1):
            yield {"place": place, "k": k, "key": k in losses.keys,
                   "loss": float(f"{outcome.loss['all']:.3g}"),
                   "whole": float(f"{losses.full.loss['all']:.3g}")}  # fmt: skip


def _frequency_losses(reading: Reading) -> FrequencyLosses | None:
    """Remove each frequency from the last network, in the basis that its explanation found."""
    folder, seed = reading.found.folder, reading.found.seed
    config = reading.found.config
    task = Task.from_config(config.task)
    try:
        document = explained(folder, seed)[0]
        network = load_network(folder, seed)
    except UsageError:
        return None
    used = structure_explained(document, task, 0, seed)
    keys = [k for family in document["families"] for k in family]
    if used is None or not keys:
        return None
    kind = make_split(task, config.task.train_fraction, config.task.split, seed).kind
    labels = task.labels(seed)[0].reshape(task.p, task.p)
    subject = Subject(network.model, labels, Matched(used), kind)
    return frequency_losses(subject, keys)


KEEPERS: Final[dict[str, Callable[[Reading], Rows]]] = {
    "spectra": spectra,
    "logits": logit_norms,
    "losses": table_a4,
    "frequencies": frequencies,
}
"""Long tables that need nothing but the run."""
