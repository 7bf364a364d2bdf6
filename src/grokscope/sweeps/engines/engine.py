"""What an engine is: something that trains the batches of a sweep; and the engines by name."""

import importlib
import inspect
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, Final, Protocol

from grokscope.config.validate import check_choice, did_you_mean
from grokscope.errors import UsageError
from grokscope.sweeps.batch import Batch, Outcome

Watch = Callable[[], bool]
"""Called a few times a second while an engine waits; true asks it to save and stop."""


class Engine(Protocol):
    """Trains batches with `run_batch`, in processes of its own."""

    name: str

    @property
    def slots(self) -> int:
        """How many batches it trains at the same time."""
        ...

    @property
    def memory_mib(self) -> int | None:
        """Memory (MiB) of the GPU that trains a batch; None where a CPU core does."""
        ...

    def run(
        self, batches: Sequence[Batch], folder: Path, *, watch: Watch | None = None
    ) -> list[Outcome]:
        """Train every batch, and return how each job ended, in any order.

        A batch whose process dies is tried once more; then the jobs that it had begun are
        recorded as failed. When `watch` asks to stop, the jobs in progress are saved and
        `interrupted`, and those that had not begun have no outcome.

        **Arguments:**

        - `batches`: what to train, the first ones first.
        - `folder`: the sweep's, where every process can reach it; the caller holds its lock.
        - `watch`: see `Watch`; called from this thread only.

        **Raises:** `GrokscopeError` where no job could be trained at all, for instance when
        the engine cannot start.
        """
        ...


ENGINES: Final = {
    "local": "grokscope.sweeps.engines.local:LocalEngine",
    "ray": "grokscope.sweeps.engines.ray:RayEngine",
}


def make_engine(name: str, **settings: Any) -> Engine:
    """Return the engine of a name; raises `UsageError` for another.

    **Arguments:**

    - `settings`: what the engine takes, for instance `workers`.
    """
    check_choice("the engine", name, tuple(ENGINES))
    module, kind = ENGINES[name].split(":")
    engine = getattr(importlib.import_module(module), kind)
    known = inspect.signature(engine).parameters
    for setting in settings.keys() - known.keys():
        raise UsageError(
            f"the engine {name} has no such setting",
            got=setting,
            allowed=", ".join(known),
            next_step=did_you_mean(setting, known),
        )
    return engine(**settings)
