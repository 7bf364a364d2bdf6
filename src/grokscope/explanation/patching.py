"""Turn the key characters of x by hand: the answer must go where the turned coordinate says."""

from collections.abc import Sequence
from typing import Final

import numpy as np
from jaxtyping import Bool, Float, Int

from grokscope.explanation.findings import Patching
from grokscope.explanation.key_shapes import frames
from grokscope.explanation.network import Subject
from grokscope.fourier.characters import remove
from grokscope.fourier.waves import real_waves

SHIFTS: Final = 8


def patch_coordinate(
    subject: Subject, frequencies: Sequence[int], *, shifts: int = SHIFTS
) -> Patching:
    """Shift u(x) to u(x) + d in the key characters at position x, and read the answers.

    **Arguments:**

    - `subject`: the network and its structure.
    - `frequencies`: the keys.
    - `shifts`: how many shifts d ≠ 0 of Z_n are drawn; all where there are fewer.
    """
    n = subject.matched.n
    rng = np.random.default_rng(0)
    drawn = sorted(rng.permutation(np.arange(1, n))[:shifts].tolist())
    others = np.setdiff1d(np.arange(1, n // 2 + 1), frequencies)
    keys = frames(subject, frequencies)
    # what the keys do not hold, so that a control turns nothing of them
    rest = remove(subject.matched.embedding, frequencies, subject.embedding)
    counts, control, sizes = _Counts(), _Counts(), []
    for d in drawn if len(frequencies) else ():
        step = _step(subject, frequencies, keys, d)
        counts.add(subject, step, d)
        other = sorted(rng.permutation(others)[: len(frequencies)].tolist())
        if other:
            turned = _step(subject, other, frames(subject, other, table=rest), d)
            control.add(subject, turned, d)
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
    subject: Subject,
    frequencies: Sequence[int],
    vectors: Float[np.ndarray, "freq 2 d_model"],
    d: int,
) -> Float[np.ndarray, "p d_model"]:
    """How the embedding changes when u becomes u + d in some characters."""
    u, n = subject.matched.structure.u, subject.matched.n
    shifted = np.where(u >= 0, (u + d) % n, -1)
    # Σ_k (χ_k(u + d) − χ_k(u))·frame_k
    change = real_waves(shifted, frequencies, n) - real_waves(u, frequencies, n)
    return np.einsum("pkw,kwd->pd", change, vectors)


class _Counts:
    """Counts pairs, moved and stayed answers: of all shifted coordinates, and of new ones."""

    def __init__(self) -> None:
        self.pairs, self.moved, self.stayed = (np.zeros(2, int) for _ in range(3))

    def add(self, subject: Subject, step: Float[np.ndarray, "p d_model"], d: int) -> None:
        """Run the network with a changed embedding at position x and count its answers."""
        matched = subject.matched
        said = subject.run(embedding_of_x=subject.embedding + step).argmax(axis=2)
        new = matched.structure.g[(matched.sums + d) % matched.n]
        counted = subject.defined & (new >= 0) & (new != subject.labels)
        for i, rows in enumerate((np.ones(subject.p, bool), _has_no_residue(subject, d))):
            here = counted & rows[:, None]
            self._count(i, here, said, new, subject.labels)

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


def _has_no_residue(subject: Subject, d: int) -> Bool[np.ndarray, "p"]:
    """Residues x for which no residue has the coordinate u(x) + d."""
    u = subject.matched.structure.u
    return (u >= 0) & ~np.isin((u + d) % subject.matched.n, u[u >= 0])
