"""Frequencies that belong together: doubles and halves, and the families that they link."""

from collections.abc import Collection, Sequence


def double(k: int, n: int) -> int:
    """Return the frequency of the second harmonic of k in Z_n, 0 where it is constant."""
    return fold(2 * k, n)


def fold(k: int, n: int) -> int:
    """Return the frequency, 0 … ⌊n/2⌋, of the character k of Z_n: k and −k are one."""
    return min(k % n, -k % n)


def harmonics(frequencies: Collection[int], n: int) -> set[int]:
    """Return the doubles and halves, in Z_n, of some frequencies, without these themselves."""
    doubles = {double(k, n) for k in frequencies}
    halves = {j for j in range(1, n // 2 + 1) if double(j, n) in frequencies}
    return (doubles | halves) - set(frequencies) - {0}


def families(frequencies: Sequence[int], n: int) -> list[tuple[int, ...]]:
    """Return the frequencies in families, each linked to another by doubling.

    **Arguments:** distinct frequencies, the strongest first; order of the group.

    **Returns:** families in the order of their strongest members, members likewise.
    """
    left, found = list(frequencies), []
    while left:
        family = [left.pop(0)]
        for member in family:
            linked = [k for k in left if _linked(member, k, n)]
            family += linked
            left = [k for k in left if k not in linked]
        found.append(tuple(sorted(family, key=frequencies.index)))
    return found


def harmonics_of(
    embedding: Sequence[int], readout: Sequence[int], pointed_at: Sequence[Collection[int]], n: int
) -> dict[int, int]:
    """Return which keys are doubles or halves of another one, with the key that they belong to.

    A key that W_L holds by its own evidence is none. Where W_L has no such key, a double of a
    stronger key of W_E is one; and what has no evidence of its own anywhere was only looked for
    because a key pointed at it.

    **Arguments:**

    - `embedding`, `readout`: keys of W_E and W_L, the strongest first; none of a table that
      cannot show them.
    - `pointed_at`: those of either that were found only because something pointed at them.
    - `n`: order of the group.
    """
    of_E, of_L = (
        [k for k in keys if k not in other]
        for keys, other in zip((embedding, readout), pointed_at, strict=True)
    )
    stronger = {k: of_E[:i] for i, k in enumerate(of_E)}
    strong = of_L or [k for k in of_E if not any(double(j, n) == k for j in stronger[k])]
    own, found = {*of_E, *of_L}, dict[int, int]()
    for k in dict.fromkeys((*embedding, *readout)):
        parents = [j for j in strong if j != k and _linked(j, k, n)]
        if k not in own:
            parents += [j for j in of_E if _linked(j, k, n)]
        if k not in strong and parents:
            # ReLU makes doubles: what is the double of one key and the half of another is the first
            found[k] = next((j for j in parents if double(j, n) == k), parents[0])
    return found


def _linked(j: int, k: int, n: int) -> bool:
    return double(j, n) == k or double(k, n) == j
