"""Codes that are not round: answers as points on ellipses, and the nearest one wins.

z(s) are the waves of all keys at a sum s, and Q the symmetric part of what joins sum and answer at
each key. The logit of an answer c is z(s)·Q·z(c) − ½ z(c)·Q·z(c), which is −½ (z(s) − z(c))² up to
what all answers share. Where all keys are circles the second term is the same for all answers, and
this is the clock.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Final

import numpy as np
from jaxtyping import Float

from grokscope.explanation.findings import ClosedForm, Likeness, Turning
from grokscope.explanation.formulas import answer_waves, compared, key_shapes
from grokscope.explanation.in_basis import NetworkInBasis, SumLogits
from grokscope.explanation.patching import Others, coordinate_step, embedding_vectors
from grokscope.fourier.waves import all_frequencies, real_waves

PARTS: Final = 4
"""Parts of a residue by which x is turned."""
TURNS: Final = 8
DRAWS: Final = 20
_ORDERS: Final = 1000


@dataclass(frozen=True, eq=False)
class EllipseCode:
    """The ellipses of some keys, as the logits show them.

    **Arguments:**

    - `network`: the network and its structure.
    - `frequencies`: the keys.
    - `shapes`: Q of each key.
    """

    network: NetworkInBasis
    frequencies: tuple[int, ...]
    shapes: Float[np.ndarray, "freq 2 2"]

    @classmethod
    def of(cls, network: NetworkInBasis, frequencies: Sequence[int]) -> "EllipseCode":
        """Read the ellipses of some keys from the logits."""
        shapes = [shape.symmetric for shape in key_shapes(network, frequencies)]
        return cls(network, tuple(frequencies), np.reshape(np.array(shapes), (-1, 2, 2)))

    @cached_property
    def answers(self) -> Float[np.ndarray, "class mode"]:
        """z(c)·Q of every answer that some sum leads to."""
        waves = self._answer_waves.reshape(len(self._answer_waves), len(self.frequencies), 2)
        return np.einsum("cki,kij->ckj", waves, self.shapes).reshape(self._answer_waves.shape)

    @cached_property
    def _answer_waves(self) -> Float[np.ndarray, "class mode"]:
        return answer_waves(self.network, self.frequencies)

    @cached_property
    def bias(self) -> Float[np.ndarray, "class"]:
        """−½ z(c)·Q·z(c) per answer that some sum leads to, without its mean."""
        bias = -0.5 * np.sum(self.answers * self._answer_waves, axis=1)
        return bias - bias.mean()

    def logits(self, turn: int = 0, *, bias: bool = True) -> Float[np.ndarray, "n class"]:
        """Return the logits of every sum, moved on by some quarters of a residue.

        **Arguments:** the number of quarters; whether the answers have their bias.
        """
        sums = self.network.sum_logits
        mean = sums.counts @ self._waves(0) / max(1, sums.counts.sum())
        return (self._waves(turn) - mean) @ self.answers.T + (self.bias if bias else 0.0)

    def _waves(self, turn: int) -> Float[np.ndarray, "n mode"]:
        n = self.network.basis.n
        quarters = (PARTS * np.arange(n) + turn) % (PARTS * n)
        return real_waves(quarters, self.frequencies, PARTS * n).reshape(n, -1)


def norm_bias(network: NetworkInBasis, frequencies: Sequence[int]) -> Float[np.ndarray, "class"]:
    """Return −½ z(c)·Q·z(c) per answer, without its mean; 0 for those that no sum leads to.

    **Arguments:** the network and its structure; the keys whose shapes in the logits are read.
    """
    return network.of_all_answers(EllipseCode.of(network, frequencies).bias)


def ellipse_formula(
    network: NetworkInBasis, frequencies: Sequence[int], *, bias: bool = True
) -> ClosedForm:
    """Replace the logits by the nearest answer on ellipses, three numbers per key.

    **Arguments:** as for `clock_formula`; `bias`: whether −½ z(c)·Q·z(c) is there.
    """
    code = EllipseCode.of(network, frequencies)
    return compared(network, code.logits(bias=bias), 3 * len(frequencies))


def logits_like(network: NetworkInBasis, frequencies: Sequence[int]) -> Likeness:
    """Return how the formula's logits correlate with the network's, and those of a null.

    Any code that adds gives the right answers; that this one is the network's is shown by its
    logits, over all defined pairs and answers. In the null, the median of several draws, the
    ellipses stand at frequencies drawn from all.

    **Arguments:** the network and its structure; the keys.
    """
    code, rng = EllipseCode.of(network, frequencies), np.random.default_rng(0)
    every, count = all_frequencies(network.basis.n), len(frequencies)
    drawn = (tuple(rng.permutation(every)[:count].tolist()) for _ in range(DRAWS))
    null = [_likeness(network, replace(code, frequencies=some)) for some in drawn]
    return Likeness(_likeness(network, code), float(np.median(null)))


def bias_like(network: NetworkInBasis, frequencies: Sequence[int]) -> Likeness:
    """Return how the predicted bias correlates with that of the answers.

    The null is the 99% quantile with the same numbers in random orders.

    **Arguments:** the network and its structure; the keys.
    """
    predicted, found = EllipseCode.of(network, frequencies).bias, network.sum_logits.bias
    rng = np.random.default_rng(0)
    orders = np.stack([rng.permutation(predicted) for _ in range(_ORDERS)])
    size = np.linalg.norm(predicted) * np.linalg.norm(found) or 1.0
    return Likeness(
        float(predicted @ found / size), float(np.quantile(orders @ found / size, 0.99))
    )


def _likeness(network: NetworkInBasis, code: EllipseCode) -> float:
    sums, found = network.sum_logits, _Correlation()
    found.add(sums.logits, code.logits()[sums.sums])
    return found.value


def turn_coordinate(
    network: NetworkInBasis, in_embedding: Sequence[int], read: Sequence[int]
) -> Turning | None:
    """Turn the characters of x by parts of a residue, and compare the logits with the formula.

    The embedding at position x alone gets u + q/4 in its keys. How the logits of all pairs and
    answers move is correlated with how those of the ellipse code move.

    **Arguments:** the network and its structure; keys of W_E; keys of the logits.

    **Returns:** None where there are no keys.
    """
    if not in_embedding or not read:
        return None
    n = network.basis.n
    rng = np.random.default_rng(0)
    whole = PARTS * rng.permutation(np.arange(1, n))[: TURNS - (PARTS - 1)]
    turns = [*range(1, PARTS), *sorted(whole.tolist())]
    code = EllipseCode.of(network, read)
    vectors = embedding_vectors(network, in_embedding)
    others = Others(network, in_embedding, rng)
    moved, control, agreed = _Correlation(), _Correlation(), []
    for turn in turns:
        step = coordinate_step(network, in_embedding, vectors, turn, PARTS)
        logits = _moved_by(network, step)
        formula = code.logits(turn)[network.sum_logits.sums]
        predicted = formula - code.logits()[network.sum_logits.sums]
        moved.add(logits - network.sum_logits.logits, predicted)
        agreed.append(float(np.mean(logits.argmax(axis=1) == formula.argmax(axis=1))))
        aside = others.step(turn, PARTS)
        if aside is not None:
            control.add(_moved_by(network, aside) - network.sum_logits.logits, predicted)
    return Turning(
        turns=tuple(turn / PARTS for turn in turns),
        correlation=moved.value,
        agreement=float(np.mean(agreed)),
        control=control.value if len(others.frequencies) else None,
    )


def _moved_by(
    network: NetworkInBasis, step: Float[np.ndarray, "p d_model"]
) -> Float[np.ndarray, "pair class"]:
    """Centred logits of the defined pairs with a step added to the embedding at position x."""
    logits = network.run(embedding_of_x=network.embedding + step)
    return SumLogits.of(network.basis, network.defined, logits).logits


class _Correlation:
    """The correlation of two long lists of numbers with mean 0, added up in pieces."""

    def __init__(self) -> None:
        self._sums = np.zeros(3)

    def add(self, a: Float[np.ndarray, "pair class"], b: Float[np.ndarray, "pair class"]) -> None:
        """Add a piece."""
        self._sums += np.sum(a * b), np.sum(a * a), np.sum(b * b)

    @property
    def value(self) -> float:
        """Σab / √(Σa² Σb²), 0 where one of them is 0."""
        product, a, b = self._sums
        return float(product / np.sqrt(a * b)) if a > 0 and b > 0 else 0.0
