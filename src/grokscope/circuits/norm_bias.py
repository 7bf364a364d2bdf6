"""Answers that do not lie on circles need a bias: predict it, and give it to the kept readout."""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from jaxtyping import Float

from grokscope.circuits.causal import DRAWS, class_axis
from grokscope.circuits.shapes import answer_waves, key_shapes
from grokscope.circuits.subject import Outcome, Subject, median_outcome
from grokscope.circuits.sums import SumLogits
from grokscope.spectra.projection import keep


class Repair(NamedTuple):
    """The class axis with only the keys kept, and the bias of the answers replaced."""

    predicted: Outcome
    """By −½ z(c)·Q·z(c), which follows from the keys' shapes; no number is fitted."""
    permuted: Outcome
    """By the same numbers in a random order of the answers, the median of the draws."""


def norm_bias(subject: Subject, frequencies: Sequence[int]) -> Float[np.ndarray, "class"]:
    """Return −½ z(c)·Q·z(c) per answer, without its mean; 0 for those that no sum leads to.

    Answers are points z(c), made of the keys' waves; if the largest logit is to be that of the
    nearest point, the product of sum and answer lacks half the answer's squared norm. On circles
    it is the same for all answers, on ellipses and lines it is not.

    **Arguments:** the network and its structure; the keys whose shapes in the logits are read.
    """
    waves = answer_waves(subject, frequencies)
    bias = np.zeros(len(waves))
    for i, found in enumerate(key_shapes(subject, frequencies)):
        wave = waves[:, 2 * i : 2 * i + 2]
        bias -= 0.5 * np.sum((wave @ ((found.block + found.block.T) / 2)) * wave, axis=1)
    return _everywhere(subject, bias - bias.mean())


def repair_readout(
    subject: Subject, kept: Sequence[int], keys: Sequence[int], draws: int = DRAWS
) -> Repair:
    """Keep frequencies of the class axis and replace the bias of the answers by the predicted.

    Where this restores what keeping alone loses, the rest of the readout stood in for this bias.

    **Arguments:** the network and its structure; frequencies to keep; keys whose shapes predict
    the bias; random orders.
    """
    table, run = class_axis(subject.logits)
    logits = run(keep(subject.matched.readout, kept, table))
    centred = logits - _everywhere(subject, SumLogits.of(subject, logits).bias)
    bias = norm_bias(subject, keys)
    inside = np.flatnonzero(subject.matched.readout.inside)
    rng = np.random.default_rng(0)
    outcomes = []
    for _ in range(draws):
        shuffled = bias.copy()
        shuffled[inside] = bias[rng.permutation(inside)]
        outcomes.append(subject.score(centred + shuffled))
    return Repair(subject.score(centred + bias), median_outcome(outcomes))


def _everywhere(subject: Subject, values: Float[np.ndarray, "..."]) -> Float[np.ndarray, "class"]:
    whole = np.zeros(subject.p)
    whole[subject.matched.readout.inside] = values
    return whole
