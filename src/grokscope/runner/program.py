"""Runs that train side by side: one compiled program takes all of them to their next evaluation."""

import functools
import time
from collections.abc import Callable, Hashable, Sequence
from typing import Any, TypeVar

import jax
import jax.numpy as jnp
import numpy as np

from grokscope.config.optimizer import OptimizerConfig
from grokscope.runner.observe import make_observer
from grokscope.runner.training_run import TrainingRun
from grokscope.training import ChunkResult, RunAxis, RunInputs, TrainState, make_chunk

T = TypeVar("T")


def run_axis() -> RunAxis:
    """Return how several runs share a program here: one after the other on a CPU."""
    return "map" if jax.default_backend() == "cpu" else "vmap"


def step(runs: Sequence[TrainingRun], n_steps: int | None = None) -> list[ChunkResult]:
    """Train runs of one `signature` side by side to their next evaluation.

    **Arguments:**

    - `runs`: one that has ended may stand among them: it is left as it is.
    - `n_steps`: updates before the evaluation; 0 evaluates the weights as they are.

    **Returns:** per run what its chunk gave, with a leading seed axis; `TrainingRun.record` keeps
    it. Of a run that has ended it is all zeros.
    """
    active = [run for run in runs if run.active]
    if n_steps is None:
        n_steps = active[0].steps_to_next
    seeds = np.array([seed.active for run in runs for seed in run.seeds])
    for run in active:
        run.begin_chunk(n_steps)
    program = _program(_static(runs[0]), n_steps, run_axis())
    started = time.perf_counter()
    states, result = program(
        _join([run.states for run in runs]), _join([_inputs(run) for run in runs]), seeds
    )
    result = jax.device_get(result)
    seconds = time.perf_counter() - started
    for run in active:
        run.training_seconds += seconds / len(active) if n_steps else 0.0
    own = _slices(runs)
    for run, part in zip(runs, own, strict=True):
        run.states = _cut(states, part)
    return [_cut(result, part) for part in own]


def signature(run: TrainingRun) -> Hashable:
    """Return what runs must agree in to train side by side: their program and their shapes."""
    leaves, tree = jax.tree_util.tree_flatten((run.states, run.inputs))
    shapes = tuple((leaf.shape[1:], str(leaf.dtype)) for leaf in leaves)
    schedule = run.config.schedule
    # a chunk that is shorter than the others, the last or the first after an odd end, is one's own
    odd = schedule.steps % schedule.eval_every or run.step % schedule.eval_every
    even = run.folder.path if odd else None
    return _static(run), schedule.eval_every, even, tree, shapes


def pad_runs(run: TrainingRun, examples: int) -> None:
    """Fill a run's training set up with examples that weigh nothing, for a common shape."""
    inputs, n = run.inputs, run.inputs.labels.shape[1]
    if run.config.optimizer.batch_size is not None:
        return
    weights = inputs.weights
    if weights is None:
        # L = Σ_task mean over its examples = Σ_i w_i·loss_i
        weights = jnp.full(inputs.labels.shape, run.task.n_tasks / n, jnp.float32)
    more = ((0, 0), (0, examples - n))
    run.inputs = inputs._replace(
        tokens=jnp.pad(inputs.tokens, (*more, (0, 0))),
        labels=jnp.pad(inputs.labels, more),
        weights=jnp.pad(weights, more),
    )


def _inputs(run: TrainingRun) -> RunInputs:
    return run.inputs._replace(observed=run.inputs.observed._replace(due=run.due))


def _join(trees: list[T]) -> T:
    """Return the runs of several trees in one, along their leading axis."""
    if len(trees) == 1:
        return trees[0]
    return jax.tree_util.tree_map(lambda *leaves: jnp.concatenate(leaves), *trees)


def _slices(runs: Sequence[TrainingRun]) -> list[slice]:
    """Return where the seeds of each run lie along the joined axis."""
    ends = np.cumsum([len(run.seeds) for run in runs]).tolist()
    return [slice(end - len(run.seeds), end) for end, run in zip(ends, runs, strict=True)]


def _cut(tree: T, own: slice) -> T:
    """Return the runs of one slice of a joined tree."""
    return jax.tree_util.tree_map(lambda a: a if len(a) == own.stop - own.start else a[own], tree)


_Static = tuple[OptimizerConfig, int, float, int]


def _static(run: TrainingRun) -> _Static:
    """Return what is compiled into the program."""
    return run.config.optimizer.compiled, run.task.p, run.config.eta, run.task.n_tasks


@functools.cache
def _program(
    static: _Static, n_steps: int, axis: RunAxis
) -> Callable[..., tuple[TrainState, ChunkResult]]:
    """Return the program; the same one, already compiled, for every run that agrees in it."""
    optimizer, p, eta, n_tasks = static
    observe: Callable[..., Any] = make_observer(p, eta)
    return make_chunk(optimizer, observe, n_steps, axis, n_tasks)
