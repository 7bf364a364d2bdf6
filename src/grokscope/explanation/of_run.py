"""Explain the networks of a run, and keep what was found in its folder."""

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np
from jaxtyping import Int8

from grokscope.config.imported import ImportedConfig
from grokscope.config.run import ModelConfig, RunConfig
from grokscope.disk.curves import Recorded
from grokscope.disk.folder import RunFolder
from grokscope.disk.manifest import Manifest
from grokscope.errors import RunFolderError, UsageError
from grokscope.explanation.circuit import Effort
from grokscope.explanation.explain import explain_network, structures_by
from grokscope.explanation.network import of_model
from grokscope.explanation.pairs import not_finite
from grokscope.explanation.result import Control, Explanation
from grokscope.measures import first_confirmed
from grokscope.models import AnyModel, imported_network, model_shapes, with_weights
from grokscope.numerics import computing
from grokscope.progress import doing, part_of, showing
from grokscope.tasks import Split, Task, known_split, make_splits
from grokscope.tasks.structure import Search, structure_of


class SavedNetwork(NamedTuple):
    """The weights of one seed at one step."""

    model: AnyModel
    seed: int
    step: int


def load_network(folder: RunFolder, seed: int, step: int | None = None) -> SavedNetwork:
    """Return the network of `seed` at `step`, or at its last checkpoint.

    **Raises:** `RunFolderError` when there is no such checkpoint, or it cannot be read, or
    it is not finite; `UsageError` when its matrices do not fit the sizes that it records.
    """
    network = load_any_network(folder, seed, step)
    if broken := not_finite(network.model):
        raise RunFolderError(
            f"{broken} of a checkpoint is not finite: training diverged",
            got=f"seed {seed}, step {network.step}",
        )
    return network


def load_any_network(folder: RunFolder, seed: int, step: int | None = None) -> SavedNetwork:
    """Return the same also where it is not finite."""
    return network_of(*folder.load_checkpoint(seed, step))


def network_of(tensors: Mapping[str, np.ndarray], meta: Mapping[str, Any]) -> SavedNetwork:
    """Return the network of a checkpoint's tensors and facts; raises as `load_any_network`."""
    if "imported" in meta:
        known = imported_network(ImportedConfig(**meta["imported"]), tensors)
        return SavedNetwork(known, meta["seed"], meta["step"])
    try:
        config, p = ModelConfig(**meta["model"]), int(meta["p"])
        n_tokens = len(tensors["W_E"])
    except (KeyError, TypeError, ValueError) as error:
        raise RunFolderError("a checkpoint does not describe its network", got=error) from error
    model = with_weights(model_shapes(config, p, n_tokens), tensors)
    return SavedNetwork(model, meta["seed"], meta["step"])


@showing()
def explain_networks(
    run: Any,
    *,
    seeds: Sequence[int] | None = None,
    step: int | None = None,
    by: str | None = None,
    effort: Effort | None = None,
    thorough: bool = True,
) -> list[Explanation]:
    """Say which algorithm the networks of a run found, with causal evidence.

    **Arguments:**

    - `run`: what `gs.train` returns, a `RunFolder`, or the path of a run.
    - `seeds`: which seeds; by default all.
    - `step`: which checkpoint; by default the last of each seed.
    - `by`: the operation whose structure is used; by default its own. Another one is a control:
      nothing should be found.
    - `effort`: how often nulls and controls are drawn.
    - `thorough`: whether to run the analyses that the verdict does not need.

    **Returns:** one explanation per seed and operation of the run, in that order.

    **Raises:** `UsageError` for a folder, seed or step that is not there.
    """
    folder = folder_of(run)
    config = RunConfig.from_json(folder.manifest.config)
    task = Task.from_config(config.task)
    found = []
    for seed in chosen_seeds(config, seeds):
        for index in range(task.n_tasks):
            case = case_of(folder, config, task, seed, index, by)
            found.append(case.explain(step, effort, thorough))
    return found


def chosen_seeds(config: RunConfig, seeds: Sequence[int] | None) -> Sequence[int]:
    """Return the seeds that are asked for, by default all; raises `UsageError` for others."""
    for seed in seeds or ():
        if seed not in config.seeds:
            raise UsageError(
                "the run has no such seed", got=seed, allowed=" ".join(map(str, config.seeds))
            )
    return config.seeds if seeds is None else seeds


class Case(NamedTuple):
    """One seed and one operation of a run, with all that does not depend on the step."""

    folder: RunFolder
    task: Task
    seed: int
    number: int
    """Which operation of a mixture, from 0."""
    kind: Int8[np.ndarray, "pair"] | None
    search: Search
    grokked_at: int | None
    control: Control | None = None
    """What `structures_by` says."""

    @property
    def operation(self) -> str:
        """Text of the operation."""
        return self.task.expressions[self.number].canonical

    @computing()
    def explain(
        self, step: int | None = None, effort: Effort | None = None, thorough: bool = True
    ) -> Explanation:
        """Explain the network at one checkpoint, by default the last."""
        network = load_any_network(self.folder, self.seed, step)
        with part_of(f"{self.operation}, seed {self.seed}, step {network.step:,}"):
            return self._explained(network, effort, thorough)

    def _explained(
        self, network: SavedNetwork, effort: Effort | None, thorough: bool
    ) -> Explanation:
        labels = self.task.labels(self.seed)[self.number].reshape(self.task.p, self.task.p)
        return explain_network(
            of_model(network.model, self.number),
            labels,
            self.search,
            operation=self.operation,
            kind=self.kind,
            grokked=None
            if self.folder.manifest.imported is not None
            else self.grokked_at is not None and self.grokked_at <= network.step,
            seed=self.seed,
            step=network.step,
            control=self.control,
            effort=effort,
            thorough=thorough,
        )


def case_of(
    folder: RunFolder, config: RunConfig, task: Task, seed: int, index: int, by: str | None
) -> Case:
    """Return what an explanation of one seed and operation needs beside the weights."""
    doing(f"looking for the structure of {task.expressions[index].canonical}")
    splits = splits_of(folder.manifest, config, task, seed)
    kind = None if splits is None else splits[index].kind
    own = structure_of(task, index, seed)
    search, control = structures_by(by, own, task.p)
    operation = None if task.n_tasks == 1 else task.expressions[index].canonical
    return Case(
        folder, task, seed, index, kind, search, grokked_at(folder, seed, operation), control
    )


def splits_of(
    manifest: Manifest, config: RunConfig, task: Task, seed: int
) -> tuple[Split, ...] | None:
    """Return which pairs of each operation trained; None where a network was trained elsewhere and
    that is not known."""
    if manifest.imported is None:
        return make_splits(task, config.task, seed)
    trained = manifest.imported["trained"]
    return None if trained is None else (known_split(task, np.array(trained, int)),)


def folder_of(run: Any) -> RunFolder:
    """Return the run folder of a run, a folder or a path."""
    if isinstance(run, RunFolder):
        return run
    return RunFolder.open(run)


def grokked_at(folder: RunFolder, seed: int, operation: str | None = None) -> int | None:
    """Return the confirmed step of grokking: that of the manifest, or from the accuracies.

    **Arguments:**

    - `operation`: which one of a mixture; None for a single operation.
    """
    result = next((r for r in folder.manifest.results if r.get("seed") == seed), {})
    if operation is not None:
        parts = result.get("tasks", ())
        result = next((part for part in parts if part["operation"] == operation), {})
    if result.get("grokked_at") is not None:
        return result["grokked_at"]
    # nothing is known yet, or what was known when the run was last interrupted
    curves = Recorded(folder.metrics()).curves(operation=operation)
    curve = curves.get(("test_accuracy", None), {}).get(seed)
    return None if curve is None else first_confirmed(curve.steps.tolist(), list(curve.values))
