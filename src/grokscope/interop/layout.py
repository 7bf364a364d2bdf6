"""Layouts: which tensor of somebody's file is which matrix, and how the network is wired.

A layout is data, a TOML file. Its tensors are named by the roles of `models.imported.AXES`, each
with a name in the file and the axes that it has there, in the notation of einops:

    "W_QKV.{block}" = "blocks.{block}.attn.qkv.weight: (qkv head d_head) d_model"

Several ways to say it are a list. What a name may leave open stands in `names`.
"""

import dataclasses
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from fnmatch import fnmatch
from functools import cached_property
from typing import Any, Final

import einops
import numpy as np

from grokscope.config.imported import ImportedConfig
from grokscope.config.validate import did_you_mean
from grokscope.errors import UsageError
from grokscope.interop.folding import FOLDED, MORE_AXES, folded, require_folded
from grokscope.interop.names import BLOCK, Entry, Tensors, plain, readable, tensors_of
from grokscope.models.imported import AXES

ROLES: Final = {
    role: tuple("answer" if axis == "class" else axis for axis in axes)
    for role, axes in (AXES | MORE_AXES).items()
}
"""What a tensor may be, with its axes."""
_OPTIONAL: Final = ("b_", "norm", "W_pos", "attention_scale", "W_gate")
"""Roles that a file may lack begin so; a network without them is wired without them."""
SETTINGS: Final = tuple(f.name for f in dataclasses.fields(ImportedConfig) if f.name != "p")
SIZES: Final = frozenset(axis for axes in ROLES.values() for axis in axes) - {"token", "answer"}
_FUSED: Final = ("W_QKV", ("W_Q", "W_K", "W_V"))


@dataclass(frozen=True)
class Layout:
    """Which tensor of a file is which matrix, and how the network is wired.

    **Arguments:**

    - `name`: what it is called.
    - `description`: whose files have it.
    - `tensors`: by role, name and axes in the file, or a list of these.
    - `wiring`: fields of `ImportedConfig`, but for p, and what is folded into the weights.
    - `sizes`: lengths of axes that a file folds into others, such as `head`.
    - `tries`: by setting, the values that are tried where nobody says which, the usual one first.
    - `ignore`: names of tensors that mean nothing, such as masks.
    - `optional`: roles that a file may lack, beside biases, norms and positions.
    - `ask`: wiring that weights do not tell apart, and that has to be said for each file.
    """

    name: str
    description: str
    tensors: Mapping[str, str | Sequence[str]]
    wiring: Mapping[str, Any] = field(default_factory=dict)
    sizes: Mapping[str, int] = field(default_factory=dict)
    tries: Mapping[str, Sequence[Any]] = field(default_factory=dict)
    ignore: tuple[str, ...] = ()
    optional: tuple[str, ...] = ()
    ask: tuple[str, ...] = ()

    def with_settings(self, settings: Mapping[str, Any]) -> "Layout":
        """Return the layout with other wiring or sizes; raises `UsageError` for unknown names."""
        wiring, sizes = dict(self.wiring), dict(self.sizes)
        for name, value in settings.items():
            if name in SETTINGS:
                wiring[name] = value
            elif name in FOLDED:
                require_folded(name, value)
                wiring[name] = value
            elif name in SIZES:
                if not isinstance(value, int) or isinstance(value, bool) or value < 1:
                    raise UsageError(f"{name} is not usable", got=value, allowed="a whole number")
                sizes[name] = value
            else:
                known = (*SETTINGS, *FOLDED, *sorted(SIZES))
                meant = did_you_mean(name, known)
                raise UsageError(
                    "unknown setting of a layout",
                    got=name,
                    allowed=None if meant else ", ".join(known),
                    next_step=meant,
                )
        tries = {name: v for name, v in self.tries.items() if name not in settings}
        return dataclasses.replace(self, wiring=wiring, sizes=sizes, tries=tries)

    @cached_property
    def entries(self) -> dict[str, list[Entry]]:
        """Role → the ways in which a file may say it."""
        found = {}
        for role, said in self.tensors.items():
            parts = [text.rpartition(":") for text in ([said] if isinstance(said, str) else said)]
            found[role] = [Entry(name.strip(), axes.strip()) for name, _, axes in parts]
        return found

    def found(self, tensors: Tensors) -> dict[str, tuple[Entry, tuple[str, ...]]]:
        """Return role, with its block → how the file says it, and the tensors, one per head.

        Of several ways to say it that is taken which fits the width of the network.
        """
        widths = [
            tensors[name].shape[place]
            for entry in self.entries["W_E"]
            for name in _names(tensors_of(entry, tensors))
            if (place := entry.place("d_model")) is not None and tensors[name].ndim > place
        ]
        # with no width at all, what does not fit is named where it is turned
        choices = [self._with_width(tensors, width) for width in dict.fromkeys([*widths, None])]
        return max(choices, key=len)

    def _with_width(
        self, tensors: Tensors, width: int | None
    ) -> dict[str, tuple[Entry, tuple[str, ...]]]:
        taken: set[str] = set()
        chosen: dict[str, tuple[Entry, tuple[str, ...]]] = {}
        # those of blocks first: what they are called, others may be called, too
        for role in sorted(self.entries, key=lambda role: BLOCK not in role):
            for entry in self.entries[role]:
                known = tensors_of(entry, tensors, taken, width)
                if not known:
                    continue
                for i, heads in enumerate(known.values()):
                    own = role.replace(BLOCK, str(i)) if BLOCK in role else role
                    chosen[own] = entry, tuple(heads.values())
                taken |= set(_names(known))
                break
        return chosen

    def missing(self, tensors: Tensors) -> list[str]:
        """Return the names that a file of this layout must have and this one lacks."""
        found = self.found(tensors)
        fused, apart = _FUSED
        roles = [role for role in self.entries if not role.startswith((*_OPTIONAL, *self.optional))]
        if f"{fused}.0" in found:
            roles = [role for role in roles if not role.startswith(apart)]
        elif f"{apart[0]}.{BLOCK}" in roles and f"{fused}.{BLOCK}" in roles:
            roles = [role for role in roles if not role.startswith(fused)]
        return [
            readable(self.entries[role][0].name)
            for role in roles
            if role.replace(BLOCK, "0") not in found
        ]

    def fits(self, tensors: Tensors) -> bool:
        """Return whether a file has this layout: all names, with axes as long as it says."""
        found = self.found(tensors)
        if self.missing(tensors) or (self.tries and self.left_out(tensors)):
            return False
        widths = {
            plain(tensors[names[0]], entry).shape[place - entry.in_heads]
            for role, (entry, names) in found.items()
            if (place := entry.place("d_model")) is not None and not role.startswith("W_in")
        }
        if self.wiring.get("kind") != "mlp" and len(widths) > 1:
            return False
        rows, positions = self._lengths(found, tensors)
        return any(
            _modulus(tokens, rows) is not None and _fit_positions(len(tokens), positions, exactly)
            for tokens, exactly in self._tokens()
        )

    def _tokens(self) -> Iterator[tuple[Sequence[str], bool]]:
        """Inputs that there may be, and whether a file has positions for these alone."""
        if "tokens" in self.tries:
            yield from ((tokens, False) for tokens in self.tries["tokens"])
        else:
            yield self.wiring.get("tokens", ("x", "y", "p")), "tokens" in self.wiring

    def _lengths(
        self, found: Mapping[str, tuple[Entry, tuple[str, ...]]], tensors: Tensors
    ) -> tuple[int, int | None]:
        """Rows of the embeddings, and positions; None without."""
        rows, positions = 0, None
        for role, (entry, names) in found.items():
            if role in ("W_E", "W_E_y"):
                rows += tensors[names[0]].shape[entry.place("token") or 0]
            if role == "W_pos":
                positions = plain(tensors[names[0]], entry).shape[entry.place("position") or 0]
        return rows, positions

    def left_out(self, tensors: Tensors) -> list[str]:
        """Return the tensors of a file that no role asks for."""
        used = {name for _, names in self.found(tensors).values() for name in names}
        return [
            name
            for name in tensors
            if name not in used and not any(fnmatch(name, one) for one in self.ignore)
        ]

    def weights(self, tensors: Tensors) -> dict[str, np.ndarray]:
        """Return the matrices in the orientation of `AXES`.

        **Raises:** `UsageError` where one is missing or does not have the axes that it should.
        """
        if missing := self.missing(tensors):
            raise UsageError(
                f"the file does not have the layout {self.name}",
                got=few(list(tensors)),
                allowed=f"{', '.join(missing)} too",
                next_step="see docs/other-networks.md on layouts of your own",
            )
        found = self.found(tensors)
        heads = max((len(names) for entry, names in found.values() if entry.in_heads), default=0)
        sizes = {**self.sizes, "head": heads} if heads else self.sizes
        sized = dataclasses.replace(self, sizes=sizes)
        turned = {
            role: sized._turned(role, [tensors[name] for name in names], names[0], entry)
            for role, (entry, names) in found.items()
        }
        return folded(turned, self.wiring)

    def _turned(self, role: str, own: Sequence[np.ndarray], name: str, entry: Entry) -> np.ndarray:
        wanted, axes = ROLES[role.partition(".")[0]], entry.axes
        tensor = np.stack(own) if entry.in_heads else plain(own[0], entry)
        known = {axis: n for axis, n in self.sizes.items() if axis in wanted}
        known = {axis: n for axis, n in known.items() if entry.place(axis) is None}
        known |= {"qkv": 3} if "qkv" in wanted else {}
        try:
            return einops.rearrange(np.asarray(tensor), f"{axes} -> {' '.join(wanted)}", **known)
        except (einops.EinopsError, ValueError) as error:
            asked = "(" in axes and "head" in wanted and "head" not in self.sizes
            raise UsageError(
                f"{name} does not have the axes that the layout {self.name} says",
                got=" × ".join(map(str, np.shape(tensor))),
                allowed=axes + ", ".join(f"; {n} for {axis}" for axis, n in known.items()),
                next_step="say how many there are: --set head=4" if asked else None,
            ) from error

    def config(self, weights: Tensors, p: int | None) -> ImportedConfig:
        """Return how a network with these weights is wired.

        **Arguments:** the matrices; the modulus, by default what the number of tokens says.

        **Raises:** `UsageError` where the modulus is not known, or another than the file's.
        """
        wiring = {name: value for name, value in self.wiring.items() if name not in FOLDED}
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


def _names(found: Mapping[int, Mapping[int, str]]) -> list[str]:
    return [name for heads in found.values() for name in heads.values()]


def _fit_positions(n: int, positions: int | None, exactly: bool) -> bool:
    return positions is None or positions == n or (positions > n and not exactly)


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


def few(names: Sequence[str]) -> str:
    """Return the first names of a list, and how many there are besides."""
    return ", ".join(names[:8]) + (f" and {len(names) - 8} more" if len(names) > 8 else "")
