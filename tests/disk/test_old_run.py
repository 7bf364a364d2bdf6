"""What version 0.1.0 wrote, before keys and files got their present names, is still read.

The folder under tests/data holds x + y mod 13 with two seeds, 1,500 steps, and its explanation.
"""

import shutil
from pathlib import Path

import pytest

from grokscope.disk.explanations import read_current_documents, read_documents
from grokscope.disk.folder import RunFolder
from grokscope.disk.listing import list_runs
from grokscope.explanation.result import Explanation

OLD = Path(__file__).parents[1] / "data" / "run-of-0.1.0"


@pytest.fixture
def old(tmp_path: Path) -> RunFolder:
    return RunFolder.open(shutil.copytree(OLD, tmp_path / "old"))


def test_the_listing_has_its_numbers(old: RunFolder) -> None:
    (run,) = list_runs(old.path.parent)
    assert (run.operation, run.p, run.state, run.step) == ("x + y", 13, "undecided", 1500)
    assert run.test_accuracy == pytest.approx((10 / 34 + 8 / 34) / 2)


def test_every_curve_is_read(old: RunFolder) -> None:
    ends = {
        (row["seed"], row["measure"], row["matrix"]): row["value"]
        for row in old.metrics().to_pylist()
        if row["step"] == 1500 and row["basis"] in (None, "additive")
    }
    assert ends[0, "test_accuracy", None] == pytest.approx(10 / 34)
    assert ends[1, "ffs", "W_E"] == pytest.approx(10 / 12)
    assert old.spectra().num_rows == 2 * 4 * 2 * 2 * 6
    assert old.load_checkpoint(1)[0]["W_E"].shape == (14, 16)


def test_its_explanation_is_shown_and_not_taken_for_one_of_today(old: RunFolder) -> None:
    found = [Explanation.from_json(document) for document in read_documents(old)]
    assert [(e.seed, e.verdict) for e in found] == [(0, "not explained"), (1, "not explained")]
    assert found[0].embedding.keys == (2, 1, 6, 3)
    assert read_current_documents(old) == []
