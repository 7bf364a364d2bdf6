"""Keep or remove the key frequencies of the neurons' activations over all pairs."""

from collections.abc import Sequence

import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float

from grokscope.circuits.causal import DRAWS, Ablation
from grokscope.circuits.neurons import last_hidden
from grokscope.circuits.pairs import over_pairs
from grokscope.circuits.subject import Outcome, Subject
from grokscope.models import Model


def ablate_neurons(subject: Subject, frequencies: Sequence[int], *, draws: int = DRAWS) -> Ablation:
    """Keep, remove and control frequencies of the neurons that write to the logits.

    A neuron's activation over the pairs is projected on the 3×3 blocks of the frequencies:
    (1, cos ku, sin ku) times (1, cos kv, sin kv). What reaches the logits past the last neurons
    stays as it is. A control removes what as many other frequencies hold beyond the keys.

    **Arguments:** the network and its structure; the keys; number of controls.
    """
    written = _written(subject.model, subject.task)
    direct = subject.logits - written
    grid = _Grid(subject, written)

    def score(part: Float[np.ndarray, "p p class"]) -> Outcome:
        return subject.score(direct + part)

    kept, constant = grid.part(frequencies), grid.part(())
    rng = np.random.default_rng(0)
    other = np.setdiff1d(np.arange(1, subject.matched.n // 2 + 1), frequencies)
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
    subject: Subject,
    embedding: Float[np.ndarray, "p d_model"],
    frequencies: Sequence[int],
) -> Outcome:
    """Return the outcome of an edited embedding with neurons and class axis projected on keys."""
    logits = subject.run(embedding)
    written = _written(subject.with_embedding(embedding), subject.task)
    kept = logits - written + _Grid(subject, written).part(frequencies)
    answers = subject.matched.readout.basis(frequencies)
    return subject.score(kept @ answers @ answers.T)


def _written(model: Model, task: int) -> Float[np.ndarray, "p p class"]:
    """What the neurons of the last hidden layer write to the logits, at [x, y, answer]."""
    hidden, W_L = last_hidden(model), model.neuron_logit_map

    def read(logits: Array, activations: dict[str, Array]) -> Array:
        return jnp.einsum("nm,cm->nc", hidden(logits, activations), W_L)

    return np.concatenate(list(over_pairs(model, read, task)))


class _Grid:
    """Functions of defined x and y, projected on blocks of frequencies.

    The projection acts on the pairs, so that it can be applied to what the neurons write
    instead of to each neuron; and it is made of one factor for x and one for y.
    """

    def __init__(self, subject: Subject, written: Float[np.ndarray, "p p class"]) -> None:
        structure = subject.matched.structure
        self._written = written
        rows, columns = (np.flatnonzero(w >= 0) for w in (structure.u, structure.v))
        self._here = np.ix_(rows, columns)
        self._values = written[self._here].astype(np.float64)
        parts = subject.matched.embedding.parts
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
