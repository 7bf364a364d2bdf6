"""What the analyses of a network found: after edits, in the logits, in neurons and heads."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import ClassVar, Final, Literal

import numpy as np

from grokscope.explanation.document import Shown, Sparse, named
from grokscope.explanation.verdict import AblationScores

Algorithm = Literal["clock", "pizza", "neither"]
Shape = Literal["circle", "ellipse", "line"]
_CIRCLE: Final = 2 / 3
_LINE: Final = 1 / 4


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


@dataclass(frozen=True)
class FamilyScores:
    """A, and loss on all pairs in nats, without a whole family of keys: what the keys are worth."""

    family: tuple[int, ...]
    without_in_embedding: float | None = None
    without_in_logits: float | None = field(default=None, metadata=named("without_in_readout"))
    loss_without_in_embedding: float | None = None
    loss_without_in_logits: float | None = None


@dataclass(frozen=True)
class Patching:
    """Answers after u(x) was replaced by u(x) + d in some characters, at position x alone.

    Shares are over defined pairs and shifts; pairs where g(u + d + v) is undefined, or is the
    old answer, are left out.
    """

    shifts: tuple[int, ...]
    pairs: int
    """Pairs and shifts that were counted."""
    moved: float | None = None
    """Share whose answer is g(u(x) + d + v(y)) with the keys shifted; None without keys."""
    stayed: float | None = None
    """Share whose answer is the old one, g(u(x) + v(y))."""
    moved_off_residues: float | None = None
    """`moved` among shifted coordinates that no residue has; None where there are none."""
    stayed_off_residues: float | None = None
    """`stayed` among them."""
    control_moved: float | None = None
    """`moved` with as many other frequencies shifted; None where there are no others."""
    control_stayed: float | None = field(default=None, metadata=named("control"))
    """`stayed` with as many other frequencies shifted."""
    control_size: float | None = None
    """How far the control moves the embedding, as a share of how far the keys do."""


@dataclass(frozen=True)
class Turning:
    """How the logits move when u(x) becomes u(x) + δ in the keys of W_E, at position x alone."""

    turns: tuple[float, ...]
    """δ, in residues."""
    correlation: float
    """Between the network's logits and those of the ellipse code, in how they move: over defined
    pairs, answers and turns."""
    agreement: float
    """Share of the pairs at which both then have the same answer."""
    control: float | None = None
    """The correlation when as many other frequencies are turned; None where there are none."""


@dataclass(frozen=True)
class SmallestSet:
    """The fewest keys, with their harmonics, that suffice for the answers."""

    keys: tuple[int, ...]
    sums_keep: float
    """A with only their waves of u + v left in the logits."""
    both_keep: float | None
    """A with only they left in W_E and along the class axis."""
    all_subsets: bool
    """Whether all subsets were tried."""


@dataclass(frozen=True)
class Rebuilt:
    """The network rebuilt from a frequency, phases and amplitudes per neuron, and nothing else.

    A is 1 like the network, 0 like guessing.
    """

    keep: float | None = None
    """A of the rebuilt network."""
    loss: float | None = None
    """Its loss on all defined pairs, nats."""
    agreement: float | None = None
    """Share of the defined pairs at which it answers like the network."""
    by_law: float | None = None
    """A with φ_x + φ_y in the place of every φ_out."""
    phases_permuted: float | None = None
    """A with φ_out permuted among the neurons of one frequency: the median of the draws."""
    columns_permuted: float | None = None
    """A with the columns of W_L permuted among all neurons: the median of the draws."""
    explained: float | None = None
    """Share of the variance of the active neurons that their fits explain, the median."""
    waveforms: Mapping[str, int] = field(default_factory=dict)
    """Active neurons per waveform."""
    numbers: int | None = None
    """Numbers that were read from the network."""


@dataclass(frozen=True)
class Ablations:
    """What is answered when keys are kept, removed and moved.

    A is 1 like the whole network, 0 like guessing; None where it cannot be said.
    """

    full: float | None = None
    """Accuracy of the whole network."""
    chance: float | None = None
    """Share of the most frequent answer."""
    embedding: AblationScores = field(default_factory=AblationScores)
    """Frequencies of W_E."""
    logits: AblationScores = field(default_factory=AblationScores, metadata=named("readout"))
    """Frequencies along the class axis of the logits."""
    both_keep: float | None = None
    """A with only the keys left in both."""
    neurons: AblationScores = field(default_factory=AblationScores)
    """The keys' blocks in the activations of the neurons."""
    all_keep: float | None = None
    """A with only the keys left in W_E, neurons and logits."""
    sums_keep: float | None = None
    """A with only the keys' waves of u + v left in the logits."""
    logits_with_predicted_bias: float | None = field(
        default=None, metadata=named("readout_with_predicted_bias")
    )
    """A with the keys kept and the answers' bias replaced by what the keys' shapes predict."""
    logits_with_permuted_bias: float | None = field(
        default=None, metadata=named("readout_with_permuted_bias")
    )
    """The same bias in a random order of the answers."""
    families: tuple[FamilyScores, ...] = ()
    patching: Patching | None = None
    turning: Turning | None = None
    smallest_set: SmallestSet | None = None
    outcomes: Outcomes = field(default_factory=Outcomes)


@dataclass(frozen=True)
class TableA4:
    """Losses of the logits with some of their parts alone; the names are the paper's.

    **Source:** Furuta et al., arXiv 2402.16726, Table A.4.
    """

    train_loss: BySide
    """Key, non-key and residual part: the whole network."""
    restricted_loss: BySide
    """Key part."""
    ablation_a: BySide
    """Non-key part."""
    ablation_b: BySide
    """Residual part."""
    ablation_c: BySide
    """Key and non-key part."""
    ablation_d: BySide
    """Key and residual part."""
    ablation_e: BySide
    """Non-key and residual part."""


@dataclass(frozen=True)
class KeyShape(Shown):
    """One key in the logits: a(cos θ_s cos θ_c) + b(sin θ_s sin θ_c) in its own axes.

    A clock has a = b, which is a·cos(θ_s − θ_c), a circle: it turns with the sum, and no answer
    is favoured. With b = 0 the key is a standing wave, a line: it cannot tell the two sums with
    the same cosine apart, and its answers need a bias.
    """

    SHOWN: ClassVar = ("roundness", "shape")

    frequency: int
    major: float
    """The larger amplitude a, in units of the logits."""
    minor: float
    """The smaller amplitude b."""
    forced: bool = False
    """Whether it can only be a line: the answers have one wave at this frequency, as at n/2, or
    where g(s) = g(−s)."""
    harmonic_of: int | None = None
    """The key that it is the double or half of; None for a key of its own."""

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


@dataclass(frozen=True)
class Mode:
    """A wave e^{2πi(j·u + l·v + m·s)/n} and its conjugate; s is the answer's coordinate.

    Signs are such that the first number that is not 0 is positive. A clock has (k, k, −k).
    """

    x: int
    """j, of u(x)."""
    y: int
    """l, of v(y)."""
    answer: int
    """m, of the answer."""
    share: float
    """Share in the energy of the logits without their mean over the answers."""


@dataclass(frozen=True)
class LogitFinding:
    """What the logits are made of."""

    restricted_loss: float | None = None
    """Loss of the key part on test pairs."""
    excluded_loss: float | None = None
    """Loss without the trigonometric part on training pairs."""
    trigonometric_loss: float | None = None
    """Loss of the trigonometric part on test pairs."""
    table_a4: TableA4 | None = None
    key_shapes: tuple[KeyShape, ...] = ()
    modes: tuple[Mode, ...] = ()
    """The strongest waves over both inputs and the answer."""
    dependent_in_embedding: tuple[int, ...] = ()
    """Frequencies that are no keys, but whose removal from W_E raises the loss."""
    dependent_in_logits: tuple[int, ...] = field(default=(), metadata=named("dependent_in_readout"))
    """The same along the class axis."""


@dataclass(frozen=True)
class NeuronFinding:
    """What the neurons of the last hidden layer respond to."""

    share_above_85: float | None = None
    """Share of the active neurons that one frequency explains."""
    n_active: int | None = None
    fsd: float | None = None
    """Frequency sparsity density; 1 when all have one frequency of the sum."""
    phase_agreement: float | None = None
    """Resultant length of φ_out − φ_x − φ_y: 1 in a clock."""
    second_harmonic: float | None = None
    """Mean share of twice the dominant frequency."""
    clusters: Mapping[int, int] = field(default_factory=dict)
    """Active neurons per dominant frequency, the largest cluster first."""
    rebuilt: Rebuilt | None = None
    """The network rebuilt from what was fitted to each; None where neurons or W_L are not known."""


@dataclass(frozen=True)
class HeadFinding:
    """What one head of the last block does at the last position, over all defined pairs."""

    head: int
    mean: tuple[float, float, float]
    """Mean attention to x, op and y."""
    deviation: tuple[float, float, float]
    """Standard deviation over the pairs: 0 for a constant pattern."""
    frequency: int
    """Strongest frequency of the attention to x, as a function of u(x) and v(y); 0 for none."""
    share: float
    """Share of this frequency in the variance of the attention to x."""
    moved: float
    """Norm of what the head's OV circuit, W_E·W_V·W_O, moves from x, without its mean row."""
    in_keys: float
    """Share of the key frequencies, of both coordinates, in the square of that norm."""
    in_keys_of_x: float
    """Share of the key frequencies of u alone: what position x is needed for."""


@dataclass(frozen=True)
class ClockOrPizza:
    """Numbers that tell a clock, which multiplies circles, from a pizza, which adds them.

    **Source:** Zhong et al., arXiv 2306.17844.
    """

    gradient_symmetricity: float | None = None
    """Mean cosine similarity of the gradients of a logit with respect to the key characters of
    u at position x and of v at position y: near 1 for a pizza. None without keys."""
    plain_symmetricity: float | None = None
    """The same with respect to the embeddings themselves; None where u ≠ v."""
    distance_irrelevance: float | None = None
    """Mean deviation of the correct logit along u(x) − v(y) = d, over that of all pairs: near 0
    for a pizza, whose logit depends on d. None where nothing can be said."""
    circularity: float | None = None
    """How far the first four principal components of W_E are waves of a single frequency, 0 to 1,
    in that coordinate where they are more."""
    kind: Algorithm | None = None
    """None where untestable: no keys, or a group with a single frequency."""


@dataclass(frozen=True)
class ClosedForm:
    """A formula for the logits, and how well it stands for the network on all defined pairs."""

    agreement: float
    """Share of pairs at which formula and network give the same answer."""
    accuracy: float
    """Share of pairs at which the formula is right."""
    variance_explained: float
    """1 − squared error over the squared logits, both without their mean over the answers."""
    numbers: int
    """Amplitudes that were read from the network."""


@dataclass(frozen=True)
class Likeness:
    """A correlation, and that of a null."""

    value: float
    null: float


@dataclass(frozen=True)
class ClosedForms:
    """The clock, one amplitude per key, and the formulas for keys that are no circles.

    The first four fields are the clock's, as in `ClosedForm`; None without keys.
    """

    agreement: float | None = None
    accuracy: float | None = None
    variance_explained: float | None = None
    numbers: int | None = None
    ellipse: ClosedForm | None = None
    """The nearest answer on the keys' ellipses."""
    ellipse_logits: Likeness | None = None
    """How the formula's logits correlate with the network's, over defined pairs and answers; in
    the null the ellipses stand at frequencies drawn from all."""
    ellipse_bias: Likeness | None = None
    """How the bias that the ellipses predict correlates with that of the answers; in the null it
    stands in a random order."""
    ellipse_without_bias: ClosedForm | None = None
