"""MLPs by the lengths of their matrices, whatever these are called and however they are turned.

Inputs are one-hot, or one table of embeddings serves x and y, or each has a table of its own; then
matrices follow each other to p answers. Where lengths leave several readings, all are returned,
and which one answers decides.
"""

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations, islice
from typing import Final

from grokscope.interop.layout import Layout
from grokscope.interop.names import Tensors

_MOST: Final = 24
"""Most readings of one file that are tried."""
_MOST_MATRICES: Final = 8
_LEAST: Final = 3
"""Smallest modulus, so that an axis of two or three is not taken for residues."""
_FURTHER: Final = 2
"""Most tokens beyond the residues."""
_TRIES: Final = {"activation": ("relu", "gelu", "square", "silu", "identity")}


@dataclass(frozen=True)
class _Step:
    """A matrix on the way from inputs to answers: whether its rows are its outputs, how many."""

    name: str
    outputs_first: bool
    width: int


@dataclass(frozen=True)
class _Start:
    """How the rows of x and y come in, and the matrices that this takes."""

    said: str
    roles: Mapping[str, str]
    used: tuple[str, ...]
    tokens: tuple[str, ...]
    combine: str
    width: int
    first: int
    """Number of the first hidden layer that has a matrix of its own."""


def layouts_by_shape(tensors: Tensors, p: int | None) -> list[Layout]:
    """Return the readings of a file as an MLP, the likelier ones first; none where there is none.

    **Arguments:** the file's tensors; the modulus, where it is known.
    """
    lengths = {name: tuple(n for n in W.shape if n > 1) for name, W in tensors.items()}
    shapes = {name: shape for name, shape in lengths.items() if shape}
    matrices = [name for name, shape in shapes.items() if len(shape) == len("xy")]
    if not 1 < len(matrices) <= _MOST_MATRICES or any(len(s) > len("xy") for s in shapes.values()):
        return []
    answers = sorted({n for name in matrices for n in shapes[name] if n >= _LEAST})
    readings = (
        reading for n in ([p] if p else answers) for reading in _readings(shapes, matrices, n)
    )
    return list(islice(readings, _MOST))


def _readings(
    shapes: Mapping[str, tuple[int, ...]], matrices: Sequence[str], p: int
) -> Iterator[Layout]:
    for start in _starts(shapes, matrices, p):
        left = tuple(name for name in matrices if name not in start.used)
        for steps in _chains(shapes, left, start.width, p):
            if (steps[:-1] or start.first) and (layout := _layout(shapes, start, steps)):
                yield layout


def _starts(
    shapes: Mapping[str, tuple[int, ...]], matrices: Sequence[str], p: int
) -> Iterator[_Start]:
    for name in matrices:
        if 2 * p in shapes[name]:
            columns = shapes[name][1] == 2 * p
            width = shapes[name][0 if columns else 1]
            roles = {"W_E": f"{name}: {'d_model token' if columns else 'token d_model'}"}
            yield _Start(
                "one-hot inputs of x and y", roles, (name,), ("x", "y + p"), "sum", width, 1
            )
    for name in matrices:
        for role, width in _tables(name, shapes[name], p, _FURTHER):
            for combine, times, first in _JOINED:
                said = f"one table for x and y, {_SAID[combine]}"
                roles, tokens = {"W_E": role}, ("x", "y")
                yield _Start(said, roles, (name,), tokens, combine, times * width, first)
    for of_x, of_y in combinations(matrices, 2):
        both = zip(_tables(of_x, shapes[of_x], p), _tables(of_y, shapes[of_y], p), strict=False)
        for (x, width), (y, other) in both:
            for combine, times, first in _JOINED if width == other else ():
                said = f"tables of their own for x and y, {_SAID[combine]}"
                roles, tokens = {"W_E": x, "W_E_y": y}, ("x", "y + p")
                yield _Start(said, roles, (of_x, of_y), tokens, combine, times * width, first)


_JOINED: Final = (
    ("concatenate", 2, 0),
    ("sum", 1, 0),
    ("sum", 1, 1),
    ("multiply", 1, 0),
    ("multiply", 1, 1),
)
"""How rows come together, how wide that is in rows, and where the first matrix stands then."""
_SAID: Final = {"concatenate": "joined", "sum": "added", "multiply": "multiplied"}


def _tables(
    name: str, shape: tuple[int, ...], p: int, further: int = 0
) -> Iterator[tuple[str, int]]:
    """Ways in which a matrix has a row, or a column, for each residue, and how long these are."""
    for place, axes in ((0, "token d_model"), (1, "d_model token")):
        if p <= shape[place] <= p + further:
            yield f"{name}: {axes}", shape[1 - place]


def _chains(
    shapes: Mapping[str, tuple[int, ...]], left: tuple[str, ...], width: int, p: int
) -> Iterator[list[_Step]]:
    """Orders of all matrices that lead from so many inputs to p answers."""
    for name in left:
        rest = tuple(other for other in left if other != name)
        for outputs_first in (True, False):
            out, into = shapes[name] if outputs_first else shapes[name][::-1]
            step = _Step(name, outputs_first, out)
            if into != width:
                continue
            if rest:
                yield from ([step, *more] for more in _chains(shapes, rest, out, p))
            elif p <= out <= p + _FURTHER:
                yield [step]


def _layout(
    shapes: Mapping[str, tuple[int, ...]], start: _Start, steps: Sequence[_Step]
) -> Layout | None:
    """Return a reading as a layout; None where vectors are left that are no biases of it."""
    *hidden, last = steps
    roles, biased = dict(start.roles), []
    if start.first:
        table = start.used[0] if len(start.used) == 1 and start.combine == "sum" else ""
        biased.append((table, start.width, "b_in.0: neuron"))
    for i, step in enumerate(hidden, start.first):
        axes = "neuron d_in" if step.outputs_first else "d_in neuron"
        roles[f"W_in.{i}"] = f"{step.name}: {axes}"
        biased.append((step.name, step.width, f"b_in.{i}: neuron"))
    turned = "answer d_model" if last.outputs_first else "d_model answer"
    roles["W_U"] = f"{last.name}: {turned}"
    biased.append((last.name, last.width, "b_U: answer"))
    vectors = {name: shape[0] for name, shape in shapes.items() if len(shape) == 1}
    matrices = [name for name, shape in shapes.items() if len(shape) > 1]
    found = _biases(vectors, biased, matrices)
    if found is None:
        return None
    wiring = {"kind": "mlp", "tokens": start.tokens, "combine": start.combine}
    said = f"matrices with the lengths of an MLP: {start.said}"
    return Layout("mlp-by-shape", said, roles | found, wiring, tries=_TRIES)


def _biases(
    vectors: Mapping[str, int], layers: Sequence[tuple[str, int, str]], matrices: Collection[str]
) -> dict[str, str] | None:
    """Match vectors with layers, by name or else in order; None where one is left over."""
    left, found = dict(vectors), {}
    for by_name in (True, False):
        for matrix, width, said in layers:
            role, _, axes = said.partition(": ")
            fitting = [
                name
                for name, length in left.items()
                if length == width and (not by_name or _belongs(name, matrix))
            ]
            if role not in found and fitting:
                found[role] = f"{fitting[0]}: {axes}"
                left.pop(fitting[0])
        if any(_belongs(name, matrix) for name in left for matrix in matrices):
            return None
    return None if left else found


def _belongs(vector: str, matrix: str) -> bool:
    """Whether two names differ only in what tells a bias from a weight."""
    ways = (("weight", "bias"), ("W", "b"), ("w", "b"))
    return any(weight in matrix and matrix.replace(weight, bias) == vector for weight, bias in ways)
