"""Named activations: a forward pass marks each place, and a caller may read or edit any of them."""

from collections.abc import Callable, Mapping
from typing import Final

from jaxtyping import Array, Float

from grokscope.errors import UsageError

_AXES: Final = {
    "embedding": ("position", "d_model"),
    "query": ("position", "head", "d_head"),
    "key": ("position", "head", "d_head"),
    "value": ("position", "head", "d_head"),
    "scores": ("head", "position", "source"),
    "pattern": ("head", "position", "source"),
    "mixed": ("position", "head", "d_head"),
    "head_output": ("position", "head", "d_model"),
    "residual_middle": ("position", "d_model"),
    "mlp_pre": ("position", "neuron"),
    "mlp_gate": ("position", "neuron"),
    "mlp_post": ("position", "neuron"),
    "residual_after": ("position", "d_model"),
    "input_pre": ("neuron",),
    "input_post": ("neuron",),
    "pre": ("neuron",),
    "post": ("neuron",),
    "output": ("d_model",),
    "logits": ("answer",),
}
"""By the last word of an activation's name, its axes behind that of the example."""


def axes_of(activation: str) -> tuple[str, ...]:
    """Return the names of an activation's axes, that of the examples left out.

    Attention is from a position, the query's, to a `source`, the key's.
    """
    return _AXES[activation.rpartition(".")[2]]


Edit = Callable[[Array], Array]
"""Takes an activation and returns what the network shall use instead, of the same shape."""


class Tape:
    """Collects the activations of one forward pass, after applying the edits to them.

    **Arguments:**

    - `edits`: plain functions by the name of the place that they change; names that the pass
      never marks are refused by `close`.
    """

    def __init__(self, edits: Mapping[str, Edit] | None = None) -> None:
        self._edits = dict(edits or {})
        self.values: dict[str, Array] = {}

    def mark(self, name: str, value: Float[Array, "..."]) -> Float[Array, "..."]:
        """Name a place of the network; what is returned is what the network must go on with."""
        if name in self._edits:
            value = self._edits[name](value)
        self.values[name] = value
        return value

    def close(self) -> dict[str, Array]:
        """Return all activations by name.

        **Raises:** `UsageError` for an edit of a place that this network does not have.
        """
        for name in self._edits:
            if name not in self.values:
                raise UsageError(
                    "there is no such activation to edit", got=name, allowed=", ".join(self.values)
                )
        return self.values
