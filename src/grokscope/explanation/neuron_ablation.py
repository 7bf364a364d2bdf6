"""Keep the key frequencies of the neurons, or remove them, and see what is answered."""

from collections.abc import Sequence

import numpy as np
from jaxtyping import Float

from grokscope.explanation.ablation import DRAWS, Ablation, draw_others
from grokscope.explanation.findings import Outcome
from grokscope.explanation.in_basis import NetworkInBasis

Values = Float[np.ndarray, "p p column"]


def ablate_neurons(
    network: NetworkInBasis, frequencies: Sequence[int], *, draws: int = DRAWS
) -> Ablation:
    """Keep, remove and control frequencies of the neurons that write to the logits.

    A neuron's activation over the pairs is projected on the 3×3 blocks of the frequencies:
    (1, cos ku, sin ku) times (1, cos kv, sin kv). What reaches the logits past the last neurons
    stays as it is. A control removes what as many other frequencies hold beyond the keys.

    **Arguments:** the network and its structure; the keys; number of controls.
    """
    written = network.written()
    grid = WrittenBlocks(network, written.values)

    def score(part: Values) -> Outcome:
        return network.score(written.logits(part))

    kept, constant = grid.part(frequencies), grid.part(())
    drawn = draw_others(frequencies, network.basis.n // 2, draws)
    beyond = (grid.part([*frequencies, *others]) - kept for others in drawn)
    return Ablation(
        keep=score(kept),
        remove=score(written.values - (kept - constant)),
        control=tuple(score(written.values - part) for part in beyond),
        keep_others=tuple(score(grid.part(others)) for others in drawn),
    )


def keep_everywhere(
    network: NetworkInBasis, embedding: Float[np.ndarray, "p d_model"], frequencies: Sequence[int]
) -> Outcome:
    """Return the outcome of an edited embedding with neurons and class axis projected on keys."""
    written = network.written(embedding)
    kept = written.logits(WrittenBlocks(network, written.values).part(frequencies))
    answers = network.basis.answers.basis(frequencies)
    return network.score(kept @ answers @ answers.T)


class WrittenBlocks:
    """Functions of defined x and y, projected on blocks of frequencies.

    The projection acts on the pairs, so that it can be applied to what the neurons write
    instead of to each neuron; and it is made of one factor for x and one for y.

    **Arguments:** the network and its structure; what its neurons write, at [x, y, column].
    """

    def __init__(self, network: NetworkInBasis, written: Values) -> None:
        structure = network.basis.structure
        self._written = written
        rows, columns = (np.flatnonzero(w >= 0) for w in (structure.u, structure.v))
        self._here = np.ix_(rows, columns)
        self._values = written[self._here].astype(np.float64)
        parts = network.basis.inputs.parts
        self._of_x, self._of_y = _triples(parts[0][:, rows]), _triples(parts[-1][:, columns])

    def part(self, frequencies: Sequence[int]) -> Values:
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

    def _blocks(self, x: Float[np.ndarray, "freq p 3"], y: Float[np.ndarray, "freq p 3"]) -> Values:
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
