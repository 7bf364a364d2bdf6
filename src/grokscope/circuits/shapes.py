"""Is a key a circle or a line? How the sum's wave and the answer's wave of a key are joined."""

from collections.abc import Sequence
from typing import Final, Literal, NamedTuple

import numpy as np
from jaxtyping import Float

from grokscope.circuits.subject import Subject
from grokscope.circuits.sums import SumLogits

Shape = Literal["circle", "ellipse", "line"]
_CIRCLE: Final = 2 / 3
_LINE: Final = 1 / 4


class KeyShape(NamedTuple):
    """One key in the logits: a(cos θ_s cos θ_c) + b(sin θ_s sin θ_c) in its own axes.

    A clock has a = b, which is a·cos(θ_s − θ_c), a circle: it turns with the sum, and no answer
    is favoured. With b = 0 the key is a standing wave, a line: it cannot tell the two sums with
    the same cosine apart, and its answers need a bias.
    """

    frequency: int
    major: float
    """The larger amplitude a, in units of the logits."""
    minor: float
    """The smaller amplitude b."""
    block: Float[np.ndarray, "2 2"]
    """Coefficients of (cos, sin) of the sum, in rows, times (cos, sin) of the answer."""
    forced: bool = False
    """Whether it can only be a line: the answers have one wave at this frequency, as at n/2, or
    where g(s) = g(−s)."""

    @property
    def roundness(self) -> float:
        """b/a, from 0 (a line) to 1 (a circle)."""
        return self.minor / self.major if self.major > 0 else 0.0

    @property
    def shape(self) -> Shape:
        """`circle` from 2/3 on, `line` up to 1/4, else `ellipse`."""
        if self.roundness >= _CIRCLE:
            return "circle"
        return "line" if self.roundness <= _LINE else "ellipse"


def key_shapes(subject: Subject, frequencies: Sequence[int]) -> list[KeyShape]:
    """Return the shape of every key in the logits.

    **Arguments:** the network and its structure; the key frequencies.
    """
    if not frequencies:
        return []
    sums = SumLogits.of(subject, subject.logits)
    coefficients = sums.fit(tuple(frequencies))
    answers = answer_waves(subject, frequencies)
    # logits ≈ waves · B · answersᵀ, all keys at once: waves of answers may overlap
    joined = coefficients @ np.linalg.pinv(answers, rcond=1e-7).T
    shapes = []
    for i, k in enumerate(frequencies):
        here = slice(2 * i, 2 * i + 2)
        block = joined[here, here]
        major, minor = np.linalg.svd(block, compute_uv=False)
        forced = np.linalg.matrix_rank(answers[:, here], tol=1e-7 * subject.p) < 2
        shapes.append(KeyShape(int(k), float(major), float(minor), block, bool(forced)))
    return shapes


def answer_waves(subject: Subject, frequencies: Sequence[int]) -> Float[np.ndarray, "class mode"]:
    """Return cos and sin of 2πks/n per answer, the mean over all sums s that lead to it.

    Only answers that some sum leads to have a row; columns have mean 0.
    """
    g, n = subject.matched.structure.g, subject.matched.n
    inside = subject.matched.readout.inside
    angle = 2 * np.pi / n * (np.outer(np.arange(n), np.asarray(frequencies, int)) % n)
    waves = np.stack([np.cos(angle), np.sin(angle)], axis=-1).reshape(n, -1)
    reached = g >= 0
    total = np.zeros((subject.p, waves.shape[1]))
    np.add.at(total, g[reached], waves[reached])
    count = np.bincount(g[reached], minlength=subject.p)
    means = total[inside] / count[inside][:, None]
    return means - means.mean(axis=0)
