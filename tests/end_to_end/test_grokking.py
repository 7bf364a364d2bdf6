"""From the command line to grokking, and two controls that must not grok."""

import json
from pathlib import Path
from typing import Any

import pytest

from grokscope.cli import main
from grokscope.disk.folder import RunFolder
from grokscope.measures import half_fall


def train(capsys: pytest.CaptureFixture[str], out: Path, *words: str) -> dict[str, Any]:
    """Run `grokscope train` with a small network mod 31 and return the result of its seed."""
    common = (
        "--preset",
        "quick",
        "--p",
        "31",
        "--out",
        str(out),
        "--json",
        "--quiet",
        "--no-report",
    )
    assert main(["train", *words, *common]) == 0
    document = json.loads(capsys.readouterr().out)
    assert document["run"] == str(out)
    (result,) = document["results"]
    return result


def recorded(out: Path, measure: str, matrix: str | None = None) -> dict[int, float]:
    """Return the values of one measure by step."""
    rows = RunFolder.open(out).metrics().to_pylist()
    return {r["step"]: r["value"] for r in rows if (r["measure"], r["matrix"]) == (measure, matrix)}


def last(values: dict[int, float]) -> float:
    return values[max(values)]


def test_addition_groks_and_its_spectra_become_sparse(
    capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    out = tmp_path / "run"
    result = train(capsys, out, "x + y")
    assert result["status"] == "grokked"
    assert 0 < result["memorised_at"] < result["grokked_at"] / 3
    # the clean-up after grokking was watched too
    assert result["steps"] >= result["grokked_at"] + 500
    unleaked = recorded(out, "unleaked_accuracy")
    assert unleaked[result["memorised_at"]] < 0.2
    assert last(unleaked) > 0.95
    for table in ("W_E", "W_L"):
        ffs = recorded(out, "ffs", table)
        assert ffs[0] > 0.9
        assert last(ffs) < 0.5
        assert half_fall(list(ffs), list(ffs.values())) is not None
        # addition keeps cosines and sines in balance
        assert last(recorded(out, "fcr", table)) > 0.5
    assert last(recorded(out, "gini", "W_E")) > 2 * recorded(out, "gini", "W_E")[0]


def test_random_answers_are_memorised_and_never_generalise(
    capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    out = tmp_path / "run"
    result = train(capsys, out, "random", "--steps", "1000")
    assert (result["status"], result["grokked_at"]) == ("undecided", None)
    assert result["memorised_at"] < 500
    assert last(recorded(out, "train_accuracy")) > 0.99
    # 384 test pairs at chance 1/31: 12 right ones expected, 30 are five standard deviations away
    assert max(recorded(out, "test_accuracy").values()) < 30 / 384
    assert last(recorded(out, "ffs", "W_E")) > 0.8


def test_without_weight_decay_addition_is_only_memorised(
    capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    out = tmp_path / "run"
    result = train(capsys, out, "x + y", "--weight-decay", "0", "--steps", "1000")
    assert (result["status"], result["grokked_at"]) == ("undecided", None)
    assert result["memorised_at"] < 500
    assert last(recorded(out, "train_accuracy")) == 1
    assert last(recorded(out, "unleaked_accuracy")) < 0.5
    norms = recorded(out, "l2_norm", "W_E")
    assert last(norms) > norms[0]
