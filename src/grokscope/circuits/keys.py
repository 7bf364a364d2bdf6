"""The key frequencies of a table, in units of the group, against a null."""

import dataclasses
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
from jaxtyping import Float

from grokscope.circuits.null import DRAWS, permutation_null
from grokscope.circuits.pursuit import Pursuit
from grokscope.spectra.characters import Characters

LEAST_KEY: Final = 0.02
"""Share of a table's energy that a frequency must add to be a key."""
LEAST_POINTED_AT: Final = 1e-3
"""The same for a frequency that the other matrix, or a harmonic, points at."""


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


def find_keys(
    table: Float[np.ndarray, "p column"],
    characters: Characters,
    tried: Sequence[Characters] = (),
    draws: int = DRAWS,
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
    pursuit = Pursuit(table, characters)
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
    return Keys(frequencies, (), ghosts, _energy(table, characters, frequencies),
                float(strongest), null.threshold, draws, saturated)  # fmt: skip


def confirm_keys(
    table: Float[np.ndarray, "p column"],
    characters: Characters,
    keys: Keys,
    candidates: Collection[int],
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
    pursuit = Pursuit(table, characters)
    for k in keys.frequencies:
        for plane in pursuit.number[:, k - 1]:
            if plane not in pursuit.chosen:
                pursuit.choose(int(plane))
    rest = 1 - pursuit.energy
    only = dataclasses.replace(
        characters, parts=tuple(part[[k - 1 for k in new]] for part in characters.parts)
    )
    share = permutation_null(pursuit.residual, only, draws=keys.draws).threshold
    among = {int(plane) for plane in pursuit.number[:, [k - 1 for k in new]].ravel()}
    pursuit.run(max(share * rest, LEAST_POINTED_AT), characters.dimensions, among)
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
        energy=_energy(table, characters, frequencies),
    )


def with_ghosts(keys: Keys, real: Collection[int]) -> Keys:
    """Return the keys with those ghosts among them that the readout shows to be real."""
    back = tuple(k for k in keys.ghosts if k in real)
    return dataclasses.replace(
        keys,
        frequencies=keys.frequencies + back,
        ghosts=tuple(k for k in keys.ghosts if k not in back),
    )


def _paired(pursuit: Pursuit) -> tuple[tuple[int, ...], tuple[int, ...]]:
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


def _energy(
    table: Float[np.ndarray, "p column"], characters: Characters, frequencies: Sequence[int]
) -> float:
    centred = characters.centred(table)
    total = float(np.sum(centred**2))
    return float(np.sum((characters.span(frequencies).T @ centred) ** 2)) / total if total else 0.0
