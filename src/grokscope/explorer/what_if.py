"""The bench for ablations: keep, remove or turn keys, silence neurons, and see what is answered."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Final, Literal

import numpy as np
from jaxtyping import Int

from grokscope.errors import UsageError
from grokscope.explanation.ablation import EditableTable
from grokscope.explanation.findings import Outcome
from grokscope.explanation.in_basis import NetworkInBasis
from grokscope.explanation.network import Rows
from grokscope.explanation.neuron_ablation import WrittenBlocks
from grokscope.explanation.pairs import Logits
from grokscope.explorer.subject import Subject
from grokscope.fourier.characters import Table, keep, remove, turn
from grokscope.models import AnyModel, named_weights, with_weights
from grokscope.numerics import computing

Action = Literal["nothing", "keep", "remove"]
ACTIONS: Final[tuple[Action, ...]] = ("nothing", "keep", "remove")
Position = Literal["x", "y", "x and y"]
POSITIONS: Final[tuple[Position, ...]] = ("x", "y", "x and y")


@dataclass(frozen=True)
class Turn:
    """A key that is turned in W_E: cos(ku) becomes cos(ku + angle).

    **Arguments:** the frequency; the angle in degrees; for which residues.
    """

    frequency: int
    angle: float | int
    at: Position = "x"


@dataclass(frozen=True)
class Edits:
    """What is changed.

    **Arguments:**

    - `frequencies`: the keys, 1 … ⌊n/2⌋.
    - `W_E`, `neurons`, `logits`: what is done with them there; `keep` leaves only them and the
      constant.
    - `turned`: a key that is turned in W_E, after that.
    - `silenced`: neurons of the last hidden layer that write nothing.
    """

    frequencies: tuple[int, ...] = ()
    W_E: Action = "nothing"
    neurons: Action = "nothing"
    logits: Action = "nothing"
    turned: Turn | None = None
    silenced: tuple[int, ...] = field(default=())


@dataclass(frozen=True, eq=False)
class WhatIf:
    """What a network answers after edits, beside what it answers as it is.

    **Arguments:**

    - `before`, `after`: how right it is.
    - `labels`, `answers`: at [x, y]; labels are −1 where the operation is undefined.
    """

    before: Outcome
    after: Outcome
    labels: Int[np.ndarray, "p p"]
    answers: Int[np.ndarray, "p p"]

    @property
    def confusion(self) -> Int[np.ndarray, "p p"]:
        """How many pairs with the right answer [row] are answered with [column]."""
        p, known = len(self.labels), self.labels >= 0
        found = np.zeros((p, p), int)
        np.add.at(found, (self.labels[known], self.answers[known]), 1)
        return found


@computing()
def what_if(subject: Subject, model: AnyModel, edits: Edits) -> WhatIf:
    """Return what a network answers after some edits.

    **Arguments:** whose network; the network; what is changed.

    **Raises:** `UsageError` for a frequency or neuron that is not there.
    """
    _check(subject, model, edits)
    whole = subject.in_basis(model)
    network = subject.in_basis(silenced(model, edits.silenced)) if edits.silenced else whole
    logits = _edited(network, edits)
    return WhatIf(whole.full, whole.score(logits), subject.labels, logits.argmax(axis=2))


def silenced(model: AnyModel, neurons: Sequence[int]) -> AnyModel:
    """Return a network of whose last hidden layer some neurons write nothing."""
    weights = dict(named_weights(model))
    # the neurons of an imported MLP write to the answers at once
    name = max((n for n in weights if n.startswith("W_out")), default="W_U", key=_layer)
    # where the mean over positions is read, the neurons of each are counted one after the other
    chosen = np.asarray(neurons, int) % len(weights[name])
    weights[name] = weights[name].at[chosen].set(0)
    return with_weights(model, weights)


def _layer(name: str) -> int:
    return int(name.partition(".")[2] or 0)


def _edited(network: NetworkInBasis, edits: Edits) -> Logits:
    """Return the logits after W_E, neurons and the class axis were edited, in this order."""
    of_x, of_y = _rows(network, edits)
    if edits.neurons == "nothing":
        logits = network.run(of_y, of_x)
    else:
        logits = _with_neurons(network, of_x, of_y, edits)
    if edits.logits == "nothing":
        return logits
    table = EditableTable.of_logits(network, logits)
    change = keep if edits.logits == "keep" else remove
    return table.logits_of(change(table.characters, edits.frequencies, table.rows))


def _rows(network: NetworkInBasis, edits: Edits) -> tuple[Table, Table]:
    """Return what stands for the residues at x and at y."""
    rows, inputs = network.embedding, network.basis.inputs
    if edits.W_E != "nothing":
        rows = (keep if edits.W_E == "keep" else remove)(inputs, edits.frequencies, rows)
    of_x = of_y = rows
    if edits.turned is not None:
        turned = edits.turned
        angle = np.deg2rad(turned.angle)
        if turned.at != "y":
            of_x = turn(inputs, turned.frequency, angle, rows, 0)
        if turned.at != "x":
            of_y = turn(inputs, turned.frequency, angle, rows, -1)
    return of_x, of_y


def _with_neurons(network: NetworkInBasis, of_x: Table, of_y: Table, edits: Edits) -> Logits:
    """Return the logits with frequencies of the neurons kept or removed."""
    known = network.network
    if known.written_of is None:
        raise UsageError("the neurons of this network cannot be replaced")
    written = known.written_of(Rows(known.of_x(of_x), known.of_y(of_y)))
    blocks = WrittenBlocks(network, written.values)
    kept = blocks.part(edits.frequencies)
    if edits.neurons == "keep":
        return written.logits(kept)
    return written.logits(written.values - (kept - blocks.part(())))


def _check(subject: Subject, model: AnyModel, edits: Edits) -> None:
    most = subject.basis.inputs.n_frequencies
    turned = () if edits.turned is None else (edits.turned.frequency,)
    for k in (*edits.frequencies, *turned):
        if not 1 <= k <= most:
            raise UsageError("there is no such frequency", got=k, allowed=f"1 to {most}")
    width = model.neuron_logit_map.shape[1]
    for neuron in edits.silenced:
        if not 0 <= neuron < width:
            raise UsageError("there is no such neuron", got=neuron, allowed=f"0 to {width - 1}")
