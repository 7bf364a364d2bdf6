"""Pure numerics of training: opens no file, prints nothing."""

from grokscope.training.loss import cross_entropy
from grokscope.training.trainer import (
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
