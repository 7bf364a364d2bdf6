"""What can be said about a configuration before anything is trained; needs no JAX."""

from grokscope.config import RunConfig
from grokscope.errors import UsageError
from grokscope.tasks import Split, Task, make_split


def check(config: RunConfig) -> tuple[Task, list[Split]]:
    """Return the task and the split of every seed.

    **Raises:** `UsageError` for an operation, a split or a batch size that cannot train.
    """
    task = Task.from_config(config.task)
    fraction, kind = config.task.train_fraction, config.task.split
    splits = [make_split(task, fraction, kind, seed) for seed in config.seeds]
    size, n = config.optimizer.batch_size, task.n_tasks * len(splits[0].train_index)
    if size is not None and size > n:
        raise UsageError(
            "the batch size is larger than the training set",
            got=size,
            allowed=f"1 to {n}",
            next_step="leave it out for full batches",
        )
    return task, splits
