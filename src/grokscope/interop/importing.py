"""A file of somebody's network: recognised, checked on all pairs, and kept as a run folder."""

import dataclasses
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import jax
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
from grokscope.explanation.pairs import logits_of_all_answers, not_finite
from grokscope.interop.layout import SETTINGS, Layout, Tensors, layout_of
from grokscope.interop.splits import pairs_of_split
from grokscope.measures.predictions import cross_entropy
from grokscope.models import Imported, imported_network, named_weights, weight_axes
from grokscope.numerics import computing
from grokscope.progress import doing, showing
from grokscope.tasks import Task, parse

_LEAST_OVER_CHANCE: Final = 0.05
"""Accuracy over that of the most frequent answer under which nothing of a network is right."""
_NEAR: Final = 0.01
"""How near the accuracy must be to what its authors say."""
_PREFIXES: Final = ("model", "state_dict", "model_state_dict", "module", "net", "network", "params")


@dataclass(frozen=True, eq=False)
class Recognised:
    """A network of a file, with what it answers.

    **Arguments:**

    - `path`, `sha256`: of the file.
    - `layout`: which tensors are which matrices.
    - `model`: the network.
    - `task`: what it was trained on.
    - `left_out`: tensors that are not part of it.
    - `accuracy`, `loss`: on all defined pairs; loss in nats over all answers.
    - `chance`: share of the most frequent answer.
    - `elsewhere`: share of pairs whose answer is no residue.
    - `trained`: numbers of the pairs that trained; None where that is not known.
    - `split`: how they were found, in words.
    """

    path: Path
    sha256: str
    layout: Layout
    model: Imported
    task: Task
    left_out: tuple[str, ...]
    accuracy: float
    loss: float
    chance: float
    elsewhere: float
    trained: Int[np.ndarray, "chosen"] | None
    split: str | None

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
        if self.elsewhere:
            told.append(f"It answers {self.elsewhere:.2%} of them with what is no residue.")
        known = "not known" if self.trained is None else f"{len(self.trained):,}, {self.split}"
        return [*told, f"Pairs that trained: {known}."]

    def _shape(self) -> str:
        """Layers, inputs, and where the answer is read."""
        config, layers = self.config, self.model.layers
        sizes = f"W_E {_sizes(self.model.W_E)}, W_U {_sizes(self.model.W_U)}"
        some = "" if layers == 1 else "s"
        if config.kind == "mlp":
            does = "adds" if config.combine == "sum" else "joins"
            rows = " and ".join(config.tokens)
            return f"An MLP with {layers} hidden layer{some}, {does} the rows of {rows}; {sizes}."
        return (
            f"A transformer with {layers} block{some}; {sizes}. It reads {' '.join(config.tokens)}"
            f" and answers at position {self.model.read + 1} of {len(config.tokens)},"
            f" {'causal' if config.causal else 'not causal'}."
        )

    def _parts(self) -> list[str]:
        """What a network may have or lack."""
        config, weights = self.config, named_weights(self.model)
        biases = sorted({name.partition(".")[0] for name in weights if name.startswith("b_")})
        c = config.attention_mix
        return [
            "positions" if "W_pos" in weights else "no positions",
            f"biases {' '.join(biases)}" if biases else "no biases",
            {"none": "no norms", "layer": "LayerNorm", "rms": "RMSNorm"}[config.norm],
            f"activation {config.activation}",
            *([f"attention {c:g}·softmax + {1 - c:g}"] if c != 1 else []),
        ]


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
    tensors, chosen = _tensors(path, layout)
    wiring = _said(path)
    p = wiring.pop("p", None) if p is None else p
    chosen = chosen.with_settings(wiring).with_settings(settings or {})
    weights, left = chosen.weights(tensors)
    config = chosen.config(weights, p)
    model = imported_network(config, weights)
    if broken := not_finite(model):
        raise UsageError(f"{broken} of this file is not finite", got=path.name)
    task = Task((expression,), config.p)
    right, loss, elsewhere = _answers(model, task)
    chance = float(np.bincount(task.labels(0)[0][task.defined]).max() / task.defined.sum())
    better = _better(model, weights, task, right, settings or {})
    _require_answers(path, right, chance, accuracy, better)
    return Recognised(
        path=path,
        sha256=digest(read_bytes(path)),
        layout=chosen,
        model=model,
        task=task,
        left_out=tuple(left),
        accuracy=right,
        loss=loss,
        chance=chance,
        elsewhere=elsewhere,
        trained=None if split is None else pairs_of_split(split, task),
        split=split,
    )


def _tensors(path: Path, layout: str | Path | None) -> tuple[Tensors, Layout]:
    """Return the tensors of a file and their layout; a state dict may lie inside of others."""
    tables = read_tables(path)
    tensors = {name: t.array for name, t in tables.items() if not t.problem}
    if not tensors:
        reason = next((t.problem for t in tables.values()), "it is empty")
        raise UsageError("the file holds no tensor", got=f"{path.name}: {reason}")
    choices = [tensors, *_inside(tensors)]
    errors = []
    for one in choices:
        try:
            found = layout_of(one, layout)
        except UsageError as error:
            errors.append(error)
            continue
        if layout is None or found.fits(one) or not found.missing(one):
            return one, found
        errors.append(None)
    if layout is not None and errors[0] is None:
        return tensors, layout_of(tensors, layout)
    raise errors[0] or UsageError("the layout of this file is not known", got=path.name)


def _said(path: Path) -> dict[str, Any]:
    """Return the wiring that a file of ours says."""
    facts = read_facts(path)
    wiring = facts.get("wiring")
    if not isinstance(wiring, dict):
        wiring = {k.partition(".")[2]: v for k, v in facts.items() if k.startswith("wiring.")}
    return {name: value for name, value in wiring.items() if name in (*SETTINGS, "p")}


def _inside(tensors: Tensors) -> list[Tensors]:
    """Return what lies under a common name, as `model.` of a checkpoint."""
    heads = dict.fromkeys(
        ".".join(name.split(".")[:depth])
        for depth in (1, 2)
        for name in tensors
        if name.count(".") >= depth
    )
    chosen = [head for head in heads if head.rpartition(".")[2] in _PREFIXES]
    return [
        {
            name[len(head) + 1 :]: array
            for name, array in tensors.items()
            if name.startswith(f"{head}.")
        }
        for head in chosen
    ]


def _answers(model: Imported, task: Task) -> tuple[float, float, float]:
    """Accuracy and loss over all answers, and the share that is no residue."""
    logits = logits_of_all_answers(model).reshape(task.p**2, -1)[task.defined]
    labels = task.labels(0)[0][task.defined]
    said = logits.argmax(axis=1)
    loss = cross_entropy(jax.numpy.asarray(logits), jax.numpy.asarray(labels)).mean()
    return float(np.mean(said == labels)), float(loss), float(np.mean(said >= task.p))


_ALTERNATIVES: Final[tuple[dict[str, Any], ...]] = (
    {"causal": True},
    {"causal": False},
    {"attention_mix": 0.0},
    {"norm": "none"},
    {"norm": "layer"},
    {"norm_place": "after"},
    {"norm": "rms"},
    {"activation": "relu"},
    {"activation": "gelu"},
    {"activation": "gelu_tanh"},
    {"activation": "silu"},
    {"activation": "square"},
    {"combine": "sum"},
    {"combine": "concatenate"},
)
"""Wiring that weights do not tell apart; tried where a network does not answer."""


def _better(
    model: Imported,
    weights: Mapping[str, np.ndarray],
    task: Task,
    right: float,
    settings: Mapping[str, Any],
) -> tuple[str, float] | None:
    """Return other wiring with which the network answers far better, and how well.

    What was said in so many words is not changed.
    """
    if right > 0.9:
        return None
    config = model.config
    swapped = [t.replace("x", "Y").replace("y", "x").replace("Y", "y") for t in config.tokens]
    found: list[tuple[float, str]] = []
    orders = [swapped, ["x", "p", "y"], ["x", "y", "p"], ["x", "y"]]
    for change in (*_ALTERNATIVES, *({"tokens": tuple(order)} for order in orders)):
        if not change.keys().isdisjoint(settings) or all(
            getattr(config, name) == value for name, value in change.items()
        ):
            continue
        try:
            other = imported_network(dataclasses.replace(config, **change), weights)
            accuracy = _answers(other, task)[0]
        except UsageError:
            continue
        (name, value), *_ = change.items()
        said = " ".join(value) if isinstance(value, tuple) else str(value).lower()
        found.append(
            (accuracy, f"--set {name}={said!r}" if " " in said else f"--set {name}={said}")
        )
    best = max(found, default=(0.0, ""))
    return (best[1], best[0]) if best[0] > right + 0.1 else None


def _require_answers(
    path: Path,
    right: float,
    chance: float,
    said: float | None,
    better: tuple[str, float] | None,
) -> None:
    hint = "see whether operation, layout and p are right; --set changes the wiring"
    if better is not None:
        hint = f"with {better[0]} its accuracy is {better[1]:.4f}"
    if right >= chance + _LEAST_OVER_CHANCE and better is not None:
        raise UsageError(
            f"the network in {path.name} is wired otherwise",
            got=f"accuracy {right:.4f} on all pairs",
            next_step=f"{hint}; say {better[0].partition('=')[0]} in any case to keep what it is",
        )
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
