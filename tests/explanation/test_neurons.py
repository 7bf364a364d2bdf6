"""Neurons and heads as functions of both coordinates, against networks that were built."""

from collections.abc import Callable

import numpy as np
import pytest
from numpy.testing import assert_allclose

from grokscope.explanation.neurons import (
    NeuronFrequencies,
    attention_findings,
    block_shares,
    neuron_frequencies,
)
from grokscope.explanation.pairs import last_hidden, neuron_activations, on_all_pairs
from grokscope.models import Model, Transformer
from grokscope.tasks.structure import Structure

Make = Callable[..., Model]

KEYS = (3, 4, 6)
INJECTIVE = ["x + y", "x - y", "x*y", "x/y", "2x + 3y"]


@pytest.mark.parametrize("pizza", [False, True])
@pytest.mark.parametrize("name", INJECTIVE)
def test_neurons_of_a_built_network_are_what_was_built(
    build_clock: Callable, known_structure: Callable, in_basis: Callable, name: str, pizza: bool
) -> None:
    structure, grid = known_structure(name, 23), 16
    found = neuron_frequencies(in_basis(build_clock(structure, KEYS, grid, pizza), structure))
    count = grid if pizza else grid**2
    assert found.dominant.tolist() == [k for k in KEYS for _ in range(count)]
    assert found.clusters == dict.fromkeys(KEYS, count)
    assert found.n_active == 3 * count
    assert found.share_above_85 == 1.0
    # ReLU(cos a + cos b) puts 3.3% into the block of the second harmonic, give or take 22 points
    assert_allclose(found.second_harmonic, 0.033, atol=0.004)
    phase = np.arange(grid) * 2 * np.pi / grid
    a, b = (phase, phase) if pizza else (np.repeat(phase, grid), np.tile(phase, grid))
    expected = np.tile(np.stack([a, b, a + b], axis=1), (3, 1))
    assert_allclose(np.exp(1j * found.phases), np.exp(1j * expected), atol=0.02)
    assert found.phase_agreement == pytest.approx(1, abs=1e-4)
    # a third of the neurons each: (1/3 − 1/11) / (1 − 1/11)
    assert found.sparsity_density == pytest.approx((1 / 3 - 1 / 11) / (10 / 11))


def test_squares_keep_their_frequencies_and_phases(
    build_clock: Callable, known_structure: Callable, in_basis: Callable
) -> None:
    structure = known_structure("x^2 + y^2", 23)
    found = neuron_frequencies(in_basis(build_clock(structure, KEYS, 16), structure))
    assert found.dominant.tolist() == [k for k in KEYS for _ in range(256)]
    assert found.share_above_85 == 1.0
    assert found.phase_agreement is not None
    assert found.phase_agreement > 0.99


def test_a_readout_on_lines_has_no_phase(
    build_clock: Callable, known_structure: Callable, in_basis: Callable
) -> None:
    structure = known_structure("(x + y)^2", 23)
    found = neuron_frequencies(in_basis(build_clock(structure, KEYS, 16), structure))
    assert found.phase_agreement is None
    assert np.isnan(found.phases[:, 2]).all()
    assert not np.isnan(found.phases[:, :2]).any()


def design(structure: Structure, x: np.ndarray, y: np.ndarray, k: int) -> np.ndarray:
    """The nine products of a frequency at some pairs, in raw cosines and sines."""
    w = 2 * np.pi * k / structure.n
    sides = [
        np.stack([np.ones(len(c)), np.cos(w * c), np.sin(w * c)])
        for c in (structure.u[x], structure.v[y])
    ]
    return np.stack([a * b for a in sides[0] for b in sides[1]], axis=1)


@pytest.mark.parametrize(
    ("name", "p"),
    [
        ("x + y", 7),
        ("x - y", 11),
        ("x*y", 11),
        ("x/y", 11),
        ("x^2 + y^2", 11),
        ("x^2 - y", 11),
        ("(x + y)^2", 11),
    ],
)
def test_numbers_agree_with_least_squares(
    network: Callable, known_structure: Callable, in_basis: Callable, name: str, p: int
) -> None:
    structure = known_structure(name, p)
    about = in_basis(network(p=p, d_mlp=6), structure)
    found = neuron_frequencies(about)
    x, y = np.array(
        [(a, b) for a in range(p) for b in range(p) if structure.u[a] >= 0 and structure.v[b] >= 0]
    ).T
    n, half = structure.n, structure.n // 2
    values = neuron_activations(about.model, range(6)).astype(np.float64)
    for j, neuron in enumerate(values[:, x, y]):
        variance = np.sum((neuron - neuron.mean()) ** 2)
        shares = []
        for k in range(1, half + 1):
            nine = design(structure, x, y, k)
            fit = nine @ np.linalg.lstsq(nine, neuron, rcond=1e-9)[0]
            shares.append(np.sum((fit - neuron.mean()) ** 2) / variance)
        assert_allclose(found.shares[j], shares, rtol=1e-3, atol=1e-5)
        k = int(np.argmax(shares)) + 1
        assert found.dominant[j] == k
        assert found.best_share[j] == pytest.approx(max(shares), rel=1e-3)
        twice = min(2 * k % n, -2 * k % n)
        assert found.second_harmonic[j] == pytest.approx(
            shares[twice - 1] if twice else 0, rel=1e-3
        )
        size = neuron.std() * np.linalg.norm(about.neuron_logit_map[:, j])
        assert found.strengths[j] == pytest.approx(size, rel=1e-4)
        # the mean over y as a cos + b sin + constant of x's coordinate, and so on
        for side, (axis, w) in enumerate(((x, structure.u), (y, structure.v))):
            inside = np.flatnonzero(w >= 0)
            mean = np.array([neuron[axis == r].mean() for r in inside])
            assert_phase(found.phases[j, side], w[inside], mean, k, n)
        sums = (structure.u[x] + structure.v[y]) % n
        means = np.array(
            [neuron[sums == s].mean() if (sums == s).any() else neuron.mean() for s in range(n)]
        )
        power = [
            abs(np.sum(means * np.exp(-2j * np.pi * k * np.arange(n) / n))) ** 2
            / (2 if 2 * k == n else 1)
            for k in range(1, half + 1)
        ]
        assert found.of_sum[j] == np.argmax(power) + 1


def assert_phase(phase: float, coordinate: np.ndarray, values: np.ndarray, k: int, n: int) -> None:
    angle = 2 * np.pi * k * coordinate / n
    waves = np.stack([np.cos(angle), np.sin(angle)], axis=1)
    waves = waves - waves.mean(axis=0)
    if np.linalg.matrix_rank(waves, tol=1e-9) < 2:
        assert np.isnan(phase)
        return
    a, b = np.linalg.lstsq(waves, values - values.mean(), rcond=None)[0]
    # a = r cos φ, b = −r sin φ
    assert_allclose(np.exp(1j * phase), (a - 1j * b) / abs(a - 1j * b), atol=2e-3)


def by_hand(
    strengths: list[float], phases: list[list[float]], of_sum: list[int]
) -> NeuronFrequencies:
    shares = np.zeros((len(strengths), 5))
    shares[:, 1], shares[0, 3] = 0.5, 0.9
    return NeuronFrequencies(11, shares, np.array(strengths), np.array(phases), np.array(of_sum))


def test_summaries_are_over_neurons_that_matter() -> None:
    nan = np.nan
    found = by_hand(
        [2.0, 1.0, 1.0, 1e-9], [[0, 1, 1], [1, 1, 2 + np.pi], [0, nan, 0], [0, 0, 3]], [4, 2, 2, 5]
    )
    assert found.n_active == 3
    assert found.share_above_85 == pytest.approx(1 / 3)
    assert found.clusters == {2: 2, 4: 1}
    # 2·e^{0} + 1·e^{iπ} over 3
    assert found.phase_agreement == pytest.approx(1 / 3)
    assert found.sparsity_density == pytest.approx((2 / 3 - 1 / 5) / (1 - 1 / 5))


def test_a_network_without_active_neurons_says_nothing() -> None:
    found = by_hand([0.0], [[0.0, 0.0, 0.0]], [0])
    assert found.n_active == 0
    assert found.clusters == {}
    assert (found.share_above_85, found.phase_agreement, found.sparsity_density) == (None,) * 3


def test_blocks_of_a_wave_in_x_and_of_a_product(
    known_structure: Callable, in_basis: Callable, network: Callable
) -> None:
    about = in_basis(network(p=11), known_structure("x + y", 11))
    x = 2 * np.pi * np.arange(11) / 11
    waves = np.stack(
        [
            np.add.outer(np.cos(2 * x), np.zeros(11)),
            np.multiply.outer(np.cos(3 * x), np.sin(3 * x)),
            np.multiply.outer(np.cos(x), np.sin(2 * x)),
            np.ones((11, 11)),
        ],
        axis=2,
    )
    expected = np.zeros((4, 5))
    expected[0, 1] = expected[1, 2] = 1
    assert_allclose(block_shares(about, waves), expected, atol=1e-12)


def test_neurons_of_an_mlp_and_of_a_random_network(
    network: Callable, known_structure: Callable, in_basis: Callable
) -> None:
    about = in_basis(network(p=23, architecture="mlp", d_model=66), known_structure("x + y", 23))
    found = neuron_frequencies(about)
    assert found.shares.shape == (66, 11)
    assert found.share_above_85 == 0
    assert found.phase_agreement is not None
    assert found.phase_agreement < 0.5


def test_activations_of_the_last_layer_are_those_of_every_neuron(network: Callable) -> None:
    model = network()
    found = on_all_pairs(model, last_hidden(model))
    assert found.dtype == np.float32
    assert_allclose(np.moveaxis(found, 2, 0), neuron_activations(model, range(10)))


@pytest.mark.parametrize(("name", "p"), [("x + y", 7), ("x*y", 11), ("x^2 - y", 11)])
def test_summary_agrees_with_a_loop_over_pairs(
    network: Make,
    one_pass: Callable,
    known_structure: Callable,
    in_basis: Callable,
    name: str,
    p: int,
) -> None:
    structure, keys = known_structure(name, p), (1, 3)
    model = network(p=p)
    assert isinstance(model, Transformer)
    found = attention_findings(in_basis(model, structure), keys)
    pairs = [
        (x, y) for x in range(p) for y in range(p) if structure.u[x] >= 0 and structure.v[y] >= 0
    ]
    patterns = np.array([one_pass(model, [x, p, y]).pattern for x, y in pairs])
    x, y = np.array(pairs).T
    inside = np.unique(x)
    assert [summary.head for summary in found] == [0, 1, 2]
    for h, summary in enumerate(found):
        assert_allclose(summary.mean, patterns[:, h].mean(axis=0), rtol=1e-4)
        assert_allclose(summary.deviation, patterns[:, h].std(axis=0), rtol=1e-3)
        to_x, shares = patterns[:, h, 0], []
        for k in range(1, structure.n // 2 + 1):
            sides = [columns(structure, w, [k], np.arange(p)) for w in ("u", "v")]
            nine = np.stack([a[x] * b[y] for a in sides[0].T for b in sides[1].T], axis=1)
            fit = nine @ np.linalg.lstsq(nine, to_x, rcond=1e-9)[0]
            shares.append(fit.var() / to_x.var())
        assert summary.frequency == np.argmax(shares) + 1
        assert summary.share == pytest.approx(max(shares), rel=1e-3)
        W_V, W_O = (
            np.asarray(W[h], np.float64) for W in (model.blocks[0].W_V, model.blocks[0].W_O)
        )
        moved = np.asarray(model.W_E, np.float64)[inside] @ W_V @ W_O
        moved = moved - moved.mean(axis=0)
        assert summary.moved == pytest.approx(np.linalg.norm(moved))
        of_x = columns(structure, "u", keys, inside)
        both = np.concatenate([of_x, columns(structure, "v", keys, inside)], axis=1)
        assert summary.in_keys_of_x == pytest.approx(explained(of_x, moved))
        assert summary.in_keys == pytest.approx(explained(both, moved))


def columns(structure: Structure, name: str, keys: tuple | list, rows: np.ndarray) -> np.ndarray:
    """1, and cos and sin of each key, of some residues."""
    angle = 2 * np.pi / structure.n * np.outer(getattr(structure, name)[rows], keys)
    return np.concatenate([np.ones((len(rows), 1)), np.cos(angle), np.sin(angle)], axis=1)


def explained(design: np.ndarray, table: np.ndarray) -> float:
    fit = design @ np.linalg.lstsq(design, table, rcond=1e-9)[0]
    return float(np.sum((fit - table.mean(axis=0)) ** 2) / np.sum(table**2))


def test_a_built_head_is_constant_and_moves_the_keys_of_x(
    build_clock: Callable, known_structure: Callable, in_basis: Callable
) -> None:
    structure = known_structure("x^2 - y", 23)
    (head,) = attention_findings(in_basis(build_clock(structure, (2, 5), 8), structure), (2, 5))
    assert_allclose(head.mean, [1 / 3] * 3, rtol=1e-5)
    assert_allclose(head.deviation, [0] * 3, atol=1e-6)
    assert head.in_keys == pytest.approx(1)
    assert head.in_keys_of_x == pytest.approx(1)
    # 3 times two circles of squares, of the 23 residues without their mean
    waves = columns(structure, "u", [2, 5], np.arange(23))[:, 1:]
    assert head.moved == pytest.approx(3 * np.linalg.norm(waves - waves.mean(axis=0)))


def test_an_mlp_has_no_summary(
    network: Make, known_structure: Callable, in_basis: Callable
) -> None:
    about = in_basis(network(architecture="mlp"), known_structure("x + y", 7))
    assert attention_findings(about, (1,)) == ()
