"""How the weights are changed: loss, optimiser, schedule, and the tricks around them."""

import dataclasses
from dataclasses import dataclass
from typing import Literal, get_args

from grokscope.config.validate import (
    Part,
    check_choice,
    check_integer,
    check_number,
    check_parts,
    make_plain,
)
from grokscope.errors import UsageError

Method = Literal["adamw", "adam", "sgd", "muon"]
Decay = Literal["constant", "cosine", "linear"]
Loss = Literal["cross_entropy", "stablemax"]


@dataclass(frozen=True)
class OptimizerConfig:
    """How weights are changed; the defaults are the paper's AdamW."""

    method: Method = "adamw"
    """adam and sgd have the weight decay in the gradient (L2); muon leaves W_E and W_U to adamw."""
    learning_rate: float = 1e-3
    """Size η of a step."""
    beta1: float = 0.9
    """Decay of the gradient's running mean (adamw, adam)."""
    beta2: float = 0.98
    """Decay of the squared gradient's running mean (adamw, adam)."""
    momentum: float = 0.95
    """Share of the last step's momentum that is kept (sgd, muon)."""
    weight_decay: float = 1.0
    """Decoupled: a step takes off learning_rate · weight_decay of every weight; adam, sgd: L2."""
    warmup: int = 0
    """Steps over which the learning rate rises linearly to its value."""
    decay: Decay = "constant"
    """Shape of the learning rate's fall to 0, which it reaches at step `decay_steps`."""
    decay_steps: int = 0
    """Step from which on the learning rate is 0 (cosine, linear)."""
    loss: Loss = "cross_entropy"
    """What is minimised: softmax cross-entropy, or the same with StableMax for softmax."""
    grokfast: float = 0.0
    """Adds this multiple λ of the gradient's running mean to the gradient (Grokfast); 0 is off."""
    grokfast_alpha: float = 0.98
    """How much of that running mean is kept from step to step (Grokfast's α)."""
    orthogonal_gradients: bool = False
    """Take from every matrix's gradient its component along the matrix (⊥Grad)."""
    batch_size: int | None = None
    """Examples per step; left out, it is the full batch."""
    freeze: tuple[Part, ...] = ()
    """Parts that keep the weights they begin with."""

    def __post_init__(self) -> None:
        make_plain(self)
        check_choice("the method", self.method, get_args(Method))
        check_number("the learning rate", self.learning_rate, "over 0, at most 10", over=0, most=10)
        for name in ("beta1", "beta2", "momentum", "grokfast_alpha"):
            check_number(name, getattr(self, name), "0 or more, below 1", least=0, below=1)
        check_number("the weight decay", self.weight_decay, "0 to 1000", least=0, most=1000)
        check_number("grokfast", self.grokfast, "0 to 1000", least=0, most=1000)
        check_choice("the loss", self.loss, get_args(Loss))
        self._check_schedule()
        if self.batch_size is not None:
            check_integer("the batch size", self.batch_size, 1)
        self._check_freeze()

    @property
    def compiled(self) -> "OptimizerConfig":
        """What is compiled into a program: rate and decay are among its inputs."""
        return dataclasses.replace(self, learning_rate=1.0, weight_decay=0.0)

    def _check_schedule(self) -> None:
        check_integer("warmup", self.warmup, 0)
        check_choice("the decay", self.decay, get_args(Decay))
        check_integer("decay_steps", self.decay_steps, 0)
        falls = self.decay != "constant"
        if falls and self.decay_steps <= self.warmup:
            raise UsageError(
                f"decay {self.decay} does not say when the learning rate is 0",
                got=self.decay_steps,
                allowed=f"decay_steps over {self.warmup}, the warmup",
                next_step="to decay over the whole run, make decay_steps the number of steps",
            )
        if self.decay_steps and not falls:
            raise UsageError(
                "decay_steps without a decay",
                got=self.decay_steps,
                next_step="choose a decay",
                allowed="decay cosine or linear beside it",
            )

    def _check_freeze(self) -> None:
        check_parts("freeze", "the frozen part", self.freeze)
        if len(self.freeze) == len(get_args(Part)):
            raise UsageError(
                "nothing is left to train",
                got=", ".join(self.freeze),
                allowed="at most three of the four parts",
            )
