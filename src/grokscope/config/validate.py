"""Whether a setting can be used, and what was meant: every check raises one clear line."""

import dataclasses
import difflib
import functools
import itertools
import math
import numbers
import operator
import os
import types
import typing
from collections.abc import Collection, Iterable, Iterator, Mapping
from decimal import Decimal
from typing import Any, Final, Literal, SupportsIndex, get_args

from grokscope.errors import UsageError

Part = Literal["embedding", "attention", "mlp", "unembedding"]
LARGEST_SEED: Final = 2**32 - 1
SETS_OF_PARTS: Final = ("freeze", "load")
"""Settings that hold parts, whose order means nothing."""


def in_order(parts: Collection[Part]) -> tuple[Part, ...]:
    """Return parts as they follow each other in the network, the same in whatever order given."""
    return tuple(part for part in get_args(Part) if part in parts)


_ALSO_CALLED: Final[dict[str, str]] = {
    "learning_rate": "lr step_size eta0",
    "weight_decay": "wd l2 lambda",
    "method": "optimizer optimiser optim opt",
    "loss": "criterion loss_fn objective",
    "beta1": "betas b1",
    "decay": "scheduler lr_scheduler lr_schedule lr_decay",
    "warmup": "warmup_steps warm_up",
    "batch_size": "batch bs minibatch",
    "steps": "epochs n_epochs num_epochs max_steps num_steps n_steps iterations iters max_iters",
    "eval_every": "eval_interval eval_freq log_every log_interval",
    "checkpoint_every": "checkpoint_interval save_interval ckpt_every",
    "stop": "early_stop early_stopping",
    "p": "modulus mod prime modulo n P",
    "train_fraction": "fraction frac train_frac frac_train training_fraction r alpha",
    "fractions": "train_fraction train_fractions fraction frac frac_train r",
    "label_noise": "noise",
    "seeds": "seed random_seed rng_seed",
    "seed": "seeds random_seed rng_seed",
    "operation": "expression expressions operations op function task",
    "only": "operation operations expression",
    "layers": "n_layers num_layers depth",
    "d_model": "width dim hidden hidden_dim hidden_size embed_dim n_embd",
    "d_mlp": "d_ff mlp_dim mlp_width d_hidden n_neurons",
    "heads": "n_heads num_heads n_head",
    "architecture": "model arch network",
    "source": "from init_from pretrained",
    "from": "source init_from pretrained",
    "eta": "threshold",
    "out": "output output_dir out_dir outdir dir folder",
    "workers": "jobs n_jobs num_workers processes",
    "adamw": "adam_w",
    "quick": "fast small tiny demo",
    "paper": "default full",
    "cross_entropy": "ce crossentropy xent nll",
    "transformer": "gpt attention",
    "train": "fit run start",
    "runs": "ls list",
    "report": "plot page",
    "explain": "interpret analyse analyze",
    "reproduce": "replicate paper",
}
"""Names of settings, of their values and of verbs, as others call them."""
_BY_OTHER_NAME: Final = {
    (other.casefold(), name) for name, others in _ALSO_CALLED.items() for other in others.split()
}


def did_you_mean(name: object, known: Iterable[str], prefix: str = "") -> str | None:
    """Return `did you mean NAME?` with the nearest of the known names; None where none is near.

    **Arguments:**

    - `name`: what was given; case, and dashes for underscores, do not matter.
    - `known`: the names that there are.
    - `prefix`: what a name begins with that is shown, such as `--`.
    """
    if not isinstance(name, str):
        return None
    spelled = {_plain(one): one for one in known}
    asked = _plain(name)
    other = [one for one in spelled if (asked, one) in _BY_OTHER_NAME]
    close = [
        *([asked] if asked in spelled else []),
        *other,
        *difflib.get_close_matches(asked, spelled, 1),
    ]
    return f"did you mean {prefix}{spelled[close[0]]}?" if close else None


def _plain(name: str) -> str:
    return name.casefold().replace("-", "_")


NO_LIMIT: Final = 2**31 - 1


def shown(value: object) -> object:
    """Return a value as an error shows it; one without `got` has None there."""
    return "None" if value is None else value


def check_integer(name: str, value: Any, low: int, high: int = NO_LIMIT) -> None:
    """Refuse all but whole numbers from `low` to `high`."""
    if isinstance(value, int) and not isinstance(value, bool) and low <= value <= high:
        return
    span = f"{low} or more" if high == NO_LIMIT else f"{low} to {high}"
    raise UsageError(f"{name} is not usable", got=shown(value), allowed=f"a whole number, {span}")


def check_number(
    name: str,
    value: Any,
    allowed: str,
    *,
    over: float = -math.inf,
    least: float = -math.inf,
    below: float = math.inf,
    most: float = math.inf,
) -> None:
    """Refuse all but finite numbers with over < value < below and least ≤ value ≤ most."""
    number = isinstance(value, int | float) and not isinstance(value, bool)
    # finite last: a whole number of 400 digits is no float, and already out of the limits
    if number and over < value < below and least <= value <= most and math.isfinite(value):
        return
    raise UsageError(f"{name} is not usable", got=shown(value), allowed=allowed)


def check_tuple(name: str, value: object, allowed: str) -> None:
    """Refuse all but tuples."""
    if not isinstance(value, tuple):
        raise UsageError(f"{name} not usable", got=shown(value), allowed=allowed)


def check_parts(name: str, what: str, value: Any) -> None:
    """Refuse all but tuples of parts of the network, each once; `what` is what to call a part."""
    check_tuple(f"{name} is", value, 'a tuple of parts, in TOML a list such as ["mlp"]')
    for part in value:
        check_choice(what, part, get_args(Part))
    if len(set(value)) != len(value):
        raise UsageError(f"{name} has a part twice", got=", ".join(value), allowed="each part once")


def check_choice(name: str, value: object, choices: tuple[str, ...]) -> None:
    """Refuse all but some words."""
    if not isinstance(value, str) or value not in choices:
        raise UsageError(
            f"{name} is unknown",
            got=shown(value),
            allowed=", ".join(choices),
            next_step=did_you_mean(value, choices),
        )


MOST_VALUES: Final = 100_000
"""Most values of one setting; also an iterator without an end is then refused."""


def plain_value(value: Any) -> Any:
    """Return a value as JSON and TOML can hold it, if that is possible, else as it is.

    Scalars and arrays of NumPy and JAX become numbers and lists, iterators lists, paths, and runs
    by their paths, texts; lists and tables are looked through.
    """
    if isinstance(value, Mapping):
        return {name: plain_value(one) for name, one in value.items()}
    if isinstance(value, tuple):
        return tuple(map(plain_value, value))
    if isinstance(value, list | Iterator):
        return [plain_value(one) for one in itertools.islice(value, MOST_VALUES + 1)]
    if not isinstance(value, type) and hasattr(value, "tolist"):
        return value.tolist()
    if isinstance(value, os.PathLike):
        return os.fspath(value)
    path = getattr(value, "path", None)
    return os.fspath(path) if isinstance(path, os.PathLike) else value


def make_plain(config: Any) -> None:
    """Bring the fields of a frozen dataclass, while it is made, into the types that they state.

    A whole number may come as a float without a fraction, 1e4. What no type fits is left for the
    checks that follow, which know the limits and say them.

    **Raises:** `UsageError` for a boolean that is none, such as `"false"`, and for too many values.
    """
    for name, kind in _kinds(type(config)).items():
        object.__setattr__(config, name, as_kind(kind, name, getattr(config, name)))


@functools.cache
def _kinds(kind: type) -> dict[str, Any]:
    """Return the types of a dataclass's fields, but for dataclasses; of `T | None` it is T."""
    hints = typing.get_type_hints(kind)
    kinds = {field.name: _without_none(hints[field.name]) for field in dataclasses.fields(kind)}
    return {name: hint for name, hint in kinds.items() if not dataclasses.is_dataclass(hint)}


def _without_none(hint: Any) -> Any:
    if typing.get_origin(hint) is not types.UnionType:
        return hint
    return next(part for part in typing.get_args(hint) if part is not types.NoneType)


def as_kind(kind: Any, name: str, given: Any) -> Any:
    """Return a value in the type of a field, `kind`; as it came where it does not fit."""
    value = plain_value(given)
    if typing.get_origin(kind) is tuple:
        return _series(typing.get_args(kind)[0], name, value)
    if kind is bool and not isinstance(value, bool):
        raise UsageError(f"{name} is not usable", got=shown(value), allowed="true or false")
    if kind in (int, float):
        return _number(kind, value)
    return value


def _series(kind: Any, name: str, value: Any) -> Any:
    if not isinstance(value, list | tuple | range):
        return value
    if len(value) > MOST_VALUES:
        raise UsageError(f"{name} has too many values", allowed=f"at most {MOST_VALUES:,}")
    return tuple(as_kind(kind, name, one) for one in value)


def _number(kind: type[int] | type[float], value: Any) -> Any:
    """Return a number as an int or a float where it is exactly that; anything else as it is."""
    if isinstance(value, bool) or not isinstance(value, numbers.Real | Decimal | SupportsIndex):
        return value
    try:
        exact = operator.index(value) if isinstance(value, SupportsIndex) else value
        number = math.trunc(exact) if kind is int else float(exact)
    except (OverflowError, ValueError, TypeError):  # a number of 400 digits; inf, nan; a class
        return value
    return number if kind is float or number == exact else value
