"""The paper's AdamW with warm-up, and which weights it may change."""

from typing import Any

import equinox as eqx
import jax
import jax.numpy as jnp
import optax
from jax.typing import ArrayLike
from jaxtyping import Array, Float

from grokscope.config import OptimizerConfig, Part
from grokscope.models import Model, parts


def adamw(
    config: OptimizerConfig,
    learning_rate: Float[Array, ""],
    weight_decay: Float[Array, ""],
) -> optax.GradientTransformation:
    """Return AdamW with decoupled weight decay on every weight.

    **Arguments:**

    - `config`: betas and warm-up.
    - `learning_rate`, `weight_decay`: may be traced, so that runs in one program differ in them.

    **Source:** arXiv 2402.16726, Appendix A; Loshchilov and Hutter 2017.
    """

    def schedule(count: ArrayLike) -> Array:
        # η_s = η · min(1, (s + 1) / warmup)
        share = (jnp.asarray(count) + 1).astype(learning_rate.dtype) / max(config.warmup, 1)
        return learning_rate * jnp.minimum(1.0, share)

    chain = optax.adamw(
        schedule if config.warmup else learning_rate,
        b1=config.beta1,
        b2=config.beta2,
        weight_decay=weight_decay,
    )

    def update(updates: Any, state: Any, params: Any = None) -> Any:
        with jax.numpy_dtype_promotion("standard"):  # Optax mixes integers with floats
            return chain.update(updates, state, params)

    return optax.GradientTransformation(chain.init, update)


def split_frozen(model: Model, freeze: tuple[Part, ...]) -> tuple[Any, Any]:
    """Return the model as (what trains, what is frozen); `eqx.combine` puts it together."""
    trains = jax.tree_util.tree_map(lambda part: part not in freeze, parts(model))
    return eqx.partition(model, trains)
