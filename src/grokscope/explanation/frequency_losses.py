"""The loss without each single frequency: which of them does the network depend on?"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
from jaxtyping import Float

from grokscope.explanation.ablation import class_axis
from grokscope.explanation.network import NetworkInBasis
from grokscope.explanation.outcome import Outcome
from grokscope.fourier.characters import Characters, remove, remove_others
from grokscope.fourier.waves import all_frequencies

DEPENDENT: Final = 2.0
"""Factor on the loss over all pairs from which a network depends on a frequency."""

Table = Float[np.ndarray, "p column"]


@dataclass(frozen=True)
class FrequencyLosses:
    """Loss and accuracy without one frequency at a time.

    **Arguments:**

    - `full`: the network as it is.
    - `embedding`: without k = 1 … ⌊n/2⌋ in W_E, in this order.
    - `logits`: without k along the class axis of the logits.
    - `keys`: the key frequencies.
    """

    full: Outcome
    embedding: tuple[Outcome, ...]
    logits: tuple[Outcome, ...]
    keys: tuple[int, ...]

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
        return tuple(
            k
            for k, outcome in enumerate(outcomes, 1)
            if k not in self.keys and outcome.loss.all > bound
        )


def frequency_losses(network: NetworkInBasis, frequencies: Sequence[int]) -> FrequencyLosses:
    """Remove every frequency by itself, from W_E and from the class axis of the logits.

    Of a frequency that is no key, only what the keys do not hold is removed: the characters of a
    coordinate that is not injective overlap, and removing any of them would hurt all keys.

    **Arguments:** the network and its structure; the key frequencies.
    """
    basis = network.basis
    table, run = class_axis(network.logits)
    return FrequencyLosses(
        full=network.full,
        embedding=_without(network, basis.inputs, frequencies, network.embedding, network.run),
        logits=_without(network, basis.answers, frequencies, table, run),
        keys=tuple(int(k) for k in frequencies),
    )


def _without(
    network: NetworkInBasis,
    characters: Characters,
    keys: Sequence[int],
    table: Table,
    run: Callable[[Table], Float[np.ndarray, "p p class"]],
) -> tuple[Outcome, ...]:
    """Outcomes without each frequency of one table."""

    def without(k: int) -> Table:
        if k in keys:
            return remove(characters, [k], table)
        return remove_others(characters, keys, [k], table)

    return tuple(network.score(run(without(k))) for k in all_frequencies(network.basis.n))
