"""What is shown while a network trains."""

import dataclasses
import io
import math
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any, Final

import pytest
from rich.console import Console
from rich.live import Live

from grokscope.cli import training_view
from grokscope.cli.training_view import (
    TrainingLines,
    TrainingPanel,
    Warnings,
    show_training,
    sparkline,
)
from grokscope.config.run import configure
from grokscope.progress import Since, SlowLines
from grokscope.runner.progress import Beginning, Evaluation, SeedProgress

CONFIG: Final = configure(["x + y"], "quick", p=11, seeds=(0, 1), steps=100, eval_every=10)
NAMES: Final = list(training_view._SHOWN)


def beginning(step: int = 0) -> Beginning:
    return Beginning(CONFIG, "x + y", Path("run"), step, n_train=73, n_test=48, n_undefined=0)


def seeds(step: int, accuracy: float) -> list[SeedProgress]:
    progress = [SeedProgress(seed, CONFIG.schedule, ("x + y",)) for seed in CONFIG.seeds]
    for seed in progress:
        for at in range(0, step + 1, 10):
            seed.add(at, [1.0], [accuracy])
    return progress


def evaluation(step: int, accuracy: float = 0.5, rate: float = 20.0) -> Evaluation:
    values = {name: [accuracy, math.nan] for name in NAMES}
    return Evaluation(step, seeds(step, accuracy), values, rate)


def on_terminal(show: Callable[[TrainingPanel], None], width: int = 100) -> str:
    console = Console(
        file=io.StringIO(), force_terminal=True, width=width, height=40, color_system=None
    )
    with Live(console=console, auto_refresh=False) as display:
        show(TrainingPanel(display))
        display.refresh()
    assert isinstance(console.file, io.StringIO)
    return console.file.getvalue()


def as_lines(show: Callable[[TrainingLines], None]) -> list[str]:
    file = io.StringIO()
    show(TrainingLines(Console(file=file, width=40)))
    return file.getvalue().splitlines()


def test_a_panel() -> None:
    def show(panels: TrainingPanel) -> None:
        panels.begin(beginning())
        panels.evaluated(evaluation(0, math.nan, math.nan))
        panels.evaluated(evaluation(50))

    text = on_terminal(show)
    for part in (
        "x + y mod 11, r = 0.6, mean of 2 seeds",
        "step 50 of at most 100, 20.0 steps/s, at most 0:02 left",
        "seed 0: memorised at step 0",
        "seed 1: memorised at step 0",
        "test accuracy",
        "50.0%",
        "FCR of W_L",
    ):
        assert part in text, part
    assert "grokked" not in text


def test_before_the_first_step_a_panel_has_a_clock_and_no_markup() -> None:
    def show(panels: TrainingPanel) -> None:
        panels.begin(dataclasses.replace(beginning(), operation="[/b]x[red]"))
        panels.preparing("compiling")

    text = on_terminal(show)
    assert "[/b]x[red] mod 11" in text
    assert "compiling … 0:0" in text
    since = Since("compiling")
    since._begun -= 75
    assert str(since) == "compiling … 1:15"


def test_while_it_trains_a_clock_goes_on_between_evaluations() -> None:
    console = Console(file=io.StringIO(), force_terminal=True, width=100, height=40)
    with Live(console=console, auto_refresh=False) as display:
        panel = TrainingPanel(display)
        panel.begin(beginning())
        panel.evaluated(evaluation(50))
        panel._begun -= 75
        panel.evaluated(evaluation(60))
        display.refresh()
        for clock in ("training … 1:15", "training … 1:17"):
            assert isinstance(console.file, io.StringIO)
            end = time.monotonic() + 60
            while clock not in console.file.getvalue():
                assert time.monotonic() < end
                time.sleep(0.05)
                display.refresh()  # of the same evaluation


def test_before_the_first_step_lines_say_what_takes_long(monkeypatch: pytest.MonkeyPatch) -> None:
    file = io.StringIO()
    hasty = TrainingLines(Console(file=file, width=40))
    hasty.preparing("what is over at once")  # in less than the first pause
    hasty.close()
    monkeypatch.setattr(SlowLines, "pauses", (0.0, 60.0))
    lines = TrainingLines(Console(file=file, width=40))
    lines.preparing("compiling")
    while "\n" not in file.getvalue():
        time.sleep(0.001)
    lines.close()
    assert file.getvalue() == "compiling … 0:00\n"


def test_a_panel_on_a_narrow_terminal_and_its_warnings() -> None:
    def show(panels: TrainingPanel) -> None:
        panels.begin(beginning())
        panels.warn("[odd] things")
        panels.evaluated(evaluation(50, 1.0))

    text = on_terminal(show, width=44)
    assert "warning: [odd] things" in text
    assert "grokked at step 0" in text


def test_lines(monkeypatch: pytest.MonkeyPatch) -> None:
    now = [0.0]
    monkeypatch.setattr(training_view.time, "monotonic", lambda: now[0])

    def show(lines: TrainingLines) -> None:
        lines.begin(beginning(step=40))
        lines.warn("[odd]")
        for step in (50, 60, 70):
            now[0] += 2.0
            lines.evaluated(evaluation(step))
        now[0] += 5.0
        lines.evaluated(evaluation(80))
        lines.evaluated(evaluation(100))

    first, warning, *rest = as_lines(show)
    assert first == "x + y mod 11: 73 pairs train, 48 test, 0 undefined, going on at step 40"
    assert warning == "warning: [odd]"
    assert rest[:2] == ["seed 0: memorised at step 0", "seed 1: memorised at step 0"]
    # one at once, then not again for five seconds, and always the last
    assert [line.split(",")[0] for line in rest[2:]] == [
        f"step {step} of at most 100" for step in (50, 80, 100)
    ]
    assert "train accuracy 50.0%, test accuracy 50.0%" in rest[-1]
    assert "train loss 5.00e-01" in rest[-1]


def test_milestones_are_told_once() -> None:
    def show(lines: TrainingLines) -> None:
        lines.begin(beginning())
        for step in (50, 60, 70):
            lines.evaluated(evaluation(step, 1.0))

    told = as_lines(show)
    assert told.count("seed 1: grokked at step 0") == 1


def test_divergence_is_told() -> None:
    broken = evaluation(50)
    broken.seeds[1].diverged_at = 44
    told = as_lines(lambda lines: (lines.begin(beginning()), lines.evaluated(broken))[0])
    assert "seed 1: diverged at step 44" in told


def test_quiet_keeps_warnings() -> None:
    console = Console(file=io.StringIO(), width=20)
    told = Warnings(console)
    told.preparing("compiling")
    told.begin(beginning())
    told.evaluated(evaluation(50))
    told.warn("3 is constant, so that x and y need not be combined to learn it")
    assert isinstance(console.file, io.StringIO)
    assert console.file.getvalue() == (
        "warning: 3 is constant, so that x and y need not be combined to learn it\n"
    )


def test_who_listens(monkeypatch: pytest.MonkeyPatch) -> None:
    with show_training(quiet=True) as callbacks:
        assert type(callbacks) is Warnings
    for terminal, kind in ((True, TrainingPanel), (False, TrainingLines)):
        console = Console(file=io.StringIO(), force_terminal=terminal)
        monkeypatch.setattr(training_view, "StandardError", lambda console=console, **_: console)
        with show_training(quiet=False) as callbacks:
            assert isinstance(callbacks, kind)


@pytest.mark.parametrize(
    ("values", "bars"),
    [
        ([], ""),
        ([3.0], "▁"),
        ([0.0, 0.5, 1.0], "▁▅█"),
        ([math.nan, 1.0, 0.0], " █▁"),
        ([math.inf, -1.0, 1.0], " ▁█"),
        ([2.0, 2.0], "▁▁"),
    ],
)
def test_sparkline(values: list[float], bars: str) -> None:
    assert sparkline(values) == bars


def test_sparkline_of_many_keeps_both_ends() -> None:
    values: list[Any] = [float(i) for i in range(1000)]
    bars = sparkline(values, width=8)
    assert (len(bars), bars[0], bars[-1]) == (8, "▁", "█")
    assert list(bars) == sorted(bars)
