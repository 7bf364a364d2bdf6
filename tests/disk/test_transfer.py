"""What a run took over, in words."""

import dataclasses
from types import SimpleNamespace

import pytest

from grokscope.disk.transfer import transfer_words


@pytest.mark.parametrize(
    ("load", "freeze", "origins", "expected"),
    [
        (
            ["embedding"],
            ["embedding"],
            [(0, 10_000)],
            "embedding from x + y, seed 0, step 10,000; frozen",
        ),
        (["embedding"], [], [(0, 50)], "embedding from x + y, seed 0, step 50; trained on"),
        (
            ["attention", "mlp"],
            ["mlp", "attention", "embedding"],
            [(0, 50), (1, 50)],
            "attention and mlp from x + y, seeds 0 1, step 50; frozen",
        ),
        (
            ["attention", "mlp"],
            ["attention"],
            [(7, 50), (7, 50)],
            "attention and mlp from x + y, seed 7, step 50; attention frozen",
        ),
        (
            ["unembedding"],
            ["embedding"],
            [(0, 1000), (1, 950), (2, 2000)],
            "unembedding from x + y, seeds 0 1 2, steps 950 to 2,000; trained on",
        ),
    ],
)
def test_words(
    load: list[str],
    freeze: list[str],
    origins: list[tuple[int, int]],
    expected: str,
    helpers: SimpleNamespace,
) -> None:
    manifest = helpers.new_manifest()
    assert transfer_words(manifest) is None
    manifest.config["transfer"]["load"], manifest.config["optimizer"]["freeze"] = load, freeze
    checkpoints = [{"seed": i, "source_seed": s, "step": t} for i, (s, t) in enumerate(origins)]
    transfer = {"operation": "x + y", "checkpoints": checkpoints}
    assert transfer_words(dataclasses.replace(manifest, transfer=transfer)) == expected
