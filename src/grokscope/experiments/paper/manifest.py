"""Where results come from: command, commit, hardware, date and what was left out."""

from typing import Any

from grokscope import __version__
from grokscope.paper.experiment import OF_THE_PAPER, Experiment, load
from grokscope.paper.request import Request
from grokscope.runs.environment import environment
from grokscope.runs.manifest import now


def manifest(experiment: Experiment, request: Request, **facts: Any) -> dict[str, Any]:
    """Return the manifest of results that this machine makes now.

    **Arguments:**

    - `experiment`: as it was asked for.
    - `request`: what was asked for.
    - `facts`: more of them, which replace those of this machine.
    """
    here = environment(device="cpu", jaxlib="", run_axis="")
    return {
        "experiment": experiment.name,
        "place": experiment.place,
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
    papers = load(experiment.name)
    papers = papers.reduced if request.small else papers
    parts = [
        f"{name.replace('_', ' ')} {value:g}"
        for name in OF_THE_PAPER
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
