"""Which operator tokens of two vocabularies mean the same; residues always do."""

from collections.abc import Sequence


def counterparts(operations: Sequence[str], source: Sequence[str]) -> list[int | None]:
    """Return, for every operation, the number of the source's operation that it corresponds to.

    Two runs of one operation each correspond, whatever they compute: both tokens say "the
    operation". With several on either side an operation corresponds to the one with the same
    text (the first to the first, where it occurs more than once), and otherwise to none.

    **Arguments:**

    - `operations`: canonical texts, in the order of their tokens.
    - `source`: those of the run that weights are taken from.
    """
    if len(operations) == len(source) == 1:
        return [0]
    return [_counterpart(operations[:i], own, source) for i, own in enumerate(operations)]


def _counterpart(before: Sequence[str], own: str, source: Sequence[str]) -> int | None:
    same = [j for j, text in enumerate(source) if text == own]
    return same[min(list(before).count(own), len(same) - 1)] if same else None
