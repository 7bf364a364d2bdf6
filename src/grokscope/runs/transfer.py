"""Which weights a run took over from another, in words."""

from typing import Any

from grokscope.runs.manifest import Manifest


def transfer_words(manifest: Manifest) -> str | None:
    """Return `embedding from x + y, seed 0, step 10,000; frozen`, or None for a plain run."""
    if manifest.transfer is None:
        return None
    load, freeze = manifest.config["transfer"]["load"], manifest.config["optimizer"]["freeze"]
    kept = [part for part in load if part in freeze]
    words = "frozen" if kept == load else f"{' and '.join(kept)} frozen" if kept else "trained on"
    origin = f"{manifest.transfer['operation']}, {_moments(manifest.transfer['checkpoints'])}"
    return f"{' and '.join(load)} from {origin}; {words}"


def _moments(checkpoints: list[dict[str, Any]]) -> str:
    """Return `seed 0, step 10,000`, or `seeds 0 1, steps 9,500 to 10,000`."""
    seeds = list(dict.fromkeys(entry["source_seed"] for entry in checkpoints))
    steps = sorted({entry["step"] for entry in checkpoints})
    first = f"seed{'s' if len(seeds) > 1 else ''} {' '.join(map(str, seeds))}"
    span = f"steps {steps[0]:,} to {steps[-1]:,}" if len(steps) > 1 else f"step {steps[0]:,}"
    return f"{first}, {span}"
