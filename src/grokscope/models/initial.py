"""The weights that a network begins with: normal numbers, drawn in one loop."""

import math
from collections.abc import Sequence

import jax
import jax.numpy as jnp
from jaxtyping import Array, Float, PRNGKeyArray


def normal_matrices(
    keys: Sequence[PRNGKeyArray], shapes: Sequence[tuple[int, ...]], scales: Sequence[float]
) -> list[Float[Array, "..."]]:
    """Return matrices of independent normal numbers, number i with standard deviation `scales[i]`.

    Each is `jax.random.normal(keys[i], shapes[i]) * scales[i]`. The numbers of a key do not depend
    on how many are drawn, so that a loop over the largest size draws all of them: compiling a draw
    takes longer than a hundred draws, and once is enough.
    """
    sizes = [math.prod(shape) for shape in shapes]
    rows = jax.lax.map(lambda key: jax.random.normal(key, (max(sizes),)), jnp.stack(keys))
    return [
        row[:size].reshape(shape) * scale
        for row, size, shape, scale in zip(rows, sizes, shapes, scales, strict=True)
    ]
