"""Which jobs share a batch: those whose programs have the same shapes."""

import dataclasses
from collections.abc import Hashable, Sequence
from typing import Final

from grokscope.config import RunConfig
from grokscope.experiments.sweeps.batch import Batch
from grokscope.experiments.sweeps.job import Job

_LARGEST: Final = 128
_SHARE_OF_MEMORY: Final = 0.6
_PIECES_PER_SIZE: Final = 8


def make_batches(
    jobs: Sequence[Job], *, slots: int, size: int | None = None, memory_mib: int | None = None
) -> list[Batch]:
    """Return the jobs as batches, in an order that keeps equal programs together.

    A batch of size 1 has one job, so that the workers share them out as they get free. A larger
    one has more jobs than train side by side: those that end make room for the others.

    **Arguments:**

    - `slots`: how many batches train at the same time.
    - `size`: how many jobs train side by side; None is 1 on a CPU, on a GPU what it holds.
    - `memory_mib`: of the GPU; None on a CPU.
    """
    groups: dict[Hashable, list[Job]] = {}
    for job in jobs:
        groups.setdefault(program_of(job.config), []).append(job)
    batches = []
    for group in groups.values():
        largest = max((job.config for job in group), key=mib_per_run)
        wide = size or side_by_side(largest, memory_mib)
        share = 1 if wide == 1 else max(wide, min(-(-len(group) // slots), wide * _PIECES_PER_SIZE))
        pieces = [group[i : i + share] for i in range(0, len(group), share)]
        batches += [Batch(tuple(piece), min(wide, len(piece))) for piece in pieces]
    return batches


def program_of(config: RunConfig) -> Hashable:
    """Return what is equal for runs that can train in one program.

    They may differ in seed, operation, train fraction, label noise, learning rate, weight
    decay and steps.
    """
    task = dataclasses.replace(
        config.task,
        expressions=("x",) * len(config.task.expressions),
        train_fraction=0.5,
        label_noise=0.0,
    )
    optimizer = dataclasses.replace(config.optimizer, learning_rate=1.0, weight_decay=1.0)
    schedule = dataclasses.replace(config.schedule, steps=1)
    return dataclasses.replace(
        config, task=task, optimizer=optimizer, schedule=schedule, seeds=(0,)
    )


def side_by_side(config: RunConfig, memory_mib: int | None) -> int:
    """Return how many runs train at the same time: one on a CPU core, many on a GPU."""
    if memory_mib is None:
        return 1
    fits = int(memory_mib * _SHARE_OF_MEMORY / mib_per_run(config))
    return max(1, min(_LARGEST, fits))


def mib_per_run(config: RunConfig) -> float:
    """Return about how much memory one run takes on a GPU, in MiB.

    Counted are the numbers that a step keeps per training example, and an evaluation per pair.
    """
    task, model = config.task, config.model
    pairs = task.p**2 * len(task.expressions)
    # neurons before and after the ReLU, logits and their exponentials, the residual stream
    width = 3 * model.d_mlp + 4 * task.p + 12 * model.d_model
    train = pairs * task.train_fraction * width * model.layers
    evaluation = min(pairs, 16384) * (2 * model.d_mlp + 3 * task.p + 6 * model.d_model)
    return 4 * (train + evaluation) / 2**20
