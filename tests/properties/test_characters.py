"""What holds of the characters of any coordinate: orthonormal, projections, Parseval."""

import math

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from grokscope.explanation.families import fold
from grokscope.fourier.characters import keep, pulled_back, pushed_forward, remove, remove_others

groups = st.integers(2, 16)
seeds = st.integers(0, 2**32 - 1)


def draw(n, seed):
    """Draw a coordinate with collisions and undefined rows, and a table."""
    rng = np.random.default_rng(seed)
    p = int(rng.integers(2, 16))
    u = rng.integers(-1, n, size=p)
    u[rng.integers(p)] = rng.integers(n)
    return u, rng.normal(size=(p, 3)), rng


def frequencies(n, rng):
    """Draw two sets of frequencies without common members."""
    order = rng.permutation(np.arange(1, n // 2 + 1)).tolist()
    cut, end = sorted(rng.integers(0, len(order) + 1, size=2).tolist())
    return order[:cut], order[cut:end]


def same_span(a, b):
    np.testing.assert_allclose(a @ a.T, b @ b.T, atol=1e-6)


@given(n=groups, seed=seeds)
def test_bases_are_orthonormal_and_planes_are_beyond_the_free_part(n, seed):
    u, _, rng = draw(n, seed)
    characters = pulled_back([u], n)
    keys, _ = frequencies(n, rng)
    basis = characters.basis(keys)
    np.testing.assert_allclose(basis.T @ basis, np.eye(basis.shape[1]), atol=1e-9)
    for planes in characters.parts:
        squares = np.einsum("kpi,kpj->kij", planes, planes)
        for square in squares:
            # a plane, a line or nothing
            np.testing.assert_allclose(square, np.diag(np.round(np.diag(square))), atol=1e-9)


@given(n=groups, seed=seeds)
def test_keeping_and_removing_are_projections(n, seed):
    u, table, rng = draw(n, seed)
    characters = pulled_back([u], n)
    keys, others = frequencies(n, rng)
    kept, removed = keep(characters, keys, table), remove(characters, keys, table)
    free = keep(characters, [], table)
    np.testing.assert_allclose(keep(characters, keys, kept), kept, atol=1e-9)
    np.testing.assert_allclose(remove(characters, keys, removed), removed, atol=1e-9)
    # P_K·W + (W − (P_K − P₀)·W) = W + P₀·W, and what is removed is gone
    np.testing.assert_allclose(kept + removed, table + free, atol=1e-9)
    np.testing.assert_allclose(keep(characters, keys, removed), free, atol=1e-9)
    # fewer keys of the kept are the fewer keys
    np.testing.assert_allclose(
        keep(characters, keys, keep(characters, keys + others, table)), kept, atol=1e-7
    )
    # a control does not touch what the keys hold
    control = remove_others(characters, keys, others, table)
    np.testing.assert_allclose(keep(characters, keys, control), kept, atol=1e-7)


@given(n=groups, seed=seeds)
def test_parseval_of_a_relabelled_group(n, seed):
    """Of a coordinate that is one-to-one the energies of all frequencies add up."""
    rng = np.random.default_rng(seed)
    table = rng.normal(size=(n, 3))
    characters = pulled_back([rng.permutation(n)], n)
    (part,) = characters.parts
    energy = np.sum(np.einsum("kpi,pd->kid", part, table) ** 2)
    np.testing.assert_allclose(energy, np.sum((table - table.mean(axis=0)) ** 2), rtol=1e-9)


@given(n=groups, a=st.integers(1, 15), seed=seeds)
def test_an_automorphism_permutes_the_frequencies(n, a, seed):
    if math.gcd(a, n) > 1:
        a = n - 1
    u, _, rng = draw(n, seed)
    turned = np.where(u >= 0, u * a % n, -1)
    before, after = pulled_back([u], n), pulled_back([turned], n)
    g = rng.integers(-1, 5, size=n)
    turned_g = np.empty_like(g)
    turned_g[a * np.arange(n) % n] = g
    pushed, pushed_after = pushed_forward(g, 5), pushed_forward(turned_g, 5)
    for k in range(1, n // 2 + 1):
        image = fold(k * a, n)
        same_span(after.span([k]), before.span([image]))
        same_span(pushed_after.span([k]), pushed.span([image]))


@given(n=groups, shift=st.integers(0, 15), seed=seeds)
def test_translations_and_signs_of_a_coordinate_are_not_seen(n, shift, seed):
    u, _, _ = draw(n, seed)
    before = pulled_back([u], n)
    for other in ((u + shift) % n, -u % n):
        after = pulled_back([np.where(u >= 0, other, -1)], n)
        for k in range(1, n // 2 + 1):
            same_span(after.span([k]), before.span([k]))
