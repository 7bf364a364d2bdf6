"""What is learned: one operation, or a mixture of them, modulo p, as tokens and labels."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Final

import numpy as np
from jaxtyping import Bool, Int, Int32, UInt64

from grokscope.config.run import TaskConfig
from grokscope.errors import UsageError
from grokscope.tasks.expression import Expression, parse

SPLIT_STREAM: Final = 1
TABLE_STREAM: Final = 2
NOISE_STREAM: Final = 3


def draw_bits(count: int, seed: int, stream: int, index: int = 0) -> UInt64[np.ndarray, "pair"]:
    """Return `count` raw 64-bit words; NumPy promises never to change this stream.

    **Arguments:**

    - `count`: how many words.
    - `seed`: the run's seed, 0 to 2³² − 1.
    - `stream`: which use of the seed, so that a split says nothing about a random table.
    - `index`: which of several draws of the same use.
    """
    entropy = np.random.SeedSequence([seed, stream, index])
    return np.random.PCG64(entropy).random_raw(count)


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


@dataclass(frozen=True)
class Task:
    """Operations learned together over all p² pairs, in the order x·p + y.

    **Arguments:**

    - `expressions`: the operations of the mixture, in the order of their operator tokens.
    - `p`: the modulus.

    **Raises:** `UsageError` if no pair is defined in all operations.
    """

    expressions: tuple[Expression, ...]
    p: int

    def __post_init__(self) -> None:
        if not self.defined.any():
            raise UsageError(
                f"division by zero: no pair (x, y) has divisors with an inverse modulo {self.p}",
                got=self.canonical,
                allowed="operations that are defined together for at least one pair",
                next_step="choose another divisor or another modulus",
            )

    @classmethod
    def from_config(cls, config: TaskConfig) -> "Task":
        """Return the task that a configuration describes; raises `UsageError` as `parse` does."""
        return cls(tuple(parse(text) for text in config.expressions), config.p)

    @property
    def canonical(self) -> str:
        """The operations as text, joined with a comma."""
        return ", ".join(expression.canonical for expression in self.expressions)

    @property
    def n_tasks(self) -> int:
        """Number of operations in the mixture."""
        return len(self.expressions)

    @property
    def n_tokens(self) -> int:
        """Size of the vocabulary: p residues and one operator token per operation."""
        return self.p + self.n_tasks

    def number_of(self, operation: int | str) -> int:
        """Return the number of an operation that is given by it or by its text.

        **Raises:** `UsageError` for one that is not learned here.
        """
        known = [expression.canonical for expression in self.expressions]
        if isinstance(operation, str):
            text = parse(operation).canonical
            found = known.index(text) if text in known else -1
        else:
            found = operation
        if not 0 <= found < self.n_tasks:
            raise UsageError(
                "there is no such operation",
                got=operation,
                allowed=", ".join(f"{i} ({text})" for i, text in enumerate(known)),
            )
        return found

    def operator_token(self, task: int) -> int:
        """Return the token that stands for operation number `task`."""
        return self.p + task

    @cached_property
    def defined(self) -> Bool[np.ndarray, "pair"]:
        """Pairs at which every operation of the mixture is defined (read-only)."""
        defined = np.ones(self.p**2, dtype=bool)
        for expression in self.expressions:
            if not expression.is_random:
                defined &= expression.evaluate(self.p)[1].ravel()
        defined.setflags(write=False)
        return defined

    def labels(self, seed: int) -> Int32[np.ndarray, "task pair"]:
        """Return the answers of every operation at every pair, 0 where the task is undefined.

        **Arguments:**

        - `seed`: draws the table of each `random` operation; the others do not depend on it.
        """
        rows = [self._row(task, seed) for task in range(self.n_tasks)]
        return np.where(self.defined, rows, 0).astype(np.int32)

    def _row(self, task: int, seed: int) -> Int[np.ndarray, "pair"]:
        expression = self.expressions[task]
        if expression.is_random:
            bits = draw_bits(self.p**2, seed, TABLE_STREAM, task)
            return (bits % np.uint64(self.p)).astype(np.int64)
        return expression.evaluate(self.p)[0].ravel()

    def tokens(self) -> Int32[np.ndarray, "task pair 3"]:
        """Return the inputs x, op, y of every operation at every pair."""
        x, y = np.divmod(np.arange(self.p**2), self.p)
        operators = [np.full_like(x, self.operator_token(task)) for task in range(self.n_tasks)]
        return np.stack([np.stack([x, op, y], axis=-1) for op in operators]).astype(np.int32)

    def symmetric(self, seed: int, number: int) -> bool:
        """Tell whether f(x, y) = f(y, x) in operation `number`, wherever both are defined."""
        labels = self._row(number, seed).reshape(self.p, self.p)
        defined = self.defined.reshape(self.p, self.p)
        agree = (labels == labels.T) | ~(defined & defined.T)
        return bool(agree.all())
