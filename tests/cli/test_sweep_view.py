"""The table of a sweep's cells, and its lines."""

import io
import re
from pathlib import Path
from typing import Any

import pytest
from rich.console import Console
from rich.live import Live

from grokscope.cli import sweep_view
from grokscope.cli.sweep_view import SweepLines, SweepTable, draw_cells, show_sweep
from grokscope.cli.training_view import StandardError
from grokscope.sweeps.merge import Merged
from grokscope.sweeps.spec import Spec
from grokscope.sweeps.states import State, States
from grokscope.sweeps.sweep import SweepCallbacks


def states_of(axes: dict[str, Any], folder: Path) -> States:
    return States(Spec.from_dict({"axes": axes, "fixed": {"p": 7}}).points, folder)


def fill(states: States, *found: State) -> States:
    for point, state in zip(states.points, found, strict=False):
        states.now[point.job.name] = state
    return states


def text(what: Any) -> str:
    console = Console(width=100, file=io.StringIO(), force_terminal=False)
    console.print(what)
    assert isinstance(console.file, io.StringIO)
    return "\n".join(line.rstrip() for line in console.file.getvalue().splitlines())


EVERY = (
    State("grokked", 500, 300),
    State("undecided", 900),
    State("running", 450),
    State("failed", error="out of memory"),
    State("diverged", 20),
)


def test_operations_by_fractions(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, snapshot: Any
) -> None:
    monkeypatch.setattr(sweep_view, "speed_in_words", lambda _: "SPEED")
    axes = {"seed": [0], "train_fraction": [0.3, 0.5], "operation": ["x + y", "x*y", ["x", "y"]]}
    assert text(draw_cells(fill(states_of(axes, tmp_path), *EVERY))) == snapshot


def test_several_runs_in_a_cell(tmp_path: Path) -> None:
    """A few stand one by one, many as counts."""
    few = {"operation": ["x", "y"], "weight_decay": [0.1, 1.0, 2.0], "seed": [0, 1]}
    shown = text(draw_cells(fill(states_of(few, tmp_path), *EVERY)))
    assert re.search(r"operation × weight_decay +0\.1 +1\.0 +2\.0", shown)
    assert re.search(r"x +✓ 300 – +▸ 450 ✗ +! ·", shown)
    many = {"operation": ["x", "y"], "seed": [0, 1, 2, 3, 4], "weight_decay": [0.1, 1.0, 2.0, 3.0]}
    shown = text(draw_cells(fill(states_of(many, tmp_path), *EVERY)))
    assert "operation × seed" in shown
    assert re.search(r"x +1✓ 1– 1▸ 1✗|x +1▸ 1✓ 1– 1✗", shown)


def test_rows_with_something_going_on_come_first(tmp_path: Path) -> None:
    states = states_of({"operation": [f"x + {i}*y" for i in range(1, 7)]}, tmp_path)
    fill(states, *EVERY)
    shown = text(draw_cells(states, most_rows=2))
    assert "x + 3*y" in shown
    assert "x + 6*y" in shown
    assert "x + 1*y" not in shown
    assert "… and 4 more rows" in shown
    assert "… and 1 more row\n" in text(draw_cells(states, most_rows=5))


def test_one_axis_or_none(tmp_path: Path) -> None:
    assert "seed" in text(draw_cells(states_of({"operation": ["x"], "seed": [0, 1]}, tmp_path)))
    alone = Spec.from_dict({"fixed": {"operation": "x"}})
    assert "0 of 1 run ended" in text(draw_cells(States(alone.points, tmp_path)))


def test_lines(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, snapshot: Any) -> None:
    monkeypatch.setattr(sweep_view, "speed_in_words", lambda _: "SPEED")
    console = StandardError(file=io.StringIO(), width=80)
    lines, states = (
        SweepLines(console),
        states_of({"operation": ["x", "y"], "seed": [0, 1, 2]}, tmp_path),
    )
    lines.merged(Path("there"), Merged(["a"], 1, 0, 2, ["it is damaged"]))
    lines.merged(Path("empty"), Merged())
    fill(states, EVERY[0])
    lines.begin(states)
    for n in range(len(EVERY) + 1):
        lines.polled(fill(states, *EVERY[:n]))
    assert isinstance(console.file, io.StringIO)
    assert console.file.getvalue() == snapshot


def test_lines_of_one_run(tmp_path: Path) -> None:
    console = StandardError(file=io.StringIO(), width=80)
    SweepLines(console).begin(states_of({"operation": ["x"]}, tmp_path))
    assert isinstance(console.file, io.StringIO)
    assert console.file.getvalue() == "1 run: 0 done, 1 to do\n"


def test_speed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    states = states_of({"operation": ["x", "y"], "seed": [0, 1]}, tmp_path)
    assert sweep_view.speed_in_words(states) == "– runs per hour, – left"
    clock = [states._begun + 1800.0]
    monkeypatch.setattr("grokscope.sweeps.states.time.monotonic", lambda: clock[0])
    fill(states, *EVERY[:2])
    assert sweep_view.speed_in_words(states) == "4.0 runs per hour, 30:00 left"


def test_a_table_has_a_clock_from_the_beginning(tmp_path: Path) -> None:
    console = Console(file=io.StringIO(), force_terminal=True, width=100, height=40)
    with Live(console=console, auto_refresh=False) as live:
        table = SweepTable(live)
        live.refresh()
        table._begun -= 75
        table.begin(states_of({"operation": ["x", "y"]}, tmp_path))
        live.refresh()
    assert isinstance(console.file, io.StringIO)
    shown = console.file.getvalue()
    assert "looking for what is done … 0:00" in shown
    assert "training … 1:15" in shown


def test_the_view_fits_standard_error(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    with show_sweep(quiet=True) as callbacks:
        assert type(callbacks) is SweepCallbacks
    with show_sweep(quiet=False) as callbacks:
        assert isinstance(callbacks, SweepLines)
    monkeypatch.setenv("FORCE_COLOR", "1")
    monkeypatch.setenv("TTY_COMPATIBLE", "1")
    with show_sweep(quiet=False) as callbacks:
        assert isinstance(callbacks, SweepTable)
        states = states_of({"operation": ["x", "y"]}, tmp_path)
        callbacks.merged(Path("there"), Merged())
        callbacks.begin(states)
        callbacks.polled(fill(states, *EVERY))
