"""explanation.json: written whole, read back, made anew only where it does not fit."""

import json
from collections.abc import Callable

import pytest

from grokscope.circuits.circuit import Effort
from grokscope.inspection import store
from grokscope.inspection.explaining import explain
from grokscope.inspection.store import (
    EXPLANATION_NAME,
    FORMAT,
    explained,
    read_explanations,
    write_explanations,
)
from grokscope.runs.folder import RunFolder

EFFORT = Effort(null_draws=50, control_draws=2)
MakeRun = Callable[..., RunFolder]


@pytest.fixture
def run(make_clock_run: MakeRun) -> RunFolder:
    return make_clock_run()


def test_what_is_written_is_read(run: RunFolder) -> None:
    found = explain(run, effort=EFFORT)
    write_explanations(run, found)
    (document,) = read_explanations(run)
    assert document == json.loads(json.dumps(found[0].to_json(), allow_nan=False))
    text = (run.path / EXPLANATION_NAME).read_text()
    assert json.loads(text)["format"] == FORMAT
    assert text.endswith("\n")


@pytest.mark.parametrize(
    "text", ["", "{", "[]", "3", '{"format": 1}', '{"format": 99, "explanations": [1]}',
             '{"explanations": []}', '{"format": 1, "explanations": 3}', "[" * 5000],
)  # fmt: skip
def test_what_cannot_be_read_counts_as_nothing(run: RunFolder, text: str) -> None:
    assert read_explanations(run) == []
    (run.path / EXPLANATION_NAME).write_text(text)
    assert read_explanations(run) == []


def test_a_stored_explanation_is_used_while_it_is_of_the_last_checkpoint(
    run: RunFolder, monkeypatch: pytest.MonkeyPatch
) -> None:
    write_explanations(run, explain(run, effort=EFFORT, thorough=False))
    stored = explained(run, 0)
    assert [(e["seed"], e["step"], e["verdict"]) for e in stored] == [(0, 300, "explained")]
    made: list[int] = []

    def fake(folder: RunFolder, seeds: list[int]) -> list:
        made.extend(seeds)
        return explain(folder, seeds=seeds, step=100, effort=EFFORT, thorough=False)

    monkeypatch.setattr(store, "explain", fake)
    assert explained(run, 0) == stored
    assert made == []
    # of an earlier checkpoint it says nothing of the last
    write_explanations(run, explain(run, step=100, effort=EFFORT, thorough=False))
    assert [e["step"] for e in explained(run, 0)] == [100]
    assert made == [0]
    (run.path / EXPLANATION_NAME).unlink()
    explained(run, 0)
    assert made == [0, 0]
