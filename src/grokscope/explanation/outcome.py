"""How right logits are: accuracy and loss over all defined pairs and each side of the split."""

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np

from grokscope.explanation.document import Sparse, named


@dataclass(frozen=True)
class BySide(Sparse):
    """A mean over all defined pairs and, where there is a split, over each side of it."""

    all: float
    train: float | None = None
    test: float | None = None
    unleaked: float | None = None
    """Test pairs whose transpose was not trained, or says nothing."""


@dataclass(frozen=True)
class Outcome:
    """Accuracy and mean loss (nats) of some logits."""

    accuracy: BySide
    loss: BySide


@dataclass(frozen=True)
class Outcomes(Sparse):
    """How right the network is as it is, and edited."""

    full: Outcome | None = None
    both_keep: Outcome | None = None
    embedding_keep: Outcome | None = None
    embedding_remove: Outcome | None = None
    logits_keep: Outcome | None = field(default=None, metadata=named("readout_keep"))
    logits_remove: Outcome | None = field(default=None, metadata=named("readout_remove"))


def median_outcome(outcomes: Sequence[Outcome]) -> Outcome:
    """Return the medians of several outcomes, number by number."""
    return Outcome(
        _median([outcome.accuracy for outcome in outcomes]),
        _median([outcome.loss for outcome in outcomes]),
    )


def _median(numbers: Sequence[BySide]) -> BySide:
    known = {side: held for side, held in vars(numbers[0]).items() if held is not None}
    return BySide(
        **{side: float(np.median([getattr(one, side) for one in numbers])) for side in known}
    )
