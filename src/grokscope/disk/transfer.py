"""Which weights a run takes over from another: their checksums, and in words."""

from typing import Any

from grokscope.config.run import RunConfig
from grokscope.disk.folder import RunFolder
from grokscope.disk.manifest import Manifest


def weights_to_take(config: RunConfig) -> tuple[str, ...]:
    """Return the SHA-256 of the checkpoints that each seed would take weights from now.

    **Raises:** `RunFolderError` when the source is no run, or lacks such a checkpoint.
    """
    transfer = config.transfer
    if transfer.source is None:
        return ()
    folder, found = RunFolder.open(transfer.source), []
    for seed in config.seeds:
        source_seed = seed if transfer.source_seed is None else transfer.source_seed
        step = transfer.source_step
        if step is None:
            step = max(folder.checkpoint_steps(source_seed), default=0)
        found.append(folder.checkpoint_digest(source_seed, step))
    return tuple(found)


def weights_taken(manifest: Manifest) -> tuple[str, ...]:
    """Return the SHA-256 of the checkpoints that the seeds of a run took weights from."""
    if manifest.transfer is None:
        return ()
    return tuple(entry["sha256"] for entry in manifest.transfer["checkpoints"])


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
