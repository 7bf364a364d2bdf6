"""NumPy, JAX and PyTorch give the same numbers, also compiled, mapped and strict."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from grokscope.fourier.characters import pulled_back
from grokscope.fourier.spectrum import spectrum
from grokscope.measures import MEASURES, describe


def all_measures(table):
    known = spectrum(table)
    return {key: m.of(known) for key, m in MEASURES.items()}


@pytest.fixture(params=[96, 97], ids=["even", "odd"])
def table(request):
    rng = np.random.default_rng(request.param)
    return (rng.normal(size=(request.param, 16)) * rng.gamma(0.5, size=16)).astype(np.float32)


def test_compiled_with_strict_promotion(table):
    expected = describe(table)
    with jax.numpy_dtype_promotion("strict"), jax.numpy_rank_promotion("raise"):
        found = jax.jit(all_measures)(jnp.asarray(table))
    for key, value in found.items():
        assert value.dtype == jnp.float32
        assert value.shape == ()
        assert float(value) == pytest.approx(expected[key], rel=2e-5)


def test_jax_that_stops_at_nan_and_inf(table):
    """Nothing on the way is nan, also where most frequencies are not held at all."""
    p = len(table)
    wave = np.cos(2 * np.pi * 3 * np.arange(p) / p).astype(np.float32)[:, None]
    basis = pulled_back((np.arange(p),), p)
    for one in (table, wave):
        expected = describe(one)
        in_basis = describe(one, basis=basis)
        with jax.debug_nans(True), jax.debug_infs(True):
            found = describe(jnp.asarray(one))
            matched = describe(jnp.asarray(one), basis=basis)
        assert found == pytest.approx(expected, rel=2e-5)
        assert matched == pytest.approx(in_basis, rel=2e-4, abs=1e-6)


def test_mapped_over_seeds(table):
    seeds = [table, table[::-1], 2 * table, 0 * table]
    found = jax.jit(jax.vmap(all_measures))(jnp.asarray(np.stack(seeds)))
    for i, one in enumerate(seeds):
        for key, value in all_measures(one).items():
            np.testing.assert_allclose(found[key][i], value, rtol=2e-5)


def test_jax_in_double_precision(table):
    with jax.enable_x64(True):
        found = jax.jit(all_measures)(jnp.asarray(table, jnp.float64))
    for key, value in all_measures(table.astype(np.float64)).items():
        assert found[key].dtype == np.float64
        assert float(found[key]) == pytest.approx(float(value), rel=1e-12)


def test_numpy_results_are_double_precision_scalars(table):
    for value in all_measures(table).values():
        assert isinstance(value, np.float64)


@pytest.mark.parametrize("precision", ["float32", "float64"])
def test_pytorch_tensors_are_taken_with_their_gradients(table, precision):
    torch = pytest.importorskip("torch")
    tensor = torch.tensor(table, dtype=getattr(torch, precision), requires_grad=True)
    assert describe(tensor) == describe(table.astype(precision))


def test_pytorch_bfloat16(table):
    torch = pytest.importorskip("torch")
    tensor = torch.tensor(table).bfloat16()
    assert describe(tensor) == describe(tensor.float().numpy())
