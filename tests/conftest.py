"""JAX as strict as it can be, with programs that are compiled only once per test session.

The settings are environment variables, so that tests without JAX need not import it and the
workers and processes that tests start have them too.
"""

import os
import tempfile
from typing import Final

from hypothesis import settings

_STRICT: Final = {
    "JAX_NUMPY_RANK_PROMOTION": "raise",
    "JAX_NUMPY_DTYPE_PROMOTION": "strict",
    "JAX_PERSISTENT_CACHE_MIN_COMPILE_TIME_SECS": "0",
    "JAX_PERSISTENT_CACHE_MIN_ENTRY_SIZE_BYTES": "-1",
}

os.environ.update(_STRICT)
# a machine that does other work at the same time makes no test fail
settings.register_profile("untimed", deadline=None)
settings.load_profile("untimed")
if "JAX_COMPILATION_CACHE_DIR" not in os.environ:
    _cache = tempfile.TemporaryDirectory(prefix="grokscope-tests-")  # removed when Python ends
    os.environ["JAX_COMPILATION_CACHE_DIR"] = _cache.name
