"""The same matrix multiplications in PyTorch, whose libraries may be faster than XLA."""

from itertools import product

import torch

from benchmarks.apart import cores
from benchmarks.matmuls import Matmul


class TorchRepeated:
    """A multiplication of random matrices, `times` times with every call.

    **Arguments:**

    - `turned_left`, `turned_right`: whether an operand is stored as its transpose.
    """

    def __init__(
        self, matmul: Matmul, times: int, *, turned_left: bool, turned_right: bool
    ) -> None:
        torch.set_num_threads(cores())
        shared, rows, summed, columns = matmul.sizes
        self._left = _random(shared, rows, summed, turned=turned_left)
        self._right = _random(shared, summed, columns, turned=turned_right)
        # no time goes into finding memory, as in a compiled program
        self._result = torch.matmul(self._left, self._right)
        self._times = times

    def __call__(self) -> None:
        for _ in range(self._times):
            torch.matmul(self._left, self._right, out=self._result)


def torch_loops(matmul: Matmul, times: int) -> dict[str, TorchRepeated]:
    """Return loops over a multiplication by how its operands are stored."""
    words = {False: "as it is", True: "as its transpose"}
    return {
        f"left {words[left]}, right {words[right]}": TorchRepeated(
            matmul, times, turned_left=left, turned_right=right
        )
        for left, right in product(words, words)
    }


def _random(shared: int, rows: int, columns: int, *, turned: bool) -> torch.Tensor:
    matrices = (
        torch.randn(shared, columns, rows).mT if turned else torch.randn(shared, rows, columns)
    )
    # a single one as a plain matrix, for which libraries have other programs than for many
    return matrices[0] if shared == 1 else matrices
