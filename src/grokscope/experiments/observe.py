"""What is measured while a network trains: one function, compiled into the training program."""

from collections.abc import Callable
from typing import Final, NamedTuple

import jax
import jax.numpy as jnp
from jaxtyping import Array, Bool, Float, Int, Int8

from grokscope.circuits.matched import Matched
from grokscope.config import RunConfig
from grokscope.experiments.matched_view import MatchedView, matched_columns
from grokscope.experiments.table_a4 import Seen
from grokscope.measures import MEASURES, l2_norm
from grokscope.models import Model, named_weights
from grokscope.spectra.matched import MatchedSpectrum
from grokscope.spectra.spectrum import Spectrum, spectrum
from grokscope.tasks import TEST_LEAKED, TEST_UNLEAKED, TRAIN, Task
from grokscope.training import cross_entropy

PAIRS_PER_BLOCK: Final = 16384
"""Pairs that are evaluated at a time, so that memory does not grow with p²."""
SIDES: Final = ("train", "test", "unleaked")
RECORDED: Final = ("ffs", "fcr", "gini", "ipr")
TABLES: Final = ("W_E", "W_L")
BASIS: Final = "additive"


class Observed(NamedTuple):
    """What the observer must know of a run."""

    labels: Int[Array, "task pair"]
    kind: Int8[Array, "pair"]
    """The side of each pair, as in `Split.kind`."""
    due: Bool[Array, ""]
    """Whether the losses of Table A.4 are wanted this time; they are costly."""


class Column(NamedTuple):
    """One number of an observation: which measure, of which matrix, in which basis."""

    measure: str
    matrix: str | None = None
    basis: str | None = None

    @property
    def name(self) -> str:
        """The three in one; the additive basis goes without saying."""
        return " ".join(word for word in self if word not in (None, BASIS))


class Observation(NamedTuple):
    """One evaluation of one run."""

    values: Float[Array, "column"]
    """In the order of `columns`; nan where undefined."""
    spectra: dict[str, Spectrum]
    """Of each table in `TABLES`."""
    matched: dict[str, MatchedSpectrum]
    """The same in the basis that fits the operation; empty where none is known."""
    losses: Float[Array, "column"]
    """Table A.4, in the order of `table_a4.LOSSES`, nan when not due; empty as `matched`."""


def columns(model: Model, matched: Matched | None = None) -> list[Column]:
    """Return what the values of an observation are, in their order.

    **Arguments:**

    - `model`: any network of the run.
    - `matched`: the basis that fits its operation, where one is known.
    """
    predictions = [Column(f"{s}_{m}") for m in ("accuracy", "loss", "probability") for s in SIDES]
    norms = [Column("l2_norm", name) for name in named_weights(model)]
    measures = [Column(key, table, BASIS) for table in TABLES for key in RECORDED]
    if matched is not None:
        measures += [Column(*column) for column in matched_columns(matched)]
    return predictions + norms + measures


def tables(model: Model, p: int) -> dict[str, Float[Array, "p column"]]:
    """Return the tables over residues: W_E without operator tokens, and W_L = W_U·W_out."""
    return {"W_E": model.W_E[:p], "W_L": model.neuron_logit_map}


def make_observer(
    config: RunConfig, task: Task, matched: Matched | None = None
) -> Callable[[Model, Observed], Observation]:
    """Return the function (model, observed) → `Observation` for runs of this configuration.

    **Arguments:**

    - `config`: the run's.
    - `task`: what is learned.
    - `matched`: the basis that fits a single operation; without one nothing is measured in it.
    """
    tokens = jnp.asarray(task.tokens().reshape(-1, 3))
    view = None if matched is None else MatchedView(matched, task, config.eta)

    def observe(model: Model, observed: Observed) -> Observation:
        loss, right, logits = _predictions(model, tokens, observed.labels.reshape(-1))
        sides = [jnp.tile(side, task.n_tasks) for side in _sides(observed.kind)]
        predictions = [
            _mean(number, side) for number in (right, loss, jnp.exp(-loss)) for side in sides
        ]
        norms = [l2_norm(W) for W in named_weights(model).values()]
        spectra = {name: spectrum(W) for name, W in tables(model, task.p).items()}
        measures = [
            MEASURES[key].of_spectrum(s, task.p, config.eta)
            for s in spectra.values()
            for key in RECORDED
        ]
        seen: dict[str, MatchedSpectrum] = {}
        losses = jnp.zeros(0)
        if view is not None:
            seen = view.spectra(tables(model, task.p))
            measures += view.measures(seen)
            known = Seen(model, view.keys(seen), observed.kind, logits)
            losses = view.losses(known, observed.due)
        return Observation(jnp.stack([*predictions, *norms, *measures]), spectra, seen, losses)

    return observe


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
    right = jnp.argmax(logits, axis=1) == labels
    return cross_entropy(logits, labels), right.astype(jnp.float32)


def _sides(kind: Int8[Array, "pair"]) -> list[Bool[Array, "pair"]]:
    return [kind == TRAIN, kind >= TEST_LEAKED, kind == TEST_UNLEAKED]


def _mean(values: Float[Array, "example"], side: Bool[Array, "example"]) -> Float[Array, ""]:
    """Return the mean over the examples of one side; nan when there is none."""
    count = jnp.sum(side).astype(values.dtype)
    return jnp.sum(jnp.where(side, values, 0.0)) / count
