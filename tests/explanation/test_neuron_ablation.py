"""Neurons' activations projected on blocks of frequencies, neuron by neuron and pair by pair."""

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from numpy.testing import assert_allclose
from tests.explanation.networks import Built, built

from grokscope.explanation.neuron_ablation import ablate_neurons, keep_everywhere
from grokscope.explanation.pairs import logits_over_pairs, neuron_activations

KEYS = [2, 3]


CASES = [
    ("x + y", 11, {}),
    ("x*y", 11, {}),
    ("2x + 3y", 11, {}),
    ("x^2 + y^2", 13, {}),
    ("x + y", 11, {"architecture": "mlp", "d_model": 9}),
]


@pytest.fixture(scope="module", params=CASES)
def about(
    request: pytest.FixtureRequest, network: Callable, known_structure: Callable, in_basis: Callable
) -> Built:
    """A random network, made to be right at half of the pairs by its labels."""
    name, p, sizes = request.param
    found = in_basis(network(p=p, **sizes), known_structure(name, p))
    x, y = np.ogrid[:p, :p]
    said = found.logits.argmax(axis=2)
    labels = np.where((x + y) % 2 == 0, said, found.labels).astype(np.int32)
    return built(found.model, labels, found.basis)


def blocks(about: Built, frequencies: Any) -> tuple[np.ndarray, np.ndarray]:
    """Pairs with coordinates, and every product of (1, cos, sin) of x and (1, cos, sin) of y."""
    u, v, n = (getattr(about.basis.structure, name) for name in "uvn")
    x, y = np.nonzero((u >= 0)[:, None] & (v >= 0))
    columns = [np.ones(len(x))]
    for k in frequencies:
        of = [
            [np.ones(len(x)), np.cos(2 * np.pi * k * w / n), np.sin(2 * np.pi * k * w / n)]
            for w in (u[x], v[y])
        ]
        columns += [a * b for a in of[0] for b in of[1]]
    return np.stack([x, y]), np.column_stack(columns)


def edited(about: Built, change: Callable[[np.ndarray], np.ndarray]) -> float:
    """Accuracy with every neuron's activations over these pairs changed."""
    neurons = neuron_activations(about.model, list(range(about.model.neuron_logit_map.shape[1])))
    (x, y), _ = blocks(about, [])
    W_L = np.asarray(about.neuron_logit_map)
    flat = neurons[:, x, y].T.astype(np.float64)
    logits = logits_over_pairs(about.model).astype(np.float64)
    logits[x, y] += (change(flat) - flat) @ W_L.T
    right = [logits[a, b].argmax() == about.labels[a, b] for a, b in np.argwhere(about.defined)]
    return float(np.mean(right))


def fit(about: Built, frequencies: Any, flat: np.ndarray) -> np.ndarray:
    _, design = blocks(about, frequencies)
    return design @ np.linalg.lstsq(design, flat, rcond=1e-10)[0]


def test_it_is_the_projection_of_every_neuron(about: Built) -> None:
    found = ablate_neurons(about, KEYS, draws=2)
    assert_allclose(found.keep.accuracy.all, edited(about, lambda a: fit(about, KEYS, a)))
    without = edited(about, lambda a: a - fit(about, KEYS, a) + fit(about, [], a))
    assert_allclose(found.remove.accuracy.all, without)
    rng, n = np.random.default_rng(0), about.basis.n
    others = [k for k in range(1, n // 2 + 1) if k not in KEYS]
    for i in range(2):
        drawn = rng.permutation(others)[:2].tolist()
        control = edited(
            about, lambda a, o=drawn: a - fit(about, KEYS + o, a) + fit(about, KEYS, a)
        )
        assert_allclose(found.control[i].accuracy.all, control)
        alone = edited(about, lambda a, o=drawn: fit(about, o, a))
        assert_allclose(found.keep_others[i].accuracy.all, alone)


def test_a_clock_works_with_its_blocks_alone(
    build_clock: Callable, known_structure: Callable, in_basis: Callable
) -> None:
    keys = (2, 5, 9)
    structure = known_structure("x + y", 23)
    about = in_basis(build_clock(structure, keys, grid=12), structure)
    found = ablate_neurons(about, keys, draws=2).scores(about)
    assert found.keep == found.control == 1
    assert found.keep_others is not None
    assert found.keep_others < 0.2
    assert keep_everywhere(about, about.embedding, keys).accuracy.all == 1
    assert keep_everywhere(about, about.embedding, (1, 3, 4)).accuracy.all < 0.2
