"""One pair tried: the answer, the largest logits, where heads look, and how each key votes."""

from dataclasses import dataclass
from typing import Any, Final

import numpy as np
from jaxtyping import Float

from grokscope.errors import UsageError
from grokscope.explanation.formulas import Clock, clock
from grokscope.explanation.in_basis import NetworkInBasis
from grokscope.explorer.packing import rounded
from grokscope.explorer.snapshot import OverPairs
from grokscope.explorer.subject import Subject
from grokscope.models import AnyModel
from grokscope.numerics import computing
from grokscope.tasks import TRAIN

LARGEST: Final = 5
KEYS_WITHOUT_EXPLANATION: Final = 5


@dataclass(frozen=True, eq=False)
class Tried:
    """What a network and its formula say of one pair.

    **Arguments:**

    - `x`, `y`: the pair.
    - `label`: the right answer; None where the operation is undefined.
    - `trained`: whether it was trained on the pair; None where that is not known.
    - `logits`: of every answer, without their mean.
    - `attention`: the weight of each head on x; () without attention.
    - `keys`: the frequencies that vote.
    - `votes`: what each key adds to each answer in the formula, nan for answers that no sum leads
      to; None for a pair without a sum.
    """

    x: int
    y: int
    label: int | None
    trained: bool | None
    logits: Float[np.ndarray, "class"]
    attention: tuple[float, ...]
    keys: tuple[int, ...]
    votes: Float[np.ndarray, "class freq"] | None

    @property
    def answer(self) -> int:
        """The answer of the network."""
        return int(self.logits.argmax())

    @property
    def largest(self) -> list[int]:
        """The answers with the five largest logits, the largest first."""
        return np.argsort(-self.logits, kind="stable")[:LARGEST].tolist()

    @property
    def by_formula(self) -> int | None:
        """The answer with the most votes; None without votes."""
        return None if self.votes is None else int(np.nanargmax(self.votes.sum(axis=1)))

    def to_json(self) -> dict[str, Any]:
        """Return plain lists and numbers."""
        return {
            "x": self.x,
            "y": self.y,
            "label": self.label,
            "trained": self.trained,
            "answer": self.answer,
            "largest": self.largest,
            "by_formula": self.by_formula,
            "logits": rounded(self.logits),
            "attention": list(self.attention),
            "keys": list(self.keys),
            "votes": None if self.votes is None else rounded(self.votes),
        }


@dataclass(frozen=True, eq=False)
class Trying:
    """A network whose answers can be looked at one by one; made by `trying`.

    **Arguments:** whose network; all its pairs; it in its basis; the formula of its keys.
    """

    subject: Subject
    pairs: OverPairs
    network: NetworkInBasis
    formula: Clock

    def at(self, x: int, y: int) -> Tried:
        """Return what is said of a pair; raises `UsageError` for what is no residue."""
        p, kind = self.subject.p, self.subject.kind
        for residue in (x, y):
            if not 0 <= residue < p:
                raise UsageError("there is no such residue", got=residue, allowed=f"0 to {p - 1}")
        label, heads = int(self.subject.labels[x, y]), self.pairs.attention
        votes = self._votes(x, y)
        return Tried(
            x=x,
            y=y,
            label=None if label < 0 else label,
            trained=None if kind is None else bool(kind[x * p + y] == TRAIN),
            logits=self.pairs.logits[x, y],
            attention=() if heads is None else tuple(heads[:, x, y].tolist()),
            keys=() if votes is None else self.formula.frequencies,
            votes=votes,
        )

    def _votes(self, x: int, y: int) -> Float[np.ndarray, "class freq"] | None:
        total = int(self.network.basis.sums[x, y])
        if total < 0 or not self.formula.frequencies:
            return None
        votes = np.full((self.subject.p, len(self.formula.frequencies)), np.nan)
        votes[self.formula.answers] = self.formula.votes[total]
        return votes


@computing()
def trying(subject: Subject, model: AnyModel, pairs: OverPairs) -> Trying:
    """Return a network whose answers can be looked at, with the formula of its keys.

    The keys are those of its explanation; without one, the strongest frequencies of W_L.

    **Arguments:** whose network; the network; all its pairs.
    """
    network = subject.in_basis(model)
    keys = subject.explanation and subject.explanation.neuron_logit_map.keys
    if not keys:
        characters, W_L = network.basis.answers, np.asarray(model.neuron_logit_map, np.float64)
        every = range(1, characters.n_frequencies + 1)
        centred = characters.centred(W_L)
        shares = [characters.energy_share([k], centred) for k in every]
        keys = tuple(int(k) + 1 for k in np.argsort(shares)[::-1][:KEYS_WITHOUT_EXPLANATION])
    return Trying(subject, pairs, network, clock(network, keys))
