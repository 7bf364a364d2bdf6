"""All experiments of the paper are there, can be read, and can be narrowed."""

from importlib.resources import files

import pytest

from grokscope.errors import UsageError
from grokscope.paper.experiment import (
    Request,
    experiments,
    load_experiment,
    operation_of,
    operations_of,
)
from grokscope.paper.summary import SERIES_OF_A_RUN

PROMISED = {
    *(f"figure-{n}" for n in range(2, 12)),
    *(f"figure-a{n}" for n in range(12, 24)),
    "table-1",
    "table-a4",
    "table-a5",
}


def test_every_table_and_figure_is_listed_and_has_a_file() -> None:
    assert set(experiments()) == PROMISED
    folder = files("grokscope") / "data" / "paper" / "experiments"
    names = {item.name.removesuffix(".toml") for item in folder.iterdir()} - {"order"}
    assert names == PROMISED


@pytest.mark.parametrize("name", sorted(PROMISED))
def test_each_says_what_and_where(name: str) -> None:
    experiment = load_experiment(name)
    assert experiment.title
    assert experiment.reference
    assert experiment.says.endswith(".")
    assert experiment.views
    assert experiment.small
    assert {"operation", "train_fraction", "seed"} <= set(experiment.axes)
    assert set(experiment.series) <= set(SERIES_OF_A_RUN)
    if experiment.kind == "training":
        assert experiment.fixed["steps"] == 300_000
    assert len(experiment.reduced.axes["seed"]) < len(experiment.axes["seed"])


def test_an_unknown_name_is_refused() -> None:
    with pytest.raises(UsageError, match="no such experiment"):
        load_experiment("figure-99")
    with pytest.raises(UsageError):
        load_experiment("../table_a5")


def test_groups() -> None:
    assert operations_of(["elementary"]) == ("x + y", "x - y", "x*y")
    assert len(operations_of([])) == 35
    assert operation_of(("x+y", "x * y")) == "x + y, x*y"


def test_a_request_changes_only_what_it_names() -> None:
    whole = load_experiment("table-a5")
    request = Request(only=("x * y",), seeds=(4,), fractions=(0.5,), p=59, steps=100)
    asked = request.apply(whole)
    assert asked.axes == {"operation": ("x*y",), "train_fraction": (0.5,), "seed": (4,)}
    assert asked.fixed == {**whole.fixed, "p": 59, "steps": 100}
    assert request.words == ' --only "x * y" --seeds 4 --fractions 0.5 --p 59 --steps 100'
    assert Request().apply(whole) == whole
    assert Request(small=True).words == " --small"


def test_a_modulus_that_is_an_axis() -> None:
    assert Request(p=31).apply(load_experiment("figure-a17")).axes["p"] == (31,)
    assert "p" not in Request(p=31).apply(load_experiment("figure-a17")).fixed
    assert load_experiment("figure-a17").reduced.axes["p"] == (59,)


def test_only_finds_mixtures_by_any_of_their_operations() -> None:
    asked = Request(only=("x*y",)).apply(load_experiment("figure-10"))
    assert asked.axes["operation"] == (
        ("x + y", "x*y"),
        ("x - y", "x*y"),
        ("x + y", "x - y", "x*y"),
    )


def test_only_refuses_what_is_not_in_it() -> None:
    with pytest.raises(UsageError, match="no such operation"):
        Request(only=("x^9",)).apply(load_experiment("table-1"))
