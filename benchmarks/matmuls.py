"""The matrix multiplications of a training step, read off the program that trains, and nothing
else: what the step would cost if all the rest were free."""

import importlib.util
import math
from collections.abc import Callable, Collection, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final, NamedTuple

import jax
from jax.core import AbstractValue, ShapedArray
from jax.extend.core import ClosedJaxpr, Jaxpr, JaxprEqn
from jaxtyping import Array

from benchmarks.clock import Spread, least, total
from benchmarks.workload import Training

XLA: Final = "XLA"
PYTORCH: Final = "PyTorch"


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
        return 2 * math.prod(self.sizes)

    @property
    def sizes(self) -> tuple[int, int, int, int]:
        """As products of plain matrices: how many, and the rows, summed and columns of each."""
        shared = math.prod(self.left[axis] for axis in self.shared[0])
        summed = math.prod(self.left[axis] for axis in self.summed[0])
        rows, columns = (math.prod(shape) // (shared * summed) for shape in (self.left, self.right))
        return shared, rows, summed, columns

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


class Way(NamedTuple):
    """A way of forming a product: which product, by which library, in which form."""

    matmul: Matmul
    library: str
    form: str


def loops(matmuls: Collection[Matmul], times: int) -> dict[Way, Callable[[], None]]:
    """Return a loop for every way of forming each of these products.

    XLA forms it with the operands in both orders; PyTorch, where that is installed, also with each
    of them stored as its transpose.
    """
    ways: dict[Way, Callable[[], None]] = {}
    for matmul in set(matmuls):
        for form, ordered in {"given": matmul, "swapped": matmul.swapped}.items():
            ways[Way(matmul, XLA, form)] = Repeated(ordered, times)
            for stored, loop in _by_pytorch(ordered, times).items():
                ways[Way(matmul, PYTORCH, f"{form}, {stored}")] = loop
    return ways


def _by_pytorch(matmul: Matmul, times: int) -> Mapping[str, Callable[[], None]]:
    if importlib.util.find_spec("torch") is None:
        return {}
    from benchmarks.torch_matmuls import torch_loops

    return torch_loops(matmul, times)


def fastest(
    turns: Mapping[Any, Spread], matmuls: Collection[Matmul], libraries: Collection[str]
) -> Spread:
    """Return the time of all products, each in whichever way of these libraries is fastest.

    It is chosen within each round, so that one more library never makes it slower.
    """

    def in_fastest_way(matmul: Matmul) -> Spread:
        ways = [way for way in turns if isinstance(way, Way) and way.library in libraries]
        return least([turns[way] for way in ways if way.matmul == matmul])

    return total([in_fastest_way(matmul) for matmul in matmuls])


def matmuls_of_step(training: Training) -> list[Matmul]:
    """Return the multiplications of one step, read off its trace."""
    one_step = Training(1, training.config.task.p, training.config.seeds)
    trace = jax.make_jaxpr(one_step.program)(one_step.states, one_step.inputs, one_step.active)
    return list(_matmuls(trace.jaxpr))


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
