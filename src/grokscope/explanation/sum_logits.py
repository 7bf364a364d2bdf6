"""The logits as functions of the sum u(x) + v(y)."""

from dataclasses import dataclass
from functools import cached_property

import numpy as np
from jaxtyping import Bool, Float, Int

from grokscope.fourier.basis import Basis
from grokscope.fourier.waves import real_waves


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
    def of(
        cls,
        basis: Basis,
        defined: Bool[np.ndarray, "p p"],
        logits: Float[np.ndarray, "p p class"],
    ) -> "SumLogits":
        """Return the sums and centred logits of the defined pairs.

        **Arguments:** the structure; pairs that are defined; logits at [x, y, answer].
        """
        chosen = np.asarray(logits[defined][:, basis.answers.inside], np.float64)
        centred = chosen - chosen.mean(axis=1, keepdims=True)
        return cls(basis.sums[defined], centred, basis.n)

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

    @cached_property
    def energy(self) -> float:
        """Sum of the squared logits."""
        return float(np.sum(self.logits**2))

    def waves(self, frequencies: tuple[int, ...]) -> Float[np.ndarray, "n mode"]:
        """Return cos and sin of 2πks/n of some frequencies, each without its mean over pairs."""
        waves = real_waves(np.arange(self.n), frequencies, self.n).reshape(self.n, -1)
        return waves - self.counts @ waves / max(1, self.counts.sum())

    @cached_property
    def _fits(self) -> dict[tuple[int, ...], Float[np.ndarray, "mode class"]]:
        return {}

    def fit(self, frequencies: tuple[int, ...]) -> Float[np.ndarray, "mode class"]:
        """Return, per answer, the coefficients of the waves that fit the logits best."""
        if frequencies not in self._fits:
            self._fits[frequencies] = self._fitted(frequencies)
        return self._fits[frequencies]

    def _fitted(self, frequencies: tuple[int, ...]) -> Float[np.ndarray, "mode class"]:
        waves = self.waves(frequencies)
        # least squares over pairs: (XᵀNX)⁺ XᵀN M, with N the number of pairs per sum
        weighted = waves * self.counts[:, None]
        return np.linalg.pinv(weighted.T @ waves, rcond=1e-9, hermitian=True) @ (
            weighted.T @ self.mean
        )
