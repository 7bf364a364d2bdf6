"""A variable of the environment that JAX cannot read, said in one line instead of a traceback."""

import contextlib
import os
import traceback
from collections.abc import Iterator
from typing import Final

from grokscope.errors import UsageError

_PREFIX: Final = "JAX_"
_PLACE: Final = f"{os.sep}jax{os.sep}"


@contextlib.contextmanager
def readable_variables() -> Iterator[None]:
    """Say which variable it is where JAX, which reads them while it is imported, refuses one.

    **Raises:** `UsageError` that names the variable and its value.
    """
    try:
        yield
    except (ValueError, TypeError) as error:
        name = _refused(error)
        if name is None:
            raise
        raise UsageError(
            "JAX cannot read a variable of the environment",
            got=f"{name}={os.environ[name]}",
            next_step=f"unset {name}, or give it a value that JAX knows",
        ) from error


def _refused(error: Exception) -> str | None:
    """Return the variable that an error is about; None where it is about something else."""
    frames = traceback.extract_tb(error.__traceback__)
    # while a module of JAX is imported, its lines stand in a frame of this name
    if not any(frame.name == "<module>" and _PLACE in frame.filename for frame in frames):
        return None
    said = str(error).casefold()
    known = {name: value for name, value in os.environ.items() if name.startswith(_PREFIX)}
    named = [name for name in known if name.casefold() in said]
    held = [name for name, value in known.items() if value and value.casefold() in said]
    return next(iter([*named, *held]), None)
