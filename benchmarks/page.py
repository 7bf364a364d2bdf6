"""The page that `python -m benchmarks` writes."""

import datetime
import importlib.metadata
import os
from collections.abc import Mapping, Sequence

from benchmarks.effort import Effort
from benchmarks.row import Row
from grokscope.disk.environment import environment

_PACKAGES = ("grokscope", "jax", "jaxlib", "optax", "equinox", "numpy", "torch")


def page(
    command: str, effort: Effort, load: Sequence[float], sections: Mapping[str, Sequence[Row]]
) -> str:
    """Return the Markdown of all tables; `load` is that of the machine before measuring."""
    parts = [
        "# Benchmarks",
        f"Written by `{command}`; do not edit.",
        _machine(load),
        f"Each number is the median of {effort.repeats} rounds ({effort.commands} for the "
        f"command line, {effort.sweeps} for sweeps), with min–max in parentheses. "
        "Whatever is compared takes turns within every round, and a ratio is taken within its "
        "round, so that drift cancels. Unless a "
        "row says otherwise: x + y mod 97, r = 0.3 (2,823 training pairs), the paper's "
        "transformer, one seed, full batches.",
    ]
    for heading, rows in sections.items():
        parts += [f"## {heading}", _table(rows)]
    return "\n\n".join(parts) + "\n"


def _machine(load: Sequence[float]) -> str:
    hardware = environment(device="", jaxlib="", run_axis="")["hardware"]
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30
    lines = {
        "date": datetime.datetime.now(datetime.UTC).date().isoformat(),
        "processor": f"{hardware['processor']}, {hardware['cores']} cores",
        "memory": f"{memory:.0f} GiB",
        "system": hardware["platform"],
        "load average before": " ".join(f"{average:.1f}" for average in load),
        "versions": ", ".join(_versions()),
    }
    return "\n".join(f"- {name}: {value}" for name, value in lines.items())


def _versions() -> list[str]:
    installed = {d.name.lower(): d.version for d in importlib.metadata.distributions()}
    return [f"{name} {installed[name]}" for name in _PACKAGES if name in installed]


def _table(rows: Sequence[Row]) -> str:
    cells = [("what", "measured", "aim", "how"), ("---",) * 4]
    cells += [(row.what, row.measured, row.aim, row.note) for row in rows]
    return "\n".join(f"| {' | '.join(line)} |" for line in cells)
