"""Whether a setting can be used: each check raises `UsageError` with one clear line."""

import math
from typing import Any, Final, get_args

from grokscope.errors import UsageError
from grokscope.settings.basics import Part
from grokscope.settings.nearest import did_you_mean

NO_LIMIT: Final = 2**31 - 1


def check_integer(name: str, value: Any, low: int, high: int = NO_LIMIT) -> None:
    """Refuse all but whole numbers from `low` to `high`."""
    if isinstance(value, int) and not isinstance(value, bool) and low <= value <= high:
        return
    span = f"{low} or more" if high == NO_LIMIT else f"{low} to {high}"
    raise UsageError(f"{name} is not usable", got=value, allowed=f"a whole number, {span}")


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
    raise UsageError(f"{name} is not usable", got=value, allowed=allowed)


def check_tuple(name: str, value: object, allowed: str) -> None:
    """Refuse all but tuples."""
    if not isinstance(value, tuple):
        raise UsageError(f"{name} not usable", got=value, allowed=allowed)


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
        raise UsageError(f"{name} is unknown", got=value, allowed=", ".join(choices),
                         next_step=did_you_mean(value, choices))  # fmt: skip
