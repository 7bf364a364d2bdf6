"""Pure numerics of training: opens no file, prints nothing."""

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
    "initial_state",
    "make_chunk",
    "stream",
]
