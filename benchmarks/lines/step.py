"""How much a training step costs beyond its matrix multiplications."""

import importlib.util
from collections.abc import Callable
from typing import Any

from benchmarks.clock import Spread, take_turns
from benchmarks.effort import Effort
from benchmarks.matmuls import PYTORCH, XLA, fastest, loops, matmuls_of_step
from benchmarks.row import Row, at_most
from benchmarks.workload import Training


def measure(effort: Effort) -> list[Row]:
    """Return step, its matrix multiplications by XLA and by the best library, and the ratio."""
    training = Training(effort.chunk)
    matmuls = matmuls_of_step(training)
    work: dict[Any, Callable[[], None]] = {"step": training, **loops(matmuls, effort.chunk)}
    turns = take_turns(work, effort.repeats)
    turns = {name: spread.times(1e3 / effort.chunk) for name, spread in turns.items()}
    by_xla, floor = (fastest(turns, matmuls, of) for of in ((XLA,), (XLA, PYTORCH)))
    gflop = sum(matmul.flop for matmul in matmuls) / 1e9
    return [
        Row("training step", turns["step"].text(" ms"), note=f"chunks of {effort.chunk} steps"),
        Row(
            f"its {len(matmuls)} matrix multiplications by XLA, {gflop:.2f} GFLOP",
            _with_rate(by_xla, gflop),
            note="the `dot_general`s of the traced step, each in a loop by itself, in the faster "
            "order of its operands",
        ),
        Row("the floor: each by the best library", _with_rate(floor, gflop), note=_libraries()),
        at_most("step over floor", turns["step"].over(floor), 1.5),
    ]


def _libraries() -> str:
    if importlib.util.find_spec("torch") is None:
        return "XLA alone: torch is not installed"
    return "XLA, or PyTorch's MKL and oneDNN, in both orders and with operands stored transposed"


def _with_rate(spread: Spread, gflop: float) -> str:
    return f"{spread.text(' ms')}, {gflop / (spread.median / 1e3):.0f} GFLOP/s"
