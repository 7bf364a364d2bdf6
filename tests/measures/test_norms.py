"""The norm of a weight matrix."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from grokscope.measures import l2_norm


@pytest.mark.parametrize("shape", [(2,), (1, 2), (2, 1, 1)])
def test_three_and_four_give_five(shape):
    assert l2_norm(np.array([3.0, -4.0]).reshape(shape)) == pytest.approx(5)


def test_zero_and_undefined_weights():
    assert l2_norm(np.zeros((2, 2))) == 0
    assert np.isnan(l2_norm(np.array([1.0, np.nan])))


def test_seeds_are_mapped_inside_a_compiled_program():
    weights = jnp.arange(6.0).reshape(2, 3)
    norms = jax.jit(jax.vmap(l2_norm))(weights)
    np.testing.assert_allclose(norms, np.sqrt([5.0, 50.0]), rtol=1e-6)


def test_half_precision_does_not_overflow():
    assert l2_norm(jnp.full((4,), 300.0, jnp.float16)) == pytest.approx(600)
