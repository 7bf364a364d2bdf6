"""The key frequencies of a table: those that stand out of its rows in a random order."""

import dataclasses
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from typing import Final, NamedTuple

import numpy as np
from jaxtyping import Float, Int

from grokscope.fourier.characters import Characters, Table, orthonormal

DRAWS: Final = 1000
QUANTILE: Final = 0.99
_NEGLIGIBLE: Final = 1e-9
_BATCH: Final = 50
LEAST_KEY: Final = 0.02
"""Share of a table's energy that a frequency must add to be a key."""
LEAST_POINTED_AT: Final = 1e-3
"""The same for a frequency that the other matrix, or a harmonic, points at."""


class Null(NamedTuple):
    """Energies of a table whose rows were permuted, as shares of its energy beyond P₀."""

    threshold: float
    """99% quantile of the largest share of any frequency, in any of the bases tried."""
    strongest: Float[np.ndarray, "freq"]
    """99% quantile of the share that the 1, 2, 3 … strongest frequencies hold together."""


def permutation_null(
    table: Table, characters: Characters, tried: Sequence[Characters] = (), draws: int = DRAWS
) -> Null:
    """Return what the frequencies of a table hold when its rows stand in a random order.

    The permuted table has the same singular values, so that a table of low rank, as trained ones
    are, is compared with tables of that rank.

    **Arguments:**

    - `table`: one row per residue or answer.
    - `characters`: the basis.
    - `tried`: further bases that were tried; the threshold is that of the largest share in any.
    - `draws`: number of permutations.
    """
    largest = np.zeros(draws)
    strongest = np.zeros((draws, len(characters.parts[0])))
    for basis in (characters, *tried):
        for i, shares in enumerate(_permuted_shares(table, basis, draws)):
            largest[i] = max(largest[i], shares.max(initial=0.0))
            if basis is characters:
                ordered = np.sort(shares.sum(axis=0))[::-1]
                strongest[i] = np.minimum(np.cumsum(ordered), 1)
    quantiles = np.quantile(strongest, QUANTILE, axis=0)
    return Null(float(np.quantile(largest, QUANTILE)), quantiles)


def _permuted_shares(
    table: Table, characters: Characters, draws: int
) -> Iterator[Float[np.ndarray, "mode freq"]]:
    """Yield, for every draw, the share of each frequency in each part."""
    rows = np.flatnonzero(characters.inside)
    reduced = _reduced(characters.centred(table)[rows])
    total = np.sum(reduced**2) or 1.0
    # one matrix of all planes: row (part, frequency, cosine or sine)
    planes = np.concatenate([part[:, rows] for part in characters.parts])
    waves = planes.swapaxes(1, 2).reshape(-1, len(rows))
    rng = np.random.default_rng(0)
    for start in range(0, draws, _BATCH):
        count = min(_BATCH, draws - start)
        orders = [rng.permutation(len(rows)) for _ in range(count)]
        # several draws side by side are one large matrix product
        found = waves @ np.concatenate([reduced[order] for order in orders], axis=1)
        energy = np.sum(found.reshape(len(waves), count, -1) ** 2, axis=2) / total
        shares = energy.T.reshape(count, len(characters.parts), -1, 2).sum(axis=3)
        yield from shares


def _reduced(table: Table) -> Float[np.ndarray, "p ..."]:
    """Return U·S of the table: the same energies in fewer columns."""
    left, singular, _ = np.linalg.svd(table, full_matrices=False)
    tail = np.cumsum(singular[::-1] ** 2)[::-1]
    kept = tail > _NEGLIGIBLE * (tail[0] if len(tail) else 0)
    return left[:, kept] * singular[kept]


class PlanePursuit:
    """Orthogonal matching pursuit over the planes of all coordinates and frequencies.

    Coordinates share planes: 2k of x is 3k' of y in 2x + 3y. A plane is counted once, by its
    number; `number[part, k − 1]` says which plane a frequency has in each part.

    **Arguments:**

    - `table`: one row per residue or answer.
    - `characters`: the basis.

    **Source:** Pati, Rezaiifar and Krishnaprasad, Asilomar 1993.
    """

    def __init__(self, table: Table, characters: Characters) -> None:
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

    def choose_all(self, frequencies: Sequence[int]) -> None:
        """Add the planes of some frequencies, each once."""
        for k in frequencies:
            for plane in self.number[:, k - 1].tolist():
                if plane not in self.chosen:
                    self.choose(plane)

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
    def residual(self) -> Table:
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


@dataclass(frozen=True)
class Keys:
    """Frequencies of Z_n that a table holds above the null."""

    frequencies: tuple[int, ...]
    """The strongest first."""
    pointed_at: tuple[int, ...]
    """Those of them that were tested because the other matrix, or a harmonic, pointed at them."""
    ghosts: tuple[int, ...]
    """Frequencies whose u part and v part are parts of other keys, as 2k = ±3k' in 2x + 3y."""
    energy: float
    """Share of the keys in the table's energy beyond P₀."""
    null_energy: float
    """99% quantile of what as many frequencies, the strongest, hold in permuted tables."""
    threshold: float
    """Share that the strongest frequency of a permuted table passes in 1 of 100 draws."""
    draws: int
    saturated: bool
    """Whether the keys fill over half of what the coordinates can tell apart, so that the table
    cannot show which frequencies it uses."""


NO_KEYS: Final = Keys((), (), (), 0.0, 0.0, 0.0, 0, saturated=False)
"""Those of a table that there is not."""


def find_keys(
    table: Table, characters: Characters, tried: Sequence[Characters] = (), draws: int = DRAWS
) -> Keys:
    """Return the frequencies that stand out of a table's permutation null.

    The strongest are taken first; what is left of the table is then compared with its own
    permutations, until nothing stands out or adds `LEAST_KEY`. With two coordinates a key needs
    its u part and its v part above the null.

    **Arguments:**

    - `table`: one row per residue (W_E) or answer (W_L).
    - `characters`: the basis that fits the operation.
    - `tried`: other bases that were tried; they raise the threshold.
    - `draws`: permutations of the rows, 1,000 or more for a claim.

    **Returns:** no frequencies where nothing stands out, where the table is 0, and for n ≤ 3.
    """
    table = np.asarray(table, np.float64)
    null = permutation_null(table, characters, tried, draws)
    pursuit = PlanePursuit(table, characters)
    half = characters.dimensions / 2
    threshold, before = null.threshold, -1
    while len(pursuit.chosen) > before and pursuit.dimensions <= half:
        before = len(pursuit.chosen)
        pursuit.run(max(threshold, LEAST_KEY), most=int(half) + 1)
        rest = permutation_null(pursuit.residual, characters, tried, draws)
        threshold = rest.threshold * (1 - pursuit.energy)
    saturated = not characters.is_faithful and pursuit.dimensions > half
    frequencies, ghosts = _paired(pursuit)
    strongest = null.strongest[len(frequencies) - 1] if frequencies else 0.0
    return Keys(
        frequencies,
        (),
        ghosts,
        characters.energy_share(frequencies, characters.centred(table)),
        float(strongest),
        null.threshold,
        draws,
        saturated,
    )


_NOTHING: Final = 1e-24
"""Share of a table's energy beyond P₀ that may be rounding."""


def is_blank(table: Table, characters: Characters) -> bool:
    """Whether all rows of a table are alike, so that it holds nothing in which keys could be."""
    whole = np.asarray(table, np.float64)
    return float(np.sum(characters.centred(whole) ** 2)) <= _NOTHING * float(np.sum(whole**2))


def confirm_keys(
    table: Table, characters: Characters, keys: Keys, candidates: Collection[int]
) -> Keys:
    """Return the keys with those candidates added that the rest of the table holds.

    Candidates come from elsewhere, the other matrix or the harmonics of keys, so that few are
    tested: what is left of the table without its keys is compared with its own permutations.

    **Arguments:** as for `find_keys`, whose result `keys` is; frequencies to test.
    """
    new = sorted(set(candidates) - set(keys.frequencies) - set(keys.ghosts))
    if not new or keys.saturated:
        return keys
    table = np.asarray(table, np.float64)
    pursuit = PlanePursuit(table, characters)
    pursuit.choose_all(keys.frequencies)
    tested = [k - 1 for k in new]
    parts = tuple(part[tested] for part in characters.parts)
    only = dataclasses.replace(characters, parts=parts)
    share = permutation_null(pursuit.residual, only, draws=keys.draws).threshold
    least = max(share * (1 - pursuit.energy), LEAST_POINTED_AT)
    among = pursuit.number[:, tested].ravel().tolist()
    pursuit.run(least, characters.dimensions, among)
    found, ghosts = _paired(pursuit)
    added = tuple(k for k in found if k in new)
    if not added:
        return keys
    frequencies = keys.frequencies + added
    return dataclasses.replace(
        keys,
        frequencies=frequencies,
        pointed_at=keys.pointed_at + added,
        ghosts=tuple(sorted(set(keys.ghosts) | (set(ghosts) - set(frequencies)))),
        energy=characters.energy_share(frequencies, characters.centred(table)),
    )


def with_ghosts(keys: Keys, real: Collection[int]) -> Keys:
    """Return the keys with those ghosts among them that the readout shows to be real."""
    back = tuple(k for k in keys.ghosts if k in real)
    return dataclasses.replace(
        keys,
        frequencies=keys.frequencies + back,
        ghosts=tuple(k for k in keys.ghosts if k not in back),
    )


def _paired(pursuit: PlanePursuit) -> tuple[tuple[int, ...], tuple[int, ...]]:
    """Return keys, strongest first, and ghosts among frequencies all of whose parts are chosen."""
    chosen, shares = set(pursuit.chosen), pursuit.shares()
    planes = {k: set(ps) for k, ps in enumerate(pursuit.number.T.tolist(), 1) if chosen >= set(ps)}
    weakest_part = {k: min(shares[p] for p in ps) for k, ps in planes.items()}
    order = sorted(planes, key=lambda k: -weakest_part[k])
    keys = list(order)
    for k in reversed(order):
        rest = set().union(*(planes[other] for other in keys if other != k))
        if len(pursuit.number) > 1 and planes[k] <= rest:
            keys.remove(k)
    return tuple(keys), tuple(sorted(set(order) - set(keys)))
