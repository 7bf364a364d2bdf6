"""Weights taken over from another run: which checkpoints, whether they fit, what goes where."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, NamedTuple

import numpy as np
from jaxtyping import Float

from grokscope.config.run import RunConfig
from grokscope.config.validate import Part
from grokscope.disk.atomic import path_in_words
from grokscope.disk.folder import RunFolder
from grokscope.errors import RunFolderError, UsageError
from grokscope.explanation.of_run import load_network
from grokscope.models import Imported, Model, named_weights, part_of, with_weights
from grokscope.tasks import Task
from grokscope.tasks.task import counterparts

_SIZES: Final = {
    "transformer": ("layers", "d_model", "heads", "d_mlp"),
    "mlp": ("layers", "d_model", "d_embedding"),
}
"""What two networks of an architecture must have in common."""


class SourceWeights(NamedTuple):
    """The network that one seed takes weights from, and the checksum of its file."""

    model: Model
    seed: int
    step: int
    sha256: str


@dataclass(frozen=True)
class Source:
    """A trained run that weights are taken from."""

    path: str
    """As it was given."""
    task: Task
    weights: dict[int, SourceWeights]
    """Per seed of the run that takes them over."""

    def record(self) -> dict[str, Any]:
        """Return what the manifest keeps of it."""
        checkpoints = [
            {"seed": seed, "source_seed": d.seed, "step": d.step, "sha256": d.sha256}
            for seed, d in self.weights.items()
        ]
        return {
            "source": self.path,
            "operation": self.task.canonical,
            "checkpoints": checkpoints,
        }


def read_source(config: RunConfig) -> Source | None:
    """Return the run that `config` takes weights over from, or None; writes nothing.

    **Raises:** `UsageError` when it is no run, or of another p, architecture or size;
    `RunFolderError` when it lacks the seed or step, or a checkpoint is damaged or not finite.
    """
    transfer = config.transfer
    if transfer.source is None:
        return None
    folder = RunFolder.open(transfer.source)
    if folder.manifest.imported is not None:
        raise _trained_elsewhere(folder)
    theirs = RunConfig.from_json(folder.manifest.config)
    _refuse_another_shape(config, theirs, folder.path)
    seeds = {s: s if transfer.source_seed is None else transfer.source_seed for s in config.seeds}
    _refuse_missing_seeds(folder, seeds.values())
    weights = {s: _source_weights(folder, at, transfer.source_step) for s, at in seeds.items()}
    return Source(transfer.source, Task.from_config(theirs.task), weights)


def source_of(config: RunConfig, folder: RunFolder) -> Source | None:
    """Return the source of the run in `folder`; None when its own state has the weights already.

    **Raises:** as `read_source`; `RunFolderError` when the source is no longer what the manifest
    says that it was.
    """
    if folder.has_state:
        return None
    source = read_source(config)
    if source is not None and source.record() != folder.manifest.transfer:
        raise RunFolderError(
            f"the source {path_in_words(Path(source.path))} has changed since this run began",
            next_step="restore it, or train again with another --out",
        )
    return source


def take_over(model: Model, task: Task, source: Source, seed: int, load: Sequence[Part]) -> Model:
    """Return the fresh `model` of `seed` with the parts `load` of its source."""
    own = named_weights(model)
    theirs = named_weights(source.weights[seed].model)
    taken = {name: np.asarray(W) for name, W in theirs.items() if part_of(name) in load}
    if "W_E" in taken:
        taken["W_E"] = _by_meaning(np.asarray(own["W_E"]), taken["W_E"], task, source.task)
    return with_weights(model, {**own, **taken})


def _by_meaning(
    own: Float[np.ndarray, "token d_model"],
    theirs: Float[np.ndarray, "... d_model"],
    task: Task,
    source: Task,
) -> Float[np.ndarray, "token d_model"]:
    """Return the rows of residues and of corresponding operators from `theirs`, others `own`."""
    rows = own.copy()
    rows[: task.p] = theirs[: task.p]
    texts, others = ([e.canonical for e in t.expressions] for t in (task, source))
    for i, j in enumerate(counterparts(texts, others)):
        if j is not None:
            rows[task.operator_token(i)] = theirs[source.operator_token(j)]
    return rows


def _refuse_another_shape(config: RunConfig, theirs: RunConfig, path: Path) -> None:
    sizes = [(name, config.model, theirs.model) for name in _SIZES[config.model.architecture]]
    pairs = [("p", config.task, theirs.task), ("architecture", config.model, theirs.model), *sizes]
    for name, mine, other in pairs:
        if getattr(mine, name) != getattr(other, name):
            option = f"--{name.replace('_', '-')}"
            raise UsageError(
                f"weights of {path_in_words(path)} do not fit this run",
                got=f"{name} {getattr(other, name)}",
                allowed=f"{name} {getattr(mine, name)}",
                next_step=f"train with {option} {getattr(other, name)}, or name another --from",
            )


def _trained_elsewhere(folder: RunFolder) -> RunFolderError:
    return RunFolderError(
        f"{path_in_words(folder.path)} was trained elsewhere, and our networks are wired otherwise",
        next_step="name a run that was trained here",
    )


def _refuse_missing_seeds(folder: RunFolder, seeds: Iterable[int]) -> None:
    known = folder.manifest.seeds
    for seed in seeds:
        if seed not in known:
            raise RunFolderError(
                f"{path_in_words(folder.path)} has no such seed",
                got=seed,
                allowed=f"seeds {' '.join(map(str, known))}",
                next_step="choose one with --source-seed",
            )


def _source_weights(folder: RunFolder, seed: int, step: int | None) -> SourceWeights:
    if not folder.checkpoint_steps(seed):
        raise RunFolderError(
            f"{path_in_words(folder.path)} has no checkpoint yet",
            got=f"seed {seed}",
            next_step="train it first",
        )
    model, _, at = load_network(folder, seed, step)
    if isinstance(model, Imported):
        raise _trained_elsewhere(folder)
    return SourceWeights(model, seed, at, folder.checkpoint_digest(seed, at))
