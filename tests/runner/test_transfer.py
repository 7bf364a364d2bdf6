"""Weights that a run takes over are its source's to the bit, and all else is as without it."""

import dataclasses
import hashlib
import shutil
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import jax
import numpy as np
import pytest
from numpy.testing import assert_array_equal

from grokscope.config.run import RunConfig
from grokscope.disk.folder import RunFolder
from grokscope.disk.manifest import Manifest
from grokscope.errors import RunFolderError, RunInterruptedError, UsageError
from grokscope.models import make_model, named_weights, weight_axes
from grokscope.runner.check import check
from grokscope.runner.prepare import prepare
from grokscope.runner.transfer import read_source

PARTS = {
    "embedding": ["W_E"],
    "attention": ["W_K", "W_O", "W_Q", "W_V"],
    "mlp": ["W_in", "W_out"],
    "unembedding": ["W_U"],
}
TARGET = "2*x + 3*y"
P = 7
Tables = dict[str, np.ndarray]


@pytest.fixture(scope="module")
def make_source(helpers: SimpleNamespace, tmp_path_factory: pytest.TempPathFactory) -> Any:
    """Writes a run whose weights at steps 30 and 40 were drawn, which is as good as trained."""

    def make(*expressions: str, path: Path | None = None, **changes: Any) -> Path:
        config = helpers.tiny(*expressions, **changes)
        operation = ", ".join(config.task.expressions)
        manifest = Manifest.new(
            config.to_json(), operation, device="cpu", jaxlib="1", run_axis="map"
        )
        run = RunFolder.create(path or tmp_path_factory.mktemp("source") / "run", manifest)
        for seed in config.seeds:
            for step in (30, 40):
                key = jax.random.key(1000 * seed + step)
                model = make_model(
                    config.model, config.task.p, config.task.p + len(expressions), key
                )
                meta = {"p": config.task.p, "model": manifest.config["model"]}
                arrays = {name: np.asarray(W) for name, W in named_weights(model).items()}
                run.save_checkpoint(seed, step, arrays, weight_axes(model), meta)
        return run.path

    return make


@pytest.fixture(scope="module")
def source(make_source: Any) -> Path:
    """A run of `x + y`, seeds 0 and 1, with another split and fraction; only to be read."""
    return make_source("x + y", seeds=(0, 1), split="orbits", train_fraction=0.5)


def weights(path: Path, seed: int = 0, step: int | None = None) -> Tables:
    return RunFolder.open(path).load_checkpoint(seed, step)[0]


def beginning(config: RunConfig) -> list[Tables]:
    """The weights before the first update, per seed."""
    model = prepare(check(config), read_source(config)).states.model
    stacked = {name: np.asarray(W) for name, W in named_weights(model).items()}
    return [{name: W[i] for name, W in stacked.items()} for i in range(len(config.seeds))]


def files(path: Path) -> dict[Path, bytes]:
    return {file: file.read_bytes() for file in path.rglob("*") if file.is_file()}


@pytest.mark.parametrize("load", [*([part] for part in PARTS), ["attention", "mlp"], list(PARTS)])
def test_loaded_parts_are_the_sources_and_the_others_are_fresh(
    load: list[str], source: Path, helpers: SimpleNamespace
) -> None:
    before = files(source)
    (first,) = beginning(helpers.tiny(TARGET, source=str(source), load=load))
    (fresh,), theirs = beginning(helpers.tiny(TARGET)), weights(source)
    for part, names in PARTS.items():
        for name in names:
            assert_array_equal(first[name], (theirs if part in load else fresh)[name])
            assert not np.array_equal(theirs[name], fresh[name])
    assert files(source) == before


@pytest.mark.parametrize(
    ("load", "freeze"),
    [
        (("embedding",), ("embedding",)),  # the paper's PG-E
        (("attention", "mlp"), ("attention", "mlp")),  # the paper's PG-T
        (("unembedding",), ("embedding",)),  # trained on, beside a frozen random embedding
    ],
    ids=str,
)
def test_training_moves_all_but_the_frozen_parts(
    load: tuple[str, ...],
    freeze: tuple[str, ...],
    source: Path,
    helpers: SimpleNamespace,
    tmp_path: Path,
) -> None:
    settings = {"source": str(source), "load": load, "freeze": freeze}
    run = helpers.train(tmp_path / "run", TARGET, **settings)
    (first,), last = beginning(helpers.tiny(TARGET, **settings)), weights(run.path)
    for part, names in PARTS.items():
        for name in names:
            assert_array_equal(weights(run.path, step=0)[name], first[name])
            assert np.array_equal(first[name], last[name]) == (part in freeze), name


def test_the_source_untrained_changes_nothing(helpers: SimpleNamespace, tmp_path: Path) -> None:
    """The null: with the same seed and vocabulary, step 0 is what a run begins with anyway."""
    source = helpers.train(tmp_path / "source", "x + y", "x*y").path
    changes = {"load": tuple(PARTS), "source_step": 0}
    run = helpers.train(tmp_path / "run", "x + y", "x*y", source=str(source), **changes)
    assert helpers.contents(run.path) == helpers.contents(source)


def test_every_seed_takes_from_its_own_or_from_the_one_named(
    source: Path, helpers: SimpleNamespace
) -> None:
    settings: dict[str, Any] = {"source": str(source), "load": ("embedding",)}
    own = beginning(helpers.tiny(TARGET, seeds=(1, 0), **settings))
    for seed, found in zip((1, 0), own, strict=True):
        assert_array_equal(found["W_E"], weights(source, seed, 40)["W_E"])
    settings |= {"seeds": (0, 5), "source_seed": 1, "source_step": 30}
    named = helpers.tiny(TARGET, **settings)
    for found in beginning(named):
        assert_array_equal(found["W_E"], weights(source, 1, 30)["W_E"])
    read = read_source(named)
    assert read is not None
    entries = read.record()["checkpoints"]
    assert [(e["seed"], e["source_seed"], e["step"]) for e in entries] == [(0, 1, 30), (5, 1, 30)]


@pytest.mark.parametrize(
    ("theirs", "mine", "rows"),
    [
        (("x + y", "x*y"), ("x*y", "x - y"), [P + 1, None]),
        (("x + y", "x*y"), ("x * y",), [P + 1]),
        (("x + y", "x*y"), ("x / y",), [None]),
        (("x*y",), ("x + y", "x*y"), [None, P]),
    ],
)
def test_operator_tokens_are_taken_over_by_meaning(
    theirs: tuple[str, ...],
    mine: tuple[str, ...],
    rows: list[int | None],
    make_source: Any,
    helpers: SimpleNamespace,
) -> None:
    source = make_source(*theirs)
    (first,) = beginning(helpers.tiny(*mine, source=str(source), load=("embedding",)))
    (fresh,), W = beginning(helpers.tiny(*mine)), weights(source)["W_E"]
    assert first["W_E"].shape == (P + len(mine), 16)
    assert_array_equal(first["W_E"][:P], W[:P])
    for i, row in enumerate(rows):
        assert_array_equal(first["W_E"][P + i], fresh["W_E"][P + i] if row is None else W[row])


@pytest.mark.parametrize(
    ("sizes", "load", "taken"),
    [
        ({"layers": 2}, ("attention",), {"W_Q", "W_K", "W_V", "W_O"}),
        (
            {"architecture": "mlp", "d_embedding": 6, "layers": 2},
            ("mlp", "embedding"),
            {"W_E", "W_in", "W_hidden", "W_out"},
        ),
    ],
)
def test_deeper_networks_and_the_mlp(
    sizes: dict, load: tuple[str, ...], taken: set[str], make_source: Any, helpers: SimpleNamespace
) -> None:
    source = make_source("x*y", **sizes)
    (found,) = beginning(helpers.tiny(TARGET, source=str(source), load=load, **sizes))
    theirs = weights(source)
    equal = {name for name in found if np.array_equal(found[name], theirs[name])}
    assert equal == {name for name in found if name.split(".")[0] in taken}
    assert len(equal) > len(taken)


def test_the_manifest_says_where_the_weights_are_from(
    source: Path, helpers: SimpleNamespace, tmp_path: Path
) -> None:
    settings = {"load": ("embedding",), "seeds": (1,), "steps": 1}
    run = helpers.train(tmp_path / "run", TARGET, source=f"{source}/", **settings)
    file = source / "checkpoints" / "seed-1" / "step-0000040.safetensors"
    checksum = hashlib.sha256(file.read_bytes()).hexdigest()
    entry = {"seed": 1, "source_seed": 1, "step": 40, "sha256": checksum}
    expected = {"source": f"{source}/", "operation": "x + y", "checkpoints": [entry]}
    assert RunFolder.open(run.path).manifest.transfer == expected
    for change, named in (
        ({"source": "another"}, "--from another"),
        ({"load": ("mlp",)}, "load mlp"),
        ({"source_seed": 0}, "source_seed 0"),
        ({"source": None, "load": ()}, "--from None"),
    ):
        changed = {"source": str(source)} | settings | change
        with pytest.raises(UsageError, match=f"holds another run; got '{named}"):
            helpers.train(run.path, TARGET, **changed, resume=True)


def test_resuming_needs_no_source(source: Path, helpers: SimpleNamespace, tmp_path: Path) -> None:
    moved = tmp_path / "source"
    shutil.copytree(source, moved)
    parts = ("embedding", "mlp")
    settings = {"source": str(moved), "load": parts, "freeze": parts}
    whole = helpers.contents(helpers.train(tmp_path / "whole", TARGET, **settings).path)
    out = tmp_path / "run"
    with pytest.raises(RunInterruptedError):
        helpers.train(out, TARGET, **settings, callbacks=helpers.Recorder(interrupt_at=20))
    moved.rename(tmp_path / "elsewhere")
    record = RunFolder.open(out).manifest.transfer
    same = {"source": f"{moved}/", "load": parts[::-1], "freeze": parts[::-1]}  # as shells complete
    helpers.train(out, TARGET, **same, resume=True)
    assert helpers.contents(out) == whole
    assert RunFolder.open(out).manifest.transfer == record


def test_a_run_killed_before_its_first_save_wants_the_same_source(
    source: Path, helpers: SimpleNamespace, tmp_path: Path
) -> None:
    moved = tmp_path / "source"
    shutil.copytree(source, moved)
    settings = {"source": str(moved), "load": ("embedding",), "freeze": ("embedding",)}
    run = helpers.train(tmp_path / "run", TARGET, **settings)
    expected = helpers.contents(run.path)
    for name in ("state", "checkpoints", "metrics", "spectra"):
        shutil.rmtree(run.path / name)
    run.write_manifest(dataclasses.replace(run.manifest, results=[]))
    other = moved / "checkpoints" / "seed-0" / "step-0000040.safetensors"
    kept = other.read_bytes()
    other.unlink()
    with pytest.raises(RunFolderError, match="has changed since this run began"):
        helpers.train(run.path, TARGET, **settings, resume=True)
    other.write_bytes(kept)
    helpers.train(run.path, TARGET, **settings, resume=True)
    assert helpers.contents(run.path) == expected


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"p": 11}, "do not fit this run; got 'p 7'; allowed: p 11; train with p=7"),
        ({"d_mlp": 8}, "got 'd_mlp 16'; allowed: d_mlp 8; train with d_mlp=16"),
        ({"d_model": 8}, "got 'd_model 16'"),
        ({"heads": 1}, "got 'heads 2'"),
        ({"layers": 2}, "got 'layers 1'"),
        ({"architecture": "mlp"}, "got 'architecture transformer'"),
        ({"seeds": (0, 2)}, "has no such seed; got 2; allowed: seeds 0 1"),
        ({"source_step": 35}, "no checkpoint at this step; got 35; the nearest is at 30"),
    ],
)
def test_what_does_not_fit_is_refused_before_anything_is_written(
    change: dict, said: str, source: Path, helpers: SimpleNamespace, tmp_path: Path
) -> None:
    with pytest.raises(UsageError, match=said):
        helpers.train(tmp_path / "run", TARGET, source=str(source), load=("embedding",), **change)
    assert list(tmp_path.iterdir()) == []


def test_widths_that_an_architecture_does_not_have_do_not_matter(
    source: Path, helpers: SimpleNamespace
) -> None:
    config = helpers.tiny(TARGET, source=str(source), load=("mlp",), d_embedding=9)
    assert read_source(config) is not None
    assert read_source(helpers.tiny(TARGET)) is None


@pytest.mark.parametrize(
    ("specimen", "said"),
    [
        ("flipped", "is damaged"),
        ("not finite", "W_U of a checkpoint is not finite"),
        ("replaced", "was renamed or replaced"),
        ("none", "has no checkpoint yet; got 'seed 0'"),
    ],
)
def test_a_checkpoint_that_cannot_be_used(
    specimen: str, said: str, source: Path, helpers: SimpleNamespace, tmp_path: Path
) -> None:
    copy = tmp_path / "source"
    shutil.copytree(source, copy)
    checkpoints = copy / "checkpoints" / "seed-0"
    last, folder = checkpoints / "step-0000040.safetensors", RunFolder.open(copy)
    if specimen == "flipped":
        data = bytearray(last.read_bytes())
        data[-3] ^= 1
        last.write_bytes(data)
    elif specimen == "not finite":
        tensors, meta = folder.load_checkpoint(0)
        tensors["W_U"] = np.full_like(tensors["W_U"], np.nan)
        folder.save_checkpoint(0, 40, tensors, {}, meta)
    elif specimen == "replaced":
        shutil.copy(copy / "checkpoints" / "seed-1" / last.name, last)
    else:
        shutil.rmtree(checkpoints)
    with pytest.raises(RunFolderError, match=said):
        helpers.train(tmp_path / "run", TARGET, source=str(copy), load=("embedding",))
    assert not (tmp_path / "run").exists()
