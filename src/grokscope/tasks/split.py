"""Which pairs train and which test, which test pairs are leaked, and which labels are wrong."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
from jaxtyping import Bool, Int, Int8, Int32

from grokscope.config.run import SplitKind, TaskConfig
from grokscope.errors import UsageError
from grokscope.tasks.task import NOISE_STREAM, SPLIT_STREAM, Task, draw_bits

UNDEFINED: Final = 0
TRAIN: Final = 1
TEST_LEAKED: Final = 2
TEST_UNLEAKED: Final = 3


@dataclass(frozen=True, eq=False)
class Split:
    """The side of every pair, in the order x·p + y; made by `make_split`.

    **Arguments:**

    - `kind`: `UNDEFINED`, `TRAIN`, `TEST_LEAKED` or `TEST_UNLEAKED` for each pair.
    """

    kind: Int8[np.ndarray, "pair"]

    @property
    def train(self) -> Bool[np.ndarray, "pair"]:
        """Pairs that train."""
        return self.kind == TRAIN

    @property
    def test(self) -> Bool[np.ndarray, "pair"]:
        """Pairs that test, leaked or not."""
        return self.kind >= TEST_LEAKED

    @property
    def unleaked(self) -> Bool[np.ndarray, "pair"]:
        """Test pairs whose answer cannot be read off a training pair by swapping x and y."""
        return self.kind == TEST_UNLEAKED

    @property
    def train_index(self) -> Int32[np.ndarray, "chosen"]:
        """Numbers x·p + y of the training pairs, ascending."""
        return np.flatnonzero(self.train).astype(np.int32)

    @property
    def counts(self) -> dict[str, int]:
        """Number of pairs: `train`, `test`, `unleaked` (a part of the test) and `undefined`."""
        masks = {"train": self.train, "test": self.test, "unleaked": self.unleaked}
        masks["undefined"] = self.kind == UNDEFINED
        return {name: int(mask.sum()) for name, mask in masks.items()}


def make_splits(task: Task, config: TaskConfig, seed: int) -> tuple[Split, ...]:
    """Return the split of every operation of a task.

    **Arguments:**

    - `task`: what is learned.
    - `config`: the train fraction, the kind of split, and whether the operations share it.
    - `seed`: the run's seed.

    **Raises:** as `make_split`.
    """
    draws = [0] * task.n_tasks if config.shared_split else range(task.n_tasks)
    return tuple(
        make_split(task, config.train_fraction, config.split, seed, number=number, draw=draw)
        for number, draw in enumerate(draws)
    )


def make_split(
    task: Task, train_fraction: float, kind: SplitKind, seed: int, *, number: int = 0, draw: int = 0
) -> Split:
    """Draw the training pairs of one operation; how many does not depend on the seed.

    **Arguments:**

    - `task`: what is learned; only its defined pairs train or test.
    - `train_fraction`: share r of the defined pairs that trains.
    - `kind`: `pairs` draws ordered pairs; `orbits` keeps (x, y) and (y, x) on one side.
    - `seed`: the run's seed; the same seed gives the same split everywhere.
    - `number`: which operation; its symmetry decides which test pairs are leaked.
    - `draw`: which of the seed's draws; operations with the same one share their pairs.

    **Raises:** `UsageError` if no pair would train or none would test.
    """
    total = int(task.defined.sum())
    n_train = round(train_fraction * total)
    chosen = {"pairs": _draw_pairs, "orbits": _draw_orbits}[kind](task, n_train, seed, draw)
    if not 0 < len(chosen) < total:
        side = "training" if len(chosen) == 0 else "test"
        raise UsageError(
            f"the split leaves no {side} pair",
            got=train_fraction,
            allowed=f"a train fraction that leaves some of the {total} defined pairs on each side",
            next_step="choose a fraction nearer to 0.5 or a larger modulus",
        )
    return Split(_sides(task, chosen, seed, number))


def known_split(task: Task, trained: Int[np.ndarray, "chosen"]) -> Split:
    """Return the split of a single operation of which it is known which pairs trained.

    **Arguments:** what is learned; numbers x·p + y of pairs, of which undefined ones do not count.

    **Raises:** `UsageError` where none of the defined pairs trained.
    """
    chosen = trained[task.defined[trained]]
    if not len(chosen):
        raise UsageError("no pair that is defined trained", got=f"{len(trained)} pairs")
    return Split(_sides(task, chosen, 0, 0))


def _draw_pairs(task: Task, n_train: int, seed: int, draw: int) -> Int[np.ndarray, "chosen"]:
    return _choose(np.flatnonzero(task.defined), n_train, seed, 2 * draw)


def _draw_orbits(task: Task, n_train: int, seed: int, draw: int) -> Int[np.ndarray, "chosen"]:
    x, y = np.divmod(np.arange(task.p**2), task.p)
    transpose = y * task.p + x
    swappable = task.defined & task.defined[transpose] & (x != y)
    doubles = np.flatnonzero(swappable & (x < y))
    singles = np.flatnonzero(task.defined & ~swappable)
    n_doubles, n_singles = _share(n_train, len(doubles), len(singles))
    above = _choose(doubles, n_doubles, seed, 2 * draw)
    alone = _choose(singles, n_singles, seed, 2 * draw + 1)
    return np.concatenate([above, transpose[above], alone])


def _share(n_train: int, doubles: int, singles: int) -> tuple[int, int]:
    """Share `n_train` pairs between orbits of two and of one, each near its proportion."""
    # n_train = 2·n_doubles + n_singles; an odd pair is left out where there are no orbits of one
    n_doubles = min(round(n_train * doubles / (2 * doubles + singles)), n_train // 2)
    return n_doubles, min(n_train - 2 * n_doubles, singles)


def _choose(
    candidates: Int[np.ndarray, "pair"], count: int, seed: int, index: int
) -> Int[np.ndarray, "chosen"]:
    bits = draw_bits(len(candidates), seed, SPLIT_STREAM, index)
    return candidates[np.argsort(bits, kind="stable")[:count]]


def _sides(
    task: Task, chosen: Int[np.ndarray, "chosen"], seed: int, number: int
) -> Int8[np.ndarray, "pair"]:
    kind = np.where(task.defined, TEST_UNLEAKED, UNDEFINED).astype(np.int8)
    kind[chosen] = TRAIN
    if task.symmetric(seed, number):
        transpose_trains = (kind == TRAIN).reshape(task.p, task.p).T.ravel()
        kind[(kind == TEST_UNLEAKED) & transpose_trains] = TEST_LEAKED
    kind.setflags(write=False)
    return kind


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
