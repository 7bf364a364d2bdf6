"""Our training step against the same training in PyTorch."""

import importlib.util
import os
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import jax
import jax.numpy as jnp
import numpy as np

from benchmarks.clock import take_turns
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
INFORMED = {1: 1.3}
"""Aim over the better of the informed peers, by cores; on more than one it is `_SEVERAL`."""
_SEVERAL = 1.6


def measure(effort: Effort) -> list[Row]:
    """Return the agreement with the peers, every time, and the ratios."""
    if importlib.util.find_spec("torch") is None:
        return [Row("PyTorch", "torch is not installed")]
    training = Training(effort.chunk)
    work: dict[str, Callable[[], Any]] = {"ours": training}
    rows = []
    for name in ("eager", "informed eager", "compiled", "informed compiled"):
        peer = _peer(training, compiled="compiled" in name, informed="informed" in name)
        if (refusal := _refusal(peer)) is not None:
            rows.append(Row(f"PyTorch, {name}", f"cannot run here: {refusal}"))
            continue
        work[name] = peer
        if "compiled" not in name:
            rows.append(_agreement(training, peer, name))
    turns = take_turns(work, effort.repeats)
    for name, spread in turns.items():
        step = spread.times(1e3 / effort.chunk)
        rows.append(Row(f"step, {name}", step.text(" ms"), note=NOTES[name]))
    ours = turns["ours"]
    rows += [
        at_least(f"PyTorch {name} over ours", turns[name].over(ours), aim)
        for name, aim in AIMS.items()
        if name in turns
    ]
    informed = [spread for name, spread in turns.items() if "informed" in name]
    better = min(informed, key=lambda spread: spread.median)
    aim = INFORMED.get(len(os.sched_getaffinity(0)), _SEVERAL)
    return [*rows, at_least("the better informed PyTorch over ours", better.over(ours), aim)]


def _peer(training: Training, *, compiled: bool, informed: bool) -> "PeerTraining":
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
    from benchmarks.torch_peer import in_torch_layout

    with jax.default_matmul_precision("float32"):
        loss, gradients = jax.value_and_grad(_loss)(
            training.model(), training.inputs.tokens[0], training.inputs.labels[0]
        )
    ours = in_torch_layout({n: np.asarray(W) for n, W in named_weights(gradients).items()})
    their_loss, theirs = peer.loss_and_gradients()
    apart = [abs(float(loss) - their_loss) / their_loss]
    apart += [float(abs(ours[n] - theirs[n]).max() / abs(theirs[n]).max()) for n in ours]
    if max(apart) > TOLERANCE:
        raise SystemExit(f"the peer computes something else: relative difference {max(apart):.1e}")
    return Row(
        f"same computation, {name}: relative difference of the loss, of any gradient",
        f"{apart[0]:.0e}, at most {max(apart[1:]):.0e}",
        f"≤ {TOLERANCE:.0e}: met",
        "from the same weights; the comparison stops otherwise",
    )


def _loss(model: Model, tokens: jax.Array, labels: jax.Array) -> jax.Array:
    return jnp.mean(cross_entropy(model(tokens), labels))
