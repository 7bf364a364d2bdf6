"""Draw docs/figures/spectrum.svg, the moving picture of README.md: `make figures`.

One network learns x*y mod 59. Above, its accuracy; below, the norms of W_E per frequency at the
same moment, in waves of x and in waves of log x. The SVG moves by itself, without a program in it,
on a ground of its own, so that it reads alike on light and dark pages.
"""

import argparse
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, Final

import numpy as np
from jaxtyping import Float

import grokscope as gs

TARGET: Final = Path(__file__).parent / "figures" / "spectrum.svg"
OPERATION: Final = "x*y"
SECONDS: Final = 12
REST: Final = 0.25
"""Share of the time that the last moment stays."""
WIDTH: Final = 760
HEIGHT: Final = 400
LEFT: Final = 48
PLOT: Final = 684
TOP: Final = {"accuracy": 34, "additive": 172, "matched": 290}
HIGH: Final = {"accuracy": 90, "additive": 70, "matched": 70}
INK: Final = "#1f2328"
FAINT: Final = "#59636e"
BLUE: Final = "#0072b2"
RED: Final = "#d55e00"


def train(out: Path) -> Any:
    """Return the run, trained if it is not there."""
    return gs.train(
        OPERATION,
        preset="quick",
        train_fraction=0.4,  # less than the preset's, so that there is a plateau to be seen
        spectra_every=100,
        stop_margin=1500,
        out=out,
        resume=True,
        quiet=True,
    )


def norms(run: Any, basis: str) -> tuple[list[int], Float[np.ndarray, "step freq"]]:
    """Return the steps, and the joint norm of cosine and sine per frequency over the largest."""
    rows = [
        row
        for row in run.spectra(as_arrow=True).to_pylist()
        if (row["matrix"], row["basis"], row["seed"]) == ("W_E", basis, run.seeds[0])
    ]
    steps, ks = sorted({row["step"] for row in rows}), max(row["k"] for row in rows)
    values = np.zeros((len(steps), ks))
    for row in rows:
        values[steps.index(row["step"]), row["k"] - 1] = np.hypot(row["cos_norm"], row["sin_norm"])
    # each moment by its own largest: the picture is about which frequencies are left
    return steps, values / values.max(axis=1, keepdims=True)


def picture(run: Any) -> str:
    """Return the SVG."""
    steps, additive = norms(run, "additive")
    _, matched = norms(run, "matched")
    last = steps[-1]
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {HEIGHT}" role="img" '
        f'font-family="system-ui, Liberation Sans, sans-serif" font-size="12" fill="{INK}">',
        f"<title>{run.operation} mod {run.p}: the spectrum of W_E through training</title>",
        f'<rect width="{WIDTH}" height="{HEIGHT}" rx="8" fill="#fff" stroke="#d1d9e0"/>',
        *curves(run, last),
        *bars("additive", "W_E in waves of x", additive, steps, FAINT),
        *bars("matched", "W_E in waves of log x", matched, steps, BLUE),
    ]
    return "\n".join([*parts, "</svg>\n"])


def curves(run: Any, last: int) -> Iterator[str]:
    """Yield train and test accuracy, and a line that moves over them."""
    top, high = TOP["accuracy"], HIGH["accuracy"]
    yield _title("accuracy", f"{run.operation} mod {run.p}: accuracy over {last:,} steps")
    for name, colour in (("train", BLUE), ("test", RED)):
        values = run.curve(f"{name}_accuracy").values[0]
        dots = [
            f"{LEFT + PLOT * step / last:.1f},{top + high * (1 - value):.1f}"
            for step, value in zip(run.steps, values, strict=True)
        ]
        line = f'fill="none" stroke="{colour}" stroke-width="2"'
        yield f'<polyline points="{" ".join(dots)}" {line}/>'
    yield f'<text x="{WIDTH - 30}" y="20" text-anchor="end"><tspan fill="{BLUE}">train</tspan> '
    yield f'<tspan fill="{RED}">test</tspan></text>'
    for share in (0, 1):
        y = top + high * (1 - share)
        yield f'<text x="{LEFT - 8}" y="{y + 4}" text-anchor="end" fill="{FAINT}">{share}</text>'
    move = _animate("x1", [LEFT, LEFT + PLOT], [0, 1 - REST])
    move += _animate("x2", [LEFT, LEFT + PLOT], [0, 1 - REST])
    yield f'<line x1="{LEFT}" x2="{LEFT}" y1="{top}" y2="{top + high}" stroke="{INK}">{move}</line>'


def bars(
    name: str, title: str, values: Float[np.ndarray, "step freq"], steps: Sequence[int], colour: str
) -> Iterator[str]:
    """Yield a bar for every frequency, which goes through its heights."""
    top, high = TOP[name], HIGH[name]
    yield _title(name, f"{title}: norm at each frequency k, over the largest")
    pitch, times = PLOT / values.shape[1], [(1 - REST) * step / steps[-1] for step in steps]
    for k, heights in enumerate(values.T, start=1):
        tall = [round(high * float(value), 1) for value in heights]
        low = [round(top + high - value, 1) for value in tall]
        x = LEFT + pitch * (k - 1) + 0.15 * pitch
        yield (
            f'<rect x="{x:.1f}" width="{0.7 * pitch:.1f}" y="{low[-1]}" height="{tall[-1]}" '
            f'fill="{colour}">{_animate("height", tall, times)}{_animate("y", low, times)}</rect>'
        )
        if k == 1 or k % 5 == 0:
            middle, y = x + 0.35 * pitch, top + high + 15
            yield f'<text x="{middle:.1f}" y="{y}" text-anchor="middle" fill="{FAINT}">{k}</text>'


def _title(name: str, text: str) -> str:
    return f'<text x="{LEFT}" y="{TOP[name] - 12}" font-weight="600">{text}</text>'


def _animate(attribute: str, values: Sequence[float], times: Sequence[float]) -> str:
    """Return the element that leads an attribute through values, and holds the last for a while."""
    shown = ";".join(f"{value:g}" for value in [*values, values[-1]])
    at = ";".join(f"{time:.4g}" for time in [*times, 1])
    return (
        f'<animate attributeName="{attribute}" dur="{SECONDS}s" repeatCount="indefinite" '
        f'values="{shown}" keyTimes="{at}"/>'
    )


def main() -> None:
    """Train if need be, and draw."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--run", type=Path, default=Path("runs/spectrum"))
    TARGET.write_text(picture(train(parser.parse_args().run)))
    print(f"{TARGET}: {TARGET.stat().st_size:,} bytes")


if __name__ == "__main__":
    main()
