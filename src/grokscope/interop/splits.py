"""Which pairs somebody's network was trained on, where it is known how they were drawn."""

import csv
import random
from pathlib import Path
from typing import Final

import numpy as np
from jaxtyping import Int

from grokscope.disk.tables import read_tables
from grokscope.errors import UsageError
from grokscope.interop.functions import trained_pairs
from grokscope.tasks import Task, make_split

_DRAWN: Final = ("random.shuffle", "torch.randperm", "grokscope")
_ALLOWED: Final = (
    "a file of pairs (.csv, .npy, .npz, …), or random.shuffle:SEED:FRACTION,"
    " torch.randperm:SEED:FRACTION, grokscope:SEED:FRACTION"
)


def pairs_of_split(text: str, task: Task) -> Int[np.ndarray, "chosen"]:
    """Return the numbers x·p + y of the training pairs.

    **Arguments:**

    - `text`: a file with pairs, x and y in two columns, or with p × p of true and false; or how
      they were drawn: `random.shuffle` and `torch.randperm` order all p² pairs, x by x, by a seed,
      and the first FRACTION trains.
    - `task`: what is learned.

    **Raises:** `UsageError` for anything else.
    """
    kind, *numbers = text.split(":")
    if kind not in _DRAWN or len(numbers) != 2:
        return _of_file(Path(text), task.p)
    try:
        seed, fraction = int(numbers[0]), float(numbers[1])
    except ValueError:
        raise UsageError("the split is not usable", got=text, allowed=_ALLOWED) from None
    if not 0 <= seed < 2**32 or not 0 < fraction < 1:
        raise UsageError(
            "the split is not usable", got=text, allowed="a seed from 0, a fraction between 0 and 1"
        )
    total = task.p**2
    if kind == "grokscope":
        return make_split(task, fraction, "pairs", seed).train_index.astype(int)
    order = _shuffled(total, seed) if kind == "random.shuffle" else _randperm(total, seed)
    return np.sort(order[: int(fraction * total)])


def _shuffled(count: int, seed: int) -> Int[np.ndarray, "pair"]:
    """Return 0 … count − 1 as Python's `random.shuffle` orders them after `random.seed`."""
    order = list(range(count))
    random.Random(seed).shuffle(order)
    return np.array(order)


def _randperm(count: int, seed: int) -> Int[np.ndarray, "pair"]:
    """Return `torch.randperm` on a CPU after `torch.manual_seed`; it draws from MT19937."""
    words = np.random.RandomState(seed)._bit_generator.random_raw(count)
    order = np.arange(count)
    for i in range(count - 1):
        j = i + int(words[i]) % (count - i)
        order[i], order[j] = order[j], order[i]
    return order


def _of_file(path: Path, p: int) -> Int[np.ndarray, "chosen"]:
    if not path.is_file():
        raise UsageError("the split is not usable", got=str(path), allowed=_ALLOWED)
    if path.suffix == ".csv":
        return trained_pairs(_of_csv(path), p)
    arrays = [table.array for table in read_tables(path).values() if not table.problem]
    if len(arrays) != 1:
        raise UsageError("a split needs one table", got=f"{len(arrays)} in {path.name}")
    return trained_pairs(arrays[0], p)


def _of_csv(path: Path) -> Int[np.ndarray, "chosen 2"]:
    try:
        with path.open(newline="", encoding="utf-8-sig") as file:
            rows = [row for row in csv.reader(file) if row]
        body = rows if rows and rows[0][0].strip().isdecimal() else rows[1:]
        return np.array([[int(x), int(y)] for x, y, *_ in body])
    except (OSError, UnicodeDecodeError, ValueError, csv.Error) as error:
        raise UsageError(
            "the pairs of a split cannot be read", got=str(path), allowed="lines of x,y"
        ) from error
