"""Where runs train: the options of the engines, for every verb that trains many runs."""

from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated, Any, Final, Literal

from grokscope.errors import UsageError

if TYPE_CHECKING:
    from grokscope.sweeps.engines.engine import Engine

_OWN: Final = {
    "local": ("workers",),
    "ray": ("address", "cpus", "gpus", "retries", "storage"),
}


@dataclass(frozen=True)
class EngineOptions:
    """Where runs train."""

    engine: Literal["local", "ray"] = "local"
    """Where: in processes of this machine, or as tasks of a Ray cluster (docs/cluster.md)."""
    workers: Annotated[int | None, "N"] = None
    """Local: processes at a time; left out, one per core, or one per GPU."""
    address: Annotated[str | None, "HOST:PORT"] = None
    """Ray: your cluster, or `auto` on one of its machines; left out, one starts on this machine."""
    cpus: Annotated[int | None, "N"] = None
    """Ray: cores of a worker, and its threads; left out, 1 as with the engine local."""
    gpus: Annotated[float | None, "N"] = None
    """Ray: number of GPUs of a worker, 0.5 to share one; left out, none."""
    retries: Annotated[int | None, "N"] = None
    """Ray: times that a batch may lose its worker or node; left out, 3, and -1 has no limit."""
    storage: Annotated[str | None, "URL"] = None
    """Ray: where runs are kept, s3://… for instance; left out, the folder, which nodes share."""

    def make(self) -> "Engine":
        """Return the engine; raises `UsageError` where an option belongs to another."""
        from grokscope.sweeps.engines.engine import make_engine

        for other, names in _OWN.items():
            for name in names:
                if other != self.engine and getattr(self, name) is not None:
                    raise UsageError(
                        f"--{name} belongs to --engine {other}", got=f"--engine {self.engine}"
                    )
        given = {name: getattr(self, name) for name in _OWN[self.engine]}
        settings: dict[str, Any] = {k: v for k, v in given.items() if v is not None}
        return make_engine(self.engine, **settings)
