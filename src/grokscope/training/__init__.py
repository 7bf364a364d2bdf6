"""Pure numerics of training: opens no file, prints nothing."""

from grokscope.training.losses import cross_entropy
from grokscope.training.step import (
    ChunkResult,
    Observe,
    RunAxis,
    RunInputs,
    TrainState,
    initial_state,
    make_chunk,
    stream,
)

__all__ = [
    "ChunkResult",
    "Observe",
    "RunAxis",
    "RunInputs",
    "TrainState",
    "cross_entropy",
    "initial_state",
    "make_chunk",
    "stream",
]
