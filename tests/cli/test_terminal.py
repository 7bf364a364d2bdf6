"""Tables are whole on any terminal and in a pipe, and no two labels are alike."""

import os
import pty
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from grokscope.cli.terminal import distinct_names
from grokscope.measures import MEASURES

LONG = "model.transformer_blocks.0.attention.query_key_value.weight"


def test_names_are_cut_in_the_middle_and_stay_apart() -> None:
    names = [LONG, f"{LONG}_g", "W_E"]
    assert distinct_names(names, None) == names
    assert distinct_names(names, 20) == ["model.tra…lue.weight", "model.tra…e.weight_g", "W_E"]
    alike = [f"{'a' * 30}{i}{'b' * 30}" for i in range(3)]
    assert distinct_names(alike, 20) == alike
    assert len(set(distinct_names(["a\nb", "a\\nb"], 20))) == 2


@given(names=st.lists(st.text("ab.", max_size=40), unique=True), width=st.integers(0, 30))
def test_no_two_labels_are_alike(names: list[str], width: int) -> None:
    assert len(set(distinct_names(names, width))) == len(names)


@pytest.mark.parametrize("columns", ["0", "1", "30", "80"])
@pytest.mark.parametrize("terminal", [False, True])
def test_every_number_is_printed_however_narrow_it_is(
    tmp_path: Path, columns: str, terminal: bool
) -> None:
    np.savez(tmp_path / "t.npz", allow_pickle=False, **{n: np.eye(5)[:, :2] for n in (LONG, "W")})
    words = [sys.executable, "-m", "grokscope", "measure", str(tmp_path / "t.npz"), "--p", "5"]
    environment = {**os.environ, "COLUMNS": columns, "TERM": "dumb", "NO_COLOR": "1"}
    if terminal:
        main, other = pty.openpty()
        subprocess.run(words, stdout=other, env=environment, check=True)
        os.close(other)
        text = os.read(main, 10_000).decode()
        os.close(main)
    else:
        text = subprocess.run(words, stdout=-1, env=environment, check=True, text=True).stdout
    lines = [line.split() for line in text.splitlines()]
    assert [line[1:4] for line in lines[1:]] == [["5", "5", "rows"]] * 2
    assert len({line[0] for line in lines[1:]}) == 2
    assert all(
        len(line) == 4 + len(MEASURES) and "…" not in "".join(line[1:]) for line in lines[1:]
    )
