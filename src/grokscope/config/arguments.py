"""Arguments of the public functions as what their types say, or an error in one line."""

import functools
import inspect
import types
import typing
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, Final, Literal, ParamSpec, TypeVar

from grokscope.config.validate import as_kind, plain_value
from grokscope.errors import UsageError

P = ParamSpec("P")
R = TypeVar("R")
_ALLOWED: Final[dict[Any, str]] = {int: "a whole number", float: "a number", str: "a text"}
_UNIONS: Final = (types.UnionType, typing.Union)
_VARIADIC: Final = (inspect.Parameter.VAR_POSITIONAL, inspect.Parameter.VAR_KEYWORD)


def plain_arguments(function: Callable[P, R]) -> Callable[P, R]:
    """Bring the arguments of a function into its types, before anything is done with them.

    Numbers of NumPy and JAX become Python's, whole floats whole numbers, runs their paths, and a
    text where several are asked for is one of them, not its letters. What fits no type of ours,
    the numbers, texts, words, paths and series of them, raises `UsageError`.
    """
    signature = inspect.signature(function)

    @functools.wraps(function)
    def called(*args: P.args, **kwargs: P.kwargs) -> R:
        bound, hints = signature.bind(*args, **kwargs), _hints(function)
        for name, value in bound.arguments.items():
            if name in hints and signature.parameters[name].kind not in _VARIADIC:
                bound.arguments[name] = _argument(name, hints[name], value)
        return function(*bound.args, **bound.kwargs)

    return called


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
    single = next((kind for kind in kinds if kind is bool or kind in _ALLOWED), None)
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
    if not isinstance(found, list | tuple | range):
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
    got = "None" if value is None else value  # an error without `got` has None there
    return UsageError(f"{name} is not usable", got=got, allowed=allowed)
