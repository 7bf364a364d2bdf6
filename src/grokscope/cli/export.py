"""grokscope export: a network written for others."""

from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

from grokscope.config.imported import Form
from grokscope.errors import UsageError, printable


@dataclass(frozen=True)
class Export:
    """Write a network of a run for TransformerLens, PyTorch or any reader of safetensors.

    With transformer-lens the file holds the whole state dict of a HookedTransformer and its
    configuration; docs/other-networks.md says how each is loaded. What was exported can be
    imported again.

    Example: grokscope export runs/times --out times.safetensors
    """

    run_folder: Annotated[Path, "RUN"]
    """The run."""
    out: Annotated[Path | None, "FILE"] = None
    """File to write: .safetensors, or .pt and .pth, which need PyTorch."""
    format: Form = "transformer-lens"
    """What it is written for."""
    seed: int | None = None
    """Which seed; left out, the first."""
    step: int | None = None
    """Which checkpoint; left out, the last."""

    def run(self) -> None:
        """Write and say where."""
        if self.out is None:
            raise UsageError("a file to write is needed", next_step="add --out FILE.safetensors")
        from grokscope.interop.export import export_network
        from grokscope.progress import doing, showing

        with showing():
            doing(f"writing a network of {printable(str(self.run_folder))}")
            path = export_network(
                self.run_folder, self.out, form=self.format, seed=self.seed, step=self.step
            )
        print(f"written: {path}")
