"""One experiment of the paper: what to run, how to read it, and how it differs from the paper's."""

import dataclasses
import tomllib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from typing import Any, Final, Literal

from grokscope.errors import UsageError
from grokscope.paper.tables import operation_key, table_a5
from grokscope.settings.nearest import did_you_mean

Kind = Literal["training", "labels"]

_FOLDER: Final = files("grokscope") / "data" / "paper" / "experiments"
_ORDER: Final = "order.toml"
OF_THE_PAPER: Final = ("p", "train_fraction")
"""Settings that the paper's statements are about, and that a user may change."""


@dataclass(frozen=True)
class View:
    """One way to show the results.

    **Arguments:**

    - `kind`: a key of `report.paper.views.VIEWS`.
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

    - `place`: where it stands in the paper.
    - `says`: what the paper found.
    - `kind`: `training`, or `labels` where only the labels are counted.
    - `axes`: names of the configuration → the values that are combined with each other.
    - `fixed`: names of the configuration → one value.
    - `small`: what the reduced version puts in their place; of starts their labels, of sources
      what differs.
    - `sources`: runs that are trained first, by the name that the axis `source` uses.
    - `keeps`: which long tables the results keep, keys of `keeping.KEEPERS`, and `etas`.
    - `curves`: which measures are kept over training, with their matrix after a space.
    - `differences`: what differs from the paper's protocol beyond what always does.
    """

    name: str
    title: str
    place: str
    says: str
    kind: Kind
    axes: Mapping[str, tuple[Any, ...]]
    fixed: Mapping[str, Any]
    small: Mapping[str, Any]
    sources: Mapping[str, Source]
    views: tuple[View, ...]
    keeps: tuple[str, ...]
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

    def covers(self, place: Mapping[str, Any]) -> bool:
        """Whether the paper's experiment has the modulus and the training fraction of a row.

        What was asked for here may have others, of which the paper says nothing.
        """
        papers = load(self.name)
        return all(place.get(name) in papers.values(name) for name in OF_THE_PAPER)

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
    return {name: load(name).title for name in names}


@cache
def load(name: str) -> Experiment:
    """Return an experiment.

    **Raises:** `UsageError` when there is none of this name.
    """
    file = _FOLDER / f"{name}.toml"
    listed = tomllib.loads((_FOLDER / _ORDER).read_text("utf-8"))["names"]
    if name not in listed:
        meant = did_you_mean(name, listed)
        hint = "grokscope reproduce --list shows all"
        raise UsageError("there is no such experiment", got=name,
                         next_step=f"{meant} {hint}" if meant else hint)  # fmt: skip
    return _read(name, tomllib.loads(file.read_text("utf-8")))


def _read(name: str, document: Mapping[str, Any]) -> Experiment:
    views = document["views"]
    return Experiment(
        name=name,
        title=document["title"],
        place=document["place"],
        says=document["says"],
        kind=document.get("kind", "training"),
        axes={key: _values(value) for key, value in document["axes"].items()},
        fixed=document.get("fixed", {}),
        small={key: _small(key, value) for key, value in document.get("small", {}).items()},
        sources={key: Source(**value) for key, value in document.get("sources", {}).items()},
        views=tuple(_view(view) for view in views),
        keeps=tuple(document.get("keeps", ())),
        curves=tuple(document.get("curves", ())),
        differences=tuple(document.get("differences", ())),
    )


def _view(document: Mapping[str, Any]) -> View:
    options = {key: value for key, value in document.items() if key not in ("kind", "title")}
    return View(document["kind"], document["title"], options)


def _small(name: str, value: Any) -> Any:
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
