"""Nothing in the package needs what only Unix has, nor what only Linux has."""

import os
import subprocess
import sys
from pathlib import Path
from typing import Final

PROGRAM: Final = """
import builtins, importlib, os, pathlib, pkgutil, signal, sys
import grokscope

HIDDEN = {"fcntl", "resource", "termios", "tty", "pty", "pwd", "grp", "syslog", "msvcrt"}
OF_OS = (
    "sched_getaffinity sched_setaffinity getuid geteuid getgid getgroups getppid fork forkpty"
    " setsid setpgid getpgid killpg nice pread pwrite sysconf statvfs uname O_DIRECTORY O_NOFOLLOW"
    " O_NONBLOCK O_CLOEXEC fchmod fchown chown mkfifo wait3 wait4 setpriority getloadavg"
).split()
OF_SIGNAL = "SIGKILL SIGHUP SIGUSR1 SIGUSR2 SIGXCPU SIGPIPE SIGALRM SIGCHLD alarm setitimer".split()

names = [m.name for m in pkgutil.walk_packages(grokscope.__path__, "grokscope.")]
names = [name for name in names if not name.endswith("__main__")]
for name in names:  # once with everything, so that what others need is there
    importlib.import_module(name)
for name in [name for name in sys.modules if name.partition(".")[0] == "grokscope"]:
    del sys.modules[name]

real = builtins.__import__

def without_unix(name, globals=None, *rest):
    ours = (globals or {}).get("__name__", "").partition(".")[0] == "grokscope"
    if ours and name.partition(".")[0] in HIDDEN:
        raise ModuleNotFoundError(f"No module named {name!r}")
    return real(name, globals, *rest)

builtins.__import__ = without_unix
for module, hidden in ((os, OF_OS), (signal, OF_SIGNAL)):
    for name in hidden:
        if hasattr(module, name):
            delattr(module, name)
for name in ("grokscope", *names):
    importlib.import_module(name)

from grokscope.disk.atomic import write_bytes
from grokscope.disk.environment import environment
from grokscope.disk.lock import LockedFolder, is_locked
from grokscope.disk.memory import free_memory
from grokscope.runner.interrupt import stop_requests
from grokscope.sweeps.engines.cores import take_cores, worker_cores

folder = pathlib.Path(sys.argv[1])
write_bytes(folder / "new" / "file", b"1\\n")
with LockedFolder(folder).lock(), stop_requests():
    assert is_locked(folder)
assert not is_locked(folder)
take_cores(1)
assert free_memory() > 0 and len(worker_cores()) >= 1
print(len(names))
"""


def test_every_module_is_imported_and_used_without_what_only_unix_has(tmp_path: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-c", PROGRAM, str(tmp_path)],
        env=os.environ | {"JAX_PLATFORMS": "cpu"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert int(done.stdout) > 100
    assert (tmp_path / "new" / "file").read_bytes() == b"1\n"
