"""One experiment of the paper: what to run, how to read it, and how it differs from the paper's."""

import dataclasses
import tomllib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from typing import Any, Final, Literal

from grokscope.config.run import configure
from grokscope.config.validate import did_you_mean
from grokscope.errors import UsageError
from grokscope.paper.tables import operation_key, table_a5

Kind = Literal["training", "labels"]

_FOLDER: Final = files("grokscope") / "data" / "paper" / "experiments"
_ORDER: Final = "order.toml"
PAPER_SETTINGS: Final = ("p", "train_fraction")
"""Settings that the paper's statements are about, and that a user may change."""


@dataclass(frozen=True)
class View:
    """One way to show the results.

    **Arguments:**

    - `kind`: a key of `views.VIEWS`.
    - `title`: its heading.
    - `options`: what the kind can be told.
    """

    kind: str
    title: str
    options: Mapping[str, Any]


@dataclass(frozen=True)
class Source:
    """A run to take weights from: an elementary operation, trained until it has grokked."""

    operation: str
    steps: int
    train_fraction: float = 0.3


@dataclass(frozen=True)
class Experiment:
    """A table or figure of the paper as a sweep and views of it.

    **Arguments:**

    - `reference`: its table or figure of the paper.
    - `says`: what the paper found.
    - `kind`: `training`, or `labels` where only the labels are counted.
    - `axes`: names of the configuration → the values that are combined with each other.
    - `fixed`: names of the configuration → one value.
    - `small`: what the reduced version puts in their place; of starts their labels, of sources
      what differs.
    - `sources`: runs that are trained first, by the name that the axis `source` uses.
    - `keeps`: which long tables the results keep, keys of `summary.SERIES_OF_A_RUN`, and `etas`.
    - `curves`: which measures are kept over training, with their matrix after a space.
    - `differences`: what differs from the paper's protocol beyond what always does.
    """

    name: str
    title: str
    reference: str
    says: str
    kind: Kind
    axes: Mapping[str, tuple[Any, ...]]
    fixed: Mapping[str, Any]
    small: Mapping[str, Any]
    sources: Mapping[str, Source]
    views: tuple[View, ...]
    series: tuple[str, ...]
    curves: tuple[str, ...]
    differences: tuple[str, ...]

    def with_values(self, **values: Sequence[Any] | Any) -> "Experiment":
        """Return the experiment with other values of some axes or fixed settings."""
        axes, fixed = dict(self.axes), dict(self.fixed)
        for name, value in values.items():
            many = isinstance(value, list | tuple)
            if name in axes or many:
                axes[name] = tuple(value) if many else (value,)
                fixed.pop(name, None)
            else:
                fixed[name] = value
        return dataclasses.replace(self, axes=axes, fixed=fixed)

    def covers(self, row: Mapping[str, Any]) -> bool:
        """Whether the paper's experiment has the modulus and the training fraction of a row.

        What was asked for here may have others, of which the paper says nothing.
        """
        papers = load_experiment(self.name)
        return all(row.get(name) in papers.values(name) for name in PAPER_SETTINGS)

    def values(self, name: str) -> tuple[Any, ...]:
        """Return the values of a setting that the experiment gives."""
        return self.axes[name] if name in self.axes else (self.fixed[name],)

    @property
    def reduced(self) -> "Experiment":
        """The small version, for a laptop."""
        values = dict(self.small)
        sources = {
            name: dataclasses.replace(source, **values.get("sources", {}).get(name, {}))
            for name, source in self.sources.items()
        }
        values.pop("sources", None)
        if "start" in values:
            starts = self.axes["start"]
            values["start"] = [start for start in starts if start["label"] in values["start"]]
        return dataclasses.replace(self, sources=sources).with_values(**values)


@cache
def experiments() -> dict[str, str]:
    """Return the names of all experiments, in the paper's order, with their titles."""
    names = tomllib.loads((_FOLDER / _ORDER).read_text("utf-8"))["names"]
    return {name: load_experiment(name).title for name in names}


@cache
def load_experiment(name: str) -> Experiment:
    """Return an experiment.

    **Raises:** `UsageError` when there is none of this name.
    """
    file = _FOLDER / f"{name}.toml"
    listed = tomllib.loads((_FOLDER / _ORDER).read_text("utf-8"))["names"]
    if name not in listed:
        meant = did_you_mean(name, listed)
        hint = "grokscope reproduce --list shows all"
        raise UsageError(
            "there is no such experiment", got=name, next_step=f"{meant} {hint}" if meant else hint
        )
    return _read(name, tomllib.loads(file.read_text("utf-8")))


def _read(name: str, document: Mapping[str, Any]) -> Experiment:
    views = document["views"]
    return Experiment(
        name=name,
        title=document["title"],
        reference=document["reference"],
        says=document["says"],
        kind=document.get("kind", "training"),
        axes={key: _values(value) for key, value in document["axes"].items()},
        fixed=document.get("fixed", {}),
        small={key: _small_values(key, value) for key, value in document.get("small", {}).items()},
        sources={key: Source(**value) for key, value in document.get("sources", {}).items()},
        views=tuple(_view(view) for view in views),
        series=tuple(document.get("series", ())),
        curves=tuple(document.get("curves", ())),
        differences=tuple(document.get("differences", ())),
    )


def _view(document: Mapping[str, Any]) -> View:
    options = {key: value for key, value in document.items() if key not in ("kind", "title")}
    return View(document["kind"], document["title"], options)


def _small_values(name: str, value: Any) -> Any:
    return _values(value) if name != "sources" and isinstance(value, list | dict) else value


def _values(value: Any) -> tuple[Any, ...]:
    """Return the values of an axis: a list, `{first, count}`, or the operations of `{groups}`."""
    if isinstance(value, dict) and "groups" in value:
        return operations_of(value["groups"])
    if isinstance(value, dict):
        return tuple(range(value["first"], value["first"] + value["count"]))
    return tuple(tuple(v) if isinstance(v, list) else v for v in value)


def operations_of(groups: Sequence[str]) -> tuple[str, ...]:
    """Return the operations of Table A.5 in some of its groups; of all, where none is named."""
    found = table_a5()
    return tuple(op for op, row in found.items() if not groups or row.group in groups)


def operation_of(value: Any) -> str:
    """Return the spelling of an axis value: one operation, or several of a mixture."""
    return operation_key(", ".join(value) if isinstance(value, tuple) else value)


_LABELS: Final = (
    "Pairs: all p² ordered pairs of residues. The published code enumerates pairs over its whole"
    " vocabulary (102² for p = 97), so that operator tokens stand for residues, too.",
)
_TRAINING: Final = (
    *_LABELS,
    "Answers: the class axis has p columns, residues only; the published code has the whole"
    " vocabulary there.",
    "Grokked: test accuracy of at least 99% at an evaluation and at each of the next five, one"
    " every 50 steps; the paper does not define it.",
    "Length: the paper trained for up to 3·10⁵ steps. A run of ours that has not grokked by its"
    " last step is undecided at that step, never a failure.",
    "Accuracy on unleaked pairs is shown beside test accuracy: for a symmetric operation a test"
    " pair (x, y) is leaked when (y, x) was trained.",
    "Loss: cross-entropy in float32 in a form that keeps float64's precision; the paper used"
    " float64.",
    "Accuracy: a percentage of the paper is its best test accuracy; beside it stands the best one"
    " of each of our runs.",
)


def protocol_differences(experiment: Experiment) -> list[str]:
    """Return every difference, one sentence or two each."""
    common = _LABELS if experiment.kind == "labels" else _TRAINING
    return [*common, *experiment.differences]


@dataclass(frozen=True)
class Request:
    """Parts and settings; what is left empty is as in the experiment.

    **Raises:** `UsageError` for a value that no run can have, and for one that is given twice.
    """

    only: tuple[str, ...] = ()
    """Operations; of mixtures those that hold one of them."""
    seeds: tuple[int, ...] = ()
    fractions: tuple[float, ...] = ()
    p: int | None = None
    steps: int | None = None
    small: bool = False

    def __post_init__(self) -> None:
        _refuse_repeated("--only", [operation_key(text) for text in self.only])
        _refuse_repeated("--seeds", self.seeds)
        _refuse_repeated("--fractions", self.fractions)
        # the configuration knows the limits, also for experiments that train nothing
        given = {"p": self.p, "steps": self.steps, "seeds": self.seeds or None}
        rest = {name: value for name, value in given.items() if value is not None}
        for fraction in self.fractions or (0.5,):
            configure(("x + y",), train_fraction=fraction, **rest)

    def apply(self, experiment: Experiment) -> Experiment:
        """Return the experiment that is asked for.

        **Raises:** `UsageError` when `only` names an operation that is not in it.
        """
        if self.small:
            experiment = experiment.reduced
        given: dict[str, Any] = {
            "seed": self.seeds,
            "train_fraction": self.fractions,
            "p": self.p,
            "steps": self.steps,
        }
        experiment = experiment.with_values(
            **{k: v for k, v in given.items() if v not in ((), None)}
        )
        return self._narrowed(experiment) if self.only else experiment

    def _narrowed(self, experiment: Experiment) -> Experiment:
        keys = [operation_key(text) for text in self.only]
        whole = {operation_of(value): value for value in experiment.axes["operation"]}
        for text in keys:
            if not any(text in key.split(", ") for key in whole):
                some = "; ".join(list(whole)[:4])
                raise UsageError(
                    f"{experiment.name} has no such operation",
                    got=text,
                    allowed=f"{some}{'; …' if len(whole) > 4 else ''}",
                )
        kept = [v for k, v in whole.items() if not set(k.split(", ")).isdisjoint(keys)]
        axes = {**experiment.axes, "operation": tuple(kept)}
        return dataclasses.replace(experiment, axes=axes)

    @property
    def words(self) -> str:
        """The options as they are typed, each with a space before it."""
        parts = [f' "{text}"' for text in self.only]
        text = f" --only{''.join(parts)}" if parts else ""
        for name in ("seeds", "fractions"):
            values = getattr(self, name)
            text += f" --{name} {' '.join(f'{v:g}' for v in values)}" if values else ""
        for name in ("p", "steps"):
            value = getattr(self, name)
            text += "" if value is None else f" --{name} {value}"
        return f"{text} --small" if self.small else text


def _refuse_repeated(option: str, values: Sequence[Any]) -> None:
    for value in values:
        if values.count(value) > 1:
            raise UsageError(f"{option} has a value twice", got=value, allowed="each value once")
