"""Keep the key frequencies, or remove them, in W_E, neurons or logits, and see what is answered."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Final, NamedTuple

import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float

from grokscope.explanation.key_shapes import answer_waves, key_shapes
from grokscope.explanation.network import NetworkInBasis
from grokscope.explanation.neurons import last_hidden
from grokscope.explanation.outcome import Outcome, median_outcome
from grokscope.explanation.pairs import over_pairs
from grokscope.explanation.sum_logits import SumLogits
from grokscope.explanation.verdict import AblationScores
from grokscope.fourier.characters import Characters, keep, project, remove, remove_others
from grokscope.models import Model

DRAWS: Final = 20
_ROUND_OFF: Final = 1e-5
"""Share of a table's largest entry beyond P₀ under which an entry is round-off."""

Table = Float[np.ndarray, "p column"]
Run = Callable[[Table], Float[np.ndarray, "p p class"]]
"""An edited table → the logits that it leads to."""


@dataclass(frozen=True)
class Ablation:
    """What remains when frequencies of one place are kept or removed."""

    keep: Outcome
    """Only the keys, the constant and undefined rows are left."""
    remove: Outcome
    """The keys are taken out."""
    control: tuple[Outcome, ...]
    """As many other frequencies, beyond the keys, are taken out; one entry per draw."""
    keep_others: tuple[Outcome, ...]
    """Only as many other frequencies are left; one entry per draw."""
    outside: bool = False
    """Whether the keys fill over half of what the coordinate can tell apart: then all of it is
    kept, and the controls are directions outside."""

    def scores(self, network: NetworkInBasis) -> AblationScores:
        """Return A of each, the medians of the draws; None where no draw is possible."""

        def median(outcomes: Sequence[Outcome]) -> float | None:
            return network.scaled(median_outcome(outcomes)) if outcomes else None

        return AblationScores(
            keep=network.scaled(self.keep),
            remove=network.scaled(self.remove),
            control=median(self.control),
            keep_others=median(self.keep_others),
        )


def ablate_embedding(
    network: NetworkInBasis,
    frequencies: Sequence[int],
    *,
    outside: bool = False,
    draws: int = DRAWS,
) -> Ablation:
    """Keep, remove and control frequencies of W_E; see `ablate`."""
    characters = network.basis.inputs
    return ablate(
        network,
        characters,
        network.embedding,
        network.run,
        frequencies,
        outside=outside,
        draws=draws,
    )


def ablate_logits(
    network: NetworkInBasis,
    frequencies: Sequence[int],
    *,
    outside: bool = False,
    draws: int = DRAWS,
) -> Ablation:
    """Keep, remove and control frequencies along the class axis of the logits; see `ablate`."""
    table, run = class_axis(network.logits)
    return ablate(
        network, network.basis.answers, table, run, frequencies, outside=outside, draws=draws
    )


def class_axis(logits: Float[np.ndarray, "p p class"]) -> tuple[Table, Run]:
    """Return the logits as a table with one row per answer, and what turns it back."""
    table = logits.reshape(-1, logits.shape[2]).T
    return table, lambda edited: edited.T.reshape(logits.shape)


def ablate(
    network: NetworkInBasis,
    characters: Characters,
    table: Table,
    run: Run,
    frequencies: Sequence[int],
    *,
    outside: bool = False,
    draws: int = DRAWS,
) -> Ablation:
    """Return the outcomes of keeping and removing frequencies of a table, with controls.

    **Arguments:**

    - `network`: the network and what is right.
    - `characters`: the basis of the table.
    - `table`: one row per residue or answer.
    - `run`: leads an edited table to logits.
    - `frequencies`: the keys, families included.
    - `outside`: keep or remove everything that the coordinate can tell apart, with controls
      outside; for keys that fill over half of it.
    - `draws`: number of controls of either kind.
    """

    smallest = float(_ROUND_OFF * np.abs(characters.centred(table)).max(initial=0))

    def score(edited: Table) -> Outcome:
        return network.score(run(_without_round_off(characters, edited, smallest)))

    if outside:
        return _ablate_outside(characters, table, score, draws)
    rng = np.random.default_rng(0)
    others = [_draw(rng, characters, frequencies) for _ in range(draws)]
    others = [drawn for drawn in others if drawn]
    return Ablation(
        keep=score(keep(characters, frequencies, table)),
        remove=score(remove(characters, frequencies, table)),
        control=tuple(
            score(remove_others(characters, frequencies, drawn, table)) for drawn in others
        ),
        keep_others=tuple(score(keep(characters, drawn, table)) for drawn in others),
    )


def _without_round_off(characters: Characters, table: Table, smallest: float) -> Table:
    """Return the table with what is too small beyond P₀ set to 0.

    Accuracy has no scale: without this the digits that float32 rounded, which depend on the
    residue, would answer where nothing else is left.
    """
    free = project(characters.free, table)
    beyond = table - free
    return free + np.where(np.abs(beyond) > smallest, beyond, 0.0)


def _draw(
    rng: np.random.Generator, characters: Characters, frequencies: Sequence[int]
) -> list[int]:
    """As many other frequencies as there are keys, or all others where they are fewer."""
    others = np.setdiff1d(np.arange(1, characters.n_frequencies + 1), frequencies)
    return rng.permutation(others)[: len(frequencies)].tolist()


def _ablate_outside(
    characters: Characters, table: Table, score: Callable[[Table], Outcome], draws: int
) -> Ablation:
    """Keep or remove all functions of the coordinate; controls are directions that are none."""
    every = range(1, characters.n_frequencies + 1)
    known = characters.basis(every)
    rng = np.random.default_rng(0)
    controls = []
    room = len(table) - known.shape[1]
    for _ in range(draws if room else 0):
        random = rng.normal(size=(len(table), min(room, characters.dimensions)))
        basis, _ = np.linalg.qr(random - project(known, random))
        controls.append(basis)
    return Ablation(
        keep=score(keep(characters, every, table)),
        remove=score(remove(characters, every, table)),
        control=tuple(score(table - project(basis, table)) for basis in controls),
        keep_others=tuple(
            score(project(np.concatenate([characters.free, basis], axis=1), table))
            for basis in controls
        ),
        outside=True,
    )


def keep_both(
    network: NetworkInBasis, in_embedding: Sequence[int], in_logits: Sequence[int]
) -> Outcome:
    """Keep frequencies of W_E and, of the logits that it leads to, of the class axis."""
    kept = keep(network.basis.inputs, in_embedding, network.embedding)
    table, run = class_axis(network.run(kept))
    return network.score(run(keep(network.basis.answers, in_logits, table)))


def dose_response(
    network: NetworkInBasis, families: Sequence[Sequence[int]]
) -> list[tuple[Outcome, Outcome]]:
    """Remove one family at a time, from W_E, and from the class axis of the logits."""
    basis = network.basis
    table, run = class_axis(network.logits)
    return [
        (
            network.score(network.run(remove(basis.inputs, family, network.embedding))),
            network.score(run(remove(basis.answers, family, table))),
        )
        for family in families
    ]


def ablate_neurons(
    network: NetworkInBasis, frequencies: Sequence[int], *, draws: int = DRAWS
) -> Ablation:
    """Keep, remove and control frequencies of the neurons that write to the logits.

    A neuron's activation over the pairs is projected on the 3×3 blocks of the frequencies:
    (1, cos ku, sin ku) times (1, cos kv, sin kv). What reaches the logits past the last neurons
    stays as it is. A control removes what as many other frequencies hold beyond the keys.

    **Arguments:** the network and its structure; the keys; number of controls.
    """
    written = _written(network.model, network.operation_index)
    direct = network.logits - written
    grid = _Grid(network, written)

    def score(part: Float[np.ndarray, "p p class"]) -> Outcome:
        return network.score(direct + part)

    kept, constant = grid.part(frequencies), grid.part(())
    rng = np.random.default_rng(0)
    other = np.setdiff1d(np.arange(1, network.basis.n // 2 + 1), frequencies)
    drawn = [rng.permutation(other)[: len(frequencies)].tolist() for _ in range(draws)]
    drawn = [others for others in drawn if others]
    beyond = (grid.part([*frequencies, *others]) - kept for others in drawn)
    return Ablation(
        keep=score(kept),
        remove=score(written - (kept - constant)),
        control=tuple(score(written - part) for part in beyond),
        keep_others=tuple(score(grid.part(others)) for others in drawn),
    )


def keep_everywhere(
    network: NetworkInBasis,
    embedding: Float[np.ndarray, "p d_model"],
    frequencies: Sequence[int],
) -> Outcome:
    """Return the outcome of an edited embedding with neurons and class axis projected on keys."""
    logits = network.run(embedding)
    written = _written(network.with_embedding(embedding), network.operation_index)
    kept = logits - written + _Grid(network, written).part(frequencies)
    answers = network.basis.answers.basis(frequencies)
    return network.score(kept @ answers @ answers.T)


def _written(model: Model, operation_index: int) -> Float[np.ndarray, "p p class"]:
    """What the neurons of the last hidden layer write to the logits, at [x, y, answer]."""
    hidden, W_L = last_hidden(model), model.neuron_logit_map

    def read(logits: Array, activations: dict[str, Array]) -> Array:
        return jnp.einsum("nm,cm->nc", hidden(logits, activations), W_L)

    return np.concatenate(list(over_pairs(model, read, operation_index)))


class _Grid:
    """Functions of defined x and y, projected on blocks of frequencies.

    The projection acts on the pairs, so that it can be applied to what the neurons write
    instead of to each neuron; and it is made of one factor for x and one for y.
    """

    def __init__(self, network: NetworkInBasis, written: Float[np.ndarray, "p p class"]) -> None:
        structure = network.basis.structure
        self._written = written
        rows, columns = (np.flatnonzero(w >= 0) for w in (structure.u, structure.v))
        self._here = np.ix_(rows, columns)
        self._values = written[self._here].astype(np.float64)
        parts = network.basis.inputs.parts
        self._of_x, self._of_y = _triples(parts[0][:, rows]), _triples(parts[-1][:, columns])

    def part(self, frequencies: Sequence[int]) -> Float[np.ndarray, "p p class"]:
        """Return the part in the blocks of some frequencies, and the constant.

        Pairs at which the structure is undefined keep all that they have.
        """
        whole = self._written.copy()
        chosen = [k - 1 for k in frequencies]
        whole[self._here] = (
            self._blocks(self._of_x[chosen], self._of_y[chosen])
            if chosen
            else self._values.mean(axis=(0, 1))
        )
        return whole

    def _blocks(
        self, x: Float[np.ndarray, "freq p 3"], y: Float[np.ndarray, "freq p 3"]
    ) -> Float[np.ndarray, "p p class"]:
        """P = C (CᵀC)⁺ Cᵀ with C = X ⊗ Y; blocks of a coordinate that is not injective overlap."""
        along_x = np.einsum("kai,abc->kibc", x, self._values, optimize=True)
        found = np.einsum("kibc,kbj->kijc", along_x, y, optimize=True)
        gram = np.einsum("kai,lam,kbj,lbn->kijlmn", x, x, y, y, optimize=True)
        size = 9 * len(x)
        inverse = np.linalg.pinv(gram.reshape(size, size), rcond=1e-9, hermitian=True)
        fitted = (inverse @ found.reshape(size, -1)).reshape(found.shape)
        along_y = np.einsum("kijc,kbj->kibc", fitted, y, optimize=True)
        return np.einsum("kai,kibc->abc", x, along_y, optimize=True)


def _triples(planes: Float[np.ndarray, "freq p 2"]) -> Float[np.ndarray, "freq p 3"]:
    """1, cosine and sine of every frequency."""
    return np.concatenate([np.ones((*planes.shape[:2], 1)), planes], axis=2)


class Repair(NamedTuple):
    """The class axis with only the keys kept, and the bias of the answers replaced."""

    predicted: Outcome
    """By −½ z(c)·Q·z(c), which follows from the keys' shapes; no number is fitted."""
    permuted: Outcome
    """By the same numbers in a random order of the answers, the median of the draws."""


def norm_bias(network: NetworkInBasis, frequencies: Sequence[int]) -> Float[np.ndarray, "class"]:
    """Return −½ z(c)·Q·z(c) per answer, without its mean; 0 for those that no sum leads to.

    Answers are points z(c), made of the keys' waves; if the largest logit is to be that of the
    nearest point, the product of sum and answer lacks half the answer's squared norm. On circles
    it is the same for all answers, on ellipses and lines it is not.

    **Arguments:** the network and its structure; the keys whose shapes in the logits are read.
    """
    waves = answer_waves(network, frequencies)
    bias = np.zeros(len(waves))
    for i, found in enumerate(key_shapes(network, frequencies)):
        wave = waves[:, 2 * i : 2 * i + 2]
        bias -= 0.5 * np.sum((wave @ ((found.block + found.block.T) / 2)) * wave, axis=1)
    return _everywhere(network, bias - bias.mean())


def repair_logits(
    network: NetworkInBasis, kept: Sequence[int], keys: Sequence[int], draws: int = DRAWS
) -> Repair:
    """Keep frequencies of the class axis and replace the bias of the answers by the predicted.

    Where this restores what keeping alone loses, the rest of the readout stood in for this bias.

    **Arguments:** the network and its structure; frequencies to keep; keys whose shapes predict
    the bias; random orders.
    """
    table, run = class_axis(network.logits)
    logits = run(keep(network.basis.answers, kept, table))
    centred = logits - _everywhere(
        network, SumLogits.of(network.basis, network.defined, logits).bias
    )
    bias = norm_bias(network, keys)
    inside = np.flatnonzero(network.basis.answers.inside)
    rng = np.random.default_rng(0)
    outcomes = []
    for _ in range(draws):
        shuffled = bias.copy()
        shuffled[inside] = bias[rng.permutation(inside)]
        outcomes.append(network.score(centred + shuffled))
    return Repair(network.score(centred + bias), median_outcome(outcomes))


def _everywhere(
    network: NetworkInBasis, values: Float[np.ndarray, "..."]
) -> Float[np.ndarray, "class"]:
    whole = np.zeros(network.p)
    whole[network.basis.answers.inside] = values
    return whole
