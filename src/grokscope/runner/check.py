"""What can be said about a configuration before anything is trained; needs no JAX."""

from typing import NamedTuple

from grokscope.config.run import RunConfig
from grokscope.errors import UsageError
from grokscope.tasks import Split, Task, make_splits


class Checked(NamedTuple):
    """A configuration that can train, and what the check made of it."""

    config: RunConfig
    task: Task
    splits: list[tuple[Split, ...]]
    """Per seed the split of every operation."""


def check(config: RunConfig) -> Checked:
    """Return the configuration with its task and splits.

    **Raises:** `UsageError` for an operation, a mixture, a split, weights or a batch size that
    cannot train.
    """
    task = Task.from_config(config.task)
    _refuse_repeated([expression.canonical for expression in task.expressions])
    weights = config.task.task_weights
    if weights and len(weights) != task.n_tasks:
        raise UsageError(
            "the task weights do not fit the operations",
            got=" ".join(f"{weight:g}" for weight in weights),
            allowed=f"one for each of the {task.n_tasks}, in their order",
        )
    splits = [make_splits(task, config.task, seed) for seed in config.seeds]
    size, n = config.optimizer.batch_size, task.n_tasks * len(splits[0][0].train_index)
    if size is not None and size > n:
        raise UsageError(
            "the batch size is larger than the training set",
            got=size,
            allowed=f"1 to {n}",
            next_step="leave it out for full batches",
        )
    return Checked(config, task, splits)


def _refuse_repeated(operations: list[str]) -> None:
    """Raise `UsageError` where a mixture has an operation twice: its measures are kept by name."""
    for operation in operations:
        if operations.count(operation) > 1:
            raise UsageError(
                "the mixture has an operation twice",
                got=operation,
                allowed="each operation once",
                next_step="to make it count for more, give task weights",
            )
