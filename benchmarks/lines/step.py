"""How much a training step costs beyond its matrix multiplications."""

from benchmarks.clock import take_turns
from benchmarks.effort import Effort
from benchmarks.matmuls import Matmuls
from benchmarks.row import Row, at_most
from benchmarks.workload import Training


def measure(effort: Effort) -> list[Row]:
    """Return step, matrix multiplications alone, and their ratio."""
    training = Training(effort.chunk)
    matmuls = Matmuls(training)
    turns = take_turns({"step": training, "matmuls": matmuls}, effort.repeats)
    step, alone = (turns[name].times(1e3 / effort.chunk) for name in ("step", "matmuls"))
    gflop = matmuls.flop / 1e9
    rate = gflop / (alone.median / 1e3)
    note = "the `dot_general`s of the traced step, each in a loop by itself, in the faster order"
    count = len(matmuls.matmuls)
    return [
        Row("training step", step.text(" ms"), note=f"chunks of {effort.chunk} steps"),
        Row(
            f"its {count} matrix multiplications alone, {gflop:.2f} GFLOP",
            f"{alone.text(' ms')}, {rate:.0f} GFLOP/s",
            note=note,
        ),
        at_most("step over multiplications", step.over(alone), 1.5),
    ]
