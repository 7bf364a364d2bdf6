"""How much a training step costs beyond its matrix multiplications."""

from benchmarks.clock import Spread, take_turns
from benchmarks.effort import Effort
from benchmarks.matmuls import Matmuls
from benchmarks.row import Row, at_most
from benchmarks.workload import Training


def measure(effort: Effort) -> list[Row]:
    """Return step, matrix multiplications alone, and their ratio."""
    training = Training(effort.chunk)
    matmuls, floor = Matmuls(training), Matmuls(training, libraries=True)
    turns = take_turns({"step": training, "matmuls": matmuls, "floor": floor}, effort.repeats)
    step, alone, least = (spread.times(1e3 / effort.chunk) for spread in turns.values())
    gflop, count = matmuls.flop / 1e9, len(matmuls.matmuls)
    note = "the `dot_general`s of the traced step, each in a loop by itself, in the faster order"
    return [
        Row("training step", step.text(" ms"), note=f"chunks of {effort.chunk} steps"),
        Row(
            f"its {count} matrix multiplications alone, {gflop:.2f} GFLOP",
            _with_rate(alone, gflop),
            note=note,
        ),
        Row(
            "the floor: the same, each by whichever library is faster",
            _with_rate(least, gflop),
            note="XLA, or PyTorch's MKL and oneDNN, in either order of the operands",
        ),
        at_most("step over floor", step.over(least), 1.5),
    ]


def _with_rate(spread: Spread, gflop: float) -> str:
    return f"{spread.text(' ms')}, {gflop / (spread.median / 1e3):.0f} GFLOP/s"
