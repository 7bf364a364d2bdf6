"""A file of somebody's network: recognised, checked on all pairs, and kept as a run folder."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import numpy as np
from jaxtyping import Int

from grokscope.config.imported import ImportedConfig
from grokscope.config.run import ModelConfig, RunConfig, TaskConfig
from grokscope.disk.atomic import digest, read_bytes
from grokscope.disk.folder import RunFolder
from grokscope.disk.manifest import Manifest
from grokscope.disk.names import new_folder, slug
from grokscope.disk.tables import read_facts, read_tables
from grokscope.errors import UsageError
from grokscope.explanation.pairs import not_finite
from grokscope.interop.layout import SETTINGS, Layout
from grokscope.interop.layout_files import layout_called, layouts_of
from grokscope.interop.names import Tensors
from grokscope.interop.splits import pairs_of_split
from grokscope.interop.wirings import Answers, Wirings
from grokscope.models import Imported, named_weights, weight_axes
from grokscope.numerics import computing
from grokscope.progress import doing, showing
from grokscope.tasks import Task, parse

_LEAST_OVER_CHANCE: Final = 0.05
"""Accuracy over that of the most frequent answer under which nothing of a network is right."""
_NEAR: Final = 0.01
"""How near the accuracy must be to what its authors say."""
_PREFIXES: Final = (
    *("model", "model_state", "model_state_dict", "model_dict", "best_model", "best_state"),
    *("state_dict", "state_dicts", "state", "weights", "params", "parameters", "checkpoints"),
    *("module", "_orig_mod", "net", "nets", "network"),
)
_HEADS: Final = ("n_heads", "num_heads", "nhead", "n_head", "heads")
_MODULI: Final = ("p", "modulus", "mod", "prime", "P")
"""What files that say so call the number of heads, and the modulus."""


@dataclass(frozen=True, eq=False)
class Recognised:
    """A network of a file, with what it answers.

    **Arguments:**

    - `path`, `sha256`: of the file.
    - `answers`: the network, which tensors are its matrices, and how it answers on all pairs.
    - `task`: what it was trained on.
    - `left_out`: tensors that are not part of it.
    - `chance`: share of the most frequent answer.
    - `trained`: numbers of the pairs that trained; None where that is not known.
    - `split`: how they were found, in words.
    """

    path: Path
    sha256: str
    answers: Answers
    task: Task
    left_out: tuple[str, ...]
    chance: float
    trained: Int[np.ndarray, "chosen"] | None
    split: str | None

    @property
    def layout(self) -> Layout:
        """Which tensors are which matrices, and how they are wired."""
        return self.answers.layout

    @property
    def model(self) -> Imported:
        """The network."""
        return self.answers.model

    @property
    def accuracy(self) -> float:
        """Share of all defined pairs that it answers."""
        return self.answers.accuracy

    @property
    def loss(self) -> float:
        """Mean over all defined pairs, in nats over all answers."""
        return self.answers.loss

    @property
    def config(self) -> ImportedConfig:
        """How it is wired."""
        return self.model.config

    def sentences(self) -> list[str]:
        """Return what was recognised, a sentence each."""
        task, p = self.task, self.config.p
        told = [f"{self.path.name} has the layout {self.layout.name}: {self.layout.description}."]
        told += [self._shape(), f"It has {', '.join(self._parts())}."]
        if self.left_out:
            told.append(f"Left out: {', '.join(self.left_out)}.")
        told.append(
            f"On all {int(task.defined.sum()):,} pairs of {task.canonical} mod {p} its accuracy is"
            f" {self.accuracy:.4f}, its loss {self.loss:.3g}."
        )
        if elsewhere := self.answers.elsewhere:
            told.append(f"It answers {elsewhere:.2%} of them with what is no residue.")
        if self.answers.tried:
            told.append(self.answers.tried)
        known = "not known" if self.trained is None else f"{len(self.trained):,}, {self.split}"
        return [*told, f"Pairs that trained: {known}."]

    def _shape(self) -> str:
        """Layers, inputs, and where the answer is read."""
        config, layers = self.config, self.model.layers
        sizes = f"W_E {_sizes(self.model.W_E)}, W_U {_sizes(self.model.W_U)}"
        some = "" if layers == 1 else "s"
        if config.kind == "mlp":
            does = {"sum": "adds", "multiply": "multiplies"}.get(config.combine, "joins")
            rows = " and ".join(config.tokens)
            return f"An MLP with {layers} hidden layer{some}, {does} the rows of {rows}; {sizes}."
        at, n = self.model.read, len(config.tokens)
        where = (
            f"from the mean over {n} positions" if at is None else f"at position {at + 1} of {n}"
        )
        return (
            f"A transformer with {layers} block{some}; {sizes}. It reads {' '.join(config.tokens)}"
            f" and answers {where}, {'causal' if config.causal else 'not causal'}."
        )

    def _parts(self) -> list[str]:
        """What a network may have or lack."""
        config, weights = self.config, named_weights(self.model)
        biases = sorted({name.partition(".")[0] for name in weights if name.startswith("b_")})
        c, heads = config.attention_mix, weights.get("W_Q.0", ())
        return [
            *([f"{len(heads)} head{'s' * (len(heads) != 1)}"] if len(heads) else []),
            "positions" if "W_pos" in weights else "no positions",
            f"biases {' '.join(biases)}" if biases else "no biases",
            self._norms(),
            f"activation {config.activation}",
            *(["a gate"] if any(name.startswith("W_gate") for name in weights) else []),
            *([f"attention {c:g}·softmax + {1 - c:g}"] if c != 1 else []),
            *([] if self.model.has_neurons else ["no MLP in its last block"]),
        ]

    def _norms(self) -> str:
        """Which norm, and where it stands."""
        config = self.config
        if config.norm == "none":
            return "no norms"
        places = {"after": " after attention and MLP", "stream": " of the stream before attention"}
        called = "LayerNorm" if config.norm == "layer" else "RMSNorm"
        return called + places.get(config.norm_place, "")


def _sizes(W: Any) -> str:
    return "×".join(map(str, W.shape))


def recognise(
    path: str | Path,
    operation: str,
    *,
    layout: str | Path | None = None,
    p: int | None = None,
    settings: Mapping[str, Any] | None = None,
    split: str | None = None,
    accuracy: float | None = None,
) -> Recognised:
    """Read a network from a file, and check that it answers.

    **Arguments:**

    - `path`: safetensors, npz, or a checkpoint of PyTorch; nothing in it is executed.
    - `operation`: what it was trained on.
    - `layout`: the name of one, or a TOML file; by default what fits.
    - `p`: the modulus; by default what the number of tokens says.
    - `settings`: other wiring than the layout's, for instance `{"attention_mix": 0.0}`.
    - `split`: which pairs trained; see `pairs_of_split`.
    - `accuracy`: what its authors say of all pairs, from 0 to 1.

    **Raises:** `UsageError` for a file without such a network, one that answers like chance, or
    other than `accuracy` says.
    """
    path, expression = Path(path), parse(operation)
    wiring = _said(path)
    stated = wiring.pop("p", None)
    p = stated if p is None else p
    tensors, layouts = _candidates(path, layout, p)
    own = {k: v for k, v in wiring.items() if k != "head" or _has_heads(layouts)}
    said = own | dict(settings or {})
    wirings = Wirings(tensors, expression, p, said)
    found = wirings.best([one.with_settings(own).with_settings(settings or {}) for one in layouts])
    model = found.model
    if broken := not_finite(model):
        raise UsageError(f"{broken} of this file is not finite", got=path.name)
    task = Task((expression,), model.p)
    chance = float(np.bincount(task.labels(0)[0][task.defined]).max() / task.defined.sum())
    _require_answers(path, found.accuracy, chance, accuracy)
    return Recognised(
        path=path,
        sha256=digest(read_bytes(path)),
        answers=found,
        task=task,
        left_out=tuple(found.layout.left_out(tensors)),
        chance=chance,
        trained=None if split is None else pairs_of_split(split, task),
        split=split,
    )


def _has_heads(layouts: Sequence[Layout]) -> bool:
    return any("head" in one.tries or "head" in one.sizes for one in layouts)


def _candidates(
    path: Path, layout: str | Path | None, p: int | None
) -> tuple[Tensors, list[Layout]]:
    """Return the tensors of a file and the layouts that they may have.

    A state dict may lie inside of others, or of a list, of which the last counts.
    """
    tables = read_tables(path)
    tensors = {name: t.array for name, t in tables.items() if not t.problem}
    if not tensors:
        reason = next((t.problem for t in tables.values()), "it is empty")
        raise UsageError("the file holds no tensor", got=f"{path.name}: {reason}")
    choices = [tensors, *_inside(tensors)]
    if layout is not None:
        chosen = layout_called(layout)
        fitting = [one for one in choices if chosen.fits(one)]
        whole = [one for one in choices if not chosen.missing(one)]
        return (fitting or whole or [tensors])[0], [chosen]
    errors: list[UsageError] = []
    for one in choices:
        try:
            return one, layouts_of(one, p)
        except UsageError as error:
            errors.append(error)
    raise errors[0]


def _inside(tensors: Tensors) -> list[Tensors]:
    """Return what lies under a common name, as `model.` of a checkpoint, the last first."""
    heads = dict.fromkeys(
        ".".join(name.split(".")[:depth])
        for depth in (1, 2, 3)
        for name in tensors
        if name.count(".") >= depth
    )
    chosen = [head for head in heads if _holds_a_network(head)]
    return [
        {
            name[len(head) + 1 :]: array
            for name, array in tensors.items()
            if name.startswith(f"{head}.")
        }
        for head in sorted(chosen, key=lambda head: (head.count("."), -_number(head)))
    ]


def _holds_a_network(head: str) -> bool:
    """Whether a state dict may lie under a name: `model`, `state_dict`, or a number of these."""
    *before, last = head.split(".")
    return last in _PREFIXES or (last.isdecimal() and (not before or before[-1] in _PREFIXES))


def _number(head: str) -> int:
    last = head.rpartition(".")[2]
    return int(last) if last.isdecimal() else 0


def _said(path: Path) -> dict[str, Any]:
    """Return the wiring that a file says: all of it where it is ours, or its heads."""
    facts = read_facts(path)
    wiring = facts.get("wiring")
    if not isinstance(wiring, dict):
        wiring = {k.partition(".")[2]: v for k, v in facts.items() if k.startswith("wiring.")}
    known = {name: value for name, value in wiring.items() if name in (*SETTINGS, "p")}
    if known:
        return known
    by_last = {name.rpartition(".")[2]: value for name, value in facts.items()}
    heads = next((by_last[name] for name in _HEADS if name in by_last), None)
    p = next((by_last[name] for name in _MODULI if name in by_last), None)
    found = {"head": heads, "p": p}
    return {k: v for k, v in found.items() if isinstance(v, int) and not isinstance(v, bool)}


def _require_answers(path: Path, right: float, chance: float, said: float | None) -> None:
    hint = "see whether operation, layout and p are right; --set changes the wiring"
    if right < chance + _LEAST_OVER_CHANCE:
        raise UsageError(
            f"the network in {path.name} answers like chance: the layout, the modulus or the"
            " operation is wrong",
            got=f"accuracy {right:.4f} on all pairs",
            allowed=f"over {chance + _LEAST_OVER_CHANCE:.4f}",
            next_step=hint,
        )
    if said is not None and abs(right - said) > _NEAR:
        raise UsageError(
            f"the network in {path.name} answers other than its authors say",
            got=f"accuracy {right:.4f} on all pairs",
            allowed=f"{said:g}",
            next_step=hint,
        )


def import_network(
    path: str | Path, operation: str, *, out: str | Path | None = None, **how: Any
) -> tuple[Recognised, RunFolder]:
    """Make a run folder of somebody's network.

    **Arguments:** as for `recognise`; `out`: the folder, by default `runs/NAME` with the name of
    the file.

    **Raises:** as `recognise` and `write_run`.
    """
    with computing(), showing():
        doing("reading and checking the network")
        found = recognise(path, operation, **how)
        if out is not None:
            return found, write_run(found, Path(out))
        with new_folder("runs", slug(found.path.stem)) as folder:
            return found, write_run(found, folder)


def write_run(found: Recognised, out: Path) -> RunFolder:
    """Write a network as a run folder with one checkpoint, of seed 0 and step 0.

    **Raises:** `RunFolderError` where something lies there already; `DiskError`.
    """
    config = _run_config(found)
    manifest = Manifest.new(
        config.to_json(), found.task.canonical, device="cpu", jaxlib="", run_axis="none"
    )
    imported = {
        "file": found.path.name,
        "sha256": found.sha256,
        "layout": found.layout.name,
        "wiring": found.config.to_json(),
        "accuracy": found.accuracy,
        "loss": found.loss,
        "split": found.split,
        "trained": None if found.trained is None else found.trained.tolist(),
    }
    manifest = manifest.of_imported(imported)
    folder = RunFolder.create(out, manifest)
    with folder.lock():
        meta = {
            "p": found.config.p,
            "operation": found.task.canonical,
            "model": config.to_json()["model"],
            "imported": found.config.to_json(),
        }
        weights = {k: np.asarray(W) for k, W in named_weights(found.model).items()}
        folder.save_checkpoint(0, 0, weights, weight_axes(found.model), meta)
    return folder


def _run_config(found: Recognised) -> RunConfig:
    """Return the sizes of the network as a configuration; what is not known has its default."""
    weights, config, layers = named_weights(found.model), found.config, found.model.layers
    hidden = weights.get(f"W_in.{layers - 1}", weights["W_E"]).shape[1]
    if config.kind == "transformer":
        heads = next((len(W) for name, W in weights.items() if name.startswith("W_Q.")), 1)
        width = weights["W_E"].shape[1]
        model = ModelConfig(
            "transformer", layers, width, heads if width % heads == 0 else 1, hidden
        )
    else:
        width = weights["W_E"].shape[1]
        model = ModelConfig("mlp", layers, d_model=hidden, heads=1, d_embedding=width)
    share = 0.5 if found.trained is None else len(found.trained) / int(found.task.defined.sum())
    task = TaskConfig((found.task.canonical,), config.p, min(max(share, 1e-6), 1 - 1e-6))
    return RunConfig(task=task, model=model)
