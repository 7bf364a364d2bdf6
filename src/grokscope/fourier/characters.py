"""The characters of Z_n on a table's rows: pulled back, pushed forward, and projections on them."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property, lru_cache
from typing import Any, Final

import numpy as np
from jaxtyping import Bool, Float, Int

from grokscope.fourier.waves import all_frequencies, n_frequencies, real_waves


@lru_cache(maxsize=64)
def additive_basis(n: int) -> Float[np.ndarray, "n mode"]:
    """Return the real Fourier basis of functions on Z_n, over its full period.

    **Arguments:**

    - `n`: order of the group, at least 1.

    **Returns:** float64, read-only; columns have unit norm and are orthogonal, in the order
    constant, cos 1, sin 1, cos 2, sin 2 … An even n ends with the cosine of frequency n/2
    (Nyquist), which has no sine.
    """
    waves = real_waves(np.arange(n), all_frequencies(n), n)
    basis = np.empty((n, n))
    basis[:, 0] = 1 / np.sqrt(n)
    # √(2/n) cos(2πkx/n) and √(2/n) sin(2πkx/n)
    basis[:, 1::2] = np.sqrt(2 / n) * waves[..., 0]
    basis[:, 2::2] = np.sqrt(2 / n) * waves[:, : (n - 1) // 2, 1]
    if n % 2 == 0:
        # cos(πx) = ±1 has norm √n
        basis[:, -1] /= np.sqrt(2)
    basis.flags.writeable = False
    return basis


_SMALLEST: Final = 1e-7
"""Singular value, of vectors of norm 1, under which a direction is round-off."""


@dataclass(frozen=True, eq=False)
class Planes:
    """What a spectrum needs of characters; its arrays may be traced by JAX.

    **Arguments:**

    - `n`: order of the group.
    - `columns`: orthonormal columns of what each frequency spans, filled up with 0.
    - `has_both`: frequencies with a cosine and a sine.
    - `one_coordinate`: whether the columns are cosine and sine of one coordinate.
    """

    n: int
    columns: Float[Any, "freq p mode"]
    has_both: Bool[Any, "freq"]
    one_coordinate: bool

    @property
    def planes(self) -> "Planes":
        """Itself, as a basis gives its planes."""
        return self


@dataclass(frozen=True, eq=False)
class Characters:
    """For every frequency k of Z_n the functions on the rows of a table that it spans.

    A table that serves two coordinates, as an embedding does for u(x) and v(y), has two parts.

    **Arguments:**

    - `n`: order of the group.
    - `inside`: rows at which the coordinates are defined.
    - `parts`: per coordinate and frequency an orthonormal pair of columns, orthogonal to the
      constant and 0 on all rows outside; a column is 0 where the plane is smaller.
    """

    n: int
    inside: Bool[np.ndarray, "p"]
    parts: tuple[Float[np.ndarray, "freq p 2"], ...]

    @property
    def n_frequencies(self) -> int:
        """⌊n/2⌋."""
        return n_frequencies(self.n)

    @cached_property
    def free(self) -> Float[np.ndarray, "p column"]:
        """Orthonormal basis of P₀: the constant, and the indicator of every row outside."""
        constant = self.inside / np.sqrt(max(1, self.inside.sum()))
        indicators = np.eye(len(self.inside))[:, ~self.inside]
        return np.concatenate([constant[:, None], indicators], axis=1)

    @cached_property
    def dimensions(self) -> int:
        """Dimensions that all frequencies span together, P₀ left out."""
        return self.span(all_frequencies(self.n)).shape[1]

    @property
    def is_faithful(self) -> bool:
        """Whether every function on the rows inside is a combination of characters."""
        return bool(self.dimensions >= self.inside.sum() - 1)

    @property
    def planes(self) -> Planes:
        """What each frequency spans: cosine and sine, or with two parts at most 4 columns."""
        return self._planes

    @cached_property
    def _planes(self) -> Planes:
        # the column of a cosine or sine that is missing is 0
        has_both = (self.parts[0] != 0).any(axis=1).all(axis=1)
        one_coordinate = len(self.parts) == 1
        columns = self.parts[0] if one_coordinate else self._joint_columns()
        return Planes(self.n, columns, has_both, one_coordinate)

    def _joint_columns(self) -> Float[np.ndarray, "freq p mode"]:
        """Return what each frequency spans in all parts; planes that overlap are counted once."""
        spans = [self.span([k]) for k in all_frequencies(self.n)]
        width = max((span.shape[1] for span in spans), default=0)
        columns = np.zeros((len(spans), len(self.inside), width))
        for plane, span in zip(columns, spans, strict=True):
            plane[:, : span.shape[1]] = span
        return columns

    def span(self, frequencies: Sequence[int]) -> Float[np.ndarray, "p column"]:
        """Return an orthonormal basis of what some frequencies span in all parts, without P₀."""
        chosen = [part[k - 1] for k in frequencies for part in self.parts]
        return orthonormal(np.concatenate([np.zeros((len(self.inside), 0)), *chosen], axis=1))

    def basis(self, frequencies: Sequence[int]) -> Float[np.ndarray, "p column"]:
        """Return an orthonormal basis of P₀ and some frequencies."""
        return np.concatenate([self.free, self.span(frequencies)], axis=1)

    def centred(self, table: Float[np.ndarray, "p column"]) -> Float[np.ndarray, "p column"]:
        """Return the table without its part in P₀."""
        return table - self.free @ (self.free.T @ table)

    def energy_share(
        self, frequencies: Sequence[int], centred: Float[np.ndarray, "p column"]
    ) -> float:
        """Return the share of some frequencies in the energy of a table without its part in P₀."""
        energy = float(np.sum(centred**2))
        held = float(np.sum((self.span(frequencies).T @ centred) ** 2))
        return held / energy if energy > 0 else 0.0


def orthonormal(
    columns: Float[np.ndarray, "p column"], beyond: Float[np.ndarray, "p mode"] | None = None
) -> Float[np.ndarray, "p ..."]:
    """Return an orthonormal basis of the span of some columns.

    **Arguments:**

    - `columns`: vectors of norm about 1.
    - `beyond`: orthonormal columns; what lies in their span is taken out first.
    """
    if beyond is not None:
        columns = columns - beyond @ (beyond.T @ columns)
    left, singular, _ = np.linalg.svd(columns, full_matrices=False)
    return left[:, singular > _SMALLEST]


@lru_cache(maxsize=64)
def additive_characters(p: int) -> Characters:
    """Return the characters of residues modulo p, those of the coordinate u = x."""
    basis = additive_basis(p)
    waves = np.zeros((n_frequencies(p), p, 2))
    waves[..., 0] = basis[:, 1::2].T
    waves[: (p - 1) // 2, :, 1] = basis[:, 2::2].T
    return Characters(p, np.ones(p, bool), (waves,))


def pulled_back(coordinates: Sequence[Int[np.ndarray, "p"]], n: int) -> Characters:
    """Return the characters χ_k(u(x)) of one or several coordinates u on the same residues.

    **Arguments:**

    - `coordinates`: elements of Z_n per residue, −1 where undefined; coordinates whose planes
      are the same at every frequency (u and −u) count once.
    - `n`: order of the group.
    """
    inside = np.asarray(np.stack(list(coordinates)).min(axis=0) >= 0)
    parts: list[Float[np.ndarray, "freq p 2"]] = []
    for u in coordinates:
        part = _planes(_values(u, n), inside)
        if not any(_same(part, other) for other in parts):
            parts.append(part)
    return Characters(n, inside, tuple(parts))


def pushed_forward(readout: Int[np.ndarray, "n"], p: int) -> Characters:
    """Return the characters of Z_n as functions on answers: Σ χ_k(s) over all s with g(s) = c.

    **Arguments:**

    - `readout`: the answer g(s) of each element s of Z_n, −1 where there is none.
    - `p`: number of answers; those that no sum leads to are outside.
    """
    n = len(readout)
    onto = np.zeros((p, n))
    reached = np.flatnonzero(readout >= 0)
    onto[readout[reached], reached] = 1
    inside = np.asarray(onto.any(axis=1))
    return Characters(n, inside, (_planes(onto @ _values(np.arange(n), n), inside),))


def _values(u: Int[np.ndarray, "p"], n: int) -> Float[np.ndarray, "freq p 2"]:
    """cos and sin of 2πku/n at every residue, 0 where u is undefined."""
    return np.ascontiguousarray(real_waves(u, all_frequencies(n), n).swapaxes(0, 1))


def _planes(
    values: Float[np.ndarray, "freq p 2"], inside: Bool[np.ndarray, "p"]
) -> Float[np.ndarray, "freq p 2"]:
    """Orthonormal columns of each plane beyond P₀; the first stays along the cosine."""
    values = np.where(inside[:, None], values, 0.0)
    mean = values.sum(axis=1, keepdims=True) / max(1, inside.sum())
    values = np.where(inside[:, None], values - mean, 0.0)
    size = np.sqrt(max(1, inside.sum()))
    cos = _unit(values[..., 0], size)
    sin = values[..., 1] - cos * np.sum(cos * values[..., 1], axis=1, keepdims=True)
    return np.stack([cos, _unit(sin, size)], axis=-1)


def _unit(vectors: Float[np.ndarray, "freq p"], size: float) -> Float[np.ndarray, "freq p"]:
    """Divide each vector by its norm; those that are only round-off become 0."""
    norm = np.linalg.norm(vectors, axis=1, keepdims=True)
    held = norm > _SMALLEST * size
    return np.where(held, vectors, 0) / np.where(held, norm, 1)


def _same(a: Float[np.ndarray, "freq p 2"], b: Float[np.ndarray, "freq p 2"]) -> bool:
    """Whether two coordinates span the same plane at every frequency."""
    overlap = np.sum(np.matmul(a.swapaxes(1, 2), b) ** 2, axis=(1, 2))
    larger = np.maximum(*(np.sum(x**2, axis=(1, 2)) for x in (a, b)))
    return bool(np.allclose(overlap, larger, atol=1e-6))


Table = Float[np.ndarray, "p column"]


def project(basis: Float[np.ndarray, "p mode"], table: Table) -> Table:
    """Return the part of a table in the span of orthonormal columns."""
    return basis @ (basis.T @ table)


def keep(characters: Characters, frequencies: Sequence[int], table: Table) -> Table:
    """Return P_K·W: only the constant, the rows outside and some frequencies are left."""
    return project(characters.basis(frequencies), table)


def remove(characters: Characters, frequencies: Sequence[int], table: Table) -> Table:
    """Return W − (P_K − P₀)·W: some frequencies are taken out, the constant stays."""
    return table - project(characters.span(frequencies), table)


def remove_others(
    characters: Characters, frequencies: Sequence[int], others: Sequence[int], table: Table
) -> Table:
    """Return W without other frequencies, of which first all that the keys hold is taken out.

    The characters of coordinates that are not injective overlap: without that a control would
    remove parts of the keys too.
    """
    beyond = orthonormal(characters.span(others), characters.basis(frequencies))
    return table - project(beyond, table)


def turn(
    characters: Characters, k: int, angle: float, table: Table, part: int = 0
) -> Float[np.ndarray, "p column"]:
    """Return a table whose waves of one frequency are turned: cos(ku) becomes cos(ku + angle).

    **Arguments:**

    - `characters`: of the rows.
    - `k`: frequency, 1 … ⌊n/2⌋.
    - `angle`: in radians.
    - `part`: which coordinate, where several share the rows.
    """
    waves = characters.parts[part][k - 1]
    cos, sin = waves.T @ table
    turned = np.stack(
        [np.cos(angle) * cos + np.sin(angle) * sin, np.cos(angle) * sin - np.sin(angle) * cos]
    )
    return table + waves @ (turned - np.stack([cos, sin]))
