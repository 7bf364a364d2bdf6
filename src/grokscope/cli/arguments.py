"""From the words of a command line to a verb with its arguments; errors become one line."""

import contextlib
import importlib
import io
import re
import sys
from collections.abc import Sequence
from typing import Any, Final, Protocol

import tyro

import grokscope
from grokscope.errors import UsageError

VERBS: Final[dict[str, str]] = {
    "train": "train an operation mod p to grokking, measured as it happens",
    "measure": "measure the tables in a file: FFS, FCR, Gini, IPR",
    "report": "write the page, or the figures, of one run or several",
    "runs": "list the runs in a folder",
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
    name, words = arguments[0], _normalised(arguments[1:])
    if name == "--version":
        return f"grokscope {grokscope.__version__}"
    if name not in VERBS:
        raise UsageError(
            "there is no such verb", got=name, allowed=", ".join(VERBS),
            next_step="see grokscope --help",
        )  # fmt: skip
    module = importlib.import_module(f"grokscope.cli.{name}")
    kind: Any = getattr(module, name.capitalize())
    # `train` starts from a preset, or from the run that it resumes
    starting = kind.starting(words) if name == "train" else tyro.MISSING_NONPROP
    return _parse(kind, starting, name, words)


def help_text() -> str:
    """Return what `grokscope --help` prints."""
    verbs = "\n".join(f"  {name:<10}{does}" for name, does in VERBS.items())
    return f"""usage: grokscope VERB …

A laboratory for grokking in modular arithmetic.

verbs:
{verbs}

Example: grokscope train "x^2 + y^2"
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
                config=(tyro.conf.OmitArgPrefixes, tyro.conf.FlagCreatePairsOff),
            )
    except SystemExit as stop:
        if stop.code in (0, None):
            raise
        raise UsageError(_one_line(message.getvalue(), name)) from None
    finally:
        if sys.exc_info()[0] is None:
            sys.stderr.write(message.getvalue())


def _normalised(words: Sequence[str]) -> list[str]:
    """Let an expression begin with a minus, and `--freeze` take a list with commas."""
    result: list[str] = []
    for word in words:
        if re.match(r"-[^-]", word) and word not in _HELP and not _is_number(word):
            word = f" {word}"  # a word with a space is not taken for an option
        frozen = bool(result) and result[-1] == "--freeze"
        result.extend(word.split(",") if frozen else [word])
    return result


def _is_number(word: str) -> bool:
    try:
        float(word)
    except ValueError:
        return False
    return True


def _one_line(box: str, name: str) -> str:
    """Return the text of a message that was drawn as a box, its sections split by rules."""
    sections: list[list[str]] = [[]]
    for line in box.splitlines()[1:-1]:
        text = line.strip(" │")
        if text.strip("─"):
            sections[-1].append(text)
        else:
            sections.append([])
    *told, _for_help = (" ".join(section) for section in sections)
    told = [text.replace("Argument helptext:", "allowed:") for text in told]
    return "; ".join([*told, f"see grokscope {name} --help"])
