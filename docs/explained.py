"""What does `explain` say of every operation? Trains the runs, explains them, writes the numbers.

Run from the root of the repository: `make explained`. Runs and explanations that are already
there are not made again; on two cores all trainings take about an hour and a half.
"""

import argparse
import csv
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from statistics import median
from typing import Any, Final

import grokscope as gs
from grokscope.disk.folder import RunFolder
from grokscope.explanation.findings import ClosedForm
from grokscope.explanation.of_run import explain_networks
from grokscope.explanation.result import Explanation
from grokscope.explanation.store import read_explanations, read_or_explain, write_explanations
from grokscope.explanation.verdict import AblationScores, Edit

FOLDER: Final = Path(__file__).parent
THREE: Final = (0, 1, 2)


@dataclass(frozen=True)
class Case:
    """One run: its folder, operation, modulus and what differs from the paper's settings."""

    name: str
    expression: str
    p: int
    train_fraction: float
    seeds: tuple[int, ...] = THREE
    stop_margin: int = 3000
    steps: int = 50_000
    stop: bool = True

    def train(self, runs: Path) -> RunFolder:
        """Return the trained run, which is resumed or left as it is where it exists."""
        return gs.train(
            self.expression,
            p=self.p,
            train_fraction=self.train_fraction,
            seeds=self.seeds,
            stop_margin=self.stop_margin,
            steps=self.steps,
            stop=self.stop,
            checkpoint_every=500,
            out=runs / self.name,
            resume=True,
        ).folder


ONE: Final = (0,)
CASES: Final = (
    Case("p97-add", "x + y", 97, 0.3, ONE),
    Case("p97-mul", "x*y", 97, 0.3, ONE),
    Case("p97-sub", "x - y", 97, 0.5, ONE, stop_margin=4000),
    Case("p97-x2y2", "x^2 + y^2", 97, 0.3, ONE),
    Case("p97-x32y", "x^3 + 2*y", 97, 0.5, ONE, steps=20_000),
    Case("p97-sq2", "(x + y)^2", 97, 0.5, ONE, stop_margin=500, steps=14_000, stop=False),
    Case("p59-add", "x + y", 59, 0.5),
    Case("p59-mul", "x*y", 59, 0.5),
    Case("p59-sub", "x - y", 59, 0.6, steps=20_000),
    Case("p59-xyxy", "x*y + x + y", 59, 0.5, steps=20_000),
    Case("p59-xypy", "x*y + y", 59, 0.7, steps=25_000),
    Case("p59-x2y2", "x^2 + y^2", 59, 0.5, steps=20_000),
    Case("p59-x2my", "x^2 - y", 59, 0.6, steps=40_000),
    Case("p59-2x3y", "2*x + 3*y", 59, 0.7, steps=25_000),
    Case("p59-x32y", "x^3 + 2*y", 59, 0.6, steps=40_000),
    Case("p59-sq2", "(x + y)^2", 59, 0.5, stop_margin=4000),
    Case("p59-cube", "(x + y)^3", 59, 0.5, steps=20_000),
    Case("p59-x5y5", "x^5 + y^5", 59, 0.5, steps=20_000),
    Case("p59-cross", "x^2 + x*y + y^2", 59, 0.8, stop_margin=500, steps=6000),
)


@dataclass(frozen=True)
class Network:
    """One explained network."""

    case: Case
    seed: int
    grokked_at: int | None
    steps: int
    found: Explanation

    @property
    def ablations(self) -> dict[str, AblationScores]:
        """A after each edit, by what was edited."""
        found = self.found.ablations
        return {"embedding": found.embedding, "readout": found.logits, "neurons": found.neurons}


def networks(case: Case, runs: Path) -> list[Network]:
    """Train a case where needed and explain all its seeds."""
    folder = case.train(runs)
    if len(read_explanations(folder)) < len(case.seeds):
        write_explanations(folder, explain_networks(folder))
    results = {result["seed"]: result for result in folder.manifest.results}
    return [
        Network(
            case,
            seed,
            results[seed]["grokked_at"],
            results[seed]["steps"],
            read_or_explain(folder, seed)[0],
        )
        for seed in case.seeds
    ]


COLUMNS: Final[dict[str, Callable[[Network], Any]]] = {
    "operation": lambda n: n.case.expression,
    "p": lambda n: n.case.p,
    "train_fraction": lambda n: n.case.train_fraction,
    "seed": lambda n: n.seed,
    "grokked_at": lambda n: n.grokked_at,
    "steps": lambda n: n.steps,
    "verdict": lambda n: n.found.verdict,
    "basis": lambda n: n.found.embedding.basis,
    "families": lambda n: " | ".join(" ".join(map(str, f)) for f in n.found.families),
    "keys_W_E": lambda n: " ".join(map(str, n.found.embedding.keys)),
    "keys_W_L": lambda n: " ".join(map(str, n.found.neuron_logit_map.keys)),
    "energy_W_E": lambda n: n.found.embedding.energy_in_keys,
    "energy_W_L": lambda n: n.found.neuron_logit_map.energy_in_keys,
    **{
        f"{place}_{edit}": lambda n, place=place, edit=edit: n.ablations[place].of(edit)
        for place in ("embedding", "readout", "neurons")
        for edit in Edit
    },
    "both_keep": lambda n: n.found.ablations.both_keep,
    "all_keep": lambda n: n.found.ablations.all_keep,
    "sums_keep": lambda n: n.found.ablations.sums_keep,
    "predicted_bias": lambda n: n.found.ablations.logits_with_predicted_bias,
    "permuted_bias": lambda n: n.found.ablations.logits_with_permuted_bias,
    "clock_agreement": lambda n: n.found.closed_form.agreement,
    "clock_R2": lambda n: n.found.closed_form.variance_explained,
    "ellipse_agreement": lambda n: _agreement(n.found.closed_form.ellipse),
    "ellipse_without_bias": lambda n: _agreement(n.found.closed_form.ellipse_without_bias),
    "shapes": lambda n: " ".join(
        f"{s.frequency}:{s.roundness:.2f}" for s in n.found.logits.key_shapes
    ),
    "kind": lambda n: n.found.algorithm.kind,
    "gradient_symmetricity": lambda n: n.found.algorithm.gradient_symmetricity,
    "distance_irrelevance": lambda n: n.found.algorithm.distance_irrelevance,
    "circularity": lambda n: n.found.algorithm.circularity,
    "share_above_85": lambda n: n.found.neurons.share_above_85,
    "failed": lambda n: "; ".join(claim.id for claim in n.found.claims.missing if claim.fails),
}
"""Columns of docs/explained.csv, one row per network."""


def _agreement(form: ClosedForm | None) -> float | None:
    return None if form is None else form.agreement


def write_csv(found: Sequence[Network]) -> None:
    """Write every network's numbers."""
    with (FOLDER / "explained.csv").open("w", newline="") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(COLUMNS)
        for network in found:
            writer.writerow([_cell(column(network)) for column in COLUMNS.values()])


def _cell(value: Any) -> Any:
    return round(value, 4) if isinstance(value, float) else value


def spread(values: Sequence[float | None], form: str = "{:.2f}") -> str:
    """Return the median, and the range where the values differ."""
    known = [v for v in values if v is not None]
    if not known:
        return "–"
    middle, low, high = (form.format(v) for v in (median(known), min(known), max(known)))
    return middle if low == high else f"{middle} ({low} to {high})"


def main_table(groups: Sequence[Sequence[Network]]) -> Iterator[str]:
    """Yield the table of all operations."""
    yield (
        "| operation, p, r, n | grokked at | basis of W_E | keys of the first seed | energy W_E;"
        " W_L | W_E: keep, remove, control, others | answers: keep, remove, control, others |"
        " both kept | verdict |"
    )
    yield "|---|---|---|---|---|---|---|---|---|"
    for group in groups:
        yield f"| {' | '.join(_row(group))} |"


def _row(group: Sequence[Network]) -> Iterator[str]:
    case, first = group[0].case, group[0]
    yield f"{case.expression}, {case.p}, {case.train_fraction}, {len(group)}"
    grokked = [n.grokked_at for n in group if n.grokked_at is not None]
    late = len(group) - len(grokked)
    yield ", ".join(
        filter(
            None,
            [
                spread(grokked, "{:,.0f}") if grokked else "",
                f"{late} undecided at {max(n.steps for n in group):,}" if late else "",
            ],
        )
    )
    yield first.found.embedding.basis or "no structure"
    yield ", ".join(" ".join(map(str, f)) for f in first.found.families) or "–"
    yield "; ".join(
        spread([n.found.by_table[name].energy_in_keys for n in group]) for name in ("W_E", "W_L")
    )
    for place in ("embedding", "readout"):
        yield "; ".join(spread([n.ablations[place].of(edit) for n in group]) for edit in Edit)
    yield spread([n.found.ablations.both_keep for n in group])
    verdicts = [n.found.verdict for n in group]
    yield ", ".join(f"{v} {verdicts.count(v)}/{len(group)}" for v in dict.fromkeys(verdicts))


def shape_table(groups: Sequence[Sequence[Network]]) -> Iterator[str]:
    """Yield the table of key shapes and closed forms."""
    yield (
        "| operation, p, seed | b/a of each key | answers kept | with predicted bias |"
        " with permuted bias | waves of the sum kept | clock formula: agreement; R² |"
        " nearest on ellipses | the same without its bias |"
    )
    yield "|---|---|---|---|---|---|---|---|---|"
    for network in (n for group in groups for n in group if n.found.families):
        shapes = ", ".join(
            f"{s.frequency}: {s.roundness:.2f}" for s in network.found.logits.key_shapes
        )
        ablations, clock = network.found.ablations, network.found.closed_form
        numbers = [
            ablations.logits.keep,
            ablations.logits_with_predicted_bias,
            ablations.logits_with_permuted_bias,
            ablations.sums_keep,
        ]
        forms = [_agreement(form) for form in (clock.ellipse, clock.ellipse_without_bias)]
        cells = [
            f"{network.case.expression}, {network.case.p}, {network.seed}",
            shapes,
            *(f"{v:.3f}" for v in numbers),
            f"{clock.agreement:.3f}; {clock.variance_explained:.2f}",
            *(f"{v:.3f}" for v in forms),
        ]
        yield f"| {' | '.join(cells)} |"


def a4_table(groups: Sequence[Sequence[Network]]) -> Iterator[str]:
    """Yield Table A.4 for addition and subtraction at p = 97, beside the paper's numbers."""
    paper = paper_a4()
    yield (
        "| row | key, non-key, residual part | x + y: paper | x + y: train | test | x - y: paper |"
        " x - y: train | test |"
    )
    yield "|---|---|---|---|---|---|---|---|"
    ours = {g[0].case.name: g[0].found.logits.table_a4 for g in groups}
    for row in paper:
        parts = ", ".join("yes" if row[p] == "1" else "no" for p in ("key", "non_key", "residual"))
        cells = [row["row"], parts]
        for name, column in (("p97-add", "addition"), ("p97-sub", "subtraction")):
            loss = getattr(ours[name], row["row"])
            cells += [f"{float(row[column]):.2e}", f"{loss.train:.2e}", f"{loss.test:.2e}"]
        yield f"| {' | '.join(cells)} |"


def paper_a4() -> list[dict[str, str]]:
    """Return the rows of the paper's Table A.4."""
    text = (Path(gs.__file__).parent / "data" / "paper" / "table_a4.csv").read_text()
    return list(csv.DictReader(text.splitlines()))


def main() -> None:
    """Train, explain, and write docs/explained_numbers.md and docs/explained.csv."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--runs", type=Path, default=Path("runs/explained"))
    runs = parser.parse_args().runs
    groups = []
    for case in CASES:
        groups.append(networks(case, runs))
        print(case.name, [network.found.verdict for network in groups[-1]], flush=True)
    write_csv([network for group in groups for network in group])
    header = "<!-- Written by `make explained`; median (minimum to maximum) over the seeds. -->"
    parts = [main_table(groups), shape_table(groups), a4_table(groups)]
    text = "\n\n".join("\n".join(part) for part in parts)
    (FOLDER / "explained_numbers.md").write_text(f"{header}\n\n{text}\n")


if __name__ == "__main__":
    main()
