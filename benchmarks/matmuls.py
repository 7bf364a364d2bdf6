"""The matrix multiplications of a training step, read off the program that trains, and nothing
else: what the step would cost if all the rest were free."""

import importlib.util
import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import jax
from jax.core import AbstractValue, ShapedArray
from jax.extend.core import ClosedJaxpr, Jaxpr, JaxprEqn
from jaxtyping import Array

from benchmarks.clock import take_turns
from benchmarks.workload import Training

_TRIALS = 3


@dataclass(frozen=True)
class Matmul:
    """One multiplication: the shapes of its operands, and which axes are summed or shared."""

    left: tuple[int, ...]
    right: tuple[int, ...]
    summed: tuple[tuple[int, ...], tuple[int, ...]]
    shared: tuple[tuple[int, ...], tuple[int, ...]]
    precision: Any

    @property
    def flop(self) -> int:
        """Multiplications and additions, counted apart."""
        operands = math.prod(self.left) * math.prod(self.right)
        summed = math.prod(self.left[axis] for axis in self.summed[0])
        shared = math.prod(self.left[axis] for axis in self.shared[0])
        return 2 * operands // (summed * shared)

    @property
    def swapped(self) -> "Matmul":
        """The same with the operands in the other order, which gives the transpose."""
        (summed, summed_right), (shared, shared_right) = self.summed, self.shared
        return Matmul(
            self.right, self.left, (summed_right, summed), (shared_right, shared), self.precision
        )

    def __call__(self, left: Array, right: Array) -> Array:
        return jax.lax.dot_general(left, right, (self.summed, self.shared), self.precision)


class Repeated:
    """A multiplication of random matrices, `times` times with every call, in one program."""

    def __init__(self, matmul: Matmul, times: int) -> None:
        keys = jax.random.split(jax.random.key(0))
        left = jax.random.normal(keys[0], matmul.left)
        self._right = jax.random.normal(keys[1], matmul.right)
        self._carry = (left, matmul(left, self._right))
        self._matmul, self._times = matmul, times
        self._program = jax.jit(self._repeat)

    def __call__(self) -> None:
        jax.block_until_ready(self._program(self._carry, self._right))

    def _repeat(self, carry: tuple[Array, Array], right: Array) -> tuple[Array, Array]:
        def step(carry: tuple[Array, Array], _: None) -> tuple[tuple[Array, Array], None]:
            left, result = carry
            # the operand depends on the result before, so that the product stays in the loop
            left = left.at[(0,) * left.ndim].set(result[(0,) * result.ndim] * 1e-30)
            return (left, self._matmul(left, right)), None

        return jax.lax.scan(step, carry, length=self._times)[0]


class Matmuls:
    """All multiplications of as many steps as `training` makes per call, one after the other.

    Each stays in the cache as well as it can, and has its operands in the faster order.

    **Arguments:**

    - `training`: whose step they are of.
    - `libraries`: True takes the faster of XLA and PyTorch, where that is installed, for each.
    """

    def __init__(self, training: Training, *, libraries: bool = False) -> None:
        self.matmuls = matmuls_of_step(training)
        fastest = {m: _fastest(m, training.n_steps, libraries) for m in set(self.matmuls)}
        self._loops = [fastest[matmul] for matmul in self.matmuls]

    @property
    def flop(self) -> int:
        """Floating-point operations of a step."""
        return sum(matmul.flop for matmul in self.matmuls)

    def __call__(self) -> None:
        for loop in self._loops:
            loop()


def matmuls_of_step(training: Training) -> list[Matmul]:
    """Return the multiplications of one step, read off its trace."""
    one_step = Training(1, training.config.task.p, training.config.seeds)
    trace = jax.make_jaxpr(one_step.program)(one_step.states, one_step.inputs, one_step.active)
    return list(_matmuls(trace.jaxpr))


def _fastest(matmul: Matmul, times: int, libraries: bool) -> Callable[[], None]:
    ways: dict[str, Callable[[], None]] = {
        "given": Repeated(matmul, times),
        "swapped": Repeated(matmul.swapped, times),
    }
    if libraries and importlib.util.find_spec("torch") is not None:
        from benchmarks.torch_matmuls import TorchRepeated

        ways |= {
            "PyTorch, given": TorchRepeated(matmul, times),
            "PyTorch, swapped": TorchRepeated(matmul.swapped, times),
        }
    turns = take_turns(ways, _TRIALS)
    return ways[min(turns, key=lambda name: min(turns[name].values))]


def _matmuls(program: Jaxpr) -> Iterator[Matmul]:
    """Give every multiplication of a program, also those inside its loops and branches."""
    for equation in program.eqns:
        if equation.primitive.name == "dot_general":
            left, right = (_shape(variable.aval) for variable in equation.invars)
            summed, shared = equation.params["dimension_numbers"]
            yield Matmul(left, right, summed, shared, equation.params["precision"])
        for inner in _programs_within(equation):
            yield from _matmuls(inner)


def _programs_within(equation: JaxprEqn) -> Iterator[Jaxpr]:
    for value in equation.params.values():
        for part in value if isinstance(value, tuple | list) else [value]:
            if isinstance(part, ClosedJaxpr):
                yield part.jaxpr
            elif isinstance(part, Jaxpr):
                yield part


def _shape(kind: AbstractValue) -> tuple[int, ...]:
    assert isinstance(kind, ShapedArray)
    return kind.shape
