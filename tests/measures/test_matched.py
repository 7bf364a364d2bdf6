"""The measures in the basis of an operation: those of the rows in order, and few for few."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from numpy.testing import assert_allclose

from grokscope.errors import UsageError
from grokscope.fourier.characters import pulled_back
from grokscope.fourier.spectrum import matched_spectrum, spectrum
from grokscope.measures import (
    fourier_coefficient_ratio,
    fourier_frequency_sparsity,
    gini,
    key_frequencies,
    matched_coefficient_ratio,
    matched_frequency_sparsity,
    matched_gini,
    matched_keys,
    matched_participation,
    matched_values,
    participation,
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


LOG = logarithm(97, 5)
NEXT = logarithm(97, 5, shift=1)


@pytest.mark.parametrize("n", [11, 12])
def test_a_permutation_gives_the_measures_of_the_rows_in_order(n: int) -> None:
    rng = np.random.default_rng(n)
    u, W = rng.permutation(n), rng.normal(size=(n, 5)) * rng.gamma(0.5, size=5)
    characters, in_order = pulled_back([u], n), W[np.argsort(u)]
    assert matched_gini(W, characters) == pytest.approx(float(gini(in_order)), rel=1e-12)
    found = matched_participation(W, characters)
    assert found == pytest.approx(float(participation(in_order)), rel=1e-12)
    found = matched_coefficient_ratio(W, characters)
    assert found == pytest.approx(float(fourier_coefficient_ratio(in_order)), rel=1e-12)
    joint = spectrum(in_order).joint
    share = np.mean(joint > 0.5 * joint.max())
    assert matched_frequency_sparsity(W, characters) == pytest.approx(share)


def test_few_multiplicative_characters_are_sparse_in_their_own_basis_alone() -> None:
    W = waves(LOG, 96, {22: 1.0, 47: 1.0, 5: 0.8})
    characters = pulled_back([LOG], 96)
    assert matched_frequency_sparsity(W, characters) == pytest.approx(3 / 48)
    assert matched_participation(W, characters) == pytest.approx(2.64**2 / 2.4096)
    assert fourier_frequency_sparsity(W) == 1
    assert matched_coefficient_ratio(W, characters) == pytest.approx(1)
    keys = key_frequencies(matched_spectrum(W, characters))
    assert (np.flatnonzero(keys) + 1).tolist() == [5, 22, 47]
    # and the other way round
    additive = waves(np.arange(97), 97, {22: 1.0, 47: 1.0})
    assert matched_frequency_sparsity(additive, characters) > 0.9
    assert fourier_frequency_sparsity(additive) < 0.05


def test_two_coordinates_count_a_frequency_once_and_have_no_ratio() -> None:
    """x*y + y: the embedding serves log(x + 1) and log(y)."""
    characters = pulled_back([LOG, NEXT], 96)
    both = np.concatenate([waves(LOG, 96, {7: 1.0}), waves(NEXT, 96, {7: 1.0})], axis=1)
    assert matched_frequency_sparsity(both, characters) == pytest.approx(1 / 48)
    assert np.isnan(matched_coefficient_ratio(both, characters))
    assert matched_keys(characters) == ("ffs", "gini", "ipr")
    assert tuple(matched_values(matched_spectrum(both, characters), characters)) == (
        "ffs",
        "gini",
        "ipr",
    )


@pytest.mark.parametrize("two", [False, True])
def test_automorphisms_and_translations_change_nothing(two: bool) -> None:
    rng = np.random.default_rng(0)
    W = rng.normal(size=(97, 8)) + 9 * np.tile(waves(LOG, 96, {3: 1.0}), 4)

    def values(a: int, c: int) -> list[float]:
        moved = [np.where(w >= 0, (a * w + c) % 96, -1) for w in ([LOG, NEXT] if two else [LOG])]
        characters = pulled_back(moved, 96)
        found = matched_values(matched_spectrum(W, characters), characters)
        return [float(found[key]) for key in ("ffs", "gini", "ipr")]

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
    assert matched_coefficient_ratio(W, pulled_back([u], 8)) == pytest.approx(0.5)
    # functions of x² mod 7: cosine and sine of a frequency span at most 3 dimensions together
    square = np.arange(7) ** 2 % 7
    assert 0 <= matched_coefficient_ratio(np.eye(7), pulled_back([square], 7)) <= 1


@pytest.mark.parametrize("n", [2, 3])
def test_small_groups_are_not_testable(n: int) -> None:
    u = np.arange(5) % n
    characters = pulled_back([u], n)
    for value in matched_values(matched_spectrum(np.eye(5), characters), characters).values():
        assert np.isnan(value)


@pytest.mark.parametrize("array", [np.asarray, jnp.asarray], ids=["numpy", "jax"])
def test_tables_without_a_frequency_are_undefined(array) -> None:
    characters = pulled_back([LOG], 96)
    for W in (np.zeros((97, 3)), np.ones((97, 3)), np.eye(97)[:, :1], np.full((97, 1), np.nan)):
        values = matched_values(matched_spectrum(array(W), characters), characters)
        assert all(np.isnan(value) for value in values.values())
        assert not key_frequencies(matched_spectrum(array(W), characters)).any()


@pytest.mark.parametrize("coordinates", [[LOG], [LOG, NEXT]], ids=["one", "two"])
def test_compiled_with_strict_promotion(coordinates: list[np.ndarray]) -> None:
    characters = pulled_back(coordinates, 96)
    rng = np.random.default_rng(1)
    W = (rng.normal(size=(97, 16)) * rng.gamma(0.5, size=16)).astype(np.float32)
    expected = matched_values(matched_spectrum(W, characters), characters)
    with jax.numpy_dtype_promotion("strict"), jax.numpy_rank_promotion("raise"):
        found = jax.jit(lambda w: matched_values(matched_spectrum(w, characters), characters))(
            jnp.asarray(W)
        )
    for key, value in expected.items():
        assert isinstance(value, np.float64)
        assert found[key].dtype == jnp.float32
        assert float(found[key]) == pytest.approx(value, rel=2e-5)


@pytest.mark.parametrize("eta", [0.0, 1.0, float("nan")])
def test_a_threshold_outside_0_to_1_is_refused(eta: float) -> None:
    with pytest.raises(UsageError, match="eta is not usable"):
        matched_frequency_sparsity(np.eye(11), pulled_back([np.arange(11)], 11), eta)
