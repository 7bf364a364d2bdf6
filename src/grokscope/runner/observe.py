"""What is measured while a network trains: compiled into its program, kept as long rows."""

import functools
from collections import OrderedDict
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
import pyarrow as pa
from jaxtyping import Array, Bool, Float, Int, Int8

from grokscope.disk.metrics import METRIC_SCHEMA, SPECTRA_SCHEMA
from grokscope.fourier.spectrum import ADDITIVE, Spectrum, spectrum
from grokscope.measures import MATCHED, key_frequencies, l2_norm, recorded
from grokscope.measures.predictions import cross_entropy, is_right
from grokscope.models import Model, named_weights
from grokscope.runner.matched import MatchedView
from grokscope.runner.table_a4 import LOSSES, Seen
from grokscope.tasks import TEST_LEAKED, TEST_UNLEAKED, TRAIN

PAIRS_PER_BLOCK: Final = 16384
"""Pairs that are evaluated at a time, so that memory does not grow with p²."""


class Observed(NamedTuple):
    """What the observer must know of a run."""

    tokens: Int[Any, "task pair pos"]
    labels: Int[Any, "task pair"]
    kind: Int8[Any, "task pair"]
    """The side of each pair in each operation, as in `Split.kind`."""
    due: Bool[Any, ""]
    """Whether the losses of Table A.4 are asked for this time; they are costly."""
    views: tuple[MatchedView | None, ...]
    """Per operation the basis that fits it, where one is known."""


class Column(NamedTuple):
    """One number of an observation: which measure, of which matrix, in which basis."""

    measure: str
    matrix: str | None = None
    basis: str | None = None
    operation: int | None = None
    """Index of an operation in a mixture; None for a number of the whole network."""

    def name(self, operations: Sequence[str]) -> str:
        """Return all in one text; the additive basis goes without saying."""
        operation = None if self.operation is None else operations[self.operation]
        words = (self.measure, self.matrix, self.basis, operation)
        return " ".join(word for word in words if word not in (None, ADDITIVE))


class Table(NamedTuple):
    """One spectrum of an observation: of which matrix, in which basis."""

    matrix: str
    basis: str
    operation: int | None = None
    """Index of an operation in a mixture, in whose own basis it is."""


Norms = tuple[Float[Any, "freq"], Float[Any, "freq"]]
"""Cosine and sine norms of one table."""


class Observation(NamedTuple):
    """One evaluation of one run. Its dictionaries are ordered: JAX sorts the keys of plain ones."""

    values: OrderedDict[Column, Float[Any, ""]]
    """Every number; nan where undefined."""
    spectra: OrderedDict[Table, Norms]
    losses: OrderedDict[Column, Float[Any, ""]]
    """Table A.4 of each operation whose basis is known; nan when not due."""


def tables(model: Model, p: int) -> dict[str, Float[Array, "p column"]]:
    """Return the tables over residues: W_E without operator tokens, and W_L = W_U·W_out."""
    return {"W_E": model.W_E[:p], "W_L": model.neuron_logit_map}


@functools.cache
def make_observer(p: int, eta: float) -> Callable[[Model, Observed], Observation]:
    """Return the function (model, observed) → `Observation`; the same one for equal arguments.

    **Arguments:**

    - `p`: the modulus.
    - `eta`: threshold of FFS and KFS, and of the key frequencies of Table A.4.
    """

    def observe(model: Model, observed: Observed) -> Observation:
        n_tasks = len(observed.labels)
        loss, right, logits = _predictions(
            model, observed.tokens.reshape(-1, 3), observed.labels.reshape(-1)
        )
        numbers = {"accuracy": right, "loss": loss, "probability": jnp.exp(-loss)}
        numbers = {name: a.reshape(n_tasks, -1) for name, a in numbers.items()}
        values = _means(numbers, observed.kind)
        values |= {Column("l2_norm", name): l2_norm(W) for name, W in named_weights(model).items()}
        own = tables(model, p)
        found = {name: spectrum(W) for name, W in own.items()}
        spectra = OrderedDict((Table(name, ADDITIVE), s.norms) for name, s in found.items())
        values |= _measures(found, eta, ADDITIVE)
        losses = OrderedDict[Column, Any]()
        of_task = [None] * n_tasks if logits is None else logits.reshape(n_tasks, p * p, -1)
        for i, view in enumerate(observed.views):
            if view is None:
                continue
            operation = i if n_tasks > 1 else None
            found = view.spectra(own)
            spectra |= {Table(name, MATCHED, operation): s.norms for name, s in found.items()}
            values |= _measures(found, eta, MATCHED, operation)
            seen = Seen(model, key_frequencies(found["W_E"], eta), observed.kind[i], of_task[i])
            table_a4 = view.losses(seen, observed.due)
            losses |= {Column(name, operation=operation): table_a4[name] for name in LOSSES}
        return Observation(values, spectra, losses)

    return observe


def _means(
    numbers: dict[str, Float[Array, "task pair"]], kind: Int8[Array, "task pair"]
) -> OrderedDict[Column, Float[Array, ""]]:
    """Return the mean of every number over every side: of all operations, then of each."""
    parts: dict[int | None, slice] = {None: slice(None)}
    if len(kind) > 1:
        parts |= {i: slice(i, i + 1) for i in range(len(kind))}
    return OrderedDict(
        (Column(f"{side}_{name}", operation=i), _mean(a[part].ravel(), among[part].ravel()))
        for i, part in parts.items()
        for name, a in numbers.items()
        for side, among in _sides(kind).items()
    )


def _measures(
    spectra: dict[str, Spectrum], eta: float, basis: str, operation: int | None = None
) -> OrderedDict[Column, Float[Array, ""]]:
    """Return every measure that is recorded of these spectra; `eta` is the threshold of shares."""
    return OrderedDict(
        (Column(measure.key, name, basis, operation), measure.of(s, eta))
        for name, s in spectra.items()
        for measure in recorded(basis, one_coordinate=s.one_coordinate)
    )


def _predictions(
    model: Model, tokens: Int[Array, "example pos"], labels: Int[Array, "example"]
) -> tuple[Float[Array, "example"], Float[Array, "example"], Float[Array, "example class"] | None]:
    """Return loss, correctness (1 or 0) and logits of every example.

    Many examples are seen block by block, and their logits forgotten.
    """
    n = len(labels)
    if n <= PAIRS_PER_BLOCK:
        logits = model(tokens)
        return *_compare(logits, labels), logits
    padding = -n % PAIRS_PER_BLOCK
    padded = (jnp.pad(tokens, ((0, padding), (0, 0))), jnp.pad(labels, (0, padding)))
    blocks = jax.tree_util.tree_map(lambda a: a.reshape(-1, PAIRS_PER_BLOCK, *a.shape[1:]), padded)
    loss, right = jax.lax.map(lambda part: _compare(model(part[0]), part[1]), blocks)
    return loss.reshape(-1)[:n], right.reshape(-1)[:n], None


def _compare(
    logits: Float[Array, "example class"], labels: Int[Array, "example"]
) -> tuple[Float[Array, "example"], Float[Array, "example"]]:
    return cross_entropy(logits, labels), is_right(logits, labels).astype(jnp.float32)


def _sides(kind: Int8[Array, "task pair"]) -> dict[str, Bool[Array, "task pair"]]:
    """Return which pairs are on each side; those that leak are on the test side too."""
    return {
        "train": kind == TRAIN,
        "test": kind >= TEST_LEAKED,
        "unleaked": kind == TEST_UNLEAKED,
    }


def _mean(values: Float[Array, "example"], side: Bool[Array, "example"]) -> Float[Array, ""]:
    """Return the mean over the examples of one side; nan when there is none."""
    count = jnp.sum(side).astype(values.dtype)
    return jnp.sum(jnp.where(side, values, 0.0)) / count


_FLOAT: Final = np.float64


class Rows:
    """Rows of metrics and spectra since the last save.

    **Arguments:**

    - `operations`: texts of the run's operations.
    """

    def __init__(self, operations: Sequence[str]) -> None:
        self._operations = operations
        self._metrics: list[pa.Table] = []
        self._spectra: list[pa.Table] = []

    def add_values(self, seed: int, step: int, values: Mapping[Column, Any]) -> None:
        """Add numbers of one evaluation of one seed."""
        if values:
            measure, matrix, basis, operation = zip(*values, strict=True)
            n, numbers = len(values), np.asarray(list(values.values()), _FLOAT)
            self._metrics.append(
                _table(
                    METRIC_SCHEMA,
                    [seed] * n,
                    [step] * n,
                    measure,
                    matrix,
                    basis,
                    map(self._text, operation),
                    numbers,
                )
            )

    def add_spectra(self, seed: int, step: int, spectra: Mapping[Table, Norms]) -> None:
        """Add the spectra of one evaluation of one seed."""
        for (matrix, basis, operation), (cos_norm, sin_norm) in spectra.items():
            n = len(cos_norm)
            self._spectra.append(
                _table(
                    SPECTRA_SCHEMA,
                    [seed] * n,
                    [step] * n,
                    [matrix] * n,
                    [basis] * n,
                    [self._text(operation)] * n,
                    np.arange(1, n + 1),
                    np.asarray(cos_norm, _FLOAT),
                    np.asarray(sin_norm, _FLOAT),
                )
            )

    def _text(self, operation: int | None) -> str | None:
        return None if operation is None else self._operations[operation]

    def take(self) -> tuple[pa.Table, pa.Table]:
        """Return metrics and spectra gathered so far, and start anew."""
        taken = (
            pa.concat_tables([METRIC_SCHEMA.empty_table(), *self._metrics]).unify_dictionaries(),
            pa.concat_tables([SPECTRA_SCHEMA.empty_table(), *self._spectra]).unify_dictionaries(),
        )
        self._metrics, self._spectra = [], []
        return taken


def _table(schema: pa.Schema, *arrays: Any) -> pa.Table:
    fields = zip(schema, arrays, strict=True)
    return pa.Table.from_arrays([pa.array(a, field.type) for field, a in fields], schema=schema)
