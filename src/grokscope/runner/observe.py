"""What is measured while a network trains: compiled into its program, kept as long rows."""

import functools
from collections.abc import Callable, Sequence
from typing import Any, Final, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
import pyarrow as pa
from jaxtyping import Array, Bool, Float, Int, Int8

from grokscope.disk.metrics import METRIC_SCHEMA, SPECTRA_SCHEMA
from grokscope.fourier.basis import Basis
from grokscope.fourier.spectrum import ADDITIVE, Spectrum, spectrum
from grokscope.measures import MATCHED, TABLES, l2_norm, recorded
from grokscope.measures.predictions import cross_entropy, is_right
from grokscope.models import Model, named_weights
from grokscope.runner.matched import MatchedView, matched_columns
from grokscope.runner.table_a4 import LOSSES, Seen
from grokscope.tasks import TEST_LEAKED, TEST_UNLEAKED, TRAIN

PAIRS_PER_BLOCK: Final = 16384
"""Pairs that are evaluated at a time, so that memory does not grow with p²."""
SIDES: Final = ("train", "test", "unleaked")


class Observed(NamedTuple):
    """What the observer must know of a run."""

    tokens: Int[Array, "task pair pos"]
    labels: Int[Array, "task pair"]
    kind: Int8[Array, "task pair"]
    """The side of each pair in each operation, as in `Split.kind`."""
    due: Bool[Array, ""]
    """Whether the losses of Table A.4 are wanted this time; they are costly."""
    views: tuple[MatchedView | None, ...]
    """Per operation the basis that fits it, where one is known."""


class Column(NamedTuple):
    """One number of an observation: which measure, of which matrix, in which basis."""

    measure: str
    matrix: str | None = None
    basis: str | None = None
    operation: str | None = None
    """Which one of a mixture; None for a number of the whole network."""

    @property
    def name(self) -> str:
        """All in one; the additive basis goes without saying."""
        return " ".join(word for word in self if word not in (None, ADDITIVE))


Norms = tuple[Float[Any, "freq"], Float[Any, "freq"]]
"""Cosine and sine norms of one table."""


class Observation(NamedTuple):
    """One evaluation of one run."""

    values: Float[Array, "column"]
    """In the order of `columns`; nan where undefined."""
    spectra: dict[str, Norms]
    """Of each table in `TABLES`."""
    matched: tuple[dict[str, Norms], ...]
    """The same per operation in the basis that fits it; empty where none is known."""
    losses: tuple[Float[Array, "column"], ...]
    """Table A.4 per operation, in the order of `table_a4.LOSSES`, nan when not due; empty as
    `matched`."""


def columns(
    model: Model, operations: Sequence[str], matched: Sequence[Basis | None]
) -> list[Column]:
    """Return what the values of an observation are, in their order.

    **Arguments:**

    - `model`: any network of the run.
    - `operations`: texts of the operations; where there is one, its numbers are those of the run.
    - `matched`: per operation the basis that fits it, where one is known.
    """
    names = [None] if len(operations) == 1 else [None, *operations]
    predictions = [
        Column(f"{side}_{kind}", operation=name)
        for name in names
        for kind in ("accuracy", "loss", "probability")
        for side in SIDES
    ]
    norms = [Column("l2_norm", name) for name in named_weights(model)]
    measures = [Column(m.key, table, ADDITIVE) for table in TABLES for m in recorded(ADDITIVE)]
    for name, basis in zip(names[-len(operations) :], matched, strict=True):
        measures += [Column(*c, name) for c in ([] if basis is None else matched_columns(basis))]
    return predictions + norms + measures


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
        numbers = [a.reshape(n_tasks, -1) for a in (right, loss, jnp.exp(-loss))]
        sides = _sides(observed.kind)
        predictions = _means(numbers, sides)
        if n_tasks > 1:
            for i in range(n_tasks):
                predictions += _means([a[i] for a in numbers], [side[i] for side in sides])
        norms = [l2_norm(W) for W in named_weights(model).values()]
        spectra = {name: spectrum(W) for name, W in tables(model, p).items()}
        measures = [measure.of(s, eta) for s in spectra.values() for measure in recorded(ADDITIVE)]
        of_task = [None] * n_tasks if logits is None else logits.reshape(n_tasks, p * p, -1)
        matched, losses = [], []
        for view, kind, known in zip(observed.views, observed.kind, of_task, strict=True):
            if view is None:
                matched.append({})
                losses.append(jnp.zeros(0))
                continue
            found = view.spectra(tables(model, p))
            matched.append(_norms(found))
            measures += view.measures(found, eta)
            seen = Seen(model, view.keys(found, eta), kind, known)
            losses.append(view.losses(seen, observed.due))
        values = jnp.stack([*predictions, *norms, *measures])
        return Observation(values, _norms(spectra), tuple(matched), tuple(losses))

    return observe


def _norms(spectra: dict[str, Spectrum]) -> dict[str, Norms]:
    return {name: found.norms for name, found in spectra.items()}


def _means(numbers: Sequence[Array], sides: Sequence[Array]) -> list[Float[Array, ""]]:
    """Return the mean of every number over every side."""
    return [_mean(number.reshape(-1), side.reshape(-1)) for number in numbers for side in sides]


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


def _sides(kind: Int8[Array, "task pair"]) -> list[Bool[Array, "task pair"]]:
    return [kind == TRAIN, kind >= TEST_LEAKED, kind == TEST_UNLEAKED]


def _mean(values: Float[Array, "example"], side: Bool[Array, "example"]) -> Float[Array, ""]:
    """Return the mean over the examples of one side; nan when there is none."""
    count = jnp.sum(side).astype(values.dtype)
    return jnp.sum(jnp.where(side, values, 0.0)) / count


_FLOAT: Final = np.float64


class Rows:
    """Rows of metrics and spectra since the last save."""

    def __init__(self, columns: list[Column], operations: Sequence[str]) -> None:
        self._columns = columns
        # the numbers of a single operation are those of the whole network
        self._names = operations if len(operations) > 1 else [None]
        self._metrics: list[pa.Table] = []
        self._spectra: list[pa.Table] = []

    def add_metrics(self, seed: int, step: int, values: Float[np.ndarray, "column"]) -> None:
        """Add one evaluation of one seed."""
        self._add(seed, step, self._columns, values)

    def add_losses(self, seed: int, step: int, observation: Observation) -> None:
        """Add Table A.4 of one evaluation of one seed, for each operation that has one."""
        for name, losses in zip(self._names, observation.losses, strict=True):
            if len(losses):
                columns = [Column(loss, operation=name) for loss in LOSSES]
                self._add(seed, step, columns, losses)

    def _add(self, seed: int, step: int, columns: list[Column], values: Any) -> None:
        measure, matrix, basis, operation = zip(*columns, strict=True)
        n, values = len(columns), np.asarray(values, _FLOAT)
        self._metrics.append(
            _table(METRIC_SCHEMA, [seed] * n, [step] * n, measure, matrix, basis, operation, values)
        )

    def add_spectra(self, seed: int, step: int, observation: Observation) -> None:
        """Add the spectra of one evaluation of one seed, in every basis."""
        found = [(ADDITIVE, None, matrix, *s) for matrix, s in observation.spectra.items()]
        for name, of_tables in zip(self._names, observation.matched, strict=True):
            found += [(MATCHED, name, matrix, *s) for matrix, s in of_tables.items()]
        for basis, operation, matrix, cos_norm, sin_norm in found:
            n = len(cos_norm)
            self._spectra.append(
                _table(
                    SPECTRA_SCHEMA,
                    [seed] * n,
                    [step] * n,
                    [matrix] * n,
                    [basis] * n,
                    [operation] * n,
                    np.arange(1, n + 1),
                    np.asarray(cos_norm, _FLOAT),
                    np.asarray(sin_norm, _FLOAT),
                )
            )

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
