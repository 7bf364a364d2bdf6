import dataclasses
from collections.abc import Callable

import numpy as np
import pyarrow as pa

from grokscope.disk.folder import RunFolder
from grokscope.disk.metrics import METRIC_SCHEMA, SPECTRA_SCHEMA
from grokscope.reports.facts import fall_rows, run_facts, seed_header, seed_rows
from grokscope.reports.figures import figures_over_time
from grokscope.reports.finding import finding, spread_in_percent
from grokscope.reports.record import read_runs

MakeRun = Callable[..., RunFolder]


def said(run: RunFolder) -> str:
    return " ".join(sentence.text for sentence in finding(read_runs([run.path])[0]))


def test_one_seed_that_grokked(make_run: MakeRun) -> None:
    text = said(make_run())
    assert "Seed 0 memorised the training pairs at step 100." in text
    assert "Seed 0 grokked at step 600." in text
    assert "train accuracy is 100.0% and test accuracy 100.0%" in text
    assert "FFS of W_E fell from 1.00 to 0.20 and FFS of W_L fell from 1.00 to 0.40" in text
    assert "FCR of W_E stayed at 0.90 and FCR of W_L went from 0.90 to 0.85." in text


def test_several_seeds_have_a_median_a_range_and_those_that_are_undecided(
    make_run: MakeRun,
) -> None:
    text = said(make_run(grokked_at={0: 600, 1: 400, 2: None}))
    assert "3 of 3 seeds memorised the training pairs, at step 100." in text
    assert "2 of 3 seeds grokked, at step 500 (median; 400 to 600)." in text
    assert "Undecided at 1,000 steps: seed 2 (test accuracy 25.0%)." in text
    assert "test accuracy 75.0% (mean; 25.0% to 100.0%)" in text
    assert "not grok" not in text


def test_operations_of_one_operand_are_a_warning(make_run: MakeRun) -> None:
    (record,) = read_runs([make_run(expressions=("x + 0*y",)).path])
    warnings = [sentence.text for sentence in finding(record) if sentence.warning]
    assert any(text.startswith("x + 0*y depends on x alone, so that") for text in warnings)


def test_a_run_in_progress_is_not_called_undecided(make_run: MakeRun) -> None:
    run = make_run(status="running", grokked_at={0: None})
    with run.lock():
        text = said(run)
    assert text.startswith("Still training; the last saved evaluation is at step 1,000.")
    assert "No seed has grokked by step 1,000. Not yet at 1,000 steps: seed 0" in text
    assert "ndecided" not in text
    assert "Not finished: interrupted (killed)" in said(run)


def test_a_seed_that_diverged_is_named(make_run: MakeRun) -> None:
    results = [{"seed": 1, "status": "diverged", "diverged_at": 712}]
    run = make_run(status="diverged", grokked_at={0: 600, 1: None}, results=results)
    (record,) = read_runs([run.path])
    warnings = [sentence.text for sentence in finding(record) if sentence.warning]
    assert any("Training diverged (seed 1 at step 712)" in text for text in warnings)
    assert "Diverged at 1,000 steps: seed 1" in said(run)


def test_leaked_pairs_are_a_warning_with_the_unleaked_accuracy(make_run: MakeRun) -> None:
    (record,) = read_runs([make_run(grokked_at={0: None}).path])
    (warning,) = [s.text for s in finding(record) if s.warning]
    assert record.split is not None
    n_test = record.split.counts["test"]
    assert warning.startswith(f"{record.n_leaked} of {n_test} test pairs")
    assert warning.endswith("On the unleaked ones the final accuracy is 5.0%.")
    assert "leaked" not in said(make_run("b", expressions=("x - y",)))


def test_mixtures_and_undefined_pairs_are_stated(make_run: MakeRun) -> None:
    text = said(make_run(expressions=("x/y", "x*y")))
    assert "A mixture of 2 operations" in text
    assert "7 of 49 pairs have no answer" in text


def test_a_run_without_evaluations_says_so(make_run: MakeRun) -> None:
    text = said(make_run(metrics=False, status="running"))
    assert text.startswith("Nothing has been evaluated yet")


def test_a_spread_leaves_out_what_is_undefined() -> None:
    assert spread_in_percent([0.5, np.nan]) == "50.0%"
    assert spread_in_percent([np.nan]) == "undefined"


def test_a_table_row_per_seed_follows_its_header(make_run: MakeRun) -> None:
    (record,) = read_runs([make_run(grokked_at={0: 600, 1: None}).path])
    rows = [dict(zip(seed_header(record), row, strict=True)) for row in seed_rows(record)]
    assert rows[0] == {
        "seed": "0",
        "steps": "1,000",
        "memorised at": "100",
        "grokked at": "600",
        "train accuracy": "100.0%",
        "test accuracy": "100.0%",
        "unleaked accuracy": "100.0%",
        "FFS W_E": "0.20",
        "FCR W_E": "0.90",
        "FFS W_L": "0.40",
        "FCR W_L": "0.85",
    }
    assert rows[1]["grokked at"] == "–"


def test_the_fall_of_a_measure_is_compared_with_grokking(make_run: MakeRun) -> None:
    (record,) = read_runs([make_run(grokked_at={0: 600}).path])
    # a straight fall has made half of itself at step 500
    assert fall_rows(record)[0] == ["FFS of W_E", "1.00", "0.20", "500", "100 steps before"]
    assert fall_rows(record)[2][3:] == ["no fall of 0.1 or more", "–"]


def test_facts_name_what_determines_the_run(make_run: MakeRun) -> None:
    known = dict(run_facts(read_runs([make_run(architecture="mlp", label_noise=0.1).path])[0]))
    assert known["operation"] == "x + y, modulo p = 7"
    assert known["training set"].startswith("r = 0.6: 29 of 49 pairs; 20 test")
    assert "label noise 0.1: 3 wrong answers per operation" in known["training set"]
    assert known["network"] == "MLP, 1 layer of 8 neurons, embedding 6"
    assert known["optimiser"].startswith("AdamW, full batch, learning rate 0.001, betas 0.9 and")
    assert "taken over" not in known
    plain = dict(run_facts(read_runs([make_run("plain").path])[0]))
    assert "noise" not in plain["training set"]


def test_facts_name_the_weights_that_were_taken_over(make_run: MakeRun) -> None:
    run = make_run()
    run.manifest.config["transfer"] = {"source": "a", "load": ["mlp"]}
    origin = {"operation": "x*y", "checkpoints": [{"seed": 0, "source_seed": 3, "step": 10_000}]}
    run.write_manifest(dataclasses.replace(run.manifest, transfer=origin))
    known = dict(run_facts(read_runs([run.path])[0]))
    assert known["taken over"] == "mlp from x*y, seed 3, step 10,000; trained on"


def test_what_is_not_yet_confirmed_is_said_with_its_step(make_run: MakeRun) -> None:
    run = make_run(grokked_at={0: None}, metrics=False)
    rows = [
        {"seed": 0, "step": step, "measure": f"{side}_accuracy", "value": value}
        for step in range(0, 401, 50)
        for side, value in (("train", float(step >= 200)), ("test", 0.5), ("unleaked", 0.5))
    ]
    run.append(pa.Table.from_pylist(rows, schema=METRIC_SCHEMA), SPECTRA_SCHEMA.empty_table(), 400)
    text = said(run)
    assert (
        "No seed is confirmed to have memorised the training pairs by step 400. At 99% since "
        "step 200, not yet confirmed by five more evaluations: seed 0 (train accuracy 100.0%)."
        in text
    )
    assert "No seed has grokked by step 400. Undecided at 400 steps: seed 0" in text


def _with_matched(run: RunFolder, operations: tuple[str | None, ...]) -> RunFolder:
    rows = [
        {
            "seed": 0,
            "step": step,
            "measure": measure,
            "matrix": matrix,
            "basis": "matched",
            "operation": operation,
            "value": 1 - fall * step / 1000,
        }
        for step in (0, 500, 1000)
        for matrix in ("W_E", "W_L")
        for measure, fall in (("kfs", 0.9), ("fcr", 0.5), ("gini", 0.3))
        for operation in operations
    ]
    run.append(pa.Table.from_pylist(rows, schema=METRIC_SCHEMA), SPECTRA_SCHEMA.empty_table(), 1000)
    return run


def test_measures_in_the_basis_that_fits_come_first(make_run: MakeRun) -> None:
    run = _with_matched(make_run(expressions=("x*y",), grokked_at={0: 600, 1: 600}), (None,))
    (record,) = read_runs([run.path])
    fits, additive = [s.text for s in finding(record) if s.text.startswith("In the ")]
    assert fits.startswith(
        "In the basis that fits: from the first to the last evaluation KFS of W_E fell from 1.00"
        " to 0.10, KFS of W_L fell from 1.00 to 0.10, FCR of W_E fell from 1.00 to 0.50"
    )
    assert additive.startswith("In the additive basis: from the first to the last evaluation FFS")
    rows = fall_rows(record)
    assert rows[0][:3] == ["KFS of W_E, basis that fits", "1.00", "0.10"]
    assert rows[4][:3] == ["FFS of W_E, additive basis", "1.00", "0.20"]
    ends = dict(zip(seed_header(record), seed_rows(record)[0], strict=True))
    assert ends["KFS W_E, basis that fits"] == "0.10"
    assert ends["FCR W_L, additive basis"] == "0.85"


def test_where_the_additive_basis_fits_it_is_not_said_twice(make_run: MakeRun) -> None:
    (record,) = read_runs([_with_matched(make_run(), (None,)).path])
    assert len(fall_rows(record)) == 4
    # of one seed they are not repeated in a table that would be too wide
    assert seed_header(record)[-1] == "unleaked accuracy"
    assert "basis" not in " ".join(s.text for s in finding(record))


def test_each_operation_of_a_mixture_has_its_basis(make_run: MakeRun) -> None:
    names = ("x + y", "x*y")
    (record,) = read_runs([_with_matched(make_run(expressions=names), names).path])
    labels = [row[0] for row in fall_rows(record)]
    assert labels[0] == "KFS of W_E, basis that fits x*y"
    assert labels[4] == "FFS of W_E, additive basis"
    assert len(labels) == 8


def test_measures_over_training_are_drawn_in_the_basis_that_fits(make_run: MakeRun) -> None:
    run = _with_matched(make_run(expressions=("x*y",), grokked_at={0: 600, 1: 600}), (None,))
    (record,) = read_runs([run.path])
    assert [f.name for f in figures_over_time([record])] == [
        "accuracy",
        "loss",
        "measures-matched",
        "norms",
    ]
    plain = make_run("plain", expressions=("x + y",), grokked_at={0: 600, 1: 600})
    names = [f.name for f in figures_over_time(read_runs([plain.path]))]
    assert names == ["accuracy", "loss", "measures", "norms"]
    # beside another run there is one panel for both
    together = [f.name for f in figures_over_time(read_runs([run.path, plain.path]))]
    assert together == names
