"""What to train and how: frozen dataclasses, checked when they are made, and named presets."""

import dataclasses
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, Final, Literal, get_args

from grokscope.config.optimizer import OptimizerConfig
from grokscope.config.transfer import TransferConfig
from grokscope.config.validate import (
    LARGEST_SEED,
    check_choice,
    check_integer,
    check_number,
    check_tuple,
    did_you_mean,
    make_plain,
)
from grokscope.errors import UsageError

Architecture = Literal["transformer", "mlp"]
SplitKind = Literal["pairs", "orbits"]

LARGEST_MODULUS: Final = 1009


@dataclass(frozen=True)
class TaskConfig:
    """One operation, or several that are learned together (a mixture), and which pairs train."""

    expressions: tuple[str, ...] = ("x + y",)
    """Operations in x and y; on the command line they stand without a flag."""
    p: int = 97
    """Modulus: residues are 0 … p−1."""
    train_fraction: float = 0.3
    """Share r of the defined pairs that trains; the rest tests."""
    split: SplitKind = "pairs"
    """`pairs` draws ordered pairs; `orbits` keeps (x, y) and (y, x) on one side."""
    shared_split: bool = True
    """Whether the operations of a mixture train on the same pairs, or each on pairs of its own."""
    task_weights: tuple[float, ...] = ()
    """Factors of the operations' losses in a mixture, one each; left out, all are 1."""
    label_noise: float = 0.0
    """Share of the training pairs with a wrong answer, which train accuracy counts as right."""

    def __post_init__(self) -> None:
        make_plain(self)
        if not self.expressions:
            raise UsageError("no operation to train", next_step='write one, for example "x + y"')
        check_integer("the modulus p", self.p, 2, LARGEST_MODULUS)
        allowed = "a number between 0 and 1, both excluded"
        check_number("the train fraction", self.train_fraction, allowed, over=0, below=1)
        check_choice("the split", self.split, get_args(SplitKind))
        allowed = "a tuple of numbers, in TOML a list such as [1, 0.5]"
        check_tuple("the task weights are", self.task_weights, allowed)
        for weight in self.task_weights:
            check_number("a task weight", weight, "over 0, at most 1000", over=0, most=1000)
        allowed = "0 or more, below 1"
        check_number("the label noise", self.label_noise, allowed, least=0, below=1)


@dataclass(frozen=True)
class ModelConfig:
    """Sizes of the network; the defaults are the paper's transformer."""

    architecture: Architecture = "transformer"
    """The paper's transformer, or the MLP of its published code."""
    layers: int = 1
    """Transformer blocks, or hidden layers of the MLP."""
    d_model: int = 128
    """Width of the residual stream, or of the MLP's layers."""
    heads: int = 4
    """Attention heads; each is d_model / heads wide."""
    d_mlp: int = 512
    """Neurons of a transformer block."""
    d_embedding: int = 500
    """Width of the MLP's embedding; the transformer's is `d_model`."""

    def __post_init__(self) -> None:
        make_plain(self)
        check_choice("the architecture", self.architecture, get_args(Architecture))
        check_integer("layers", self.layers, 1, 12)
        for name in ("d_model", "heads", "d_mlp", "d_embedding"):
            check_integer(name, getattr(self, name), 1, 65536)
        if self.d_model % self.heads:
            allowed = f"a divisor of d_model = {self.d_model}"
            raise UsageError("heads is not usable", got=self.heads, allowed=allowed)

    @property
    def d_head(self) -> int:
        """Width of one attention head."""
        return self.d_model // self.heads


@dataclass(frozen=True)
class ScheduleConfig:
    """How long to train, when to look and what to keep."""

    steps: int = 50_000
    """Maximum of steps."""
    eval_every: int = 50
    """Steps between evaluations (accuracy, loss, measures)."""
    spectra_every: int = 250
    """Steps between recorded spectra; rounded up to evaluations."""
    save_every: int = 500
    """Steps between saves of what resuming needs; rounded up to evaluations."""
    checkpoint_every: int = 1000
    """Steps between checkpoints, beside the log-spaced ones and the last."""
    checkpoint_budget: int = 512
    """MiB that all checkpoints of the run may take; the interval is widened to stay within."""
    stop_accuracy: float = 0.99
    """Test accuracy that ends training once 5 more evaluations hold it; grokked is always 0.99."""
    stop_margin: int = 500
    """Steps to go on after reaching it, so that the clean-up shows."""
    stop: bool = True
    """Stop at `stop_accuracy`; otherwise train to `steps`."""

    def __post_init__(self) -> None:
        make_plain(self)
        for name in ("steps", "eval_every", "spectra_every", "save_every", "checkpoint_every"):
            check_integer(name, getattr(self, name), 1, 100_000_000)
        check_integer("checkpoint_budget", self.checkpoint_budget, 1, 1_000_000)
        check_integer("stop_margin", self.stop_margin, 0, 100_000_000)
        check_number("stop_accuracy", self.stop_accuracy, "over 0, at most 1", over=0, most=1)


@dataclass(frozen=True)
class RunConfig:
    """Everything that determines a run's numbers, for one or several seeds."""

    task: TaskConfig = field(default_factory=TaskConfig)
    model: ModelConfig = field(default_factory=ModelConfig)
    optimizer: OptimizerConfig = field(default_factory=OptimizerConfig)
    schedule: ScheduleConfig = field(default_factory=ScheduleConfig)
    transfer: TransferConfig = field(default_factory=TransferConfig)
    seeds: tuple[int, ...] = (0,)
    """Each draws its own weights and split; all train in one program."""
    eta: float = 0.5
    """Threshold η of FFS and KFS, over 0 and below 1."""

    def __post_init__(self) -> None:
        make_plain(self)
        allowed = "a list of one or more, each once"
        check_tuple("the seeds are", self.seeds, allowed)
        for seed in self.seeds:
            check_integer("a seed", seed, 0, LARGEST_SEED)
        if not self.seeds or len(set(self.seeds)) != len(self.seeds):
            got = " ".join(map(str, self.seeds))
            raise UsageError("the seeds are not usable", got=got, allowed=allowed)
        if self.model.architecture == "mlp":
            frozen = set(self.optimizer.freeze)
            if "attention" in frozen or len(frozen) == 3:
                raise UsageError(
                    "the frozen parts are not usable",
                    got=", ".join(self.optimizer.freeze),
                    allowed="at most two of embedding, mlp and unembedding, for an MLP",
                )
            if "attention" in self.transfer.load:
                raise UsageError(
                    "the parts to load are not usable",
                    got="attention",
                    allowed="embedding, mlp, unembedding, for an MLP",
                )
        check_number("eta", self.eta, "over 0, below 1", over=0, below=1)

    def to_json(self) -> dict[str, Any]:
        """Return plain dictionaries, lists and numbers, as the manifest keeps them."""
        return dataclasses.asdict(self)

    def settings(self) -> dict[str, Any]:
        """Return every setting of every section by its plain name."""
        document = self.to_json()
        sections = [document.pop(name) for name in _SECTIONS]
        return {name: value for section in sections for name, value in section.items()} | document

    @classmethod
    def from_json(cls, document: Any) -> "RunConfig":
        """Rebuild from `to_json`; raises `UsageError` where a field is missing or unknown.

        What older versions did not have yet may be missing.
        """
        try:
            rest = {k: v for k, v in document.items() if k not in _SECTIONS}
            whole = {name: {} for name in _ADDED_LATER} | document
            parts = {k: make(**whole[k]) for k, make in _SECTIONS.items()}
            return cls(**parts, **rest)
        except (KeyError, TypeError, AttributeError) as error:
            raise UsageError("the configuration cannot be read", got=str(error)) from error


def configure(expressions: Sequence[str], preset: str = "paper", **settings: Any) -> "RunConfig":
    """Return the configuration of a preset with some settings changed.

    **Arguments:**

    - `expressions`: the operation, or several for a mixture.
    - `preset`: a key of `PRESETS`.
    - `settings`: fields of any section by their plain names: `p=59, seeds=(0, 1), steps=20_000`.

    **Raises:** `UsageError` for an unknown preset or setting, or a value that cannot be used.
    """
    check_choice("the preset", preset, tuple(PRESETS))
    config = PRESETS[preset]
    sections = {name: getattr(config, name) for name in _SECTIONS}
    rest = {"expressions": tuple(expressions), **settings}
    for name, section in sections.items():
        own = {f.name: rest.pop(f.name) for f in dataclasses.fields(section) if f.name in rest}
        sections[name] = dataclasses.replace(section, **own)
    top = {k: rest.pop(k) for k in ("seeds", "eta") if k in rest}
    if rest:
        raise _unknown(next(iter(rest)))
    return RunConfig(**sections, **top)


def _unknown(name: str) -> UsageError:
    names = sorted(f.name for s in _SECTIONS.values() for f in dataclasses.fields(s))
    known = ["seeds", "eta", *names]
    meant = did_you_mean(name, known)
    return UsageError(
        "unknown setting", got=name, next_step=meant, allowed=None if meant else ", ".join(known)
    )


_SECTIONS: Final[dict[str, Any]] = {
    "task": TaskConfig,
    "model": ModelConfig,
    "optimizer": OptimizerConfig,
    "schedule": ScheduleConfig,
    "transfer": TransferConfig,
}
_ADDED_LATER: Final = ("transfer",)

PRESETS: Final[dict[str, RunConfig]] = {
    "paper": RunConfig(),
    "quick": RunConfig(
        task=TaskConfig(p=59, train_fraction=0.6),
        model=ModelConfig(d_model=64, heads=4, d_mlp=128),
        schedule=ScheduleConfig(steps=10_000, checkpoint_every=500),
    ),
}
"""`paper`: the paper's network and optimiser. `quick`: a small one mod 59, where
x + y and x*y grok in half a minute; with far smaller moduli there are too few frequencies to tell
keys from the others."""
