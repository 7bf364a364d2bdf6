from collections.abc import Callable

import numpy as np
import pytest

from grokscope.disk.folder import RunFolder
from grokscope.errors import RunFolderError, UsageError
from grokscope.explanation.of_run import load_network
from grokscope.models import named_weights

MakeRun = Callable[..., RunFolder]


@pytest.mark.parametrize("sizes", [{}, {"layers": 2}, {"architecture": "mlp"}])
def test_the_weights_of_a_checkpoint_come_back(make_run: MakeRun, sizes: dict) -> None:
    run = make_run(**sizes)
    tensors, _ = run.load_checkpoint(0)
    network = load_network(run, 0)
    assert (network.seed, network.step) == (0, 1000)
    loaded = named_weights(network.model)
    assert loaded.keys() == tensors.keys()
    for name, W in loaded.items():
        np.testing.assert_array_equal(W, tensors[name])


def test_what_is_missing_or_does_not_fit_is_said(make_run: MakeRun) -> None:
    run = make_run(weights=False)
    with pytest.raises(RunFolderError, match="no checkpoint of this seed"):
        load_network(run, 0)
    weights = {"W_E": np.zeros((8, 4), np.float32)}
    run.save_checkpoint(0, 50, weights, {"W_E": ("token", "d_model")}, {"p": 7, "model": {}})
    with pytest.raises(UsageError, match="does not fit"):
        load_network(run, 0)
    run.save_checkpoint(0, 100, weights, {"W_E": ("token", "d_model")}, {})
    with pytest.raises(RunFolderError, match="does not describe its network"):
        load_network(run, 0)


def test_weights_that_diverged_are_refused(make_run: MakeRun) -> None:
    run = make_run(weights={"W_U": np.full((8, 7), np.nan, np.float32)})
    with pytest.raises(RunFolderError, match="not finite: training diverged"):
        load_network(run, 0)
