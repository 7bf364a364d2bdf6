"""Properties of the search: the same answer for the same function, none for chance."""

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from grokscope.tasks import Search, find_structures, parse
from grokscope.tasks.structure import structure
from grokscope.tasks.structure.field import units

seeds = st.integers(0, 2**32 - 1)


def search(labels: np.ndarray) -> Search:
    return find_structures(labels, labels >= 0)


def tables(found: Search) -> list[tuple[int, list[int], list[int], list[int]]]:
    return [(one.n, one.u.tolist(), one.v.tolist(), one.g.tolist()) for one in found.structures]


@settings(deadline=None, max_examples=30)
@given(
    text=st.sampled_from(["x + y", "x*y + y", "(x - y)^4", "x^3 + 2*y", "x^2*y - 5", "(x*y)^3"]),
    p=st.sampled_from([11, 13, 23]),
    a=st.integers(0, 50),
    b=st.integers(0, 50),
)
def test_how_it_is_typed_does_not_matter(text, p, a, b):
    other = f"({text})*{a * p + 1} + {b}*x - {b}*x + {p}*y^{a} + (x - x)*({text})"
    assert parse(other).canonical != text
    assert tables(structure(other, p)) == tables(structure(text, p))


@settings(deadline=None, max_examples=60)
@given(p=st.sampled_from([11, 12, 13, 23]), group=st.sampled_from(["p", "p - 1"]), seed=seeds)
def test_a_sum_that_is_only_relabelled_is_the_same(p, group, seed):
    n = p if group == "p" else p - 1
    assume(n == p or p != 12)
    rng = np.random.default_rng(seed)
    u, v = hidden(p, n, rng)
    g = rng.permutation(p)[:n]
    a = int(rng.choice(units(n)))
    s, t = rng.integers(0, n, 2)
    first = combined(u, v, g, n)
    moved = tuple(np.where(w >= 0, (a * w + c) % n, -1) for w, c in ((u, s), (v, t)))
    # g∘(u + v) = g'∘(a·u + s + a·v + t) with g'(a·z + s + t) = g(z)
    turned = np.empty(n, dtype=np.int64)
    turned[(a * np.arange(n) + s + t) % n] = g
    second = combined(moved[0], moved[1], turned, n)
    np.testing.assert_array_equal(first, second)
    for labels in (first, combined(moved[0], moved[1], g, n)):
        found = search(labels).best
        assert found is not None
        assert (found.n, found.u.tolist()) == (n, search(first).structures[0].u.tolist())


def hidden(p: int, n: int, rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
    """Return any coordinate of x beside y itself, or beside its logarithm."""
    u = rng.integers(0, n, p)
    u[rng.choice(p, 2, replace=False)] = [0, 1]
    if n == p:
        return u, np.arange(p)
    root = next(h for h in range(1, p) if len({pow(h, k, p) for k in range(n)}) == n)
    v = np.full(p, -1)
    v[[pow(root, k, p) for k in range(n)]] = np.arange(n)
    return u, v


def combined(u: np.ndarray, v: np.ndarray, g: np.ndarray, n: int) -> np.ndarray:
    """Return g(u + v), and 0 where a coordinate is undefined."""
    inside = (u >= 0)[:, None] & (v >= 0)
    return np.where(inside, g[(u[:, None] + v) % n], 0)


@settings(deadline=None, max_examples=60)
@given(
    p=st.sampled_from([13, 23, 31]),
    m=st.integers(1, 12),
    k=st.integers(1, 12),
    scale=st.integers(1, 12),
    seed=seeds,
)
def test_any_function_of_a_sum_of_powers_is_found(p, m, k, scale, seed):
    u, v = (np.array([pow(x, e, p) for x in range(p)]) for e in (m, k))
    sums = (u[:, None] + scale * v) % p
    # only where two different pairs (u, v) have one sum does the table say anything about it
    assume(len(set(u)) * len(set(v)) - len(np.unique(sums)) >= 12)
    labels = np.random.default_rng(seed).integers(0, p, p)[sums]
    found = search(labels)
    assert found.best is not None
    for one in found.structures:
        np.testing.assert_array_equal(one.labels(), labels)


def test_a_table_that_chance_would_explain_as_well_has_no_structure() -> None:
    # x^4 mod 13 has 4 values: 16 pairs of them for 13 sums
    u = np.array([pow(x, 4, 13) for x in range(13)])
    labels = np.random.default_rng(0).integers(0, 13, 13)[(u[:, None] + 4 * u) % 13]
    assert search(labels).best is None


@settings(deadline=None, max_examples=40)
@given(
    s=st.integers(0, 22),
    t=st.integers(0, 22),
    m=st.integers(1, 21),
    k=st.integers(1, 21),
    seed=seeds,
)
def test_any_function_of_a_product_of_powers_is_found(s, t, m, k, seed):
    p = 23
    a, b = (np.array([pow(x + c, e, p) for x in range(p)]) for c, e in ((s, m), (t, k)))
    assume(min(len(set(a)), len(set(b))) > p // 4)
    labels = np.random.default_rng(seed).permutation(p)[a[:, None] * b % p]
    found = search(labels)
    assert found.best is not None
    for one in found.structures:
        inside = one.labels() >= 0
        np.testing.assert_array_equal(one.labels()[inside], labels[inside])
        assert set(labels[~inside].tolist()) == {one.zero}


@pytest.mark.parametrize("p", [11, 23, 24])
def test_random_tables_have_no_structure(p):
    rng = np.random.default_rng(7)
    found = [search(rng.integers(0, p, (p, p))).structures for _ in range(100)]
    assert found == [()] * 100


def test_random_tables_of_two_labels_and_latin_squares_have_none():
    rng = np.random.default_rng(8)
    for _ in range(50):
        assert not search(rng.integers(0, 2, (23, 23))).structures
        shuffled = (np.arange(23)[:, None] + np.arange(23)) % 23
        shuffled[5:9] = shuffled[rng.permutation(np.arange(5, 9))][:, rng.permutation(23)]
        assert not search(shuffled).structures


def test_one_wrong_label_is_noticed():
    for text in ("x + y", "x*y", "(x + y)^2", "(x^2 + y^2)^3"):
        labels, _ = parse(text).evaluate(23)
        labels[7, 11] = (labels[7, 11] + 1) % 23
        assert not search(labels).structures


@pytest.mark.parametrize("text", ["x + y", "x - y", "x*y", "x^2 + y", "x/y", "(x + y)^3"])
def test_swapped_operands_swap_the_coordinates(text):
    labels, defined = parse(text).evaluate(23)
    one, other = (find_structures(t, d).best for t, d in ((labels, defined), (labels.T, defined.T)))
    assert one is not None
    assert other is not None
    assert (one.n, one.relation, one.characters) == (other.n, other.relation, other.characters)
