"""Whether this process was forked after JAX had been used: what computes there hangs for ever.

JAX has threads, and a fork copies only the one that forks.
"""

import os
import sys
from typing import Final

from grokscope.errors import UsageError


class _Fork:
    """What the parent knew when it forked, and what its child remembers."""

    used = False
    """Whether we have computed in this process."""
    too_late = False
    """Whether this process was forked after its parent had used JAX."""

    def before(self) -> None:
        """Look, in the parent, whether JAX has been used, by us or by somebody else."""
        bridge = sys.modules.get("jax._src.xla_bridge")
        initialized = getattr(bridge, "backends_are_initialized", lambda: False)
        self.used = self.used or initialized()

    def in_child(self) -> None:
        """Remember it in the child."""
        self.too_late = self.used


_FORK: Final = _Fork()


def watch_forks() -> None:
    """See every fork of this process from now on, whoever makes it."""
    if hasattr(os, "register_at_fork"):
        os.register_at_fork(before=_FORK.before, after_in_child=_FORK.in_child)


def refuse_after_fork() -> None:
    """Raise `UsageError` where computing would hang; otherwise remember that we compute here."""
    if _FORK.too_late:
        raise UsageError(
            "this process was forked after JAX had been used, and would hang",
            next_step='start it with multiprocessing.get_context("spawn"), or fork before anything '
            "is computed",
        )
    _FORK.used = True
