"""At which steps checkpoints are kept, and how far apart they must be to fit the disk."""

_MIB = 2**20


def is_checkpoint(step: int, every: int, eval_every: int) -> bool:
    """Return whether `step` is kept: 0, eval_every · 2^i, or a multiple of `every`."""
    evaluations, rest = divmod(step, eval_every)
    log_spaced = rest == 0 and evaluations & (evaluations - 1) == 0
    return log_spaced or step % every == 0


def interval_within_budget(
    steps: int,
    bytes_per_checkpoint: int,
    n_seeds: int,
    every: int,
    budget_mib: int,
    eval_every: int,
) -> int:
    """Return the smallest interval of `every` · 2^i whose checkpoints fit the budget.

    `every` is first rounded up to whole evaluations. Doubling keeps each wider schedule a part
    of the narrower one. The log-spaced checkpoints and the last are kept even beyond the budget.

    **Arguments:**

    - `steps`: length of the training.
    - `bytes_per_checkpoint`: size of one file, of one seed.
    - `budget_mib`: MiB for all files of all seeds.
    """
    every = -(-every // eval_every) * eval_every
    largest = budget_mib * _MIB // (bytes_per_checkpoint * n_seeds)
    while every < steps and _count(steps, every, eval_every) > largest:
        every *= 2
    return every


def _count(steps: int, every: int, eval_every: int) -> int:
    kept = {0, steps, *range(0, steps + 1, every)}
    power = eval_every
    while power <= steps:
        kept.add(power)
        power *= 2
    return len(kept)
