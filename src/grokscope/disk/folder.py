"""The run folder: what a run leaves on the disk, in an order that a kill cannot break."""

import dataclasses
import re
from collections.abc import Callable, Mapping
from functools import partial
from pathlib import Path
from typing import Any, Final

import pyarrow as pa

from grokscope.disk.atomic import (
    digest,
    make_folder,
    names_in,
    path_in_words,
    path_of,
    read_bytes,
    remove_files,
    remove_temporary_files,
    write_bytes,
)
from grokscope.disk.lock import LockedFolder
from grokscope.disk.manifest import Manifest, now, read_manifest, write_manifest
from grokscope.disk.metrics import (
    METRIC_SCHEMA,
    SPECTRA_SCHEMA,
    drop_parts_after,
    read_parts,
    write_part,
)
from grokscope.disk.tensors import AnyArray, Axes, decode, encode
from grokscope.errors import DiskError, FolderGoneError, RunFolderError

_MIB = 2**20


def is_checkpoint(step: int, every: int, eval_every: int) -> bool:
    """Return whether `step` is kept: 0, eval_every · 2^i, or a multiple of `every`."""
    evaluations, rest = divmod(step, eval_every)
    log_spaced = rest == 0 and evaluations & (evaluations - 1) == 0
    return log_spaced or step % every == 0


def interval_within_budget(
    steps: int,
    bytes_per_checkpoint: int,
    n_seeds: int,
    every: int,
    budget_mib: int,
    eval_every: int,
) -> int:
    """Return the smallest interval of `every` · 2^i whose checkpoints fit the budget.

    `every` is first rounded up to whole evaluations. Doubling keeps each wider schedule a part
    of the narrower one. The log-spaced checkpoints and the last are kept even beyond the budget.

    **Arguments:**

    - `steps`: length of the training.
    - `bytes_per_checkpoint`: size of one file, of one seed.
    - `budget_mib`: MiB for all files of all seeds.
    """
    every = -(-every // eval_every) * eval_every
    largest = budget_mib * _MIB // (bytes_per_checkpoint * n_seeds)
    while every < steps and _count(steps, every, eval_every) > largest:
        every *= 2
    return every


def _count(steps: int, every: int, eval_every: int) -> int:
    kept = {0, steps, *range(0, steps + 1, every)}
    power = eval_every
    while power <= steps:
        kept.add(power)
        power *= 2
    return len(kept)


MANIFEST_NAME: Final = "manifest.json"
METRICS_NAME: Final = "metrics"
SPECTRA_NAME: Final = "spectra"
CHECKPOINTS_NAME: Final = "checkpoints"
STATE_NAME: Final = "state"
_STATE: Final = Path(STATE_NAME, "state.safetensors")
_CHECKPOINT: Final = re.compile(r"step-(\d{7,})\.safetensors")


class RunFolder(LockedFolder):
    """One run on the disk: `create` makes one, `open`, or its path alone, reads one.

    **Arguments:**

    - `path`: the folder; a relative one is that in the current folder now. Or what has a path,
      as what `gs.train` returns.
    - `manifest`: what it says; left out, it is read.
    - `lock`: False writes also where the file system has no locks.

    **Raises:** `RunFolderError` where the manifest is to be read and there is none.
    """

    def __init__(self, path: Any, manifest: Manifest | None = None, *, lock: bool = True) -> None:
        super().__init__(path_of(path), lock=lock)
        self._written: set[Path] = set()
        if manifest is None:
            if MANIFEST_NAME not in names_in(self.path):
                raise RunFolderError(
                    f"{path_in_words(self.path)} is not a run folder: it has no {MANIFEST_NAME}",
                    next_step="`grokscope runs DIR` lists the runs in a folder",
                )
            manifest = read_manifest(self.path / MANIFEST_NAME)
        self.manifest = manifest

    @classmethod
    def create(
        cls,
        path: str | Path,
        manifest: Manifest,
        *,
        lock: bool = True,
        inside: Path | None = None,
    ) -> "RunFolder":
        """Make the folder of a new run.

        **Arguments:**

        - `lock`: as in `RunFolder`.
        - `inside`: a folder around it that has to be there; other missing ones are made.

        **Raises:** `RunFolderError` when the folder already holds a run or anything else, or is
        in use; `DiskError` when it cannot be written.
        """
        folder = cls(path, manifest, lock=lock)
        _refuse_file(folder.path)
        make_folder(folder.path, inside=inside)
        _refuse_occupied(folder.path)
        with folder.lock():
            _refuse_occupied(folder.path)  # another process may have been quicker
            write_manifest(folder.path / MANIFEST_NAME, manifest)
        return folder

    @classmethod
    def open(cls, path: Any, *, lock: bool = True) -> "RunFolder":
        """Return the run in `path`; raises `RunFolderError` when there is none to read."""
        return cls(path, lock=lock)

    def _write(self, write: Callable[[Path], object]) -> None:
        """Let `write` write below the folder, and once more where it was moved at that moment."""
        path = None
        while path != self.path:
            path = self.path
            if MANIFEST_NAME not in names_in(path):
                raise FolderGoneError(
                    f"the run in {path_in_words(path)} was removed while it was written"
                )
            try:
                write(path)
            except DiskError:
                if path == self.path:
                    raise

    @property
    def removed(self) -> list[Path]:
        """What was saved through this object and lies there no more, by its path in the folder."""
        here = self.path
        return sorted(name for name in self._written if not (here / name).exists())

    def write_file(self, name: str, data: bytes) -> Path:
        """Write a file about the run, such as its report, beside its manifest.

        **Raises:** `DiskError` when it cannot be written, or the run is no longer there.
        """
        self._write(lambda path: write_bytes(path / name, data, inside=path))
        return self.path / name

    def write_manifest(self, manifest: Manifest) -> None:
        """Replace the manifest, with the present moment as its `updated`; raises `DiskError`."""
        times = manifest.times | {"updated": now()}
        self.manifest = dataclasses.replace(manifest, times=times)
        self._write(lambda path: write_manifest(path / MANIFEST_NAME, self.manifest))

    def save_checkpoint(
        self,
        seed: int,
        step: int,
        tensors: Mapping[str, AnyArray],
        axes: Axes,
        meta: Mapping[str, Any],
    ) -> Path:
        """Write the weights of one seed and return the path; raises `DiskError`.

        **Arguments:**

        - `axes`: one word per axis of each tensor.
        - `meta`: facts that JSON can hold; `seed` and `step` are added.
        """
        data = encode(tensors, {**meta, "seed": seed, "step": step}, axes)
        self._write(lambda path: write_bytes(self._checkpoint(seed, step), data, inside=path))
        self._written.add(_checkpoint_name(seed, step))
        return self._checkpoint(seed, step)

    def checkpoint_steps(self, seed: int) -> list[int]:
        """Return the steps at which weights of `seed` were kept, ascending."""
        return sorted(self._checkpoints(f"seed-{seed}"))

    def load_checkpoint(
        self, seed: int, step: int | None = None
    ) -> tuple[dict[str, AnyArray], dict[str, Any]]:
        """Return the weights of `seed` at `step`, or at the last one, and their facts.

        **Raises:** `RunFolderError` when there is no such checkpoint, or it is damaged.
        """
        steps = self.checkpoint_steps(seed)
        if not steps:
            seeds = " ".join(map(str, self.manifest.seeds))
            raise RunFolderError(
                f"{path_in_words(self.path)} has no checkpoint of this seed",
                got=seed,
                allowed=f"seeds {seeds}",
            )
        step = steps[-1] if step is None else step
        if step not in steps:
            nearest = min(steps, key=lambda kept: abs(kept - step))
            raise RunFolderError(
                "no checkpoint at this step", got=step, next_step=f"the nearest is at {nearest}"
            )
        tensors, meta = decode(self._checkpoint(seed, step))
        if (meta.get("seed"), meta.get("step")) != (seed, step):
            raise RunFolderError(
                f"{path_in_words(self._checkpoint(seed, step))} was renamed or replaced"
            )
        return tensors, meta

    def checkpoint_digest(self, seed: int, step: int) -> str:
        """Return the SHA-256 of a checkpoint's file; raises `RunFolderError` if it is missing."""
        return digest(read_bytes(self._checkpoint(seed, step)))

    @property
    def has_state(self) -> bool:
        """Whether anything was saved from which a run can go on."""
        return self._state.name in names_in(self._state.parent, missing_ok=True)

    def save_state(
        self, step: int, tensors: Mapping[str, AnyArray], meta: Mapping[str, Any]
    ) -> None:
        """Replace what resuming needs, as the last write of a save; raises `DiskError`."""
        data = encode(tensors, {**meta, "step": step})
        self._write(lambda path: write_bytes(self._state, data, inside=path))
        self._written.add(_STATE)

    def load_state(self) -> tuple[int, dict[str, AnyArray], dict[str, Any]] | None:
        """Return step, tensors and facts of the last save, or None when nothing was saved yet.

        **Raises:** `RunFolderError` when it is damaged.
        """
        if not self.has_state:
            return None
        tensors, meta = decode(self._state)
        return meta["step"], tensors, meta

    def append(self, metrics: pa.Table, spectra: pa.Table, last_step: int) -> None:
        """Add the rows since the last save, as the first write of a save; raises `DiskError`.

        **Arguments:**

        - `metrics`: rows that `METRIC_SCHEMA` can hold.
        - `spectra`: rows that `SPECTRA_SCHEMA` can hold.
        - `last_step`: step of the save; no row is later.
        """
        for name, rows in (
            (METRICS_NAME, metrics.cast(METRIC_SCHEMA)),
            (SPECTRA_NAME, spectra.cast(SPECTRA_SCHEMA)),
        ):
            if rows.num_rows:
                self._write(partial(self._write_rows, name=name, rows=rows, last_step=last_step))

    def _write_rows(self, path: Path, *, name: str, rows: pa.Table, last_step: int) -> None:
        part = write_part(path / name, rows, last_step, inside=path)
        self._written.add(part.relative_to(path))

    def metrics(self) -> pa.Table:
        """Return all rows of `METRIC_SCHEMA`; raises `RunFolderError` for a damaged part."""
        return read_parts(self.path / METRICS_NAME, METRIC_SCHEMA)

    def spectra(self) -> pa.Table:
        """Return all rows of `SPECTRA_SCHEMA`; raises `RunFolderError` for a damaged part."""
        return read_parts(self.path / SPECTRA_NAME, SPECTRA_SCHEMA)

    def rewind(self, step: int) -> None:
        """Remove what was saved after the state of `step`, and leftovers of killed writers.

        The caller holds the lock. With −1 everything goes, the state first: a state without
        its rows would be resumed from.
        """
        self._write(lambda _: self._rewind(step))

    def _rewind(self, step: int) -> None:
        if step < 0 and self._state.exists():
            remove_files([self._state])
        for name in (METRICS_NAME, SPECTRA_NAME):
            drop_parts_after(self.path / name, step)
        for seed_folder in names_in(self.path / CHECKPOINTS_NAME, missing_ok=True):
            kept = self._checkpoints(seed_folder)
            remove_files([path for at, path in kept.items() if at > step])
        remove_temporary_files(self.path)

    @property
    def _state(self) -> Path:
        return self.path / _STATE

    def _checkpoint(self, seed: int, step: int) -> Path:
        return self.path / _checkpoint_name(seed, step)

    def _checkpoints(self, seed_folder: str) -> dict[int, Path]:
        folder = self.path / CHECKPOINTS_NAME / seed_folder
        names = names_in(folder, missing_ok=True)
        return {int(m[1]): folder / name for name in names if (m := _CHECKPOINT.fullmatch(name))}


def _checkpoint_name(seed: int, step: int) -> Path:
    return Path(CHECKPOINTS_NAME, f"seed-{seed}", f"step-{step:07d}.safetensors")


def _refuse_file(path: Path) -> None:
    for part in (path, *path.parents):
        if part.is_file():
            raise RunFolderError(
                f"{path_in_words(part)} is a file, not a folder", next_step="choose another --out"
            )


def _refuse_occupied(path: Path) -> None:
    names = [name for name in names_in(path) if not name.startswith(".")]
    if MANIFEST_NAME in names:
        raise RunFolderError(
            f"{path_in_words(path)} already holds a run",
            next_step="add --resume, or choose another --out",
        )
    if names:
        raise RunFolderError(
            f"{path_in_words(path)} is not empty and not a run",
            got=names[0],
            next_step="choose another --out",
        )
