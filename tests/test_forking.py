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


WITHOUT_COMPUTING: Final = """
import os, signal, sys, warnings
import grokscope as gs
import jax.numpy as jnp
import numpy as np
from grokscope.config.run import ModelConfig
from grokscope.models import model_shapes, with_weights
warnings.simplefilter("ignore")

W, plain = jnp.eye(23), np.eye(23)
gs.measures.describe(W)
shapes = model_shapes(ModelConfig(d_model=4, heads=1, d_mlp=4), 5, 6)
drawn = {"W_E": np.ones((6, 4))}
for call in (lambda: gs.measures.describe(W), lambda: with_weights(shapes, drawn)):
    pid = os.fork()
    if pid == 0:
        signal.alarm(60)
        try:
            call()
        except gs.errors.UsageError as error:
            print(error, flush=True)
        os._exit(0)
    assert os.waitpid(pid, 0)[1] == 0
pid = os.fork()
if pid == 0:
    print(gs.measures.describe(plain)["ffs"] is not None, flush=True)
    os._exit(0)
assert os.waitpid(pid, 0)[1] == 0
"""


@pytest.mark.skipif(not hasattr(os, "fork"), reason="this system has no fork")
def test_measures_and_weights_are_refused_too_and_numpy_is_not(tmp_path: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-c", WITHOUT_COMPUTING],
        cwd=tmp_path,
        timeout=180,
        capture_output=True,
        text=True,
    )
    *refused, last = done.stdout.splitlines()
    assert [line.count("forked after JAX had been used") for line in refused] == [1, 1], done.stderr
    assert last == "True"


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
