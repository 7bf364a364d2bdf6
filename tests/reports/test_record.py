from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from grokscope.disk.folder import RunFolder
from grokscope.errors import RunFolderError, UsageError
from grokscope.reports.record import read_runs

MakeRun = Callable[..., RunFolder]


def test_curves_come_by_measure_matrix_and_seed(make_run: MakeRun) -> None:
    (record,) = read_runs([make_run(grokked_at={0: 600, 5: None}).path])
    curve = record.curves[("ffs", "W_E")][5]
    assert curve.steps.tolist() == list(range(0, 1001, 50))
    np.testing.assert_allclose(curve.values, 1 - 0.8 * curve.steps / 1000)
    assert record.matrices == ["W_E", "W_K", "W_O", "W_Q", "W_U", "W_V", "W_in", "W_out"]
    assert record.last_step == 1000


def test_moments_are_found_in_the_accuracies(make_run: MakeRun) -> None:
    (record,) = read_runs([make_run(grokked_at={0: 600, 5: None, 7: 800}).path])
    assert record.moments == {0: (100, 600), 5: (100, None), 7: (100, None)}  # 800: not confirmed


def test_a_running_run_that_no_process_trains_was_killed(make_run: MakeRun) -> None:
    run = make_run(status="running")
    assert read_runs([run.path])[0].status == "interrupted (killed)"
    with run.lock():
        assert read_runs([run.path])[0].status == "running"


def test_labels_tell_runs_of_one_operation_apart(make_run: MakeRun) -> None:
    runs = [make_run("a").path, make_run("b", expressions=("x*y",)).path]
    assert [record.label for record in read_runs(runs)] == ["x + y", "x*y"]
    runs.append(make_run("c").path)
    assert [r.label for r in read_runs(runs)] == ["x + y, a", "x*y", "x + y, c"]


def test_leaks_are_those_of_a_symmetric_operation(make_run: MakeRun) -> None:
    symmetric, other = read_runs([make_run("a").path, make_run("b", expressions=("x - y",)).path])
    assert symmetric.split is not None
    kind = symmetric.split.kind.reshape(7, 7)
    leaked = sum(kind[x, y] in (2, 3) and kind[y, x] == 1 for x in range(7) for y in range(7))
    assert symmetric.n_leaked == leaked > 0
    assert other.n_leaked == 0


def test_no_run_and_no_run_folder_are_refused(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="no run is named"):
        read_runs([])
    with pytest.raises(RunFolderError, match="is not a run folder"):
        read_runs([tmp_path])


def test_a_damaged_part_is_named(make_run: MakeRun) -> None:
    run = make_run()
    (part,) = (run.path / "metrics").iterdir()
    part.write_bytes(part.read_bytes()[:-1])
    with pytest.raises(RunFolderError, match="is damaged"):
        read_runs([run.path])
