"""What several sections of the configuration share."""

from collections.abc import Collection
from typing import Final, Literal, get_args

Part = Literal["embedding", "attention", "mlp", "unembedding"]
LARGEST_SEED: Final = 2**32 - 1
SETS_OF_PARTS: Final = ("freeze", "load")
"""Settings that hold parts, whose order means nothing."""


def in_order(parts: Collection[Part]) -> tuple[Part, ...]:
    """Return parts as they follow each other in the network, the same in whatever order given."""
    return tuple(part for part in get_args(Part) if part in parts)
