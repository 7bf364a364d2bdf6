"""The optimiser that a configuration describes, its schedule, and which weights it may change."""

from collections.abc import Callable
from typing import Any, Final

import equinox as eqx
import jax
import jax.numpy as jnp
import optax
from jax.typing import ArrayLike
from jaxtyping import Array, Float

from grokscope.config.optimizer import Method, OptimizerConfig
from grokscope.config.validate import Part
from grokscope.models import Model, parts
from grokscope.training.filters import grokfast, orthogonal_gradients
from grokscope.training.muon import muon


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


_Rate = optax.Schedule | Float[Array, ""]
_Make = Callable[[OptimizerConfig, _Rate, Float[Array, ""]], optax.GradientTransformation]


def make_optimizer(
    config: OptimizerConfig,
    learning_rate: Float[Array, ""],
    weight_decay: Float[Array, ""],
) -> optax.GradientTransformation:
    """Return what turns the gradient of the loss into a change of the weights.

    The gradient passes Grokfast, then ⊥Grad, where they are wanted, then the optimiser, which
    knows the weight decay.

    **Arguments:**

    - `config`: everything but the two numbers that follow.
    - `learning_rate`, `weight_decay`: may be traced, so that runs in one program differ in them.
    """
    chain = _METHODS[config.method](config, schedule(config, learning_rate), weight_decay)
    filters = [grokfast(config.grokfast, config.grokfast_alpha)] if config.grokfast else []
    filters += [orthogonal_gradients()] if config.orthogonal_gradients else []
    # alone, the optimiser keeps the state that runs have had since before there were filters
    chain = optax.chain(*filters, chain) if filters else chain

    def update(updates: Any, state: Any, params: Any = None) -> Any:
        with jax.numpy_dtype_promotion("standard"):  # Optax mixes integers with floats
            return chain.update(updates, state, params)

    return optax.GradientTransformation(chain.init, update)


def _adamw(
    config: OptimizerConfig, rate: _Rate, weight_decay: Float[Array, ""]
) -> optax.GradientTransformation:
    """AdamW with decoupled weight decay on every weight.

    **Source:** arXiv 2402.16726, Appendix A; Loshchilov and Hutter 2017.
    """
    return optax.adamw(rate, b1=config.beta1, b2=config.beta2, weight_decay=weight_decay)


def _adam(
    config: OptimizerConfig, rate: _Rate, weight_decay: Float[Array, ""]
) -> optax.GradientTransformation:
    """Adam on g + weight_decay · w, the gradient of the loss with L2 regularisation.

    **Source:** Kingma and Ba 2014, arXiv 1412.6980.
    """
    adam = optax.adam(rate, b1=config.beta1, b2=config.beta2)
    return optax.chain(optax.add_decayed_weights(weight_decay), adam)


def _sgd(
    config: OptimizerConfig, rate: _Rate, weight_decay: Float[Array, ""]
) -> optax.GradientTransformation:
    """Gradient descent on g + weight_decay · w with momentum: v ← momentum · v + g, w ← w − η · v.

    **Source:** Sutskever, Martens, Dahl and Hinton 2013, with PyTorch's form of the momentum.
    """
    sgd = optax.sgd(rate, momentum=config.momentum)
    return optax.chain(optax.add_decayed_weights(weight_decay), sgd)


def _muon(
    config: OptimizerConfig, rate: _Rate, weight_decay: Float[Array, ""]
) -> optax.GradientTransformation:
    """Muon between the tables, AdamW for W_E and W_U."""
    return muon(rate, config.momentum, weight_decay, _adamw(config, rate, weight_decay))


_METHODS: Final[dict[Method, _Make]] = {
    "adamw": _adamw,
    "adam": _adam,
    "sgd": _sgd,
    "muon": _muon,
}


def split_frozen(model: Model, freeze: tuple[Part, ...]) -> tuple[Any, Any]:
    """Return the model as (what trains, what is frozen); `eqx.combine` puts it together."""
    trains = jax.tree_util.tree_map(lambda part: part not in freeze, parts(model))
    return eqx.partition(model, trains)
