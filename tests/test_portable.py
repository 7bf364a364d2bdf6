"""Nothing in the package forbids macOS or Windows: what only Unix has is imported where used."""

import subprocess
import sys

HIDDEN = """
import builtins, pkgutil, importlib, sys, pathlib, tempfile
UNIX = {"fcntl", "resource", "termios", "tty", "pty", "pwd", "grp", "syslog"}
real = builtins.__import__

def without_unix(name, globals=None, *rest, **named):
    if name in UNIX and (globals or {}).get("__name__", "").startswith("grokscope"):
        raise ImportError(name)
    return real(name, globals, *rest, **named)

builtins.__import__ = without_unix
import grokscope
names = [m.name for m in pkgutil.walk_packages(grokscope.__path__, "grokscope.")]
for name in names:
    if not name.endswith("__main__"):
        importlib.import_module(name)
from grokscope.disk.lock import exclusive, is_locked
from grokscope.disk.memory import free_memory
with tempfile.TemporaryDirectory() as folder, exclusive(pathlib.Path(folder)):
    print(len(names) > 100, is_locked(pathlib.Path(folder)), free_memory() > 0)
"""


def test_every_module_is_imported_without_the_modules_of_unix() -> None:
    done = subprocess.run([sys.executable, "-c", HIDDEN], capture_output=True, text=True)
    assert (done.stdout, done.returncode) == ("True True True\n", 0), done.stderr
