"""Named activations: a forward pass marks each place, and a caller may read or edit any of them."""

from collections.abc import Callable, Mapping

from jaxtyping import Array, Float

from grokscope.errors import UsageError

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
