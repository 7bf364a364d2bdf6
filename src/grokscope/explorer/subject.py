"""Whose network is looked at: one seed and one operation of a run, with the basis that fits."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Final

import numpy as np
from jaxtyping import Bool, Int, Int8

from grokscope.errors import UsageError
from grokscope.explanation.in_basis import NetworkInBasis
from grokscope.explanation.network import of_model
from grokscope.explanation.of_run import SavedNetwork, load_any_network, splits_of
from grokscope.explanation.pairs import neuron_strengths, not_finite
from grokscope.explanation.result import Explanation
from grokscope.explanation.store import kept_explanations, structure_explained
from grokscope.fourier.basis import Basis, same_characters
from grokscope.fourier.spectrum import ADDITIVE
from grokscope.measures.registry import MATCHED
from grokscope.models import AnyModel
from grokscope.reports.record import RunRecord, read_runs
from grokscope.tasks import TEST_LEAKED, TRAIN
from grokscope.tasks.structure import Structure, structure, structure_of

MOST_SNAPSHOTS: Final = 40


@dataclass(frozen=True, eq=False)
class Subject:
    """One seed and one operation of a run; made by `read_subject`.

    **Arguments:**

    - `record`: the run.
    - `seed`: which network.
    - `number`: which operation of a mixture, from 0.
    """

    record: RunRecord
    seed: int
    number: int = 0

    @property
    def p(self) -> int:
        """The modulus."""
        return self.record.p

    @property
    def operation(self) -> str:
        """Text of the operation."""
        return self.record.task.expressions[self.number].canonical

    @property
    def title(self) -> str:
        """Operation, modulus and seed in words."""
        return f"{self.operation} mod {self.p}, seed {self.seed}"

    @cached_property
    def steps(self) -> list[int]:
        """At most 40 checkpoints, evenly chosen, the first and the last among them."""
        return evenly(self.record.folder.checkpoint_steps(self.seed), MOST_SNAPSHOTS)

    @cached_property
    def kind(self) -> Int8[np.ndarray, "pair"] | None:
        """The side of each pair, as in `Split.kind`; None where it is not known."""
        record = self.record
        splits = splits_of(record.folder.manifest, record.config, record.task, self.seed)
        return None if splits is None else splits[self.number].kind

    @cached_property
    def labels(self) -> Int[np.ndarray, "p p"]:
        """The right answer at [x, y], −1 where the operation is undefined."""
        task = self.record.task
        known = np.where(task.defined, task.labels(self.seed)[self.number], -1)
        return known.reshape(self.p, self.p)

    @cached_property
    def sides(self) -> dict[str, Bool[np.ndarray, "p p"]]:
        """Which pairs at [x, y] are `all` that are defined, and if known `train` and `test`."""
        sides = {"all": self.labels >= 0}
        if self.kind is not None:
            kind = self.kind.reshape(self.p, self.p)
            sides |= {"train": kind == TRAIN, "test": kind >= TEST_LEAKED}
        return {name: side for name, side in sides.items() if side.any()}

    @cached_property
    def explanation(self) -> Explanation | None:
        """What is kept of the last checkpoint; None where nothing is."""
        kept = kept_explanations(self.record.folder, self.seed)
        return next((e for e in kept if e.operation == self.operation), None)

    @cached_property
    def structure(self) -> Structure | None:
        """What the explanation rests on, or the best that is known of the operation."""
        task = self.record.task
        if self.explanation is not None:
            found = structure_explained(self.explanation, task, self.number, self.seed)
            if found is not None:
                return found
        return structure_of(task, self.number, self.seed).best

    @cached_property
    def basis(self) -> Basis:
        """The basis that fits; where none is known, that of x + y."""
        known = self.structure or structure("x + y", self.p).best
        if known is None:
            raise UsageError("addition has no basis", got=f"p = {self.p}")
        return Basis(known)

    @cached_property
    def basis_of_keys(self) -> str:
        """`additive` where the characters that fit are those of x + y, or none fit."""
        plain = structure("x + y", self.p).best
        if self.structure is None or plain is None or same_characters(self.structure, plain):
            return ADDITIVE
        return MATCHED

    @property
    def keys(self) -> tuple[int, ...]:
        """Key frequencies of W_E, else of W_L, the strongest first; () without an explanation."""
        if self.explanation is None:
            return ()
        return self.explanation.embedding.keys or self.explanation.neuron_logit_map.keys

    @cached_property
    def last_finite(self) -> AnyModel | None:
        """The last network whose weights are all finite; None where there is none."""
        models = (self.network(step).model for step in reversed(self.steps))
        return next((model for model in models if not not_finite(model)), None)

    @cached_property
    def strongest_neurons(self) -> list[int]:
        """All neurons of the last finite network, those that move the logits most first."""
        if self.last_finite is None:
            return []
        strengths = neuron_strengths(self.last_finite, self.number)
        return np.argsort(-strengths, kind="stable").tolist()

    def network(self, step: int | None = None) -> SavedNetwork:
        """Return the weights at a checkpoint, by default the last; raises `RunFolderError`."""
        return load_any_network(self.record.folder, self.seed, step)

    def in_basis(self, model: AnyModel) -> NetworkInBasis:
        """Return a network with the operation's answers and the basis."""
        labels = self.record.task.labels(self.seed)[self.number].reshape(self.p, self.p)
        return NetworkInBasis(of_model(model, self.number), labels, self.basis, self.kind)


def evenly(steps: Sequence[int], most: int) -> list[int]:
    """Return at most so many of some steps, by their places, the first and the last among them."""
    if len(steps) <= most:
        return list(steps)
    last = len(steps) - 1
    return [steps[i * last // (most - 1)] for i in range(most)]


def read_subject(path: Path, seed: int | None = None, number: int = 0) -> Subject:
    """Return a seed and an operation of a run.

    **Arguments:**

    - `path`: the run folder.
    - `seed`: by default the first that has not diverged.
    - `number`: which operation of a mixture, from 0.

    **Raises:** `UsageError` for a folder, seed or operation that is not there.
    """
    (record,) = read_runs([path])
    seed = record.shown_seed if seed is None else seed
    if seed not in record.seeds:
        known = " ".join(map(str, record.seeds))
        raise UsageError("the run has no such seed", got=seed, allowed=known)
    if not 0 <= number < record.task.n_tasks:
        allowed = f"0 to {record.task.n_tasks - 1}"
        raise UsageError("there is no such operation", got=number, allowed=allowed)
    return Subject(record, seed, number)
