"""Other names for the residues change which keys a network has, and nothing else."""

from functools import cache
from typing import Any

import equinox as eqx
import jax.numpy as jnp
import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from tests.explanation.build import build_clock
from tests.explanation.networks import make

from grokscope.explanation.circuit import Effort
from grokscope.explanation.explain import explain_network
from grokscope.explanation.families import double, families, fold, harmonics
from grokscope.explanation.network import of_model
from grokscope.explanation.result import Explanation
from grokscope.models import Model
from grokscope.tasks.structure import structure

P = 23
KEYS = {"x + y": (2, 5, 9), "x*y": (1, 4, 10)}
EFFORT = Effort(null_draws=50, control_draws=1)


@cache
def built(operation: str) -> Model:
    """A clock for an operation; not a fixture, since hypothesis would print all its weights."""
    best = structure(operation, P).best
    assert best is not None
    return build_clock(make, best, KEYS[operation], 8)


def explain(model: Model, operation: str) -> Explanation:
    search = structure(operation, P)
    assert search.best is not None
    labels = np.maximum(search.best.labels(), 0).astype(np.int32)
    return explain_network(
        of_model(model),
        labels,
        search,
        operation=operation,
        grokked=True,
        effort=EFFORT,
        thorough=False,
    )


def relabelled(model: Model, names: np.ndarray) -> Model:
    """The network in which residue x is called names[x], on both sides."""
    W_E, W_U = np.array(model.W_E), np.array(model.W_U)
    W_E[names], W_U[:, names] = W_E[:P].copy(), W_U.copy()
    return eqx.tree_at(lambda m: (m.W_E, m.W_U), model, (jnp.asarray(W_E), jnp.asarray(W_U)))


def words(explanation: Explanation) -> dict[str, Any]:
    """What must not change at all."""
    tables = (explanation.embedding, explanation.neuron_logit_map)
    return {
        "verdict": explanation.verdict,
        "claims": [(c.id, c.verdict) for c in explanation.claims.values()],
        "structure": explanation.structure,
        "sizes": [(len(t.keys), t.saturated) for t in tables],
        "families": sorted(map(len, explanation.families)),
    }


def numbers(explanation: Explanation) -> list[float]:
    """What must not change but for round-off; controls are drawn by frequency, and do."""
    tables = (explanation.embedding, explanation.neuron_logit_map)
    found = [explanation.ablations.full, explanation.ablations.both_keep]
    for table in tables:
        found += [table.energy_in_keys, table.gini, *sorted(table.spectrum)]
    for scores in (explanation.ablations.embedding, explanation.ablations.logits):
        found += [scores.keep, scores.remove]
    return [np.nan if number is None else number for number in found]


@pytest.mark.parametrize("operation", ["x + y", "x*y"])
@given(a=st.integers(2, P - 1))
@settings(max_examples=3, deadline=None)
def test_an_automorphism_of_the_residues_permutes_the_keys(operation: str, a: int) -> None:
    """For x + y it is x → a·x; for x*y it is x → x^a, which multiplies logarithms by a."""
    n = P if operation == "x + y" else P - 1
    assume(np.gcd(a, n) == 1)
    names = np.array([a * x % P if n == P else pow(x, a, P) for x in range(P)])
    before, after = (
        explain(model, operation)
        for model in (built(operation), relabelled(built(operation), names))
    )
    inverse = pow(a, -1, n)
    for name in before.by_table:
        keys, turned = (set(e.by_table[name].keys) for e in (before, after))
        # χ_k(u) = χ_{k/a}(a·u)
        assert turned == {fold(k * inverse, n) for k in keys}
    assert words(after) == words(before)
    np.testing.assert_allclose(numbers(after), numbers(before), atol=2e-3)
    assert before.verdict == "explained", before.claims.missing


@given(n=st.integers(2, 60), a=st.integers(1, 59), seed=st.integers(0, 2**32 - 1))
def test_an_automorphism_permutes_families_and_harmonics(n: int, a: int, seed: int) -> None:
    assume(np.gcd(a, n) == 1)
    rng = np.random.default_rng(seed)
    keys = rng.permutation(np.arange(1, n // 2 + 1))[: rng.integers(1, n // 2 + 1)].tolist()
    turned = [fold(a * k, n) for k in keys]
    assert len(set(turned)) == len(keys)
    assert harmonics(turned, n) == {fold(a * k, n) for k in harmonics(keys, n)}
    moved = [tuple(fold(a * k, n) for k in family) for family in families(keys, n)]
    assert families(turned, n) == moved
    for k in keys:
        assert double(fold(a * k, n), n) == fold(a * double(k, n), n)


@given(n=st.integers(2, 60), k=st.integers(-200, 200))
def test_folding_is_the_same_for_a_character_and_its_conjugate(n: int, k: int) -> None:
    assert fold(k, n) == fold(-k, n) == fold(k + n, n)
    assert 0 <= fold(k, n) <= n // 2
    x = np.arange(n)
    folded, whole = (np.cos(2 * np.pi * j * x / n) for j in (fold(k, n), k))
    np.testing.assert_allclose(folded, whole, atol=1e-9)
