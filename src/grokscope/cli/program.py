"""How this program was called, so that the commands it names can be typed as they stand."""

import re
import shlex
import shutil
import sys
from pathlib import Path
from typing import Final

from grokscope.cli.arguments import VERBS

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
