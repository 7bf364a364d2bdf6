"""Anybody's network as functions: the least that an explanation needs, and what more is worth."""

from typing import Any, Final

import jax.numpy as jnp
import numpy as np
import pytest
from tests.interop.planted import KEYS, P, clock, waves

import grokscope as gs
from grokscope.explanation.verdict import ClaimId

UNKNOWN_NEURONS: Final = {ClaimId.NEURONS_KEEP, ClaimId.REBUILT}


def untested(found: Any) -> set[ClaimId]:
    return {key for key, claim in found.claims.items() if claim.verdict == "not testable"}


def test_a_function_and_a_table_are_enough_for_a_verdict() -> None:
    found = gs.explain(gs.Network(logits=clock, W_E=waves()), "x + y")
    assert found.verdict == "explained"
    assert set(found.embedding.keys) == set(found.neuron_logit_map.keys) == set(KEYS)
    assert found.neuron_logit_map.name == "the class axis"
    # one table for both positions: x cannot be moved alone
    assert untested(found) == UNKNOWN_NEURONS | {ClaimId.PATCHING, ClaimId.TURNING}
    assert not [claim for claim in found.claims.values() if claim.fails]


def test_two_tables_let_x_be_moved_alone() -> None:
    found = gs.explain(gs.Network(logits=clock, W_E=(waves(), waves())), "x + y")
    assert found.verdict == "explained"
    assert found.claims[ClaimId.PATCHING].value == 1
    assert untested(found) == UNKNOWN_NEURONS


@pytest.mark.parametrize("operation", ["x + y", "x - y"])
def test_tables_of_their_own_may_hold_another_coordinate_each(operation: str) -> None:
    back = waves()[-np.arange(P) % P] if operation == "x - y" else waves()
    found = gs.explain(gs.Network(logits=clock, W_E=(waves(), back)), operation)
    assert found.verdict == "explained"
    assert set(found.embedding.keys) == set(KEYS)
    assert found.embedding.name == "W_E of x and of y"


def test_logits_alone_say_what_can_be_said() -> None:
    found = gs.Network(logits=clock(waves())).explain("x + y")
    assert found.verdict == "partly"
    assert set(found.neuron_logit_map.keys) == set(KEYS)
    assert found.embedding.keys == ()
    assert {c for c in ClaimId if c.value.startswith("embedding")} <= untested(found)
    assert ClaimId.BOTH_KEPT in untested(found)
    assert found.claims[ClaimId.CLOCK_FORMULA].value == 1
    assert "W_E" in found.claims[ClaimId.EMBEDDING_KEYS].statement


def test_the_wrong_operation_and_noise_are_not_explained() -> None:
    net = gs.Network(logits=clock, W_E=waves())
    assert net.explain("x*y").verdict == "not explained"
    assert net.explain("x + y", by="x*y").verdict == "not explained"
    noise = np.random.default_rng(0).normal(size=(P, P, P))
    assert gs.Network(logits=noise).explain("x + y").verdict == "not explained"


def test_neurons_that_can_be_replaced_are_tested() -> None:
    grid = 2 * np.pi * np.arange(16) / 16
    phi, psi = (a.ravel() for a in np.meshgrid(grid, grid))
    cos, sin = waves((3,))[:, 0], waves((3,))[:, 1]
    W_L = np.cos(2 * np.pi * 3 * np.arange(P)[:, None] / P + phi + psi)

    def neurons(rows: np.ndarray) -> np.ndarray:
        x, y = rows[:, None], rows[None]
        of_x = x[..., :1] * np.cos(phi) - x[..., 1:] * np.sin(phi)
        of_y = y[..., :1] * np.cos(psi) - y[..., 1:] * np.sin(psi)
        return np.maximum(of_x + of_y, 0)

    net = gs.Network(
        logits=lambda rows: neurons(rows) @ W_L.T,
        W_E=np.stack([cos, sin], axis=1),
        neurons=neurons,
        with_neurons=lambda _, values: values @ W_L.T,
        W_L=W_L,
    )
    found = net.explain("x + y")
    assert found.verdict == "explained"
    assert found.neuron_logit_map.keys == (3,)
    assert found.claims[ClaimId.NEURONS_KEEP].value == pytest.approx(1)
    assert found.neurons.share_above_85 == 1
    assert found.neurons.phase_agreement == pytest.approx(1, abs=1e-3)
    assert net.neurons().axes == ("x", "y", "neuron")


def test_every_library_gives_the_same() -> None:
    torch = pytest.importorskip("torch")
    answers = waves()
    functions = {
        "numpy": gs.Network(logits=clock, W_E=(waves(), waves())),
        "jax": gs.Network(
            logits=lambda rows: clock(rows, jnp.asarray(answers)),
            W_E=(jnp.asarray(waves()), jnp.asarray(waves())),
        ),
        "torch": gs.Network(
            logits=lambda rows: clock(rows, torch.as_tensor(answers)),
            W_E=(torch.as_tensor(waves()), torch.as_tensor(waves())),
        ),
    }
    found = {name: net.explain("x + y") for name, net in functions.items()}
    assert {name: e.verdict for name, e in found.items()} == dict.fromkeys(found, "explained")
    assert found["numpy"].algorithm.gradient_symmetricity is None
    # a clock multiplies: ∂/∂x turns with y, and the gradients say nothing of each other
    for name in ("jax", "torch"):
        assert found[name].algorithm.gradient_symmetricity == pytest.approx(0, abs=0.1)
        assert found[name].algorithm.kind == "clock"


def test_gradients_with_one_table_are_those_with_two() -> None:
    answers = jnp.asarray(waves())
    one = gs.Network(logits=lambda rows: clock(rows, answers), W_E=jnp.asarray(waves()))
    two = gs.Network(
        logits=lambda rows: clock(rows, answers), W_E=(jnp.asarray(waves()), jnp.asarray(waves()))
    )
    rng = np.random.default_rng(0)
    x, y, c = (rng.integers(0, P, 40) for _ in range(3))
    apart = x != y
    functions = [net._known.gradients_of for net in (one, two)]
    assert all(functions)
    of_one, of_two = (f(x[apart], y[apart], c[apart]) for f in functions if f is not None)
    # pairs come back group by group: compare as sets of rows
    for mine, other in zip(of_one, of_two, strict=True):
        order = [np.lexsort(rows.round(5).T) for rows in (mine, other)]
        assert np.allclose(mine[order[0]], other[order[1]], atol=1e-5)


def test_pairs_that_trained_make_unleaked_accuracy_possible() -> None:
    net = gs.Network(logits=clock, W_E=waves())
    trained = np.zeros((P, P), bool)
    trained[:, :12] = True
    sides = net.accuracy("x + y", trained=trained)
    assert sides == {"all": 1, "train": 1, "test": 1, "unleaked": 1}
    torch = pytest.importorskip("torch")
    assert net.accuracy("x + y", trained=torch.from_numpy(trained)) == sides
    as_list = np.argwhere(trained)
    found = net.explain("x + y", trained=as_list)
    assert found.verdict == "explained"
    assert found.claims[ClaimId.NEW_PAIRS].n == (P - 12) ** 2
    assert set(net.accuracy("x + y")) == {"all"}


def test_answers_beyond_p_are_left_out() -> None:
    def wider(rows: np.ndarray) -> np.ndarray:
        return np.concatenate([clock(rows), np.full((P, P, 2), -9.0)], axis=2)

    assert gs.Network(logits=wider, W_E=waves()).logits().shape == (P, P, P)


def test_it_says_what_is_known() -> None:
    assert repr(gs.Network(logits=clock, W_E=waves())) == (
        "network mod 23: logits, W_E; not known: neurons, W_L"
    )


def narrow(rows: Any) -> np.ndarray:
    return clock(rows)[:, :, :5]


NOT_A_NUMBER = np.where(np.arange(P)[:, None] == 3, np.nan, waves())
WRONG: dict[str, tuple[Any, str]] = {
    "no W_E": (lambda: gs.Network(logits=clock), "needs W_E"),
    "flat logits": (
        lambda: gs.Network(logits=lambda r: clock(r).reshape(-1, P), W_E=waves()),
        "wrong shape",
    ),
    "too few classes": (lambda: gs.Network(logits=narrow, W_E=waves()), "wrong shape"),
    "no array": (lambda: gs.Network(logits=lambda _: "x", W_E=waves()), "wrong shape"),
    "complex": (lambda: gs.Network(logits=lambda r: clock(r) + 0j, W_E=waves()), "real numbers"),
    "three tables": (lambda: gs.Network(logits=clock, W_E=[waves()] * 3), "3 tables"),
    "tables of two lengths": (
        lambda: gs.Network(logits=clock, W_E=(waves(), waves()[:-1])),
        "no row for each residue",
    ),
    "one axis": (lambda: gs.Network(logits=clock, W_E=waves()[:, 0]), "wrong shape"),
    "array beside a table": (
        lambda: gs.Network(logits=clock(waves()), W_E=waves()),
        "cannot follow",
    ),
    "logits of two axes": (lambda: gs.Network(logits=waves()), "wrong shape"),
    "neurons that are no function": (
        lambda: gs.Network(logits=clock, W_E=waves(), neurons=waves()),
        "a function",
    ),
    "replacing without reading": (
        lambda: gs.Network(logits=clock, W_E=waves(), with_neurons=lambda _, n: n),
        "needs neurons",
    ),
    "short W_L": (lambda: gs.Network(logits=clock, W_E=waves(), W_L=waves()[:5]), "too few rows"),
    "W_L of another width": (
        lambda: gs.Network(
            logits=clock, W_E=waves(), neurons=lambda r: clock(r)[..., :4], W_L=waves()
        ),
        "does not fit the neurons",
    ),
    "no operation": (lambda: gs.explain(gs.Network(logits=clock, W_E=waves())), "its operation"),
    "trained nothing": (
        lambda: gs.Network(logits=clock, W_E=waves()).explain("x + y", trained=[]),
        "trained pairs",
    ),
    "trained beyond p": (
        lambda: gs.Network(logits=clock, W_E=waves()).explain("x + y", trained=[[0, P]]),
        "trained pairs",
    ),
}


@pytest.mark.parametrize("case", WRONG)
def test_wrong_networks_are_refused_in_one_line(case: str) -> None:
    call, words = WRONG[case]
    with pytest.raises(gs.errors.UsageError) as caught:
        call()
    assert words in str(caught.value)
    assert "\n" not in str(caught.value)


def test_what_is_not_finite_is_said_to_be_so() -> None:
    found = gs.Network(logits=clock, W_E=NOT_A_NUMBER).explain("x + y")
    assert found.verdict == "not explained"
    assert found.claims[ClaimId.FINITE].fails
