"""Label noise: wrong answers to some of the training pairs."""

from collections.abc import Sequence

import numpy as np
from jaxtyping import Int, Int32

from grokscope.tasks.draws import NOISE_STREAM, draw_bits
from grokscope.tasks.split import Split
from grokscope.tasks.task import Task


def training_labels(
    task: Task, splits: Sequence[Split], label_noise: float, seed: int
) -> Int32[np.ndarray, "task pair"]:
    """Return the answers that a run trains and tests with.

    **Arguments:**

    - `task`: what is learned.
    - `splits`: per operation which pairs train; the others keep their true answers.
    - `label_noise`: share of the training pairs whose answer is replaced. Of N training pairs
      exactly round(label_noise · N) are, in every operation of a mixture, each by one of the
      p − 1 wrong residues, all alike.
    - `seed`: the run's; draws which pairs and which answers, once, from streams of their own.

    **Returns:** the answer to every pair, as `Task.labels` does.
    """
    labels = task.labels(seed)
    if not label_noise:
        return labels
    rows = zip(labels, splits, strict=True)
    return np.stack([_disturb(*row, label_noise, seed, t, task.p) for t, row in enumerate(rows)])


def _disturb(
    labels: Int[np.ndarray, "pair"], split: Split, share: float, seed: int, task: int, p: int
) -> Int32[np.ndarray, "pair"]:
    train = split.train_index
    order = np.argsort(draw_bits(len(train), seed, NOISE_STREAM, 2 * task), kind="stable")
    chosen = train[order[: round(share * len(train))]]
    # c + 1 … c + p − 1 mod p are the wrong answers
    bits = draw_bits(len(chosen), seed, NOISE_STREAM, 2 * task + 1)
    shift = (bits % np.uint64(p - 1)).astype(np.int64) + 1
    disturbed = labels.copy()
    disturbed[chosen] = (labels[chosen] + shift) % p
    return disturbed
