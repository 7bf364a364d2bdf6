"""How the labels of a training set differ from those of its test set, before anything trains."""

import math
from typing import Any

import numpy as np
from jaxtyping import Bool, Float, Int


def label_counts(
    labels: Int[np.ndarray, "pair"], side: Bool[np.ndarray, "pair"], p: int
) -> Int[np.ndarray, "class"]:
    """Return how often each answer 0 … p−1 occurs among the pairs of one side.

    **Arguments:**

    - `labels`: the answer of every pair.
    - `side`: which pairs to count, for instance `Split.train`.
    - `p`: the modulus.
    """
    return np.bincount(labels[side], minlength=p)


def label_entropy(counts: Int[np.ndarray, "class"]) -> float:
    """Return the entropy of a side's labels in nats; nan for an empty side.

    **Arguments:**

    - `counts`: how often each answer occurs, as `label_counts` gives it.

    **Returns:** 0 where all labels are equal, log p where all p answers are equally frequent.

    **Source:** Furuta et al., arXiv 2402.16726, Appendix K.
    """
    total = int(counts.sum())
    if total == 0:
        return math.nan
    shares = counts[counts > 0] / total
    # H = −Σ_c q(c) log q(c)
    return float(np.sum(shares * np.log(1 / shares)))


def label_divergence(train: Int[np.ndarray, "class"], test: Int[np.ndarray, "class"]) -> float:
    """Return the Kullback-Leibler divergence of the training from the test labels, in nats.

    **Arguments:**

    - `train`, `test`: how often each answer occurs on either side.

    **Returns:** 0 for equal distributions, infinity when an answer trains that is never tested,
    nan when a side is empty.

    **Source:** Furuta et al., arXiv 2402.16726, Appendix K.
    """
    if train.sum() == 0 or test.sum() == 0:
        return math.nan
    occurs = train > 0
    if (test[occurs] == 0).any():
        return math.inf
    a, b = train[occurs] / train.sum(), test[occurs] / test.sum()
    # KL(train ‖ test) = Σ_c a(c) log(a(c) / b(c)); rounding must not take it below 0
    return max(0.0, float(np.sum(a * np.log(a / b))))


def chance_divergence(n_labels: int, n_train: int, n_test: int) -> float:
    """Return the mean of `label_divergence` over random splits, which nothing but sizes decides.

    To second order in the deviations a random split of N pairs, n of which train and m test, has
    the divergence (L − 1)/2 · (1/n + 1/m) · N/(N − 1), whatever the L labels are.

    **Arguments:**

    - `n_labels`: number L of answers that occur at all.
    - `n_train`, `n_test`: pairs of either side.
    """
    n_pairs = n_train + n_test
    # var(a − b)(c) = q(1 − q) (1/n + 1/m) N/(N − 1), and KL ≈ ½ Σ_c (a − b)²/q
    return (n_labels - 1) / 2 * (1 / n_train + 1 / n_test) * n_pairs / (n_pairs - 1)


def chance_above(
    higher: Float[np.ndarray, "n"] | Any, lower: Float[np.ndarray, "n"] | Any
) -> float:
    """Return the chance that a value of one group is above one of the other; ties count half.

    It is the area under the ROC curve of a number that should tell the groups apart: 0.5 says
    nothing, 0 and 1 tell them apart without fail.

    **Returns:** nan where a group is empty.
    """
    first, second = np.asarray(higher, float)[:, None], np.asarray(lower, float)[None, :]
    if first.size == 0 or second.size == 0:
        return math.nan
    return float(np.mean((first > second) + 0.5 * (first == second)))
