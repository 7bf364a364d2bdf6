"""Our training step against the same training in PyTorch."""

import importlib.util
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
}
AIMS = {"eager": 3.0, "compiled": 2.3}


def measure(effort: Effort) -> list[Row]:
    """Return the agreement with the peer, every time, and the ratios."""
    if importlib.util.find_spec("torch") is None:
        return [Row("PyTorch", "torch is not installed")]
    training = Training(effort.chunk)
    eager = _peer(training, compiled=False)
    rows = [_agreement(training, eager)]
    work: dict[str, Callable[[], Any]] = {"ours": training, "eager": eager}
    compiled = _peer(training, compiled=True)
    refusal = _refusal(compiled)
    if refusal is None:
        work["compiled"] = compiled
    else:
        rows.append(Row("PyTorch, torch.compile", f"cannot run here: {refusal}"))
    turns = take_turns(work, effort.repeats)
    for name, spread in turns.items():
        step = spread.times(1e3 / effort.chunk)
        rows.append(Row(f"step, {name}", step.text(" ms"), note=NOTES[name]))
    ours = turns.pop("ours")
    return rows + [
        at_least(f"PyTorch {name} over ours", spread.over(ours), AIMS[name])
        for name, spread in turns.items()
    ]


def _peer(training: Training, *, compiled: bool) -> "PeerTraining":
    from benchmarks.torch_peer import PeerTraining

    return PeerTraining(
        training.config.model,
        training.config.optimizer,
        {name: np.asarray(W) for name, W in named_weights(training.model()).items()},
        np.asarray(training.inputs.tokens[0]),
        np.asarray(training.inputs.labels[0]),
        training.n_steps,
        compiled=compiled,
    )


def _refusal(peer: "PeerTraining") -> str | None:
    """Return why the compiled peer cannot run, or None when it can."""
    try:
        peer.loss_and_gradients()
    except RuntimeError as error:
        return " ".join(str(error).split())[:120]
    return None


def _agreement(training: Training, peer: "PeerTraining") -> Row:
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
        "same computation: relative difference of the loss, of any gradient",
        f"{apart[0]:.0e}, at most {max(apart[1:]):.0e}",
        f"≤ {TOLERANCE:.0e}: met",
        "from the same weights; the comparison stops otherwise",
    )


def _loss(model: Model, tokens: jax.Array, labels: jax.Array) -> jax.Array:
    return jnp.mean(cross_entropy(model(tokens), labels))
