"""What neurons respond to and heads attend to, as functions of both coordinates."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Final

import numpy as np
from jaxtyping import Bool, Float, Int

from grokscope.explanation.families import double
from grokscope.explanation.findings import HeadFinding, NeuronFinding
from grokscope.explanation.formulas import answer_waves
from grokscope.explanation.in_basis import NetworkInBasis, mean_per_sum
from grokscope.fourier.characters import Characters
from grokscope.fourier.waves import all_frequencies, real_waves

ACTIVE: Final = 1e-4
"""Strength, as a share of the strongest neuron's, from which a neuron counts."""
EXPLAINED: Final = 0.85
"""Share of the variance above which one frequency explains a neuron (arXiv 2301.05217)."""
_SMALLEST: Final = 1e-7
_POSITIONS: Final = 3


@dataclass(frozen=True, eq=False)
class NeuronFrequencies:
    """Every neuron of the last hidden layer as a function of u(x) and v(y).

    **Arguments:**

    - `n`: order of the group.
    - `shares`: share of each frequency's block, (1, cos ku, sin ku) times (1, cos kv, sin kv)
      without the constant, in the variance of each neuron; 0 for a neuron that never changes.
    - `strengths`: standard deviation of the activation times the norm of its column of W_L.
    - `phases`: φ_x, φ_y and φ_out at the dominant frequency: the neuron goes as cos(ku + φ_x) and
      as cos(kv + φ_y), and writes cos(kc + φ_out); nan where a plane has no sine.
    - `of_sum`: frequency that the mean activation per sum u + v holds most of, 0 for none.
    """

    n: int
    shares: Float[np.ndarray, "d_mlp freq"]
    strengths: Float[np.ndarray, "d_mlp"]
    phases: Float[np.ndarray, "d_mlp 3"]
    of_sum: Int[np.ndarray, "d_mlp"]

    @cached_property
    def active(self) -> Bool[np.ndarray, "d_mlp"]:
        """Neurons that matter to the logits."""
        return self.strengths > ACTIVE * self.strengths.max(initial=0)

    @cached_property
    def dominant(self) -> Int[np.ndarray, "d_mlp"]:
        """Frequency with the largest share."""
        return dominant_frequencies(self.shares)

    @cached_property
    def best_share(self) -> Float[np.ndarray, "d_mlp"]:
        """Share of the dominant frequency."""
        return self.shares.max(axis=1, initial=0)

    @cached_property
    def second_harmonic(self) -> Float[np.ndarray, "d_mlp"]:
        """Share of twice the dominant frequency, 0 where that is constant or the same."""
        doubles = np.array([double(int(k), self.n) for k in self.dominant], int)
        held = (doubles > 0) & (doubles != self.dominant)
        rows = np.arange(len(doubles))
        return np.where(held, self.shares[rows, np.maximum(doubles, 1) - 1], 0.0)

    @property
    def share_above_85(self) -> float | None:
        """Share of the active neurons that one frequency explains; None without any."""
        return float(np.mean(self.best_share[self.active] > EXPLAINED)) if self.n_active else None

    @property
    def n_active(self) -> int:
        """Number of active neurons."""
        return int(self.active.sum())

    @property
    def clusters(self) -> dict[int, int]:
        """Active neurons per dominant frequency, the largest cluster first."""
        return dict(Counter(self.dominant[self.active].tolist()).most_common())

    @property
    def phase_agreement(self) -> float | None:
        """Resultant length of φ_out − φ_x − φ_y: 1 in a clock; None where there are no phases.

        Weighted by strength, over active neurons.
        """
        x, y, out = self.phases.T
        turned = out - x - y
        held = self.active & ~np.isnan(turned)
        weights = self.strengths[held]
        # |Σ w e^{i(φ_out − φ_x − φ_y)}| / Σ w
        total = np.abs(np.sum(weights * np.exp(1j * turned[held])))
        return float(total / weights.sum()) if weights.size else None

    @property
    def sparsity_density(self) -> float | None:
        """FSD of the active neurons: 1 when all have one frequency of the sum, 0 when even.

        None where the group has a single frequency.

        **Source:** arXiv 2606.12966.
        """
        total = self.n // 2
        found = self.of_sum[self.active & (self.of_sum > 0)]
        if total < 2 or not found.size:
            return None
        largest = np.bincount(found).max() / found.size
        # FSD = (largest share − 1/⌊n/2⌋) / (1 − 1/⌊n/2⌋)
        return float((largest - 1 / total) / (1 - 1 / total))

    @property
    def summary(self) -> NeuronFinding:
        """What is reported of the active neurons."""
        harmonics = self.second_harmonic[self.active]
        return NeuronFinding(
            share_above_85=self.share_above_85,
            n_active=self.n_active,
            fsd=self.sparsity_density,
            phase_agreement=self.phase_agreement,
            second_harmonic=float(np.mean(harmonics)) if len(harmonics) else None,
            clusters=self.clusters,
        )


def neuron_frequencies(network: NetworkInBasis) -> NeuronFrequencies:
    """Return frequencies and phases of the neurons of the last hidden layer, over all pairs.

    Pairs are those of residues at which both coordinates are defined. Without a W_L all neurons
    count alike, and there is no φ_out.

    **Arguments:** the network and its structure.
    """
    grid = _centred(network, network.neurons())
    blocks, variance = _blocks(network, grid), _energy(grid)
    inside = network.basis.inputs.inside
    W_L = network.neuron_logit_map
    written = 1.0 if W_L is None else np.linalg.norm(W_L, axis=0)
    shares = _shares(blocks, variance)
    return NeuronFrequencies(
        n=network.basis.n,
        shares=shares,
        strengths=np.sqrt(variance / max(1, inside.sum() ** 2)) * written,
        phases=_phases(network, blocks, dominant_frequencies(shares)),
        of_sum=_of_sum(network, grid),
    )


def block_shares(
    network: NetworkInBasis, values: Float[np.ndarray, "p p column"]
) -> Float[np.ndarray, "column freq"]:
    """Return the share of each frequency's 3×3 block in the variance of functions of x and y.

    **Arguments:** the structure; functions at [x, y, function].
    """
    grid = _centred(network, values)
    return _shares(_blocks(network, grid), _energy(grid))


def dominant_frequencies(shares: Float[np.ndarray, "column freq"]) -> Int[np.ndarray, "column"]:
    """Return the frequency with the largest share of each function; 1 where all are 0."""
    return 1 + shares.argmax(axis=1) if shares.shape[1] else np.zeros(len(shares), int)


def _centred(
    network: NetworkInBasis, values: Float[np.ndarray, "p p column"]
) -> Float[np.ndarray, "p p column"]:
    """Each function without its mean, 0 where a coordinate is undefined."""
    inside = network.basis.inputs.inside
    held = np.multiply.outer(inside, inside)[:, :, None].astype(values.dtype)
    mean = np.sum(values * held, axis=(0, 1), dtype=np.float64) / max(1, inside.sum() ** 2)
    return (values - mean.astype(values.dtype)) * held


def _energy(grid: Float[np.ndarray, "p p column"]) -> Float[np.ndarray, "column"]:
    return np.einsum("xyc,xyc->c", grid, grid).astype(np.float64)


def _blocks(
    network: NetworkInBasis, grid: Float[np.ndarray, "p p column"]
) -> Float[np.ndarray, "freq 3 3 column"]:
    """Coefficients on the orthonormal products (1, cos, sin) of x times (1, cos, sin) of y."""
    characters, p = network.basis.inputs, len(grid)
    of_x, of_y = (
        part.swapaxes(1, 2).astype(grid.dtype)
        for part in (characters.parts[0], characters.parts[-1])
    )
    freq = len(of_x)
    one = (characters.inside / np.sqrt(max(1, characters.inside.sum()))).astype(grid.dtype)
    of_y = np.concatenate([np.broadcast_to(one, (freq, 1, p)), of_y], axis=1)
    # C[i, j] = Σ_x Σ_y B_i(x) B_j(y) f(x, y), x first
    along = of_x.reshape(2 * freq, p) @ grid.reshape(p, -1)
    along = along.reshape(freq, 2, p, grid.shape[2])
    mean = of_y @ np.tensordot(one, grid, axes=1)
    return np.concatenate([mean[:, None], of_y[:, None] @ along], axis=1)


def _shares(
    blocks: Float[np.ndarray, "freq 3 3 column"], energy: Float[np.ndarray, "column"]
) -> Float[np.ndarray, "column freq"]:
    power = np.sum(blocks.astype(np.float64) ** 2, axis=(1, 2)) - blocks[:, 0, 0] ** 2
    return (power / np.where(energy > 0, energy, 1)).T


def _phases(
    network: NetworkInBasis,
    blocks: Float[np.ndarray, "freq 3 3 d_mlp"],
    dominant: Int[np.ndarray, "d_mlp"],
) -> Float[np.ndarray, "d_mlp 3"]:
    """φ_x, φ_y and φ_out of every neuron at its dominant frequency."""
    structure, characters = network.basis.structure, network.basis.inputs
    every = all_frequencies(network.basis.n)
    if not every:
        return np.full((len(dominant), 3), np.nan)
    answers = answer_waves(network, every)
    answers = np.moveaxis(answers.reshape(len(answers), len(every), 2), 0, 1)
    waves = [_waves(network, structure.u), _waves(network, structure.v), answers]
    planes = [characters.parts[0], characters.parts[-1]]
    # waves = planes·T, so that planes·c = waves·T⁺c
    found = [
        np.linalg.pinv(own.swapaxes(1, 2) @ w, rcond=_SMALLEST) @ coefficients
        for own, w, coefficients in zip(
            planes, waves[:2], (blocks[:, 1:, 0], blocks[:, 0, 1:]), strict=True
        )
    ]
    W_L = network.neuron_logit_map
    if W_L is None:
        found.append(np.full((len(every), 2, len(dominant)), np.nan))
    else:
        written = W_L[network.basis.answers.inside]
        found.append(np.linalg.pinv(answers, rcond=_SMALLEST) @ written)
    return np.stack(
        [_phase(f, _is_round(w), dominant) for f, w in zip(found, waves, strict=True)], axis=1
    )


def _waves(network: NetworkInBasis, u: Int[np.ndarray, "p"]) -> Float[np.ndarray, "freq p 2"]:
    """cos and sin of every frequency, without their means, 0 where a coordinate is undefined."""
    inside = network.basis.inputs.inside
    waves = real_waves(u, all_frequencies(network.basis.n), network.basis.n)
    held = inside[:, None, None]
    return np.moveaxis(np.where(held, waves - waves[inside].mean(axis=0), 0), 0, 1)


def _is_round(waves: Float[np.ndarray, "freq p 2"]) -> Bool[np.ndarray, "freq"]:
    """Whether cosine and sine are independent."""
    singular = np.linalg.svd(waves, compute_uv=False)
    return singular[:, 1] > _SMALLEST * singular[:, 0]


def _phase(
    coefficients: Float[np.ndarray, "freq 2 d_mlp"],
    is_round: Bool[np.ndarray, "freq"],
    dominant: Int[np.ndarray, "d_mlp"],
) -> Float[np.ndarray, "d_mlp"]:
    """φ with a cos + b sin = r cos(· + φ), at each neuron's frequency."""
    cos, sin = coefficients[dominant - 1, :, np.arange(len(dominant))].T
    # a = r cos φ, b = −r sin φ
    held = is_round[dominant - 1] & ((cos != 0) | (sin != 0))
    return np.where(held, np.arctan2(-sin, cos), np.nan)


def _of_sum(
    network: NetworkInBasis, grid: Float[np.ndarray, "p p d_mlp"]
) -> Int[np.ndarray, "d_mlp"]:
    """Strongest frequency of the mean activation per sum, 0 where that does not change."""
    inside, n = network.basis.inputs.inside, network.basis.n
    sums = np.where(np.multiply.outer(inside, inside), network.basis.sums, -1).ravel()
    counted = sums >= 0
    mean = mean_per_sum(grid.reshape(len(sums), -1)[counted], sums[counted], n)
    power = np.abs(np.fft.rfft(mean, axis=0)[1:]) ** 2
    if n % 2 == 0:
        power[-1] /= 2  # a pair of characters k and −k, but one of n/2
    return np.where(power.sum(axis=0) > 0, dominant_frequencies(power.T), 0)


def attention_findings(
    network: NetworkInBasis, frequencies: Sequence[int]
) -> tuple[HeadFinding, ...]:
    """Return, per head of the last block, where it looks and what it moves from position x.

    The OV circuit is the direct path from the embedding: what earlier blocks add is left out.

    **Arguments:** the network and its structure; the key frequencies.

    **Returns:** one finding per head; none for an MLP, and where inputs have no three positions.
    """
    if network.network.attention_of is None or network.network.embedding is None:
        return ()
    patterns, circuits = network.network.attention_of()
    if patterns.shape[1] != _POSITIONS:
        return ()
    over = patterns[:, :, network.defined].astype(np.float64)
    shares = block_shares(network, np.moveaxis(patterns[:, 0], 0, 2))
    spread = zip(over.mean(axis=2), over.std(axis=2), shares, strict=True)
    return tuple(
        HeadFinding(
            head=head,
            mean=_three(mean),
            deviation=_three(deviation),
            frequency=1 + int(share.argmax()) if share.max(initial=0) > 0 else 0,
            share=float(share.max(initial=0)),
            **_moved_by(network, circuit, frequencies),
        )
        for head, (circuit, (mean, deviation, share)) in enumerate(
            zip(circuits, spread, strict=True)
        )
    )


def _moved_by(
    network: NetworkInBasis,
    circuit: Float[np.ndarray, "d_model d_model"],
    frequencies: Sequence[int],
) -> dict[str, float]:
    """What the OV circuit of a head moves from x, and the share of the keys in it."""
    characters = network.basis.inputs
    of_x = Characters(characters.n, characters.inside, characters.parts[:1])
    # W_E·W_V·W_O, a table over residues
    moved = characters.centred(network.network.of_x(network.embedding) @ circuit)
    return {
        "moved": float(np.linalg.norm(moved)),
        "in_keys": characters.energy_share(frequencies, moved),
        "in_keys_of_x": of_x.energy_share(frequencies, moved),
    }


def _three(values: Float[np.ndarray, "pos"]) -> tuple[float, float, float]:
    x, op, y = values.tolist()
    return x, op, y
