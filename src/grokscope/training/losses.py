"""What training can minimise, by the name that it has in the configuration."""

from collections.abc import Callable
from typing import Final

from jaxtyping import Array, Float

from grokscope.config import Loss
from grokscope.training.loss import cross_entropy
from grokscope.training.stablemax import stablemax_cross_entropy

LOSSES: Final[dict[Loss, Callable[..., Float[Array, "example"]]]] = {
    "cross_entropy": cross_entropy,
    "stablemax": stablemax_cross_entropy,
}
"""Each is a function (logits, labels) → the loss of every example, in nats."""
