"""The vocabulary of axes: every array in a signature names its axes with these words.

Shapes are written with jaxtyping, for instance `Float[Array, "p d_model"]`. Arithmetic on the
names is allowed (`"2*freq"`), other words are not; a test reads every annotation and compares.
"""

from typing import Final

AXES: Final[dict[str, str]] = {
    "p": "residues 0 … p−1, the rows of a table",
    "n": "elements of a cyclic group",
    "pair": "pairs (x, y) in the order x·p + y",
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
