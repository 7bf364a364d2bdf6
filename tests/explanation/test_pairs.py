from collections.abc import Callable

import numpy as np
import pytest
from numpy.testing import assert_allclose

from grokscope.errors import UsageError
from grokscope.explanation import pairs
from grokscope.explanation.pairs import over_pairs
from grokscope.models import Model

Make = Callable[..., Model]


@pytest.mark.parametrize("size", [1, 7, 20, 21, 4096])
def test_every_pair_comes_once_whatever_the_block(
    network: Make, monkeypatch: pytest.MonkeyPatch, size: int
) -> None:
    monkeypatch.setattr(pairs, "PAIRS_PER_BLOCK", size)
    model = network()
    found = np.concatenate(list(over_pairs(model, lambda _, seen: seen["embedding"])))
    table = np.asarray(model.W_E)
    assert found.shape == (7, 7, 3, 12)
    for x in range(7):
        for y in range(7):
            assert_allclose(found[x, y], table[[x, 7, y]])


def test_a_block_holds_few_pairs(network: Make, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pairs, "PAIRS_PER_BLOCK", 20)
    sizes = [block.shape[:2] for block in over_pairs(network(), lambda logits, _: logits)]
    assert sizes == [(2, 7), (2, 7), (2, 7), (1, 7)]


def test_each_operation_of_a_mixture_has_its_token(network: Make) -> None:
    model = network(n_tasks=3)
    for task in range(3):
        (block,) = over_pairs(model, lambda _, seen: seen["embedding"], task)
        assert_allclose(block[3, 4, 1], np.asarray(model.W_E)[7 + task])


@pytest.mark.parametrize("task", [-1, 2])
def test_an_operation_that_is_not_there_is_refused(network: Make, task: int) -> None:
    with pytest.raises(UsageError, match=r"no such operation; got .*; allowed: 0 to 1"):
        next(over_pairs(network(n_tasks=2), lambda logits, _: logits, task))
