"""The command line: one small file per verb; each imports its room only when it is used."""

import contextlib
import io
import os
import sys
from collections.abc import Sequence

from grokscope.errors import GrokscopeError, NotEnoughMemoryError, is_want_of_memory, printable
from grokscope.variables import readable_variables


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command and return its exit code: 0 done, 1 failed, 2 wrong usage, 130 interrupted.

    **Arguments:**

    - `arguments`: the words that follow `grokscope`; by default, those of this process.
    """
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")  # not every terminal can write η
    try:
        with readable_variables():
            _run(sys.argv[1:] if arguments is None else arguments)
    except GrokscopeError as error:
        return _failed(error.line, error.exit_code)
    except KeyboardInterrupt:
        return _failed("interrupted", 130)
    except Exception as error:
        if is_want_of_memory(error):
            return _failed(NotEnoughMemoryError.here().line, NotEnoughMemoryError.exit_code)
        if not isinstance(error, OSError):
            raise
        # Standard output is gone, as after `| head`, or cannot be written.
        _abandon_output()
        if not isinstance(error, BrokenPipeError):
            return _failed(printable(f"{error.strerror}: {error.filename or 'the output'}"), 1)
    return 0


def _run(arguments: Sequence[str]) -> None:
    from grokscope.cli.command_line import as_called, parse

    asked = parse(arguments)
    if isinstance(asked, str):
        print(as_called(asked))
    else:
        asked.run()
    print(end="", flush=True)


def _failed(line: str, code: int) -> int:
    from grokscope.cli.command_line import as_called

    with contextlib.suppress(OSError):  # the terminal may be gone; the exit code says it, too
        print(f"grokscope: {as_called(line)}", file=sys.stderr, flush=True)
    return code


def _abandon_output() -> None:
    """Let Python, when it ends, flush into nothing."""
    with contextlib.suppress(OSError):
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
