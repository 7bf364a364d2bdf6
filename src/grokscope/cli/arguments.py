"""From the words of a command line to a verb with its arguments, and how it was called."""

import contextlib
import importlib
import io
import re
import shlex
import shutil
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Final, Protocol

import tyro

import grokscope
from grokscope.cli.words import known_to, sort
from grokscope.config.validate import did_you_mean
from grokscope.errors import UsageError

VERBS: Final[dict[str, str]] = {
    "train": "train an operation mod p to grokking, measured as it happens",
    "measure": "measure the tables in a file: FFS, FCR, Gini, IPR",
    "structure": "say which group an operation is addition in",
    "explain": "read out the algorithm that a network found, with causal evidence",
    "report": "write the page, or the figures, of one run or several",
    "runs": "list the runs in a folder",
    "sweep": "train many runs from one description, resumable at any time",
    "reproduce": "make a table or figure of the paper again",
}
"""Every verb, in the module of its name as the class of its name, and what it does."""

_HELP: Final = ("-h", "--help")


class Verb(Protocol):
    """The arguments of a verb, as a frozen dataclass that can run."""

    def run(self) -> None:
        """Do it."""
        ...


def parse(arguments: Sequence[str]) -> Verb | str:
    """Return the verb that a command line asks for, or text to print and be done.

    **Raises:** `UsageError` for a command line that cannot be understood; `SystemExit(0)` after
    the help of a verb.
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
    module = importlib.import_module(f"grokscope.cli.{name}")
    kind: Any = getattr(module, name.capitalize())
    known = known_to(kind, name)
    given = sort([word for word in words if word not in _HELP], known)
    # `train` starts from a preset, or from the run that it resumes
    starting = kind.starting(given.options) if name == "train" else tyro.MISSING_NONPROP
    if not set(words).isdisjoint(_HELP):
        return _parse(kind, starting, name, ["--help"])
    given.require(known)
    return _parse(kind, starting, name, given.for_parser(known))


def help_text() -> str:
    """Return what `grokscope --help` prints."""
    verbs = "\n".join(f"  {name:<10}{does}" for name, does in VERBS.items())
    return f"""usage: grokscope VERB …

A laboratory for grokking in modular arithmetic.

verbs:
{verbs}

Example: grokscope train "x*y" --preset quick
Every verb explains itself: grokscope train --help"""


def _parse(kind: Any, starting: Any, name: str, words: list[str]) -> Verb:
    message = io.StringIO()
    try:
        with contextlib.redirect_stderr(message):
            return tyro.cli(
                kind,
                prog=f"grokscope {name}",
                default=starting,
                args=words,
                config=(tyro.conf.OmitArgPrefixes, tyro.conf.DisallowNone),
            )
    except SystemExit as stop:
        if stop.code in (0, None):
            raise
        told = " ".join(message.getvalue().translate(str.maketrans("╭─╮│╰╯", " " * 6)).split())
        raise UsageError(told, next_step=f"see grokscope {name} --help") from None


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
