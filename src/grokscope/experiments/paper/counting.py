"""Experiments that only count labels."""

import time

from grokscope.experiments.paper.manifest import manifest
from grokscope.paper.experiment import Experiment
from grokscope.paper.labels import label_rows
from grokscope.paper.request import Request
from grokscope.paper.results import Results


def count_labels(experiment: Experiment, request: Request) -> Results:
    """Return the label statistics that an experiment asks for.

    **Raises:** `UsageError` for operations or fractions that cannot be split.
    """
    start = time.perf_counter()
    axes = experiment.axes
    p = int(experiment.fixed["p"])
    rows = label_rows(axes["operation"], axes["train_fraction"], axes["seed"], p)
    splits = sum(row["seeds"] for row in rows)
    seconds = time.perf_counter() - start
    facts = {"runs": f"no training: {splits:,} splits counted in {seconds:.0f} s"}
    return Results(manifest(experiment, request, **facts), rows)
