"""Arguments of the public functions as what their types say, or an error in one line."""

import functools
import inspect
import types
import typing
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, Final, Literal, ParamSpec, TypeVar

from grokscope.config.validate import as_kind, did_you_mean, plain_value, shown
from grokscope.errors import ArgumentsError, UsageError
from grokscope.variables import readable_variables

P = ParamSpec("P")
R = TypeVar("R")
_ALLOWED: Final[dict[Any, str]] = {int: "a whole number", float: "a number", str: "a text"}
_UNIONS: Final = (types.UnionType, typing.Union)
_VARIADIC: Final = (inspect.Parameter.VAR_POSITIONAL, inspect.Parameter.VAR_KEYWORD)


def known_arguments(function: Callable[P, R]) -> Callable[P, R]:
    """Refuse arguments that a function does not take, with the name that was meant.

    **Raises:** `ArgumentsError`, when the function is called.
    """
    signature = inspect.signature(function)

    @functools.wraps(function)
    def called(*args: P.args, **kwargs: P.kwargs) -> R:
        _bound(function.__name__, signature, args, kwargs)
        return function(*args, **kwargs)

    return called


def plain_arguments(function: Callable[P, R]) -> Callable[P, R]:
    """Bring the arguments of a function into its types, before anything is done with them.

    Numbers of NumPy and JAX become Python's, whole floats whole numbers, runs their paths, and a
    text where several are asked for is one of them, not its letters. What fits no type of ours,
    the numbers, texts, words, paths and series of them, raises `UsageError`, and an argument that
    there is not `ArgumentsError`, with the name that was meant.
    """
    signature = inspect.signature(function)

    @functools.wraps(function)
    def called(*args: P.args, **kwargs: P.kwargs) -> R:
        bound, hints = _bound(function.__name__, signature, args, kwargs), _hints(function)
        for name, value in bound.arguments.items():
            if name in hints and signature.parameters[name].kind not in _VARIADIC:
                bound.arguments[name] = _argument(name, hints[name], value)
        with readable_variables():  # which JAX reads where it is first needed
            return function(*bound.args, **bound.kwargs)

    return called


def _bound(
    called: str, signature: inspect.Signature, args: Sequence[Any], given: Mapping[str, Any]
) -> inspect.BoundArguments:
    """Return which value is which argument's; raises `ArgumentsError`."""
    try:
        return signature.bind(*args, **given)
    except TypeError as error:
        known = [name for name in signature.parameters if name not in ("self", "cls")]
        unknown = next((name for name in given if name not in known), None)
        what = f"{called}: {error}" if unknown is None else f"{called} has no such argument"
        allowed = ", ".join(known) or "none"
        meant = did_you_mean(unknown, known)
        raise ArgumentsError(what, got=unknown, allowed=allowed, next_step=meant) from None


@functools.cache
def _hints(function: Callable[..., Any]) -> dict[str, Any]:
    # what it returns may be a name that only a type checker knows
    of = {name: hint for name, hint in function.__annotations__.items() if name != "return"}
    known = types.SimpleNamespace(__annotations__=of)
    return typing.get_type_hints(known, vars(inspect.getmodule(inspect.unwrap(function))))


def _argument(name: str, hint: Any, value: Any) -> Any:
    kinds = typing.get_args(hint) if typing.get_origin(hint) in _UNIONS else (hint,)
    if value is None and types.NoneType in kinds:
        return None
    if Path in kinds:
        return _path(name, value)
    words = [w for k in kinds if typing.get_origin(k) is Literal for w in typing.get_args(k)]
    singles = [kind for kind in kinds if kind is bool or kind in _ALLOWED]
    fitting = [str] if isinstance(value, str) and str in singles else singles
    single = next(iter(fitting), None)
    items = [typing.get_args(k)[0] for k in kinds if typing.get_origin(k) is Sequence]
    several = next((item for item in items if item in _ALLOWED), None)
    if several and (single is None or not isinstance(plain_value(value), int | float | str)):
        return _series(name, several, value)
    if single or words:
        return _one(name, single, value, words)
    ours = [kind for kind in kinds if getattr(kind, "__module__", "").startswith("grokscope.")]
    return _of_ours(name, ours, value) if ours else value


def _of_ours(name: str, kinds: Sequence[type], value: Any) -> Any:
    if not isinstance(value, tuple(kinds)):
        allowed = " or ".join(f"{kind.__module__}.{kind.__name__}" for kind in kinds)
        raise _refusal(name, value, allowed)
    return value


def _path(name: str, value: Any) -> Path:
    text = plain_value(value)
    if not isinstance(text, str):
        raise _refusal(name, value, "a path")
    return Path(text)


def _series(name: str, kind: Any, value: Any) -> tuple[Any, ...]:
    found = plain_value(value)
    found = [found] if kind is str and isinstance(found, str) else found
    plain = isinstance(found, list | tuple | range)
    if not plain or any(isinstance(one, list) for one in found):
        raise _refusal(name, value, f"a list, each {_ALLOWED[kind]}")
    return tuple(_one(name, kind, one) for one in found)


def _one(name: str, kind: Any, value: Any, words: Sequence[str] = ()) -> Any:
    if isinstance(value, str) and value in words:
        return value
    found = as_kind(kind, name, value)
    fits = isinstance(found, int | float) if kind is float else kind and isinstance(found, kind)
    if not fits or (kind is not bool and isinstance(found, bool)):
        allowed = " or ".join(filter(None, (_ALLOWED.get(kind), *words)))
        raise _refusal(name, value, allowed)
    return found


def _refusal(name: str, value: Any, allowed: str) -> UsageError:
    return UsageError(f"{name} is not usable", got=shown(value), allowed=allowed)
