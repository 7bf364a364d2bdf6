"""From the words of a command line to a verb with its arguments, or to one line about a mistake."""

import importlib
import keyword
import re
import shlex
import shutil
import sys
from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final, Protocol

import grokscope
from grokscope.cli.options import Option, Takes
from grokscope.config.validate import did_you_mean
from grokscope.errors import UsageError

VERBS: Final[dict[str, str]] = {
    "train": "train an operation mod p to grokking, measured as it happens",
    "measure": "measure the tables in a file: FFS, KFS, FCR, Gini, IPR",
    "structure": "say which group an operation is addition in",
    "explain": "read out the algorithm that a network found, with causal evidence",
    "report": "write the page, or the figures, of one run or several",
    "runs": "list the runs in a folder",
    "explore": "look at runs in motion, in a browser, or write one page of a run",
    "sweep": "train many runs from one description, resumable at any time",
    "reproduce": "make a table or figure of the paper again",
    "export": "write a network for TransformerLens, PyTorch or others",
    "import": "make a run folder of a network that somebody else trained",
    "validate": "explain networks whose answers are known, and compare",
}
"""Every verb, in the module of its name as the class of its name, and what it does."""

_HELP: Final = ("-h", "--help")
_WIDEST_HELP: Final = 100
_OPERATORS: Final = frozenset(("+", "-", "*", "/", "^", "**"))


class Verb(Protocol):
    """The arguments of a verb, as a frozen dataclass that can run."""

    def run(self) -> None:
        """Do it."""
        ...


def parse(arguments: Sequence[str]) -> Verb | str:
    """Return the verb that a command line asks for, or text to print and be done.

    **Raises:** `UsageError` for a command line that cannot be understood.
    """
    if not arguments or arguments[0] in _HELP:
        return help_text()
    name, *words = arguments
    if name == "--version":
        return f"grokscope {grokscope.__version__}"
    if name not in VERBS:
        raise UsageError(
            "there is no such verb",
            got=name,
            allowed=", ".join(VERBS),
            next_step=did_you_mean(name, VERBS) or "see grokscope --help",
        )
    kind = verb_class(name)
    takes = Takes.of(name, kind)
    given = _sort([word for word in words if word not in _HELP], takes)
    # `train` starts from a preset, or from the run that it resumes
    starting = kind.starting(given) if name == "train" else None
    if not set(words).isdisjoint(_HELP):
        width = min(_WIDEST_HELP, shutil.get_terminal_size().columns)
        return Takes.of(name, kind, starting).help(width)
    return takes.make(given, starting)


def verb_class(name: str) -> Any:
    """Return the dataclass of a verb's arguments."""
    module = f"{name}_" if keyword.iskeyword(name) else name
    return getattr(importlib.import_module(f"grokscope.cli.{module}"), name.capitalize())


def help_text() -> str:
    """Return what `grokscope --help` prints."""
    verbs = "\n".join(f"  {name:<10}{does}" for name, does in VERBS.items())
    return f"""usage: grokscope VERB …

A laboratory for grokking in modular arithmetic.

verbs:
{verbs}

Example: grokscope train "x*y" --preset quick
Every verb explains itself: grokscope train --help"""


@dataclass(frozen=True)
class _Sorted:
    """The words of a command line."""

    plain: list[str] = field(default_factory=list)
    options: dict[str, list[str]] = field(default_factory=dict)
    """Per option as it is written, its values."""


def _sort(words: Sequence[str], takes: Takes) -> dict[str, Any]:
    """Tell options, their values and plain words apart; return what they say, by field.

    **Raises:** `UsageError` for an option that is unknown, given twice, or given a value that it
    cannot hold, and for too many plain words.
    """
    rest, found, given = deque(words), _Sorted(), {}
    while rest:
        word = rest.popleft()
        if word.startswith("--"):
            _take_option(word, rest, takes, found, given)
        elif f"-{word}" in takes.options:
            raise UsageError(
                "an option begins with two minus signs", got=word, next_step=f"write -{word}"
            )
        else:
            found.plain.append(word)
    _refuse_unquoted(words, takes, found)
    plain = takes.plain
    if len(found.plain) > 1 and not plain.many:
        raise UsageError(
            f"{takes.verb} takes one {plain.name}", got=found.plain[1], next_step=takes.hint
        )
    words = [word.strip() for word in found.plain] if plain.kind is str else found.plain
    values = [plain.read(word, takes.hint) for word in words]
    if values:
        given[plain.field] = tuple(values) if plain.many else values[0]
    return given


def _take_option(
    word: str, rest: deque[str], takes: Takes, found: _Sorted, given: dict[str, Any]
) -> None:
    name, joined, value = word.partition("=")
    name = name.replace("_", "-")
    option = takes.options.get(name)
    if option is None:
        meant = did_you_mean(name[2:], [key[2:] for key in takes.options], "--")
        raise UsageError(
            "there is no such option",
            got=name,
            next_step=f"{meant} {takes.hint}" if meant else takes.hint,
        )
    if name in found.options:
        all_values = ", with all its values" if option.many else ""
        raise UsageError(f"{name} is given twice", next_step=f"give it once{all_values}")
    values = [value] if joined else _values(option, rest)
    found.options[name] = values
    if option.kind is bool:
        if values:
            raise UsageError(f"{name} takes no value", got=value, next_step=f"write {name} alone")
        given[option.field] = name == option.name
        return
    if not values:
        raise UsageError(f"{name} needs a value", allowed=option.allowed, next_step=takes.hint)
    if option.many:
        values = [text for value in values for text in value.split(",")]
    operation_first = option.many and takes.plain.kind is str and not found.plain
    hint = f"the operation stands before {name}" if operation_first else takes.hint
    read = [option.read(text, hint) for text in values]
    given[option.field] = tuple(read) if option.many else read[0]


def _values(option: Option, rest: deque[str]) -> list[str]:
    values: list[str] = []
    most = len(rest) if option.many else int(option.kind is not bool)
    while rest and len(values) < most and not rest[0].startswith("--"):
        values.append(rest.popleft())
    return values


def _refuse_unquoted(words: Sequence[str], takes: Takes, found: _Sorted) -> None:
    """Raise `UsageError` where an operation was typed without quotes, so that it fell apart."""
    what = "an operation of several words stands in quotes"
    is_text = takes.plain.kind is str
    if is_text and len(found.plain) > 1:
        whole = _one_operation(found.plain)
        if whole is not None:
            rest = shlex.join(word for word in words if word not in found.plain)
            raise UsageError(
                what,
                got=" ".join(found.plain),
                next_step=f'write grokscope {takes.verb} "{whole}" {rest}'.rstrip(),
            )
    texts = [] if is_text and len(found.plain) == 1 else list(found.plain)
    for name, values in found.options.items():
        texts += values if takes.options[name].kind is str else []
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


NAME: Final = "grokscope"
_COMMAND: Final = re.compile(rf"\b{NAME} (?=(?:{'|'.join(VERBS)}|--help)\b)")


def program() -> str:
    """Return what to type to run this program: `grokscope`, or its path where that is not found.

    A program in the virtual environment of a project is not found by its name alone until the
    environment is activated.
    """
    called = Path(sys.argv[0])
    if called.name == "__main__.py" and called.parent.name == NAME:
        return f"{Path(sys.executable).name} -m {NAME}"
    if called.stem != NAME or not called.is_file():
        return NAME
    found = shutil.which(NAME)
    if found is not None and Path(found).resolve() == called.resolve():
        return NAME
    return shlex.quote(str(called))


def as_called(text: str) -> str:
    """Return `text` with every command of ours written as this program was called.

    For instance `grokscope explain runs/demo` becomes `.venv/bin/grokscope explain runs/demo`.
    """
    typed = program()
    return _COMMAND.sub(lambda _: f"{typed} ", text)
