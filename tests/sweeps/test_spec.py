"""A description says which runs there are, and whatever is wrong with it is one clear line."""

import itertools
import os
import tomllib
import tracemalloc
from pathlib import Path
from typing import Any, Final

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from grokscope.config.run import configure
from grokscope.errors import UsageError
from grokscope.sweeps.axis import read_axis
from grokscope.sweeps.job import job_of
from grokscope.sweeps.spec import Spec, to_toml


def spec(text: str) -> Spec:
    return Spec.from_toml(text)


def values(axis: Any) -> list[Any]:
    return [value["r"] for value in read_axis("r", axis).values]


def test_product_in_the_order_of_the_axes() -> None:
    found = spec(
        """
        [axes]
        operation = ["x + y", ["x + y", "x*y"]]
        train_fraction = { from = 0.3, to = 0.5, step = 0.1 }
        seed = { from = 0, to = 1 }
        [fixed]
        preset = "quick"
        weight_decay = 2
        """
    )
    expected = [
        job_of(configure(texts, "quick", train_fraction=r, seeds=(seed,), weight_decay=2.0))
        for texts, r, seed in itertools.product(
            [("x + y",), ("x + y", "x*y")], [0.3, 0.4, 0.5], [0, 1]
        )
    ]
    assert found.jobs() == expected
    last = found.points[-1]
    assert last.labels == {"operation": "x + y, x*y", "train_fraction": "0.5", "seed": "1"}


def test_zip() -> None:
    found = spec('mode = "zip"\n[axes]\noperation = ["x", "y"]\np = [5, 7]')
    assert [(j.config.task.expressions, j.config.task.p) for j in found.jobs()] == [
        (("x",), 5),
        (("y",), 7),
    ]


def test_exclusions_match_in_all_their_values() -> None:
    found = spec(
        """
        [axes]
        operation = ["x + y", "x*y"]
        seed = [0, 1]
        way = [{ label = "a", weight_decay = 1.0 }, { label = "b", weight_decay = 0.5 }]
        [[exclude]]
        operation = "x+y"
        seed = 1
        [[exclude]]
        way = "b"
        operation = "x*y"
        [[exclude]]
        weight_decay = 1
        seed = 0
        operation = "x*y"
        """
    )
    kept = {tuple(point.labels.values()) for point in found.points}
    every = set(itertools.product(["x + y", "x*y"], ["0", "1"], ["a", "b"]))
    out = {
        ("x + y", "1", "a"),
        ("x + y", "1", "b"),
        ("x*y", "0", "b"),
        ("x*y", "1", "b"),
        ("x*y", "0", "a"),
    }
    assert kept == every - out
    assert found.n_excluded == 5


def test_an_axis_of_tables_sets_several_things() -> None:
    found = spec(
        """
        [axes]
        regime = [
          { label = "paper", weight_decay = 1.0, learning_rate = 1e-3 },
          { weight_decay = 0.5, freeze = ["mlp", "embedding"] },
        ]
        [fixed]
        operation = "x*y"
        """
    )
    optimizers = [job.config.optimizer for job in found.jobs()]
    assert [o.weight_decay for o in optimizers] == [1.0, 0.5]
    assert optimizers[1].freeze == ("mlp", "embedding")
    assert [point.labels["regime"] for point in found.points] == [
        "paper",
        "weight_decay 0.5, freeze mlp, embedding",
    ]


def test_fixed_alone_is_a_sweep_of_one_run() -> None:
    (job,) = spec('[fixed]\noperation = "x"\n').jobs()
    assert job == job_of(configure(("x",)))


@given(
    first=st.integers(-(10**6), 10**6),
    count=st.integers(1, 60),
    step=st.integers(1, 999),
    digits=st.integers(0, 6),
    over=st.integers(0, 998),
)
def test_ranges_hold_what_would_be_typed(
    first: int, count: int, step: int, digits: int, over: int
) -> None:
    """Against whole numbers divided by a power of ten, which floats round correctly."""
    scale = 10**digits
    last = first + (count - 1) * step + min(over, step - 1)
    found = values({"from": first / scale, "to": last / scale, "step": step / scale})
    assert found == [(first + i * step) / scale for i in range(count)]


def test_ranges_of_whole_numbers_stay_whole() -> None:
    found = values({"from": 2, "to": 9, "step": 3})
    assert found == [2, 5, 8]
    assert all(isinstance(value, int) for value in found)
    assert values({"from": 0, "to": 2}) == [0, 1, 2]
    assert values({"from": 0.3, "to": 0.9, "step": 0.1}) == [0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9]


def test_numbers_are_equal_however_they_are_written() -> None:
    typed = Spec.from_dict({"fixed": {"operation": "x", "weight_decay": 1, "learning_rate": 1}})
    read = spec('[fixed]\noperation = "x"\nlearning_rate = 1.0')
    assert [j.name for j in typed.jobs()] == [j.name for j in read.jobs()]


@pytest.mark.parametrize(
    "document",
    [
        {"axes": {"operation": ["x + y", ["x", "y"]], "seed": {"from": 0, "to": 3}}},
        {
            "mode": "zip",
            "axes": {"operation": ["x"], "odd name": [{"label": 'a"\\\n\x7f', "p": 5}]},
            "fixed": {"stop": False, "weight_decay": 1e-5},
            "exclude": [{"odd name": "b"}, {"p": 5, "operation": "x"}],
        },
        {"fixed": {"operation": "x"}, "axes": {}, "exclude": []},
    ],
)
def test_a_dictionary_as_toml(document: dict[str, Any]) -> None:
    assert tomllib.loads(to_toml(document)) == document


def test_python_values_and_the_text_that_is_kept() -> None:
    made = Spec.from_dict({"axes": {"operation": ("x", "y"), "seed": range(2)}})
    assert len(made.jobs()) == 4
    assert spec(made.text) == made
    text = "# mine\n[fixed]\noperation = 'x'\n"
    assert spec(text).text == text


WRONG: Final = {
    "no toml": "axes = [",
    "deep": "a = " + "[" * 5000,
    "empty": "",
    "unknown part": "[axis]\nseed = [0]",
    "axes no table": "axes = 3",
    "fixed no table": "fixed = [1]",
    "mode": 'mode = "grid"\n[fixed]\noperation = "x"',
    "mode list": 'mode = ["zip"]\n[fixed]\noperation = "x"',
    "exclude no tables": 'exclude = "x"\n[fixed]\noperation = "x"',
    "exclude empty table": '[fixed]\noperation = "x"\n[[exclude]]',
    "exclude unknown": '[fixed]\noperation = "x"\n[[exclude]]\nseed = 0',
    "exclude value of no run": (
        '[axes]\noperation = ["x", "y"]\nseed = { from = 0, to = 99 }\n'
        '[[exclude]]\noperation = "x"\nseed = 100'
    ),
    "exclude operation of no run": (
        '[axes]\noperation = ["x", ["x", "y"]]\n[[exclude]]\noperation = ["y", "x"]'
    ),
    "exclude label of no run": (
        '[fixed]\noperation = "x"\n[axes]\nw = [{ label = "a", p = 7 }, { p = 5 }]\n'
        '[[exclude]]\nw = "b"'
    ),
    "exclude value of no table": (
        '[fixed]\noperation = "x"\n[axes]\nw = [{ label = "a", p = 7 }, { seed = 5 }]\n'
        "[[exclude]]\np = 5"
    ),
    "exclude other than fixed": '[fixed]\noperation = "x"\np = 7\n[[exclude]]\np = 5',
    "everything excluded": '[fixed]\noperation = "x"\n[[exclude]]\noperation = "x"',
    "no operation in a table": (
        '[axes]\nw = [{ label = "a", operation = "x" }, { label = "b", p = 7 }]'
    ),
    "operation number": "[axes]\noperation = [1]",
    "operation empty list": "[axes]\noperation = [[]]",
    "operation nested": '[axes]\noperation = [[["x"]]]',
    "operation wrong": '[axes]\noperation = ["x + y", "__import__(\'os\')"]',
    "operation undefined": '[axes]\noperation = ["1/(x - x)"]',
    "axis empty": '[axes]\noperation = ["x"]\nseed = []',
    "axis no list": '[axes]\noperation = "x"',
    "axis twice": '[axes]\noperation = ["x + y", "x+y"]',
    "axis twice number": '[fixed]\noperation = "x"\n[axes]\nweight_decay = [1, 1.0]',
    "axis mixed": '[fixed]\noperation = "x"\n[axes]\nseed = [0, { label = "a" }]',
    "unknown setting": '[fixed]\noperation = "x"\nweigth_decay = 1',
    "unknown setting in a table": '[fixed]\noperation = "x"\n[axes]\nw = [{ depth = 1 }]',
    "seeds": '[fixed]\noperation = "x"\nseeds = [0, 1]',
    "expressions": '[fixed]\nexpressions = ["x"]',
    "from": '[fixed]\noperation = "x"\nload = ["mlp"]\n[axes]\nfrom = ["runs/a"]',
    "given twice": '[fixed]\noperation = "x"\nseed = 1\n[axes]\nseed = [0]',
    "given twice in a table": '[fixed]\noperation = "x"\np = 5\n[axes]\nw = [{ p = 7 }]',
    "label": '[fixed]\noperation = "x"\n[axes]\nw = [{ label = 3, p = 7 }]',
    "label twice": (
        '[fixed]\noperation = "x"\n[axes]\nw = [{ label = "a", p = 7 }, { label = "a", p = 5 }]'
    ),
    "table of nothing": '[fixed]\noperation = "x"\n[axes]\nw = [{ label = "a" }]',
    "same run": '[fixed]\noperation = "x"\n[axes]\nw = [{ p = 97 }, { train_fraction = 0.3 }]',
    "steps as an axis": '[fixed]\noperation = "x"\n[axes]\nsteps = [10, 20]',
    "number without end": f'[fixed]\noperation = "x"\nweight_decay = 1{"0" * 400}',
    "seed list": '[fixed]\noperation = "x"\n[axes]\nseed = [[0, 1]]',
    "stop text": '[fixed]\noperation = "x"\nstop = "no"',
    "freeze text": '[fixed]\noperation = "x"\nfreeze = "mlp"',
    "freeze lists": '[fixed]\noperation = "x"\nfreeze = [["mlp"]]',
    "freeze in two orders": (
        '[fixed]\noperation = "x"\n[axes]\nfreeze = [["mlp", "embedding"], ["embedding", "mlp"]]'
    ),
    "weights no list": '[fixed]\noperation = "x"\ntask_weights = 2',
    "preset number": '[fixed]\noperation = "x"\npreset = 3',
    "date": '[fixed]\noperation = "x"\np = 2024-01-01',
    "split empty": '[fixed]\noperation = "x"\np = 2\ntrain_fraction = 0.1',
    "range without to": '[fixed]\noperation = "x"\n[axes]\nseed = { from = 0 }',
    "range of floats without step": "[axes]\ntrain_fraction = { from = 0.1, to = 0.3 }",
    "range backwards": "[axes]\nseed = { from = 5, to = 0 }",
    "range standing still": "[axes]\nseed = { from = 0, to = 5, step = 0 }",
    "range endless": "[axes]\nseed = { from = 0, to = inf }",
    "range of texts": '[axes]\nseed = { from = "a", to = "b" }',
    "range of too many": "[axes]\nseed = { from = 0, to = 1000000000000 }",
    "range unknown part": "[axes]\nseed = { from = 0, to = 3, by = 1 }",
    "range true": "[axes]\nseed = { from = true, to = 3 }",
    "zip unequal": 'mode = "zip"\n[axes]\noperation = ["x", "y"]\nseed = [0]',
    "too many": (
        '[fixed]\noperation = "x"\n[axes]\nseed = { from = 0, to = 999 }\n'
        "p = { from = 2, to = 999 }"
    ),
}


@pytest.mark.parametrize("name", WRONG)
def test_wrong_descriptions_are_one_line(name: str, snapshot: Any) -> None:
    with pytest.raises(UsageError) as caught:
        spec(WRONG[name]).jobs()
    line = str(caught.value)
    assert line == snapshot
    assert line.isprintable()
    assert len(line) < 400


@given(st.text(max_size=60) | st.binary(max_size=60).map(lambda b: b.decode("latin-1")))
def test_noise_is_one_line(text: str) -> None:
    with pytest.raises(UsageError) as caught:
        spec(text).jobs()
    assert str(caught.value).isprintable()


def test_files(tmp_path: Path) -> None:
    path = tmp_path / "spec.toml"
    with pytest.raises(UsageError, match="cannot read"):
        Spec.from_file(path)
    path.write_bytes(b"\xff")
    with pytest.raises(UsageError, match="is not text"):
        Spec.from_file(path)
    path.write_bytes(b"#" * 1_000_001)
    with pytest.raises(UsageError, match="too large"):
        Spec.from_file(path)
    for encoding in ("utf-16", "utf-16-be"):
        path.write_bytes("\ufeff[fixed]".encode(encoding))
        with pytest.raises(UsageError, match=r"is text in UTF-16 or UTF-32.*encoding UTF-8"):
            Spec.from_file(path)
    for encoding in ("utf-8", "utf-8-sig"):
        path.write_text("[fixed]\noperation = 'x'", encoding)
        assert len(Spec.from_file(path).jobs()) == 1
        assert "\ufeff" not in Spec.from_file(path).text


def test_values_as_they_come_from_a_notebook() -> None:
    document = {
        "axes": {
            "operation": ["x + y"],
            "seed": np.arange(2),
            "weight_decay": np.logspace(-1, 0, 2),
            "steps": (s for s in (1e2,)),
        },
        "fixed": {
            "p": np.int64(23),
            "learning_rate": np.float32(0.5),
            "stop": np.bool_(False),
            "source": Path("runs/a"),
            "load": ["mlp"],
        },
    }
    found = Spec.from_dict(document)
    assert Spec.from_toml(found.text).jobs() == found.jobs()
    assert [job.config.seeds[0] for job in found.jobs()] == [0, 0, 1, 1]
    schedule = found.jobs()[0].config.schedule
    assert (schedule.steps, schedule.stop) == (100, False)


def test_a_large_file_is_not_read_whole(tmp_path: Path) -> None:
    path = tmp_path / "spec.toml"
    path.touch()
    os.truncate(path, 50_000_000)
    tracemalloc.start()
    try:
        with pytest.raises(UsageError, match="too large"):
            Spec.from_file(path)
        assert tracemalloc.get_traced_memory()[1] < 5_000_000
    finally:
        tracemalloc.stop()
