"""The smallest set of keys that suffices for the answers."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from itertools import combinations
from typing import Final

import numpy as np
from jaxtyping import Float

from grokscope.explanation.ablation import keep_both
from grokscope.explanation.findings import SmallestSet
from grokscope.explanation.in_basis import NetworkInBasis

MOST_TRIED: Final = 12
"""Keys of which all subsets are tried; of more, one after the other is left out."""
_ENOUGH: Final = 0.98


def smallest_set(
    network: NetworkInBasis, keys: Mapping[int, Sequence[int]], *, embedded: bool = True
) -> SmallestSet | None:
    """Return the fewest keys whose waves of u + v answer: A ≥ 0.98.

    Of the logits, the waves of the sum at these keys and their harmonics are kept, and the mean
    over all pairs. Of as few keys the set with the largest A is taken; of more than a dozen keys
    those are left out, one after the other, whose loss costs least.

    **Arguments:**

    - `network`: the network and its structure.
    - `keys`: keys of their own, each with itself and its harmonics.
    - `embedded`: whether the network has a W_E, in which the set is kept as well.

    **Returns:** None where all keys together do not suffice.
    """
    groups = [tuple(group) for group in keys.values()]
    score = _scores(network, groups)
    every = tuple(range(len(groups)))
    if not groups or score(every) < _ENOUGH:
        return None
    few = len(groups) <= MOST_TRIED
    chosen = _first(every, score) if few else _one_by_one(every, score)
    kept = [k for i in chosen for k in groups[i]]
    return SmallestSet(
        keys=tuple(list(keys)[i] for i in chosen),
        sums_keep=score(chosen),
        both_keep=network.scaled(keep_both(network, kept, kept)) if embedded else None,
        all_subsets=few,
    )


def _scores(
    network: NetworkInBasis, groups: Sequence[tuple[int, ...]]
) -> Callable[[tuple[int, ...]], float]:
    """Return what gives A with only some groups of frequencies left in the logits."""
    sums, structure = network.sum_logits, network.basis.structure
    frequencies = tuple(k for group in groups for k in group)
    waves, coefficients = sums.waves(frequencies), sums.fit(frequencies)
    columns = np.split(np.arange(waves.shape[1]), np.cumsum([2 * len(g) for g in groups])[:-1])
    parts = [waves[:, here] @ coefficients[here] for here in columns]
    answers = np.flatnonzero(network.basis.answers.inside)
    shares = sums.counts / max(1, sums.counts.sum())
    room = network.full.accuracy.all - network.chance

    def score(chosen: tuple[int, ...]) -> float:
        logits: Float[np.ndarray, "n class"] = sums.bias + sum(parts[i] for i in chosen)
        right = answers[logits.argmax(axis=1)] == structure.g
        return float((shares @ right - network.chance) / room) if room > 0 else 0.0

    return score


def _first(every: tuple[int, ...], score: Callable[[tuple[int, ...]], float]) -> tuple[int, ...]:
    """Return the best of the smallest subsets that suffice."""
    for size in range(1, len(every)):
        best = max(combinations(every, size), key=score)
        if score(best) >= _ENOUGH:
            return best
    return every


def _one_by_one(
    every: tuple[int, ...], score: Callable[[tuple[int, ...]], float]
) -> tuple[int, ...]:
    """Leave out one after the other, as long as what is left suffices."""
    chosen = every
    while len(chosen) > 1:
        smaller: Iterable[tuple[int, ...]] = combinations(chosen, len(chosen) - 1)
        best = max(smaller, key=score)
        if score(best) < _ENOUGH:
            break
        chosen = best
    return chosen
