"""What several sections of the configuration share."""

from typing import Final, Literal

Part = Literal["embedding", "attention", "mlp", "unembedding"]
LARGEST_SEED: Final = 2**32 - 1
