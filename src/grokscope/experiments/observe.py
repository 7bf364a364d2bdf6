"""What is measured while a network trains: one function, compiled into the training program."""

from collections.abc import Callable
from typing import Final, NamedTuple

import jax
import jax.numpy as jnp
from jaxtyping import Array, Bool, Float, Int, Int8

from grokscope.config import RunConfig
from grokscope.measures import MEASURES, l2_norm
from grokscope.models import Model, named_weights
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


class Column(NamedTuple):
    """One number of an observation: which measure, of which matrix, in which basis."""

    measure: str
    matrix: str | None = None
    basis: str | None = None


class Observation(NamedTuple):
    """One evaluation of one run."""

    values: Float[Array, "column"]
    """In the order of `columns`; nan where undefined."""
    spectra: dict[str, Spectrum]
    """Of each table in `TABLES`."""


def columns(model: Model) -> list[Column]:
    """Return what the values of an observation are, in their order."""
    predictions = [Column(f"{s}_{m}") for m in ("accuracy", "loss", "probability") for s in SIDES]
    norms = [Column("l2_norm", name) for name in named_weights(model)]
    measures = [Column(key, table, BASIS) for table in TABLES for key in RECORDED]
    return predictions + norms + measures


def tables(model: Model, p: int) -> dict[str, Float[Array, "p column"]]:
    """Return the tables over residues: W_E without operator tokens, and W_L = W_U·W_out."""
    return {"W_E": model.W_E[:p], "W_L": model.neuron_logit_map}


def make_observer(config: RunConfig, task: Task) -> Callable[[Model, Observed], Observation]:
    """Return the function (model, observed) → `Observation` for runs of this configuration."""
    tokens = jnp.asarray(task.tokens().reshape(-1, 3))

    def observe(model: Model, observed: Observed) -> Observation:
        loss, right = _predictions(model, tokens, observed.labels.reshape(-1))
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
        return Observation(jnp.stack([*predictions, *norms, *measures]), spectra)

    return observe


def _predictions(
    model: Model, tokens: Int[Array, "example pos"], labels: Int[Array, "example"]
) -> tuple[Float[Array, "example"], Float[Array, "example"]]:
    """Return loss and correctness (1 or 0) of every example, block by block."""

    def block(part: tuple[Array, Array]) -> tuple[Array, Array]:
        logits = model(part[0])
        right = jnp.argmax(logits, axis=1) == part[1]
        return cross_entropy(logits, part[1]), right.astype(jnp.float32)

    n = len(labels)
    size = min(n, PAIRS_PER_BLOCK)
    padding = -n % size
    padded = (jnp.pad(tokens, ((0, padding), (0, 0))), jnp.pad(labels, (0, padding)))
    blocks = jax.tree_util.tree_map(lambda a: a.reshape(-1, size, *a.shape[1:]), padded)
    loss, right = jax.lax.map(block, blocks)
    return loss.reshape(-1)[:n], right.reshape(-1)[:n]


def _sides(kind: Int8[Array, "pair"]) -> list[Bool[Array, "pair"]]:
    return [kind == TRAIN, kind >= TEST_LEAKED, kind == TEST_UNLEAKED]


def _mean(values: Float[Array, "example"], side: Bool[Array, "example"]) -> Float[Array, ""]:
    """Return the mean over the examples of one side; nan when there is none."""
    count = jnp.sum(side).astype(values.dtype)
    return jnp.sum(jnp.where(side, values, 0.0)) / count
