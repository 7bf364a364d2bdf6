"""Families of frequencies: ReLU makes 2k out of k, so that keys come as k/2, k, 2k."""

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
            linked = [k for k in left if k == double(member, n) or double(k, n) == member]
            family += linked
            left = [k for k in left if k not in linked]
        found.append(tuple(sorted(family, key=frequencies.index)))
    return found
