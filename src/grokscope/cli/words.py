"""The words of a command line, sorted and checked, so that what is wrong is said in our words."""

import dataclasses
import os
import shlex
import types
import typing
from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any, Final

import tyro

from grokscope.config.validate import did_you_mean
from grokscope.errors import UsageError

_ALLOWED: Final = {
    int: "a whole number",
    float: "a number",
    Path: "a path of names with at most 255 bytes",
}
_LONGEST_NAME: Final = 255
_OPERATORS: Final = frozenset(("+", "-", "*", "/", "^", "**"))
_NAMED: Final[Any] = type(tyro.conf.arg())
"""What tyro makes of `arg(name=…)`, the mark of an option that is not called as its field."""


@dataclass(frozen=True)
class Option:
    """What an option, or the words without one, may hold."""

    name: str
    kind: Any
    """bool, int, float, str, Path or a Literal."""
    many: bool = False

    def read(self, text: str, hint: str) -> str:
        """Return a value of this kind as the parser takes it: 1e4 as 10000.

        **Raises:** `UsageError` where it is none.
        """
        if self.kind is int:
            text = _whole(text)
        if not self._fits(text):
            choices = typing.get_args(self.kind)
            raise UsageError(
                f"{self.name} is not usable",
                got=text,
                allowed=self.allowed,
                next_step=did_you_mean(text, choices) or hint,
            )
        return text

    def _fits(self, text: str) -> bool:
        if self.kind in (int, float):
            try:
                return self.kind(text) is not None
            except ValueError:
                return False
        if self.kind is Path:
            return "\0" not in text and all(
                len(os.fsencode(name)) <= _LONGEST_NAME for name in text.split("/")
            )
        choices = typing.get_args(self.kind)
        return not choices or text in choices

    @property
    def allowed(self) -> str | None:
        """The values in words; None where any text will do."""
        return ", ".join(typing.get_args(self.kind)) or _ALLOWED.get(self.kind)


@dataclass(frozen=True)
class Known:
    """What a verb takes."""

    verb: str
    options: dict[str, Option]
    plain: Option
    """The words without an option."""
    required: bool
    """Whether there must be one."""

    @property
    def help(self) -> str:
        """Where the user can read on."""
        return f"see grokscope {self.verb} --help"


@dataclass(frozen=True)
class CommandWords:
    """A command line that has been sorted."""

    plain: list[str]
    options: dict[str, list[str]]
    """Per option as it was written, its values."""

    def require(self, known: Known) -> None:
        """Raise `UsageError` where a plain word is missing."""
        if known.required and not self.plain:
            raise UsageError(f"{known.verb} needs a {known.plain.name}", next_step=known.help)

    def for_parser(self, known: Known) -> list[str]:
        """Return all words such that no value is taken for an option."""
        # a leading minus is hidden behind a space (an operation), or ./ (a file)
        cover = " " if known.plain.kind is str else "./"
        words = [f"{cover}{word}" if word.startswith("-") else word for word in self.plain]
        for name, values in self.options.items():
            scalar = values and not known.options[name].many
            words += [f"{name}={values[0]}"] if scalar else [name, *values]
        return words


def known_to(kind: type, verb: str) -> Known:
    """Return what the verb takes whose arguments are the dataclass `kind`."""
    options: dict[str, Option] = {}
    plain, field = _collect(kind, options)[0]
    return Known(verb, options, plain, required=field.default is dataclasses.MISSING)


def sort(words: Sequence[str], known: Known) -> CommandWords:
    """Tell options, their values and plain words apart, and check all of them.

    **Raises:** `UsageError` for an option that is unknown, given twice, or given a value that it
    cannot hold, and for too many plain words.
    """
    rest, found = deque(words), CommandWords([], {})
    while rest:
        word = rest.popleft()
        if word.startswith("--"):
            _take_option(word, rest, known, found)
        elif f"-{word}" in known.options:
            raise UsageError(
                "an option begins with two minus signs", got=word, next_step=f"write -{word}"
            )
        else:
            found.plain.append(word)
    _refuse_unquoted(words, known, found)
    if len(found.plain) > 1 and not known.plain.many:
        raise UsageError(
            f"{known.verb} takes one {known.plain.name}", got=found.plain[1], next_step=known.help
        )
    for word in found.plain:
        known.plain.read(word, known.help)
    return found


def _refuse_unquoted(words: Sequence[str], known: Known, found: CommandWords) -> None:
    """Raise `UsageError` where an operation was typed without quotes, so that it fell apart."""
    what = "an operation of several words stands in quotes"
    is_text = known.plain.kind is str
    if is_text and len(found.plain) > 1:
        whole = _one_operation(found.plain)
        if whole is not None:
            rest = shlex.join(word for word in words if word not in found.plain)
            raise UsageError(
                what,
                got=" ".join(found.plain),
                next_step=f'write grokscope {known.verb} "{whole}" {rest}'.rstrip(),
            )
    texts = [] if is_text and len(found.plain) == 1 else list(found.plain)
    for name, values in found.options.items():
        texts += values if known.options[name].kind is str else []
    for text in texts:
        if text in _OPERATORS:
            raise UsageError(what, got=text, next_step='write for example "x + y"')


def _one_operation(words: Sequence[str]) -> str | None:
    """Return the operation that words are together, though not each alone, or None.

    A shell may have put the names of the files here into the place of a `*`.
    """
    here = sorted(path.name for path in Path().iterdir() if not path.name.startswith("."))
    texts = [" ".join(words)]
    for start in range(1, len(words) - len(here)) if here else ():
        end = start + len(here)
        if sorted(words[start:end]) == here:
            texts.insert(0, " ".join([*words[:start], "*", *words[end:]]))
    if all(map(_is_operation, words)):
        return None
    return next(filter(_is_operation, texts), None)


def _is_operation(text: str) -> bool:
    from grokscope.tasks.grammar import read

    try:
        read(text)
    except UsageError:
        return False
    return True


def _whole(text: str) -> str:
    """Return a whole number that is written as another one, such as 1e4, as itself."""
    try:
        number = float(text)
    except ValueError:
        return text
    exact = text.strip().lstrip("+-").isdecimal()
    return str(int(number)) if number.is_integer() and not exact else text


def _take_option(word: str, rest: deque[str], known: Known, found: CommandWords) -> None:
    name, joined, value = word.partition("=")
    name = name.replace("_", "-")
    option = known.options.get(name)
    if option is None:
        meant = did_you_mean(name[2:], [key[2:] for key in known.options], "--")
        raise UsageError(
            "there is no such option",
            got=name,
            next_step=f"{meant} {known.help}" if meant else known.help,
        )
    if name in found.options:
        all_values = ", with all its values" if option.many else ""
        raise UsageError(f"{name} is given twice", next_step=f"give it once{all_values}")
    values = [value] if joined else _values(option, rest)
    if option.kind is bool and values:
        raise UsageError(f"{name} takes no value", got=value, next_step=f"write {name} alone")
    if option.kind is not bool and not values:
        raise UsageError(f"{name} needs a value", allowed=option.allowed, next_step=known.help)
    if option.many:
        values = [text for value in values for text in value.split(",")]
    operation_first = option.many and known.plain.kind is str and not found.plain
    hint = f"the operation stands before {name}" if operation_first else known.help
    found.options[name] = [option.read(text, hint) for text in values]


def _values(option: Option, rest: deque[str]) -> list[str]:
    values: list[str] = []
    most = len(rest) if option.many else int(option.kind is not bool)
    while rest and len(values) < most and not rest[0].startswith("--"):
        values.append(rest.popleft())
    return values


def _collect(kind: type, options: dict[str, Option]) -> list[tuple[Option, dataclasses.Field[Any]]]:
    """Add the options of `kind` and of the dataclasses in it; return what stands without one."""
    plain: list[tuple[Option, dataclasses.Field[Any]]] = []
    hints = typing.get_type_hints(kind, include_extras=True)
    for field in dataclasses.fields(kind):
        hint, marks = hints[field.name], []
        if typing.get_origin(hint) is Annotated:
            hint, *marks = typing.get_args(hint)
        option = _option(f"--{_name(field.name, marks)}", hint)
        if dataclasses.is_dataclass(hint):
            plain += _collect(typing.cast(type, hint), options)
        elif tyro.conf.Positional in marks:
            name = field.name.removesuffix("s")
            plain.append((dataclasses.replace(option, name=name), field))
        elif tyro.conf.Suppress not in marks:
            options[option.name] = option
            if option.kind is bool and tyro.conf.FlagCreatePairsOff not in marks:
                options[f"--no-{option.name[2:]}"] = option
    return plain


def _name(field: str, marks: list[Any]) -> str:
    """Return what an option is called: as its `arg(name=…)` says, or else as its field."""
    given = [mark.name for mark in marks if isinstance(mark, _NAMED) and mark.name]
    return given[0] if given else field.replace("_", "-")


def _option(name: str, hint: Any) -> Option:
    """Return the option of one field: `int | None` holds an int, `tuple[int, ...]` many."""
    if typing.get_origin(hint) is types.UnionType:
        hint = next(part for part in typing.get_args(hint) if part is not type(None))
    if typing.get_origin(hint) is tuple:
        return Option(name, typing.get_args(hint)[0], many=True)
    return Option(name, hint)
