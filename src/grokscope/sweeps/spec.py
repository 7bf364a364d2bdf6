"""The description of a sweep: which runs it has. Read from TOML; nothing in it is executed."""

import codecs
import itertools
import json
import math
import re
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any, Final, Literal, get_args

from grokscope.config.run import RunConfig, configure
from grokscope.config.validate import SETS_OF_PARTS, check_choice, did_you_mean, plain_value
from grokscope.disk.atomic import path_in_words, read_bytes
from grokscope.errors import UsageError
from grokscope.runner.check import check
from grokscope.runner.identity import canonical
from grokscope.sweeps.axis import LARGEST_SWEEP, Axis, label_of, read_axis, settable
from grokscope.sweeps.job import Job, job_of


def to_toml(document: Mapping[str, Any]) -> str:
    """Return text that `tomllib` reads as `document`: tables of plain values, lists and tables.

    **Arguments:**

    - `document`: texts, numbers, booleans, and lists and tables of them.
    """
    plain = {k: v for k, v in document.items() if not _has_section(v)}
    lines = [f"{_key(k)} = {_value(v)}" for k, v in plain.items()]
    for name in (k for k in document if k not in plain):
        content = document[name]
        tables = [content] if isinstance(content, Mapping) else content
        head = f"[{_key(name)}]" if isinstance(content, Mapping) else f"[[{_key(name)}]]"
        for table in tables:
            lines += ["", head, *(f"{_key(k)} = {_value(v)}" for k, v in table.items())]
    return "\n".join(lines).strip() + "\n"


def _has_section(value: Any) -> bool:
    tables = isinstance(value, list | tuple) and all(isinstance(v, Mapping) for v in value)
    return isinstance(value, Mapping) or (tables and len(value) > 0)


def _value(value: Any) -> str:
    if isinstance(value, Mapping):
        return f"{{ {', '.join(f'{_key(k)} = {_value(v)}' for k, v in value.items())} }}"
    if isinstance(value, list | tuple | range):
        return f"[{', '.join(map(_value, value))}]"
    if isinstance(value, str):
        return _text(value)
    return str(value).lower() if isinstance(value, bool) else repr(value)


def _key(name: str) -> str:
    return name if re.fullmatch(r"[A-Za-z0-9_-]+", name) else _text(name)


def _text(value: str) -> str:
    # JSON's strings are TOML's, but for one control character that JSON leaves as it is.
    return json.dumps(value, ensure_ascii=False).replace("\x7f", "\\u007f")


_INSTEAD: Final = ("expressions", "seeds")
"""Settings that have another name here."""
_DEFAULTS: Final = RunConfig().settings()
KNOWN: Final = ("operation", "seed", "preset", *sorted(_DEFAULTS.keys() - set(_INSTEAD)))


def require_known_settings(name: str) -> None:
    """Raise `UsageError` unless `name` is a setting."""
    if name in KNOWN:
        return
    meant = did_you_mean(name, KNOWN)
    hint = "all settings are in grokscope train --help"
    raise UsageError(
        "the sweep has an unknown setting", got=name, next_step=f"{meant} {hint}" if meant else hint
    )


def prepared_value(chosen: Mapping[str, Any]) -> tuple[tuple[str, ...], str, dict[str, Any]]:
    """Return expressions, preset and the other settings, as `configure` takes them.

    **Raises:** `UsageError` for a value of the wrong kind that `configure` does not notice, and
    where there is no operation.
    """
    rest = dict(chosen)
    if "operation" not in rest:
        raise UsageError(
            "a run of the sweep has no operation", next_step="give every table of its axis one"
        )
    operation, preset = rest.pop("operation"), rest.pop("preset", "paper")
    seed = rest.pop("seed", 0)
    return _texts(operation), preset, {**rest, "seeds": (seed,)}


def same_value(name: str, value: Any) -> Any:
    """Return what is equal for equal settings: `x+y` and `x + y`, 1 and 1.0, parts in any order."""
    if name == "operation":
        return tuple(canonical(text) for text in _texts(value))
    if name in SETS_OF_PARTS and isinstance(value, tuple):
        return tuple(sorted(value, key=str))
    return (isinstance(value, bool), value)


def _texts(operation: Any) -> tuple[str, ...]:
    texts = operation if isinstance(operation, tuple) else (operation,)
    if not texts or not all(isinstance(text, str) for text in texts):
        raise UsageError(
            "an operation is not usable",
            got=operation,
            allowed="a text, or for a mixture a list of texts",
        )
    return tuple(text.strip() for text in texts)


Mode = Literal["product", "zip"]
_PARTS: Final = ("axes", "fixed", "mode", "exclude")
_LARGEST_FILE: Final = 1_000_000
_BYTE_ORDER_MARK: Final = "\ufeff"
"""What Notepad, for one, writes before the text."""
_SHOWN: Final = 8
"""Values that an error lists."""
_EXAMPLE: Final = 'for example operation = ["x + y", "x*y"] under [axes]'


@dataclass(frozen=True)
class Point:
    """One run of a sweep, and where it stands on each axis.

    **Arguments:**

    - `job`: what to train.
    - `labels`: per axis, the label of its value.
    """

    job: Job
    labels: Mapping[str, str]


@dataclass(frozen=True)
class Spec:
    """Which runs a sweep has; made by `from_dict`, `from_toml` or `from_file`.

    **Arguments:**

    - `axes`: see `Axis`.
    - `fixed`: settings that all runs share, the stopping rule among them.
    - `mode`: every combination of the axes' values, or the first of each, the second of each, …
    - `exclude`: a combination is left out where all values of one of these tables match.
    - `text`: the description as TOML.
    """

    axes: tuple[Axis, ...]
    fixed: Mapping[str, Any]
    mode: Mode = "product"
    exclude: tuple[Mapping[str, Any], ...] = ()
    text: str = field(default="", compare=False)

    @classmethod
    def from_dict(cls, document: Mapping[str, Any], text: str | None = None) -> "Spec":
        """Return the sweep that a table with `axes`, `fixed`, `mode` and `exclude` describes.

        **Raises:** `UsageError` in one line for whatever is wrong with it.
        """
        if not isinstance(document, Mapping):
            raise UsageError(
                "a sweep is not usable",
                got=document,
                allowed="the path of a TOML file, or a table such as"
                ' {"axes": {"seed": [0, 1]}, "fixed": {"operation": "x + y"}}',
            )
        document = plain_value(document)
        for name in document.keys() - set(_PARTS):
            raise UsageError(
                "the sweep has an unknown part",
                got=name,
                allowed=", ".join(_PARTS),
                next_step=_misplaced(name),
            )
        axes = tuple(read_axis(*item) for item in _table(document, "axes").items())
        fixed = {name: settable(name, v) for name, v in _table(document, "fixed").items()}
        mode = document.get("mode", "product")
        check_choice("the mode", mode, get_args(Mode))
        exclude = _tables(document.get("exclude", []))
        spec = cls(axes, fixed, mode, exclude, to_toml(document) if text is None else text)
        spec._check_names()
        return spec

    @classmethod
    def from_toml(cls, text: str, name: str = "the sweep") -> "Spec":
        """Return the sweep that TOML text describes; raises `UsageError`."""
        try:
            text = text.removeprefix(_BYTE_ORDER_MARK)
            document = tomllib.loads(text)
        except (tomllib.TOMLDecodeError, RecursionError) as error:
            raise UsageError(
                f"{name} is not TOML",
                got=str(error) or "it is nested too deeply",
                next_step=_EXAMPLE,
            ) from error
        return cls.from_dict(document, text)

    @classmethod
    def from_file(cls, path: Path) -> "Spec":
        """Return the sweep that a TOML file describes; raises `UsageError`."""
        data = read_bytes(path, _LARGEST_FILE + 1)
        if len(data) > _LARGEST_FILE:
            raise UsageError(
                f"{path_in_words(path)} is too large for a sweep",
                allowed=f"up to {_LARGEST_FILE} bytes",
                next_step="write long lists as ranges",
            )
        try:
            text = data.decode()
        except UnicodeDecodeError as error:
            if data.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
                raise UsageError(
                    f"{path_in_words(path)} is text in UTF-16 or UTF-32",
                    allowed="TOML in UTF-8",
                    next_step="save it with the encoding UTF-8",
                ) from error
            raise UsageError(
                f"{path_in_words(path)} is not text", allowed="TOML in UTF-8"
            ) from error
        return cls.from_toml(text, path_in_words(path))

    def jobs(self) -> list[Job]:
        """Return the runs in their order; raises as `points`."""
        return [point.job for point in self.points]

    @cached_property
    def points(self) -> list[Point]:
        """The runs in their order, with their places on the axes.

        **Raises:** `UsageError` where a combination cannot be trained, where two are the same
        run, and where there are none or too many.
        """
        self._check_count()
        found: dict[str, Point] = {}
        checked: set[Any] = set()
        for choice in self._choices():
            point = self._point(choice, checked)
            if point is not None and found.setdefault(point.job.name, point) is not point:
                raise UsageError(
                    "two combinations are the same run",
                    got=point.job.name,
                    allowed="each run once; steps alone do not make another run",
                    next_step="see the axes",
                )
        if not found:
            raise UsageError("the sweep has no runs: everything is excluded")
        return list(found.values())

    @property
    def n_excluded(self) -> int:
        """How many combinations the exclusions leave out."""
        return self._n_choices - len(self.points)

    def _choices(self) -> Any:
        """Give, for each combination, the number of the value on every axis."""
        numbers = [range(len(axis)) for axis in self.axes]
        if self.mode == "zip" and numbers:
            return zip(*numbers, strict=True)
        return itertools.product(*numbers)

    @property
    def _n_choices(self) -> int:
        sizes = [len(axis) for axis in self.axes]
        return max(sizes, default=1) if self.mode == "zip" else math.prod(sizes)

    def _check_count(self) -> None:
        if self.mode == "zip" and len({len(axis) for axis in self.axes}) > 1:
            got = ", ".join(f"{axis.name} {len(axis)}" for axis in self.axes)
            raise UsageError(
                "axes that are zipped have as many values each",
                got=got,
                next_step='for every combination, mode = "product"',
            )
        if self._n_choices > LARGEST_SWEEP:
            raise UsageError(
                "the sweep has too many runs", got=self._n_choices, allowed=f"1 to {LARGEST_SWEEP}"
            )

    def _point(self, choice: tuple[int, ...], checked: set[Any]) -> Point | None:
        """Return one run, or None where it is excluded."""
        chosen = dict(self.fixed)
        labels = {}
        for axis, i in zip(self.axes, choice, strict=True):
            chosen |= axis.values[i]
            labels[axis.name] = axis.labels[i]
        if any(_matches(table, chosen, labels) for table in self.exclude):
            return None
        expressions, preset, rest = prepared_value(chosen)
        config = configure(expressions, preset, **rest)
        # Seeds, learning rates and so on change nothing about whether a task can be trained.
        task = (config.task, config.optimizer.batch_size)
        if task not in checked:
            check(config)
            checked.add(task)
        return Point(job_of(config), labels)

    def _check_names(self) -> None:
        """Raise `UsageError` for a setting that is unknown, given twice, or missing."""
        seen = set(self.fixed)
        for name in self.fixed:
            require_known_settings(name)
        for axis in self.axes:
            names = {name for value in axis.values for name in value}
            for name in sorted(names):
                require_known_settings(name)
                if name in seen:
                    raise UsageError(
                        "a setting is given twice", got=name, allowed="one axis, or [fixed]"
                    )
            _refuse_repeated(axis)
            seen |= names
        if "operation" not in seen:
            raise UsageError("the sweep has no operation", next_step=_EXAMPLE)
        for name in {name for table in self.exclude for name in table} - seen:
            if name not in {axis.name for axis in self.axes}:
                raise UsageError(
                    "an exclusion names what the sweep does not set",
                    got=name,
                    allowed=", ".join(sorted(seen)),
                )
        for table in self.exclude:
            for name, value in table.items():
                self._check_excluded(name, value)

    def _check_excluded(self, name: str, value: Any) -> None:
        """Raise `UsageError` where no run has a value that an exclusion names."""
        pairs = [
            (axis.name, *pair)
            for axis in self.axes
            for pair in zip(axis.values, axis.labels, strict=True)
        ]
        held = [self.fixed[name]] if name in self.fixed else []
        held += [values[name] for _, values, _ in pairs if name in values]
        labels = [label for axis, values, label in pairs if axis == name and name not in values]
        if value not in labels and same_value(name, value) not in [
            same_value(name, one) for one in held
        ]:
            known = [*map(label_of, held), *labels]
            some = "; ".join(known[:_SHOWN])
            raise UsageError(
                f"an exclusion has a value of {name} that no run has",
                got=label_of(value),
                allowed=f"{some}{'; …' if len(known) > _SHOWN else ''}",
            )


def _misplaced(name: str) -> str | None:
    """Say where a setting belongs that stands outside of all tables."""
    return f"{name} stands under [axes] or [fixed]" if name in KNOWN else did_you_mean(name, _PARTS)


def _table(document: Mapping[str, Any], name: str) -> Mapping[str, Any]:
    table = document.get(name, {})
    if not isinstance(table, Mapping):
        raise UsageError(f"{name} is not usable", got=str(table), allowed=f"a table, [{name}]")
    return table


def _tables(tables: Any) -> tuple[Mapping[str, Any], ...]:
    listed = isinstance(tables, list | tuple)
    if not listed or not all(isinstance(table, Mapping) and table for table in tables):
        raise UsageError(
            "exclude is not usable", got=str(tables), allowed="tables, each under [[exclude]]"
        )
    return tuple({name: settable(name, v) for name, v in table.items()} for table in tables)


def _refuse_repeated(axis: Axis) -> None:
    """Raise `UsageError` where a plain axis has a value twice; of tables their runs tell it."""
    if any(value.keys() != {axis.name} for value in axis.values):
        return
    seen = set()
    for value, label in zip(axis.values, axis.labels, strict=True):
        key = same_value(axis.name, value[axis.name])
        if key in seen:
            raise UsageError(
                f"the axis {axis.name} has a value twice", got=label, allowed="each value once"
            )
        seen.add(key)


def _matches(
    table: Mapping[str, Any], chosen: Mapping[str, Any], labels: Mapping[str, str]
) -> bool:
    """Whether every value of an exclusion is that of the combination."""
    return all(
        same_value(name, chosen[name]) == same_value(name, value)
        if name in chosen
        else labels.get(name) == value
        for name, value in table.items()
    )
