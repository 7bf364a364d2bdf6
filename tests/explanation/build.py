"""Networks built by formula, for any structure: a clock, or a pizza.

The embedding holds (cos w_k u, sin w_k u) and, where v ≠ u, (cos w_k v, sin w_k v) in dimensions
of their own, with w_k = 2πk/n. Uniform attention brings the circle of x beside that of y. Neurons
ReLU(cos(w_k u(x) + φ) + cos(w_k v(y) + ψ)) write cos(w_k s + φ + ψ) of the answer's coordinate s:

- clock: all φ and ψ of a grid. What is left is Σ_k cos w_k(u + v − s), up to about 1/grid² of it.
- pizza: ψ = φ, on a grid. What is left is Σ_k |cos w_k(u − v)/2| cos w_k(u + v − s).

An answer that several sums lead to gets the mean of their waves, z(c), and the bias −|z(c)|²/2,
so that the largest logit is that of the nearest z(c). The bias comes from the operator's token.
"""

from collections.abc import Callable, Sequence

import numpy as np

from grokscope.models import Model, named_weights, with_weights
from grokscope.tasks.structure import Structure


def build_clock(
    network: Callable[..., Model],
    structure: Structure,
    keys: Sequence[int],
    grid: int = 32,
    pizza: bool = False,
) -> Model:
    """Return a transformer of one block that answers g(u(x) + v(y)) with the given keys.

    Logits are those of the formula above, in its units. Even n should not have n/2 as a key.
    """
    p, width = len(structure.u), 2 * len(keys)
    own_v = not np.array_equal(structure.u, structure.v)
    place = iter(np.arange(6 * width).reshape(6, width))
    U, moved, answer = next(place), next(place), next(place)
    V = next(place) if own_v else U
    one, bias = next(place)[0], next(place)[0]

    read, write = _neurons(len(keys), grid, pizza)
    model = network(p=p, d_model=6 * width, heads=1, d_mlp=len(write))
    weights = {name: np.zeros(W.shape, np.float32) for name, W in named_weights(model).items()}
    weights["W_E"][:p, V] = circles(structure.v, structure.n, keys)
    weights["W_E"][:p, U] = circles(structure.u, structure.n, keys)
    weights["W_E"][p:, one] = 1
    # no query: each of the three positions gets 1/3, which W_V undoes
    for source, target in [*zip(U, moved, strict=True), (one, bias)]:
        weights["W_V"][0, source, target] = 3
        weights["W_O"][0, target, target] = 1
    # the circle of x is what was moved, without the part of y
    weights["W_in"][moved], weights["W_in"][U] = read[0], -read[0]
    weights["W_in"][V] += read[1]
    weights["W_out"][:, answer] = write
    waves = answers(structure, keys)
    weights["W_U"][answer] = waves.T
    energy = np.sum(waves**2, axis=1) / 2
    weights["W_U"][bias] = np.where(waves.any(axis=1), energy.max() - energy, 0)
    return with_weights(model, weights)


def circles(coordinate: np.ndarray, n: int, keys: Sequence[int]) -> np.ndarray:
    """Return cos and sin of each key in columns (key, cos | sin), 0 where the coordinate is −1."""
    angle = 2 * np.pi / n * np.multiply.outer(coordinate, np.array(keys))
    waves = np.stack([np.cos(angle), np.sin(angle)], axis=-1).reshape(len(coordinate), -1)
    return np.where(np.asarray(coordinate)[:, None] >= 0, waves, 0)


def answers(structure: Structure, keys: Sequence[int]) -> np.ndarray:
    """Return z(c): the mean of the circles of all sums that lead to an answer, else 0."""
    sums = circles(np.arange(structure.n), structure.n, keys)
    total, count = np.zeros((len(structure.u), sums.shape[1])), np.zeros(len(structure.u))
    for s, c in enumerate(structure.g):
        if c >= 0:
            total[c], count[c] = total[c] + sums[s], count[c] + 1
    return total / np.maximum(count, 1)[:, None]


def _neurons(n_keys: int, grid: int, pizza: bool) -> tuple[np.ndarray, np.ndarray]:
    """Return what neurons read of both circles, [x | y, column, neuron], and what they write."""
    phase = np.arange(grid) * 2 * np.pi / grid
    a, b = (phase, phase) if pizza else (np.repeat(phase, grid), np.tile(phase, grid))
    # what the neurons of one key add up to at u = v = s = 0, which is to be 1
    size = np.sum(np.maximum(np.cos(a) + np.cos(b), 0) * np.cos(a + b))
    read = np.zeros((2, 2 * n_keys, n_keys * len(a)))
    write = np.zeros((n_keys * len(a), 2 * n_keys))
    for k in range(n_keys):
        columns = slice(k * len(a), (k + 1) * len(a))
        # cos(w u + a) = cos a cos w u − sin a sin w u
        read[0, 2 * k, columns], read[0, 2 * k + 1, columns] = np.cos(a), -np.sin(a)
        read[1, 2 * k, columns], read[1, 2 * k + 1, columns] = np.cos(b), -np.sin(b)
        write[columns, 2 * k], write[columns, 2 * k + 1] = (
            np.cos(a + b) / size,
            -np.sin(a + b) / size,
        )
    return read, write
