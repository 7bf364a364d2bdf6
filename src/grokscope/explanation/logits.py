"""The logits as functions of the sum, in the Fourier basis of both inputs, and in three parts."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Final

import numpy as np
from jaxtyping import Bool, Float, Int

from grokscope.explanation.network import Outcome, Subject
from grokscope.explanation.pairs import over_pairs
from grokscope.fourier.characters import additive_basis
from grokscope.fourier.waves import real_waves
from grokscope.models import Model


@dataclass(frozen=True, eq=False)
class SumLogits:
    """The logits of the defined pairs, averaged over all pairs with the same sum.

    **Arguments:**

    - `sums`: u(x) + v(y) of each defined pair.
    - `logits`: logits of each defined pair, of answers that some sum leads to, without their mean
      over these answers.
    - `n`: order of the group.
    """

    sums: Int[np.ndarray, "pair"]
    logits: Float[np.ndarray, "pair class"]
    n: int

    @classmethod
    def of(cls, subject: Subject, logits: Float[np.ndarray, "p p class"]) -> "SumLogits":
        """Return the sums and centred logits of a subject's defined pairs."""
        inside = subject.matched.readout.inside
        chosen = np.asarray(logits[subject.defined][:, inside], np.float64)
        centred = chosen - chosen.mean(axis=1, keepdims=True)
        return cls(subject.matched.sums[subject.defined], centred, subject.matched.n)

    @cached_property
    def counts(self) -> Int[np.ndarray, "n"]:
        """Number of pairs with each sum."""
        return np.bincount(self.sums, minlength=self.n)

    @cached_property
    def mean(self) -> Float[np.ndarray, "n class"]:
        """Mean logits of each sum, 0 where no pair has it."""
        order = np.argsort(self.sums, kind="stable")
        present = np.flatnonzero(self.counts)
        starts = np.concatenate([[0], np.cumsum(self.counts[present])[:-1]])
        total = np.zeros((self.n, self.logits.shape[1]))
        total[present] = np.add.reduceat(self.logits[order], starts, axis=0)
        return total / np.maximum(self.counts, 1)[:, None]

    @cached_property
    def bias(self) -> Float[np.ndarray, "class"]:
        """Mean over all pairs: what the answers get whatever the input is."""
        return self.counts @ self.mean / max(1, self.counts.sum())

    @property
    def energy(self) -> float:
        """Sum of the squared logits."""
        return float(np.sum(self.logits**2))

    def waves(self, frequencies: tuple[int, ...]) -> Float[np.ndarray, "n mode"]:
        """Return cos and sin of 2πks/n of some frequencies, each without its mean over pairs."""
        waves = real_waves(np.arange(self.n), frequencies, self.n).reshape(self.n, -1)
        return waves - self.counts @ waves / max(1, self.counts.sum())

    def fit(self, frequencies: tuple[int, ...]) -> Float[np.ndarray, "mode class"]:
        """Return, per answer, the coefficients of the waves that fit the logits best."""
        waves = self.waves(frequencies)
        # least squares over pairs: (XᵀNX)⁺ XᵀN M, with N the number of pairs per sum
        weighted = waves * self.counts[:, None]
        return np.linalg.pinv(weighted.T @ waves, rcond=1e-9, hermitian=True) @ (
            weighted.T @ self.mean
        )


def logits_over_pairs(model: Model, task: int = 0) -> Float[np.ndarray, "p p class"]:
    """Return the logits at [x, y, answer], for one operation of a mixture (from 0)."""
    return np.concatenate(list(over_pairs(model, lambda logits, _: logits, task)))


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


def table_a4(subject: Subject, frequencies: Sequence[int]) -> dict[str, Outcome]:
    """Return accuracy and loss of every combination of the parts of the logits.

    The key part of the logits depends on the pair through cos and sin of 2πk(u(x) + v(y))/n at
    the key frequencies k, the non-key part through those at all others; the residual is the
    rest, the mean over all pairs among it. The first row is the network as it is.

    **Arguments:** the network and its structure; the key frequencies.

    **Source:** Furuta et al., arXiv 2402.16726, Table A.4; Nanda et al., arXiv 2301.05217.
    """
    found, answers = _parts(subject, frequencies)
    key, other = found
    whole = np.asarray(subject.logits[subject.defined], np.float64)
    residual = whole - key - other
    parts = (key, other, residual)
    return {
        row: _score(
            subject,
            sum((p for p, used in zip(parts, use, strict=True) if used), np.zeros_like(whole)),
            answers,
        )
        for row, use in ROWS.items()
    }


def keep_sums(subject: Subject, frequencies: Sequence[int]) -> Outcome:
    """Return the outcome of the key part of the logits and their mean over all pairs.

    What is left sees the pair only through the keys' waves of u(x) + v(y); along the answers
    nothing is taken out, so that a bias of the answers and any shape of their vectors stay.
    """
    sums = SumLogits.of(subject, subject.logits)
    keys = tuple(frequencies)
    inside = subject.matched.readout.inside
    kept = sums.bias + sums.waves(keys) @ sums.fit(keys)
    return _score(subject, _spread(subject, kept[sums.sums], inside), inside)


def trigonometric_losses(subject: Subject, frequencies: Sequence[int]) -> tuple[Outcome, Outcome]:
    """Return the outcomes of the trigonometric part of the logits alone, and of the rest.

    The trigonometric part holds, for every key k, cos and sin of k(u + v) times cos and sin of
    k times the answer's coordinate; the loss without it, on training pairs, is the excluded loss.

    **Source:** Nanda et al., arXiv 2301.05217.
    """
    sums = SumLogits.of(subject, subject.logits)
    keys = tuple(frequencies)
    readout, inside = subject.matched.readout, subject.matched.readout.inside
    coefficients, waves = sums.fit(keys), sums.waves(keys)
    trigonometric = np.zeros_like(sums.mean)
    for i, k in enumerate(keys):
        plane = readout.parts[0][k - 1][inside]
        here = slice(2 * i, 2 * i + 2)
        trigonometric += waves[:, here] @ (coefficients[here] @ plane @ plane.T)
    part = _spread(subject, trigonometric[sums.sums], inside)
    rest = np.asarray(subject.logits[subject.defined], np.float64) - part
    return _score(subject, part, inside), _score(subject, rest, inside)


def _parts(
    subject: Subject, frequencies: Sequence[int]
) -> tuple[list[Float[np.ndarray, "pair class"]], Bool[np.ndarray, "class"]]:
    """Return the key and the non-key part of the logits of the defined pairs."""
    sums = SumLogits.of(subject, subject.logits)
    keys = tuple(frequencies)
    key = sums.waves(keys) @ sums.fit(keys)
    other = sums.mean - sums.bias - key
    inside = subject.matched.readout.inside
    return [_spread(subject, part[sums.sums], inside) for part in (key, other)], inside


def _spread(
    subject: Subject,
    part: Float[np.ndarray, "pair ..."],
    inside: Bool[np.ndarray, "class"],
) -> Float[np.ndarray, "pair class"]:
    """Return a part over all answers, 0 for those that no sum leads to."""
    whole = np.zeros((len(part), subject.p))
    whole[:, inside] = part
    return whole


def _score(
    subject: Subject,
    logits: Float[np.ndarray, "pair class"],
    inside: Bool[np.ndarray, "class"],
) -> Outcome:
    """Score logits of the defined pairs; answers that no sum leads to never win."""
    whole = np.zeros((subject.p, subject.p, subject.p), np.float32)
    whole[subject.defined] = logits
    if not inside.all():
        low = logits.min(axis=1, keepdims=True) - 1e3
        whole[subject.defined] = np.where(inside, logits, low)
    return subject.score(whole)
