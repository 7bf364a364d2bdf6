"""One run in progress: chunks of training, and what is kept of each."""

from typing import Any, Final

import jax
import numpy as np
from jaxtyping import Bool

from grokscope.config.run import RunConfig
from grokscope.disk.atomic import path_in_words
from grokscope.disk.curves import NO_CURVE, Recorded
from grokscope.disk.folder import RunFolder, is_checkpoint
from grokscope.errors import RunFolderError
from grokscope.models import named_weights, weight_axes
from grokscope.runner.check import Checked
from grokscope.runner.observe import Column, Observation, Rows
from grokscope.runner.prepare import prepare
from grokscope.runner.progress import SeedProgress
from grokscope.runner.transfer import source_of
from grokscope.tasks import Split
from grokscope.training import ChunkResult

_ACCURACIES: Final = ("train_accuracy", "test_accuracy")


class TrainingRun:
    """All seeds of one run, in step with each other; a seed that is done keeps its weights.

    `program.step` trains it, alone or beside other runs.

    **Arguments:**

    - `checked`: what to train; what the manifest says of steps and checkpoints counts.
    - `folder`: where to keep it; the caller holds its lock.
    """

    def __init__(self, checked: Checked, folder: RunFolder) -> None:
        self.config = RunConfig.from_json(folder.manifest.config)
        self.folder = folder
        self.task, self.splits = checked.task, checked.splits
        source = source_of(self.config, folder)
        self.states, self.inputs = prepare(checked._replace(config=self.config), source)
        self.operations = tuple(e.canonical for e in self.task.expressions)
        self.seeds = [
            SeedProgress(seed, self.config.schedule, self.operations) for seed in self.config.seeds
        ]
        self.step = 0
        self.latest: dict[Column, np.ndarray] = {}
        """The newest numbers, with a seed axis."""
        self.training_seconds: float = folder.manifest.times["training_seconds"]
        self.is_whole = True
        """False while a chunk is under way or a save is: what is in memory cannot be saved."""
        self._rows = Rows(self.operations)
        self._steps_of_chunk = 0

    @property
    def active(self) -> bool:
        """Whether any seed still trains."""
        return any(seed.active for seed in self.seeds)

    def restore(self) -> None:
        """Go back to the last save; without one, to before the first update.

        **Raises:** `RunFolderError` when the state, or rows from before it, are gone: going on
        would lose or invent numbers.
        """
        saved = self.folder.load_state()
        if saved is None:
            self._refuse_without_state()
            self.folder.rewind(-1)
            return
        self.step, tensors, meta = saved
        self.folder.rewind(self.step)
        self.states = _from_tensors(self.states, tensors)
        self.training_seconds = meta["training_seconds"]
        self._replay()
        if [seed.evaluations for seed in self.seeds] != meta["evaluations"]:
            raise RunFolderError(
                f"{path_in_words(self.folder.path)} cannot be resumed: "
                "a part of its metrics is missing",
                next_step="restore it from a copy; without it the run can only be read",
            )
        for seed, diverged_at in zip(self.seeds, meta["diverged_at"], strict=True):
            seed.diverged_at = diverged_at

    def _refuse_without_state(self) -> None:
        """Raise `RunFolderError` where a run that was saved has lost its state."""
        trained = any(
            step > 0 for seed in self.seeds for step in self.folder.checkpoint_steps(seed.seed)
        )
        if trained or self.folder.manifest.results:
            raise RunFolderError(
                f"{path_in_words(self.folder.path)} cannot be resumed: its state is missing",
                next_step="restore it from a copy, or train again with another --out",
            )

    def _replay(self) -> None:
        """Find the milestones again from the recorded accuracies."""
        recorded = Recorded(self.folder.metrics())
        texts = [None] if len(self.operations) == 1 else self.operations
        of_operations = [recorded.curves(operation=text) for text in texts]
        for seed in self.seeds:
            train, test = (
                [c.get((side, None), {}).get(seed.seed, NO_CURVE) for c in of_operations]
                for side in _ACCURACIES
            )
            for i, step in enumerate(train[0].steps.tolist()):
                sides = ([float(curve.values[i]) for curve in side] for side in (train, test))
                seed.add(step, *sides)

    @property
    def due(self) -> Bool[np.ndarray, "seed"]:
        """Which seeds have Table A.4 at `step`."""
        spectra = self._due(self.config.schedule.spectra_every)
        return np.array([spectra or seed.may_end(self.step) for seed in self.seeds])

    @property
    def steps_to_next(self) -> int:
        """Steps until the next evaluation."""
        schedule = self.config.schedule
        every = schedule.eval_every
        return min((self.step // every + 1) * every, schedule.steps) - self.step

    def begin_chunk(self, n_steps: int) -> None:
        """Count the steps of a chunk that is about to consume the weights."""
        self.is_whole = False
        self._steps_of_chunk = n_steps
        self.step += n_steps

    def record(self, result: ChunkResult) -> None:
        """Keep what the chunk up to `step` gave; `result` has a leading seed axis."""
        active, due = [seed.active for seed in self.seeds], self.due
        for column, of_seeds in result.observation.values.items():
            known = self.latest.setdefault(column, np.full(len(self.seeds), np.nan))
            known[active] = of_seeds[active]
        for i in np.flatnonzero(active):
            one = jax.tree_util.tree_map(lambda a, i=i: a[i], result)
            self._record_seed(int(i), one, losses_due=bool(due[i]))
        self.is_whole = True

    def _record_seed(self, i: int, result: ChunkResult, *, losses_due: bool) -> None:
        """Keep one evaluation of seed number i."""
        seed, observation, schedule = self.seeds[i], result.observation, self.config.schedule
        assert isinstance(observation, Observation)
        train, test = (
            [float(observation.values[column]) for column in of_operations]
            for of_operations in self._accuracies
        )
        seed.add(self.step, train, test)
        # the loss before each update, and the one that the last update led to
        losses = [*result.losses, observation.values[Column("train_loss")]]
        broken = np.flatnonzero(~np.isfinite(losses))
        if len(broken):
            seed.diverged_at = self.step - self._steps_of_chunk + int(broken[0])
        self._rows.add_values(seed.seed, self.step, observation.values)
        if self._due(schedule.spectra_every) or not seed.active:
            self._rows.add_spectra(seed.seed, self.step, observation.spectra)
            if losses_due:
                self._rows.add_values(seed.seed, self.step, observation.losses)
        if not seed.active or is_checkpoint(
            self.step, schedule.checkpoint_every, schedule.eval_every
        ):
            self._checkpoint(i)

    @property
    def _accuracies(self) -> list[list[Column]]:
        """Train and test accuracy, of every operation."""
        each = [None] if len(self.operations) == 1 else range(len(self.operations))
        return [[Column(name, operation=i) for i in each] for name in _ACCURACIES]

    def _due(self, every: int) -> bool:
        """Whether a multiple of `every` was reached or passed since the evaluation before."""
        before = max(self.step - self.config.schedule.eval_every, -1)
        return self.step // every > before // every

    def _checkpoint(self, i: int) -> None:
        model = self.states.model
        weights = {name: np.asarray(W)[i] for name, W in named_weights(model).items()}
        config = self.config.to_json()
        meta = {"operation": self.task.canonical, "p": self.task.p, "model": config["model"]}
        seed = self.seeds[i].seed
        self.folder.save_checkpoint(seed, self.step, weights, weight_axes(model), meta)

    @property
    def save_is_due(self) -> bool:
        """Whether rows and state are to be saved at `step`."""
        return self.step == 0 or not self.active or self._due(self.config.schedule.save_every)

    def save(self) -> None:
        """Write rows and state, in the order that a kill cannot break."""
        self.is_whole = False
        self.folder.append(*self._rows.take(), self.step)
        meta: dict[str, Any] = {
            "diverged_at": [seed.diverged_at for seed in self.seeds],
            "evaluations": [seed.evaluations for seed in self.seeds],
            "training_seconds": self.training_seconds,
        }
        self.folder.save_state(self.step, _to_tensors(self.states), meta)
        self.is_whole = True

    def results(self) -> list[dict[str, Any]]:
        """Return what the manifest keeps of each seed."""
        pairs = zip(self.seeds, self.splits, strict=True)
        return [seed.result(pair_counts(of_tasks[0])) for seed, of_tasks in pairs]


def pair_counts(split: Split) -> dict[str, int]:
    """Return how many pairs train, test, and are left out as undefined."""
    n_train, n_test = int(split.train.sum()), int(split.test.sum())
    return {
        "n_train": n_train,
        "n_test": n_test,
        "n_undefined": len(split.kind) - n_train - n_test,
    }


def _to_tensors(tree: Any) -> dict[str, np.ndarray]:
    """Return every array of a tree by its path."""
    leaves, _ = jax.tree_util.tree_flatten_with_path(tree)
    return {jax.tree_util.keystr(path): np.asarray(leaf) for path, leaf in leaves}


def _from_tensors(like: Any, tensors: dict[str, np.ndarray]) -> Any:
    """Return a tree shaped as `like`, with the arrays of the same paths."""
    return jax.tree_util.tree_map_with_path(
        lambda path, old: jax.numpy.asarray(tensors[jax.tree_util.keystr(path)], old.dtype), like
    )
