"""Characters of a group as functions on a table's rows, against loops and written-out cases."""

import cmath

import numpy as np
import pytest
from numpy.testing import assert_allclose

from grokscope.fourier.characters import additive_basis, orthonormal, pulled_back, pushed_forward


def residues(p, power=1):
    return np.arange(p) ** power % p


def logarithm(p, root):
    log = np.full(p, -1)
    for s in range(p - 1):
        log[pow(root, s, p)] = s
    return log


def wave(k, values, n):
    """Cosine and sine of the character k at some elements of Z_n; 0 where there is none."""
    found = [cmath.exp(2j * cmath.pi * k * int(u) / n) if u >= 0 else 0j for u in values]
    return np.array([z.real for z in found]), np.array([z.imag for z in found])


def residual(columns, target):
    """What least squares leave of the target."""
    return target - columns @ np.linalg.lstsq(columns, target, rcond=None)[0]


@pytest.mark.parametrize("n", [2, 3, 4, 7, 8, 12, 13])
def test_of_residues_themselves_they_are_the_additive_basis(n):
    characters, basis = pulled_back([residues(n)], n), additive_basis(n)
    (part,) = characters.parts
    assert part.shape == (n // 2, n, 2)
    for k in range(1, n // 2 + 1):
        assert_allclose(part[k - 1, :, 0], basis[:, 2 * k - 1], atol=1e-12)
        sine = np.zeros(n) if 2 * k == n else basis[:, 2 * k]
        assert_allclose(part[k - 1, :, 1], sine, atol=1e-12)
    assert characters.is_faithful
    assert characters.dimensions == n - 1
    assert_allclose(characters.free, np.full((n, 1), n**-0.5))


@pytest.mark.parametrize(("p", "root"), [(7, 3), (13, 2)])
def test_of_a_logarithm_they_are_the_basis_in_its_order(p, root):
    log = logarithm(p, root)
    characters, basis = pulled_back([log], p - 1), additive_basis(p - 1)
    for k in range(1, (p - 1) // 2):
        for i in range(2):
            assert_allclose(
                characters.parts[0][k - 1, 1:, i], basis[log[1:], 2 * k - 1 + i], atol=1e-12
            )
    # the residue without a logarithm has no character and a direction of its own
    assert not characters.inside[0]
    assert characters.inside[1:].all()
    assert_allclose(characters.parts[0][:, 0], 0)
    own = np.zeros((p, 2))
    own[1:, 0], own[0, 1] = (p - 1) ** -0.5, 1
    assert_allclose(characters.free, own)
    assert characters.is_faithful


@pytest.mark.parametrize("p", [7, 13])
@pytest.mark.parametrize(
    ("power", "values"), [(2, lambda p: (p + 1) // 2), (3, lambda p: (p - 1) // 3 + 1)]
)
def test_a_coordinate_that_is_not_one_to_one_spans_what_its_values_tell_apart(p, power, values):
    u = residues(p, power)
    characters = pulled_back([u], p)
    # functions of u without the constant
    assert characters.dimensions == values(p) - 1
    assert not characters.is_faithful
    for k in range(1, p // 2 + 1):
        columns = np.column_stack([np.ones(p), *wave(k, u, p)])
        plane = characters.span([k])
        # the same space: neither leaves anything of the other, P₀ apart
        assert_allclose(residual(columns, plane), 0, atol=1e-10)
        basis = np.column_stack([plane, np.ones(p)])
        assert_allclose(residual(basis, columns), 0, atol=1e-10)
        assert_allclose(plane.T @ plane, np.eye(plane.shape[1]), atol=1e-12)
        assert_allclose(plane.sum(axis=0), 0, atol=1e-12)


def test_the_cubes_of_13_have_a_plane_or_a_line_as_they_are():
    # 1, 5, 8, 12 and 0 are the cubes: −1 is one, so that sines cancel nowhere and stay
    characters = pulled_back([residues(13, 3)], 13)
    assert [characters.span([k]).shape[1] for k in (1, 2, 3)] == [2, 2, 2]
    # of the squares mod 5, 0 1 4, sines are odd under 1 ↔ 4 and stay too: three values, two waves
    squares = pulled_back([residues(5, 2)], 5)
    assert squares.dimensions == 2
    # a coordinate with two values has one direction, at every frequency
    two = pulled_back([np.array([0, 3, 3, 0, 3])], 7)
    assert two.dimensions == 1
    assert [two.span([k]).shape[1] for k in (1, 2, 3)] == [1, 1, 1]


def test_the_last_frequency_of_an_even_group_has_no_sine():
    characters = pulled_back([residues(8)], 8)
    assert_allclose(characters.parts[0][3, :, 0], (-1.0) ** np.arange(8) / np.sqrt(8), atol=1e-12)
    assert_allclose(characters.parts[0][3, :, 1], 0)
    assert characters.span([4]).shape[1] == 1


def test_a_coordinate_and_its_negative_count_once():
    u = residues(11)
    assert len(pulled_back([u, -u % 11], 11).parts) == 1
    assert len(pulled_back([u, u], 11).parts) == 1
    assert len(pulled_back([u, (u + 3) % 11], 11).parts) == 1
    assert len(pulled_back([2 * u % 11, 3 * u % 11], 11).parts) == 2
    assert len(pulled_back([residues(11, 2), u], 11).parts) == 2


def test_coordinates_that_are_undefined_at_different_residues_are_inside_where_both_are():
    u, v = np.array([-1, 0, 1, 2, 3]), np.array([2, 1, 3, 0, -1])
    characters = pulled_back([u, v], 4)
    assert characters.inside.tolist() == [False, True, True, True, False]
    for part in characters.parts:
        assert_allclose(part[:, [0, 4]], 0)
        assert_allclose(part.sum(axis=1), 0, atol=1e-12)


@pytest.mark.parametrize("p", [7, 8, 13])
@pytest.mark.parametrize("form", ["s", "s + 3", "s^2", "s^3", "holes"])
def test_pushed_forward_is_the_sum_over_all_that_lead_to_an_answer(p, form):
    s = np.arange(p)
    g = {
        "s": s,
        "s + 3": (s + 3) % p,
        "s^2": s**2 % p,
        "s^3": s**3 % p,
        "holes": np.where(s % 3 == 0, -1, s**2 % p),
    }[form]
    characters = pushed_forward(g, p)
    reached = [any(g[t] == c for t in range(p)) for c in range(p)]
    assert characters.inside.tolist() == reached
    for k in range(1, p // 2 + 1):
        total = np.zeros((p, 2))
        for t in range(p):
            if g[t] >= 0:
                z = cmath.exp(2j * cmath.pi * k * t / p)
                total[g[t]] += [z.real, z.imag]
        rows = np.array(reached)
        pushed = (total - total[rows].mean(axis=0)) * rows[:, None]
        plane = characters.span([k])
        assert np.linalg.matrix_rank(pushed, tol=1e-9) == plane.shape[1]
        assert_allclose(pushed - plane @ (plane.T @ pushed), 0, atol=1e-10)
        assert_allclose(plane.T @ plane, np.eye(plane.shape[1]), atol=1e-12)


def test_pushed_forward_along_a_permutation_is_pulled_back_along_its_inverse():
    g = np.array([3, 0, 4, 1, 6, 2, 5])
    inverse = np.argsort(g)
    forward, back = pushed_forward(g, 7), pulled_back([inverse], 7)
    assert_allclose(forward.parts[0], back.parts[0], atol=1e-12)


def test_answers_of_a_logarithm_leave_zero_out():
    g = np.array([pow(3, s, 7) for s in range(6)])
    characters = pushed_forward(g, 7)
    assert characters.inside.tolist() == [False, *[True] * 6]
    assert_allclose(characters.parts[0], pulled_back([logarithm(7, 3)], 6).parts[0], atol=1e-12)


def test_no_frequencies_span_nothing_but_the_constant():
    characters = pulled_back([residues(5)], 5)
    assert characters.span([]).shape == (5, 0)
    assert characters.basis([]).shape == (5, 1)
    table = np.random.default_rng(0).normal(size=(5, 3))
    assert_allclose(characters.centred(table), table - table.mean(axis=0))


@pytest.mark.parametrize("n", [2, 3])
def test_the_smallest_groups_have_one_frequency(n):
    characters = pulled_back([residues(n)], n)
    assert characters.n_frequencies == 1
    assert characters.dimensions == n - 1


def test_orthonormal_drops_what_depends_on_others_and_what_is_known():
    rng = np.random.default_rng(0)
    columns = rng.normal(size=(9, 3))
    columns /= np.linalg.norm(columns, axis=0)
    twice = np.column_stack([columns, columns[:, 0]])
    assert orthonormal(twice).shape == (9, 3)
    known = orthonormal(columns[:, :2])
    new = orthonormal(twice, known)
    assert new.shape == (9, 1)
    assert_allclose(known.T @ new, 0, atol=1e-12)
    assert orthonormal(columns[:, :2], known).shape == (9, 0)
