"""Many seeds side by side on a GPU."""

import jax

from benchmarks.clock import take_turns
from benchmarks.effort import Effort
from benchmarks.row import Row
from benchmarks.workload import Training

SEEDS = (1, 16, 128)


def measure(effort: Effort) -> list[Row]:
    """Return the steps per second of 1, 16 and 128 seeds in one program."""
    if jax.default_backend() != "gpu":
        return [Row("steps per second of 1, 16 and 128 seeds", "no GPU on this machine")]
    work = {f"seeds: {n}": Training(effort.chunk, seeds=range(n)) for n in SEEDS}
    turns = take_turns(work, effort.repeats)
    device = jax.devices()[0].device_kind
    rows = []
    for name, training in work.items():
        steps = len(training.config.seeds) * effort.chunk
        rate = turns[name].inverse().times(steps)
        rows.append(Row(f"{name}; steps of all of them", rate.text(" steps/s"), note=device))
    return rows
