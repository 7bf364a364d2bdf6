"""The MLP of the published code: its shapes, initial weights and symmetry."""

from collections.abc import Callable

import jax
import jax.numpy as jnp
import numpy as np
from numpy.testing import assert_allclose

from grokscope.config.run import ModelConfig
from grokscope.models import MLP, Model, make_model, named_weights

CONFIG = ModelConfig(architecture="mlp", layers=2, d_model=256, d_embedding=500)


def test_shapes_and_spread_follow_the_width_that_a_matrix_reads() -> None:
    model = jax.jit(make_model, static_argnums=(0, 1, 2))(CONFIG, 97, 99, jax.random.key(0))
    expected = {
        "W_E": ((99, 500), 99),
        "W_in": ((500, 256), 500),
        "W_hidden.0": ((256, 256), 256),
        "W_hidden.1": ((256, 256), 256),
        "W_out": ((256, 500), 256),
        "W_U": ((500, 97), 500),
    }
    assert isinstance(model, MLP)
    found = named_weights(model)
    assert {name: W.shape for name, W in found.items()} == {n: s for n, (s, _) in expected.items()}
    for name, (_, reads) in expected.items():
        W = np.asarray(found[name])
        assert abs(W.std() * np.sqrt(reads) - 1) < 5 / np.sqrt(2 * W.size), name
        assert abs(W.mean() * np.sqrt(reads)) < 5 / np.sqrt(W.size), name
    assert not np.allclose(found["W_hidden.0"], found["W_hidden.1"])


def test_the_sum_over_tokens_forgets_which_operand_came_first(
    network: Callable[..., Model],
) -> None:
    model = network(architecture="mlp")
    tokens = jnp.array([[3, 7, 1], [2, 7, 5]])
    assert_allclose(model(tokens), model(tokens[:, ::-1]), atol=1e-5)
    assert not np.allclose(model(tokens)[0], model(tokens)[1])
