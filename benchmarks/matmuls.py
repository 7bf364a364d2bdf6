"""The matrix multiplications of a training step, read off the program that trains, and nothing
else: the time that no implementation with the same arithmetic can beat."""

import math
from collections.abc import Iterator
from typing import NamedTuple

import jax
import jax.numpy as jnp
from jax.core import AbstractValue, ShapedArray
from jax.extend.core import ClosedJaxpr, Jaxpr, JaxprEqn
from jaxtyping import Array

from benchmarks.workload import Training

Operands = list[tuple[Array, Array]]


class Matmul(NamedTuple):
    """One multiplication of the step, with the transposition that XLA folds into it."""

    product: JaxprEqn
    transposition: JaxprEqn | None

    @property
    def shapes(self) -> list[tuple[int, ...]]:
        """The shapes of both operands."""
        return [_shape(variable.aval) for variable in self.product.invars]

    @property
    def flop(self) -> int:
        """Multiplications and additions, counted apart."""
        (contracted, _), _ = self.product.params["dimension_numbers"]
        left, _ = self.shapes
        summed = math.prod(left[axis] for axis in contracted)
        return 2 * summed * math.prod(_shape(self.product.outvars[0].aval))

    def __call__(self, left: Array, right: Array) -> Array:
        result = self.product.primitive.bind(left, right, **self.product.params)
        if self.transposition is None:
            return result
        return jnp.transpose(result, self.transposition.params["permutation"])


class Matmuls:
    """All multiplications of as many steps as `training` makes per call, on random matrices."""

    def __init__(self, training: Training) -> None:
        one_step = Training(1, training.config.task.p, training.config.seeds)
        trace = jax.make_jaxpr(one_step.program)(one_step.states, one_step.inputs, one_step.active)
        self.matmuls = list(_matmuls(trace.jaxpr))
        keys = iter(jax.random.split(jax.random.key(0), 2 * len(self.matmuls)))
        self._operands = [
            (jax.random.normal(next(keys), left), jax.random.normal(next(keys), right))
            for left, right in (matmul.shapes for matmul in self.matmuls)
        ]
        self._results = self._multiply(self._operands)
        self._n_steps = training.n_steps
        self._program = jax.jit(self._repeat)

    @property
    def flop(self) -> int:
        """Floating-point operations of a step."""
        return sum(matmul.flop for matmul in self.matmuls)

    def __call__(self) -> None:
        jax.block_until_ready(self._program(self._operands, self._results))

    def _multiply(self, operands: Operands) -> list[Array]:
        return [matmul(*pair) for matmul, pair in zip(self.matmuls, operands, strict=True)]

    def _repeat(self, operands: Operands, results: list[Array]) -> list[Array]:
        def step(carry: tuple[Operands, list[Array]], _: None) -> tuple[tuple, None]:
            operands, results = carry
            # each operand depends on the step before, so that no product leaves the loop
            operands = [
                (_first_set(left, _first(result)), right)
                for (left, right), result in zip(operands, results, strict=True)
            ]
            return (operands, self._multiply(operands)), None

        return jax.lax.scan(step, (operands, results), length=self._n_steps)[0][1]


def _shape(kind: AbstractValue) -> tuple[int, ...]:
    assert isinstance(kind, ShapedArray)
    return kind.shape


def _first(array: Array) -> Array:
    return array[(0,) * array.ndim] * 1e-30


def _first_set(array: Array, value: Array) -> Array:
    return array.at[(0,) * array.ndim].set(value)


def _matmuls(program: Jaxpr) -> Iterator[Matmul]:
    """Give every multiplication of a program, also those inside its loops and branches."""
    transpositions = {
        equation.invars[0]: equation
        for equation in program.eqns
        if equation.primitive.name == "transpose"
    }
    for equation in program.eqns:
        if equation.primitive.name == "dot_general":
            yield Matmul(equation, transpositions.get(equation.outvars[0]))
        for inner in _programs_within(equation):
            yield from _matmuls(inner)


def _programs_within(equation: JaxprEqn) -> Iterator[Jaxpr]:
    for value in equation.params.values():
        for part in value if isinstance(value, tuple | list) else [value]:
            if isinstance(part, ClosedJaxpr):
                yield part.jaxpr
            elif isinstance(part, Jaxpr):
                yield part
