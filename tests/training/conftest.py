"""Small trainings: states and inputs of one run or several, as NumPy arrays to start from."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

import jax
import numpy as np
import pytest

from grokscope.config.optimizer import OptimizerConfig
from grokscope.config.run import ModelConfig
from grokscope.models import model_shapes
from grokscope.training import RunInputs, TrainState, initial_state

P = 5


@dataclass(frozen=True)
class Lab:
    """A network that learns x + y mod 5, or also x·y; each seed has weights and examples."""

    architecture: str = "mlp"
    n_tasks: int = 1
    optimizer: OptimizerConfig = field(default_factory=OptimizerConfig)
    n_examples: int = 14
    scale: float = 0.5

    def states(self, seeds: Sequence[int]) -> TrainState:
        """Return the states before the first update, with a leading run axis."""
        return _stack([self._state(seed) for seed in seeds])

    def inputs(self, seeds: Sequence[int], **changes: Any) -> RunInputs:
        """Return the inputs of the runs; `changes` are stacked values of some fields."""
        return _stack([self._inputs(seed) for seed in seeds])._replace(**changes)

    def _state(self, seed: int) -> TrainState:
        sizes: dict[str, Any] = {"architecture": self.architecture, "heads": 2, "d_model": 8}
        config = ModelConfig(**sizes, d_mlp=12, d_embedding=6)
        shapes = model_shapes(config, P, P + self.n_tasks)
        rng = np.random.default_rng(seed)

        def draw(like: jax.Array) -> np.ndarray:
            return (self.scale * rng.normal(size=like.shape)).astype(np.float32)

        state = initial_state(jax.tree_util.tree_map(draw, shapes), self.optimizer)
        return jax.tree_util.tree_map(np.asarray, state)

    def _inputs(self, seed: int) -> RunInputs:
        chosen = np.sort(np.random.default_rng([7, seed]).permutation(P * P)[: self.n_examples])
        x, y = np.divmod(chosen, P)
        rows = [np.stack([x, np.full_like(x, P + t), y], axis=1) for t in range(self.n_tasks)]
        answers = [(x + y) % P, (x * y) % P][: self.n_tasks]
        fields: dict[str, Any] = {
            "seed": np.uint32(seed),
            "tokens": np.concatenate(rows).astype(np.int32),
            "labels": np.concatenate(answers).astype(np.int32),
            "learning_rate": np.float32(self.optimizer.learning_rate),
            "weight_decay": np.float32(self.optimizer.weight_decay),
            "observed": np.float32(seed + 10),
        }
        return RunInputs(**fields)


def _stack(runs: list[Any]) -> Any:
    return jax.tree_util.tree_map(lambda *leaves: np.stack(leaves), *runs)


@pytest.fixture(scope="session")
def lab() -> Callable[..., Lab]:
    """The class `Lab`, for tests, which cannot import this file."""
    return Lab
