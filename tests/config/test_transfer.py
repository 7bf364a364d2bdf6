"""What a run may take over: a source and its parts belong together."""

from typing import Any

import pytest

from grokscope.config.run import configure
from grokscope.config.transfer import TransferConfig
from grokscope.config.validate import LARGEST_SEED
from grokscope.errors import UsageError

SOME: dict[str, Any] = {"source": "run", "load": ("embedding",)}


@pytest.mark.parametrize(
    "change",
    [
        {},
        {"load": ("embedding", "attention", "mlp", "unembedding")},
        {"source_seed": LARGEST_SEED, "source_step": 0},
    ],
)
def test_what_can_be_used(change: dict[str, Any]) -> None:
    found = TransferConfig(**SOME | change)
    assert {name: getattr(found, name) for name in SOME | change} == SOME | change


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"source": None}, "^load needs source"),
        ({"source": 1}, "the source is not usable; got 1"),
        ({"load": ()}, "^source needs load"),
        ({"load": "mlp"}, "load is not usable"),
        ({"load": ("bias",)}, "the part to load is unknown; got 'bias'"),
        ({"load": ("mlp", "embedding", "mlp")}, "load has a part twice; got 'mlp, embedding, mlp'"),
        ({"load": (), "source": None, "source_seed": 0}, "^source_seed needs source"),
        ({"load": (), "source": None, "source_step": 0}, "^source_step needs source"),
        ({"source_seed": -1}, "the source's seed is not usable"),
        ({"source_seed": LARGEST_SEED + 1}, "the source's seed is not usable"),
        ({"source_step": 1.5}, "the source's step is not usable"),
    ],
)
def test_what_cannot(change: dict[str, Any], said: str) -> None:
    with pytest.raises(UsageError, match=said):
        TransferConfig(**SOME | change)


def test_an_mlp_has_no_attention_to_load() -> None:
    with pytest.raises(UsageError, match="the parts to load are not usable; got 'attention'"):
        configure(["x"], architecture="mlp", source="run", load=("mlp", "attention"))
    configure(["x"], architecture="mlp", source="run", load=("embedding", "mlp", "unembedding"))
