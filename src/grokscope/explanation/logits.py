"""The parts of the logits: by key frequencies, and by waves of both inputs and the answer."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final, NamedTuple

import numpy as np
from jaxtyping import Bool, Complex, Float, Int

from grokscope.explanation.findings import BySide, Mode, Outcome, TableA4
from grokscope.explanation.formulas import answer_waves
from grokscope.explanation.in_basis import NetworkInBasis
from grokscope.explanation.pairs import Logits
from grokscope.fourier.characters import additive_basis
from grokscope.fourier.waves import all_frequencies, complex_waves

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
    sums = network.sum_logits
    key = sums.part(tuple(frequencies))
    whole = np.asarray(network.logits[network.defined], np.float64)
    in_keys, in_others = (
        network.of_all_answers(part[sums.sums]) for part in (key, sums.mean - sums.bias - key)
    )
    parts = (in_keys, in_others, whole - in_keys - in_others)

    def loss(use: tuple[bool, ...]) -> BySide:
        chosen = (part for part, used in zip(parts, use, strict=True) if used)
        return network.score_pairs(sum(chosen, np.zeros_like(whole))).loss

    return TableA4(**{row: loss(use) for row, use in ROWS.items()})


def keep_sums(network: NetworkInBasis, frequencies: Sequence[int]) -> Outcome:
    """Return the outcome of the key part of the logits and their mean over all pairs.

    What is left sees the pair only through the keys' waves of u(x) + v(y); along the answers
    nothing is taken out, so that a bias of the answers and any shape of their vectors stay.
    """
    sums = network.sum_logits
    kept = sums.bias + sums.part(tuple(frequencies))
    return network.score_pairs(network.of_all_answers(kept[sums.sums]))


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
    answers = network.basis.answers
    coefficients, waves = sums.fit(keys), sums.waves(keys)
    trigonometric = np.zeros_like(sums.mean)
    for i, k in enumerate(keys):
        plane = answers.parts[0][k - 1][answers.inside]
        here = slice(2 * i, 2 * i + 2)
        trigonometric += waves[:, here] @ (coefficients[here] @ plane @ plane.T)
    part = network.of_all_answers(trigonometric[sums.sums])
    rest = np.asarray(network.logits[network.defined], np.float64) - part
    return network.score_pairs(part), network.score_pairs(rest)


def frequency_pair_norms(logits: Float[Any, "p p class"]) -> Float[np.ndarray, "mode mode"]:
    """Return how much of the logits each product of a mode of x and a mode of y holds.

    The mean over the answers, which no probability depends on, is taken out first.

    **Arguments:**

    - `logits`: at [x, y, answer].

    **Returns:** norms over the answers of the coefficients at [mode of x, mode of y], modes in
    the order constant, cos 1, sin 1, cos 2 …; their squares sum to those of the centred logits.

    **Source:** Nanda et al., arXiv 2301.05217.
    """
    basis = additive_basis(len(np.asarray(logits)))
    return mode_pair_norms(centred_over_answers(logits), basis, basis)


def centred_over_answers(logits: Float[Any, "p p class"]) -> Float[np.ndarray, "p p class"]:
    """Return logits without their mean over the answers of each pair."""
    logits = np.asarray(logits)
    mean = logits.mean(axis=2, keepdims=True, dtype=np.float64)
    return (logits - mean).astype(logits.dtype)


def mode_pair_norms(
    values: Float[np.ndarray, "p p column"],
    of_x: Float[np.ndarray, "p mode"],
    of_y: Float[np.ndarray, "p mode"],
) -> Float[np.ndarray, "mode mode"]:
    """Return how much of functions of x and y each product of a mode of x and one of y holds.

    **Arguments:**

    - `values`: functions at [x, y, function].
    - `of_x`, `of_y`: modes as columns of norm 1.

    **Returns:** norms over the functions of the coefficients, at [mode of x, mode of y].
    """
    along_y = np.empty((len(values), of_y.shape[1], values.shape[2]), values.dtype)
    for x, row in enumerate(values):
        along_y[x] = of_y.T @ row
    # ‖Σ_x Σ_y B[x, i] B[y, j] f(x, y)‖
    columns = [np.linalg.norm(of_x.T @ along_y[:, j], axis=1) for j in range(of_y.shape[1])]
    return np.stack(columns, axis=1)


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
    inputs = [_AxisWaves.of(_waves(u, structure.n)) for u in (structure.u, structure.v)]
    last = _AxisWaves.of(answers[:, ::2] + 1j * answers[:, 1::2])
    logits = _centred_logits(network)
    energy = float(np.sum(logits**2))
    # a = Σ L(x, y, c) e^{−2πi(ju + lv + ms)/n}
    found = logits @ last.waves.conj()
    found = np.einsum(
        "xlm,xj->jlm", np.conj(inputs[1].waves.T) @ found, inputs[0].waves.conj(), optimize=True
    )
    power = _plane_energy(found, (*inputs, last))
    power[_repeated(last, structure.n)] = 0
    return LogitModes(structure.n, power / energy if energy > 0 else power)


class _AxisWaves(NamedTuple):
    """Waves of one axis, with Σ|w|² and Σw² of each."""

    waves: Complex[np.ndarray, "p mode"]
    norm: Float[np.ndarray, "mode"]
    square: Complex[np.ndarray, "mode"]

    @classmethod
    def of(cls, waves: Complex[np.ndarray, "p mode"]) -> "_AxisWaves":
        return cls(waves, np.sum(np.abs(waves) ** 2, axis=0), np.sum(waves**2, axis=0))


def _waves(u: Int[np.ndarray, "p"], n: int) -> Complex[np.ndarray, "p n"]:
    """e^{2πiju/n} of every j without its mean, 0 where u is undefined; j = 0 is the constant."""
    inside = (u >= 0)[:, None]
    waves = complex_waves(u, range(n), n)
    mean = waves.sum(axis=0) / max(1, inside.sum())
    mean[0] = 0
    return np.where(inside, waves - mean, 0)


def _centred_logits(network: NetworkInBasis) -> Logits:
    """Logits of answers that some sum leads to, without their mean; 0 at undefined pairs."""
    logits = np.asarray(network.logits[:, :, network.basis.answers.inside], np.float64)
    logits = logits - logits.mean(axis=2, keepdims=True)
    logits[~network.defined] = 0
    return logits


def _plane_energy(
    found: Complex[np.ndarray, "n n freq"], axes: Sequence[_AxisWaves]
) -> Float[np.ndarray, "n n freq"]:
    """Energy of the logits in the plane of each wave and its conjugate."""
    norm = np.einsum("j,l,m->jlm", *(one.norm for one in axes))
    square = np.einsum("j,l,m->jlm", *(one.square for one in axes))
    # with N = ‖w‖², q = Σw²: 2 (N|a|² − Re(q a²)) / (N² − |q|²), and |a|²/N where w is real
    apart = norm**2 - np.abs(square) ** 2
    is_plane = apart > _SMALLEST * norm**2
    power = np.abs(found) ** 2
    plane = 2 * (norm * power - np.real(square * found**2)) / np.where(is_plane, apart, 1)
    held = norm > _SMALLEST * norm.max(initial=0)
    return np.where(held, np.where(is_plane, plane, power / np.where(held, norm, 1)), 0)


def _repeated(last: _AxisWaves, n: int) -> Bool[np.ndarray, "n n freq"]:
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
