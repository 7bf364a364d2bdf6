"""What a reproduction found, kept small: rows, thinned curves, and where they come from."""

import csv
import io
import json
import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

from grokscope import __version__
from grokscope.disk.atomic import path_in_words, read_bytes, utf8_bytes, write_bytes
from grokscope.disk.environment import environment
from grokscope.disk.manifest import now
from grokscope.errors import RunFolderError, UsageError
from grokscope.paper.experiment import PAPER_SETTINGS, Experiment, Request, load_experiment

SERIES: Final = ("curves", "spectra", "etas", "logits", "losses", "frequencies")
"""Long tables that some experiments keep beside their rows."""
_DIGITS: Final = 5
Row = Mapping[str, Any]


@dataclass(frozen=True, eq=False)
class Results:
    """The results of one experiment.

    **Arguments:**

    - `manifest`: plain JSON: command, commit, hardware, date, what was asked for.
    - `rows`: one per run, or per statistic; numbers, texts and None.
    - `series`: long tables by name, one of `SERIES`.
    """

    manifest: dict[str, Any]
    rows: list[dict[str, Any]]
    series: dict[str, list[dict[str, Any]]] = field(default_factory=dict)

    @property
    def small(self) -> bool:
        """Whether this is a reduced version of the paper's experiment."""
        return bool(self.manifest.get("small"))

    def long_table(self, name: str) -> list[dict[str, Any]]:
        """Return a long table, empty where there is none."""
        return self.series.get(name, [])


def write_results(folder: Path, name: str, results: Results) -> list[Path]:
    """Write NAME.json, NAME.csv and NAME.SERIES.csv; return the paths.

    **Raises:** `DiskError` when they cannot be written.
    """
    tables = {f"{name}.csv": results.rows}
    tables |= {f"{name}.{key}.csv": rows for key, rows in results.series.items() if rows}
    contents = {file: utf8_bytes(_to_csv(rows)) for file, rows in tables.items()}
    text = json.dumps(results.manifest, indent=2, ensure_ascii=False, allow_nan=False)
    contents[f"{name}.json"] = utf8_bytes(f"{text}\n")
    for file, data in contents.items():
        write_bytes(Path(folder) / file, data)
    return [Path(folder) / file for file in contents]


def read_results(folder: Path, name: str) -> Results:
    """Return what `write_results` left.

    **Raises:** `RunFolderError` when there is none, or it cannot be read.
    """
    path = Path(folder) / f"{name}.json"
    if not path.exists():
        raise RunFolderError(
            f"there are no results of {name}",
            got=path_in_words(Path(folder)),
            next_step=f"grokscope reproduce {name} makes them",
        )
    try:
        manifest = json.loads(read_bytes(path).decode())
        rows = _from_csv(read_bytes(Path(folder) / f"{name}.csv"))
        found = {key: Path(folder) / f"{name}.{key}.csv" for key in SERIES}
        series = {k: _from_csv(read_bytes(file)) for k, file in found.items() if file.exists()}
    except (ValueError, csv.Error) as error:
        raise RunFolderError(f"the results of {name} are damaged", got=str(error)) from error
    return Results(manifest, rows, series)


def column_numbers(rows: Iterable[Row], column: str) -> list[float]:
    """Return the numbers of one column, without those that are missing or undefined."""
    values = (row.get(column) for row in rows)
    return [float(v) for v in values if isinstance(v, int | float) and math.isfinite(v)]


def _to_csv(rows: Sequence[Row]) -> str:
    header = list(dict.fromkeys(key for row in rows for key in row))
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\n")
    writer.writerow(header)
    writer.writerows([_text(row.get(key)) for key in header] for row in rows)
    return out.getvalue()


def _text(value: Any) -> str:
    if value is None:
        return ""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, float):
        return f"{value:.{_DIGITS}g}"
    if isinstance(value, str) and _value(value) != value:
        raise UsageError("a text would be read back as something else", got=value)
    return str(value)


def _from_csv(data: bytes) -> list[dict[str, Any]]:
    reader = csv.DictReader(io.StringIO(data.decode()))
    return [{key: _value(text) for key, text in row.items()} for row in reader]


def _value(text: str) -> Any:
    """Return the number, truth value or nothing that a cell stands for, or its text."""
    if text in ("", "true", "false"):
        return {"": None, "true": True, "false": False}[text]
    for kind in (int, float):
        try:
            return kind(text)
        except ValueError:
            continue
    return text


def results_manifest(experiment: Experiment, request: Request, **facts: Any) -> dict[str, Any]:
    """Return the manifest of results that this machine makes now.

    **Arguments:**

    - `experiment`: as it was asked for.
    - `request`: what was asked for.
    - `facts`: more of them, which replace those of this machine.
    """
    here = environment(device="cpu", jaxlib="", run_axis="")
    return {
        "experiment": experiment.name,
        "place": experiment.reference,
        "commands": [f"grokscope reproduce {experiment.name}{request.words}"],
        "small": small_words(experiment, request),
        "beyond": _beyond_words(experiment, request),
        "asked": {name: [_plain(v) for v in values] for name, values in experiment.axes.items()}
        | {name: [_plain(value)] for name, value in experiment.fixed.items()},
        "created": now(),
        "git_commit": here["git_commit"],
        "grokscope_version": __version__,
        "hardware": hardware_words(here["hardware"]),
    } | facts


def hardware_words(hardware: dict[str, Any]) -> str:
    """Return a machine in a few words."""
    device = hardware.get("device", "cpu")
    cores = f"{hardware.get('processor', '?')}, {hardware.get('cores', '?')} cores"
    return cores if device == "cpu" else f"{device}, {cores}"


def small_words(experiment: Experiment, request: Request) -> str | None:
    """Say what the small version changes; None for the paper's own settings."""
    if not request.small:
        return None
    parts = [f"{name} {_shown(value)}" for name, value in experiment.small.items()]
    return ", ".join(parts) or "as asked for"


def _beyond_words(experiment: Experiment, request: Request) -> str | None:
    """Say which moduli and training fractions the paper did not try; None where it tried all."""
    papers = load_experiment(experiment.name)
    papers = papers.reduced if request.small else papers
    parts = [
        f"{name.replace('_', ' ')} {value:g}"
        for name in PAPER_SETTINGS
        for value in experiment.values(name)
        if value not in papers.values(name)
    ]
    return ", ".join(parts) or None


def _shown(value: Any) -> str:
    if isinstance(value, tuple):
        text = " ".join(map(str, value))
        return text if len(value) < 6 else f"{value[0]} to {value[-1]} ({len(value)})"
    return str(value)


def _plain(value: Any) -> Any:
    return list(value) if isinstance(value, tuple) else value
