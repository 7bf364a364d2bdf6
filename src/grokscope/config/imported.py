"""What the weights of somebody else's network do not say: how it is wired."""

import dataclasses
import re
from dataclasses import dataclass
from typing import Any, Final, Literal, get_args

from grokscope.config.validate import check_choice, check_integer, check_number, make_plain
from grokscope.errors import UsageError

Kind = Literal["transformer", "mlp"]
Activation = Literal["relu", "gelu", "gelu_tanh", "silu", "square", "identity"]
Norm = Literal["none", "layer", "rms"]
NormPlace = Literal["before", "after", "stream"]
Combine = Literal["concatenate", "sum", "multiply"]
Form = Literal["transformer-lens", "torch", "safetensors"]
"""For whom a network is written: TransformerLens, PyTorch, or any reader of safetensors."""

_TERMS: Final = re.compile(r"(x|y|p|\d{1,6})(\+(p|\d{1,6}))*")


@dataclass(frozen=True)
class Token:
    """One token of an input: a residue, moved by a number, or the same token for every pair."""

    residue: Literal["x", "y"] | None
    first: int
    """What is added to the residue; without one, the token."""


@dataclass(frozen=True, kw_only=True)
class ImportedConfig:
    """How a network that was trained elsewhere is wired."""

    p: int
    """Number of residues; further tokens and answers may stand behind them."""
    kind: Kind = "transformer"
    """Blocks of attention and an MLP, or an MLP alone."""
    tokens: tuple[str, ...] = ("x", "y", "p")
    """What stands at each position: x, y, a token, or a sum of these and p, as `y + p`."""
    read: int | Literal["mean"] = -1
    """Position at which the answer is read, from the end where negative, or `mean` over them."""
    causal: bool = True
    """Whether a position sees only itself and those before it."""
    attention_mix: float = 1.0
    """Weight c of the softmax: patterns are c·softmax + 1 − c."""
    attention_scale: float = 0.0
    """Factor on query·key; 0 for 1/√d_head."""
    norm: Norm = "none"
    """`layer` takes out the mean and divides by the deviation, `rms` divides by the size."""
    norm_place: NormPlace = "before"
    """Whether attention and MLP read what is normed, or the residual stream is normed `after` each,
    or (`stream`) before attention, and the MLP reads what is normed."""
    norm_epsilon: float = 1e-5
    """Added to the variance."""
    activation: Activation = "relu"
    """Of the neurons; `gelu` is exact, `gelu_tanh` the approximation."""
    combine: Combine = "concatenate"
    """How an MLP joins the rows of x and y; with `sum` and `multiply` they may be its first
    weights."""

    def __post_init__(self) -> None:
        make_plain(self)
        check_integer("p", self.p, 2, 100_000)
        for name, allowed in _CHOICES.items():
            check_choice(name.replace("_", " "), getattr(self, name), get_args(allowed))
        found = [token.residue for token in self.places]
        if sorted(filter(None, found)) != ["x", "y"]:
            raise UsageError(
                "the tokens are not usable",
                got=", ".join(self.tokens),
                allowed="x and y once each, and further tokens",
                next_step='for example tokens = ["x", "y", "p"], p being the token "="',
            )
        self._check_read()
        check_number("norm_epsilon", self.norm_epsilon, "0 to 1", least=0, most=1)
        check_number("attention_mix", self.attention_mix, "a number", least=-100, most=100)
        check_number("attention_scale", self.attention_scale, "0 or more", least=0, most=1e6)

    def _check_read(self) -> None:
        n = len(self.tokens)
        if isinstance(self.read, str):
            check_choice("read", self.read, ("mean", f"{-n} to {n - 1}"))
        else:
            check_integer("read", self.read, -n, n - 1)

    @property
    def places(self) -> list[Token]:
        """The token at each position."""
        return [_token(text, self.p) for text in self.tokens]

    def first(self, residue: Literal["x", "y"]) -> int:
        """Return the token of the residue 0 at x, or at y."""
        return next(token.first for token in self.places if token.residue == residue)

    def at(self, residue: Literal["x", "y"]) -> int:
        """Return the position of x, or of y."""
        return next(i for i, token in enumerate(self.places) if token.residue == residue)

    def to_json(self) -> dict[str, Any]:
        """Return plain values, as a checkpoint keeps them."""
        return dataclasses.asdict(self)


_CHOICES: Final[dict[str, Any]] = {
    "kind": Kind,
    "norm": Norm,
    "norm_place": NormPlace,
    "activation": Activation,
    "combine": Combine,
}


def _token(text: str, p: int) -> Token:
    plain = "".join(str(text).split())
    if not _TERMS.fullmatch(plain):
        raise UsageError(
            "a token is not usable",
            got=text,
            allowed="x, y, p, a whole number, or a sum of them, as y + p",
        )
    terms = plain.split("+")
    residue = terms[0] if terms[0] in ("x", "y") else None
    known = terms[1:] if residue else terms
    first = sum(p if term == "p" else int(term) for term in known)
    return Token("x" if residue == "x" else "y" if residue == "y" else None, first)
