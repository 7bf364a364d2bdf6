"""How many key frequencies two networks share, where they differ in one setting alone."""

import math
from collections.abc import Collection, Sequence
from itertools import combinations
from typing import Any, NamedTuple

from grokscope.report.compared import Comparison, Network, keys_of


class Shared(NamedTuple):
    """Pairs of networks that differ in one setting, and nothing else."""

    name: str
    share: float
    """Shared keys over all keys of both (Jaccard), the mean over the pairs."""
    chance: float
    """The same for keys drawn at random, as many."""
    n: int


def shared_keys(compared: Comparison) -> list[Shared]:
    """Return, for each setting that differs, how alike the keys of W_E are."""
    known = [n for n in compared.networks if len(n.documents) == 1 and _keys(n)]
    found = []
    for name in compared.names:
        pairs = [
            (_keys(a), _keys(b), n)
            for a, b in combinations(known, 2)
            if (n := _group(a)) == _group(b) and _differ_only_in(name, a, b, compared.names)
        ]
        if pairs:
            share = sum(jaccard(a, b) for a, b, _ in pairs) / len(pairs)
            chance = sum(expected(len(a), len(b), n // 2) for a, b, n in pairs) / len(pairs)
            found.append(Shared(name, share, chance, len(pairs)))
    return found


def jaccard(a: Collection[int], b: Collection[int]) -> float:
    """Return the share of common members among all members of two sets."""
    return len(set(a) & set(b)) / len(set(a) | set(b))


def expected(a: int, b: int, n: int) -> float:
    """Return the mean of `jaccard` over random sets of these sizes among `n` frequencies."""
    # P(common = i) = C(a, i)·C(n − a, b − i) / C(n, b)
    ways = {i: math.comb(a, i) * math.comb(n - a, b - i) for i in range(min(a, b) + 1)}
    return sum(w * i / (a + b - i) for i, w in ways.items()) / math.comb(n, b)


def _keys(network: Network) -> set[int]:
    return set(keys_of(network.documents[0])) if network.documents else set()


def _group(network: Network) -> Any:
    return network.documents[0]["structure"]["n"]


def _differ_only_in(name: str, a: Network, b: Network, names: Sequence[str]) -> bool:
    return all((a.settings.get(n) != b.settings.get(n)) == (n == name) for n in names)
