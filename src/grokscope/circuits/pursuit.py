"""Which planes of characters a table holds: the strongest first, each beyond those before it."""

from collections.abc import Collection

import numpy as np
from jaxtyping import Float, Int

from grokscope.spectra.characters import Characters, orthonormal


class Pursuit:
    """Orthogonal matching pursuit over the planes of all coordinates and frequencies.

    Coordinates share planes: 2k of x is 3k' of y in 2x + 3y. A plane is counted once, by its
    number; `number[part, k − 1]` says which plane a frequency has in each part.

    **Arguments:**

    - `table`: one row per residue or answer.
    - `characters`: the basis.

    **Source:** Pati, Rezaiifar and Krishnaprasad, Asilomar 1993.
    """

    def __init__(self, table: Float[np.ndarray, "p column"], characters: Characters) -> None:
        self._table = characters.centred(table)
        self._total = float(np.sum(self._table**2))
        self._planes, self.number = _distinct(characters)
        self._basis = np.zeros((len(table), 0))
        self.chosen: list[int] = []

    def shares(self) -> Float[np.ndarray, "mode"]:
        """Share of each plane in the table's energy beyond P₀, each for itself."""
        return self._energies(self._planes)

    def gains(self) -> Float[np.ndarray, "mode"]:
        """Share that each plane would add to those already chosen."""
        held = np.einsum("pb,mpc->mbc", self._basis, self._planes)
        rest = self._planes - np.einsum("pb,mbc->mpc", self._basis, held)
        left, singular, _ = np.linalg.svd(rest, full_matrices=False)
        return self._energies(left * (singular > 1e-6)[:, None])

    def choose(self, plane: int) -> None:
        """Add a plane."""
        self.chosen.append(plane)
        new = orthonormal(self._planes[plane], self._basis)
        self._basis = np.concatenate([self._basis, new], axis=1)

    def run(self, threshold: float, most: int, among: Collection[int] | None = None) -> None:
        """Choose planes as long as the best adds at least `threshold`.

        **Arguments:**

        - `threshold`: least share of the table's energy beyond P₀.
        - `most`: dimensions that the chosen planes may have together.
        - `among`: numbers of the planes that may be chosen; by default all.
        """
        allowed = np.zeros(len(self._planes), bool)
        allowed[list(range(len(allowed)) if among is None else among)] = True
        while self._total > 0 and self._basis.shape[1] < most:
            gains = np.where(allowed, self.gains(), -1.0)
            best = int(np.argmax(gains))
            if gains[best] < threshold:
                return
            self.choose(best)

    @property
    def dimensions(self) -> int:
        """Dimensions of the chosen planes together."""
        return self._basis.shape[1]

    @property
    def residual(self) -> Float[np.ndarray, "p column"]:
        """The table without P₀ and without what was chosen."""
        return self._table - self._basis @ (self._basis.T @ self._table)

    @property
    def energy(self) -> float:
        """Share of the chosen planes together."""
        return 1 - float(np.sum(self.residual**2)) / self._total if self._total > 0 else 0.0

    def _energies(self, planes: Float[np.ndarray, "mode p 2"]) -> Float[np.ndarray, "mode"]:
        found = np.einsum("mpc,pd->mcd", planes, self._table, optimize=True)
        return np.sum(found**2, axis=(1, 2)) / (self._total or 1.0)


def _distinct(
    characters: Characters,
) -> tuple[Float[np.ndarray, "mode p 2"], Int[np.ndarray, "... freq"]]:
    """Return the planes, each once, and the number of every part's and frequency's plane."""
    planes = np.concatenate(characters.parts)
    waves = planes.swapaxes(1, 2).reshape(-1, planes.shape[1])
    count = len(planes)
    overlap = np.sum((waves @ waves.T).reshape(count, 2, count, 2) ** 2, axis=(1, 3))
    size = np.diag(overlap)
    same = (overlap > size[:, None] - 1e-6) & (overlap > size[None] - 1e-6)
    first, number = np.unique(np.argmax(same, axis=1), return_inverse=True)
    return planes[first], number.reshape(len(characters.parts), -1)
