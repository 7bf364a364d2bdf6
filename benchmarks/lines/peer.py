"""Our training step against the same training in PyTorch."""

import importlib.util
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

import jax
import jax.numpy as jnp
import numpy as np

from benchmarks.apart import cores
from benchmarks.clock import Spread, take_turns
from benchmarks.effort import Effort
from benchmarks.row import Row, at_least
from benchmarks.workload import Training
from grokscope.measures.predictions import cross_entropy
from grokscope.models import Model, named_weights

if TYPE_CHECKING:
    from benchmarks.torch_peer import PeerTraining

TOLERANCE = 1e-4
NOTES = {
    "ours": "the same pairs and optimiser; what does not reach the answer is left out",
    "eager": "`nn.Module`, all three positions, `scaled_dot_product_attention`, float64 loss, "
    "`AdamW(fused=True)`",
    "compiled": "the same, forward, loss and backward through `torch.compile`",
    "informed eager": "keys and values once per token, last position only, W_L formed once, "
    "float32 loss",
    "informed compiled": "the same through `torch.compile`",
}
AIMS = {"eager": 3.0, "compiled": 2.3}
INFORMED_AIM, INFORMED_AIM_ON_ONE_CORE = 1.6, 1.3
"""Aims over the better of the informed peers."""


def measure(effort: Effort) -> list[Row]:
    """Return the agreement with the peers, every time, and the ratios."""
    if importlib.util.find_spec("torch") is None:
        return [Row("PyTorch", "torch is not installed")]
    training = Training(effort.chunk)
    work: dict[str, Callable[[], Any]] = {"ours": training}
    rows = []
    for name in ("eager", "compiled", "informed eager", "informed compiled"):
        peer = make_peer(training, compiled="compiled" in name, informed="informed" in name)
        if "compiled" in name and (refusal := _refusal(peer)) is not None:
            rows.append(Row(f"PyTorch, {name}", f"cannot run here: {refusal}"))
            continue
        work[name] = peer
        rows.append(_agreement(training, peer, name))
    turns = take_turns(work, effort.repeats)
    for name, spread in turns.items():
        step = spread.times(1e3 / effort.chunk)
        rows.append(Row(f"step, {name}", step.text(" ms"), note=NOTES[name]))
    return rows + _ratios(turns)


def _ratios(turns: Mapping[str, Spread]) -> list[Row]:
    ours = turns["ours"]
    rows = [
        at_least(f"PyTorch {name} over ours", turns[name].over(ours), aim)
        for name, aim in AIMS.items()
        if name in turns
    ]
    informed = [name for name in turns if "informed" in name]
    better = min(informed, key=lambda name: turns[name].median)
    aim = INFORMED_AIM_ON_ONE_CORE if cores() == 1 else INFORMED_AIM
    what = "PyTorch informed, eager or compiled, over ours"
    return [*rows, at_least(what, turns[better].over(ours), aim, note=f"the better: {better}")]


def make_peer(training: Training, *, compiled: bool, informed: bool) -> "PeerTraining":
    """Return the same training in PyTorch, from the weights that ours has now."""
    from benchmarks.torch_peer import PeerTraining

    return PeerTraining(
        training.config.model,
        training.config.optimizer,
        {name: np.asarray(W) for name, W in named_weights(training.model()).items()},
        np.asarray(training.inputs.tokens[0]),
        np.asarray(training.inputs.labels[0]),
        training.n_steps,
        compiled=compiled,
        informed=informed,
    )


def _refusal(peer: "PeerTraining") -> str | None:
    """Return why the compiled peer cannot run, or None when it can."""
    try:
        peer.loss_and_gradients()
    except RuntimeError as error:
        return " ".join(str(error).split())[:120]
    return None


def _agreement(training: Training, peer: "PeerTraining", name: str) -> Row:
    """Refuse to compare unless loss and gradients agree, from the same weights."""
    of_loss, of_gradients = differences(training, peer)
    # written so that a NaN is refused too
    if not (of_loss <= TOLERANCE and of_gradients <= TOLERANCE):
        raise SystemExit(
            f"the {name} peer computes something else: relative difference of the loss "
            f"{of_loss:.1e}, of a gradient {of_gradients:.1e}"
        )
    return Row(
        f"same computation, {name}: relative difference of the loss, of any gradient",
        f"{of_loss:.0e}, at most {of_gradients:.0e}",
        f"≤ {TOLERANCE:.0e}: met",
        "from the same weights; the comparison stops otherwise",
    )


def differences(training: Training, peer: "PeerTraining") -> tuple[float, float]:
    """Return the relative difference of the loss, and the largest of any matrix's gradient."""
    from benchmarks.torch_peer import in_torch_layout

    with jax.default_matmul_precision("float32"):
        loss, gradients = jax.value_and_grad(_loss)(
            training.model(), training.inputs.tokens[0], training.inputs.labels[0]
        )
    ours = in_torch_layout({n: np.asarray(W) for n, W in named_weights(gradients).items()})
    their_loss, theirs = peer.loss_and_gradients()
    apart = [abs(ours[name] - theirs[name]).max() / abs(theirs[name]).max() for name in ours]
    # NumPy's, which keeps a NaN
    return abs(float(loss) - their_loss) / their_loss, float(np.max(apart))


def _loss(model: Model, tokens: jax.Array, labels: jax.Array) -> jax.Array:
    return jnp.mean(cross_entropy(model(tokens), labels))
