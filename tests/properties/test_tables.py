"""A planted table is measured and explained as it was planted, or asked about; never otherwise."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import safetensors.numpy
from hypothesis import given
from hypothesis import strategies as st

from grokscope.disk.measuring import measure
from grokscope.errors import UsageError
from grokscope.measures import describe

KINDS = (np.float64, np.float32, np.float16, np.int64)


def planted(p: int, d: int, keys: set[int]) -> np.ndarray:
    """Columns that are waves of the keys: what is measured of them is known by formula."""
    waves = [(k, phase) for k in sorted(keys) for phase in (0.0, np.pi / 2)]
    columns = [waves[i % len(waves)] for i in range(d)]
    x = np.arange(p)
    return np.stack([np.cos(2 * np.pi * k * x / p - phase) for k, phase in columns], axis=1)


def measured_or_asked(path: Path, p: int) -> dict[str, Any] | None:
    try:
        return measure(path, p=p)["W"]
    except UsageError:
        return None


@given(
    data=st.data(),
    p=st.integers(5, 40),
    d=st.integers(2, 48),
    extra=st.integers(0, 10),
    turned=st.booleans(),
    kind=st.sampled_from(KINDS),
)
def test_measured_as_planted_or_asked(
    tmp_path_factory: pytest.TempPathFactory,
    data: st.DataObject,
    p: int,
    d: int,
    extra: int,
    turned: bool,
    kind: type,
) -> None:
    keys = data.draw(st.sets(st.integers(1, p // 2), min_size=1, max_size=3))
    table = (100 * planted(p, d, keys)).astype(kind)
    tokens = np.full((extra, d), 90).astype(kind)
    array = np.concatenate([table, tokens])
    path = tmp_path_factory.mktemp("planted") / "W.safetensors"
    saved = {"W": np.ascontiguousarray(array.T if turned else array)}
    safetensors.numpy.save_file(saved, path)
    numbers = table.astype(np.float64) if kind is np.int64 else table
    expected, axis = describe(numbers), int(turned)
    found = measured_or_asked(path, p)
    if found is None:  # the other axis could be it, too, or there are more tokens than a few
        assert p <= d <= p + 8 or extra > 8
    elif extra <= 8:
        assert found["axis"] == axis
        assert {key: found[key] for key in expected} == expected
        assert found["left_out"] == list(range(p, p + extra))
    told = measure(path, p=p, axis=axis)["W"]
    assert {key: told[key] for key in expected} == expected
    with pytest.raises(UsageError, match="not known"):
        measure(path)
