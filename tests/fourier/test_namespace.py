"""Which arrays are taken, in which precision they are computed, and which are refused."""

import subprocess
import sys

import jax.numpy as jnp
import numpy as np
import pytest

from grokscope.errors import UsageError
from grokscope.fourier import arrays


@pytest.mark.parametrize("dtype", [np.float16, np.float32, np.float64, np.int8, np.bool_])
def test_numpy_is_computed_in_double_precision(dtype):
    array = arrays.real_array(np.ones((2, 3), dtype))
    assert isinstance(array, np.ndarray)
    assert array.dtype == np.float64


@pytest.mark.parametrize("dtype", [jnp.bfloat16, jnp.float16, jnp.float32, jnp.int32])
def test_jax_stays_in_jax_with_single_precision_at_least(dtype):
    array = arrays.real_array(jnp.ones((2, 3), dtype))
    assert isinstance(array, jnp.ndarray)
    assert array.dtype == jnp.float32


def test_jax_bfloat16_that_was_saved_as_numpy_is_read():
    array = arrays.real_array(np.asarray(jnp.ones((2, 3), jnp.bfloat16)))
    assert array.dtype == np.float64


@pytest.mark.parametrize("values", [1j * np.ones((2, 2)), [["a"], ["b"]], [[None], [None]]])
def test_what_is_not_a_real_number_is_refused(values):
    with pytest.raises(UsageError, match=r"no array of real numbers; got .*; allowed: NumPy"):
        arrays.real_array(values)


@pytest.mark.parametrize("shape", [(), (5,), (5, 2, 2), (1, 4), (0, 4), (5, 0)])
def test_a_table_needs_rows_and_columns(shape):
    with pytest.raises(UsageError, match=r"wrong shape; got .*; allowed: two axes"):
        arrays.real_table(np.zeros(shape))


def test_measuring_a_numpy_table_does_not_load_jax():
    code = (
        "import sys, numpy as np, grokscope.measures as m; m.describe(np.eye(5));"
        "sys.exit('jax' in sys.modules)"
    )
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
