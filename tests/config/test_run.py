"""Configurations survive JSON, start from presets, and accept exactly what they say."""

import dataclasses
import json
import subprocess
import sys
from typing import Any

import pytest

from grokscope.config.optimizer import OptimizerConfig
from grokscope.config.run import (
    LARGEST_MODULUS,
    PRESETS,
    ModelConfig,
    RunConfig,
    ScheduleConfig,
    TaskConfig,
    configure,
)
from grokscope.config.transfer import TransferConfig
from grokscope.config.validate import LARGEST_SEED
from grokscope.errors import UsageError

SECTIONS = ("task", "model", "optimizer", "schedule", "transfer")
UNUSUAL = RunConfig(
    task=TaskConfig(
        expressions=("x + y", "x^2*y"),
        p=59,
        train_fraction=0.75,
        split="orbits",
        label_noise=0.2,
        shared_split=False,
        task_weights=(2.0, 0.5),
    ),
    model=ModelConfig(architecture="mlp", layers=3, d_model=12, heads=6, d_mlp=7, d_embedding=9),
    optimizer=OptimizerConfig(
        method="muon",
        learning_rate=0.02,
        beta1=0.0,
        beta2=0.5,
        momentum=0.5,
        weight_decay=0,
        warmup=10,
        decay="cosine",
        decay_steps=11,
        loss="stablemax",
        grokfast=3,
        grokfast_alpha=0.5,
        orthogonal_gradients=True,
        batch_size=64,
        freeze=("embedding", "mlp"),
    ),
    schedule=ScheduleConfig(
        steps=7,
        eval_every=3,
        spectra_every=9,
        save_every=8,
        checkpoint_every=5,
        checkpoint_budget=1,
        stop_accuracy=0.5,
        stop_margin=0,
        stop=False,
    ),
    transfer=TransferConfig(
        source="runs/x+y", load=("unembedding",), source_seed=LARGEST_SEED, source_step=0
    ),
    seeds=(5, 0, LARGEST_SEED),
    eta=0.25,
)


@pytest.mark.parametrize("config", [UNUSUAL, *PRESETS.values()], ids=["unusual", *PRESETS])
def test_json_gives_back_the_same_configuration(config: RunConfig) -> None:
    text = json.dumps(config.to_json(), allow_nan=False)
    assert RunConfig.from_json(json.loads(text)) == config


def test_the_unusual_one_differs_from_the_default_in_every_setting() -> None:
    """So that the test above would notice a setting that JSON loses."""
    default = RunConfig()
    pairs = [(UNUSUAL, default)]
    pairs += [(getattr(UNUSUAL, name), getattr(default, name)) for name in SECTIONS]
    for unusual, usual in pairs:
        for setting in dataclasses.fields(unusual):
            assert getattr(unusual, setting.name) != getattr(usual, setting.name), setting.name


@pytest.mark.parametrize("change", ["missing", "unknown", "unknown in a section", "wrong value"])
def test_json_of_something_else_is_refused(change: str) -> None:
    document = UNUSUAL.to_json()
    if change == "missing":
        del document["model"]
    elif change == "unknown":
        document["colour"] = 1
    elif change == "unknown in a section":
        document["task"]["colour"] = 1
    else:
        document["task"]["p"] = "97"
    with pytest.raises(UsageError):
        RunConfig.from_json(document)


def test_what_older_versions_did_not_know_may_be_missing() -> None:
    document = UNUSUAL.to_json()
    del document["transfer"]
    assert RunConfig.from_json(document) == dataclasses.replace(UNUSUAL, transfer=TransferConfig())


def test_the_paper_is_the_default() -> None:
    paper = PRESETS["paper"]
    assert paper == RunConfig()
    assert (paper.task.p, paper.task.train_fraction) == (97, 0.3)
    model, optimizer = paper.model, paper.optimizer
    assert (model.layers, model.d_model, model.heads, model.d_head, model.d_mlp) == (
        1,
        128,
        4,
        32,
        512,
    )
    assert (optimizer.learning_rate, optimizer.beta1, optimizer.beta2) == (1e-3, 0.9, 0.98)
    assert (optimizer.weight_decay, optimizer.warmup, optimizer.batch_size) == (1.0, 0, None)


def test_configure_changes_what_it_is_told_and_nothing_else() -> None:
    found = configure(["x*y"], "quick", p=59, heads=2, seeds=[3, 1], steps=7, eta=0.1, freeze=[])
    quick = PRESETS["quick"]
    assert found == dataclasses.replace(
        quick,
        task=dataclasses.replace(quick.task, expressions=("x*y",), p=59),
        model=dataclasses.replace(quick.model, heads=2),
        schedule=dataclasses.replace(quick.schedule, steps=7),
        seeds=(3, 1),
        eta=0.1,
    )
    assert configure(("x + y",), seeds=range(3)).seeds == (0, 1, 2)
    assert quick == PRESETS["quick"]


def test_every_setting_can_be_configured_by_its_plain_name() -> None:
    settings: dict[str, Any] = {"seeds": UNUSUAL.seeds, "eta": UNUSUAL.eta}
    for section in SECTIONS:
        settings |= dataclasses.asdict(getattr(UNUSUAL, section))
    expressions = settings.pop("expressions")
    assert configure(expressions, **settings) == UNUSUAL


@pytest.mark.parametrize(
    ("kind", "name", "accepted", "refused"),
    [
        (TaskConfig, "p", [2, LARGEST_MODULUS], [1, LARGEST_MODULUS + 1, 5.5, True]),
        (TaskConfig, "train_fraction", [1e-9, 0.999], [0, 1, -0.1, float("nan"), "0.3"]),
        (TaskConfig, "label_noise", [0, 0.999], [1, -0.1, float("nan"), "0.1", None]),
        (TaskConfig, "task_weights", [(1e-9, 1000)], [(0,), (1000.5,), 1]),
        (ModelConfig, "layers", [1, 12], [0, 13]),
        (ModelConfig, "heads", [1, 128], [0, 3, 256]),
        (OptimizerConfig, "learning_rate", [1e-9, 10], [0, -1, 10.0000001, float("inf")]),
        (OptimizerConfig, "beta1", [0, 0.999], [1, -0.1]),
        (OptimizerConfig, "beta2", [0, 0.999], [1, -0.1]),
        (OptimizerConfig, "weight_decay", [0, 1000], [-0.1, 1000.5, 10**400, None]),
        (OptimizerConfig, "warmup", [0, 10**6], [-1, 0.5]),
        (OptimizerConfig, "method", ["adam", "sgd", "muon"], ["AdamW", "lion", "", None]),
        (OptimizerConfig, "momentum", [0, 0.999], [1, -0.1, None]),
        (OptimizerConfig, "decay", ["constant"], ["step", None]),
        (OptimizerConfig, "decay_steps", [0], [-1, 1.5, 100]),
        (OptimizerConfig, "loss", ["stablemax"], ["mse", None]),
        (OptimizerConfig, "grokfast", [0, 1000], [-1, 1000.5, float("nan"), True]),
        (OptimizerConfig, "grokfast_alpha", [0, 0.999], [1, -0.1]),
        (OptimizerConfig, "orthogonal_gradients", [True, False], [1, "yes", None]),
        (OptimizerConfig, "batch_size", [None, 1], [0, 1.5]),
        (
            OptimizerConfig,
            "freeze",
            [(), ("mlp", "attention", "embedding")],
            ["mlp", ("bias",), ("mlp", "mlp"), ("embedding", "attention", "mlp", "unembedding")],
        ),
        (ScheduleConfig, "steps", [1, 10**8], [0, 10**8 + 1]),
        (ScheduleConfig, "stop_accuracy", [0.01, 1], [0, 1.0000001]),
        (ScheduleConfig, "stop_margin", [0], [-1]),
        (
            RunConfig,
            "seeds",
            [(0,), (LARGEST_SEED, 0)],
            [(), (1, 1), (-1,), (LARGEST_SEED + 1,), 0],
        ),
        (RunConfig, "eta", [0.01, 0.99], [0, 1]),
    ],
)
def test_limits(kind: Any, name: str, accepted: list[Any], refused: list[Any]) -> None:
    for value in accepted:
        assert getattr(kind(**{name: value}), name) == value
    for value in refused:
        with pytest.raises(UsageError):
            kind(**{name: value})


@pytest.mark.parametrize("decay", ["cosine", "linear"])
def test_a_decay_says_when_it_ends_after_the_warm_up(decay: str) -> None:
    assert configure(["x + y"], decay=decay, decay_steps=11, warmup=10).optimizer.decay == decay
    for steps in (0, 9, 10):
        with pytest.raises(UsageError, match=rf"got {steps}; .*decay_steps over 10"):
            configure(["x + y"], decay=decay, decay_steps=steps, warmup=10)


def test_configurations_are_frozen() -> None:
    for config in (UNUSUAL, *(getattr(UNUSUAL, section) for section in SECTIONS)):
        for setting in dataclasses.fields(config):
            with pytest.raises(dataclasses.FrozenInstanceError):
                setattr(config, setting.name, None)


def test_configurations_need_neither_numpy_nor_jax() -> None:
    program = "import sys, grokscope.config.run; print({'jax', 'numpy'} & set(sys.modules))"
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True)
    assert done.stdout == "set()\n", done.stderr


@pytest.mark.parametrize("freeze", [("attention",), ("embedding", "mlp", "unembedding")])
def test_an_mlp_keeps_something_to_train_and_has_no_attention(freeze: tuple[str, ...]) -> None:
    with pytest.raises(UsageError, match="frozen parts are not usable"):
        configure(["x + y"], architecture="mlp", freeze=freeze)
    configure(["x + y"], architecture="mlp", freeze=("embedding", "unembedding"))
