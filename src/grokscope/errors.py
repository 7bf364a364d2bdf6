"""Errors that a user can act on: each is one line that says what, got, allowed and what to do."""

import re
from collections.abc import Callable

from grokscope.spelling import in_python

_LONGEST_QUOTE = 60


def printable(text: str) -> str:
    """Return `text` on one line, with control characters written out, as in `\\n`."""
    return "".join(c if c.isprintable() else repr(c)[1:-1] for c in text)


def quote(value: object) -> str:
    """Return `value` on one line, without control characters, shortened to 60 characters."""
    text = printable(value if isinstance(value, str) else repr(value))
    if len(text) > _LONGEST_QUOTE:
        text = f"{text[: _LONGEST_QUOTE - 1]}…"
    return f"'{text}'" if isinstance(value, str) else text


class GrokscopeError(Exception):
    """Base of all errors that the command line shows as one line instead of a traceback.

    What to type is said as on a command line; `str` spells it for Python, `line` does not.

    **Arguments:**

    - `what`: what is wrong, as a short clause.
    - `got`: the offending value; it is shortened and stripped of control characters.
    - `allowed`: what would have been accepted.
    - `next_step`: what the user can do or type now.
    """

    exit_code = 1

    def __init__(
        self,
        what: str,
        *,
        got: object = None,
        allowed: str | None = None,
        next_step: str | None = None,
    ) -> None:
        self.what = what
        self.got = got
        self.allowed = allowed
        self.next_step = next_step
        super().__init__(self.line)

    def __str__(self) -> str:
        return self._spelled(in_python)

    @property
    def line(self) -> str:
        """The error as the command line says it."""
        return self._spelled(lambda text: text)

    def _spelled(self, spell: Callable[[str], str]) -> str:
        parts = [spell(self.what)]
        if self.got is not None:  # the user's own words
            parts.append(f"got {quote(self.got)}")
        if self.allowed is not None:
            parts.append(f"allowed: {spell(self.allowed)}")
        if self.next_step is not None:
            parts.append(spell(self.next_step))
        return printable(re.sub(r"\s+", " ", "; ".join(parts)))


class UsageError(GrokscopeError):
    """Wrong input: an expression, a flag, a file or a folder that cannot be used (exit code 2)."""

    exit_code = 2


class ArgumentsError(UsageError, TypeError):
    """Arguments that a function does not take; a `TypeError`, as from any function of Python."""


class RunFolderError(UsageError):
    """A run folder that is missing, foreign, damaged, newer than this version, or in use."""


class DiskError(GrokscopeError):
    """A write that failed (for instance a full disk); everything saved before it is kept."""


class FolderGoneError(DiskError):
    """A folder that was removed, or moved out of sight, while it was being written."""


class FilesRemovedError(DiskError):
    """Files of a run that were removed while it trained; what is left was saved."""


class FolderMovedError(DiskError):
    """A folder that was moved while it was being written; everything was saved in its new place."""


class NotEnoughMemoryError(GrokscopeError):
    """Memory ran out; everything saved before it is kept."""

    @classmethod
    def here(cls) -> "NotEnoughMemoryError":
        """Return the error that says it."""
        return cls(
            "not enough memory",
            next_step="close other programs, or make the network, its "
            "batch_size or the number of seeds smaller",
        )


_WORDS_OF_MEMORY = (
    "RESOURCE_EXHAUSTED",
    "bad_alloc",
    "out of memory",
    "Cannot allocate memory",
    "failed to map segment",  # of a library that is loaded
)


def is_want_of_memory(error: BaseException) -> bool:
    """Whether an error says that memory ran out, in Python's words, XLA's or the system's."""
    kinds = (RuntimeError, ImportError, OSError)  # a JaxRuntimeError is a RuntimeError
    told = isinstance(error, kinds) and any(word in str(error) for word in _WORDS_OF_MEMORY)
    return isinstance(error, MemoryError) or told


def line_of(error: BaseException) -> str:
    """Return an error as the command line says it, and as files keep it."""
    return error.line if isinstance(error, GrokscopeError) else str(error)


AFTER_DIVERGENCE = "try a smaller --learning-rate or a longer --warmup"


class DivergedError(GrokscopeError):
    """A loss or weight that is no longer finite; the run was saved and marked `diverged`."""


class RunInterruptedError(GrokscopeError):
    """Training was asked to stop; it was saved and can be resumed."""

    exit_code = 130


class TimeIsUpError(RunInterruptedError):
    """The time that was given for training is over; it was saved and can be resumed."""
