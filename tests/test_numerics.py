"""What the user has set in JAX and NumPy changes no number of ours, and is as before afterwards."""

import contextlib
import errno
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from grokscope.config.run import configure
from grokscope.errors import NotEnoughMemoryError, UsageError
from grokscope.numerics import PINNED, ambient, computing
from grokscope.runner.loop import train_run

OTHERS: dict[str, Any] = {
    "enable_x64": True,
    "default_prng_impl": "rbg",
    "threefry_partitionable": False,
    "default_matmul_precision": "bfloat16",
    "softmax_custom_jvp": True,
    "debug_nans": True,
    "debug_infs": True,
    "disable_jit": True,
    "debug_key_reuse": True,
    "check_tracer_leaks": True,
}


@contextlib.contextmanager
def the_users(**settings: Any) -> Iterator[None]:
    with contextlib.ExitStack() as stack:
        for name, value in settings.items():
            stack.enter_context(getattr(jax, name)(value))
        yield


def pinned() -> dict[str, Any]:
    return {name: jax.config.values[f"jax_{name}"] for name in PINNED}


def test_every_pinned_setting_is_tried():
    assert OTHERS.keys() == PINNED.keys()
    assert all(OTHERS[name] != value for name, value in PINNED.items())


def test_settings_are_pinned_and_put_back_also_after_an_error():
    @computing()
    def fail() -> None:
        assert pinned() == PINNED
        raise ValueError("ours")

    with the_users(**OTHERS):
        with pytest.raises(ValueError, match="ours"):
            fail()
        assert pinned() == OTHERS


def test_settings_of_the_whole_process_are_pinned_too():
    jax.config.update("jax_enable_x64", True)
    try:
        with computing():
            assert jnp.arange(3.0).dtype == jnp.float32
        assert jnp.arange(3.0).dtype == jnp.float64
    finally:
        jax.config.update("jax_enable_x64", False)


def test_other_threads_keep_their_settings():
    inside, looked, found = threading.Event(), threading.Event(), []

    def look() -> None:
        with the_users(debug_nans=True):
            inside.wait(60)
            found.append(jax.config.values["jax_debug_nans"])
        looked.set()

    threading.Thread(target=look).start()
    with computing():
        inside.set()
        assert looked.wait(60)
    assert found == [True]


def test_nothing_is_compiled_again_for_a_pinned_setting():
    traced = []

    @jax.jit
    def doubled(x: jax.Array) -> jax.Array:
        traced.append(x)
        return 2 * x

    with computing():
        doubled(jnp.ones(3))
        with computing():
            doubled(jnp.ones(3))
    with the_users(enable_x64=True, threefry_partitionable=False), computing():
        doubled(jnp.ones(3))
    assert len(traced) == 1


@pytest.mark.parametrize(
    "names",
    [
        ("enable_x64", "default_prng_impl", "threefry_partitionable"),
        ("debug_nans", "debug_infs", "disable_jit", "default_matmul_precision"),
    ],
)
def test_a_training_has_the_same_weights(names: tuple[str, ...], tmp_path: Path):
    config = configure(
        ["x + y"],
        "quick",
        p=7,
        d_model=16,
        heads=2,
        d_mlp=16,
        steps=20,
        eval_every=10,
        train_fraction=0.6,
    )
    plain = train_run(config, tmp_path / "plain")
    with the_users(**{name: OTHERS[name] for name in names}), np.errstate(all="raise"):
        other = train_run(config, tmp_path / "other")
    (one,), (two,) = (
        [file.read_bytes() for file in run.path.glob("checkpoints/*/*20.safetensors")]
        for run in (plain, other)
    )
    assert one == two
    assert plain.manifest.determinism == other.manifest.determinism


def test_a_user_who_makes_numpy_raise_is_left_alone_afterwards():
    with np.errstate(all="raise"):
        with computing(), pytest.warns(RuntimeWarning, match="invalid"):
            assert np.isnan(np.zeros(1) / np.zeros(1))
        with pytest.raises(FloatingPointError):
            np.divide(np.zeros(1), np.zeros(1))


def test_what_cannot_be_pinned_is_said(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.delenv("XLA_FLAGS", raising=False)
    assert ambient() == {}
    monkeypatch.setenv("XLA_FLAGS", "--xla_b --xla_dump_to=/tmp/x  --xla_a=1")
    assert ambient() == {"XLA_FLAGS": "--xla_a=1 --xla_b"}
    jax.config.update("jax_random_seed_offset", 3)
    try:
        assert ambient()["jax_random_seed_offset"] == 3
    finally:
        jax.config.update("jax_random_seed_offset", 0)


@pytest.mark.parametrize(
    "error",
    [
        MemoryError(),
        jax.errors.JaxRuntimeError("RESOURCE_EXHAUSTED: Out of memory allocating 1 bytes."),
        jax.errors.JaxRuntimeError("INTERNAL: std::bad_alloc"),
        ImportError("libflint.so.24: failed to map segment from shared object"),
        OSError(errno.ENOMEM, "Cannot allocate memory"),
    ],
)
def test_want_of_memory_is_one_line(error: Exception):
    with pytest.raises(NotEnoughMemoryError, match="not enough memory; "), computing():
        raise error


@pytest.mark.parametrize(
    "error",
    [jax.errors.JaxRuntimeError("INTERNAL: a bug"), ImportError("no module"), ValueError("memory")],
)
def test_other_errors_are_themselves(error: Exception):
    with pytest.raises(type(error), match=str(error)), computing():
        raise error


@pytest.mark.parametrize("error", [RuntimeError("Unable to initialize 'x'"), AssertionError()])
def test_no_device_is_wrong_usage(error: Exception, monkeypatch: pytest.MonkeyPatch):
    def devices() -> list[Any]:
        raise error

    monkeypatch.setattr(jax, "devices", devices)
    with pytest.raises(UsageError, match="no device to compute on"), computing():
        pass
