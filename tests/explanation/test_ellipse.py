"""Ellipse codes: the formula's logits when x is turned, and what a code that is none looks like."""

from dataclasses import replace

import jax.numpy as jnp
import numpy as np
import pytest
from numpy.testing import assert_allclose
from tests.explanation.networks import structure_of

from grokscope.explanation.ellipse import (
    PARTS,
    EllipseCode,
    bias_like,
    logits_like,
    turn_coordinate,
)
from grokscope.explanation.in_basis import NetworkInBasis
from grokscope.fourier.basis import Basis
from grokscope.interop.functions import network_of_functions
from grokscope.validation.planted import Circles, multiplied, of_circles

P = 23
KEYS = (3, 5, 9)


def code_with(sine: float) -> NetworkInBasis:
    """A network that adds on ellipses of this height, x and y in tables of their own."""
    structure = structure_of("x + y", P)
    circles = Circles(P, KEYS, np.random.default_rng(0))
    logits = of_circles(circles, multiplied, sine)
    network = network_of_functions(logits, (circles.W_E, circles.W_E))
    return NetworkInBasis(network, structure.labels().astype(np.int32), Basis(structure))


@pytest.mark.parametrize("turn", [0, 1, 3, PARTS, 5 * PARTS])
def test_turned_logits_are_those_of_the_formula_in_real_numbers(turn: int) -> None:
    network = code_with(0.4)
    code = EllipseCode.of(network, KEYS)
    s, c = np.arange(P)[:, None] + turn / PARTS, np.arange(P)[None]
    expected = np.zeros((P, P))
    for k in KEYS:
        w = 2 * np.pi * k / P
        expected += np.cos(w * s) * np.cos(w * c) + 0.4 * np.sin(w * s) * np.sin(w * c)
        expected -= (np.cos(w * c) ** 2 + 0.4 * np.sin(w * c) ** 2) / 2
    expected -= expected.mean(axis=1, keepdims=True)
    assert_allclose(code.logits(turn), expected, atol=0.06)


@pytest.mark.parametrize("sine", [1.0, 0.3])
def test_a_code_on_ellipses_moves_as_they_say_and_other_frequencies_do_not_matter(
    sine: float,
) -> None:
    network = code_with(sine)
    found = turn_coordinate(network, KEYS, KEYS)
    assert found is not None
    assert found.correlation > 0.99
    assert found.control is not None
    assert abs(found.control) < 0.05
    assert found.turns[: PARTS - 1] == (0.25, 0.5, 0.75)


def test_its_logits_and_bias_are_the_formulas_and_those_of_nulls_are_not() -> None:
    network = code_with(0.2)
    logits, bias = logits_like(network, KEYS), bias_like(network, KEYS)
    assert logits.value > 0.99
    assert logits.null < 0.5
    assert bias.value > 0.99
    assert bias.null < 0.5


def test_where_the_bias_is_another_it_is_not_that_of_the_ellipses() -> None:
    network = code_with(0.2)
    other = np.random.default_rng(0).permutation(network.sum_logits.bias) - network.sum_logits.bias
    whole = network.network
    changed = replace(whole, logits_of=lambda rows: whole.logits_of(rows) + other)
    found = bias_like(NetworkInBasis(changed, network.labels, network.basis), KEYS)
    assert found.value < found.null < 0.5


def test_a_network_that_does_not_read_its_circles_does_not_turn() -> None:
    network = code_with(1.0)
    deaf = network_of_functions(
        lambda rows: jnp.asarray(network.logits) + 0 * rows[0].sum() + 0 * rows[1].sum(),
        tuple(jnp.asarray(rows, jnp.float32) for rows in network.network.W_E or ()),
    )
    found = turn_coordinate(NetworkInBasis(deaf, network.labels, network.basis), KEYS, KEYS)
    assert found is not None
    assert abs(found.correlation) < 1e-3


def test_without_keys_there_is_nothing_to_turn() -> None:
    assert turn_coordinate(code_with(1.0), (), ()) is None
