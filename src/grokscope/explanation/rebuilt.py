"""A network rebuilt from a frequency, phases and amplitudes per neuron, and from nothing else.

Every neuron of the last hidden layer is fitted by h = w(α_x cos(ku + φ_x) + α_y cos(kv + φ_y) + β),
with w one of a few waveforms, and what it writes to the answers by ρ cos(jc + φ_out).
"""

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from typing import Final, NamedTuple

import numpy as np
from jaxtyping import Float, Int

from grokscope.explanation.findings import Outcome, Rebuilt, median_outcome
from grokscope.explanation.formulas import answer_waves
from grokscope.explanation.in_basis import NetworkInBasis
from grokscope.explanation.neurons import neuron_frequencies
from grokscope.fourier.waves import all_frequencies, real_waves

DRAWS: Final = 20
NUMBERS: Final = 10
"""Numbers of a neuron: k, a waveform, five of its waves, j and two of the wave that it writes."""
_PAIRS: Final = 1024
"""Pairs that a fit reads; a neuron has five numbers."""
_STEPS: Final = 15
_SMALLEST: Final = 1e-12


class Waveform(NamedTuple):
    """What a neuron makes of its two waves: a function and its slope."""

    name: str
    of: Callable[[np.ndarray], np.ndarray]
    slope: Callable[[np.ndarray], np.ndarray]


WAVEFORMS: Final = (
    Waveform("cosine", lambda t: t, np.ones_like),
    Waveform("ReLU", lambda t: np.maximum(t, 0), lambda t: (t > 0).astype(t.dtype)),
    Waveform("square", lambda t: t * t, lambda t: 2 * t),
)


@dataclass(frozen=True, eq=False)
class FittedNeurons:
    """Every neuron as a waveform of a wave of u plus a wave of v, its column of W_L as a wave.

    **Arguments:**

    - `network`: the network and its structure.
    - `frequencies`: k of each neuron.
    - `waveforms`: which of `WAVEFORMS`.
    - `inputs`: coefficients of cos ku, sin ku, cos kv, sin kv and 1.
    - `shares`: share of the variance over the pairs that the fit explains.
    - `written_at`: j, the frequency that it writes at.
    - `outputs`: coefficients of cos jc and sin jc in its column of W_L.
    """

    network: NetworkInBasis
    frequencies: Int[np.ndarray, "d_mlp"]
    waveforms: Int[np.ndarray, "d_mlp"]
    inputs: Float[np.ndarray, "d_mlp 5"]
    shares: Float[np.ndarray, "d_mlp"]
    written_at: Int[np.ndarray, "d_mlp"]
    outputs: Float[np.ndarray, "d_mlp 2"]

    @cached_property
    def values(self) -> Float[np.ndarray, "pair d_mlp"]:
        """The fitted neurons at the defined pairs."""
        x, y = np.nonzero(self.network.defined)
        found = np.empty((len(x), len(self.frequencies)))
        for k in np.unique(self.frequencies).tolist():
            here = np.flatnonzero(self.frequencies == k)
            found[:, here] = _shaped(
                _design(self.network, k, x, y) @ self.inputs[here].T, self.waveforms[here]
            )
        return found

    @cached_property
    def columns(self) -> Float[np.ndarray, "class d_mlp"]:
        """What each neuron writes to the answers that some sum leads to, as a wave."""
        return _columns(self.network, self.written_at, self.outputs)

    @cached_property
    def phases(self) -> Float[np.ndarray, "d_mlp 3"]:
        """φ_x, φ_y and φ_out."""
        parts = self.inputs[:, :2], self.inputs[:, 2:4], self.outputs
        # a cos + b sin = r cos(· + φ) with a = r cos φ, b = −r sin φ
        return np.stack([np.arctan2(-part[:, 1], part[:, 0]) for part in parts], axis=1)

    def columns_at(
        self, frequencies: Int[np.ndarray, "d_mlp"], phases: Float[np.ndarray, "d_mlp"]
    ) -> Float[np.ndarray, "class d_mlp"]:
        """Return columns of the same amplitudes at other frequencies and phases."""
        size = np.linalg.norm(self.outputs, axis=1)[:, None]
        outputs = size * np.stack([np.cos(phases), -np.sin(phases)], axis=1)
        return _columns(self.network, frequencies, outputs)

    @property
    def columns_by_law(self) -> Float[np.ndarray, "class d_mlp"]:
        """The columns with φ_x + φ_y in the place of φ_out, at each neuron's own frequency."""
        return self.columns_at(self.frequencies, self.phases[:, 0] + self.phases[:, 1])

    def permuted_phases(self, rng: np.random.Generator) -> Float[np.ndarray, "d_mlp"]:
        """Return every φ_out, permuted among the neurons that write at one frequency."""
        found = self.phases[:, 2].copy()
        for j in np.unique(self.written_at).tolist():
            here = np.flatnonzero(self.written_at == j)
            found[here] = found[rng.permutation(here)]
        return found

    @property
    def agreement(self) -> float:
        """Share of the defined pairs at which it answers like the network."""
        network, inside = self.network, self.network.basis.answers.inside
        answers = np.argmax(network.logits[network.defined][:, inside], axis=1)
        return float(np.mean(np.argmax(self.values @ self.columns.T, axis=1) == answers))

    def score(self, columns: Float[np.ndarray, "class d_mlp"]) -> Outcome:
        """Return how right the fitted neurons are when they write these columns."""
        return self.network.score_pairs(self.network.of_all_answers(self.values @ columns.T))


def fit_neurons(network: NetworkInBasis) -> FittedNeurons:
    """Fit every neuron, and its column of W_L, by waves of one frequency each.

    The frequency is that whose block holds most of the neuron's variance; of the waveforms the one
    that leaves the least is taken.

    **Arguments:** a network whose neurons and W_L are known, and its structure.
    """
    grid = network.neurons()
    x, y = np.nonzero(network.defined)
    rng = np.random.default_rng(0)
    some = np.sort(rng.permutation(len(x))[:_PAIRS])
    values = grid[x[some], y[some]].astype(np.float64)
    frequencies = neuron_frequencies(network).dominant
    fits = [
        _fit_all(network, frequencies, waveform, (x[some], y[some]), values)
        for waveform in WAVEFORMS
    ]
    waveforms = np.argmin(np.stack([error for _, error in fits]), axis=0)
    inputs = np.stack([found for found, _ in fits])[waveforms, np.arange(len(waveforms))]
    error = np.min(np.stack([error for _, error in fits]), axis=0)
    total = np.sum((values - values.mean(axis=0)) ** 2, axis=0)
    shares = np.where(total > _SMALLEST, 1 - error / np.maximum(total, _SMALLEST), 0.0)
    written_at, outputs = _fit_columns(network)
    return FittedNeurons(network, frequencies, waveforms, inputs, shares, written_at, outputs)


def _design(
    network: NetworkInBasis, k: int, x: Int[np.ndarray, "pair"], y: Int[np.ndarray, "pair"]
) -> Float[np.ndarray, "pair 5"]:
    """cos ku, sin ku, cos kv, sin kv and 1 at some pairs."""
    structure = network.basis.structure
    of_u, of_v = (real_waves(w, [k], structure.n)[:, 0] for w in (structure.u, structure.v))
    return np.concatenate([of_u[x], of_v[y], np.ones((len(x), 1))], axis=1)


def _shaped(
    waves: Float[np.ndarray, "pair d_mlp"], waveforms: Int[np.ndarray, "d_mlp"]
) -> Float[np.ndarray, "pair d_mlp"]:
    """Each column in its waveform."""
    return np.select(
        [waveforms == i for i in range(len(WAVEFORMS))], [w.of(waves) for w in WAVEFORMS]
    )


def _fit_all(
    network: NetworkInBasis,
    frequencies: Int[np.ndarray, "d_mlp"],
    waveform: Waveform,
    pairs: tuple[Int[np.ndarray, "pair"], Int[np.ndarray, "pair"]],
    values: Float[np.ndarray, "pair d_mlp"],
) -> tuple[Float[np.ndarray, "d_mlp 5"], Float[np.ndarray, "d_mlp"]]:
    """Coefficients and squared errors of every neuron, one frequency after the other."""
    inputs, errors = np.empty((values.shape[1], 5)), np.empty(values.shape[1])
    for k in np.unique(frequencies).tolist():
        here = np.flatnonzero(frequencies == k)
        design = _design(network, k, *pairs)
        inputs[here], errors[here] = _fit(design, values[:, here], waveform)
    return inputs, errors


def _fit(
    design: Float[np.ndarray, "pair 5"], values: Float[np.ndarray, "pair d_mlp"], waveform: Waveform
) -> tuple[Float[np.ndarray, "d_mlp 5"], Float[np.ndarray, "d_mlp"]]:
    """Levenberg and Marquardt's least squares of w(design · a), all neurons at once."""
    products = (design[:, :, None] * design[:, None, :]).reshape(len(design), -1)
    size = design.shape[1]
    best = _start(design, values, waveform)
    waves = design @ best.T
    error = np.sum((values - waveform.of(waves)) ** 2, axis=0)
    if waveform.name == "cosine":
        return best, error
    damping = np.full(len(best), 1e-3)
    for _ in range(_STEPS):
        slope = waveform.slope(waves)
        gram = ((slope**2).T @ products).reshape(-1, size, size)
        pull = (slope * (values - waveform.of(waves))).T @ design
        scale = np.trace(gram, axis1=1, axis2=2) + _SMALLEST
        gram += (damping * scale)[:, None, None] * np.eye(size)
        tried = best + np.linalg.solve(gram, pull[:, :, None])[:, :, 0]
        tried_waves = design @ tried.T
        tried_error = np.sum((values - waveform.of(tried_waves)) ** 2, axis=0)
        better = tried_error < error
        best, waves = np.where(better[:, None], tried, best), np.where(better, tried_waves, waves)
        error = np.where(better, tried_error, error)
        damping = np.clip(np.where(better, damping / 4, damping * 4), 1e-9, 1e3)
    return best, error


def _start(
    design: Float[np.ndarray, "pair 5"], values: Float[np.ndarray, "pair d_mlp"], waveform: Waveform
) -> Float[np.ndarray, "d_mlp 5"]:
    """Where the search begins: the waves that hold most of the values, twice as high.

    A square has its waves in the products cos ku · cos kv, of which the strongest is taken.
    """
    linear = np.linalg.lstsq(design, values, rcond=None)[0].T
    if waveform.name == "cosine":
        return linear
    if waveform.name == "ReLU":
        return linear * [2, 2, 2, 2, 1]
    products = (design[:, :2, None] * design[:, None, 2:4]).reshape(len(design), 4)
    blocks = np.linalg.lstsq(products, values - values.mean(axis=0), rcond=None)[0].T
    left, singular, right = np.linalg.svd(blocks.reshape(-1, 2, 2))
    # (a cos + b cos)² holds 2ab of their product
    height = np.sqrt(np.maximum(singular[:, :1], _SMALLEST) / 2)
    constant = np.zeros((len(blocks), 1))
    return np.concatenate([height * left[:, :, 0], height * right[:, 0], constant], axis=1)


def _fit_columns(
    network: NetworkInBasis,
) -> tuple[Int[np.ndarray, "d_mlp"], Float[np.ndarray, "d_mlp 2"]]:
    """The frequency that fits each column of W_L best, and the coefficients of its waves."""
    W_L = network.neuron_logit_map
    if W_L is None:
        raise ValueError("this network has no W_L")
    columns = W_L[network.basis.answers.inside]
    columns = columns - columns.mean(axis=0)
    waves = answer_waves(network, all_frequencies(network.basis.n))
    planes = np.moveaxis(waves.reshape(len(waves), -1, 2), 1, 0)
    coefficients = np.linalg.pinv(planes, rcond=1e-7) @ columns
    held = np.sum((planes @ coefficients) ** 2, axis=1)
    best = held.argmax(axis=0)
    return 1 + best, coefficients[best, :, np.arange(columns.shape[1])]


def _columns(
    network: NetworkInBasis,
    frequencies: Int[np.ndarray, "d_mlp"],
    coefficients: Float[np.ndarray, "d_mlp 2"],
) -> Float[np.ndarray, "class d_mlp"]:
    """Waves of the answers' coordinate, a column per neuron."""
    waves = answer_waves(network, all_frequencies(network.basis.n))
    planes = waves.reshape(len(waves), -1, 2)[:, frequencies - 1]
    return np.einsum("cmw,mw->cm", planes, coefficients)


def rebuild(network: NetworkInBasis, draws: int = DRAWS) -> Rebuilt:
    """Rebuild the network from its fitted neurons, with two nulls.

    **Arguments:** a network whose neurons and W_L are known, and its structure; permutations.
    """
    fitted = fit_neurons(network)
    rng = np.random.default_rng(0)
    whole = fitted.score(fitted.columns)
    active = neuron_frequencies(network).active
    turned = [
        fitted.score(fitted.columns_at(fitted.written_at, fitted.permuted_phases(rng)))
        for _ in range(draws)
    ]
    mixed = [fitted.score(fitted.columns[:, rng.permutation(len(active))]) for _ in range(draws)]
    names = (WAVEFORMS[i].name for i in fitted.waveforms[active])
    return Rebuilt(
        keep=network.scaled(whole),
        loss=whole.loss.all,
        agreement=fitted.agreement,
        by_law=network.scaled(fitted.score(fitted.columns_by_law)),
        phases_permuted=network.scaled(median_outcome(turned)),
        columns_permuted=network.scaled(median_outcome(mixed)),
        explained=float(np.median(fitted.shares[active])) if active.any() else None,
        waveforms=dict(Counter(names)),
        numbers=NUMBERS * len(active),
    )
