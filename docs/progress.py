"""Are FFS and FCR progress measures? Trains the runs, draws the figures, writes the numbers.

Run from the root of the repository: `make figures`. Runs that are already there are not trained
again, one that was interrupted goes on; on two cores all of them take about an hour and a half.
"""

import argparse
import math
import zlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from statistics import median
from typing import Any, Final

import altair as alt
import pyarrow.compute as pc
from vl_convert import svg_to_png

import grokscope as gs
from grokscope.measures import MEASURES, half_fall

FOLDER: Final = Path(__file__).parent
OKABE_ITO: Final = ["#0072B2", "#D55E00", "#009E73", "#CC79A7"]


@dataclass(frozen=True, eq=False)
class Case:
    """Runs of one kind: what is trained, over which seeds, and what the paper says of it."""

    name: str
    title: str
    expression: str
    seeds: tuple[int, ...]
    paper: str
    settings: dict[str, Any]


GROKKING: Final = {"steps": 20_000, "stop_accuracy": 0.999, "stop_margin": 1500}
CONTROL: Final = {"steps": 5000, "stop_accuracy": 0.999, "stop_margin": 1500}
FIVE: Final = (0, 1, 2, 3, 4)
TWO: Final = (0, 1)
THREE: Final = (0, 1, 2)

OPERATIONS: Final = (
    Case(
        "add",
        "x + y, r = 0.3",
        "x + y",
        FIVE,
        "W_E and W_L sparse: FFS falls, FCR stays high",
        GROKKING,
    ),
    Case(
        "mul",
        "x*y, r = 0.3",
        "x*y",
        FIVE,
        "all frequencies, cosine-biased: FFS stays 1.0, FCR falls",
        GROKKING,
    ),
    Case(
        "sub",
        "x - y, r = 0.5",
        "x - y",
        TWO,
        "W_E sparse as for addition, W_L not; much slower",
        GROKKING | {"train_fraction": 0.5},
    ),
)
CONTROLS: Final = (
    Case("random", "random table, r = 0.3", "random", THREE, "", CONTROL | {"steps": 3000}),
    Case("lowdata", "x + y, r = 0.1", "x + y", THREE, "", CONTROL | {"train_fraction": 0.1}),
    Case("nodecay", "x + y, no weight decay", "x + y", THREE, "", CONTROL | {"weight_decay": 0.0}),
)

PANELS: Final = {
    "accuracy": {
        "train_accuracy": "train",
        "test_accuracy": "test",
        "unleaked_accuracy": "test, unleaked",
    },
    "FFS": {"ffs W_E": "W_E", "ffs W_L": "W_L"},
    "FCR": {"fcr W_E": "W_E", "fcr W_L": "W_L"},
}
"""Row of the figure → series: name of the value and its label."""

Panels = dict[str, dict[str, str]]
Curves = dict[str, dict[int, list[tuple[int, float]]]]
"""Value name → seed → (step, value) in the order of the steps."""


def curves(case: Case, runs: Path, panels: Panels = PANELS) -> Curves:
    """Train what is missing and return every curve that the panels show."""
    run = gs.train(
        case.expression, out=runs / case.name, resume=True, seeds=case.seeds, **case.settings
    )
    names = {name for series in panels.values() for name in series}
    measures = sorted({name.split()[0] for name in names})
    rows = run.folder.metrics().filter(pc.field("measure").isin(measures))
    found: Curves = {name: {seed: [] for seed in case.seeds} for name in sorted(names)}
    for row in rows.to_pylist():
        basis = None if row["basis"] == "additive" else row["basis"]
        name = " ".join(filter(None, (row["measure"], row["matrix"], basis)))
        if name in found:
            found[name][row["seed"]].append((row["step"], row["value"]))
    for by_seed in found.values():
        for points in by_seed.values():
            points.sort()
    return found


def figure(
    cases: dict[Case, Curves], panels: Panels = PANELS, width: int = 250
) -> alt.VConcatChart:
    """Return every panel (rows) of every case (columns), one thin line per seed."""
    rows = [
        alt.hconcat(
            *(_panel(case, found, panels, row, width) for case, found in cases.items())
        ).resolve_scale(color="shared")
        for row in panels
    ]
    return alt.vconcat(*rows).resolve_scale(color="independent").configure_view(stroke="#bbb")


def _panel(case: Case, found: Curves, panels: Panels, row: str, width: int) -> alt.Chart:
    labels = list(panels[row].values())
    # the accuracy of unleaked pairs is undefined where there are none
    values = [
        {"step": step, "value": value, "series": label, "line": f"{label} {seed}"}
        for name, label in panels[row].items()
        for seed, points in found[name].items()
        for step, value in points
        if math.isfinite(value)
    ]
    return (
        alt.Chart(alt.Data(values=values), title=case.title if row == next(iter(panels)) else "")
        .mark_line(strokeWidth=1.1, opacity=0.75, clip=True)
        .encode(
            x=alt.X("step:Q", title="step", axis=alt.Axis(tickCount=5, format="~s")),
            y=alt.Y("value:Q", title=row, scale=alt.Scale(domain=[0, 1])),
            color=alt.Color(
                "series:N",
                title=row,
                sort=labels,
                scale=alt.Scale(domain=labels, range=OKABE_ITO[: len(labels)]),
            ),
            detail="line:N",
        )
        .properties(width=width, height=130)
    )


def save(chart: alt.VConcatChart, name: str, scale: float = 2) -> None:
    """Write a figure as SVG, and as PNG with `scale` pixels per unit of the figure."""
    svg = FOLDER / "figures" / f"{name}.svg"
    svg.parent.mkdir(exist_ok=True)
    chart.save(svg)
    svg.with_suffix(".png").write_bytes(packed(svg_to_png(svg.read_text("utf-8"), scale=scale)))


def packed(png: bytes) -> bytes:
    """Return the same picture in the fewest bytes: the renderer packs lines at a third of that."""
    parts, at = [], 8
    while at < len(png):
        end = at + 12 + int.from_bytes(png[at : at + 4], "big")
        parts.append((png[at + 4 : at + 8], png[at + 8 : end - 4]))
        at = end
    pixels = zlib.decompress(b"".join(data for kind, data in parts if kind == b"IDAT"))
    others = [(kind, data) for kind, data in parts if kind not in (b"IDAT", b"IEND")]
    whole = [*others, (b"IDAT", zlib.compress(pixels, 9)), (b"IEND", b"")]
    return png[:8] + b"".join(
        len(data).to_bytes(4, "big") + kind + data + zlib.crc32(kind + data).to_bytes(4, "big")
        for kind, data in whole
    )


def middle_of_rise(points: list[tuple[int, float]]) -> int | None:
    """Return the step at which an accuracy has made half of its rise."""
    steps, values = zip(*points, strict=True)
    return half_fall(steps, [1 - v for v in values])


def leads(found: Curves, name: str, accuracy: str) -> list[int]:
    """Return, per seed, how many steps before the accuracy a measure makes half of its way.

    Seeds at which either does not move are left out.
    """
    result = []
    for seed, points in found[name].items():
        steps, values = zip(*points, strict=True)
        fall = half_fall(steps, values)
        rise = middle_of_rise(found[accuracy][seed])
        if fall is not None and rise is not None:
            result.append(rise - fall)
    return result


def spread(numbers: Sequence[float], form: str = "{:.2f}") -> str:
    """Return the median with minimum and maximum, and how many they are of."""
    if not numbers:
        return "–"
    texts = [form.format(v) for v in (median(numbers), min(numbers), max(numbers))]
    return f"{texts[0]} ({texts[1]} to {texts[2]}; n = {len(numbers)})"


def start_and_end(cases: dict[Case, Curves]) -> Iterator[str]:
    """Yield the table of first and last values."""
    yield "| runs | measure | at the start | at the end |"
    yield "|---|---|---|---|"
    for case, found in cases.items():
        for name in [*PANELS["FFS"], *PANELS["FCR"], "unleaked_accuracy"]:
            ends = [[points[i][1] for points in found[name].values()] for i in (0, -1)]
            cells = [case.title, _label(name), *map(spread, ends)]
            yield f"| {' | '.join(cells)} |"


def lead_table(cases: dict[Case, Curves]) -> Iterator[str]:
    """Yield the table of steps by which each measure leads the accuracy."""
    yield "| runs | half of the accuracy's rise at step | measure | leads by (steps) |"
    yield "|---|---|---|---|"
    for case, found in cases.items():
        rises = [middle_of_rise(points) for points in found["unleaked_accuracy"].values()]
        at = spread([r for r in rises if r is not None], "{:.0f}")
        for name in [*PANELS["FFS"], *PANELS["FCR"]]:
            lead = spread(leads(found, name, "unleaked_accuracy"), "{:+.0f}")
            yield f"| {case.title} | {at} | {_label(name)} | {lead} |"


def _label(name: str) -> str:
    key, _, matrix = name.partition(" ")
    return f"{MEASURES[key].symbol} of {matrix}" if key in MEASURES else name.replace("_", " ")


def grokked_table(runs: Path) -> Iterator[str]:
    """Yield the table of the steps at which every seed memorised and grokked."""
    yield "| runs | memorised at step | grokked at step | seeds | the paper |"
    yield "|---|---|---|---|---|"
    for case in (*OPERATIONS, *CONTROLS):
        results = gs.RunFolder.open(runs / case.name).manifest.results
        memorised, grokked = (
            [r[key] for r in results if r[key] is not None]
            for key in ("memorised_at", "grokked_at")
        )
        steps = max(r["steps"] for r in results)
        outcome = spread(grokked, "{:.0f}") if grokked else f"undecided at {steps} steps"
        cells = [case.title, spread(memorised, "{:.0f}"), outcome, str(len(results)), case.paper]
        yield f"| {' | '.join(cells)} |"


def main() -> None:
    """Train, draw, and write the numbers to docs/progress_numbers.md."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--runs", type=Path, default=Path("runs/progress"))
    runs = parser.parse_args().runs
    found = {case: curves(case, runs) for case in (*OPERATIONS, *CONTROLS)}
    operations = {case: found[case] for case in OPERATIONS}
    save(figure(operations), "progress_operations")
    save(figure({case: found[case] for case in CONTROLS}), "progress_controls")
    parts = [grokked_table(runs), start_and_end(found), lead_table(operations)]
    text = "\n\n".join("\n".join(part) for part in parts)
    header = "<!-- Written by `make figures`; median (minimum to maximum; n seeds). -->"
    (FOLDER / "progress_numbers.md").write_text(f"{header}\n\n{text}\n")


if __name__ == "__main__":
    main()
