"""Tokens that do not exist are refused, and every shape in which people write them is taken."""

from collections.abc import Callable
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal

from grokscope.errors import UsageError
from grokscope.models import Model

KINDS: list[dict[str, Any]] = [{}, {"layers": 2}, {"architecture": "mlp"}]
EXAMPLES = [[3, 7, 1], [0, 7, 6]]


@pytest.fixture(params=KINDS, ids=str)
def model(request: pytest.FixtureRequest, network: Callable[..., Model]) -> Model:
    """A network mod 7, with one operator token: 0 … 7 exist."""
    return network(**request.param)


@pytest.mark.parametrize(
    "form",
    [list, tuple, np.array, lambda t: np.array(t, np.uint8), lambda t: jnp.array(t, jnp.int8)],
)
def test_lists_and_arrays_are_one_and_the_same(model: Model, form: Any) -> None:
    expected = model(jnp.array(EXAMPLES))
    assert expected.shape == (2, 7)
    assert_array_equal(model(form(EXAMPLES)), expected)
    assert_allclose(model.trace(form(EXAMPLES))[0], expected, rtol=1e-4, atol=1e-5)


def test_one_example_alone_has_no_example_axis(model: Model) -> None:
    alone, read = model.trace(EXAMPLES[0])
    batch, all_read = model.trace(EXAMPLES)
    assert alone.shape == model(EXAMPLES[0]).shape == (7,)
    assert_allclose(alone, batch[0], rtol=1e-5, atol=1e-6)
    for name, values in read.items():
        assert values.shape == all_read[name].shape[1:]
    assert_allclose(
        jax.jit(lambda t: model(t))(jnp.array(EXAMPLES[0])), alone, rtol=1e-4, atol=1e-5
    )
    assert_allclose(jax.vmap(lambda t: model(t))(jnp.array(EXAMPLES)), batch, rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize(
    ("tokens", "line"),
    [
        ([3, 8, 1], "the network has no such token; got 8; allowed: 0 to 7, operators from 7 on"),
        ([[3, 7, 1], [3, 7, 99]], "the network has no such token; got 99; allowed: 0 to 7"),
        ([3, 7, -1], "no such token; got -1"),
        (np.array([3, 7, 2**40]), "no such token; got 1099511627776"),
        (jnp.array([[3, 7, 8]]), "no such token; got 8"),
        ([3, 1], r"wrong shape; got \(2,\); allowed: \(3,\) for x, operator, y, or \(examples, 3"),
        ([[3, 7, 1, 0]], r"wrong shape; got \(1, 4\)"),
        (5, r"wrong shape; got \(\)"),
        ([], r"wrong shape; got \(0,\)"),
        (np.zeros((2, 2, 3), int), r"wrong shape; got \(2, 2, 3\)"),
        ([[3, 7, 1], [3, 7]], "tokens are not an array"),
        ([3.0, 7.0, 1.0], "tokens are not usable; got 'float64'; allowed: whole numbers"),
        (jnp.zeros((2, 3)), "not usable; got 'float32'"),
        ([True, True, False], "not usable; got 'bool'"),
        (["3", "+", "1"], "not usable; got '<U1'"),
        (None, r"wrong shape; got \(\)"),
    ],
)
def test_all_else_is_one_clear_line(model: Model, tokens: Any, line: str) -> None:
    for run in (model, model.trace):
        with pytest.raises(UsageError, match=line) as caught:
            run(tokens)
        assert str(caught.value).isprintable()


def test_inside_jit_only_what_is_known_there_is_checked(model: Model) -> None:
    with pytest.raises(UsageError, match="wrong shape"):
        jax.jit(lambda t: model(t))(jnp.zeros((2, 4), int))
    with pytest.raises(UsageError, match="whole numbers"):
        jax.jit(lambda t: model(t))(jnp.zeros((2, 3)))
    assert jax.jit(lambda t: model(t))(jnp.array(EXAMPLES)).shape == (2, 7)
