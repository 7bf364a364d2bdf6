"""The peers in PyTorch compute what ours computes, and a peer that does not is refused."""

import math

import numpy as np
import pytest
from benchmarks.clock import Spread
from benchmarks.lines import peer as line
from benchmarks.workload import Training

N_STEPS = 3
P = 7


@pytest.fixture(scope="module", autouse=True)
def torch():
    return pytest.importorskip("torch")


@pytest.fixture
def training() -> Training:
    return Training(N_STEPS, p=P)


@pytest.mark.parametrize("informed", [False, True], ids=["ordinary", "informed"])
def test_loss_and_gradients_are_ours(training, informed):
    peer = line.make_peer(training, compiled=False, informed=informed)
    assert max(line.differences(training, peer)) < 1e-5


@pytest.mark.parametrize("informed", [False, True], ids=["ordinary", "informed"])
def test_training_goes_where_ours_goes(training, informed):
    peer = line.make_peer(training, compiled=False, informed=informed)
    before, _ = peer.loss_and_gradients()
    peer()
    training()
    after, _ = peer.loss_and_gradients()
    assert after < before - 0.01
    assert max(line.differences(training, peer)) < 1e-3


def test_the_informed_peer_does_not_run_the_ordinary_forward_pass(training, torch, monkeypatch):
    """Attention over all positions is what it leaves out."""
    peer = line.make_peer(training, compiled=False, informed=True)
    name = "scaled_dot_product_attention"
    monkeypatch.delattr(torch.nn.functional, name)
    peer.loss_and_gradients()
    with pytest.raises(AttributeError, match=name):
        line.make_peer(training, compiled=False, informed=False).loss_and_gradients()


@pytest.mark.parametrize("factor", [1.001, math.nan])
@pytest.mark.parametrize("matrix", ["embedding", "unembedding"])
def test_a_peer_that_computes_something_else_is_refused(training, torch, matrix, factor):
    peer = line.make_peer(training, compiled=False, informed=True)
    with torch.no_grad():
        getattr(peer.peer, matrix).weight.mul_(factor)
    with pytest.raises(SystemExit, match="informed eager peer computes something else"):
        line._agreement(training, peer, "informed eager")


def test_a_gradient_that_is_no_number_is_refused(training, monkeypatch):
    peer = line.make_peer(training, compiled=False, informed=True)
    loss, gradients = peer.loss_and_gradients()
    gradients["mlp_in.weight"] = np.full_like(gradients["mlp_in.weight"], math.nan)
    monkeypatch.setattr(peer, "loss_and_gradients", lambda: (loss, gradients))
    with pytest.raises(SystemExit, match="computes something else"):
        line._agreement(training, peer, "informed eager")


@pytest.mark.parametrize(
    ("cores", "eager", "compiled", "better", "aim"),
    [
        (1, 4.0, 2.0, "compiled", "≥ 1.3: met"),
        (2, 1.5, 3.0, "eager", "≥ 1.6: missed"),
        (8, 4.0, 1.7, "compiled", "≥ 1.6: met"),
    ],
)
def test_ours_is_compared_with_the_better_of_the_informed(
    monkeypatch, cores, eager, compiled, better, aim
):
    monkeypatch.setattr(line, "cores", lambda: cores)
    times = {"ours": 1.0, "eager": 9.0, "informed eager": eager, "informed compiled": compiled}
    rows = line._ratios({name: Spread([time, time]) for name, time in times.items()})
    assert [row.what.split(" over")[0] for row in rows] == [
        "PyTorch eager",
        "PyTorch informed, eager or compiled,",
    ]
    assert rows[-1].measured.startswith(f"{min(eager, compiled):g} ")
    assert rows[-1].note == f"the better: informed {better}"
    assert rows[-1].aim == aim
