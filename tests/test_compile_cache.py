"""Compiled programs are kept between processes, and nothing about it is a reason to fail."""

import os
import shutil
import threading
import time
import warnings
import zlib
from collections.abc import Callable, Iterator
from pathlib import Path

import jax
import jax.numpy as jnp
import pytest
from jax.experimental.compilation_cache import compilation_cache

from grokscope import compile_cache
from grokscope.compile_cache import kept_programs

SETTINGS = (
    "jax_compilation_cache_dir",
    "jax_persistent_cache_min_compile_time_secs",
    "jax_persistent_cache_min_entry_size_bytes",
    "jax_compilation_cache_max_size",
    "jax_raise_persistent_cache_errors",
)


def settings() -> list[object]:
    return [jax.config.values[name] for name in SETTINGS]


@pytest.fixture
def top(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """The folder of kept programs of a user who has set nothing; not there yet."""
    shared = jax.config.values["jax_compilation_cache_dir"]
    monkeypatch.setattr(compile_cache, "cache_folder", lambda: tmp_path / "top")
    compile_cache._usable_folder.cache_clear()
    jax.config.update("jax_compilation_cache_dir", None)
    yield tmp_path / "top"
    compile_cache._usable_folder.cache_clear()
    jax.config.update("jax_compilation_cache_dir", shared)
    compilation_cache.reset_cache()


@pytest.fixture
def hits() -> Iterator[list[str]]:
    """Grows with every program that JAX finds in the cache."""
    found: list[str] = []
    jax.monitoring.register_event_listener(
        lambda event, **_: found.append(event) if event.endswith("/cache_hits") else None
    )
    yield found
    jax.monitoring.clear_event_listeners()


def compute() -> float:
    """Compile and run a program, new to this process, always the same for the cache."""

    def tripled_and_shifted(x: jax.Array) -> jax.Array:
        return 3 * x + 0.125

    return float(jax.jit(tripled_and_shifted)(jnp.ones(7))[0])


def entries(top: Path) -> list[Path]:
    return sorted(top.glob("*/jit_tripled*-cache"))


def again() -> float:
    """Compute as a new process would."""
    compile_cache._usable_folder.cache_clear()
    jax.clear_caches()
    with kept_programs():
        return compute()


def test_programs_are_kept_and_settings_put_back(top: Path, hits: list[str]):
    before = settings()
    with kept_programs():
        assert compute() == 3.125
    (entry,) = entries(top)
    assert settings() == before
    hits.clear()
    assert again() == 3.125
    assert hits
    assert entries(top) == [entry]


def test_nothing_is_kept_of_what_the_user_computes_afterwards(top: Path):
    with kept_programs():
        pass
    compute()
    assert entries(top) == []


def test_settings_are_put_back_after_an_error_and_by_the_last_thread(top: Path):
    before = settings()

    def fail() -> None:
        with pytest.raises(ValueError, match="ours"), kept_programs():
            raise ValueError("ours")

    with kept_programs():
        other = threading.Thread(target=fail)
        other.start()
        other.join()
        assert jax.config.values["jax_compilation_cache_dir"].startswith(str(top))
    assert settings() == before


@pytest.mark.parametrize("name", ["dir", "enable"])
def test_the_users_own_choice_is_left_alone(name: str, top: Path, tmp_path: Path):
    theirs = {
        "dir": ("jax_compilation_cache_dir", str(tmp_path / "theirs")),
        "enable": ("jax_enable_compilation_cache", False),
    }[name]
    before = jax.config.values[theirs[0]]
    jax.config.update(*theirs)
    try:
        compilation_cache.reset_cache()
        with kept_programs():
            assert jax.config.values[theirs[0]] == theirs[1]
            assert compute() == 3.125
    finally:
        jax.config.update(theirs[0], before)
        compilation_cache.reset_cache()
    assert not top.exists()


def _a_file(top: Path) -> None:
    top.write_text("in its place")


def _under_a_file(top: Path) -> None:
    top.symlink_to(top.parent / "nothing" / "there")


def _of_others(top: Path) -> None:
    with kept_programs():
        compute()
    for folder in top.iterdir():
        folder.chmod(0o777)


@pytest.mark.parametrize("spoil", [_a_file, _under_a_file, _of_others])
def test_a_folder_that_cannot_be_used(spoil: Callable[[Path], None], top: Path):
    spoil(top)
    before = settings()
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert again() == 3.125
        compile_cache._usable_folder.cache_clear()
        with kept_programs():
            assert settings() == before


@pytest.mark.parametrize("damage", [b"", b"\0" * 100, b"\x28\xb5\x2f\xfd"])
def test_damaged_entries_neither_fail_nor_warn(damage: bytes, top: Path):
    with kept_programs():
        compute()
    entries(top)[0].write_bytes(damage)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert again() == 3.125


def test_a_folder_that_vanishes_or_a_disk_that_is_full(top: Path):
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        with kept_programs():
            shutil.rmtree(top)
            assert compute() == 3.125


def test_what_was_not_written_whole_is_removed_once_nobody_can_be_writing_it(top: Path):
    with kept_programs():
        compute()
    (whole,) = entries(top)
    for name in ("cut", "in-progress"):
        (whole.parent / f"{name}-cache").write_bytes(whole.read_bytes()[:-9])
    long_ago = time.time() - 100
    for old in (whole, whole.parent / "cut-cache"):
        os.utime(old, (long_ago, long_ago))
    (whole.parent / compile_cache._STAMP).unlink()
    again()
    left = {path.name for path in whole.parent.glob("*-cache")}
    assert {whole.name, "in-progress-cache"} <= left
    assert "cut-cache" not in left


def test_what_was_not_used_for_longest_makes_room(top: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(compile_cache, "LARGEST", 1000)
    folder = top / "an older jaxlib"
    folder.mkdir(parents=True)
    now = time.time()
    for age in range(11):
        path = folder / f"{age}-cache"
        path.write_bytes(zlib.compress(b"") + bytes(100 - len(zlib.compress(b""))))
        os.utime(path, (now - age, now - age))
    again()
    assert sorted(path.name for path in folder.iterdir()) == [f"{i}-cache" for i in range(5)]


def test_where_the_cache_lies(monkeypatch: pytest.MonkeyPatch, tmp_path: Path):
    monkeypatch.setattr("sys.platform", "linux")
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    assert compile_cache.cache_folder() == tmp_path / "grokscope" / "compiled"
    monkeypatch.setenv("XDG_CACHE_HOME", "relative")
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    assert compile_cache.cache_folder() == tmp_path / "home/.cache/grokscope/compiled"
    monkeypatch.setattr("sys.platform", "darwin")
    assert compile_cache.cache_folder() == tmp_path / "home/Library/Caches/grokscope/compiled"
