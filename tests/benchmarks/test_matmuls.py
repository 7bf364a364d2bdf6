"""The products of a step are counted rightly, formed rightly, and the floor is the fastest way."""

from itertools import product

import jax
import numpy as np
import pytest
from benchmarks.clock import Spread
from benchmarks.matmuls import PYTORCH, XLA, Matmul, Way, fastest, loops, matmuls_of_step
from benchmarks.workload import Training

from grokscope.models import named_weights

PLAIN = Matmul((5, 3), (3, 4), ((1,), (0,)), ((), ()), None)
PER_HEAD = Matmul((7, 2, 3), (5, 2, 3), ((2,), (2,)), ((1,), (1,)), None)
OVER_HEADS = Matmul((7, 2, 3), (2, 5, 3), ((1, 2), (0, 2)), ((), ()), None)
SIZES = [(PLAIN, (1, 5, 3, 4)), (PER_HEAD, (2, 7, 3, 5)), (OVER_HEADS, (1, 7, 6, 5))]


@pytest.mark.parametrize(("matmul", "sizes"), SIZES)
def test_sizes_are_those_of_plain_matrices(matmul, sizes):
    shared, rows, summed, columns = sizes
    assert matmul.sizes == sizes
    assert matmul.swapped.sizes == (shared, columns, summed, rows)
    assert matmul.flop == matmul.swapped.flop == 2 * shared * rows * summed * columns


def test_every_large_product_of_the_step_is_found():
    training = Training(4, p=7)
    n, (d, mlp) = training.n_train, named_weights(training.model())["W_in"].shape
    found = [matmul.sizes for matmul in matmuls_of_step(training)]
    # residual · W_in, and its gradients by the one and by the other
    for rows, summed, columns in [(n, d, mlp), (n, mlp, d), (mlp, n, d)]:
        assert {(1, rows, summed, columns), (1, columns, summed, rows)} & set(found)
    assert len(found) == len(matmuls_of_step(Training(1, p=7)))


@pytest.mark.parametrize(("matmul", "sizes"), SIZES)
@pytest.mark.parametrize(("left", "right"), list(product([False, True], repeat=2)))
def test_pytorch_forms_a_product_of_these_sizes(matmul, sizes, left, right):
    torch = pytest.importorskip("torch")
    from benchmarks.torch_matmuls import TorchRepeated

    shared, rows, summed, columns = sizes
    loop = TorchRepeated(matmul, 2, turned_left=left, turned_right=right)
    loop._result.zero_()
    loop()
    A = loop._left.reshape(shared, rows, summed)
    B = loop._right.reshape(shared, summed, columns)
    torch.testing.assert_close(loop._result.reshape(shared, rows, columns), A @ B)
    assert loop._left.mT.is_contiguous() is left
    assert loop._right.mT.is_contiguous() is right


def test_ways_are_both_orders_by_xla_and_eight_by_pytorch():
    pytest.importorskip("torch")
    ways = loops([PLAIN, PER_HEAD, PLAIN], 1)
    for matmul in (PLAIN, PER_HEAD):
        libraries = [way.library for way in ways if way.matmul == matmul]
        assert sorted(libraries) == sorted([XLA] * 2 + [PYTORCH] * 8)


def test_the_swapped_product_is_the_transpose():
    left, right = (jax.random.normal(jax.random.key(i), (4, 4)) for i in range(2))
    square = Matmul((4, 4), (4, 4), ((1,), (0,)), ((), ()), None)
    np.testing.assert_allclose(square(left, right), square.swapped(right, left).T, rtol=1e-6)


def test_the_floor_takes_the_fastest_way_of_each_product_in_each_round():
    turns = {
        Way(PLAIN, XLA, "given"): Spread([3.0, 5.0]),
        Way(PLAIN, XLA, "swapped"): Spread([4.0, 2.0]),
        Way(PLAIN, PYTORCH, "given"): Spread([1.0, 9.0]),
        Way(PER_HEAD, XLA, "given"): Spread([10.0, 10.0]),
        Way(PER_HEAD, PYTORCH, "given"): Spread([20.0, 20.0]),
    }
    # one of them twice, as in a step
    matmuls = [PLAIN, PLAIN, PER_HEAD]
    everything = {"step": Spread([0.1, 0.1]), **turns}
    assert fastest(everything, matmuls, [XLA]).values == [16.0, 14.0]
    assert fastest(everything, matmuls, [XLA, PYTORCH]).values == [12.0, 14.0]
