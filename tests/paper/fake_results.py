"""Results of every experiment that nothing computed, and results of which nothing was run."""

import itertools
from typing import Any

from grokscope.explanation.logits import ROWS
from grokscope.paper.experiment import Experiment, operation_of
from grokscope.paper.labels import label_rows
from grokscope.paper.results import Results

FACTS = {
    "commands": ["grokscope reproduce x"],
    "runs": "6 of 6",
    "steps": "1,000",
    "created": "2026-01-01",
    "hardware": "cpu",
    "trained_with": "abc",
}


def cells(experiment: Experiment) -> list[dict[str, Any]]:
    names = list(experiment.axes)
    found = []
    for values in itertools.product(*experiment.axes.values()):
        chosen = {**experiment.fixed, **dict(zip(names, values, strict=True))}
        row = {
            "operation": operation_of(chosen["operation"]),
            "task": None,
            "p": chosen["p"],
            "train_fraction": chosen["train_fraction"],
            "seed": chosen["seed"],
        }
        if "start" in chosen:
            row["start"] = chosen["start"]["label"]
        found.append(row)
    return found


def ended(row: dict[str, Any], number: int) -> dict[str, Any]:
    """Let every third run stay undecided."""
    grokked = number % 3 != 2
    return row | {
        "status": "grokked" if grokked else "undecided",
        "grokked_at": 600 if grokked else None,
        "steps": 1100,
        "test_accuracy": 1.0 if grokked else 0.4,
        "best_test_accuracy": 1.0 if grokked else 0.45,
        "unleaked_accuracy": 0.1,
        "ffs_W_E_first": 1.0,
        "ffs_W_E": 0.2,
        "ffs_W_L_first": 1.0,
        "ffs_W_L": 0.9,
        "fcr_W_E_first": 0.9,
        "fcr_W_E": 0.85,
        "fcr_W_L_first": 0.9,
        "fcr_W_L": 0.5,
    }


def fill(experiment: Experiment, run: bool) -> Results:
    if experiment.kind == "labels":
        rows = label_rows(
            ["x + y", "(x + y)^2", "x^3 + x*y", "x^30 + y^30"], [0.3, 0.9], [0, 1], 31
        )
        return Results(FACTS, rows)
    rows, series = [], {key: [] for key in (*experiment.series, "curves")}
    for number, row in enumerate(cells(experiment)):
        if not run:
            rows.append(row | {"status": "not run"})
            continue
        place = {"row": len(rows)}
        tasks = row["operation"].split(", ")
        rows.append(ended(row, number))
        if len(tasks) > 1:
            rows += [ended(row | {"task": task}, number) for task in tasks]
        for key in series:
            series[key] += [place | one for one in long_rows(key, experiment, tasks)]
    return Results(FACTS, rows, series)


def long_rows(key: str, experiment: Experiment, tasks: list[str]) -> list[dict[str, Any]]:
    """Return the rows of one run in a long table."""
    if key != "curves":
        return SERIES[key]
    owners = [None, *tasks] if len(tasks) > 1 else [None]
    places = itertools.product(experiment.curves, owners, (0, 500, 1000))
    return [{"measure": m, "task": t, "step": s, "value": s / 1000} for m, t, s in places]


TABLES = ("W_E", "W_L")
SERIES: dict[str, list[dict[str, Any]]] = {
    "spectra": [
        {"matrix": m, "step": 1000, "k": k, "cos": 0.1 * k, "sin": 0.2}
        for m, k in itertools.product(TABLES, range(1, 6))
    ],
    "etas": [
        {"matrix": m, "eta": eta, "step": step, "value": 1 - eta}
        for m, eta, step in itertools.product(TABLES, (0.1, 0.5), (0, 250))
    ],
    "logits": [{"kx": 0, "ky": 1, "norm": 1.0}, {"kx": 3, "ky": 3, "norm": 0.5}],
    "losses": [
        {"part": part, "side": side, "loss": 0.25}
        for part, side in itertools.product(ROWS, ("train", "test"))
    ],
    "frequencies": [
        {"place": place, "k": k, "key": k == 2, "loss": loss, "whole": 0.01}
        for place, (k, loss) in itertools.product(
            ("W_E", "class axis"), ((1, 0.01), (2, 5.0), (3, 0.5))
        )
    ],
}
