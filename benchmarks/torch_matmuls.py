"""The same matrix multiplications in PyTorch, whose library may be faster than XLA."""

import string

import torch

from benchmarks.matmuls import Matmul


class TorchRepeated:
    """A multiplication of random matrices, `times` times with every call."""

    def __init__(self, matmul: Matmul, times: int) -> None:
        self._left, self._right = torch.randn(*matmul.left), torch.randn(*matmul.right)
        self._equation, self._times = equation(matmul), times
        # plain matrices go straight to the library, without reading an equation
        self._plain = len(matmul.left) == len(matmul.right) == 2
        (left,), (right,) = matmul.summed if self._plain else ((0,), (0,))
        self._flip_left, self._flip_right = left == 0, right == 1

    def __call__(self) -> None:
        for _ in range(self._times):
            self.product()

    def product(self) -> torch.Tensor:
        """Multiply once."""
        if not self._plain:
            return torch.einsum(self._equation, self._left, self._right)
        left = self._left.T if self._flip_left else self._left
        return left @ (self._right.T if self._flip_right else self._right)


def equation(matmul: Matmul) -> str:
    """Return a multiplication as `torch.einsum` takes it: shared axes first in the result."""
    left = list(string.ascii_lowercase[: len(matmul.left)])
    right = list(string.ascii_uppercase[: len(matmul.right)])
    for ours, theirs in zip(*matmul.summed, strict=True):
        right[theirs] = left[ours]
    for ours, theirs in zip(*matmul.shared, strict=True):
        right[theirs] = left[ours]
    summed = {left[axis] for axis in matmul.summed[0]}
    shared = [left[axis] for axis in matmul.shared[0]]
    rest = [name for name in left if name not in summed and name not in shared]
    rest += [name for name in right if name not in left]
    return f"{''.join(left)},{''.join(right)}->{''.join(shared + rest)}"
