"""Everything that computes does so inside `computing()`: one place decides what numbers depend on.

The same seed gives the same bits whatever the user, or another library, has set in JAX or NumPy.
Their settings are as before afterwards, also after an error, and other threads keep theirs.
"""

import contextlib
import os
from collections.abc import Iterator
from typing import Any, Final

from grokscope.compile_cache import kept_programs
from grokscope.errors import NotEnoughMemoryError, UsageError, is_want_of_memory
from grokscope.forking import refuse_after_fork

PINNED: Final[dict[str, Any]] = {
    "enable_x64": False,
    "default_prng_impl": "threefry2x32",
    "threefry_partitionable": True,
    "default_matmul_precision": "float32",
    "softmax_custom_jvp": False,
    # These change no number, but stop at what is meant: a loss that diverges is not finite.
    "debug_nans": False,
    "debug_infs": False,
    "disable_jit": False,
    "debug_key_reuse": False,
    "check_tracer_leaks": False,
}
"""Settings of JAX, each with a context manager of the same name in `jax`, while we compute.

Rank and type promotion are left to the user: they refuse a program or leave its numbers alone.
"""
_RECORDED: Final[dict[str, Any]] = {
    "jax_random_seed_offset": 0,
    "jax_optimization_level": "UNKNOWN",
    "jax_exec_time_optimization_effort": 0.0,
    "jax_disable_most_optimizations": False,
    "jax_xla_profile_version": 0,
}
"""Settings that only a whole process can have, with what they are by themselves."""
_VARIABLES: Final = ("XLA_FLAGS", "NVIDIA_TF32_OVERRIDE", "NPROC")
"""Variables of the environment that change what XLA compiles, or with how many threads."""
_NOT_NUMBERS: Final = ("--xla_dump",)


@contextlib.contextmanager
def computing() -> Iterator[None]:
    """Pin what decides numbers, and keep compiled programs; also a decorator of a function.

    **Raises:** `UsageError` where JAX has no device, or would hang because of a fork;
    `NotEnoughMemoryError` for whatever says so inside.
    """
    refuse_after_fork()
    _refuse_without_device()
    with _memory_in_words(), contextlib.ExitStack() as stack:
        _pin(stack)
        stack.enter_context(kept_programs())
        yield


def ambient() -> dict[str, Any]:
    """Return what is set around us that changes bits and cannot be pinned; {} is as usual."""
    import jax

    values = jax.config.values
    found = {
        name: values[name] for name, usual in _RECORDED.items() if values.get(name, usual) != usual
    }
    for name in _VARIABLES:
        words = [
            word for word in os.environ.get(name, "").split() if not word.startswith(_NOT_NUMBERS)
        ]
        if words:
            found[name] = " ".join(sorted(words))
    return found


def _pin(stack: contextlib.ExitStack) -> None:
    """Enter what differs from what we need: to JAX, other settings are another program."""
    import jax
    import numpy as np

    theirs = jax.config.values
    for name, value in PINNED.items():
        if theirs.get(f"jax_{name}", value) != value:
            stack.enter_context(getattr(jax, name)(value))
    stack.enter_context(jax.transfer_guard("allow"))
    stack.enter_context(np.errstate(divide="warn", over="warn", under="ignore", invalid="warn"))


def _refuse_without_device() -> None:
    import jax

    try:
        jax.devices()
    except (RuntimeError, AssertionError) as error:
        names = ("JAX_PLATFORMS", "JAX_PLATFORM_NAME")
        name = next((one for one in names if os.environ.get(one)), names[0])
        asked = os.environ.get(name) or jax.config.values.get("jax_platforms")
        raise UsageError(
            "JAX finds no device to compute on",
            got=f"{name}={asked}" if asked else str(error),
            next_step=f"unset {name}, or set it to cpu",
        ) from error


@contextlib.contextmanager
def _memory_in_words() -> Iterator[None]:
    """Say in one line that memory is short, whoever says it."""
    try:
        yield
    except Exception as error:
        if is_want_of_memory(error):
            raise NotEnoughMemoryError.here() from error
        raise
