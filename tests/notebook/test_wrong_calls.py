"""Wrong questions to a run, its networks and edits: one line each, in a process without checks."""

import subprocess
import sys
from pathlib import Path
from typing import Any, Final

CALLS: Final = """
import numpy as np
import grokscope as gs

run = gs.load_run("runs/x-y-p23")
net, edits = run.network(seed=0), gs.edits


def edited(edit, name="blocks.0.mlp_post"):
    return lambda: net.logits(edits={name: edit()})


for name, call in {
    "load nothing": lambda: gs.load_run("missing"),
    "load a number": lambda: gs.load_run(3),
    "load None": lambda: gs.load_run(None),
    "load no run": lambda: gs.load_run("runs"),
    "load a file": lambda: gs.load_run("runs/x-y-p23/manifest.json"),
    "runs of nothing": lambda: gs.runs("missing"),
    "timeline of nothing": lambda: gs.over_time("missing"),
    "timeline of a network": lambda: gs.over_time(net),
    "timeline of no seed": lambda: gs.over_time(run, seeds=[9]),
    "timeline of a number": lambda: gs.over_time(run, seeds=0),
    "timeline by nothing": lambda: gs.over_time(run, by="x +"),
    "explain a run with an operation": lambda: gs.explain(run, "x - y"),
    "explain a run with p": lambda: gs.explain([run], p=23),
    "explain a run with an axis": lambda: gs.explain("runs/x-y-p23", axis=0),
    "explain a run with pairs": lambda: gs.explain(run, trained=np.ones((23, 23), bool)),
    "explain a network at a step": lambda: gs.explain(net, step=50),
    "explain a network's tables": lambda: gs.explain(net, tables="W_E"),
    "explain a missing file": lambda: gs.explain("missing.pt", "x*y"),
    "explain a file at a step": lambda: gs.explain(run.path / "manifest.json", "x*y", step=50),
    "curve of nothing": lambda: run.curve("nothing"),
    "curve misspelled": lambda: run.curve("test_acuracy"),
    "curve without matrix": lambda: run.curve("ffs"),
    "curve of a number": lambda: run.curve(3),
    "curve of a matrix": lambda: run.curve("ffs", 3),
    "curve in no basis": lambda: run.curve("ffs", "W_E", basis="x*y"),
    "curve not in this basis": lambda: run.curve("ffs", "W_E", basis="matched"),
    "curve of no operation": lambda: run.curve("ffs", "W_E", operation="x + y"),
    "place of a curve": lambda: run.curve("ffs", "W_E").at(step=7),
    "network of no seed": lambda: run.network(seed=9),
    "network of a text": lambda: run.network(seed="first"),
    "network at no step": lambda: run.network(step=7),
    "network at a text": lambda: run.network(step="first"),
    "network at half a step": lambda: run.network(step=0.5),
    "checkpoints of no seed": lambda: run.checkpoint_steps(9),
    "circles at a text": lambda: run.plot.circles(step="first"),
    "pairs of no residue": lambda: net.logits([3, 23]),
    "pairs of fractions": lambda: net.logits([0.5, 1.0]),
    "pairs of several lengths": lambda: net.logits([[1, 2], [3]]),
    "one operand": lambda: net.logits(3),
    "another operation": lambda: net.logits(operation="x - y"),
    "operation that is none": lambda: net.logits(operation="x +"),
    "no operation": lambda: net.logits(operation=1),
    "edits a text": lambda: net.logits(edits="zero"),
    "edits an array": lambda: net.logits(edits={"W_E": np.zeros((24, 16))}),
    "edit of nothing": lambda: net.logits(edits={"mlp": edits.zero()}),
    "edit not called": edited(lambda: edits.zero),
    "edit of another shape": edited(lambda: lambda a: a[0]),
    "edit that says nothing": edited(lambda: lambda a: None),
    "no activation": lambda: net.activations(names=["mlp"]),
    "activations a number": lambda: net.activations(names=3),
    "no position": lambda: net.activations(position="z"),
    "position a number": lambda: net.activations(position=2),
    "activations of no pair": lambda: net.activations("x*y"),
    "zero no neuron": edited(lambda: edits.zero(99)),
    "zero a text": edited(lambda: edits.zero("7")),
    "zero half a neuron": edited(lambda: edits.zero([0.5])),
    "zero no axis": edited(lambda: edits.zero(0, axis="head")),
    "zero on a number": edited(lambda: edits.zero(0, axis=3)),
    "mean before 0": edited(lambda: edits.mean(-1)),
    "keep no frequency": edited(lambda: edits.keep(12)),
    "keep a constant": edited(lambda: edits.keep([0])),
    "keep a text": edited(lambda: edits.keep("3")),
    "keep half a frequency": edited(lambda: edits.keep([1.5])),
    "keep inside the network": edited(lambda: edits.keep(1), "W_in"),
    "keep in an operation": edited(lambda: edits.keep(1, "x*y"), "W_E"),
    "keep in another modulus": edited(lambda: edits.keep(1, gs.basis("x*y", p=7)), "W_E"),
    "remove in a larger one": edited(lambda: edits.remove(1, gs.basis("x*y", p=59)), "W_E"),
    "remove nothing": edited(lambda: edits.remove(None), "W_E"),
    "patch no residue": edited(lambda: edits.patch(x=23)),
    "patch before 0": edited(lambda: edits.patch(x=-1)),
    "patch a text": edited(lambda: edits.patch(x="a")),
    "patch two": edited(lambda: edits.patch(y=[1, 2])),
    "patch a weight": edited(lambda: edits.patch(1, 2), "W_E"),
}.items():
    try:
        print(name, "gave", call())
    except gs.errors.UsageError as error:
        print(f"{name}: {error}")
"""


def test_each_is_one_line(place: Path, snapshot: Any) -> None:
    done = subprocess.run(
        [sys.executable, "-c", CALLS], capture_output=True, text=True, check=False, cwd=place
    )
    assert done.stderr == ""
    assert " gave " not in done.stdout
    assert done.stdout == snapshot
