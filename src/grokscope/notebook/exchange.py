"""gs.import_ and gs.export: networks in from others, and out to them."""

from pathlib import Path
from typing import Any

from grokscope.config.arguments import plain_arguments
from grokscope.config.imported import Form
from grokscope.notebook.run import Run


@plain_arguments
def import_(
    path: str | Path,
    operation: str,
    *,
    layout: str | Path | None = None,
    p: int | None = None,
    settings: Any = None,
    split: str | None = None,
    accuracy: float | None = None,
    out: str | Path | None = None,
    quiet: bool = False,
) -> Run:
    """Make a run folder of a network that somebody else trained, and return it as a run.

    What it recognised is printed; nothing in the file is executed.

        >>> file = gs.export("runs/x-y-p23", "again.safetensors")
        >>> gs.import_(file, "x*y", quiet=True)  # a network that has hardly trained
        Traceback (most recent call last):
        grokscope.errors.UsageError: the network in again.safetensors answers like chance: ...

    **Arguments:**

    - `path`: .npz, .safetensors, or what `torch.save` wrote.
    - `operation`: what it was trained on.
    - `layout`: the name of one, or a TOML file; by default what fits.
    - `p`: the modulus; by default what the number of tokens says.
    - `settings`: other wiring than the layout's, `{"attention_mix": 0.0, "tokens": ("x", "y")}`.
    - `split`: which pairs trained: a file, or `random.shuffle:SEED:FRACTION`.
    - `accuracy`: what its authors say of all pairs, from 0 to 1; another one is refused.
    - `out`: the folder; by default `runs/NAME` with the name of the file.
    - `quiet`: say nothing.

    **Raises:** `UsageError` for a file without such a network, and for one that answers like
    chance: then layout, modulus or operation are wrong.
    """
    from grokscope.interop.importing import import_network

    how = {"layout": layout, "p": p, "settings": settings, "split": split, "accuracy": accuracy}
    found, folder = import_network(path, operation, out=out, **how)
    if not quiet:
        print("\n".join(found.sentences()))
    return Run(folder)


@plain_arguments
def export(
    run: Any,
    out: str | Path,
    *,
    form: Form = "transformer-lens",
    seed: int | None = None,
    step: int | None = None,
) -> Path:
    """Write a network of a run for TransformerLens, PyTorch or any reader of safetensors.

        >>> gs.export("runs/x-y-p23", "plain.safetensors", form="safetensors").name
        'plain.safetensors'

    **Arguments:**

    - `run`: the run, or its path.
    - `out`: the file: .safetensors, or .pt and .pth, which need PyTorch.
    - `form`, `seed`, `step`: for whom, and which network; by default for TransformerLens, and the
      first seed's last. `grokscope.interop.export.export_network` says how each is loaded.

    **Returns:** the file.

    **Raises:** `UsageError`, `RunFolderError`, `DiskError`.
    """
    from grokscope.interop.export import export_network

    return export_network(run, out, form=form, seed=seed, step=step)
