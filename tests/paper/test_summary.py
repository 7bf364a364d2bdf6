"""A run becomes a row, and long tables that stay small and true."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from grokscope.config.run import RunConfig
from grokscope.disk.folder import RunFolder
from grokscope.fourier.spectrum import Spectrum
from grokscope.measures import fourier_frequency_sparsity
from grokscope.paper import summary
from grokscope.paper.plan import Cell, CellRun, find_runs
from grokscope.paper.summary import Reading, summary_rows

P = 11
MakeRun = Callable[..., RunFolder]
Config = Callable[..., RunConfig]


def reading(run: RunFolder) -> Reading:
    config = RunConfig.from_json(run.manifest.config)
    return Reading(CellRun(run, config, config.seeds[0]))


def test_a_row_says_how_it_ended(make_run: MakeRun, config_of: Config) -> None:
    wanted = Cell(config_of("x + y"), {"operation": "x + y", "start": "from scratch"})
    (row,) = summary_rows(wanted, reading(make_run("x + y", grokked_at=500)))
    expected = {
        "operation": "x + y",
        "start": "from scratch",
        "task": None,
        "p": P,
        "seed": 0,
        "status": "grokked",
        "grokked_at": 500,
        "memorised_at": 100,
        "steps": 1000,
        "test_accuracy": 1.0,
        "best_test_accuracy": 1.0,
        "unleaked_accuracy": 1.0,
        "ffs_W_E_first": 1.0,
        "ffs_W_E": 0.5,
        "run": "run",
    }
    assert {key: row[key] for key in expected} == expected


def test_the_best_accuracy_of_a_run_that_did_not_grok(make_run: MakeRun, config_of: Config) -> None:
    wanted = Cell(config_of("x + y"), {"operation": "x + y"})
    (row,) = summary_rows(wanted, reading(make_run("x + y", grokked_at=None)))
    assert (row["status"], row["grokked_at"], row["best_test_accuracy"]) == (
        "undecided",
        None,
        0.25,
    )


def test_a_mixture_has_a_row_for_each_operation(make_run: MakeRun, config_of: Config) -> None:
    wanted = Cell(config_of("x + y", "x*y"), {"operation": "x + y, x*y"})
    rows = summary_rows(wanted, reading(make_run("x + y", "x*y", grokked_at=None)))
    assert [row["task"] for row in rows] == [None, "x + y", "x*y"]
    assert all(row["operation"] == "x + y, x*y" for row in rows)


def test_curves_are_thinned_but_keep_their_ends(make_run: MakeRun) -> None:
    rows = list(summary.curves(reading(make_run("x + y")), ["test_accuracy", "ffs W_E"], []))
    assert {row["measure"] for row in rows} == {"test_accuracy", "ffs W_E"}
    mine = [row for row in rows if row["measure"] == "test_accuracy"]
    assert (mine[0]["step"], mine[-1]["step"], mine[-1]["value"]) == (0, 1000, 1.0)
    # of 21 evaluations of a measure that never changes, none is needed but all are few
    assert len(mine) == 21


@pytest.mark.parametrize("n", [1, 10, 1000, 100_000])
def test_all_curves_together_stay_small(n: int) -> None:
    points = 3 * summary.buckets(n) + 2
    assert n * points <= max(2 * summary.LARGEST_ROWS, 14 * n)


def test_ffs_with_another_threshold_is_that_of_the_recorded_spectrum(make_run: MakeRun) -> None:
    one = reading(make_run("x + y"))
    rows = list(summary.etas(one))
    assert {row["eta"] for row in rows} == set(summary.ETAS)
    for row in rows:
        known = Spectrum.of_norms(*one.spectra[row["matrix"], row["step"]], n=P)
        assert row["value"] == pytest.approx(
            float(fourier_frequency_sparsity(known, row["eta"])), abs=5e-3
        )
    by_eta = [np.mean([r["value"] for r in rows if r["eta"] == eta]) for eta in summary.ETAS]
    assert by_eta == sorted(by_eta, reverse=True)  # a higher threshold counts fewer


def test_spectra_are_those_of_the_last_step(make_run: MakeRun) -> None:
    one = reading(make_run("x + y"))
    rows = list(summary.spectra(one))
    assert len(rows) == 2 * (P // 2)
    assert {row["step"] for row in rows} == {500}
    cos, _ = one.spectra["W_L", 500]
    shown = [row["cos"] for row in rows if row["matrix"] == "W_L"]
    np.testing.assert_allclose(shown, cos, rtol=5e-3)


def test_losses_of_table_a4(make_run: MakeRun) -> None:
    rows = list(summary.table_a4(reading(make_run("x + y"))))
    assert rows == [{"part": "restricted_loss", "side": "train", "loss": 0.5}]


def test_a_run_without_checkpoints_has_no_frequency_losses(make_run: MakeRun) -> None:
    assert list(summary.frequencies(reading(make_run("x + y")))) == []
    assert list(summary.logit_norms(reading(make_run("x - y", name="b")))) == []


def test_a_found_run_says_its_state(make_run: MakeRun, config_of: Config, tmp_path: Path) -> None:
    make_run("x + y")
    (found,) = find_runs([Cell(config_of("x + y"), {"operation": "x + y"})], [tmp_path])
    assert found is not None
    assert found.result["status"] == "grokked"
