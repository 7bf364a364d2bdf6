"""One run in progress: chunks of training, and what is kept of each."""

from typing import Any, Final

import jax
import numpy as np
from jaxtyping import Bool

from grokscope.config.run import RunConfig
from grokscope.disk.atomic import path_in_words
from grokscope.disk.curves import Recorded
from grokscope.disk.folder import RunFolder, is_checkpoint
from grokscope.errors import RunFolderError
from grokscope.models import Model, named_weights, weight_axes
from grokscope.runner.observe import Observation, Rows, columns
from grokscope.runner.prepare import prepare
from grokscope.runner.progress import SeedProgress
from grokscope.runner.transfer import source_of
from grokscope.tasks import Split
from grokscope.training import ChunkResult, TrainState

_ACCURACIES: Final = ("train_accuracy", "test_accuracy")


class TrainingRun:
    """All seeds of one run, in step with each other; a seed that is done keeps its weights.

    `together.advance` trains it, alone or beside other runs.

    **Arguments:**

    - `config`: what to train.
    - `folder`: where to keep it; the caller holds its lock.
    """

    def __init__(self, config: RunConfig, folder: RunFolder) -> None:
        self.config = config
        self.folder = folder
        source = source_of(config, folder)
        self.task, self.splits, self.states, self.inputs, matched = prepare(config, source)
        operations = tuple(e.canonical for e in self.task.expressions)
        self.columns = columns(self._model(0), operations, matched)
        self.seeds = [SeedProgress(seed, config.schedule, operations) for seed in config.seeds]
        self.step = 0
        self.in_chunk = False
        """Whether a chunk is under way: its old weights are consumed, its numbers not yet kept."""
        self.latest = np.full((len(self.seeds), len(self.columns)), np.nan)
        self.training_seconds: float = folder.manifest.times["training_seconds"]
        self._rows = Rows(self.columns, operations)
        of_tasks = [None] if len(operations) == 1 else list(operations)
        names = [(column.measure, column.operation) for column in self.columns]
        self._loss = names.index(("train_loss", None))
        self._places = {a: [names.index((a, task)) for task in of_tasks] for a in _ACCURACIES}

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
        names = [self.columns[place].operation for place in self._places[_ACCURACIES[0]]]
        of_tasks = [recorded.curves(operation=name) for name in names]
        for seed in self.seeds:
            train, test = (
                [c[side, None][seed.seed] for c in of_tasks if seed.seed in c.get((side, None), {})]
                for side in _ACCURACIES
            )
            for i, step in enumerate(train[0].steps.tolist() if train else ()):
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

    def take(self, states: TrainState, result: ChunkResult, n_steps: int) -> None:
        """Take what `n_steps` of training, up to `step`, have led to; save when a save is due.

        **Arguments:**

        - `states`, `result`: with a leading seed axis.
        """
        active, due = [seed.active for seed in self.seeds], self.due
        self.states = states
        self.latest[active] = np.asarray(result.observation.values)[active]
        for i in np.flatnonzero(active):
            one = jax.tree_util.tree_map(lambda a, i=i: a[i], result)
            self._record(int(i), n_steps, one, bool(due[i]))
        if self.step == 0 or not self.active or self._due(self.config.schedule.save_every):
            self.save()

    def _record(self, i: int, n_steps: int, result: ChunkResult, due: bool) -> None:
        """Keep one evaluation of seed number i; `due` says that it has Table A.4."""
        seed, observation = self.seeds[i], result.observation
        assert isinstance(observation, Observation)
        values = np.asarray(observation.values)
        seed.add(self.step, *(values[self._places[name]].tolist() for name in _ACCURACIES))
        # the loss before each update, and the one that the last update led to
        losses = [*result.losses, values[self._loss]]
        broken = np.flatnonzero(~np.isfinite(losses))
        if len(broken):
            seed.diverged_at = self.step - n_steps + int(broken[0])
        self._rows.add_metrics(seed.seed, self.step, values)
        schedule = self.config.schedule
        if self._due(schedule.spectra_every) or not seed.active:
            self._rows.add_spectra(seed.seed, self.step, observation)
            if due:
                self._rows.add_losses(seed.seed, self.step, observation)
        if not seed.active or is_checkpoint(
            self.step, schedule.checkpoint_every, schedule.eval_every
        ):
            self._checkpoint(i)

    def _due(self, every: int) -> bool:
        """Whether a multiple of `every` was reached or passed since the evaluation before."""
        before = max(self.step - self.config.schedule.eval_every, -1)
        return self.step // every > before // every

    def _checkpoint(self, i: int) -> None:
        model = self._model(i)
        weights = {name: np.asarray(W) for name, W in named_weights(model).items()}
        config = self.config.to_json()
        meta = {"operation": self.task.canonical, "p": self.task.p, "model": config["model"]}
        seed = self.seeds[i].seed
        self.folder.save_checkpoint(seed, self.step, weights, weight_axes(model), meta)

    def save(self) -> None:
        """Write rows and state, in the order that a kill cannot break."""
        self.folder.append(*self._rows.take(), self.step)
        meta: dict[str, Any] = {
            "diverged_at": [seed.diverged_at for seed in self.seeds],
            "evaluations": [seed.evaluations for seed in self.seeds],
            "training_seconds": self.training_seconds,
        }
        self.folder.save_state(self.step, _to_tensors(self.states), meta)

    def results(self) -> list[dict[str, Any]]:
        """Return what the manifest keeps of each seed."""
        pairs = zip(self.seeds, self.splits, strict=True)
        return [seed.result(pair_counts(of_tasks[0])) for seed, of_tasks in pairs]

    def _model(self, i: int) -> Model:
        return jax.tree_util.tree_map(lambda a: a[i], self.states.model)


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
