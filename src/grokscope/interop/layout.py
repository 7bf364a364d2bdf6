"""Layouts: which tensor of somebody's file is which matrix, and how the network is wired.

A layout is data, a TOML file. Its tensors are named by the roles of `models.imported.AXES`, each
with a name in the file and the axes that it has there, in the notation of einops:

    "W_QKV.{block}" = "blocks.{block}.attn.qkv.weight: (qkv head d_head) d_model"

In a name `*` stands for any text that fits one tensor alone, and `{block}` for 0, 1, 2 …
"""

import dataclasses
import fnmatch
import tomllib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from importlib import resources
from pathlib import Path
from typing import Any, Final

import einops
import numpy as np

from grokscope.config.imported import ImportedConfig
from grokscope.config.validate import did_you_mean
from grokscope.errors import UsageError
from grokscope.models.imported import AXES

Tensors = Mapping[str, np.ndarray]
_MORE_AXES: Final = {
    "W_E_y": ("token", "d_model"),
    "W_QKV": ("qkv", "head", "d_model", "d_head"),
    "b_QKV": ("qkv", "head", "d_head"),
}
"""Roles that are parts of others: a table of its own for y, and query, key, value as one."""
_ROLES: Final = {
    role: tuple("answer" if axis == "class" else axis for axis in axes)
    for role, axes in (AXES | _MORE_AXES).items()
}
_OPTIONAL: Final = ("b_", "norm", "W_pos")
"""Roles that a file may lack begin so; a network without them is wired without them."""
SETTINGS: Final = tuple(f.name for f in dataclasses.fields(ImportedConfig) if f.name != "p")
_ENTRIES: Final = ("description", "wiring", "sizes", "tensors", "ignore", "optional", "ask")
_BLOCK: Final = "{block}"


@dataclass(frozen=True)
class Layout:
    """Which tensor of a file is which matrix, and how the network is wired.

    **Arguments:**

    - `name`: what it is called.
    - `description`: whose files have it.
    - `tensors`: by role, name and axes in the file.
    - `wiring`: fields of `ImportedConfig`, but for p.
    - `sizes`: lengths of axes that a file folds into others, such as `head`.
    - `ignore`: names of tensors that mean nothing, such as masks.
    - `optional`: roles that a file may lack, beside biases, norms and positions.
    - `ask`: wiring that weights do not tell apart, and that has to be said for each file.
    """

    name: str
    description: str
    tensors: Mapping[str, str]
    wiring: Mapping[str, Any] = field(default_factory=dict)
    sizes: Mapping[str, int] = field(default_factory=dict)
    ignore: tuple[str, ...] = ()
    optional: tuple[str, ...] = ()
    ask: tuple[str, ...] = ()

    def with_settings(self, settings: Mapping[str, Any]) -> "Layout":
        """Return the layout with other wiring or sizes; raises `UsageError` for unknown names."""
        wiring, sizes = dict(self.wiring), dict(self.sizes)
        axes = {axis for role in _ROLES.values() for axis in role} - {"token", "answer"}
        for name, value in settings.items():
            if name in SETTINGS:
                wiring[name] = value
            elif name in axes:
                if not isinstance(value, int) or value < 1:
                    raise UsageError(f"{name} is not usable", got=value, allowed="a whole number")
                sizes[name] = value
            else:
                known = (*SETTINGS, *sorted(axes))
                meant = did_you_mean(name, known)
                raise UsageError(
                    "unknown setting of a layout",
                    got=name,
                    allowed=None if meant else ", ".join(known),
                    next_step=meant,
                )
        return dataclasses.replace(self, wiring=wiring, sizes=sizes)

    def missing(self, tensors: Tensors) -> list[str]:
        """Return the names that a file of this layout must have and this one lacks."""
        return [
            name.replace(_BLOCK, "0")
            for role, (name, _) in self._entries.items()
            if not role.startswith((*_OPTIONAL, *self.optional))
            and _find(name.replace(_BLOCK, "0"), tensors) is None
        ]

    def fits(self, tensors: Tensors) -> bool:
        """Return whether a file has this layout: all names, with axes as many as it says."""
        if self.missing(tensors):
            return False
        for role, (name, axes) in self._entries.items():
            found = _find(name.replace(_BLOCK, "0"), tensors)
            if found is not None and tensors[found].ndim != _count(axes):
                return False
            if role == "W_pos" and found is not None and "tokens" in self.wiring:
                n = len(self.wiring["tokens"])
                if tensors[found].shape[axes.split().index("position")] != n:
                    return False
        tokens = self.wiring.get("tokens", ("x", "y", "p"))
        return _modulus(tokens, self._embedding_rows(tensors)) is not None

    @property
    def _entries(self) -> dict[str, tuple[str, str]]:
        """Role → name and axes in the file."""
        found = {}
        for role, text in self.tensors.items():
            name, _, axes = str(text).rpartition(":")
            found[role] = (name.strip(), axes.strip())
        return found

    def weights(self, tensors: Tensors) -> tuple[dict[str, np.ndarray], list[str]]:
        """Return the matrices in the orientation of `AXES`, and tensors that no role asks for.

        **Raises:** `UsageError` where one is missing or does not have the axes that it should.
        """
        if missing := self.missing(tensors):
            raise UsageError(
                f"the file does not have the layout {self.name}",
                got=_few(list(tensors)),
                allowed=f"{', '.join(missing)} too",
                next_step="see docs/other-networks.md on layouts of your own",
            )
        weights, used = {}, set()
        for role, (name, axes) in self._entries.items():
            for i in range(len(tensors) if _BLOCK in name else 1):
                found = _find(name.replace(_BLOCK, str(i)), tensors)
                if found is None:
                    break
                used.add(found)
                own = role.replace(_BLOCK, str(i))
                weights[own] = self._turned(own, tensors[found], found, axes)
        left = [
            name
            for name in tensors
            if name not in used and not any(fnmatch.fnmatch(name, one) for one in self.ignore)
        ]
        return _joined(weights), left

    def _turned(self, role: str, tensor: np.ndarray, name: str, axes: str) -> np.ndarray:
        wanted = _ROLES[role.partition(".")[0]]
        known = {
            axis: n for axis, n in self.sizes.items() if axis in axes.split("(")[-1] or "(" in axes
        }
        known = {axis: n for axis, n in known.items() if axis in wanted and _folded(axis, axes)}
        known |= {"qkv": 3} if "qkv" in wanted else {}
        try:
            return einops.rearrange(np.asarray(tensor), f"{axes} -> {' '.join(wanted)}", **known)
        except (einops.EinopsError, ValueError) as error:
            folded = [a for a in wanted if _folded(a, axes)]
            asked = "head" if "head" in folded and "head" not in self.sizes else None
            raise UsageError(
                f"{name} does not have the axes that the layout {self.name} says",
                got=" × ".join(map(str, np.shape(tensor))),
                allowed=axes,
                next_step=f"say how many there are: --set {asked}=4" if asked else None,
            ) from error

    def config(self, weights: Tensors, p: int | None) -> ImportedConfig:
        """Return how a network with these weights is wired.

        **Arguments:** the matrices; the modulus, by default what the number of tokens says.

        **Raises:** `UsageError` where the modulus is not known, or another than the file's.
        """
        wiring = dict(self.wiring)
        for name in self.ask:
            if name not in wiring:
                raise UsageError(
                    f"the layout {self.name} does not say {name}",
                    next_step=f"say it: --set {name}=…; {self.description}",
                )
        if "norm" not in wiring and any(name.startswith("norm") for name in weights):
            wiring["norm"] = "layer"
        tokens = tuple(wiring.get("tokens", ("x", "y", "p")))
        rows = len(weights["W_E"])
        own = _modulus(tokens, rows)
        if p is None and own is None:
            raise UsageError(
                "the modulus is not known",
                got=f"{rows} tokens, inputs {' '.join(tokens)}",
                next_step="say it with --p",
            )
        config = ImportedConfig(p=p or own or 0, **wiring)
        needed = 1 + max(t.first + (config.p - 1 if t.residue else 0) for t in config.places)
        classes = weights["W_U"].shape[1]
        if needed > rows or config.p > classes:
            raise UsageError(
                "the modulus is too large for this file",
                got=f"p = {config.p}",
                allowed=f"{rows} tokens and {classes} answers"
                + ("" if own is None else f", as p = {own}"),
            )
        return config

    def _embedding_rows(self, tensors: Tensors) -> int:
        rows = 0
        for role in ("W_E", "W_E_y"):
            if role in self._entries:
                name, axes = self._entries[role]
                found = _find(name, tensors)
                rows += 0 if found is None else tensors[found].shape[axes.split().index("token")]
        return rows


def _folded(axis: str, axes: str) -> bool:
    """Whether an axis lies with others in parentheses."""
    inside = [part.partition(")")[0] for part in axes.split("(")[1:]]
    return any(axis in part.split() for part in inside)


def _count(axes: str) -> int:
    """Number of axes, those in parentheses being one."""
    outside = [part.rpartition(")")[2] for part in axes.split("(")]
    return axes.count("(") + sum(len(part.split()) for part in outside)


def _find(name: str, tensors: Tensors) -> str | None:
    """Return the one tensor of a name; None where there is none, or several fit its `*`."""
    if name in tensors:
        return name
    found = fnmatch.filter(tensors, name) if "*" in name else []
    return found[0] if len(found) == 1 else None


def _joined(weights: dict[str, np.ndarray]) -> dict[str, np.ndarray]:
    """Part query, key and value, and put the table of y behind that of x."""
    found = {}
    for role, W in weights.items():
        kind, dot, block = role.partition(".")
        if kind in ("W_QKV", "b_QKV"):
            letter = kind[0]
            found |= {f"{letter}_{one}{dot}{block}": W[i] for i, one in enumerate("QKV")}
        elif kind == "W_E_y":
            found["W_E"] = np.concatenate([weights["W_E"], W])
        else:
            found.setdefault(role, W)
    return found


def _modulus(tokens: Sequence[str], rows: int) -> int | None:
    """Return the only p at which an embedding has just the rows that the tokens need."""
    found = []
    for p in range(2, rows + 1):
        places = ImportedConfig(p=p, tokens=tuple(tokens)).places
        needed = 1 + max(token.first + (p - 1 if token.residue else 0) for token in places)
        if needed > rows:
            break
        if needed == rows:
            found.append(p)
    return found[0] if len(found) == 1 else None


def _few(names: Sequence[str]) -> str:
    return ", ".join(names[:8]) + (f" and {len(names) - 8} more" if len(names) > 8 else "")


def read_layout(path: Path) -> Layout:
    """Return the layout in a TOML file; raises `UsageError` for anything else."""
    try:
        text = Path(path).read_text(encoding="utf-8-sig")
    except (OSError, UnicodeDecodeError) as error:
        raise UsageError("a layout cannot be read", got=str(path)) from error
    return parse_layout(text, Path(path).stem)


def parse_layout(text: str, name: str) -> Layout:
    """Return the layout that a TOML text says; raises `UsageError` for anything else."""
    try:
        document = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise UsageError(f"the layout {name} is not TOML", got=str(error)) from error
    for key in document:
        if key not in _ENTRIES:
            raise UsageError(
                f"the layout {name} has an unknown entry", got=key, allowed=", ".join(_ENTRIES)
            )
    tensors = document.get("tensors", {})
    for role, said in tensors.items():
        _require_entry(name, role, said)
    for needed in ("W_E", "W_U"):
        if needed not in tensors:
            raise UsageError(
                f"the layout {name} names no {needed}", next_step="add it to [tensors]"
            )
    ignore, optional, ask = (tuple(document.get(k, ())) for k in ("ignore", "optional", "ask"))
    said = document.get("description", "")
    plain = Layout(name, said, tensors, ignore=ignore, optional=optional, ask=ask)
    settings = document.get("wiring", {}) | document.get("sizes", {})
    layout = plain.with_settings(settings)
    ImportedConfig(p=97, **layout.wiring)
    return layout


def _require_entry(layout: str, role: str, said: Any) -> None:
    kind, dot, block = role.partition(".")
    if kind not in _ROLES:
        raise UsageError(
            f"the layout {layout} has an unknown role",
            got=role,
            allowed=", ".join(_ROLES),
            next_step=did_you_mean(kind, _ROLES),
        )
    axes = said.rpartition(":")[2] if isinstance(said, str) else ""
    words = axes.replace("(", " ").replace(")", " ").split()
    if sorted(words) != sorted(_ROLES[kind]):
        raise UsageError(
            f"the layout {layout} says {role} wrongly",
            got=said,
            allowed=f"NAME: the axes {' '.join(_ROLES[kind])} in the file's order",
        )
    if dot and block != _BLOCK and not block.isdecimal():
        raise UsageError(
            f"the layout {layout} has an unknown block", got=role, allowed=f"{kind}.{_BLOCK}"
        )


def known_layouts() -> dict[str, Layout]:
    """Return the layouts that grokscope knows, by name."""
    folder = resources.files("grokscope.interop") / "layouts"
    files = sorted((f for f in folder.iterdir() if f.name.endswith(".toml")), key=lambda f: f.name)
    return {f.name[:-5]: parse_layout(f.read_text(encoding="utf-8"), f.name[:-5]) for f in files}


def layout_of(tensors: Tensors, name: str | Path | None) -> Layout:
    """Return the layout of a file.

    **Arguments:** the file's tensors; the name of a layout, or a TOML file; None finds it.

    **Raises:** `UsageError` for an unknown name, and where none or several fit.
    """
    known = known_layouts()
    if name is not None:
        if str(name) in known:
            return known[str(name)]
        if str(name).endswith(".toml"):
            return read_layout(Path(name))
        raise UsageError(
            "there is no such layout",
            got=str(name),
            allowed=f"{', '.join(known)}, or a TOML file",
            next_step=did_you_mean(str(name), known),
        )
    fitting = [layout for layout in known.values() if layout.fits(tensors)]
    if len(fitting) == 1:
        return fitting[0]
    if fitting:
        # the one that knows most of the file's tensors
        left = {layout.name: len(layout.weights(tensors)[1]) for layout in fitting}
        best = [one for one in fitting if left[one.name] == min(left.values())]
        if len(best) == 1:
            return best[0]
    by_shape = _one_hot(tensors)
    if by_shape is not None and not fitting:
        return by_shape
    raise UsageError(
        "the layout of this file is not known" if not fitting else "several layouts fit this file",
        got=_few([f"{name} {'×'.join(map(str, t.shape))}" for name, t in tensors.items()]),
        allowed=", ".join(layout.name for layout in fitting)
        or f"{', '.join(known)}, or a TOML file",
        next_step="say which with --layout; docs/other-networks.md says how to write one",
    )


def _one_hot(tensors: Tensors) -> Layout | None:
    """Return the layout of two matrices whose lengths are those of one-hot inputs, whatever they
    are called: 2p inputs to h neurons, and these to p answers."""
    matrices = [(name, W.shape) for name, W in tensors.items() if W.ndim == 2]
    vectors = {W.shape[0]: name for name, W in tensors.items() if W.ndim == 1}
    if len(matrices) != 2:
        return None
    for (first, shape), (last, out) in (matrices, matrices[::-1]):
        for h, p in {out, out[::-1]}:
            if set(shape) != {h, 2 * p} or h in (p, 2 * p):
                continue
            roles = {
                "W_E": f"{first}: {'d_model token' if shape == (h, 2 * p) else 'token d_model'}",
                "W_U": f"{last}: {'answer d_model' if out == (p, h) else 'd_model answer'}",
            }
            biases = {"b_in.0": (h, "neuron"), "b_U": (p, "answer")}
            roles |= {r: f"{vectors[n]}: {a}" for r, (n, a) in biases.items() if n in vectors}
            wiring = {"kind": "mlp", "tokens": ("x", "y + p"), "combine": "sum"}
            said = "two matrices with the lengths of one-hot inputs of x and y, hidden ReLU"
            return Layout("one-hot", said, roles, wiring)
    return None
