import dataclasses
from collections.abc import Callable

import numpy as np
import pyarrow as pa

from grokscope.disk.folder import RunFolder
from grokscope.disk.metrics import METRIC_SCHEMA, SPECTRA_SCHEMA
from grokscope.reports.facts import run_facts, seed_header, seed_rows
from grokscope.reports.figures import progress_figures
from grokscope.reports.finding import finding, spread_in_percent, warnings_of
from grokscope.reports.moments import measure_rows, timeline_of
from grokscope.reports.record import RunRecord, read_runs
from grokscope.reports.story import run_story

MakeRun = Callable[..., RunFolder]


def said(run: RunFolder) -> str:
    """All sentences of a run's page about its training, the warnings first."""
    story = run_story(record_of(run))
    trained = [s for section in story.sections[:3] for s in section.sentences]
    return " ".join(sentence.text for sentence in [*story.warnings, *trained])


def record_of(run: RunFolder) -> RunRecord:
    (record,) = read_runs([run.path])
    return record


def rows_of_measures(record: RunRecord) -> list[list[str]]:
    return measure_rows(record, timeline_of(record))


def test_one_seed_that_grokked(make_run: MakeRun) -> None:
    text = said(make_run())
    assert "Seed 0 memorised the training pairs at step 100." in text
    assert "Seed 0 grokked at step 600." in text
    assert (
        "At that evaluation the train loss is 0.32 and the test loss 12 nats, and test accuracy"
        " is 25.0%." in text
    )
    assert "Steps between the two moments: 500." in text
    # the measures fall in a straight line from step 0 to 1,000
    assert (
        "From memorising to grokking, FFS of W_E fell from 0.92 to 0.52 and FFS of W_L fell from"
        " 0.94 to 0.64; the others changed by less than 0.1 (FCR of W_E 0.90 to 0.90, FCR of W_L"
        " 0.90 to 0.87)." in text
    )
    assert "Steps from grokking to the last evaluation: 400." in text
    assert "From grokking to the last evaluation, FFS of W_E fell from 0.52 to 0.20" in text
    assert "The norm fell of W_E by 4%" in text


def test_several_seeds_have_a_median_a_range_and_those_that_are_undecided(
    make_run: MakeRun,
) -> None:
    text = said(make_run(grokked_at={0: 600, 1: 400, 2: None}))
    assert "3 of 3 seeds memorised the training pairs, at step 100." in text
    assert "2 of 3 seeds grokked, at step 500 (median; 400 to 600)." in text
    assert "Undecided at 1,000 steps: seed 2 (test accuracy 25.0%)." in text
    assert "(medians over the 2 seeds that grokked)" in text
    assert "not grok" not in text


def test_operations_of_one_operand_are_a_warning(make_run: MakeRun) -> None:
    record = record_of(make_run(expressions=("x + 0*y",)))
    warnings = [sentence.text for sentence in warnings_of(record) if sentence.warning]
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
    warnings = [sentence.text for sentence in warnings_of(record_of(run))]
    assert any("Training diverged (seed 1 at step 712)" in text for text in warnings)
    assert "Diverged at 1,000 steps: seed 1" in said(run)


def test_leaked_pairs_are_a_warning_with_the_unleaked_accuracy(make_run: MakeRun) -> None:
    record = record_of(make_run(grokked_at={0: None}))
    (warning,) = [s.text for s in warnings_of(record)]
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
    rows = [dict(zip(seed_header(record, {}), row, strict=True)) for row in seed_rows(record, {})]
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


def test_measures_stand_at_the_moments_and_their_fall_is_compared_with_grokking(
    make_run: MakeRun,
) -> None:
    record = record_of(make_run(grokked_at={0: 600}))
    assert list(timeline_of(record).steps) == ["start", "memorised", "grokked", "end"]
    rows = rows_of_measures(record)
    # a straight fall has made half of itself at step 500
    values = ["1.00", "0.92", "0.52", "0.20"]
    assert rows[0] == ["FFS of W_E", *values, "500", "100 steps before"]
    assert rows[2][5:] == ["no fall of 0.1 or more", "–"]


def test_medians_are_over_the_seeds_that_got_furthest(make_run: MakeRun) -> None:
    some = timeline_of(record_of(make_run("some", grokked_at={0: 600, 1: 400, 2: None})))
    assert some.whose == "medians over the 2 seeds that grokked"
    assert some.steps["grokked"] == {0: 600, 1: 400}
    assert some.between("memorised", "grokked") == [500, 300]
    none = timeline_of(record_of(make_run("none", grokked_at={0: None, 1: None})))
    assert list(none.steps) == ["start", "memorised", "end"]
    assert none.whose == "medians over the seeds"


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
    opening = finding(record_of(run), "unknown")
    assert "not yet confirmed as memorised by step 400, not grokked by step 400" in opening
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
    record = record_of(run)
    forming = run_story(record).sections[1]
    fits, additive = [s.text for s in forming.sentences if s.text.startswith("From memorising")]
    between = "From memorising to grokking (medians over the seeds)"
    # rows at steps 0, 500 and 1,000 alone: the last before step 100, and before 600
    assert fits.startswith(
        f"{between}, in the basis that fits, KFS of W_E fell from 1.00 to 0.55,"
        " KFS of W_L fell from 1.00 to 0.55, FCR of W_E fell from 1.00 to 0.75"
    )
    assert additive.startswith(f"{between}, in the additive basis, FFS of W_E")
    rows = rows_of_measures(record)
    assert rows[0][:5] == ["KFS of W_E, basis that fits", "1.00", "1.00", "0.55", "0.10"]
    assert rows[4][:5] == ["FFS of W_E, additive basis", "1.00", "0.92", "0.52", "0.20"]
    ends = dict(zip(seed_header(record, {}), seed_rows(record, {})[0], strict=True))
    assert ends["KFS W_E, basis that fits"] == "0.10"
    assert ends["FCR W_L, additive basis"] == "0.85"


def test_where_the_additive_basis_fits_it_is_not_said_twice(make_run: MakeRun) -> None:
    run = _with_matched(make_run(), (None,))
    record = record_of(run)
    assert len(rows_of_measures(record)) == 4
    # of one seed they are not repeated in a table that would be too wide
    assert seed_header(record, {})[-1] == "unleaked accuracy"
    assert "basis" not in said(run)


def test_each_operation_of_a_mixture_has_its_basis(make_run: MakeRun) -> None:
    names = ("x + y", "x*y")
    (record,) = read_runs([_with_matched(make_run(expressions=names), names).path])
    labels = [row[0] for row in rows_of_measures(record)]
    assert labels[0] == "KFS of W_E, basis that fits x*y"
    assert labels[4] == "FFS of W_E, additive basis"
    assert len(labels) == 8


def test_measures_over_training_are_drawn_in_the_basis_that_fits(make_run: MakeRun) -> None:
    run = _with_matched(make_run(expressions=("x*y",), grokked_at={0: 600, 1: 600}), (None,))
    assert [f.name for f in progress_figures(record_of(run))] == ["measures-matched"]
    plain = make_run("plain", expressions=("x + y",), grokked_at={0: 600, 1: 600})
    assert [f.name for f in progress_figures(record_of(plain))] == ["measures"]


def test_the_finding_is_one_sentence(make_run: MakeRun) -> None:
    told = finding(record_of(make_run(grokked_at={0: 600, 1: 400, 2: None})), "it is a clock")
    assert told == (
        "x + y modulo 7, 3 seeds: memorised at step 100, 2 of 3 grokked at step 500 (median; 400"
        " to 600); it is a clock."
    )
    only_memorised = finding(record_of(make_run("b", grokked_at={0: None})), "none is known")
    assert only_memorised == (
        "x + y modulo 7, seed 0: memorised at step 100, not grokked by step 1,000; none is known."
    )


def test_a_run_that_has_only_memorised_is_not_said_to_form_or_clean_up(make_run: MakeRun) -> None:
    story = run_story(record_of(make_run(grokked_at={0: None})))
    titles = [section.title for section in story.sections]
    assert titles[:3] == ["Memorised", "After memorising", "The weights"]
    assert "no clean-up after it could be measured" in story.sections[2].sentences[0].text


def test_an_undecided_run_says_how_it_is_trained_on(make_run: MakeRun) -> None:
    run = make_run(grokked_at={0: None})
    run.manifest.config["schedule"]["steps"] = 1000
    run.write_manifest(run.manifest)
    record = record_of(RunFolder.open(run.path))
    commands = [s.command for s in run_story(record).sections[1].sentences if s.command]
    (command,) = commands
    assert command.startswith("grokscope train --resume --out ")
    assert command.endswith("run --steps 2000")


def test_grokking_before_memorising_is_said_as_it_is(make_run: MakeRun) -> None:
    told = said(make_run(grokked_at={0: 100}))
    assert "It grokked no later than it memorised." in told
    assert "Steps between the two moments" not in told
