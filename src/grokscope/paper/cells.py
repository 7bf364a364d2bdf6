"""A run that an experiment asks for, and how to know it again among run folders."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, NamedTuple

from grokscope.config.run import RunConfig
from grokscope.config.validate import SETS_OF_PARTS, in_order
from grokscope.disk.atomic import canonical_json, names_in
from grokscope.disk.folder import MANIFEST_NAME, RunFolder
from grokscope.errors import RunFolderError, UsageError
from grokscope.paper.tables import operation_key

_NOT_COMPARED: Final = ("schedule", "seeds")
"""How long a run trains and what it saves does not make it another experiment."""
_OF_THE_SOURCE: Final = ("source", "source_seed", "source_step")
_DEPTH: Final = 3
"""Levels of folders in which runs are looked for."""


class SourceRun(NamedTuple):
    """The network that weights are taken from: what it learned, for how long, its seed."""

    operation: str
    step: int
    seed: int


@dataclass(frozen=True)
class Cell:
    """One cell of an experiment.

    **Arguments:**

    - `config`: what to train, with one seed.
    - `labels`: where it stands on the experiment's axes, by their names.
    - `source`: the network whose weights it takes over; None for none.
    """

    config: RunConfig
    labels: dict[str, Any]
    source: SourceRun | None = None

    @property
    def seed(self) -> int:
        """The one seed."""
        return self.config.seeds[0]

    @property
    def key(self) -> str:
        """What is equal for all runs of this cell."""
        return _key(self.config, self.seed, self.source)


@dataclass(frozen=True, eq=False)
class CellRun:
    """One seed of a run on the disk."""

    folder: RunFolder
    config: RunConfig
    seed: int

    @property
    def result(self) -> dict[str, Any]:
        """What the manifest says of this seed; only its state while it trains."""
        results = self.folder.manifest.results
        blank = {"seed": self.seed, "status": self.folder.manifest.status}
        return next((r for r in results if r["seed"] == self.seed), blank)


def find_runs(
    wanted: Sequence[Cell], folders: Iterable[Path], warn: Callable[[str], None] | None = None
) -> list[CellRun | None]:
    """Return, for each cell, the run that is farthest among all in some folders.

    **Arguments:**

    - `wanted`: the cells.
    - `folders`: run folders, or folders of them, also of sweeps.
    - `warn`: is told of each run that cannot be read, which is then passed over.

    **Returns:** in the order of the cells, None where there is no run.
    """
    best: dict[str, CellRun] = {}
    keys = {cell.key for cell in wanted}
    for found in _all(folders, warn):
        key = _key(found.config, found.seed, _source(found))
        if key in keys and (key not in best or _rank(found) > _rank(best[key])):
            best[key] = found
    return [best.get(cell.key) for cell in wanted]


def _all(folders: Iterable[Path], warn: Callable[[str], None] | None) -> Iterator[CellRun]:
    for path in folders:
        for run in _runs_in(Path(path), _DEPTH):
            try:
                folder = RunFolder.open(run)
                config = RunConfig.from_json(folder.manifest.config)
            except UsageError as error:
                if warn is not None:
                    warn(f"passed over: {error}")
                continue
            yield from (CellRun(folder, config, seed) for seed in config.seeds)


def _runs_in(path: Path, depth: int) -> Iterator[Path]:
    try:
        names = names_in(path, missing_ok=True)
    except RunFolderError:
        return
    if MANIFEST_NAME in names:
        yield path
    elif depth:
        for name in names:
            if (path / name).is_dir():
                yield from _runs_in(path / name, depth - 1)


def _rank(found: CellRun) -> tuple[bool, int]:
    """Order runs of one cell: one that grokked first, then the longer one."""
    result = found.result
    return result["status"] == "grokked", result.get("steps") or 0


def _source(found: CellRun) -> SourceRun | None:
    record = found.folder.manifest.transfer
    if record is None:
        return None
    mine = next((e for e in record["checkpoints"] if e["seed"] == found.seed), None)
    if mine is None:
        return None
    return SourceRun(operation_key(record["operation"]), mine["step"], mine["source_seed"])


def _key(config: RunConfig, seed: int, source: SourceRun | None) -> str:
    document = config.to_json()
    # a run counts as grokked by so many evaluations, so their distance matters
    flat: dict[str, Any] = {"seed": seed, "eval_every": config.schedule.eval_every}
    for name, value in document.items():
        if name not in _NOT_COMPARED:
            flat |= value if isinstance(value, dict) else {name: value}
    flat["expressions"] = operation_key(", ".join(config.task.expressions))
    flat |= {name: in_order(flat[name]) for name in SETS_OF_PARTS}
    loads = bool(flat.get("load"))
    kept = {k: v for k, v in flat.items() if k not in _OF_THE_SOURCE}
    return canonical_json(kept | ({"source": source} if loads else {}))
