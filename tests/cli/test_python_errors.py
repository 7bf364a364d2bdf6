"""The same for Python: each wrong call raises a `UsageError` of one line and leaves nothing."""

import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any, Final, cast

import pytest

import grokscope as gs
from grokscope.config.run import RunConfig, TaskConfig
from grokscope.errors import UsageError


def train(*operations: Any, **settings: Any) -> Callable[[], object]:
    return lambda: gs.train(*operations, **settings)


def make(kind: Any, **fields: Any) -> Callable[[], object]:
    return lambda: kind(**fields)


CALLS: Final[dict[str, Callable[[], object]]] = {
    "train nothing": train(),
    "train python": train("__import__('os').system('x')"),
    "train a number": train(3),
    "train bytes": train(b"x + y"),
    "train None": train(None),
    "unknown setting": train("x + y", modulus=5),
    "unknown preset": train("x + y", preset="huge"),
    "preset of another type": train("x + y", preset=3),
    "p text": train("x + y", p="97"),
    "p float": train("x + y", p=97.5),
    "p true": train("x + y", p=True),
    "p none": train("x + y", p=None),
    "fraction text": train("x + y", train_fraction="0.3"),
    "stop text": train("x + y", stop="false"),
    "fraction nan": train("x + y", train_fraction=float("nan")),
    "fraction empty split": train("x + y", p=3, train_fraction=0.01),
    "split unknown": train("x + y", split="rows"),
    "seeds a number": train("x + y", seeds=3),
    "seeds text": train("x + y", seeds="01"),
    "seeds empty": train("x + y", seeds=()),
    "seeds nested": train("x + y", seeds=([0],)),
    "seeds repeated": train("x + y", seeds=[1, 1]),
    "freeze a word": train("x + y", freeze="embedding"),
    "source without load": train("x + y", source="run"),
    "source a number": train("x + y", source=3, load=("mlp",)),
    "source missing": train("x + y", source=Path("missing"), load=("mlp",)),
    "load without source": train("x + y", load=("mlp",)),
    "batch too large": train("x + y", p=5, batch_size=25),
    "resume a file": train("x + y", p=5, out="file", resume=True),
    "out a file": train("x + y", p=5, out="file"),
    "task without operation": make(TaskConfig, expressions=()),
    "configuration a list": lambda: RunConfig.from_json([]),
    "configuration empty": lambda: RunConfig.from_json({}),
    "expression a list": train(["x + y"]),
    "expression a function": train(max),
    "sweep a number": lambda: gs.sweep(3, "out"),
    "report of a number": lambda: gs.report(3),
    "figures of a number": lambda: gs.report([3], figures="figures"),
    "explain a number": lambda: gs.explain(cast("Any", 3)),
    "no run": lambda: gs.RunFolder.open("missing"),
    "runs of a file": lambda: gs.runs("file"),
    "report of nothing": lambda: gs.report([Path("missing")]),
    "figures of nothing": lambda: gs.report([Path("missing")], figures=Path("figures")),
}


@pytest.mark.parametrize("name", CALLS)
def test_call(
    name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, snapshot: Any, capfd: Any
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "file").touch()
    with pytest.raises(UsageError) as caught:
        CALLS[name]()
    line = str(caught.value)
    assert line == snapshot
    assert line.isprintable()
    assert caught.value.exit_code == 2
    assert [path.name for path in tmp_path.iterdir()] == ["file"]
    assert capfd.readouterr() == ("", "")


ARRAY_CALLS: Final = """
import numpy as np
import grokscope as gs

np.seterr(all="ignore")
t, m = np.eye(7)[:, :3], gs.measures
for name, call in {
    "eta zero": lambda: m.fourier_frequency_sparsity(t, eta=0),
    "eta nan": lambda: m.fourier_frequency_density(t, eta=float("nan")),
    "a vector": lambda: m.fourier_coefficient_ratio(t[0]),
    "one row": lambda: m.gini(t[:1]),
    "no columns": lambda: m.participation(t[:, :0]),
    "complex": lambda: m.gini(t + 1j),
    "texts": lambda: m.gini(np.array([["a"], ["b"]])),
    "objects": lambda: m.describe(np.array([[None], [1]])),
    "a number": lambda: m.describe(3.0),
    "a norm of texts": lambda: m.l2_norm(np.array(["a"])),
    "eta a text": lambda: m.key_frequency_share(t, eta="half"),
    "eta of keys": lambda: m.key_frequencies(t, eta=2),
    "lists of several lengths": lambda: m.gini([[1, 2], [3]]),
    "a basis by its name": lambda: m.gini(t, basis="matched"),
    "a basis of another p": lambda: m.gini(t, basis=gs.basis("x*y", p=23)),
    "steps without values": lambda: m.first_confirmed([0, 50], [1.0]),
    "spectrum of nothing": lambda: gs.spectrum(None),
    "spectrum of a vector": lambda: gs.spectrum(t[0]),
    "spectrum of texts": lambda: gs.spectrum("W_E"),
    "spectrum in a number": lambda: gs.spectrum(t, 3),
    "spectrum in no basis": lambda: gs.spectrum(t, None),
    "basis of a number": lambda: gs.basis(3),
    "basis of no operation": lambda: gs.basis("x**", p=7),
    "basis of a random table": lambda: gs.basis("random", p=7),
    "basis mod 1": lambda: gs.basis("x*y", p=1),
    "basis mod a text": lambda: gs.basis("x*y", p="7"),
    "explain a vector": lambda: gs.explain_table(t[0], "x*y"),
    "explain what is not finite": lambda: gs.explain_table(t / 0, "x*y"),
    "explain a number's table": lambda: gs.explain_table(t, 3),
    "explain at no place": lambda: gs.explain_table(t, "x*y", place="W_E"),
    "explain by nothing": lambda: gs.explain_table(t, "x*y", by="x +"),
}.items():
    try:
        print(name, "gave", call())
    except gs.errors.UsageError as error:
        print(f"{name}: {error}")
"""


def test_arrays_and_measures(snapshot: Any) -> None:
    """In a process of its own: in this one, types are checked before grokscope can speak."""
    done = subprocess.run([sys.executable, "-c", ARRAY_CALLS], capture_output=True, text=True)
    assert done.stderr == ""
    assert " gave " not in done.stdout
    assert done.stdout == snapshot
