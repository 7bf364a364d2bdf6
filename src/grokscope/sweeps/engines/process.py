"""A spawned Python process with cores of its own, with which we exchange lines of JSON."""

import contextlib
import json
import os
import queue
import signal
import subprocess
import sys
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any, Final

from grokscope.sweeps.engines.cores import Cores

_PATIENCE: Final = 10
# The cores come first: XLA counts them when JAX is imported, and makes as many threads.
_PROGRAM: Final = """
import json, os, sys
cores, paths, module = json.loads(sys.argv[1])
if cores and hasattr(os, "sched_setaffinity"):
    os.sched_setaffinity(0, cores)
sys.path[:] = paths
import importlib
importlib.import_module(module).main()
"""


class Process:
    """A process that runs `main` of a module; it is spawned, never forked.

    It gets no Ctrl-C of the terminal: whoever holds it decides. When its standard input ends,
    as when we are killed, it stops by itself.

    **Arguments:**

    - `module`: where `main` is.
    - `place`: its cores and variables.
    - `log`: takes what it writes to standard error; None forgets it.
    - `heard`: called, from a thread, with each document it says, and with None at its end.
    """

    def __init__(
        self,
        module: str,
        place: Cores,
        log: Path | None,
        heard: Callable[["Process", dict[str, Any] | None], None],
    ) -> None:
        with contextlib.ExitStack() as stack:
            errors: Any = subprocess.DEVNULL
            if log is not None:
                errors = stack.enter_context(log.open("ab"))
            self._popen = subprocess.Popen(
                [sys.executable, "-P", "-c", _PROGRAM, json.dumps([place.cores, sys.path, module])],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=errors,
                process_group=0,
                creationflags=getattr(subprocess, "CREATE_NEW_PROCESS_GROUP", 0),  # Windows
                env=os.environ | place.environment,
            )
        self._heard = heard
        threading.Thread(target=self._read, daemon=True).start()

    @property
    def pid(self) -> int:
        """Number of the process."""
        return self._popen.pid

    def say(self, document: dict[str, Any]) -> None:
        """Send one document; to a process that is dead or dismissed, nothing."""
        with contextlib.suppress(OSError, ValueError):
            assert self._popen.stdin is not None
            self._popen.stdin.write(f"{json.dumps(document)}\n".encode())
            self._popen.stdin.flush()

    def stop(self) -> None:
        """Ask it to save and end."""
        self._popen.send_signal(signal.SIGTERM)

    def dismiss(self) -> None:
        """Say that there is nothing more to do."""
        with contextlib.suppress(OSError):
            assert self._popen.stdin is not None
            self._popen.stdin.close()

    def kill(self) -> None:
        """End it at once; what it had saved is kept."""
        self.dismiss()
        self._popen.kill()
        self._popen.wait()

    def ended(self) -> str:
        """Return how it ended, in words, once it has said its last."""
        try:
            code = self._popen.wait(_PATIENCE)
        except subprocess.TimeoutExpired:
            self.kill()
            return "it did not end"
        if code >= 0:
            return f"exit code {code}"
        memory = ", perhaps for want of memory" if signal.Signals(-code).name == "SIGKILL" else ""
        return f"{signal.Signals(-code).name}{memory}"

    def _read(self) -> None:
        assert self._popen.stdout is not None
        with self._popen.stdout as lines:
            for line in lines:
                with contextlib.suppress(ValueError):  # half a line of a process that died
                    self._heard(self, json.loads(line))
        self._heard(self, None)


class Conversation:
    """The other end, in the process itself: requests come in, documents go out."""

    def __init__(self) -> None:
        self._out = os.fdopen(os.dup(1), "w")
        os.dup2(2, 1)  # whatever prints must not be taken for a document
        self._requests: queue.SimpleQueue[dict[str, Any] | None] = queue.SimpleQueue()
        self._busy = False
        threading.Thread(target=self._read, daemon=True).start()

    def next(self) -> dict[str, Any] | None:
        """Wait for the next request and return it, or None when there are no more."""
        request = self._requests.get()
        self._busy = request is not None
        return request

    def say(self, document: dict[str, Any]) -> None:
        """Send one document; to nobody, when the other end is gone."""
        with contextlib.suppress(OSError):
            print(json.dumps(document), file=self._out, flush=True)

    def answer(self, document: dict[str, Any]) -> None:
        """Send the last document about a request."""
        self._busy = False
        self.say(document)

    def _read(self) -> None:
        for line in sys.stdin:
            self._requests.put(json.loads(line))
        self._requests.put(None)
        if self._busy:
            signal.raise_signal(signal.SIGTERM)  # nobody is left to work for: save and stop
