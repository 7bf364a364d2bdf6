"""Wiring that weights do not tell apart: usual ways are tried, the one that answers is taken."""

import itertools
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

import jax
import numpy as np

from grokscope.errors import UsageError
from grokscope.explanation.pairs import logits_of_all_answers
from grokscope.interop.layout import Layout
from grokscope.interop.names import Tensors
from grokscope.measures.predictions import cross_entropy
from grokscope.models import Imported, imported_network
from grokscope.tasks import Task

_ANSWERS: Final = 0.9
"""Accuracy over which a network answers."""
_NEAR: Final = 0.01
"""How near another wiring's accuracy must be to be one that answers equally."""
_CLEARLY: Final = 0.5
"""Factor on the loss under which one of two that answer equally is the network's own."""
_SAMPLE: Final = 256
_MOST: Final = 200
"""Most wirings that are tried."""
_FINE: Final = frozenset({"activation", "causal"})
"""Settings with which a network answers much of what it answers without."""
_TOGETHER: Final = ("read", "causal")
"""Settings of which one may show only when the other is right: at the last position of one block
a mask hides nothing, and in the mean over positions it does."""
_FINALISTS: Final = 4
_ALTERNATIVES: Final[tuple[dict[str, Any], ...]] = (
    {"causal": True},
    {"causal": False},
    {"attention_mix": 0.0},
    {"norm": "none"},
    {"norm": "layer"},
    {"norm": "rms"},
    {"norm_place": "before"},
    {"norm_place": "after"},
    {"norm_place": "stream"},
    {"read": "mean"},
    {"read": -1},
    {"positions": "sinusoidal"},
    {"activation": "relu"},
    {"activation": "gelu"},
    {"activation": "gelu_tanh"},
    {"activation": "silu"},
    {"activation": "square"},
    {"combine": "sum"},
    {"combine": "concatenate"},
    {"combine": "multiply"},
    {"tokens": ("x", "p", "y")},
    {"tokens": ("x", "y", "p")},
    {"tokens": ("x", "y")},
    {"tokens": ("y", "x")},
    {"tokens": ("y", "x", "p")},
    {"tokens": ("y", "p", "x")},
    {"tokens": ("y", "x + p")},
)
"""Single changes that are tried where a network does not answer otherwise."""


@dataclass(frozen=True, eq=False)
class Answers:
    """A network with one wiring, and how it answers on all pairs.

    **Arguments:** the layout with that wiring; the network; accuracy and loss in nats over all
    answers; the share of answers that are no residues; what was tried and not taken, in a sentence.
    """

    layout: Layout
    model: Imported
    accuracy: float
    loss: float
    elsewhere: float
    tried: str = ""


@dataclass(frozen=True, eq=False)
class _Trial:
    """One wiring on a sample of pairs."""

    layout: Layout
    model: Imported
    settings: Mapping[str, Any]
    logits: np.ndarray
    accuracy: float
    loss: float


def answers_of(model: Imported, layout: Layout, task: Task) -> Answers:
    """Run a network on all pairs."""
    logits = logits_of_all_answers(model).reshape(task.p**2, -1)[task.defined]
    labels = task.labels(0)[0][task.defined]
    said = logits.argmax(axis=1)
    loss = cross_entropy(jax.numpy.asarray(logits), jax.numpy.asarray(labels)).mean()
    right, elsewhere = float(np.mean(said == labels)), float(np.mean(said >= task.p))
    return Answers(layout, model, right, float(loss), elsewhere)


class Wirings:
    """The wirings of a file's weights that are tried on one operation.

    **Arguments:**

    - `tensors`: of the file.
    - `operation`: as a `Task` takes it.
    - `p`: the modulus, where it is known.
    - `said`: settings that were said in so many words, and are never changed.
    """

    def __init__(
        self, tensors: Tensors, operation: Any, p: int | None, said: Mapping[str, Any]
    ) -> None:
        self._tensors, self._operation, self._p, self._said = tensors, operation, p, said
        self._tasks: dict[int, Task] = {}
        self._weights: dict[Any, Mapping[str, np.ndarray]] = {}

    def best(self, layouts: Sequence[Layout]) -> Answers:
        """Return the wiring that answers.

        **Raises:** `UsageError` where none can be made of the file, and where several that are not
        the same answer equally.
        """
        if len(layouts) == 1 and not layouts[0].tries:
            first = self._network(layouts[0])
            own = answers_of(first, layouts[0], self._task(first))
        else:
            own = self._chosen(self._search(layouts))
        return own if own.accuracy > _ANSWERS else self._changed(own)

    def _search(self, layouts: Sequence[Layout]) -> list[_Trial]:
        """Try what is coarse until a network answers, then all choices beside that one."""
        trials = self._distinct(
            itertools.chain.from_iterable(_product(one, coarse=True) for one in layouts), first=True
        )
        if trials[0].accuracy <= _ANSWERS and any(_FINE & one.tries.keys() for one in layouts):
            every = itertools.chain.from_iterable(_product(one) for one in layouts)
            trials = self._distinct(itertools.islice(every, _MOST), first=True)
        known = {id(one.tensors): one.tries for one in layouts}
        while True:
            best = trials[0].layout
            beside = _beside(best, known[id(best.tensors)])
            trials = self._distinct(itertools.chain([best], beside))
            if trials[0].layout is best:
                return trials

    def _changed(self, own: Answers) -> Answers:
        """Return the network with one more change where only then it answers."""
        changes = [
            own.layout.with_settings(change)
            for change in _ALTERNATIVES
            if change.keys().isdisjoint(self._said)
        ]
        trials = self._distinct(iter(changes), least=max(own.accuracy + 0.1, 0.2))
        if not trials:
            return own
        found = self._chosen(trials)
        if found.accuracy <= _ANSWERS:
            self._refuse_changed(own, found)
        change = _difference(own.layout, found.layout)
        tried = f"Wired as usual it answers {own.accuracy:.4f} of all pairs; {change} was found by"
        tried += f" trying {len(changes)} changes one by one."
        return Answers(
            found.layout, found.model, found.accuracy, found.loss, found.elsewhere, tried
        )

    def _refuse_changed(self, own: Answers, found: Answers) -> None:
        change = _difference(own.layout, found.layout)
        raise UsageError(
            "this network is wired otherwise",
            got=f"accuracy {own.accuracy:.4f} on all pairs",
            next_step=f"with {change} its accuracy is {found.accuracy:.4f}; say"
            f" {change.partition('=')[0]} in any case to keep what it is",
        )

    def _network(self, layout: Layout) -> Imported:
        key = tuple(sorted((k, str(v)) for k, v in {**layout.wiring, **layout.sizes}.items()))
        weights = self._weights.get((id(layout.tensors), key))
        if weights is None:
            weights = self._weights[id(layout.tensors), key] = layout.weights(self._tensors)
        return imported_network(layout.config(weights, self._p), weights)

    def _task(self, model: Imported) -> Task:
        return self._tasks.setdefault(model.p, Task((self._operation,), model.p))

    def _distinct(
        self, layouts: Iterator[Layout], least: float = 0.0, *, first: bool = False
    ) -> list[_Trial]:
        """Run wirings on a sample; of those with the same logits the first, the best in front.

        **Arguments:** the wirings; the accuracy that counts; whether the first that answers is the
        last.
        """
        found: list[_Trial] = []
        error: UsageError | None = None
        for layout in layouts:
            try:
                trial = self._trial(layout)
            except UsageError as refused:
                error = error or refused
                continue
            if trial.accuracy >= least and not any(_same(trial, other) for other in found):
                found.append(trial)
            if first and trial.accuracy > _ANSWERS:
                break
        if not found and not least:
            raise error or UsageError("the layout of this file is not known")
        return sorted(found, key=lambda trial: (-trial.accuracy, trial.loss))

    def _trial(self, layout: Layout) -> _Trial:
        model = self._network(layout)
        task = self._task(model)
        pairs = np.random.default_rng(0).permutation(np.flatnonzero(task.defined))[:_SAMPLE]
        logits = np.asarray(model(model.inputs().tokens[pairs]), np.float64)
        labels = task.labels(0)[0][pairs]
        right = float(np.mean(logits.argmax(axis=1) == labels))
        loss = float(
            cross_entropy(jax.numpy.asarray(logits, np.float32), jax.numpy.asarray(labels)).mean()
        )
        settings = {**layout.wiring, **layout.sizes}
        return _Trial(layout, model, settings, logits, right, loss)

    def _chosen(self, trials: Sequence[_Trial]) -> Answers:
        """Return the best of some wirings on all pairs, or refuse to choose."""
        finalists = [
            answers_of(one.model, one.layout, self._task(one.model)) for one in trials[:_FINALISTS]
        ]
        finalists.sort(key=lambda one: (-one.accuracy, one.loss))
        best, *others = finalists
        near = [one for one in others if best.accuracy - one.accuracy < _NEAR]
        rivals = [one for one in near if best.loss > _CLEARLY * one.loss]
        if rivals and best.accuracy > _ANSWERS:
            change = _difference(best.layout, rivals[0].layout)
            own = _difference(rivals[0].layout, best.layout)
            raise UsageError(
                "several wirings of this file answer equally",
                got=f"{own}, loss {best.loss:.3g}, and {change}, {rivals[0].loss:.3g}",
                next_step="say which",
            )
        said = f"Of {len(trials)} wirings beside each other this one answers best"
        if others:
            change = _difference(best.layout, others[0].layout)
            said += f"; the next, {change}, answers {others[0].accuracy:.4f}"
            said += f" with loss {others[0].loss:.3g}" if near else ""
        tried = f"{said}." if len(trials) > 1 else ""
        return Answers(best.layout, best.model, best.accuracy, best.loss, best.elsewhere, tried)


def _product(layout: Layout, *, coarse: bool = False) -> Iterator[Layout]:
    """Return a layout with every choice of what it tries, or only of what is coarse."""
    names = list(layout.tries)
    choices = (v[:1] if coarse and n in _FINE else v for n, v in layout.tries.items())
    for values in itertools.product(*choices):
        yield layout.with_settings(dict(zip(names, values, strict=True)))


def _beside(layout: Layout, tries: Mapping[str, Sequence[Any]]) -> Iterator[Layout]:
    """Return a layout with one setting changed to another value that is tried, or both together."""
    own = {**layout.wiring, **layout.sizes}
    for name, values in tries.items():
        yield from (layout.with_settings({name: v}) for v in values if own.get(name) != v)
    if all(name in tries for name in _TOGETHER):
        for values in itertools.product(*(tries[name] for name in _TOGETHER)):
            changed: dict[str, Any] = dict(zip(_TOGETHER, values, strict=True))
            if all(own.get(name) != value for name, value in changed.items()):
                yield layout.with_settings(changed)


def _same(one: _Trial, other: _Trial) -> bool:
    if one.logits.shape != other.logits.shape:
        return False
    size = np.abs(one.logits).max()
    return bool(np.abs(one.logits - other.logits).max() <= 1e-4 * size)


def _difference(one: Layout, other: Layout) -> str:
    """What to type so that one wiring becomes another."""
    known = {**one.wiring, **one.sizes}
    changed = {k: v for k, v in {**other.wiring, **other.sizes}.items() if known.get(k) != v}
    words = [f"{name}={_value(value)}" for name, value in changed.items()]
    if not words:
        return f"{other.description} ({', '.join(map(str, other.tensors.values()))})"
    return f"--set {' '.join(words)}"


def _value(value: Any) -> str:
    text = " ".join(value) if isinstance(value, tuple | list) else str(value)
    text = text.lower() if isinstance(value, bool) else text
    return repr(text) if " " in text else text
