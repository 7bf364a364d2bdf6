"""Turn the key characters of x by hand: the answer must go where the turned coordinate says."""

from collections.abc import Sequence
from typing import Final

import numpy as np
from jaxtyping import Bool, Float, Int

from grokscope.explanation.findings import Patching
from grokscope.explanation.key_shapes import frames
from grokscope.explanation.network import NetworkInBasis
from grokscope.fourier.characters import remove
from grokscope.fourier.waves import real_waves

SHIFTS: Final = 8


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
    others = np.setdiff1d(np.arange(1, n // 2 + 1), frequencies)
    keys = frames(network, frequencies)
    # what the keys do not hold, so that a control turns nothing of them
    rest = remove(network.basis.inputs, frequencies, network.embedding)
    counts, control, sizes = _Counts(), _Counts(), []
    for d in drawn if len(frequencies) else ():
        step = _step(network, frequencies, keys, d)
        counts.add(network, step, d)
        other = sorted(rng.permutation(others)[: len(frequencies)].tolist())
        if other:
            turned = _step(network, other, frames(network, other, table=rest), d)
            control.add(network, turned, d)
            sizes.append(np.linalg.norm(turned) / max(np.linalg.norm(step), 1e-30))
    moved, stayed, moved_off, stayed_off = counts.shares()
    control_moved, control_stayed, _, _ = control.shares()
    return Patching(
        shifts=tuple(drawn),
        pairs=int(counts.pairs[0]),
        moved=moved,
        stayed=stayed,
        moved_off_residues=moved_off,
        stayed_off_residues=stayed_off,
        control_moved=control_moved,
        control_stayed=control_stayed,
        control_size=float(np.mean(sizes)) if sizes else None,
    )


def _step(
    network: NetworkInBasis,
    frequencies: Sequence[int],
    vectors: Float[np.ndarray, "freq 2 d_model"],
    d: int,
) -> Float[np.ndarray, "p d_model"]:
    """How the embedding changes when u becomes u + d in some characters."""
    u, n = network.basis.structure.u, network.basis.n
    shifted = np.where(u >= 0, (u + d) % n, -1)
    # Σ_k (χ_k(u + d) − χ_k(u))·frame_k
    change = real_waves(shifted, frequencies, n) - real_waves(u, frequencies, n)
    return np.einsum("pkw,kwd->pd", change, vectors)


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
        for i, rows in enumerate((np.ones(network.p, bool), _has_no_residue(network, d))):
            here = counted & rows[:, None]
            self._count(i, here, said, new, network.labels)

    def _count(
        self,
        i: int,
        here: Bool[np.ndarray, "p p"],
        said: Int[np.ndarray, "p p"],
        new: Int[np.ndarray, "p p"],
        old: Int[np.ndarray, "p p"],
    ) -> None:
        self.pairs[i] += here.sum()
        self.moved[i] += (said == new)[here].sum()
        self.stayed[i] += (said == old)[here].sum()

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
