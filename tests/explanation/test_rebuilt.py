"""Networks rebuilt neuron by neuron: fits of known neurons, and nulls."""

from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from numpy.testing import assert_allclose
from tests.explanation.networks import structure_of

from grokscope.explanation.in_basis import NetworkInBasis
from grokscope.explanation.rebuilt import WAVEFORMS, fit_neurons, rebuild
from grokscope.fourier.basis import Basis
from grokscope.interop.functions import network_of_functions
from grokscope.tasks.structure import Structure

P = 23
TWO_PI = 2 * np.pi


def neurons_with(
    structure: Structure, waveform: Any, seed: int = 0, count: int = 60, law: bool = True
) -> tuple[NetworkInBasis, dict[str, np.ndarray]]:
    """Neurons w(α_x cos(ku + φ_x) + α_y cos(kv + φ_y) + β), and what they were made of."""
    rng = np.random.default_rng(seed)
    p, n = len(structure.u), structure.n
    k = rng.choice([2, 5, 7], size=count)
    x, y = rng.uniform(0, TWO_PI, size=(2, count))
    out = x + y if law else rng.uniform(0, TWO_PI, size=count)
    size, bias = rng.uniform(0.5, 2, size=count), rng.uniform(-0.3, 0.3, size=count)
    at_x = size * np.cos(TWO_PI * k * structure.u[:, None] / n + x) + bias
    at_y = size * np.cos(TWO_PI * k * structure.v[:, None] / n + y)
    W_L = np.cos(TWO_PI * k * np.arange(p)[:, None] / n + out)
    onto = jnp.asarray(W_L, jnp.float32)

    def neurons(rows: Any) -> Any:
        return waveform(rows[0][:, None] + rows[1][None])

    network = network_of_functions(
        lambda rows: neurons(rows) @ onto.T,
        (jnp.asarray(at_x, jnp.float32), jnp.asarray(at_y, jnp.float32)),
        neurons=neurons,
        W_L=W_L,
    )
    labels = np.maximum(structure.labels(), 0).astype(np.int32)
    known = {"k": k, "x": x, "y": y, "size": size, "bias": bias}
    return NetworkInBasis(network, labels, Basis(structure)), known


def turned(a: np.ndarray, b: np.ndarray) -> np.ndarray:
    """|e^{ia} − e^{ib}|."""
    return np.abs(np.exp(1j * a) - np.exp(1j * b))


@pytest.mark.parametrize("name", ["x + y", "x - y", "2x + 3y"])
@pytest.mark.parametrize("index", range(len(WAVEFORMS)))
def test_what_neurons_were_made_of_is_found(name: str, index: int) -> None:
    waveform = [lambda t: t, jax.nn.relu, jnp.square][index]
    network, known = neurons_with(structure_of(name, P), waveform)
    found = fit_neurons(network)
    assert_allclose(found.shares, 1, atol=1e-5)
    assert np.array_equal(found.frequencies, known["k"])
    assert np.array_equal(found.written_at, known["k"])
    assert set(found.waveforms) == {index}
    # a square has two roots: both waves turned by π are the same neuron
    flip = np.where(turned(found.phases[:, 0], known["x"]) > 1, np.pi, 0)
    assert index == 2 or not flip.any()
    assert_allclose(turned(found.phases[:, 0] + flip, known["x"]), 0, atol=0.02)
    assert_allclose(turned(found.phases[:, 1] + flip, known["y"]), 0, atol=0.02)
    assert_allclose(turned(found.phases[:, 2], known["x"] + known["y"]), 0, atol=1e-4)
    assert_allclose(np.linalg.norm(found.inputs[:, :2], axis=1), known["size"], rtol=0.02)


def test_a_network_of_such_neurons_is_rebuilt_and_its_nulls_are_not() -> None:
    network, _ = neurons_with(structure_of("x + y", P), jax.nn.relu, count=180)
    found = rebuild(network)
    assert found.keep == pytest.approx(1)
    assert found.by_law == pytest.approx(1)
    assert found.agreement == 1
    assert found.phases_permuted is not None
    assert found.phases_permuted < 0.2
    assert found.columns_permuted is not None
    assert found.columns_permuted < 0.2
    assert found.waveforms == {"ReLU": 180}
    assert found.numbers == 1800


def test_neurons_that_write_at_other_phases_are_rebuilt_as_they_are_and_not_by_the_law() -> None:
    network, _ = neurons_with(structure_of("x + y", P), jax.nn.relu, count=180, law=False)
    found = rebuild(network)
    assert found.agreement is not None
    assert found.agreement > 0.95
    assert found.explained == pytest.approx(1, abs=1e-4)
    # the network itself does not add, so that nothing can be measured by what it gets right
    assert network.full.accuracy.all < 0.2


def test_random_neurons_are_not_rebuilt() -> None:
    structure = structure_of("x + y", P)
    rng = np.random.default_rng(0)
    labels = structure.labels().astype(np.int32)
    values = rng.normal(size=(P, P, 600))
    # a readout that answers every pair from neurons that mean nothing
    W_L = np.linalg.lstsq(values.reshape(P * P, -1), np.eye(P)[labels.ravel()], rcond=None)[0].T
    onto = jnp.asarray(W_L, jnp.float32)
    held = jnp.asarray(values, jnp.float32)
    network = network_of_functions(
        lambda rows: held @ onto.T + 0 * rows.sum(),
        jnp.asarray(rng.normal(size=(P, 8)), jnp.float32),
        neurons=lambda _: held,
        W_L=W_L,
    )
    found = rebuild(NetworkInBasis(network, labels, Basis(structure)))
    assert found.keep is not None
    assert found.keep < 0.2
    assert found.explained is not None
    assert found.explained < 0.1
