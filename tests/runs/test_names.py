from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from grokscope.runs.names import next_free_name, slug


@pytest.mark.parametrize(
    ("operation", "expected"),
    [
        ("x + y", "x+y"),
        ("x^2 + y^2", "x2+y2"),
        ("x * y", "xy"),
        ("x / y", "x_over_y"),
        ("(x + y)^2", "x+y_2"),
        ("-x + y", "minus_x+y"),
        ("x + y, x - y", "x+y,x-y"),
        ("random", "random"),
        ("../../etc", "over_over_etc"),
        ("<script>", "script"),
        ("", "run"),
    ],
)
def test_slug(operation: str, expected: str):
    assert slug(operation) == expected


@given(st.text(max_size=300))
def test_any_text_becomes_one_safe_name(text: str):
    name = slug(text)
    assert 0 < len(name) <= 60
    assert set(name) <= set("abcdefghijklmnopqrstuvwxyz0123456789+,_-")
    assert name[0] not in "-_"


def test_next_free_name(tmp_path: Path):
    assert next_free_name(tmp_path, "x+y") == tmp_path / "x+y"
    (tmp_path / "x+y").mkdir()
    (tmp_path / "x+y-2").touch()
    assert next_free_name(tmp_path, "x+y") == tmp_path / "x+y-3"
