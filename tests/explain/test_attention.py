from collections.abc import Callable

import numpy as np
import pytest
from numpy.testing import assert_allclose

from grokscope.errors import UsageError
from grokscope.explain import attention_patterns, mean_attention
from grokscope.models import Model

Make = Callable[..., Model]


@pytest.mark.parametrize("layers", [1, 2])
@pytest.mark.parametrize("task", [0, 1])
def test_agrees_with_a_loop_over_heads_and_positions(
    network: Make, one_pass: Callable, layers: int, task: int
) -> None:
    model = network(layers=layers, n_tasks=2)
    patterns = attention_patterns(model, task=task)
    assert patterns.shape == (3, 3, 7, 7)
    for x, y in [(0, 0), (2, 5), (5, 2), (6, 6)]:
        expected = one_pass(model, [x, 7 + task, y]).pattern
        assert_allclose(patterns[:, :, x, y], expected, rtol=2e-4)


def test_an_earlier_block_can_be_read(network: Make) -> None:
    model = network(layers=2)
    first, last = attention_patterns(model, layer=0), attention_patterns(model, layer=1)
    assert_allclose(last, attention_patterns(model))
    assert_allclose(first, attention_patterns(model, layer=-2))
    assert np.abs(first - last).max() > 0.1


def test_weights_sum_to_one_and_means_are_over_pairs(network: Make) -> None:
    patterns = attention_patterns(network())
    assert_allclose(patterns.sum(axis=1), np.ones((3, 7, 7)), rtol=1e-5)
    mean = [[np.mean([row[x, y] for x in range(7) for y in range(7)]) for row in head]
            for head in patterns]  # fmt: skip
    assert_allclose(mean_attention(patterns), mean, rtol=1e-5)


def test_what_has_no_attention_is_refused(network: Make) -> None:
    with pytest.raises(UsageError, match="an MLP has no attention"):
        attention_patterns(network(architecture="mlp"))
    with pytest.raises(UsageError, match="no such block; got 1; allowed: 0 to 0"):
        attention_patterns(network(), layer=1)
