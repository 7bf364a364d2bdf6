"""A trained network to ask: its weights, its activations, and what it answers after an edit."""

from collections.abc import Callable, Mapping, Sequence
from functools import cached_property
from typing import Any

import equinox as eqx
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Bool, Float, Int, Int8

from grokscope.config.arguments import plain_arguments
from grokscope.errors import UsageError
from grokscope.explanation.circuit import Effort
from grokscope.explanation.explain import explain_network, structures_by
from grokscope.explanation.network import of_model
from grokscope.explanation.pairs import positions_of, read_at
from grokscope.explanation.result import Explanation
from grokscope.models import AnyModel, Imported, named_weights, weight_axes, with_weights
from grokscope.models.activations import axes_of
from grokscope.notebook.arrays import ByName, NamedArray, no_such
from grokscope.notebook.edits import Edit, edited, require_functions
from grokscope.numerics import computing
from grokscope.progress import part_of, showing
from grokscope.tasks import TEST_LEAKED, TEST_UNLEAKED, TRAIN, UNDEFINED, Task
from grokscope.tasks.structure import structure_of

Edits = Mapping[str, Edit]


class RunNetwork:
    """One seed's network at one step; `run.network(seed, step)` gives it.

        >>> net = run.network(seed=0)
        >>> net.weights["W_E"].shape
        (24, 16)
        >>> net.logits().axes
        ('x', 'y', 'answer')
        >>> net.activations()["blocks.0.mlp_post"].axes
        ('x', 'y', 'neuron')

    **Arguments:**

    - `model`: the weights.
    - `task`: the operations it was trained on.
    - `seed`, `step`: where it comes from.
    - `kinds`: per operation the side of each pair, as in `Split.kind`; None where not known.
    - `grokked`: per operation, whether it had grokked by then; None where it is not known.
    """

    def __init__(
        self,
        model: AnyModel,
        task: Task,
        *,
        seed: int,
        step: int,
        kinds: Sequence[Int8[np.ndarray, "pair"] | None],
        grokked: Sequence[bool | None],
    ) -> None:
        self._model, self._task = model, task
        self._kinds, self._grokked = kinds, grokked
        self.seed, self.step, self.p = seed, step, task.p

    @property
    def operations(self) -> list[str]:
        """What it was trained on; one is asked for by its text, or its number here."""
        return [expression.canonical for expression in self._task.expressions]

    @cached_property
    def positions(self) -> tuple[str, ...]:
        """What stands at each position: `x`, `op`, `y`; of an imported network its own tokens."""
        return positions_of(self._model)

    @cached_property
    def weights(self) -> ByName:
        """Every matrix by the field's name, with names of its axes.

        Rows of W_E are residues, then operators; `gs.spectrum` and the measures leave those out.
        """
        axes = weight_axes(self._model)
        return ByName(
            "weight", {name: self._named(W, axes[name]) for name, W in self._matrices.items()}
        )

    @cached_property
    def _matrices(self) -> dict[str, np.ndarray]:
        return {name: np.asarray(W) for name, W in named_weights(self._model).items()}

    @cached_property
    def embedding(self) -> Float[np.ndarray, "p d_model"]:
        """W_E without its operators: a row per residue."""
        return np.asarray(self._model.residues)

    @cached_property
    def neuron_logit_map(self) -> Float[np.ndarray, "class d_mlp"]:
        """W_L = W_U·W_out: what each neuron writes to each answer."""
        return np.asarray(self._model.neuron_logit_map)

    @plain_arguments
    def labels(self, operation: int | str = 0) -> NamedArray:
        """Return the right answers at [x, y], −1 where the operation is undefined."""
        labels = self._task.labels(self.seed)[self._task.number_of(operation)]
        return NamedArray(self._on_grid(np.where(self._task.defined, labels, -1)), ("x", "y"))

    @plain_arguments
    def sides(self, operation: int | str = 0) -> dict[str, Bool[np.ndarray, "p p"]]:
        """Return which pairs [x, y] are `all` that are defined, `train`, `test` and `unleaked`.

        Of a network that was trained elsewhere only `all` may be known.
        """
        known = self._kinds[self._task.number_of(operation)]
        if known is None:
            return {"all": self._on_grid(np.asarray(self._task.defined))}
        kind = self._on_grid(np.asarray(known))
        sides = {"all": kind != UNDEFINED, "train": kind == TRAIN, "test": kind >= TEST_LEAKED}
        return sides | {"unleaked": kind == TEST_UNLEAKED}

    @plain_arguments
    def logits(
        self, pairs: Any = None, *, edits: Edits | None = None, operation: int | str = 0
    ) -> NamedArray:
        """Return the logits over the answers.

            >>> int(net.logits([3, 4]).values.argmax()) in range(23)
            True

        **Arguments:**

        - `pairs`: (x, y) or tokens (x, operator, y), one or a list; by default all pairs.
        - `edits`: functions by the name of an activation or a weight; see `gs.edits`. They are
          given all pairs, also where the logits of a few are asked for.
        - `operation`: which one of a mixture, by its text or its number.

        **Returns:** [x, y, answer], or [pair, answer] of a list, or [answer] of one pair.

        **Raises:** `UsageError` for pairs or names that the network does not have.
        """
        return self.activations(pairs, names=("logits",), edits=edits, operation=operation)[
            "logits"
        ]

    @plain_arguments
    @computing()
    def activations(
        self,
        pairs: Any = None,
        *,
        names: Sequence[str] | None = None,
        edits: Edits | None = None,
        position: str | None = "last",
        operation: int | str = 0,
    ) -> ByName:
        """Return every activation by name.

            >>> net.activations([[3, 4]], names=["blocks.0.pattern"])["blocks.0.pattern"].axes
            ('pair', 'head', 'source')

        **Arguments:**

        - `pairs`, `edits`, `operation`: as for `logits`.
        - `names`: which ones; by default all, 300 MB for the paper's network mod 97.
        - `position`: one of `positions`, by default that from which the answer is read; None for
          all, as where the answer is read from their mean, which adds an axis `position`.

        **Returns:** arrays [x, y, …], or [pair, …], or […] as for `logits`.

        **Raises:** as `logits`; `UsageError` for another position.
        """
        if position not in (None, "last", *self.positions):
            known = ", ".join((*self.positions, "last"))
            raise UsageError("there is no such position", got=position, allowed=known)
        if position == "last":
            last = read_at(self._model)
            position = None if last is None else self.positions[last]
        require_functions(edits)
        imported = isinstance(self._model, Imported)
        number, n_tasks = self._task.number_of(operation), self._task.n_tasks
        chosen, number = _pairs(pairs, self.p, 0 if imported else n_tasks, number)
        found = self._grid(number, names, edits or {})
        named = ByName("activation", {})
        for name, values in found.items():
            array = self._named(values, ("x", "y", *axes_of(name)))
            if position is not None and "position" in array.axes:
                array = array.at(position=position)
            if chosen is not None:
                part = array.values[chosen[..., 0], chosen[..., 1]]
                axes = ("pair",) * (chosen.ndim - 1) + array.axes[2:]
                array = NamedArray(part, axes, array.coordinates)
            named[name] = array
        return named

    @plain_arguments
    def answers(
        self, pairs: Any = None, *, edits: Edits | None = None, operation: int | str = 0
    ) -> NamedArray:
        """Return the answer with the largest logit; arguments and axes as for `logits`."""
        logits = self.logits(pairs, edits=edits, operation=operation)
        return NamedArray(logits.values.argmax(axis=-1), logits.axes[:-1])

    @plain_arguments
    def accuracy(self, *, edits: Edits | None = None, operation: int | str = 0) -> dict[str, float]:
        """Return the share of right answers on each side that has pairs; see `sides`.

        >>> sorted(net.accuracy())
        ['all', 'test', 'train', 'unleaked']
        """
        right = self.answers(edits=edits, operation=operation).values == self.labels(operation)
        return {name: float(right[side].mean()) for name, side in self.sides(operation).items()}

    @plain_arguments
    @computing()
    @showing()
    def explain(
        self, *, operation: int | str = 0, by: str | None = None, effort: Effort | None = None
    ) -> Explanation:
        """Say which algorithm the network found, with causal evidence.

            >>> net.explain().verdict in ("explained", "partly", "not decided", "not explained")
            True

        **Arguments:**

        - `operation`: which one of a mixture.
        - `by`: the operation whose structure is used, as a control; by default its own.
        - `effort`: how often nulls and controls are drawn.
        """
        number = self._task.number_of(operation)
        own = structure_of(self._task, number, self.seed)
        search, control = structures_by(by, own, self.p)
        with part_of(f"{self.operations[number]}, seed {self.seed}, step {self.step:,}"):
            return explain_network(
                of_model(self._model, number),
                self._on_grid(self._task.labels(self.seed)[number]),
                search,
                operation=self.operations[number],
                kind=self._kinds[number],
                grokked=self._grokked[number],
                seed=self.seed,
                step=self.step,
                control=control,
                effort=effort,
            )

    @plain_arguments
    def to_torch(self, operation: int | str = 0) -> Any:
        """Return the network as a PyTorch module with the same answers.

        Tokens (pair, position) go in, logits (pair, class) come out; `module.neurons` is a place
        to hook the neurons of the last hidden layer. Needs PyTorch.
        """
        from grokscope.interop.torch_network import torch_network

        return torch_network(self._model, self._task.number_of(operation))

    def __repr__(self) -> str:
        sizes = ", ".join(f"{n} {'×'.join(map(str, W.shape))}" for n, W in self._matrices.items())
        where = f"seed {self.seed}, step {self.step:,}"
        return f"network for {', '.join(self.operations)} mod {self.p}, {where}: {sizes}"

    def _on_grid(self, values: np.ndarray) -> np.ndarray:
        return values.reshape(self.p, self.p, *values.shape[1:])

    def _named(self, values: np.ndarray, axes: Sequence[str]) -> NamedArray:
        places: dict[str, Sequence[Any]] = {
            "position": self.positions,
            "source": self.positions,
            "token": self._tokens,
        }
        if "class" in axes:  # answers of others' networks may be no residues
            length = values.shape[axes.index("class")]
            more = [f"answer {i}" for i in range(self.p, length)]
            places["class"] = [*range(min(self.p, length)), *more]
        return NamedArray(values, axes, places)

    @cached_property
    def _tokens(self) -> list[int | str]:
        """What each row of W_E stands for: a residue, an operation, or another token."""
        model = self._model
        if not isinstance(model, Imported):
            return [*range(self.p), *self.operations]
        first = model.config.first("x")
        return [
            i - first if first <= i < first + self.p else f"token {i}"
            for i in range(len(model.W_E))
        ]

    def _grid(
        self, operation: int, names: Sequence[str] | None, edits: Edits
    ) -> dict[str, np.ndarray]:
        """Run all pairs at once, so that an edit sees them all."""
        own = {name: edit for name, edit in edits.items() if name in self._matrices}
        model, tokens = self._edited(own), jnp.asarray(self._model.inputs(operation).tokens)
        places = {name: self._on_batch(name, edits[name]) for name in edits if name not in own}
        for name in names or ():
            if name not in self._places:
                raise no_such("activation", name, self._places)
        for name in places:
            if name not in self._places:
                raise no_such("activation or weight", name, [*self._places, *self._matrices])
        if places:
            found = model.trace(tokens, places)[1]
        else:
            found = _trace(model, tokens, None if names is None else tuple(names))
        grids = {name: self._on_grid(np.asarray(found[name])) for name in names or found}
        if "logits" in grids:  # answers of others' networks may be no residues
            grids["logits"] = grids["logits"][..., : self.p]
        return grids

    @cached_property
    def _places(self) -> tuple[str, ...]:
        """Names of the activations."""
        names: list[str] = []  # in their order: JAX sorts what a program returns

        def look(model: AnyModel, tokens: Int[Array, "pair pos"]) -> None:
            names.extend(model.trace(tokens)[1])

        eqx.filter_eval_shape(look, self._model, jnp.asarray(self._model.inputs(0).tokens))
        return tuple(names)

    def _edited(self, edits: Edits) -> AnyModel:
        if not edits:
            return self._model
        axes = weight_axes(self._model)
        new = {
            name: edited(name, edit, self._named(self._matrices[name], axes[name]))
            for name, edit in edits.items()
        }
        return with_weights(self._model, self._matrices | new)

    def _on_batch(self, name: str, edit: Edit) -> Callable[[Array], Array]:
        """Return an edit of all pairs, [x, y, …], as one of a batch."""

        def on_batch(values: Array) -> Array:
            array = self._named(self._on_grid(np.asarray(values)), ("x", "y", *axes_of(name)))
            return jnp.asarray(edited(name, edit, array).reshape(values.shape))

        return on_batch


@eqx.filter_jit
def _trace(
    model: AnyModel, tokens: Int[Array, "pair pos"], names: tuple[str, ...] | None
) -> dict[str, Array]:
    found = model.trace(tokens)[1]
    return found if names is None else {name: found[name] for name in names}


def _pairs(
    given: Any, p: int, n_tasks: int, operation: int
) -> tuple[Int[np.ndarray, "... 2"] | None, int]:
    """Return the pairs that are asked for, None for all, and which operation of a mixture."""
    if given is None:
        return None, operation
    try:
        pairs = np.asarray(given)
    except ValueError:  # lists of several lengths
        pairs = np.zeros(0)
    if pairs.ndim not in (1, 2) or pairs.shape[-1] not in (2, 3) or pairs.dtype.kind not in "iu":
        raise UsageError(
            "pairs are not usable",
            got=given,
            allowed="whole numbers, (x, y), (x, operator, y), or a list of them",
            next_step="for example [[3, 4], [5, 6]]; all pairs where they are left out",
        )
    if pairs.shape[-1] == 3:
        operators = np.unique(pairs[..., 1])
        if not n_tasks:
            raise UsageError(
                "pairs of an imported network are (x, y)", got=given, allowed="two residues each"
            )
        if len(operators) != 1 or not p <= operators[0] < p + n_tasks:
            raise UsageError(
                "tokens need one operator",
                got=" ".join(map(str, operators)),
                allowed=" or ".join(map(str, range(p, p + n_tasks))),
            )
        operation, pairs = int(operators[0]) - p, pairs[..., [0, 2]]
    if pairs.min(initial=0) < 0 or pairs.max(initial=0) >= p:
        raise UsageError("there is no such residue", got=given, allowed=f"0 to {p - 1}")
    return pairs, operation
