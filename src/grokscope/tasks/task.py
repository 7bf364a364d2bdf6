"""What is learned: one operation, or a mixture of them, modulo p, as tokens and labels."""

from dataclasses import dataclass
from functools import cached_property

import numpy as np
from jaxtyping import Bool, Int, Int32

from grokscope.config import TaskConfig
from grokscope.errors import UsageError
from grokscope.tasks.draws import TABLE_STREAM, draw_bits
from grokscope.tasks.expression import Expression, parse


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
