"""Spectra in the basis of a coordinate: those of the table with its rows put in order."""

from collections.abc import Callable
from types import SimpleNamespace

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from numpy.testing import assert_allclose

from grokscope.errors import UsageError
from grokscope.fourier.characters import additive_characters, pulled_back, pushed_forward
from grokscope.fourier.spectrum import spectrum


def logarithm(p: int, root: int, shift: int = 0) -> np.ndarray:
    """The discrete logarithm of x + shift mod p, −1 where that is 0."""
    log = np.full(p, -1)
    for exponent in range(p - 1):
        log[(pow(root, exponent, p) - shift) % p] = exponent
    return log


def table(rows: int, columns: int = 6) -> np.ndarray:
    return np.random.default_rng(rows).normal(size=(rows, columns))


@pytest.fixture(params=[11, 12])
def one_to_one(request: pytest.FixtureRequest) -> SimpleNamespace:
    """A coordinate that is a permutation of Z_n, and a table over the rows."""
    n = request.param
    u = np.random.default_rng(n).permutation(n)
    return SimpleNamespace(n=n, u=u, W=table(n))


def test_a_permutation_gives_the_spectrum_of_the_rows_in_order(one_to_one: SimpleNamespace) -> None:
    u, n = one_to_one.u, one_to_one.n
    found = spectrum(one_to_one.W, pulled_back([u, -u % n], n))
    in_order = spectrum(one_to_one.W[np.argsort(u)])
    assert_allclose(found.cos_norm, in_order.cos_norm, rtol=1e-12)
    assert_allclose(found.sin_norm, in_order.sin_norm, rtol=1e-12, atol=1e-12)
    assert_allclose(found.joint, in_order.joint, rtol=1e-12)
    if n % 2 == 0:
        assert found.sin_norm[-1] == 0


@pytest.mark.parametrize("two", [False, True])
def test_automorphisms_move_frequencies_and_translations_nothing(two: bool) -> None:
    p, n = 13, 12
    u, v = logarithm(p, 2), logarithm(p, 2, shift=1)
    W = table(p)

    def joint(a: int, c: int) -> np.ndarray:
        moved = [np.where(w >= 0, (a * w + c) % n, -1) for w in ([u, v] if two else [u])]
        return spectrum(W, pulled_back(moved, n)).joint

    before = joint(1, 0)
    assert_allclose(joint(1, 5), before, rtol=1e-10)
    # χ_k(5u) = χ_5k(u): the norm at k is what stood at ±5k
    k = 5 * np.arange(1, 7) % n
    assert_allclose(joint(5, 0), before[np.minimum(k, n - k) - 1], rtol=1e-10)


def test_the_rows_outside_and_the_constant_have_no_frequency() -> None:
    u = logarithm(11, 2)
    characters = pulled_back([u], 10)
    W = np.full((11, 3), 2.0)
    W[0] = 100
    assert not np.any(spectrum(W, characters).joint)
    assert not np.any(spectrum(0 * W, characters).joint)


def test_two_coordinates_have_a_joint_norm_over_both_planes() -> None:
    p, n = 13, 12
    u, v = logarithm(p, 2), logarithm(p, 2, shift=1)
    characters = pulled_back([u, v], n)
    W = table(p)
    found = spectrum(W, characters)
    for k in range(1, n // 2 + 1):
        # least squares on all functions cos(2πku/n), sin(2πku/n), cos(2πkv/n), sin(2πkv/n)
        inside = characters.inside
        columns = [f(2 * np.pi * k * w[inside] / n) for w in (u, v) for f in (np.cos, np.sin)]
        X = np.stack([c - c.mean() for c in columns], axis=1)
        fit = X @ np.linalg.pinv(X, rcond=1e-10) @ (W[inside] - W[inside].mean(axis=0))
        assert found.joint[k - 1] == pytest.approx(np.linalg.norm(fit), rel=1e-9)
    assert np.isnan(found.sin_norm).all()
    assert_allclose(found.cos_norm, found.joint)


def test_planes_that_overlap_are_counted_once() -> None:
    # x² and x² + 6 (−1 is no square mod 7): u and v span the same planes on the same rows
    p = 7
    x = np.arange(p)
    square = x**2 % p
    other = np.where(x == 0, 1, square)
    planes = pulled_back([square, other], p).planes.columns
    for plane in planes:
        gram = plane.T @ plane
        assert_allclose(gram, np.diag(np.diag(gram)), atol=1e-12)
        assert set(np.round(np.diag(gram), 9)) <= {0, 1}
        # functions of x² on 7 residues have 4 values, and the constant is left out
        assert np.trace(gram) <= 3 + 1e-9
    W = table(p)
    joint = spectrum(W, pulled_back([square, other], p)).joint
    assert (joint <= np.linalg.norm(W - W.mean(axis=0)) * (1 + 1e-12)).all()


def test_answers_that_several_sums_share() -> None:
    # g(s) = s² has no sines: they cancel in s and −s
    p = 11
    characters = pushed_forward(np.arange(p) ** 2 % p, p)
    found = spectrum(table(p), characters)
    assert not found.sin_norm.any()
    assert_allclose(found.joint, found.cos_norm)


@pytest.mark.parametrize("two", [False, True])
def test_jax_agrees_inside_jit_and_under_vmap(two: bool) -> None:
    p, n = 13, 12
    coordinates = [logarithm(p, 2), logarithm(p, 2, shift=1)][: 1 + two]
    characters = pulled_back(coordinates, n)
    W = table(p).astype(np.float32)
    expected = spectrum(W, characters)
    stacked = jnp.stack([jnp.asarray(W), 2 * jnp.asarray(W)])

    def norms(w: jax.Array) -> tuple[jax.Array, ...]:
        inside = spectrum(w, characters)
        return *inside.norms, inside.joint

    for found, wanted in zip(
        jax.jit(jax.vmap(norms))(stacked), (*expected.norms, expected.joint), strict=True
    ):
        assert_allclose(found[0], wanted, rtol=2e-5, atol=1e-5)
        assert_allclose(found[1], 2 * wanted, rtol=2e-5, atol=1e-5)
        assert found.dtype == jnp.float32


def test_small_and_large_single_precision_tables_keep_their_shape() -> None:
    characters = pulled_back([logarithm(13, 2), logarithm(13, 2, shift=1)], 12)
    W = table(13).astype(np.float32)
    for scale in (1e-30, 1e30):
        found = spectrum(jnp.asarray(W * np.float32(scale)), characters)
        assert_allclose(found.joint, spectrum(W, characters).joint * scale, rtol=1e-5)


def test_a_table_of_another_length_is_refused() -> None:
    with pytest.raises(UsageError, match="does not fit its basis; got '20 rows'; allowed: 11 rows"):
        spectrum(table(20), pulled_back([np.arange(11)], 11))


@pytest.mark.parametrize("array", [np.asarray, jnp.asarray], ids=["numpy", "jax"])
def test_tokens_behind_the_residues_are_left_out(array: Callable) -> None:
    W, characters = table(12), additive_characters(11)
    found, wanted = spectrum(array(W), characters), spectrum(array(W[:11]), characters)
    assert_allclose(found.joint, wanted.joint)


@pytest.mark.parametrize("p", [2, 3, 11, 12])
def test_the_additive_basis_is_the_matched_basis_of_x(p: int) -> None:
    one, other = additive_characters(p), pulled_back([np.arange(p)], p)
    assert_allclose(one.planes.columns, other.planes.columns, atol=1e-12)
    assert one.planes.has_both.tolist() == other.planes.has_both.tolist()


def test_an_entry_that_is_not_finite_gives_nan() -> None:
    W = table(11)
    W[3, 1] = np.inf
    assert np.isnan(spectrum(W, pulled_back([np.arange(11)], 11)).joint).all()
