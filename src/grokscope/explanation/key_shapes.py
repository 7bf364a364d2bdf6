"""How a key is embedded and read: the two directions of each character, circle or line."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final, Literal

import numpy as np
from jaxtyping import Bool, Float

from grokscope.explanation.findings import KeyShape
from grokscope.explanation.network import NetworkInBasis
from grokscope.fourier.characters import orthonormal
from grokscope.fourier.waves import real_waves

Coordinate = Literal["u", "v"]
_SMALLEST: Final = 1e-6
"""Part of a plane beyond others, as a share of its norm, that is round-off."""


def frames(
    network: NetworkInBasis,
    frequencies: Sequence[int],
    coordinate: Coordinate = "u",
    table: Float[np.ndarray, "p d_model"] | None = None,
) -> Float[np.ndarray, "freq 2 d_model"]:
    """Return the vectors that multiply cos ku and sin ku in the embedding.

    W_E is fitted by P₀, the characters of the coordinate asked for at all frequencies, and those
    planes of the other coordinate that do not lie in their span. Where they do, as in 2x + 3y with
    frequencies 2k = ±3k', what both share belongs to the coordinate asked for.

    **Arguments:**

    - `network`: the network and its structure.
    - `frequencies`: the frequencies to be told apart, the keys.
    - `coordinate`: `u` for what position x uses, `v` for what position y uses.
    - `table`: what is fitted; by default W_E.

    **Returns:** at [frequency, cosine | sine]; of all solutions the smallest where characters are
    not independent, so that a sine that does not exist has the vector 0.
    """
    structure, characters = network.basis.structure, network.basis.inputs
    u, v = structure.u, structure.v
    own, other = (u, v) if coordinate == "u" else (v, u)
    mine, theirs = (
        _columns(real_waves(w, frequencies, structure.n), characters.inside) for w in (own, other)
    )
    beyond = np.repeat(_are_beyond(theirs, characters.free, mine), 2)
    design = np.concatenate([characters.free, mine, theirs[:, beyond]], axis=1)
    # E ≈ [P₀ U V]·A in the least squares
    fitted = np.linalg.pinv(design, rcond=_SMALLEST) @ (
        network.embedding if table is None else table
    )
    first = characters.free.shape[1]
    return fitted[first : first + mine.shape[1]].reshape(len(frequencies), 2, fitted.shape[1])


def _columns(
    waves: Float[np.ndarray, "p freq 2"], inside: Bool[np.ndarray, "p"]
) -> Float[np.ndarray, "p column"]:
    """Waves as columns, 0 at the rows that P₀ has to itself."""
    return np.where(inside[:, None], waves.reshape(len(waves), -1), 0.0)


def _are_beyond(
    planes: Float[np.ndarray, "p column"],
    free: Float[np.ndarray, "p mode"],
    own: Float[np.ndarray, "p column"],
) -> Bool[np.ndarray, "freq"]:
    """Which planes, pairs of columns, do not lie within P₀ and what a coordinate spans."""
    known = orthonormal(np.concatenate([free, own / np.sqrt(len(own))], axis=1))
    rest = planes - known @ (known.T @ planes)
    size = np.linalg.norm(rest.reshape(len(rest), -1, 2), axis=(0, 2))
    return size > _SMALLEST * np.sqrt(len(own))


@dataclass(frozen=True, eq=False, kw_only=True)
class FittedShape(KeyShape):
    """The shape of a key with what it was read from."""

    block: Float[np.ndarray, "2 2"]
    """Coefficients of (cos, sin) of the sum, in rows, times (cos, sin) of the answer."""


def key_shapes(network: NetworkInBasis, frequencies: Sequence[int]) -> list[FittedShape]:
    """Return the shape of every key in the logits.

    **Arguments:** the network and its structure; the key frequencies.
    """
    if not frequencies:
        return []
    coefficients = network.sum_logits.fit(tuple(frequencies))
    answers = answer_waves(network, frequencies)
    # logits ≈ waves · B · answersᵀ, all keys at once: waves of answers may overlap
    joined = coefficients @ np.linalg.pinv(answers, rcond=1e-7).T
    shapes = []
    for i, k in enumerate(frequencies):
        here = slice(2 * i, 2 * i + 2)
        block = joined[here, here]
        major, minor = np.linalg.svd(block, compute_uv=False)
        forced = np.linalg.matrix_rank(answers[:, here], tol=1e-7 * network.p) < 2
        shapes.append(
            FittedShape(
                frequency=int(k),
                major=float(major),
                minor=float(minor),
                forced=bool(forced),
                block=block,
            )
        )
    return shapes


def answer_waves(
    network: NetworkInBasis, frequencies: Sequence[int]
) -> Float[np.ndarray, "class mode"]:
    """Return cos and sin of 2πks/n per answer, the mean over all sums s that lead to it.

    Only answers that some sum leads to have a row; columns have mean 0.
    """
    g, n = network.basis.structure.g, network.basis.n
    inside = network.basis.answers.inside
    waves = real_waves(np.arange(n), frequencies, n).reshape(n, -1)
    reached = g >= 0
    total = np.zeros((network.p, waves.shape[1]))
    np.add.at(total, g[reached], waves[reached])
    count = np.bincount(g[reached], minlength=network.p)
    means = total[inside] / count[inside][:, None]
    return means - means.mean(axis=0)
