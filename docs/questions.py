"""Small experiments on what the paper leaves open: `python -m docs.questions`.

Trains the sweeps of examples/sweeps that are named here, where they are not done, writes a line per
network to questions.csv, and from it, with the prose of questions.md.j2, questions.md.
"""

import argparse
import csv
import io
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from statistics import median
from typing import Any, Final

import numpy as np
from jaxtyping import Bool, Int
from jinja2 import Environment, StrictUndefined

import grokscope as gs
from grokscope.explanation.of_run import load_network
from grokscope.explanation.pairs import logits_over_pairs
from grokscope.tasks import Task, make_split
from grokscope.tasks.structure import structure_of

FOLDER: Final = Path(__file__).parent
SWEEPS: Final = FOLDER.parent / "examples" / "sweeps"
TEMPLATE: Final = FOLDER / "questions.md.j2"
NUMBERS: Final = FOLDER / "questions.csv"
QUESTIONS: Final = ("leaked-pairs-p31", "cubes-p29-p31", "fourth-powers-p37")
"""Sweeps, each of one question."""
_SETTINGS: Final = ("question", "operation", "p", "train_fraction")


def measure(run: gs.Run, seed: int) -> dict[str, Any]:
    """Return what a network answers: of all test pairs, and of those that nothing gives away.

    A test pair is *given* when a training pair has the same u(x) and v(y), or, for a symmetric
    operation, the same with x and y exchanged.
    """
    task, config = Task.from_config(run.config.task), run.config.task
    split = make_split(task, config.train_fraction, config.split, seed)
    network = load_network(gs.RunFolder.open(run.path), seed)
    p = task.p
    answers = np.asarray(logits_over_pairs(network.model)).argmax(-1).reshape(p, p)
    right = answers == task.labels(seed)[0].reshape(p, p)
    test, train = split.test.reshape(p, p), split.train.reshape(p, p)
    known = given(task, train)
    alike = answers == answers.T
    unleaked = split.unleaked.reshape(p, p) & ~np.eye(p, dtype=bool)
    return {
        "test": _share(right[test]),
        "given": _share(known[test]),
        "of_given": _share(right[test & known]),
        "of_others": _share(right[test & ~known]),
        "alike": _share(alike[unleaked]),
    }


def given(task: Task, train: Bool[np.ndarray, "p p"]) -> Bool[np.ndarray, "p p"]:
    """Return the pairs whose coordinates a training pair has, exchanged where that is the same."""
    p, found = task.p, structure_of(task).best
    same = np.arange(p)
    u, v = (same, same) if found is None else (found.u, found.v)
    seen = _spread(train, u, v)
    return seen | seen.T if task.symmetric(0, 0) else seen


def _spread(
    train: Bool[np.ndarray, "p p"], u: Int[np.ndarray, "p"], v: Int[np.ndarray, "p"]
) -> Bool[np.ndarray, "p p"]:
    """Return at [x, y] whether a training pair has the same u(x) and v(y)."""
    rows, columns = (values[:, None] == values[None] for values in (u, v))
    return (rows.astype(int) @ train.astype(int) @ columns.astype(int)) > 0


def _share(which: Bool[np.ndarray, "some"]) -> float | None:
    return round(float(which.mean()), 4) if which.size else None


def lines(runs: Path) -> Iterator[dict[str, Any]]:
    """Train what is missing, and yield a line per network."""
    for question in QUESTIONS:
        for found in gs.sweep(SWEEPS / f"{question}.toml", runs / question).runs:
            run = gs.load_run(found.path)
            config = run.config
            for result in run.results:
                yield {
                    "question": question,
                    "operation": run.operation,
                    "p": config.task.p,
                    "train_fraction": config.task.train_fraction,
                    "seed": result["seed"],
                    "grokked_at": result["grokked_at"],
                    "steps": result["steps"],
                    **measure(run, result["seed"]),
                }


def page(numbers: Path = NUMBERS) -> str:
    """Return the page, from the lines that are kept."""
    rows = list(csv.DictReader(numbers.read_text("utf-8").splitlines()))
    text = Environment(undefined=StrictUndefined, trim_blocks=True).from_string(
        TEMPLATE.read_text("utf-8")
    )
    return text.render(settings=list(settings(rows))) + "\n"


def settings(rows: Sequence[Mapping[str, str]]) -> Iterator[dict[str, Any]]:
    """Yield a line per setting: how many grokked, and medians with their ranges."""
    places: dict[tuple[str, ...], list[Mapping[str, str]]] = {}
    for row in rows:
        places.setdefault(tuple(row[name] for name in _SETTINGS), []).append(row)
    for place, some in places.items():
        at = [int(row["grokked_at"]) for row in some if row["grokked_at"]]
        yield {
            **dict(zip(_SETTINGS, place, strict=True)),
            "n": len(some),
            "grokked": len(at),
            "at": f"{median(at):,.0f} ({min(at):,} to {max(at):,})" if at else "",
            "steps": f"{max(int(row['steps']) for row in some):,}",
            **{
                name: _range([float(row[name]) for row in some if row[name]])
                for name in ("test", "given", "of_given", "of_others", "alike")
            },
        }


def _range(numbers: Sequence[float]) -> str:
    if not numbers:
        return ""
    middle, low, high = (f"{100 * x:.0f}" for x in (median(numbers), min(numbers), max(numbers)))
    return f"{middle}% ({low} to {high})"


def main() -> None:
    """Write the numbers and the page."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--runs", type=Path, default=Path("runs/questions"))
    found = list(lines(parser.parse_args().runs))
    out = io.StringIO()
    writer = csv.DictWriter(out, list(found[0]), lineterminator="\n")
    writer.writeheader()
    writer.writerows(found)
    NUMBERS.write_text(out.getvalue())
    (FOLDER / "questions.md").write_text(page())
    print("docs/questions.md")


if __name__ == "__main__":
    main()
