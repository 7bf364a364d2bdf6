"""The logits as functions of x and y, in the Fourier basis of both."""

from typing import Any

import numpy as np
from jaxtyping import Float

from grokscope.circuits.pairs import over_pairs
from grokscope.models import Model
from grokscope.spectra.basis import additive_basis


def logits_over_pairs(model: Model, task: int = 0) -> Float[np.ndarray, "p p class"]:
    """Return the logits at [x, y, answer], for one operation of a mixture (from 0)."""
    return np.concatenate(list(over_pairs(model, lambda logits, _: logits, task)))


def mode_norms(logits: Float[Any, "p p class"]) -> Float[np.ndarray, "mode mode"]:
    """Return how much of the logits each product of a mode of x and a mode of y holds.

    The mean over the answers, which no probability depends on, is taken out first.

    **Arguments:**

    - `logits`: at [x, y, answer].

    **Returns:** norms over the answers of the coefficients at [mode of x, mode of y], modes in
    the order constant, cos 1, sin 1, cos 2 …; their squares sum to those of the centred logits.

    **Source:** Nanda et al., arXiv 2301.05217.
    """
    logits = np.asarray(logits)
    p = len(logits)
    basis = additive_basis(p)
    along_y = np.empty(logits.shape, logits.dtype)
    for x, row in enumerate(logits):
        along_y[x] = basis.T @ (row - row.mean(axis=1, keepdims=True, dtype=np.float64))
    norms = np.empty((p, p))
    for mode in range(p):
        # ‖Σ_x Σ_y B[x, i] B[y, j] logits[x, y, ·]‖
        norms[:, mode] = np.linalg.norm(basis.T @ along_y[:, mode], axis=1)
    return norms
