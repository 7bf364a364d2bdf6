"""How often does `explain` see what is not there? Trains small networks and counts every claim.

Run from the root of the repository: `python -m docs.false_positives --runs runs/false_positives`.
Runs that are already there are not trained again; on two cores all of it takes about 20 minutes.
"""

import argparse
import csv
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from statistics import median
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
from grokscope.explanation.verdict import BOTH_KEPT, EDIT_CLAIMS, VERDICTS, Bound, ClaimId
from grokscope.models import AnyModel
from grokscope.tasks import Task

FOLDER: Final = Path(__file__).parent
MARKS: Final = ("<!-- numbers -->", "<!-- end of numbers -->")
ANSWERS: Final = ("holds", "fails", "not testable")
FIRST_SEED: Final = 100
"""Seeds from 0 on served to find rules that were too weak; these came after the rules."""


@dataclass(frozen=True, eq=False)
class Training:
    """Networks of one kind, one per seed, all small and mod 31."""

    name: str
    expression: str
    seeds: int
    settings: dict[str, Any]


@dataclass(frozen=True, eq=False)
class Kind:
    """Networks of one training, explained by the structure of one operation."""

    title: str
    training: Training
    by: str
    random_unembedding: bool = False
    step: int | None = None
    """Which checkpoint; by default the last."""


GROKKING: Final = {"steps": 8000, "stop_margin": 1000, "stop_accuracy": 0.999}
MEMORISING: Final = {"steps": 600, "stop": False}
RANDOM: Final = Training("random", "random", 26, MEMORISING | {"train_fraction": 0.95})
ADD: Final = Training("add", "x + y", 20, GROKKING | {"train_fraction": 0.7})
MUL: Final = Training("mul", "x*y", 20, GROKKING | {"train_fraction": 0.7})
SQUARES: Final = Training("squares", "x^2 + y^2", 20, GROKKING | {"train_fraction": 0.8})
NO_DECAY: Final = Training(
    "nodecay", "x + y", 20, MEMORISING | {"train_fraction": 0.3, "weight_decay": 0.0}
)
LITTLE_DATA: Final = Training("lowdata", "x + y", 20, MEMORISING | {"train_fraction": 0.2})

TRUE: Final = tuple(
    Kind(f"{t.expression} grokked, as itself", t, t.expression) for t in (ADD, MUL, SQUARES)
)
FALSE: Final = (
    *(Kind(f"random labels, as {by}", RANDOM, by) for by in ("x + y", "x*y", "x^2 + y^2")),
    Kind("x + y grokked, as x*y", ADD, "x*y"),
    Kind("x*y grokked, as x + y", MUL, "x + y"),
    *(
        Kind(f"{t.expression} grokked, random unembedding", t, t.expression, True)
        for t in (ADD, MUL, SQUARES)
    ),
    Kind("x + y memorised, no weight decay", NO_DECAY, "x + y"),
    Kind("x + y memorised, r = 0.2", LITTLE_DATA, "x + y"),
    Kind("x + y memorised, step 200", ADD, "x + y", step=200),
    Kind("x*y memorised, step 200", MUL, "x*y", step=200),
)


def explanations(kind: Kind, runs: Path) -> list[Explanation]:
    """Train what is missing and explain every seed, as if all of them had grokked.

    That they had is granted, so that the other claims alone must refuse a network.
    """
    training = kind.training
    seeds = tuple(FIRST_SEED + i for i in range(training.seeds))
    run = gs.train(
        training.expression,
        preset="quick",
        p=31,
        out=runs / training.name,
        resume=True,
        seeds=seeds,
        checkpoint_every=100_000,
        **training.settings,
    )
    config = RunConfig.from_json(run.folder.manifest.config)
    task = Task.from_config(config.task)
    found = []
    for seed in config.seeds:
        case = case_of(run.folder, config, task, seed, 0, kind.by)
        network = load_network(run.folder, seed, kind.step)
        model = network.model
        if kind.random_unembedding:
            model = with_random_unembedding(model, seed)
        labels = task.labels(seed)[0].reshape(task.p, task.p)
        found.append(
            explain_network(
                of_model(model),
                labels,
                case.search,
                operation=case.operation,
                kind=case.kind,
                grokked=True,
                seed=seed,
                step=network.step,
                thorough=False,
            )
        )
    return found


def with_random_unembedding(model: AnyModel, seed: int) -> AnyModel:
    """Return the network with normal numbers for W_U, of the norm that W_U had."""
    drawn = np.random.default_rng(seed).normal(size=model.W_U.shape)
    drawn *= np.linalg.norm(model.W_U) / np.linalg.norm(drawn)
    return eqx.tree_at(lambda m: m.W_U, model, jnp.asarray(drawn, model.W_U.dtype))


def accuracies(found: Sequence[Explanation]) -> str:
    """Return medians of the accuracy on training pairs and on unleaked test pairs."""
    full = [e.ablations.outcomes.full for e in found]
    known = [outcome.accuracy for outcome in full if outcome is not None]
    sides = ([a.train or 0.0 for a in known], [a.unleaked or 0.0 for a in known])
    return " / ".join(f"{median(side):.2f}" for side in sides)


def verdict_table(results: dict[Kind, list[Explanation]]) -> Iterator[str]:
    """Yield the table of verdicts, one row per kind."""
    columns = ["networks, explained as", "n", "accuracy: train / unleaked test", *VERDICTS]
    yield f"| {' | '.join(columns)} |"
    yield f"|---|---|---|{'---|' * len(VERDICTS)}"
    for kind, found in results.items():
        counts = Counter(explanation.verdict for explanation in found)
        cells = [kind.title, len(found), accuracies(found), *(counts[v] for v in VERDICTS)]
        yield f"| {' | '.join(map(str, cells))} |"


def claim_counts(found: Sequence[Explanation]) -> dict[ClaimId, Counter[str]]:
    """Return, per decisive claim, how many networks it holds for, fails for, cannot be asked."""
    counts: dict[ClaimId, Counter[str]] = {}
    for explanation in found:
        for claim in explanation.claims.values():
            if claim.decisive:
                counts.setdefault(claim.id, Counter())[claim.verdict] += 1
    return counts


def claim_table(results: dict[Kind, list[Explanation]]) -> Iterator[str]:
    """Yield how many networks are within the bound of each claim, one column per kind.

    Claims on edited networks are counted by their numbers, also where they may not be judged.
    """
    counts = [within_bounds(found) for found in results.values()]
    names = [name for name in counts[0] if name not in (ClaimId.GROKKED, ClaimId.STRUCTURE)]
    yield f"| claim | {' | '.join(kind.title for kind in results)} |"
    yield f"|---|{'---|' * len(results)}"
    for name in names:
        cells = []
        for count in counts:
            asked = count[name]["holds"] + count[name]["fails"]
            cells.append(f"{count[name]['holds']}/{asked}" if asked else "–")
        yield f"| {name} | {' | '.join(cells)} |"


BOUNDS: Final[dict[ClaimId, Bound]] = {
    ClaimId.BOTH_KEPT: BOTH_KEPT,
    **{key: edit.bound for claims in EDIT_CLAIMS.values() for edit, key in claims.items()},
}


def within_bounds(found: Sequence[Explanation]) -> dict[ClaimId, Counter[str]]:
    """Return the counts of `claim_counts` with every number judged by its bound."""
    counts: dict[ClaimId, Counter[str]] = {}
    for explanation in found:
        for key, claim in explanation.claims.items():
            answer = BOUNDS[key].judge(claim.value) if key in BOUNDS else claim.verdict
            counts.setdefault(key, Counter())[answer] += 1
    return counts


def key_counts(results: dict[Kind, list[Explanation]]) -> Iterator[str]:
    """Yield, per kind, in how many networks each matrix has any key, and the median of keys."""
    yield "| networks, explained as | n | W_E with a key | W_L with a key | most keys in one |"
    yield "|---|---|---|---|---|"
    for kind, found in results.items():
        keys = [[len(table.keys) for table in e.by_table.values()] for e in found]
        some = [sum(row[i] > 0 for row in keys) for i in range(2)]
        yield f"| {kind.title} | {len(found)} | {some[0]} | {some[1]} | {max(map(max, keys))} |"


def write_counts(results: dict[Kind, list[Explanation]], path: Path) -> None:
    """Write the counts of every kind, verdict and claim as CSV."""
    with path.open("w", newline="") as file:
        out = csv.writer(file, lineterminator="\n")
        out.writerow(["kind", "n", "what", "answer", "count"])
        for kind, found in results.items():
            verdicts = Counter(explanation.verdict for explanation in found)
            for verdict in VERDICTS:
                out.writerow([kind.title, len(found), "verdict", verdict, verdicts[verdict]])
            for name, counts in claim_counts(found).items():
                for answer in ANSWERS:
                    out.writerow([kind.title, len(found), name, answer, counts[answer]])


def insert(text: str, page: Path) -> None:
    """Put a text between the marks of a page, in place of what is there."""
    before, rest = page.read_text().split(MARKS[0])
    _, after = rest.split(MARKS[1])
    page.write_text(f"{before}{MARKS[0]}\n\n{text}\n\n{MARKS[1]}{after}")


def main() -> None:
    """Train, explain and count."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--runs", type=Path, default=Path("runs/false_positives"))
    runs = parser.parse_args().runs
    results = {kind: explanations(kind, runs) for kind in (*TRUE, *FALSE)}
    write_counts(results, FOLDER / "false_positives.csv")
    true = {kind: results[kind] for kind in TRUE}
    false = {kind: results[kind] for kind in FALSE}
    parts = [verdict_table(results), key_counts(results), claim_table(true), claim_table(false)]
    insert("\n\n".join("\n".join(part) for part in parts), FOLDER / "false_positives.md")


if __name__ == "__main__":
    main()
