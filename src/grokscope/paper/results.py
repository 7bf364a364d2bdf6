"""What a page shows of an experiment: rows in the paper's order, what is missing, and facts.

`paper.store` keeps results on the disk; nothing else is needed here.
"""

import math
from collections import Counter
from collections.abc import Collection, Container, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

import numpy as np

from grokscope.paper.experiment import (
    PAPER_SETTINGS,
    Experiment,
    Request,
    load_experiment,
    operation_of,
)
from grokscope.paper.labels import label_cells
from grokscope.paper.plan import Cell
from grokscope.paper.store import CellResult, Cells, better_of, cell_id
from grokscope.paper.summary import buckets, cell_columns, thin
from grokscope.sweeps.job import job_of

NOT_RUN: Final = "not run"
_LINES: Final = {"curves": ("row", "measure", "task"), "etas": ("row", "matrix", "eta")}
"""Long tables of curves → the columns that tell one curve from another."""
_LABELS: Final = ("operation", "task", "p", "train_fraction", "start", "seed")
Row = Mapping[str, Any]


@dataclass(frozen=True, eq=False)
class Results:
    """The results of one experiment.

    **Arguments:**

    - `facts`: how they were made: commands, machines, commits, dates, what was asked for.
    - `rows`: one per run, or per statistic; numbers, texts and None.
    - `series`: long tables by name; each row names the number of its `row`.
    """

    facts: dict[str, Any]
    rows: list[dict[str, Any]]
    series: dict[str, list[dict[str, Any]]] = field(default_factory=dict)

    @property
    def small(self) -> bool:
        """Whether this is a reduced version of the paper's experiment."""
        return bool(self.facts.get("small"))

    def long_table(self, name: str) -> list[dict[str, Any]]:
        """Return a long table, empty where there is none."""
        return self.series.get(name, [])


def shown_results(
    experiment: Experiment,
    kept: Cells,
    cells: Sequence[Cell],
    request: Request | None = None,
    failed: Container[str] = (),
) -> Results:
    """Return what is known of an experiment in its own order; the rest are rows without numbers.

    **Arguments:**

    - `experiment`: as it was asked for.
    - `kept`: what is known of it.
    - `cells`: of its plan; none where it only counts labels.
    - `request`: what was asked for; None shows whatever is known.
    - `failed`: names of the jobs that failed.
    """
    places = _label_places(experiment) if experiment.kind == "labels" else _places(cells, failed)
    asked = set(places)
    if request is None:
        places |= {cell: None for cell in kept if cell not in places}
    rows: list[dict[str, Any]] = []
    series: dict[str, list[dict[str, Any]]] = {}
    for cell, blank in places.items():
        result = kept.get(cell)
        if result is None:
            rows += [blank] if blank is not None else []
            continue
        for name, lines in result.series.items():
            series.setdefault(name, []).extend({"row": len(rows), **line} for line in lines)
        rows += [dict(row) for row in result.rows]
    _tell_apart(rows)
    series = {name: _thinned(name, lines) for name, lines in series.items()}
    facts = _facts(experiment, request, rows)
    if experiment.kind == "training":
        facts["runs"] = _runs_in_words(rows, asked)
    return Results(facts, rows, series)


def with_shared(kept: Cells, cells: Sequence[Cell], others: Iterable[Cells]) -> Cells:
    """Return what is kept of an experiment, and what others keep of the cells that it shares.

    Long tables that the other experiment does not keep are missing.

    **Arguments:**

    - `kept`: of the experiment.
    - `cells`: of its plan.
    - `others`: what is kept of other experiments.
    """
    places = {cell_id(cell.key): cell.labels for cell in cells}
    found: Cells = kept
    for other in others:
        shared = {
            name: CellResult([_placed(row, places[name]) for row in result.rows], result.series)
            for name, result in other.items()
            if name in places
        }
        found, _ = better_of(found, shared)
    return found


def _placed(row: Row, labels: Row) -> dict[str, Any]:
    """Return a row of another experiment, which may call a start by a name that is its own."""
    return {name: value for name, value in row.items() if name != "start"} | dict(labels)


def _runs_in_words(rows: Iterable[Row], asked: Collection[str]) -> str:
    """Say how many of the runs that are asked for there are, and how many besides."""
    known = {row["cell"] for row in rows if row.get("commit") is not None}
    more = len(known - set(asked))
    besides = f", and {more:,} more" if more else ""
    return f"{len(known & set(asked)) or 'none'} of {len(asked):,}{besides}"


def _places(cells: Iterable[Cell], failed: Container[str]) -> dict[str, dict[str, Any] | None]:
    """Return, per cell, the row that says that there is nothing."""
    return {
        cell_id(cell.key): cell_columns(cell)
        | {"status": "failed" if job_of(cell.config).name in failed else NOT_RUN}
        for cell in cells
    }


def _label_places(experiment: Experiment) -> dict[str, dict[str, Any] | None]:
    return dict.fromkeys(label_cells(experiment))


def _tell_apart(rows: Iterable[dict[str, Any]]) -> None:
    """Name what differs between runs that stand at the same place but took other weights."""
    at = Counter(tuple(row.get(name) for name in _LABELS) for row in rows)
    for row in rows:
        steps = row.get("source_steps")
        if steps is not None and at[tuple(row.get(name) for name in _LABELS)] > 1:
            row["start"] = f"{row['start']} at step {steps:,}"


def _thinned(name: str, lines: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Return a long table with so few points of each curve that a page stays small."""
    if name not in _LINES:
        return lines
    curves: dict[tuple[Any, ...], list[dict[str, Any]]] = {}
    for line in lines:
        curves.setdefault(tuple(line.get(key) for key in _LINES[name]), []).append(line)
    many = buckets(len(curves))
    return [line for curve in curves.values() for line in _thin_curve(curve, many)]


def _thin_curve(curve: list[dict[str, Any]], many: int) -> Iterator[dict[str, Any]]:
    values = np.array([point["value"] for point in curve], float)
    return (curve[i] for i in thin(values, many))


def column_numbers(rows: Iterable[Row], column: str) -> list[float]:
    """Return the numbers of one column, without those that are missing or undefined."""
    values = (row.get(column) for row in rows)
    return [float(v) for v in values if isinstance(v, int | float) and math.isfinite(v)]


def _facts(experiment: Experiment, request: Request | None, rows: Sequence[Row]) -> dict[str, Any]:
    """Return how the rows were made, each fact in words."""
    done = [row for row in rows if row.get("commit") is not None and row.get("task") is None]
    facts: dict[str, Any] = {
        "small": _small_words(experiment, request),
        "beyond": _beyond_words(experiment, request, rows),
        "commands": [
            f"grokscope reproduce {experiment.name}{text}" for text in _options(experiment, done)
        ],
        "hardware": "; ".join(f"{name} ({n})" for name, n in _counted(done, "processor")),
        "trained_with": ", ".join(sorted({str(row["commit"]) for row in done})),
        "created": max((str(row["date"]) for row in done), default=None),
    }
    if experiment.kind == "labels":
        splits = sum(row["seeds"] for row in done)
        return facts | {"runs": f"no training: {splits:,} splits counted"}
    hours = sum(column_numbers(done, "seconds")) / 3600
    steps = sorted({int(n) for n in column_numbers(done, "max_steps")})
    return facts | {
        "steps": " or ".join(f"{n:,}" for n in steps) or None,
        "training_time": f"{hours:.1f} hours of training, all runs added up" if done else None,
        "sources": "; ".join(name for name, _ in _counted(done, "weights_from")) or None,
    }


def _options(experiment: Experiment, rows: Sequence[Row]) -> Iterator[str]:
    """Yield the options of commands that give all the rows, each with a space before it."""
    if experiment.kind == "labels":
        texts = dict.fromkeys(row["command"] or "" for row in rows)
        yield from (f" {text}" if text else "" for text in texts)
        return
    whole = load_experiment(experiment.name)
    usual = {source.steps for source in whole.sources.values()}
    alike: dict[tuple[Any, ...], list[Row]] = {}
    for row in rows:
        small = row.get("source_steps") is not None and row["source_steps"] not in usual
        alike.setdefault((small, row["p"], row["max_steps"]), []).append(row)
    for (small, p, steps), some in alike.items():
        yield _request_for(whole, some, small=small, p=p, steps=steps).words


def _request_for(
    whole: Experiment, rows: Sequence[Row], *, small: bool, p: int, steps: int
) -> Request:
    """Return the request that gives some rows; what is as in the experiment is left out."""
    base = whole.reduced if small else whole
    operations, seeds, fractions = (
        tuple(dict.fromkeys(row[name] for row in rows))
        for name in ("operation", "seed", "train_fraction")
    )
    # a mixture is chosen by its operations
    single = tuple(dict.fromkeys(part for text in operations for part in text.split(", ")))
    all_of_them = set(operations) == {operation_of(value) for value in base.axes["operation"]}
    return Request(
        only=() if all_of_them else single,
        seeds=() if set(seeds) == set(base.values("seed")) else seeds,
        fractions=() if set(fractions) == set(base.values("train_fraction")) else fractions,
        p=None if base.values("p") == (p,) else p,
        steps=None if base.values("steps") == (steps,) else steps,
        small=small,
    )


def _counted(rows: Iterable[Row], column: str) -> list[tuple[str, int]]:
    return Counter(str(row[column]) for row in rows if row.get(column)).most_common()


def _small_words(experiment: Experiment, request: Request | None) -> str | None:
    """Say what the small version changes; None for the paper's own settings."""
    if request is None or not request.small:
        return None
    parts = [f"{name} {_shown(value)}" for name, value in experiment.small.items()]
    return ", ".join(parts) or "as asked for"


def _beyond_words(
    experiment: Experiment, request: Request | None, rows: Iterable[Row]
) -> str | None:
    """Say which moduli and training fractions the paper did not try; None where it tried all."""
    papers = load_experiment(experiment.name)
    papers = papers.reduced if request is not None and request.small else papers
    values = {name: {row[name] for row in rows} for name in PAPER_SETTINGS}
    parts = [
        f"{name.replace('_', ' ')} {value:g}"
        for name, found in values.items()
        for value in sorted(found)
        if value not in papers.values(name)
    ]
    return ", ".join(parts) or None


def _shown(value: Any) -> str:
    if isinstance(value, tuple):
        text = " ".join(map(str, value))
        return text if len(value) < 6 else f"{value[0]} to {value[-1]} ({len(value)})"
    return str(value)
