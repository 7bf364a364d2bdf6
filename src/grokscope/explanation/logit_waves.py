"""The logits as waves over both coordinates and the answer, and the formula made of a few."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final, NamedTuple

import numpy as np
from jaxtyping import Bool, Complex, Float, Int

from grokscope.explanation.ablation import norm_bias
from grokscope.explanation.findings import ClosedForm, Mode
from grokscope.explanation.key_shapes import answer_waves, key_shapes
from grokscope.explanation.network import NetworkInBasis
from grokscope.explanation.sum_logits import SumLogits
from grokscope.fourier.waves import all_frequencies, complex_waves, real_waves

STRONGEST: Final = 20
_SMALLEST: Final = 1e-9
"""Squared sine of the angle between a wave and its conjugate below which they are one."""


@dataclass(frozen=True, eq=False)
class LogitModes:
    """Modes of the logits.

    **Arguments:**

    - `n`: order of the group.
    - `shares`: share of the energy at [j, l, m]: j and l from 0 to n−1, m from 1 to ⌊n/2⌋ in
      place m − 1; (j, l, m) stands for its conjugate (−j, −l, −m) too, and what two places have
      in common is in one of them.
    """

    n: int
    shares: Float[np.ndarray, "n n freq"]

    def strongest(self, count: int = STRONGEST) -> tuple[Mode, ...]:
        """Return the modes with the largest shares, the largest first."""
        flat = self.shares.ravel()
        order = np.argsort(-flat, kind="stable")[:count]
        places = np.stack(np.unravel_index(order, self.shares.shape), axis=1)
        return tuple(
            Mode(*_signed([x, y, place + 1], self.n), share=float(flat[i]))
            for i, (x, y, place) in zip(order, places.tolist(), strict=True)
            if flat[i] > 0
        )

    @property
    def input_to_answer(self) -> Float[np.ndarray, "freq freq"]:
        """Share of the energy at [frequency of the input, frequency of the answer].

        Both go from 0 to ⌊n/2⌋. Row k holds the modes (±k, ±k, ±m), of u + v and of u − v; row 0
        those that no input changes, the bias of the answers. Column 0 is empty.
        """
        half = self.n // 2
        table = np.zeros((half + 1, half + 1))
        for k in range(half + 1):
            both = np.unique([k, -k % self.n])
            table[k, 1:] = self.shares[np.ix_(both, both)].sum(axis=(0, 1))
        return table


def logit_modes(network: NetworkInBasis) -> LogitModes:
    """Return how the energy of the logits is spread over the waves of u, v and the answer.

    The logit of an answer is spread evenly over the sums that lead to it, residues with the same
    coordinate are added up. Waves are taken without their means. The share of a mode is that of
    the plane of its wave and the conjugate; where a coordinate is not injective, the planes are
    not orthogonal, and shares do not sum to 1.

    **Arguments:** the network and its structure.
    """
    structure, every = network.basis.structure, all_frequencies(network.basis.n)
    answers = answer_waves(network, every)
    sides = [_Side.of(_waves(u, structure.n)) for u in (structure.u, structure.v)]
    last = _Side.of(answers[:, ::2] + 1j * answers[:, 1::2])
    logits = _centred_logits(network)
    energy = float(np.sum(logits**2))
    # a = Σ L(x, y, c) e^{−2πi(ju + lv + ms)/n}
    found = logits @ last.waves.conj()
    found = np.einsum(
        "xlm,xj->jlm", np.conj(sides[1].waves.T) @ found, sides[0].waves.conj(), optimize=True
    )
    power = _plane_energy(found, (*sides, last))
    power[_repeated(last, structure.n)] = 0
    return LogitModes(structure.n, power / energy if energy > 0 else power)


class _Side(NamedTuple):
    """Waves of one axis, with Σ|w|² and Σw² of each."""

    waves: Complex[np.ndarray, "p mode"]
    norm: Float[np.ndarray, "mode"]
    square: Complex[np.ndarray, "mode"]

    @classmethod
    def of(cls, waves: Complex[np.ndarray, "p mode"]) -> "_Side":
        return cls(waves, np.sum(np.abs(waves) ** 2, axis=0), np.sum(waves**2, axis=0))


def _waves(u: Int[np.ndarray, "p"], n: int) -> Complex[np.ndarray, "p n"]:
    """e^{2πiju/n} of every j without its mean, 0 where u is undefined; j = 0 is the constant."""
    inside = (u >= 0)[:, None]
    waves = complex_waves(u, range(n), n)
    mean = waves.sum(axis=0) / max(1, inside.sum())
    mean[0] = 0
    return np.where(inside, waves - mean, 0)


def _centred_logits(network: NetworkInBasis) -> Float[np.ndarray, "p p class"]:
    """Logits of answers that some sum leads to, without their mean; 0 at undefined pairs."""
    logits = np.asarray(network.logits[:, :, network.basis.answers.inside], np.float64)
    logits = logits - logits.mean(axis=2, keepdims=True)
    logits[~network.defined] = 0
    return logits


def _plane_energy(
    found: Complex[np.ndarray, "n n freq"], sides: Sequence[_Side]
) -> Float[np.ndarray, "n n freq"]:
    """Energy of the logits in the plane of each wave and its conjugate."""
    norm = np.einsum("j,l,m->jlm", *(side.norm for side in sides))
    square = np.einsum("j,l,m->jlm", *(side.square for side in sides))
    # with N = ‖w‖², q = Σw²: 2 (N|a|² − Re(q a²)) / (N² − |q|²), and |a|²/N where w is real
    apart = norm**2 - np.abs(square) ** 2
    is_plane = apart > _SMALLEST * norm**2
    power = np.abs(found) ** 2
    plane = 2 * (norm * power - np.real(square * found**2)) / np.where(is_plane, apart, 1)
    held = norm > _SMALLEST * norm.max(initial=0)
    return np.where(held, np.where(is_plane, plane, power / np.where(held, norm, 1)), 0)


def _repeated(last: _Side, n: int) -> Bool[np.ndarray, "n n freq"]:
    """Places whose wave stands at another place too: answers' waves that are real up to a phase.

    There m and −m are the same, so that (j, l, m) and (−j, −l, m) are conjugates.
    """
    is_real = np.abs(last.square) > (1 - _SMALLEST) * last.norm
    place = np.arange(n**2).reshape(n, n)
    opposite = -np.arange(n) % n
    later = place > place[np.ix_(opposite, opposite)]
    return later[:, :, None] & is_real


def _signed(place: Sequence[int], n: int) -> tuple[int, int, int]:
    """Frequencies from −⌊n/2⌋ to ⌊n/2⌋, the first that is not 0 positive."""
    signed = [k % n - n * (k % n > n // 2) for k in place]
    sign = next((1 if k > 0 else -1 for k in signed if k), 1)
    # n/2 is its own opposite
    x, y, answer = (k if 2 * abs(k) == n else sign * k for k in signed)
    return x, y, answer


def clock_formula(network: NetworkInBasis, frequencies: Sequence[int]) -> ClosedForm:
    """Replace the logits by Σ_k α_k Σ_{g(s) = c} cos(2πk(u + v − s)/n), one number per key.

    **Arguments:** the network and its structure; the key frequencies.
    """
    sums = network.sum_logits
    if not frequencies:
        return _judge(network, sums, np.zeros_like(sums.mean), 0)
    flat = np.stack([_clock(network, k).ravel() for k in frequencies], axis=1)
    weights = np.repeat(sums.counts, sums.mean.shape[1])
    # least squares over pairs and answers: α = (TᵀNT)⁺ TᵀN L̄
    weighted = flat * weights[:, None]
    amplitudes = np.linalg.pinv(weighted.T @ flat, rcond=1e-9) @ (weighted.T @ sums.mean.ravel())
    logits = (flat @ amplitudes).reshape(sums.mean.shape)
    return _judge(network, sums, logits, len(frequencies))


def ellipse_formula(
    network: NetworkInBasis, frequencies: Sequence[int], *, bias: bool = True
) -> ClosedForm:
    """Replace the logits by the nearest answer on ellipses, three numbers per key.

    With z(s) the waves of all keys, scaled by Q (the symmetric part of what joins sum and answer
    at each key), the logit of c is z(s)·Q·z(c) − ½ z(c)·Q·z(c), which is −½ (z(s) − z(c))² up to
    what all answers share. Where all keys are circles the second term is the same for all c, and
    this is the clock.

    **Arguments:** as for `clock_formula`; `bias`: whether the second term is there.
    """
    sums = network.sum_logits
    waves, answers = sums.waves(tuple(frequencies)), answer_waves(network, frequencies)
    inside = network.basis.answers.inside
    logits = np.zeros_like(sums.mean)
    if bias:
        logits += norm_bias(network, frequencies)[inside]
    for i, found in enumerate(key_shapes(network, frequencies)):
        here = slice(2 * i, 2 * i + 2)
        Q = (found.block + found.block.T) / 2
        logits += waves[:, here] @ Q @ answers[:, here].T
    return _judge(network, sums, logits, 3 * len(frequencies))


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


def _judge(
    network: NetworkInBasis,
    sums: SumLogits,
    formula: Float[np.ndarray, "n class"],
    numbers: int,
) -> ClosedForm:
    """Compare a formula, logits per sum, with the network pair by pair."""
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
