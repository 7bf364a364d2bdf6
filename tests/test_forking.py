"""A child that was forked after JAX had been used would hang, and refuses; before, it computes."""

import os
import subprocess
import sys
from pathlib import Path
from typing import Final

import pytest

PROGRAM: Final = """
import os, signal, sys, warnings
import grokscope
warnings.simplefilter("ignore")  # JAX warns of the fork, too

def child():
    from grokscope.errors import UsageError
    from grokscope.numerics import computing
    import jax.numpy as jnp
    try:
        with computing():
            print(float(jnp.ones(3).sum()), flush=True)
    except UsageError as error:
        print(error, flush=True)

def fork():
    pid = os.fork()
    if pid == 0:
        signal.alarm(60)
        child()
        os._exit(0)
    assert os.waitpid(pid, 0)[1] == 0

import jax.numpy as jnp
fork()
if sys.argv[1] == "ours":
    child()
else:
    jnp.ones(3).sum()
fork()
"""


@pytest.mark.skipif(not hasattr(os, "fork"), reason="this system has no fork")
@pytest.mark.parametrize("whose", ["ours", "theirs"])
def test_a_fork_after_jax_was_used_is_refused(whose: str, tmp_path: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-c", PROGRAM, whose],
        cwd=tmp_path,
        timeout=120,
        capture_output=True,
        text=True,
    )
    first, *_, last = done.stdout.splitlines()
    assert first == "3.0", done.stderr
    assert "forked after JAX had been used" in last
    assert 'multiprocessing.get_context("spawn")' in last
