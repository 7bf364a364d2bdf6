"""grokscope import: a network that somebody else trained becomes a folder like any other."""

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any

from grokscope.errors import UsageError


@dataclass(frozen=True)
class Import:
    """Make a run folder of somebody's network, which explain, measure and report read.

    Reads .npz, .safetensors, and what torch.save wrote (.pt, .pth, .bin, .ckpt, .pkl), without
    executing anything. Says what it recognised, and refuses a network that answers like chance:
    then the layout, the modulus or the operation is wrong. Layouts are data; docs/other-networks.md
    says how to write one.

    Example: grokscope import times.safetensors --operation "x*y" --out runs/times-again
    """

    file: Annotated[Path, "FILE"]
    """The file with the weights."""
    operation: str | None = None
    """What the network was trained on."""
    layout: str | None = None
    """Name of a layout, or a TOML file; left out, the one that fits."""
    p: int | None = None
    """Modulus; left out, what the number of tokens says."""
    set: Annotated[tuple[str, ...], "NAME=VALUE …"] = ()
    """Other wiring than the layout's: attention_mix=0, activation=gelu, tokens="y x p", head=8."""
    split: str | None = None
    """Pairs that trained: a file, or random.shuffle:SEED:FRACTION, torch.randperm:SEED:FRACTION."""
    accuracy: float | None = None
    """What its authors say of all pairs, 0 to 1; another one is refused."""
    out: Annotated[Path | None, "DIR"] = None
    """Folder; left out, runs/NAME with the name of the file."""
    json: bool = False
    """Print one JSON document."""

    def run(self) -> None:
        """Recognise, check, write and say what was found."""
        if self.operation is None:
            raise UsageError(
                "a file needs --operation",
                got=str(self.file),
                allowed='for example --operation "x + y"',
            )
        from grokscope.disk.atomic import path_for_shell
        from grokscope.interop.importing import import_network

        found, folder = import_network(
            self.file,
            self.operation,
            layout=self.layout,
            p=self.p,
            settings=settings_of(self.set),
            split=self.split,
            accuracy=self.accuracy,
            out=self.out,
        )
        if self.json:
            print(json.dumps({**(folder.manifest.imported or {}), "path": str(folder.path)}))
            return
        print("\n".join(found.sentences()))
        print(f"It lies in {folder.path}. Next: grokscope explain {path_for_shell(folder.path)}")


def settings_of(words: tuple[str, ...]) -> dict[str, Any]:
    """Return settings as a dictionary: `head=8` is a whole number, `tokens=x y` a list.

    **Raises:** `UsageError` for a word without `=`.
    """
    found: dict[str, Any] = {}
    for word in words:
        name, joined, text = word.partition("=")
        if not joined or not name or not text.strip():
            raise UsageError(
                "--set takes NAME=VALUE", got=word, allowed="for example --set attention_mix=0"
            )
        found[name.strip().replace("-", "_")] = _value(name.strip(), text.strip())
    return found


def _value(name: str, text: str) -> Any:
    if name == "tokens":
        return tuple(text.split())
    if text.casefold() in ("true", "false"):
        return text.casefold() == "true"
    for kind in (int, float):
        try:
            return kind(text)
        except ValueError:
            continue
    return text
