"""What each key is in the logits, a circle or a line, and the clock made of all of them."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from jaxtyping import Float, Int

from grokscope.explanation.findings import ClosedForm, KeyShape
from grokscope.explanation.in_basis import NetworkInBasis
from grokscope.fourier.waves import real_waves


@dataclass(frozen=True, eq=False, kw_only=True)
class FittedShape(KeyShape):
    """The shape of a key with what it was read from."""

    block: Float[np.ndarray, "2 2"]
    """Coefficients of (cos, sin) of the sum, in rows, times (cos, sin) of the answer."""

    @property
    def symmetric(self) -> Float[np.ndarray, "2 2"]:
        """Symmetric part of the block."""
        return (self.block + self.block.T) / 2


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
        major, minor = np.linalg.svd(block, compute_uv=False).tolist()
        forced = bool(np.linalg.matrix_rank(answers[:, here], tol=1e-7 * network.p) < 2)
        shape = FittedShape(frequency=int(k), major=major, minor=minor, forced=forced, block=block)
        shapes.append(shape)
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


@dataclass(frozen=True, eq=False)
class Clock:
    """The formula Σ_k α_k Σ_{g(s) = c} cos(2πk(u + v − s)/n), with one amplitude per key.

    **Arguments:**

    - `frequencies`: the keys.
    - `amplitudes`: α of each.
    - `votes`: at [sum, answer, key], what a key adds to the logit of an answer that some sum
      leads to, without its mean over these answers.
    - `answers`: these answers.
    """

    frequencies: tuple[int, ...]
    amplitudes: Float[np.ndarray, "freq"]
    votes: Float[np.ndarray, "n class freq"]
    answers: Int[np.ndarray, "class"]

    @property
    def logits(self) -> Float[np.ndarray, "n class"]:
        """Sum of the votes of all keys, per sum."""
        return self.votes.sum(axis=2)


def clock(network: NetworkInBasis, frequencies: Sequence[int]) -> Clock:
    """Fit one amplitude per key to the logits, by least squares over pairs and answers.

    **Arguments:** the network and its structure; the key frequencies.
    """
    sums, answers = network.sum_logits, np.flatnonzero(network.basis.answers.inside)
    shape = (*sums.mean.shape, len(frequencies))
    if not frequencies:
        return Clock((), np.zeros(0), np.zeros(shape), answers)
    flat = np.stack([_clock(network, k).ravel() for k in frequencies], axis=1)
    weights = np.repeat(sums.counts, sums.mean.shape[1])
    # least squares over pairs and answers: α = (TᵀNT)⁺ TᵀN L̄
    weighted = flat * weights[:, None]
    amplitudes = np.linalg.pinv(weighted.T @ flat, rcond=1e-9) @ (weighted.T @ sums.mean.ravel())
    return Clock(tuple(frequencies), amplitudes, (flat * amplitudes).reshape(shape), answers)


def clock_formula(network: NetworkInBasis, frequencies: Sequence[int]) -> ClosedForm:
    """Replace the logits by the `Clock` of some keys, one number per key.

    **Arguments:** the network and its structure; the key frequencies.
    """
    return compared(network, clock(network, frequencies).logits, len(frequencies))


def _clock(network: NetworkInBasis, k: int) -> Float[np.ndarray, "n class"]:
    """Σ over the sums s that lead to an answer of cos(2πk(t − s)/n), for all t, centred."""
    g, n = network.basis.structure.g, network.basis.n
    s = np.flatnonzero(g >= 0)
    cosine = real_waves(np.arange(n), [k], n)[:, 0, 0]
    turned = cosine[(np.arange(n)[:, None] - s[None]) % n]
    onto = np.zeros((len(s), network.p))
    onto[np.arange(len(s)), g[s]] = 1
    template = (turned @ onto)[:, network.basis.answers.inside]
    return template - template.mean(axis=1, keepdims=True)


def compared(
    network: NetworkInBasis, formula: Float[np.ndarray, "n class"], numbers: int
) -> ClosedForm:
    """Compare a formula, logits per sum, with the network pair by pair."""
    sums = network.sum_logits
    formula = formula - formula.mean(axis=1, keepdims=True)
    answers = np.flatnonzero(network.basis.answers.inside)
    said = answers[np.argmax(formula, axis=1)][sums.sums]
    answered = np.argmax(network.logits[network.defined], axis=1)
    error = np.sum((sums.logits - formula[sums.sums]) ** 2)
    return ClosedForm(
        agreement=float(np.mean(said == answered)),
        accuracy=float(np.mean(said == network.labels[network.defined])),
        variance_explained=1 - float(error) / sums.energy if sums.energy > 0 else 0.0,
        numbers=numbers,
    )
