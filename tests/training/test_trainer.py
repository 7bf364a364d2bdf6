"""One compiled program trains every run as if it were alone."""

import dataclasses
import functools
from collections.abc import Callable, Sequence
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal

from grokscope.config.optimizer import OptimizerConfig
from grokscope.config.validate import Part
from grokscope.models import Model, named_weights
from grokscope.training import ChunkResult, RunAxis, TrainState, make_chunk, stream
from grokscope.training.step import _batch

PAPER = OptimizerConfig()


def observe(model: Model, observed: Any) -> dict[str, jax.Array]:
    return {"sum": jnp.sum(model.W_E), "given": observed}


@functools.cache
def program(
    config: OptimizerConfig = PAPER, n_steps: int = 4, run_axis: RunAxis = "map", n_tasks: int = 1
) -> Callable[..., tuple[TrainState, ChunkResult]]:
    return make_chunk(config, observe, n_steps, run_axis, n_tasks)


def run_of(tree: Any, i: int) -> Any:
    return jax.tree_util.tree_map(lambda a: np.asarray(a)[i], tree)


def assert_same_bits(a: Any, b: Any) -> None:
    assert jax.tree_util.tree_structure(a) == jax.tree_util.tree_structure(b)
    for x, y in zip(jax.tree_util.tree_leaves(a), jax.tree_util.tree_leaves(b), strict=True):
        assert np.asarray(x).tobytes() == np.asarray(y).tobytes()


def weights_of(state: TrainState, i: int = 0) -> dict[str, np.ndarray]:
    return {name: np.asarray(W)[i] for name, W in _leaves(state.model).items()}


def logits_of(model: Any, tokens: np.ndarray) -> np.ndarray:
    return np.asarray(jax.tree_util.tree_map(jnp.asarray, model)(jnp.asarray(tokens)))


def _leaves(model: Any) -> dict[str, Any]:
    return named_weights(jax.tree_util.tree_map(jnp.asarray, model))


@pytest.fixture(params=["transformer", "mlp"])
def small(request: pytest.FixtureRequest, lab: Callable[..., Any]) -> Any:
    return lab(architecture=request.param)


def train(
    lab: Any, seeds: Sequence[int], n_steps: int, run_axis: RunAxis = "map", **changes: Any
) -> tuple[TrainState, ChunkResult]:
    # learning rate and weight decay come with the inputs: one program serves them all
    config = dataclasses.replace(lab.optimizer, learning_rate=1e-3, weight_decay=1.0)
    chunk = program(config, n_steps, run_axis, lab.n_tasks)
    return chunk(lab.states(seeds), lab.inputs(seeds, **changes), np.ones(len(seeds), bool))


def test_the_length_of_a_chunk_does_not_matter(small: Any) -> None:
    whole, result = train(small, [0], 20)
    state, parts = small.states([0]), []
    for _ in range(5):
        state, part = program(n_steps=4)(state, small.inputs([0]), np.array([True]))
        parts.append(part)
    assert_same_bits(state, whole)
    assert_same_bits(np.concatenate([part.losses[0] for part in parts]), result.losses[0])
    assert_same_bits(parts[-1].observation, result.observation)
    assert int(whole.step[0]) == 20
    assert result.losses[0, -1] < 0.98 * result.losses[0, 0]


def test_a_run_has_the_bits_that_it_has_alone(small: Any) -> None:
    together, told = train(small, [0, 1, 2], 4)
    alone, said = train(small, [1], 4)
    assert_same_bits(run_of(together, 1), run_of(alone, 0))
    assert_same_bits(run_of(told, 1), run_of(said, 0))
    assert not np.allclose(run_of(together, 0).model.W_E, run_of(together, 1).model.W_E)


def test_a_resting_run_is_untouched(lab: Callable[..., Any]) -> None:
    start = lab().states([0, 1, 2])
    chunk = program(n_steps=4)
    state, told = chunk(start, lab().inputs([0, 1, 2]), np.array([True, False, True]))
    everyone, _ = train(lab(), [0, 1, 2], 4)
    assert_same_bits(run_of(state, 1), run_of(start, 1))
    for i in (0, 2):
        assert_same_bits(run_of(state, i), run_of(everyone, i))
    assert_array_equal(told.losses[1], np.zeros(4))
    assert_array_equal(told.observation["given"], [10, 0, 12])
    assert told.observation["sum"][1] == 0


def test_the_observer_sees_the_weights_after_the_last_update(lab: Callable[..., Any]) -> None:
    state, told = train(lab(), [0, 1], 4)
    for i in range(2):
        total = np.sum(np.asarray(state.model.W_E)[i], dtype=np.float64)
        assert_allclose(told.observation["sum"][i], total, rtol=1e-5)


def test_side_by_side_is_one_after_the_other_up_to_round_off(lab: Callable[..., Any]) -> None:
    small = lab(architecture="transformer")
    (mapped, said), (batched, told) = (train(small, [0, 1], 1, axis) for axis in ("map", "vmap"))
    assert_allclose(said.losses, told.losses, rtol=1e-5)
    leaves = zip(*map(jax.tree_util.tree_leaves, (mapped, batched)), strict=True)
    for one, other in leaves:
        assert_allclose(one, other, rtol=1e-5, atol=1e-5)


def test_one_update_is_adamw_on_the_mean_loss(lab: Callable[..., Any]) -> None:
    """With the gradient of the plain forward pass, and the usual formula of the loss."""
    small = lab(architecture="transformer", optimizer=OptimizerConfig(weight_decay=3.0))
    start = run_of(small.states([0]), 0)
    inputs = jax.tree_util.tree_map(jnp.asarray, run_of(small.inputs([0]), 0))

    @jax.jit
    def plain(model: Model) -> jax.Array:
        logits, _ = model.trace(inputs.tokens)
        own = jnp.take_along_axis(logits, inputs.labels[:, None], axis=1)[:, 0]
        return jnp.mean(jax.nn.logsumexp(logits, axis=1) - own)

    loss, gradient = jax.value_and_grad(plain)(jax.tree_util.tree_map(jnp.asarray, start.model))
    state, told = train(small, [0, 1], 1)
    assert_allclose(told.losses[0, 0], loss, rtol=1e-6)
    before, after = _leaves(start.model), weights_of(state)
    for name, g in named_weights(gradient).items():
        g, w = np.asarray(g, np.float64), np.asarray(before[name], np.float64)
        # the first step of Adam has size η · g / (|g| + ε), whatever the betas
        expected = w - 1e-3 * (g / (np.abs(g) + 1e-8) + 3.0 * w)
        certain = np.abs(g) > 1e-5
        assert certain.mean() > 0.3, name
        assert_allclose(after[name][certain], expected[certain], rtol=0, atol=1e-6)


def test_learning_rate_and_weight_decay_belong_to_the_run(lab: Callable[..., Any]) -> None:
    decays, rates = np.array([0, 2, 0], np.float32), np.array([1e-3, 1e-3, 3e-3], np.float32)
    state, _ = train(lab(), [0, 0, 0], 1, weight_decay=decays, learning_rate=rates)
    start = weights_of(lab().states([0]))
    plain, decayed, quick = (weights_of(state, i) for i in range(3))
    for name, w in start.items():
        assert_allclose(decayed[name] - plain[name], -1e-3 * 2 * w, atol=1e-6)
        assert_allclose(quick[name] - w, 3 * (plain[name] - w), atol=1e-6)


@pytest.mark.parametrize("freeze", [("embedding", "mlp"), ("attention", "unembedding")])
def test_a_frozen_part_neither_moves_nor_decays(
    lab: Callable[..., Any], freeze: tuple[Part, ...]
) -> None:
    matrices = {
        "embedding": {"W_E"},
        "attention": {"W_Q", "W_K", "W_V", "W_O"},
        "mlp": {"W_in", "W_out"},
        "unembedding": {"W_U"},
    }
    frozen = matrices[freeze[0]] | matrices[freeze[1]]
    small = lab(architecture="transformer", optimizer=OptimizerConfig(freeze=freeze))
    before = weights_of(small.states([0]))
    state, _ = train(small, [0], 2)
    for name, W in weights_of(state).items():
        if name in frozen:
            assert W.tobytes() == before[name].tobytes(), name
        else:
            assert (before[name] != W).mean() > 0.9, name


def test_the_loss_of_a_mixture_is_the_sum_of_the_means_of_its_tasks(
    lab: Callable[..., Any],
) -> None:
    small = lab(n_tasks=2)
    _, told = train(small, [0], 1)
    model, inputs = run_of(small.states([0]), 0).model, run_of(small.inputs([0]), 0)
    logits = np.asarray(logits_of(model, inputs.tokens), np.float64)
    losses = [
        np.log(np.sum(np.exp(row))) - row[label]
        for row, label in zip(logits, inputs.labels, strict=True)
    ]
    n = small.n_examples
    assert_allclose(told.losses[0, 0], np.mean(losses[:n]) + np.mean(losses[n:]), rtol=1e-5)
    # weights: the second task counts three times; an example that weighs nothing does not count
    weights = np.repeat(np.array([1 / n, 3 / n], np.float32), n)
    weights[0] = 0
    _, told = train(small, [0], 1, weights=weights[None])
    assert_allclose(told.losses[0, 0], np.dot(weights, losses), rtol=1e-5)


@pytest.fixture(scope="module")
def batches(lab: Callable[..., Any]) -> Callable[[int, int, int], list[list[int]]]:
    """(size, seed, number of steps) → the numbers of the examples of each step."""
    inputs = run_of(lab().inputs([0]), 0)
    n = len(inputs.labels)
    numbered = inputs._replace(tokens=np.repeat(np.arange(n, dtype=np.int32)[:, None], 3, axis=1))

    @functools.partial(jax.jit, static_argnums=0)
    def draw(size: int, seed: jax.Array, step: jax.Array) -> tuple[jax.Array, jax.Array]:
        tokens, labels, _ = _batch(
            size, step, jax.tree_util.tree_map(jnp.asarray, numbered)._replace(seed=seed)
        )
        return tokens, labels

    def drawn(size: int, seed: int, n_steps: int) -> list[list[int]]:
        found = [draw(size, np.uint32(seed), np.int32(step)) for step in range(n_steps)]
        for tokens, labels in found:
            assert_array_equal(labels, inputs.labels[tokens[:, 0]])
        return [tokens[:, 0].tolist() for tokens, _ in found]

    return drawn


def test_an_epoch_of_minibatches_takes_every_example_once(
    batches: Callable[[int, int, int], list[list[int]]],
) -> None:
    # 14 examples: 4 batches of 3 in an epoch, and 2 examples are dropped
    drawn = batches(3, 5, 12)
    epochs = [[n for batch in drawn[i : i + 4] for n in batch] for i in (0, 4, 8)]
    for epoch in epochs:
        assert len(set(epoch)) == len(epoch) == 12
        assert set(epoch) <= set(range(14))
    first, second = batches(7, 5, 2)
    assert sorted(first + second) == list(range(14))
    assert epochs[0] != epochs[1] != epochs[2] != epochs[0]
    assert batches(3, 5, 12) == drawn
    assert batches(3, 6, 4) != drawn[:4]
    assert {i for epoch in epochs for i in epoch} == set(range(14))


@pytest.mark.parametrize("size", [14, 100])
def test_a_batch_of_everything_is_the_full_batch(
    batches: Callable[[int, int, int], list[list[int]]], size: int
) -> None:
    assert batches(size, 0, 2) == [list(range(14))] * 2


def test_training_draws_its_minibatches(lab: Callable[..., Any]) -> None:
    """At a learning rate of nearly 0 the losses of an epoch average to the full loss."""
    still = OptimizerConfig(learning_rate=1e-9, weight_decay=0.0)
    batched = dataclasses.replace(still, batch_size=7)
    _, all_at_once = train(lab(optimizer=still), [0], 4)
    _, by_halves = train(lab(optimizer=batched), [0], 4)
    for epoch in (slice(0, 2), slice(2, 4)):
        losses = by_halves.losses[0, epoch]
        assert_allclose(np.mean(losses), all_at_once.losses[0, 0], rtol=1e-5)
        assert abs(losses[0] - losses[1]) > 1e-3


def test_streams_of_random_numbers_are_apart() -> None:
    keys = [
        stream(seed, purpose) for seed in (0, 1, 2**32 - 1) for purpose in ("weights", "batches")
    ]
    data = {tuple(np.asarray(jax.random.key_data(key)).tolist()) for key in keys}
    assert len(data) == 6
    assert jnp.array_equal(jax.random.key_data(stream(1, "weights")), jax.random.key_data(keys[2]))


def test_after_a_loss_that_is_not_finite_the_weights_stand_still(lab: Callable[..., Any]) -> None:
    """One run among others is so large that its logits overflow."""
    small = lab()
    start = small.states([0, 1])
    start.model.W_E[0] *= np.float32(1e25)
    start.model.W_U[0] *= np.float32(1e25)
    before = run_of(start, 0)
    state, told = program(n_steps=4)(start, small.inputs([0, 1]), np.ones(2, bool))
    assert not np.isfinite(told.losses[0]).any()
    assert_same_bits(run_of(state, 0).model, before.model)
    assert np.isfinite(run_of(state, 0).model.W_E).all()
    assert np.isfinite(told.losses[1]).all()
    alone, _ = train(small, [1], 4)
    assert_same_bits(run_of(state, 1), run_of(alone, 0))


def test_a_learning_rate_far_too_large_shows_in_the_losses(lab: Callable[..., Any]) -> None:
    wild = lab(optimizer=OptimizerConfig(learning_rate=10, weight_decay=1000))
    state, told = train(wild, [0], 20)
    assert np.isfinite(told.losses[0, 0])
    assert not np.isfinite(told.losses[0, -1])
    stood = run_of(state, 0).model
    later, _ = program(n_steps=20)(state, wild.inputs([0]), np.array([True]))
    assert_same_bits(run_of(later, 0).model, stood)


def test_random_answers_are_memorised(lab: Callable[..., Any]) -> None:
    quick = OptimizerConfig(learning_rate=0.01, weight_decay=0.0)
    small = lab(architecture="transformer", n_examples=25, optimizer=quick)
    labels = np.random.default_rng(3).integers(5, size=(1, 25)).astype(np.int32)
    state, told = train(small, [0], 400, labels=labels)
    assert told.losses[0, 0] > 1
    assert told.losses[0, -1] < 0.05
    logits = logits_of(run_of(state, 0).model, small.inputs([0]).tokens[0])
    assert_array_equal(logits.argmax(axis=1), labels[0])
