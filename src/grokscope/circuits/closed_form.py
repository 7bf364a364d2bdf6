"""The network replaced by a formula with a few numbers that were read from it."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from jaxtyping import Float

from grokscope.circuits.norm_bias import norm_bias
from grokscope.circuits.shapes import answer_waves, key_shapes
from grokscope.circuits.subject import Subject
from grokscope.circuits.sums import SumLogits


@dataclass(frozen=True)
class ClosedForm:
    """A formula for the logits, and how well it stands for the network on all defined pairs."""

    frequencies: tuple[int, ...]
    agreement: float
    """Share of pairs at which formula and network give the same answer."""
    accuracy: float
    """Share of pairs at which the formula is right."""
    variance_explained: float
    """1 − squared error over the squared logits, both without their mean over the answers."""
    numbers: int
    """Amplitudes that were read from the network."""


def clock_formula(subject: Subject, frequencies: Sequence[int]) -> ClosedForm:
    """Replace the logits by Σ_k α_k Σ_{g(s) = c} cos(2πk(u + v − s)/n), one number per key.

    **Arguments:** the network and its structure; the key frequencies.
    """
    sums = SumLogits.of(subject, subject.logits)
    templates = [_clock(subject, k) for k in frequencies]
    flat = np.stack([t.ravel() for t in templates], axis=1) if templates else np.zeros((0, 0))
    if not templates:
        return _judge(subject, sums, np.zeros_like(sums.mean), frequencies, 0)
    weights = np.repeat(sums.counts, sums.mean.shape[1])
    # least squares over pairs and answers: α = (TᵀNT)⁺ TᵀN L̄
    weighted = flat * weights[:, None]
    amplitudes = np.linalg.pinv(weighted.T @ flat, rcond=1e-9) @ (weighted.T @ sums.mean.ravel())
    return _judge(subject, sums, (flat @ amplitudes).reshape(sums.mean.shape), frequencies,
                  len(templates))  # fmt: skip


def ellipse_formula(
    subject: Subject, frequencies: Sequence[int], *, bias: bool = True
) -> ClosedForm:
    """Replace the logits by the nearest answer on ellipses, three numbers per key.

    With z(s) the waves of all keys, scaled by Q (the symmetric part of what joins sum and answer
    at each key), the logit of c is z(s)·Q·z(c) − ½ z(c)·Q·z(c), which is −½ (z(s) − z(c))² up to
    what all answers share. Where all keys are circles the second term is the same for all c, and
    this is the clock.

    **Arguments:** as for `clock_formula`; `bias`: whether the second term is there.
    """
    sums = SumLogits.of(subject, subject.logits)
    waves, answers = sums.waves(tuple(frequencies)), answer_waves(subject, frequencies)
    inside = subject.matched.readout.inside
    logits = np.zeros_like(sums.mean)
    if bias:
        logits += norm_bias(subject, frequencies)[inside]
    for i, found in enumerate(key_shapes(subject, frequencies)):
        here = slice(2 * i, 2 * i + 2)
        Q = (found.block + found.block.T) / 2
        logits += waves[:, here] @ Q @ answers[:, here].T
    return _judge(subject, sums, logits, frequencies, 3 * len(frequencies))


def _clock(subject: Subject, k: int) -> Float[np.ndarray, "n class"]:
    """Σ over the sums s that lead to an answer of cos(2πk(t − s)/n), for all t, centred."""
    g, n = subject.matched.structure.g, subject.matched.n
    s = np.flatnonzero(g >= 0)
    turned = np.cos(2 * np.pi / n * (k * (np.arange(n)[:, None] - s[None]) % n))
    onto = np.zeros((len(s), subject.p))
    onto[np.arange(len(s)), g[s]] = 1
    template = (turned @ onto)[:, subject.matched.readout.inside]
    return template - template.mean(axis=1, keepdims=True)


def _judge(
    subject: Subject,
    sums: SumLogits,
    formula: Float[np.ndarray, "n class"],
    frequencies: Sequence[int],
    numbers: int,
) -> ClosedForm:
    """Compare a formula, logits per sum, with the network pair by pair."""
    formula = formula - formula.mean(axis=1, keepdims=True)
    answers = np.flatnonzero(subject.matched.readout.inside)
    said = answers[np.argmax(formula, axis=1)][sums.sums]
    network = np.argmax(subject.logits[subject.defined], axis=1)
    error = np.sum((sums.logits - formula[sums.sums]) ** 2)
    return ClosedForm(
        frequencies=tuple(int(k) for k in frequencies),
        agreement=float(np.mean(said == network)),
        accuracy=float(np.mean(said == subject.labels[subject.defined])),
        variance_explained=1 - float(error) / sums.energy if sums.energy > 0 else 0.0,
        numbers=numbers,
    )
