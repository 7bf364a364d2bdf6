"""Training as a pure function: one compiled program to the next evaluation, another that looks.

Several runs share a program along a run axis. On a CPU they follow each other (`map`), which
gives every run the bits that it would have alone; on a GPU they run side by side (`vmap`).
"""

import functools
from collections.abc import Callable
from typing import Any, Literal, NamedTuple

import equinox as eqx
import jax
import jax.numpy as jnp
import optax
from jaxtyping import Array, Bool, Float, Int, PRNGKeyArray, PyTree, UInt32

from grokscope.config.optimizer import OptimizerConfig
from grokscope.models import Model
from grokscope.training.losses import LOSSES
from grokscope.training.optimizer import make_optimizer, split_frozen

RunAxis = Literal["map", "vmap"]
Observe = Callable[[Model, Any], PyTree]
"""What to look at after a chunk: (model, observed inputs) → any tree of arrays."""


class RunInputs(NamedTuple):
    """What distinguishes one run from another; with several runs, each has a leading run axis."""

    seed: UInt32[Any, ""]
    tokens: Int[Any, "example pos"]
    """Training examples: x, operator, y."""
    labels: Int[Any, "example"]
    learning_rate: Float[Any, ""]
    weight_decay: Float[Any, ""]
    observed: Any
    """Handed to the observer as it is."""
    weights: Float[Any, "example"] | None = None
    """Factor of each example's loss, 0 where an example only fills up; None for plain means."""


class TrainState(NamedTuple):
    """Weights, optimiser moments and the number of updates made; all that a resume needs."""

    model: Model
    moments: optax.OptState
    step: Int[Array, ""]


class ChunkResult(NamedTuple):
    """What a chunk tells about each run."""

    observation: PyTree
    losses: Float[Array, "step"]
    """Training loss before each update; after one that is not finite the weights stand still."""


def initial_state(model: Model, config: OptimizerConfig) -> TrainState:
    """Return the state before the first update."""
    trainable, _ = split_frozen(model, config.freeze)
    one = jnp.float32(1)
    return TrainState(model, make_optimizer(config, one, one).init(trainable), jnp.int32(0))


def make_chunk(
    config: OptimizerConfig, observe: Observe, n_steps: int, run_axis: RunAxis, n_tasks: int = 1
) -> Callable[[TrainState, RunInputs, Bool[Array, "seed"]], tuple[TrainState, ChunkResult]]:
    """Return what trains every active run for `n_steps` and observes it, in compiled programs.

    What trains and what looks are programs of their own: compiling takes longer than a small
    training, and this way chunks of any length, 0 also, share what looks, and operations of equal
    shapes share what trains.

    **Arguments:**

    - `config`: the optimiser.
    - `observe`: called once per run, after the last update; compiled.
    - `n_steps`: updates per call.
    - `run_axis`: `map` on a CPU, `vmap` on a GPU.
    - `n_tasks`: operations of a mixture; its loss is the sum of their mean losses, or what the
      inputs' weights say.

    **Returns:** a function of (states, inputs, active), all with a leading run axis. Runs that
    are not active keep their state and observe zeros. The states passed in are consumed.
    """
    look, train = _looks(observe, run_axis), _trains(config, n_steps, run_axis, n_tasks)

    def chunk(
        states: TrainState, inputs: RunInputs, active: Bool[Any, "seed"]
    ) -> tuple[TrainState, ChunkResult]:
        with jax.default_matmul_precision("float32"):
            losses = jnp.zeros((len(active), 0))
            if n_steps:
                states, losses = train(states, inputs._replace(observed=None), active)
            return states, ChunkResult(look(states.model, inputs.observed, active), losses)

    return chunk


def _trains(
    config: OptimizerConfig, n_steps: int, run_axis: RunAxis, n_tasks: int
) -> Callable[..., tuple[TrainState, Float[Array, "seed step"]]]:
    """Return the program that trains: (states, inputs, active) → states and losses."""

    def train(state: TrainState, inputs: RunInputs) -> tuple[TrainState, Float[Array, "step"]]:
        return jax.lax.scan(lambda s, _: _step(config, n_tasks, s, inputs), state, length=n_steps)

    def rest(state: TrainState, _: RunInputs) -> tuple[TrainState, Float[Array, "step"]]:
        return state, jnp.zeros(n_steps)

    def training(states: TrainState, inputs: RunInputs, active: Bool[Array, "seed"]) -> Any:
        return _each(train, rest, run_axis, states, inputs, active)

    return jax.jit(training, donate_argnums=0)


@functools.cache
def _looks(observe: Observe, run_axis: RunAxis) -> Callable[..., PyTree]:
    """Return the program that observes: (models, observed inputs, active) → stacked trees."""

    def rest(model: Model, observed: Any) -> PyTree:
        shapes = jax.eval_shape(observe, model, observed)
        return jax.tree_util.tree_map(lambda a: jnp.zeros(a.shape, a.dtype), shapes)

    def observing(models: Model, observed: Any, active: Bool[Array, "seed"]) -> PyTree:
        return _each(observe, rest, run_axis, models, observed, active)

    return jax.jit(observing)


def _each(
    busy: Callable[..., Any], rest: Callable[..., Any], run_axis: RunAxis, *runs: PyTree
) -> Any:
    """Call `busy` for every run that is active and `rest` for the others; `runs` ends in which."""

    def one(run: tuple[PyTree, ...]) -> Any:
        *arguments, active = run
        return jax.lax.cond(active, busy, rest, *arguments)

    return jax.lax.map(one, runs) if run_axis == "map" else jax.vmap(one)(runs)


def _step(
    config: OptimizerConfig, n_tasks: int, state: TrainState, inputs: RunInputs
) -> tuple[TrainState, Float[Array, ""]]:
    """One update; where the loss is not finite the weights stay as they are."""
    trainable, frozen = split_frozen(state.model, config.freeze)
    tokens, labels, weights = _batch(config.batch_size, state.step, inputs)

    def loss_of(trainable: PyTree) -> Float[Array, ""]:
        model = eqx.combine(trainable, frozen)
        losses = LOSSES[config.loss](model(tokens), labels)
        if weights is not None:
            # L = Σ_i w_i·loss_i, scaled up where only a batch of the examples is seen
            return jnp.sum(weights * losses) * (len(inputs.labels) / len(labels))
        # L = Σ_task mean over its examples; every task has as many examples
        return jnp.mean(losses) * n_tasks

    loss, gradient = jax.value_and_grad(loss_of)(trainable)
    optimizer = make_optimizer(config, inputs.learning_rate, inputs.weight_decay)
    updates, moments = optimizer.update(gradient, state.moments, trainable)
    finite = jnp.isfinite(loss)
    trainable = jax.tree_util.tree_map(lambda w, u: jnp.where(finite, w + u, w), trainable, updates)
    return TrainState(eqx.combine(trainable, frozen), moments, state.step + 1), loss


def _batch(
    size: int | None, step: Int[Array, ""], inputs: RunInputs
) -> tuple[Int[Array, "batch pos"], Int[Array, "batch"], Float[Array, "batch"] | None]:
    """Return this step's examples: all, or the next ones of this epoch's own order."""
    n, weights = len(inputs.labels), inputs.weights
    if size is None or size >= n:
        return inputs.tokens, inputs.labels, weights
    per_epoch = n // size
    key = jax.random.fold_in(stream(inputs.seed, "batches"), step // per_epoch)
    order = jax.random.permutation(key, n)
    chosen = jax.lax.dynamic_slice(order, [(step % per_epoch) * size], [size])
    return (
        inputs.tokens[chosen],
        inputs.labels[chosen],
        None if weights is None else weights[chosen],
    )


def stream(seed: int | UInt32[Array, ""], purpose: Literal["weights", "batches"]) -> PRNGKeyArray:
    """Return the random key of one purpose, so that adding a purpose never moves another."""
    number = {"weights": 0, "batches": 1}[purpose]
    return jax.random.fold_in(jax.random.key(jnp.uint32(seed)), number)
