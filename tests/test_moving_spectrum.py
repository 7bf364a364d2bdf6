"""The moving picture of README.md shows the norms that were recorded, moment by moment."""

import re
from types import SimpleNamespace
from typing import Any
from xml.etree import ElementTree

import numpy as np
import pyarrow as pa
from docs import moving_spectrum

SVG = "{http://www.w3.org/2000/svg}"


def row(step: int, basis: str, k: int, cos: float, sin: float) -> dict[str, Any]:
    found: dict[str, Any] = {"seed": 0, "step": step, "matrix": "W_E", "basis": basis, "k": k}
    return found | {"cos_norm": cos, "sin_norm": sin}


ROWS = [
    *(row(step, "additive", k, 1.0, 0.0) for step in (0, 100) for k in (1, 2)),
    *(row(0, "matched", k, 2.0, 0.0) for k in (1, 2)),
    row(100, "matched", 1, 3.0, 4.0),
    row(100, "matched", 2, 1.0, 0.0),
]


class Recorded:
    """What the picture asks of a run."""

    operation, p, seeds, steps = "x*y", 5, (0,), np.array([0, 100])

    def spectra(self, *, as_arrow: bool) -> pa.Table:
        assert as_arrow
        return pa.Table.from_pylist(ROWS)

    def curve(self, name: str) -> SimpleNamespace:
        assert name in ("train_accuracy", "test_accuracy")
        return SimpleNamespace(values=np.array([[0.0, 1.0]]))


def test_norms_are_joint_and_over_the_largest_of_their_moment() -> None:
    steps, values = moving_spectrum.norms(Recorded(), "matched")
    assert steps == [0, 100]
    assert values.tolist() == [[1, 1], [1, 0.2]]


def test_bars_go_through_the_moments_and_rest_at_the_last() -> None:
    picture = ElementTree.fromstring(moving_spectrum.picture(Recorded()))
    bars = [bar for bar in picture.iter(f"{SVG}rect") if list(bar)]
    assert len(bars) == 4
    high = moving_spectrum.HIGH["matched"]
    moves = {move.get("attributeName"): move for move in bars[-1]}
    assert moves["height"].get("values") == f"{high};{0.2 * high:g};{0.2 * high:g}"
    assert moves["height"].get("keyTimes") == "0;0.75;1"
    low = moving_spectrum.TOP["matched"] + high
    assert moves["y"].get("values") == f"{low - high};{low - 0.2 * high:g};{low - 0.2 * high:g}"


def test_picture_that_is_kept_asks_nobody_and_runs_nothing() -> None:
    text = moving_spectrum.TARGET.read_text()
    assert len(re.findall("<rect ", text)) == 1 + 29 + 29
    assert re.findall(r"<script|href=|url\(|<image", text) == []
