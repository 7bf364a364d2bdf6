"""The measures in the basis of an operation: those of the rows in order, and few for few."""

from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from numpy.testing import assert_allclose

from grokscope.errors import UsageError
from grokscope.fourier.characters import Characters, pulled_back
from grokscope.fourier.spectrum import spectrum
from grokscope.measures import (
    MEASURES,
    describe,
    fourier_coefficient_ratio,
    fourier_frequency_sparsity,
    key_frequencies,
    key_frequency_share,
    participation,
    recorded,
)


def logarithm(p: int, root: int, shift: int = 0) -> np.ndarray:
    """The discrete logarithm of x + shift mod p, −1 where that is 0."""
    log = np.full(p, -1)
    for exponent in range(p - 1):
        log[(pow(root, exponent, p) - shift) % p] = exponent
    return log


def waves(u: np.ndarray, n: int, frequencies: dict[int, float]) -> np.ndarray:
    """Columns cos and sin of 2πku/n, scaled; 0 where u is undefined."""
    columns = [
        a * np.where(u >= 0, f(2 * np.pi * k * u / n), 0)
        for k, a in frequencies.items()
        for f in (np.cos, np.sin)
    ]
    return np.stack(columns, axis=1)


def measured(W: Any, characters: Characters) -> dict[str, Any]:
    """What is defined whether there are one or two coordinates, from one spectrum."""
    known = spectrum(W, characters)
    return {m.key: m.of(known) for m in recorded("matched", one_coordinate=False)}


LOG = logarithm(97, 5)
NEXT = logarithm(97, 5, shift=1)


@pytest.mark.parametrize("n", [11, 12])
def test_a_permutation_gives_the_measures_of_the_rows_in_order(n: int) -> None:
    rng = np.random.default_rng(n)
    u, W = rng.permutation(n), rng.normal(size=(n, 5)) * rng.gamma(0.5, size=5)
    characters, in_order = pulled_back([u], n), W[np.argsort(u)]
    expected = describe(in_order, basis="additive")
    assert describe(W, basis=characters) == pytest.approx(expected, rel=1e-12)


def test_few_multiplicative_characters_are_sparse_in_their_own_basis_alone() -> None:
    W = waves(LOG, 96, {22: 1.0, 47: 1.0, 5: 0.8})
    characters = pulled_back([LOG], 96)
    assert key_frequency_share(W, basis=characters) == pytest.approx(3 / 48)
    assert fourier_frequency_sparsity(W, basis=characters) == pytest.approx(6 / 95)
    assert participation(W, basis=characters) == pytest.approx(2.64**2 / 2.4096)
    assert fourier_frequency_sparsity(W) == key_frequency_share(W) == 1
    assert fourier_coefficient_ratio(W, basis=characters) == pytest.approx(1)
    keys = key_frequencies(spectrum(W, characters))
    assert (np.flatnonzero(keys) + 1).tolist() == [5, 22, 47]
    # and the other way round
    additive = waves(np.arange(97), 97, {22: 1.0, 47: 1.0})
    assert key_frequency_share(additive, basis=characters) > 0.9
    assert fourier_frequency_sparsity(additive) < 0.05


def test_two_coordinates_count_a_frequency_once_and_have_no_ratio() -> None:
    """x*y + y: the embedding serves log(x + 1) and log(y)."""
    characters = pulled_back([LOG, NEXT], 96)
    both = np.concatenate([waves(LOG, 96, {7: 1.0}), waves(NEXT, 96, {7: 1.0})], axis=1)
    assert key_frequency_share(both, basis=characters) == pytest.approx(1 / 48)
    for measure in MEASURES.values():
        assert np.isnan(measure.of(both, basis=characters)) == measure.one_coordinate
    keys = [measure.key for measure in recorded("matched", one_coordinate=False)]
    assert keys == ["kfs", "gini", "ipr"]
    assert [measure.key for measure in recorded("matched")] == ["kfs", "fcr", "gini", "ipr"]


@pytest.mark.parametrize("two", [False, True])
def test_automorphisms_and_translations_change_nothing(two: bool) -> None:
    rng = np.random.default_rng(0)
    W = rng.normal(size=(97, 8)) + 9 * np.tile(waves(LOG, 96, {3: 1.0}), 4)

    def values(a: int, c: int) -> list[float]:
        moved = [np.where(w >= 0, (a * w + c) % 96, -1) for w in ([LOG, NEXT] if two else [LOG])]
        characters = pulled_back(moved, 96)
        return list(measured(W, characters).values())

    before = values(1, 0)
    assert_allclose(values(5, 0), before, rtol=1e-9)
    assert_allclose(values(-1, 17), before, rtol=1e-9)
    assert before[0] == pytest.approx(1 / 48)


def test_a_frequency_without_a_sine_has_no_ratio() -> None:
    # the Nyquist frequency of an even n
    u = np.arange(8)
    W = np.concatenate(
        [waves(u, 8, {2: 1.0})[:, :1] * 2, waves(u, 8, {2: 1.0})[:, 1:], (-1.0) ** u[:, None]],
        axis=1,
    )
    assert fourier_coefficient_ratio(W, basis=pulled_back([u], 8)) == pytest.approx(0.5)
    # functions of x² mod 7: cosine and sine of a frequency span at most 3 dimensions together
    square = np.arange(7) ** 2 % 7
    assert 0 <= fourier_coefficient_ratio(np.eye(7), basis=pulled_back([square], 7)) <= 1


@pytest.mark.parametrize("n", [2, 3])
def test_small_groups_are_not_testable(n: int) -> None:
    u = np.arange(5) % n
    characters = pulled_back([u], n)
    for value in measured(np.eye(5), characters).values():
        assert np.isnan(value)


@pytest.mark.parametrize("array", [np.asarray, jnp.asarray], ids=["numpy", "jax"])
def test_tables_without_a_frequency_are_undefined(array) -> None:
    characters = pulled_back([LOG], 96)
    for W in (np.zeros((97, 3)), np.ones((97, 3)), np.eye(97)[:, :1], np.full((97, 1), np.nan)):
        values = measured(array(W), characters)
        assert all(np.isnan(value) for value in values.values())
        assert not key_frequencies(spectrum(array(W), characters)).any()


@pytest.mark.parametrize("coordinates", [[LOG], [LOG, NEXT]], ids=["one", "two"])
def test_compiled_with_strict_promotion(coordinates: list[np.ndarray]) -> None:
    characters = pulled_back(coordinates, 96)
    rng = np.random.default_rng(1)
    W = (rng.normal(size=(97, 16)) * rng.gamma(0.5, size=16)).astype(np.float32)
    expected = measured(W, characters)
    with jax.numpy_dtype_promotion("strict"), jax.numpy_rank_promotion("raise"):
        found = jax.jit(lambda w: measured(w, characters))(jnp.asarray(W))
    for key, value in expected.items():
        assert isinstance(value, np.float64)
        assert found[key].dtype == jnp.float32
        assert float(found[key]) == pytest.approx(value, rel=2e-5)


@pytest.mark.parametrize("eta", [0.0, 1.0, float("nan")])
def test_a_threshold_outside_0_to_1_is_refused(eta: float) -> None:
    with pytest.raises(UsageError, match="eta is not usable"):
        key_frequency_share(np.eye(11), eta)
