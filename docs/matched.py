"""Does one measure fall for every operation that groks? In the additive and the matched basis.

Run from the root of the repository: `python -m docs.matched --runs runs/matched`. Runs that are
already there are not trained again, one that was interrupted goes on; on two cores all of them
take about half an hour.
"""

import argparse
import math
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

from docs.progress import (
    FOLDER,
    THREE,
    Case,
    Curves,
    Panels,
    curves,
    figure,
    leads,
    middle_of_rise,
    save,
    spread,
)

from grokscope import RunFolder
from grokscope.fourier.basis import Basis
from grokscope.fourier.spectrum import spectrum
from grokscope.measures import MATCHED, MEASURES, recorded
from grokscope.runner.table_a4 import LOSSES
from grokscope.tasks.structure import structure

P: Final = 59
HALF: Final[dict[str, Any]] = {
    "p": P,
    "train_fraction": 0.5,
    "steps": 20_000,
    "stop_accuracy": 0.999,
    "stop_margin": 1500,
}
OPERATIONS: Final = (
    Case("add", "x + y, r = 0.5", "x + y", THREE, "", HALF),
    Case("mul", "x*y, r = 0.5", "x*y", THREE, "", HALF),
    Case("squares", "x^2 + y^2, r = 0.5", "x^2 + y^2", THREE, "", HALF),
    Case("xy+y", "x*y + y, r = 0.7", "x*y + y", THREE, "", HALF | {"train_fraction": 0.7}),
)
NO_DECAY: Final = Case(
    "nodecay",
    "x + y, no weight decay",
    "x + y",
    THREE,
    "",
    HALF | {"steps": 5000, "weight_decay": 0.0},
)
RANDOM: Final = Case("random", "random table, r = 0.5", "random", THREE, "", HALF | {"steps": 4000})
FORCED: Final = ("x + y", "x*y", "x^2 + y^2")
"""Operations in whose bases the random table is looked at: it has none of its own."""

_TABLES: Final = {"W_E": "W_E", "W_L": "W_L"}
PANELS: Final[Panels] = {
    "accuracy": {
        "train_accuracy": "train",
        "test_accuracy": "test",
        "unleaked_accuracy": "test, unleaked",
    },
    "FFS, additive": {f"ffs {table}": table for table in _TABLES},
    "KFS, matched": {f"kfs {table} matched": table for table in _TABLES},
    "FCR, additive": {f"fcr {table}": table for table in _TABLES},
    "FCR, matched": {f"fcr {table} matched": table for table in _TABLES},
}
COUNTS: Final[Panels] = {
    f"IPR{basis}": {f"ipr {table}{basis}": table for table in _TABLES} for basis in ("", " matched")
}
"""Not drawn, as they have another scale; their numbers are written."""
MEASURED: Final = [name for row in list(PANELS)[1:] for name in PANELS[row]] + [
    name for series in COUNTS.values() for name in series
]


def forced(runs: Path, expression: str) -> Curves:
    """Return the matched measures of the random tables' checkpoints in an operation's basis."""
    run = RunFolder.open(runs / RANDOM.name)
    best = structure(expression, P).best
    assert best is not None
    bases = {"W_E": Basis(best).inputs, "W_L": Basis(best).answers}
    found: Curves = {}
    for seed in RANDOM.seeds:
        for step in run.checkpoint_steps(seed):
            weights, _ = run.load_checkpoint(seed, step)
            # W_L = W_U·W_out, and W_E without the operator's token
            tables = {"W_E": weights["W_E"][:P], "W_L": (weights["W_out"] @ weights["W_U"]).T}
            for table, characters in bases.items():
                known = spectrum(tables[table], characters)
                for measure in recorded(MATCHED, one_coordinate=known.one_coordinate):
                    name = f"{measure.key} {table} {MATCHED}"
                    points = found.setdefault(name, {}).setdefault(seed, [])
                    points.append((step, float(measure.of(known))))
    return found


def random_cases(runs: Path) -> dict[Case, Curves]:
    """Return the random tables once per forced basis, each with its own matched curves."""
    own = curves(RANDOM, runs, PANELS | COUNTS)
    cases = {}
    for expression in FORCED:
        title = f"random, basis of {expression}"
        case = Case(RANDOM.name, title, RANDOM.expression, RANDOM.seeds, "", RANDOM.settings)
        cases[case] = own | forced(runs, expression)
    return cases


def grokked_table(cases: list[Case], runs: Path) -> Iterator[str]:
    """Yield the table of the steps at which the seeds memorised and grokked."""
    yield "| runs | memorised at step | grokked at step | seeds |"
    yield "|---|---|---|---|"
    for case in cases:
        results = RunFolder.open(runs / case.name).manifest.results
        memorised, grokked = (
            [r[key] for r in results if r[key] is not None]
            for key in ("memorised_at", "grokked_at")
        )
        steps = max(r["steps"] for r in results)
        outcome = spread(grokked, "{:.0f}") if grokked else f"undecided at {steps} steps"
        yield f"| {case.title} | {spread(memorised, '{:.0f}')} | {outcome} | {len(results)} |"


def measure_table(cases: dict[Case, Curves]) -> Iterator[str]:
    """Yield the table of each measure's first and last value and its lead over the accuracy."""
    yield "| runs | measure | basis | at the start | at the end | leads by (steps) |"
    yield "|---|---|---|---|---|---|"
    written: set[tuple[str, str]] = set()
    for case, found in cases.items():
        for name in MEASURED:
            # the random tables have their additive measures once for all bases
            if "matched" not in name and (case.name, name) in written:
                continue
            written.add((case.name, name))
            ends = [[points[i][1] for points in found[name].values() if points] for i in (0, -1)]
            if not ends[0] or any(map(math.isnan, ends[0] + ends[1])):
                continue
            lead = spread(leads(found, name, "unleaked_accuracy"), "{:+.0f}")
            key, table, *basis = name.split()
            label = f"{MEASURES[key].symbol} of {table}"
            cells = [case.title, label, (basis or ["additive"])[0], *map(spread, ends), lead]
            yield f"| {' | '.join(cells)} |"


def rise_table(cases: dict[Case, Curves]) -> Iterator[str]:
    """Yield the table of the steps at which unleaked accuracy makes half of its rise."""
    yield "| runs | half of the rise of unleaked accuracy at step |"
    yield "|---|---|"
    for case, found in cases.items():
        rises = [middle_of_rise(points) for points in found["unleaked_accuracy"].values()]
        yield f"| {case.title} | {spread([r for r in rises if r is not None], '{:.0f}')} |"


def loss_table(cases: list[Case], runs: Path) -> Iterator[str]:
    """Yield the rows of Table A.4 at the end of each run, on test pairs."""
    rows = [name.removesuffix("_test") for name in LOSSES if name.endswith("_test")]
    yield f"| runs | {' | '.join(row.removeprefix('table_a4_') for row in rows)} |"
    yield f"|{'---|' * (len(rows) + 1)}"
    for case in cases:
        metrics = RunFolder.open(runs / case.name).metrics().to_pylist()
        # later steps come later, and replace the earlier ones
        last = {(r["measure"], r["seed"]): r["value"] for r in metrics}
        cells = [spread([last[f"{row}_test", s] for s in case.seeds], "{:.2g}") for row in rows]
        yield f"| {case.title} | {' | '.join(cells)} |"


def main() -> None:
    """Train, draw, and write the numbers to docs/matched_numbers.md."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--runs", type=Path, default=Path("runs/matched"))
    runs = parser.parse_args().runs
    trained = {case: curves(case, runs, PANELS | COUNTS) for case in (*OPERATIONS, NO_DECAY)}
    found = trained | random_cases(runs)
    save(figure(found, PANELS, width=150), "matched", scale=1.2)
    cases = [*trained, RANDOM]
    parts = [
        grokked_table(cases, runs),
        rise_table(trained),
        measure_table(found),
        loss_table(list(trained), runs),
    ]
    text = "\n\n".join("\n".join(part) for part in parts)
    header = "<!-- Written by `python -m docs.matched`; median (minimum to maximum; n seeds). -->"
    (FOLDER / "matched_numbers.md").write_text(f"{header}\n\n{text}\n")


if __name__ == "__main__":
    main()
