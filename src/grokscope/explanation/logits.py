"""The logits in the Fourier basis of both inputs, and in three parts."""

from collections.abc import Sequence
from typing import Any, Final

import numpy as np
from jaxtyping import Bool, Float

from grokscope.explanation.findings import TableA4
from grokscope.explanation.network import NetworkInBasis
from grokscope.explanation.outcome import BySide, Outcome
from grokscope.explanation.pairs import over_pairs
from grokscope.fourier.characters import additive_basis
from grokscope.models import Model


def logits_over_pairs(model: Model, operation_index: int = 0) -> Float[np.ndarray, "p p class"]:
    """Return the logits at [x, y, answer], for one operation of a mixture (from 0)."""
    return np.concatenate(list(over_pairs(model, lambda logits, _: logits, operation_index)))


def frequency_pair_norms(logits: Float[Any, "p p class"]) -> Float[np.ndarray, "mode mode"]:
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


ROWS: Final[dict[str, tuple[bool, bool, bool]]] = {
    "train_loss": (True, True, True),
    "restricted_loss": (True, False, False),
    "ablation_a": (False, True, False),
    "ablation_b": (False, False, True),
    "ablation_c": (True, True, False),
    "ablation_d": (True, False, True),
    "ablation_e": (False, True, True),
}
"""Rows of Table A.4 → whether the key, the non-key and the residual part are in them."""


def table_a4(network: NetworkInBasis, frequencies: Sequence[int]) -> TableA4:
    """Return the loss of every combination of the parts of the logits.

    The key part of the logits depends on the pair through cos and sin of 2πk(u(x) + v(y))/n at
    the key frequencies k, the non-key part through those at all others; the residual is the
    rest, the mean over all pairs among it. The first row is the network as it is.

    **Arguments:** the network and its structure; the key frequencies.

    **Source:** Furuta et al., arXiv 2402.16726, Table A.4; Nanda et al., arXiv 2301.05217.
    """
    found, answers = _parts(network, frequencies)
    key, other = found
    whole = np.asarray(network.logits[network.defined], np.float64)
    residual = whole - key - other
    parts = (key, other, residual)

    def loss(use: tuple[bool, ...]) -> BySide:
        chosen = (part for part, used in zip(parts, use, strict=True) if used)
        return _score(network, sum(chosen, np.zeros_like(whole)), answers).loss

    return TableA4(**{row: loss(use) for row, use in ROWS.items()})


def keep_sums(network: NetworkInBasis, frequencies: Sequence[int]) -> Outcome:
    """Return the outcome of the key part of the logits and their mean over all pairs.

    What is left sees the pair only through the keys' waves of u(x) + v(y); along the answers
    nothing is taken out, so that a bias of the answers and any shape of their vectors stay.
    """
    sums = network.sum_logits
    keys = tuple(frequencies)
    inside = network.basis.answers.inside
    kept = sums.bias + sums.waves(keys) @ sums.fit(keys)
    return _score(network, _spread(network, kept[sums.sums], inside), inside)


def trigonometric_losses(
    network: NetworkInBasis, frequencies: Sequence[int]
) -> tuple[Outcome, Outcome]:
    """Return the outcomes of the trigonometric part of the logits alone, and of the rest.

    The trigonometric part holds, for every key k, cos and sin of k(u + v) times cos and sin of
    k times the answer's coordinate; the loss without it, on training pairs, is the excluded loss.

    **Source:** Nanda et al., arXiv 2301.05217.
    """
    sums = network.sum_logits
    keys = tuple(frequencies)
    answers, inside = network.basis.answers, network.basis.answers.inside
    coefficients, waves = sums.fit(keys), sums.waves(keys)
    trigonometric = np.zeros_like(sums.mean)
    for i, k in enumerate(keys):
        plane = answers.parts[0][k - 1][inside]
        here = slice(2 * i, 2 * i + 2)
        trigonometric += waves[:, here] @ (coefficients[here] @ plane @ plane.T)
    part = _spread(network, trigonometric[sums.sums], inside)
    rest = np.asarray(network.logits[network.defined], np.float64) - part
    return _score(network, part, inside), _score(network, rest, inside)


def _parts(
    network: NetworkInBasis, frequencies: Sequence[int]
) -> tuple[list[Float[np.ndarray, "pair class"]], Bool[np.ndarray, "class"]]:
    """Return the key and the non-key part of the logits of the defined pairs."""
    sums = network.sum_logits
    keys = tuple(frequencies)
    key = sums.waves(keys) @ sums.fit(keys)
    other = sums.mean - sums.bias - key
    inside = network.basis.answers.inside
    return [_spread(network, part[sums.sums], inside) for part in (key, other)], inside


def _spread(
    network: NetworkInBasis,
    part: Float[np.ndarray, "pair ..."],
    inside: Bool[np.ndarray, "class"],
) -> Float[np.ndarray, "pair class"]:
    """Return a part over all answers, 0 for those that no sum leads to."""
    whole = np.zeros((len(part), network.p))
    whole[:, inside] = part
    return whole


def _score(
    network: NetworkInBasis,
    logits: Float[np.ndarray, "pair class"],
    inside: Bool[np.ndarray, "class"],
) -> Outcome:
    """Score logits of the defined pairs; answers that no sum leads to never win."""
    whole = np.zeros((network.p, network.p, network.p), np.float32)
    whole[network.defined] = logits
    if not inside.all():
        low = logits.min(axis=1, keepdims=True) - 1e3
        whole[network.defined] = np.where(inside, logits, low)
    return network.score(whole)
