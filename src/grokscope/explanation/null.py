"""What a table without structure would show: its own rows, in a random order."""

from collections.abc import Iterator, Sequence
from typing import Final, NamedTuple

import numpy as np
from jaxtyping import Float

from grokscope.fourier.characters import Characters

DRAWS: Final = 1000
QUANTILE: Final = 0.99
_NEGLIGIBLE: Final = 1e-9
_BATCH: Final = 50


class Null(NamedTuple):
    """Energies of a table whose rows were permuted, as shares of its energy beyond P₀."""

    threshold: float
    """99% quantile of the largest share of any frequency, in any of the bases tried."""
    strongest: Float[np.ndarray, "freq"]
    """99% quantile of the share that the 1, 2, 3 … strongest frequencies hold together."""
    draws: int


def permutation_null(
    table: Float[np.ndarray, "p column"],
    characters: Characters,
    tried: Sequence[Characters] = (),
    draws: int = DRAWS,
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
    return Null(float(np.quantile(largest, QUANTILE)), quantiles, draws)


def _permuted_shares(
    table: Float[np.ndarray, "p column"], characters: Characters, draws: int
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


def _reduced(table: Float[np.ndarray, "p column"]) -> Float[np.ndarray, "p ..."]:
    """Return U·S of the table: the same energies in fewer columns."""
    left, singular, _ = np.linalg.svd(table, full_matrices=False)
    tail = np.cumsum(singular[::-1] ** 2)[::-1]
    kept = tail > _NEGLIGIBLE * (tail[0] if len(tail) else 0)
    return left[:, kept] * singular[kept]
