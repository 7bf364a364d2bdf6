"""What always differs from the paper's protocol, and what differs in one experiment."""

from typing import Final

from grokscope.paper.experiment import Experiment

_LABELS: Final = (
    "Pairs: all p² ordered pairs of residues. The published code enumerates pairs over its whole"
    " vocabulary (102² for p = 97), so that operator tokens stand for residues, too.",
)
_TRAINING: Final = (
    *_LABELS,
    "Answers: the class axis has p columns, residues only; the published code has the whole"
    " vocabulary there.",
    "Grokked: test accuracy of at least 99% at an evaluation and at each of the next five, one"
    " every 50 steps; the paper does not define it.",
    "Length: the paper trained for up to 3·10⁵ steps. A run of ours that has not grokked by its"
    " last step is undecided at that step, never a failure.",
    "Accuracy on unleaked pairs is shown beside test accuracy: for a symmetric operation a test"
    " pair (x, y) is leaked when (y, x) was trained.",
    "Loss: cross-entropy in float32 in a form that keeps float64's precision; the paper used"
    " float64.",
    "Accuracy: a percentage of the paper is its best test accuracy; beside it stands the best one"
    " of each of our runs.",
)


def differences(experiment: Experiment) -> list[str]:
    """Return every difference, one sentence or two each."""
    common = _LABELS if experiment.kind == "labels" else _TRAINING
    return [*common, *experiment.differences]
