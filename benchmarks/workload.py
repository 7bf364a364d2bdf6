"""The training that is measured: the paper's, without evaluations."""

from collections.abc import Sequence
from typing import Any

import jax
import jax.numpy as jnp

from grokscope.config.run import configure
from grokscope.models import Model
from grokscope.runner.check import check
from grokscope.runner.prepare import prepare
from grokscope.runner.program import run_axis
from grokscope.training import make_chunk


class Training:
    """Trains `n_steps` further with every call.

    **Arguments:**

    - `n_steps`: updates per call.
    - `p`: modulus.
    - `seeds`: runs that share the program.
    """

    def __init__(self, n_steps: int, p: int = 97, seeds: Sequence[int] = (0,)) -> None:
        self.config = configure(("x + y",), p=p, seeds=tuple(seeds))
        self.states, self.inputs = prepare(check(self.config))
        self.active = jnp.ones(len(seeds), bool)
        self.n_steps = n_steps
        self.program = make_chunk(self.config.optimizer, _see_nothing, n_steps, run_axis())

    @property
    def n_train(self) -> int:
        """Training pairs of a seed."""
        return self.inputs.labels.shape[-1]

    def __call__(self) -> None:
        self.states, result = self.program(self.states, self.inputs, self.active)
        jax.block_until_ready(result.losses)

    def model(self) -> Model:
        """Return the network of the first seed."""
        return jax.tree_util.tree_map(lambda a: a[0], self.states.model)


def _see_nothing(_model: Model, _observed: Any) -> tuple[()]:
    return ()
