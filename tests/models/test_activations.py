"""Activations can be read by the names that the docstrings give, and edited at each of them."""

import re
from collections.abc import Callable

import jax.numpy as jnp
import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal

from grokscope.errors import UsageError
from grokscope.models import MLP, Model, Transformer
from grokscope.models.activations import Tape

TOKENS = jnp.array([[3, 7, 1], [0, 7, 6], [5, 7, 5]])
NETWORKS = [{}, {"layers": 2}, {"architecture": "mlp", "layers": 2}]
SIDE_BY_SIDE = ({"query", "key", "value"},)
"""Activations that do not depend on each other although they are marked one after the other."""


def documented(kind: type[Model]) -> set[str]:
    text = (kind.__doc__ or "").split("ts activations are")[1]
    return set(re.findall(r"`([\w.]+)`", text))


def test_names_are_those_of_the_docstring(network: Callable[..., Model]) -> None:
    _, read = network(layers=2).trace(TOKENS)
    assert {name.split(".")[-1] for name in read} == documented(Transformer)
    blocks = {name for name in read if "." in name}
    assert {name.split(".")[1] for name in blocks} == {"0", "1"}
    assert {name.replace(".0.", ".1.") for name in blocks if ".0." in name} == {
        name for name in blocks if ".1." in name
    }
    _, read = network(architecture="mlp").trace(TOKENS)
    assert set(read) == documented(MLP)


@pytest.mark.parametrize("sizes", NETWORKS, ids=str)
def test_an_edit_changes_what_follows_and_nothing_before(
    network: Callable[..., Model], sizes: dict
) -> None:
    model = network(**sizes)
    logits, before = model.trace(TOKENS)
    names = list(before)
    for i, name in enumerate(names):
        edited, after = model.trace(TOKENS, {name: lambda a: 2 * a})
        assert list(after) == names
        if name.endswith("scores"):  # minus infinity is not written before the pattern
            assert np.isfinite(after[name]).all()
        assert_array_equal(after[name], 2 * before[name])
        assert not np.allclose(edited, logits, atol=1e-3), name
        together = next((s for s in SIDE_BY_SIDE if name.split(".")[-1] in s), set())
        block = name.rpartition(".")[0]
        untouched = {*names[:i], *(f"{block}.{other}" for other in together)} - {name}
        for other in untouched:
            assert_array_equal(after[other], before[other], err_msg=f"{name} → {other}")


def test_without_its_neurons_a_block_hands_on_the_middle_of_its_residual(
    network: Callable[..., Model],
) -> None:
    model = network()
    logits, read = model.trace(TOKENS, {"blocks.0.mlp_post": jnp.zeros_like})
    assert_array_equal(read["blocks.0.residual_after"], read["blocks.0.residual_middle"])
    assert_allclose(logits, read["blocks.0.residual_middle"][:, -1] @ model.W_U, rtol=1e-6)


def test_several_edits_work_together(network: Callable[..., Model]) -> None:
    edits = {"blocks.0.head_output": jnp.zeros_like, "blocks.0.mlp_post": jnp.zeros_like}
    model = network()
    logits, _ = model.trace(TOKENS, edits)
    assert_allclose(logits, model.W_E[TOKENS[:, -1]] @ model.W_U, rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize("sizes", NETWORKS, ids=str)
def test_an_edit_of_an_unknown_place_is_refused(network: Callable[..., Model], sizes: dict) -> None:
    with pytest.raises(UsageError, match=r"got 'blocks\.7\.mlp_post'; allowed: embedding, "):
        network(**sizes).trace(TOKENS, {"blocks.7.mlp_post": jnp.zeros_like})


def test_a_tape_hands_back_the_edited_value() -> None:
    tape = Tape({"b": lambda a: a + 1})
    assert float(tape.mark("a", jnp.float32(1))) == 1
    assert float(tape.mark("b", jnp.float32(1))) == 2
    assert {name: float(value) for name, value in tape.close().items()} == {"a": 1, "b": 2}
