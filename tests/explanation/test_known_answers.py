"""Networks that were built by formula are explained by the formula, and others are not."""

from collections.abc import Callable
from typing import Any

import equinox as eqx
import jax.numpy as jnp
import numpy as np
import pytest
from numpy.testing import assert_allclose

from grokscope.explanation.circuit import Effort
from grokscope.explanation.explain import explain_network
from grokscope.explanation.network import of_model
from grokscope.explanation.result import Explanation
from grokscope.explanation.verdict import ClaimId
from grokscope.models import Model
from grokscope.tasks.structure import Structure, structure

EFFORT = Effort(null_draws=200, control_draws=5)
P = 23
CASES = {
    "x + y": (2, 5, 9),
    "x*y": (1, 4, 10),
    "x^2 + y^2": (2, 5, 9),
    "x - y": (1, 3, 7),
    "x/y": (3, 4, 5),
}


def own(operation: str) -> Structure:
    best = structure(operation, P).best
    assert best is not None
    return best


def explained(model: Model, operation: str, by: str | None = None, **settings: Any) -> Explanation:
    """Explain a network that should answer an operation, as if it had grokked."""
    labels = np.maximum(own(operation).labels(), 0).astype(np.int32)
    given = {"grokked": True, "effort": EFFORT, "thorough": False} | settings
    search = structure(by or operation, P)
    return explain_network(of_model(model), labels, search, operation=operation, **given)


@pytest.fixture(scope="module")
def clocks(build_clock: Callable[..., Model]) -> dict[str, Model]:
    return {
        operation: build_clock(own(operation), keys, grid=12) for operation, keys in CASES.items()
    }


def verdicts(explanation: Explanation) -> dict[str, str]:
    return {str(claim.id): claim.verdict for claim in explanation.claims.values()}


@pytest.mark.parametrize("operation", CASES)
def test_a_clock_is_explained_with_the_keys_that_were_built_in(
    clocks: dict[str, Model], operation: str
) -> None:
    explanation = explained(clocks[operation], operation)
    assert explanation.verdict == "explained", explanation.claims.missing
    assert set(explanation.neuron_logit_map.keys) == set(CASES[operation])
    assert set(explanation.embedding.keys) == set(CASES[operation])
    # of the squares mod 23 the embedding cannot show which frequencies it uses
    assert explanation.embedding.saturated == (operation == "x^2 + y^2")
    assert not explanation.neuron_logit_map.saturated
    for scores in (explanation.ablations.embedding, explanation.ablations.logits):
        assert scores.keep == pytest.approx(1)
        assert scores.remove is not None
        assert scores.remove < 0.05
    assert {k for family in explanation.families for k in family} == set(CASES[operation])


@pytest.mark.parametrize("operation", CASES)
def test_with_a_random_unembedding_it_is_not(clocks: dict[str, Model], operation: str) -> None:
    model = clocks[operation]
    drawn = jnp.asarray(np.random.default_rng(0).normal(size=model.W_U.shape), jnp.float32)
    explanation = explained(eqx.tree_at(lambda m: m.W_U, model, drawn), operation)
    assert explanation.verdict == "not explained"
    assert explanation.neuron_logit_map.keys == ()
    assert verdicts(explanation)["embedding keep"] == "not testable"


@pytest.mark.parametrize("operation", ["x + y", "x*y"])
def test_with_a_random_embedding_it_is_not(clocks: dict[str, Model], operation: str) -> None:
    model = clocks[operation]
    drawn = np.array(model.W_E)
    drawn[:P] = np.random.default_rng(0).normal(size=drawn[:P].shape)
    explanation = explained(eqx.tree_at(lambda m: m.W_E, model, jnp.asarray(drawn)), operation)
    assert explanation.verdict == "not explained"
    assert explanation.embedding.keys == ()


@pytest.mark.parametrize(("operation", "by"), [("x + y", "x*y"), ("x*y", "x + y")])
def test_by_the_structure_of_another_operation_nothing_is_found(
    clocks: dict[str, Model], operation: str, by: str
) -> None:
    explanation = explained(clocks[operation], operation, by)
    assert explanation.verdict == "not explained"
    assert explanation.embedding.keys == explanation.neuron_logit_map.keys == ()
    assert explanation.structure.words != own(operation).words


def test_what_has_not_grokked_is_at_most_partly_explained(clocks: dict[str, Model]) -> None:
    explanation = explained(clocks["x + y"], "x + y", grokked=False)
    assert explanation.verdict == "partly"
    assert [c.id for c in explanation.claims.missing] == ["grokked"]
    assert verdicts(explanation)["grokked"] == "fails"


def test_where_training_is_not_known_the_answers_tell(clocks: dict[str, Model]) -> None:
    whole = explained(clocks["x + y"], "x + y", grokked=None)
    assert whole.verdict == "explained"
    assert whole.claims[ClaimId.GROKKED].value == 1
    # one answer in 23 is never given: 96% are right
    model = clocks["x + y"]
    W_U = np.array(model.W_U)
    W_U[:, 0] = 0
    part = explained(eqx.tree_at(lambda m: m.W_U, model, jnp.asarray(W_U)), "x + y", grokked=None)
    assert part.claims[ClaimId.GROKKED].value == pytest.approx(1 - 1 / P)
    assert verdicts(part)["grokked"] == "fails"
    assert part.verdict != "explained"


def test_a_key_that_is_reduced_to_its_cosine_is_a_line(clocks: dict[str, Model]) -> None:
    """cos w(x − y)·cos wc instead of cos w(x − y − c), at the last of three keys."""
    keys = CASES["x - y"]
    model = clocks["x - y"]
    W_U = np.array(model.W_U)
    sine = np.sin(2 * np.pi * keys[2] * np.arange(P) / P)
    rows = np.flatnonzero(np.abs(W_U @ sine) > 0.99 * (P / 2))
    assert rows.size == 1
    W_U[rows] = 0
    standing = eqx.tree_at(lambda m: m.W_U, model, jnp.asarray(W_U))
    explanation = explained(standing, "x - y", thorough=True)
    shapes = {shape.frequency: shape for shape in explanation.logits.key_shapes}
    assert {k: shapes[k].shape for k in keys} == {1: "circle", 3: "circle", 7: "line"}
    assert_allclose(shapes[7].minor, 0, atol=1e-3)
    assert verdicts(explanation)["circles"] == "fails"
    whole = explained(model, "x - y", thorough=True)
    assert verdicts(whole)["circles"] == verdicts(whole)["clock formula"] == "holds"
    assert whole.closed_form.variance_explained == pytest.approx(1, abs=1e-3)


@pytest.mark.parametrize("operation", ["x + y", "x*y"])
@pytest.mark.parametrize("pizza", [False, True])
def test_a_clock_is_told_from_a_pizza(
    build_clock: Callable[..., Model], operation: str, pizza: bool
) -> None:
    model = build_clock(own(operation), CASES[operation], grid=32 if pizza else 12, pizza=pizza)
    explanation = explained(model, operation, thorough=True)
    assert explanation.algorithm.kind == ("pizza" if pizza else "clock")
