"""Keep the key frequencies of W_E or of the logits, or remove them, and see what is answered."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Final, NamedTuple

import numpy as np

from grokscope.explanation.ellipse import norm_bias
from grokscope.explanation.findings import Outcome, median_outcome
from grokscope.explanation.in_basis import NetworkInBasis, SumLogits, characters_at
from grokscope.explanation.pairs import Logits
from grokscope.explanation.verdict import AblationScores, Place
from grokscope.fourier.characters import Characters, Table, keep, project, remove, remove_others
from grokscope.fourier.waves import all_frequencies

DRAWS: Final = 20
DEPENDENT: Final = 2.0
"""Factor on the loss over all pairs from which a network depends on a frequency."""
_ROUND_OFF: Final = 1e-5
"""Share of a table's largest entry beyond P₀ under which an entry is round-off."""


@dataclass(frozen=True, eq=False)
class EditableTable:
    """A table in which frequencies are kept and removed: W_E, or logits by their class axis.

    **Arguments:**

    - `network`: the network and what is right.
    - `characters`: the basis of the table.
    - `rows`: one row per residue or answer.
    - `logits_of`: leads an edited table to logits.
    """

    network: NetworkInBasis
    characters: Characters
    rows: Table
    logits_of: Callable[[Table], Logits]

    @classmethod
    def at(cls, network: NetworkInBasis, place: Place) -> "EditableTable":
        """Return the table of a network's place."""
        if place is Place.LOGITS:
            return cls.of_logits(network, network.logits)
        inputs = characters_at(network.basis, place)
        return cls(network, inputs, network.embedding, network.run)

    @classmethod
    def of_logits(cls, network: NetworkInBasis, logits: Logits) -> "EditableTable":
        """Return logits as a table with one row per answer."""
        rows = logits.reshape(-1, logits.shape[2]).T
        answers = characters_at(network.basis, Place.LOGITS)
        return cls(network, answers, rows, lambda edited: edited.T.reshape(logits.shape))

    def kept(self, frequencies: Sequence[int]) -> Logits:
        """Return the logits with only some frequencies left."""
        return self.logits_of(keep(self.characters, frequencies, self.rows))

    def score_without(self, frequencies: Sequence[int]) -> Outcome:
        """Return the outcome of taking some frequencies out."""
        return self.score(remove(self.characters, frequencies, self.rows))

    def score(self, edited: Table) -> Outcome:
        """Return the outcome of an edited table."""
        return self.network.score(self.logits_of(edited))

    def score_rounded(self, edited: Table) -> Outcome:
        """Return the outcome of an edited table in which what is too small beyond P₀ is 0.

        Accuracy has no scale: without this the digits that float32 rounded, which depend on the
        residue, would answer where nothing else is left.
        """
        free = project(self.characters.free, edited)
        beyond = edited - free
        return self.score(free + np.where(np.abs(beyond) > self._smallest, beyond, 0.0))

    @cached_property
    def _smallest(self) -> float:
        return float(_ROUND_OFF * np.abs(self.characters.centred(self.rows)).max(initial=0))


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


def ablate(
    table: EditableTable, frequencies: Sequence[int], *, outside: bool = False, draws: int = DRAWS
) -> Ablation:
    """Return the outcomes of keeping and removing frequencies of a table, with controls.

    **Arguments:**

    - `table`: of one place of a network.
    - `frequencies`: the keys, families included.
    - `outside`: keep or remove everything that the coordinate can tell apart, with controls
      outside; for keys that fill over half of it.
    - `draws`: number of controls of either kind.
    """
    if outside:
        return _ablate_outside(table, draws)
    characters, rows, score = table.characters, table.rows, table.score_rounded
    drawn = draw_others(frequencies, characters.n_frequencies, draws)
    return Ablation(
        keep=score(keep(characters, frequencies, rows)),
        remove=score(remove(characters, frequencies, rows)),
        control=tuple(score(remove_others(characters, frequencies, o, rows)) for o in drawn),
        keep_others=tuple(score(keep(characters, others, rows)) for others in drawn),
    )


def keep_directions(
    table: EditableTable, frequencies: Sequence[int], draws: int = DRAWS
) -> tuple[Outcome, ...]:
    """Keep as many random directions as the keys have, at the energy of the keys.

    Where nearly all of a table is kept its answers are kept whatever the directions are; then
    those that the keys keep do not show that it uses them.

    **Arguments:** a table of one place of a network; the keys; how often to draw.
    """
    characters, rows = table.characters, table.rows
    free, inside = characters.free, np.flatnonzero(characters.inside)
    constant = project(free, rows)
    energy = np.linalg.norm(keep(characters, frequencies, rows) - constant)
    room = len(inside) - 1
    count = min(characters.span(frequencies).shape[1], room)
    rng = np.random.default_rng(0)
    outcomes = []
    for _ in range(draws if count else 0):
        random = np.zeros((len(rows), count))
        random[inside] = rng.normal(size=(len(inside), count))
        directions, _ = np.linalg.qr(random - project(free, random))
        beyond = project(directions, rows)
        scale = energy / max(float(np.linalg.norm(beyond)), 1e-30)
        outcomes.append(table.score_rounded(constant + scale * beyond))
    return tuple(outcomes)


def draw_others(keys: Sequence[int], n_frequencies: int, draws: int) -> list[list[int]]:
    """Draw as many other frequencies as there are keys, or all others where they are fewer.

    **Arguments:** the keys; ⌊n/2⌋; how often to draw.

    **Returns:** a list per draw; no lists where there are no keys, or no others.
    """
    rng = np.random.default_rng(0)
    others = np.setdiff1d(np.arange(1, n_frequencies + 1), keys)
    drawn = [rng.permutation(others)[: len(keys)].tolist() for _ in range(draws)]
    return [frequencies for frequencies in drawn if frequencies]


def _ablate_outside(table: EditableTable, draws: int) -> Ablation:
    """Keep or remove all functions of the coordinate; controls are directions that are none."""
    characters, rows, score = table.characters, table.rows, table.score_rounded
    every = range(1, characters.n_frequencies + 1)
    known = characters.basis(every)
    rng = np.random.default_rng(0)
    controls = []
    room = len(rows) - known.shape[1]
    for _ in range(draws if room else 0):
        random = rng.normal(size=(len(rows), min(room, characters.dimensions)))
        directions, _ = np.linalg.qr(random - project(known, random))
        controls.append(directions)
    kept = [np.concatenate([characters.free, directions], axis=1) for directions in controls]
    return Ablation(
        keep=score(keep(characters, every, rows)),
        remove=score(remove(characters, every, rows)),
        control=tuple(score(rows - project(directions, rows)) for directions in controls),
        keep_others=tuple(score(project(directions, rows)) for directions in kept),
        outside=True,
    )


def keep_both(
    network: NetworkInBasis, in_embedding: Sequence[int], in_logits: Sequence[int]
) -> Outcome:
    """Keep frequencies of W_E and, of the logits that it leads to, of the class axis."""
    logits = EditableTable.at(network, Place.EMBEDDING).kept(in_embedding)
    return network.score(EditableTable.of_logits(network, logits).kept(in_logits))


@dataclass(frozen=True)
class FrequencyLosses:
    """Loss and accuracy without one frequency at a time.

    **Arguments:**

    - `full`: the network as it is.
    - `keys`: the key frequencies.
    - `logits`: without k = 1 … ⌊n/2⌋ along the class axis of the logits, in this order.
    - `embedding`: without k in W_E; empty where the network has none.
    """

    full: Outcome
    keys: tuple[int, ...]
    logits: tuple[Outcome, ...]
    embedding: tuple[Outcome, ...] = ()

    @property
    def dependent_in_embedding(self) -> tuple[int, ...]:
        """Frequencies that are no keys, but whose removal from W_E alone raises the loss."""
        return self._dependent(self.embedding)

    @property
    def dependent_in_logits(self) -> tuple[int, ...]:
        """The same along the class axis."""
        return self._dependent(self.logits)

    @property
    def dependent(self) -> tuple[int, ...]:
        """Those of either place: the loss on all pairs is above twice that of the network.

        **Source:** Furuta et al., arXiv 2402.16726, Figure A.12.
        """
        return tuple(sorted({*self.dependent_in_embedding, *self.dependent_in_logits}))

    def _dependent(self, outcomes: Sequence[Outcome]) -> tuple[int, ...]:
        bound = DEPENDENT * self.full.loss.all
        found = (k for k, outcome in enumerate(outcomes, 1) if outcome.loss.all > bound)
        return tuple(k for k in found if k not in self.keys)


def frequency_losses(network: NetworkInBasis, frequencies: Sequence[int]) -> FrequencyLosses:
    """Remove every frequency by itself, from W_E and from the class axis of the logits.

    Of a frequency that is no key, only what the keys do not hold is removed: the characters of a
    coordinate that is not injective overlap, and removing any of them would hurt all keys.

    **Arguments:** the network and its structure; the key frequencies.
    """

    def without_each(table: EditableTable) -> tuple[Outcome, ...]:
        characters, rows = table.characters, table.rows
        return tuple(
            table.score_without([k])
            if k in frequencies
            else table.score(remove_others(characters, frequencies, [k], rows))
            for k in all_frequencies(characters.n)
        )

    return FrequencyLosses(
        full=network.full,
        **{
            place.name.lower(): without_each(EditableTable.at(network, place))
            for place in network.matrices
        },
        keys=tuple(int(k) for k in frequencies),
    )


class Repair(NamedTuple):
    """The class axis with only the keys kept, and the bias of the answers replaced."""

    predicted: Outcome
    """By −½ z(c)·Q·z(c), which follows from the keys' shapes; no number is fitted."""
    permuted: Outcome
    """By the same numbers in a random order of the answers, the median of the draws."""


def repair_logits(
    network: NetworkInBasis, kept: Sequence[int], keys: Sequence[int], draws: int = DRAWS
) -> Repair:
    """Keep frequencies of the class axis and replace the bias of the answers by the predicted.

    Where this restores what keeping alone loses, the rest of the readout stood in for this bias.

    **Arguments:** the network and its structure; frequencies to keep; keys whose shapes predict
    the bias; random orders.
    """
    logits = EditableTable.at(network, Place.LOGITS).kept(kept)
    found = SumLogits.of(network.basis, network.defined, logits).bias
    centred = logits - network.of_all_answers(found)
    bias = norm_bias(network, keys)
    inside = np.flatnonzero(network.basis.answers.inside)
    rng = np.random.default_rng(0)
    outcomes = []
    for _ in range(draws):
        shuffled = bias.copy()
        shuffled[inside] = bias[rng.permutation(inside)]
        outcomes.append(network.score(centred + shuffled))
    return Repair(network.score(centred + bias), median_outcome(outcomes))
