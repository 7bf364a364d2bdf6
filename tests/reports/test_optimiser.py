"""The words name every setting that matters, and no other."""

import dataclasses
from typing import Any

import pytest

from grokscope.config.optimizer import OptimizerConfig
from grokscope.reports.facts import optimiser_in_words


def test_the_paper() -> None:
    assert optimiser_in_words(OptimizerConfig()) == (
        "AdamW, full batch, learning rate 0.001, betas 0.9 and 0.98, weight decay 1"
    )


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"method": "sgd", "batch_size": 8}, ["SGD", "batches of 8", "momentum 0.95", "(L2)"]),
        ({"method": "muon"}, ["Muon", "W_E and W_U", "betas", "momentum"]),
        ({"method": "adam"}, ["Adam with", "(L2)"]),
        (
            {"warmup": 10, "decay": "cosine", "decay_steps": 2000},
            ["warm-up 10 steps", "cosine decay to 0 at step 2,000"],
        ),
        ({"loss": "stablemax"}, ["StableMax"]),
        ({"grokfast": 2.0}, ["λ = 2", "α = 0.98"]),
        ({"orthogonal_gradients": True, "freeze": ("mlp",)}, ["⊥Grad", "; frozen: mlp"]),
    ],
    ids=str,
)
def test_what_is_not_as_usual(changes: dict[str, Any], words: list[str]) -> None:
    text = optimiser_in_words(OptimizerConfig(**changes))
    for word in words:
        assert word in text
    assert ("betas" in text) == (changes.get("method") != "sgd")


def test_every_setting_changes_the_words() -> None:
    base = OptimizerConfig(
        method="muon", warmup=5, decay="linear", decay_steps=50, grokfast=1.0, batch_size=9
    )
    others = {
        "method": "adamw",
        "learning_rate": 0.5,
        "beta1": 0.5,
        "beta2": 0.5,
        "momentum": 0.5,
        "weight_decay": 0.5,
        "warmup": 6,
        "decay": "cosine",
        "decay_steps": 60,
        "loss": "stablemax",
        "grokfast": 3.0,
        "grokfast_alpha": 0.5,
        "orthogonal_gradients": True,
        "batch_size": 10,
        "freeze": ("mlp",),
    }
    assert others.keys() == {setting.name for setting in dataclasses.fields(OptimizerConfig)}
    for name, value in others.items():
        changed = dataclasses.replace(base, **{name: value})
        assert optimiser_in_words(changed) != optimiser_in_words(base), name
