"""Shift the coordinate of x in the embedding: the answer must go where the new sum says."""

from collections.abc import Sequence
from typing import Final, Literal

import numpy as np
from jaxtyping import Bool, Float

from grokscope.explanation.findings import Patching
from grokscope.explanation.in_basis import NetworkInBasis
from grokscope.fourier.characters import Table, orthonormal, remove
from grokscope.fourier.waves import real_waves

SHIFTS: Final = 8
Coordinate = Literal["u", "v"]
_SMALLEST: Final = 1e-6
"""Part of a plane beyond others, as a share of its norm, that is round-off."""


def patch_coordinate(
    network: NetworkInBasis, frequencies: Sequence[int], *, shifts: int = SHIFTS
) -> Patching:
    """Shift u(x) to u(x) + d in the key characters at position x, and read the answers.

    **Arguments:**

    - `network`: the network and its structure.
    - `frequencies`: the keys.
    - `shifts`: how many shifts d ≠ 0 of Z_n are drawn; all where there are fewer.
    """
    n = network.basis.n
    rng = np.random.default_rng(0)
    drawn = sorted(rng.permutation(np.arange(1, n))[:shifts].tolist())
    keys, others = embedding_vectors(network, frequencies), Others(network, frequencies, rng)
    counts, control, sizes = _Counts(), _Counts(), []
    for d in drawn if len(frequencies) else ():
        step = coordinate_step(network, frequencies, keys, d)
        counts.add(network, step, d)
        turned = others.step(d)
        if turned is not None:
            control.add(network, turned, d)
            sizes.append(np.linalg.norm(turned) / max(np.linalg.norm(step), 1e-30))
    # all that the keys do; of a control, only its shares of all shifted coordinates
    found = (*counts.shares(), *control.shares()[:2])
    size = float(np.mean(sizes)) if sizes else None
    return Patching(tuple(drawn), int(counts.pairs[0]), *found, control_size=size)


def coordinate_step(
    network: NetworkInBasis,
    frequencies: Sequence[int],
    vectors: Float[np.ndarray, "freq 2 d_model"],
    d: int,
    parts: int = 1,
) -> Float[np.ndarray, "p d_model"]:
    """Return how the embedding changes when u becomes u + d/parts in some characters.

    **Arguments:** the network and its structure; the frequencies; what `embedding_vectors` returns
    for them; how many parts of a residue u moves on, and into how many a residue is parted.
    """
    u, n = network.basis.structure.u, network.basis.n
    shifted = np.where(u >= 0, (parts * u + d) % (parts * n), -1)
    # Σ_k (χ_k(u + d) − χ_k(u))·vector_k
    change = real_waves(shifted, frequencies, parts * n) - real_waves(u, frequencies, n)
    return np.einsum("pkw,kwd->pd", change, vectors)


class Others:
    """Controls of a shift: as many other frequencies as the keys are, drawn anew for each."""

    def __init__(
        self, network: NetworkInBasis, keys: Sequence[int], rng: np.random.Generator
    ) -> None:
        """Keep what they are drawn from.

        **Arguments:** the network and its structure; the keys; what draws.
        """
        self._network, self._many, self._rng = network, len(keys), rng
        self.frequencies = np.setdiff1d(np.arange(1, network.basis.n // 2 + 1), keys)
        # what the keys do not hold, so that a control turns nothing of them
        self._rest = remove(network.basis.inputs, keys, network.embedding)

    def step(self, d: int, parts: int = 1) -> Float[np.ndarray, "p d_model"] | None:
        """Return how the embedding changes when u becomes u + d/parts in others; None without."""
        drawn = sorted(self._rng.permutation(self.frequencies)[: self._many].tolist())
        if not drawn:
            return None
        vectors = embedding_vectors(self._network, drawn, table=self._rest)
        return coordinate_step(self._network, drawn, vectors, d, parts)


class _Counts:
    """Counts pairs, moved and stayed answers: of all shifted coordinates, and of new ones."""

    def __init__(self) -> None:
        self.pairs, self.moved, self.stayed = (np.zeros(2, int) for _ in range(3))

    def add(self, network: NetworkInBasis, step: Float[np.ndarray, "p d_model"], d: int) -> None:
        """Run the network with a changed embedding at position x and count its answers."""
        basis = network.basis
        said = network.run(embedding_of_x=network.embedding + step).argmax(axis=2)
        new = basis.structure.g[(basis.sums + d) % basis.n]
        counted = network.defined & (new >= 0) & (new != network.labels)
        for i, here in enumerate((counted, counted & _has_no_residue(network, d)[:, None])):
            self.pairs[i] += here.sum()
            self.moved[i] += (said == new)[here].sum()
            self.stayed[i] += (said == network.labels)[here].sum()

    def shares(self) -> list[float | None]:
        """Return moved and stayed of all, then of coordinates that no residue has."""
        return [
            float(count[i] / self.pairs[i]) if self.pairs[i] else None
            for i in range(2)
            for count in (self.moved, self.stayed)
        ]


def _has_no_residue(network: NetworkInBasis, d: int) -> Bool[np.ndarray, "p"]:
    """Residues x for which no residue has the coordinate u(x) + d."""
    u = network.basis.structure.u
    return (u >= 0) & ~np.isin((u + d) % network.basis.n, u[u >= 0])


def embedding_vectors(
    network: NetworkInBasis,
    frequencies: Sequence[int],
    coordinate: Coordinate = "u",
    table: Float[np.ndarray, "p d_model"] | None = None,
) -> Float[np.ndarray, "freq 2 d_model"]:
    """Return the vectors that multiply cos ku and sin ku in the embedding.

    W_E is fitted by P₀, the characters of the coordinate asked for at all frequencies, and those
    planes of the other coordinate that do not lie in their span. Where they do, as in 2x + 3y with
    frequencies 2k = ±3k', what both share belongs to the coordinate asked for.

    **Arguments:**

    - `network`: the network and its structure.
    - `frequencies`: the frequencies to be told apart, the keys.
    - `coordinate`: `u` for what position x uses, `v` for what position y uses.
    - `table`: what is fitted; by default W_E.

    **Returns:** at [frequency, cosine | sine]; of all solutions the smallest where characters are
    not independent, so that a sine that does not exist has the vector 0.
    """
    structure, characters = network.basis.structure, network.basis.inputs
    u, v = structure.u, structure.v
    own, other = (u, v) if coordinate == "u" else (v, u)
    mine, theirs = (
        _columns(real_waves(w, frequencies, structure.n), characters.inside) for w in (own, other)
    )
    beyond = np.repeat(_are_beyond(theirs, characters.free, mine), 2)
    design = np.concatenate([characters.free, mine, theirs[:, beyond]], axis=1)
    # E ≈ [P₀ U V]·A in the least squares
    fitted = np.linalg.pinv(design, rcond=_SMALLEST) @ (
        network.embedding if table is None else table
    )
    first = characters.free.shape[1]
    return fitted[first : first + mine.shape[1]].reshape(len(frequencies), 2, fitted.shape[1])


def _columns(waves: Float[np.ndarray, "p freq 2"], inside: Bool[np.ndarray, "p"]) -> Table:
    """Waves as columns, 0 at the rows that P₀ has to itself."""
    return np.where(inside[:, None], waves.reshape(len(waves), -1), 0.0)


def _are_beyond(
    planes: Table, free: Float[np.ndarray, "p mode"], own: Table
) -> Bool[np.ndarray, "freq"]:
    """Which planes, pairs of columns, do not lie within P₀ and what a coordinate spans."""
    known = orthonormal(np.concatenate([free, own / np.sqrt(len(own))], axis=1))
    rest = planes - known @ (known.T @ planes)
    size = np.linalg.norm(rest.reshape(len(rest), -1, 2), axis=(0, 2))
    return size > _SMALLEST * np.sqrt(len(own))
