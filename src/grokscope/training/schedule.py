"""How the learning rate changes over the steps of a run."""

import jax.numpy as jnp
import optax
from jax.typing import ArrayLike
from jaxtyping import Array, Float

from grokscope.config import OptimizerConfig


def schedule(
    config: OptimizerConfig, learning_rate: Float[Array, ""]
) -> optax.Schedule | Float[Array, ""]:
    """Return the learning rate at every step; a plain number where it never changes.

    **Arguments:**

    - `config`: warm-up, shape of the decay, and the step at which it ends.
    - `learning_rate`: η, its largest value; may be traced.

    **Returns:** η_s = η · min(1, (s + 1) / warmup) · d(s), where d falls from 1 at step 0 to 0 at
    `decay_steps` and stays there. The number of steps does not enter, so that a run that is made
    longer goes on as it would have.

    **Source:** cosine: Loshchilov and Hutter 2016, arXiv 1608.03983, without restarts.
    """
    if not config.warmup and config.decay == "constant":
        return learning_rate

    def rate(count: ArrayLike) -> Array:
        # η_s = η · min(1, (s + 1) / warmup)
        share = (jnp.asarray(count) + 1).astype(learning_rate.dtype) / max(config.warmup, 1)
        warm = learning_rate * jnp.minimum(1.0, share)
        return warm if config.decay == "constant" else warm * _fall(config)(count)

    return rate


def _fall(config: OptimizerConfig) -> optax.Schedule:
    """Return d, from 1 to 0."""
    if config.decay == "cosine":
        # d(s) = (1 + cos(π · s / decay_steps)) / 2
        return optax.cosine_decay_schedule(1.0, config.decay_steps)
    # d(s) = 1 − s / decay_steps
    return optax.linear_schedule(1.0, 0.0, config.decay_steps)
