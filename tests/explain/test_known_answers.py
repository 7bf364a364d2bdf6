"""Networks that were built by formula are explained by the formula, and others are not."""

from collections.abc import Callable
from typing import Any

import equinox as eqx
import jax.numpy as jnp
import numpy as np
import pytest

from grokscope.explain.circuit import Effort
from grokscope.explain.compose import explain_network
from grokscope.explain.explanation import Explanation
from grokscope.models import Model
from grokscope.tasks.structure import Search, Structure, structure

EFFORT = Effort(null_draws=200, control_draws=5)
P = 23
CASES = {"x + y": (2, 5, 9), "x*y": (1, 4, 10), "x^2 + y^2": (2, 5, 9), "x - y": (1, 3, 7),
         "x/y": (3, 4, 5)}  # fmt: skip


def found(operation: str, p: int = P) -> Search:
    return structure(operation, p)


def explained(
    model: Model, operation: str, by: str | None = None, **settings: Any
) -> Explanation:
    """Explain a network that should answer an operation, as if it had grokked."""
    own = found(operation).best
    assert own is not None
    labels = np.maximum(own.labels(), 0).astype(np.int32)
    return explain_network(
        model, labels, found(by or operation), operation=operation,
        **{"grokked": True, "effort": EFFORT, "thorough": False} | settings,
    )  # fmt: skip


def doubles(keys: tuple[int, ...], structure: Structure) -> set[int]:
    n = structure.n
    return {min(2 * k % n, -2 * k % n) for k in keys}


@pytest.fixture(scope="module")
def clocks(build_clock: Callable[..., Model]) -> dict[str, Model]:
    models = {}
    for operation, keys in CASES.items():
        best = found(operation).best
        assert best is not None
        models[operation] = build_clock(best, keys, grid=12)
    return models


@pytest.mark.parametrize("operation", CASES)
def test_a_clock_is_explained_with_the_keys_that_were_built_in(
    clocks: dict[str, Model], operation: str
) -> None:
    explanation = explained(clocks[operation], operation)
    assert explanation.verdict == "explained", explanation.failed
    assert set(explanation.readout.key_frequencies) == set(CASES[operation])
    if not explanation.embedding.saturated:
        assert set(explanation.embedding.key_frequencies) == set(CASES[operation])


@pytest.mark.parametrize("operation", CASES)
def test_with_a_random_unembedding_it_is_not(clocks: dict[str, Model], operation: str) -> None:
    model = clocks[operation]
    drawn = jnp.asarray(np.random.default_rng(0).normal(size=model.W_U.shape), jnp.float32)
    explanation = explained(eqx.tree_at(lambda m: m.W_U, model, drawn), operation)
    assert explanation.verdict == "not explained"
    assert explanation.readout.key_frequencies == ()
