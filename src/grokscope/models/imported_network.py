"""Weights of somebody's network, checked against each other, as a network."""

from collections.abc import Mapping
from typing import Any

import equinox as eqx
import jax.numpy as jnp
import numpy as np

from grokscope.config.imported import ImportedConfig
from grokscope.errors import UsageError
from grokscope.forking import refuse_after_fork
from grokscope.models.imported import AXES, Imported


def imported_network(config: ImportedConfig, weights: Mapping[str, Any]) -> Imported:
    """Return a network with weights in the orientation of `AXES`.

    **Raises:** `UsageError` where a matrix is missing, unknown, or does not fit the others, and in
    a process that was forked after JAX was used.
    """
    refuse_after_fork()
    arrays = {name: jnp.asarray(np.asarray(W), jnp.float32) for name, W in weights.items()}
    for name in ("W_E", "W_U"):
        if name not in arrays:
            raise UsageError(f"the network has no {name}", allowed=", ".join(AXES))
    sizes: dict[str, tuple[int, str]] = {}
    for name, W in arrays.items():
        axes = AXES.get(name.partition(".")[0], ())
        if len(axes) != W.ndim:
            raise UsageError(f"{name} has the wrong axes", got=W.shape, allowed=" × ".join(axes))
        for axis, length in zip(axes, W.shape, strict=True):
            _check(name, axis, length, config, sizes)
    rest = {name: W for name, W in arrays.items() if name not in ("W_E", "W_U")}
    network = Imported(arrays["W_E"], arrays["W_U"], rest, config)
    tokens = network.inputs().tokens
    if tokens.max() >= len(network.W_E):
        raise UsageError(
            "W_E has no row for a token",
            got=f"token {tokens.max()}, {len(network.W_E)} rows",
            next_step="say what stands at each position, as tokens = x, y",
        )
    if network.W_U.shape[1] < config.p:
        raise UsageError(
            "W_U has too few answers", got=network.W_U.shape[1], allowed=f"p = {config.p} or more"
        )
    try:
        eqx.filter_eval_shape(network, jnp.zeros((1, len(config.tokens)), jnp.int32))
    except (TypeError, ValueError, KeyError) as error:
        raise UsageError(
            "the matrices do not fit together", got=str(error).splitlines()[0]
        ) from error
    return network


def _check(
    name: str, axis: str, length: int, config: ImportedConfig, sizes: dict[str, tuple[int, str]]
) -> None:
    """Refuse an axis that is longer or shorter than that of an earlier matrix."""
    if config.kind == "mlp" or axis not in ("d_model", "head", "d_head"):
        return
    known, first = sizes.setdefault(axis, (length, name))
    if known != length:
        raise UsageError(
            f"{name} does not fit {first}", got=f"{axis} {length}", allowed=f"{axis} {known}"
        )
