"""How often does `explain` see what is not there, and how often what is? Trains, explains, counts.

Run from the root of the repository: `make validation`. Rows of docs/validation.csv that are there
are not made again, so that it can be stopped; on two cores all of it takes about an hour.
"""

import argparse
import csv
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

import equinox as eqx
import jax.numpy as jnp
import numpy as np

import grokscope as gs
from grokscope.config.run import RunConfig
from grokscope.explanation.explain import explain_network
from grokscope.explanation.network import of_model
from grokscope.explanation.of_run import case_of, load_network
from grokscope.explanation.result import Explanation
from grokscope.explanation.verdict import VERDICTS, Level
from grokscope.models import AnyModel
from grokscope.numerics import computing
from grokscope.tasks import Task
from grokscope.validation.planted import EXPLAINED, planted
from grokscope.validation.scored import explain_planted

FOLDER: Final = Path(__file__).parent
ROWS: Final = FOLDER / "validation.csv"
MARKS: Final = ("<!-- numbers -->", "<!-- end of numbers -->")
FIRST_SEED: Final = 200
"""Thresholds were set on seeds below 100."""
AFTER: Final = (0, 250, 500, 1000)
"""Steps after grokking at which the power is counted."""
MODULI: Final = (23, 31, 43, 59, 67, 97)
"""Of networks made by formula."""
PLANTINGS: Final = 6
COLUMNS: Final = ("networks", "setting", "p", "after", "n", *VERDICTS, *Level)


@dataclass(frozen=True, eq=False)
class Setting:
    """What networks are: their modulus and architecture."""

    name: str
    p: int
    seeds: int
    model: dict[str, Any] = field(default_factory=dict)


SETTINGS: Final = (
    Setting("transformer", 31, 20),
    Setting("MLP", 31, 20, {"architecture": "mlp"}),
    Setting("transformer", 43, 20),
    Setting("transformer", 23, 20),
)


@dataclass(frozen=True, eq=False)
class Training:
    """Networks of one operation, one per seed."""

    name: str
    expression: str
    settings: dict[str, Any]


GROKKING: Final = {"steps": 8000, "stop_margin": max(AFTER), "stop_accuracy": 0.99}
MEMORISING: Final = {"steps": 600, "stop": False}
RANDOM: Final = Training("random", "random", MEMORISING | {"train_fraction": 0.95})
ADD: Final = Training("add", "x + y", GROKKING | {"train_fraction": 0.7})
MUL: Final = Training("mul", "x*y", GROKKING | {"train_fraction": 0.7})
NO_DECAY: Final = Training(
    "nodecay", "x + y", MEMORISING | {"train_fraction": 0.3, "weight_decay": 0.0}
)
LITTLE_DATA: Final = Training("lowdata", "x + y", MEMORISING | {"train_fraction": 0.2})


@dataclass(frozen=True, eq=False)
class Kind:
    """Networks of one training, explained by the structure of one operation."""

    title: str
    training: Training
    by: str
    random_unembedding: bool = False
    step: int | None = None
    """Which checkpoint; by default the last."""


TRUE: Final = tuple(Kind(f"{t.expression} grokked", t, t.expression) for t in (ADD, MUL))
FALSE: Final = (
    *(Kind(f"random labels, as {by}", RANDOM, by) for by in ("x + y", "x*y", "x^2 + y^2")),
    Kind("x + y grokked, as x*y", ADD, "x*y"),
    Kind("x*y grokked, as x + y", MUL, "x + y"),
    *(
        Kind(f"{t.expression} grokked, random unembedding", t, t.expression, True)
        for t in (ADD, MUL)
    ),
    Kind("x + y memorised, no weight decay", NO_DECAY, "x + y"),
    Kind("x + y memorised, little data", LITTLE_DATA, "x + y"),
    Kind("x + y memorised, step 100", ADD, "x + y", step=100),
    Kind("x*y memorised, step 100", MUL, "x*y", step=100),
)


def explanations(
    kind: Kind, setting: Setting, runs: Path, after: int | None = None
) -> Iterator[Explanation]:
    """Train what is missing and explain every seed, as if all of them had grokked.

    That they had is granted, so that the other claims alone must refuse a network.

    **Arguments:** the kind; the setting; where runs are; steps after grokking, of those that did:
    the next checkpoint is taken.
    """
    training = kind.training
    run = gs.train(
        training.expression,
        preset="quick",
        p=setting.p,
        out=runs / f"{training.name}-{setting.name}-{setting.p}",
        resume=True,
        quiet=True,
        seeds=tuple(range(FIRST_SEED, FIRST_SEED + setting.seeds)),
        checkpoint_every=50 if training in (ADD, MUL) else 100_000,
        **training.settings,
        **setting.model,
    )
    config = RunConfig.from_json(run.folder.manifest.config)
    task = Task.from_config(config.task)
    for seed in config.seeds:
        case = case_of(run.folder, config, task, seed, 0, kind.by)
        step = kind.step
        if after is not None:
            if case.grokked_at is None:
                continue
            kept = run.folder.checkpoint_steps(seed)
            step = next((s for s in kept if s >= case.grokked_at + after), kept[-1])
        network = load_network(run.folder, seed, step)
        model = with_random_unembedding(network.model, seed) if kind.random_unembedding else None
        with computing():
            yield explain_network(
                of_model(model or network.model),
                task.labels(seed)[0].reshape(task.p, task.p),
                case.search,
                operation=case.operation,
                kind=case.kind,
                grokked=True,
                seed=seed,
                step=network.step,
                thorough=False,
            )


def with_random_unembedding(model: AnyModel, seed: int) -> AnyModel:
    """Return the network with normal numbers for W_U, of the norm that W_U had."""
    drawn = np.random.default_rng(seed).normal(size=model.W_U.shape)
    drawn *= np.linalg.norm(model.W_U) / np.linalg.norm(drawn)
    return eqx.tree_at(lambda m: m.W_U, model, jnp.asarray(drawn, model.W_U.dtype))


def work(runs: Path) -> Iterator[tuple[tuple[str, str, int, str], Any]]:
    """Yield what is to be counted: its name, setting, p, steps after grokking; explanations."""
    for p in MODULI:
        liars = [
            network
            for seed in range(FIRST_SEED, FIRST_SEED + PLANTINGS)
            for network in planted(p, seed)
            if network.known.verdicts != EXPLAINED
        ]
        yield (
            ("made by formula, not to be explained", "formula", p, ""),
            map(explain_planted, liars),
        )
    for setting in SETTINGS:
        for kind in TRUE:
            for after in AFTER:
                name = (kind.title, setting.name, setting.p, str(after))
                yield name, explanations(kind, setting, runs, after)
        for kind in FALSE:
            yield (kind.title, setting.name, setting.p, ""), explanations(kind, setting, runs)


def count(found: Sequence[Explanation]) -> list[int]:
    """Return how many there are, how many of each verdict and on each level."""
    verdicts = Counter(explanation.verdict for explanation in found)
    levels = Counter(level for explanation in found for level in explanation.levels)
    return [len(found), *(verdicts[v] for v in VERDICTS), *(levels[level] for level in Level)]


def read_rows() -> dict[tuple[str, str, str, str], dict[str, str]]:
    """Return the rows that were counted."""
    if not ROWS.exists():
        return {}
    with ROWS.open(newline="") as file:
        rows = list(csv.DictReader(file))
    return {(r["networks"], r["setting"], r["p"], r["after"]): r for r in rows}


def add_row(cells: Sequence[object]) -> None:
    """Add a row to the counts."""
    begins = not ROWS.exists()
    with ROWS.open("a", newline="") as file:
        out = csv.writer(file, lineterminator="\n")
        out.writerows([COLUMNS, cells] if begins else [cells])


def tables() -> str:
    """Return the counts as tables: what must not be explained by kind, and the power."""
    rows = list(read_rows().values())
    kinds: dict[str, Counter[str]] = {}
    for row in rows:
        if not row["after"]:
            kinds.setdefault(row["networks"], Counter()).update(
                {name: int(row[name]) for name in ("n", *VERDICTS)}
            )
    kinds["all"] = sum(kinds.values(), Counter())
    lines = [f"| networks | n | {' | '.join(VERDICTS)} |", f"|---|---|{'---|' * len(VERDICTS)}"]
    lines += [
        f"| {kind} | {n['n']} | {' | '.join(str(n[v]) for v in VERDICTS)} |"
        for kind, n in kinds.items()
    ]
    lines += [
        "",
        "| networks | setting | steps after grokking | n | explained | by keys | neuron by",
    ]
    lines[-1] += " neuron | partly |"
    lines.append("|---|---|---|---|---|---|---|---|")
    for row in rows:
        if row["after"]:
            cells = [row["networks"], f"{row['setting']}, p = {row['p']}", row["after"], row["n"]]
            cells += [row[name] for name in ("explained", Level.KEYS, Level.NEURONS, "partly")]
            lines.append(f"| {' | '.join(cells)} |")
    return "\n".join(lines)


def insert(text: str, page: Path) -> None:
    """Put a text between the marks of a page, in place of what is there."""
    before, rest = page.read_text().split(MARKS[0])
    _, after = rest.split(MARKS[1])
    page.write_text(f"{before}{MARKS[0]}\n\n{text}\n\n{MARKS[1]}{after}")


def main() -> None:
    """Train, explain and count what is missing, and write the page."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--runs", type=Path, default=Path("runs/validation"))
    runs = parser.parse_args().runs
    for name, found in work(runs):
        if tuple(map(str, name)) not in read_rows():
            add_row([*name, *count(list(found))])
    insert(tables(), FOLDER / "validation.md")


if __name__ == "__main__":
    main()
