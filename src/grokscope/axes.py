"""The vocabulary of axes: every array in a signature names its axes with these words.

Shapes are written with jaxtyping, for instance `Float[Array, "p d_model"]`. Arithmetic on the
names is allowed (`"2*freq"`), other words are not; a test reads every annotation and compares.
"""

from typing import Final

AXES: Final[dict[str, str]] = {
    "p": "residues 0 … p−1, the rows of a table",
    "n": "elements of a cyclic group",
    "pair": "pairs (x, y) in the order x·p + y",
    "chosen": "some of the pairs, those that train or that a draw gives",
    "batch": "examples of one step",
    "example": "pairs of every task of a mixture, task after task",
    "task": "operations of a mixture",
    "pos": "positions of the input: x, op, y",
    "token": "vocabulary: p residues, then one operator token per task",
    "class": "answers 0 … p−1",
    "d_model": "width of the residual stream",
    "head": "attention heads",
    "d_head": "width of one head",
    "d_mlp": "neurons",
    "d_embedding": "width of the embedding of the MLP",
    "column": "columns of any table whose rows are residues",
    "freq": "frequencies k = 1 … ⌊n/2⌋",
    "mode": "basis vectors: the constant, then cosine and sine of every frequency",
    "seed": "runs trained in one program",
    "step": "full-batch updates",
}

MOST_TOKENS: Final = 8
"""Entries beyond p that an axis of residues may have: operators, an equals sign."""

_NAMES: Final = ("rows", "columns")


def axis_in_words(axis: int, length: int) -> str:
    """Return what an axis is and how long: `114 rows`, or `113 columns`."""
    return f"{length} {_NAMES[axis]}"


def taken_in_words(p: int, axis: int, length: int) -> str:
    """Return what was taken for the residues: `113 residues of 114 rows, 1 left out (113)`."""
    if length == p:
        return f"{p} residues, all {axis_in_words(axis, length)}"
    which = str(p) if length == p + 1 else f"{p} to {length - 1}"
    return f"{p} residues of {axis_in_words(axis, length)}, {length - p} left out ({which})"
