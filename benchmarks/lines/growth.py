"""How the time of a step grows with the modulus and with the number of seeds."""

from benchmarks.clock import take_turns
from benchmarks.effort import Effort
from benchmarks.row import Row
from benchmarks.workload import Training

MODULI = (59, 97, 113, 199)
SEEDS = (1, 2, 4)
SHORTER = 5
"""Turns are shorter than elsewhere by this factor: p = 199 has four times the pairs of 97."""


def measure(effort: Effort) -> list[Row]:
    """Return the milliseconds per seed and step."""
    n_steps = max(effort.chunk // SHORTER, 1)
    moduli = {f"p = {p}": Training(n_steps, p) for p in MODULI}
    seeds = {f"seeds: {n}": Training(n_steps, seeds=range(n)) for n in SEEDS}
    rows = []
    for work in (moduli, seeds):
        turns = take_turns(work, effort.repeats)
        for name, training in work.items():
            n_seeds = len(training.config.seeds)
            step = turns[name].times(1e3 / n_steps / n_seeds)
            pair = step.median * 1e3 / training.n_train
            note = f"{training.n_train:,} training pairs, {pair:.2f} µs each"
            rows.append(Row(f"{name}; a step of one seed", step.text(" ms"), note=note))
    return rows
