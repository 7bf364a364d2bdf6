"""Muon for the matrices between the tables, AdamW for the tables."""

from typing import Any, Final

import jax
import optax
from jaxtyping import Array, Float
from optax.contrib import MuonDimensionNumbers

from grokscope.models import matrices

_INTO_HEADS: Final = MuonDimensionNumbers(reduction_axis=1, output_axis=(0, 2))
_PLAIN: Final = MuonDimensionNumbers(reduction_axis=0, output_axis=1)
_DIMENSIONS: Final = {
    "W_Q": _INTO_HEADS,
    "W_K": _INTO_HEADS,
    "W_V": _INTO_HEADS,
    "W_O": MuonDimensionNumbers(reduction_axis=(0, 1), output_axis=2),
    "W_in": _PLAIN,
    "W_hidden": _PLAIN,
    "W_out": _PLAIN,
}
"""Which axes of a matrix are its input and which its output; W_E and W_U are tables."""
RMS: Final = 0.2
"""Root mean square of a step's entries at learning rate 1, that of AdamW's in practice."""


def muon(
    rate: optax.Schedule | Float[Array, ""],
    momentum: float,
    weight_decay: Float[Array, ""],
    tables: optax.GradientTransformation,
) -> optax.GradientTransformation:
    """Return Muon: every step's momentum is replaced by the nearest orthogonal matrix.

    **Arguments:**

    - `rate`: learning rate, or its schedule.
    - `momentum`: decay of the gradient's running mean (Nesterov's).
    - `weight_decay`: decoupled, as in AdamW.
    - `tables`: optimiser of W_E and W_U, which are lists of vectors and not maps.

    **Returns:** the optimiser of a whole network. An attention matrix is one matrix from the
    residual stream to all heads (W_O: from all heads), as in Jordan's code. Steps have AdamW's
    usual size, so that one learning rate serves both halves.

    **Source:** Jordan 2024, github.com/KellerJordan/Muon, in `optax.contrib.muon`; size of the
    step: Liu et al. 2025, arXiv 2502.16982.
    """
    hidden = optax.contrib.muon(
        rate,
        beta=momentum,
        weight_decay=weight_decay,
        muon_weight_dimension_numbers=_dimensions,
        consistent_rms=RMS,
    )
    return optax.partition({"hidden": hidden, "tables": tables}, _labels)


def _dimensions(weights: Any) -> Any:
    """Return a tree with the axes of every matrix that is there."""
    return jax.tree_util.tree_map(_DIMENSIONS.get, matrices(weights))


def _labels(weights: Any) -> Any:
    """Return a tree with the name of each matrix's optimiser."""
    return jax.tree_util.tree_map(
        lambda name: "hidden" if name in _DIMENSIONS else "tables", matrices(weights)
    )
