"""What a verb takes, read from its dataclass: its options, the values they hold, and its help.

The first field of a verb is what stands without an option; the others, and those of the
dataclasses in it, are options of their names. A text in `Annotated` is how the help shows an
option: what it takes (`"DIR"`), or its name, too, where that is not the field's (`"--from RUN"`).
"""

import ast
import dataclasses
import functools
import inspect
import itertools
import os
import textwrap
import types
import typing
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any, Final

from grokscope.config.validate import did_you_mean
from grokscope.errors import UsageError

_ALLOWED: Final = {
    int: "a whole number",
    float: "a number",
    Path: "a path of names with at most 255 bytes",
}
_TAKES: Final = {int: "N", float: "X", str: "TEXT", Path: "PATH"}
_LONGEST_NAME: Final = 255
_INDENT: Final = 25
"""Columns of the help that are for the names of options."""


@dataclass(frozen=True)
class Option:
    """An option of a verb, or the words without one."""

    owner: type
    """The dataclass of the field."""
    field: str
    name: str
    """As it is written, `--train-fraction`; of the words without one, what each of them is."""
    kind: Any
    """bool, int, float, str, Path or a Literal."""
    many: bool
    shown: str
    """As the help shows it, with what it takes."""
    default: Any

    def read(self, text: str, hint: str) -> Any:
        """Return the value that a text stands for: the whole number 10000 for 1e4.

        **Raises:** `UsageError` where it is none of this kind; `hint` is the next step then.
        """
        choices = typing.get_args(self.kind)
        try:
            if text in choices:
                return text
            if not choices:
                return _READERS[self.kind](text)
        except ValueError:
            pass
        raise UsageError(
            f"{self.name} is not usable",
            got=text,
            allowed=self.allowed,
            next_step=did_you_mean(text, choices) or hint,
        )

    @property
    def allowed(self) -> str | None:
        """The values in words; None where any text will do."""
        return ", ".join(typing.get_args(self.kind)) or _ALLOWED.get(self.kind)

    @property
    def sentences(self) -> str:
        """The sentences under its field."""
        return _sentences(self.owner)[self.field]

    @property
    def starts_as(self) -> str:
        """What it is where it is not given; nothing where that says nothing."""
        if self.default in (dataclasses.MISSING, None, "", ()) or self.default is False:
            return ""
        if self.default is True:
            return "on"
        many = self.default if isinstance(self.default, tuple) else (self.default,)
        return " ".join(map(str, many))

    @property
    def about(self) -> str:
        """Its sentences, and what it is where it is not given."""
        return f"{self.sentences} (default: {self.starts_as})" if self.starts_as else self.sentences


def _whole_number(text: str) -> int:
    try:
        return int(text)
    except ValueError:
        number = float(text)
        if not number.is_integer():
            raise
        return int(number)


def _path(text: str) -> Path:
    if "\0" in text or any(len(os.fsencode(name)) > _LONGEST_NAME for name in text.split("/")):
        raise ValueError(text)
    return Path(text)


_READERS: Final[dict[Any, Any]] = {int: _whole_number, float: float, str: str, Path: _path}


@dataclass(frozen=True)
class Takes:
    """What a verb takes."""

    verb: str
    kind: Any
    """The dataclass of its arguments."""
    plain: Option
    """The words without an option."""
    options: dict[str, Option]
    """By how they are written; a switch that can be on by default stands twice, with --no-."""

    @classmethod
    def of(cls, verb: str, kind: Any, starting: Any = None) -> "Takes":
        """Read the dataclass of a verb; defaults are those of `starting` where it is given."""
        plain, *rest = _options(kind, starting)
        options = {}
        for option in rest:
            if option.field == plain.field:
                continue  # a setting that the words without an option are for
            options[option.name] = option
            if " " in option.shown and option.kind is bool:
                options[f"--no-{option.name[2:]}"] = option
        name, shown = plain.field.removesuffix("s"), plain.shown.partition(" ")[2]
        return cls(verb, kind, dataclasses.replace(plain, name=name, shown=shown), options)

    @property
    def hint(self) -> str:
        """Where the user can read on."""
        return f"see grokscope {self.verb} --help"

    def make(self, given: dict[str, Any], starting: Any = None) -> Any:
        """Return the verb with its arguments, by field; all others are those of `starting`."""
        if self.plain.field not in given and self.plain.default is dataclasses.MISSING:
            raise UsageError(f"{self.verb} needs a {self.plain.name}", next_step=self.hint)
        return _make(self.kind, starting, given)

    def help(self, width: int) -> str:
        """Return the text of --help for a terminal of that many columns."""
        lines = [f"usage: {self.usage}"]
        for paragraph in self.paragraphs:
            example = paragraph.startswith("Example: ")  # to be copied in one piece
            lines += [
                "",
                paragraph if example else textwrap.fill(" ".join(paragraph.split()), width),
            ]
        lines += ["", *_row(self.plain.shown, self.plain.about, width)]
        for title, options in self.groups():
            lines += ["", _fill(f"{title}:", width)]
            for option in options:
                lines += _row(option.shown, option.about, width)
        return "\n".join(lines)

    @property
    def usage(self) -> str:
        """The command in short."""
        needed = self.plain.default is dataclasses.MISSING or self.plain.many
        shown = self.plain.shown if needed else f"[{self.plain.shown}]"
        return f"grokscope {self.verb} {shown} [OPTIONS]"

    @property
    def paragraphs(self) -> list[str]:
        """What the verb does, in words; examples begin with `Example: `."""
        return (inspect.getdoc(self.kind) or "").split("\n\n")

    def groups(self) -> list[tuple[str, list[Option]]]:
        """Return the options, each once, with what they have in common."""
        groups: dict[type, dict[str, Option]] = {self.kind: {}}
        for option in self.options.values():
            groups.setdefault(option.owner, {})[option.field] = option
        titles = {self.kind: "Options"}
        return [
            (titles.get(owner) or _first_line(owner), list(options.values()))
            for owner, options in groups.items()
        ]


def _first_line(kind: type) -> str:
    return (inspect.getdoc(kind) or "").splitlines()[0].removesuffix(".")


def _fill(text: str, width: int) -> str:
    return textwrap.fill(" ".join(text.split()), width, break_on_hyphens=False)


def _row(shown: str, about: str, width: int) -> list[str]:
    """Return the lines about an option: its name on the left, sentences on the right."""
    right = textwrap.wrap(about, max(20, width - _INDENT), break_on_hyphens=False)
    left = f"  {shown}"
    if len(left) + 2 > _INDENT:
        return [left, *(" " * _INDENT + line for line in right)]
    lefts = itertools.chain([left], itertools.repeat(""))
    return [f"{name:<{_INDENT}}{line}" for name, line in zip(lefts, right, strict=False)]


def _is_section(default: Any) -> bool:
    return dataclasses.is_dataclass(default) and not isinstance(default, type)


def _options(kind: Any, starting: Any, *, nested: bool = False) -> Iterator[Option]:
    """Yield an option for every field, and then for those of every dataclass in it."""
    hints, sections = typing.get_type_hints(kind, include_extras=True), []
    for field in dataclasses.fields(kind):
        default = _default(field, starting)
        if _is_section(default):
            sections.append(default)
        else:
            yield _option(kind, field.name, hints[field.name], default, nested)
    for section in sections:
        yield from _options(type(section), section, nested=True)


def _default(field: "dataclasses.Field[Any]", starting: Any) -> Any:
    if starting is not None:
        return getattr(starting, field.name)
    make = field.default_factory
    return field.default if make is dataclasses.MISSING else make()


def _option(owner: type, field: str, hint: Any, default: Any, nested: bool) -> Option:
    """Return the option of one field: `int | None` holds an int, `tuple[int, ...]` many."""
    name, takes = f"--{field.replace('_', '-')}", ""
    if typing.get_origin(hint) is Annotated:
        hint, takes = typing.get_args(hint)
    if takes.startswith("--"):
        name, _, takes = takes.partition(" ")
    if typing.get_origin(hint) is types.UnionType:
        hint = next(part for part in typing.get_args(hint) if part is not types.NoneType)
    many = typing.get_origin(hint) is tuple
    kind = typing.get_args(hint)[0] if many else hint
    if kind is bool:
        # a setting may be on in a preset, or in the run that is resumed
        off = f", --no-{name[2:]}" if default is True or nested else ""
        return Option(owner, field, name, bool, False, f"{name}{off}", default)
    choices = "{" + ",".join(typing.get_args(kind)) + "}"
    takes = takes or _TAKES.get(kind, choices) + " …" * many
    return Option(owner, field, name, kind, many, f"{name} {takes}", default)


def _make(kind: Any, starting: Any, given: dict[str, Any]) -> Any:
    own = {}
    for field in dataclasses.fields(kind):
        default = _default(field, starting)
        if _is_section(default):
            own[field.name] = _make(type(default), default, given)
        elif field.name in given:
            own[field.name] = given[field.name]
    return kind(**own) if starting is None else dataclasses.replace(starting, **own)


@functools.cache
def _sentences(kind: type) -> dict[str, str]:
    """Return what is written under the fields of a dataclass, which Python does not keep."""
    (tree,) = ast.parse(inspect.getsource(kind)).body
    found: dict[str, str] = {}
    for pair in itertools.pairwise(getattr(tree, "body", ())):
        match pair:
            case (
                ast.AnnAssign(target=ast.Name(id=name)),
                ast.Expr(value=ast.Constant(value=str(text))),
            ):
                found[name] = " ".join(text.split())
            case _:
                pass
    return found
